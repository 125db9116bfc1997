"""Next events of a tree on its leg: a void, a healed one, a change of resistance, failure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from emfem.mesh.graph import Floats
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.criterion import GridCriterion
from emfem.signoff.events import first_crossings, first_passing, sample_times
from emfem.signoff.filter import Filter
from emfem.signoff.followed import EARLY, FollowedTree

import numpy as np


class Planner:
    """Next events of trees.

    Attributes:
        extra: what the voids added to each segment at the last redistribution [Ohm], shape (m,).
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
    ) -> None:
        """Take what holds for all; arguments as in `em.signoff.run`."""
        self.bounds, self.circuit, self.criterion = bounds, circuit, criterion
        self.critical, self.until, self.update = critical, until, update
        self.extra = np.zeros(len(bounds.metal.network.segments))

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

    def next_change(self, tree: FollowedTree, t: float) -> float:
        """Return when a resistance of a tree has changed by `update` since the last redistribution [s]."""
        times, now = self._times(tree, t)
        return tree.began + self._passing(tree, self._change, times, now)

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

    def _change(self, tree: FollowedTree, t: Floats) -> Floats:
        """Return the largest relative change of a resistance of a tree since the last redistribution, less `update`."""
        assert tree.growth is not None
        touched, extra = tree.growth.touched, self._added(tree, t)
        before = (self.circuit.resistances[touched] + self.extra[touched])[:, None]
        with np.errstate(invalid="ignore"):
            change = np.abs((self.circuit.resistances[touched][:, None] + extra) / before - 1)
        change = np.where(np.isinf(before), 0.0, change)
        return np.minimum(change.max(axis=0, initial=0.0), 2 * self.update) - self.update

    def _damage(self, tree: FollowedTree, t: Floats) -> Floats:
        """Return the damage of a tree by itself, less 1."""
        assert tree.growth is not None
        touched = tree.growth.touched
        rise = self._added(tree, t) / self.circuit.resistances[touched][:, None]
        return self.criterion.of_tree(touched, self.void_lengths(tree, t), rise) - 1.0

    def void_lengths(self, tree: FollowedTree, t: Floats) -> Floats:
        """Return the lengths of the voids of a tree at times since its leg began [m], shape (voids, times)."""
        assert tree.growth is not None
        return np.maximum(tree.growth.at(t), 0.0) / self.bounds.faces[tree.growth.nodes][:, None]

    def _added(self, tree: FollowedTree, t: Floats) -> Floats:
        """Return what the voids of a tree add to the segments that end at them [Ohm], shape (touched, times)."""
        assert tree.growth is not None
        lengths = np.append(self.void_lengths(tree, t), np.zeros((1, len(t))), axis=0)
        return self.circuit.added(tree.growth.touched, lengths[tree.growth.ends].sum(axis=1))


def _at_time(function: Callable[[Floats], Floats], t: float) -> float:
    """Return the value of a function of times at one time."""
    return float(function(np.array([t]))[0])
