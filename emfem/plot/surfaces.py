"""Pictures of metal with a moving surface: the phase field's contour, at c = 1/2, bounds what is drawn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emfem import fields
from emfem.errors import ParameterError, count, number
from emfem.gate import checked
from emfem.model import Model
from emfem.plot import cells, rendering, style
from emfem.plot.fields import Frames, field_options, frames_of, panel_titles
from emfem.plot.labels import AxisLabel
from emfem.plot.simplices import Floats

import numpy as np
from dolfinx import fem
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVEL = 0.5  # of c on the surface of a metal
METAL = ListedColormap([style.DENSITY(0.55)])  # without a field for the colours


@dataclass(frozen=True)
class PhaseCells(fields.Cells):
    """Field on VTK cells, to be drawn where c is above a level.

    Attributes:
        c: nodal values of the phase, shape (n,).
        level: of c, where the drawn part ends.
    """

    c: Floats
    level: float


@checked(collective=True)
def surface(
    source: Model | Frames | Sequence[fem.Function],
    path: str | os.PathLike[str] | None = None,
    *,
    over: Any = None,
    component: str | None = None,
    level: float = LEVEL,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    label: str | None = None,
    scale: float | None = None,
    limits: tuple[float, float] | None = None,
    colours: str | Colormap | None = None,
    mirror: bool | None = None,
    length: float | None = None,
    unit: str | None = None,
    width: str | float = "column",
) -> Figure | None:
    """Draw metal with its surface c = 1/2, in a plane or in space, or what another level of c bounds. Collective.

    Args:
        source: a model of `em.surface.model`, or snapshots of its c, which are drawn side by side.
        path: as in `em.plot.field`.
        over: field that colours the metal of a model: its name, such as "c" or "j", a Function or a UFL expression; one
            colour when left out.
        component: of `over`, as in `em.plot.field`.
        level: of c on the surface, such as the mean composition of a film [-].
        titles: one a panel; none of a model, the times of the snapshots when left out.
        columns: as in `em.plot.film_strip`.
        label: as in `em.plot.field`, of `over`, as the next three.
        scale: as in `em.plot.field`.
        limits: as in `em.plot.field`; those of the field in the whole domain when left out.
        colours: as in `em.plot.field`.
        mirror: as in `em.plot.field`; when left out of a model that is turned about an axis.
        length: as in `em.plot.field`.
        unit: as in `em.plot.field`.
        width: as in `em.plot.field`.

    Returns:
        The figure on rank 0, None on other ranks.

    Raises:
        ParameterError: for a model without c, a line or a shell, `over` beside snapshots, titles that do not match,
            no metal, or a file that cannot be written.
        UnknownName: for a field or a component that does not exist.
    """
    phases, titles = _phases(source, titles, number("level", level))
    if over is not None and not isinstance(source, Model):
        msg = "over with snapshots, must come with a model: it is a field at one time"
        raise ParameterError(msg)
    if isinstance(over, str) and isinstance(source, Model):
        source[over]  # refuses unknown names
        over = source.fields[over]
    columns = None if columns is None else count("columns", columns, at_least=1)
    mesh = phases[0].function_space.mesh
    target = style.picture(path, mesh.comm)
    drawn = phases if over is None else [fields.component(over, component)]
    tint = METAL if over is None else colours
    both_halves = isinstance(source, Model) and source.domain.turned if mirror is None else mirror
    options = field_options(
        drawn, width, length, unit, limits, tint, label, scale, columns, mirror=both_halves, component=component
    )
    degree = phases[0].function_space.element.basix_element.degree
    both = [fields.discontinuous(f, mesh, degree) for f in (*phases, *drawn)]

    def render(parts: list[fields.Cells]) -> Figure:
        half = len(parts) // 2
        panels = [
            PhaseCells(part.points, part.cells, part.types, part.values, phase.values, level)
            for phase, part in zip(parts[:half], parts[half:], strict=True)
        ]
        figure = cells.figure(panels, list(titles), options, _panel, bar=over is not None)
        return style.written(figure, target)

    return cells.gathered(both, render)


def _phases(
    source: Model | Frames | Sequence[fem.Function], titles: Sequence[str] | None, level: float
) -> tuple[list[fem.Function], Sequence[str]]:
    """Return the phase of each panel and the titles. Collective.

    Raises:
        ParameterError: for another source, no metal, or titles that do not match.
    """
    if isinstance(source, Model):
        if "c" not in source.names or "distance" not in source.names:
            msg = f"the {source.name} model has {', '.join(source.names)}, must have c and distance, as surface has"
            raise ParameterError(msg)
        phases = [source["c"]]
        titles = panel_titles(phases, None, titles or [""])
    else:
        phases, times = frames_of(source)
        titles = panel_titles(phases, times, titles)
    for c in phases:
        cells.check_scalar(c)
        topology, geometry = c.function_space.mesh.topology, c.function_space.mesh.geometry
        high = fields.extremes(c)[1]
        if topology.dim != geometry.dim or topology.dim < 2 or not high > level:
            msg = (
                f"{c.name} up to {high:.4g} on cells of {topology.dim} in {geometry.dim} dimensions, must be above "
                f"{level:g} somewhere in a plane or a body"
            )
            raise ParameterError(msg)
    return phases, titles


def _panel(axes: Axes, part: PhaseCells, limits: tuple[float, float], colours: Any, by: AxisLabel) -> None:
    """Draw the metal of one state."""
    grid = cells.grid_of(part)
    grid.point_data["c"] = part.c
    if np.ptp(part.points[:, 2]):
        plotter = rendering.blank()
        metal = cells.joined(grid).clip_scalar(scalars="c", value=part.level, invert=False)
        rendering.add_field(plotter, metal, limits, colours)
        cells.body(axes, plotter, part.points, by)
        return
    plane = cells.triangles_of(grid)
    cells.shade(axes, plane.clip_scalar(scalars="c", value=part.level, invert=False).triangulate(), limits, colours)
    contour = plane.contour([part.level], scalars="c")
    if contour.n_cells:
        ends = contour.lines.reshape(-1, 3)[:, 1:]
        axes.add_collection(LineCollection(list(contour.points[ends][:, :, :2]), colors=style.INK, linewidths=1.0))
    cells.plane(axes, part.points, by)
    axes.label_outer()
    (left, low, _), (right, high, _) = part.points.min(axis=0), part.points.max(axis=0)
    axes.set(xlim=(left, right), ylim=(low, high))
