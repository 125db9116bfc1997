"""Pictures of networks: wires as thick as they are wide, in the colours of a field or of one value a wire."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from emfem import fields
from emfem.dimensions import METRE, Meaning
from emfem.errors import ParameterError, floats, number, require, shown
from emfem.gate import checked
from emfem.mesh import Domain, Network
from emfem.plot import cells, labels, style
from emfem.plot.labels import AxisLabel
from emfem.plot.simplices import Floats
from emfem.units import um

import numpy as np
from dolfinx import fem
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

THIN, THICK = 0.5, 4.0  # the narrowest and the widest wire [points]
CLOSE = 400  # number of wires from which they are drawn thinner, so that they stay apart
MANY = 5000  # wires, from which .pdf and .svg files have them as pixels
FLAT = 0.4  # height over width of a network up to which its colour bar lies below it
AXIS, LINE, LEGEND, BAR = 0.65, 0.22, 0.22, 0.6  # room for an axis, a line of a title, a legend, a bar [inch]
MARKS = ("o", "s", "D", "^", "v")


@checked(collective=True)
def network(
    domain: Domain | Network,
    path: str | os.PathLike[str] | None = None,
    *,
    values: fem.Function | ArrayLike | None = None,
    label: str | None = None,
    scale: float | None = None,
    marks: Mapping[str, ArrayLike] | None = None,
    title: str = "",
    limits: tuple[float, float] | None = None,
    colours: str | Colormap | None = None,
    length: float = um,
    unit: str | None = None,
    width: str | float = "column",
) -> Figure | None:
    """Draw a network, seen from above; of wires that lie on each other the one of the largest value. Collective.

    Args:
        domain: of `em.mesh.network` or a similar function; or a network without a mesh, the same on all ranks.
        path: as in `em.plot.field`.
        values: for the colours: a scalar Function on the network, or a value a segment, shape (m,), or one for each of
            k equal pieces of each segment, shape (m, k); each layer has a colour when left out.
        label: of the colour bar, with a unit; by the name of the Function when left out.
        scale: divisor of the values, such as `em.units.MPa`.
        marks: nodes to be marked by their name in the legend, such as {"void": [3, 17]}.
        title: written above the picture.
        limits: values of the ends of the colour scale, of values over `scale`; those of the values when left out.
        colours: as in `em.plot.field`.
        length: value of one unit on the axes [m].
        unit: its name on the axes.
        width: as in `em.plot.field`.

    Returns:
        The figure on rank 0, None on other ranks.

    Raises:
        ParameterError: for a domain that is no network, values of another shape, nodes that do not exist, or a file
            that cannot be written.
    """
    require(isinstance(domain, Domain | Network), f"domain = {shown(domain)}, must be a network of em.mesh")
    if isinstance(domain, Network):
        net, comm = domain, MPI.COMM_WORLD
    else:
        net, comm = domain.wires(), domain.mesh.comm
    inches, wanted = style.inches(width), labels.unit_request(length, unit)
    scale = None if scale is None else number("scale", scale, above=0.0)
    style.check_colours(colours)
    target = style.picture(path, comm)
    places = {name: _nodes(net, name, at) for name, at in (marks or {}).items()}
    lines, coloured, widths = _coloured(domain, values)
    meaning = fields.meaning_of(values) if isinstance(values, fem.Function) else Meaning()

    def render() -> Figure:
        by = labels.lengths(net.nodes, METRE, wanted)
        heading = style.wrapped(title, inches)
        room = LINE * (heading.count("\n") + 1 if title else 0) + (LEGEND if places else 0.0)
        if coloured is None:
            figure = layout(net, inches, by, room)
        else:
            figure = _blank(net, inches, by, room + (BAR if _flat(net) else 0.0))
        axes = figure.axes[0]
        if coloured is not None:
            ends = (float(coloured.min()), float(coloured.max()))
            chosen = labels.colours(meaning, colours)
            options = cells.FieldOptions(inches, wanted, limits, ends, chosen, label, scale, meaning)
            quantity = options.quantity()
            upwards = np.argsort(coloured, kind="stable")
            wires = LineCollection(
                list(lines[upwards] / by.scale),
                array=coloured[upwards] / quantity.scale,
                norm=Normalize(*options.ends(quantity.scale, chosen)),
                cmap=chosen,
                linewidths=widths[upwards],
                capstyle="round",
                rasterized=len(lines) > MANY,
            )
            axes.add_collection(wires)
            _bar(figure, wires, quantity, _flat(net))
        for i, (mark, at) in enumerate(places.items()):
            x, y = net.nodes[at, :2].T / by.scale
            axes.plot(x, y, MARKS[i % len(MARKS)], color="none", mec=style.WARNING, mew=1.1, ms=6, label=mark)
        axes.set_title(heading)
        if axes.get_legend_handles_labels()[1]:
            figure.legend(loc="outside lower center", ncols=4)
        return style.written(figure, target)

    return style.draw(comm, render)


def _bar(figure: Figure, wires: LineCollection, shown: AxisLabel, flat: bool) -> None:
    """Add a colour bar: on the right as high as the axes, below them if they are low; arrows tell of values beyond."""
    values, ends = np.asarray(wires.get_array()), wires.norm
    below, above = bool((values < ends.vmin).any()), bool((values > ends.vmax).any())
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get((below, above), "neither")
    if flat:
        figure.colorbar(wires, ax=figure.axes[0], label=str(shown), location="bottom", aspect=40, extend=extend)
    else:
        place = figure.axes[0].inset_axes((1.03, 0.0, 0.04, 1.0), label="<colorbar>")
        figure.colorbar(wires, cax=place, extend=extend, label=shown.fitted(figure.get_figheight() - AXIS))


def layout(net: Network, width: float, by: AxisLabel, room: float) -> Figure:
    """Draw the wires of each layer in its own colour, with room [inch] for title and legend."""
    figure = _blank(net, width, by, room + (LEGEND if net.layers else 0.0))
    widths = _widths(net)
    for i in np.unique(net.layer):
        chosen = net.layer == i
        figure.axes[0].add_collection(
            LineCollection(
                list(net.nodes[net.segments[chosen]][:, :, :2] / by.scale),
                colors=style.named_colour(int(i)),
                linewidths=widths[chosen],
                capstyle="round",
                label=net.layers[i] if net.layers else None,
            )
        )
    if net.layers:
        figure.legend(loc="outside lower center", ncols=4)
    return figure


def _flat(net: Network) -> bool:
    """Return True for a network that is long and low."""
    width, height = np.ptp(net.nodes[:, :2], axis=0)
    return bool(height <= FLAT * width)


def _blank(net: Network, width: float, by: AxisLabel, room: float) -> Figure:
    """Return a figure with axes around the nodes, with equal scales and room for thick lines."""
    lower, upper = net.nodes[:, :2].min(axis=0) / by.scale, net.nodes[:, :2].max(axis=0) / by.scale
    extent = upper - lower
    tall = float(np.clip(extent[1] / extent.max(), 0.12, 1.3))
    figure = style.blank(width, (width - (0.5 if _flat(net) else 1.1)) * tall + AXIS + room)
    edge = 0.04 * extent.max()
    axes = figure.subplots()
    cells.plane(axes, net.nodes / by.scale, by)
    axes.set(xlim=(lower[0] - edge, upper[0] + edge), ylim=(lower[1] - edge, upper[1] + edge))
    return figure


def _nodes(net: Network, name: str, at: ArrayLike) -> NDArray[np.int64]:
    """Return the numbers of marked nodes.

    Raises:
        ParameterError: for a node that does not exist.
    """
    nodes = np.atleast_1d(np.asarray(at, dtype=np.int64))
    wrong = nodes[(nodes < 0) | (nodes >= len(net.nodes))]
    if wrong.size:
        msg = f"marks[{name!r}] has node {wrong[0]}, must be below {len(net.nodes)}"
        raise ParameterError(msg)
    return nodes


def _coloured(domain: Domain | Network, values: Any) -> tuple[Floats, Floats | None, Floats]:
    """Return straight lines, shape (l, 2, 2), their values and their widths, on rank 0. Collective.

    Raises:
        ParameterError: for values of another shape.
    """
    net = domain if isinstance(domain, Network) else domain.wires()
    widths = _widths(net)
    if isinstance(domain, Network) or not isinstance(values, fem.Function):
        lines = net.nodes[net.segments][:, :, :2]
        if values is None or np.ndim(values) < 2:
            return lines, None if values is None else net.per_segment("values", values), widths
        pieces = floats("values", values, (len(lines), None), "finite, one a segment or one a piece of it", finite=True)
        require(pieces.shape[1], f"values of shape {pieces.shape}, must be of one piece a segment at least")
        ends = lines[:, 0, None] + np.diff(lines, axis=1) * np.linspace(0.0, 1.0, pieces.shape[1] + 1)[:, None]
        lines = np.stack([ends[:, :-1], ends[:, 1:]], axis=2).reshape(-1, 2, 2)
        return lines, pieces.ravel(), np.repeat(widths, pieces.shape[1])
    cells.check_scalar(values)
    whole, owned = fields.gather(values), domain.mesh.topology.index_map(1).size_local
    assert domain.segment is not None
    segments = domain.mesh.comm.gather(domain.segment[:owned], root=0)
    if whole is None or segments is None:
        return np.zeros((0, 2, 2)), np.zeros(0), widths
    lines, coloured = cells.lines_of(whole)
    wires = np.concatenate(segments)
    return lines, coloured, np.repeat(widths[wires], len(lines) // len(wires))


def _widths(net: Network) -> Floats:
    """Return the widths of the wires in the picture [points]."""
    thick = THICK * min(1.0, np.sqrt(CLOSE / len(net.segments)))
    return np.maximum(THIN, thick * net.width / net.width.max())
