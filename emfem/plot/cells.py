"""Fields on cells that were gathered on rank 0, as panels of a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emfem import fields
from emfem.dimensions import Meaning
from emfem.errors import ParameterError
from emfem.plot import labels, style

import numpy as np
import pyvista
from dolfinx import fem
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = (3, 21, 68)  # VTK's lines: straight, quadratic, of any degree
EDGE, BAR, HEADING, FOOT = 0.45, 0.75, 0.22, 0.36  # room for labels left, a colour bar, a title, labels below [inch]
FLAT = 0.9  # height of panels below which the colour bar lies below them [inch]


def limits(functions: Sequence[fem.Function]) -> tuple[float, float]:
    """Lowest and highest value of all fields. Collective."""
    ends = [fields.extremes(function) for function in functions]
    return min(low for low, _ in ends), max(high for _, high in ends)


def is_scalar(function: fem.Function) -> None:
    """Refuse a field with components.

    Raises:
        ParameterError: if it has some.
    """
    if function.ufl_shape != ():
        msg = f"field {function.name!r} of shape {function.ufl_shape}, must be a scalar: draw one component"
        raise ParameterError(msg)


def gathered[Drawn](functions: Sequence[fem.Function], render: Callable[[list[fields.Cells]], Drawn]) -> Drawn | None:
    """Gather the fields and render on rank 0; its trouble is everybody's. Collective.

    Raises:
        ParameterError: if a field has components.
        EmfemError: if the picture could not be drawn.
    """
    for function in functions:
        is_scalar(function)
    cells = [fields.gather(function) for function in functions]
    comm = functions[0].function_space.mesh.comm
    return style.draw(comm, lambda: render([part for part in cells if part is not None]))


@dataclass(frozen=True)
class Look:
    """How fields are drawn, as the user asked for it.

    Attributes:
        width: of the figure [inch].
        lengths: of the axes.
        limits: ends of the colour scale, of the fields as they are divided; those of the fields for None.
        found: lowest and highest value of all fields.
        colours: the colour map; the field's own for None.
        label: of the colour bar; the field's own for None.
        scale: what values are divided by.
        meaning: what the fields are.
        columns: panels a row; all in one row for None.
    """

    width: float
    lengths: labels.Asked
    limits: tuple[float, float] | None
    found: tuple[float, float]
    colours: Any
    label: str | None
    scale: float | None
    meaning: Meaning
    columns: int | None = None


def figure(cells: list[fields.Cells], titles: list[str], look: Look) -> Figure:
    """Panels row by row, with one colour bar for all."""
    points = cells[0].points
    by = labels.lengths(points, look.lengths, look.meaning.system.length)
    told = labels.shown(look.meaning, look.limits or look.found, look.label, look.scale)
    line = np.count_nonzero(np.ptp(points, axis=0)) == 1
    colours = labels.colours(look.meaning, look.colours)
    ends = _ends(look, told, None if line else colours)
    across = min(look.columns or len(cells), len(cells))
    down = -(-len(cells) // across)
    titles = [style.wrapped(title, look.width / across) for title in titles]
    tall, flat = _sizes(np.ptp(points, axis=0), look.width, across)
    rows = down * (tall + HEADING + 0.13 * max(title.count("\n") for title in titles))
    figure = style.blank(look.width, rows + FOOT + (FOOT + 0.15 if flat else 0.0), maps=not (line or flat))
    panels = figure.subplots(down, across, squeeze=False, sharey=line).ravel()
    for axes, part, title in zip(panels, cells, titles, strict=False):
        panel(axes, labels.scaled(part, by.scale, told.scale), ends, colours, by)
        axes.set_title(title)
    for axes in panels[len(cells) :]:
        axes.set_axis_off()
    if line:
        for axes in panels[::across]:
            axes.set_ylabel(told.fitted(tall))
    else:
        bar = ScalarMappable(Normalize(*ends), colours)
        place: dict[str, Any] = {"location": "bottom", "aspect": 40} if flat else {"pad": 0.02, "aspect": 25}
        figure.colorbar(bar, ax=panels.tolist(), label=told.label if flat else told.fitted(tall * down), **place)
    return figure


def _ends(look: Look, told: labels.Shown, colours: Any) -> tuple[float, float]:
    """The ends of the colour scale, of the fields as they are told."""
    if look.limits is None:
        return labels.ends((look.found[0] / told.scale, look.found[1] / told.scale), colours)
    factor = 1.0 if look.scale is not None else told.scale  # the limits are divided already, or not yet
    return look.limits[0] / factor, look.limits[1] / factor


def _sizes(extent: NDArray[np.float64], width: float, across: int) -> tuple[float, bool]:
    """The height of panels [inch], and whether they are so flat that the colour bar lies below them."""
    line = np.count_nonzero(extent) == 1
    aspect = 1.6 if line else 1.3 if extent[2] else float(np.clip(extent[0] / extent[1], 0.4, 12.0))
    flat = not line and (width - EDGE) / across / aspect < FLAT
    wide = (width - (0.25 if line or flat else BAR) - EDGE) / across
    return min(wide / aspect, 1.5 * width), flat


def panel(
    axes: Axes, cells: fields.Cells, limits: tuple[float, float], colours: str | Colormap, by: labels.Lengths
) -> None:
    """One field: a curve in one dimension, colours in two, a view of the body in three."""
    dim = int(np.count_nonzero(np.ptp(cells.points, axis=0)))
    if dim == 1:
        along = int(np.ptp(cells.points, axis=0).argmax())
        order = np.argsort(cells.points[:, along], kind="stable")
        axes.plot(cells.points[order, along], cells.values[order], color=style.named_colour(0))
        room = 0.05 * (limits[1] - limits[0])
        axes.set(xlabel=by.label("xyz"[along]), ylim=(limits[0] - room, limits[1] + room) if room else None)
        if limits[0] < 0 < limits[1]:
            axes.axhline(0.0, color=style.GREY, linewidth=0.7)
        axes.margins(x=0)
    elif dim == 2 and cells.types[0] in CURVES:
        lines, values = lines_of(cells)
        axes.add_collection(LineCollection(list(lines), array=values, norm=Normalize(*limits), cmap=colours, lw=2.5))
        plane(axes, cells.points, by)
        axes.autoscale_view()
    elif dim == 2:
        surface = grid_of(cells).extract_surface(nonlinear_subdivision=2, algorithm="dataset_surface").triangulate()
        corners = surface.faces.reshape(-1, 4)[:, 1:]
        triangles = Triangulation(surface.points[:, 0], surface.points[:, 1], corners)
        shade(axes, triangles, surface.point_data["value"], limits, colours)
        plane(axes, cells.points, by)
        axes.label_outer()
        axes.margins(0)
    else:
        axes.imshow(view(cells, limits, colours))
        axes.set_axis_off()
        size(axes, by.size(cells.points))


def shade(axes: Axes, triangles: Triangulation, values: Any, limits: tuple[float, float], colours: Any) -> Any:
    """Values on triangles as smooth colours; pixels also where lines are drawn as such."""
    return axes.tripcolor(
        triangles,
        values,
        shading="gouraud",
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        rasterized=True,
    )


def plane(axes: Axes, points: NDArray[np.float64], by: labels.Lengths) -> None:
    """Axes of a plane, with equal scales, and fewer numbers along the shorter one."""
    axes.set(aspect="equal", xlabel=by.label("x"), ylabel=by.label("y"))
    axes.ticklabel_format(style="sci", scilimits=(-3, 4))
    sides = np.ptp(points, axis=0)[:2]
    nbins = [max(1, round(5 * side / sides.max())) for side in sides]
    axes.locator_params(axis="x", nbins=nbins[0])
    axes.locator_params(axis="y", nbins=nbins[1])


def size(axes: Axes, told: str) -> None:
    """The size of a body below a view of it, which has no axes."""
    axes.text(0.5, -0.02, told, transform=axes.transAxes, ha="center", va="top", fontsize="small")


def lines_of(cells: fields.Cells) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A field on lines in a plane as straight lines, shape (l, 2, 2), and its mean on each, shape (l,)."""
    nodes = cells.cells.reshape(-1, cells.cells[0] + 1)[:, 1:]
    chain = np.concatenate([nodes[:, :1], nodes[:, 2:], nodes[:, 1:2]], axis=1)  # VTK lists the ends first
    pairs = np.stack([chain[:, :-1], chain[:, 1:]], axis=-1).reshape(-1, 2)
    return cells.points[pairs][:, :, :2], cells.values[pairs].mean(axis=1)


def grid_of(cells: fields.Cells) -> pyvista.UnstructuredGrid:
    """The cells as pyvista has them, with point data "value"."""
    grid = pyvista.UnstructuredGrid(cells.cells, cells.types, cells.points)
    grid.point_data["value"] = cells.values
    return grid


def view(cells: fields.Cells, limits: tuple[float, float], colours: str | Colormap) -> NDArray[np.uint8]:
    """A body seen from a corner, as pixels.

    Raises:
        OSError: if VTK has nothing to draw on.
    """
    plotter = style.stage()
    plotter.add_mesh(grid_of(cells), scalars="value", clim=limits, cmap=colours, show_scalar_bar=False, lighting=False)
    plotter.add_axes(color="black")
    image = style.look(plotter)
    plotter.close()
    return image
