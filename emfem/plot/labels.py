"""What axes and colour bars say: quantity and unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emfem import fields
from emfem.errors import kind, number
from emfem.mesh.domain import bounds
from emfem.model import Model
from emfem.plot import style
from emfem.plot.pieces import Floats, Pieces

import numpy as np

METRES = 0.1  # a domain smaller than this is in metres, a larger one has no unit: no interconnect has 10 cm
PREFIXES = {1e9: "G", 1e6: "M", 1e3: "k", 1.0: "", 1e-3: "m", 1e-6: "µ", 1e-9: "n", 1e-12: "p"}
PREFIXED = ("m", "V", "A", "Pa")
# The units are those of the quantities of the models, NAME_max; a test holds them together
KNOWN = {
    "T": ("temperature", "K"),
    "phi": ("potential", "V"),
    "potential": ("potential", "V"),
    "E": ("electric field |E|", "V/m"),
    "j": ("current density |j|", "A/m²"),
    "conductivity": ("conductivity", "S/m"),
    "source": ("heat source", "W/m³"),
    "sigma": ("stress, tension > 0", "Pa"),
    "balancing_stress": ("balancing stress", "Pa"),
    "distance": ("distance from the surface", "m"),
}
SIGNED = ("sigma", "balancing_stress", "distance")
OF_MODEL = {("film", "c"): "concentration c", ("surface", "c"): "c: metal 1, void 0"}
TIMES = {"years": 3.15576e7, "h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
FILM_LENGTH = "h"  # lengths of a film are in its thickness
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


def lengths(points: Floats, wanted: Asked) -> Lengths:
    """How the lengths of a domain are told, if not as it was wanted: in metres with a prefix if it is small."""
    if wanted.length is None and wanted.unit is None:
        extent = float(np.ptp(points, axis=0).max())
        return Lengths(*prefixed(extent, "m")) if in_metres(points) else Lengths()
    scale = 1.0 if wanted.length is None else wanted.length
    named = f"{PREFIXES[scale]}m" if scale in PREFIXES and scale < 1 else ""
    return Lengths(scale, named if wanted.unit is None else wanted.unit)


def in_metres(points: Floats) -> bool:
    """Whether a domain is taken to be in metres, and what lives on it in SI units."""
    return float(np.ptp(points, axis=0).max()) < METRES


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


def shown(name: str, ends: tuple[float, float], points: Floats, label: str | None, scale: float | None) -> Shown:
    """How a field is told: as it was asked for, or by its name, in SI units if the domain is.

    Args:
        name: of the field.
        ends: of its values.
        points: of the domain.
        label: as it was asked for, with a unit; None for what the name says.
        scale: what values are divided by; None for what the name says, or 1 with a label.
    """
    if label is not None or scale is not None:
        return Shown(name if label is None else label, 1.0 if scale is None else scale)
    words, unit = KNOWN.get(name, (name, ""))
    if not in_metres(points):
        return Shown(words)
    return Shown(words, *prefixed(max(map(abs, ends)), unit))


def times(found: Floats, points: Floats) -> list[str]:
    """Times in words, all in one unit; without one if the domain is not in metres."""
    largest = float(np.abs(found).max(initial=0.0))
    if not in_metres(points) or not largest > 0:
        return [f"t = {t:.4g}" for t in found]
    unit = next((unit for unit, seconds in TIMES.items() if largest >= 1.9 * seconds), "ns")
    return [f"t = {t / TIMES[unit]:.4g} {unit}" for t in found]


def colours(name: str, asked_for: Any) -> Any:
    """The colour map: the one asked for, or by the name of the field."""
    return asked_for if asked_for is not None else style.SIGNED if name in SIGNED else style.COLOURS


def ends(limits: tuple[float, float], chosen: Any) -> tuple[float, float]:
    """The ends of a colour scale from those of the values: in the colours for signs as far on both sides of 0."""
    if chosen != style.SIGNED:
        return limits
    reach = max(map(abs, limits)) or 1.0
    return -reach, reach


def of_model(model: Model, name: str) -> str | None:
    """What the colour bar of a field of a model says where its name alone does not tell."""
    return OF_MODEL.get((model.name, name))


def of_lengths(models: Sequence[Model]) -> str | None:
    """The unit of lengths of models that are solved together, None for that of their domain: a film has its own."""
    return FILM_LENGTH if any(model.name == "film" for model in models) else None


def time(model: Model) -> str:
    """The time of a model in words. Collective."""
    return times(np.array([model.t]), np.array(bounds(model.mesh)))[0]


def scaled(found: fields.Cells, by: float, values: float) -> fields.Cells:
    """The same cells with points and values divided."""
    return replace(found, points=found.points / by, values=found.values / values)


def scaled_pieces(found: Pieces, by: float, values: Mapping[str, float]) -> Pieces:
    """The same pieces with points and (some) values divided."""
    divided = {name: value / values.get(name, 1.0) for name, value in found.values.items()}
    return replace(found, points=found.points / by, values=divided, period=found.period / by)
