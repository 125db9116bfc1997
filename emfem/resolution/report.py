"""Report of a check: the change of every number."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from emfem.errors import choice, number

import numpy as np

__all__ = ["Change", "ResolutionReport"]


@dataclass(frozen=True)
class Change:
    """Number at the end of a run, and its changes.

    Attributes:
        name: of a quantity, or of an unknown with "lowest", "highest" or "at points" (its root mean square there).
        unit: of the number.
        value: in the run as it is.
        by_tolerance: change with half the tolerance, relative; NaN for a steady state, which has no time steps.
        by_mesh: change on half the mesh, relative.
    """

    name: str
    unit: str
    value: float
    by_tolerance: float
    by_mesh: float

    @property
    def largest(self) -> float:
        """The larger of the two changes; NaN if the number has no value in any of the runs."""
        return float(np.fmax(self.by_tolerance, self.by_mesh))


@dataclass(frozen=True)
class ResolutionReport:
    """Changes of all numbers of a run, with half the tolerance and on half the mesh.

    Changes are relative to the value itself, of fields at points and of their extremes to the range of the field; or to
    a thousandth of the largest number of the same unit, if that is more.

    Attributes:
        t: time at which the runs are compared.
        cells: of the mesh of the run, and of the finer one.
        bound: largest change of a run that is resolved.
        changes: of each number.
    """

    t: float
    cells: tuple[int, int]
    bound: float
    changes: tuple[Change, ...]

    @property
    def worst(self) -> Change:
        """The number that changes most."""
        return max(self.changes, key=lambda change: -1.0 if math.isnan(change.largest) else change.largest)

    def ok(self, rtol: float | None = None) -> bool:
        """Return True if no number changes by more than `rtol`, by the bound when left out."""
        return not self.worst.largest > (self.bound if rtol is None else number("rtol", rtol, above=0.0))

    def __getitem__(self, name: str) -> Change:
        """Return the change of a number.

        Raises:
            UnknownName: if there is none.
        """
        choice("the report", name, [change.name for change in self.changes])
        return next(change for change in self.changes if change.name == name)

    def warning(self) -> str | None:
        """Return the sentence of the warning, or None if the run is resolved."""
        if self.ok():
            return None
        worst, many = self.worst, sum(change.largest > self.bound for change in self.changes) - 1
        by_mesh = not worst.by_mesh < worst.by_tolerance
        where = "on half the mesh" if by_mesh else "with half the tolerance"
        remedy = "finer cells" if by_mesh else "a smaller rtol"
        more = f", and {many} more change too much" if many else ""
        return (
            f"{worst.name} = {worst.value:.6g} at t = {self.t:.4g} changes by {percent(worst.largest)} {where}, "
            f"should be at most {percent(self.bound)}{more}: take {remedy}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values, with `worst` and `ok`."""
        return {**asdict(self), "worst": self.worst.name, "ok": self.ok()}

    def __str__(self) -> str:
        """Table of the numbers, one a row."""
        names = [change.name for change in self.changes]
        width = max(len(name) for name in ("number", *names))
        lines = [
            f"resolution at t = {self.t:g}: {self.cells[0]} cells, half the mesh {self.cells[1]} cells",
            f"{'number':<{width}}  {'value':>12}  {'half tolerance':>14}  {'half mesh':>10}",
        ]
        for change in self.changes:
            by_tolerance, by_mesh = (percent(each) for each in (change.by_tolerance, change.by_mesh))
            mark = "  !" if change.largest > self.bound else ""
            lines.append(f"{change.name:<{width}}  {change.value:>12.6g}  {by_tolerance:>14}  {by_mesh:>10}{mark}")
        worst = f"largest change: {self.worst.name}, {percent(self.worst.largest)}"
        return "\n".join([*lines, f"{worst}; {'at most' if self.ok() else 'more than'} {percent(self.bound)}"])


def percent(part: float) -> str:
    """Return a part of 1 as text."""
    return "-" if math.isnan(part) else f"{100 * part:.2g} %"
