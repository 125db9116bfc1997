"""Bamboo against polycrystal: how much faster atoms get through a line whose grain boundaries join its ends.

Atoms diffuse a million times faster along grain boundaries than in grains. In a bamboo line each boundary crosses the
line, so none leads from end to end, and the line is as slow as its grains. In a polycrystal the boundaries form a
network. The effective diffusivity of both is measured by the steady flux between the ends, and held against two sums:
that of paths in parallel, D + delta D_b / d, and the most that a network can carry, each boundary at the mean gradient.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import emfem as em

import dolfinx
import numpy as np

LENGTH, WIDTH = 4.0, 1.0  # of the line [um]
DELTA, RATIO = 5e-4, 1e6  # width of a boundary [um], and its diffusivity over that of the grains


def bamboo(size: float, grains: int = 8) -> em.mesh.Domain:
    """A line whose grains follow each other like the joints of a bamboo."""
    cells = (grains * max(1, round(LENGTH / grains / size)), max(2, round(WIDTH / size)))
    line = em.mesh.rectangle((LENGTH, WIDTH), cells=cells, cell="triangle")
    owned = line.mesh.topology.index_map(2)
    numbers = np.arange(owned.size_local + owned.num_ghosts, dtype=np.int32)
    middles = dolfinx.mesh.compute_midpoints(line.mesh, 2, numbers)
    which = (middles[:, 0] / LENGTH * grains).astype(np.int32) + 1
    tags = dolfinx.mesh.meshtags(line.mesh, 2, numbers, which)
    return replace(line, regions=tuple(f"grain {i + 1}" for i in range(grains)), cells=tags)


def crossing(domain: em.mesh.Domain) -> tuple[float, float]:
    """The length of all boundaries over the area, and that of what they reach along the line, int t_x^2 ds."""
    mesh = domain.mesh
    facets = em.migration.between_regions(domain)
    mesh.topology.create_connectivity(1, 0)
    ends = dolfinx.mesh.entities_to_geometry(mesh, 1, facets)
    along = np.diff(mesh.geometry.x[ends], axis=1)[:, 0, :2]
    lengths = np.linalg.norm(along, axis=1)
    reach = along[:, 0] ** 2 / lengths
    total, reached = (mesh.comm.allreduce(float(part.sum())) for part in (lengths, reach))
    return total / (LENGTH * WIDTH), reached / (LENGTH * WIDTH)


def effective(domain: em.mesh.Domain) -> tuple[float, em.Model]:
    """The flux between the ends over that of the grains alone, and the model that gave it."""
    atoms = em.migration.model(
        domain,
        diffusivity=1.0,
        initial=0.0,
        on={"left": em.fixed(1.0), "right": em.fixed(0.0)},
        grain_boundaries=em.migration.fast_path(width=DELTA, diffusivity=RATIO),
    )
    em.solve_steady(atoms)
    return atoms.quantity("flux right") * LENGTH / WIDTH, atoms


def main(size: float = 0.06, grains: int = 60, out: str = "results/bamboo") -> dict[str, float]:
    """Effective diffusivities over that of the grains: of both lines, of parallel paths, and the most possible."""
    poly = em.mesh.polycrystal((LENGTH, WIDTH), grains, size=size, seed=3)
    slow, line = effective(bamboo(size))
    fast, atoms = effective(poly)
    length, reach = crossing(poly)
    ratios = {
        "bamboo": slow,
        "polycrystal": fast,
        "most": 1 + DELTA * RATIO * reach,
        "parallel": 1 + DELTA * RATIO / np.sqrt(LENGTH * WIDTH / grains),
    }
    look: dict[str, Any] = {"label": "c over that at the left", "unit": "µm", "width": "page"}
    for name, domain, model in (("bamboo", line.domain, line), ("polycrystal", poly, atoms)):
        title = f"{name}: D of the line over D of its grains {ratios[name]:.4g}"
        em.plot.field(model["c"], Path(out) / f"{name}.png", title=title, **look, regions=domain)
    text = ", ".join(f"{name} {value:.4g}" for name, value in ratios.items())
    em.write.print_root(f"boundaries: {length:.3g} um in each um2", f"D of the line over D of its grains: {text}")
    return ratios


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--size", type=float, default=0.06, help="edge of a cell")
    options.add_argument("--grains", type=int, default=60, help="number of grains of the polycrystal")
    options.add_argument("--out", default="results/bamboo", help="folder for the results")
    main(**vars(options.parse_args()))
