"""Trees of a grid through the years: which get voids, how these turn the current away, and when the grid fails."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence

from emfem.failure import FirstVoid
from emfem.failure.criteria import Criterion
from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.criterion import GridCriterion
from emfem.signoff.elements import Forest
from emfem.signoff.events import first_crossings, root, sample_times
from emfem.signoff.filter import Filter
from emfem.signoff.followed import EARLY, FollowedTree, Legs, OpenVoid
from emfem.signoff.metal import Metal
from emfem.signoff.planning import LOOKED, Planner
from emfem.signoff.steps import Steps

import numpy as np

CHUNK = 20_000  # unknowns that are integrated together: their vectors fit the cache of a processor
TOGETHER = 1e-6  # of the critical stress: nodes that come as near to it as that open with the first
HISTORY = 20  # times of the history beside those of events
APART = 0.01  # of the time: rows of the history between voids are that far apart at least
ROW, LOOK = -1, -2  # in place of the number of a tree: a row of the history, a look at the currents
SETTLED = 4.0  # squares of the length of a tree over kappa in which it comes to rest


class Simulation:
    """A grid from event to event.

    Attributes:
        t: the present time [s].
        voids: that opened, by time.
        begun: true once the trees have their first legs.
        look: when the currents are looked at next [s].
    """

    def __init__(
        self,
        metal: Metal,
        circuit: GridCircuit,
        *,
        initial: Floats,
        fails: Criterion,
        until: float,
        update: float = 0.05,
        grow: bool = True,
        rtol: float = 1e-4,
        stop_at_failure: bool = False,
    ) -> None:
        """Begin at the start.

        Args:
            metal: along the wires.
            circuit: of the network.
            initial: stress of each segment at the start [Pa].
            fails: criterion of failure.
            until: end of the simulation [s].
            update: as in `run`.
            grow: true for voids that grow.
            rtol: as in `run`.
            stop_at_failure: as in `run`.
        """
        self.metal, self.circuit, self.fails = metal, circuit, fails
        self.until, self.update, self.grow, self.rtol = until, update, grow, rtol
        self.network, self.stop_at_failure = metal.network, stop_at_failure
        self.critical = critical = metal.technology.critical_stress
        self.t, self.voids, self.failure, self.why = 0.0, list[OpenVoid](), np.inf, ""
        self._open = False  # voids have cut the path of the currents, which ends a run
        self.criterion = GridCriterion(fails, circuit)
        self.first_density = circuit.density
        self.bounds = Filter(metal, density=circuit.density, initial=initial, critical=critical, until=until)
        self.trees = self.bounds.trees
        self.legs = Legs(self.bounds, critical=critical, until=until, rtol=rtol)
        self.planner = Planner(
            self.bounds, circuit, self.criterion, critical=critical, until=until, update=update, rtol=rtol
        )
        self.steps = Steps(self.planner, self.legs, circuit)
        self.nucleation = np.full(self.trees.count, np.inf)
        self.nucleation_node = np.full(self.trees.count, -1)
        self.sensitivity = np.full(self.trees.count, np.nan)
        self.tree_failure = np.full(self.trees.count, np.inf)
        self.rows: list[tuple[float, float, float]] = []
        self.followed: dict[int, FollowedTree] = {}
        self._queue: list[tuple[float, int, int]] = []
        self.begun, self.look = False, np.inf

    # ---- the first legs

    def begin(self) -> None:
        """Integrate all trees that are not immortal up to their first void."""
        mortal = self.bounds.highest >= self.critical
        doubtful = ~mortal & ~self.bounds.immortal
        for which, lasting in ((np.flatnonzero(mortal), False), (np.flatnonzero(doubtful), True)):
            for chunk in self._chunks(which):
                self._first_legs(chunk, lasting)
        self.begun = True
        self._push_rows()

    def _push_rows(self) -> None:
        """Put the times of the history that are still to come into the queue."""
        for k in range(1, HISTORY + 1) if self.grow else ():
            if self.until * (k / HISTORY) > self.t:
                heapq.heappush(self._queue, (self.until * (k / HISTORY), ROW, 0))

    def _chunks(self, which: Numbers) -> list[Numbers]:
        """Return trees that are integrated together: alike in time, and not too many."""
        if not len(which):
            return []
        cells = np.maximum(self.network.lengths / self.bounds.coarse[self.network.segments[:, 0]], 1)
        cells = np.minimum(cells, 8 * np.log1p(cells))
        size = np.cumsum(self.trees.sums(2 * cells)[which])
        part = (size / CHUNK).astype(np.int64)
        return [which[part == each] for each in np.unique(part)]

    def _first_legs(self, which: Numbers, lasting: bool) -> None:
        """Integrate trees from the start; see when they nucleate, and whether those that do not are proven immortal."""
        span = self.until
        if lasting:
            rest = SETTLED * self.trees.sums(self.network.lengths)[which] ** 2 / self.bounds.fastest[which]
            span = max(span, float(rest.max()))
        leg = self.legs.of(which, self.bounds.coarse, None, 0.0, span, self.first_density, store=lasting)
        times = sample_times(EARLY * self.bounds.shortest(which, span), span)
        times = np.unique(np.append(times, min(self.until, span)))
        when, _ = first_crossings(leg, np.ones(len(leg.forest.nodes), bool), self.critical, times)
        if lasting:
            self.bounds.immortal[which] |= np.isinf(when) & self.bounds.rests(leg.forest, leg.at(span), self.critical)
        for i, number_ in enumerate(which.tolist()):
            nodes, segments = self.bounds.members(number_)
            tree = FollowedTree(
                number_, nodes, segments, 0.0, self._at_first(segments), leg.of(i), self.bounds.coarse[nodes]
            )
            if len(which) == 1:
                tree.leg = leg.released()
            if when[i] <= self.until:
                tree.event = (float(when[i]), "nucleation")
            self.followed[number_] = tree
            self._push(tree)

    # ---- events

    def advance(self) -> bool:
        """Go to the next event; return False at the end."""
        if not self.begun:
            self.begin()
            self._record()
            self._check(0.0)
            return True
        while self._queue:
            t, number_, version = heapq.heappop(self._queue)
            if (number_ >= 0 and self.followed[number_].version != version) or (number_ == LOOK and t != self.look):
                continue
            if t > self.until:
                break
            self._go_to(t)
            if self.stop_at_failure and self.failure < t:
                self.t = self.until = self.failure
                return False
            if number_ == ROW:
                self._record()
            elif number_ == LOOK:
                self._look_at_steps()
            else:
                self._handle(self.followed[number_])
            if self._open or (self.stop_at_failure and np.isfinite(self.failure)):
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

    def _opened(self) -> list[OpenVoid]:
        return [void for void in self.voids if not void.healed]

    def lengths(self, t: float) -> Floats:
        """Return the length of the void at each node at a time of the present legs [m], shape (n,)."""
        result = np.zeros(len(self.network.nodes))
        for number_ in {int(self.trees.of_node[void.node]) for void in self.voids}:
            tree = self.followed[number_]
            if tree.growth is not None:
                result[tree.growth.nodes] = self.planner.void_lengths(tree, np.array([t - tree.began]))[:, 0]
        return result

    def _handle(self, tree: FollowedTree) -> None:
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

    def _fail(self, tree: FollowedTree) -> None:
        """Note that a tree has passed the criterion."""
        self.tree_failure[tree.number] = min(self.tree_failure[tree.number], self.t)
        tree.failed = True
        if self.t < self.failure:
            self.failure, self.why = self.t, self.fails.reason

    def _nucleate(self, tree: FollowedTree) -> None:
        """Open a void at each node of a tree that has reached the critical stress."""
        assert tree.leg is not None
        stress = tree.leg.stress(np.array([self.t - tree.began]))[:, 0]
        nodes = tree.leg.forest.nodes
        reached = nodes[(stress >= (1 - TOGETHER) * self.critical) & ~np.isin(nodes, tree.open)]
        if isinstance(self.fails, FirstVoid):
            self._fail(tree)
        if np.isinf(self.nucleation[tree.number]):
            self._note_first(tree, int(stress.argmax()))
        if not self.grow:
            self.voids.append(OpenVoid(int(self.nucleation_node[tree.number]), self.t))
            return
        state, old = self.legs.state(tree, self.t)
        volumes = self.legs.volumes(tree, self.t)
        for node in reached.tolist():
            self.voids.append(OpenVoid(node, self.t))
            tree.open.append(node)
        sizes = self.legs.sizes_with(tree)
        self._restart(tree, state, old, volumes, sizes)
        if self.circuit.moves:
            self._share([tree])

    def _note_first(self, tree: FollowedTree, i: int) -> None:
        """Note the first void of a tree, at one of its nodes, and d ln t/d ln sigma_c = sigma_c/(t dsigma/dt)."""
        assert tree.leg is not None
        rise = self.t * float(tree.leg.slope(np.array([self.t - tree.began]))[i, 0])
        self.nucleation[tree.number], self.nucleation_node[tree.number] = self.t, tree.leg.forest.nodes[i]
        self.sensitivity[tree.number] = self.critical / rise if rise > 0.0 else np.inf

    def _heal(self, tree: FollowedTree) -> None:
        """Close the voids of a tree that have no volume left."""
        if self.circuit.moves:
            self.planner.note(tree, self.t)
        state, old = self.legs.state(tree, self.t)
        volumes = self.legs.volumes(tree, self.t)
        largest = max(volumes.values())
        gone = [node for node, volume in volumes.items() if volume <= 1e-9 * largest or volume <= 0.0]
        gone = gone or [min(volumes, key=lambda node: volumes[node])]
        for void in self.voids:
            if void.node in gone and not void.healed:
                void.healed, void.volume = True, 0.0
        tree.open = [node for node in tree.open if node not in gone]
        self._restart(tree, state, old, {node: v for node, v in volumes.items() if node not in gone}, tree.sizes)
        if self.circuit.moves:
            self._share([] if tree.growth is None else [tree])

    def _restart(
        self, tree: FollowedTree, state: Floats, old: Forest, volumes: dict[int, float], sizes: Floats
    ) -> None:
        """Begin a new leg of a tree now, with the present currents."""
        self.legs.restart(tree, self.t, state, old, volumes, sizes, self.planner.currents.at(self.t, tree.segments))
        self._plan(tree)

    # ---- what comes next in a tree

    def _push(self, tree: FollowedTree) -> None:
        if np.isfinite(tree.event[0]):
            heapq.heappush(self._queue, (tree.event[0], tree.number, tree.version))

    def _plan(self, tree: FollowedTree) -> None:
        """Find the next event of a tree on a new leg."""
        tree.own_events = self.planner.coming(tree, self.t)
        self._replan(tree)

    def _replan(self, tree: FollowedTree) -> None:
        """Find the next event of a tree: of its own, or the end of its step."""
        tree.version += 1
        events = list(tree.own_events)
        if tree.growth is not None and self.circuit.moves:
            events.append((max(tree.change, self.t), "change"))
        tree.event = min(events, default=(np.inf, ""))
        self._push(tree)

    # ---- currents

    def _voided(self) -> list[FollowedTree]:
        return [tree for tree in self.followed.values() if tree.growth is not None and self.circuit.moves]

    def _redistribute(self) -> None:
        """Begin steps of the trees whose steps have ended, or nearly."""
        end = self.planner.gathered(self.t)
        self._share([tree for tree in self._voided() if tree.joins <= self.t or tree.change <= end])

    def _share(self, trees: Sequence[FollowedTree]) -> None:
        """Begin steps of some trees, and of those with voids whose currents these change; then follow the currents."""
        begun = set[int]()
        while True:
            stepped = self.steps.begin(trees, self.t, self._voided())
            if stepped is None:
                self._open = True
                if self.t <= self.failure:
                    self.failure, self.why = self.t, "open"
                return
            begun |= {tree.number for tree in stepped}
            for tree in stepped:
                self._plan(tree)
            moved = self.planner.moved(self.t, self.followed)
            trees = [tree for tree in self._voided() if tree.number in moved and tree.number not in begun]
            if not trees:
                break
        if self.t >= (1 + APART) * self.rows[-1][0]:
            self._record()
        self._follow_currents(set(moved) - begun)

    def _look_at_steps(self) -> None:
        """Follow the currents; trees with voids that have to begin steps."""
        moved = self.planner.moved(self.t, self.followed)
        trees = [tree for tree in self._voided() if tree.number in moved]
        if trees:
            self._share(trees)
        else:
            self._follow_currents(set(moved))

    def _follow_currents(self, moved: Collection[int]) -> None:
        """Begin new legs of trees without voids with the currents of now, and see when to look at them next."""
        trees, currents = (
            [self.followed.get(each) or self._follow(each) for each in sorted(moved)],
            self.planner.currents,
        )
        missed = [currents.missed(self.t, tree) for tree in trees]
        currents.take(sorted(moved), self.t)
        for tree, (off, span) in zip(trees, missed, strict=True):
            state, old = self.legs.state(tree, self.t)
            state += self.legs.driven(tree, off, span)
            sizes = self.legs.sizes_with(tree) if self.planner.near(tree, self.t) else tree.sizes
            self._restart(tree, state, old, self.legs.volumes(tree, self.t), sizes)
        self.legs.release(self.followed.values())
        self._look_at((1 + LOOKED) * self.t)

    def _look_at(self, t: float) -> None:
        self.look = t
        heapq.heappush(self._queue, (t, LOOK, 0))

    def _follow(self, number_: int) -> FollowedTree:
        """Follow a tree that was immortal at the currents of the start."""
        nodes, segments = self.bounds.members(number_)
        tree = FollowedTree(number_, nodes, segments, 0.0, self._at_first(segments), None, self.bounds.coarse[nodes])
        self.followed[number_] = tree
        return tree

    def _at_first(self, segments: Numbers) -> Floats:
        """Return the current density of segments at the start, and its slope, shape (2, segments)."""
        return np.stack([self.first_density[segments], np.zeros(len(segments))])

    def _record(self) -> None:
        """Add a row to the history."""
        extra = self.circuit.extra(self.lengths(self.t))
        drop = np.inf
        if not extra.any():
            drop = float(np.abs(self.circuit.start.drop).max())
        elif self.circuit.closed(extra):
            drop = self.circuit.flows(extra)[1]
        if self.rows and self.rows[-1][0] == self.t:
            self.rows.pop()
        self.rows.append((self.t, drop, float((extra / self.circuit.resistances).max())))

    def resume(self, trees: Iterable[FollowedTree]) -> None:
        """Go on with trees of another run of the same grid, at the time that this one has been given."""
        self.followed, self._queue = {tree.number: tree for tree in trees}, []
        for tree in self.followed.values():
            self._push(tree)
        self._look_at(self.look)
        if self.begun:
            self._push_rows()
