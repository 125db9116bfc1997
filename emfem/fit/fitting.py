"""The fit: many starts, the scatter of the data, intervals."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from emfem.errors import ParameterError, choice, count, number, require
from emfem.fit.cases import CaseModel
from emfem.fit.curves import Curve
from emfem.fit.directions import at_bounds, blindness
from emfem.fit.evaluation import EvaluationWarning, Evaluator
from emfem.fit.laws import LawModel, check_stated_units
from emfem.fit.problem import HUGE, LOSSES, Minimum, Problem
from emfem.fit.profiles import BetterMinimum, End, Profile, standard_errors
from emfem.fit.result import Fit
from emfem.fit.unknowns import Array, Space, Unknown
from emfem.gate import checked
from emfem.lifetime import Estimate

import numpy as np
from mpi4py import MPI
from scipy import stats
from scipy.stats import qmc

MOST_STARTS = 10_000
TRIED = 8  # points of the hypercube for each start
SAME = 1e-2  # difference of sums of squares of one minimum
SCATTER = 1e-4  # relative change of the scatter that counts as none
ROUNDS = 30  # of the scatter, and of better minima
APART = 3.0  # widths of an interval between different minima
ROUGH = 0.2  # relative change of derivatives with twice the step that is noise
INTERVALS = ("profile", "normal")


class FitWarning(UserWarning):
    """A fit whose numbers are unreliable: it did not converge, or its model is too noisy for the step."""


@checked(collective=MPI.COMM_WORLD)
def fit(
    model: Callable[[dict[str, float], dict[str, Array]], Any],
    curves: Sequence[Curve],
    unknowns: Sequence[Unknown],
    *,
    loss: str = "linear",
    starts: int = 3,
    seed: int = 0,
    confidence: float = 0.95,
    intervals: str = "profile",
    step: float = 1e-4,
    folder: os.PathLike[str] | str | None = None,
    workers: int = 1,
    scheduler: str | None = None,
) -> Fit:
    """Fit constants to measured curves by maximum likelihood, least squares in SciPy's trust region.

    Errors are normal, of ln(value) with scale = "log". Points of which only a bound is known have Tobin's likelihood.
    Intervals are those of the profile likelihood: all values of a constant for which the sum of squares, least in all
    others, has not risen by more than the square of the normal quantile, or of Student's if the scatter of the data
    stands for their errors. A model that breaks (an error of emfem, an arithmetic error, a NaN) excludes the constants.

    Args:
        model: returns the values of a curve, shape (n,), for constants by name and conditions by name, shape (n,) each;
            `CaseModel(...)` for a case. Infinity is a value: a line that never fails.
        curves: the data.
        unknowns: the constants.
        loss: "linear", or "soft_l1", "huber", "cauchy", "arctan" if some points may be wrong; see
            `scipy.optimize.least_squares`. Intervals are then approximate.
        starts: number of minimisations, from `Unknown.start` and the best points of a Latin hypercube.
        seed: of the hypercube.
        confidence: of the intervals, in (0, 1) [-].
        intervals: "profile", or "normal" for those of the covariance, without further evaluations.
        step: of central differences, as a part of the distance of the bounds; larger for a model with numerical noise.
        folder: of evaluations.jsonl, to which evaluations are added, and from which they are taken the next time.
        workers: processes on this machine; functions must not depend on the order of calls.
        scheduler: address of a Dask scheduler instead, as in `em.studies.Study.run`.

    Raises:
        ParameterError: for a value out of its bounds, no measured point, a model that breaks everywhere or
            returns another number of values, a folder of another model, or data of another unit than a `LawModel`.
        UnknownName: for an unknown or a condition that a `LawModel` or `CaseModel` does not have.
    """
    require(curves, "curves = [], must be at least one")
    names = [curve.name for curve in curves]
    twice = next((name for name in names if names.count(name) > 1), None)
    require(twice is None, f"curves have the name {twice!r} twice, must have each once")
    space = Space.of(unknowns, names)
    settings = _Settings(
        starts=count("starts", starts, at_least=1, at_most=MOST_STARTS),
        seed=count("seed", seed, at_least=0),
        confidence=number("confidence", confidence, above=0.0, below=1.0),
        profile=choice("intervals", intervals, INTERVALS) == "profile",
    )
    choice("loss", loss, LOSSES)
    number("step", step, at_least=1e-8, at_most=0.1)
    _check_points(curves, space)
    if isinstance(model, LawModel | CaseModel):
        for curve in curves:
            model.check([each.name for each in unknowns], curve)
    elif (units := getattr(model, "units", None)) is not None:
        check_stated_units(units, curves, f"the model {getattr(model, '__name__', 'of the fit')!r}")
    conditions, sizes = [curve.columns for curve in curves], [len(curve) for curve in curves]
    with Evaluator(model, conditions, sizes, folder=folder, workers=workers, scheduler=scheduler) as evaluate:
        result = _Search(Problem(space, curves, evaluate, loss, step), settings).run()
    if result.broken:
        msg = f"{evaluate.broken} of {evaluate.count} evaluations broke and were left out: {evaluate.reason}"
        warnings.warn(msg, EvaluationWarning, stacklevel=3)
    if result.unreliable:
        warnings.warn("; ".join(result.unreliable), FitWarning, stacklevel=3)
    return result


@dataclass(frozen=True)
class _Settings:
    starts: int
    seed: int
    confidence: float
    profile: bool


def _check_points(curves: Sequence[Curve], space: Space) -> None:
    """Refuse fewer measured points and priors than unknowns, and curves whose common scatter has no meaning.

    Raises:
        ParameterError: for these.
    """
    measured = sum(int(np.count_nonzero(curve.marks == 0)) for curve in curves)
    priors = sum(each.prior is not None for each in space.unknowns)
    scattered = [curve for curve in curves if curve.error is None]
    least = len(space) + 1 if scattered else 1
    if measured + priors < least:
        why = f"{len(space)} unknowns and a scatter" if scattered else "a fit"
        msg = f"{measured} measured points and {priors} priors, must be at least {least} for {why}"
        raise ParameterError(msg)
    scales = {curve.scale for curve in scattered}
    if len(scales) > 1 or (scattered and all(np.any(curve.marks) and np.all(curve.marks) for curve in scattered)):
        msg = "curves without error, must have one scale and measured points: their scatter is one number"
        raise ParameterError(msg)


class _Search:
    """The steps of a fit."""

    def __init__(self, problem: Problem, settings: _Settings) -> None:
        self.problem, self.settings = problem, settings
        self.scattered = any(curve.error is None for curve in problem.curves)
        self.measured = sum(int(np.count_nonzero(curve.marks == 0)) for curve in problem.curves)
        priors = sum(each.prior is not None for each in problem.space.unknowns)
        self.freedom = self.measured + priors - len(problem.space)
        self.doubts: list[str] = []

    def run(self) -> Fit:
        """Return the fit."""
        points = self._candidates()
        if self.scattered:
            self.problem.scatter = self._first_scatter(points)
        minima = [self.problem.minimise(point) for point in self._best_of(points)]
        reached = [each for each in minima if each is not None]
        if not reached:
            raise self._broken(points[0])
        best = min(reached, key=lambda each: each.square)
        if self.scattered:
            best = self._with_scatter(best)
        threshold = self._threshold()
        for _ in range(ROUNDS):
            try:
                ends = self._ends(best, threshold, profile=self.settings.profile)
                break
            except BetterMinimum as better:
                best = better.minimum
                reached = [best]
                if self.scattered:
                    best = self._with_scatter(best)
        else:
            self.doubts.append(f"{ROUNDS} better minima were met one after the other, and there may be more")
            ends = self._ends(best, threshold, profile=False)
        lowest = min(reached, key=lambda each: each.square)  # with the scatter that all of them have
        agreeing = [each for each in reached if each.square < lowest.square + SAME * max(1.0, lowest.square * 1e-3)]
        if not blindness(self.problem, best, threshold).names:  # minima along a flat direction are one
            self._compare(lowest, ends, agreeing)
        return self._fit(best, ends, threshold, len(agreeing), len(minima))

    def _compare(self, lowest: Minimum, ends: Sequence[tuple[End, End]], others: Sequence[Minimum]) -> None:
        """Doubt a minimum that is as low as another one, far outside its intervals."""
        widths = np.array([high.u - low.u for low, high in ends])
        for other in others:
            away = np.abs(other.point - lowest.point) / np.maximum(widths, 1e-9)
            worst = int(np.argmax(away))
            if away[worst] > APART:
                name, unknown = self.problem.space.names[worst], self.problem.space.unknowns[worst]
                self.doubts.append(f"another minimum is as low, at {name} = {unknown.value(other.point[worst]):g}")
                return

    def _candidates(self) -> list[Array]:
        """Return the start, and a Latin hypercube."""
        first = self.problem.space.start
        if self.settings.starts == 1:
            return [first]
        cube = qmc.LatinHypercube(len(first), rng=np.random.default_rng(self.settings.seed))
        return [first, *cube.random(TRIED * self.settings.starts)]

    def _best_of(self, points: Sequence[Array]) -> list[Array]:
        """Return the points to start from: the first, and those with the least sums of squares.

        Raises:
            ParameterError: if the model breaks at all of them.
        """
        squares = [self.problem.square(each) for each in self.problem.residuals(points)]
        order = sorted(range(1, len(points)), key=squares.__getitem__)
        chosen = [i for i in [0, *order] if np.isfinite(squares[i])]
        if not chosen:
            raise self._broken(points[0])
        return [points[i] for i in chosen[: self.settings.starts]]

    def _broken(self, point: Array) -> ParameterError:
        reason = self.problem.evaluate.reason or self._impossible(point)
        tried = f"{self.problem.evaluate.count} evaluations"
        return ParameterError(f"the model breaks wherever it was tried, {tried}: {reason}")

    def _impossible(self, point: Array) -> str:
        """Return the words for the first value of the model that has no deviation from the data."""
        constants = ", ".join(f"{name} = {value:g}" for name, value in self.problem.space.values(point).items())
        (model,) = self.problem.models([point])
        for curve, y in zip(self.problem.curves, model or [], strict=False):
            for i in np.flatnonzero(~(np.abs(curve.residuals(y, self.problem.scatter)) < HUGE)):
                must = (
                    "above 0 with scale = 'log'" if curve.scale == "log" and y[i] <= 0 else "finite and less far away"
                )
                return f"point {i + 1} of curve {curve.name!r} has the value {y[i]:g} at {constants}, must be {must}"
        return f"there is no minimum from {constants}"

    def _first_scatter(self, points: Sequence[Array]) -> float:
        """Return the scatter about the best of some points, to begin with."""
        moments = [self._moment(model) for model in self.problem.models(points) if model is not None]
        finite = [each for each in moments if np.isfinite(each) and each > 0]
        return float(np.sqrt(min(finite) / self.measured)) if finite else 1.0

    def _moment(self, model: Sequence[Array]) -> float:
        """Return the expected sum of squared deviations of the points without an error."""
        pairs = zip(self.problem.curves, model, strict=True)
        return float(sum(curve.second_moment(y, self.problem.scatter) for curve, y in pairs))

    def _with_scatter(self, best: Minimum) -> Minimum:
        """Return the minimum with the scatter of the data about it, one after the other until neither changes.

        With a robust loss the scatter is that of the median deviation, which outliers do not change.

        Raises:
            ParameterError: if the data have none.
        """
        p = len(self.problem.space)
        points = sum(len(curve) for curve in self.problem.curves if curve.error is None)
        for _ in range(ROUNDS):
            (model,) = self.problem.models([best.point])
            if model is None:
                raise self._broken(best.point)
            if self.problem.loss == "linear":
                scatter = float(np.sqrt(self._moment(model) / max(points - p, 1)))
            else:
                pairs = [(c, y) for c, y in zip(self.problem.curves, model, strict=True) if c.error is None]
                deviations = np.concatenate([np.abs(c.deviation(y)[c.marks == 0]) for c, y in pairs])
                scatter = float(np.median(deviations) / stats.norm.ppf(0.75) * np.sqrt(points / max(points - p, 1)))
            require(
                scatter > 0 and np.isfinite(scatter), "the data lie on the model without any scatter, must have errors"
            )
            change = abs(scatter / self.problem.scatter - 1)
            self.problem.scatter = scatter
            again = self.problem.minimise(best.point)
            best = best if again is None else again
            if change < SCATTER:
                return best
        self.doubts.append(f"the scatter still changes by {change:.2g} of itself after {ROUNDS} rounds")
        return best

    def _threshold(self) -> float:
        """Return the rise of the sum of squares at the ends of intervals."""
        part = (1 + self.settings.confidence) / 2
        quantile = stats.t.ppf(part, max(self.freedom, 1)) if self.scattered else stats.norm.ppf(part)
        return float(quantile**2)

    def _ends(self, best: Minimum, threshold: float, *, profile: bool) -> list[tuple[End, End]]:
        """Return both ends of the interval of each unknown, in coordinates."""
        if not profile:
            reach = np.sqrt(threshold) * standard_errors(best.jacobian)
            pairs = [(u - r, u + r) for u, r in zip(best.point, reach, strict=True)]
            return [(End(max(a, 0.0), a <= 0), End(min(b, 1.0), b >= 1)) for a, b in pairs]
        ends = []
        for i in range(len(best.point)):
            along = Profile(self.problem, best, i)
            ends.append((along.end(-1, threshold), along.end(1, threshold)))
        return ends

    def _fit(self, best: Minimum, ends: Sequence[tuple[End, End]], threshold: float, agreeing: int, starts: int) -> Fit:
        """Return the result."""
        problem, space = self.problem, self.problem.space
        blind = blindness(problem, best, threshold)
        widths = standard_errors(best.jacobian) * space.spans
        errors = [np.inf if name in blind.names else float(e) for name, e in zip(space.names, widths, strict=True)]
        rows = zip(space.unknowns, best.point, ends, strict=True)
        estimates = [Estimate(*(float(each.value(u)) for u in (v, a.u, b.u))) for each, v, (a, b) in rows]
        sentences = [*blind.sentences, *self._open(ends, blind.names)]
        clear = [i for i, name in enumerate(space.names) if name not in blind.names]
        sentences += at_bounds([space.names[i] for i in clear], [space.unknowns[i] for i in clear], best.point[clear])
        censored = any(np.any(curve.marks) for curve in problem.curves)
        known = not self.scattered and problem.loss == "linear" and not censored and self.freedom > 0
        return Fit(
            estimates=MappingProxyType(dict(zip(space.names, estimates, strict=True))),
            standard_errors=MappingProxyType(dict(zip(space.names, errors, strict=True))),
            confidence=self.settings.confidence,
            undetermined=tuple(sentences),
            unreliable=self._unreliable(best),
            square=best.square,
            freedom=self.freedom,
            scatter=problem.scatter if self.scattered else None,
            misfit=float(stats.chi2.sf(best.square, self.freedom)) if known else None,
            agreeing=agreeing,
            starts=starts,
            evaluations=problem.evaluate.count,
            broken=problem.evaluate.broken,
            _problem=problem,
            _best=best,
            _threshold=threshold,
        )

    def _unreliable(self, best: Minimum) -> tuple[str, ...]:
        """Return a sentence for each numerical reason to distrust the fit."""
        made = list(dict.fromkeys(self.doubts))
        if not best.converged:
            made.append(f"the search had not converged after {best.steps} evaluations: the minimum may be lower")
        change, worst = self.problem.roughness(best.point)
        if change > ROUGH:
            made.append(
                f"derivatives by {self.problem.space.names[worst]} change by {change:.2g} of themselves with twice the "
                f"step: the model has noise, and step = {self.problem.step:g} must be larger"
            )
        return tuple(made)

    def _open(self, ends: Sequence[tuple[End, End]], blind: frozenset[str]) -> list[str]:
        """Return a sentence for each unknown whose interval ends at a bound."""
        made = []
        for name, (low, high) in zip(self.problem.space.names, ends, strict=True):
            sides = [word for word, end in (("lower", low), ("upper", high)) if end.at_bound]
            if sides and name not in blind:
                word = "bounds" if len(sides) > 1 else "bound"
                made.append(f"the interval of {name} is cut at its {' and '.join(sides)} {word}")
            broken = [f"{word} end" for word, end in (("lower", low), ("upper", high)) if end.broken]
            if broken:
                made.append(f"the interval of {name} is cut where the model breaks, at its {' and '.join(broken)}")
        return made
