"""Gradients of the IR drop and of the steady tension with respect to widths and lengths of wires, by adjoints.

Loads and pads stay as they are; a width changes the resistance of its wire, all currents, and the volume of its tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emfem.conduction import Currents, kirchhoff
from emfem.errors import ParameterError, count, floats, number, require_all
from emfem.gate import checked
from emfem.mesh import Network
from emfem.mesh.graph import Floats, Numbers, component_labels, sum_at_nodes
from emfem.model.graphs import factorised, laplacian
from emfem.signoff.metal import Metal
from emfem.signoff.rises import Blocked
from emfem.signoff.steady import SteadySlopes, SteadyState
from emfem.signoff.thermal import Source, map_temperature
from emfem.signoff.transient import first_void, slopes
from emfem.signoff.trees import Trees
from emfem.technology import Technology

import numpy as np
from numpy.typing import ArrayLike

EARLIEST, LATEST = 1e-30, 1e30  # s; squares of times are numbers


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Gradient:
    """Value of a functional of a network, and its derivatives.

    Attributes:
        value: of the functional: V for a drop, Pa for a stress, s for a time.
        node: at which it is taken; -1 for a norm over all nodes.
        width: derivative with respect to the width of each segment [unit of the value / m], shape (m,).
        length: derivative with respect to the length of each segment [unit of the value / m], shape (m,); NaN where the
            map of temperature has Joule heat of its own, `Temperature(excess=)`, whose shape changes with the length.
    """

    value: float
    node: int
    width: Floats
    length: Floats

    def __repr__(self) -> str:
        """Return the value and the largest derivative."""
        return (
            f"<Gradient of {self.value:.6g} at node {self.node}, up to {np.abs(self.width).max():.4g} per m of width>"
        )


class Sensitivity:
    """Potentials and steady stress of a network, with their gradients: one factorisation, one solve a functional.

    With Kirchhoff's laws K(g) V = b, g = w h / (rho L), a functional F(V, w) has

        K adjoint = dF/dV,     dF/dg_e = -(adjoint_a - adjoint_b) (V_a - V_b)     for a segment e from a to b.

    The steady stress of a tree without voids is sigma_T + (Z* e / Omega) (V - <V>), with the mean over its volume,
    where all metal has one temperature; see `emfem/signoff/steady.py` for others. A map of temperature stays as it is
    when widths change, and is stretched with wires that become longer.

    Attributes:
        network: of the wires.
        technology: of the chip.
        metal: along the wires, at their temperatures.
        currents: of em.conduction.kirchhoff.
        conductance: of each segment, shape (m,) [S].
        stress: steady stress at each node, shape (n,) [Pa]; -inf at nodes without metal.
    """

    @checked
    def __init__(
        self,
        network: Network,
        technology: Technology,
        *,
        temperature: Source | None = None,
        loads: Mapping[int, float] | ArrayLike | None = None,
        pads: Mapping[int, float] | None = None,
    ) -> None:
        """Solve Kirchhoff's laws.

        Args:
            network: of em.mesh.read_netlist, or `em.mesh.network(...).wires()`.
            technology: of the chip.
            temperature: of the metal: see `em.signoff.map_temperature`; that of the technology if left out.
            loads: current drawn from nodes [A]; those of the network if left out.
            pads: nodes at a voltage [V]; those of the network if left out.

        Raises:
            ParameterError: as em.conduction.kirchhoff.
            UnknownName: for a layer that the technology lacks.
        """
        self.network, self.technology = network, technology
        kelvin = technology.temperature if temperature is None else temperature
        self.metal = Metal(network, technology, map_temperature(kelvin, network))
        self._rho = self.metal.resistivity
        self.currents: Currents = kirchhoff(network, self._rho, loads=loads, pads=pads)
        self._pads = dict(network.pads if pads is None else pads)
        self.conductance = network.cross_sections / (self._rho * network.lengths)
        self._trees = Trees(network)
        self._rest = SteadyState(self.metal, self._trees)
        self.trees = self._trees.count
        self.stress = self._steady(self.currents.current_density)

    def _steady(self, density: Floats) -> Floats:
        """Return the steady stress at each node, -inf without metal."""
        return np.nan_to_num(self._rest.stress(density, self.metal.residual_stress), nan=-np.inf)

    @checked
    def steady_at(self, potential: Floats) -> Floats:
        """Return the highest steady tension of each tree under other potentials, shape (trees,) [Pa].

        Raises:
            ParameterError: for potentials of another shape.
        """
        potential = floats("potential", potential, (len(self.network.nodes),), "one a node")
        a, b = self.network.segments.T
        return self._trees.highest(self._steady((potential[a] - potential[b]) / (self._rho * self.network.lengths)))

    @cached_property
    def worst(self) -> Numbers:
        """Node of the highest steady tension of each tree, shape (trees,)."""
        order = np.lexsort((-self.stress, self.network.components))
        order = order[self.network.components[order] >= 0]
        return order[np.unique(self.network.components[order], return_index=True)[1]]

    @property
    def steady(self) -> Floats:
        """Highest steady tension of each tree, shape (trees,) [Pa]."""
        return self.stress[self.worst]

    @checked
    def drop(self, node: int | None = None, *, power: float | None = None) -> Gradient:
        """Return the size of the IR drop with its gradient [V].

        Args:
            node: where; that of the largest drop if left out.
            power: p of the norm (sum |drop|^p)^(1/p) over all nodes instead, at least 1: a smooth bound of the largest.

        Raises:
            ParameterError: for a network without pads, a node that does not exist, both arguments, or p below 1.
        """
        drop = self.currents.drop
        if not self._pads:
            msg = "a drop needs a network with pads: a voltage counts from them"
            raise ParameterError(msg)
        size = np.abs(drop)
        if power is not None:
            if node is not None:
                msg = f"node = {node} and power = {power:g}, must be one of them"
                raise ParameterError(msg)
            number("power", power, at_least=1.0)
            top = float(size.max())
            value = top * float(((size / top) ** power).sum() ** (1 / power)) if top else 0.0
            slopes = -np.sign(drop) * (size / value) ** (power - 1) if top else np.zeros(len(drop))
            return self._gradient(value, -1, slopes[:, None])
        node = int(size.argmax()) if node is None else self._node(node)
        return self._gradient(float(size[node]), node, self.drop_slopes([node]))

    @checked
    def tension(self, tree: int, *, node: int | None = None) -> Gradient:
        """Return the steady tension of a tree with its gradient [Pa].

        Args:
            tree: its number, as in `network.components`.
            node: where; that of the highest tension if left out.

        Raises:
            ParameterError: for a tree that does not exist, or a node outside of it.
        """
        tree = count("tree", tree, at_least=0, at_most=self.trees - 1)
        node = int(self.worst[tree]) if node is None else self._node_of(tree, node)
        by = self._steady_slopes(np.array([node]))
        return self._of_tension(float(self.stress[node]), node, by.density, by.width, by.length)

    @checked
    def nucleation(self, tree: int, *, until: float, node: int | None = None) -> Gradient:
        """Return the time at which a tree gets its first void, with its gradient [s].

        By the implicit function theorem: dt = -d sigma(t) / (d sigma/dt), with the adjoint of Korhonen's equation and
        that of Kirchhoff's laws.

        Args:
            tree: its number, as in `network.components`.
            until: end of the time that is looked at [s].
            node: where; that of the first void if left out.

        Raises:
            ParameterError: for a tree or a node that does not exist, or one that gets no void until then.
        """
        tree = count("tree", tree, at_least=0, at_most=self.trees - 1)
        until = number("until", until, at_least=EARLIEST, at_most=LATEST, unit="s")
        critical = self.technology.critical_stress
        when, where = first_void(self._blocked, tree, critical, until, None if node is None else self._node(node))
        if where < 0:
            place = f"tree {tree}" if node is None else f"{self.network.node(node)} of tree {tree}"
            msg = f"{place} has no void until {until:g} s, must have one: its time has no gradient"
            raise ParameterError(msg)
        result = self.tension_at(tree, node=where, time=when)
        rate = result[1]
        gradient = result[0]
        return Gradient(when, where, -gradient.width / rate, -gradient.length / rate)

    @checked
    def tension_at(self, tree: int, *, node: int, time: float) -> tuple[Gradient, float]:
        """Return the tension of a node at a time with its gradient [Pa], and its rate [Pa/s]; no void is open.

        Raises:
            ParameterError: for a tree that does not exist, a node outside of it, or a time out of its bounds.

        Warns:
            ResolutionWarning: for a time in which stress diffuses less than 1e-9 of the longest wire of the tree.
        """
        tree, node = count("tree", tree, at_least=0, at_most=self.trees - 1), self._node_of(tree, node)
        time = number("time", time, at_least=EARLIEST, at_most=LATEST, unit="s")
        part, segments = slopes(self._blocked, tree, node, time), len(self.network.segments)
        every = np.zeros((3, 1, segments))
        every[:, 0, part.segments] = part.density, part.width, part.length
        by_density, width, length = every
        return self._of_tension(part.stress, node, by_density, width, length), part.rate

    @cached_property
    def _blocked(self) -> Blocked:
        """Stress of the trees in time."""
        return Blocked(self.metal, self.currents.current_density, self._trees)

    @checked
    def drop_slopes(self, nodes: Any) -> Floats:
        """Return the derivatives of the size of the drop at nodes by all potentials, shape (n, number of nodes).

        Raises:
            ParameterError: for nodes that do not exist.
        """
        nodes = self._nodes(nodes)
        slopes = np.zeros((len(self.network.nodes), len(nodes)))
        slopes[nodes, range(len(nodes))] = -np.sign(self.currents.drop[nodes])
        return slopes

    @checked
    def tension_slopes(self, nodes: Any) -> tuple[Floats, Floats, Floats]:
        """Return derivatives of the stress at nodes by potentials, and, at fixed potentials, by widths and lengths.

        Shapes (n, k), (k, m) and (k, m) for k nodes.

        Raises:
            ParameterError: for nodes that do not exist.
        """
        by = self._steady_slopes(self._nodes(nodes))
        by_length = by.length - by.density * self.currents.current_density
        return self._by_potential(by.density), by.width / self.network.width, by_length / self.network.lengths

    def _steady_slopes(self, nodes: Numbers) -> SteadySlopes:
        """Return the derivatives of the steady stress at nodes by the current densities and the sizes of segments."""
        return self._rest.slopes(self.currents.current_density, self.metal.residual_stress, self.stress, nodes)

    def _by_potential(self, by_density: Floats) -> Floats:
        """Return derivatives by the potentials, shape (n, k), of those by j = (V_a - V_b)/(rho L), shape (k, m)."""
        per_volt, segments = by_density / (self._rho * self.network.lengths), self.network.segments
        return -np.stack([sum_at_nodes(len(self.network.nodes), segments, row) for row in per_volt], axis=1)

    @checked
    def through_circuit(self, slopes: Floats) -> Floats:
        """Return derivatives by the logarithm of each conductance, shape (k, m), of k functionals of the potentials.

        Args:
            slopes: derivatives by the potentials, shape (n, k).

        Raises:
            ParameterError: for derivatives of another shape.
        """
        adjoint = self.adjoint(slopes)
        a, b = self.network.segments.T
        phi = self.currents.potential
        return -((adjoint[a] - adjoint[b]) * (self.conductance * (phi[a] - phi[b]))[:, None]).T

    def _of_tension(self, value: float, node: int, by_density: Floats, width: Floats, length: Floats) -> Gradient:
        """Return the gradient of a tension by its derivatives by j, log w and log L at fixed others, shape (1, m)."""
        network = self.network
        own = length[0] - by_density[0] * self.currents.current_density
        by_potential = self._by_potential(by_density)
        return self._gradient(value, node, by_potential, width[0] / network.width, own / network.lengths)

    def _gradient(self, value: float, node: int, slopes: Floats, width: Any = 0.0, length: Any = 0.0) -> Gradient:
        """Return the gradient of one functional; `width` and `length` are its derivatives at fixed potentials."""
        by_log, network = self.through_circuit(slopes)[0], self.network
        by_length = -by_log / network.lengths + length
        if np.any(self.metal.temperature.excess):
            by_length = np.full(len(by_log), np.nan)
        return Gradient(value, node, by_log / network.width + width, by_length)

    @checked
    def adjoint(self, slopes: Floats) -> Floats:
        """Return the potentials of currents `slopes` brought to the nodes with all pads at 0, shape (n, k).

        Raises:
            ParameterError: for currents of another shape.
        """
        slopes = floats("slopes", slopes, (len(self.network.nodes), None), "a column a functional")
        group, free, solve = self._factor
        summed = np.zeros((int(group.max()) + 1, slopes.shape[1]))
        np.add.at(summed, group, slopes)
        result = np.zeros_like(summed)
        if len(free):
            result[free] = solve(summed[free])
        return np.asarray(result[group])

    @cached_property
    def _factor(self) -> tuple[Numbers, Numbers, Any]:
        """Group of shorted nodes of each node, free groups, and the solver for these."""
        network, nodes = self.network, len(self.network.nodes)
        shorts = network.via_resistance == 0
        group = component_labels(nodes, network.vias[shorts])
        pairs = group[np.concatenate([network.segments, network.vias[~shorts]])]
        conductance = np.concatenate([self.conductance, 1 / network.via_resistance[~shorts]])
        groups = int(group.max()) + 1
        fixed = np.zeros(groups, dtype=bool)
        if self._pads:
            fixed[group[list(self._pads)]] = True
        else:  # one node of each part
            fixed[np.unique(component_labels(groups, pairs), return_index=True)[1]] = True
        free = np.flatnonzero(~fixed)
        matrix = laplacian(pairs, conductance, groups)[free][:, free]
        return group, free, factorised(matrix, False).solve if len(free) else None

    def _node(self, node: int) -> int:
        return count("node", node, at_least=0, at_most=len(self.network.nodes) - 1)

    def _node_of(self, tree: int, node: int) -> int:
        """Return a node of a tree."""
        node = self._node(node)
        if self.network.components[node] != tree:
            msg = f"{self.network.node(node)} is in tree {self.network.components[node]}, must be in tree {tree}"
            raise ParameterError(msg)
        return node

    def _nodes(self, nodes: Any) -> Numbers:
        """Return numbers of nodes, shape (k,)."""
        numbers, last = floats("nodes", nodes, (None,), "numbers of nodes"), len(self.network.nodes) - 1
        right = (numbers >= 0) & (numbers <= last) & (numbers == np.floor(numbers))
        require_all(right, lambda i: f"nodes[{i}] = {numbers[i]:g}, must be a whole number of 0 to {last}")
        return numbers.astype(np.int64)
