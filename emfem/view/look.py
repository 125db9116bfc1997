"""What is shown of a scene, how, and how large."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.plot import style

COLOURS = (style.COLOURS, "cividis", "magma", "inferno", style.SIGNED, "Greys")


@dataclass(frozen=True)
class Look:
    """What is shown, and how.

    Attributes:
        field: name of the field.
        colours: a Matplotlib colour map.
        limits: ends of the colour scale in SI, the second above the first.
        edges: whether the edges of cells are drawn.
        boundaries: whether named boundaries are drawn, and named.
        arrows: whether a vector has arrows.
        cut: the axis a body is cut along, "" for none.
        place: where it is cut, in parts of its size.
    """

    field: str
    colours: str = style.COLOURS
    limits: tuple[float, float] = (0.0, 1.0)
    edges: bool = False
    boundaries: bool = False
    arrows: bool = False
    cut: str = ""
    place: float = 0.5


@dataclass(frozen=True)
class Size:
    """Of a picture: width and height on the page [pixel], and how many pixels of the screen each of them has."""

    width: int
    height: int
    ratio: float = 1.0
