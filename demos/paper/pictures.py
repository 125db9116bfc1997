"""Drawing of the paper's figures: compositions side by side, and curves with their spread over the seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emfem.plot import style

import numpy as np
from films import Record
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from measures import common
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

Draw = Callable[[Axes], None]
ORIENTED = 0.5  # least order of a pattern whose stripes can be counted


@dataclass(frozen=True)
class Picture:
    """A composition to be shown.

    Attributes:
        title: above it.
        values: shape (n, n), indexed [ix, iy].
        edge: of the square.
        arrow: direction of the field to draw [degrees]; None for no field.
    """

    title: str
    values: NDArray[np.float32]
    edge: float
    arrow: float | None = None


def picture(record: Record, t: float, title: str) -> Picture:
    """The composition of a film kept nearest to t; the title may hold `{t}`."""
    time, values = record.picture(t)
    arrow = record.film.angle if record.film.field else None
    return Picture(title.format(t=f"{time:g}"), values, record.film.edge, arrow)


def page(target: Path, pictures: Sequence[Picture], curves: Sequence[Draw], columns: int = 3) -> Path:
    """Write pictures in rows on one colour scale, and below them a row of axes drawn by `curves`."""
    rows = -(-len(pictures) // columns)
    width = 2.5 * columns + 0.7
    heights = [2.45 * rows] * bool(rows) + [3.1] * bool(curves)

    def render() -> None:
        figure = style.blank(max(width, 4.6 * len(curves)), sum(heights))
        parts = np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights))
        if rows:
            _gallery(parts[0], pictures, rows, columns)
        if curves:
            for axes, draw in zip(np.atleast_1d(parts[-1].subplots(1, len(curves))), curves, strict=True):
                draw(axes)
        figure.savefig(target, dpi=style.DPI)

    target.parent.mkdir(parents=True, exist_ok=True)
    style.draw(MPI.COMM_WORLD, render)
    return target


def _gallery(part: Figure | SubFigure, pictures: Sequence[Picture], rows: int, columns: int) -> None:
    """Draw the pictures and the scale they share."""
    grid = part.subplots(rows, columns, squeeze=False)
    low = min(float(p.values.min()) for p in pictures)
    high = max(float(p.values.max()) for p in pictures)
    image = None
    for axes in grid.ravel():
        axes.axis("off")
    for axes, shown in zip(grid.ravel(), pictures, strict=False):
        axes.axis("on")
        box = (0.0, shown.edge, 0.0, shown.edge)
        image = axes.imshow(shown.values.T, origin="lower", extent=box, cmap=style.COLOURS, vmin=low, vmax=high)
        axes.set_title(shown.title)
        ends, told = [0.0, shown.edge], ["0", f"{shown.edge:g}"]
        axes.set(xticks=ends, yticks=ends, xticklabels=told, yticklabels=told)
        if shown.arrow is not None:
            _arrow(axes, shown)
    if image is not None:
        part.colorbar(image, ax=grid, label="c", shrink=0.8, fraction=0.03)


def _arrow(axes: Axes, shown: Picture) -> None:
    """Draw the field in a corner."""
    angle = np.radians(shown.arrow or 0.0)
    along = 0.06 * shown.edge * np.array([np.cos(angle), np.sin(angle)])
    middle = 0.1 * shown.edge
    axes.annotate(
        "",
        xy=(middle + along[0], middle + along[1]),
        xytext=(middle - along[0], middle - along[1]),
        arrowprops={"arrowstyle": "-|>", "color": "white", "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0},
    )


def numbers(groups: Sequence[tuple[str, Sequence[Record]]], legend: bool = True) -> Draw:
    """The number of stripes against time, once they have a direction: mean and spread over the seeds."""

    def draw(axes: Axes) -> None:
        for index, (label, records) in enumerate(groups):
            t, density = common(records, "density")
            order = common(records, "order")[1].mean(axis=0)
            found = np.where(order >= ORIENTED, density * records[0].film.edge ** 2, np.nan)
            mean, deviation = found.mean(axis=0), found.std(axis=0)
            colour = style.named_colour(index)
            axes.plot(t, mean, color=colour, label=label)
            axes.fill_between(t, mean - deviation, mean + deviation, color=colour, alpha=0.2, linewidth=0)
        axes.set(xlabel="time", ylabel="stripes across the film", xlim=(0, None))
        if legend:
            axes.legend()

    return draw


def points(
    series: Sequence[tuple[str, ArrayLike, ArrayLike, ArrayLike]],
    lines: Sequence[tuple[str, ArrayLike, ArrayLike]] = (),
    **axes_options: Any,
) -> Draw:
    """Points with the spread of their seeds, each series (label, x, mean, deviation), over lines (label, x, y)."""

    def draw(axes: Axes) -> None:
        for label, x, y in lines:
            axes.plot(np.asarray(x), np.asarray(y), color=style.GREY, linestyle="--", label=label, zorder=1)
        for index, (label, x, mean, deviation) in enumerate(series):
            axes.errorbar(
                np.asarray(x),
                np.asarray(mean),
                yerr=np.asarray(deviation),
                fmt="o",
                capsize=3,
                markersize=5,
                color=style.named_colour(index),
                label=label,
            )
        axes.set(**axes_options)
        if lines or len(series) > 1:
            axes.legend()

    return draw
