"""Options of the pictures of the viewer: field, colours, elements drawn beside it, and the size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emfem.plot import style

BY_FIELD = "by quantity"  # viridis, and blue to red for a signed field, such as stress
MAPS = (BY_FIELD, style.COLOURS, "cividis", "magma", "inferno", style.SIGNED, "Greys")
RANGES = ("all times", "this time", "without peaks", "typed")


@dataclass(frozen=True)
class DisplayOptions:
    """Choices on the page, and the ends of the colour scale that follow from them.

    Attributes:
        field: name of the field; empty for the first unknown of the last model.
        component: of a vector, one of `emfem.fields.components`.
        colours: one of `MAPS`.
        range: source of the ends of the colour scale, one of `RANGES`.
        low: the lower end as it was typed, a number or a text with a unit.
        high: the upper end.
        edges: True to draw the cells.
        boundaries: True to draw the named boundaries.
        arrows: True to draw a vector's arrows.
        isolines: True to draw lines of equal values.
        streams: name of the vector whose stream lines are drawn over the field; empty for none.
        difference: True to draw each run less the first one.
        log: True for a logarithmic scale of colours.
        opacity: of a body, 1 for an opaque one.
        cut: the axis across which a body is cut; empty for none.
        place: of the cut, in parts of the body's size.
        marks: places of the mouse in the domain, shape (n, 3): none, one, or the two ends of a line.
        limits: ends of the colour scale in the units of the model; the viewer sets them.
    """

    field: str = ""
    component: str = "magnitude"
    colours: str = BY_FIELD
    range: str = RANGES[0]
    low: str = ""
    high: str = ""
    edges: bool = False
    boundaries: bool = False
    arrows: bool = False
    isolines: bool = False
    streams: str = ""
    difference: bool = False
    log: bool = False
    opacity: float = 1.0
    cut: str = ""
    place: float = 0.5
    marks: Sequence[Sequence[float]] = ()
    limits: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Size:
    """Size of a picture: width and height on the page [pixel], and pixels of the screen for each of them."""

    width: int
    height: int
    ratio: float = 1.0
