"""Meaning of numbers and fields: label, unit, sign. The unit follows from the measure and the system of the domain.

Numbers of a model in SI have units; those of a scaled model, or one of an unknown system, have none. An integral over a
line or a plane lacks the lengths that a body has: a current of a plane is in A/m, a volume on a line in m.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from emfem.errors import ParameterError, shown
from emfem.gate import checked
from emfem.public import dir_of

if TYPE_CHECKING:
    import pint

__all__ = [
    "SI",
    "UNKNOWN_SYSTEM",
    "Meaning",
    "System",
    "Value",
    "integral",
    "parsed",
    "printed",
    "product",
    "registry",
    "scaled",
]
__dir__ = dir_of(__all__)

PLAIN = "-"  # the unit of a number that has none, or of which none is known
METRE = "m"
LONGEST = 200  # letters of a unit: Pint takes long for more
BODY = 3  # lengths in the measure of a body in space
POWER = re.compile(r"(?<=[A-Za-zµμΩ])(-?\d)")  # m2 is written for m**2
EXPONENT = re.compile(r"\*\*\s*(?:[+-]?\d{1,3}(?:\.\d+)?|\(\s*[+-]?\d{1,3}(?:[./]\d+)?\s*\))(?![\d.]|\s*\*\*)")
NUMBERS = re.compile(r"\*\*|[+-]|(?<![\w.])(?!1(?![\w.]))[\d.]")  # and sums, but not 1
COMMON = (
    "nm um mm cm m angstrom rad deg turn s ms us minute hour day year K degC V mV kV A mA uA kA MA Pa kPa MPa GPa "
    "J kJ eV meV W mW ohm S mol percent meter micrometer nanometer degree radian second hours kelvin volt ampere"
).split()
TERM = r"(?:[mskAKVWJNSC]|kg|Pa|MPa|Ohm|mol)-?\d*"
USUAL = re.compile(rf"-|(?:1|{TERM}(?: {TERM})*)(?:/{TERM}|/\({TERM}(?: {TERM})*\))?")  # known without Pint


@checked
@dataclass(frozen=True)
class Value:
    """A number with its unit: `em.dimensions.Value(2.0, "Ohm")`.

    Attributes:
        number: the number, in the unit.
        unit: such as "A/m2"; "-" for a plain number, or where none is known.

    Raises:
        ParameterError: for a unit that does not exist.
    """

    number: float
    unit: str = PLAIN

    def __post_init__(self) -> None:
        """Check the unit."""
        check_unit(self.unit)

    def __str__(self) -> str:
        """Return the number and its unit as pictures have it."""
        return f"{self.number:.6g} {printed(self.unit)}".rstrip()


@checked
@dataclass(frozen=True)
class System:
    """System of units of a model.

    Attributes:
        name: "SI", "scaled", or "unknown".
        length: unit of lengths: "m", the name of a scale such as "h", or "-" if it is unknown.
        time: unit of times: "s" or "-".
        scales: SI values of the units of length, "m", and time, "s", of a scaled model if they are known.
    """

    name: str
    length: str = PLAIN
    time: str = PLAIN
    scales: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line."""
        known = ", ".join(f"1 is {value:.4g} {unit}" for unit, value in self.scales.items())
        by = f" by {self.length}" if self.name == "scaled" and self.length != PLAIN else ""
        return f"{self.name}{by}{f' ({known})' if known else ''}"


SI = System("SI", METRE, "s")
UNKNOWN_SYSTEM = System("unknown")


@checked
def scaled(length: str = PLAIN, scales: Mapping[str, float] | None = None) -> System:
    """Return a system without units, but with the name of the scale of lengths."""
    return System("scaled", length, PLAIN, dict(scales or {}))


@checked
@dataclass(frozen=True)
class Meaning:
    """Meaning of a number or a field.

    Attributes:
        label: name in words.
        si: its unit in SI, for a body in space.
        extent: 1 for an integral over the domain, -1 for the inverse of one, 0 for a value at a place.
        signed: 0 is the middle of its values, so that colours are those of signs.
        symbol: name in its model.
        vector: it has components.
        system: that of its model.
        measure: lengths in the measure of the domain: 1 on a line, 2 in a plane, 3 in a body.
    """

    label: str = ""
    si: str = PLAIN
    extent: int = 0
    signed: bool = False
    symbol: str = ""
    vector: bool = False
    system: System = SI
    measure: int = BODY

    def __post_init__(self) -> None:
        """Check the unit.

        Raises:
            ParameterError: for one that does not exist.
        """
        check_unit(self.si)

    @property
    def unit(self) -> str:
        """Its unit, such as "A/m2"; "-" for a plain number, or where none is known."""
        lacking = self.extent * (BODY - self.measure)
        return product(self.si, metres=-lacking) if self.system.name == "SI" else PLAIN


@checked
def integral(si: str, label: str = "", *, inverse: bool = False) -> Meaning:
    """Return the meaning of an integral over the domain, or of the inverse of one, by its unit for a body in space."""
    return Meaning(label, si, extent=-1 if inverse else 1)


@cache
def registry() -> pint.UnitRegistry:
    """Return the registry of units, made at the first text with a unit."""
    import pint  # slow to import, and most runs have no texts with units

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


@checked
def parsed(unit: str) -> pint.Unit:
    """Return the unit of a text such as "m2", "Ohm" or "-" for none.

    Raises:
        ParameterError: for a unit that Pint does not know, a long text, and other numbers than 1 and exponents: Pint
            would compute 9**9**9 before it refuses it.
    """
    from pint.util import string_preprocessor  # slow to import

    text = "" if unit == PLAIN else POWER.sub(r"**\1", unit.replace("Ohm", "ohm"))
    try:
        if len(text) > LONGEST or NUMBERS.search(EXPONENT.sub("", string_preprocessor(text))):
            raise ValueError(shown(unit))
        return registry().parse_units(text)
    except Exception as error:  # Pint passes on errors of its tokenizer, parser and registry
        msg = f"unit = {shown(unit)}, must be one that exists, such as '1/m3': {error}{meant(error)}"
        raise ParameterError(msg) from None


def meant(error: Exception, word: str = "") -> str:
    """Return a hint at the unit that was meant by the unknown word of an error of Pint; none without one that is near.

    Args:
        error: of Pint.
        word: that stands for the unknown one if the error has none.
    """
    names = getattr(error, "unit_names", word)
    near = get_close_matches(str(names if isinstance(names, str) else names[0]), COMMON, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


@cache
def check_unit(unit: str) -> None:
    """Check that a unit exists; the usual ones without Pint, which takes a third of a second to load.

    Raises:
        ParameterError: as `parsed`.
    """
    if not USUAL.fullmatch(unit):
        parsed(unit)


@checked
@cache
def product(unit: str, *, metres: int = 0, seconds: int = 0) -> str:
    """Return a unit times powers of metre and second as text: "Pa m" of "Pa m3" times 1/m2."""
    if not metres and not seconds:
        return unit
    multiplied = parsed(unit) * registry().meter ** int(float(metres)) * registry().second ** int(float(seconds))
    terms = f"{multiplied:~D}".replace("Ω", "Ohm").replace(" ** ", "").split(" / ")
    above = [term for term in sorted(terms[0].split(" * "), key=_metre_last) if term != "1"]
    below = sorted(terms[1:], key=_metre_last, reverse=True)
    divisor = f"/{below[0]}" if len(below) == 1 else f"/({' '.join(below)})" if below else ""
    return f"{' '.join(above) or ('1' if below else PLAIN)}{divisor}"


def _metre_last(term: str) -> bool:
    return term.rstrip("0123456789") == METRE


@checked
def printed(unit: str) -> str:
    """Return a unit as pictures have it: "A/m²", "Ω"; "" for a plain number."""
    raised = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    text = re.sub(r"(?<=[A-Za-z])\d", lambda digit: digit[0].translate(raised), unit)
    return "" if unit == PLAIN else text.replace("Ohm", "Ω")
