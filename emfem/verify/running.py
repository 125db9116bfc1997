"""Run checks and collect their results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from emfem.errors import EmfemError
from emfem.gate import checked
from emfem.verify.registry import Check, Measured, numbers
from emfem.verify.report import Report, Result

from mpi4py import MPI


@checked
def run(chosen: Iterable[Check], *, full: bool = False, on_start: Callable[[Check], None] | None = None) -> Report:
    """Run checks one after the other. Collective.

    Args:
        chosen: of `checks(...)`.
        full: the long form, on more meshes.
        on_start: called with each check before it begins.
    """
    date, start = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    results = []
    for one in chosen:
        if on_start is not None:
            on_start(one)
        results.append(_run(one, full))
    return Report(tuple(results), full, time.perf_counter() - start, date)


def _run(one: Check, full: bool) -> Result:
    """Return the result of a check; an error in it is reported, and the next one runs."""
    start = time.perf_counter()
    # An error that only one rank has must end all of them: only emfem's own are sure to be the same on every rank.
    caught = Exception if MPI.COMM_WORLD.size == 1 else EmfemError
    try:
        measured, trouble = one(full), ""
    except caught as error:
        measured, trouble = Measured(()), f"{type(error).__name__}: {error}"
    wall = time.perf_counter() - start
    return Result(one, numbers(measured.values), measured.order, wall, trouble, dict(measured.files))
