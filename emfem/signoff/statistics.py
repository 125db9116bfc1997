"""Statistics of a system of trees: lives drawn at random, weakest link against redundancy, importance of trees."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from emfem.errors import ParameterError, ResolutionWarning, count, floats, number, require, require_all, shown
from emfem.failure import Drop, FirstVoid
from emfem.gate import checked
from emfem.lifetime import Estimate, Lognormal, fit_lognormal
from emfem.mesh import Network
from emfem.mesh.graph import Floats, Numbers
from emfem.mesh.wires import node_loads
from emfem.signoff.draws import BLOCK, EXTREME, Draws, Variation
from emfem.signoff.drops import DropLimit
from emfem.signoff.metal import resolve_temperature
from emfem.signoff.rises import Blocked, rises
from emfem.signoff.running import check_until
from emfem.signoff.varied import follow as followed
from emfem.technology import Technology
from emfem.units import year

import numpy as np
import ufl
from numpy.typing import ArrayLike
from scipy import stats

if TYPE_CHECKING:
    import pandas as pd

RESAMPLES = 2000
FAR_OFF = 0.02  # of the median rise: one below it counts as this
OVERLOADED = 1.1  # factor on a tension: lives are a fifth too long


@dataclass(frozen=True, eq=False, repr=False)
class SystemSample:
    """Lives of a system drawn at random.

    Attributes:
        lifetimes: of each sample; infinite if it outlived `until`, shape (n,) [s].
        until: end of the time that was looked at [s].
        first: tree of the first void of each sample; -1 if there is none, shape (n,).
        decisive: tree whose void made the system fail; -1 if it did not, shape (n,).
        voids: number of voids at failure, or at `until`, shape (n,).
        with_void: number of samples that failed in which each tree had a void by then, shape (trees,).
        overload: factor by which voids, before the decisive one, raise the steady tension of another tree, which lives
            under a `DropLimit` leave out, shape (n,); 1 without such a limit.
    """

    lifetimes: Floats
    until: float
    first: Numbers
    decisive: Numbers
    voids: Numbers
    with_void: Numbers
    overload: Floats

    @property
    def failed(self) -> float:
        """Part of the samples that failed until `until` [-]."""
        return float(np.isfinite(self.lifetimes).mean())

    @checked
    def failed_by(self, time: float, *, confidence: float = 0.95) -> Estimate:
        """Return the part that has failed by a time, with the exact interval of Clopper and Pearson [-].

        Args:
            time: above 0, at most `until` [s].
            confidence: of the interval, in (0, 1) [-].

        Raises:
            ParameterError: for a value out of its bounds.
        """
        number("time", time, above=0.0, at_most=self.until, unit="s")
        return _part(int((self.lifetimes <= time).sum()), len(self.lifetimes), confidence)

    @checked
    def quantile(self, probability: float, *, confidence: float = 0.95) -> Estimate:
        """Return the time by which a part of all has failed, whatever their distribution [s].

        The ends of the interval are order statistics, chosen by the binomial distribution; 0 or infinite where the
        samples are too few for an end.

        Args:
            probability: in (0, 1) [-].
            confidence: of the interval, at least this, in (0, 1) [-].

        Raises:
            ParameterError: for a value out of its bounds.
        """
        number("probability", probability, above=0.0, below=1.0)
        n, tail = len(self.lifetimes), (1 - _level(confidence)) / 2
        order = np.concatenate([[0.0], np.sort(self.lifetimes), [np.inf]])
        low = int(stats.binom.ppf(tail, n, probability))  # P(fewer than this many failed by the quantile) <= tail
        high = int(stats.binom.ppf(1 - tail, n, probability)) + 1
        middle = min(max(int(np.ceil(probability * n)), 1), n)
        return Estimate(float(order[middle]), float(order[low]), float(order[high]))

    @checked
    def mttf(self, *, confidence: float = 0.95, seed: int = 0) -> Estimate:
        """Return the mean time to failure, with its interval by the bootstrap (bias-corrected, accelerated) [s].

        Args:
            confidence: of the interval, in (0, 1) [-].
            seed: of the resamples, at least 0.

        Raises:
            ParameterError: if samples outlived `until`: their mean is not known.
        """
        if self.failed < 1:
            msg = (
                f"{1 - self.failed:.3g} of the samples outlived until = {self.until:g} s, must be none for a mean: "
                "take a longer one, or mean_until(), quantile(...), fit()"
            )
            raise ParameterError(msg)
        return _mean(self.lifetimes, confidence, seed)

    @checked
    def mean_until(self, *, confidence: float = 0.95, seed: int = 0) -> Estimate:
        """Return the mean of the time in service until failure or `until`, with its interval by the bootstrap [s].

        Args:
            confidence: of the interval, in (0, 1) [-].
            seed: of the resamples, at least 0.
        """
        return _mean(np.minimum(self.lifetimes, self.until), confidence, seed)

    @checked
    def fit(self, *, confidence: float = 0.95) -> Lognormal:
        """Fit a lognormal distribution to the lives; those that outlived `until` are censored.

        The weakest of many is not lognormal: far from the median `quantile` is the better one.

        Raises:
            ParameterError: as em.lifetime.fit_lognormal.
        """
        return fit_lognormal(np.minimum(self.lifetimes, self.until), np.isinf(self.lifetimes), confidence=confidence)

    @checked
    def importance(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """Return the table of the trees that matter, most decisive first.

        Columns: tree; "first", the part of all samples in which it had the first void; "decisive", the part in which
        its void made the system fail, with the interval "decisive low" to "decisive high" of Clopper and Pearson;
        "present", the part of the failures in which it had a void by then.

        Args:
            confidence: of the intervals, in (0, 1) [-].
        """
        import pandas as pd  # slow to import

        trees, n = len(self.with_void), len(self.lifetimes)
        counts = {
            name: np.bincount(which[which >= 0], minlength=trees)
            for name, which in (("first", self.first), ("decisive", self.decisive))
        }
        parts = [_part(int(each), n, confidence) for each in counts["decisive"]]
        failures = max(int(np.isfinite(self.lifetimes).sum()), 1)
        table = pd.DataFrame(
            {
                "tree": np.arange(trees),
                "first": counts["first"] / n,
                "decisive": counts["decisive"] / n,
                "decisive low": [each.low for each in parts],
                "decisive high": [each.high for each in parts],
                "present": self.with_void / failures,
            }
        )
        table = table[(counts["first"] > 0) | (self.with_void > 0)]
        return table.sort_values(["decisive", "first", "tree"], ascending=[False, False, True], ignore_index=True)

    def __str__(self) -> str:
        """One line, with intervals of 95 %."""
        n = len(self.lifetimes)
        part = _part(int(np.isfinite(self.lifetimes).sum()), n, 0.95)
        end = f" until {self.until:.4g} s" if np.isfinite(self.until) else ""
        text = f"{n} samples, {part.value:.2%} ({part.low:.2%} to {part.high:.2%}) fail{end}"
        if self.failed > 0.5:
            text += f", half of all by {_in_years(self.quantile(0.5))}"
        if self.failed == 1.0:
            return f"{text}, mean time to failure (MTTF) {_in_years(self.mttf())}"
        outlived = int(np.isinf(self.lifetimes).sum())
        return f"{text}; mean time to failure (MTTF) not known: {outlived} outlive the end"

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self}>"


@checked
def system_life(
    lives: ArrayLike,
    *,
    fails: FirstVoid | DropLimit | int = FirstVoid(),  # noqa: B008
    until: float | None = None,
) -> SystemSample:
    """Return the lives of systems from those of their trees.

    Args:
        lives: time of the void of each tree of each sample, infinite if none opens, shape (n, trees) [s].
        fails: `em.failure.FirstVoid()`, the weakest link; a number k, when k trees have a void (1 is the weakest link,
            their number the parallel system); or `DropLimit(...)`, when the voids, one after another, have brought a
            node of the grid below its limit.
        until: end of the time that is looked at [s]; without end if left out.

    Raises:
        ParameterError: for lives that are no times, or a number of trees out of its bounds.
    """
    times = floats("lives", lives)
    require(times.ndim == 2 and times.size, f"lives of shape {times.shape}, must be of shape (samples, trees)")
    require_all((times >= 0).all(axis=1), lambda i: f"lives[{i}] = {times[i].min():g} s, must be at least 0")
    end = np.inf if until is None else number("until", until, above=0.0, unit="s")
    needed = _needed(fails, times.shape[1])
    parts = [_failure(row, end, needed) for row in times]
    return _gathered([parts], end, times.shape[1])


@checked
def monte_carlo(
    network: Network,
    technology: Technology,
    *,
    samples: int,
    seed: int,
    until: float,
    variation: Variation,
    fails: Any = FirstVoid(),  # noqa: B008
    growth: ArrayLike = 0.0,
    follow: bool = False,
    update: float = 0.05,
    temperature: Any = None,
    loads: Mapping[int, float] | ArrayLike | None = None,
    rtol: float = 1e-3,
    mapper: Callable[..., Iterable[Any]] = map,
) -> SystemSample:
    """Return the lives of grids whose trees differ at random.

    The rise of tension of every tree is computed once. Korhonen's equation is linear in the current and its times go
    as 1/D: the void of a tree whose diffusivity is d, and whose charge z times that of the technology, opens when the
    tension of the technology has risen by (sigma_c - sigma_T)/z, d times sooner. The draws depend on the seed alone:
    not on the number of processes, nor on which variations are 0.

    Currents stay those without voids while voids open: with redundancy the others carry more from then on, so lives
    under `Drop` are too long, in a grid with much redundancy by a factor. With `follow` every sample is a simulation of
    its own, as by `em.signoff.run`: voids grow, and the currents of the whole grid follow.

    Args:
        network: of the wires.
        technology: of the chip: medians.
        samples: number of grids, at least 1.
        seed: of the generators, at least 0.
        until: end of the time that is looked at [s].
        variation: `Variation(...)`.
        fails: as in `system_life`; `em.failure.Drop(limit)` stands for the `DropLimit` whose voids are where the trees
            of the technology have theirs.
        growth: time from the opening of a void until it cuts its wires, of the technology, a number or one a tree [s];
            with D and Z* it goes as 1/(D |Z*|).
        follow: True to simulate each grid; `fails` is then any criterion of `em.failure`.
        update: as in `em.signoff.run`, with `follow`.
        temperature: of the wires, as in `em.signoff.run`, with `follow`; that of the technology if left out.
        loads: current drawn from nodes [A]; those of the network if left out.
        rtol: error allowed in the stress, as a part of the lowest critical one [-].
        mapper: a function like Python's `map`, such as `ThreadPoolExecutor().map`, by which blocks of 64 samples are
            computed side by side; with the client of a Dask cluster
            `lambda f, blocks: client.gather(client.map(f, blocks))`.

    Raises:
        ParameterError: for an argument out of its bounds, or a residual stress that is not below the critical one.

    Warns:
        ResolutionWarning: where voids raise the tension of other trees by more than a tenth before the grid fails.
    """
    require(not isinstance(mapper, ufl.core.expr.Expr), "mapper is a UFL expression, must be like Python's map")
    samples, until = count("samples", samples, at_least=1), check_until(until)
    rtol = number("rtol", rtol, at_least=1e-8, at_most=0.1)
    seeds = np.random.SeedSequence(count("seed", seed, at_least=0)).spawn(-(-samples // BLOCK))
    if loads is not None:
        network = replace(network, loads=node_loads(loads, len(network.nodes)))
    median = technology.critical_stress - technology.residual_stress
    require(median > 0, f"residual_stress = {technology.residual_stress:g} Pa, must be below the critical stress")
    require(follow or temperature is None, "temperature without follow, must be left out: give follow=True")
    heat = None if temperature is None else resolve_temperature(network, temperature)
    draws = Draws(network, technology, variation, heat)
    blocks = [(one, min(BLOCK, samples - i * BLOCK)) for i, one in enumerate(seeds)]
    if follow:
        number("update", update, at_least=1e-4, at_most=1.0)
        require(np.all(np.equal(growth, 0.0)), "growth with follow, must be left out: voids grow as they do")
        message = f"fails = {shown(fails)}, must be a criterion of em.failure where currents are followed"
        require(not isinstance(fails, int | DropLimit), message)

        def simulated(one: tuple[np.random.SeedSequence, int]) -> list[tuple[float, Numbers, bool, float]]:
            factors = zip(*draws.factors(*one), strict=True)
            return [followed(network, technology, each, fails, until, update, rtol, heat) for each in factors]

        return _gathered(mapper(simulated, blocks), until, draws.trees)
    trees = Blocked.of(network, technology)
    lowest = technology.critical_stress * np.exp(-EXTREME * variation.critical_stress) - technology.residual_stress
    lowest = max(float(lowest * np.exp(-EXTREME * variation.effective_charge)), FAR_OFF * median)
    known = rises(trees, least=lowest, span=until * draws.fastest(), rtol=rtol)
    if isinstance(fails, Drop):
        fails = DropLimit(network, technology, fails.limit, nodes=known.nodes(median))
    needed = _needed(fails, trees.trees.count)
    grown = floats("growth", growth)
    require_all(np.ravel(grown >= 0), lambda i: f"growth = {grown.flat[i]:g} s, must be at least 0")
    require(grown.shape in ((), (trees.trees.count,)), f"growth of shape {grown.shape}, must be one a tree")

    def block(one: tuple[np.random.SeedSequence, int]) -> list[tuple[float, Numbers, bool, float]]:
        lives = draws.lives(*one, known, grown)
        return [_failure(row, until, needed) for row in lives]

    sample = _gathered(mapper(block, blocks), until, trees.trees.count)
    typical = float(np.median(sample.overload))
    if typical > OVERLOADED:
        warnings.warn(
            f"voids raise the tension of other trees by a factor of {typical:.3g} (median) before the grid fails, "
            f"should be at most {OVERLOADED:g}: lives are too long, by its square or more: give follow=True",
            ResolutionWarning,
            stacklevel=3,
        )
    return sample


def _needed(fails: Any, trees: int) -> int | DropLimit:
    """Return the number of voids that are failure, or the limit of the drop."""
    if isinstance(fails, DropLimit):
        require(fails.trees == trees, f"lives of {trees} trees, must be those of the grid's {fails.trees}")
        return fails
    return 1 if isinstance(fails, FirstVoid) else count("fails", fails, at_least=1, at_most=trees)


def _failure(lives: Floats, until: float, needed: int | DropLimit) -> tuple[float, Numbers, bool, float]:
    """Return the life of one system, its trees with a void then, in order, True if it failed, and the overload."""
    order = np.argsort(lives, kind="stable")
    order = order[: np.searchsorted(lives[order], until, side="right")]
    order = order[np.isfinite(lives[order])]
    if isinstance(needed, int):
        failed, at, overload = len(order) >= needed, needed, 1.0
    else:
        drops, overload = needed.walk(order)
        failed, at = bool(drops) and drops[-1] > needed.limit, len(drops)
    return (float(lives[order[at - 1]]), order[:at], True, overload) if failed else (np.inf, order, False, overload)


def _gathered(blocks: Iterable[list[tuple[float, Numbers, bool, float]]], until: float, trees: int) -> SystemSample:
    """Return the sample of the systems of all blocks."""
    rows = [row for block in blocks for row in block]
    with_void = np.zeros(trees, dtype=np.int64)
    for _, order, failed, _ in rows:
        if failed:
            with_void[order] += 1
    return SystemSample(
        np.array([life for life, _, _, _ in rows]),
        until,
        np.array([order[0] if len(order) else -1 for _, order, _, _ in rows]),
        np.array([order[-1] if failed else -1 for _, order, failed, _ in rows]),
        np.array([len(order) for _, order, _, _ in rows]),
        with_void,
        np.array([overload for _, _, _, overload in rows]),
    )


def _in_years(time: Estimate) -> str:
    """Return a time with its interval in s and in years."""
    return f"{time} s = {time.through(lambda seconds: seconds / year)} years"


def _level(confidence: float) -> float:
    return number("confidence", confidence, above=0.0, below=1.0)


def _part(successes: int, n: int, confidence: float) -> Estimate:
    """Return a part of n with the interval of Clopper and Pearson."""
    interval = stats.binomtest(successes, n).proportion_ci(_level(confidence), method="exact")
    return Estimate(successes / n, float(interval.low), float(interval.high))


def _mean(values: Floats, confidence: float, seed: int) -> Estimate:
    """Return a mean with its interval by the bootstrap."""
    level, mean = _level(confidence), float(values.mean())
    generator = np.random.default_rng(count("seed", seed, at_least=0))
    if len(values) < 2 or not np.ptp(values):
        return Estimate(mean, mean, mean)
    interval = stats.bootstrap(
        (values,), np.mean, confidence_level=level, n_resamples=RESAMPLES, random_state=generator, batch=100
    ).confidence_interval
    return Estimate(mean, float(interval.low), float(interval.high))
