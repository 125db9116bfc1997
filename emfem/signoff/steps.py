"""Steps of trees with voids: resistances that stand for a void through the time until its currents are computed next.

A tree has one set of currents through a step, while its voids grow. They are those of the mean of each void over the
step, so that over the step they are neither late nor early. A step ends when a resistance has changed by `update`, or
with its time: voids that come to rest never change by so much, and a resistance that is not theirs would stay.

The mean depends on the currents, which depend on the mean. Where voids grow the currents before will do; at rest voids
that share a tree are held by currents alone, drift a long way for a little current, and the mean is solved for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.followed import FollowedTree, Legs
from emfem.signoff.planning import JOINED, Planner

import numpy as np

HORIZON = 0.3  # of the time now: longest step
DAMPED = 1.5  # times a step that ends with its time: span of the mean, so that a drift that is fast does not swing
PATIENCE = 2.0  # times the time in which a void is expected to change by `update`: end of the step in any case
LATE = 0.02  # of `update`: mean error of a resistance through the time that has gone by, beyond which a step begins
SOLVED = 0.02  # of `update`: error allowed in the mean
MOST, MEMORY = 12, 6  # solves for the mean, steps of Anderson's that are combined
PARTS = np.array([1, 3, 5, 7]) / 8  # of a span: times of which the mean is taken


@dataclass
class _Step:
    """A step that begins: tree, state of its metal, volumes of its voids, length [s], span of the mean [s]."""

    tree: FollowedTree
    state: Floats
    volumes: dict[int, float]
    length: float
    span: float

    @property
    def times(self) -> Floats:
        """Times since now that a mean is made of, and the end."""
        return np.append(PARTS * self.span, self.length)


class Steps:
    """Steps of all trees.

    Attributes:
        ends: of the step of each tree [s], shape (trees,).
        planned: what the voids will have added to each segment at the end of the step of its tree [Ohm], shape (m,).
    """

    def __init__(self, planner: Planner, legs: Legs, circuit: GridCircuit) -> None:
        """Begin without a step."""
        self.planner, self.legs, self.circuit = planner, legs, circuit
        self.ends = np.full(planner.trees.count, np.inf)
        self.planned = np.zeros(len(planner.extra))

    def enter(self, tree: FollowedTree, t: float) -> None:
        """Begin the step of a tree with a new void, whose currents stay until it has changed a resistance."""
        assert tree.growth is not None
        length = HORIZON * t
        then = self.planner.added(tree, np.array([t - tree.began + length]))[:, 0]
        self.ends[tree.number], self.planned[tree.growth.touched] = t + length, then

    def late(self, tree: FollowedTree, t: float) -> bool:
        """Return true if a new step of a tree must begin: its step is over, or its voids go elsewhere than planned."""
        number, planner = tree.number, self.planner
        assert tree.growth is not None
        touched, since, end = tree.growth.touched, t - tree.began, float(self.ends[tree.number])
        limit = LATE * planner.update
        if t < end:
            then = planner.added(tree, np.array([end - tree.began]))[:, 0]
            return bool(self._off(tree, then, self.planned[touched]) * (end - t) > limit * t)
        length = HORIZON * t
        added = planner.added(tree, np.append(since + PARTS * length, since + length))
        if self._off(tree, added[:, :-1].mean(axis=1), planner.ahead[touched]) > limit:
            return True
        self.ends[number], self.planned[touched] = t + length, added[:, -1]
        return False

    def begin(self, trees: Sequence[FollowedTree], t: float) -> tuple[Floats, list[int]] | None:
        """Begin steps of trees; return the current densities and the trees that must have them, None without a path."""
        steps = [self._step(tree, t) for tree in trees]
        if not self.circuit.closed(self.planner.extra):
            return None
        if not steps:
            return self.circuit.flows(self.planner.ahead)[0], []
        nodes = np.concatenate([step.tree.open for step in steps]).astype(np.int64)
        first = np.cumsum([0, *(len(step.tree.open) for step in steps)])
        touched = np.concatenate([step.tree.growth.touched for step in steps])
        before = [self.planner.void_lengths(step.tree, t - step.tree.began + step.times) for step in steps]
        start = np.concatenate([self._lengths(step, np.array(list(step.volumes.values()))[:, None]) for step in steps])[:, 0]
        room = self._room(nodes, touched)
        lengths = np.zeros(len(self.planner.network.nodes))

        def mean(courses: Sequence[Floats]) -> Floats:
            return np.concatenate([each[:, :-1].mean(axis=1) for each in courses])

        low_, high_ = np.maximum(start - room, 0.0), start + room
        x, tried = np.clip(mean(before), low_, high_), _Anderson()
        for _ in range(MOST):
            lengths[nodes] = np.maximum(x, 0.0)
            self.planner.ahead[touched] = self.circuit.extra(lengths)[touched]
            density = self.circuit.flows(self.planner.ahead)[0]
            after = [
                self._lengths(step, self.legs.preview(step.tree, t, step.state, step.volumes, density, step.times))
                for step in steps
            ]
            residual = mean(after) - x
            there = np.where(residual > 0, x >= high_, x <= low_) | (np.abs(residual) <= SOLVED * room)
            if there.all():
                break
            x = np.clip(tried.next(x, residual), low_, high_)
        forced = []
        for step, old, new, low, high in zip(steps, before, after, first, first[1:], strict=False):
            off = np.abs(new[:, -1] - old[:, -1]) / room[low:high] * step.length
            if np.any(off > LATE * t):
                forced.append(step.tree.number)
            lengths[step.tree.open] = (new if forced[-1:] == [step.tree.number] else old)[:, -1]
            self.ends[step.tree.number] = t + step.length
        self.planned[touched] = self.circuit.extra(np.maximum(lengths, 0.0))[touched]
        return density, forced

    def _step(self, tree: FollowedTree, t: float) -> _Step:
        """Note what the voids of a tree add to its segments now; return its step."""
        assert tree.growth is not None
        last = self.planner.change(tree, np.array([t - tree.began]))[0]
        touched = tree.growth.touched
        self.planner.extra[touched] = self.planner.added(tree, np.array([t - tree.began]))[:, 0]
        length = self.planner.until_changed(tree, t, float(np.clip(last / self.planner.update, JOINED, 1.0)))
        state, _ = self.legs.state(tree, t)
        volumes = self.legs.volumes(tree, t)
        if length < HORIZON * t:
            return _Step(tree, state, volumes, PATIENCE * length, length)
        return _Step(tree, state, volumes, HORIZON * t, DAMPED * HORIZON * t)

    def _lengths(self, step: _Step, volumes: Floats) -> Floats:
        faces = self.planner.bounds.faces[step.tree.growth.nodes][:, None]
        return volumes / faces

    def _room(self, nodes: Numbers, touched: Numbers) -> Floats:
        """Return by how much the mean of a void may be longer than now: half of `update` [m]."""
        circuit, every = self.circuit, np.full(len(self.planner.network.nodes), np.inf)
        allowed = 0.5 * self.planner.update * (circuit.resistances + self.planner.extra)[touched]
        rise = circuit.rise[touched]
        metres = np.divide(allowed, rise, out=np.full(len(rise), np.inf), where=(rise > 0) & np.isfinite(rise) & np.isfinite(allowed))
        for end in self.planner.network.segments[touched].T:
            np.minimum.at(every, end, metres)
        return np.minimum(every[nodes], 1e3)

    def _off(self, tree: FollowedTree, added: Floats, other: Floats) -> float:
        """Return the largest difference of resistances of a tree, as a part of them."""
        touched = tree.growth.touched
        whole = (self.circuit.resistances + self.planner.extra)[touched]
        known = np.isfinite(added) & np.isfinite(other) & np.isfinite(whole)
        off = np.subtract(added, other, out=np.zeros_like(added), where=known) / np.where(known, whole, 1.0)
        return float(np.abs(off).max(initial=0.0))


class _Anderson:
    """Fixed points by Anderson's method: residuals of the last tries, combined to the least."""

    def __init__(self) -> None:
        """Begin without a try."""
        self.tries: list[tuple[Floats, Floats]] = []

    def next(self, x: Floats, residual: Floats) -> Floats:
        """Return the next try."""
        earlier, self.tries = self.tries, [*self.tries, (x, residual)][-MEMORY:]
        if not earlier:
            return x + 0.5 * residual
        places, residuals = (np.stack([now - each[k] for each in earlier], 1) for k, now in enumerate((x, residual)))
        parts = np.linalg.lstsq(residuals, residual)[0]
        return x + residual - (places + residuals) @ parts
