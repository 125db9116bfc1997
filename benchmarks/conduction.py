"""Conduction on more and more cells: iterations, time and memory of the iterative solver, and of a direct one.

    mpiexec -n 2 python benchmarks/conduction.py
    python benchmarks/conduction.py --space --cells 1000000

A plate of 2 x 1, or a block of 2 x 1 x 1, with a hot spot of conductivity, a given current from left to right. The
iterations must not grow with the mesh; times are of this machine, so look at their ratios. Memory is what the solve
adds to that of the mesh and the model: the largest of each rank, summed, each row in a process of its own where there
is one rank.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import emfem as em
from emfem import conduction

import ufl
from mpi4py import MPI

LARGEST_DIRECT = {2: 500_000, 3: 120_000}  # cells that a factorisation is tried for


def memory() -> float:
    """Return the largest memory of each rank so far, summed [bytes]. Collective.

    It is Linux's own number: that of `resource` counts the process which started this one.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    here = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return float(MPI.COMM_WORLD.allreduce(here)) * 1024


def run(cells: int, degree: int, dim: int, solver: str) -> dict[str, Any]:
    """Solve on about as many cells; return what it took."""
    began = time.perf_counter()
    rows = max(2, round((cells / 2) ** (1 / dim)))
    shape = (2 * rows, *(rows,) * (dim - 1))
    make = em.mesh.rectangle if dim == 2 else em.mesh.box
    domain = make((2.0, *(1.0,) * (dim - 1)), cells=shape)
    meshed = time.perf_counter()
    x = ufl.SpatialCoordinate(domain.mesh)
    sigma = 1 + 9 * ufl.exp(-((x[0] - 1.0) ** 2 + (x[1] - 0.5) ** 2) / 0.02)
    on: dict[str, Any] = {"left": conduction.electrode(current=1.0), "right": em.fixed(0.0)}
    model = conduction.model(domain, conductivity=sigma, on=on, degree=degree)
    before, posed, cpu = memory(), time.perf_counter(), time.process_time()
    steady = em.solve_steady(model, solver=solver)
    solved, cpu = time.perf_counter(), time.process_time() - cpu
    added, unknowns = memory() - before, em.solve.advise(model).unknowns
    assert abs(sum(conduction.current(model, name) for name in on)) < 1e-9, "current in is not current out"
    assert 0.8 < conduction.resistance(model) < 2.0, "this is not the plate's resistance"
    return {
        "cells": domain.quality().cells,
        "unknowns": unknowns,
        "iterations": steady.linear_iterations,
        "mesh": meshed - began,
        "model": posed - meshed,
        "solve": solved - posed,
        "cpu": cpu / unknowns,
        "bytes": added / unknowns,
    }


def row(cells: int, degree: int, dim: int, solver: str) -> dict[str, Any]:
    """Return the numbers of a solve, on one rank in a process of its own, whose memory is then that of this solve."""
    if MPI.COMM_WORLD.size > 1:
        return run(cells, degree, dim, solver)
    command = [sys.executable, __file__, "--one", solver, "--cells", str(cells), "--degree", str(degree)]
    out = subprocess.run([*command, *(["--space"] if dim == 3 else [])], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(out.stdout.splitlines()[-1])
    return found


def main(cells: int, degree: int, dim: int) -> None:
    """Print the table, each mesh with four or eight times the cells of the one before."""
    run(64, degree, dim, "direct")  # compiles the forms
    em.write.print_root(f"degree {degree}, {dim} dimensions, {MPI.COMM_WORLD.size} ranks")
    em.write.print_root(
        f"{'solver':>10} {'cells':>9} {'unknowns':>9} {'iterations':>10} {'mesh s':>7} {'model s':>7} {'solve s':>7} "
        f"{'us CPU':>7} {'bytes':>7}   the last two an unknown"
    )
    for solver, largest in (("iterative", cells), ("direct", min(cells, LARGEST_DIRECT[dim]))):
        for n in (round(largest / 2 ** (dim * i)) for i in range(3, -1, -1)):
            r = row(n, degree, dim, solver)
            em.write.print_root(
                f"{solver:>10} {r['cells']:>9} {r['unknowns']:>9} {r['iterations']:>10} {r['mesh']:>7.2f} "
                f"{r['model']:>7.2f} {r['solve']:>7.2f} {1e6 * r['cpu']:>7.1f} {r['bytes']:>7.0f}"
            )


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=1_000_000, help="of the largest mesh")
    options.add_argument("--degree", type=int, default=1, help="polynomial degree")
    options.add_argument("--space", action="store_true", help="a block in space, not a plate")
    options.add_argument("--one", choices=("direct", "iterative"), help="one solve, numbers as JSON")
    chosen = options.parse_args()
    dimension = 3 if chosen.space else 2
    if chosen.one:
        em.write.print_root(json.dumps(run(chosen.cells, chosen.degree, dimension, chosen.one)))
    else:
        main(chosen.cells, chosen.degree, dimension)
