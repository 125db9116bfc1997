"""From what a user gives to a network of wires, checked; no mesh yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emfem.errors import ParameterError, floats, kind, number
from emfem.mesh.graph import Floats, Network, Numbers, connected, extent, no_floats, no_numbers, told_nodes

import numpy as np
from numpy.typing import ArrayLike

WIDEST = 100.0  # times the extent of the network: what is wider was typed in another unit
LONGEST = 1e6  # times its width: a segment so long was typed in another unit
SAME = 1e-12  # part of the extent within which two nodes are at one place


def build(
    nodes: ArrayLike,
    segments: ArrayLike,
    *,
    width: ArrayLike,
    thickness: ArrayLike,
    vias: ArrayLike | None = None,
    loads: Mapping[int, float] | ArrayLike | None = None,
    pads: Mapping[int, float] | None = None,
    names: tuple[str, ...] = (),
    boundaries: Mapping[int, str] | None = None,
) -> Network:
    """The network of checked arrays; arguments as in `em.mesh.network`.

    Raises:
        ParameterError: for whatever cannot be a network.
    """
    places = _places(nodes)
    wires = _pairs("segments", segments, len(places))
    if not len(wires):
        msg = "no segments, must be at least one"
        raise ParameterError(msg)
    found = Network(
        places,
        wires,
        np.ones(len(wires)),
        np.ones(len(wires)),
        *_vias(vias, len(places)),
        drawn(loads, len(places)),
        held(pads, len(places)),
        names,
    )
    _check_segments(found)
    sized = Network(
        places,
        wires,
        _size(found, "width", width),
        _size(found, "thickness", thickness),
        found.vias,
        found.via_resistance,
        found.loads,
        found.pads,
        names,
        boundaries=_boundaries(found, boundaries),
    )
    _check_joined(sized)
    return sized


def _items(name: str, given: Mapping[int, Any] | None) -> list[tuple[int, Any]]:
    """The pairs of a mapping of nodes to something."""
    if given is not None:
        kind(name, given, Mapping, "a mapping of node numbers")
    return list((given or {}).items())


def _places(nodes: ArrayLike) -> Floats:
    """The nodes' places.

    Raises:
        ParameterError: unless they are points of a plane or of space.
    """
    found = floats("nodes", nodes)
    if found.ndim != 2 or found.shape[1] not in (2, 3):
        msg = f"nodes of shape {found.shape}, must be points of shape (n, 2) or (n, 3)"
        raise ParameterError(msg)
    wrong = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(wrong):
        msg = f"nodes[{wrong[0]}] = {found[wrong[0]].tolist()}, must be finite"
        raise ParameterError(msg)
    return found


def _pairs(name: str, pairs: ArrayLike, nodes: int) -> Numbers:
    """Pairs of node numbers, shape (m, 2).

    Raises:
        ParameterError: for something else, or numbers out of range.
    """
    found = floats(name, pairs)
    if not found.size:
        return no_numbers()
    if found.ndim != 2 or found.shape[1] != 2:
        msg = f"{name} of shape {found.shape}, must be pairs of node numbers, shape (m, 2)"
        raise ParameterError(msg)
    wrong = np.flatnonzero(~((found == np.round(found)) & (found >= 0) & (found < nodes)).all(axis=1))
    if len(wrong):
        told = ", ".join(f"{value:g}" for value in found[wrong[0]])
        msg = f"{name}[{wrong[0]}] = ({told}), must be two node numbers from 0 to {nodes - 1}"
        raise ParameterError(msg)
    return found.astype(np.int64)


def _node(name: str, i: Any, nodes: int) -> int:
    """A node number.

    Raises:
        ParameterError: if it is none.
    """
    if isinstance(i, bool) or not isinstance(i, int | np.integer) or not 0 <= i < nodes:
        msg = f"{name}: node {i!r}, must be a node number from 0 to {nodes - 1}"
        raise ParameterError(msg)
    return int(i)


def _vias(vias: ArrayLike | None, nodes: int) -> tuple[Numbers, Floats]:
    """Pairs of nodes and resistances.

    Raises:
        ParameterError: for something else, or a negative resistance.
    """
    found = floats("vias", () if vias is None else vias)
    if not found.size:
        return no_numbers(), no_floats()
    if found.ndim != 2 or found.shape[1] != 3:
        msg = f"vias of shape {found.shape}, must be (node, node, resistance) each, shape (v, 3)"
        raise ParameterError(msg)
    pairs, resistance = _pairs("vias", found[:, :2], nodes), found[:, 2]
    wrong = np.flatnonzero(~(np.isfinite(resistance) & (resistance >= 0)))
    if len(wrong):
        msg = f"resistance of vias[{wrong[0]}] = {resistance[wrong[0]]:g} Ohm, must be at least 0"
        raise ParameterError(msg)
    loops = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
    if len(loops):
        msg = f"vias[{loops[0]}] from node {pairs[loops[0], 0]} to itself, must join two nodes"
        raise ParameterError(msg)
    return pairs, resistance


def drawn(loads: Mapping[int, float] | ArrayLike | None, nodes: int) -> Floats:
    """Current drawn from each node [A], shape (nodes,).

    Raises:
        ParameterError: unless given for nodes that exist, or one finite number for each.
    """
    if loads is None or isinstance(loads, Mapping):
        found = np.zeros(nodes)
        for i, amperes in _items("loads", loads):
            found[_node("loads", i, nodes)] = number(f"loads[{i}]", amperes, unit="A")
        return found
    found = floats("loads", loads)
    if found.shape != (nodes,) or not np.isfinite(found).all():
        msg = f"loads of shape {found.shape}, must be {nodes} finite numbers, one a node, or a mapping of nodes"
        raise ParameterError(msg)
    return found


def held(pads: Mapping[int, float] | None, nodes: int) -> dict[int, float]:
    """Voltage of each node that is held [V].

    Raises:
        ParameterError: unless given for nodes that exist.
    """
    return {_node("pads", i, nodes): number(f"pads[{i}]", volts, unit="V") for i, volts in _items("pads", pads)}


def _boundaries(network: Network, names: Mapping[int, str] | None) -> dict[str, Numbers]:
    """Nodes of each named boundary; without names the ends of the metal are one, called ends.

    Raises:
        ParameterError: for a node that does not exist or has no metal, or a name that is no word.
    """
    if names is None:
        ends = np.flatnonzero(network.degree == 1)
        return {"ends": ends} if len(ends) else {}
    kind("names", names, Mapping, "a mapping of node numbers to words")
    found: dict[str, list[int]] = {}
    for i, name in names.items():
        if not isinstance(name, str) or not name:
            msg = f"names[{i!r}] = {name!r}, must be a word"
            raise ParameterError(msg)
        at = _node("names", i, len(network.nodes))
        if not network.degree[at]:
            msg = f"names[{i!r}] = {name!r}: {network.node(at)} has no metal, must be where a segment ends"
            raise ParameterError(msg)
        found.setdefault(name, []).append(at)
    return {name: np.array(sorted(nodes)) for name, nodes in found.items()}


def _check_segments(network: Network) -> None:
    """Refuse segments without length, and two between the same nodes."""
    loops = np.flatnonzero(network.segments[:, 0] == network.segments[:, 1])
    if len(loops):
        msg = f"{network.wire(int(loops[0]))}, must join two different nodes"
        raise ParameterError(msg)
    short = np.flatnonzero(network.lengths <= SAME * extent(network.nodes))
    if len(short):
        msg = f"{network.wire(int(short[0]))} of length {network.lengths[short[0]]:g} m, must be greater than 0"
        raise ParameterError(msg)
    pairs = np.sort(network.segments, axis=1)
    _, first, which = np.unique(pairs[:, 0] * len(network.nodes) + pairs[:, 1], return_index=True, return_inverse=True)
    again = np.flatnonzero(first[which] != np.arange(len(which)))
    if len(again):
        other = network.wire(int(first[which[again[0]]]))
        msg = f"{network.wire(int(again[0]))} joins the nodes of {other}, must be one of each: add their widths"
        raise ParameterError(msg)


def _size(network: Network, name: str, value: ArrayLike) -> Floats:
    """Width or thickness of each segment.

    Raises:
        ParameterError: if one is not positive, or so large or small that it was meant in another unit.
    """
    found = network.per_segment(name, value)
    wrong = np.flatnonzero(found <= 0)
    if len(wrong):
        msg = f"{name} = {found[wrong[0]]:g} m of {network.wire(int(wrong[0]))}, must be greater than 0"
        raise ParameterError(msg)
    across = extent(network.nodes)
    widest = int(found.argmax())
    if found[widest] > WIDEST * across:
        msg = (
            f"{name} = {found[widest]:g} m of {network.wire(widest)}, must be at most {WIDEST:g} times the network's "
            f"extent of {across:.4g} m: micrometres written as metres?"
        )
        raise ParameterError(msg)
    slim = found * LONGEST < network.lengths
    if slim.any():
        i = int(np.flatnonzero(slim)[0])
        msg = (
            f"{name} = {found[i]:g} m of {network.wire(i)}, must be at least {1 / LONGEST:g} of its length of "
            f"{network.lengths[i]:.4g} m: micrometres written as metres?"
        )
        raise ParameterError(msg)
    return found


def _check_joined(network: Network) -> None:
    """Refuse nodes that hang on nothing, and pieces that neither via nor pad ties to the rest."""
    label = connected(len(network.nodes), network.segments, network.vias)
    alone = np.flatnonzero((network.degree == 0) & ~np.isin(np.arange(len(network.nodes)), network.vias))
    if len(alone):
        msg = f"{network.node(int(alone[0]))} hangs on nothing, must be where a segment or a via ends"
        raise ParameterError(msg)
    loose = np.setdiff1d(label, label[list(network.pads)])
    if label.max() > 0 and len(loose):
        told = " and ".join(told_nodes(network, np.flatnonzero(label == piece)) for piece in (0, int(loose[-1])))
        msg = (
            f"the network falls into {label.max() + 1} pieces, such as {told}: must hang together, "
            "by segments or electrically by vias, or have a pad each"
        )
        raise ParameterError(msg)
