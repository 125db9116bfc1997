"""A film that is thick enough to decompose in depth too: bands form along the drift, in space.

A slab, periodic in its plane, with blocked faces below and above. From a random start it decomposes into solute-rich
regions of any direction; a drift along the diagonal of the plane stretches them, and only bands along it are left. The
larger the slab the more unknowns: from 20 thousand on the linear systems are solved by multigrid (--solver).
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.units import deg

import numpy as np
import ufl
from dolfinx import fem

MEAN, HEIGHT = 0.3, 5.2  # composition; film thicknesses
DRIFT, ANGLE = 0.3, 45 * deg  # dimensionless; of the drift to x


def bands_along(film: em.Model) -> float:
    """1 - 3 <(F . grad c)^2> / (F^2 <|grad c|^2>): 1 for bands along the drift, 0 if no direction is preferred."""
    along = ufl.as_vector([np.cos(ANGLE), np.sin(ANGLE), 0.0])
    slope, dx, comm = ufl.grad(film["c"]), film.domain.dx(), film.mesh.comm
    squares = ufl.dot(along, slope) ** 2, ufl.inner(slope, slope)
    parts = [em.fields.integral(fem.form(square * dx), comm) for square in squares]
    return 1 - 3 * parts[0] / parts[1]


def main(
    until: float = 800.0, size: float = 20.8, cell: float = 1.5, solver: str = "auto", out: str = "results/film_3d"
) -> dict[str, float]:
    """Alignment of the bands with the drift soon after the start and at the end."""
    cells = [max(3, round(side / cell)) for side in (size, size, HEIGHT)]
    film = em.film.model(
        em.mesh.periodic_box((size, size, HEIGHT), cells=cells, axes="xy"),
        em.film.cupd(),
        mean=MEAN,
        field=(DRIFT * np.cos(ANGLE), DRIFT * np.sin(ANGLE), 0.0),
        initial=em.film.noise(amplitude=0.08, seed=1),
    )
    em.write.print_root(em.solve.advise(film, solver=solver))
    found, states = {}, []
    watch = [
        em.watch.conserved("solute"),
        em.write.series(Path(out) / "series.csv", every=until / 30),
        em.write.vtu(Path(out) / "film.pvd", ["c"], every=until / 5),
    ]
    for name, time in {"early": 0.1 * until, "end": until}.items():
        em.write.print_root(em.evolve(film, time, rtol=1e-3, watch=watch, solver=solver))
        found[name] = bands_along(film)
        states.append(em.fields.copied(film["c"]))
        picture = Path(out) / f"{name}.png"
        em.plot.surface([film["c"]], picture, level=MEAN, titles=[f"c > {MEAN} at t = {time:g}"], unit="h")
    titles = [f"t = {time:g}" for time in (0.1 * until, until)]
    em.plot.film_strip(states, Path(out) / "slab.png", titles=titles)
    em.write.print_root(f"bands along the drift: {found['early']:.2f} early, {found['end']:.2f} at the end")
    return found


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=800.0, help="time to reach")
    options.add_argument("--size", type=float, default=20.8, help="edge of the slab [film thicknesses]")
    options.add_argument("--cell", type=float, default=1.5, help="edge of a cell, of degree 2")
    options.add_argument("--solver", default="auto", choices=em.solve.SOLVERS, help="of the linear systems")
    options.add_argument("--out", default="results/film_3d", help="folder for the results")
    main(**vars(options.parse_args()))
