"""Next events of a tree on its leg: a void, a healed one, a change of resistance, failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.criterion import GridCriterion
from emfem.signoff.events import first_crossings, first_passing, sample_times
from emfem.signoff.filter import Filter
from emfem.signoff.followed import EARLY, HORIZON, FollowedTree
from emfem.signoff.leg_currents import LegCurrents

import numpy as np

FAR = 1e-2  # of what a tree lacks to the critical stress: error allowed in its stress
NEAR = 0.5  # times `rtol`, of the critical stress: as well, at least
CLOSE = 0.1  # of the critical stress: trees that lack less have fine cells
AHEAD = 0.25  # of the time: for so long the highest stress of a tree is looked up at once
FOLLOWED = 0.15  # of `update`: change of the currents in trees with voids that is followed
TURNED = 0.15  # of `update`: change of the currents of another tree in a step that makes it begin its own with it
LOOKED = 0.02  # of the time: currents are compared with those of the legs that often at least
LOOKS = 3.0  # for so many, trees with voids may keep their currents: for longer only if these differ by less
SOON, CHANGES = 1e-4, 50  # of HORIZON, where a change of resistance is first looked for; so many times
GATHERED = 2.0  # times `rtol`, of the time: changes of resistance in it are followed together


class Planner:
    """Next events of trees.

    Attributes:
        extra: what the voids had added to each segment when the step of its tree began [Ohm], shape (m,).
        currents: of the legs.
        highest: stress of the trees until `seen` [Pa], shape (trees,).
        seen: until when it has been looked up [s], shape (trees,).
    """

    def __init__(
        self,
        bounds: Filter,
        circuit: GridCircuit,
        criterion: GridCriterion,
        *,
        critical: float,
        until: float,
        update: float,
        rtol: float,
    ) -> None:
        """Take what holds for all; arguments as in `em.signoff.run`."""
        self.bounds, self.circuit, self.criterion = bounds, circuit, criterion
        self.critical, self.until, self.update, self.rtol = critical, until, update, rtol
        self.network, self.trees = bounds.metal.network, bounds.trees
        self.extra = np.zeros(len(self.network.segments))
        self.currents = LegCurrents(self.trees, circuit)
        self.highest, self.seen = bounds.peak.copy(), np.where(bounds.immortal, np.inf, 0.0)

    def coming(self, tree: FollowedTree, t: float) -> list[tuple[float, str]]:
        """Return time and kind of the next events of a tree on its leg, after now."""
        assert tree.leg is not None
        self.seen[tree.number] = 0.0
        times, now = self._times(tree, t)
        if not len(times):
            return []
        events = []
        closed = ~np.isin(tree.leg.forest.nodes, tree.open)
        if closed.any():
            when, _ = first_crossings(tree.leg, closed, self.critical, times)
            events.append((max(float(when[0]), now), "nucleation"))
        growth = tree.growth
        if growth is not None:
            lowest = -growth.at(times).min(axis=0)
            healing = first_passing(lambda t: -growth.at(np.array([t])).min(), lowest, times, now)
            events.append((healing, "healing"))
            if self.criterion.local and not tree.failed:
                events.append((self._passing(tree, self._damage, times, now), "failure"))
        return [(tree.began + t, kind) for t, kind in events if np.isfinite(t)]

    def gathered(self, t: float) -> float:
        """Return until when changes that come after a time are waited for, to be followed together [s]."""
        return t * (1 + GATHERED * self.rtol)

    def note(self, tree: FollowedTree, t: float) -> None:
        """Note what the voids of a tree add to its segments now."""
        assert tree.growth is not None
        touched = tree.growth.touched
        self.extra[touched] = self.added(tree, np.array([t - tree.began]))[:, 0]

    def until_changed(self, tree: FollowedTree, t: float) -> float:
        """Return in what time a resistance of a tree will have changed by `update`, HORIZON of now at most [s]."""
        times = np.append(0.0, HORIZON * t * np.geomspace(SOON, 1.0, CHANGES))
        return min(_reached(times, self.change(tree, t - tree.began + times), self.update), HORIZON * t)

    def moved(self, t: float, followed: Mapping[int, FollowedTree]) -> list[int]:
        """Return the trees whose currents are off those of the grid by so much that it matters.

        A force that is wrong by df for a time makes the stress wrong by 2 df sqrt(kappa time/pi) at most at an end, and
        by the sum of df L over the tree. Until the currents are looked at again that may be FAR of what the tree then
        lacks to the critical stress: most of it is made up for when it takes the currents of the grid. In trees with
        voids the currents count: FOLLOWED of `update` of them.

        Args:
            t: now [s]; the next look is at LOOKED of it later.
            followed: trees by number.
        """
        trees, bounds, following = self.trees, self.bounds, (1 + LOOKED) * t
        wrong = following - self.currents.since
        off = np.abs(self.currents.off(t))
        force = bounds.charge * off
        ends = 2 * bounds.largest(force) * np.sqrt(bounds.fastest * wrong / np.pi)
        size = np.minimum(ends, trees.sums(force * self.network.lengths))
        limit = np.full(len(size), NEAR * self.rtol * self.critical)
        some = np.flatnonzero(size > limit)
        limit[some] = np.maximum(limit[some], FAR * (self.critical - self.highest_of(some, following, followed)))
        voided = [number for number, tree in followed.items() if tree.open]
        soon = np.minimum(1.0, LOOKS * LOOKED * t / wrong[voided])  # a difference that stays is made smaller
        size[voided] = bounds.largest(off)[voided]
        limit[voided] = soon * FOLLOWED * self.update * bounds.largest(np.abs(self.currents.used[0]))[voided]
        return np.flatnonzero(size > limit).tolist()

    def highest_of(self, which: Numbers, t: float, followed: Mapping[int, FollowedTree]) -> Floats:
        """Return the highest stress of trees at a time, or a little later [Pa], but for those with voids."""
        for number in which[self.seen[which] < t].tolist():
            tree, self.seen[number] = followed[number], (1 + AHEAD) * t
            assert tree.leg is not None
            self.highest[number] = tree.leg.stress(np.linspace(t, self.seen[number], 3) - tree.began).max()
        return self.highest[which]

    def near(self, tree: FollowedTree, t: float) -> bool:
        """Return true for a tree that is near to the critical stress."""
        highest = self.highest_of(np.array([tree.number]), t, {tree.number: tree})
        return bool(highest[0] >= (1 - CLOSE) * self.critical)

    def turned(self, tree: FollowedTree, t: float) -> bool:
        """Return true for a tree whose currents will be off those of the grid at a time by TURNED of `update`."""
        largest = np.abs(self.currents.used[0, tree.segments]).max()
        return bool(np.abs(self.currents.off(t, tree.segments)).max() > TURNED * self.update * largest)

    def around(self, voided: Sequence[FollowedTree], t: float) -> Floats:
        """Return what the voids of trees will have added to each segment at a time [Ohm], shape (m,).

        A course that has ended goes on as long as it has been.
        """
        extra = np.zeros(len(self.extra))
        for tree in voided:
            assert tree.growth is not None
            then = min(t - tree.began, 2 * (tree.change - tree.began))
            extra[tree.growth.touched] = self.added(tree, np.array([then]))[:, 0]
        return extra

    def _times(self, tree: FollowedTree, t: float) -> tuple[Floats, float]:
        """Return times since the beginning of a leg at which it is sampled, those after now, and now."""
        span, now = self.until - tree.began, t - tree.began
        if span <= 0.0:
            return np.zeros(0), now
        shortest = max(float(tree.sizes.min()) ** 2 / float(self.bounds.fastest[tree.number]), 1e-8 * span)
        times = sample_times(EARLY * min(shortest, 0.1 * span), span)
        return times[times > now], now

    def _passing(
        self, tree: FollowedTree, measure: Callable[[FollowedTree, Floats], Floats], times: Floats, now: float
    ) -> float:
        """Return when a measure of the voids of a tree passes 0, from now on."""
        values = measure(tree, np.append(now, times))
        if values[0] >= 0.0:
            return now
        return first_passing(partial(_at_time, partial(measure, tree)), values[1:], times, now)

    def change(self, tree: FollowedTree, t: Floats) -> Floats:
        """Return the largest relative change of a resistance of a tree since it was looked at."""
        assert tree.growth is not None
        touched, extra = tree.growth.touched, self.added(tree, t)
        before = (self.circuit.resistances[touched] + self.extra[touched])[:, None]
        with np.errstate(invalid="ignore"):
            change = np.abs((self.circuit.resistances[touched][:, None] + extra) / before - 1)
        change = np.where(np.isinf(before), 0.0, change)
        return change.max(axis=0, initial=0.0)

    def _damage(self, tree: FollowedTree, t: Floats) -> Floats:
        """Return the damage of a tree by itself, less 1."""
        assert tree.growth is not None
        touched = tree.growth.touched
        rise = self.added(tree, t) / self.circuit.resistances[touched][:, None]
        return self.criterion.of_tree(touched, self.void_lengths(tree, t), rise) - 1.0

    def void_lengths(self, tree: FollowedTree, t: Floats) -> Floats:
        """Return the lengths of the voids of a tree at times since its leg began [m], shape (voids, times)."""
        assert tree.growth is not None
        return np.maximum(tree.growth.at(t), 0.0) / self.bounds.faces[tree.growth.nodes][:, None]

    def added(self, tree: FollowedTree, t: Floats) -> Floats:
        """Return what the voids of a tree add to the segments that end at them [Ohm], shape (touched, times)."""
        assert tree.growth is not None
        lengths = np.append(self.void_lengths(tree, t), np.zeros((1, len(t))), axis=0)
        return self.circuit.added(tree.growth.touched, lengths[tree.growth.ends].sum(axis=1))


def _reached(times: Floats, values: Floats, level: float) -> float:
    """Return when values at some times, linear in between, first reach a level; infinity if they never do."""
    k = int(np.argmax(values >= level))
    if values[k] < level:
        return np.inf
    if k == 0 or np.isinf(values[k]):
        return float(times[k])
    low, high = times[k - 1 : k + 1]
    return float(low + (high - low) * (level - values[k - 1]) / (values[k] - values[k - 1]))


def _at_time(function: Callable[[Floats], Floats], t: float) -> float:
    """Return the value of a function of times at one time."""
    return float(function(np.array([t]))[0])
