"""Rise of the tension of all trees with time, for the technology as it is: from it the lives of all its variations.

Korhonen's equation is linear: with a diffusivity d times as large everything comes d times sooner, and with an
effective charge z times as large the stress rises z times as high.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from emfem.mesh import Network
from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.elements import Forest, forest
from emfem.signoff.metal import Metal, resolve_temperature
from emfem.signoff.propagate import Leg, propagate
from emfem.signoff.steady import SteadyState
from emfem.signoff.trees import Trees
from emfem.technology import Technology

import numpy as np

PER_DECADE = 50  # times: interpolation between two is right to 3e-4
RESOLVED = 2.0  # diffusion length at the shortest time over the size of a cell
EARLY = 0.25  # of that time: from there on the stress is right
CELLS = 8  # of the shortest segment at a node, at least: the slowest mode of a line decays right to 3e-5
CHUNK = 100_000  # unknowns that are integrated together
SETTLED = 4.0  # squares of the length of a tree over kappa in which it comes to rest
SHORTEST = 1e-10  # of the span: no earlier time is looked at
FINEST = 1e-3  # of the longest segment of a tree: cells are not smaller


@dataclass(frozen=True, eq=False)
class Rises:
    """Rise of the highest tension of each tree over its stress at the start.

    Attributes:
        t: times, shape (times,) [s].
        rise: the largest until then, shape (trees, times) [Pa].
        node: where, shape (trees, times).
    """

    t: Floats
    rise: Floats
    node: Numbers

    def times(self, tree: int, rise: Floats) -> Floats:
        """Return when a tree first has a rise [s], infinity if never until the last time.

        The logarithm of the time is interpolated in that of the rise.
        """
        known, first = self.rise[tree], int(np.searchsorted(self.rise[tree], self.rise[tree, -1]))
        if known[-1] <= 0.0:
            return np.where(rise > 0.0, np.inf, 0.0)
        # where the rise stands still it is left out: a higher one comes later, at once
        up = np.flatnonzero(np.diff(known[: first + 1], prepend=0.0) > 0.0)
        inside = np.clip(rise, known[up[0]], known[-1])
        times = np.exp(np.interp(np.log(inside), np.log(known[up]), np.log(self.t[up])))
        early = self.t[up[0]] * (np.maximum(rise, 0.0) / known[up[0]]) ** 2  # at an end, before the other is felt
        return np.where(rise > known[-1], np.inf, np.where(rise < known[up[0]], early, times))

    def nodes(self, rise: float) -> Numbers:
        """Return the node at which each tree first has a rise, or its largest, shape (trees,)."""
        at = np.minimum((self.rise < rise).sum(axis=1), self.rise.shape[1] - 1)
        return self.node[np.arange(len(self.node)), at]


@dataclass(frozen=True, eq=False)
class Blocked:
    """Trees without voids under constant currents.

    Attributes:
        metal: along the segments.
        density: current density of each segment [A/m2].
        trees: of the network.
    """

    metal: Metal
    density: Floats
    trees: Trees

    @classmethod
    def of(cls, network: Network, technology: Technology) -> Blocked:
        """Return the trees of a network at the temperature of the technology, with the currents of its loads."""
        metal = Metal(network, technology, resolve_temperature(network, technology.temperature))
        return cls(metal, GridCircuit(network, technology, metal.resistivity, None).density, Trees(network))

    @cached_property
    def initial(self) -> Floats:
        """Stress of each segment at the start [Pa], shape (m,)."""
        return self.metal.residual_stress

    def largest(self, values: Floats) -> Floats:
        """Return the largest value of the segments of each tree, shape (trees,)."""
        result = np.full(self.trees.count, -np.inf)
        np.maximum.at(result, self.trees.of_segment, values)
        return result

    @cached_property
    def fastest(self) -> Floats:
        """The largest kappa of each tree [m2/s], shape (trees,)."""
        return self.largest(self.metal.kappa)

    @cached_property
    def settled(self) -> Floats:
        """Time in which each tree comes to rest [s], shape (trees,)."""
        return SETTLED * self.trees.sums(self.metal.network.lengths) ** 2 * self.largest(1 / self.metal.slowest)

    def elements(self, which: Numbers, shortest: float, finest: float = FINEST) -> Forest:
        """Return the elements on some trees that resolve the stress from a time on; no cell is below `finest`."""
        network = self.metal.network
        longest, near = np.zeros(self.trees.count), np.full(len(network.nodes), np.inf)
        np.maximum.at(longest, self.trees.of_segment, network.lengths)
        np.minimum.at(near, network.segments.ravel(), np.repeat(network.lengths / CELLS, 2))
        fastest, of_node = np.append(self.fastest, 0.0), self.trees.of_node
        size = np.minimum(np.sqrt(fastest[of_node] * shortest) / RESOLVED, near)
        return forest(self.trees, which, self.metal, np.maximum(size, finest * np.append(longest, 1.0)[of_node]))

    def leg(self, elements: Forest, span: float, shortest: float, tolerance: float, store: bool = False) -> Leg:
        """Return the stress of some trees."""
        return propagate(
            elements,
            elements.project(self.initial),
            elements.load(self.density),
            span=span,
            shortest=EARLY * shortest,
            tolerance=tolerance,
            store=store,
        )

    def earliest(self, rise: Floats | float) -> Floats:
        """Return a time before which no tree has a rise: 2 f sqrt(kappa t / pi) of an end [s], shape (trees,)."""
        with np.errstate(divide="ignore", over="ignore"):
            return np.pi / (4 * self.fastest) * (rise / self.largest(self.metal.steepest(self.density))) ** 2


def rises(trees: Blocked, *, least: float, span: float, rtol: float) -> Rises:
    """Return the rises of all trees.

    Args:
        trees: of the network.
        least: the lowest rise that is of interest [Pa]; trees that never have it are left out, with a rise of 0.
        span: the longest time [s].
        rtol: error as a part of the lowest rise.
    """
    network, rest = trees.metal.network, SteadyState(trees.metal, trees.trees)
    # sigma <= max sigma_s + max (sigma_0 - sigma_s) bounds the rise
    steady = rest.stress(trees.density, trees.initial)
    count, start = trees.trees.count, trees.metal.technology.residual_stress
    bound = rest.peak(trees.density, trees.initial, steady) - start
    which = np.flatnonzero(bound >= least)
    span = min(span, float(trees.settled[which].max(initial=0.0)) or np.inf)
    shortest = float(np.clip(trees.earliest(least).min(), SHORTEST * span, 0.1 * span))
    decades = np.log10(span / shortest)
    t = np.geomspace(shortest, span, max(int(decades * PER_DECADE), 2))
    result = Rises(t, np.zeros((count, len(t))), np.repeat(trees.trees.roots[:, None], len(t), axis=1))
    per_tree = np.maximum(trees.trees.sums(np.full(len(network.lengths), 20.0))[which], 1.0)
    for chunk in np.unique(part := (np.cumsum(per_tree) / CHUNK).astype(np.int64)):
        some = which[part == chunk]
        elements = trees.elements(some, shortest)
        leg = trees.leg(elements, span, shortest, 0.1 * rtol * least)
        stress = leg.stress(t) - start
        tree = elements.tree_of[elements.unknowns]
        first = np.append(np.searchsorted(tree, np.arange(len(some))), len(tree))
        for i, number in enumerate(some.tolist()):
            own = stress[first[i] : first[i + 1]]
            top = own.argmax(axis=0)
            highest = own[top, np.arange(len(t))]
            so_far = np.maximum.accumulate(highest)
            latest = np.maximum.accumulate(np.where(highest == so_far, np.arange(len(t)), 0))
            result.rise[number] = np.maximum(so_far, 0.0)
            result.node[number] = elements.nodes[first[i] + top[latest]]
    return result
