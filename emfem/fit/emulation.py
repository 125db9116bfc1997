"""Emulators of models with chance in them: a pattern that grows from noise, of which one picture was taken.

No run repeats a picture: another start makes other stripes. Measures of the pattern, such as moments of its slopes,
vary less, and their mean follows the constants. An emulator is that mean as a polynomial, and the covariance that
chance leaves, both from runs with different constants and different starts.

References:
    S. N. Wood, Statistical inference for noisy nonlinear ecological dynamic systems, Nature 466, 1102 (2010),
    doi:10.1038/nature09319: measures that are normal, with mean and covariance from simulations.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import Any

from emfem.errors import ParameterError, count, floats, number, require
from emfem.fit.curves import Curve
from emfem.fit.evaluation import EvaluationWarning, Evaluator, check_arguments, source_of
from emfem.fit.unknowns import Array, Space, Unknown
from emfem.gate import checked

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike
from scipy import linalg, stats
from scipy.stats import qmc

type Simulation = Callable[[dict[str, float], int], Any]

SEED = "seed"  # name of the start's number among the constants of an evaluation
DEGREES = (1, 2, 3)
SPARE = 2  # samples for each coefficient, at least
MOST_SAMPLES = 100_000
DEPENDENT = 1e-6  # least part of the deviation that a combination of measures has of its own
INSIDE = 0.95  # part of the samples that the ellipsoid of this probability must hold
UNLIKELY = 1e-3  # probability of so little scatter of pictures that chance does not make it
ODD = 2.0  # factor of variances for that, of chance that is not normal


@dataclass(frozen=True, eq=False)
class Emulator:
    """Measures of a model with chance: their mean as a polynomial of the constants, and their covariance.

    A model of `em.fit.fit`, for the curve that `curve` makes of measured values: n numbers of variance 1.

    Attributes:
        unknowns: the constants.
        degree: of the polynomial, that which gives left-out samples the highest likelihood.
        samples: that were used.
        explained: part of the variance of each measure over all samples that follows from the constants, shape (n,).
        inflation: factor of all variances, so that the ellipsoid of 95 % holds as many of the samples when each is left
            out in turn; 1 if chance is normal and the same everywhere.
    """

    unknowns: tuple[Unknown, ...]
    degree: int
    samples: int
    explained: Array
    inflation: float
    _weights: Array = field(repr=False)
    _factor: Array = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """A text that differs for another emulator."""
        return f"{self._weights.tolist()}{self._factor.tolist()}"

    def __call__(self, constants: Mapping[str, float], conditions: Mapping[str, Array]) -> Array:
        """Return the mean of the measures, in coordinates in which they are independent and of variance 1."""
        point = Space.of(self.unknowns, [""]).point(constants)
        return self._whitened(monomials(point[None], self.degree) @ self._weights)[0]

    @checked
    def mean(self, **constants: float) -> Array:
        """Return the mean of the measures for constants by name, shape (n,).

        Raises:
            ParameterError: for a name that is missing, or a value out of its bounds.
        """
        point = Space.of(self.unknowns, [""]).point(constants)
        return (monomials(point[None], self.degree) @ self._weights)[0]

    @property
    def covariance(self) -> Array:
        """Covariance of the measures of one run about their mean, shape (n, n)."""
        return self._factor @ self._factor.T

    @checked
    def curve(self, measured: ArrayLike, name: str = "measures") -> Curve:
        """Return measured values as a curve to fit.

        The mean of several pictures has less chance, but the same error of the polynomial: that of its coefficients is
        counted, and a warning given where pictures scatter so little that it must miss more than that.

        Args:
            measured: the measures of one picture, shape (n,), or of p pictures of films with the same constants,
                shape (p, n), from different starts.
            name: of the curve.

        Raises:
            ParameterError: for values that are not finite, or another number of measures.
        """
        values = np.atleast_2d(floats("measured", measured, finite=True, words="finite numbers"))
        n = len(self._factor)
        shape = values.shape
        require(values.ndim == 2 and shape[1] == n, f"measured of shape {shape}, must be ({n},) or (p, {n})")
        require(len(values), "measured of 0 pictures, must be at least one")
        white = self._whitened(values)
        pictures, known = len(values), len(self._weights) / self.samples  # the variance of the coefficients over chance
        spread = float(((white - white.mean(axis=0)) ** 2).sum()) * (1 + known)
        if pictures > 1 and stats.chi2.cdf(spread, n * (pictures - 1)) < UNLIKELY:
            part = spread / (n * (pictures - 1))
            msg = (
                f"{pictures} pictures have {part:.3g} of the variance that the emulator takes for "
                "chance: its polynomial misses the rest, which more pictures do not lessen; take closer bounds"
            )
            warnings.warn(msg, EvaluationWarning, stacklevel=3)
        return Curve(name, {}, white.mean(axis=0), error=np.sqrt((1 / pictures + known) / (1 + known)))

    def _whitened(self, values: Array) -> Array:
        """Return L^-1 of each row, where L L^T is the covariance."""
        return np.asarray(linalg.solve_triangular(self._factor, values.T, lower=True)).T


@checked(collective=MPI.COMM_WORLD)
def emulate(
    simulate: Simulation,
    unknowns: Sequence[Unknown],
    *,
    samples: int = 256,
    seed: int = 0,
    degree: int | None = None,
    folder: os.PathLike[str] | str | None = None,
    workers: int = 1,
    scheduler: str | None = None,
) -> Emulator:
    """Run a model with chance for many constants, and return the emulator of its measures.

    Constants are those of Sobol's scrambled sequence between the bounds; each run has a start of its own. What the
    polynomial misses counts as chance, so that intervals of one picture are wide rather than wrong; those of many
    pictures become too narrow, as chance averages out and what is missed does not. `samples` must be many
    enough for the polynomial, and the measures few: 5 times as many samples as measures and coefficients together.

    Args:
        simulate: a function of constants by name and the seed of the start; it returns the measures, shape (n,).
        unknowns: the constants with their bounds.
        samples: number of runs.
        seed: of the sequence; runs have the seeds after it.
        degree: of the polynomial, 1 to 3; when left out, that which gives left-out samples the highest likelihood.
        folder: of evaluations.jsonl, as in `em.fit.fit`: runs that are there are not made again.
        workers: as in `em.fit.fit`.
        scheduler: as in `em.fit.fit`.

    Raises:
        ParameterError: for a value out of its bounds, too few samples, a model that breaks everywhere, or a measure
            that does not vary or is a combination of others.
    """
    space = Space.of(unknowns, [""])
    require(all(each.shared for each in unknowns), "unknowns, must all have shared=True: an emulator has one curve")
    require(SEED not in space.names, f"unknowns have the name {SEED!r}, must be another one: it is the start's number")
    n = count("samples", samples, at_least=4)
    number("samples", n, at_most=MOST_SAMPLES)
    first = count("seed", seed, at_least=0)
    if degree is not None:
        require(degree in DEGREES, f"degree = {degree}, must be 1, 2 or 3")
    points = _points(len(space), n, first)
    requests = [(0, space.values(point) | {SEED: float(first + 1 + i)}) for i, point in enumerate(points)]
    check_arguments(simulate, "simulate", "constants and a seed")
    with Evaluator(_Run(simulate), [{}], [None], folder=folder, workers=workers, scheduler=scheduler) as evaluate:
        answers = evaluate(requests)
    good = [i for i, each in enumerate(answers) if each is not None]
    require(good, f"the model breaks for all {n} samples: {evaluate.reason}")
    if len(good) < n:
        msg = f"{n - len(good)} of {n} samples broke and were left out: {evaluate.reason}"
        warnings.warn(msg, EvaluationWarning, stacklevel=3)
    measures = _table([each for each in answers if each is not None])
    return _best(tuple(unknowns), points[good], measures, DEGREES if degree is None else (degree,))


@dataclass(frozen=True)
class _Run:
    """A run as a model of evaluations: the seed is one of its constants."""

    simulate: Simulation

    @property
    def fingerprint(self) -> str:
        return getattr(self.simulate, "fingerprint", None) or source_of(self.simulate)

    def __call__(self, constants: dict[str, float], conditions: Mapping[str, Array]) -> Any:
        start = int(constants.pop(SEED))
        return self.simulate(constants, start)


def _points(d: int, n: int, seed: int) -> Array:
    """Return n points of Sobol's scrambled sequence, shape (n, d)."""
    power = int(np.ceil(np.log2(n)))
    return np.asarray(qmc.Sobol(d, rng=np.random.default_rng(seed)).random_base2(power)[:n])


def _table(rows: Sequence[Array]) -> Array:
    """Return the measures of all runs, shape (samples, n).

    Raises:
        ParameterError: if they are no lists of one length, or infinite.
    """
    shapes = sorted({np.shape(each) for each in rows})
    require(
        len(shapes) == 1 and len(shapes[0]) == 1 and shapes[0][0],
        f"the model returns arrays of the shapes {shapes}, must return one list of measures, always of one length",
    )
    table = np.array(rows, dtype=float)
    require(np.isfinite(table).all(), "the model returns infinite measures, must be finite")
    return table


def monomials(points: Array, degree: int) -> Array:
    """Return all products of coordinates up to a degree at points of the unit cube, shape (len(points), m)."""
    x = 2 * points - 1
    powers = [c for k in range(degree + 1) for c in combinations_with_replacement(range(x.shape[1]), k)]
    return np.stack([x[:, list(c)].prod(axis=1) for c in powers], axis=1)


def _best(unknowns: tuple[Unknown, ...], points: Array, measures: Array, degrees: Sequence[int]) -> Emulator:
    """Return the emulator of the degree that gives left-out samples the highest likelihood.

    Raises:
        ParameterError: for too few samples, or measures that depend on each other.
    """
    made: list[tuple[float, Emulator]] = []
    for degree in degrees:
        basis = monomials(points, degree)
        least = SPARE * (basis.shape[1] + measures.shape[1])
        if made and len(points) < least:
            break
        sizes = f"{measures.shape[1]} measures and {basis.shape[1]} coefficients each"
        require(len(points) >= least, f"{len(points)} samples, must be at least {least} for {sizes}")
        made.append(_regressed(unknowns, degree, basis, measures))
    emulator = min(made, key=lambda each: each[0])[1]
    if emulator.inflation > ODD:
        msg = (
            f"variances were multiplied by {emulator.inflation:.3g} to hold {INSIDE:.0%} of the samples: measures are "
            "not normal about their mean; take their logarithms, other measures, or closer bounds"
        )
        warnings.warn(msg, EvaluationWarning, stacklevel=4)
    return emulator


def _regressed(unknowns: tuple[Unknown, ...], degree: int, basis: Array, measures: Array) -> tuple[float, Emulator]:
    """Return -2 ln L of left-out samples, and the emulator, by least squares.

    Without sample i its error is e_i/(1 - h_i), where h_i is its leverage.
    """
    samples, m = basis.shape
    q, r = linalg.qr(basis, mode="economic")
    weights = linalg.solve_triangular(r, q.T @ measures)
    errors = measures - basis @ weights
    left_out = errors / (1 - (q**2).sum(axis=1))[:, None]
    covariance = errors.T @ errors / (samples - m) * (1 + m / samples)  # of chance, and of the coefficients
    factor = _factor(covariance, measures)
    squares = (linalg.solve_triangular(factor, left_out.T, lower=True) ** 2).sum(axis=0)
    inflation = max(1.0, float(np.quantile(squares, INSIDE) / stats.chi2.ppf(INSIDE, measures.shape[1])))
    explained = 1 - errors.var(axis=0) / measures.var(axis=0)
    emulator = Emulator(
        unknowns, degree, samples, explained, inflation, _weights=weights, _factor=np.sqrt(inflation) * factor
    )
    return 2 * float(np.log(np.diag(factor)).sum()) + float(squares.mean()), emulator


def _factor(covariance: Array, measures: Array) -> Array:
    """Return L of covariance = L L^T.

    Raises:
        ParameterError: for a measure that does not vary, or is a combination of others.
    """
    deviation = np.sqrt(np.diag(covariance))
    size = np.maximum(np.abs(measures).max(axis=0), measures.std(axis=0))
    for i, (mine, largest) in enumerate(zip(deviation, size, strict=True)):
        require(mine > 1e-12 * largest, f"measure {i} of deviation {mine:.3g}, must vary between starts")
    correlation = covariance / np.outer(deviation, deviation)
    values, vectors = np.linalg.eigh(correlation)
    if values[0] < DEPENDENT**2 * values[-1]:
        worst = int(np.argmax(np.abs(vectors[:, 0])))
        msg = f"measure {worst} is a combination of others: leave it out, it says nothing of its own"
        raise ParameterError(msg)
    return np.asarray(linalg.cholesky(covariance, lower=True))
