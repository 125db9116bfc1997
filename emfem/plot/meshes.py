"""A mesh as a picture: its cells and how good they are, its regions and its named boundaries."""

from __future__ import annotations

import os
from collections.abc import Set
from typing import TYPE_CHECKING, Any

from emfem.errors import kind
from emfem.mesh import Domain
from emfem.plot import cells, labels, networks, style
from emfem.plot.pieces import Floats, Pieces, pieces

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
FRONT, BEHIND = (1.0, -1.6, 1.1), (-1.0, 1.6, -1.1)


def mesh(
    domain: Domain,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "",
    length: float | None = None,
    unit: str | None = None,
    width: str | float = "column",
) -> Figure | None:
    """Draw a mesh: cells, regions and named boundaries, and how good the cells are. Collective.

    A cell has the tint of its region, the redder the worse its shape is (scaled Jacobian: 1 is a regular cell, 0 a flat
    one), and a histogram below counts them. A periodic mesh is drawn unfolded. A body or a shell is drawn from the
    front and from behind, with its named faces in colour.

    Args:
        domain: of any dimension and shape.
        path: as in `em.plot.field`.
        title: written above the picture; what the domain is when left out.
        length: as in `em.plot.field`.
        unit: as in `em.plot.field`.
        width: as in `em.plot.field`.

    Returns:
        The figure on rank 0, None on other ranks.

    Raises:
        ParameterError: if it is no domain, or the file cannot be written.
    """
    kind("domain", domain, Domain, "one of em.mesh")
    comm = domain.mesh.comm
    inches, wanted = style.inches(width), labels.asked(length, unit)
    target = style.picture(path, comm)
    curved = domain.mesh.geometry.cmaps[0].degree > 1
    found, all_cells = pieces(domain, 5 if curved and domain.mesh.topology.dim == 2 else 1), domain.quality()
    qualities = comm.gather(domain.cell_quality(), root=0)

    def render() -> Figure:
        assert found is not None
        assert qualities is not None
        by = labels.lengths(found.points, wanted, domain.system().length)
        scaled = labels.scaled_pieces(found, by.scale, {})
        figure = _figure(domain, scaled, np.concatenate(qualities), inches, by)
        ends = dict.fromkeys(f"{size / by.scale:.3g}" for size in (all_cells.smallest, all_cells.largest))
        told = f"{all_cells.cells} {domain.mesh.topology.cell_name()} cells, diameter {' to '.join(ends)} {by.unit}"
        heading = style.wrapped(f"{title or domain.shape}\n{told.strip()}", inches)
        figure.suptitle(heading, fontsize="medium")
        return style.written(figure, target)

    return style.draw(comm, render)


def _figure(domain: Domain, found: Pieces, quality: Floats, width: float, by: labels.Lengths) -> Figure:
    """The mesh above, the histogram below."""
    extent = np.ptp(found.points, axis=0)
    if found.dim == 1 and not domain.shell:
        figure = style.blank(width, 1.3)
        _line(figure.subplots(), found, by)
    elif domain.network is not None:
        figure = networks.layout(domain.network, width, by, 2.5 * networks.LINE)
    else:
        flat = domain.dim == 2
        tall = float(np.clip((width - 0.6) * extent[1] / extent[0], 0.5, 1.3 * width)) if flat else 0.45 * width
        figure = style.blank(width, tall + 1.75 + style.legend_height(width, _handles(domain, found)))
        layout: list[Any] = [["left", "left" if flat else "right"], ["histogram", "histogram"]]
        panels = figure.subplot_mosaic(layout, height_ratios=[tall, 0.45])
        colours = _colours(found, quality)
        if flat:
            _plane(panels["left"], found, colours, by)
        else:
            _views((panels["left"], panels["right"]), found, colours, by)
        _histogram(panels["histogram"], quality)
    if domain.network is None:
        style.legend(figure, _handles(domain, found))
    return figure


def _handles(domain: Domain, found: Pieces) -> list[Line2D | Patch]:
    """What the legend says: boundaries, the seam, regions."""
    lines: list[Line2D | Patch] = [style.handle(i, name) for i, name in enumerate(domain.names)]
    if domain.period.any():
        lines.append(Line2D([], [], color=style.GREY, linestyle="dotted", label="periodic"))
    tints = [Patch(color=_tint(i + 1), label=name) for i, name in enumerate(domain.regions)]
    return lines + tints


def _tint(tag: int) -> tuple[float, float, float]:
    """The colour of a good cell of a region; that of cells in none for 0."""
    return to_rgb(style.TINTS[(tag - 1) % len(style.TINTS)] if tag else style.PALE)


def _colours(found: Pieces, quality: Floats) -> Floats:
    """The colour of each cell, shape (cells, 3)."""
    tints = np.array([_tint(tag) for tag in range(found.regions.max(initial=0) + 1)])[found.regions]
    return _worse(tints, quality)


def _worse(tints: Floats, quality: Floats) -> Floats:
    """Tints of cells, the redder the worse they are; the good half hardly differs."""
    share = (np.clip(1.0 - quality, 0.0, 1.0) ** 1.3)[:, None]
    return (1 - share) * tints + share * np.array(to_rgb(style.WARNING))


def _line(axes: Axes, found: Pieces, by: labels.Lengths) -> None:
    """A mesh on a line: its nodes, its ends in colour."""
    axes.plot(found.points[:, 0], 0 * found.points[:, 0], "|-", color=style.INK, linewidth=0.8, markersize=9)
    simplex, opposite = np.nonzero(found.tags > 0)
    ends = found.points[found.facet(simplex, opposite)[:, 0], 0]
    for x, tag in zip(ends, found.tags[simplex, opposite], strict=True):
        axes.plot(x, 0.0, "o", color=style.named_colour(tag - 1), markersize=6, zorder=3)
    axes.set(xlabel=by.label("x"), yticks=[], ylim=(-1, 1))
    axes.spines["left"].set_visible(False)


def _plane(axes: Axes, found: Pieces, colours: Floats, by: labels.Lengths) -> None:
    """A plane mesh."""
    flat = found.points[:, :2]
    axes.add_collection(
        PolyCollection(
            list(flat[found.simplices]),
            facecolors=colours[found.cells],
            edgecolors="none",
            antialiaseds=False,
            rasterized=True,
        )
    )
    size = np.sqrt(np.prod(np.ptp(flat, axis=0)) / len(colours)) / np.ptp(flat, axis=0).max() * 250  # in points
    axes.add_collection(
        LineCollection(list(flat[found.edges()]), colors=style.GREY, linewidths=float(np.clip(0.06 * size, 0.1, 0.6)))
    )
    outline(axes, found, 2.2)
    frame(axes, flat, by)


def outline(axes: Axes, found: Pieces, width: float, shown: Set[int] | None = None) -> None:
    """The boundaries of a plane domain: in colour those with the tags `shown`, or all that have a name; others thin."""
    flat = found.points[:, :2]
    facets, tags = found.skin
    round_ = found.edge
    for tag in np.unique(tags[round_]):
        coloured = tag > 0 and (shown is None or tag in shown)
        look = style.boundary(int(tag) - 1, width) if coloured else {"colors": style.INK, "linewidths": 0.8}
        chosen = flat[facets[(tags == tag) & round_]]
        axes.add_collection(
            LineCollection(
                list(chosen),
                zorder=4 if coloured else 3,
                capstyle="projecting" if coloured else "butt",
                clip_on=False,
                **look,
            )
        )
    seam = flat[facets[~round_]]
    axes.add_collection(LineCollection(list(seam), colors=style.GREY, linestyles="dotted", linewidths=1.2, zorder=3))


def frame(axes: Axes, points: Floats, by: labels.Lengths) -> None:
    """Axes around the points, with equal scales and room for thick lines."""
    lower, upper = points.min(axis=0), points.max(axis=0)
    room = 0.015 * (upper - lower).max()
    cells.plane(axes, points, by)
    axes.set(xlim=(lower[0] - room, upper[0] + room), ylim=(lower[1] - room, upper[1] + room))


def _views(panels: tuple[Axes, Axes], found: Pieces, colours: Floats, by: labels.Lengths) -> None:
    """A body or shell from two sides."""
    for axes, direction, words in zip(panels, (FRONT, BEHIND), ("from the front", "from behind, below"), strict=True):
        plotter = style.stage()
        add_body(plotter, found, colours)
        axes.imshow(style.look(plotter, direction))
        plotter.close()
        axes.set_axis_off()
        axes.set_title(words, fontsize="small")
    cells.size(panels[0], by.size(found.points))


def add_body(plotter: pyvista.Plotter, found: Pieces, colours: Floats) -> None:
    """Put a body or a shell on the stage: skin, the cells' edges, named boundaries in colour."""
    facets, tags = found.skin
    if found.dim == 3:
        simplex, _ = np.nonzero(found.neighbours(found.places) < 0)
        shown = colours[found.cells[simplex]]
        for tag in np.unique(tags[tags > 0]):
            shown[tags == tag] = 0.2 * shown[tags == tag] + 0.8 * np.array(to_rgb(style.named_colour(tag - 1)))
        skin = pyvista.PolyData.from_regular_faces(found.points, facets)
    else:
        shown = colours[found.cells]
        skin = pyvista.PolyData.from_regular_faces(found.points, found.simplices)
        for tag in np.unique(tags[tags > 0]):
            plotter.add_mesh(rim(found, facets[tags == tag]), color=style.named_colour(tag - 1), lighting=False)
    plotter.add_mesh(skin, scalars=(255 * shown).astype(np.uint8), rgb=True, ambient=0.65, diffuse=0.4)
    plotter.add_mesh(wires(found.points, found.edges()), color=style.INK, line_width=2.0, opacity=0.8)


def rim(found: Pieces, edges: np.ndarray) -> pyvista.PolyData:
    """Edges of a shell as tubes, thick enough to be seen from both sides."""
    return wires(found.points, edges).tube(radius=0.006 * float(np.linalg.norm(np.ptp(found.points, axis=0))))


def wires(points: Floats, edges: np.ndarray) -> pyvista.PolyData:
    """Edges as pyvista has them."""
    return pyvista.PolyData(points, lines=np.insert(edges, 0, 2, axis=1).ravel())


def _histogram(axes: Axes, quality: Floats) -> None:
    """How many cells are how good, in the colours of the cells."""
    counts, ends = np.histogram(np.clip(quality, 0.0, 1.0), BINS, (0.0, 1.0))
    middles = (ends[1:] + ends[:-1]) / 2
    bars = _worse(np.tile(to_rgb("0.86"), (BINS, 1)), middles)
    axes.bar(middles, counts, width=1 / BINS, color=bars, edgecolor=style.GREY, linewidth=0.4)
    axes.set(xlim=(0, 1), ylabel="cells")
    axes.set_xlabel(f"quality of cells: {quality.min():.2f} at worst, {quality.mean():.2f} on average")
    axes.locator_params(axis="y", nbins=3, integer=True)
