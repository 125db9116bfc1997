"""Likely mistakes in a netlist that can be read: another unit, a mistyped node, a net without loads."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from emfem.mesh.graph import Network, Numbers, component_labels, extent, list_nodes

import numpy as np
from numpy.typing import NDArray

NARROWEST, WIDEST = 5e-9, 5e-4  # m; the wires of a chip, by their median
SMALLEST, LARGEST = 1e-6, 0.1  # m; its grid
COMPARED = 20_000  # names among which the nearest is looked for
LOOSE = 1000  # ends of wires that are looked at
SIMILAR = 0.6  # of the letters
SAME = 1e-9  # of the extent: coordinates that differ by less are one


def doubts(file: str, network: Network, unit: float, layer: Numbers) -> list[str]:
    """Return a sentence for each doubt.

    Args:
        file: name of the netlist.
        network: that it makes.
        unit: length of 1 in its coordinates [m].
        layer: of each node, -1 without metal, shape (n,).
    """
    sentences = (_sizes(network, unit), _mistyped(network, layer), _idle_nets(network))
    return [f"{file}: {each}" for each in sentences if each]


def _sizes(network: Network, unit: float) -> str:
    """Return a sentence on wires or a grid of sizes that no chip has."""
    across, width = extent(network.nodes), float(np.median(network.width))
    if NARROWEST <= width <= WIDEST and SMALLEST <= across <= LARGEST:
        return ""
    return (
        f"with unit = {unit:g} m the grid is {across:.3g} m across, its wires {width:.3g} m wide and "
        f"{np.median(network.lengths):.3g} m long (medians); wires of chips are {NARROWEST:g} to {WIDEST:g} m wide, "
        f"their grids {SMALLEST:g} to {LARGEST:g} m: is it the unit of the coordinates?"
    )


def _mistyped(network: Network, layer: Numbers) -> str:
    """Return a sentence on a node that one resistor alone leads to, in a way that its name is likely to be mistyped.

    No current enters or leaves it, and the wire is skew, or a via not upright, or beyond the node the line goes on.
    Ends of stripes that carry nothing are none of these.
    """
    count = len(network.nodes)
    pairs = np.concatenate([network.segments, network.vias])
    alone = (layer >= 0) & (np.bincount(pairs.ravel(), minlength=count) == 1) & (network.loads == 0)
    alone[list(network.pads)] = False
    wrong = [
        (*doubtful, i)
        for i in np.flatnonzero(alone[pairs].any(axis=1))[:LOOSE].tolist()
        for doubtful in _doubtful(network, layer, pairs[i], alone)
    ]
    if not wrong:
        return ""
    node, near, i = wrong[0]
    if i >= len(network.segments):
        lead = f"a via from {network.node(int(pairs[i].sum()) - node)}"
    else:
        lead = network.wire_names[i] if network.wire_names else network.wire(i)
    more = f" (so for {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    meant = f": is {near!r} meant?" if near else ""
    return f"{lead} ends at {network.node(node)}, where nothing else is, so that no current flows in it{more}{meant}"


def _doubtful(network: Network, layer: Numbers, pair: Numbers, alone: NDArray[np.bool_]) -> list[tuple[int, str]]:
    """Return the loose end of a wire or via and the name that is likely to be meant; nothing where it is no mistake."""
    loose, other = (int(i) for i in (pair if alone[pair[0]] else pair[::-1]))
    tolerance = SAME * extent(network.nodes)
    step = network.nodes[loose] - network.nodes[other]
    along = np.abs(step) > tolerance
    if layer[other] < 0 or not along.any():
        return []
    if layer[loose] != layer[other] or along.sum() > 1:
        return [(loose, _nearest(network, loose, other))]
    beyond = network.nodes - network.nodes[loose]
    ahead = (layer == layer[loose]) & (np.abs(beyond[:, ~along]) <= tolerance).all(axis=1)
    distance = np.where(ahead, beyond[:, along][:, 0] * np.sign(step[along][0]), -1.0)
    next_ = np.flatnonzero(distance > tolerance)
    return [(loose, network.names[int(next_[distance[next_].argmin()])])] if len(next_) else []


def _nearest(network: Network, node: int, other: int) -> str:
    """Return the name most like that of a node, but for the other end of what leads there; "" without one."""
    return nearest(network.names[node], [name for i, name in enumerate(network.names) if i not in (node, other)])


def nearest(name: str, names: Collection[str]) -> str:
    """Return the name most like another; "" without one, or among too many."""
    near = get_close_matches(name, names, n=1, cutoff=SIMILAR) if len(names) <= COMPARED else []
    return near[0] if near else ""


def _idle_nets(network: Network) -> str:
    """Return a sentence on nets with pads of one voltage and without a load, beside others with loads."""
    label = component_labels(len(network.nodes), network.segments, network.vias)
    loaded = np.unique(label[network.loads != 0])
    volts: dict[int, set[float]] = {}
    for pad, voltage in network.pads.items():
        volts.setdefault(int(label[pad]), set()).add(voltage)
    idle: Numbers = np.array(
        [net for net, each in volts.items() if len(each) == 1 and net not in loaded], dtype=np.int64
    )
    if not len(idle) or not len(loaded):
        return ""
    nodes = np.flatnonzero(np.isin(label, idle))
    return f"no load draws from {list_nodes(network, nodes)}, though from others: no current flows there"
