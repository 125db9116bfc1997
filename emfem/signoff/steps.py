"""Steps of trees with voids: currents that are linear in time through a step, those that the voids in it make.

The currents j of a step of length h are right at two of its times, those of Radau's method of third order,

    j(h/3) = J(l(h/3)),    j(h) = J(l(h)),

with the lengths l that the voids have there under these currents, and J of Kirchhoff's laws. Stress and volumes follow
j(t) exactly, so that they are of third order in h. Voids at rest that share a tree are held by currents alone: such
drifts, fast against the step, are damped. A step ends when a resistance has changed by `update`, or with a part of the
time. Trees whose currents it turns begin theirs with it, as long as the shortest: each by itself would take the others
to go on as they did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.circuit import Course, GridCircuit
from emfem.signoff.elements import Forest
from emfem.signoff.followed import HORIZON, FollowedTree, Legs
from emfem.signoff.planning import Planner

import numpy as np

POINTS = np.array([1 / 3, 1.0])  # of a step
JOINED = 0.5  # of a step: from then on it may end with another
ROOM = 2.0  # times `update`: by so much may a resistance change in a step; else the step is halved
HALVED = 8  # times at most
SOLVED = 0.002  # of `update`: error allowed in the lengths
MOST, MEMORY = 12, 6  # solves for the lengths at most; those that are combined


@dataclass
class _Step:
    """A step of a tree that begins.

    Attributes:
        tree: whose leg is still that of before.
        state: of its metal.
        elements: of the state.
        volumes: of its voids [m3].
        length: of the step [s].
    """

    tree: FollowedTree
    state: Floats
    elements: Forest
    volumes: dict[int, float]
    length: float


class Steps:
    """Steps of all trees."""

    def __init__(self, planner: Planner, legs: Legs, circuit: GridCircuit) -> None:
        """Begin without a step."""
        self.planner, self.legs, self.circuit = planner, legs, circuit
        self.network, self.faces = planner.network, planner.bounds.faces

    def begin(
        self, trees: Sequence[FollowedTree], t: float, voided: Sequence[FollowedTree]
    ) -> list[FollowedTree] | None:
        """Begin steps of trees, and legs with their currents; return these trees, None if the current has no path.

        With them begin those of the others whose currents they would make wrong.

        Args:
            trees: some of those with voids, or none: the voids of a tree have gone.
            t: now [s].
            voided: all trees with voids.
        """
        self.planner.currents.note(t)
        for tree in trees:
            self.planner.note(tree, t)
        if not self.circuit.closed(self.planner.extra):
            return None
        steps = [self._step(tree, t) for tree in trees]
        ends = [tree.change - t for tree in voided if not trees and tree.change > t]
        while True:
            length = min([HORIZON * t, *ends, *(step.length for step in steps)])
            length = self._solve(steps, t, length, voided)
            more = self._turned(steps, voided, t, t + length)
            if not more:
                break
            steps = sorted([*steps, *more], key=lambda step: step.tree.number)
        self.planner.currents.take([step.tree.number for step in steps], t)
        for step in steps:
            tree = step.tree
            tree.joins, tree.change = t + JOINED * length, t + length
            own = self.planner.currents.at(t, tree.segments)
            self.legs.restart(tree, t, step.state, step.elements, step.volumes, tree.sizes, own)
        return [step.tree for step in steps]

    def _turned(self, steps: list[_Step], voided: Sequence[FollowedTree], t: float, end: float) -> list[_Step]:
        """Return steps of the other trees with voids whose currents some steps make wrong by their end."""
        own = {step.tree.number for step in steps}
        trees = [tree for tree in voided if tree.number not in own and self.planner.turned(tree, end)]
        for tree in trees:
            self.planner.note(tree, t)
        return [self._step(tree, t) for tree in trees]

    def _step(self, tree: FollowedTree, t: float) -> _Step:
        """Return the step of a tree, as long as its resistances let it be."""
        state, elements = self.legs.state(tree, t)
        return _Step(tree, state, elements, self.legs.volumes(tree, t), self.planner.until_changed(tree, t))

    def _solve(self, steps: list[_Step], t: float, length: float, voided: Sequence[FollowedTree]) -> float:
        """Set the course of the currents for steps of one length, which is returned; it may be shorter."""
        own = {step.tree.number for step in steps}
        others = [tree for tree in voided if tree.number not in own]
        for _ in range(HALVED):
            if self._solved(steps, t, length, [self.planner.around(others, t + part * length) for part in POINTS]):
                break
            length /= 2
        return length

    def _solved(self, steps: list[_Step], t: float, length: float, around: list[Floats]) -> bool:
        """Set the course; return False if a void leaves its room in the step."""
        nodes, touched = _voids(steps)
        now = np.concatenate([[0.0], *([*step.volumes.values()] for step in steps)])[1:] / self.faces[nodes]
        room = self._room(nodes, touched)[:, None]
        low, high = np.maximum(now[:, None] - room, 0.0), np.maximum(now[:, None] + room, 0.0)
        times, tries = length * POINTS, _Anderson()
        lengths = np.clip(self._lengths(nodes, [
            step.tree.growth.at(t - step.tree.began + times) for step in steps if step.tree.growth is not None
        ]), low, high)  # fmt: skip
        for _ in range(MOST):
            first, last = (self._flows(nodes, touched, *each) for each in zip(lengths.T, around, strict=True))
            slope = (last - first) / (times[1] - times[0])
            self.circuit.course = Course(t, last - slope * length, slope)
            density = np.stack([self.circuit.course.density, slope])
            after = self._lengths(nodes, [
                self.legs.preview(step.tree, step.state, step.volumes, density, times) for step in steps
            ])  # fmt: skip
            off = after - lengths
            bound = np.where(off > 0, lengths >= high, lengths <= low)
            if np.all(bound | (np.abs(off) <= SOLVED / ROOM * room)):
                return not np.any((after > high) | ((after < low) & (low > 0.0)))
            lengths = np.clip(tries.next(lengths.ravel(), off.ravel()).reshape(off.shape), low, high)
        return False

    def _flows(self, nodes: Numbers, touched: Numbers, lengths: Floats, around: Floats) -> Floats:
        """Return the current densities with voids of some lengths at some nodes, and those around them."""
        every, extra = np.zeros(len(self.faces)), around.copy()
        every[nodes] = np.maximum(lengths, 0.0)
        extra[touched] = self.circuit.extra(every)[touched]
        return self.circuit.flows(extra)[0]

    def _lengths(self, nodes: Numbers, volumes: list[Floats]) -> Floats:
        """Return lengths from volumes of the voids of each tree, below 0 too, shape (voids, points)."""
        return np.concatenate([np.zeros((0, len(POINTS))), *volumes]) / self.faces[nodes][:, None]

    def _room(self, nodes: Numbers, touched: Numbers) -> Floats:
        """Return by how much the length of each void may change in a step [m], shape (voids,)."""
        allowed = ROOM * self.planner.update * (self.circuit.resistances + self.planner.extra)[touched]
        rise = self.circuit.rise[touched]
        counts = np.isfinite(rise) & (rise > 0) & np.isfinite(allowed)
        every = self.network.lengths.max() * np.ones(len(self.faces))
        for end in self.network.segments[touched[counts]].T:
            np.minimum.at(every, end, (allowed[counts] / rise[counts]))
        return every[nodes]


def _voids(steps: list[_Step]) -> tuple[Numbers, Numbers]:
    """Return the open nodes of some trees, and the segments that end at them."""
    growths, none = [step.tree.growth for step in steps if step.tree.growth is not None], np.zeros(0, dtype=np.int64)
    nodes, touched = ([none, *(getattr(each, name) for each in growths)] for name in ("nodes", "touched"))
    return np.concatenate(nodes), np.concatenate(touched)


class _Anderson:
    """Fixed points by Anderson's method: residuals of the last tries, combined to the least."""

    def __init__(self) -> None:
        """Begin without a try."""
        self.tries: list[tuple[Floats, Floats]] = []

    def next(self, x: Floats, residual: Floats) -> Floats:
        """Return the next try."""
        earlier, self.tries = self.tries, [*self.tries, (x, residual)][-MEMORY:]
        if not earlier:
            return x + residual
        places, residuals = (np.stack([now - each[k] for each in earlier], 1) for k, now in enumerate((x, residual)))
        parts = np.linalg.lstsq(residuals, residual)[0]
        return x + residual - (places + residuals) @ parts
