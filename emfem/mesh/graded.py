"""Lines cut into cells that grow from both ends: as fine there as what happens at junctions first needs."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.mesh.graph import Floats, Network, Numbers

import numpy as np

FINEST = 0.03  # of the shortest line that ends at a place: the cells there
GROWTH = 0.5  # of the size of cells over the distance from the end: each is so much larger than the one before, or less


@dataclass(frozen=True, eq=False)
class Grading:
    """How lines are cut: h(s) = a + g s from the start, h = b + g (L - s) from the end, whichever is less.

    The number of cells up to a place, int ds/h, is a logarithm; it is stretched to a whole number of them.

    Attributes:
        lengths: L of each line, shape (m,).
        first: a, the size of cells at its start, shape (m,).
        last: b, that at its end, shape (m,).
    """

    lengths: Floats
    first: Floats
    last: Floats

    @property
    def counts(self) -> Numbers:
        """Number of cells of each line."""
        rising, falling = self._parts()
        return np.maximum(np.ceil(np.round(rising + falling, 9)), 1).astype(np.int64)

    def fractions(self, line: Numbers, step: Numbers) -> Floats:
        """Where along its line the vertex is that is `step` cells from the start, in parts of the length."""
        rising, falling = (part[line] for part in self._parts())
        before = step / self.counts[line] * (rising + falling)
        up = self.first[line] * np.expm1(GROWTH * np.minimum(before, rising)) / GROWTH
        down = self.last[line] * np.expm1(GROWTH * np.minimum(rising + falling - before, falling)) / GROWTH
        return np.where(before <= rising, up, self.lengths[line] - down) / self.lengths[line]

    def _parts(self) -> tuple[Floats, Floats]:
        """The numbers of cells that get larger and that get smaller again."""
        middle = np.clip((self.lengths + (self.last - self.first) / GROWTH) / 2, 0.0, self.lengths)
        rising = np.log1p(GROWTH * middle / self.first) / GROWTH
        return rising, np.log1p(GROWTH * (self.lengths - middle) / self.last) / GROWTH


def graded_line(length: float) -> Grading:
    """One line."""
    ends = np.array([FINEST * length])
    return Grading(np.array([length]), ends, ends)


def graded_network(found: Network) -> Grading:
    """The segments of a network, at each node as fine as the shortest that ends there needs."""
    shortest = np.full(len(found.nodes), np.inf)
    np.minimum.at(shortest, found.segments.ravel(), np.repeat(found.lengths, 2))
    start, end = found.segments.T
    return Grading(found.lengths, FINEST * shortest[start], FINEST * shortest[end])
