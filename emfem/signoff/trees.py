"""Trees: the pieces of metal of a network, an order of their nodes, and their steady stress in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from emfem.mesh import Network
from emfem.mesh.graph import Floats, Numbers
from emfem.model import graph_flows

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

SAME = 1e-9  # of the range of stresses: tolerance of two ways round a loop


@dataclass(frozen=True, eq=False)
class Trees:
    """The pieces of metal of a network: trees, with loops where wires form them.

    Each has a root, an end if it has one, and each other node a parent, one step nearer to the root.

    Attributes:
        network: of the wires.
    """

    network: Network

    @cached_property
    def of_node(self) -> Numbers:
        """Tree of each node, -1 without metal, shape (n,)."""
        return self.network.components

    @cached_property
    def of_segment(self) -> Numbers:
        """Tree of each segment, shape (m,)."""
        return self.of_node[self.network.segments[:, 0]]

    @cached_property
    def count(self) -> int:
        """Number of trees."""
        return int(self.of_node.max(initial=-1)) + 1

    @cached_property
    def roots(self) -> Numbers:
        """Root of each tree: a node of lowest degree, shape (trees,)."""
        metal = np.flatnonzero(self.of_node >= 0)
        order = metal[np.lexsort((self.network.degree[metal], self.of_node[metal]))]
        return order[np.unique(self.of_node[order], return_index=True)[1]]

    @cached_property
    def _search(self) -> tuple[Numbers, Numbers]:
        """Rank of each node in a search from the roots, breadth first, and its parent; -1 without metal or parent."""
        nodes, roots = len(self.network.nodes), self.roots
        start, end = self.network.segments.T
        ends = np.concatenate([start, np.full(len(roots), nodes)]), np.concatenate([end, roots])
        graph = csr_array((np.ones(len(ends[0])), ends), shape=(nodes + 1, nodes + 1))
        order, before = breadth_first_order(graph, nodes, directed=False)
        rank = np.full(nodes + 1, -1)
        rank[order] = np.arange(len(order))
        parent = np.where((before == nodes) | (before < 0), -1, before)[:nodes]
        return rank[:nodes].astype(np.int64), parent.astype(np.int64)

    @cached_property
    def rank(self) -> Numbers:
        """Rank of each node: children come after their parents; -1 without metal, shape (n,)."""
        return self._search[0]

    @cached_property
    def parent(self) -> Numbers:
        """Parent of each node, -1 of roots and nodes without metal, shape (n,)."""
        return self._search[1]

    @cached_property
    def child(self) -> Numbers:
        """End of each segment that is further from the root, shape (m,)."""
        start, end = self.network.segments.T
        return np.where(self.rank[start] > self.rank[end], start, end)

    @cached_property
    def to_parent(self) -> Numbers:
        """Segment from each node to its parent, -1 without one, shape (n,)."""
        start, end = self.network.segments.T
        other = np.where(self.child == start, end, start)
        up = np.flatnonzero(self.parent[self.child] == other)[::-1]  # of several the first stays
        result = np.full(len(self.network.nodes), -1)
        result[self.child[up]] = up
        return result

    @cached_property
    def looped(self) -> np.ndarray:
        """True for trees with loops, shape (trees,)."""
        nodes = np.bincount(self.of_node[self.of_node >= 0], minlength=self.count)
        return np.bincount(self.of_segment, minlength=self.count) >= nodes

    def members(self, which: Numbers) -> tuple[Numbers, Numbers]:
        """Return the nodes and the segments of some trees."""
        chosen = np.zeros(self.count + 1, dtype=bool)  # the last, -1, is that of nodes without metal
        chosen[which] = True
        return np.flatnonzero(chosen[self.of_node]), np.flatnonzero(chosen[self.of_segment])

    def walked(self, rise: Floats) -> Floats:
        """Return values at the nodes that rise by `rise` along the segments to the parents, from 0 at the roots."""
        up, at = self.to_parent, np.where(self.parent >= 0, self.parent, np.arange(len(self.parent)))
        down = np.where(self.child == self.network.segments[:, 1], rise, -rise)
        value = np.where(up >= 0, down[up], 0.0)
        while True:  # each pass doubles the number of generations summed
            following = at[at]
            value = value + np.where(at == np.arange(len(at)), 0.0, value[at])
            if np.array_equal(following, at):
                return value
            at = following

    def highest(self, values: Floats) -> Floats:
        """Return the largest value of the nodes of each tree, shape (trees,)."""
        result = np.full(self.count, -np.inf)
        metal = self.of_node >= 0
        np.maximum.at(result, self.of_node[metal], values[metal])
        return result

    def sums(self, values: Floats) -> Floats:
        """Return the sum over the segments of each tree, shape (trees,)."""
        return np.bincount(self.of_segment, values, self.count)


def steady_stress(
    trees: Trees,
    force: tuple[Floats, Floats],
    resistance: tuple[Floats, Floats],
    capacity: Floats,
    start: Floats,
) -> Floats:
    """Return the steady stress of blocked trees at their nodes [Pa], shape (n,); NaN without metal.

    Along a segment A M (dsigma/dx + f) = q, the flow of volume, so with F = int f dx and R = int dx/(A M)

        sigma_b - sigma_a = q R - F,        sum of q into a node = 0,        int sigma/B dV as at the start.

    q = 0 but in loops round which the F do not cancel.

    Args:
        trees: of the network.
        force: F, and its running integral, int (L - x) f dx, shape (m,) each.
        resistance: R, and int (L - x)/(A M) dx.
        capacity: A/B of each segment.
        start: mean stress of each segment at the start [Pa].
    """
    network = trees.network
    a, b = network.segments.T
    stress, flow = trees.walked(-force[0]), np.zeros(len(a))
    missing = -force[0] - (stress[b] - stress[a])
    if np.abs(missing).max(initial=0.0) > SAME * max(np.ptp(stress), np.abs(force[0]).max(initial=0.0)):
        load = np.bincount(b, missing / resistance[0], len(stress)) - np.bincount(
            a, missing / resistance[0], len(stress)
        )
        fixed = np.where(trees.of_node >= 0, np.nan, 0.0)
        fixed[trees.roots] = 0.0
        stress = stress + graph_flows(network.segments, 1 / resistance[0], load, fixed)[0]
        flow = (stress[b] - stress[a] + force[0]) / resistance[0]
    along = stress[a] * network.lengths - force[1] + flow * resistance[1]
    volume = trees.sums(capacity * network.lengths)
    shift = trees.sums(capacity * (start * network.lengths - along)) / volume
    return np.where(trees.of_node >= 0, stress + shift[trees.of_node], np.nan)
