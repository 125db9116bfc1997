"""The parts of a picture of a current: on a line, in the plane, in space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emfem import fields
from emfem.plot import cells, labels, style
from emfem.plot.meshes import BEHIND, FRONT, frame, outline, rim
from emfem.plot.pieces import Floats, Pieces

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

ARROWS = 8  # at most so many lines carry one: more would be a heap


@dataclass(frozen=True, eq=False)
class Scene:
    """What a picture of a current shows, on rank 0.

    Attributes:
        pieces: the domain, with the values j, density and phi; points and density as they are told.
        names: of the boundaries.
        electrodes: for each electrode by name, what the legend says of it.
        lines: stream lines, each of shape (l, 3).
        over: a field to colour by instead of |j|.
        limits: ends of the colour scale.
        shown: what the colours are, and how it is told.
        colours: the colour map.
        potential: how the potential is told.
        by: how lengths are told.
        width: of the figure [inch].
    """

    pieces: Pieces
    names: tuple[str, ...]
    electrodes: dict[str, str]
    lines: list[Floats]
    over: fields.Cells | None
    limits: tuple[float, float]
    shown: labels.Shown
    colours: str | Colormap
    potential: labels.Shown
    by: labels.Lengths
    width: float


def figure_of(scene: Scene, dim: int) -> Figure:
    """The picture, by the dimension of the domain."""
    if scene.pieces.dim == 1 and dim == 1:
        return _curves(scene)
    return _map(scene) if dim == 2 else _body(scene)


def _levels(values: Floats) -> Floats:
    """About ten round values inside the range of the potential; none for a constant."""
    low, high = float(values.min()), float(values.max())
    if not high - low > 1e-12 * max(abs(low), abs(high)):
        return np.zeros(0)
    ticks = np.asarray(MaxNLocator(12, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    room = 1e-6 * (high - low)
    return ticks[(ticks > low + room) & (ticks < high - room)]


def _map(scene: Scene) -> Figure:
    """A plane conductor."""
    found = scene.pieces
    extent = np.ptp(found.points, axis=0)
    tall = float(np.clip((scene.width - 1.2) * extent[1] / extent[0], 0.8, 1.4 * scene.width))
    figure = style.blank(scene.width, tall + 0.85 + style.legend_height(scene.width, _handles(scene)))
    axes = figure.subplots()
    if scene.over is None:
        triangles = Triangulation(found.points[:, 0], found.points[:, 1], found.simplices)
        density = found.values["density"]
        cells.shade(axes, triangles, density, scene.limits, scene.colours)
    else:
        cells.panel(axes, scene.over, scene.limits, scene.colours, scene.by)
    ink = "white" if scene.colours == style.COLOURS else style.INK
    _equipotentials(axes, found, ink)
    _paths(axes, scene.lines, ink)
    _conductors(axes, scene)
    frame(axes, found.points[:, :2], scene.by)
    _bar(figure, axes, scene, min(scene.width - 1.2, tall * extent[0] / extent[1]), tall)
    style.legend(figure, _handles(scene))
    return figure


def _bar(figure: Figure, axes: Axes, scene: Scene, wide: float, tall: float) -> None:
    """A colour bar as high as a picture of a size [inch]; it ends in a point if some values lie beyond."""
    low, high = scene.limits
    if not high > low:
        low, high = low - 0.5, high + 0.5
    beyond = scene.over is None and scene.pieces.values["density"].max() > 1.0001 * high
    scale = ScalarMappable(Normalize(low, high), scene.colours)
    place = axes.inset_axes((1 + 0.08 / wide, 0.0, 0.11 / wide, 1.0), label="<colorbar>")
    figure.colorbar(scale, cax=place, label=scene.shown.fitted(tall), extend="max" if beyond else "neither")


def _handles(scene: Scene) -> list[Any]:
    """What the legend says: the electrodes."""
    return [style.handle(i, scene.electrodes[name]) for i, name in enumerate(scene.names) if name in scene.electrodes]


def _equipotentials(axes: Axes, found: Pieces, ink: str) -> None:
    """Dashed lines at equal steps of the potential."""
    levels = _levels(found.values["phi"])
    _, first, place = np.unique(found.places, return_index=True, return_inverse=True)
    x, y = found.points[first, :2].T
    triangles = Triangulation(x, y, place[found.simplices])
    if len(levels):
        phi = found.values["phi"][first]
        axes.tricontour(triangles, phi, levels, colors=ink, linewidths=0.6, linestyles=[(0, (4, 3))], alpha=0.7)


def _paths(axes: Axes, lines: list[Floats], ink: str) -> None:
    """Stream lines with an arrow a third of the way."""
    rim = [withStroke(linewidth=1.3, foreground=style.INK)] if ink == "white" else []
    paths = LineCollection([line[:, :2] for line in lines], colors=ink, linewidths=0.6, zorder=2.5, path_effects=rim)
    axes.add_collection(paths)
    for line in lines[:: max(1, -(-len(lines) // ARROWS))]:
        place, direction = _arrow(line)
        angle = np.degrees(np.arctan2(direction[1], direction[0])) - 90
        look: dict[str, Any] = {"markersize": 4.0, "markeredgewidth": 0, "zorder": 2.6, "path_effects": rim}
        axes.plot(*place[:2], marker=(3, 0, angle), color=ink, **look)


def _arrow(line: Floats) -> tuple[Floats, Floats]:
    """The place a third of the way along a path and the direction there; breaks have no length."""
    parts = np.nan_to_num(np.diff(line, axis=0))
    length = np.cumsum(np.linalg.norm(parts, axis=1))
    at = int(np.searchsorted(length, length[-1] / 3))
    return (line[at] + line[at + 1]) / 2, parts[at]


def _conductors(axes: Axes, scene: Scene) -> None:
    """The outline: electrodes thick and in colour."""
    shown = {i + 1 for i, name in enumerate(scene.names) if name in scene.electrodes}
    outline(axes, scene.pieces, 3.5, shown)


def _curves(scene: Scene) -> Figure:
    """A conductor in one dimension: potential above, current density (or the field) below."""
    found = scene.pieces
    figure = style.blank(scene.width, 3.4)
    above, below = figure.subplots(2, 1, sharex=True)
    order = np.argsort(found.points[:, 0], kind="stable")
    x = found.points[order, 0]
    above.plot(x, found.values["phi"][order] / scene.potential.scale, color=style.INK)
    above.set(ylabel=scene.potential.fitted(1.2))
    values, at = found.values["density"], found.points
    if scene.over is not None:
        values, at = scene.over.values, scene.over.points
    along = np.argsort(at[:, 0], kind="stable")
    below.plot(at[along, 0], values[along], color=style.INK)
    below.set(xlabel=scene.by.label("x"), ylabel=scene.shown.fitted(1.2))
    if scene.over is None:
        below.set_ylim(0, 1.1 * scene.limits[1] or 1.0)
    simplex, opposite = np.nonzero(found.tags > 0)
    ends = found.facet(simplex, opposite)[:, 0]
    for end, tag in zip(ends, found.tags[simplex, opposite], strict=True):
        if scene.names[tag - 1] in scene.electrodes:
            dot: dict[str, Any] = {"color": style.named_colour(tag - 1), "markersize": 6, "clip_on": False, "zorder": 3}
            above.plot(found.points[end, 0], found.values["phi"][end] / scene.potential.scale, "o", **dot)
    style.legend(figure, _handles(scene))
    return figure


def _body(scene: Scene) -> Figure:
    """A conductor in space with tubes along the lines: a translucent body from the front, a surface from both sides."""
    plotter = style.stage()
    _matter(plotter, scene)
    _tubes(plotter, scene)
    sides = (FRONT, BEHIND) if scene.pieces.dim == 2 else (FRONT,)
    images = [style.look(plotter, side) for side in sides]
    plotter.close()
    wide = (scene.width - 0.8) / len(sides)
    tall = max(*(wide * image.shape[0] / image.shape[1] for image in images), 0.8)
    figure = style.blank(scene.width, tall + 0.6 + style.legend_height(scene.width, _handles(scene)))
    panels = figure.subplots(1, len(sides), squeeze=False).ravel()
    for axes, image in zip(panels, images, strict=True):
        axes.imshow(image)
        axes.set_axis_off()
    cells.size(panels[0], scene.by.size(scene.pieces.points))
    _bar(figure, panels[-1], scene, wide, tall)
    style.legend(figure, _handles(scene))
    return figure


def _matter(plotter: pyvista.Plotter, scene: Scene) -> None:
    """Put the conductor and its electrodes on the stage."""
    found = scene.pieces
    facets, tags = found.skin
    shell = found.dim == 2
    skin = pyvista.PolyData.from_regular_faces(found.points, found.simplices if shell else facets)
    scale: dict[str, Any] = {"clim": scene.limits, "cmap": scene.colours, "show_scalar_bar": False}
    if scene.over is not None:
        near = 1e-9 * float(np.ptp(found.points, axis=0).max())
        joined = cells.grid_of(scene.over).clean(tolerance=near)  # else faces inside would be seen, cell by cell
        plotter.add_mesh(joined, scalars="value", opacity=1.0 if shell else 0.5, **scale)
    elif shell:
        skin.point_data["density"] = found.values["density"]
        plotter.add_mesh(skin, scalars="density", lighting=False, **scale)
    else:
        plotter.add_mesh(skin, color=style.GREY, opacity=0.12)
    for i, name in enumerate(scene.names):
        if name in scene.electrodes:
            part = facets[tags == i + 1]
            if shell:
                plotter.add_mesh(rim(found, part), color=style.named_colour(i), lighting=False)
            else:
                face = pyvista.PolyData.from_regular_faces(found.points, part)
                plotter.add_mesh(face, color=style.named_colour(i), opacity=0.6, ambient=0.6, diffuse=0.4)
    _, first, place = np.unique(found.places, return_index=True, return_inverse=True)
    whole = pyvista.PolyData.from_regular_faces(found.points[first], place[found.simplices if shell else facets])
    turned = whole.compute_normals(consistent_normals=True, split_vertices=False)
    sharp = turned.extract_feature_edges(30, non_manifold_edges=False, manifold_edges=False)
    if sharp.n_cells:
        plotter.add_mesh(sharp, color=style.GREY, line_width=2)


def _tubes(plotter: pyvista.Plotter, scene: Scene) -> None:
    """Put the stream lines on the stage, in the colours of |j| unless those mean another field."""
    if not scene.lines:
        return
    found = scene.pieces
    thick = 0.0035 * float(np.linalg.norm(np.ptp(found.points, axis=0)))
    nearest = cKDTree(found.points)
    every = -(-len(scene.lines) // ARROWS)
    for i, line in enumerate(scene.lines):
        place, direction = _arrow(line)
        cone = pyvista.Cone(center=place, direction=direction, height=7 * thick, radius=2.5 * thick, resolution=16)
        pieces_ = np.split(line, np.flatnonzero(np.isnan(line[:, 0])))
        paths = [path[~np.isnan(path[:, 0])] for path in pieces_]
        tubes = [pyvista.lines_from_points(path).tube(radius=thick) for path in paths if len(path) > 1]
        for part in (*tubes, cone) if i % every == 0 else tubes:
            if scene.over is None:
                part.point_data["density"] = found.values["density"][nearest.query(part.points)[1]]
                colours: dict[str, Any] = {"scalars": "density", "clim": scene.limits, "cmap": scene.colours}
            else:
                colours = {"color": style.INK}
            plotter.add_mesh(part, show_scalar_bar=False, ambient=0.4, diffuse=0.6, **colours)
