"""A film with an array of holes: what it conducts, and stripes that bend around the holes.

A mean field drives the current through a cell that continues without end. Lord Rayleigh found in 1892 what a square
array conducts, the same along its rows as across its diagonals, and less than the area of the holes alone would cost.
By symmetry an array between electrodes conducts as much. The field drives the composition, whose stripes lie along the
field, also where the holes bend it.
"""

import argparse
import math
from pathlib import Path
from typing import Any

import emfem as em

import ufl
from dolfinx import fem


def rayleigh(share: float) -> float:
    """Conductivity of a square array of holes with that share of the area, over that without holes.

    W. T. Perrins, D. R. McKenzie, R. C. McPhedran, Proc. R. Soc. A 369, 207 (1979).
    """
    f = share
    return 1 - 2 * f / (1 + f - 0.305827 * f**4 / (1 - 1.402958 * f**8) - 0.013362 * f**8)


def driven(domain: em.mesh.Domain) -> tuple[em.Model, float]:
    """The current that a mean field along x drives, and its mean over the field."""
    current = em.conduction.model(domain, conductivity=1.0, mean_field=(1.0, 0.0))
    em.solve_steady(current)
    return current, float(em.conduction.mean_current(current)[0])


def between_electrodes(side: float, hole: tuple[float, float, float], size: float) -> em.Model:
    """One column of the array between electrodes, which are the mirrors of the array, with the same mean field."""
    column = em.mesh.periodic_cell((side, side), holes=[hole], size=size, axes="y", order=2)
    current = em.conduction.model(column, conductivity=1.0, on={"left": em.fixed(side), "right": em.fixed(0.0)})
    em.solve_steady(current)
    return current


def along(film: em.Model, direction: ufl.core.expr.Expr) -> float:
    """Order of the bands along a direction at each place: 1 along it, -1 across, 0 for neither."""
    slope, dx = ufl.grad(film["c"]), film.domain.dx(6)
    total, across = ufl.dot(slope, slope), ufl.dot(slope, direction) ** 2 / ufl.dot(direction, direction)
    turned, whole = (em.fields.integral(fem.form(f * dx), film.mesh.comm) for f in (total - 2 * across, total))
    return turned / whole


def main(
    until: float = 1200.0, side: float = 41.6, radius: float = 8.0, size: float = 1.6, out: str = "results/hole_array"
) -> dict[str, float]:
    """Three conductivities over Rayleigh's, and how well the stripes lie along the local and along the mean field."""
    hole = (side / 2, side / 2, radius)
    cell = em.mesh.periodic_cell((side, side), holes=[hole], size=size, order=2)
    current, rows = driven(cell)
    quarters = [(x * side, x * side, radius / math.sqrt(2)) for x in (0.25, 0.75)]
    _, diagonals = driven(em.mesh.periodic_cell((side, side), holes=quarters, size=size, order=2))
    column = between_electrodes(side, hole, size)
    electrodes = 1 / em.conduction.resistance(column)
    share = math.pi * radius**2 / side**2
    exact = rayleigh(share)
    em.write.print_root(
        cell,
        f"holes on {share:.2%}: conductivity {rows:.6f} along rows, {diagonals:.6f} along diagonals, "
        f"{electrodes:.6f} between electrodes; Rayleigh {exact:.6f}, by area alone {1 - share:.6f}",
        em.conduction.crowding(current),
    )

    noise = em.film.noise(amplitude=0.08, seed=1, grain=1.3)
    film = em.film.model(cell, em.film.cupd(), mean=0.3, field=0.3 * current["E"], initial=noise)
    solute = em.watch.conserved("solute")
    frames = em.watch.snapshots("c", times=[until / 10, until / 3, until])
    report = em.evolve(film, until, rtol=3e-3, watch=[solute, frames])
    local, mean = along(film, current["E"]), along(film, ufl.as_vector((1.0, 0.0)))
    pattern = em.patterns.measure(film["c"])
    look: dict[str, Any] = {"label": "concentration c", "unit": "h"}
    em.plot.film_strip(frames, Path(out) / "strip.png", **look)
    title = f"one cell of the array: composition at t = {until:g}, lines of the current"
    em.plot.current(current, Path(out) / "stripes.png", over=film["c"], lines=16, title=title, **look)
    em.write.print_root(
        f"{report}; solute kept to {solute.worst:.1e}",
        pattern,
        f"stripes along the local field {local:.3f}, along the mean field {mean:.3f} (1 if all are)",
    )
    return {
        "rows": rows / exact,
        "diagonals": diagonals / exact,
        "electrodes": electrodes / exact,
        "local": local,
        "mean": mean,
    }


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=1200.0, help="time to reach")
    options.add_argument("--side", type=float, default=41.6, help="of the cell [film thicknesses]")
    options.add_argument("--radius", type=float, default=8.0, help="of the holes [film thicknesses]")
    options.add_argument("--size", type=float, default=1.6, help="edge of a cell of the mesh [film thicknesses]")
    options.add_argument("--out", default="results/hole_array", help="folder for the results")
    main(**vars(options.parse_args()))
