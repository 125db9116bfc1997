"""What numbers and fields are: words, unit, sign. The unit follows from the domain's measure and the system it is in.

A model in SI tells units; one that is scaled, or of which nobody told, tells none. An integral over a line or a plane
lacks the lengths that a body has: a current of a plane is told in A/m, a volume on a line in m.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pint

PLAIN = "-"  # the unit of a number that has none, or of which none is known
METRE = "m"
BODY = 3  # lengths in the measure of a body in space
POWER = re.compile(r"(?<=[A-Za-zµμΩ])(-?\d)")  # m2 is written for m**2


@dataclass(frozen=True)
class System:
    """What the numbers of a model are measured in.

    Attributes:
        name: "SI", "scaled", or "not told".
        length: unit of lengths: "m", the name of a scale such as "h", or "-" where nobody told it.
        time: unit of times: "s" or "-".
        scales: what the units "m" and "s" become in a scaled model whose scales are known: values in SI.
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
NOT_TOLD = System("not told")


def scaled(length: str = PLAIN, scales: Mapping[str, float] | None = None) -> System:
    """A system in which nothing has a unit, but for the name of the scale of lengths."""
    return System("scaled", length, PLAIN, dict(scales or {}))


@dataclass(frozen=True)
class Meaning:
    """What a number or a field is.

    Attributes:
        label: in words.
        si: its unit in SI, for a body in space.
        extent: 1 for an integral over the domain, -1 for what is inverse to one, 0 for what is told of a place.
        signed: whether 0 is the middle of its values, so that colours are those of signs.
        symbol: what its model calls it.
        vector: whether it has components.
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

    @property
    def unit(self) -> str:
        """Its unit, such as "A/m2"; "-" for a plain number, or where none is known."""
        lacking = self.extent * (BODY - self.measure)
        return product(self.si, metres=-lacking) if self.system.name == "SI" else PLAIN


def integral(si: str, label: str = "", *, inverse: bool = False) -> Meaning:
    """What an integral over the domain is, or what is inverse to one, by its unit for a body in space."""
    return Meaning(label, si, extent=-1 if inverse else 1)


@cache
def registry() -> pint.UnitRegistry:
    """The units there are; made when the first text with a unit is met."""
    import pint  # slow to import, and most runs have no texts with units

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def parsed(unit: str) -> pint.Unit:
    """A unit as it is written here: m2, Ohm, "-" for none. Raises what Pint raises."""
    return registry().parse_units("" if unit == PLAIN else POWER.sub(r"**\1", unit.replace("Ohm", "ohm")))


@cache
def product(unit: str, *, metres: int = 0, seconds: int = 0) -> str:
    """A unit times powers of metre and second, as text: "Pa m" of "Pa m3" times 1/m2."""
    if not metres and not seconds:
        return unit
    found = parsed(unit) * registry().meter ** metres * registry().second ** seconds
    terms = f"{found:~D}".replace("Ω", "Ohm").replace(" ** ", "").split(" / ")
    above = [term for term in sorted(terms[0].split(" * "), key=_metre_last) if term != "1"]
    below = sorted(terms[1:], key=_metre_last, reverse=True)
    divisor = f"/{below[0]}" if len(below) == 1 else f"/({' '.join(below)})" if below else ""
    return f"{' '.join(above) or ('1' if below else PLAIN)}{divisor}"


def _metre_last(term: str) -> bool:
    return term.rstrip("0123456789") == METRE


def printed(unit: str) -> str:
    """A unit as pictures have it: "A/m²", "Ω"; empty for a plain number."""
    raised = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    return (
        ""
        if unit == PLAIN
        else re.sub(r"(?<=[A-Za-z])\d", lambda found: found[0].translate(raised), unit).replace("Ohm", "Ω")
    )
