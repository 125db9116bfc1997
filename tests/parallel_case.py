"""Script that test_parallel.py starts with mpiexec: `parallel_case.py CASE[=FILE] ...` prints a line of JSON on rank 0.

The line has the answer of each case by its name: a start of Python with MPI on three ranks costs more than most cases.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import emfem as em
from emfem.units import deg

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

COMM = MPI.COMM_WORLD
QUANTITIES = ("solute", "free_energy", "dissipation", "c_min", "c_max", "amplitude")


def stripes() -> em.Model:
    """A periodic film with a crystal, a tilted field and a random start."""
    return em.film.model(
        em.mesh.periodic_rectangle((15.6, 15.6), cells=(6, 6)),
        em.film.cupd(),
        mean=0.3,
        anisotropy=em.film.Anisotropy("110", 1.0, 20 * deg),
        field=em.film.uniform_field(0.1, 45 * deg),
        initial=em.film.noise(0.08, seed=3),
    )


def strip() -> em.Model:
    """A film with a fixed value at an edge, a flux through another, and two blocked edges."""
    return em.film.model(
        em.mesh.rectangle((4.0, 3.0), cells=(4, 3)),
        em.film.cupd(),
        mean=0.3,
        field=(0.1, 0.0),
        on={"left": em.fixed(0.25), "right": em.flux(1e-3)},
        degree=1,
    )


def thermal() -> em.Model:
    """A uniform film that thermal noise decomposes, with more cells than one stream of random numbers has."""
    return em.film.model(
        em.mesh.periodic_rectangle((15.6, 15.6), cells=(17, 17)),
        em.film.cupd(),
        mean=0.3,
        anisotropy=em.film.Anisotropy("110", 1.0, 20 * deg),
        noise=em.film.thermal_noise(1.0, seed=3, strength=1e-5),
        degree=1,
    )


def numbers(model: em.Model) -> dict[str, float]:
    return {name: model.quantity(name) for name in QUANTITIES}


def run(path: str) -> dict[str, Any]:
    """Numbers of two runs; the state of the first goes to `path`."""
    result = {}
    probe = em.watch.probe("c", at=[(0.0, 0.0), (7.9, 3.1), (15.6, 7.8), (11.0, 15.0)], every=10.0)
    film = stripes()
    watch = [probe, em.watch.conserved("solute")]
    ended = em.evolve(film, 30.0, first_step=0.1, watch=watch, checkpoint=path, progress=False)
    pattern = em.patterns.measure(film["c"])
    gathered = em.fields.gather(film["c"])
    result["stripes"] = numbers(film) | {
        "steps": ended.steps,
        "rejected": ended.rejected,
        "solves": ended.solves,
        "probe": probe.values.tolist(),
        "angle": pattern.angle,
        "wavelength": pattern.wavelength,
        "order": pattern.order,
        "domain": str(film.domain),
    }
    if gathered:
        nodes = gathered.cells.reshape(len(gathered.types), -1)[:, 1:]
        result["stripes"]["cells"] = len(nodes)
        result["stripes"]["widest"] = float(np.ptp(gathered.points[nodes], axis=1).max())
    film = thermal()
    ended = em.evolve(film, 3.0, fixed_step=0.5, watch=[probe := em.watch.probe("c", at=[(7.9, 3.1)])], progress=False)
    result["thermal"] = numbers(film) | {"steps": ended.steps, "place": float(probe.values[-1][0])}
    film = strip()
    ended = em.evolve(film, 2.0, first_step=0.01, progress=False)
    result["strip"] = numbers(film) | {"steps": ended.steps, "rejected": ended.rejected}
    return result


def few() -> dict[str, Any]:
    """Numbers of a film on a line of two cells: on three ranks one has no cell."""
    film = em.film.model(
        em.mesh.interval(2.0, cells=2), em.film.cupd(), mean=0.3, initial=em.film.noise(0.05), degree=1
    )
    ended = em.evolve(film, 1.0, first_step=0.01, watch=[em.watch.probe("c", at=0.3)], progress=False)
    gathered = em.fields.gather(film["c"])
    values = numbers(film) | {"steps": ended.steps, "domain": str(film.domain), "between cells": between_cells()}
    return values | {"cells": len(gathered.types)} if gathered else {}


def between_cells() -> list[float]:
    """Values of a field that differs in each cell, at points on their facets and corners."""
    plate = em.mesh.rectangle((4.0, 3.0), cells=(8, 6))
    field = fem.Function(fem.functionspace(plate.mesh, ("DG", 0)), name="k")
    field.interpolate(lambda x: np.round(100 * x[0]) + 1000 * np.round(100 * x[1]))
    field.x.scatter_forward()
    return em.fields.line_cut(field, (0.0, 0.0), (4.0, 3.0), 17)["k"].tolist()


def load(path: str) -> dict[str, float]:
    """Numbers of the state in `path`."""
    film = stripes()
    em.checkpoint.load(film, path)
    return numbers(film) | {"t": film.t}


def uncaught() -> em.Run:
    """A script with a mistake in it."""
    return em.evolve(strip(), -1.0)


def alone() -> list[list[str]]:
    """Messages on each rank about functions of place that are wrong on the last one."""
    plate = em.mesh.rectangle((1.0, 1.0), cells=(4, 4))

    def numbers(x: NDArray[np.float64]) -> NDArray[Any]:
        return x[0] if COMM.rank == COMM.size - 1 else x[0] > 0.5

    def broken(x: NDArray[np.float64]) -> NDArray[Any]:
        return numbers(x) if COMM.rank < COMM.size - 1 else x[3]

    return messages_of(
        [
            lambda: plate.with_boundary("via", numbers),
            lambda: plate.with_boundary("via", broken),
            lambda: plate.with_regions({"east": numbers}),
            lambda: plate.with_regions({"east": broken}),
        ]
    )


def bad() -> list[list[str]]:
    """Messages about bad input of each kind, on each rank."""
    film = strip()
    film["c"].x.array[:] = 0.3
    return messages_of(
        [
            lambda: em.mesh.periodic_rectangle((1.0, 0.0), cells=(4, 4)),
            lambda: em.film.model(film.domain, em.film.cupd(), mean=1.5),
            lambda: em.film.model(
                film.domain, em.film.cupd(), mean=0.3, initial=lambda x: np.where(x[0] > 3.9, 2.0, 0.3)
            ),
            lambda: em.evolve(film, -1.0),
            lambda: em.evolve(film, 1.0, checkpoint=__file__ + "/below/a/file.npz"),
            lambda: em.evolve(film, 1.0, petsc_options={"pc_type": "nonsense"}),
            lambda: em.evolve(film, 1.0, watch=[em.watch.series(["mass"])]),
            lambda: em.evolve(film, 1.0, watch=[em.watch.probe("c", at=(9.0, 9.0))]),
            lambda: em.write.vtx(__file__ + "/below/a/file.bp", ["c"]),
            lambda: em.checkpoint.load(film, __file__),
        ]
    )


def messages_of(attempts: Sequence[Callable[[], object]]) -> list[list[str]]:
    """Messages of attempts that fail, on each rank."""
    messages = []
    for attempt in attempts:
        try:
            attempt()
        except (em.ParameterError, IndexError) as error:
            messages.append(str(error))
        else:
            messages.append("nothing")
    return COMM.gather(messages, root=0) or []


def nan() -> list[list[bool]]:
    """Admissibility on each rank of a state with a NaN on the first, the last and no rank."""
    admissible = []
    for rank in (0, COMM.size - 1, None):
        film = strip()
        if rank == COMM.rank:
            film["c"].x.array[0] = np.nan
        admissible.append(film.bounds_violation() is None)
    return COMM.gather(admissible, root=0) or []


def interrupt(path: str) -> list[list[str]]:
    """Message on each rank when a run cannot go on, and the time that is on disk."""
    domain = em.mesh.rectangle((10.0, 3.0), cells=(10, 3))  # too coarse for this field: c overshoots
    film = em.film.model(domain, em.film.cupd(), mean=0.3, field=(2.0, 0.0), degree=1)
    try:
        em.evolve(film, 1.0, checkpoint=path, progress=False)
        message = "nothing"
    except em.ConvergenceError as error:
        message = f"{error.t!r} {error}"
    again = em.film.model(domain, em.film.cupd(), mean=0.3, degree=1)
    em.checkpoint.load(again, path)
    return COMM.gather([message, repr(again.t)], root=0) or []


def main(*cases: str) -> None:
    """Run cases, each `NAME` or `NAME=FILE`, and print their answers."""
    answers = {}
    for case in cases:
        name, _, path = case.partition("=")
        answers[name] = globals()[name](*filter(None, [path]))
    if COMM.rank == 0:
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
