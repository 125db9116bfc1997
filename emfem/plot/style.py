"""Style of all pictures, and the functions that draw and write them on rank 0."""

from __future__ import annotations

import io
import os
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from emfem.errors import EmfemError, ParameterError, number
from emfem.files import writable

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from mpi4py import MPI
from numpy.typing import NDArray

COLOURS = "viridis"
SIGNED = "coolwarm"  # blue below 0, red above; grey at 0, so that a thin wire is visible on white
DPI = 300  # of pictures that are made of pixels
SCREEN = 200  # of the frames of animations
COLUMN, PAGE = 3.4, 6.9  # of a column of a journal and of its page [inch]
LETTER = 0.062  # mean width of a letter [inch]
WIDTHS = {"column": COLUMN, "page": PAGE}
FORMATS = (".png", ".pdf", ".svg")
INK, GREY, PALE = "#262626", "#8c8c8c", "#ededed"
# Blue, orange, green, pink, sky, yellow, brown: safe for colour-blind readers; dashes distinguish more than seven
NAMED = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d0b800", "#7f4f24")
DASHES: tuple[Any, ...] = ("solid", (0, (3, 1)), (0, (1, 1)))
TINTS = ("#dbe7f3", "#f8e9cf", "#d9eee3", "#f2e0ea", "#ece9d8", "#e3dff0")
WARNING = "#8b0a3d"
# Light enough at both ends for black lines to be seen on it
DENSITY = LinearSegmentedColormap.from_list("density", ["#fdfbee", "#fbe3a1", "#f9ba58", "#ec8444", "#cf5540"])
LOOK = {
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.3,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "legend.title_fontsize": 7.5,
    "image.composite_image": False,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


def named_colour(index: int) -> str:
    """Return the colour of the boundary `names[index]`."""
    return NAMED[index % len(NAMED)]


def handle(index: int, label: str) -> Line2D:
    """Return the legend's handle of the boundary `names[index]`."""
    dashes = DASHES[index // len(NAMED) % len(DASHES)]
    return Line2D([], [], color=named_colour(index), linestyle=dashes, linewidth=3.0, label=label)


def boundary(index: int, width: float) -> dict[str, Any]:
    """Return the properties of lines on the boundary `names[index]`."""
    return {
        "colors": named_colour(index),
        "linestyles": [DASHES[index // len(NAMED) % len(DASHES)]],
        "linewidths": width,
    }


def inches(width: str | float) -> float:
    """Return the width of a figure [inch].

    Args:
        width: "column" (3.4), "page" (6.9), or a number.

    Raises:
        ParameterError: for another word, or a number below 1 or above 40.
    """
    if isinstance(width, str):
        if width not in WIDTHS:
            msg = f"width = {width!r}, must be 'column', 'page' or a number of inches"
            raise ParameterError(msg)
        return WIDTHS[width]
    return number("width", width, at_least=1.0, at_most=40.0, unit="inches")


class NotebookFigure(Figure):
    """Figure that a notebook shows, also without `%matplotlib inline`."""

    def _repr_png_(self) -> bytes:
        """Return the figure as a PNG, for IPython."""
        target = io.BytesIO()
        self.savefig(target, format="png", dpi=SCREEN)
        return target.getvalue()


def check_colours(colours: Any) -> None:
    """Check that Matplotlib has a colour map.

    Raises:
        ParameterError: if it has not.
    """
    if isinstance(colours, str) and colours not in mpl.colormaps:
        msg = f"colours = {colours!r}, must be a colour map of Matplotlib, such as {COLOURS!r} or {SIGNED!r}"
        raise ParameterError(msg)


def picture(path: str | os.PathLike[str] | None, comm: MPI.Comm = MPI.COMM_WORLD) -> Path | None:
    """Return the path of a picture and make its folder; None for None. Collective.

    Raises:
        ParameterError: for an ending other than .png, .pdf and .svg, or if it cannot be written.
    """
    return None if path is None else writable(path, *FORMATS, comm=comm)


def blank(width: str | float, height: float, *, maps: bool = False) -> Figure:
    """Return an empty figure, width as in `inches`, height in inches; with `maps` colour bars are as high as these."""
    layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, compress=maps)
    return NotebookFigure(figsize=(inches(width), height), layout=layout, dpi=DPI)


def wrapped(title: str, width: float) -> str:
    """Break a title into lines that fit into a width [inch]."""
    letters = max(8, int(width / LETTER))
    return "\n".join(textwrap.fill(part, letters) for part in title.split("\n"))


def legend(figure: Figure, handles: Sequence[Any]) -> None:
    """Add a legend below everything, in as many columns as fit."""
    if handles:
        rows = _rows(figure.get_figwidth(), handles)
        figure.legend(handles=handles, loc="outside lower center", ncols=-(-len(handles) // rows), handlelength=1.6)


def legend_height(width: float, handles: Sequence[Any]) -> float:
    """Return the height of that legend in a figure of a width [inch]."""
    return 0.16 * _rows(width, handles) + 0.06 if handles else 0.0


def _rows(width: float, handles: Sequence[Any]) -> int:
    """Return the number of rows of a legend in a figure of a width [inch]."""
    letters = max(len(h.get_label()) for h in handles)
    columns = int(np.clip(15.0 * width // (letters + 7), 1, len(handles)))
    return -(-len(handles) // columns)


def draw[Drawn](comm: MPI.Comm, render: Callable[[], Drawn]) -> Drawn | None:
    """Call `render` on rank 0 in emfem's style and return its result; None on other ranks. All ranks raise. Collective.

    Raises:
        EmfemError: if the picture could not be drawn.
    """
    message, drawn = None, None
    if comm.rank == 0:
        try:
            with mpl.rc_context(LOOK):  # type: ignore[arg-type]
                drawn = render()
        except (OSError, RuntimeError, ValueError) as error:
            message = str(error)
    message = comm.bcast(message, root=0)
    if message:
        msg = f"no picture: {message}"
        raise EmfemError(msg)
    return drawn


def written(figure: Figure, target: Path | None) -> Figure:
    """Write a figure to a file, unless that is None, and return it."""
    if target is not None:
        figure.savefig(target, dpi=DPI)
    return figure


def pixels(figure: Figure) -> NDArray[np.uint8]:
    """Return a figure as pixels, shape (height, width, 3)."""
    figure.set_dpi(SCREEN)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3]
