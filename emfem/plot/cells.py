"""Fields on cells that were gathered on rank 0, as panels of a figure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from emfem import fields
from emfem.dimensions import Meaning
from emfem.errors import ParameterError
from emfem.plot import labels, rendering, style
from emfem.plot.camera import Camera
from emfem.plot.labels import AxisLabel, UnitRequest
from emfem.plot.simplices import Floats

import numpy as np
import pyvista
from dolfinx import fem
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy
from matplotlib.tri import Triangulation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = (3, 21, 68)  # VTK's lines: straight, quadratic, of any degree
EDGE, BAR, HEADING, FOOT = 0.45, 0.75, 0.22, 0.36  # room for labels left, a colour bar, a title, labels below [inch]
LOW = 0.5  # height below which panels go into further rows [inch]
NODAL = ("values", "c")  # what has a value at each node
FLAT = 0.9  # height of panels below which the colour bar lies below them [inch]


def check_scalar(function: fem.Function) -> None:
    """Check that a field is a scalar.

    Raises:
        ParameterError: if it has components.
    """
    if function.ufl_shape != ():
        msg = f"field {function.name!r} of shape {function.ufl_shape}, must be a scalar: draw one component"
        raise ParameterError(msg)


def gathered[Drawn](
    functions: Sequence[fem.Function],
    render: Callable[[list[fields.Cells]], Drawn],
    solids: Sequence[Any] | None = None,
) -> Drawn | None:
    """Gather scalar fields and render them on rank 0; all ranks raise if it fails. Collective.

    Args:
        functions: the fields.
        render: what is done with them.
        solids: for each of them the part of each place that is metal; the rest is left out.

    Raises:
        EmfemError: if the picture could not be drawn.
    """
    metal = [None] * len(functions) if solids is None else solids
    cells = [
        fields.gather(f) if solid is None else _in_metal(f, solid) for f, solid in zip(functions, metal, strict=True)
    ]
    comm = functions[0].function_space.mesh.comm
    return style.draw(comm, lambda: render([part for part in cells if part is not None]))


def _in_metal(function: fem.Function, solid: Any) -> fields.Cells | None:
    """Return a field where over half of a place is metal, on rank 0; all points stay, for the size of the picture."""
    space = function.function_space
    degree = max(1, space.element.basix_element.degree)
    whole, part = (fields.gather(fields.discontinuous(each, space.mesh, degree)) for each in (function, solid))
    if whole is None or part is None:
        return None
    grid = grid_of(whole)
    grid.point_data["solid"] = part.values
    nothing = np.full(len(whole.points), np.nan)
    if not (part.values > 0.5).any():  # the clipped grid would have no values
        return fields.Cells(whole.points, whole.cells, whole.types, nothing)
    metal = grid.clip_scalar(scalars="solid", value=0.5, invert=False)
    ends = metal.cell_offsets
    return fields.Cells(
        np.concatenate([whole.points, metal.points]),
        np.insert(metal.cell_connectivity + len(whole.points), ends[:-1], np.diff(ends)),
        metal.celltypes,
        np.concatenate([nothing, metal.point_data["value"]]),
    )


@dataclass(frozen=True)
class FieldOptions:
    """Options of pictures of fields.

    Attributes:
        width: of the figure [inch].
        lengths: unit of the axes that the user chose.
        limits: ends of the colour scale, of the fields over `scale`; None for those of the fields.
        extremes: lowest and highest value of all fields.
        colours: the colour map; None for the field's own.
        label: of the colour bar; None for the field's own.
        scale: divisor of the values; None for one that fits.
        meaning: of the fields.
        columns: panels a row; None for as many as can be read.
        mirror: sign of the values below y = 0, where the other half is drawn too; 0 for no such half.
    """

    width: float
    lengths: UnitRequest
    limits: tuple[float, float] | None
    extremes: tuple[float, float]
    colours: Any
    label: str | None
    scale: float | None
    meaning: Meaning
    columns: int | None = None
    mirror: int = 0

    def of(self, cells: Sequence[fields.Cells]) -> FieldOptions:
        """Return the options with the extremes of what is drawn: without those in a vacuum."""
        values = np.concatenate([part.values for part in cells])
        drawn = values[np.isfinite(values)]
        drawn = np.concatenate([drawn, -drawn]) if self.mirror < 0 else drawn
        return replace(self, extremes=(float(drawn.min()), float(drawn.max()))) if drawn.size else self

    def quantity(self) -> AxisLabel:
        """Return the label of the colour bar."""
        return labels.quantity(self.meaning, self.limits or self.extremes, self.label, self.scale)

    def ends(self, divisor: float, colours: Any) -> tuple[float, float]:
        """Return the ends of the colour scale, of the fields over their divisor."""
        if self.limits is None:
            return labels.symmetric((self.extremes[0] / divisor, self.extremes[1] / divisor), colours)
        factor = 1.0 if self.scale is not None else divisor  # limits are those of the divided field, or not
        return self.limits[0] / factor, self.limits[1] / factor


def figure(
    cells: Sequence[fields.Cells], titles: list[str], options: FieldOptions, draw: Any = None, *, bar: bool = True
) -> Figure:
    """Return panels row by row with one colour bar.

    Args:
        cells: a field a panel.
        titles: of the panels.
        options: of the picture.
        draw: function of axes, field, limits, colours and the label of lengths that fills a panel; `panel` when left
            out.
        bar: False for no colour bar.
    """
    if options.mirror:
        cells = [mirrored(part, options.mirror) for part in cells]
    points = cells[0].points
    by = labels.lengths(points, options.meaning.system.length, options.lengths)
    shown, colours = options.quantity(), labels.colours(options.meaning, options.colours)
    line = np.count_nonzero(np.ptp(points, axis=0)) == 1
    ends = options.ends(shown.scale, None if line else colours)
    across = min(options.columns or _columns(np.ptp(points, axis=0), options.width, len(cells)), len(cells))
    down = -(-len(cells) // across)
    titles = [style.wrapped(title, options.width / across) for title in titles]
    tall, flat = _sizes(np.ptp(points, axis=0), options.width, across)
    rows = down * (tall + HEADING + 0.13 * max(title.count("\n") for title in titles))
    figure = style.blank(options.width, rows + FOOT + (FOOT + 0.25 if flat else 0.0), maps=not (line or flat))
    panels = figure.subplots(down, across, squeeze=False, sharey=line).ravel()
    for axes, part, title in zip(panels, cells, titles, strict=False):
        (draw or panel)(axes, divided(part, by.scale, shown.scale), ends, colours, by)
        axes.set_title(title)
    for axes in panels[len(cells) :]:
        axes.set_axis_off()
    if line:
        for axes in panels[::across]:
            axes.set_ylabel(shown.fitted(tall))
    elif bar:
        scale = ScalarMappable(Normalize(*ends), colours)
        place: dict[str, Any] = {"location": "bottom", "aspect": 40} if flat else {"pad": 0.02, "aspect": 25}
        figure.colorbar(scale, ax=panels.tolist(), label=str(shown) if flat else shown.fitted(tall * down), **place)
    return figure


def mirrored[Part: fields.Cells](part: Part, sign: int) -> Part:
    """Return a field with its mirror image in y = 0, of values times a sign, and what else the nodes have."""
    ends, nodes = grid_of(part).cell_offsets, part.cells + len(part.points)
    nodes[ends[:-1] + np.arange(len(ends) - 1)] -= len(part.points)  # the number of nodes of each cell
    twice = {f.name: np.concatenate([getattr(part, f.name)] * 2) for f in dataclasses.fields(part) if f.name in NODAL}
    twice["values"][len(part.values) :] *= sign
    points = np.concatenate([part.points, part.points * (1, -1, 1)])
    cells, types = np.concatenate([part.cells, nodes]), np.concatenate([part.types] * 2)
    return replace(part, points=points, cells=cells, types=types, **twice)


def divided(cells: fields.Cells, length: float, value: float) -> fields.Cells:
    """Return the cells with points and values divided."""
    return replace(cells, points=cells.points / length, values=cells.values / value)


def _aspect(extent: Floats) -> float:
    """Return width over height of a panel."""
    if np.count_nonzero(extent) == 1:
        return 1.6
    return 1.3 if extent[2] else float(np.clip(extent[0] / extent[1], 0.4, 12.0))


def _columns(extent: Floats, width: float, panels: int) -> int:
    """Return the panels a row, as many as are not too low to be read; the rows are of one length where that can be."""
    most = int(np.clip((width - EDGE) / (LOW * _aspect(extent)), 1, panels))
    return -(-panels // -(-panels // most))


def _sizes(extent: Floats, width: float, across: int) -> tuple[float, bool]:
    """Return the height of panels [inch], and True if they are so low that the colour bar lies below them."""
    line, aspect = np.count_nonzero(extent) == 1, _aspect(extent)
    flat = not line and (width - EDGE) / across / aspect < FLAT
    wide = (width - (0.25 if line or flat else BAR) - EDGE) / across
    return min(wide / aspect, 1.5 * width), flat


def panel(axes: Axes, cells: fields.Cells, limits: tuple[float, float], colours: str | Colormap, by: AxisLabel) -> None:
    """Draw one field: a curve in one dimension, colours in two, a view of the body in three."""
    extent = np.ptp(cells.points, axis=0)
    dim = int(np.count_nonzero(extent))
    if dim == 1:
        along = int(extent.argmax())
        order = np.argsort(cells.points[:, along], kind="stable")
        axes.plot(cells.points[order, along], cells.values[order], color=style.named_colour(0))
        room = 0.05 * (limits[1] - limits[0])
        axes.set(xlabel=by.axis("xyz"[along]), ylim=(limits[0] - room, limits[1] + room) if room else None)
        if limits[0] < 0 < limits[1]:
            axes.axhline(0.0, color=style.GREY, linewidth=0.7)
        axes.margins(x=0)
    elif dim == 2 and cells.types[0] in CURVES:
        lines, values = lines_of(cells)
        axes.add_collection(LineCollection(list(lines), array=values, norm=Normalize(*limits), cmap=colours, lw=2.5))
        plane(axes, cells.points, by)
        axes.autoscale_view()
    elif dim == 2:
        shade(axes, triangles_of(grid_of(cells)), limits, colours)
        plane(axes, cells.points, by)
        axes.label_outer()
        (left, bottom, _), (right, top, _) = cells.points.min(axis=0), cells.points.max(axis=0)
        axes.set(xlim=(left, right), ylim=(bottom, top))
    else:
        plotter = rendering.blank()
        rendering.add_field(plotter, joined(grid_of(cells)), limits, colours)
        body(axes, plotter, cells.points, by)


def shade(axes: Axes, surface: pyvista.PolyData, limits: tuple[float, float], colours: Any) -> None:
    """Draw point data "value" of triangles as smooth colours, as pixels also in files of lines."""
    triangles = Triangulation(surface.points[:, 0], surface.points[:, 1], surface.faces.reshape(-1, 4)[:, 1:])
    low, high = limits
    values = surface.point_data["value"]
    axes.tripcolor(triangles, values, shading="gouraud", cmap=colours, vmin=low, vmax=high, rasterized=True)


def plane(axes: Axes, points: Floats, by: AxisLabel) -> None:
    """Label the axes of a plane, with equal scales and fewer numbers along the shorter one."""
    axes.set(aspect="equal", xlabel=by.axis("x"), ylabel=by.axis("y"))
    axes.ticklabel_format(style="sci", scilimits=(-3, 4))
    sides = np.ptp(points, axis=0)[:2]
    for name, side in zip("xy", sides, strict=True):
        axes.locator_params(axis=name, nbins=max(1, round(5 * side / sides.max())))  # type: ignore[arg-type]


def body(axes: Axes, plotter: pyvista.Plotter, points: Floats, by: AxisLabel, camera: Camera | None = None) -> None:
    """Draw the picture of a body with its size and the directions of x, y, z below it; close the plotter."""
    camera = camera or Camera()
    image = rendering.screenshot(plotter, np.array([points.min(axis=0), points.max(axis=0)]), camera)
    plotter.close()
    axes.imshow(image)
    axes.set_axis_off()
    axes.text(1.0, -0.02, by.size(points), transform=axes.transAxes, ha="right", va="top", fontsize="small")
    paper: Any = axes.figure
    corner: Any = offset_copy(axes.transAxes, paper, 14, -16, units="points")
    line = {"arrowstyle": "-", "color": style.GREY, "linewidth": 0.8, "shrinkA": 2, "shrinkB": 0}
    place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": "x-small", "color": style.GREY}
    for name, end in zip("xyz", np.transpose(camera.screen()), strict=True):
        axes.annotate(name, (0, 0), 13 * end, xycoords=corner, textcoords="offset points", arrowprops=line, **place)


def lines_of(cells: fields.Cells) -> tuple[Floats, Floats]:
    """Return a field on lines in a plane as straight lines, shape (l, 2, 2), and its mean on each, shape (l,)."""
    nodes = cells.cells.reshape(-1, cells.cells[0] + 1)[:, 1:]
    chain = np.concatenate([nodes[:, :1], nodes[:, 2:], nodes[:, 1:2]], axis=1)  # VTK lists the ends first
    pairs = np.stack([chain[:, :-1], chain[:, 1:]], axis=-1).reshape(-1, 2)
    return cells.points[pairs][:, :, :2], cells.values[pairs].mean(axis=1)


def triangles_of(grid: pyvista.UnstructuredGrid) -> pyvista.PolyData:
    """Return plane cells as straight triangles with their point data; curved cells are cut finer."""
    return grid.extract_surface(nonlinear_subdivision=2, algorithm="dataset_surface").triangulate()


def grid_of(cells: fields.Cells) -> pyvista.UnstructuredGrid:
    """Return the cells with point data "value"."""
    grid = pyvista.UnstructuredGrid(cells.cells, cells.types, cells.points)
    grid.point_data["value"] = cells.values
    return grid


def joined(grid: pyvista.UnstructuredGrid) -> pyvista.UnstructuredGrid:
    """Return the grid with one point at each place, so that faces inside a body are not drawn."""
    return grid.clean(tolerance=1e-9 * float(np.ptp(grid.points, axis=0).max()))
