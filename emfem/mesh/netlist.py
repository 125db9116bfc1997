"""Power grids from netlists of resistors and sources, as OpenROAD and the public benchmark grids are written."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emfem.errors import PACKAGE, ParameterError, ResolutionWarning, UnknownName, kind, require, shown
from emfem.gate import checked
from emfem.mesh.cards import Cards, read_cards
from emfem.mesh.distribute import on_root
from emfem.mesh.domain import Domain
from emfem.mesh.graph import Floats, Network, Numbers, component_labels, extent
from emfem.mesh.lefdef import Geometry
from emfem.mesh.network import mesh_network
from emfem.mesh.node_names import Coordinates, Places, places
from emfem.mesh.paths import file_path
from emfem.mesh.plausible import doubts, nearest
from emfem.mesh.wire_widths import Metal, PerLayer, Resistors, joined, metal_of, sized
from emfem.mesh.wires import build

import numpy as np
import ufl
from mpi4py import MPI
from numpy.typing import ArrayLike

LARGEST = 1.0  # m; no chip is as large


@checked(collective=True, kinds=False)
def from_netlist(
    path: str | os.PathLike[str],
    *,
    technology: Any = None,
    resistivity: PerLayer | None = None,
    thickness: PerLayer | None = None,
    width: PerLayer | None = None,
    geometry: Geometry | None = None,
    unit: float | None = None,
    coordinates: Coordinates | None = None,
    names: Mapping[str, str] | None = None,
    ground: bool | None = None,
    cells: ArrayLike | None = None,
    size: float | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the mesh of the wires of a power grid in a SPICE netlist. Collective; rank 0 reads.

    A resistor between two points of one layer is a wire, whose width is that of the arguments or follows from
    R = rho L / (w h). One between layers, to a node without coordinates, or of 0 Ohm is a via: current passes, atoms do
    not. So is a source of 0 V between two nodes. A voltage source to ground makes a pad, a current source to ground a
    load. Layers are regions, so are `domain.network.layers`; `domain.network.names` are the nodes' names. Wires side by
    side between the same two nodes become one of their summed width, which has the same current density and stress.

    Cards: R, V and I with two nodes and a value, after `R=` or `DC` too, which may have a suffix (k, meg, m, u, n, ...)
    and a unit, or be a parameter or an expression in {} or single quotes. `.param` defines parameters, `.include` reads
    a file in the folder of the netlist, `*`, `;` and `$` start a comment, `+` continues a card; .op, .end, .print and
    the like are skipped, other commands refused. A first line that is no card is a title. Ground is 0 or gnd.

    Names of nodes are understood as the IBM benchmarks write them, n<layer>_<x>_<y>, as the CAD contest of 2023 does,
    n<net>_m<layer>_<x>_<y>, and as OpenROAD does, Node_<layer>_<x>_<y>; a node ITermNode_... of OpenROAD is the
    terminal of a cell, without metal. OpenROAD writes the currents of a ground net as drawn from it, though they come
    in: see `ground`.

    Args:
        path: the file.
        technology: thickness, resistivity and perhaps width of each layer, and perhaps the unit, as
            `em.signoff.read_technology` returns it; the arguments below come before it.
        resistivity: rho of the metal [Ohm m], a number or one for each layer.
        thickness: h of the layers [m], a number or one for each layer.
        width: w [m], a number, or one for layers or wires by the name of the layer or the resistor; that of a wire
            comes before its `geometry`, then that of its layer, then the width that follows from the resistance.
        geometry: of `em.mesh.read_def`: the width of each wire that lies in it, and the unit, unless the technology has
            one.
        unit: length of 1 in the coordinates [m], such as 0.5e-9 for 2000 database units per micron.
        coordinates: (layer, x, y) of each node by name, a mapping or a function that returns None for a node without
            coordinates; if left out, those in names.
        names: the boundary of each node, by its name, that is on one; all ends are one, called ends, if left out.
        ground: True to turn the currents of all loads round, False to take them as they are written; if left out, those
            of OpenROAD are turned round where all pads are at 0 V and no load brings current in, with a warning.
        cells: of each segment, as in `network`.
        size: longest cell, as in `network`.
        comm: the ranks that share it.

    Raises:
        ParameterError: with the number of the line, for an unknown card, a value that is no number or negative, a
            name used twice, a node without a resistor or a path to a pad, a source that is neither load, pad nor
            short, or a wire of an impossible width; for a netlist without ground, pads or wires, for one larger than
            1 m, one whose unit is not known, and for numbers out of bounds.
        UnknownName: for a layer without resistivity or thickness, a width of a layer or resistor, or a node, that does
            not exist.

    Warns:
        ResolutionWarning: of sizes that no chip has, where `unit` may be another; of a node that is likely to be
            mistyped, with the nearest name; of a net without loads beside others; of widths that have another
            resistance than the netlist, wires side by side, and a ground net that is turned round.
    """
    network = read_netlist(
        path,
        technology=technology,
        resistivity=resistivity,
        thickness=thickness,
        width=width,
        geometry=geometry,
        unit=unit,
        coordinates=coordinates,
        names=names,
        ground=ground,
        comm=comm,
    )
    return mesh_network(network, f"power grid {Path(path).name}", cells=cells, size=size, comm=comm)


@checked(collective=True, kinds=False)
def read_netlist(
    path: str | os.PathLike[str],
    *,
    technology: Any = None,
    resistivity: PerLayer | None = None,
    thickness: PerLayer | None = None,
    width: PerLayer | None = None,
    geometry: Geometry | None = None,
    unit: float | None = None,
    coordinates: Coordinates | None = None,
    names: Mapping[str, str] | None = None,
    ground: bool | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Network:
    """Return the network of `from_netlist` without a mesh, for `em.conduction.kirchhoff`. Collective; rank 0 reads.

    Raises:
        ParameterError: as `from_netlist`.
        UnknownName: as `from_netlist`.

    Warns:
        ResolutionWarning: as `from_netlist`.
    """
    if geometry is not None:
        kind("geometry", geometry, Geometry, "that of em.mesh.read_def")
        unit = next((each for each in (unit, getattr(technology, "unit", None)) if each is not None), geometry.unit)
    metal = metal_of(technology, resistivity, thickness, width, unit)
    if coordinates is not None and not isinstance(coordinates, Mapping):
        words = "a mapping of nodes' names to (layer, x, y), or a function"
        kind("coordinates", coordinates, Callable, words)  # type: ignore[arg-type]
        require(not isinstance(coordinates, ufl.core.expr.Expr), f"coordinates = {shown(coordinates)}, must be {words}")
    if ground is not None:
        kind("ground", ground, bool, "True, False or None")
    file = file_path("path", path)
    network, notes = on_root(
        f"netlist in {file.name}", lambda: _read(file, metal, geometry, coordinates, names, ground), comm
    )
    for note in notes:
        warnings.warn(note, ResolutionWarning, skip_file_prefixes=PACKAGE)
    return network


def _read(
    path: Path,
    metal: Metal,
    geometry: Geometry | None,
    coordinates: Coordinates | None,
    names: Mapping[str, str] | None,
    ground: bool | None,
) -> tuple[Network, list[str]]:
    """Return the network of a netlist, and what is worth a warning."""
    cards = read_cards(path)
    where = places(cards.nodes, coordinates)
    pads, shorts = _voltages(cards)
    wires, vias, nodes = _wires(cards, where, pads)
    points = _metres(cards, where, metal.unit)
    if len(nodes) > len(points):
        points = np.vstack([points, [np.nan, np.nan]])
    _check_fed(cards, nodes, np.concatenate([wires.pairs, vias.pairs, shorts]), pads)
    notes: list[str] = []
    loads = _loads(cards, len(nodes))
    if ground or (ground is None and where.openroad and _is_ground(pads, loads)):
        loads = -loads
        if not ground:
            notes.append(
                f"{cards.file}: all pads are at 0 V and loads draw {-loads.sum():.4g} A from this ground net, as "
                "OpenROAD writes it: the currents are turned round, unless ground=False"
            )
    sizes = sized(cards, wires, points, where.layers, metal, geometry, notes)
    sizes = joined(cards, sizes, nodes, notes)
    links = np.concatenate([vias.pairs, shorts])
    boundaries = _boundaries(cards, names)
    try:
        network = build(
            _filled(points, links),
            sizes.pairs,
            width=sizes.width,
            thickness=sizes.thickness,
            vias=np.column_stack([links, np.concatenate([vias.ohms, np.zeros(len(shorts))])]),
            loads=loads,
            pads=pads,
            boundaries=boundaries,
            names=nodes,
            layers=where.layers,
            layer=sizes.layer,
            wire_names=tuple(cards.names[card] for card in sizes.cards),
        )
    except ParameterError as error:
        msg = f"{cards.file}: {error}"
        raise ParameterError(msg) from None
    assert metal.unit is not None  # or its points would not be known
    of_layer = np.append(where.layer, np.full(len(nodes) - len(where.layer), -1))
    return network, notes + doubts(cards.file, network, metal.unit, of_layer)


def _wires(cards: Cards, where: Places, pads: dict[int, float]) -> tuple[Resistors, Resistors, tuple[str, ...]]:
    """Return wires, vias and the names of nodes; a resistor to ground makes that one more node, put among `pads`.

    Raises:
        ParameterError: for a netlist without wires.
    """
    pairs, ohms, numbers = cards.of("r")
    nodes, layer, points = tuple(cards.nodes), where.layer, where.points
    if (pairs < 0).any():  # ground is one more node, a pad at 0 V
        pads[len(nodes)], pairs = 0.0, np.where(pairs < 0, len(nodes), pairs)
        points, layer, nodes = np.vstack([points, [np.nan, np.nan]]), np.append(layer, -1), (*nodes, "0")
    a, b = pairs.T
    apart = (points[a] != points[b]).any(axis=1)
    wire = (layer[a] == layer[b]) & (layer[a] >= 0) & apart & (ohms > 0)
    message = (
        f"{cards.file} has no wires, must have resistors between two points of one layer: nodes named such as "
        f"n1_20000_0, n1_m4_20000_0 or Node_m4_20000_0, not {next(iter(nodes), '')!r}, or coordinates={{...}}"
    )
    require(wire.any(), message)
    none = np.zeros(0)
    resistors = Resistors(pairs, ohms, numbers, layer[a], none, none)
    return resistors.chosen(wire), resistors.chosen(~wire), nodes


def _metres(cards: Cards, where: Places, unit: float | None) -> Floats:
    """Return the coordinates of each node [m], NaN without.

    Raises:
        ParameterError: for a grid that is too large, or a unit that is not known.
    """
    if unit is None:
        words = (
            "0.5e-9 where the DEF file has UNITS DISTANCE MICRONS 2000: coordinates of OpenROAD are in database units"
            if where.openroad
            else "1e-6 for micrometres: the netlist does not have it"
        )
        msg = f"unit = None, must be the length of 1 in the coordinates of {cards.file} [m], such as {words}"
        raise ParameterError(msg)
    points = where.points * unit
    across = extent(points[~np.isnan(points[:, 0])]) if where.layers else 0.0
    message = f"{cards.file} is {across:.4g} m across with unit = {unit:g} m, must be at most {LARGEST:g} m: check unit"
    require(across <= LARGEST, message)
    return points


def _is_ground(pads: Mapping[int, float], loads: Floats) -> bool:
    """Return True for a net whose pads are at 0 V and whose loads all draw current from it."""
    return not any(pads.values()) and bool((loads >= 0).all() and (loads > 0).any())


def _voltages(cards: Cards) -> tuple[dict[int, float], Numbers]:
    """Return the pads and their voltages, and pairs of nodes that a source of 0 V joins.

    Raises:
        ParameterError: without ground or pads, or for a source that is neither.
    """
    require((cards.ends < 0).any(), f"{cards.file} has no ground, must have a card with the node 0 or gnd")
    pads: dict[int, float] = {}
    shorts: list[tuple[int, int]] = []
    for (a, b), value, card in zip(*(column.tolist() for column in cards.of("v")), strict=True):
        if a >= 0 and b >= 0:
            if value:
                raise cards.error(card, f"{value:g} V between two nodes, must be to ground, or 0 V for a short")
            shorts.append((a, b))
            continue
        node, volts = (a, value) if b < 0 else (b, -value)
        if pads.setdefault(node, volts) != volts:
            name = list(cards.nodes)[node]
            raise cards.error(card, f"{volts:g} V at {name!r}, which is at {pads[node]:g} V already")
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


def _check_fed(cards: Cards, nodes: tuple[str, ...], pairs: Numbers, pads: Mapping[int, float]) -> None:
    """Check that resistors or shorts lead from each node to a pad."""
    label = component_labels(len(nodes), pairs)
    for wrong, words in (
        (~np.isin(np.arange(len(nodes)), pairs), "is connected to nothing, must be where a resistor ends"),
        (~np.isin(label, label[list(pads)]), "leads to no pad, must be joined to one by resistors"),
    ):
        for node in np.flatnonzero(wrong)[:1]:
            card = int(np.flatnonzero((cards.ends == node).any(axis=1))[0])
            more = f" (so do {wrong.sum() - 1} more nodes)" if wrong.sum() > 1 else ""
            near = nearest(nodes[node], [name for name in nodes if name != nodes[node]])
            raise cards.error(card, f"node {nodes[node]!r} {words}{more}{f'; is {near!r} meant?' if near else ''}")


def _filled(points: Floats, vias: Numbers) -> Floats:
    """Return the points; those of nodes without coordinates are those of a node joined by a via, or the mean."""
    result = points.copy()
    for _ in range(2):
        for here, there in ((0, 1), (1, 0)):
            missing = np.isnan(result[vias[:, here], 0])
            result[vias[missing, here]] = result[vias[missing, there]]
    return np.where(np.isnan(result), np.nanmean(result, axis=0), result)
