"""Conduction on more and more cells: iterations, time and memory of the multigrid solver, and of a direct one.

    mpiexec -n 2 python benchmarks/conduction.py

A plate of 2 x 1 with a hot spot of conductivity, a given current from left to right. The iterations must not grow with
the mesh; times are of this machine, so look at their ratios. Memory is the largest of each rank, summed, with Python
and its libraries (the first row shows how much that is).
"""

from __future__ import annotations

import argparse
import resource
import time

import emfem as em
from emfem import conduction

import ufl


def run(rows: int, degree: int, *, direct: bool) -> tuple[int, int, float, float, float, float, float]:
    """Cells, linear iterations, seconds to make the mesh, the model, to solve and to measure; memory so far in MB."""
    began = time.perf_counter()
    domain = em.mesh.rectangle((2.0, 1.0), cells=(2 * rows, rows))
    meshed = time.perf_counter()
    x = ufl.SpatialCoordinate(domain.mesh)
    sigma = 1 + 9 * ufl.exp(-((x[0] - 1.0) ** 2 + (x[1] - 0.5) ** 2) / 0.02)
    on = {"left": conduction.electrode(current=1.0), "right": em.fixed(0.0)}
    model = conduction.model(domain, conductivity=sigma, on=on, degree=degree)
    posed = time.perf_counter()
    steady = em.solve_steady(model, petsc_options=None if direct else em.solve.MULTIGRID)
    solved = time.perf_counter()
    resistance = conduction.resistance(model)
    assert abs(sum(conduction.current(model, name) for name in on)) < 1e-9, "current in is not current out"
    assert 0.8 < resistance < 2.0, "this is not the plate's resistance"
    measured = time.perf_counter()
    memory = domain.mesh.comm.allreduce(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
    times = (meshed - began, posed - meshed, solved - posed, measured - solved)
    return domain.quality().cells, steady.linear_iterations, *times, memory


def main(largest: int = 708, degree: int = 1) -> None:
    """The table, each mesh with twice the rows of the one before."""
    run(8, degree, direct=False)  # compiles the forms
    em.write.print_root(f"degree {degree}, {em.mesh.interval(1.0, cells=8).mesh.comm.size} ranks")
    em.write.print_root(
        f"{'solver':>10} {'cells':>9} {'iterations':>10} {'mesh s':>7} {'model s':>7} {'solve s':>7} {'MB':>6}"
    )
    for name, direct, top in (("multigrid", False, largest), ("direct", True, largest // 2)):
        rows = [top // 2**i for i in range(3, -1, -1)]
        for n in rows:
            cells, iterations, mesh, posed, solve, _, memory = run(n, degree, direct=direct)
            row = f"{name:>10} {cells:>9} {iterations:>10} {mesh:>7.2f} {posed:>7.2f} {solve:>7.2f} {memory:>6.0f}"
            em.write.print_root(row)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--largest", type=int, default=708, help="rows of cells of the largest mesh (708: 1e6 cells)")
    options.add_argument("--degree", type=int, default=1, help="polynomial degree")
    main(**vars(options.parse_args()))
