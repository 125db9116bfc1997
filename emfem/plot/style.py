"""How every picture looks, and the one place where pictures are drawn: rank 0."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from typing import Any

from emfem.errors import EmfemError

import matplotlib as mpl
import numpy as np
import pyvista
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from mpi4py import MPI
from numpy.typing import NDArray

COLOURS = "viridis"
DPI = 160
WIDTH = 5.2  # of a picture on a page [inch]
INK, GREY, PALE = "#262626", "#8c8c8c", "#ededed"
# Blue, orange, green, pink, sky, yellow, brown: told apart by colour-blind eyes; dashes tell those beyond the seventh
NAMED = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d0b800", "#7f4f24")
DASHES: tuple[Any, ...] = ("solid", (0, (3, 1)), (0, (1, 1)))
TINTS = ("#dbe7f3", "#f8e9cf", "#d9eee3", "#f2e0ea", "#ece9d8", "#e3dff0")
WARNING = "#8b0a3d"
# Light enough at both ends for black lines to be seen on it
DENSITY = LinearSegmentedColormap.from_list("density", ["#fdfbee", "#fbe3a1", "#f9ba58", "#ec8444", "#cf5540"])
LOOK = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
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


def blank(width: float, height: float) -> Figure:
    """An empty figure [inch]."""
    return Figure(figsize=(width, height), layout="constrained")


def legend(figure: Figure, handles: Sequence[Any]) -> None:
    """A legend below everything, in as many columns as fit."""
    if handles:
        letters = max(len(h.get_label()) for h in handles)
        columns = int(np.clip(13.5 * figure.get_figwidth() // (letters + 7), 1, len(handles)))
        rows = -(-len(handles) // columns)
        figure.legend(handles=handles, loc="outside lower center", ncols=-(-len(handles) // rows), handlelength=1.6)


def draw(comm: MPI.Comm, render: Callable[[], None]) -> None:
    """Render on rank 0, in emfem's look; its trouble is everybody's. Collective.

    Raises:
        EmfemError: if the picture could not be drawn.
    """
    trouble = None
    if comm.rank == 0:
        try:
            with mpl.rc_context(LOOK):  # type: ignore[arg-type]
                render()
        except (OSError, RuntimeError, ValueError) as error:
            trouble = str(error)
    trouble = comm.bcast(trouble, root=0)
    if trouble:
        msg = f"no picture: {trouble}"
        raise EmfemError(msg)


def pixels(figure: Figure) -> NDArray[np.uint8]:
    """A figure as pixels, shape (height, width, 3)."""
    figure.set_dpi(DPI)
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
