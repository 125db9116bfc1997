"""Networks as pictures: wires as thick as they are wide, in the colours of a field or of one value a wire."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emfem import fields
from emfem.errors import ParameterError, kind
from emfem.files import writable
from emfem.mesh import Domain
from emfem.plot import cells, style
from emfem.units import um

import numpy as np
from dolfinx import fem
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from emfem.mesh import Network

Values = NDArray[np.float64]

THIN, THICK = 0.6, 5.0  # the narrowest and the widest wire [points]
CLOSE = 400  # wires from which on they are drawn thinner, so that they stay apart
FLAT = 3.0  # height of a picture below which its colour bar lies [inch]
MARKS = ("o", "s", "D", "^", "v")


def network(
    domain: Domain,
    path: str | os.PathLike[str],
    *,
    values: fem.Function | ArrayLike | None = None,
    label: str = "",
    scale: float = 1.0,
    marks: Mapping[str, ArrayLike] | None = None,
    title: str = "",
    limits: tuple[float, float] | None = None,
    colours: str = style.COLOURS,
) -> Path:
    """Draw a network as a PNG, seen from above. Collective.

    Args:
        domain: of `em.mesh.network` or one of its kin.
        path: a name ending in .png; its folder is made.
        values: what colours the wires: a scalar Function on the network, or a value a segment, shape (m,); without,
            each layer has a colour.
        label: of the colour bar.
        scale: what values are divided by, such as `MPa`.
        marks: nodes to be marked, by what the legend calls them, such as {"void": [3, 17]}.
        title: written above the picture.
        limits: values of the ends of the colour scale, after division; those of the values when left out.
        colours: a Matplotlib colour map.

    Returns:
        The path of the picture.

    Raises:
        ParameterError: for a domain that is no network, values of another shape, nodes that do not exist, or a file
            that cannot be written.
    """
    kind("domain", domain, Domain, "a network of em.mesh")
    net, comm = domain.wires(), domain.mesh.comm
    target = writable(path, ".png", comm=comm)
    places = {name: _nodes(net, name, at) for name, at in (marks or {}).items()}
    lines, coloured, widths = _coloured(domain, values)

    def render() -> None:
        if coloured is None:
            figure = layout(net)
        else:
            figure = _blank(net)
            shown = coloured / scale
            ends = Normalize(*(limits or (shown.min(), shown.max())))
            drawn = LineCollection(
                list(lines / um), array=shown, norm=ends, cmap=colours, linewidths=widths, capstyle="round"
            )
            axes = figure.axes[0]
            flat = figure.get_figheight() < FLAT
            figure.colorbar(
                axes.add_collection(drawn),
                ax=axes,
                label=label,
                location="bottom" if flat else "right",
                **({"aspect": 40} if flat else {"aspect": 25, "shrink": 0.8, "pad": 0.02}),
            )
        axes = figure.axes[0]
        for i, (name, at) in enumerate(places.items()):
            x, y = net.nodes[at, :2].T / um
            axes.plot(x, y, MARKS[i % len(MARKS)], color="none", mec=style.WARNING, mew=1.4, ms=8, label=name)
        axes.set_title(title)
        if axes.get_legend_handles_labels()[1]:
            figure.legend(loc="outside lower center", ncols=4)
        figure.savefig(target, dpi=style.DPI)

    style.draw(comm, render)
    return target


def layout(net: Network) -> Figure:
    """The wires of each layer in a colour of its own."""
    figure = _blank(net)
    widths = _widths(net)
    for i in np.unique(net.layer):
        chosen = net.layer == i
        figure.axes[0].add_collection(
            LineCollection(
                list(net.nodes[net.segments[chosen]][:, :, :2] / um),
                colors=style.named_colour(int(i)),
                linewidths=widths[chosen],
                capstyle="round",
                label=net.layers[i] if net.layers else None,
            )
        )
    if net.layers:
        figure.legend(loc="outside lower center", ncols=4)
    return figure


def _blank(net: Network) -> Figure:
    """Axes around the nodes, with equal scales and room for thick lines."""
    lower, upper = net.nodes[:, :2].min(axis=0) / um, net.nodes[:, :2].max(axis=0) / um
    extent = upper - lower
    tall = float(np.clip(extent[1] / extent.max(), 0.12, 1.3))
    figure = style.blank(style.WIDTH, 0.8 * style.WIDTH * tall + (1.1 if tall > 0.4 else 1.8))
    room = 0.04 * extent.max()
    axes = figure.subplots()
    axes.set(aspect="equal", xlabel="x [µm]", ylabel="y [µm]")
    axes.set(xlim=(lower[0] - room, upper[0] + room), ylim=(lower[1] - room, upper[1] + room))
    axes.locator_params(nbins=5)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _nodes(net: Network, name: str, at: ArrayLike) -> NDArray[np.int64]:
    """Numbers of nodes.

    Raises:
        ParameterError: if one does not exist.
    """
    found = np.atleast_1d(np.asarray(at, dtype=np.int64))
    wrong = found[(found < 0) | (found >= len(net.nodes))]
    if wrong.size:
        msg = f"marks[{name!r}] has node {wrong[0]}, must be below {len(net.nodes)}"
        raise ParameterError(msg)
    return found


def _coloured(domain: Domain, values: Any) -> tuple[Values, Values | None, Values]:
    """Straight lines, shape (l, 2, 2), what colours each, and how thick each is; on rank 0. Collective.

    Raises:
        ParameterError: for values of another shape.
    """
    net = domain.wires()
    widths = _widths(net)
    if not isinstance(values, fem.Function):
        lines = net.nodes[net.segments][:, :, :2]
        return lines, None if values is None else net.per_segment("values", values), widths
    cells.is_scalar(values)
    found, owned = fields.gather(values), domain.mesh.topology.index_map(1).size_local
    assert domain.segment is not None
    segments = domain.mesh.comm.gather(domain.segment[:owned], root=0)
    if found is None or segments is None:
        return np.zeros((0, 2, 2)), np.zeros(0), widths
    lines, coloured = cells.lines_of(found)
    wires = np.concatenate(segments)
    return lines, coloured, np.repeat(widths[wires], len(lines) // len(wires))


def _widths(net: Network) -> Values:
    """How thick each wire is drawn [points]."""
    thick = THICK * min(1.0, np.sqrt(CLOSE / len(net.segments)))
    return np.maximum(THIN, thick * net.width / net.width.max())
