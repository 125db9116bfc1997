"""Steps of trees with voids: resistances that stand for a void through the time until its currents are computed next.

A tree has one set of currents through a step, while its voids grow. They are those of the mean of each void over the
step, so that over the step they are neither late nor early. A step ends when a resistance has changed by `update`, or
with its time: voids that come to rest never change by so much, and a resistance that is not theirs would stay.

The mean depends on the currents, which depend on the mean. Where voids grow the currents before will do; at rest voids
that share a tree are held by currents alone, drift a long way for a little current, and the mean is solved for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.followed import FollowedTree, Legs
from emfem.signoff.planning import JOINED, Planner

import numpy as np

HORIZON = 0.3  # of the time now: length of a step in which no resistance changes by `update`
DAMPED = 1.5  # times such a step: span of its mean, so that a drift that is fast against the step is damped
PATIENCE = 2.0  # times the time in which a change by `update` is expected: end of another step, without the change
LATE = 0.01  # of `update`: error of a resistance, times its duration over the time now, beyond which a step begins
SOLVED = 0.02  # of half of `update`: error allowed in the mean
MOST, MEMORY = 12, 6  # solves for the means at most; those that are combined
PARTS = np.array([1, 3, 5, 7]) / 8  # of a span: times of which the mean is taken


@dataclass
class _Step:
    """A step of a tree that begins.

    Attributes:
        tree: whose leg is still that of before.
        state: of its metal.
        volumes: of its voids [m3].
        length: of the step [s].
        span: of the mean [s].
        before: lengths that its voids would have at `times` with the currents of before [m], shape (voids, times).
        after: those with the currents of the step.
    """

    tree: FollowedTree
    state: Floats
    volumes: dict[int, float]
    length: float
    span: float
    before: Floats = field(init=False)
    after: Floats = field(init=False)

    @property
    def times(self) -> Floats:
        """Times since now that the mean is made of, and the end of the step [s]."""
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
        self.network, self.faces = planner.network, planner.bounds.faces
        self.ends = np.full(planner.trees.count, np.inf)
        self.planned = np.zeros(len(planner.extra))

    def enter(self, tree: FollowedTree, t: float) -> None:
        """Begin the step of a tree with a new void, whose currents stay until it has changed a resistance."""
        self._plan(tree, t, HORIZON * t, self.planner.ahead)

    def is_late(self, tree: FollowedTree, t: float) -> bool:
        """Return true if a new step of a tree must begin before its resistances have changed by `update`.

        Its voids go elsewhere than planned, for another tree has turned its currents; or its step is over, and the
        mean of the next would be another. Else the step goes on.
        """
        growth, end = tree.growth, float(self.ends[tree.number])
        assert growth is not None
        limit = LATE * self.planner.update
        if t < end:
            then = self.planner.added(tree, np.array([end - tree.began]))[:, 0]
            return self._off(tree, then, self.planned) * (end - t) > limit * t
        return self._plan(tree, t, HORIZON * t, self.planner.ahead) > limit

    def begin(self, trees: Sequence[FollowedTree], t: float) -> tuple[Floats, list[int]] | None:
        """Begin steps of trees, to be followed by new legs of those whose currents change.

        Returns:
            The current density of each segment [A/m2], and the trees for which it is not near enough to that of
            before; None if the current has no path.
        """
        steps = [self._step(tree, t) for tree in trees]
        if not self.circuit.closed(self.planner.extra):
            return None
        if not steps:
            return self.circuit.flows(self.planner.ahead)[0], []
        density = self._solve(steps, t)
        forced = [step.tree.number for step in steps if self._turns(step, t)]
        for step in steps:
            self.ends[step.tree.number] = t + step.length
        ends = [(step.after if step.tree.number in forced else step.before)[:, -1] for step in steps]
        nodes, touched = _voids(steps)
        self.planned[touched] = self._added(nodes, np.concatenate(ends))[touched]
        return density, forced

    def _step(self, tree: FollowedTree, t: float) -> _Step:
        """Note what the voids of a tree add to its segments now; return its step."""
        assert tree.growth is not None
        planner, touched, now = self.planner, tree.growth.touched, np.array([t - tree.began])
        last = float(planner.change(tree, now)[0]) / planner.update
        planner.extra[touched] = planner.added(tree, now)[:, 0]
        # trees are looked at together, so that the next change may be as small as the last one
        length = planner.until_changed(tree, t, float(np.clip(last, JOINED, 1.0)))
        state, volumes = self.legs.state(tree, t)[0], self.legs.volumes(tree, t)
        rests = length >= HORIZON * t
        length, span = (HORIZON * t, DAMPED * HORIZON * t) if rests else (PATIENCE * length, length)
        step = _Step(tree, state, volumes, length, span)
        step.before = self._lengths(step, tree.growth.at(now + step.times))
        return step

    def _solve(self, steps: list[_Step], t: float) -> Floats:
        """Return the current densities with means that are those which the voids have with them."""
        nodes, touched = _voids(steps)
        now = np.concatenate([list(step.volumes.values()) for step in steps]) / self.faces[nodes]
        room = self._room(nodes, touched)
        low, high = np.maximum(now - room, 0.0), np.maximum(now + room, 0.0)
        mean = np.clip(_means([step.before for step in steps]), low, high)
        tries = _Anderson()
        for _ in range(MOST):
            self.planner.ahead[touched] = self._added(nodes, mean)[touched]
            density = self.circuit.flows(self.planner.ahead)[0]
            for step in steps:
                volumes = self.legs.preview(step.tree, step.state, step.volumes, density, step.times)
                step.after = self._lengths(step, volumes)
            off = _means([step.after for step in steps]) - mean
            bound = np.where(off > 0, mean >= high, mean <= low)
            if np.all(bound | (np.abs(off) <= SOLVED * room)):
                break
            mean = np.clip(tries.next(mean, off), low, high)
        return density

    def _turns(self, step: _Step, t: float) -> bool:
        """Return true if the voids of a tree go elsewhere with the currents of its step than with those of before."""
        then = [self._added(np.array(step.tree.open), each[:, -1]) for each in (step.before, step.after)]
        assert step.tree.growth is not None
        return (
            self._off(step.tree, then[0][step.tree.growth.touched], then[1]) * step.length
            > LATE * self.planner.update * t
        )

    def _plan(self, tree: FollowedTree, t: float, length: float, other: Floats) -> float:
        """Let the step of a tree go on; return by how much the mean is off what others have for it [-]."""
        assert tree.growth is not None
        added = self.planner.added(tree, t - tree.began + length * np.append(PARTS, 1.0))
        self.ends[tree.number], self.planned[tree.growth.touched] = t + length, added[:, -1]
        return self._off(tree, added[:, :-1].mean(axis=1), other)

    def _off(self, tree: FollowedTree, added: Floats, others: Floats) -> float:
        """Return the largest difference of what voids add to their segments from that for all segments, as a part."""
        assert tree.growth is not None
        touched = tree.growth.touched
        other, whole = others[touched], (self.circuit.resistances + self.planner.extra)[touched]
        known = np.isfinite(added) & np.isfinite(other) & np.isfinite(whole)  # what is cut stays cut
        off = np.subtract(added, other, out=np.zeros_like(added), where=known) / np.where(known, whole, 1.0)
        return float(np.abs(off).max(initial=0.0))

    def _lengths(self, step: _Step, volumes: Floats) -> Floats:
        """Return lengths from volumes of the voids of a tree, below 0 too."""
        return volumes / self.faces[step.tree.open][:, None]

    def _added(self, nodes: Numbers, lengths: Floats) -> Floats:
        """Return what voids of some lengths at some nodes add to each segment [Ohm], shape (m,)."""
        every = np.zeros(len(self.faces))
        every[nodes] = np.maximum(lengths, 0.0)
        return self.circuit.extra(every)

    def _room(self, nodes: Numbers, touched: Numbers) -> Floats:
        """Return by how much the mean of each void may differ from now: by half of `update` [m], shape (voids,)."""
        allowed = 0.5 * self.planner.update * (self.circuit.resistances + self.planner.extra)[touched]
        rise = self.circuit.rise[touched]
        counts = np.isfinite(rise) & (rise > 0) & np.isfinite(allowed)
        every = self.network.lengths.max() * np.ones(len(self.faces))
        for end in self.network.segments[touched[counts]].T:
            np.minimum.at(every, end, (allowed[counts] / rise[counts]))
        return every[nodes]


def _voids(steps: list[_Step]) -> tuple[Numbers, Numbers]:
    """Return the open nodes of some trees, and the segments that end at them."""
    growths = [step.tree.growth for step in steps if step.tree.growth is not None]
    return np.concatenate([each.nodes for each in growths]), np.concatenate([each.touched for each in growths])


def _means(courses: list[Floats]) -> Floats:
    """Return the mean of each void from its lengths at the times of its step."""
    return np.concatenate([each[:, :-1].mean(axis=1) for each in courses])


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
