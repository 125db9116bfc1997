"""The grid as an electric circuit: voids change its resistances, and Kirchhoff's laws its currents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from emfem.failure.circuit import Circuit
from emfem.mesh import Network
from emfem.mesh.graph import Floats, Numbers, component_labels, sum_at_nodes
from emfem.model.graphs import dissection, factorised, laplacian
from emfem.technology import Technology

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lu_factor, lu_solve

# Beyond so many changed wires, or the root of the number of nodes, the matrix is factorised anew. All voids change at
# each time of a step: with 450 wires of 30 000 nodes that takes 35 ms, the update 5 ms.
MOST = 600
CORRECTIONS = 2  # of the flows, by what is missing at the nodes
BALANCED = 1e-10  # of the largest flow: what may be missing at a node


@dataclass(frozen=True, eq=False)
class Course:
    """Currents that are linear in time.

    Attributes:
        began: when they have the density [s].
        density: of each segment [A/m2], shape (m,).
        slope: of the density [A/m2/s], shape (m,).
    """

    began: float
    density: Floats
    slope: Floats

    def at(self, t: float) -> Floats:
        """Return the density at a time [A/m2]."""
        return self.density + (t - self.began) * self.slope


class GridCircuit(Circuit):
    """A network whose segments grow in resistance with the voids at their ends, each layer with its own liner.

    With pads it is fed at their voltages and by its loads. Currents imposed instead stay as they are in a
    network with pads; in one without, what they bring to the nodes stays, and only loops share it anew.

    Attributes:
        course: the currents, as they are expected to go on.
    """

    def __init__(
        self, network: Network, technology: Technology, resistivity: Floats, density: ArrayLike | None = None
    ) -> None:
        """Feed the network as at the start."""
        self.liner, self.cut, self.rho = None, 0.0, resistivity
        self.resistances = resistivity * network.lengths / network.cross_sections
        self.rise = self.per_length = _rise_per_length(network, technology, resistivity)
        self.network = network
        loops = len(network.segments) > int((network.degree > 0).sum()) - int(network.components.max(initial=-1)) - 1
        imposed = None if density is None else network.per_segment("currents", density)
        self.moves = loops if imposed is not None else bool(network.pads) or loops
        if imposed is not None and network.pads:
            self.moves = False
        elif imposed is not None:
            self.network = replace(network, vias=np.zeros((0, 2), int), via_resistance=np.zeros(0),
                                   loads=network.inflow(imposed))  # fmt: skip
        self.start = self.currents(np.zeros(len(self.resistances)))
        if imposed is not None:
            self.start = replace(
                self.start, network=network, current=imposed * network.cross_sections, current_density=imposed
            )
        self.density = self.start.current_density
        self.course = Course(0.0, self.density, np.zeros(len(self.density)))
        self._updates: LowRank | None = None

    def extra(self, lengths: Floats) -> Floats:
        """Return what voids of these lengths at all nodes add to each segment [Ohm], shape (m,); infinity cuts it."""
        cut = np.maximum(lengths, 0.0)[self.network.segments].sum(axis=1)
        return self.added(np.arange(len(cut)), cut[:, None])[:, 0]

    def added(self, segments: Numbers, cut: Floats) -> Floats:
        """Return what voids add to segments [Ohm] of which they have cut lengths [m], shape (s, times).

        No more is cut than there is of a wire.
        """
        cut = np.minimum(cut, self.network.lengths[segments][:, None])
        return np.multiply(cut, self.rise[segments][:, None], out=np.zeros_like(cut), where=cut > 0)

    def flows(self, extra: Floats) -> tuple[Floats, float]:
        """Return the current density of each segment [A/m2], and the largest drop [V], with resistances added.

        The factorisation of the start is used again: see `LowRank`.
        """
        network = self.network
        if not np.isfinite(extra).all() and self._parts(extra).max() > self._parts(np.zeros(len(extra))).max():
            currents = self.currents(extra)
            return currents.current_density, float(np.abs(currents.drop).max())
        if self._updates is None:
            self._updates = LowRank(network, self.resistances)
        potential, flow = self._updates.flows(extra)
        return flow / network.cross_sections, self._drop(potential)

    def updates(self) -> dict[str, Any] | None:
        """Return what the next currents depend on in their last digits, to go on from."""
        if self._updates is None:
            return None
        return {"extra": self._updates.extra.copy(), "wires": self._updates.wires.copy()}

    def restore_updates(self, state: Mapping[str, Any] | None) -> None:
        """Go on from it."""
        self._updates = None
        if state is not None:
            self._updates = LowRank(self.network, self.resistances, np.array(state["extra"]))
            self._updates.add(np.array(state["wires"], dtype=np.int64))

    def _drop(self, potential: Floats) -> float:
        """Return the largest distance of a node from the nearest voltage of the pads in its part [V]."""
        distance = np.full(len(potential), np.inf)
        for near, level in self._levels:
            np.minimum(distance, np.abs(potential - level), out=distance, where=near)
        return float(distance.max())

    @cached_property
    def _levels(self) -> list[tuple[NDArray[np.bool_], float]]:
        """Voltages of the pads, each with a mask of the nodes that are joined to it; 0 V without pads."""
        pads, parts = self.network.pads, self._parts(np.zeros(len(self.resistances)))
        if not pads:
            return [(np.ones(len(parts), dtype=bool), 0.0)]
        at, volts = np.array(list(pads)), np.array(list(pads.values()))
        return [(np.isin(parts, parts[at[volts == level]]), float(level)) for level in np.unique(volts)]

    def closed(self, extra: Floats) -> bool:
        """Return true if all current fed in still has a path."""
        return bool(np.isfinite(extra).all()) or super().closed(extra)


class LowRank:
    """Kirchhoff's laws on a network of which a few wires change: (L + U D U^T) u = r by Woodbury's formula.

    L is the matrix of the last factorisation, a column of U the two ends of a changed wire, D the change of its
    conductance. With S = U^T L^-1 U, which takes one solve for each new wire,

        u = u_0 - L^-1 U D w,    (1 + S D) w = U^T u_0,    L u_0 = r .

    L^-1 U itself is not stored: it would be most of the memory of a large grid.
    """

    def __init__(self, network: Network, resistances: Floats, extra: Floats | None = None) -> None:
        """Factorise the matrix of a network with resistances added; nodes that shorts join are one."""
        self.resistances, nodes = resistances, len(network.nodes)
        live = network.via_resistance > 0
        one = component_labels(nodes, network.vias[~live])
        self.one, self.pairs = one, one[np.concatenate([network.segments, network.vias[live]])]
        self.vias = 1 / network.via_resistance[live]
        self.values = np.full(int(one.max()) + 1, np.nan)
        if network.pads:
            self.values[one[list(network.pads)]] = list(network.pads.values())
        else:
            parts = component_labels(len(self.values), self.pairs)
            self.values[np.unique(parts, return_index=True)[1]] = 0.0
        self.brought = np.bincount(one, -network.loads, len(self.values))
        self.free = np.flatnonzero(np.isnan(self.values))
        self.place = np.full(len(self.values), -1)
        coordinates = np.zeros((len(self.values), network.nodes.shape[1]))
        coordinates[one] = network.nodes
        self.free = self.free[dissection(self.pairs, coordinates, self.free)]
        self.place[self.free] = np.arange(len(self.free))
        self._factorise(np.zeros(len(resistances)) if extra is None else extra)

    def flows(self, extra: Floats) -> tuple[Floats, Floats]:
        """Return the potential of each node of the network, and the current of each segment."""
        changed = np.flatnonzero(extra != self.extra)
        if len(np.union1d(changed, self.wires)) > max(MOST, math.isqrt(len(self.free))):
            self._factorise(extra)
            changed = changed[:0]
        self.add(np.setdiff1d(changed, self.wires))
        conductance = np.concatenate([1 / (self.resistances + extra), self.vias])
        change = conductance[self.wires] - 1 / (self.resistances + self.extra)[self.wires]
        small = lu_factor(np.eye(len(change)) + self.products * change, check_finite=False) if len(change) else None
        potential = self.start.copy()
        potential[self.free] -= self._redirected(potential, change, small)
        for _ in range(CORRECTIONS):
            flow = conductance * (potential[self.pairs[:, 0]] - potential[self.pairs[:, 1]])
            missing = (sum_at_nodes(len(potential), self.pairs, flow) + self.brought)[self.free]
            if np.abs(missing).max(initial=0.0) <= BALANCED * np.abs(flow).max(initial=0.0):
                break
            potential[self.free] += self._solve(missing, change, small)
        else:
            flow = conductance * (potential[self.pairs[:, 0]] - potential[self.pairs[:, 1]])
        return potential[self.one], flow[: len(self.resistances)]

    def _factorise(self, extra: Floats) -> None:
        """Factorise the matrix of these resistances; no wire differs from it."""
        self.extra, self.wires = extra.copy(), np.zeros(0, dtype=np.int64)
        self.products = np.zeros((0, 0))
        conductance = np.concatenate([1 / (self.resistances + extra), self.vias])
        a, b = self.pairs.T
        matrix = laplacian(self.pairs, conductance, len(self.values))[self.free][:, self.free]
        self.factor = factorised(matrix, True)
        self.start = np.where(np.isnan(self.values), 0.0, self.values)
        for _ in range(CORRECTIONS):
            flow = conductance * (self.start[a] - self.start[b])
            missing = sum_at_nodes(len(self.start), self.pairs, flow) + self.brought
            self.start[self.free] += self.factor.solve(missing[self.free])

    def add(self, wires: Numbers) -> None:
        """Add wires to those that change."""
        for wire in wires:  # one by one: the digits do not depend on which are added together
            reach = self.factor.solve(self._spread(np.array([wire]), np.ones(1)))
            self.wires = np.append(self.wires, wire)
            column, size = self._across(np.append(reach, 0.0)), len(self.wires)
            products = np.zeros((size, size))
            products[: size - 1, : size - 1] = self.products
            products[:, -1] = products[-1] = column
            self.products = products

    def _redirected(self, potential: Floats, change: Floats, small: tuple[Floats, Numbers] | None) -> Floats:
        """Return `L^-1 U D w` for potentials of all nodes, with `1 + S D` factorised; None without changed wires."""
        if small is None:
            return np.zeros(len(self.free))
        a, b = self.pairs[self.wires].T
        across = lu_solve(small, potential[a] - potential[b], check_finite=False)
        return np.asarray(self.factor.solve(self._spread(self.wires, change * across)))

    def _solve(self, right: Floats, change: Floats, small: tuple[Floats, Numbers] | None) -> Floats:
        """Return the solution of the changed equations."""
        first = np.zeros(len(self.values))
        first[self.free] = self.factor.solve(right)
        return first[self.free] - self._redirected(first, change, small)

    def _spread(self, wires: Numbers, values: Floats) -> Floats:
        """`U x`: values that enter at the starts of wires and leave at their ends, at the free nodes."""
        ends = self.place[self.pairs[wires]]
        result = np.zeros(len(self.free) + 1)  # the last, -1, is that of all nodes that are not free
        np.add.at(result, ends[:, 0], values)
        np.add.at(result, ends[:, 1], -values)
        return result[:-1]

    def _across(self, padded: Floats) -> Floats:
        """`U^T x`: differences of values at the free nodes, and 0 after them, over the wires that change."""
        ends = self.place[self.pairs[self.wires]]
        return padded[ends[:, 0]] - padded[ends[:, 1]]


def _rise_per_length(network: Network, technology: Technology, resistivity: Floats) -> Floats:
    """Return the rise of resistance with each metre that a void has cut [Ohm/m], shape (m,); infinity without liner."""
    result = np.full(len(network.segments), np.inf)
    for layer, own in technology.of_segments(network):
        if layer.liner is not None:
            result[own] = layer.liner.resistance_per_length(
                width=network.width[own], thickness=network.thickness[own], resistivity=resistivity[own]
            )
    return result
