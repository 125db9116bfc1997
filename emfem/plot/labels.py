"""What axes and colour bars say: quantity and unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from emfem import fields
from emfem.dimensions import METRE, PLAIN, Meaning, printed
from emfem.errors import kind, number
from emfem.model import Model
from emfem.plot import style
from emfem.plot.pieces import Floats, Pieces

import numpy as np
from matplotlib.ticker import EngFormatter

PREFIXES = {10.0**power: sign for power, sign in sorted(EngFormatter.ENG_PREFIXES.items())[::-1] if -12 <= power <= 9}
PREFIXED = ("m", "V", "A", "Pa", "W", "J", "S", "Ω", "A/m", "W/m")  # others get a power of ten
TIMES = {"years": 3.15576e7, "h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@dataclass(frozen=True)
class Shown:
    """How a quantity is told: divided by `scale`, in `unit`.

    Attributes:
        words: what it is.
        scale: what values are divided by.
        unit: of the result, "" for none.
    """

    words: str
    scale: float = 1.0
    unit: str = ""

    @property
    def label(self) -> str:
        """What an axis or a colour bar says."""
        return " ".join(part for part in (self.words, f"[{self.unit}]" if self.unit else "") if part)

    def fitted(self, room: float) -> str:
        """What a colour bar says, its unit on a second line if it is longer than the room [inch]."""
        return self.label if style.LETTER * len(self.label) < room else self.label.replace(" [", "\n[")

    def told(self, value: float) -> str:
        """A value in words."""
        digits, _, power = f"{value / self.scale:.4g}".partition("e")
        number = f"{digits}·10{str(int(power)).translate(RAISED)}" if power else digits
        return f"{number} {self.unit}".strip()


@dataclass(frozen=True)
class Lengths:
    """How lengths are told on the axes of a picture: divided by `scale`, in `unit`, "" for none."""

    scale: float = 1.0
    unit: str = ""

    def label(self, axis: str) -> str:
        """What an axis says."""
        return Shown(axis, unit=self.unit).label

    def size(self, points: Floats) -> str:
        """The sides of the box around points that are divided already: what a view in space has for axes."""
        sides = " × ".join(f"{side:.3g}" for side in np.ptp(points, axis=0))
        return f"{sides} {self.unit}".strip()


@dataclass(frozen=True)
class Asked:
    """What a user said of lengths: neither, both, or one of the two."""

    length: float | None
    unit: str | None


def asked(length: float | None, unit: str | None) -> Asked:
    """What a user said of lengths, checked.

    Args:
        length: what one unit on the axes is, in units of the domain, such as `em.units.um`.
        unit: its name on the axes, such as "µm".

    Raises:
        ParameterError: for a length that is not positive, or a name that is no text.
    """
    if unit is not None:
        kind("unit", unit, str, "a text, such as 'µm'")
    return Asked(None if length is None else number("length", length, above=0.0), unit)


def lengths(points: Floats, wanted: Asked, unit: str) -> Lengths:
    """How the lengths of a domain are told, if not as it was wanted: in metres with a prefix, or in its own scale.

    Args:
        points: of the domain.
        wanted: what the user said.
        unit: of the domain: "m", the name of a scale, or "-" where nobody told it.
    """
    if wanted.length is None and wanted.unit is None:
        extent = float(np.ptp(points, axis=0).max())
        return Lengths(*prefixed(extent, METRE)) if unit == METRE else Lengths(1.0, printed(unit))
    scale = 1.0 if wanted.length is None else wanted.length
    named = f"{PREFIXES[scale]}m" if scale in PREFIXES and scale < 1 else ""
    return Lengths(scale, named if wanted.unit is None else wanted.unit)


def prefixed(largest: float, unit: str) -> tuple[float, str]:
    """A scale for numbers up to `largest`, and the unit after division: with a prefix, or with a power of ten."""
    if not largest > 0 or not unit:
        return 1.0, unit
    if unit in PREFIXED:
        scale = next((scale for scale in PREFIXES if largest >= 0.9999999 * scale), 1e-12)
        return scale, PREFIXES[scale] + unit
    power = int(np.floor(np.log10(largest * 1.0000001)))
    if -3 < power < 4:
        return 1.0, unit
    return 10.0**power, f"10{str(power).translate(RAISED)} {unit}"


def shown(meaning: Meaning, ends: tuple[float, float], label: str | None, scale: float | None) -> Shown:
    """How a field is told: as it was asked for, or as it says itself; a vector is drawn by its length.

    Args:
        meaning: what it is.
        ends: of its values.
        label: as it was asked for, with a unit; None for the field's own.
        scale: what values are divided by; None for what fits, or 1 with a label.
    """
    if label is not None or scale is not None:
        return Shown(meaning.symbol if label is None else label, 1.0 if scale is None else scale)
    size = f"|{meaning.symbol}|" if meaning.vector else "" if meaning.label else meaning.symbol
    return Shown(f"{meaning.label} {size}".strip(), *prefixed(max(map(abs, ends)), printed(meaning.unit)))


def times(found: Floats, unit: str) -> list[str]:
    """Times in words, all in one unit; bare if they have none."""
    largest = float(np.abs(found).max(initial=0.0))
    scale, named = span(largest, unit) if largest > 0 else (1.0, "")
    return [f"t = {t / scale:.4g} {named}".strip() for t in found]


def span(longest: float, unit: str) -> tuple[float, str]:
    """What times up to `longest` are divided by, and the unit they are told in, none if they have none."""
    if unit == PLAIN:
        return 1.0, ""
    named = next((each for each, seconds in TIMES.items() if longest >= 1.9 * seconds), "s" if not longest else "ns")
    return TIMES[named], named


def colours(meaning: Meaning, asked_for: Any) -> Any:
    """The colour map: the one asked for, or that of signs where the field has some."""
    return asked_for if asked_for is not None else style.SIGNED if meaning.signed else style.COLOURS


def ends(limits: tuple[float, float], chosen: Any) -> tuple[float, float]:
    """The ends of a colour scale from those of the values: in the colours for signs as far on both sides of 0."""
    if chosen != style.SIGNED:
        return limits
    reach = max(map(abs, limits)) or 1.0
    return -reach, reach


def time(model: Model) -> str:
    """The time of a model in words."""
    return times(np.array([model.t]), model.system.time)[0]


def scaled(found: fields.Cells, by: float, values: float) -> fields.Cells:
    """The same cells with points and values divided."""
    return replace(found, points=found.points / by, values=found.values / values)


def scaled_pieces(found: Pieces, by: float, values: Mapping[str, float]) -> Pieces:
    """The same pieces with points and (some) values divided."""
    divided = {name: value / values.get(name, 1.0) for name, value in found.values.items()}
    return replace(found, points=found.points / by, values=divided, period=found.period / by)
