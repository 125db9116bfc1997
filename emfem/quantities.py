"""Quantities written as texts: "500 nm", "500*nm" or "25.4*mm/2" become numbers in a unit."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NoReturn

from emfem.dimensions import meant, parsed, registry
from emfem.errors import ParameterError, number, shown
from emfem.public import dir_of
from emfem.units import day, hour, year

if TYPE_CHECKING:
    import pint

__all__ = ["converted", "described", "duration", "example", "in_si", "is_same_unit", "quantity"]
__dir__ = dir_of(__all__)

NUMBER = r"(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?+"
LONGEST = 200  # letters of a text with a unit, before Pint reads it
QUANTITY = re.compile(rf"\s*([+-]?{NUMBER})\s*\*?\s*(.*?)\s*(?:/\s*({NUMBER}))?\s*")
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


def quantity(text: str) -> pint.Quantity:
    """Return the quantity of a text such as "50 um", "50um", "50*um" or "25.4*mm/2".

    Raises what Pint raises for a unit that does not exist.

    Raises:
        ValueError: if it does not begin with a number.
    """
    match = QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(text)
    unit = f"1{match[2]}" if match[2].startswith("/") else match[2]  # "1e22/m3"
    return registry().Quantity(float(match[1]) / float(match[3] or 1.0), parsed(unit))


def is_same_unit(one: str, other: str) -> bool:
    """Return True if two units have one dimension and one factor."""
    try:
        first, second = (quantity(f"1 {each.strip('-')}".strip()).to_base_units() for each in (one, other))
    except Exception:  # pint passes on errors of its tokenizer, parser and registry
        return False
    return bool(first == second)


def converted(text: str, unit: str) -> float:
    """Return a text with a unit as a number in `unit`, one without a unit as it is.

    Raises:
        ParameterError: in the words that follow `key = value`.
    """
    match = QUANTITY.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        _refuse(f", must be {described(unit)}, such as {example(unit)}")
    if match[3] and not float(match[3]):
        _refuse(", must not be divided by 0")
    if not match[2]:
        return _finite(float(match[1]) / float(match[3] or 1.0))
    try:
        measured = quantity(text)
        measured.to_base_units()  # which may overflow
    except Exception as error:  # pint passes on errors of its tokenizer, parser and registry
        word = getattr(error, "unit_names", match[2])  # of an undefined unit
        word = str(word if isinstance(word, str) else word[0])
        _refuse(f", must have a unit that exists: there is no {word!r}{meant(error, match[2])}")
    if unit == "SI":
        return _finite(float(measured.to_base_units().magnitude))
    wanted = registry().Quantity(1.0, parsed(unit))
    if measured.check(wanted.units / registry().mole):  # an energy per mole is one per atom
        measured = measured / registry().avogadro_constant
    measured, wanted = measured.to_base_units(), wanted.to_base_units()
    if measured.units != wanted.units:
        such = f", such as {example(unit)}" if unit else ""
        _refuse(f" is {_described_quantity(measured)}, must be {described(unit)}{such}")
    return _finite(float(measured.magnitude / wanted.magnitude))


def _described_quantity(measured: pint.Quantity) -> str:
    """Return the words for a quantity in base units."""
    for unit, words in KINDS.items():
        if unit != "SI" and registry().Quantity(1.0, parsed(unit)).to_base_units().units == measured.units:
            return words
    return f"in {measured.units:~C}"


def _refuse(words: str) -> NoReturn:
    raise ParameterError(words)


def _finite(value: float) -> float:
    """Return a number.

    Raises:
        ParameterError: if it is infinite or none.
    """
    if not math.isfinite(value):
        _refuse(", must be finite")
    return value


def described(unit: str) -> str:
    """Return the words for the quantities of a unit."""
    return KINDS.get(unit, f"a number in {unit}")


def example(unit: str) -> str:
    """Return a value with its unit, as it may be written."""
    return EXAMPLES.get(unit, f"'1 {unit}'")


def duration(seconds: float | None, *, also: bool = False) -> str:
    """Return a time as text, such as "3.21 years".

    Args:
        seconds: None or an infinite one is "never".
        also: True for seconds with the other unit behind them, such as "1.013e+08 s (3.21 years)".
    """
    if seconds is None or not math.isfinite(seconds):
        return "never"
    plain = f"{seconds:.{5 if also else 4}g} s"
    for name, unit, least in (("years", year, 0.1 * year), ("days", day, day), ("hours", hour, hour)):
        if seconds >= 0.9995 * least:
            text = f"{seconds / unit:.4g} {name}"
            return f"{plain} ({text})" if also else text
    return plain


def in_si(name: str, value: Any, unit: str) -> float:
    """Return a number, or a text with its unit, as a finite number in `unit`.

    Args:
        name: of the value, for the message.
        value: as it was written.
        unit: such as "A/m2"; "-" or "" for a plain number.

    Raises:
        ParameterError: for something else, an unknown unit, or one of another dimension.
    """
    unit = unit.strip("-")
    if not isinstance(value, str):
        return number(name, value, unit=unit)
    try:
        return converted(value, unit)
    except ParameterError as error:
        msg = f"{name} = {shown(value)}{error}"
        raise ParameterError(msg) from None
