"""Results of checks as records, as tables for terminals and notebooks, and as messages."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from emfem.errors import kind
from emfem.gate import checked
from emfem.studies import versions
from emfem.verify.registry import Check, Numbers

from mpi4py import MPI
from rich.console import Console
from rich.markup import escape
from rich.table import Table


@checked
@dataclass(frozen=True)
class Result:
    """Check with its measured values.

    Attributes:
        check: the check.
        values: as measured; empty if an error ended it.
        order: of convergence, if it was measured.
        wall: duration [s].
        trouble: the error that ended it, empty if none did.
        files: texts to write, by the name of their file.
    """

    check: Check
    values: Numbers
    order: float | None
    wall: float
    trouble: str = ""
    files: dict[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> Numbers:
        """Error of each value, relative or absolute as the tolerance."""
        return self.check.errors(self.values)

    @property
    def worst(self) -> int:
        """Index of the value with the largest error."""
        return max(range(len(self.errors)), key=self.errors.__getitem__)

    @property
    def ok(self) -> bool:
        """True if values and order are inside their bounds."""
        near = not self.trouble and self.errors[self.worst] <= self.check.tolerance
        bounds = self.check.order
        return near and (bounds is None or self.order is None or bounds[0] <= self.order <= bounds[1])

    def record(self) -> dict[str, Any]:
        """Return check and result for JSON; values that are not finite are null."""
        one = self.check
        return {
            **{name: getattr(one, name) for name in ("physics", "name", "shows", "source", "units")},
            "target": _finite(one.target),
            "result": _finite(self.values),
            "error": _finite(self.errors),
            "tolerance": one.tolerance,
            "relative": one.relative,
            "order": _finite([self.order])[0],
            "order_bounds": one.order,
            "ok": self.ok,
            "trouble": self.trouble,
            "wall": round(self.wall, 3),
        }

    def cells(self) -> tuple[str, ...]:
        """Return target, result, error, tolerance and order; of several values those with the largest error."""
        one, tolerance = self.check, _percentage(self.check, self.check.tolerance)
        if len(self.values) != len(one.target):
            return _with_unit(one, one.target, 0), "-", "-", tolerance, ""
        values = (_with_unit(one, numbers, self.worst) for numbers in (one.target, self.values))
        order = "" if self.order is None else f"{self.order:.2f}"
        return *values, _percentage(one, self.errors[self.worst]), tolerance, order

    def failure(self) -> str:
        """Return one line for a check that failed: its name, the reason, its statement and its source."""
        one = self.check
        if self.trouble:
            reason = self.trouble
        elif len(self.values) != len(one.target):
            reason = f"{len(self.values)} values, must be {len(one.target)}"
        elif self.errors[self.worst] > one.tolerance:
            reason = ", must be ".join(_with_unit(one, numbers, self.worst) for numbers in (self.values, one.target))
        else:
            low, high = one.order or (0.0, 0.0)
            reason = f"order {self.order:.3g}, must be from {low:g} to {high:g}"
        return f"FAILED {one.physics}: {one.name}: {reason}. {one.shows} ({one.source})"


@checked
@dataclass(frozen=True)
class Report:
    """Results of many checks.

    Attributes:
        results: one for each check.
        full: True for the long form.
        wall: duration [s].
        date: of the start.
    """

    results: tuple[Result, ...]
    full: bool
    wall: float
    date: str

    @property
    def failed(self) -> tuple[Result, ...]:
        """Results out of their bounds."""
        return tuple(result for result in self.results if not result.ok)

    def json(self) -> str:
        """Return versions, date and times, and one record for each check; values that are not finite are null."""
        record: dict[str, Any] = {
            "date": self.date,
            "versions": versions(),
            "ranks": MPI.COMM_WORLD.size,
            "full": self.full,
            "wall": round(self.wall, 3),
            "passed": len(self.results) - len(self.failed),
            "failed": [f"{result.check.physics}: {result.check.name}" for result in self.failed],
            "checks": [result.record() for result in self.results],
        }
        return json.dumps(record, indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    def __str__(self) -> str:
        """Return the number of checks that passed, and a line for each that failed."""
        passed = len(self.results) - len(self.failed)
        return "\n".join([f"{passed} of {len(self.results)} checks passed in {self.wall:.0f} s", *troubles(self)])

    def _repr_html_(self) -> str:
        """Table of results, for notebooks."""
        console = Console(file=io.StringIO(), record=True, width=200)
        console.print(table(self))
        return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")


@checked
def table(report: Report) -> Table:
    """Return a table of the results; of several values that with the largest error."""
    made = Table("physics", "check", box=None, pad_edge=False)
    for name in ("target", "result", "error", "tolerance", "order"):
        made.add_column(name, justify="right")
    made.add_column("ok")
    for result, physics in zip(report.results, _once([result.check for result in report.results]), strict=True):
        verdict = "[green]yes[/green]" if result.ok else "[bold red]NO[/bold red]"
        made.add_row(physics, escape(result.check.name), *result.cells(), verdict)
    return made


@checked
def listing(chosen: Iterable[Check]) -> Table:
    """Return a table of the statement of each check, and the source of its target."""
    made, chosen = Table("physics", "check", "shows", "source", box=None, pad_edge=False), tuple(chosen)
    for i, one in enumerate(chosen):
        kind(f"chosen[{i}]", one, Check, "a check of em.verify")
    for one, physics in zip(chosen, _once(chosen), strict=True):
        made.add_row(physics, *map(escape, (one.name, one.shows, one.source)))
    return made


@checked
def troubles(report: Report) -> list[str]:
    """Return one line for each check that failed: its name, the reason, its statement and its source."""
    return [result.failure() for result in report.failed]


def _once(checks: Sequence[Check]) -> list[str]:
    """Return the physics of the first check of each, and empty texts for the others."""
    return [one.physics if i == 0 or checks[i - 1].physics != one.physics else "" for i, one in enumerate(checks)]


def _with_unit(one: Check, values: Numbers, i: int) -> str:
    """Return a value of a check with its unit."""
    return f"{values[i]:.7g} {one.units[i]}".removesuffix(" -")


def _percentage(one: Check, error: float) -> str:
    """Return an error: relative ones as percentages."""
    return f"{100 * error:.2g} %" if one.relative else f"{error:.2g}"


def _finite(values: Sequence[float | None]) -> list[float | None]:
    """Return values, with None for those that are not finite."""
    return [v if v is not None and math.isfinite(v) else None for v in values]
