"""Trees that are followed: their legs, from one change of currents or voids to the next, and their voids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.elements import GROWTH, Forest, Shifted, forest
from emfem.signoff.filter import Filter
from emfem.signoff.propagate import Leg, integrals, propagate

import numpy as np

MOST_BYTES = 1 << 30  # of vectors and factorisations of all trees: those of the trees that rested longest are made anew
EARLY = 0.25  # of the time of the first possible void: from there on the stress is right
HORIZON = 0.2  # of the time now: for no longer are currents taken to be linear in time
COARSEST = (
    3.0  # times the size of cells that resolves a void: cells at nodes whose currents turn, or in trees with voids
)
SMOOTH = 8  # generations of segments beside a void whose cells are made smaller


@dataclass
class OpenVoid:
    """A void that grows, or has healed."""

    node: int
    nucleated: float
    volume: float = 0.0
    healed: bool = False


@dataclass
class Growth:
    """Volumes of the voids of a tree on a leg.

    Attributes:
        nodes: with a void.
        volumes: at the beginning [m3].
        steady: (b - K s0)_n and b'_n of each, the parts of their growth that the leg does not change, shape (voids, 2).
        mass: rows of M at the voids times the vectors of the leg, shape (voids, k).
        stiffness: rows of K as well.
        amplitudes: g and g' of the vectors, shape (2, k).
        rates: of the leg [1/s], shape (k,).
        touched: segments that end at a void.
        ends: the voids at their ends, the number of voids for none, shape (touched, 2).
    """

    nodes: Numbers
    volumes: Floats
    steady: Floats
    mass: Floats
    stiffness: Floats
    amplitudes: Floats
    rates: Floats
    touched: Numbers
    ends: Numbers

    def at(self, t: Floats) -> Floats:
        """Return the volumes at times since the beginning, shape (voids, times).

        V = V0 - M_n (s - s0) + int (b + b' t - K s)_n dt: the reaction of the discrete equations, so no atom is lost.
        """
        first, second, third = integrals(self.rates, t, 3)
        constant, turning = self.amplitudes[..., None]
        change = self.mass @ (constant * first + turning * second)
        change += self.stiffness @ (constant * second + turning * third)
        return self.volumes[:, None] + self.steady @ np.stack([t, t * t / 2]) - change


@dataclass
class FollowedTree:
    """A tree that is followed.

    Attributes:
        number: of the tree.
        nodes: of the network in it.
        segments: of the network in it.
        began: of the present leg [s].
        density: current densities of its segments on it [A/m2], and their slopes [A/m2/s], shape (2, segments).
        leg: without states for a tree that was integrated with others.
        sizes: of the cells at its nodes [m].
        state: at the beginning of the leg; None for that at the start of all.
        growth: of its voids.
        open: nodes with a void.
        event: the next: time and kind.
        own_events: that depend on its leg alone.
        version: number of events so far.
        failed: true once it has passed the criterion by itself.
        joins: from when on its voids take part in a step of others [s].
        change: end of its step [s].
        sources: beginning, state and current densities of the legs that vectors were made for.
    """

    number: int
    nodes: Numbers
    segments: Numbers
    began: float
    density: Floats
    leg: Leg | None
    sizes: Floats
    state: Floats | None = None
    growth: Growth | None = None
    open: list[int] = field(default_factory=list)
    event: tuple[float, str] = (np.inf, "")
    own_events: list[tuple[float, str]] = field(default_factory=list)
    version: int = 0
    failed: bool = False
    joins: float = np.inf
    change: float = np.inf
    sources: list[tuple[float, Floats | None, Floats]] = field(default_factory=list)


class Legs:
    """Legs of trees, made from the state at their beginning."""

    def __init__(self, bounds: Filter, *, critical: float, until: float, rtol: float) -> None:
        """Take what holds for all.

        Args:
            bounds: of the trees.
            critical: stress [Pa].
            until: end of the simulation [s].
            rtol: error allowed in the stress, as a part of the critical one [-].
        """
        self.bounds, self.critical, self.until, self.rtol = bounds, critical, until, rtol
        self.metal, self.network = bounds.metal, bounds.metal.network

    def of(
        self,
        which: Numbers,
        sizes: Floats,
        state: Floats | None,
        began: float,
        span: float,
        density: Floats,
        store: bool = True,
        fixed: Numbers | None = None,
        shortest: float | None = None,
        elements: Forest | None = None,
    ) -> Leg:
        """Return a leg of some trees from a state, that of the start if it is None."""
        made = forest(self.bounds.trees, which, self.metal, sizes) if elements is None else elements
        if state is None:
            own = self.bounds.initial[made.segment]
            same = len(own) and own.min() == own.max()
            state = np.full(made.size, own[0]) if same else made.project(self.bounds.initial)
        first = self.bounds.shortest(which, span) if shortest is None else shortest
        return propagate(
            made,
            state,
            made.load(density),
            span=span,
            shortest=EARLY * min(first, 0.1 * min(span, self.until)),
            tolerance=0.1 * self.rtol * self.critical,
            began=began,
            fixed=fixed,
            store=store,
        )

    def state(self, tree: FollowedTree, t: float) -> tuple[Floats, Forest]:
        """Return the state of a tree at a time, and its elements; integrate again if the states were not stored."""
        if tree.leg is None or tree.leg.basis is None:
            self.make(tree)
        assert tree.leg is not None
        return tree.leg.at(t - tree.began), tree.leg.forest

    def driven(self, tree: FollowedTree, density: Floats, span: float) -> Floats:
        """Return what currents more, with their slopes, for a time until now, have added to the state of a tree.

        Its vectors are those of its leg. No void is open: its volume would change too.
        """
        leg, both = tree.leg, np.zeros((2, len(self.network.segments)))
        assert leg is not None
        assert leg.basis is not None
        both[:, tree.segments] = density
        pushed = np.stack([leg.forest.turning(each) for each in both]) @ leg.basis.T
        return (pushed * np.stack(integrals(leg.rates[0], np.array([span]), 2))[..., 0]).sum(axis=0) @ leg.basis

    def release(self, trees: Iterable[FollowedTree]) -> None:
        """Give up the states of the trees whose legs are oldest, where all of them take too much memory."""
        storing = [tree for tree in trees if tree.leg is not None and tree.leg.basis is not None]
        total = 0
        for tree in sorted(storing, key=lambda tree: (-tree.began, tree.number)):
            assert tree.leg is not None
            total += tree.leg.bytes
            if total > MOST_BYTES:
                tree.leg = tree.leg.released()

    def volumes(self, tree: FollowedTree, t: float) -> dict[int, float]:
        """Return the volume of each open void of a tree at a time [m3]."""
        if tree.growth is None:
            return {}
        now = tree.growth.at(np.array([t - tree.began]))[:, 0]
        return dict(zip(tree.growth.nodes.tolist(), now.tolist(), strict=True))

    def sizes_with(self, tree: FollowedTree) -> Floats:
        """Return sizes of cells at the nodes of a tree that resolve the layers at its voids, and currents that turn."""
        coarsest = COARSEST * self.bounds.fine[tree.nodes]
        if not tree.open and np.all(tree.sizes <= coarsest):
            return tree.sizes
        sizes = np.full(len(self.network.nodes), np.inf)
        sizes[tree.nodes] = np.minimum(tree.sizes, coarsest)
        sizes[tree.open] = np.minimum(sizes[tree.open], self.bounds.fine[tree.open])
        a, b = self.network.segments[tree.segments].T
        for _ in range(SMOOTH):
            grown = GROWTH * self.network.lengths[tree.segments]
            np.minimum.at(sizes, a, sizes[b] + grown)
            np.minimum.at(sizes, b, sizes[a] + grown)
        return sizes[tree.nodes]

    def restart(
        self,
        tree: FollowedTree,
        t: float,
        state: Floats,
        old: Forest,
        volumes: dict[int, float],
        sizes: Floats,
        own: Floats,
    ) -> None:
        """Begin a new leg of a tree, from a state of some elements.

        Args:
            tree: whose leg it is.
            t: now [s].
            state: of its metal.
            old: elements of the state.
            volumes: of its voids [m3].
            sizes: of the cells at its nodes [m].
            own: current density of its segments, and its slope, shape (2, segments).
        """
        if self._go_on(tree, t, state, volumes, sizes, own):
            return
        elements = old
        if not np.array_equal(sizes, tree.sizes):
            elements = self._elements(tree.number, tree.nodes, sizes)
            state = elements.taken(old, state)
            tree.sizes = sizes
        fixed = self._fixed(elements, tree.open)
        mass = elements.matrices[0]
        if len(fixed) and np.any(state[fixed] != 0.0):
            # The nearest state in the norm of M with 0 at the open nodes; what it lacks is in the voids.
            load = mass @ state
            load[fixed] = 0.0
            after = Shifted(elements, 0.0, fixed).solve(load)
            after[fixed] = 0.0
            for node, lost in zip(tree.open, (mass @ (state - after))[fixed], strict=True):
                volumes[node] = volumes.get(node, 0.0) + float(lost)
            state = after
        tree.began, tree.state, tree.density = t, state, own
        self.make(tree, elements, volumes)

    def preview(
        self, tree: FollowedTree, state: Floats, volumes: dict[int, float], density: Floats, times: Floats
    ) -> Floats:
        """Return the volumes of the voids of a tree at times after now if it had other currents from now on.

        They are made with the vectors of its present leg, without a test; shape (voids, times) [m3].
        """
        leg, growth = tree.leg, tree.growth
        assert leg is not None
        assert leg.basis is not None
        assert growth is not None
        right, steady = self._pushed(leg.forest, self._fixed(leg.forest, tree.open), state, density[:, tree.segments])
        now = np.array([volumes[node] for node in tree.open])
        return replace(growth, volumes=now, steady=steady, amplitudes=right @ leg.basis.T).at(times)

    def _pushed(self, elements: Forest, fixed: Numbers, state: Floats, own: Floats) -> tuple[Floats, Floats]:
        """Return b - K s and b', 0 at the fixed unknowns, shape (2, size), and what is there, shape (voids, 2)."""
        segments = self.bounds.members(int(elements.which[0]))[1]
        both = np.zeros((2, len(self.network.segments)))
        both[:, segments] = own
        right = np.stack([elements.load(both[0]) - elements.matrices[1] @ state, elements.turning(both[1])])
        excess = right[:, fixed].T
        right[:, fixed] = 0.0
        return right, excess

    def _go_on(
        self, tree: FollowedTree, t: float, state: Floats, volumes: dict[int, float], sizes: Floats, own: Floats
    ) -> bool:
        """Begin a new leg of a tree with the vectors of the present one; return False if they do not do."""
        leg, growth = tree.leg, tree.growth
        grown = [] if growth is None else growth.nodes.tolist()
        if leg is None or leg.basis is None or sizes is not tree.sizes or grown != tree.open:
            return False
        fixed = self._fixed(leg.forest, tree.open)
        right, steady = self._pushed(leg.forest, fixed, state, own)
        following = leg.again(
            state, right[0], t, max(self.until - t, 1e-6 * self.until), self.rtol * self.critical,
            turning=right[1], reach=HORIZON * t, felt=self._felt(tree, own),
        )  # fmt: skip
        if following is None:
            return False
        tree.began, tree.state, tree.density, tree.leg = t, state, own, following
        more = following.basis is not leg.basis
        if more:
            tree.sources.append((t, state, own))
        if growth is not None:
            growth = replace(growth, volumes=np.array([volumes[node] for node in tree.open]), steady=steady)
            tree.growth = self._on(growth, following, fixed if more else None)
        return True

    def _felt(self, tree: FollowedTree, own: Floats) -> Callable[[float], float]:
        """Return what other currents than the vectors were made for change of the stress in a time, at most [Pa].

        A force that has jumped by df, and turns by df' t, changes it by 2 (df + df' t) sqrt(kappa t/pi) at an end.
        """
        other = np.abs(own - tree.sources[-1][2])
        jump, bend = (2 * self.bounds.charge[tree.segments] * other).max(axis=1)
        diffusivity = float(self.bounds.fastest[tree.number]) / np.pi
        return lambda t: float((jump + bend * t) * np.sqrt(diffusivity * t))

    def _on(self, growth: Growth, leg: Leg, fixed: Numbers | None) -> Growth:
        """Return the growth of voids on a leg, with other vectors unless `fixed`, their unknowns, is None."""
        if fixed is not None:
            assert leg.basis is not None
            mass, stiffness = (matrix[fixed] @ leg.basis.T for matrix in leg.forest.matrices)
            growth = replace(growth, mass=mass, stiffness=stiffness, rates=leg.rates[0])
        turning = np.zeros_like(leg.amplitudes) if leg.turning is None else leg.turning
        return replace(growth, amplitudes=np.concatenate([leg.amplitudes, turning]))

    def remake(
        self, tree: FollowedTree, state: Floats, volumes: dict[int, float], sources: Sequence[Sequence[Any]]
    ) -> None:
        """Make the leg of a tree that begins at a state, with vectors that were made for earlier ones."""
        last = (tree.began, state, tree.density)
        (tree.began, first, own), *others = sources
        tree.state, tree.density = None if first is None else np.array(first), np.array(own)
        self.make(tree, volumes=volumes)
        newest = sources[-1]
        if newest[0] != last[0] or not np.array_equal(newest[2], last[2]):
            others.append(last)
        for began, at, own in others:
            self._go_on(tree, float(began), np.array(at), volumes, tree.sizes, np.array(own))

    def _elements(self, number_: int, nodes: Numbers, sizes: Floats) -> Forest:
        every = np.ones(len(self.network.nodes))
        every[nodes] = sizes
        return forest(self.bounds.trees, np.array([number_]), self.metal, every, self.bounds.members(number_))

    def _fixed(self, elements: Forest, nodes: list[int]) -> Numbers:
        """Return the unknowns of nodes."""
        order = np.argsort(elements.nodes)
        return elements.unknowns[order[np.searchsorted(elements.nodes[order], nodes)]]

    def make(self, tree: FollowedTree, elements: Forest | None = None, volumes: dict[int, float] | None = None) -> None:
        """Make the leg of a tree from its state, and the growth of its voids."""
        if elements is None:
            elements = self._elements(tree.number, tree.nodes, tree.sizes)
        density = np.zeros(len(self.network.segments))
        density[tree.segments] = tree.density[0]
        span = max(self.until - tree.began, 1e-6 * self.until)
        fixed = self._fixed(elements, tree.open)
        shortest = None
        if tree.began > 0.0:
            smallest = float(tree.sizes.min())
            shortest = max(smallest**2 / float(self.bounds.fastest[tree.number]), 1e-8 * span)
        leg = self.of(
            np.array([tree.number]), self.bounds.coarse, tree.state, tree.began, span, density,
            fixed=fixed, shortest=shortest, elements=elements,
        )  # fmt: skip
        right, steady = self._pushed(elements, fixed, leg.state, tree.density)
        if right[1].any():
            turned = leg.again(
                leg.state, right[0], tree.began, span, self.rtol * self.critical,
                turning=right[1], reach=HORIZON * tree.began,
            )  # fmt: skip
            assert turned is not None
            leg = turned
        tree.leg = leg
        tree.sources = [(tree.began, tree.state, tree.density)]
        if volumes is None:
            volumes = (
                {}
                if tree.growth is None
                else dict(zip(tree.growth.nodes.tolist(), tree.growth.volumes.tolist(), strict=True))
            )
        tree.growth = None
        if len(tree.open):
            nodes = np.array(tree.open)
            same = self.network.segments[tree.segments][..., None] == nodes
            touched = same.any(axis=(1, 2))
            none = np.zeros((len(nodes), 0))
            ends = np.where(same.any(axis=2), same.argmax(axis=2), len(nodes))[touched]
            now = np.array([volumes[node] for node in tree.open])
            growth = Growth(nodes, now, steady, none, none, none, none[0], tree.segments[touched], ends)
            tree.growth = self._on(growth, leg, fixed)
