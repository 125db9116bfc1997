"""Profile likelihood: the least sum of squares with one unknown fixed, and where it has risen too far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emfem.fit.problem import Minimum, Problem
from emfem.fit.unknowns import Array

import numpy as np
from scipy import optimize

SHARP = 2e-3  # of an end of an interval, in standard errors
BETTER = 1e-3  # by which a sum of squares must be smaller to count as another minimum
LARGEST = 0.25  # first step along a coordinate
EDGE = 1e-4  # coordinate at a bound, where a search may have stalled


@dataclass(frozen=True)
class End:
    """End of an interval.

    Attributes:
        u: coordinate.
        at_bound: True if the sum has not risen far enough at the bound of the unknown.
        broken: True if it has not before the model breaks.
    """

    u: float
    at_bound: bool
    broken: bool = False


class BetterMinimum(Exception):
    """A smaller sum of squares than that of the fit, met on a profile."""

    def __init__(self, minimum: Minimum) -> None:
        """Take the minimum."""
        super().__init__("a profile leads to a better fit")
        self.minimum = minimum


class Profile:
    """The least sum of squares as a function of one coordinate; all others follow."""

    def __init__(self, problem: Problem, best: Minimum, index: int) -> None:
        """Begin at the minimum."""
        self._problem, self._best, self._index = problem, best, index
        self._slope = _followed(best.jacobian, index)
        self._known: dict[float, Array] = {float(best.point[index]): best.point}
        self._breaks: list[float] = []

    def rise(self, u: float) -> float:
        """Return the sum less that of the best fit, at least 0; infinite where the model breaks.

        Raises:
            BetterMinimum: if it is smaller.
        """
        minimum: Minimum | None = None
        for guess, inside in self._guesses(u):
            reached = self._problem.minimise(guess, fixed=self._index)
            if reached is not None and (minimum is None or reached.square < minimum.square):
                minimum = reached
            if inside and minimum is reached is not None and reached.converged and not self._is_at_bound(reached.point):
                break
        if minimum is None:
            self._breaks.append(u)
            return np.inf
        self._known[u] = minimum.point
        if minimum.square < self._best.square - BETTER * max(1.0, abs(self._best.square) * 1e-6):
            again = self._problem.minimise(minimum.point)
            raise BetterMinimum(minimum if again is None else again)
        return max(0.0, minimum.square - self._best.square)

    def rises(self, u: Array) -> Array:
        """Return the rise at coordinates, the best among them, from there on both sides; below 0 if a fit is better."""
        best = float(self._best.point[self._index])
        rises = {best: 0.0}
        for each in map(float, (*u[u > best], *u[u < best][::-1])):
            try:
                rises[each] = self.rise(each)
            except BetterMinimum as better:
                rises[each] = better.minimum.square - self._best.square
        return np.array([rises[float(each)] for each in u])

    def _guesses(self, u: float) -> Iterator[tuple[Array, bool]]:
        """Yield points to search from, True with those that needed no bound: on along the valley, and neighbours."""
        best = float(self._best.point[self._index])
        inner = [other for other in self._known if min(best, u) <= other <= max(best, u)]
        neighbour, *before = sorted(inner, key=lambda other: abs(other - u))
        near = min(self._known, key=lambda other: abs(other - u))
        slopes = [self._slope]
        if before:
            slopes.insert(0, (self._known[neighbour] - self._known[before[0]]) / (neighbour - before[0]))
        made = [self._known[neighbour] + (u - neighbour) * slope for slope in slopes]
        for whole in (*made, *(self._known[other] for other in {neighbour: None, near: None, best: None})):
            guess = np.clip(whole, 0.0, 1.0)
            guess[self._index] = u
            yield guess, bool(np.all(np.delete(guess == whole, self._index)))

    def _is_at_bound(self, point: Array) -> bool:
        free = np.delete(point, self._index)
        return bool(np.any((free < EDGE) | (free > 1 - EDGE)))

    def end(self, side: int, threshold: float) -> End:
        """Return where the sum has risen by the threshold, on one side."""
        root = np.sqrt(threshold)

        def over(u: float) -> float:
            return float(min(np.sqrt(self.rise(u)), 1e6) - root)

        best, bound = float(self._best.point[self._index]), 0.0 if side < 0 else 1.0
        error = standard_errors(self._best.jacobian)[self._index]
        step = min(1.1 * root * error, LARGEST)
        near = far = best
        value = -root
        while value < 0:
            if far == bound:
                return End(bound, at_bound=True)
            near, far = far, float(np.clip(far + side * step, 0.0, 1.0))
            value, step = over(far), 2 * step
        sharp = SHARP * min(error, abs(far - best))
        end = float(optimize.brentq(over, near, far, xtol=max(sharp, 1e-14), rtol=1e-10))
        broken = any(abs(u - end) <= 10 * max(sharp, 1e-14) for u in self._breaks)
        return End(end, at_bound=False, broken=broken)


def covariance(jacobian: Array) -> Array:
    """Return the inverse of J^T J, shape (p, p); very large along directions without information."""
    _, sizes, rows = np.linalg.svd(jacobian, full_matrices=True)
    whole = np.zeros(jacobian.shape[1])
    whole[: len(sizes)] = sizes
    floor = max(1e-12 * whole.max(initial=0.0), 1e-150)
    return np.asarray((rows.T / np.maximum(whole, floor) ** 2) @ rows)


def standard_errors(jacobian: Array) -> Array:
    """Return the square roots of the diagonal of the covariance, shape (p,)."""
    return np.asarray(np.sqrt(np.diagonal(covariance(jacobian))))


def _followed(jacobian: Array, index: int) -> Array:
    """Return the change of all coordinates with one of them, along the bottom of the valley."""
    column = covariance(jacobian)[:, index]
    slope = column / column[index]
    slope[index] = 1.0
    return np.asarray(slope)
