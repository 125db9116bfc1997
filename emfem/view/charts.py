"""Charts beside the pictures: axes that fill a part of the page, and figures as PNG."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from emfem.plot import style
from emfem.view.display_options import Size

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DPI", "chart", "finished"]

DPI = 116  # of the page, so that letters are as large as its own
SMALLEST = (240, 150)


@contextmanager
def chart(size: Size) -> Iterator[tuple[Figure, Axes]]:
    """Give a figure of a size on the page and its axes, in the style of all pictures; `finished` ends it."""
    with mpl.rc_context(style.LOOK):  # type: ignore[arg-type]
        shape = (max(size.width, SMALLEST[0]) / DPI, max(size.height, SMALLEST[1]) / DPI)
        figure = Figure(figsize=shape, dpi=DPI * size.ratio, layout="constrained")
        axes = figure.subplots()
        axes.grid(color=style.PALE, linewidth=0.7)
        yield figure, axes


def finished(figure: Figure) -> bytes:
    """Return a figure as a PNG."""
    canvas, target = FigureCanvasAgg(figure), io.BytesIO()
    canvas.print_png(target, pil_kwargs={"compress_level": 1})
    return target.getvalue()
