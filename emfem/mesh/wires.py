"""Networks of wires from the arguments of users, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emfem.errors import ParameterError, floats, kind, number, require, require_all
from emfem.mesh.graph import Floats, Network, Numbers, component_labels, extent, list_nodes

import numpy as np
from numpy.typing import ArrayLike

WIDEST = 100.0  # times the extent of the network: a wider segment is in another unit
LONGEST = 1e6  # times its width: a longer segment is in another unit
SAME = 1e-12  # of the extent: nodes nearer than this coincide


def build(
    nodes: ArrayLike,
    segments: ArrayLike,
    *,
    width: ArrayLike,
    thickness: ArrayLike,
    vias: ArrayLike | None = None,
    loads: Mapping[int, float] | ArrayLike | None = None,
    pads: Mapping[int, float] | None = None,
    boundaries: Mapping[int, str] | None = None,
    **layout: Any,
) -> Network:
    """Return the network of checked arrays; arguments as in `em.mesh.network`, `boundaries` are its `names`.

    Args:
        nodes: coordinates [m], shape (n, 2) or (n, 3).
        segments: start and end node of each, shape (m, 2).
        width: of each segment [m].
        thickness: of each segment [m].
        vias: (node, node, resistance [Ohm]) each, shape (v, 3).
        loads: current drawn from nodes [A].
        pads: nodes at a fixed voltage [V].
        boundaries: name of each node on a boundary.
        layout: `names`, `layers`, `layer` and `wire_names` of the Network, not checked.

    Raises:
        ParameterError: for arrays that are no network.
    """
    points = floats("nodes", nodes)
    require(points.ndim == 2 and points.shape[1] in (2, 3), _shape("nodes", points, "points of shape (n, 2) or (n, 3)"))
    require_all(np.isfinite(points).all(axis=1), lambda i: f"nodes[{i}] = {points[i].tolist()}, must be finite")
    wires = _pairs("segments", segments, len(points))
    require(len(wires), "no segments, must be at least one")
    sizes = np.ones(len(wires))
    links = _vias(vias, len(points))
    drawn, volts = node_loads(loads, len(points)), pad_voltages(pads, len(points))
    network = Network(points, wires, sizes, sizes, *links, drawn, volts, **layout)
    _check_segments(network)
    network = replace(
        network,
        width=_size(network, "width", width),
        thickness=_size(network, "thickness", thickness),
        boundaries=_boundaries(network, boundaries),
    )
    _check_connected(network)
    return network


def node_loads(loads: Mapping[int, float] | ArrayLike | None, nodes: int) -> Floats:
    """Return the current drawn from each node [A], shape (nodes,).

    Raises:
        ParameterError: for nodes that do not exist, numbers that are not finite or of another shape.
    """
    if loads is None or isinstance(loads, Mapping):
        result = np.zeros(nodes)
        for i, amperes in (loads or {}).items():
            result[_node("loads", i, nodes)] = number(f"loads[{i}]", amperes, unit="A")
        return result
    words = f"{nodes} finite numbers, one a node, or a mapping of nodes"
    return floats("loads", loads, (nodes,), words, finite=True)


def pad_voltages(pads: Mapping[int, float] | None, nodes: int) -> dict[int, float]:
    """Return the voltage of each pad by its node [V].

    Raises:
        ParameterError: for nodes that do not exist.
    """
    if pads is not None:
        kind("pads", pads, Mapping, "a mapping of node numbers")
    return {_node("pads", i, nodes): number(f"pads[{i}]", volts, unit="V") for i, volts in (pads or {}).items()}


def _shape(name: str, values: Floats, words: str) -> str:
    return f"{name} of shape {values.shape}, must be {words}"


def _pairs(name: str, pairs: ArrayLike, nodes: int) -> Numbers:
    """Return pairs of node numbers, shape (m, 2).

    Raises:
        ParameterError: for another shape, or numbers out of range.
    """
    numbers = floats(name, pairs)
    numbers = numbers if numbers.size else np.zeros((0, 2))
    pair = numbers.ndim == 2 and numbers.shape[1] == 2
    require(pair, _shape(name, numbers, "pairs of node numbers, shape (m, 2)"))
    require_all(
        ((numbers == np.round(numbers)) & (numbers >= 0) & (numbers < nodes)).all(axis=1),
        lambda i: (
            f"{name}[{i}] = ({', '.join(f'{value:g}' for value in numbers[i])}), "
            f"must be two node numbers from 0 to {nodes - 1}"
        ),
    )
    return numbers.astype(np.int64)


def _node(name: str, i: Any, nodes: int) -> int:
    """Return a node number.

    Raises:
        ParameterError: if it is not one.
    """
    good = isinstance(i, int | np.integer) and not isinstance(i, bool) and 0 <= i < nodes
    require(good, f"{name}: node {i!r}, must be a node number from 0 to {nodes - 1}")
    return int(i)


def _vias(vias: ArrayLike | None, nodes: int) -> tuple[Numbers, Floats]:
    """Return pairs of nodes, shape (v, 2), and resistances [Ohm], shape (v,).

    Raises:
        ParameterError: for another shape, a node that does not exist, or a negative resistance.
    """
    rows = floats("vias", () if vias is None else vias)
    rows = rows if rows.size else np.zeros((0, 3))
    triple = rows.ndim == 2 and rows.shape[1] == 3
    require(triple, _shape("vias", rows, "(node, node, resistance) each, shape (v, 3)"))
    pairs, resistance = _pairs("vias", rows[:, :2], nodes), rows[:, 2]
    require_all(
        np.isfinite(resistance) & (resistance >= 0),
        lambda i: f"resistance of vias[{i}] = {resistance[i]:g} Ohm, must be at least 0",
    )
    start, end = pairs.T
    require_all(start != end, lambda i: f"vias[{i}] from node {start[i]} to itself, must join two nodes")
    return pairs, resistance


def _boundaries(network: Network, names: Mapping[int, str] | None) -> dict[str, Numbers]:
    """Return the nodes of each named boundary; without names the ends of the metal are one, called ends.

    Raises:
        ParameterError: for a node that does not exist or has no metal, or a name that is no word.
    """
    if names is None:
        ends = np.flatnonzero(network.degree == 1)
        return {"ends": ends} if len(ends) else {}
    kind("names", names, Mapping, "a mapping of node numbers to words")
    nodes: dict[str, list[int]] = {}
    for i, name in names.items():
        require(isinstance(name, str) and name, f"names[{i!r}] = {name!r}, must be a word")
        node = _node("names", i, len(network.nodes))
        missing = f"names[{i!r}] = {name!r}: {network.node(node)} has no metal, must be where a segment ends"
        require(network.degree[node], missing)
        nodes.setdefault(name, []).append(node)
    return {name: np.array(sorted(members)) for name, members in nodes.items()}


def _check_segments(network: Network) -> None:
    """Check that segments have a length, and that no two join the same nodes."""
    start, end = network.segments.T
    require_all(start != end, lambda i: f"{network.wire(i)}, must join two different nodes")
    require_all(
        network.lengths > SAME * extent(network.nodes),
        lambda i: f"{network.wire(i)} of length {network.lengths[i]:g} m, must be greater than 0",
    )
    first = first_of_pair(network.segments, len(network.nodes))
    require_all(
        first == np.arange(len(first)),
        lambda i: (
            f"{network.wire(i)} joins the nodes of {network.wire(int(first[i]))}, must be one of each: add their widths"
        ),
    )


def first_of_pair(pairs: Numbers, nodes: int) -> Numbers:
    """Return the index of the first pair with the same nodes, in any order, for each pair, shape (m,)."""
    key = pairs.min(axis=1) * nodes + pairs.max(axis=1)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return first[inverse]


def posts(network: Network) -> Numbers:
    """Return the segments along z that join others which lie in planes, alone or with those above them, shape (n,)."""
    if network.nodes.shape[1] < 3:
        return np.zeros(0, dtype=np.int64)
    flat, upright = abs(network.directions[:, 2]) < SAME, abs(network.directions[:, 2]) > 1 - SAME
    in_layer = np.zeros(len(network.nodes), dtype=bool)
    in_layer[network.segments[flat].ravel()] = True
    stack = component_labels(len(network.nodes), network.segments[upright])  # of each node
    layers = np.bincount(stack[in_layer], minlength=len(network.nodes))
    return np.flatnonzero(upright & (layers[stack[network.segments[:, 0]]] > 1))


def _size(network: Network, name: str, value: ArrayLike) -> Floats:
    """Return the width or the thickness of each segment [m], shape (m,).

    Raises:
        ParameterError: if one is not positive, or so large or small that it must be in another unit.
    """
    sizes = network.per_segment(name, value)
    across, unit = extent(network.nodes), "micrometres written as metres?"
    require_all(sizes > 0, lambda i: f"{name} = {sizes[i]:g} m of {network.wire(i)}, must be greater than 0")
    widest = int(sizes.argmax())
    require(
        sizes[widest] <= WIDEST * across,
        f"{name} = {sizes[widest]:g} m of {network.wire(widest)}, must be at most {WIDEST:g} times the network's "
        f"extent of {across:.4g} m: {unit}",
    )
    require_all(
        sizes * LONGEST >= network.lengths,
        lambda i: (
            f"{name} = {sizes[i]:g} m of {network.wire(i)}, must be at least {1 / LONGEST:g} of its length of "
            f"{network.lengths[i]:.4g} m: {unit}"
        ),
    )
    return sizes


def _check_connected(network: Network) -> None:
    """Check that every node has a segment or a via, and that vias or pads connect all pieces of metal."""
    label = component_labels(len(network.nodes), network.segments, network.vias)
    connected = network.degree > 0
    connected[network.vias.ravel()] = True
    require_all(
        connected, lambda i: f"{network.node(i)} is connected to nothing, must be where a segment or a via ends"
    )
    floating = np.setdiff1d(label, label[list(network.pads)])
    if label.max() > 0 and len(floating):
        listed = [list_nodes(network, np.flatnonzero(label == piece)) for piece in (0, int(floating[-1]))]
        msg = (
            f"the network falls into {label.max() + 1} pieces, such as {' and '.join(listed)}: must be connected, "
            "by segments or electrically by vias, or have a pad each"
        )
        raise ParameterError(msg)
