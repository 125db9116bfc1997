"""What a field is and in which unit it is told: em.plot's words where it has some, and those that it does not need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emfem.model import Model
from emfem.plot import labels

RAISED = {"m2": "m²", "m3": "m³", "m4": "m⁴", "Ohm": "Ω"}

# Words and unit of fields that em.plot calls by their names alone, by the model that has them
MORE: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "film": {"mu": ("chemical potential", ""), "flux": ("flux of solute", ""), "field": ("driving field", "")},
    "heat": {"flux": ("heat flux", "W/m²")},
    "migration": {
        "c": ("concentration", ""),
        "flux": ("flux", ""),
        "drift": ("drift velocity", "m/s"),
        "diffusivity": ("diffusivity", "m²/s"),
    },
    "alloy": {
        "N": ("fraction of A", ""),
        "vacancies": ("vacancies over equilibrium", ""),
        "displacement": ("displacement of markers", "m"),
        "flux": ("flux", "m/s"),
        "velocity": ("velocity of the lattice", "m/s"),
    },
    "stress": {"flux": ("flux of atoms", "1/(m² s)"), "drive": ("drive", "Pa/m"), "opened": ("voids", "")},
    "surface": {
        "mu": ("chemical potential", ""),
        "psi": ("potential of one volt", ""),
        "flux": ("flux of metal", "m/s"),
    },
}


@dataclass(frozen=True)
class Field:
    """A field that can be looked at.

    Attributes:
        name: what its model calls it.
        words: what it is.
        unit: in SI; empty for a number, and for all fields of a film.
        vector: whether it has several components, so that its length is shown.
    """

    name: str
    words: str
    unit: str
    vector: bool

    @property
    def title(self) -> str:
        """What a list says."""
        words = self.words.removeprefix(f"{self.name}: ").removesuffix(f" |{self.name}|").removesuffix(f" {self.name}")
        return f"{self.name}: {words}" if words not in ("", self.name) else self.name

    def shown(self, limits: tuple[float, float]) -> labels.Shown:
        """How values between these ends are told."""
        size, words = f"|{self.name}|", self.words or self.name
        if not self.vector:
            words = words.replace(size, self.name)
        elif size not in words:
            words = f"{words} {size}" if self.words else size
        return labels.Shown(words, *labels.prefixed(max(map(abs, limits)), self.unit))


def field_of(model: Model, name: str, *, dimensionless: bool) -> Field:
    """A field of a model with its words and unit; a species with a name of its own has the words of c.

    Args:
        model: the model.
        name: one of `model.names`.
        dimensionless: whether a film sets the scales of the case, so that nothing has a unit.
    """
    kind, _, species = model.name.partition(" of ")
    own = "c" if species and name == species else name.removesuffix(f" {species}")
    words, unit = MORE.get(kind, {}).get(own) or labels.KNOWN.get(own, ("", ""))
    words = labels.OF_MODEL.get((kind, own), words)
    return Field(name, words, "" if dimensionless else unit, model[name].ufl_shape not in ((), (1,)))


def of_series(name: str, largest: float, unit: str, *, powers: bool = True) -> labels.Shown:
    """How a quantity of a series up to `largest` is told.

    Args:
        name: of the quantity.
        largest: its largest size.
        unit: as the heading has it.
        powers: whether a unit that takes no prefix may have a power of ten, as on an axis.
    """
    for plain, printed in RAISED.items():
        unit = unit.replace(plain, printed)
    unit = "" if unit == "-" else unit
    if not powers and unit not in labels.PREFIXED:
        return labels.Shown(name, 1.0, unit)
    return labels.Shown(name, *labels.prefixed(largest, unit))


def span(longest: float, *, dimensionless: bool) -> tuple[float, str]:
    """What times up to `longest` are divided by, and the unit they are told in, none for a film."""
    if dimensionless:
        return 1.0, ""
    unit = next((unit for unit, seconds in labels.TIMES.items() if longest >= 1.9 * seconds), "s")
    return labels.TIMES[unit], unit
