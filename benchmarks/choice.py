"""Solver that `solver="auto"` takes against the faster one, and `em.solve.advise` against what a run took.

    python benchmarks/choice.py [--only film heat ...] [--size small | normal | large]

Whole runs with error control, each in a process of its own, direct and iterative: processor time without compilation,
an unknown and step (of Newton's method where nothing evolves); the largest memory of the process, an unknown. `chosen`
is the time with the solver of "auto" over the better one; `time` and `memory` are advice over measurement. A run
that would take more memory than `--memory` by the advice is left out: then there is nothing to choose.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import emfem as em
from benchmarks.film import film as periodic_film

import ufl

Row = dict[str, Any]
SOLVERS = ("direct", "iterative")
UNTIL = {"film": 20.0, "heat": 0.5, "heated": 0.5}  # of those that evolve


def film(cells: int, dim: int, degree: int) -> list[em.Model]:
    """A periodic film, in its growth."""
    return [periodic_film(cells, dim, 1.0, degree)]


def block(cells: int, dim: int) -> em.mesh.Domain:
    """A plate of 2 x 1 or a block of 2 x 1 x 1."""
    make = em.mesh.rectangle if dim == 2 else em.mesh.box
    return make((2.0, *(1.0,) * (dim - 1)), cells=(2 * cells, *(cells,) * (dim - 1)))


def current(cells: int, dim: int, degree: int) -> list[em.Model]:
    """A current past a spot that conducts ten times as well."""
    domain = block(cells, dim)
    x = ufl.SpatialCoordinate(domain.mesh)
    sigma = 1 + 9 * ufl.exp(-((x[0] - 1.0) ** 2 + (x[1] - 0.5) ** 2) / 0.02)
    return [em.conduction.model(domain, conductivity=sigma, on=VOLTAGE, degree=degree)]


def heat(cells: int, dim: int, degree: int) -> list[em.Model]:
    """A block that warms up."""
    constants: Row = {"conductivity": 1.0, "heat_capacity": 1.0, "initial": 300.0}
    return [em.heat.model(block(cells, dim), source=100.0, on={"left": em.fixed(300.0)}, degree=degree, **constants)]


def heated(cells: int, dim: int, degree: int) -> list[em.Model]:
    """A current and the heat that it makes, in one system; hot metal conducts less."""
    domain = block(cells, dim)
    temperature = em.placeholder("T", domain)
    flow = em.conduction.model(domain, conductivity=300.0 / temperature, on=VOLTAGE, degree=degree)
    constants: Row = {"conductivity": 1.0, "heat_capacity": 1.0, "initial": 300.0}
    on = {"left": em.fixed(300.0)}
    warm = em.heat.model(domain, source=100.0 * em.heat.joule(flow), on=on, degree=degree, **constants)
    return [flow.substitute(T=warm["T"]), warm]


VOLTAGE = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
KINDS: dict[str, Callable[[int, int, int], list[em.Model]]] = {
    "film": film, "current": current, "heat": heat, "heated": heated,
}  # fmt: skip
# Dimension, degree and cells along an edge: small, normal, large, each with those before.
CASES: dict[str, dict[tuple[int, int], tuple[tuple[int, ...], ...]]] = {
    "film": {
        (2, 2): ((24,), (48, 80), (112, 192, 256)),
        (3, 1): ((10,), (16, 24), (32, 40)),
        (3, 2): ((6,), (10, 12), (14, 16)),
    },
    "current": {(2, 2): ((40,), (80, 160), (320,)), (3, 1): ((12,), (20, 30), (40,))},
    "heat": {(3, 1): ((12,), (20, 26), (36,)), (3, 2): ((8,), (11, 13), (16,))},
    "heated": {(3, 1): ((12,), (14, 18), (22,)), (3, 2): ((6,), (8, 9, 10), (11,))},
}
SIZES = ("small", "normal", "large")


def largest_memory() -> float:
    """Return the largest resident memory of this process so far [bytes]."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def compute(kind: str, models: list[em.Model], solver: str) -> int:
    """Run; return the number of steps."""
    if kind not in UNTIL:
        return em.solve_steady(models, solver=solver).iterations
    return em.evolve(models, UNTIL[kind], solver=solver, progress=False).steps


def row(kind: str, dim: int, degree: int, cells: int, solver: str) -> Row:
    """Return what a run took, beside what was advised."""
    compute(kind, KINDS[kind](2 + dim, dim, degree), solver)  # compiles the forms
    models = KINDS[kind](cells, dim, degree)
    auto, advised = em.solve.advise(models).solver, em.solve.advise(models, solver=solver)
    began = time.process_time()
    steps = compute(kind, models, solver)
    seconds = (time.process_time() - began) / steps
    return {
        "unknowns": advised.unknowns,
        "steps": steps,
        "seconds": seconds,
        "memory": largest_memory(),
        "advised seconds": advised.seconds,
        "advised memory": advised.memory,
        "auto": auto,
    }


def in_process(*arguments: object) -> Row:
    """Return the same row, of a program of its own."""
    command = [sys.executable, __file__, "--row", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: Row = json.loads(done.stdout.splitlines()[-1])
    return found


def fits(kind: str, dim: int, degree: int, cells: int, solver: str, most: float) -> bool:
    """Return True if the advice for a run is less memory than that [bytes]."""
    return em.solve.advise(KINDS[kind](cells, dim, degree), solver=solver).memory < most


def text(label: str, rows: dict[str, Row]) -> str:
    """Return one line of the table."""
    best = min(found["seconds"] for found in rows.values())
    auto = next(iter(rows.values()))["auto"]
    chosen = f"{rows[auto]['seconds'] / best:.2f}" if auto in rows else ""
    parts = [f"{label} | {next(iter(rows.values()))['unknowns']} | {auto} | {chosen}"]
    for solver in SOLVERS:
        found = rows.get(solver)
        if found is None:
            parts.append("| | |")
            continue
        time_ratio, memory_ratio = (found[f"advised {name}"] / found[name] for name in ("seconds", "memory"))
        each = 1e6 * found["seconds"] / found["unknowns"]
        parts.append(f"{each:.3g} µs, {found['steps']} | {time_ratio:.2f} | {memory_ratio:.2f}")
    return "| " + " | ".join(parts) + " |"


def main(only: Sequence[str], size: str, most: float) -> None:
    """Print the table."""
    heads = [f"{solver}: an unknown and step, steps | time | memory" for solver in SOLVERS]
    print("| problem | unknowns | auto | chosen | " + " | ".join(heads) + " |\n" + "|---" * 10 + "|")
    for kind in only:
        for (dim, degree), cells in CASES[kind].items():
            for n in (n for some in cells[: SIZES.index(size) + 1] for n in some):
                tried = [s for s in SOLVERS if fits(kind, dim, degree, n, s, most)]
                rows = {solver: in_process(kind, dim, degree, n, solver) for solver in tried}
                if rows:
                    print(text(f"{kind}, {dim}-D, degree {degree}", rows), flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), help="problems")
    options.add_argument("--size", choices=SIZES, default="normal", help="of the largest ones")
    options.add_argument("--memory", type=float, default=4e9, help="of a run, by the advice [bytes]")
    options.add_argument("--row", nargs=5, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.row:
        print(json.dumps(row(given.row[0], *map(int, given.row[1:4]), given.row[4])))
    else:
        main(given.only, given.size, given.memory)
