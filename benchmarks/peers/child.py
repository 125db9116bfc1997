"""One run in a process of its own: `python -m benchmarks.peers.child PROGRAM CASE SETTINGS REFERENCE LIMIT`."""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
import warnings
from typing import Any

from benchmarks.peers.problem import CASES, Case, error
from benchmarks.peers.programs import PROGRAMS

import numpy as np

TRIED = 3  # steps from which the time of the whole run is estimated
MOST = 1800  # seconds of the processor that a program may take, with its compilation: others may load the machine


def seconds() -> float:
    """Return the processor time of this process and of the compilers it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def fresh(film: Any, case: Case, settings: dict[str, Any]) -> Any:
    """Return a film at its start; what a program has compiled for one film alone stays with it."""
    return film.restart() if hasattr(film, "restart") else type(film)(case, **settings)


def affordable(film: Any, limit: float) -> tuple[int | None, float]:
    """Return the number of steps that fit into `limit` seconds, None if all do, and what each takes."""
    if not isinstance(film.steps, int):  # the program chooses its steps itself
        return None, 0.0
    began = seconds()
    film.run(TRIED)
    each = (seconds() - began) / TRIED
    return (None if each * film.steps <= limit else max(TRIED, int(limit / each))), each


def measure(name: str, case: Case, settings: dict[str, Any], reference: str, limit: float) -> dict[str, Any]:
    """Return the seconds that a run took, its size and its error.

    The first step of a first film imports and compiles; the run is that of a second film, from its mesh to its end. If
    its first steps foretell more than `limit` seconds, it ends when these are used up, and its time is extrapolated;
    where they alone take that long, they are the run.
    """
    film = importlib.import_module(f"benchmarks.peers.{PROGRAMS[name].module}").Film(case, **settings)
    film.run(1)
    prepared, wall = seconds(), time.perf_counter()
    steps, each = affordable(film, limit)
    taken = each * TRIED
    if steps is None or steps > TRIED:
        began, wall = seconds(), time.perf_counter()
        film = fresh(film, case, settings)
        film.run(steps)
        taken = seconds() - began
    wall = time.perf_counter() - wall
    share = 1.0 if steps is None else steps / film.steps
    return {
        "program": name,
        "prepare": prepared,
        "cpu": taken / share,
        "wall": wall / share,
        "share": share,
        "steps": film.steps,
        "unknowns": film.unknowns,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "error": None if steps else error(film.sample(), np.load(reference)),
    }


def main() -> None:
    """Run what the command line names, and print the result as JSON."""
    name, case, settings, reference, limit = sys.argv[1:]
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_CPU, (MOST, MOST + 10))
    result = measure(name, CASES[case], json.loads(settings), reference, float(limit))
    print("\n" + json.dumps(result))


if __name__ == "__main__":
    main()
