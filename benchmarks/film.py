"""Films solved directly and iteratively: unknowns, iterations, time and memory, in one run.

    python benchmarks/film.py [--cells 24 48] [--dimension 2] [--lambda 1] [--until 20] [--solvers direct iterative]
                              [--ranks 1 2]

A periodic film grows its pattern by error control; then it takes four steps of one size, for which the Jacobian is
assembled once. Seconds are of the processor, of these four steps with the assembly. Memory is the largest resident
memory: what the solver adds to mesh and model, what all of it adds to a process that has imported emfem, and the whole
process with its libraries [MB]. All are of the rank with most; each row is a program of its own: look at ratios. A rank
that waits for another one counts as busy, so several ranks need a machine that does nothing else. Elements are of
degree 2 in the plane and 1 in space, as many nodes a wavelength in both.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import emfem as em
from emfem.solve import TimeStepper

import numpy as np
from mpi4py import MPI

STEPS, SIZE, SPACING = 4, 3.0, 0.325  # steps measured, their size; distance of nodes, in thicknesses
SOLVERS = ("direct", "iterative")
COLUMNS = ("us", "KB", "all KB", "MB")


def film(cells: int, dimension: int, ratio: float, degree: int | None = None) -> em.Model:
    """Return a film whose crystal has diffusion `ratio` times as fast along y as along x."""
    degree = degree or (2 if dimension == 2 else 1)
    size = SPACING * degree * cells
    make = em.mesh.periodic_rectangle if dimension == 2 else em.mesh.periodic_box
    return em.film.model(
        make((size,) * dimension, cells=(cells,) * dimension),
        em.film.cupd(),
        mean=0.3,
        anisotropy=np.diag([1.0, ratio, 1.0][:dimension]),
        field=(0.1, 0.0, 0.0)[:dimension],
        initial=em.film.noise(0.08, seed=1),
        degree=degree,
    )


def largest_memory() -> float:
    """Return the largest resident memory of this process so far [KB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def row(cells: int, dimension: int, ratio: float, until: float, solver: str) -> dict[str, float]:
    """Numbers of one film and one solver."""
    imported = largest_memory()
    model = film(cells, dimension, ratio)
    before = largest_memory()
    run = em.evolve(model, until, solver=solver, progress=False)
    stepper = TimeStepper([model], model.t + STEPS * SIZE, fixed_step=SIZE / max(1.0, ratio), solver=solver)
    unknowns = stepper.problem.size
    comm = model.domain.mesh.comm
    comm.Barrier()
    began = time.process_time()
    for _ in range(STEPS):
        stepper.step(model.t + STEPS * SIZE)
    seconds = comm.allreduce(time.process_time() - began, MPI.MAX)
    peak = largest_memory()
    solver_adds, all_adds, whole = (comm.allreduce(kb, MPI.MAX) for kb in (peak - before, peak - imported, peak))
    return {
        "unknowns": unknowns,
        "of the run": run.linear_iterations / run.solves,
        "iterations": stepper.linear_iterations / stepper.solves,
        "us": 1e6 * seconds / STEPS / unknowns,
        "KB": solver_adds / unknowns,
        "all KB": all_adds / unknowns,
        "MB": whole / 1024,
    }


def in_process(ranks: int, *arguments: object) -> dict[str, float]:
    """Return the same row, of a program of its own on so many ranks."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))  # its MPI before another
    launcher = [] if ranks == 1 else [shutil.which("mpiexec", path=path) or "mpiexec", "-n", str(ranks)]
    command = [*launcher, sys.executable, __file__, "--row", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def main(
    cells: list[int], dimension: int, ratio: float, until: float, solvers: list[str], ranks: list[int]
) -> list[dict[str, float]]:
    """Print a table; return its rows."""
    print(f"{dimension}-D, Lambda = {ratio:g}: iterations a solve in a run and in the steps measured,")
    print("us and KB (of the largest rank) an unknown; the last columns are those of the first row over these")
    names = ("unknowns", "run", "steps", *COLUMNS, *COLUMNS)
    print(f"{'solver':>10} {'ranks':>5} " + " ".join(map("{:>{}}".format, names, (9, 6, 6, *[7] * 8))))
    rows = []
    for count in cells:
        first: dict[str, float] = {}
        for solver, size in itertools.product(solvers, ranks):
            found = in_process(size, count, dimension, ratio, until, solver)
            first = first or found
            rows.append(found)
            numbers = f"{found['of the run']:6.1f} {found['iterations']:6.1f} "
            numbers += " ".join(f"{found[name]:7.4g}" for name in COLUMNS)
            ratios = " ".join(f"{first[name] / found[name]:7.2f}" for name in COLUMNS)
            print(f"{solver:>10} {size:5d} {found['unknowns']:9d} {numbers} {ratios}", flush=True)
    return rows


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, nargs="+", default=[24, 48], help="cells along an edge")
    options.add_argument("--dimension", type=int, default=2, choices=(2, 3))
    options.add_argument("--lambda", type=float, default=1.0, dest="ratio", help="diffusion along y over that along x")
    options.add_argument("--until", type=float, default=20.0, help="time for the pattern to grow")
    options.add_argument("--solvers", nargs="+", default=list(SOLVERS), choices=SOLVERS)
    options.add_argument("--ranks", type=int, nargs="+", default=[1], help="ranks of MPI")
    options.add_argument("--row", nargs=5, help=argparse.SUPPRESS)
    chosen = vars(options.parse_args())
    single = chosen.pop("row")
    if single:
        em.write.print_root(
            json.dumps(row(int(single[0]), int(single[1]), float(single[2]), float(single[3]), single[4]))
        )
    else:
        main(**chosen)
