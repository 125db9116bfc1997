"""Failure of a grid when its voids, one after another, have brought a node below the limit of the IR drop."""

from __future__ import annotations

from collections import OrderedDict

from emfem.errors import count, floats, number, require, require_all
from emfem.gate import checked
from emfem.mesh import Network
from emfem.mesh.graph import Floats
from emfem.signoff.gradients import Sensitivity
from emfem.technology import Technology

import numpy as np
from numpy.typing import ArrayLike

CONNECTED = 1e-9  # part of the conductance that a cut leaves: what it isolates drops without bound, and nothing else
CACHED = 400  # voids whose columns are remembered


class DropLimit:
    """Failure of a grid when its voids, one after another, have brought a node below the limit of the IR drop.

    A void cuts all wires of its tree at its node, or raises them by its length of liner. Each is an update of low rank:
    no system is factorised again.

    Attributes:
        limit: of the drop [V].
        trees: their number.
    """

    @checked
    def __init__(
        self,
        network: Network,
        technology: Technology,
        limit: float,
        *,
        nodes: ArrayLike | None = None,
        void_length: float | None = None,
    ) -> None:
        """Solve Kirchhoff's laws without voids.

        Args:
            network: of the wires, with pads.
            technology: of the chip.
            limit: of the IR drop, above that without voids [V].
            nodes: where each tree gets its void, shape (trees,); that of its highest steady tension if left out.
            void_length: of a void whose liner carries the current on [m]; if left out, or in layers without liner, a
                void cuts its wires.

        Raises:
            ParameterError: for a network without pads, a limit that is passed without voids, nodes of another shape or
                outside of their trees, or a length that is not above 0.
        """
        state = Sensitivity(network, technology)
        require(network.pads, "a grid without pads has no drop, must have pads")
        self._state, self._drop0 = state, state.currents.drop
        self.limit, self.trees = number("limit", limit, above=0.0, unit="V"), state.trees
        start = float(np.abs(self._drop0).max())
        require(start < self.limit, f"limit = {self.limit:g} V, must be above the drop at the start, {start:g} V")
        places = state.worst if nodes is None else floats("nodes", nodes, (state.trees,), f"one a tree ({state.trees})")
        require_all(
            network.components[places.astype(np.int64)] == np.arange(state.trees),
            lambda i: f"nodes[{i}] = {places[i]:g}, must be a node of tree {i}",
        )
        self._nodes = places.astype(np.int64)
        self._left = np.full(len(network.segments), CONNECTED)  # part of the conductance beside a void
        if void_length is not None:
            length = number("void_length", void_length, above=0.0, unit="m")
            self._left = self._lined(network, technology, length)
        ends = network.segments.ravel()
        order = np.argsort(ends, kind="stable")
        self._first = np.searchsorted(ends[order], np.arange(len(network.nodes) + 1))
        self._at = order // 2
        self._columns: OrderedDict[int, Floats] = OrderedDict()

    @checked
    def drops(self, trees: ArrayLike) -> list[float]:
        """Return the largest drop after each of these voids, in their order, up to the first above the limit [V].

        Args:
            trees: with a void, in the order of their opening.
        """
        return self.walk(trees)[0]

    @checked
    def walk(self, trees: ArrayLike) -> tuple[list[float], float]:
        """Return what `drops` does, and how far the voids before the last raise the tension of the other trees.

        That is the largest factor by which the rise of a steady tension grows, of trees where it is then half of what
        opens a void or more; at least 1.
        """
        network, conductance = self._state.network, self._state.conductance
        phi, result = self._state.currents.potential, list[float]()
        done: list[int] = []
        columns, moved = np.zeros((len(phi), 0)), np.zeros(len(phi))
        before, numbers = moved, floats("trees", trees, (None,), "numbers of trees").tolist()
        order = [count(f"trees[{i}]", each, at_least=0, at_most=self.trees - 1) for i, each in enumerate(numbers)]
        for tree in order:
            before = moved
            new = [each for each in self._wires(tree) if each not in done]
            at = [self._wires(tree).index(each) for each in new]
            columns = np.concatenate([columns, self._column(tree)[:, at]], axis=1)
            done += new
            a, b = network.segments[done].T
            lost = conductance[done] * (1 - self._left[done])
            small = columns[a] - columns[b] - np.diag(1 / lost)
            moved = -columns @ np.linalg.solve(small, phi[a] - phi[b])
            result.append(float(np.abs(self._drop0 - moved).max()))
            if result[-1] > self.limit:
                return result, self._overload(before, order[: len(result) - 1])
        return result, self._overload(moved, order)

    def _overload(self, moved: Floats, voids: list[int]) -> float:
        """Return the factor on the tension of the trees without void, where potentials have moved."""
        technology = self._state.technology
        needed = technology.critical_stress - technology.residual_stress
        rise = self._state.steady_at(self._state.currents.potential + moved) - technology.residual_stress
        known = np.maximum(self._state.steady - technology.residual_stress, needed / 2)
        others = rise >= needed / 2
        others[voids] = False
        return max(float((rise[others] / known[others]).max(initial=1.0)), 1.0)

    def _wires(self, tree: int) -> list[int]:
        """Return the segments that meet at the void of a tree."""
        node = self._nodes[tree]
        return self._at[self._first[node] : self._first[node + 1]].tolist()

    def _column(self, tree: int) -> Floats:
        """Return the potentials of unit currents from end to start of each wire at the void of a tree."""
        if tree in self._columns:
            self._columns.move_to_end(tree)
            return self._columns[tree]
        a, b = self._state.network.segments[self._wires(tree)].T
        right = np.zeros((len(self._drop0), len(a)))
        right[a, range(len(a))] = 1.0
        right[b, range(len(a))] = -1.0
        self._columns[tree] = self._state.adjoint(right)
        if len(self._columns) > CACHED:
            self._columns.popitem(last=False)
        return self._columns[tree]

    @staticmethod
    def _lined(network: Network, technology: Technology, length: float) -> Floats:
        """Return the part of the conductance of each segment with a void of this length; a cut without liner."""
        result = np.full(len(network.segments), CONNECTED)
        for layer, mine in technology.of_segments(network):
            if layer.liner is None:
                continue
            width, thickness = network.width[mine], network.thickness[mine]
            metal = layer.resistivity * network.lengths[mine] / (width * thickness)
            added = length * layer.liner.resistance_per_length(
                width=width, thickness=thickness, resistivity=layer.resistivity
            )
            result[mine] = metal / (metal + added)
        return result
