"""What a field or a quantity is and in which unit it is told, in the words of em.plot."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.dimensions import Meaning, printed
from emfem.plot import labels


@dataclass(frozen=True)
class Field:
    """A field that can be looked at.

    Attributes:
        meaning: what its model says of it.
    """

    meaning: Meaning

    @property
    def unit(self) -> str:
        """As pictures have it; empty for a number."""
        return printed(self.meaning.unit)

    @property
    def vector(self) -> bool:
        """Whether it has several components, so that its length is shown."""
        return self.meaning.vector

    @property
    def title(self) -> str:
        """What a list says."""
        name, words = self.meaning.symbol, self.meaning.label
        words = words.removeprefix(f"{name}: ").removesuffix(f" {name}")
        return f"{name}: {words}" if words not in ("", name) else name

    def shown(self, limits: tuple[float, float]) -> labels.Shown:
        """How values between these ends are told."""
        return labels.shown(self.meaning, limits, None, None)


def of_series(name: str, largest: float, unit: str, *, powers: bool = True) -> labels.Shown:
    """How a quantity of a series up to `largest` is told.

    Args:
        name: of the quantity.
        largest: its largest size.
        unit: as the heading has it.
        powers: whether a unit that takes no prefix may have a power of ten, as on an axis.
    """
    unit = printed(unit)
    if not powers and unit not in labels.PREFIXED:
        return labels.Shown(name, 1.0, unit)
    return labels.Shown(name, *labels.prefixed(largest, unit))
