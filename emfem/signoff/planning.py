"""Next events of a tree on its leg: a void, a healed one, a change of resistance, failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from emfem.mesh.graph import Floats
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.criterion import GridCriterion
from emfem.signoff.events import first_crossings, first_passing, sample_times
from emfem.signoff.filter import Filter
from emfem.signoff.followed import EARLY, FollowedTree, OpenVoid

import numpy as np

FAR = 1e-2  # of the critical stress: error allowed in trees that do not come so near to it
NEAR = 5.0  # times `rtol`, of the critical stress: error allowed in trees that come near to it
FOLLOWED = 0.15  # of `update`: change of the currents in trees with voids that is followed
LOOKED = 0.02  # of the time: currents are compared with those of the legs that often at least
LOOKS = 3.0  # for so many, trees with voids may keep their currents: for longer only if these differ by less
TINY = 1e-300  # of a change: none
GATHERED = 2.0  # times `rtol`, of the time: changes of resistance in it are followed together
JOINED = 0.5  # of `update`: trees whose resistances have changed by that are looked at with one that is due


class Planner:
    """Next events of trees.

    Attributes:
        extra: what the voids had added to each segment when its tree was last looked at [Ohm], shape (m,).
        ahead: what stands for them through the present step of the tree; currents are those with it, shape (m,).
        used: current density of each segment in the present leg of its tree [A/m2], shape (m,).
        known: that of the grid when the leg began; `used` may be half of a change ahead of it, shape (m,).
        since: when each tree last had the currents of the grid [s], shape (trees,).
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
        every = np.arange(len(self.network.segments))
        self.extra, self.ahead = np.zeros(len(every)), np.zeros(len(every))
        self.used, self.known = circuit.density.copy(), circuit.density.copy()
        self.since = np.zeros(self.trees.count)
        self._charge = np.abs(bounds.metal.drive(every, np.full(len(every), 0.5))[0])

    def coming(self, tree: FollowedTree, t: float) -> list[tuple[float, str]]:
        """Return time and kind of the next events of a tree on its leg, after now."""
        assert tree.leg is not None
        times, now = self._times(tree, t)
        if not len(times):
            return []
        events = []
        closed = ~np.isin(tree.leg.forest.nodes, tree.open)
        if closed.any():
            when, _, peak = first_crossings(tree.leg, closed, self.critical, times)
            self.bounds.peak[tree.number] = peak[0]
            events.append((max(float(when[0]), now), "nucleation"))
        growth = tree.growth
        if growth is not None:
            lowest = -growth.at(times).min(axis=0)
            healing = first_passing(lambda t: -growth.at(np.array([t])).min(), lowest, times, now)
            events.append((healing, "healing"))
            if self.criterion.local and not tree.failed:
                events.append((self._passing(tree, self._damage, times, now), "failure"))
        return [(tree.began + t, kind) for t, kind in events if np.isfinite(t)]

    def next_change(self, tree: FollowedTree, t: float) -> tuple[float, float]:
        """Return when the resistances of a tree are looked at next, with others that are due, and at the latest [s].

        At the latest is soon after one has changed by `update`; with others from JOINED of it on, so that many voids
        take no more solves of the network than the fastest of them.
        """
        times, now = self._times(tree, t)
        times = np.append(now, times)
        change = self.change(tree, times)
        joined, latest = (_reached(times, change, part * self.update) for part in (JOINED, 1.0))
        cut = np.isinf(change[times == latest]).any()  # does not wait
        return tree.began + joined, tree.began + latest if cut else self.gathered(tree.began + latest)

    def gathered(self, t: float) -> float:
        """Return until when changes that come after a time are waited for, to be followed together [s]."""
        return t * (1 + GATHERED * self.rtol)

    def note(self, tree: FollowedTree, t: float) -> None:
        """Note what the voids of a tree add to its segments now, for currents of now."""
        assert tree.growth is not None
        touched = tree.growth.touched
        self.extra[touched] = self.ahead[touched] = self.added(tree, np.array([t - tree.began]))[:, 0]

    def until_changed(self, tree: FollowedTree, t: float, part: float) -> float:
        """Return in what time a resistance of a tree will have changed by a part of `update` on its leg [s]."""
        times, now = self._times(tree, t)
        times = np.append(now, times)
        return _reached(times, self.change(tree, times), part * self.update) - now

    def moved(self, t: float, voids: list[OpenVoid], forced: Sequence[int] = ()) -> list[int]:
        """Return the trees whose currents have changed so much since their leg began that it matters; note them.

        A force that is wrong by df for a time makes the stress wrong by 2 df sqrt(kappa time/pi) at most at an end, and
        by the sum of df L over the tree. Until the currents are looked at again that may be a part of the critical
        stress: NEAR times `rtol` in trees near it, FAR in others. In trees with voids the currents count: FOLLOWED of
        `update` of them. A leg has the currents that are expected in the middle of its time: the last change goes on
        for half of what may be, so that errors cancel; where one solve changes them by more, the next will.

        Args:
            t: now [s]; the next look is at LOOKED of it later.
            voids: that opened, by time.
            forced: trees that take the present currents in any case, and none ahead.
        """
        trees, bounds, density = self.trees, self.bounds, self.circuit.density
        wrong = (1 + LOOKED) * t - np.maximum(self.since, voids[0].nucleated)

        def shifts(change: Floats) -> Floats:
            force = self._charge * np.abs(change)
            ends = 2 * bounds.largest(force) * np.sqrt(bounds.fastest * wrong / np.pi)
            return np.minimum(ends, trees.sums(force * self.network.lengths))

        size, trend = shifts(density - self.used), density - self.known
        near = bounds.peak + np.maximum(size, FAR * self.critical) >= self.critical
        limit = np.where(near, NEAR * self.rtol, FAR) * self.critical
        steps = shifts(trend)
        voided = trees.of_node[[void.node for void in voids if not void.healed]]
        size[voided], steps[voided] = (bounds.largest(np.abs(each))[voided] for each in (density - self.used, trend))
        soon = np.minimum(1.0, LOOKS * LOOKED * t / wrong)  # a difference that stays is made smaller
        limit[voided] = (soon * FOLLOWED * self.update * bounds.largest(np.abs(self.used)))[voided]
        result = size > limit
        result[list(forced)] = True
        ahead = 0.5 * np.clip(2.5 - steps / np.maximum(limit, TINY), 0.0, 1.0)  # not after a jump
        ahead[list(forced)] = 0.0
        own = result[trees.of_segment]
        self.used[own] = (density + ahead[trees.of_segment] * trend)[own]
        self.known[own], self.since[result] = density[own], t
        return np.flatnonzero(result).tolist()

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
