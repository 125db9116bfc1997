"""Values with units: a number, or a text such as "500 nm" or "500*nm", becomes a number in SI or in a film's scales.

One rule says which: everything is in SI, but in a case with a table [film] lengths and times of [domain], [time],
[output] and of the film's start are in units of the film. Those values are marked `scaled` here, or by the unit
"m or -" in the docstring that a table is made of. With physical constants in [film.alloy] texts with units are
converted to the film's scales; without them only plain numbers are right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NoReturn

from emfem import waveforms
from emfem.errors import ParameterError
from emfem.quantities import LONGEST, QUANTITY, converted, described

from pydantic import BeforeValidator, GetCoreSchemaHandler, Strict, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

TABLE = ("times", "values", "between", "period")
PULSES = ("period", "duty", "level", "base", "start", "count")
TIMES = ("times", "period", "start")  # keys that are times; count is a number, between a word, all else values
PLAIN = ("between", "count", "duty")
FORMS = "a table with times and values (and between, period) or with period, duty and level (and base, start, count)"


@dataclass(frozen=True)
class UnitContext:
    """Units of the values of a case.

    Attributes:
        folder: where files are looked for.
        dimensionless: true if lengths and times are those of a dimensionless film.
        scales: what its units of length and time are [m], [s]; none if the film has no physical constants.
    """

    folder: Path = Path()
    dimensionless: bool = False
    scales: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def of(info: ValidationInfo) -> UnitContext:
        """Return the context of a validation; that of SI if it has none."""
        return info.context if isinstance(info.context, UnitContext) else UnitContext()


def refuse(words: str) -> NoReturn:
    """Refuse a value, in the words that follow `key = value`.

    Raises:
        PydanticCustomError: with them.
    """
    kind, template = "refused", "{words}"
    raise PydanticCustomError(kind, template, {"words": words})


def in_unit(value: Any, unit: str, scales: Mapping[str, float] | None = None) -> Any:
    """Return a number, or a text with a unit, in `unit`; each item of a list or table.

    Args:
        value: as it was written.
        unit: such as "A/m2"; "" for a plain number, "SI" for any.
        scales: what 1 is of some units, instead of 1.

    Raises:
        PydanticCustomError: for something else, an unknown unit, or one of another dimension.
    """
    if isinstance(value, list | tuple):
        return tuple(in_unit(item, unit, scales) for item in value)
    if isinstance(value, Mapping):
        return {key: in_unit(item, unit, scales) for key, item in value.items()}
    if isinstance(value, str):
        return _converted(value, unit) / (scales or {}).get(unit, 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(f", must be {described(unit)}")
    return _finite(value)


def _finite[T: (int, float)](value: T) -> T:
    """Return a number.

    Raises:
        PydanticCustomError: if it is infinite or none.
    """
    if not math.isfinite(value):
        refuse(", must be finite")
    return value


def _converted(text: str, unit: str) -> float:
    """Return a text with a unit as a number in `unit`."""
    try:
        return converted(text, unit)
    except ParameterError as error:
        refuse(str(error))


def has_unit(value: Any) -> bool:
    """Return whether a text with a unit is in a value."""
    if isinstance(value, str) and len(value) <= LONGEST:
        match = QUANTITY.fullmatch(value)
        return match is not None and bool(match[2])
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(map(has_unit, items))


@dataclass(frozen=True)
class Unit:
    """Validator that brings a value of a case to a unit: `Annotated[float, Unit("A/m2")]`.

    Attributes:
        unit: as in `in_unit`.
        scaled: whether a film changes the unit, see this module.
        in_time: whether a table may make the value follow time.
        lists: with `in_time`, whether lists and tables by name are allowed too.
        turn: whether a number beyond a full turn is refused: 45 for 45 degrees.
    """

    unit: str
    scaled: bool = False
    in_time: bool = False
    lists: bool = False
    turn: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of `source` with this validator before it."""
        return core_schema.with_info_before_validator_function(self.convert, handler(source))

    def convert(self, value: Any, info: ValidationInfo) -> Any:
        """Return a value in the unit, or the waveform that a table describes."""
        context = UnitContext.of(info)
        if self.in_time and isinstance(value, Mapping) and (not self.lists or {"values", "level"} & set(value)):
            return _waveform(value, lambda each: self.number(each, context), context)
        if self.in_time and isinstance(value, list | tuple) and not self.lists:
            refuse(f", must be one value, or {FORMS}")
        if info.field_name == "unit" and isinstance(value, str) and value.strip().isalpha():
            value = f"1 {value}"  # unit = "um"
        return self.number(value, context)

    def number(self, value: Any, context: UnitContext) -> Any:
        """Return numbers in the unit, or in that of a dimensionless film."""
        if self.scaled and context.dimensionless:
            measured = in_unit(value, self.unit, context.scales)
            if not context.scales and has_unit(value):
                refuse(
                    f" is {described(self.unit)}, must be a plain number: the film is dimensionless, unless "
                    "[film.alloy] has film_thickness and the other physical constants"
                )
            return measured
        if self.turn and isinstance(value, int | float) and abs(value) > 6.3:
            refuse(f" is in rad, must be within a full turn: for degrees write '{value:g} deg'")
        return in_unit(value, self.unit)


def _waveform(table: Mapping[str, Any], value_of: Callable[[Any], Any], context: UnitContext) -> waveforms.Waveform:
    """Return the waveform that a table describes."""
    pulsed = "level" in table
    unknown = set(table) - set(PULSES if pulsed else TABLE)
    if unknown or not ({"period", "duty"} if pulsed else {"times", "values"}) <= set(table):
        refuse(f", must be {FORMS}")
    for key in () if pulsed else ("times", "values"):
        if not isinstance(table[key], list | tuple) or any(isinstance(x, list | tuple | Mapping) for x in table[key]):
            refuse(f", must have a list of {key}")
    arguments: dict[str, Any] = {key: table[key] for key in PLAIN if key in table}
    for key in set(table) - set(PLAIN):
        if key in TIMES:
            arguments[key] = in_unit(table[key], "s", context.scales if context.dimensionless else None)
        else:
            arguments[key] = [value_of(x) for x in table[key]] if key == "values" else value_of(table[key])
    between = arguments.pop("between", waveforms.BETWEEN[0])
    if between not in waveforms.BETWEEN:
        refuse(f" has between = {between!r}, must be one of {', '.join(waveforms.BETWEEN)}")
    try:
        if pulsed:
            return waveforms.pulses(**arguments)
        return (waveforms.piecewise_linear if between == "lines" else waveforms.steps)(**arguments)
    except ParameterError as error:
        refuse(f" has {error}")


def _located(value: Any, info: ValidationInfo) -> Any:
    """Return a file's name as a path from the root, of one beside the case."""
    if not isinstance(value, str) or not value:
        refuse(", must be the name of a file")
    return str((UnitContext.of(info).folder / value).resolve())


# Types of keys that no docstring states
Number = Annotated[float, Unit("")]
Length = Annotated[float, Unit("m", scaled=True)]
Time = Annotated[float, Unit("s", scaled=True)]
Angle = Annotated[float, Unit("rad", turn=True)]
Temperature = Annotated[float, Unit("K")]
Whole = Annotated[int, Strict()]
Yes = Annotated[bool, Strict()]
File = Annotated[str, BeforeValidator(_located)]
