"""Values that follow time: a table of times and values where a number may stand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from emfem import observe
from emfem.studies.door import Door, in_unit, refuse, within_a_turn

import numpy as np
from pydantic import BaseModel, BeforeValidator, ValidationInfo

KEYS = ("times", "values", "between")
BETWEEN = ("lines", "steps")


@dataclass(frozen=True)
class Course:
    """A function of time: that of the first value until its time, and of the last value from its time on.

    Attributes:
        times: increasing.
        values: at these times.
        between: "lines" from one value to the next, or "steps": each value until the next time.
    """

    times: tuple[float, ...]
    values: tuple[float, ...]
    between: str = "lines"

    def __call__(self, t: float) -> float:
        """The value at a time."""
        if self.between == "lines":
            return float(np.interp(t, self.times, self.values))
        return self.values[max(bisect_right(self.times, t) - 1, 0)]


class Turns(observe.Observer):
    """Makes the steps hit the times at which a value jumps or bends."""

    def record(self, t: float) -> None:
        """Nothing: to be there is enough."""


def follows(unit: str, *, angle: bool = False) -> BeforeValidator:
    """A validator of a number in `unit`, or of a table that makes a `Course` of such numbers."""

    def convert(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, Mapping):
            return _course(value, unit, info, angle=angle)
        if isinstance(value, list | tuple):
            refuse(", must be one value, or a table with times and values")
        return in_unit(within_a_turn(value) if angle else value, unit)

    return BeforeValidator(convert)


def _course(table: Mapping[str, Any], unit: str, info: ValidationInfo, *, angle: bool) -> Course:
    """The course that a table describes."""
    door = info.context if isinstance(info.context, Door) else Door()
    stray = [key for key in table if key not in KEYS]
    if stray or not {"times", "values"} <= set(table):
        refuse(", must be a table with times and values, and between if it is not 'lines'")
    for key in ("times", "values"):
        if not isinstance(table[key], list | tuple) or any(isinstance(x, list | tuple | Mapping) for x in table[key]):
            refuse(f", must have a list of {key}")
    times = in_unit(table["times"], "s", door.scales if door.dimensionless else None)
    values = in_unit([within_a_turn(x) if angle else x for x in table["values"]], unit)
    if len(times) != len(values) or not times:
        refuse(f" has {len(times)} times and {len(values)} values, must have as many of both, at least one")
    if not np.isfinite([*times, *values]).all() or list(times) != sorted(set(times)):
        refuse(f" has times {list(times)}, must be finite, and times that increase")
    between = table.get("between", BETWEEN[0])
    if between not in BETWEEN:
        refuse(f" has between = {between!r}, must be one of {', '.join(BETWEEN)}")
    return Course(tuple(map(float, times)), tuple(map(float, values)), between)


def turns(tables: Any) -> tuple[float, ...]:
    """The times at which any value of the tables jumps or bends, increasing; those after the start."""
    return tuple(sorted({t for course in _courses(tables) for t in course.times if t > 0.0}))


def _courses(value: Any) -> Iterator[Course]:
    """The courses in a table, and in those it holds."""
    if isinstance(value, Course):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _courses(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _courses(item)


# What the keys of tables are: each a number or a text with a unit, or a table that makes it follow time
NumberInTime = Annotated[Any, follows("")]
AngleInTime = Annotated[Any, follows("rad", angle=True)]
VoltageInTime = Annotated[Any, follows("V")]
