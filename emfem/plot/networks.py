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

import numpy as np
from dolfinx import fem
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from emfem.mesh import Network

THIN, THICK = 0.6, 5.0  # the narrowest and the widest wire [points]
CLOSE = 400  # wires from which on they are drawn thinner, so that they stay apart
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
    lines, coloured = _coloured(net, values)

    def render() -> None:
        if coloured is None:
            figure = layout(net)
        else:
            assert lines is not None
            figure = _blank(net)
            widths = _widths(net) if len(lines) == len(net.segments) else _widths(net).mean()
            shown = coloured / scale
            ends = Normalize(*(limits or (shown.min(), shown.max())))
            drawn = LineCollection(
                list(lines), array=shown, norm=ends, cmap=colours, linewidths=widths, capstyle="round"
            )
            axes = figure.axes[0]
            figure.colorbar(axes.add_collection(drawn), ax=axes, label=label, shrink=0.8, pad=0.02, aspect=25)
        axes = figure.axes[0]
        for i, (name, at) in enumerate(places.items()):
            x, y = net.nodes[at, :2].T
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
                list(net.nodes[net.segments[chosen]][:, :, :2]),
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
    lower, upper = net.nodes[:, :2].min(axis=0), net.nodes[:, :2].max(axis=0)
    extent = upper - lower
    tall = float(np.clip(extent[1] / extent.max(), 0.12, 1.3))
    figure = style.blank(style.WIDTH, style.WIDTH * tall + 1.0)
    room = 0.04 * extent.max()
    axes = figure.subplots()
    axes.set(aspect="equal", xlabel="x [m]", ylabel="y [m]")
    axes.set(xlim=(lower[0] - room, upper[0] + room), ylim=(lower[1] - room, upper[1] + room))
    axes.locator_params(nbins=5)
    axes.ticklabel_format(style="sci", scilimits=(-3, 4))
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


def _coloured(net: Network, values: Any) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Straight lines, shape (l, 2, 2), on rank 0, and what colours each, shape (l,). Collective.

    Raises:
        ParameterError: for values of another shape.
    """
    wires = net.nodes[net.segments][:, :, :2]
    if values is None:
        return wires, None
    if isinstance(values, fem.Function):
        cells.is_scalar(values)
        found = fields.gather(values)
        return (None, None) if found is None else cells.lines_of(found)
    return wires, net.per_segment("values", values)


def _widths(net: Network) -> NDArray[np.float64]:
    """How thick each wire is drawn [points]."""
    thick = THICK * min(1.0, np.sqrt(CLOSE / len(net.segments)))
    return np.maximum(THIN, thick * net.width / net.width.max())
