"""Time to something over several runs, of which some end before it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from emfem.errors import ParameterError, floats, number, require, shown
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class Survival:
    """Part of the runs that have not come to something yet, Kaplan and Meier's estimate.

    Attributes:
        times: at which runs came to it, increasing, shape (n,).
        waiting: part that still waits after each of them, shape (n,).
        low: lower limit of that part, shape (n,).
        high: upper limit of that part, shape (n,).
        runs: number of runs.
        reached: number of those that came to it.
    """

    times: Array
    waiting: Array
    low: Array
    high: Array
    runs: int
    reached: int

    def quantile(self, part: float) -> float:
        """Return the time by which a part of the runs has come to it; infinity if that is not known.

        Raises:
            ParameterError: for a part that is not between 0 and 1.
        """
        late = self.times[self.waiting <= 1 - number("part", part, above=0.0, below=1.0) + 1e-12]
        return float(late[0]) if len(late) else np.inf

    @property
    def median(self) -> float:
        """Time by which half of the runs have come to it; infinity if less than half have."""
        return self.quantile(0.5)


@checked
def survival(times: ArrayLike, reached: ArrayLike, *, confidence: float = 0.95) -> Survival:
    """Return the statistic of the time to something, such as perfect stripes, over runs that may end before it.

    Args:
        times: at which each run came to it or ended, at least 0, shape (n,).
        reached: True for a run that came to it, False for one that ended before, shape (n,).
        confidence: of the limits, by the variance of Greenwood and the logarithm of -log(waiting).

    Raises:
        ParameterError: for times that are negative or not finite, none of them, shapes that differ, or a run that has
            neither True nor False.

    References:
        E. L. Kaplan and P. Meier, J. Am. Stat. Assoc. 53 (1958) 457.
    """
    at = floats("times", times)
    flags = floats("reached", reached)
    require(np.isin(flags, (0.0, 1.0)).all(), f"reached = {shown(flags.tolist())}, must be True or False of every run")
    done = np.asarray(flags != 0.0)
    confidence = number("confidence", confidence, above=0.0, below=1.0)
    if at.ndim != 1 or at.shape != done.shape or not at.size:
        msg = f"times of shape {at.shape} and reached of shape {done.shape}, must be one each of every run"
        raise ParameterError(msg)
    if not (np.isfinite(at) & (at >= 0)).all():
        msg = f"times = {shown(at.tolist())}, must be finite and at least 0"
        raise ParameterError(msg)
    if not done.any():
        nothing = np.zeros(0)
        return Survival(nothing, nothing, nothing, nothing, at.size, 0)
    curve = stats.ecdf(stats.CensoredData(uncensored=at[done], right=at[~done])).sf
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no limits where all wait, or none
        limits = curve.confidence_interval(confidence, method="log-log")
    own = np.isin(curve.quantiles, at[done])
    low, high = (
        np.where(np.isfinite(each.probabilities), each.probabilities, default)[own]
        for each, default in ((limits.low, 0.0), (limits.high, 1.0))
    )
    return Survival(curve.quantiles[own], curve.probabilities[own], low, high, at.size, int(done.sum()))
