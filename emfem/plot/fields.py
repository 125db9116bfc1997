"""Pictures of fields: one, several side by side, or one after the other in an animation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from emfem import fields
from emfem.errors import ParameterError, count, floats, kind, number, require, shown
from emfem.files import writable
from emfem.gate import checked
from emfem.mesh import Domain, bounds
from emfem.plot import cells, labels, style
from emfem.plot.simplices import simplex_mesh

import dolfinx
import imageio.v3 as iio
import numpy as np
import pyvista
from dolfinx import fem
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

MOVING = (".mp4", ".gif")
TOUCHES = 1e-9  # way below y = 0, as a part of the domain, that is none


class Frames(Protocol):
    """Field at several times, such as `em.watch.snapshots` has."""

    functions: list[fem.Function]

    @property
    def t(self) -> NDArray[np.float64]:
        """Times, shape (n,)."""


@checked(collective=True)
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
    solid: Any = None,
    mirror: bool = False,
    length: float | None = None,
    unit: str | None = None,
    width: str | float = "column",
) -> Figure | None:
    """Draw a scalar field; a periodic film is drawn whole. Collective.

    Label, unit and the unit of lengths come from the field where they are left out: those of a model's field are known,
    in SI with a prefix; another Function has only its name. Signed fields, such as stress, are blue below 0 and red
    above, on a symmetric scale; other fields are in viridis.

    Args:
        function: a Function on a mesh of any dimension, or a UFL expression such as `current["E"]`.
        component: of a vector "x", "y", "z" or "magnitude".
        path: a name ending in .png, .pdf or .svg; its folder is made. Without it nothing is written.
        title: written above the picture.
        label: of the colour bar, with a unit, such as "stress [MPa]".
        scale: divisor of the values, such as `em.units.MPa`.
        limits: values of the ends of the colour scale, of the field over `scale`; those of the field when left out.
        colours: a Matplotlib colour map; "coolwarm", the one for signs, has 0 in its middle.
        regions: a plane domain whose regions, such as grains, are outlined.
        solid: part of each place that is metal, such as the field of that name of an `em.surface.model`: only where it
            is above 1/2 the field is drawn.
        mirror: draw the other half, too, of what is symmetric about y = 0 or turned about it.
        length: value of one unit on the axes in units of the domain, such as `em.units.um`.
        unit: its name on the axes, such as "µm".
        width: "column" (3.4 inches), "page" (6.9 inches), or a number of inches.

    Returns:
        The figure on rank 0, to be restyled and saved again; None on other ranks.

    Raises:
        ParameterError: if the field has components and none is chosen, or the file cannot be written.
        UnknownName: for a component that does not exist.
    """
    function = fields.component(function, component)
    options = field_options(
        [function], width, length, unit, limits, colours, label, scale, mirror=mirror, component=component
    )
    target = style.picture(path, function.function_space.mesh.comm)
    borders = None
    if regions is not None:
        kind("regions", regions, Domain, "a domain of em.mesh")
        mesh = simplex_mesh(regions)
        borders = None if mesh is None else mesh.points[mesh.borders]

    def render(parts: list[fields.Cells]) -> Figure:
        figure = cells.figure(parts, [title], options if solid is None else options.of(parts))
        if borders is not None:
            by = labels.lengths(parts[0].points, options.meaning.system.length, options.lengths)
            lines = LineCollection(list(borders[:, :, :2] / by.scale), colors="white", linewidths=1.0)
            figure.axes[0].add_collection(lines)
        return style.written(figure, target)

    return cells.gathered([function], render, None if solid is None else [solid])


@checked(collective=True)
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
    mirror: bool = False,
    length: float | None = None,
    unit: str | None = None,
    width: str | float = "page",
) -> Figure | None:
    """Draw several fields side by side on one colour scale. Collective.

    Args:
        snapshots: `em.watch.snapshots(...)` after a run, or Functions.
        path: as in `field`.
        titles: one a field; the times of the snapshots when left out.
        columns: fields a row; when left out as many as can be read, of square ones up to a dozen.
        label: as in `field`.
        scale: as in `field`.
        limits: as in `field`; those of all fields together when left out.
        colours: as in `field`.
        mirror: as in `field`.
        length: as in `field`.
        unit: as in `field`.
        width: as in `field`.

    Returns:
        The figure on rank 0, None on other ranks.

    Raises:
        ParameterError: if there is nothing to draw, titles do not match, or the file cannot be written.
    """
    functions, times = frames_of(snapshots)
    titles = panel_titles(functions, times, titles)
    columns = None if columns is None else count("columns", columns, at_least=1)
    options = field_options(functions, width, length, unit, limits, colours, label, scale, columns, mirror=mirror)
    target = style.picture(path, functions[0].function_space.mesh.comm)

    def render(parts: list[fields.Cells]) -> Figure:
        return style.written(cells.figure(parts, titles, options), target)

    return cells.gathered(functions, render)


@checked(collective=True)
def animation(
    snapshots: Frames | Sequence[fem.Function],
    path: str | os.PathLike[str],
    *,
    frames_per_second: int = 10,
    label: str | None = None,
    scale: float | None = None,
    limits: tuple[float, float] | None = None,
    colours: str | Colormap | None = None,
    mirror: bool = False,
    length: float | None = None,
    unit: str | None = None,
    width: str | float = "column",
) -> Path:
    """Draw fields one after the other in an animation. Collective.

    Args:
        snapshots: `em.watch.snapshots(...)` after a run, or Functions.
        path: a name ending in .mp4 or .gif; its folder is made.
        frames_per_second: speed.
        label: as in `field`.
        scale: as in `field`.
        limits: as in `field`; those of all fields together when left out.
        colours: as in `field`.
        mirror: as in `field`.
        length: as in `field`.
        unit: as in `field`.
        width: as in `field`; 200 pixels an inch.

    Returns:
        The path of the animation.

    Raises:
        ParameterError: if there is nothing to draw, or the file cannot be written.
    """
    functions, times = frames_of(snapshots)
    speed = count("frames_per_second", frames_per_second, at_least=1)
    options = field_options(functions, width, length, unit, limits, colours, label, scale, mirror=mirror)
    target = writable(path, *MOVING, comm=functions[0].function_space.mesh.comm)

    solids = getattr(snapshots, "solids", None)

    def render(parts: list[fields.Cells]) -> None:
        pairs, shown = zip(parts, panel_titles(functions, times), strict=True), options.of(parts) if solids else options
        write_frames([cells.figure([part], [title], shown) for part, title in pairs], target, speed)

    cells.gathered(functions, render, solids)
    return target


def write_frames(figures: Iterable[Figure], target: Path, frames_per_second: int) -> None:
    """Write figures as the frames of an animation, on one rank."""
    images = [style.pixels(figure) for figure in figures]
    even = [image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2] for image in images]  # required by H.264
    if target.suffix == ".gif":
        iio.imwrite(target, even, duration=1000 / frames_per_second, loop=0)
    else:
        iio.imwrite(target, even, fps=frames_per_second, codec="libx264", macro_block_size=2)


@checked(collective=True)
def grid(function: fem.Function) -> pyvista.UnstructuredGrid | None:
    """Return the field as a pyvista grid with point data "value" on rank 0, None elsewhere. Collective."""
    whole = fields.gather(function)
    return None if whole is None else cells.grid_of(whole)


def frames_of(snapshots: Frames | Sequence[fem.Function]) -> tuple[list[fem.Function], NDArray[np.float64] | None]:
    """Return functions and their times, None without."""
    functions = snapshots if isinstance(snapshots, Sequence) else getattr(snapshots, "functions", None)
    if not isinstance(functions, list | tuple) or not all(isinstance(f, fem.Function) for f in functions):
        msg = f"snapshots = {shown(snapshots)}, must be a list of Functions, or have one as `functions`"
        raise ParameterError(msg)
    require(functions, "snapshots: 0 fields, must be at least one Function")
    times = getattr(snapshots, "t", None)
    return list(functions), None if times is None else floats("t of snapshots", times, (len(functions),))


def panel_titles(
    functions: Sequence[fem.Function], times: NDArray[np.float64] | None, titles: Sequence[str] | None = None
) -> list[str]:
    """Return the titles of the user, else the times as texts, else the names of the fields.

    Raises:
        ParameterError: for another number of titles than of fields.
    """
    if titles is not None:
        if len(titles) != len(functions):
            msg = f"titles: {len(titles)}, must be as many as the {len(functions)} fields"
            raise ParameterError(msg)
        return list(titles)
    if times is None:
        return [f.name for f in functions]
    return labels.times(times, fields.meaning_of(functions[0]).system.time)


def field_options(
    functions: Sequence[fem.Function],
    width: str | float,
    length: float | None,
    unit: str | None,
    limits: tuple[float, float] | None,
    colours: str | Colormap | None,
    label: str | None,
    scale: float | None,
    columns: int | None = None,
    *,
    mirror: bool = False,
    component: str | None = None,
) -> cells.FieldOptions:
    """Check the options of a picture of fields. Collective.

    Raises:
        ParameterError: for a width, a length or a scale out of its bounds, a colour map that does not exist, or a field
            with components.
    """
    inches, lengths = style.inches(width), labels.unit_request(length, unit)
    scale = None if scale is None else number("scale", scale, above=0.0)
    style.check_colours(colours)
    for function in functions:
        cells.check_scalar(function)
    meaning, ends = fields.meaning_of(functions[0]), [fields.extremes(function) for function in functions]
    extremes = min(low for low, _ in ends), max(high for _, high in ends)
    sign = 0
    if mirror:
        _check_mirror(functions[0].function_space.mesh)
        sign = -1 if component == "y" else 1
    if sign < 0:
        extremes = min(extremes[0], -extremes[1]), max(extremes[1], -extremes[0])
    return cells.FieldOptions(inches, lengths, limits, extremes, colours, label, scale, meaning, columns, sign)


def _check_mirror(mesh: dolfinx.mesh.Mesh) -> None:
    """Refuse a mirror image in y = 0 of what reaches below it. Collective.

    Raises:
        ParameterError: with the range of y.
    """
    if mesh.geometry.dim != 2:
        msg = f"mirror = True in {mesh.geometry.dim} dimensions, must be in a plane"
        raise ParameterError(msg)
    (_, low), (_, high) = bounds(mesh)
    if low < -TOUCHES * high:
        msg = f"mirror = True of a domain from y = {low:g} to {high:g}, must not reach below 0"
        raise ParameterError(msg)
