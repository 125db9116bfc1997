"""Values that follow time in a case: a table that makes a waveform where a number may stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from emfem import waveforms
from emfem.errors import ParameterError
from emfem.studies.door import Door, in_unit, refuse, within_a_turn

from pydantic import BeforeValidator, ValidationInfo

TABLE = ("times", "values", "between", "period")
PULSES = ("period", "duty", "level", "base", "start", "count")
TIMES = ("times", "period", "start")  # keys that are times; count is a number, between a word, all else values
PLAIN = ("between", "count", "duty")
FORMS = "a table with times and values (and between, period) or with period, duty and level (and base, start, count)"


def follows(unit: str, *, angle: bool = False, many: bool = False) -> BeforeValidator:
    """Return a validator of a value in `unit` that may follow time.

    Args:
        unit: as in `in_unit`.
        angle: whether a plain number beyond a full turn is refused.
        many: whether lists, and tables of other keys, are allowed too.
    """

    def convert(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, Mapping) and (not many or {"values", "level"} & set(value)):
            return _waveform(value, lambda each: _in_unit(each, unit, angle), info)
        if isinstance(value, list | tuple) and not many:
            refuse(f", must be one value, or {FORMS}")
        return _in_unit(value, unit, angle)

    return BeforeValidator(convert)


def _in_unit(value: Any, unit: str, angle: bool) -> Any:
    return in_unit(within_a_turn(value) if angle else value, unit)


def _waveform(table: Mapping[str, Any], value_of: Any, info: ValidationInfo) -> waveforms.Waveform:
    """Return the waveform that a table describes."""
    door = info.context if isinstance(info.context, Door) else Door()
    pulsed = "level" in table
    stray = set(table) - set(PULSES if pulsed else TABLE)
    if stray or not ({"period", "duty"} if pulsed else {"times", "values"}) <= set(table):
        refuse(f", must be {FORMS}")
    for key in ("times", "values"):
        if not pulsed and (
            not isinstance(table[key], list | tuple) or any(isinstance(x, list | tuple | Mapping) for x in table[key])
        ):
            refuse(f", must have a list of {key}")
    found: dict[str, Any] = {key: table[key] for key in PLAIN if key in table}
    for key in set(table) - set(PLAIN):
        if key in TIMES:
            found[key] = in_unit(table[key], "s", door.scales if door.dimensionless else None)
        else:
            found[key] = [value_of(x) for x in table[key]] if key == "values" else value_of(table[key])
    between = found.pop("between", waveforms.BETWEEN[0])
    if between not in waveforms.BETWEEN:
        refuse(f" has between = {between!r}, must be one of {', '.join(waveforms.BETWEEN)}")
    try:
        if pulsed:
            return waveforms.pulses(**found)
        return (waveforms.piecewise_linear if between == "lines" else waveforms.steps)(**found)
    except ParameterError as error:
        refuse(f" has {error}")


# Keys of tables: each a number or a text with a unit, or a table that makes it follow time
NumberInTime = Annotated[Any, follows("")]
AngleInTime = Annotated[Any, follows("rad", angle=True)]
VoltageInTime = Annotated[Any, follows("V")]
TemperatureInTime = Annotated[Any, follows("K")]
CurrentDensityInTime = Annotated[Any, follows("A/m2", many=True)]  # or a list: a vector, or one for each segment
