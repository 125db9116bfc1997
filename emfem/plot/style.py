"""How every picture looks, and the one place where pictures are drawn and written: rank 0."""

from __future__ import annotations

import ctypes
import os
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from emfem.errors import EmfemError, ParameterError, number
from emfem.files import writable

import matplotlib as mpl
import numpy as np
import pyvista
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from mpi4py import MPI
from numpy.typing import NDArray

COLOURS = "viridis"
SIGNED = "coolwarm"  # blue below 0, red above; grey at 0, so that a thin wire is seen on white
DPI = 300  # of pictures that are made of pixels
SCREEN = 200  # of the frames of films
COLUMN, PAGE = 3.4, 6.9  # of a column of a journal and of its page [inch]
LETTER = 0.062  # how wide a letter is [inch]
WIDTHS = {"column": COLUMN, "page": PAGE}
FORMATS = (".png", ".pdf", ".svg")
INK, GREY, PALE = "#262626", "#8c8c8c", "#ededed"
# Blue, orange, green, pink, sky, yellow, brown: told apart by colour-blind eyes; dashes tell those beyond the seventh
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
    """The colour of the boundary `names[index]`."""
    return NAMED[index % len(NAMED)]


def handle(index: int, label: str) -> Line2D:
    """What the legend shows for the boundary `names[index]`."""
    dashes = DASHES[index // len(NAMED) % len(DASHES)]
    return Line2D([], [], color=named_colour(index), linestyle=dashes, linewidth=3.0, label=label)


def boundary(index: int, width: float) -> dict[str, Any]:
    """How lines on the boundary `names[index]` are drawn."""
    return {
        "colors": named_colour(index),
        "linestyles": [DASHES[index // len(NAMED) % len(DASHES)]],
        "linewidths": width,
    }


def inches(width: str | float) -> float:
    """A width of a figure [inch].

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


def check_colours(colours: Any) -> None:
    """Refuse a colour map that Matplotlib has not.

    Raises:
        ParameterError: if it is none.
    """
    if isinstance(colours, str) and colours not in mpl.colormaps:
        msg = f"colours = {colours!r}, must be a colour map of Matplotlib, such as {COLOURS!r} or {SIGNED!r}"
        raise ParameterError(msg)


def picture(path: str | os.PathLike[str] | None, comm: MPI.Comm = MPI.COMM_WORLD) -> Path | None:
    """A file for a picture, with its folder made; None for none. Collective.

    Raises:
        ParameterError: for an ending other than .png, .pdf and .svg, or if it cannot be written.
    """
    return None if path is None else writable(path, *FORMATS, comm=comm)


def blank(width: str | float, height: float, *, maps: bool = False) -> Figure:
    """An empty figure of a width as in `inches`, and a height [inch]; for maps, colour bars are as high as these."""
    layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, compress=maps)
    return Figure(figsize=(inches(width), height), layout=layout, dpi=DPI)


def wrapped(title: str, width: float) -> str:
    """A title in lines that fit into a width [inch]."""
    letters = max(8, int(width / LETTER))
    return "\n".join(textwrap.fill(part, letters) for part in title.split("\n"))


def legend(figure: Figure, handles: Sequence[Any]) -> None:
    """A legend below everything, in as many columns as fit."""
    if handles:
        rows = _rows(figure.get_figwidth(), handles)
        figure.legend(handles=handles, loc="outside lower center", ncols=-(-len(handles) // rows), handlelength=1.6)


def legend_height(width: float, handles: Sequence[Any]) -> float:
    """The height of that legend in a figure of a width [inch]."""
    return 0.16 * _rows(width, handles) + 0.06 if handles else 0.0


def _rows(width: float, handles: Sequence[Any]) -> int:
    """The rows of a legend in a figure of a width [inch]."""
    letters = max(len(h.get_label()) for h in handles)
    columns = int(np.clip(15.0 * width // (letters + 7), 1, len(handles)))
    return -(-len(handles) // columns)


def draw[Drawn](comm: MPI.Comm, render: Callable[[], Drawn]) -> Drawn | None:
    """What `render` returns, called on rank 0 in emfem's look; None on the others. Its trouble is everybody's.

    Collective.

    Raises:
        EmfemError: if the picture could not be drawn.
    """
    trouble, drawn = None, None
    if comm.rank == 0:
        try:
            with mpl.rc_context(LOOK):  # type: ignore[arg-type]
                drawn = render()
        except (OSError, RuntimeError, ValueError) as error:
            trouble = str(error)
    trouble = comm.bcast(trouble, root=0)
    if trouble:
        msg = f"no picture: {trouble}"
        raise EmfemError(msg)
    return drawn


def written(figure: Figure, target: Path | None) -> Figure:
    """The figure, written to a file if there is one: the one place where that is done."""
    if target is not None:
        figure.savefig(target, dpi=DPI)
    return figure


def pixels(figure: Figure) -> NDArray[np.uint8]:
    """A figure as pixels, shape (height, width, 3)."""
    figure.set_dpi(SCREEN)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3]


def stage() -> pyvista.Plotter:
    """Where bodies are put to be looked at.

    Raises:
        OSError: if VTK has nothing to draw on.
    """
    _screen()
    plotter = pyvista.Plotter(off_screen=True, window_size=(1100, 860))
    plotter.set_background("white")
    plotter.enable_anti_aliasing("ssaa")
    return plotter


def look(plotter: pyvista.Plotter, direction: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> NDArray[np.uint8]:
    """What is on the stage, seen from a direction, as pixels without empty margins."""
    plotter.view_vector(direction, viewup=(0.0, 0.0, 1.0))
    image = np.asarray(plotter.screenshot(return_img=True))
    rows, columns = (np.flatnonzero((image < 250).any(axis=2).any(axis=axis)) for axis in (1, 0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else image


def _screen() -> None:
    """Make sure that VTK can draw: without a display and without EGL it would end the program.

    Raises:
        OSError: if it cannot.
    """
    if os.environ.get("DISPLAY"):
        return
    for library in ("libEGL.so.1", "libOSMesa.so.8"):
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        return
    msg = "there is no display and no libEGL: install the system package libegl1"
    raise OSError(msg)
