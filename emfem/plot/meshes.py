"""Pictures of meshes: cells and their quality, regions and named boundaries."""

from __future__ import annotations

import os
from collections.abc import Set
from typing import TYPE_CHECKING, Any

from emfem.errors import kind
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.plot import cells, labels, networks, rendering, style
from emfem.plot.camera import Camera
from emfem.plot.labels import AxisLabel
from emfem.plot.simplices import Floats, SimplexMesh, simplex_mesh

import numpy as np
import pyvista
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 40


@checked(collective=True)
def mesh(
    domain: Domain,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "",
    length: float | None = None,
    unit: str | None = None,
    width: str | float = "column",
) -> Figure | None:
    """Draw a mesh: cells and their quality, regions and named boundaries. Collective.

    A cell has the tint of its region, the redder the worse its shape is (scaled Jacobian: 1 is a regular cell, 0 a flat
    one), and a histogram below counts them. A periodic mesh is drawn unfolded. A body or a shell is drawn from the
    front and from behind, with its named faces in colour.

    Args:
        domain: of any dimension and shape.
        path: as in `em.plot.field`.
        title: written above the picture; the shape of the domain when left out.
        length: as in `em.plot.field`.
        unit: as in `em.plot.field`.
        width: as in `em.plot.field`.

    Returns:
        The figure on rank 0, None on other ranks.

    Raises:
        ParameterError: for another object than a domain, or a file that cannot be written.
    """
    kind("domain", domain, Domain, "one of em.mesh")
    comm = domain.mesh.comm
    inches, wanted = style.inches(width), labels.unit_request(length, unit)
    target = style.picture(path, comm)
    curved = domain.mesh.geometry.cmaps[0].degree > 1
    whole, statistics = simplex_mesh(domain, 5 if curved and domain.mesh.topology.dim == 2 else 1), domain.quality()
    qualities = comm.gather(domain.cell_quality(), root=0)

    def render() -> Figure:
        assert whole is not None
        assert qualities is not None
        by = labels.lengths(whole.points, domain.system().length, wanted)
        figure = _figure(domain, whole.divided(by.scale), np.concatenate(qualities), inches, by)
        ends = dict.fromkeys(f"{size / by.scale:.3g}" for size in (statistics.smallest, statistics.largest))
        line = f"{statistics.cells} {domain.mesh.topology.cell_name()} cells, diameter {' to '.join(ends)} {by.unit}"
        heading = style.wrapped(f"{title or domain.shape}\n{line.strip()}", inches)
        figure.suptitle(heading, fontsize="medium")
        return style.written(figure, target)

    return style.draw(comm, render)


def _figure(domain: Domain, mesh: SimplexMesh, quality: Floats, width: float, by: AxisLabel) -> Figure:
    """Draw the mesh above, the histogram below."""
    extent = np.ptp(mesh.points, axis=0)
    if mesh.dim == 1 and not domain.shell:
        figure = style.blank(width, 1.3)
        _line(figure.subplots(), mesh, by)
    elif domain.network is not None:
        figure = networks.layout(domain.network, width, by, 2.5 * networks.LINE)
    else:
        flat = domain.dim == 2
        tall = float(np.clip((width - 0.6) * extent[1] / extent[0], 0.5, 1.3 * width)) if flat else 0.45 * width
        figure = style.blank(width, tall + 1.75 + style.legend_height(width, _handles(domain, mesh)))
        layout: list[Any] = [["left", "left" if flat else "right"], ["histogram", "histogram"]]
        panels = figure.subplot_mosaic(layout, height_ratios=[tall, 0.45])
        colours = _colours(mesh, quality)
        if flat:
            _plane(panels["left"], mesh, colours, by)
        else:
            _views((panels["left"], panels["right"]), mesh, colours, by)
        _histogram(panels["histogram"], quality)
    if domain.network is None:
        style.legend(figure, _handles(domain, mesh))
    return figure


def _handles(domain: Domain, mesh: SimplexMesh) -> list[Line2D | Patch]:
    """Return the handles of the legend: boundaries, the seam, regions."""
    lines: list[Line2D | Patch] = [style.handle(i, name) for i, name in enumerate(domain.names)]
    if domain.period.any():
        lines.append(Line2D([], [], color=style.GREY, linestyle="dotted", label="periodic"))
    tints = [Patch(color=_tint(i + 1), label=name) for i, name in enumerate(domain.regions)]
    return lines + tints


def _tint(tag: int) -> tuple[float, float, float]:
    """Return the colour of a good cell of a region; 0 is no region."""
    return to_rgb(style.TINTS[(tag - 1) % len(style.TINTS)] if tag else style.PALE)


def _colours(mesh: SimplexMesh, quality: Floats) -> Floats:
    """Return the colour of each cell, shape (cells, 3)."""
    tints = np.array([_tint(tag) for tag in range(mesh.regions.max(initial=0) + 1)])[mesh.regions]
    return _worse(tints, quality)


def _worse(tints: Floats, quality: Floats) -> Floats:
    """Return the tints of cells, the redder the worse they are; the good half hardly differs."""
    share = (np.clip(1.0 - quality, 0.0, 1.0) ** 1.3)[:, None]
    return (1 - share) * tints + share * np.array(to_rgb(style.WARNING))


def _line(axes: Axes, mesh: SimplexMesh, by: AxisLabel) -> None:
    """Draw a mesh on a line: its nodes, its ends in colour."""
    axes.plot(mesh.points[:, 0], 0 * mesh.points[:, 0], "|-", color=style.INK, linewidth=0.8, markersize=9)
    for end, tag in mesh.named_ends():
        axes.plot(mesh.points[end, 0], 0.0, "o", color=style.named_colour(tag - 1), markersize=6, zorder=3)
    axes.set(xlabel=by.axis("x"), yticks=[], ylim=(-1, 1))
    axes.spines["left"].set_visible(False)


def _plane(axes: Axes, mesh: SimplexMesh, colours: Floats, by: AxisLabel) -> None:
    """Draw a plane mesh."""
    flat = mesh.points[:, :2]
    axes.add_collection(
        PolyCollection(
            list(flat[mesh.simplices]),
            facecolors=colours[mesh.cells],
            edgecolors="none",
            antialiaseds=False,
            rasterized=True,
        )
    )
    size = np.sqrt(np.prod(np.ptp(flat, axis=0)) / len(colours)) / np.ptp(flat, axis=0).max() * 250  # in points
    axes.add_collection(
        LineCollection(list(flat[mesh.edges()]), colors=style.GREY, linewidths=float(np.clip(0.06 * size, 0.1, 0.6)))
    )
    outline(axes, mesh, 2.2)
    frame(axes, flat, by)


def outline(
    axes: Axes, mesh: SimplexMesh, width: float, shown: Set[int] | None = None, *, clipped: bool = False
) -> None:
    """Draw the boundaries of a plane domain: those with the tags `shown`, or all named ones, in colour; others thin."""
    flat = mesh.points[:, :2]
    if mesh.dim == 1:
        for end, tag in mesh.named_ends():
            axes.plot(*flat[end], "o", color=style.named_colour(tag - 1), markersize=2 * width, clip_on=clipped)
        return
    facets, tags = mesh.skin
    ends = mesh.edge
    for tag in np.unique(tags[ends]):
        coloured = tag > 0 and (shown is None or tag in shown)
        look = style.boundary(int(tag) - 1, width) if coloured else {"colors": style.INK, "linewidths": 0.8}
        look |= {"zorder": 4, "capstyle": "projecting"} if coloured else {"zorder": 3, "capstyle": "butt"}
        axes.add_collection(LineCollection(list(flat[facets[(tags == tag) & ends]]), clip_on=clipped, **look))
    seam = flat[facets[~ends]]
    axes.add_collection(LineCollection(list(seam), colors=style.GREY, linestyles="dotted", linewidths=1.2, zorder=3))


def frame(axes: Axes, points: Floats, by: AxisLabel) -> None:
    """Set axes around the points, with equal scales and room for thick lines."""
    lower, upper = points.min(axis=0), points.max(axis=0)
    room = 0.015 * (upper - lower).max()
    cells.plane(axes, points, by)
    axes.set(xlim=(lower[0] - room, upper[0] + room), ylim=(lower[1] - room, upper[1] + room))


def _views(panels: tuple[Axes, Axes], mesh: SimplexMesh, colours: Floats, by: AxisLabel) -> None:
    """Draw a body or shell from two sides."""
    sides = {"from the front": Camera(), "from behind, below": Camera().opposite()}
    for axes, (title, camera) in zip(panels, sides.items(), strict=True):
        plotter = rendering.blank()
        _add_cells(plotter, mesh, colours)
        cells.body(axes, plotter, mesh.points, by, camera)
        axes.set_title(title, fontsize="small")


def _add_cells(plotter: pyvista.Plotter, mesh: SimplexMesh, colours: Floats) -> None:
    """Add a body or a shell: skin, the cells' edges, named boundaries in colour."""
    facets, tags = mesh.skin
    if mesh.dim == 3:
        simplex, _ = np.nonzero(mesh.neighbours(mesh.places) < 0)
        shown = colours[mesh.cells[simplex]]
        for tag in np.unique(tags[tags > 0]):
            shown[tags == tag] = 0.2 * shown[tags == tag] + 0.8 * np.array(to_rgb(style.named_colour(tag - 1)))
        skin = pyvista.PolyData.from_regular_faces(mesh.points, facets)
    else:
        shown = colours[mesh.cells]
        skin = pyvista.PolyData.from_regular_faces(mesh.points, mesh.simplices)
        for tag in np.unique(tags[tags > 0]):
            plotter.add_mesh(rendering.rim(mesh, int(tag)), color=style.named_colour(tag - 1), lighting=False)
    plotter.add_mesh(skin, scalars=(255 * shown).astype(np.uint8), rgb=True, ambient=0.65, diffuse=0.4)
    plotter.add_mesh(rendering.lines(mesh.points, mesh.edges()), color=style.INK, line_width=2.0, opacity=0.8)


def _histogram(axes: Axes, quality: Floats) -> None:
    """Draw the number of cells by quality, in the colours of the cells."""
    counts, ends = np.histogram(np.clip(quality, 0.0, 1.0), BINS, (0.0, 1.0))
    middles = (ends[1:] + ends[:-1]) / 2
    bars = _worse(np.tile(to_rgb("0.86"), (BINS, 1)), middles)
    axes.bar(middles, counts, width=1 / BINS, color=bars, edgecolor=style.GREY, linewidth=0.4)
    axes.set(xlim=(0, 1), ylabel="cells")
    axes.set_xlabel(f"quality of cells: {quality.min():.2f} at worst, {quality.mean():.2f} on average")
    axes.locator_params(axis="y", nbins=3, integer=True)
