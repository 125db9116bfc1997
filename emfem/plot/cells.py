"""Fields on cells that were gathered on rank 0, as panels of a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from emfem import fields
from emfem.errors import ParameterError
from emfem.plot import style

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


def gathered(functions: Sequence[fem.Function], render: Callable[[list[fields.Cells]], None]) -> None:
    """Gather the fields and render on rank 0; its trouble is everybody's. Collective.

    Raises:
        ParameterError: if a field has components.
        EmfemError: if the picture could not be drawn.
    """
    for function in functions:
        is_scalar(function)
    cells = [fields.gather(function) for function in functions]
    style.draw(functions[0].function_space.mesh.comm, lambda: render([part for part in cells if part is not None]))


def figure(
    cells: list[fields.Cells],
    titles: list[str],
    limits: tuple[float, float],
    colours: str,
    columns: int | None = None,
    label: str = "",
) -> Figure:
    """Panels row by row, with one colour bar for all."""
    across = min(columns or len(cells), len(cells))
    down = -(-len(cells) // across)
    height = 5.0 if len(cells) == 1 else 3.0
    width, tall, _ = np.ptp(cells[0].points, axis=0)
    aspect = float(np.clip(width / tall, 0.4, 3.0)) if tall else 1.6
    figure = style.blank(height * aspect * across + 1.2, (height + 0.6) * down)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for i, axes in enumerate(panels):
        if i < len(cells):
            panel(axes, cells[i], limits, colours)
            axes.set_title(titles[i])
        else:
            axes.set_axis_off()
    if tall:
        scale = ScalarMappable(Normalize(*limits), colours)
        figure.colorbar(scale, ax=panels.tolist(), shrink=0.8, pad=0.02, aspect=25, label=label)
    return figure


def panel(axes: Axes, cells: fields.Cells, limits: tuple[float, float], colours: str | Colormap) -> None:
    """One field: a curve in one dimension, colours in two, a view of the body in three."""
    dim = int(np.count_nonzero(np.ptp(cells.points, axis=0)))
    if dim == 1:
        order = np.argsort(cells.points[:, 0], kind="stable")
        axes.plot(cells.points[order, 0], cells.values[order])
        axes.set(xlabel="x", ylim=limits)
    elif dim == 2 and cells.types[0] in CURVES:
        lines, values = lines_of(cells)
        axes.add_collection(LineCollection(list(lines), array=values, norm=Normalize(*limits), cmap=colours, lw=2.5))
        axes.set(aspect="equal", xlabel="x", ylabel="y")
        axes.ticklabel_format(style="sci", scilimits=(-3, 4))
        axes.autoscale_view()
    elif dim == 2:
        surface = grid_of(cells).extract_surface(nonlinear_subdivision=2, algorithm="dataset_surface").triangulate()
        corners = surface.faces.reshape(-1, 4)[:, 1:]
        triangles = Triangulation(surface.points[:, 0], surface.points[:, 1], corners)
        low, high = limits
        axes.tripcolor(triangles, surface.point_data["value"], shading="gouraud", cmap=colours, vmin=low, vmax=high)
        axes.set(aspect="equal", xlabel="x", ylabel="y")
        axes.ticklabel_format(style="sci", scilimits=(-3, 4))
        axes.label_outer()
        axes.margins(0)
    else:
        axes.imshow(view(cells, limits, colours))
        axes.set_axis_off()


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
