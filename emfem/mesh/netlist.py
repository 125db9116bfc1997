"""Power grids from netlists of resistors and sources, as the public benchmark grids are written."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, UnknownName, kind, number, require, shown
from emfem.mesh.cards import Cards, read_cards
from emfem.mesh.distribute import on_root
from emfem.mesh.domain import Domain
from emfem.mesh.graph import Floats, Network, Numbers, component_labels, extent
from emfem.mesh.network import mesh_network
from emfem.mesh.paths import file_path
from emfem.mesh.wires import build, first_of_pair

import numpy as np
import ufl
from mpi4py import MPI
from numpy.typing import ArrayLike

Point = tuple[str | int, float, float]  # layer, x, y
Coordinates = Mapping[str, Point] | Callable[[str], Point | None]
PerLayer = float | Mapping[str | int, float]

NUMBER = r"(-?(?:\d+\.?\d*|\.\d+))"
NODE = re.compile(rf"n(\d+)_{NUMBER}_{NUMBER}", re.IGNORECASE)
LARGEST = 1.0  # m; no chip is as large
ATOM = 1e-10  # m; no wire is narrower


def from_netlist(
    path: str | os.PathLike[str],
    *,
    resistivity: PerLayer,
    thickness: PerLayer,
    unit: float,
    coordinates: Coordinates | None = None,
    names: Mapping[str, str] | None = None,
    cells: ArrayLike | None = None,
    size: float | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the mesh of the wires of a power grid in a SPICE netlist. Collective; rank 0 reads.

    A resistor between two points of one layer is a wire, whose width follows from R = rho L / (w h). One between
    layers, to a node without coordinates, or of 0 Ohm is a via: current passes, atoms do not. So is a source of 0 V
    between two nodes. A voltage source to ground makes a pad, a current source to ground a load. Layers are regions, so
    are `domain.network.layers`; `domain.network.names` are the nodes' names.

    Cards: R, V and I with two nodes and a value, which may have a suffix (k, meg, m, u, n, ...) and a unit; `*` starts
    a comment, `+` continues a card; .op, .end, .print and the like are skipped, other commands refused. A first line
    that is no card is a title. Ground is 0 or gnd.

    Args:
        path: the file.
        resistivity: rho of the metal [Ohm m], a number or one for each layer.
        thickness: h of the layers [m], a number or one for each layer.
        unit: length of 1 in the coordinates [m].
        coordinates: (layer, x, y) of each node by name, a mapping or a function that returns None for a node without
            coordinates; if left out, those in names such as n<layer>_<x>_<y>.
        names: the boundary of each node, by its name, that is on one; all ends are one, called ends, if left out.
        cells: of each segment, as in `network`.
        size: longest cell, as in `network`.
        comm: the ranks that share it.

    Raises:
        ParameterError: with the number of the line, for an unknown card, a value that is no number or negative, a
            name used twice, a node without a resistor or a path to a pad, a source that is neither load, pad nor
            short, two wires between the same nodes, or a wire of an impossible width; for a netlist without ground,
            pads or wires, for one larger than 1 m, and for numbers out of bounds.
        UnknownName: for a layer without resistivity or thickness, or a node that does not exist.
    """
    metal = {"resistivity": resistivity, "thickness": thickness}
    network = read_netlist(path, **metal, unit=unit, coordinates=coordinates, names=names, comm=comm)
    return mesh_network(network, f"power grid {Path(path).name}", cells=cells, size=size, comm=comm)


def read_netlist(
    path: str | os.PathLike[str],
    *,
    resistivity: PerLayer,
    thickness: PerLayer,
    unit: float,
    coordinates: Coordinates | None = None,
    names: Mapping[str, str] | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Network:
    """Return the network of `from_netlist` without a mesh, for `em.conduction.kirchhoff`. Collective; rank 0 reads.

    Raises:
        ParameterError: as `from_netlist`.
        UnknownName: as `from_netlist`.
    """
    scale = number("unit", unit, above=0.0, unit="m")
    rho, height = _per_layer("resistivity", resistivity, "Ohm m"), _per_layer("thickness", thickness, "m")
    if coordinates is None:
        locate: Callable[[str], Any] = _from_name
    elif isinstance(coordinates, Mapping):
        locate = coordinates.get
    else:
        words = "a mapping of nodes' names to (layer, x, y), or a function"
        kind("coordinates", coordinates, Callable, words)  # type: ignore[arg-type]
        require(not isinstance(coordinates, ufl.core.expr.Expr), f"coordinates = {shown(coordinates)}, must be {words}")
        locate = coordinates
    file = file_path("path", path)
    return on_root(
        f"netlist in {file.name}", lambda: _network(read_cards(file), locate, rho, height, scale, names), comm
    )


def _from_name(name: str) -> Point | None:
    """Return layer and coordinates of a node n<layer>_<x>_<y>, None for other names."""
    match = NODE.fullmatch(name)
    return (match[1], float(match[2]), float(match[3])) if match else None


def _per_layer(name: str, value: PerLayer, unit: str) -> Callable[[str], float]:
    """Return a function that returns the value of a layer."""
    if not isinstance(value, Mapping):
        same = number(name, value, above=0.0, unit=unit)
        return lambda _: same
    known = {str(layer): number(f"{name}[{layer!r}]", each, above=0.0, unit=unit) for layer, each in value.items()}

    def of(layer: str) -> float:
        if layer not in known:
            raise UnknownName(layer, f"{name}, by layer,", known)
        return known[layer]

    return of


def _network(
    cards: Cards,
    locate: Callable[[str], Point | None],
    resistivity: Callable[[str], float],
    thickness: Callable[[str], float],
    unit: float,
    names: Mapping[str, str] | None,
) -> Network:
    """Return the network of the cards."""
    points, layer, layers = _located(cards, locate, unit)
    pads, shorts = _voltages(cards)
    pairs, ohms, lines = cards.of("r")
    nodes = tuple(cards.nodes)
    if (pairs < 0).any():  # a resistor to ground: ground is one more node, a pad at 0 V
        pads[len(nodes)], pairs = 0.0, np.where(pairs < 0, len(nodes), pairs)
        points, layer, nodes = np.vstack([points, [np.nan, np.nan]]), np.append(layer, -1), (*nodes, "0")
    a, b = pairs.T
    length = np.linalg.norm(points[b] - points[a], axis=1)  # NaN to a node without coordinates
    wire = (layer[a] == layer[b]) & (layer[a] >= 0) & (length > 0) & (ohms > 0)
    message = f"{cards.file} has no wires, must have resistors between two points of one layer: coordinates={{...}}?"
    require(wire.any(), message)
    vias = np.concatenate([pairs[~wire], shorts])
    resistance = np.concatenate([ohms[~wire], np.zeros(len(shorts))])
    _check_single(cards, nodes, pairs[wire], lines[wire])
    _check_fed(cards, nodes, np.concatenate([pairs, shorts]), pads)
    pairs, ohms, lines, length, layer = pairs[wire], ohms[wire], lines[wire], length[wire], layer[a[wire]]
    height = np.array([thickness(name) for name in layers])[layer]
    width = np.array([resistivity(name) for name in layers])[layer] * length / (ohms * height)
    _check_width(cards, width, length, ohms, lines, extent(points[~np.isnan(points[:, 0])]))
    return build(
        _filled(points, vias),
        pairs,
        width=width,
        thickness=height,
        vias=np.column_stack([vias, resistance]),
        loads=_loads(cards, len(nodes)),
        pads=pads,
        boundaries=_boundaries(cards, names),
        names=nodes,
        layers=layers,
        layer=layer,
    )


def _located(cards: Cards, locate: Callable[[str], Any], unit: float) -> tuple[Floats, Numbers, tuple[str, ...]]:
    """Return the coordinates of each node, NaN without; its layer, -1 without; and the layers' names.

    Raises:
        ParameterError: for coordinates of another form, or a grid that is too large.
    """
    points, layer = np.full((len(cards.nodes), 2), np.nan), np.full(len(cards.nodes), -1)
    layers: dict[str, int] = {}
    for name, i in cards.nodes.items():
        point = locate(name)
        if point is None:
            continue
        if not isinstance(point, Sequence) or isinstance(point, str) or len(point) != 3:
            msg = f"coordinates of {name!r} = {point!r}, must be (layer, x, y)"
            raise ParameterError(msg)
        points[i] = number(f"x of {name!r}", point[1]), number(f"y of {name!r}", point[2])
        layer[i] = layers.setdefault(str(point[0]), len(layers))
    points *= unit
    across = extent(points[layer >= 0]) if layers else 0.0
    message = f"{cards.file} is {across:.4g} m across with unit = {unit:g} m, must be at most {LARGEST:g} m: check unit"
    require(across <= LARGEST, message)
    return points, layer, tuple(layers)


def _voltages(cards: Cards) -> tuple[dict[int, float], Numbers]:
    """Return the pads and their voltages, and pairs of nodes that a source of 0 V joins.

    Raises:
        ParameterError: without ground or pads, or for a source that is neither.
    """
    require((cards.ends < 0).any(), f"{cards.file} has no ground, must have a card with the node 0 or gnd")
    pads: dict[int, float] = {}
    shorts: list[tuple[int, int]] = []
    for (a, b), value, line in zip(*(column.tolist() for column in cards.of("v")), strict=True):
        if a >= 0 and b >= 0:
            if value:
                raise cards.error(line, f"{value:g} V between two nodes, must be to ground, or 0 V for a short")
            shorts.append((a, b))
            continue
        node, volts = (a, value) if b < 0 else (b, -value)
        if pads.setdefault(node, volts) != volts:
            name = list(cards.nodes)[node]
            raise cards.error(line, f"{volts:g} V at {name!r}, which is at {pads[node]:g} V already")
    require(pads, f"{cards.file} has no pad, must have a voltage source from a node to ground")
    return pads, np.array(shorts, dtype=np.int64).reshape(-1, 2)


def _loads(cards: Cards, nodes: int) -> Floats:
    """Return the current drawn from each node: a source's current flows from its first node to its second."""
    pairs, amperes, _ = cards.of("i")
    loads = np.zeros(nodes)
    for column, sign in ((0, 1.0), (1, -1.0)):
        at = pairs[:, column] >= 0
        np.add.at(loads, pairs[at, column], sign * amperes[at])
    return loads


def _boundaries(cards: Cards, names: Mapping[str, str] | None) -> dict[int, str] | None:
    """Return the boundary of nodes by their number."""
    if names is None:
        return None
    kind("names", names, Mapping, "a mapping of nodes' names to words")
    for node in names:
        if node not in cards.nodes:
            raise UnknownName(node, cards.file, [*list(cards.nodes)[:20], "..."])
    return {cards.nodes[node]: word for node, word in names.items()}


def _check_single(cards: Cards, nodes: tuple[str, ...], pairs: Numbers, lines: Numbers) -> None:
    """Check that no two wires join the same nodes."""
    first = first_of_pair(pairs, len(nodes))
    again = np.flatnonzero(first != np.arange(len(first)))
    if len(again):
        i = again[0]
        between = " and ".join(repr(nodes[node]) for node in pairs[i])
        raise cards.error(lines[i], f"a second wire between {between}, as in line {lines[first[i]]}: must be one")


def _check_width(cards: Cards, width: Floats, length: Floats, ohms: Floats, lines: Numbers, across: float) -> None:
    """Check that no wire is wider than the grid, or narrower than an atom."""
    for wrong, bound in (
        (width > across, f"at most {across:.3g} m, the grid's extent"),
        (width < ATOM, "an atom's at least"),
    ):
        for i in np.flatnonzero(wrong)[:1]:
            made = f"{ohms[i]:g} Ohm over {length[i]:.4g} m make a wire {width[i]:.3g} m wide"
            raise cards.error(lines[i], f"{made}, must be {bound}: check unit, resistivity and thickness")


def _check_fed(cards: Cards, nodes: tuple[str, ...], pairs: Numbers, pads: Mapping[int, float]) -> None:
    """Check that resistors or shorts lead from each node to a pad."""
    label = component_labels(len(nodes), pairs)
    for wrong, words in (
        (~np.isin(np.arange(len(nodes)), pairs), "is connected to nothing, must be where a resistor ends"),
        (~np.isin(label, label[list(pads)]), "leads to no pad, must be joined to one by resistors"),
    ):
        for node in np.flatnonzero(wrong)[:1]:
            line = cards.lines[(cards.ends == node).any(axis=1)].min()
            more = f" (so do {wrong.sum() - 1} more nodes)" if wrong.sum() > 1 else ""
            raise cards.error(line, f"node {nodes[node]!r} {words}{more}")


def _filled(points: Floats, vias: Numbers) -> Floats:
    """Return the points; those of nodes without coordinates are those of a node joined by a via, or the mean."""
    result = points.copy()
    for _ in range(2):
        for here, there in ((0, 1), (1, 0)):
            missing = np.isnan(result[vias[:, here], 0])
            result[vias[missing, here]] = result[vias[missing, there]]
    return np.where(np.isnan(result), np.nanmean(result, axis=0), result)
