"""Rise of the tension of all trees with time, for the technology as it is: from it the lives of all its variations.

Korhonen's equation is linear: with a diffusivity d times as large everything comes d times sooner, and with an
effective charge z times as large the stress rises z times as high.
"""

from __future__ import annotations

from dataclasses import dataclass

from emfem.mesh import Network
from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.elements import Forest, forest
from emfem.signoff.metal import Metal, resolve_temperature
from emfem.signoff.propagate import Leg, propagate
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
    """Trees without voids under constant currents, at the temperature of the technology.

    Attributes:
        metal: along the segments.
        density: current density of each segment [A/m2].
        trees: of the network.
        kappa: stress diffusivity [m2/s].
        start: stress at the start [Pa].
    """

    metal: Metal
    density: Floats
    trees: Trees
    kappa: float
    start: float

    @classmethod
    def of(cls, network: Network, technology: Technology, density: Floats | None = None) -> Blocked:
        """Return the trees of a network, with the currents of its loads unless others are given."""
        metal = Metal(network, technology, resolve_temperature(network, technology.temperature))
        if density is None:
            density = GridCircuit(network, technology, metal.resistivity, None).density
        zero = np.zeros((1, 1))
        mobility = float(metal.mobility(np.zeros((1, 1), dtype=np.int64), zero)[0, 0])
        return cls(metal, density, Trees(network), mobility * float(metal.modulus[0]), technology.residual_stress)

    def force(self) -> Floats:
        """Return the force on the atoms of each segment, `G` [Pa/m]."""
        every = np.arange(len(self.density))
        return self.metal.drive(every, np.zeros(len(every)))[0] * self.density

    def elements(self, which: Numbers, shortest: float) -> Forest:
        """Return the elements on some trees that resolve the stress from a time on."""
        network = self.metal.network
        longest, near = np.zeros(self.trees.count), np.full(len(network.nodes), np.inf)
        np.maximum.at(longest, self.trees.of_segment, network.lengths)
        np.minimum.at(near, network.segments.ravel(), np.repeat(network.lengths / CELLS, 2))
        size = np.minimum(np.sqrt(self.kappa * shortest) / RESOLVED, near)
        finest = FINEST * np.append(longest, 1.0)[self.trees.of_node]
        return forest(self.trees, which, self.metal, np.maximum(size, finest))

    def leg(self, elements: Forest, span: float, shortest: float, tolerance: float, store: bool = False) -> Leg:
        """Return the stress of some trees."""
        state = np.full(elements.size, self.start)
        return propagate(
            elements,
            state,
            elements.load(self.density),
            span=span,
            shortest=EARLY * shortest,
            tolerance=tolerance,
            store=store,
        )

    def earliest(self, rise: float) -> float:
        """Return a time before which no tree has a rise: 2 G sqrt(kappa t / pi) of an end [s]."""
        steepest = float(np.abs(self.force()).max(initial=0.0))
        return np.inf if steepest == 0.0 else float(np.pi / (4 * self.kappa) * (rise / steepest) ** 2)


def rises(trees: Blocked, *, least: float, span: float, rtol: float) -> Rises:
    """Return the rises of all trees.

    Args:
        trees: of the network.
        least: the lowest rise that is of interest [Pa]; trees that never have it are left out, with a rise of 0.
        span: the longest time [s].
        rtol: error as a part of the lowest rise.
    """
    network, force = trees.metal.network, trees.force()
    # sigma <= max sigma_s + max (sigma_0 - sigma_s): the range of the steady stress bounds the rise
    potential = trees.trees.walked(-force * network.lengths)
    count, piece = trees.trees.count, trees.trees.of_node
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    metal = piece >= 0
    np.minimum.at(low, piece[metal], potential[metal])
    np.maximum.at(high, piece[metal], potential[metal])
    bound = np.where(trees.trees.looped, np.inf, high - low)
    which = np.flatnonzero(bound >= least)
    longest = float(trees.trees.sums(network.lengths)[which].max(initial=0.0))
    if longest > 0.0:
        span = min(span, SETTLED * longest**2 / trees.kappa)
    shortest = float(np.clip(trees.earliest(least), SHORTEST * span, 0.1 * span))
    decades = np.log10(span / shortest)
    t = np.geomspace(shortest, span, max(int(decades * PER_DECADE), 2))
    result = Rises(t, np.zeros((count, len(t))), np.repeat(_first_nodes(trees.trees)[:, None], len(t), axis=1))
    per_tree = np.maximum(trees.trees.sums(np.full(len(network.lengths), 20.0))[which], 1.0)
    for chunk in np.unique(part := (np.cumsum(per_tree) / CHUNK).astype(np.int64)):
        some = which[part == chunk]
        elements = trees.elements(some, shortest)
        leg = trees.leg(elements, span, shortest, 0.1 * rtol * least)
        stress = leg.stress(t) - trees.start
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


def _first_nodes(trees: Trees) -> Numbers:
    """Return a node of each tree."""
    return trees.roots
