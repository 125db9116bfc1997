"""Labels of axes and colour bars, their units and colours: all of them follow from the `Meaning` of a field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from emfem.dimensions import METRE, PLAIN, Meaning, printed
from emfem.errors import kind, number
from emfem.model import Model
from emfem.plot import style
from emfem.plot.simplices import Floats

import numpy as np
from matplotlib.ticker import EngFormatter

PREFIXES = {10.0**power: sign for power, sign in sorted(EngFormatter.ENG_PREFIXES.items())[::-1] if -12 <= power <= 9}
PREFIXED = ("m", "V", "A", "Pa", "W", "J", "S", "Ω", "A/m", "W/m")  # others get a power of ten
TIMES = {"years": 3.15576e7, "h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@dataclass(frozen=True)
class AxisLabel:
    """Label of an axis or a colour bar, and the number by which values are divided.

    Attributes:
        words: the quantity.
        scale: divisor of the values.
        unit: of the result, "" for none.
    """

    words: str = ""
    scale: float = 1.0
    unit: str = ""

    def __str__(self) -> str:
        """Return the quantity and its unit."""
        return " ".join(part for part in (self.words, f"[{self.unit}]" if self.unit else "") if part)

    def axis(self, name: str) -> str:
        """Return the label of an axis, such as "x [µm]"."""
        return str(replace(self, words=name))

    def fitted(self, room: float) -> str:
        """Return the label with its unit on a second line if it is longer than the room [inch]."""
        return str(self) if style.LETTER * len(str(self)) < room else str(self).replace(" [", "\n[")

    def text(self, value: float, digits: int = 4) -> str:
        """Return a value with its unit, such as "10 mV"."""
        mantissa, _, power = f"{value / self.scale:.{digits}g}".partition("e")
        number = f"{mantissa}·10{str(int(power)).translate(RAISED)}" if power else mantissa
        return f"{number}{'·' if self.unit.startswith('10') else ' '}{self.unit}".strip()

    def size(self, points: Floats) -> str:
        """Return the sides of the box round points that are divided already, for pictures in space."""
        return f"{' × '.join(f'{side:.3g}' for side in np.ptp(points, axis=0))} {self.unit}".strip()


@dataclass(frozen=True)
class UnitRequest:
    """Unit of lengths that the user chose: the value of one unit, its name, one of them or none."""

    length: float | None = None
    unit: str | None = None


def unit_request(length: float | None, unit: str | None) -> UnitRequest:
    """Check the user's unit of lengths.

    Args:
        length: value of one unit on the axes in units of the domain, such as `em.units.um`.
        unit: its name on the axes, such as "µm".

    Raises:
        ParameterError: for a length that is not positive, or a name that is no text.
    """
    if unit is not None:
        kind("unit", unit, str, "a text, such as 'µm'")
    return UnitRequest(None if length is None else number("length", length, above=0.0), unit)


def lengths(points: Floats, unit: str, request: UnitRequest | None = None) -> AxisLabel:
    """Return the label of lengths: as requested, else in metres with a prefix, or in the domain's own scale.

    Args:
        points: of the domain.
        unit: of the domain: "m", the name of a scale, or "-" for an unknown one.
        request: of the user.
    """
    if request in (None, UnitRequest()):
        extent = float(np.ptp(points, axis=0).max())
        return AxisLabel("", *prefixed(extent, METRE)) if unit == METRE else AxisLabel(unit=printed(unit))
    assert request is not None
    scale = 1.0 if request.length is None else request.length
    named = f"{PREFIXES[scale]}m" if scale in PREFIXES and scale < 1 else ""
    return AxisLabel("", scale, named if request.unit is None else request.unit)


def prefixed(largest: float, unit: str) -> tuple[float, str]:
    """Return the divisor of numbers up to `largest` and the unit of the quotient, with a prefix or a power of ten."""
    if not largest > 0 or not unit:
        return 1.0, unit
    if unit in PREFIXED:
        scale = next((scale for scale in PREFIXES if largest >= 0.9999999 * scale), 1e-12)
        return scale, PREFIXES[scale] + unit
    power = int(np.floor(np.log10(largest * 1.0000001)))
    if -3 < power < 4:
        return 1.0, unit
    return 10.0**power, f"10{str(power).translate(RAISED)} {unit}"


def quantity(
    meaning: Meaning, limits: tuple[float, float], label: str | None = None, scale: float | None = None
) -> AxisLabel:
    """Return the label of a field; a vector stands for its length.

    Args:
        meaning: of the field.
        limits: of its values.
        label: of the user, with a unit; None for the field's own.
        scale: divisor of the user; None for one that fits, or 1 with a label.
    """
    if label is not None or scale is not None:
        return AxisLabel(meaning.symbol if label is None else label, 1.0 if scale is None else scale)
    size = f"|{meaning.symbol}|" if meaning.vector else "" if meaning.label else meaning.symbol
    return AxisLabel(f"{meaning.label} {size}".strip(), *prefixed(max(map(abs, limits)), printed(meaning.unit)))


def series(name: str, largest: float, unit: str, *, powers: bool = True) -> AxisLabel:
    """Return the label of a quantity against time.

    Args:
        name: of the quantity.
        largest: its largest absolute value.
        unit: such as "A/m2".
        powers: False leaves units without a prefix as they are: no powers of ten.
    """
    unit = printed(unit)
    bare = not powers and unit not in PREFIXED
    return AxisLabel(name, 1.0, unit) if bare else AxisLabel(name, *prefixed(largest, unit))


def entry(meaning: Meaning) -> str:
    """Return the entry of a field in a list, such as "j: current density"."""
    name = meaning.symbol
    words = meaning.label.removeprefix(f"{name}: ").removesuffix(f" {name}")
    return f"{name}: {words}" if words not in ("", name) else name


def time(model: Model) -> str:
    """Return the time of a model as text."""
    return times(np.array([model.t]), model.system.time)[0]


def times(values: Floats, unit: str) -> list[str]:
    """Return times as texts, all in one unit; without one if they have none."""
    largest = float(np.abs(values).max(initial=0.0))
    scale, named = span(largest, unit) if largest > 0 else (1.0, "")
    return [f"t = {t / scale:.4g} {named}".strip() for t in values]


def span(longest: float, unit: str) -> tuple[float, str]:
    """Return the divisor of times up to `longest` and its name, "" where they have no unit."""
    if unit == PLAIN:
        return 1.0, ""
    named = next((each for each, seconds in TIMES.items() if longest >= 1.9 * seconds), "s" if not longest else "ns")
    return TIMES[named], named


def colours(meaning: Meaning, chosen: Any = None) -> Any:
    """Return the colour map: the chosen one, else that of signs for a signed field."""
    return chosen if chosen is not None else style.SIGNED if meaning.signed else style.COLOURS


def symmetric(limits: tuple[float, float], colours: Any) -> tuple[float, float]:
    """Return the ends of a colour scale: in the colours of signs equally far from 0, else the limits."""
    if colours != style.SIGNED:
        return limits
    reach = max(map(abs, limits)) or 1.0
    return -reach, reach
