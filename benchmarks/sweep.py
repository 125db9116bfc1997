"""Twelve cases on one worker and on two: how much faster is a sweep with twice the workers?

    python benchmarks/sweep.py

Each case is a film of 16 x 16 cells. The clock runs over everything: starting the workers, importing emfem in them, the
cases, the table. Times are of this machine, and of what else runs on it: on two free cores the ratio is near 2.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import emfem as em
from emfem.studies import Case, Study

CASE = {
    "domain": {"shape": "periodic_rectangle", "size": [20.8, 20.8], "cells": [16, 16]},
    "film": {
        "alloy": "cupd",
        "mean": 0.3,
        "field": {"strength": 0.3, "angle": "45 deg"},
        "initial": {"amplitude": 0.08, "seed": 1},
    },
    "output": {"every": 10.0, "pictures": []},
}


def run(workers: int, cases: int, until: float) -> tuple[float, float]:
    """Seconds that a sweep takes, and that its cases take together."""
    case = Case.from_dict({**CASE, "time": {"until": until, "rtol": 1e-3}})
    study = Study.of(case, grid={"initial.seed": list(range(cases))})
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        table = study.run(Path(folder), workers=workers, progress=False)
        took = time.perf_counter() - began
    assert (table["status"] == "ok").all(), "a case failed"
    return took, float(table["wall"].sum())


def main(cases: int = 12, until: float = 300.0, workers: int = 2) -> float:
    """The table; how many times faster the sweep is with all workers than with one."""
    run(1, 1, 1.0)  # compiles the forms
    em.write.say(f"{'workers':>7} {'cases':>5} {'seconds':>8} {'in cases':>8}")
    times = {}
    for n in (1, workers):
        times[n], inside = run(n, cases, until)
        em.write.say(f"{n:>7} {cases:>5} {times[n]:>8.1f} {inside:>8.1f}")
    em.write.say(f"{times[1] / times[workers]:.2f} times faster on {workers}")
    return times[1] / times[workers]


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cases", type=int, default=12, help="number of cases")
    options.add_argument("--until", type=float, default=300.0, help="time each of them runs to")
    options.add_argument("--workers", type=int, default=2, help="workers to compare with one")
    main(**vars(options.parse_args()))
