"""The door: what a file says, a number or a text with its unit, becomes a number in SI or of the film's own scales."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from emfem.dimensions import parsed, registry

from pydantic import BeforeValidator, Strict, ValidationInfo
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    import pint

NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")
COMMON = (
    "nm um mm cm m angstrom rad deg turn s ms us minute hour day year K degC V mV kV A mA uA kA MA Pa kPa MPa GPa "
    "J kJ eV meV W mW ohm S mol percent meter micrometer nanometer degree radian second hours kelvin volt ampere"
).split()
KINDS = {
    "": "a plain number",
    "SI": "a number, or one with a unit",
    "rad": "an angle",
    "m": "a length",
    "s": "a time",
    "K": "a temperature",
    "V": "a voltage",
    "A": "a current",
    "J": "an energy",
    "Pa": "a stress",
    "W": "a power",
    "kg": "a mass",
    "Ohm": "a resistance",
    "Ohm m": "a resistivity",
    "S/m": "a conductivity",
    "W/(m K)": "a thermal conductivity",
    "A/m2": "a current density",
    "V/m": "a field",
    "m2/s": "a diffusivity",
    "m/s": "a velocity",
}
EXAMPLES = {"": "0.5", "SI": "'100 MPa'", "rad": "'45 deg'", "m": "'500 nm'", "s": "'2 hours'", "Pa": "'100 MPa'"}


@dataclass(frozen=True)
class Door:
    """What texts with units are measured in.

    Attributes:
        folder: where files are looked for.
        dimensionless: whether lengths and times are those of a dimensionless film.
        scales: what its units of length and time are [m], [s]; none if the film has no physical constants.
    """

    folder: Path = Path()
    dimensionless: bool = False
    scales: Mapping[str, float] = field(default_factory=dict)


def refuse(words: str) -> NoReturn:
    """Refuse a value, in the words that follow `key = value`.

    Raises:
        PydanticCustomError: with them.
    """
    kind, template = "refused", "{words}"
    raise PydanticCustomError(kind, template, {"words": words})


def in_unit(value: Any, unit: str, scales: Mapping[str, float] | None = None) -> Any:
    """A number, or a text with a unit, in `unit`; of each item if it is a list or a table.

    Args:
        value: what was written.
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
        return _measured(value, unit) / (scales or {}).get(unit, 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(f", must be {_kind(unit)}")
    return value


def _measured(text: str, unit: str) -> float:
    """A text with a unit in `unit`."""
    match = NUMBER.fullmatch(text)
    if match is None:
        refuse(f", must be {_kind(unit)}, such as {example(unit)}")
    if not match[2]:
        return float(match[1])
    found = registry().Quantity(float(match[1]), _unit(match[2]))
    if unit == "SI":
        return float(found.to_base_units().magnitude)
    wanted = registry().Quantity(1.0, _unit(unit))
    if found.check(wanted.units / registry().mole):  # an energy per mole is one per atom
        found = found / registry().avogadro_constant
    found, wanted = found.to_base_units(), wanted.to_base_units()
    if found.units != wanted.units:
        refuse(f" is {_told(found)}, must be {_kind(unit)}" + (f", such as {example(unit)}" if unit else ""))
    return float(found.magnitude / wanted.magnitude)


def _unit(text: str) -> pint.Unit:
    """A unit as it is written here: m2, Ohm."""
    try:
        return parsed(text)
    except Exception as error:  # pint raises what its tokenizer, parser and registry raise
        word = getattr(error, "unit_names", text)  # of an undefined unit
        word = str(word if isinstance(word, str) else word[0])
        near = get_close_matches(word, COMMON, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        refuse(f", must have a unit that exists: there is no {word!r}{hint}")


def _told(quantity: Any) -> str:
    """What kind of quantity something in base units is."""
    for unit, words in KINDS.items():
        if unit == "SI":
            continue
        if registry().Quantity(1.0, _unit(unit)).to_base_units().units == quantity.units:
            return words
    return f"in {quantity.units:~C}"


def _kind(unit: str) -> str:
    return KINDS.get(unit, f"a number in {unit}")


def example(unit: str) -> str:
    """A value with its unit, as it may be written."""
    return EXAMPLES.get(unit, f"'1 {unit}'")


def through(unit: str, *, scaled: bool = False) -> BeforeValidator:
    """A validator that brings values to `unit`, or to that of a dimensionless film if they are `scaled`."""

    def convert(value: Any, info: ValidationInfo) -> Any:
        door = info.context if isinstance(info.context, Door) else Door()
        if scaled and door.dimensionless:
            measured = in_unit(value, unit, door.scales)
            if not door.scales and has_unit(value):
                refuse(
                    f" is {_kind(unit)}, must be a plain number: the film is dimensionless, unless [film.alloy] has "
                    "film_thickness and the other physical constants"
                )
            return measured
        return in_unit(value, unit)

    return BeforeValidator(convert)


def has_unit(value: Any) -> bool:
    """Whether a text with a unit is in it."""
    if isinstance(value, str):
        match = NUMBER.fullmatch(value)
        return match is not None and bool(match[2])
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(map(has_unit, items))


def within_a_turn(value: Any) -> Any:
    """Refuse 45 for 45 degrees."""
    if isinstance(value, int | float) and abs(value) > 6.3:
        refuse(f" is in rad, must be within a full turn: for degrees write '{value:g} deg'")
    return value


def _located(value: Any, info: ValidationInfo) -> Any:
    """A file's name as a path from the root, of one beside the case."""
    door = info.context if isinstance(info.context, Door) else Door()
    if not isinstance(value, str) or not value:
        refuse(", must be the name of a file")
    return str((door.folder / value).resolve())


# What the keys of tables are: each a number, or a text with a unit that is checked
Number = Annotated[float, through("")]
Anything = Annotated[float, through("SI")]  # of a quantity whose unit is not known here
Numbers = Annotated[Any, through("")]  # one, or any arrangement of them in lists and tables
Length = Annotated[float, through("m", scaled=True)]
Lengths = Annotated[Any, through("m", scaled=True)]
Time = Annotated[float, through("s", scaled=True)]
Times = Annotated[tuple[float, ...], through("s", scaled=True)]
Metres = Annotated[float, through("m")]
Angle = Annotated[float, BeforeValidator(within_a_turn), through("rad")]
Angles = Annotated[Any, through("rad")]
Temperature = Annotated[float, through("K")]
Voltage = Annotated[float, through("V")]
Whole = Annotated[int, Strict()]
Yes = Annotated[bool, Strict()]
File = Annotated[str, BeforeValidator(_located)]
