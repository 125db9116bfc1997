"""Lognormal regression of lifetimes, some of them censored by the end of the test, by maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emfem.errors import ParameterError, floats, number
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

type Array = NDArray[np.float64]

CONVERGED = 1e-12  # of a Newton decrement, per failure: the step taken then leaves the square of it
ROUNDING = 1e-10  # of the logarithm of a lifetime: less scatter than that is none


@checked
@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval: `float(estimate)` is the number, `x in estimate` tests the interval.

    Attributes:
        value: the most likely.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    value: float
    low: float
    high: float

    def __float__(self) -> float:
        """Most likely value."""
        return self.value

    def __contains__(self, x: float) -> bool:
        """Return True if x is inside the interval."""
        return self.low <= x <= self.high

    def __str__(self) -> str:
        """Value and its interval."""
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"

    @checked
    def through(self, function: Callable[[float], Any]) -> Estimate:
        """Return the estimate of an increasing function of what this estimates."""
        return Estimate(*(float(function(x)) for x in (self.value, self.low, self.high)))


def bounded(
    name: str, value: ArrayLike, unit: str, *, above: float | None = None, at_least: float | None = None, hint: str = ""
) -> Array:
    """Return numbers, all finite and inside their bounds.

    Raises:
        ParameterError: if one is not; `hint` follows a value that is not finite.
    """
    values = floats(name, value)
    checks = [(~np.isfinite(values), f"finite{hint}")]
    if above is not None:
        checks.append((values <= above, f"greater than {above:g} {unit}"))
    if at_least is not None:
        checks.append((values < at_least, f"at least {at_least:g} {unit}"))
    for wrong, bound in checks:
        if wrong.any():
            msg = f"{name} = {values[wrong].flat[0]:g} {unit}, must be {bound}"
            raise ParameterError(msg)
    return values


def samples(lifetimes: ArrayLike, censored: ArrayLike | None) -> tuple[Array, NDArray[np.bool_]]:
    """Return times, and True for each that is only that of the end of a test; both of shape (n,).

    Raises:
        ParameterError: for times that are not above 0 and finite, or `censored` of another shape.
    """
    hint = ": give what outlived the test as the time tested, and censored"
    times = bounded("lifetimes", lifetimes, "s", above=0.0, hint=hint)
    if times.ndim != 1 or not times.size:
        msg = f"lifetimes of shape {times.shape}, must be a list of times"
        raise ParameterError(msg)
    outlived = np.zeros(len(times), dtype=bool) if censored is None else np.asarray(censored)
    if outlived.shape != times.shape or outlived.dtype != np.bool_:
        flags = f"must be one True or False for each of {len(times)}"
        msg = f"censored of {outlived.dtype} and shape {outlived.shape}, {flags}"
        raise ParameterError(msg)
    return times, outlived


def level(confidence: float) -> float:
    """Return a confidence inside (0, 1).

    Raises:
        ParameterError: if it is not.
    """
    return number("confidence", confidence, above=0.0, below=1.0)


class Regression:
    """`ln t = x . b + s z` with z standard normal: b and s that maximise the likelihood of the lifetimes.

    With g = 1/s, d = b/s and z = g ln t - x . d the logarithm of the likelihood is concave in (d, g):

        sum over failures (ln g - z^2/2) + sum over the censored ln Phi(-z)

    so that Newton's method finds the one maximum from anywhere. The failures must span all of b and scatter.

    Intervals are those of the profile likelihood: the values of a parameter at which the likelihood, maximised over
    all others, stays within its drop of the maximum. The drop is r ln(1 + t^2/(r - p))/2, t Student's quantile with
    r - p degrees of freedom for r failures and p coefficients: without censoring the interval of a coefficient is then
    Student's, exactly; for many failures it is the usual one of chi squared.

    Attributes:
        coefficients: b, shape (p,).
        sigma: s, the spread of ln t.
        likelihood: its logarithm, without the terms that do not depend on b and s.
        failures: r.
    """

    def __init__(self, design: Array, logs: Array, censored: NDArray[np.bool_]) -> None:
        """Find the maximum.

        Raises:
            ParameterError: if the failures do not scatter about the law.
        """
        self._failed = np.column_stack([-design, logs])[~censored]
        self._censored = np.column_stack([-design, logs])[censored]
        self.failures, columns = len(self._failed), design.shape[1]
        first, *_ = np.linalg.lstsq(-self._failed[:, :-1], self._failed[:, -1])
        scatter = float(np.std(self._failed @ np.append(first, 1.0)))
        if scatter < ROUNDING:
            msg = "lifetimes follow the law without any scatter: there is no spread to fit"
            raise ParameterError(msg)
        self._best, self.likelihood = self._climb(np.append(first, 1.0) / scatter, np.eye(columns + 1))
        self.coefficients, self.sigma = self._best[:-1] / self._best[-1], float(1 / self._best[-1])
        self.freedom = self.failures - columns

    def combination(self, weights: Array, quantile: float, confidence: float) -> Estimate:
        """Return `w . b + q s`, with its interval: the q-th standard normal quantile of ln t at x = w."""
        best = float(weights @ self.coefficients + quantile * self.sigma)
        return self._interval(best, lambda v: (np.append(weights, -v), -quantile), confidence)

    def spread(self, confidence: float) -> Estimate:
        """Return s with its interval."""
        row = np.append(np.zeros(len(self.coefficients)), 1.0)
        return self._interval(float(np.log(self.sigma)), lambda v: (row, float(np.exp(-v))), confidence).through(np.exp)

    def score(self, weights: Array, log: float, confidence: float) -> Estimate:
        """Return `(ln t - w . b)/s`, the standard normal quantile of a life t, with its interval."""
        row = np.append(-weights, log)
        return self._interval(float(row @ self._best), lambda v: (row, v), confidence)

    def _interval(self, best: float, fixing: Callable[[float], tuple[Array, float]], confidence: float) -> Estimate:
        """Return where the profile likelihood has dropped; `fixing(v)` is the row and value of row . (d, g) = value."""
        student = float(stats.t.ppf((1 + confidence) / 2, self.freedom))
        drop = self.failures * np.log1p(student**2 / self.freedom) / 2
        step = student * self._deviation(best, fixing)

        def over(v: float) -> float:  # nearly linear in v
            return float(np.sqrt(drop) - np.sqrt(max(0.0, self.likelihood - self._profile(*fixing(v)))))

        low, high = (self._crossing(over, best, side * step) for side in (-1, 1))
        return Estimate(best, low, high)

    def _deviation(self, best: float, fixing: Callable[[float], tuple[Array, float]]) -> float:
        """Return the standard deviation by Fisher's information, to begin the search with."""
        tiny = 1e-6 * max(1.0, abs(best))
        (row, value), (later, moved) = fixing(best), fixing(best + tiny)
        slope = ((later - row) @ self._best - (moved - value)) / tiny  # of the constraint, as v moves
        variance = row @ np.linalg.solve(-self._slopes(self._best)[1], row)
        return float(np.sqrt(variance) / abs(slope))

    @staticmethod
    def _crossing(over: Callable[[float], float], best: float, step: float) -> float:
        """Return the zero of `over` on one side."""
        near, far = best, best + step
        if over(near) <= 0:  # a confidence so small that the interval is within rounding
            return near
        while over(far) > 0:
            near, far = far, far + step
            step *= 2
            if not np.isfinite(far):
                return far
        return float(optimize.brentq(over, near, far, xtol=1e-9 * abs(step), rtol=1e-12))

    def _profile(self, row: Array, value: float) -> float:
        """Return the greatest likelihood with row . (d, g) = value."""
        pivot = int(np.argmax(np.abs(row[:-1]))) if np.any(row[:-1]) else len(row) - 1
        free = np.delete(np.eye(len(row)), pivot, axis=1)
        free[pivot] = -np.delete(row, pivot) / row[pivot]
        origin = np.zeros(len(row))
        origin[pivot] = value / row[pivot]
        start = origin + free @ np.delete(self._best, pivot)
        return self._climb(start, free)[1]

    def _climb(self, point: Array, free: Array) -> tuple[Array, float]:
        """Newton's method from a point along the columns of `free`; return the maximum and its value."""
        value = self._value(point)
        for _ in range(200):
            slope, curvature = self._slopes(point)
            along = free.T @ slope
            step = np.linalg.solve(-(free.T @ curvature @ free), along)
            decrement = float(along @ step)
            step = free @ step
            if not decrement >= CONVERGED * self.failures:
                return point + step, self._value(point + step)
            while not (higher := self._value(point + step)) >= value + 0.1 * decrement:
                step, decrement = step / 2, decrement / 2
                if not decrement:  # rounding: no step climbs
                    return point, value
            point, value = point + step, higher
        return point, value

    def _value(self, point: Array) -> float:
        """Return the logarithm of the likelihood."""
        if point[-1] <= 0:
            return -np.inf
        z = self._failed @ point
        survived = special.log_ndtr(-(self._censored @ point)).sum()
        return float(self.failures * np.log(point[-1]) - 0.5 * z @ z + survived)

    def _slopes(self, point: Array) -> tuple[Array, Array]:
        """Return gradient and Hessian of the logarithm of the likelihood."""
        gradient = -self._failed.T @ (self._failed @ point)
        hessian = -self._failed.T @ self._failed
        gradient[-1] += self.failures / point[-1]
        hessian[-1, -1] -= self.failures / point[-1] ** 2
        if len(self._censored):
            z = self._censored @ point
            hazard = np.exp(-0.5 * z**2 - special.log_ndtr(-z)) / np.sqrt(2 * np.pi)
            gradient -= self._censored.T @ hazard
            hessian -= self._censored.T @ ((hazard * (hazard - z))[:, None] * self._censored)
        return gradient, hessian
