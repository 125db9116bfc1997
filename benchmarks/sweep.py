"""Twelve cases on one worker and on two: how much faster is a sweep with twice the workers?

    python benchmarks/sweep.py

Each case is a film of the paper's figures at their reduced size, some 10 s of processor time. The clock runs over
everything: starting the workers, importing emfem in them, the cases, the table. What a sweep takes beyond its cases is
told too: the ratio falls short of the number of workers by that, and by what else the machine does meanwhile, of which
the load tells (1 for each busy process, this one's workers included).

On two free cores: 72.3 s and 38.2 s, 1.89 times faster (load 1 to 1.5). On cores that others used at the same time
1.74, 1.66, 1.58 and 1.50 times (load 2 to 8). A worker takes some 3 to 4 s to start and to end.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import emfem as em
from emfem.studies import Case, Study

CASE = {
    "domain": {"shape": "periodic_rectangle", "size": [41.6, 41.6], "cells": [22, 22]},
    "film": {
        "alloy": "cupd",
        "mean": 0.3,
        "field": {"strength": 0.5, "angle": "45 deg"},
        "initial": {"amplitude": 0.08, "seed": 1},
    },
    "output": {"every": 10.0, "pictures": []},
}


def run(workers: int, cases: int, until: float) -> tuple[float, float]:
    """Seconds that a sweep takes, and that its cases take together."""
    case = Case.from_dict({**CASE, "time": {"until": until, "rtol": 1e-2}})
    study = Study.of(case, grid={"initial.seed": list(range(cases))})
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        table = study.run(Path(folder), workers=workers, progress=False)
        took = time.perf_counter() - began
    assert (table["status"] == "ok").all(), "a case failed"
    return took, float(table["wall"].sum())


def main(cases: int = 12, until: float = 2000.0, workers: int = 2) -> float:
    """The table; how many times faster the sweep is with all workers than with one."""
    run(1, 1, 1.0)  # compiles the forms
    em.write.print_root(f"{'workers':>7} {'cases':>5} {'seconds':>8} {'in cases':>8} {'beyond':>8} {'load':>6}")
    times = {}
    for n in (1, workers):
        times[n], inside = run(n, cases, until)
        beyond = times[n] - inside / n
        em.write.print_root(
            f"{n:>7} {cases:>5} {times[n]:>8.1f} {inside:>8.1f} {beyond:>8.1f} {os.getloadavg()[0]:>6.1f}"
        )
    em.write.print_root(f"{times[1] / times[workers]:.2f} times faster on {workers}")
    return times[1] / times[workers]


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cases", type=int, default=12, help="number of cases")
    options.add_argument("--until", type=float, default=2000.0, help="time each of them runs to")
    options.add_argument("--workers", type=int, default=2, help="workers to compare with one")
    main(**vars(options.parse_args()))
