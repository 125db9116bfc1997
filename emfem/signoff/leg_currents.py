"""Currents in the legs of trees, and what they have missed of those of the grid."""

from __future__ import annotations

from collections.abc import Sequence

from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.followed import FollowedTree
from emfem.signoff.trees import Trees

import numpy as np
from numpy.typing import NDArray

Own = slice | Numbers | NDArray[np.bool_]


class LegCurrents:
    """Currents in the legs: those that the grid had when each tree took them, with their slope.

    Meanwhile those of the grid go their own way. By what they were off is taken as a line in the time u since then,
    with the same moments over the time h until now,

        j - j_leg = a + b u,    int (j - j_leg) du = a h + b h^2/2,    int (j - j_leg) u du = a h^2/2 + b h^3/3 .

    Attributes:
        used: current density of each segment when its tree took it [A/m2], and its slope, shape (2, m).
        since: when that was [s], shape (trees,).
        behind: the moments until the grid's present course began [A s/m2, A s2/m2], shape (2, m).
    """

    def __init__(self, trees: Trees, circuit: GridCircuit) -> None:
        """Begin with the currents of the start."""
        self.trees, self.circuit = trees, circuit
        self.used = np.stack([circuit.density, np.zeros(len(circuit.density))])
        self.since, self.behind = np.zeros(trees.count), np.zeros_like(self.used)

    def at(self, t: float, own: Own = slice(None)) -> Floats:
        """Return the current density in segments now, and its slope, shape (2, segments)."""
        density, slope = self.used[:, own]
        return np.stack([density + (t - self.since[self.trees.of_segment[own]]) * slope, slope])

    def off(self, t: float, own: Own = slice(None)) -> Floats:
        """Return by what the currents of the grid are off those of the legs now, shape (segments,)."""
        course = self.circuit.course
        return course.density[own] + (t - course.began) * course.slope[own] - self.at(t, own)[0]

    def take(self, trees: Sequence[int], t: float) -> None:
        """Give trees the currents of the grid from now on."""
        self.since[trees] = t
        own = np.isin(self.trees.of_segment, trees)
        course = self.circuit.course
        self.used[:, own] = np.stack([course.at(t), course.slope])[:, own]
        self.behind[:, own] = 0.0

    def note(self, t: float) -> None:
        """Note the moments until now, before the course of the grid changes."""
        if not self.circuit.course.began:
            self.since[:] = t  # nothing was off before the first void
        self.behind += self._moments(t, slice(None))

    def missed(self, t: float, tree: FollowedTree) -> tuple[Floats, float]:
        """Return a and b of the segments of a tree, shape (2, segments), and h [s]."""
        h = t - float(self.since[tree.number])
        if h <= 0.0:
            return np.zeros((2, len(tree.segments))), 0.0
        total, first = (self.behind[:, tree.segments] + self._moments(t, tree.segments)) / h
        return np.stack([4 * total - 6 * first / h, (12 * first / h - 6 * total) / h]), h

    def _moments(self, t: float, own: Own) -> Floats:
        """Return the moments from the beginning of the course, or when trees took it, until now."""
        began, since = self.circuit.course.began, self.since[self.trees.of_segment[own]]
        last, slope = self.off(t, own), self.circuit.course.slope[own] - self.used[1, own]
        u = t - since
        span = np.minimum(t - began, u)
        total = span * (last - slope * span / 2)
        return np.stack([total, u * total - span**2 * (last / 2 - slope * span / 3)])
