"""Lognormal lifetimes: the median, the spread, any quantile, and plotting positions on probability paper."""

from __future__ import annotations

from dataclasses import dataclass, field

from emfem.errors import ParameterError, choice, number
from emfem.gate import checked
from emfem.lifetime.regression import Array, Estimate, Regression, level, samples

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

POSITIONS = ("median rank", "kaplan-meier")


@dataclass(frozen=True, eq=False)
class Lognormal:
    """A lognormal distribution fitted to lifetimes; every estimate carries its interval.

    Attributes:
        t50: the median [s].
        sigma: the spread of ln t [-].
        confidence: of the intervals.
        failures: how many samples failed.
        censored: how many outlived their test.
    """

    t50: Estimate
    sigma: Estimate
    confidence: float
    failures: int
    censored: int
    _regression: Regression = field(repr=False)

    @checked
    def quantile(self, probability: float) -> Estimate:
        """Return the time by which this part of all has failed, with its interval [s].

        Args:
            probability: in (0, 1) [-].

        Raises:
            ParameterError: for a probability out of its bounds.
        """
        z = float(stats.norm.ppf(number("probability", probability, above=0.0, below=1.0)))
        return self._regression.combination(np.ones(1), z, self.confidence).through(np.exp)

    @checked
    def failed_by(self, time: float) -> Estimate:
        """Return the part of all that has failed by a time, with its interval [-].

        Args:
            time: above 0 [s].

        Raises:
            ParameterError: for a time out of its bounds.
        """
        log = float(np.log(number("time", time, above=0.0, unit="s")))
        return self._regression.score(np.ones(1), log, self.confidence).through(stats.norm.cdf)

    def __str__(self) -> str:
        """One line."""
        cut = f" and {self.censored} that outlived their test" if self.censored else ""
        numbers = f"t50 = {self.t50} s, sigma = {self.sigma}, confidence {self.confidence:g}"
        return f"lognormal: {numbers}; {self.failures} failures{cut}"


@checked
def fit_lognormal(lifetimes: ArrayLike, censored: ArrayLike | None = None, *, confidence: float = 0.95) -> Lognormal:
    """Fit the lognormal distribution of maximum likelihood to lifetimes.

    Intervals are those of the profile likelihood with Student's correction for few samples; see `Regression`.

    Args:
        lifetimes: times of failure, or the time tested of those that did not fail, shape (n,) [s].
        censored: True for those that did not fail, shape (n,); None when all failed.
        confidence: of the intervals, in (0, 1) [-].

    Raises:
        ParameterError: for times that are not above 0 and finite, fewer than two failures, or no scatter.
    """
    times, outlived = samples(lifetimes, censored)
    confidence = level(confidence)
    failures = int((~outlived).sum())
    if failures < 2:
        msg = f"lifetimes have {failures} failures, must have at least 2 to fit a median and a spread"
        raise ParameterError(msg)
    regression = Regression(np.ones((len(times), 1)), np.log(times), outlived)
    return Lognormal(
        t50=regression.combination(np.ones(1), 0.0, confidence).through(np.exp),
        sigma=regression.spread(confidence),
        confidence=confidence,
        failures=failures,
        censored=len(times) - failures,
        _regression=regression,
    )


@checked
def plotting_positions(
    lifetimes: ArrayLike, censored: ArrayLike | None = None, *, method: str = "median rank"
) -> tuple[Array, Array]:
    """Return plotting positions of the failures: times and the part that has failed by then, both of shape (r,).

    The median rank of the i-th of n failures is the median of the beta distribution (i, n - i + 1); with samples taken
    out of test between failures, i is Johnson's adjusted rank. Kaplan and Meier's curve is the part that has failed
    after the failure; it ends at 1, which no paper has, where the last sample failed.

    Args:
        lifetimes: as in `fit_lognormal` [s].
        censored: as in `fit_lognormal`.
        method: "median rank" or "kaplan-meier".

    Raises:
        ParameterError: for times that are not above 0 and finite.
        UnknownName: for an unknown method.
    """
    choice("method", method, POSITIONS)
    times, outlived = samples(lifetimes, censored)
    if method == "kaplan-meier":
        data = stats.CensoredData.right_censored(times, outlived)
        curve = stats.ecdf(data).cdf
        steps = np.diff(curve.probabilities, prepend=0.0) > 0
        return curve.quantiles[steps], curve.probabilities[steps]
    order = np.lexsort((outlived, times))  # at equal times the failure is counted first
    ranks = _adjusted_ranks(outlived[order])
    n = len(times)
    return times[order][~outlived[order]], stats.beta.ppf(0.5, ranks, n - ranks + 1)


def _adjusted_ranks(censored: NDArray[np.bool_]) -> Array:
    """Return Johnson's ranks of the failures: each sample that left early makes the steps of all later ones larger."""
    n, rank, ranks = len(censored), 0.0, []
    for before in np.flatnonzero(~censored):
        rank += (n + 1 - rank) / (1 + n - before)
        ranks.append(rank)
    return np.array(ranks)
