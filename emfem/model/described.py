"""Fields and quantities of a model, each with unit, label, symbol and sign."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem.dimensions import PLAIN, Meaning, printed
from emfem.gate import checked

import ufl
from dolfinx import fem


class Labelled:
    """Base of values with a meaning: unit, label, symbol, sign."""

    meaning: Meaning

    @property
    def unit(self) -> str:
        """Its unit, "-" for a plain number, or where none is known."""
        return self.meaning.unit

    @property
    def label(self) -> str:
        """Its name in words."""
        return self.meaning.label or self.meaning.symbol

    @property
    def symbol(self) -> str:
        """Its name in the model."""
        return self.meaning.symbol

    @property
    def signed(self) -> bool:
        """True if 0 is the middle of its values."""
        return self.meaning.signed

    @property
    def vector(self) -> bool:
        """True if it has components."""
        return self.meaning.vector

    def __repr__(self) -> str:
        """One line."""
        label = "" if self.label == self.symbol else f": {self.label}"
        return f"<{'vector ' if self.vector else ''}{self.symbol} [{self.unit}]{label}>"

    def _repr_html_(self) -> str:
        """Return the same as a table of one row, for notebooks."""
        return html_table(("name", "label", "unit"), [(self.symbol, self.label, printed(self.unit))])


@checked
@dataclass(frozen=True, repr=False)
class Quantity(Labelled):
    """A number that a model has: a UFL functional, or a function that computes it; and its meaning.

    Attributes:
        value: the functional or the function.
        meaning: label and unit, or only the unit.
        of_model: the function takes the model, so that it sees the substitutions in its residual.
    """

    value: ufl.Form | Callable[..., float]
    meaning: Any = PLAIN
    of_model: bool = False

    def __post_init__(self) -> None:
        """Make a meaning of a unit alone."""
        if isinstance(self.meaning, str):
            object.__setattr__(self, "meaning", Meaning(si=self.meaning))


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Field(Labelled):
    """An unknown or a derived field, and its meaning.

    Attributes:
        value: a Function or a UFL expression.
        meaning: unit, label, symbol, sign, scalar or vector.
    """

    value: Any
    meaning: Meaning


@checked
def lowest(
    function: fem.Function, meaning: Meaning | str = PLAIN, within: Callable[[], fem.Function] | None = None
) -> Quantity:
    """Return the quantity that is the lowest nodal value of a function, where `within` is above 1/2 if it is given."""
    return Quantity(lambda: fields.extremes(function, within and within())[0], meaning)


@checked
def highest(
    function: fem.Function, meaning: Meaning | str = PLAIN, within: Callable[[], fem.Function] | None = None
) -> Quantity:
    """Return the quantity that is the highest nodal value of a function, where `within` is above 1/2 if it is given."""
    return Quantity(lambda: fields.extremes(function, within and within())[1], meaning)


def html_table(heads: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """Return rows of text as an HTML table."""
    top = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<tr>{top}</tr>{body}</table>"
