"""Kirchhoff's laws on a network of wires: the currents of all segments and vias, without a mesh.

sum of currents into a node = current drawn there,      V_a - V_b = R I,      R = rho L / (w h)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emfem.errors import ParameterError, floats
from emfem.gate import checked
from emfem.mesh import Domain, Network
from emfem.mesh.distribute import on_root
from emfem.mesh.graph import Floats, Numbers, component_labels, list_nodes, sum_at_nodes
from emfem.mesh.wires import node_loads, pad_voltages
from emfem.model import graph_flows

import numpy as np
from numpy.typing import ArrayLike

BALANCED = 1e-9  # part of the loads that may be missing in a network without pads: rounding of the user's numbers


@checked
@dataclass(frozen=True, eq=False)
class Currents:
    """Potentials and currents of a network.

    Attributes:
        network: of the wires.
        potential: of each node [V], shape (n,).
        current: of each segment along its direction [A], shape (m,).
        current_density: the same over its cross-section [A/m2], shape (m,).
        via_current: of each via, from its first to its second node [A], shape (v,).
        injected: current brought to each node from outside [A], shape (n,): by pads, less by loads.
        residual: of Kirchhoff's law at each node [A], shape (n,): rounding.
        drop: how far each node is below the nearest voltage of the pads in its part [V], shape (n,).
        power: heat of segments and vias [W].
    """

    network: Network
    potential: Floats
    current: Floats
    current_density: Floats
    via_current: Floats
    injected: Floats
    residual: Floats
    drop: Floats
    power: float

    def __str__(self) -> str:
        """One line."""
        worst = int(np.abs(self.drop).argmax())
        densest = int(np.abs(self.current_density).argmax())
        return (
            f"largest drop {self.drop[worst]:.4g} V at {self.network.node(worst)}, largest current density "
            f"{self.current_density[densest]:.4g} A/m2 in {self.network.wire(densest)}, {self.power:.4g} W"
        )


@checked(collective=True)
def kirchhoff(
    network: Network | Domain,
    resistivity: ArrayLike,
    *,
    loads: Mapping[int, float] | ArrayLike | None = None,
    pads: Mapping[int, float] | None = None,
    extra_resistance: ArrayLike | None = None,
) -> Currents:
    """Return potentials and currents of a network of wires. On a domain collective, and solved on one rank.

    Without any pad the currents are those of the loads alone, which must cancel in each part, and the potential is 0 at
    the first node of each. Nodes that shorts join have one potential; where shorts form a loop, or tie pads together,
    they share the current as equal resistances would.

    Args:
        network: of em.mesh.network, or the `network` of such a domain.
        resistivity: rho [Ohm m], a number or one a segment, shape (m,).
        loads: current drawn from nodes [A], a mapping of nodes or shape (n,); those of the network if left out.
        pads: nodes at a voltage [V]; those of the network if left out.
        extra_resistance: added to that of each segment [Ohm], such as that of a void, a number or shape (m,); inf cuts
            the segment.

    Raises:
        ParameterError: for a resistivity that is not positive, a negative extra resistance, nodes that do not exist, a
            part of the network without a pad, shorted pads at different voltages, or loads that do not cancel
            where there is no pad.
    """
    wires = _wires(network)
    nodes = len(wires.nodes)
    resistance = _resistance(wires, resistivity, extra_resistance)
    load = wires.loads if loads is None else node_loads(loads, nodes)
    volts = dict(wires.pads) if pads is None else pad_voltages(pads, nodes)

    def solved() -> tuple[Floats, Floats]:
        return _solve(wires, resistance, load, volts)

    potential, flow = on_root("currents", solved, network.mesh.comm) if isinstance(network, Domain) else solved()
    current, through = flow[: len(wires.segments)], flow[len(wires.segments) :]
    inflow = sum_at_nodes(nodes, _links(wires), flow)
    fed = list(volts)
    injected = -load
    injected[fed] = -inflow[fed]
    label = component_labels(nodes, wires.segments[np.isfinite(resistance)], wires.vias)
    live = np.isfinite(resistance)
    return Currents(
        wires,
        potential,
        current,
        current / wires.cross_sections,
        through,
        injected,
        inflow + injected,
        _levels(label, volts, potential) - potential,
        float(current[live] ** 2 @ resistance[live] + through**2 @ wires.via_resistance),
    )


@checked
def check_kirchhoff(
    network: Network | Domain, current_density: ArrayLike, *, injected: ArrayLike | None = None, rtol: float = 1e-6
) -> None:
    """Refuse given currents that violate Kirchhoff's law at an inner node; ends, vias and pads are free.

    Args:
        network: of em.mesh.network, or the `network` of such a domain.
        current_density: along the direction of each segment [A/m2], a number or shape (m,).
        injected: current brought to each node from outside [A], shape (n,); less the loads of the network if left out.
        rtol: the imbalance allowed, as a part of the current through the node [-].

    Raises:
        ParameterError: naming the worst node, and by how much; for a tolerance below 0.
    """
    _wires(network).check_balance(current_density, injected=injected, rtol=rtol)


def _wires(network: Network | Domain) -> Network:
    """Return the network itself or that of a domain."""
    wires = network.wires() if isinstance(network, Domain) else network
    return wires


def _resistance(wires: Network, resistivity: ArrayLike, extra: ArrayLike | None) -> Floats:
    """Return R = rho L / (w h) of each segment and the extra resistance [Ohm]."""
    rho = wires.per_segment("resistivity", resistivity)
    wrong = np.flatnonzero(rho <= 0)
    if len(wrong):
        msg = f"resistivity = {rho[wrong[0]]:g} Ohm m of {wires.wire(int(wrong[0]))}, must be greater than 0"
        raise ParameterError(msg)
    resistance = rho * wires.lengths / wires.cross_sections
    if extra is None:
        return resistance
    added = floats("extra_resistance", extra)
    finite = wires.per_segment("extra_resistance", np.where(np.isposinf(added), 0.0, added))
    wrong = np.flatnonzero(finite < 0)
    if len(wrong):
        msg = f"extra_resistance = {finite[wrong[0]]:g} Ohm of {wires.wire(int(wrong[0]))}, must be at least 0"
        raise ParameterError(msg)
    return resistance + added


def _links(wires: Network) -> Numbers:
    """Return segments, then vias, as pairs of nodes."""
    return np.concatenate([wires.segments, wires.vias])


def _solve(wires: Network, resistance: Floats, load: Floats, pads: Mapping[int, float]) -> tuple[Floats, Floats]:
    """Return the potential of each node, and the current of each segment and then each via."""
    nodes, links = len(wires.nodes), _links(wires)
    ohms = np.concatenate([resistance, wires.via_resistance])
    shorts = ohms == 0
    conductance = np.where(shorts, 0.0, 1 / np.where(shorts, 1.0, ohms))
    one = component_labels(nodes, links[shorts])  # nodes that shorts join are one
    level = _held_levels(wires, one, pads)
    parts = component_labels(nodes, links[conductance > 0], links[shorts])
    grounds = _grounds(wires, parts, load, pads)
    values = np.full(int(one.max()) + 1, np.nan)
    values[one[list(grounds)]] = 0.0
    values[list(level)] = list(level.values())
    summed = np.bincount(one, -load, len(values))
    coordinates = np.zeros((len(values), wires.nodes.shape[1]))
    coordinates[one] = wires.nodes
    potential, flow = graph_flows(one[links], conductance, summed, values, coordinates)
    missing = sum_at_nodes(nodes, links, flow) - load
    if shorts.any():
        flow[shorts] = _short_currents(nodes, links[shorts], missing, pads)
    return potential[one], flow


def _held_levels(wires: Network, one: Numbers, pads: Mapping[int, float]) -> dict[int, float]:
    """Return the voltage of each group of shorted nodes that has a pad.

    Raises:
        ParameterError: for pads that are shorted at different voltages.
    """
    level: dict[int, tuple[int, float]] = {}
    for node, volts in pads.items():
        other, known = level.setdefault(int(one[node]), (node, volts))
        if known != volts:
            pair = f"{wires.node(other)} at {known:g} V and {wires.node(node)} at {volts:g} V"
            msg = f"pads: {pair} are shorted, must be at one voltage"
            raise ParameterError(msg)
    return {group: volts for group, (_, volts) in level.items()}


def _grounds(wires: Network, parts: Numbers, load: Floats, pads: Mapping[int, float]) -> list[int]:
    """Return a node of each part to be put at 0; none if there are pads.

    Raises:
        ParameterError: for a part without pad where others have one, or whose loads do not cancel.
    """
    if pads:
        loose = np.setdiff1d(parts, parts[list(pads)])
        if len(loose):
            nodes = list_nodes(wires, np.flatnonzero(parts == loose[0]))
            more = f" (and {len(loose) - 1} other parts)" if len(loose) > 1 else ""
            has = "has" if nodes.startswith("node ") and not more else "have"
            msg = f"{nodes}{more} {has} no pad, must be joined to one: the potential there floats"
            raise ParameterError(msg)
        return []
    total, scale = np.bincount(parts, load), np.bincount(parts, np.abs(load))
    wrong = np.flatnonzero(np.abs(total) > BALANCED * scale)
    if len(wrong):
        nodes = list_nodes(wires, np.flatnonzero(parts == wrong[0]))
        msg = f"loads of {nodes} sum to {total[wrong[0]]:g} A, must cancel where there is no pad"
        raise ParameterError(msg)
    return np.unique(parts, return_index=True)[1].tolist()


def _levels(parts: Numbers, pads: Mapping[int, float], potential: Floats) -> Floats:
    """Return the voltage of the pads in each node's part that is nearest to its own, 0 without pads, shape (n,)."""
    at, volts = parts[list(pads)], np.array(list(pads.values()))
    levels, off = np.zeros(len(parts)), np.full(len(parts), np.inf)
    for level in np.unique(volts):
        nearer = np.isin(parts, at[volts == level]) & (np.abs(potential - level) < off)
        levels[nearer], off[nearer] = level, np.abs(potential - level)[nearer]
    return levels


def _short_currents(nodes: int, shorts: Numbers, missing: Floats, pads: Mapping[int, float]) -> Floats:
    """Return currents of the shorts that bring `missing` to every node, shared out as by equal resistances."""
    group = component_labels(nodes, shorts)
    values = np.full(nodes, np.nan)
    values[list(pads)] = 0.0
    unfed = np.setdiff1d(group, group[list(pads)])
    first = np.unique(group, return_index=True)[1]
    values[first[unfed]] = 0.0
    return graph_flows(shorts, np.ones(len(shorts)), missing, values)[1]
