"""Trees of a grid through the years: which get voids, how these turn the current away, and when the grid fails."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from emfem.conduction import Currents
from emfem.errors import ParameterError, number
from emfem.failure import Drop, FirstVoid, ResistanceRise, Void, VoidLength
from emfem.failure.criteria import BROKEN, Criterion
from emfem.gate import checked
from emfem.mesh import Domain, Network
from emfem.mesh.graph import Floats, Numbers
from emfem.mesh.wires import node_loads, pad_voltages
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.elements import GROWTH, Forest, Shifted, forest, graded_sizes
from emfem.signoff.events import first_crossings, first_passing, root, sample_times
from emfem.signoff.metal import Metal, resolve_temperature
from emfem.signoff.propagate import Leg, propagate
from emfem.signoff.technology import Technology
from emfem.signoff.trees import Trees, steady_stress
from emfem.signoff.verdict import Verdict

import numpy as np
from numpy.typing import ArrayLike, NDArray

CHUNK = 100_000  # unknowns that are integrated together
TOGETHER = 1e-6  # of the critical stress: nodes that come as near to it as that open with the first
FINEST = 1e-4  # of `update`: each takes a solve of the network
RESOLVED = 2.0  # diffusion length at the first possible void over the size of a cell at a node
EARLY = 0.25  # of that time: from there on the stress is right
SMOOTH = 8  # generations of segments beside a void whose cells are made smaller
HISTORY = 20  # times of the history beside those of events
FAR = 1e-2  # of the critical stress: error allowed in trees that do not come so near to it
NEAR = 5.0  # times `rtol`, of the critical stress: error allowed in trees that come near to it
FOLLOWED = 0.04  # of `update`: change of the currents in trees with voids that is followed
SETTLED = 4.0  # squares of the length of a tree over kappa in which it comes to rest


@checked
def run(
    network: Network | Domain,
    technology: Technology,
    *,
    until: float,
    temperature: Any = None,
    currents: Any = None,
    loads: Any = None,
    pads: Mapping[int, float] | None = None,
    residual_stress: ArrayLike | None = None,
    fails: Any = None,
    update: float = 0.05,
    voids: bool = True,
    rtol: float = 1e-4,
    stop_at_failure: bool = False,
    progress: Callable[[float, str], object] | None = None,
    checkpoint: Any = None,
) -> Verdict:
    """Return the verdict on a grid: which trees are immortal, when others get voids, and when the grid fails.

    Korhonen's equation on each tree of metal, dsigma/dt = d/dx kappa (dsigma/dx + f), blocked at its ends and vias;
    physics as `em.failure.run`, which integrates one small network as a whole. Trees whose stress can be shown to stay
    below the critical one are left out. The others are integrated one by one, exactly in time while currents stay. A
    void opens where the tension reaches the critical stress, holds the stress there at 0, takes up the atoms that
    leave, and grows; its liner, or nothing, carries the current past it. Each time that a resistance has changed by
    `update`, the currents of the whole grid are computed again, for half a change ahead.

    Args:
        network: of em.mesh.read_netlist, or another whose layers are those of the technology.
        technology: layers, metal, critical stress and the stress at the start.
        until: the time to look at [s].
        temperature: of the wires [K]: that of the technology when left out, a number, one a node, one a segment, two a
            segment (its ends, shape (m, 2)), or `Temperature`. Resistivities follow it by the law of the metal.
        currents: Currents, or a current density for each segment [A/m2], instead of those of loads and pads; they stay.
        loads: instead of those of the network [A].
        pads: instead of those of the network [V].
        residual_stress: at the start, one number a segment, instead of that of the technology [Pa].
        fails: `em.failure.FirstVoid()` (when left out), `VoidLength`, `ResistanceRise` or `Drop`. A rise without nodes
            and segment is that between the two pads or ends, if there are two, and else that of any wire.
        update: part of its resistance by which a segment may change before currents are computed again, 1e-4 to 1 [-].
        voids: False to end at the nucleation of each tree: no void grows, and currents stay.
        rtol: error allowed in the stress, as a part of the critical one [-].
        stop_at_failure: end there; else all trees are followed until the end.
        progress: called with the part of the time that is done and words on it.
        checkpoint: object with `read() -> state or None`, `due() -> bool` and `write(state)`; a run goes on from the
            state that it reads.

    Raises:
        ParameterError: for a value out of its bounds, or a network that Kirchhoff's laws cannot be solved on.
        UnknownName: for a layer that the technology has not.
    """
    wires = network.wires() if isinstance(network, Domain) else network
    if loads is not None:
        wires = replace(wires, loads=node_loads(loads, len(wires.nodes)))
    if pads is not None:
        wires = replace(wires, pads=pad_voltages(pads, len(wires.nodes)))
    number("until", until, above=0.0, unit="s")
    number("update", update, at_least=FINEST, at_most=1.0)
    number("rtol", rtol, at_least=1e-10, at_most=0.1)
    metal = Metal(
        wires, technology, resolve_temperature(wires, technology.temperature if temperature is None else temperature)
    )
    density = currents.current_density if isinstance(currents, Currents) else currents
    circuit = GridCircuit(wires, technology, metal.resistivity, density)
    initial = (
        metal.residual_stress if residual_stress is None else wires.per_segment("residual_stress", residual_stress)
    )
    simulation = Simulation(
        metal, circuit, initial, FirstVoid() if fails is None else fails, until, update, voids, rtol
    )
    simulation.stop_at_failure = stop_at_failure
    state = None if checkpoint is None else checkpoint.read()
    if state is not None:
        simulation.restore(state)
    while simulation.advance():
        if progress is not None:
            progress(min(simulation.t / until, 1.0), f"{len(simulation.voids)} voids")
        if checkpoint is not None and checkpoint.due():
            checkpoint.write(simulation.state())
    return simulation.verdict()


@dataclass
class _OpenVoid:
    """A void that grows, or has healed."""

    node: int
    nucleated: float
    volume: float = 0.0
    healed: bool = False


@dataclass
class _Growth:
    """Volumes of the voids of a tree on a leg.

    Attributes:
        nodes: with a void.
        volumes: at the beginning [m3].
        steady: part of their growth that does not change [m3/s].
        direct: of each vector of the leg, times phi.
        summed: as well, times the integral of phi.
        rates: of the leg [1/s].
        touched: segments that end at a void.
        ends: the voids at their ends, the number of voids for none, shape (touched, 2).
    """

    nodes: Numbers
    volumes: Floats
    steady: Floats
    direct: Floats
    summed: Floats
    rates: Floats
    touched: Numbers
    ends: Numbers

    def at(self, t: Floats) -> Floats:
        """Return the volumes at times since the beginning, shape (voids, times).

        V = V0 - M_n (s - s0) + int (b - K s)_n dt: the reaction of the discrete equations, so no atom is lost.
        """
        product = self.rates[:, None] * t
        small = np.abs(product) < 1e-4
        safe = np.where(small, 1.0, product)
        phi = t * np.where(small, 1 - product / 2 + product**2 / 6, -np.expm1(-safe) / safe)
        integral = t * t * np.where(small, 0.5 - product / 6 + product**2 / 24, (safe + np.expm1(-safe)) / safe**2)
        return self.volumes[:, None] + self.steady[:, None] * t - self.direct @ phi - self.summed @ integral


@dataclass
class _Tree:
    """A tree that is followed.

    Attributes:
        number: of the tree.
        nodes: of the network in it.
        segments: of the network in it.
        began: of the present leg [s].
        density: current densities of its segments on it [A/m2].
        leg: without states for a tree that was integrated with others.
        sizes: of the cells at its nodes [m].
        state: at the beginning of the leg; None for that at the start of all.
        growth: of its voids.
        open: nodes with a void.
        event: the next: time and kind.
        own_events: that depend on its leg alone.
        version: number of events so far.
    """

    number: int
    nodes: Numbers
    segments: Numbers
    began: float
    density: Floats
    leg: Leg | None
    sizes: Floats
    state: Floats | None = None
    growth: _Growth | None = None
    open: list[int] = field(default_factory=list)
    event: tuple[float, str] = (np.inf, "")
    own_events: list[tuple[float, str]] = field(default_factory=list)
    version: int = 0


class Simulation:
    """A grid from event to event.

    Attributes:
        t: the present time [s].
        voids: that opened, by time.
    """

    def __init__(
        self,
        metal: Metal,
        circuit: GridCircuit,
        initial: Floats,
        fails: Criterion,
        until: float,
        update: float,
        grow: bool,
        rtol: float,
    ) -> None:
        """Begin at the start."""
        self.metal, self.circuit, self.initial, self.fails = metal, circuit, initial, fails
        self.until, self.update, self.grow, self.rtol = until, update, grow, rtol
        self.network, self.trees = metal.network, Trees(metal.network)
        self.critical = metal.technology.critical_stress
        self.stop_at_failure = False
        self.t, self.voids, self.failure, self.why = 0.0, list[_OpenVoid](), np.inf, ""
        self.criterion = _Criterion(fails, circuit)
        self.first_density = circuit.density
        self._prepare()
        self.nucleation = np.full(self.trees.count, np.inf)
        self.nucleation_node = np.full(self.trees.count, -1)
        self.tree_failure = np.full(self.trees.count, np.inf)
        self.extra = np.zeros(len(self.network.segments))  # at the last redistribution
        self.rows: list[tuple[float, float, float]] = []
        self.followed: dict[int, _Tree] = {}
        self._queue: list[tuple[float, int, int]] = []
        self._begun = False
        self._used = self.first_density.copy()  # of the present leg of each tree
        every = np.arange(len(self._used))
        self._charge = metal.drive(every, np.full(len(every), 0.5))[0]

    # ---- what holds for all trees

    def _prepare(self) -> None:
        """Compute the steady stress, the bound of the filter and the sizes of cells of all trees."""
        network, trees, metal = self.network, self.trees, self.metal
        charge, thermal, resistance = metal.moments()
        area = network.cross_sections
        force = charge * self.first_density[:, None] + thermal
        self.steady = steady_stress(
            trees,
            (force[:, 0], force[:, 1]),
            (resistance[:, 0] / area, resistance[:, 1] / area),
            area / metal.modulus,
            self.initial,
        )
        self.steady_highest = trees.highest(np.where(trees.of_node >= 0, self.steady, -np.inf))
        near = self.steady >= self.steady_highest[trees.of_node] - 1e-9 * np.abs(self.steady_highest[trees.of_node])
        metal_nodes = np.flatnonzero(near & (trees.of_node >= 0))
        self.steady_node = metal_nodes[np.unique(trees.of_node[metal_nodes], return_index=True)[1]]
        # The largest distance above the steady stress never grows: sigma <= sigma_s + max (sigma_0 - sigma_s).
        above = np.full(trees.count, -np.inf)
        least = np.minimum(*self.steady[network.segments].T) - self._bend(force, thermal)
        np.maximum.at(above, trees.of_segment, self.initial - least)
        highest_start = np.full(trees.count, -np.inf)
        np.maximum.at(highest_start, trees.of_segment, self.initial)
        self.peak = self.steady_highest + np.maximum(above, 0.0)  # that the stress can come to
        self.immortal = self.peak < self.critical
        self.immortal &= highest_start < self.critical
        # The earliest void: sigma - sigma_0 = 2 f sqrt(kappa t/pi) at an end.
        steepest, self.fastest = np.zeros(trees.count), np.zeros(trees.count)
        np.maximum.at(steepest, trees.of_segment, self._steepest())
        every = np.arange(len(area))
        ends = np.maximum(metal.mobility(every, np.zeros(len(area))), metal.mobility(every, np.ones(len(area))))
        np.maximum.at(self.fastest, trees.of_segment, ends * metal.modulus)
        margin = np.maximum(self.critical - highest_start, 1e-3 * self.critical)
        with np.errstate(divide="ignore", over="ignore"):
            self.earliest = np.pi / (4 * self.fastest) * (margin / steepest) ** 2
        size = np.sqrt(self.fastest * np.minimum(self.earliest, self.until)) / RESOLVED
        self.coarse = np.where(trees.of_node >= 0, size[trees.of_node], 1.0)
        self.fine = graded_sizes(trees)

    def _bend(self, force: Floats, thermal: Floats) -> Floats | float:
        """Return by how much the steady stress inside a segment may lie below that of its ends."""
        if self.metal.temperature.uniform:
            return 0.0
        return np.abs(force[:, 0]) + np.abs(thermal[:, 0])

    def _steepest(self) -> Floats:
        """Return the largest force in each segment [Pa/m], shape (m,)."""
        every, largest = np.arange(len(self.first_density)), np.zeros(len(self.first_density))
        for place in (0.0, 0.5, 1.0):
            charge, thermal = self.metal.drive(every, np.full(len(every), place))
            largest = np.maximum(largest, np.abs(charge * self.first_density) + np.abs(thermal))
        return largest

    # ---- the first legs

    def _begin(self) -> None:
        """Integrate all trees that are not immortal up to their first void."""
        mortal = self.steady_highest >= self.critical
        doubtful = ~mortal & ~self.immortal
        for which, lasting in ((np.flatnonzero(mortal), False), (np.flatnonzero(doubtful), True)):
            for chunk in self._chunks(which):
                self._first_legs(chunk, lasting)
        self._begun = True
        if self.grow:
            for k in range(1, HISTORY + 1):
                heapq.heappush(self._queue, (self.until * k / HISTORY, -1, 0))

    def _chunks(self, which: Numbers) -> list[Numbers]:
        """Return trees that are integrated together: alike in time, and not too many."""
        if not len(which):
            return []
        cells = np.maximum(self.network.lengths / self.coarse[self.network.segments[:, 0]], 1)
        cells = np.minimum(cells, 8 * np.log1p(cells))
        size = np.cumsum(self.trees.sums(2 * cells)[which])
        part = (size / CHUNK).astype(np.int64)
        return [which[part == each] for each in np.unique(part)]

    def _first_legs(self, which: Numbers, lasting: bool) -> None:
        """Integrate trees from the start; see when they nucleate, and whether those that do not are proven immortal."""
        span = self.until
        if lasting:
            rest = SETTLED * self.trees.sums(self.network.lengths)[which] ** 2 / self.fastest[which]
            span = max(span, float(rest.max()))
        leg = self._leg(which, self.coarse, None, 0.0, span, self.first_density, store=lasting)
        times = sample_times(EARLY * self._shortest(which, span), span)
        times = np.unique(np.append(times, min(self.until, span)))
        when, where, self.peak[which] = first_crossings(leg, np.ones(len(leg.forest.nodes), bool), self.critical, times)
        for i, number_ in enumerate(which):
            if when[i] <= self.until:
                self.nucleation[number_], self.nucleation_node[number_] = when[i], where[i]
        if lasting:
            self.immortal[which] |= np.isinf(when) & self._rests(leg, span)
        for i, number_ in enumerate(which.tolist()):
            nodes, segments = self._members(number_)
            tree = _Tree(number_, nodes, segments, 0.0, self.first_density[segments], leg.of(i), self.coarse[nodes])
            if len(which) == 1:
                tree.leg = replace(leg, basis=None)
            if when[i] <= self.until:
                tree.event = (float(when[i]), "nucleation")
            self.followed[number_] = tree
            self._push(tree)

    def _rests(self, leg: Leg, span: float) -> NDArray[np.bool_]:
        """Return true for the trees of a leg that can have no void after its end: max (sigma - sigma_s) only falls."""
        segment, place = leg.forest.places()
        a, b = self.network.segments[segment].T
        steady = self.steady[a] + (self.steady[b] - self.steady[a]) * place
        above = np.maximum.reduceat(leg.at(span) - steady, leg.forest.first[:-1])
        return self.steady_highest[leg.forest.which] + np.maximum(above, 0.0) < self.critical

    def _shortest(self, which: Numbers, span: float) -> float:
        """Return a time before which no tree has a void."""
        return float(np.clip(self.earliest[which].min(), 1e-7 * span, 0.1 * span))

    def _members(self, number_: int) -> tuple[Numbers, Numbers]:
        """Return nodes and segments of a tree."""
        order, at, wires, along = self._places
        return order[at[number_] : at[number_ + 1]], wires[along[number_] : along[number_ + 1]]

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

    def _leg(
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
        made = forest(self.trees, which, self.metal, sizes) if elements is None else elements
        if state is None:
            own = self.initial[made.segment]
            same = len(own) and own.min() == own.max()
            state = np.full(made.size, own[0]) if same else made.project(self.initial)
        return propagate(
            made,
            state,
            made.load(density),
            span=span,
            shortest=EARLY * (self._shortest(which, span) if shortest is None else min(shortest, 0.1 * span)),
            tolerance=0.1 * self.rtol * self.critical,
            began=began,
            fixed=fixed,
            store=store,
        )

    # ---- events

    def advance(self) -> bool:
        """Go to the next event; return False at the end."""
        if not self._begun:
            self._begin()
            self._record()
            self._check(0.0)
            return True
        while self._queue:
            t, number_, version = heapq.heappop(self._queue)
            if number_ >= 0 and self.followed[number_].version != version:
                continue
            if t > self.until:
                break
            self._go_to(t)
            if self.stop_at_failure and self.failure < t:
                self.t = self.until = self.failure
                return False
            if number_ < 0:
                self._record()
            else:
                self._handle(self.followed[number_])
            if self.why == "open" or (self.stop_at_failure and np.isfinite(self.failure)):
                self._queue = []
                self.until = min(self.until, self.t)
                return False
            return True
        self._go_to(self.until)
        return False

    def _go_to(self, t: float) -> None:
        """Set the time; find the failure of the whole grid on the way."""
        before, self.t = self.t, t
        self._check(before)

    def _check(self, before: float) -> None:
        """Note the failure by a criterion of the whole grid between a time and now."""
        if np.isfinite(self.failure) or self.criterion.local or not self.grow:
            return
        if self.criterion.damage(self.lengths(self.t), bool(self._opened())) >= 1.0:
            self.failure = before if self.t == before else root(
                lambda t: self.criterion.damage(self.lengths(t), bool(self._opened())) - 1.0, before, self.t
            )  # fmt: skip
            self.why = self.fails.reason

    def _opened(self) -> list[_OpenVoid]:
        return [void for void in self.voids if not void.healed]

    def lengths(self, t: float) -> Floats:
        """Return the length of the void at each node at a time of the present legs [m], shape (n,)."""
        result = np.zeros(len(self.network.nodes))
        for number_ in {int(self.trees.of_node[void.node]) for void in self.voids}:
            tree = self.followed[number_]
            if tree.growth is not None:
                result[tree.growth.nodes] = self._void_lengths(tree, np.array([t - tree.began]))[:, 0]
        return result

    @cached_property
    def _sections(self) -> Floats:
        """Cross-section of all metal that meets at each node [m2], shape (n,)."""
        network = self.network
        return np.bincount(network.segments.ravel(), np.repeat(network.cross_sections, 2), len(network.nodes))

    def _handle(self, tree: _Tree) -> None:
        """Do what is due in a tree."""
        kind = tree.event[1]
        if kind == "nucleation":
            self._nucleate(tree)
        elif kind == "healing":
            self._heal(tree)
        elif kind == "failure":
            self._fail(tree)
            tree.own_events = [event for event in tree.own_events if event[1] != "failure"]
            self._replan(tree)
        elif kind == "change":
            self._redistribute()

    def _fail(self, tree: _Tree) -> None:
        """Note that a tree has passed the criterion."""
        self.tree_failure[tree.number] = min(self.tree_failure[tree.number], self.t)
        if self.t < self.failure:
            self.failure, self.why = self.t, self.fails.reason

    def _nucleate(self, tree: _Tree) -> None:
        """Open a void at each node of a tree that has reached the critical stress."""
        assert tree.leg is not None
        stress = tree.leg.stress(np.array([self.t - tree.began]))[:, 0]
        nodes = tree.leg.forest.nodes
        reached = nodes[(stress >= (1 - TOGETHER) * self.critical) & ~np.isin(nodes, tree.open)]
        if isinstance(self.fails, FirstVoid):
            self._fail(tree)
        self.nucleation[tree.number] = min(self.nucleation[tree.number], self.t)
        if self.nucleation_node[tree.number] < 0:
            self.nucleation_node[tree.number] = int(nodes[stress.argmax()])
        if not self.grow:
            self.voids.append(_OpenVoid(int(self.nucleation_node[tree.number]), self.t))
            return
        state, old = self._state(tree)
        volumes = self._volumes(tree)
        for node in reached.tolist():
            self.voids.append(_OpenVoid(node, self.t))
            tree.open.append(node)
        sizes = self._sizes_with(tree)
        self._restart(tree, state, old, volumes, sizes)

    def _heal(self, tree: _Tree) -> None:
        """Close the voids of a tree that have no volume left."""
        state, old = self._state(tree)
        volumes = self._volumes(tree)
        largest = max(volumes.values())
        gone = [node for node, volume in volumes.items() if volume <= 1e-9 * largest or volume <= 0.0]
        gone = gone or [min(volumes, key=lambda node: volumes[node])]
        for void in self.voids:
            if void.node in gone and not void.healed:
                void.healed, void.volume = True, 0.0
        tree.open = [node for node in tree.open if node not in gone]
        self._restart(tree, state, old, {node: v for node, v in volumes.items() if node not in gone}, tree.sizes)

    def _state(self, tree: _Tree) -> tuple[Floats, Forest]:
        """Return the state of a tree now, and its elements; integrate again if the states were not stored."""
        if tree.leg is None or tree.leg.basis is None:
            self._leg_of(tree)
        assert tree.leg is not None
        return tree.leg.at(self.t - tree.began), tree.leg.forest

    def _volumes(self, tree: _Tree) -> dict[int, float]:
        """Return the volume of each open void of a tree now [m3]."""
        if tree.growth is None:
            return {}
        now = tree.growth.at(np.array([self.t - tree.began]))[:, 0]
        return dict(zip(tree.growth.nodes.tolist(), now.tolist(), strict=True))

    def _sizes_with(self, tree: _Tree) -> Floats:
        """Return sizes of cells at the nodes of a tree that resolve the layers at its voids."""
        sizes = np.full(len(self.network.nodes), np.inf)
        sizes[tree.nodes] = tree.sizes
        sizes[tree.open] = np.minimum(sizes[tree.open], self.fine[tree.open])
        a, b = self.network.segments[tree.segments].T
        for _ in range(SMOOTH):
            grown = GROWTH * self.network.lengths[tree.segments]
            np.minimum.at(sizes, a, sizes[b] + grown)
            np.minimum.at(sizes, b, sizes[a] + grown)
        return sizes[tree.nodes]

    def _restart(self, tree: _Tree, state: Floats, old: Forest, volumes: dict[int, float], sizes: Floats) -> None:
        """Begin a new leg of a tree now, from a state of some elements, with the present voids and currents."""
        elements = old
        if not np.array_equal(sizes, tree.sizes):
            elements = self._elements(tree.number, tree.nodes, sizes)
            state = old.values(state, *elements.places())
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
        tree.began, tree.state, tree.density = self.t, state, self.circuit.density[tree.segments]
        self._leg_of(tree, elements, volumes)
        self._plan(tree)

    def _elements(self, number_: int, nodes: Numbers, sizes: Floats) -> Forest:
        every = np.ones(len(self.network.nodes))
        every[nodes] = sizes
        return forest(self.trees, np.array([number_]), self.metal, every, self._members(number_))

    def _fixed(self, elements: Forest, nodes: list[int]) -> Numbers:
        """Return the unknowns of nodes."""
        order = np.argsort(elements.nodes)
        return elements.unknowns[order[np.searchsorted(elements.nodes[order], nodes)]]

    def _leg_of(self, tree: _Tree, elements: Forest | None = None, volumes: dict[int, float] | None = None) -> None:
        """Make the leg of a tree from its state, and the growth of its voids."""
        if elements is None:
            elements = self._elements(tree.number, tree.nodes, tree.sizes)
        density = np.zeros(len(self.network.segments))
        density[tree.segments] = tree.density
        span = max(self.until - tree.began, 1e-6 * self.until)
        fixed = self._fixed(elements, tree.open)
        shortest = None
        if tree.began > 0.0:
            smallest = float(tree.sizes.min())
            shortest = max(smallest**2 / float(self.fastest[tree.number]), 1e-8 * span)
        leg = self._leg(
            np.array([tree.number]), self.coarse, tree.state, tree.began, span, density,
            fixed=fixed, shortest=shortest, elements=elements,
        )  # fmt: skip
        tree.leg = leg
        if volumes is None:
            volumes = (
                {}
                if tree.growth is None
                else dict(zip(tree.growth.nodes.tolist(), tree.growth.volumes.tolist(), strict=True))
            )
        tree.growth = None
        if len(tree.open):
            assert leg.basis is not None
            mass, stiffness = elements.matrices
            excess = (elements.load(density) - stiffness @ leg.state)[fixed]
            nodes = np.array(tree.open)
            same = self.network.segments[tree.segments][..., None] == nodes
            touched = same.any(axis=(1, 2))
            tree.growth = _Growth(
                nodes,
                np.array([volumes[node] for node in tree.open]),
                excess,
                (mass[fixed] @ leg.basis.T) * leg.amplitudes[0],
                (stiffness[fixed] @ leg.basis.T) * leg.amplitudes[0],
                leg.rates[0],
                tree.segments[touched],
                np.where(same.any(axis=2), same.argmax(axis=2), len(nodes))[touched],
            )

    # ---- what comes next in a tree

    def _push(self, tree: _Tree) -> None:
        if np.isfinite(tree.event[0]):
            heapq.heappush(self._queue, (tree.event[0], tree.number, tree.version))

    def _plan(self, tree: _Tree) -> None:
        """Find the next event of a tree on a new leg."""
        tree.own_events = self._coming(tree)
        self._replan(tree)

    def _replan(self, tree: _Tree) -> None:
        """Find the next event of a tree; on its leg only the next change of a resistance is another."""
        tree.version += 1
        events = list(tree.own_events)
        if tree.growth is not None and self.circuit.moves:
            times, now = self._times(tree)
            events.append((tree.began + self._passing(tree, self._change, times, now), "change"))
        tree.event = min(events, default=(np.inf, ""))
        self._push(tree)

    def _coming(self, tree: _Tree) -> list[tuple[float, str]]:
        """Return time and kind of the next events of a tree on its leg, after now."""
        assert tree.leg is not None
        times, now = self._times(tree)
        if not len(times):
            return []
        events = []
        closed = ~np.isin(tree.leg.forest.nodes, tree.open)
        if closed.any():
            when, _, peak = first_crossings(tree.leg, closed, self.critical, times)
            self.peak[tree.number] = peak[0]
            events.append((max(float(when[0]), now), "nucleation"))
        growth = tree.growth
        if growth is not None:
            lowest = -growth.at(times).min(axis=0)
            healing = first_passing(lambda t: -growth.at(np.array([t])).min(), lowest, times, now)
            events.append((healing, "healing"))
            if self.criterion.local and np.isinf(self.tree_failure[tree.number]):
                events.append((self._passing(tree, self._damage, times, now), "failure"))
        return [(tree.began + t, kind) for t, kind in events if np.isfinite(t)]

    def _times(self, tree: _Tree) -> tuple[Floats, float]:
        """Return times since the beginning of a leg at which it is sampled, those after now, and now."""
        span, now = self.until - tree.began, self.t - tree.began
        if span <= 0.0:
            return np.zeros(0), now
        shortest = max(float(tree.sizes.min()) ** 2 / float(self.fastest[tree.number]), 1e-8 * span)
        times = sample_times(EARLY * min(shortest, 0.1 * span), span)
        return times[times > now], now

    def _passing(self, tree: _Tree, measure: Callable[[_Tree, Floats], Floats], times: Floats, now: float) -> float:
        """Return when a measure of the voids of a tree passes 0, from now on."""
        values = measure(tree, np.append(now, times))
        if values[0] >= 0.0:
            return now
        return first_passing(partial(_at_time, partial(measure, tree)), values[1:], times, now)

    def _change(self, tree: _Tree, t: Floats) -> Floats:
        """Return the largest relative change of a resistance of a tree since the last redistribution, less `update`."""
        assert tree.growth is not None
        touched, extra = tree.growth.touched, self._added(tree, t)
        before = (self.circuit.resistances[touched] + self.extra[touched])[:, None]
        with np.errstate(invalid="ignore"):
            change = np.abs((self.circuit.resistances[touched][:, None] + extra) / before - 1)
        change = np.where(np.isinf(before), 0.0, change)
        return np.minimum(change.max(axis=0, initial=0.0), 2 * self.update) - self.update

    def _damage(self, tree: _Tree, t: Floats) -> Floats:
        """Return the damage of a tree by itself, less 1."""
        assert tree.growth is not None
        touched = tree.growth.touched
        rise = self._added(tree, t) / self.circuit.resistances[touched][:, None]
        return self.criterion.of_tree(touched, self._void_lengths(tree, t), rise) - 1.0

    def _void_lengths(self, tree: _Tree, t: Floats) -> Floats:
        """Return the lengths of the voids of a tree at times since its leg began [m], shape (voids, times)."""
        assert tree.growth is not None
        return np.maximum(tree.growth.at(t), 0.0) / self._sections[tree.growth.nodes][:, None]

    def _added(self, tree: _Tree, t: Floats) -> Floats:
        """Return what the voids of a tree add to the segments that end at them [Ohm], shape (touched, times)."""
        assert tree.growth is not None
        lengths = np.append(self._void_lengths(tree, t), np.zeros((1, len(t))), axis=0)
        return self.circuit.added(tree.growth.touched, lengths[tree.growth.ends].sum(axis=1))

    # ---- currents

    def _redistribute(self) -> None:
        """Compute the currents with the resistances half a change ahead; begin new legs where they have changed."""
        before, self.extra = self.extra, self.circuit.extra(self.lengths(self.t))
        if not self.circuit.closed(self.extra):
            self.failure, self.why = min(self.failure, self.t), "open"
            return
        grows = np.isfinite(self.extra) & np.isfinite(before)
        rise = np.subtract(self.extra, before, out=np.zeros_like(before), where=grows)
        self.circuit.set_density(self.circuit.flows(np.maximum(self.extra + rise / 2, 0.0))[0])
        self._record()
        for number_ in self._moved():
            tree = self.followed.get(number_) or self._follow(number_)
            state, old = self._state(tree)
            self._restart(tree, state, old, self._volumes(tree), tree.sizes)
        for tree in self.followed.values():
            if tree.growth is not None and tree.began < self.t:
                self._replan(tree)

    def _moved(self) -> list[int]:
        """Return the trees whose currents have changed so much since their leg began that it matters.

        A force that changes by df changes the stress by 2 df sqrt(kappa t/pi) at most at an end, and by the sum of df L
        over the tree. That may be a part of the critical stress: NEAR times `rtol` in trees near it, FAR in
        others. In trees with voids the currents count: FOLLOWED of `update` of them.
        """
        trees, change = self.trees, np.abs(self.circuit.density - self._used)
        force = np.abs(self._charge) * change
        left = self.until - self.voids[0].nucleated
        shift = np.minimum(
            2 * self._largest(force) * np.sqrt(self.fastest * left / np.pi), trees.sums(force * self.network.lengths)
        )
        near = self.peak + np.maximum(shift, FAR * self.critical) >= self.critical
        moved = shift > np.where(near, NEAR * self.rtol, FAR) * self.critical
        voided = trees.of_node[[void.node for void in self._opened()]]
        limit = FOLLOWED * self.update * self._largest(np.abs(self._used))
        moved[voided] = (self._largest(change) > limit)[voided]
        own = moved[trees.of_segment]
        self._used[own] = self.circuit.density[own]
        return np.flatnonzero(moved).tolist()

    def _largest(self, values: Floats) -> Floats:
        """Return the largest value of the segments of each tree, shape (trees,)."""
        _, _, wires, along = self._places
        return np.maximum.reduceat(values[wires], along[:-1])

    def _follow(self, number_: int) -> _Tree:
        """Follow a tree that was immortal at the currents of the start."""
        nodes, segments = self._members(number_)
        tree = _Tree(number_, nodes, segments, 0.0, self.first_density[segments], None, self.coarse[nodes])
        self.followed[number_] = tree
        return tree

    def _record(self) -> None:
        """Add a row to the history."""
        extra = self.circuit.extra(self.lengths(self.t))
        drop = np.inf
        if self.circuit.closed(extra):
            drop = self.circuit.flows(extra)[1]
        if self.rows and self.rows[-1][0] == self.t:
            self.rows.pop()
        self.rows.append((self.t, drop, float((extra / self.circuit.resistances).max())))

    def _currents(self, extra: Floats) -> Currents:
        return self.circuit.start if not extra.any() else self.circuit.currents(extra)

    # ---- results, and going on

    def state(self) -> dict[str, Any]:
        """Return all that the rest of the run depends on: numbers, texts and arrays."""
        return {
            "t": self.t,
            "failure": self.failure,
            "why": self.why,
            "voids": [[void.node, void.nucleated, void.volume, void.healed] for void in self.voids],
            "nucleation": self.nucleation,
            "nucleation_node": self.nucleation_node,
            "tree_failure": self.tree_failure,
            "immortal": self.immortal,
            "peak": self.peak,
            "extra": self.extra,
            "density": self.circuit.density,
            "used": self._used,
            "rows": np.array(self.rows),
            "begun": self._begun,
            "trees": [
                {
                    "number": tree.number,
                    "began": tree.began,
                    "state": tree.state,
                    "density": tree.density,
                    "sizes": tree.sizes,
                    "open": list(tree.open),
                    "volumes": None if tree.growth is None else tree.growth.volumes,
                    "event": list(tree.event),
                    "own_events": [list(event) for event in tree.own_events],
                }
                for tree in self.followed.values()
            ],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of the same run."""
        self.t, self.failure, self.why, self._begun = state["t"], state["failure"], state["why"], state["begun"]
        if self._begun:
            self._begin()  # the same legs as at the start
        self.voids = [_OpenVoid(int(node), *rest) for node, *rest in state["voids"]]
        for name in ("nucleation", "nucleation_node", "tree_failure", "immortal", "peak", "extra"):
            setattr(self, name, np.array(state[name]))
        self.circuit.set_density(np.array(state["density"]))
        self._used = np.array(state["used"])
        self.rows = [tuple(row) for row in np.asarray(state["rows"]).reshape(-1, 3).tolist()]
        first, self.followed, self._queue = self.followed, {}, []
        for each in state["trees"]:
            number_, own = int(each["number"]), each["state"]
            nodes, segments = self._members(number_)
            tree = _Tree(number_, nodes, segments, each["began"], np.array(each["density"]), None,
                         np.array(each["sizes"]), open=[int(node) for node in each["open"]])  # fmt: skip
            if own is None and number_ in first:
                tree.leg = first[number_].leg
            elif own is not None:
                tree.state = np.array(own)
                volumes = {} if each["volumes"] is None else dict(zip(tree.open, each["volumes"], strict=True))
                self._leg_of(tree, volumes=volumes)
            tree.event = (float(each["event"][0]), str(each["event"][1]))
            tree.own_events = [(float(t), str(kind)) for t, kind in each["own_events"]]
            self.followed[number_] = tree
            self._push(tree)
        if self._begun and self.grow:
            for k in range(1, HISTORY + 1):
                if self.until * k / HISTORY > self.t:
                    heapq.heappush(self._queue, (self.until * k / HISTORY, -1, 0))

    def verdict(self) -> Verdict:
        """Return the verdict, at the present time."""
        volumes: dict[int, float] = {}
        for number_ in {int(self.trees.of_node[void.node]) for void in self.voids}:
            volumes |= self._volumes(self.followed[number_])
        stress = np.full(len(self.network.nodes), np.nan)
        for tree in self.followed.values():
            if tree.leg is None:
                self._leg_of(tree)
            assert tree.leg is not None
            stress[tree.leg.forest.nodes] = tree.leg.stress(np.array([self.t - tree.began]))[:, 0]
        extra = self.circuit.extra(self.lengths(self.t))
        why = self.why
        if np.isinf(self.failure):
            why = "immortal" if self.immortal.all() else "survived"
        elif not why:
            why = self.fails.reason
        rows = np.array(self.rows)
        return Verdict(
            network=self.network,
            technology=self.metal.technology,
            currents=self.circuit.start,
            currents_end=self._currents(extra)
            if self.circuit.moves and self.circuit.closed(extra)
            else self.circuit.start,
            temperature=self._temperature(),
            tree=self.trees.of_segment,
            steady_stress=self.steady_highest,
            steady_node=self.steady_node,
            steady=self.steady,
            immortal=self.immortal,
            stress=stress,
            nucleation=self.nucleation,
            nucleation_node=self.nucleation_node,
            tree_failure=self.tree_failure,
            voids=tuple(self._void(void, volumes) for void in self.voids),
            t=rows[:, 0],
            drop=rows[:, 1],
            resistance_rise=rows[:, 2],
            failure=float(self.failure),
            why=why,
            until=self.until,
        )

    def _void(self, void: _OpenVoid, volumes: Mapping[int, float]) -> Void:
        volume = 0.0 if void.healed else volumes.get(void.node, 0.0)
        return Void(void.node, void.nucleated, volume, volume / float(self._sections[void.node]))

    def _temperature(self) -> Floats:
        """Return the mean temperature of the ends of the wires at each node [K], that of the technology without."""
        ends = np.stack([self.metal.temperature.start, self.metal.temperature.end], axis=1).ravel()
        nodes, count = self.network.segments.ravel(), len(self.network.nodes)
        total, wires = np.bincount(nodes, ends, count), np.bincount(nodes, minlength=count)
        return np.where(wires > 0, total / np.maximum(wires, 1), self.metal.technology.temperature)


class _Criterion:
    """A criterion of failure, of a tree by itself or of the whole grid.

    Attributes:
        local: true if the state of a tree decides on it alone.
    """

    def __init__(self, fails: Criterion, circuit: GridCircuit) -> None:
        """Check the criterion."""
        self.fails, self.circuit = fails, circuit
        self._measure: Any = None
        network = circuit.network
        self.any_wire = isinstance(fails, ResistanceRise) and fails.segment is None and fails.between is None and (
            len(network.pads or np.flatnonzero(network.degree == 1)) != 2
        )  # fmt: skip
        of_segment = isinstance(fails, ResistanceRise) and fails.segment is not None
        self.local = isinstance(fails, FirstVoid | VoidLength) or self.any_wire or of_segment
        if isinstance(fails, type) or not callable(getattr(fails, "damage_measure", None)):
            msg = f"fails = {fails!r}, must be FirstVoid(), VoidLength(...), ResistanceRise(...) or Drop(...)"
            raise ParameterError(msg)
        if isinstance(fails, Drop):
            if not network.pads:
                fails.damage_measure(circuit)  # says so
        elif not self.any_wire:
            self._measure = fails.damage_measure(circuit)

    def damage(self, lengths: Floats, any_open: bool) -> float:
        """Return the damage of the whole grid; 1 is failure."""
        if isinstance(self.fails, Drop):
            extra = self.circuit.extra(lengths)
            if not self.circuit.closed(extra):
                return BROKEN
            return self.circuit.flows(extra)[1] / self.fails.limit
        return float(self._measure(lengths, any_open).part)

    def of_tree(self, touched: Numbers, lengths: Floats, rise: Floats) -> Floats:
        """Return the damage of a tree at some times.

        Args:
            touched: segments that end at its voids.
            lengths: of its voids [m], shape (voids, times).
            rise: of the resistances of the segments over their own [-], shape (touched, times).
        """
        if isinstance(self.fails, VoidLength):
            return lengths.max(axis=0) / self.fails.limit
        if isinstance(self.fails, ResistanceRise):
            wires = slice(None) if self.fails.segment is None else touched == self.fails.segment
            return np.minimum(rise[wires].max(axis=0, initial=0.0) / self.fails.part, BROKEN)
        return np.zeros(lengths.shape[1])


def _at_time(function: Callable[[Floats], Floats], t: float) -> float:
    """Return the value of a function of times at one time."""
    return float(function(np.array([t]))[0])
