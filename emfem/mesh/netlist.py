"""Power grids from netlists of resistors and sources, as the public benchmark grids are written."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, UnknownName, kind, number
from emfem.mesh.cards import Cards, file_path, read_cards
from emfem.mesh.domain import Domain
from emfem.mesh.graph import Floats, Network, Numbers, connected, extent
from emfem.mesh.grid import layered
from emfem.mesh.network import meshed
from emfem.mesh.share import on_root
from emfem.mesh.wires import build

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike

Place = tuple[str | int, float, float]  # layer, x, y
Coordinates = Mapping[str, Place] | Callable[[str], Place | None]
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
    """The wires of a power grid in a SPICE netlist, meshed. Collective; rank 0 reads.

    A resistor between two places of one layer is a wire, whose width follows from R = rho L / (w h). One between
    layers, to a node without a place, or of 0 Ohm is a via: current passes, atoms do not. So is a source of 0 V between
    two nodes. A voltage source to ground makes a pad, a current source to ground a load. Layers are regions, so are
    `domain.network.layers`; `domain.network.names` are the nodes' names.

    Cards: R, V and I with two nodes and a value, which may have a suffix (k, meg, m, u, n, ...) and a unit; `*` starts
    a comment, `+` continues a card; .op, .end, .print and the like are skipped, other commands refused. A first line
    that is no card is a title. Ground is 0 or gnd.

    Args:
        path: the file.
        resistivity: rho of the metal [Ohm m], a number or one for each layer.
        thickness: h of the layers [m], a number or one for each layer.
        unit: length of 1 in the coordinates [m].
        coordinates: (layer, x, y) of each node by name, a mapping or a function that returns None for a node without a
            place; names n<layer>_<x>_<y> are understood if left out.
        names: a word for each node, by its name, that is to be a boundary; all ends are one, called ends, if left out.
        cells: of each segment, as in `network`.
        size: longest cell, as in `network`.
        comm: the ranks that share it.

    Raises:
        ParameterError: with the number of the line, for an unknown card, a value that is no number or negative, a
            name used twice, a node that hangs on nothing or leads to no pad, a source that is neither load, pad nor
            short, two wires between the same nodes, or a wire of a width that cannot be; for a netlist without ground,
            pads or wires, for one larger than 1 m, and for numbers out of bounds.
        UnknownName: for a layer without resistivity or thickness, or a node that does not exist.
    """
    found = read_netlist(
        path,
        resistivity=resistivity,
        thickness=thickness,
        unit=unit,
        coordinates=coordinates,
        names=names,
        comm=comm,
    )
    return meshed(found, f"power grid {Path(path).name}", cells=cells, size=size, comm=comm)


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
    """The network of `from_netlist` without a mesh, for `em.conduction.kirchhoff` alone. Collective; rank 0 reads.

    Raises:
        ParameterError: as `from_netlist`.
        UnknownName: as `from_netlist`.
    """
    scale = number("unit", unit, above=0.0, unit="m")
    rho, height = _per_layer("resistivity", resistivity, "Ohm m"), _per_layer("thickness", thickness, "m")
    where = _places(coordinates)
    file = file_path("path", path)
    return on_root(
        f"netlist in {file.name}", lambda: _network(read_cards(file), where, rho, height, scale, names), comm
    )


def _places(coordinates: Any) -> Callable[[str], Any]:
    """A function that gives the place of a node by its name.

    Raises:
        ParameterError: for something that gives none.
    """
    if coordinates is None:
        return _by_name
    if isinstance(coordinates, Mapping):
        return coordinates.get
    kind("coordinates", coordinates, Callable, "a mapping of nodes' names to (layer, x, y), or a function")  # type: ignore[arg-type]
    return coordinates


def _by_name(name: str) -> Place | None:
    """Layer and place of a node n<layer>_<x>_<y>."""
    match = NODE.fullmatch(name)
    return (match[1], float(match[2]), float(match[3])) if match else None


def _per_layer(name: str, value: PerLayer, unit: str) -> Callable[[str], float]:
    """A function that gives the value of a layer."""
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
    where: Callable[[str], Place | None],
    rho: Callable[[str], float],
    height: Callable[[str], float],
    unit: float,
    names: Mapping[str, str] | None,
) -> Network:
    """The network that the cards draw."""
    places, layer, layers = _located(cards, where, unit)
    pads, shorts = _voltages(cards)
    pairs, ohms, lines = _array(cards, "r"), np.array(cards.values["r"]), np.array(cards.lines["r"], dtype=np.int64)
    places, layer, pairs, shorts, pads, told = _grounded(cards, places, layer, pairs, shorts, pads)
    a, b = pairs.T
    length = np.linalg.norm(places[b] - places[a], axis=1)  # NaN to a node without a place
    wire = (layer[a] == layer[b]) & (layer[a] >= 0) & (length > 0) & (ohms > 0)
    if not wire.any():
        msg = f"{cards.file} has no wires, must have resistors between two places of one layer: coordinates={{...}}?"
        raise ParameterError(msg)
    _check_single(cards, told, pairs[wire], lines[wire])
    of = layer[a[wire]]
    thick = np.array([height(name) for name in layers])[of]
    width = np.array([rho(name) for name in layers])[of] * length[wire] / (ohms[wire] * thick)
    _check_width(cards, width, length[wire], ohms[wire], lines[wire], extent(places[layer >= 0]))
    vias = np.concatenate([pairs[~wire], shorts])
    resistance = np.concatenate([ohms[~wire], np.zeros(len(shorts))])
    _check_fed(cards, told, pairs, shorts, pads)
    found = build(
        _filled(places, vias),
        pairs[wire],
        width=width,
        thickness=thick,
        vias=np.column_stack([vias, resistance]),
        loads=_loads(cards, len(places)),
        pads=pads,
        names=told,
        boundaries=_boundaries(cards, names),
    )
    return layered(found, layers, of)


def _array(cards: Cards, letter: str) -> Numbers:
    """The nodes of the cards of a kind, shape (cards, 2)."""
    return np.array(cards.pairs[letter], dtype=np.int64).reshape(-1, 2)


def _located(cards: Cards, where: Callable[[str], Any], unit: float) -> tuple[Floats, Numbers, tuple[str, ...]]:
    """Place of each node, NaN without; its layer, -1 without; and the layers' names.

    Raises:
        ParameterError: for a place that is none, or a grid of metres.
    """
    places, layer = np.full((len(cards.nodes), 2), np.nan), np.full(len(cards.nodes), -1)
    layers: dict[str, int] = {}
    for name, i in cards.nodes.items():
        found = where(name)
        if found is None:
            continue
        if not isinstance(found, Sequence) or isinstance(found, str) or len(found) != 3:
            msg = f"coordinates of {name!r} = {found!r}, must be (layer, x, y)"
            raise ParameterError(msg)
        places[i] = [number(f"{axis} of {name!r}", x) for axis, x in zip("xy", found[1:], strict=True)]
        layer[i] = layers.setdefault(str(found[0]), len(layers))
    places *= unit
    across = extent(places[layer >= 0]) if layers else 0.0
    if across > LARGEST:
        msg = f"{cards.file} is {across:.4g} m across with unit = {unit:g} m, must be at most {LARGEST:g} m: check unit"
        raise ParameterError(msg)
    return places, layer, tuple(layers)


def _voltages(cards: Cards) -> tuple[dict[int, float], Numbers]:
    """Pads and their voltages; pairs of nodes that a source of 0 V joins.

    Raises:
        ParameterError: without ground or pads, or for a source that is neither.
    """
    if not any(-1 in pair for pairs in cards.pairs.values() for pair in pairs):
        msg = f"{cards.file} has no ground, must have a card with the node 0 or gnd"
        raise ParameterError(msg)
    pads: dict[int, float] = {}
    shorts: list[tuple[int, int]] = []
    for (a, b), value, line in zip(cards.pairs["v"], cards.values["v"], cards.lines["v"], strict=True):
        if a >= 0 and b >= 0:
            if value:
                raise cards.error(line, f"{value:g} V between two nodes, must be to ground, or 0 V for a short")
            shorts.append((a, b))
            continue
        node, volts = (a, value) if b < 0 else (b, -value)
        if pads.setdefault(node, volts) != volts:
            told = list(cards.nodes)[node]
            raise cards.error(line, f"{volts:g} V at {told!r}, which is at {pads[node]:g} V already")
    if not pads:
        msg = f"{cards.file} has no pad, must have a voltage source from a node to ground"
        raise ParameterError(msg)
    return pads, np.array(shorts, dtype=np.int64).reshape(-1, 2)


def _grounded(
    cards: Cards, places: Floats, layer: Numbers, pairs: Numbers, shorts: Numbers, pads: dict[int, float]
) -> tuple[Floats, Numbers, Numbers, Numbers, dict[int, float], tuple[str, ...]]:
    """The same with ground as one more node, a pad at 0 V, if a resistor leads there; and the nodes' names."""
    told = tuple(cards.nodes)
    if (pairs >= 0).all():
        return places, layer, pairs, shorts, pads, told
    ground = len(told)
    places, layer = np.vstack([places, [np.nan, np.nan]]), np.append(layer, -1)
    return places, layer, np.where(pairs < 0, ground, pairs), shorts, {**pads, ground: 0.0}, (*told, "0")


def _loads(cards: Cards, nodes: int) -> Floats:
    """Current drawn from each node: a source's current flows through it from its first node to its second."""
    pairs, amperes = _array(cards, "i"), np.array(cards.values["i"])
    found = np.zeros(nodes)
    for column, sign in ((0, 1.0), (1, -1.0)):
        at = pairs[:, column] >= 0
        np.add.at(found, pairs[at, column], sign * amperes[at])
    return found


def _boundaries(cards: Cards, names: Mapping[str, str] | None) -> dict[int, str] | None:
    """Words for nodes, by number."""
    if names is None:
        return None
    kind("names", names, Mapping, "a mapping of nodes' names to words")
    for node in names:
        if node not in cards.nodes:
            raise UnknownName(node, cards.file, [*list(cards.nodes)[:20], "..."])
    return {cards.nodes[node]: word for node, word in names.items()}


def _check_single(cards: Cards, told: tuple[str, ...], pairs: Numbers, lines: Numbers) -> None:
    """Refuse two wires between the same nodes."""
    key = pairs.min(axis=1) * len(told) + pairs.max(axis=1)
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[which] != np.arange(len(key)))
    if len(again):
        i = again[0]
        between = " and ".join(repr(told[node]) for node in pairs[i])
        raise cards.error(
            int(lines[i]), f"a second wire between {between}, as in line {lines[first[which[i]]]}: must be one"
        )


def _check_width(cards: Cards, width: Floats, length: Floats, ohms: Floats, lines: Numbers, across: float) -> None:
    """Refuse wires wider than the whole grid, or narrower than an atom."""
    for wrong, words in ((width > across, f"at most {across:.3g} m, the grid's extent"), (width < ATOM, "an atom's")):
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            raise cards.error(
                int(lines[i]),
                f"{ohms[i]:g} Ohm over {length[i]:.4g} m make a wire {width[i]:.3g} m wide, must be {words}"
                f"{'' if 'grid' in words else ' at least'}: check unit, resistivity and thickness",
            )


def _check_fed(cards: Cards, told: tuple[str, ...], pairs: Numbers, shorts: Numbers, pads: Mapping[int, float]) -> None:
    """Refuse nodes that no resistor leads from to a pad."""
    label = connected(len(told), pairs, shorts)
    touched = np.zeros(len(told), dtype=bool)
    touched[pairs.ravel()] = touched[shorts.ravel()] = True
    for bad, words in (
        (~touched, "hangs on nothing, must be where a resistor ends"),
        (~np.isin(label, label[list(pads)]), "leads to no pad, must be joined to one by resistors"),
    ):
        if bad.any():
            node = int(np.flatnonzero(bad)[0])
            line = min(
                line
                for letter in cards.pairs
                for pair, line in zip(cards.pairs[letter], cards.lines[letter], strict=True)
                if node in pair
            )
            more = f" (so do {bad.sum() - 1} more nodes)" if bad.sum() > 1 else ""
            raise cards.error(line, f"node {told[node]!r} {words}{more}")


def _filled(places: Floats, vias: Numbers) -> Floats:
    """Places, those of nodes without one taken from what they are joined to, or in the middle: for drawings only."""
    found = places.copy()
    for _ in range(2):
        for here, there in ((0, 1), (1, 0)):
            lost = np.isnan(found[vias[:, here], 0])
            found[vias[lost, here]] = found[vias[lost, there]]
    return np.where(np.isnan(found), np.nanmean(found, axis=0), found)
