"""Fields as pictures: one, several side by side, or one after the other as a film."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from emfem import fields
from emfem.errors import ParameterError, count, kind, number
from emfem.files import writable
from emfem.mesh import Domain
from emfem.plot import cells, labels, style
from emfem.plot.pieces import pieces

import imageio.v3 as iio
import numpy as np
import pyvista
from dolfinx import fem
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

MOVING = (".mp4", ".gif")


class Frames(Protocol):
    """What `em.watch.snapshots` keeps: a field at some times."""

    functions: list[fem.Function]

    @property
    def t(self) -> NDArray[np.float64]:
        """Times, shape (n,)."""


def field(
    function: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    component: str | None = None,
    title: str = "",
    label: str | None = None,
    scale: float | None = None,
    limits: tuple[float, float] | None = None,
    colours: str | Colormap | None = None,
    regions: Domain | None = None,
    length: float | None = None,
    unit: str | None = None,
    width: str | float = "column",
) -> Figure | None:
    """Draw a scalar field; a periodic film is drawn whole. Collective.

    What is not said is told by the field: that of a model knows its label, its unit and that of lengths, which are told
    with a prefix if the model is in SI; another Function has but its name. Stress is blue in compression and red in
    tension, on a scale as long on both sides of 0; other fields are in viridis.

    Args:
        function: a Function on a mesh of any dimension, or a UFL expression such as `current["E"]`.
        component: of a vector "x", "y", "z" or "magnitude".
        path: a name ending in .png, .pdf or .svg; its folder is made. Without it nothing is written.
        title: written above the picture.
        label: of the colour bar, with a unit, such as "stress [MPa]".
        scale: what values are divided by, such as `em.units.MPa`.
        limits: values of the ends of the colour scale, of the field over `scale`; those of the field when left out.
        colours: a Matplotlib colour map; "coolwarm", the one for signs, has 0 in its middle.
        regions: a plane domain whose regions, such as grains, are outlined.
        length: what one unit on the axes is, in units of the domain, such as `em.units.um`.
        unit: its name on the axes, such as "µm".
        width: "column" (3.4 inches), "page" (6.9 inches), or a number of inches.

    Returns:
        The figure on rank 0, to be restyled and saved again; None on other ranks.

    Raises:
        ParameterError: if the field has components and none is chosen, or the file cannot be written.
        UnknownName: for a component that it has not.
    """
    function = fields.component(function, component)
    look = _look([function], width, length, unit, limits, colours, label, scale)
    target = style.picture(path, function.function_space.mesh.comm)
    borders = None
    if regions is not None:
        kind("regions", regions, Domain, "a domain of em.mesh")
        found = pieces(regions)
        borders = None if found is None else found.points[found.borders]

    def render(found: list[fields.Cells]) -> Figure:
        figure = cells.figure(found, [title], look)
        if borders is not None:
            lines = list(
                borders[:, :, :2] / labels.lengths(found[0].points, look.lengths, look.meaning.system.length).scale
            )
            figure.axes[0].add_collection(LineCollection(lines, colors="white", linewidths=1.0))
        return style.written(figure, target)

    return cells.gathered([function], render)


def film_strip(
    snapshots: Frames | Sequence[fem.Function],
    path: str | os.PathLike[str] | None = None,
    *,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    label: str | None = None,
    scale: float | None = None,
    limits: tuple[float, float] | None = None,
    colours: str | Colormap | None = None,
    length: float | None = None,
    unit: str | None = None,
    width: str | float = "page",
) -> Figure | None:
    """Draw several fields side by side on one colour scale. Collective.

    Args:
        snapshots: `em.watch.snapshots(...)` after a run, or Functions.
        path: as in `field`.
        titles: one a field; the times of the snapshots when left out.
        columns: fields a row; all in one row when left out.
        label: as in `field`.
        scale: as in `field`.
        limits: as in `field`; those of all fields together when left out.
        colours: as in `field`.
        length: as in `field`.
        unit: as in `field`.
        width: as in `field`.

    Returns:
        The figure on rank 0, None on other ranks.

    Raises:
        ParameterError: if there is nothing to draw, titles do not match, or the file cannot be written.
    """
    functions, times = _frames(snapshots)
    if titles is not None and len(titles) != len(functions):
        msg = f"titles: {len(titles)}, must be as many as the {len(functions)} fields"
        raise ParameterError(msg)
    columns = None if columns is None else count("columns", columns, at_least=1)
    look = _look(functions, width, length, unit, limits, colours, label, scale, columns)
    target = style.picture(path, functions[0].function_space.mesh.comm)

    def render(found: list[fields.Cells]) -> Figure:
        named = list(titles or _titles(functions, times))
        return style.written(cells.figure(found, named, look), target)

    return cells.gathered(functions, render)


def animation(
    snapshots: Frames | Sequence[fem.Function],
    path: str | os.PathLike[str],
    *,
    frames_per_second: int = 10,
    label: str | None = None,
    scale: float | None = None,
    limits: tuple[float, float] | None = None,
    colours: str | Colormap | None = None,
    length: float | None = None,
    unit: str | None = None,
    width: str | float = "column",
) -> Path:
    """Draw fields one after the other as a film. Collective.

    Args:
        snapshots: `em.watch.snapshots(...)` after a run, or Functions.
        path: a name ending in .mp4 or .gif; its folder is made.
        frames_per_second: speed.
        label: as in `field`.
        scale: as in `field`.
        limits: as in `field`; those of all fields together when left out.
        colours: as in `field`.
        length: as in `field`.
        unit: as in `field`.
        width: as in `field`; 200 pixels an inch.

    Returns:
        The path of the film.

    Raises:
        ParameterError: if there is nothing to draw, or the file cannot be written.
    """
    functions, times = _frames(snapshots)
    speed = count("frames_per_second", frames_per_second, at_least=1)
    look = _look(functions, width, length, unit, limits, colours, label, scale)
    target = writable(path, *MOVING, comm=functions[0].function_space.mesh.comm)

    def render(found: list[fields.Cells]) -> None:
        pairs = zip(found, _titles(functions, times), strict=True)
        film([cells.figure([part], [title], look) for part, title in pairs], target, speed)

    cells.gathered(functions, render)
    return target


def film(figures: Iterable[Figure], target: Path, frames_per_second: int) -> None:
    """Write figures one after the other as a film, on one rank."""
    images = [style.pixels(figure) for figure in figures]
    even = [image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2] for image in images]  # H.264 wants it
    if target.suffix == ".gif":
        iio.imwrite(target, even, duration=1000 / frames_per_second, loop=0)
    else:
        iio.imwrite(target, even, fps=frames_per_second, codec="libx264", macro_block_size=2)


def grid(function: fem.Function) -> pyvista.UnstructuredGrid | None:
    """The field as a pyvista grid with point data "value", on rank 0 (None elsewhere), for pictures of your own."""
    found = fields.gather(function)
    return None if found is None else cells.grid_of(found)


def _frames(snapshots: Frames | Sequence[fem.Function]) -> tuple[list[fem.Function], NDArray[np.float64] | None]:
    """Functions and their times, if they have some."""
    functions = list(snapshots if isinstance(snapshots, Sequence) else snapshots.functions)
    if not functions or not all(isinstance(f, fem.Function) for f in functions):
        msg = f"snapshots: {len(functions)} fields, must be at least one Function"
        raise ParameterError(msg)
    times = getattr(snapshots, "t", None)
    return functions, None if times is None else np.asarray(times)


def _titles(functions: Sequence[fem.Function], times: NDArray[np.float64] | None) -> list[str]:
    """The times in words; without them the names of the fields."""
    if times is None:
        return [f.name for f in functions]
    return labels.times(times, fields.meaning_of(functions[0]).system.time)


def _look(
    functions: Sequence[fem.Function],
    width: str | float,
    length: float | None,
    unit: str | None,
    limits: tuple[float, float] | None,
    colours: str | Colormap | None,
    label: str | None,
    scale: float | None,
    columns: int | None = None,
) -> cells.Look:
    """What was asked for, checked. Collective.

    Raises:
        ParameterError: for a width, a length or a scale out of its bounds, or a colour map that does not exist.
    """
    inches, lengths = style.inches(width), labels.asked(length, unit)
    scale = None if scale is None else number("scale", scale, above=0.0)
    style.check_colours(colours)
    for function in functions:
        cells.is_scalar(function)
    meaning = fields.meaning_of(functions[0])
    return cells.Look(inches, lengths, limits, cells.limits(functions), colours, label, scale, meaning, columns)
