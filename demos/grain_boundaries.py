"""Grain boundaries that conduct solute or block it: where electromigration takes the solute of a film.

The film has closed edges and a field along it. Where boundaries are as the grains or conduct, the field sweeps all
solute to the far edge, and the grains at the near one are drained. Boundaries that block hold it: each grain keeps what
it has, and the solute waits on the near side of them, as in a film of its own.
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.units import deg

import numpy as np
from dolfinx import fem
from matplotlib.figure import Figure

TURNS = (0.0, 45.0, 90.0, 135.0)  # of the crystals, one grain after the other
BETWEEN = "grain boundaries"
BOUNDARIES = {"conduct": 30.0, "as the grains": 1.0, "block": 1e-3}  # diffusion in them, over that of the grains
CRYSTAL = em.film.Anisotropy(surface="100", ratio=1 / 3)


def contents(film: em.Model) -> dict[str, float]:
    """The mean composition of each grain."""
    domain, comm = film.domain, film.domain.mesh.comm
    one = fem.Constant(domain.mesh, 1.0)
    means = {}
    for grain in domain.regions:
        solute, area = (em.fields.integral(fem.form(what * domain.dx(region=grain)), comm) for what in (film["c"], one))
        means[grain] = solute / area
    return {grain: mean for grain, mean in means.items() if grain != BETWEEN}


def draw(figure: Figure, grids: dict[str, em.fields.Grid], until: float) -> None:
    """The three films side by side."""
    axes = figure.subplots(1, len(grids), sharey=True)
    for axis, (name, grid) in zip(axes, grids.items(), strict=True):
        extent = (0.0, grid.lengths[0], 0.0, grid.lengths[1])
        image = axis.imshow(grid.values.T, origin="lower", extent=extent, vmin=0.0, vmax=1.0)
        axis.set(title=name if name.startswith("as") else f"boundaries {name}", xlabel="x [h]")
    axes[0].set(ylabel=f"y [h], t = {until:g}")
    figure.colorbar(image, ax=axes, shrink=0.8, label="concentration c")


def main(
    until: float = 300.0,
    side: float = 42.0,
    size: float = 1.75,
    width: float = 0.6,
    strength: float = 0.1,
    out: str = "results/grain_boundaries",
) -> dict[str, dict[str, float]]:
    """The mean composition of each grain at the end, for each kind of boundary."""
    domain = em.mesh.polycrystal((side, side), len(TURNS), size=size, seed=2, boundary=width)
    grains = {name: CRYSTAL.turned(turn * deg) for name, turn in zip(domain.regions, TURNS, strict=False)}
    results, grids = {}, {}
    for name, diffusion in BOUNDARIES.items():
        film = em.film.model(
            domain,
            em.film.cupd(),
            mean=0.3,
            anisotropy=grains | {BETWEEN: diffusion * np.eye(2)},
            field=em.film.uniform_field(strength, 20 * deg),
            initial=em.film.noise(0.08, seed=1),
        )
        em.evolve(film, until, rtol=3e-3, watch=[em.watch.conserved("solute")], progress=False)
        results[name], grids[name] = contents(film), em.fields.sample_grid(film["c"], (180, 180))
        told = ", ".join(f"{grain} {mean:.3f}" for grain, mean in results[name].items())
        em.write.print_root(f"boundaries {name} (D = {diffusion:g}): {told}")
    em.plot.figure(lambda figure: draw(figure, grids, until), Path(out) / "films.png", height=2.8)
    return results


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=300.0, help="time to reach")
    options.add_argument("--side", type=float, default=42.0, help="side of the film")
    options.add_argument("--size", type=float, default=1.75, help="edge of a cell in the grains")
    options.add_argument("--width", type=float, default=0.6, help="of the boundaries")
    options.add_argument("--strength", type=float, default=0.1, help="of the field")
    options.add_argument("--out", default="results/grain_boundaries", help="folder for the results")
    main(**vars(options.parse_args()))
