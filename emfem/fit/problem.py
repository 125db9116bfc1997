"""The sum of squares of a fit, its derivatives, and its minimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emfem.fit.curves import Curve
from emfem.fit.evaluation import Evaluator
from emfem.fit.unknowns import Array, Space

import numpy as np
from scipy import optimize

TOLERANCE = 1e-9  # of sum and step: intervals need the sum to a thousandth
FLAT = 1e-15  # gradient of a model that does not vary
MOST_STEPS = 200
HUGE = 1e75  # residual whose square, over that of a step, is no number
LOSSES = ("linear", "soft_l1", "huber", "cauchy", "arctan")


@dataclass(frozen=True, eq=False)
class Minimum:
    """A minimum of the sum of squares.

    Attributes:
        point: coordinates, shape (p,).
        square: the sum, -2 ln L but for a constant.
        jacobian: of the residuals, those of a robust loss weighted, shape (m, p).
        steps: of the trust region.
        converged: False if it stopped for the number of steps.
    """

    point: Array
    square: float
    jacobian: Array
    steps: int
    converged: bool = True


class Problem:
    """Residuals of all curves and priors as functions of a point.

    Attributes:
        space: the unknowns.
        curves: the data.
        scatter: standard deviation of data without one.
        loss: of `LOSSES`.
        step: of central differences, in coordinates.
    """

    def __init__(self, space: Space, curves: Sequence[Curve], evaluate: Evaluator, loss: str, step: float) -> None:
        """Take the data, and what evaluates the model."""
        self.space, self.curves, self.evaluate = space, list(curves), evaluate
        self.loss, self.step, self.scatter = loss, step, 1.0

    def models(self, points: Sequence[Array]) -> list[list[Array] | None]:
        """Return the values of the model for each curve at each point; None at a point where one broke."""
        n = len(self.curves)
        requests = [(i, self.space.of_curve(point, c.name)) for point in points for i, c in enumerate(self.curves)]
        answers = self.evaluate(requests)
        rows = [answers[k * n : (k + 1) * n] for k in range(len(points))]
        return [
            None if any(each is None for each in row) else [each for each in row if each is not None] for row in rows
        ]

    def residuals(self, points: Sequence[Array]) -> list[Array]:
        """Return the residuals at each point, infinite where the model broke."""
        size = sum(map(len, self.curves))
        made = []
        for point, model in zip(points, self.models(points), strict=True):
            data = [np.full(size, np.inf)]
            if model is not None:
                data = [c.residuals(y, self.scatter) for c, y in zip(self.curves, model, strict=True)]
            whole = np.concatenate([*data, self.space.prior(point)])
            made.append(np.where(np.abs(whole) < HUGE, whole, np.inf))  # and NaN, ln of a model below 0
        return made

    def square(self, residuals: Array) -> float:
        """Return the sum of squares, or of a robust loss; infinite if a residual is."""
        if not np.isfinite(residuals).all():
            return np.inf
        z = residuals**2
        with np.errstate(all="ignore"):
            terms = {
                "linear": lambda: z,
                "soft_l1": lambda: 2 * (np.sqrt(1 + z) - 1),
                "huber": lambda: np.where(z <= 1, z, 2 * np.sqrt(z) - 1),
                "cauchy": lambda: np.log1p(z),
                "arctan": lambda: np.arctan(z),
            }[self.loss]()
        return float(terms.sum())

    def roughness(self, point: Array) -> tuple[float, int]:
        """Return the largest relative change of the derivatives by an unknown with twice the step, and its number.

        A smooth model has next to none; one with numerical noise has derivatives that are noise over the step. Unknowns
        without information, of which all derivatives are small, are left out.
        """
        once, twice = (self.jacobian(point, step=factor * self.step) for factor in (1, 2))
        sizes = np.linalg.norm(once, axis=0)
        change = np.linalg.norm(twice - once, axis=0) / np.maximum(sizes, 1e-300)
        change[sizes < 1] = 0.0
        worst = int(np.argmax(change))
        return float(change[worst]), worst

    def jacobian(self, point: Array, free: Any = slice(None), step: float | None = None) -> Array:
        """Return the derivatives of the residuals by central differences, one-sided at bounds and where one broke."""
        h = self.step if step is None else step
        columns = np.arange(len(self.space))[free]
        steps = [(i, side) for i in columns for side in (-1, 1)]
        moved = []
        for i, side in steps:
            other = point.copy()
            other[i] = np.clip(other[i] + side * h, 0.0, 1.0)
            moved.append(other)
        here, *there = self.residuals([point, *moved])
        result = np.zeros((len(here), len(columns)))
        for k, i in enumerate(columns):
            ends = [(moved[2 * k + s][i], there[2 * k + s]) for s in (0, 1)]
            good = [(u, r) for u, r in ends if np.isfinite(r).all() and u != point[i]]
            if len(good) < 2:
                good = [*good, (point[i], here)]
            (u0, r0), (u1, r1) = good[0], good[-1]
            if u0 != u1:
                result[:, k] = (r1 - r0) / (u1 - u0)
        return result

    def minimise(self, start: Array, fixed: int | None = None) -> Minimum | None:
        """Return the minimum that the trust region reaches; None if the model breaks at the start.

        Args:
            start: first point; the coordinate `fixed` stays.
            fixed: number of a coordinate; none when left out.
        """
        free = np.array([i for i in range(len(self.space)) if i != fixed], dtype=int)

        def whole(part: Array) -> Array:
            point = start.copy()
            point[free] = part
            return point

        first = self.residuals([start])[0]
        if not np.isfinite(first).all():
            return None
        if not len(free):
            return Minimum(start, self.square(first), np.zeros((len(first), 0)), 0)
        result = optimize.least_squares(  # of u + 1: the first trust region has the size of its point, none at u = 0
            lambda part: self.residuals([whole(part - 1)])[0],
            np.clip(start[free], 1e-12, 1 - 1e-12) + 1,
            jac=lambda part: self.jacobian(whole(part - 1), free),
            bounds=(1.0, 2.0),
            x_scale="jac",
            loss=self.loss,
            ftol=TOLERANCE,
            xtol=TOLERANCE,
            gtol=FLAT,
            max_nfev=MOST_STEPS,
        )
        return Minimum(whole(result.x - 1), float(2 * result.cost), result.jac, int(result.nfev), result.status > 0)
