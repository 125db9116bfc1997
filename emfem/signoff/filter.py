"""Filter of the trees that can never have a void, in closed form, and bounds for the others."""

from __future__ import annotations

from functools import cached_property

from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.elements import Forest, graded_sizes
from emfem.signoff.metal import Metal
from emfem.signoff.steady import SteadyState
from emfem.signoff.trees import Trees

import numpy as np
from numpy.typing import NDArray

RESOLVED = 2.0  # diffusion length at the first possible void over the size of a cell at a node


class Filter:
    """Steady stress, bounds and scales of all trees of a grid.

    Attributes:
        trees: of the network.
        steady: steady stress of each node, NaN without metal [Pa], shape (n,).
        highest: the highest of each tree [Pa], shape (trees,).
        node: the node where, shape (trees,).
        peak: the stress that no node of a tree can pass [Pa], shape (trees,).
        immortal: true where that is below the critical stress, shape (trees,).
        fastest: largest kappa of each tree [m2/s], shape (trees,).
        earliest: when stress at a blocked end could reach the critical one [s], shape (trees,).
        coarse: size of cells at each node for the time to the first void [m], shape (n,).
        fine: size of cells that resolves a void there [m], shape (n,).
    """

    def __init__(self, metal: Metal, *, density: Floats, initial: Floats, critical: float, until: float) -> None:
        """Compute all of it.

        Args:
            metal: along the wires.
            density: current density of each segment at the start [A/m2].
            initial: stress of each segment at the start [Pa].
            critical: stress at which a void opens [Pa].
            until: end of the simulation [s].
        """
        self.metal, self.density, self.initial = metal, density, initial
        self.trees = trees = Trees(metal.network)
        rest = SteadyState(metal, trees)
        self.steady = rest.stress(density, initial)
        self.highest = trees.highest(np.where(trees.of_node >= 0, self.steady, -np.inf))
        near = self.steady >= self.highest[trees.of_node] - 1e-9 * np.abs(self.highest[trees.of_node])
        metal_nodes = np.flatnonzero(near & (trees.of_node >= 0))
        self.node = metal_nodes[np.unique(trees.of_node[metal_nodes], return_index=True)[1]]
        self.peak = rest.peak(density, initial, self.steady)
        highest_start = np.full(trees.count, -np.inf)
        np.maximum.at(highest_start, trees.of_segment, initial)
        self.immortal = self.peak < critical
        self.immortal &= highest_start < critical
        # The earliest void: sigma - sigma_0 = 2 f sqrt(kappa t/pi) at an end.
        steepest, self.fastest = np.zeros(trees.count), np.zeros(trees.count)
        np.maximum.at(steepest, trees.of_segment, metal.steepest(density))
        np.maximum.at(self.fastest, trees.of_segment, metal.kappa)
        margin = np.maximum(critical - highest_start, 1e-3 * critical)
        with np.errstate(divide="ignore", over="ignore"):
            self.earliest = np.pi / (4 * self.fastest) * (margin / steepest) ** 2
        size = np.sqrt(self.fastest * np.minimum(self.earliest, until)) / RESOLVED
        self.coarse = np.where(trees.of_node >= 0, size[trees.of_node], 1.0)
        self.fine = graded_sizes(trees)

    def rests(self, forest: Forest, state: Floats, critical: float) -> NDArray[np.bool_]:
        """Return true for trees that can have no void any more: max (sigma - sigma_s) only falls."""
        segment, place = forest.places()
        a, b = self.metal.network.segments[segment].T
        steady = self.steady[a] + (self.steady[b] - self.steady[a]) * place
        above = np.maximum.reduceat(state - steady, forest.first[:-1])
        return self.highest[forest.which] + np.maximum(above, 0.0) < critical

    def shortest(self, which: Numbers, span: float) -> float:
        """Return a time before which none of some trees has a void, within reason for a span."""
        return float(np.clip(self.earliest[which].min(), 1e-7 * span, 0.1 * span))

    def members(self, number: int) -> tuple[Numbers, Numbers]:
        """Return nodes and segments of a tree."""
        nodes, at, segments, along = self._places
        return nodes[at[number] : at[number + 1]], segments[along[number] : along[number + 1]]

    def largest(self, values: Floats) -> Floats:
        """Return the largest value of the segments of each tree, shape (trees,)."""
        _, _, segments, along = self._places
        return np.maximum.reduceat(values[segments], along[:-1])

    @cached_property
    def charge(self) -> Floats:
        """Force in the middle of each segment for a current density of 1 A/m2 [Pa m/A], shape (m,)."""
        every = np.arange(len(self.density))
        return np.abs(self.metal.drive(every, np.full(len(every), 0.5))[0])

    @cached_property
    def faces(self) -> Floats:
        """Cross-section of all metal that meets at each node [m2], shape (n,)."""
        network = self.metal.network
        return np.bincount(network.segments.ravel(), np.repeat(network.cross_sections, 2), len(network.nodes))

    @cached_property
    def _places(self) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Return nodes and segments by tree, and the first of each tree among them."""
        every = np.arange(self.trees.count + 1)
        nodes, segments = (np.argsort(each, kind="stable") for each in (self.trees.of_node, self.trees.of_segment))
        at, along = (
            np.searchsorted(self.trees.of_node[nodes], every),
            np.searchsorted(self.trees.of_segment[segments], every),
        )
        return nodes, at, segments, along
