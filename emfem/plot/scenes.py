"""The parts of a picture of a current: on a line, in the plane, in space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emfem import fields
from emfem.plot import cells, rendering, style
from emfem.plot.camera import Camera
from emfem.plot.labels import AxisLabel
from emfem.plot.meshes import frame, outline
from emfem.plot.simplices import Floats, SimplexMesh

import numpy as np
import pyvista
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from matplotlib.tri import Triangulation
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ARROWS = 8  # the most lines that carry one: more would be a heap


@dataclass(frozen=True, eq=False)
class CurrentPicture:
    """Content of a picture of a current, on rank 0.

    Attributes:
        mesh: the domain, with the values j, density and phi; points and density are divided.
        names: of the boundaries.
        electrodes: texts of the legend by the name of the electrode.
        lines: stream lines, each of shape (l, 3).
        over: a field for the colours instead of |j|.
        limits: ends of the colour scale.
        label: of the colours.
        colours: the colour map.
        potential: label of the potential.
        lengths: label of lengths.
        width: of the figure [inch].
    """

    mesh: SimplexMesh
    names: tuple[str, ...]
    electrodes: dict[str, str]
    lines: list[Floats]
    over: fields.Cells | None
    limits: tuple[float, float]
    label: AxisLabel
    colours: str | Colormap
    potential: AxisLabel
    lengths: AxisLabel
    width: float


def figure_of(scene: CurrentPicture, dim: int) -> Figure:
    """Return the picture for the dimension of the domain."""
    if scene.mesh.dim == 1 and dim == 1:
        return _curves(scene)
    return _map(scene) if dim == 2 else _body(scene)


def _levels(values: Floats) -> Floats:
    """Return about ten round values inside the range of the potential; none for a constant."""
    low, high = float(values.min()), float(values.max())
    if not high - low > 1e-12 * max(abs(low), abs(high)):
        return np.zeros(0)
    ticks = np.asarray(MaxNLocator(12, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    room = 1e-6 * (high - low)
    return ticks[(ticks > low + room) & (ticks < high - room)]


def _map(scene: CurrentPicture) -> Figure:
    """Draw a plane conductor."""
    mesh = scene.mesh
    extent = np.ptp(mesh.points, axis=0)
    tall = float(np.clip((scene.width - 1.2) * extent[1] / extent[0], 0.8, 1.4 * scene.width))
    figure = style.blank(scene.width, tall + 0.85 + style.legend_height(scene.width, _handles(scene)))
    axes = figure.subplots()
    if scene.over is None:
        triangles = rendering.dataset(mesh, mesh.values["density"])
        cells.shade(axes, triangles, scene.limits, scene.colours)
    else:
        cells.panel(axes, scene.over, scene.limits, scene.colours, scene.lengths)
    ink = "white" if scene.colours == style.COLOURS else style.INK
    _equipotentials(axes, mesh, ink)
    _paths(axes, scene.lines, ink)
    _conductors(axes, scene)
    frame(axes, mesh.points[:, :2], scene.lengths)
    _bar(figure, axes, scene, min(scene.width - 1.2, tall * extent[0] / extent[1]), tall)
    style.legend(figure, _handles(scene))
    return figure


def _bar(figure: Figure, axes: Axes, scene: CurrentPicture, wide: float, tall: float) -> None:
    """Add a colour bar as high as a picture of a size [inch]; it ends in a point if some values lie beyond."""
    low, high = scene.limits
    if not high > low:
        low, high = low - 0.5, high + 0.5
    beyond = scene.over is None and scene.mesh.values["density"].max() > 1.0001 * high
    scale = ScalarMappable(Normalize(low, high), scene.colours)
    place = axes.inset_axes((1 + 0.08 / wide, 0.0, 0.11 / wide, 1.0), label="<colorbar>")
    figure.colorbar(scale, cax=place, label=scene.label.fitted(tall), extend="max" if beyond else "neither")


def _handles(scene: CurrentPicture) -> list[Any]:
    """Return the handles of the legend: the electrodes."""
    return [style.handle(i, scene.electrodes[name]) for i, name in enumerate(scene.names) if name in scene.electrodes]


def _equipotentials(axes: Axes, mesh: SimplexMesh, ink: str) -> None:
    """Draw dashed lines at equal steps of the potential."""
    levels = _levels(mesh.values["phi"])
    first, place = mesh.joined
    x, y = mesh.points[first, :2].T
    triangles = Triangulation(x, y, place[mesh.simplices])
    if len(levels):
        phi = mesh.values["phi"][first]
        axes.tricontour(triangles, phi, levels, colors=ink, linewidths=0.6, linestyles=[(0, (4, 3))], alpha=0.7)


def _paths(axes: Axes, lines: list[Floats], ink: str) -> None:
    """Draw stream lines with an arrow a third of the way."""
    rim = [withStroke(linewidth=1.3, foreground=style.INK)] if ink == "white" else []
    paths = LineCollection([line[:, :2] for line in lines], colors=ink, linewidths=0.6, zorder=2.5, path_effects=rim)
    axes.add_collection(paths)
    for line in lines[:: max(1, -(-len(lines) // ARROWS))]:
        place, direction = _arrow(line)
        angle = np.degrees(np.arctan2(direction[1], direction[0])) - 90
        look: dict[str, Any] = {"markersize": 4.0, "markeredgewidth": 0, "zorder": 2.6, "path_effects": rim}
        axes.plot(*place[:2], marker=(3, 0, angle), color=ink, **look)


def _arrow(line: Floats) -> tuple[Floats, Floats]:
    """Return the place a third of the way along a path and the direction there; breaks have no length."""
    parts = np.nan_to_num(np.diff(line, axis=0))
    length = np.cumsum(np.linalg.norm(parts, axis=1))
    at = int(np.searchsorted(length, length[-1] / 3))
    return (line[at] + line[at + 1]) / 2, parts[at]


def _conductors(axes: Axes, scene: CurrentPicture) -> None:
    """Draw the outline: electrodes thick and in colour."""
    shown = {i + 1 for i, name in enumerate(scene.names) if name in scene.electrodes}
    outline(axes, scene.mesh, 3.5, shown)


def _curves(scene: CurrentPicture) -> Figure:
    """Draw a conductor in one dimension: potential above, current density (or the field) below."""
    mesh = scene.mesh
    figure = style.blank(scene.width, 3.4)
    above, below = figure.subplots(2, 1, sharex=True)
    order = np.argsort(mesh.points[:, 0], kind="stable")
    x = mesh.points[order, 0]
    above.plot(x, mesh.values["phi"][order] / scene.potential.scale, color=style.INK)
    above.set(ylabel=scene.potential.fitted(1.2))
    values, at = mesh.values["density"], mesh.points
    if scene.over is not None:
        values, at = scene.over.values, scene.over.points
    along = np.argsort(at[:, 0], kind="stable")
    below.plot(at[along, 0], values[along], color=style.INK)
    below.set(xlabel=scene.lengths.axis("x"), ylabel=scene.label.fitted(1.2))
    if scene.over is None:
        below.set_ylim(0, 1.1 * scene.limits[1] or 1.0)
    for end, tag in mesh.named_ends():
        if scene.names[tag - 1] in scene.electrodes:
            dot: dict[str, Any] = {"color": style.named_colour(tag - 1), "markersize": 6, "clip_on": False, "zorder": 3}
            above.plot(mesh.points[end, 0], mesh.values["phi"][end] / scene.potential.scale, "o", **dot)
    style.legend(figure, _handles(scene))
    return figure


def _body(scene: CurrentPicture) -> Figure:
    """Draw a conductor in space with tubes along its lines: a translucent body, or both sides of a shell."""
    sides = (Camera(), Camera().opposite()) if scene.mesh.dim == 2 else (Camera(),)
    wide = (scene.width - 0.95) / len(sides)
    images = []
    figure = style.blank(scene.width, 1.0)
    panels = figure.subplots(1, len(sides), squeeze=False).ravel()
    for axes, side in zip(panels, sides, strict=True):
        plotter = rendering.blank()
        _conductor(plotter, scene)
        _tubes(plotter, scene)
        cells.body(axes, plotter, scene.mesh.points, scene.lengths, side)
        images.append(axes.images[0].get_size())
    tall = max(*(wide * rows / columns for rows, columns in images), 0.8)
    figure.set_figheight(tall + 0.6 + style.legend_height(scene.width, _handles(scene)))
    _bar(figure, panels[-1], scene, wide, tall)
    style.legend(figure, _handles(scene))
    return figure


def _conductor(plotter: pyvista.Plotter, scene: CurrentPicture) -> None:
    """Add the conductor and its electrodes."""
    mesh = scene.mesh
    facets, tags = mesh.skin
    shell = mesh.dim == 2
    if scene.over is not None:
        data = cells.joined(cells.grid_of(scene.over))
        rendering.add_field(plotter, data, scene.limits, scene.colours, opacity=1.0 if shell else 0.5, sharp=False)
    elif shell:
        rendering.add_field(plotter, rendering.dataset(mesh, mesh.values["density"]), scene.limits, scene.colours)
    else:
        skin = pyvista.PolyData.from_regular_faces(mesh.points, facets)
        plotter.add_mesh(skin, color=style.GREY, opacity=0.12)
    for i, name in enumerate(scene.names):
        if name in scene.electrodes:
            if shell:
                plotter.add_mesh(rendering.rim(mesh, i + 1), color=style.named_colour(i), lighting=False)
            else:
                face = pyvista.PolyData.from_regular_faces(mesh.points, facets[tags == i + 1])
                plotter.add_mesh(face, color=style.named_colour(i), opacity=0.6, ambient=0.6, diffuse=0.4)
    sharp = rendering.sharp_edges(rendering.dataset(mesh, joined=True))
    if sharp.n_cells:
        plotter.add_mesh(sharp, color=style.GREY, line_width=2)


def _tubes(plotter: pyvista.Plotter, scene: CurrentPicture) -> None:
    """Add the stream lines, in the colours of |j| unless those mean another field."""
    if not scene.lines:
        return
    mesh = scene.mesh
    thick = 0.0035 * float(np.linalg.norm(np.ptp(mesh.points, axis=0)))
    nearest = cKDTree(mesh.points)
    every = -(-len(scene.lines) // ARROWS)
    for i, line in enumerate(scene.lines):
        place, direction = _arrow(line)
        cone = pyvista.Cone(center=place, direction=direction, height=7 * thick, radius=2.5 * thick, resolution=16)
        parts = np.split(line, np.flatnonzero(np.isnan(line[:, 0])))
        paths = [path[~np.isnan(path[:, 0])] for path in parts]
        tubes = [pyvista.lines_from_points(path).tube(radius=thick) for path in paths if len(path) > 1]
        for part in (*tubes, cone) if i % every == 0 else tubes:
            if scene.over is None:
                part.point_data["density"] = mesh.values["density"][nearest.query(part.points)[1]]
                colours: dict[str, Any] = {"scalars": "density", "clim": scene.limits, "cmap": scene.colours}
            else:
                colours = {"color": style.INK}
            plotter.add_mesh(part, show_scalar_bar=False, ambient=0.4, diffuse=0.6, **colours)
