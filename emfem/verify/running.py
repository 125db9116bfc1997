"""Checks are run, and what they came to is told."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emfem.errors import EmfemError
from emfem.studies import versions
from emfem.verify.registry import Check, Measured, Numbers, numbers

from mpi4py import MPI


@dataclass(frozen=True)
class Result:
    """What came of a check.

    Attributes:
        check: which.
        values: what was measured; empty if it broke off.
        order: of convergence, if it was measured.
        wall: seconds it took.
        trouble: the error that broke it off, empty if none did.
        files: texts to keep by the name of their file.
    """

    check: Check
    values: Numbers
    order: float | None
    wall: float
    trouble: str = ""
    files: dict[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> Numbers:
        """How far each value is off, as the tolerance counts it."""
        return self.check.errors(self.values)

    @property
    def worst(self) -> int:
        """Which of the values is farthest off."""
        return max(range(len(self.errors)), key=self.errors.__getitem__)

    @property
    def ok(self) -> bool:
        """Whether values and order are as near as they must be."""
        near = not self.trouble and self.errors[self.worst] <= self.check.tolerance
        bounds = self.check.order
        return near and (bounds is None or self.order is None or bounds[0] <= self.order <= bounds[1])


@dataclass(frozen=True)
class Report:
    """What came of many checks.

    Attributes:
        results: one for each check.
        full: whether it was the long form.
        wall: seconds it all took.
        date: when it began.
    """

    results: tuple[Result, ...]
    full: bool
    wall: float
    date: str

    @property
    def failed(self) -> tuple[Result, ...]:
        """Those that are not near enough."""
        return tuple(result for result in self.results if not result.ok)

    def json(self) -> str:
        """Versions, date and times, and one record a check; what is no number is null."""
        told: dict[str, Any] = {
            "date": self.date,
            "versions": versions(),
            "ranks": MPI.COMM_WORLD.size,
            "full": self.full,
            "wall": round(self.wall, 3),
            "passed": len(self.results) - len(self.failed),
            "failed": [f"{result.check.physics}: {result.check.name}" for result in self.failed],
            "checks": [_record(result) for result in self.results],
        }
        return json.dumps(told, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def run(chosen: Iterable[Check], *, full: bool = False, tell: Callable[[Check], None] | None = None) -> Report:
    """Run checks one after the other. Collective.

    Args:
        chosen: of `checks(...)`.
        full: the long form, on more meshes.
        tell: called with each check before it begins.
    """
    date, start = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    results = []
    for one in chosen:
        if tell is not None:
            tell(one)
        results.append(_run(one, full))
    return Report(tuple(results), full, time.perf_counter() - start, date)


def _run(one: Check, full: bool) -> Result:
    """One check; what goes wrong in it is told, and the next one runs."""
    start = time.perf_counter()
    # An error that only one rank has must end all of them: only emfem's own are sure to be the same on every rank.
    caught = Exception if MPI.COMM_WORLD.size == 1 else EmfemError
    try:
        found, trouble = one(full), ""
    except caught as error:
        found, trouble = Measured(()), f"{type(error).__name__}: {error}"
    wall = time.perf_counter() - start
    return Result(one, numbers(found.values), found.order, wall, trouble, dict(found.files))


def _record(result: Result) -> dict[str, Any]:
    """A check and what came of it, for JSON."""
    one = result.check
    return {
        "physics": one.physics,
        "name": one.name,
        "shows": one.shows,
        "source": one.source,
        "units": one.units,
        "target": _finite(one.target),
        "result": _finite(result.values),
        "error": _finite(result.errors),
        "tolerance": one.tolerance,
        "relative": one.relative,
        "order": _finite([result.order])[0],
        "order_bounds": one.order,
        "ok": result.ok,
        "trouble": result.trouble,
        "wall": round(result.wall, 3),
    }


def _finite(values: Sequence[float | None]) -> list[float | None]:
    return [v if v is not None and math.isfinite(v) else None for v in values]
