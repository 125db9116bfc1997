"""Figures and animations that a function of the user draws, in the style of all others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from emfem.errors import count, number
from emfem.files import writable
from emfem.gate import checked
from emfem.plot import style
from emfem.plot.fields import MOVING, write_frames

from matplotlib.figure import Figure
from mpi4py import MPI


@checked(collective=MPI.COMM_WORLD)
def figure(
    draw: Callable[[Figure], object],
    path: str | os.PathLike[str] | None = None,
    *,
    width: str | float = "page",
    height: float = 2.8,
) -> Figure | None:
    """Return a figure that a function draws with Matplotlib, in emfem's fonts and lines. Collective.

    Args:
        draw: called on rank 0 with the empty figure: it must not call collective functions.
        path: as in `em.plot.field`.
        width: as in `em.plot.field`.
        height: [inch].

    Returns:
        The figure on rank 0, None on other ranks.

    Raises:
        ParameterError: for a size out of its bounds, or a file that cannot be written.
        EmfemError: if the function fails.
    """
    size = style.inches(width), number("height", height, above=0.0, at_most=40.0, unit="inches")
    target = style.picture(path)

    def render() -> Figure:
        figure = style.blank(*size)
        draw(figure)
        return style.written(figure, target)

    return style.draw(MPI.COMM_WORLD, render)


@checked(collective=MPI.COMM_WORLD)
def movie(
    draw: Callable[[Figure, int], object],
    frames: int,
    path: str | os.PathLike[str],
    *,
    width: str | float = "page",
    height: float = 2.8,
    frames_per_second: int = 10,
) -> Path:
    """Write an animation whose frames a function draws with Matplotlib, in emfem's fonts and lines. Collective.

    Args:
        draw: called on rank 0 with an empty figure and the number of the frame, from 0.
        frames: their number.
        path: a name ending in .mp4 or .gif; its folder is made.
        width: as in `em.plot.field`; 200 pixels an inch.
        height: [inch].
        frames_per_second: speed.

    Returns:
        The path of the animation.

    Raises:
        ParameterError: for a size or a number out of its bounds, or a file that cannot be written.
        EmfemError: if the function fails.
    """
    size = style.inches(width), number("height", height, above=0.0, at_most=40.0, unit="inches")
    many, speed = count("frames", frames, at_least=1), count("frames_per_second", frames_per_second, at_least=1)
    target = writable(path, *MOVING)

    def frame(i: int) -> Figure:
        figure = style.blank(*size)
        draw(figure, i)
        return figure

    style.draw(MPI.COMM_WORLD, lambda: write_frames(map(frame, range(many)), target, speed))
    return target
