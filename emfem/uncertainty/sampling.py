"""Samples of uncertain constants, and the results of a model for each."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emfem.errors import ParameterError, choice, count, floats, require, shown
from emfem.fit import EvaluationWarning, Evaluator, Fit
from emfem.gate import checked

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray
from scipy.stats import qmc

type Array = NDArray[np.float64]
type Forward = Callable[[dict[str, float], dict[str, Array]], Any]

METHODS = ("sobol", "latin hypercube")
EDGE = 1e-12  # from 0 and 1, where quantiles may be infinite
MOST = 10**6  # samples


@dataclass(frozen=True, eq=False)
class Propagated:
    """Results of a model for a sample of its constants.

    Attributes:
        constants: those of each sample by name, shape (n,) each.
        results: of each sample, shape (n,) for a model that returns a number, (n, m) for one that returns m of them.
        broken: samples that failed and were left out.
    """

    constants: Mapping[str, Array] = field(repr=False)
    results: Array = field(repr=False)
    broken: int = 0

    @checked
    def quantile(self, q: ArrayLike) -> Any:
        """Return quantiles of the results, shape (len(q),) or (len(q), m): over time, bands.

        Args:
            q: parts in [0, 1], a number or several [-].

        Raises:
            ParameterError: for parts out of their bounds.
        """
        parts = floats("q", q, finite=True, words="numbers in [0, 1]")
        require(parts.ndim < 2 and parts.size, f"q = {shown(q)}, must be a number or a list of them")
        require(np.all((parts >= 0) & (parts <= 1)), f"q = {shown(q)}, must be in [0, 1]")
        method = "inverted_cdf" if np.isinf(self.results).any() else "linear"  # nothing lies between a life and none
        return np.quantile(self.results, parts, axis=0, method=method)  # type: ignore[call-overload]

    @property
    def mean(self) -> Any:
        """Mean of the results, a number or shape (m,)."""
        return self.results.mean(axis=0)

    @property
    def deviation(self) -> Any:
        """Standard deviation of the results, a number or shape (m,)."""
        return self.results.std(axis=0, ddof=1)

    @property
    def infinite(self) -> Any:
        """Part of the samples whose result is infinite, such as lines that never fail, a number or shape (m,)."""
        return np.isinf(self.results).mean(axis=0)


@checked(collective=MPI.COMM_WORLD)
def propagate(
    model: Callable[[dict[str, float], dict[str, Array]], Any],
    inputs: Mapping[str, Any] | Fit,
    *,
    samples: int = 256,
    seed: int = 0,
    method: str = "sobol",
    conditions: Mapping[str, ArrayLike] | None = None,
    folder: os.PathLike[str] | str | None = None,
    workers: int = 1,
    scheduler: str | None = None,
) -> Propagated:
    """Return the results of a model whose constants are uncertain.

    Args:
        model: as in `em.fit.fit`, a function of constants and conditions by name; it returns a number, or as many for
            each sample, such as a resistance at several times.
        inputs: the distribution of each constant by name, one of `scipy.stats` with its parameters or anything with
            `ppf`; or a fit, whose constants vary together as its data determine them.
        samples: their number; of Sobol's sequence best a power of 2.
        seed: of the generator.
        method: "sobol", Sobol's scrambled sequence, or "latin hypercube"; constants of a fit are drawn at random.
        conditions: that the model gets, by name.
        folder: as in `em.fit.fit`: evaluations that are there are not made again.
        workers: as in `em.fit.fit`.
        scheduler: as in `em.fit.fit`.

    Raises:
        ParameterError: for a value out of its bounds, a distribution that is none, a fit that does not determine its
            constants, or a model that breaks everywhere or returns different numbers of values.
    """
    n = _samples(samples)
    choice("method", method, METHODS)
    if isinstance(inputs, Fit):
        constants = inputs.sample(n, seed=seed)
    else:
        check_inputs(inputs)
        constants = quantiles(inputs, _cube(method, len(inputs), n, count("seed", seed, at_least=0)))
    values = evaluated(model, constants, conditions, folder=folder, workers=workers, scheduler=scheduler)
    good = np.array([each is not None for each in values])
    results = stacked([each for each in values if each is not None])
    complete = {name: x[good] for name, x in constants.items()}
    return Propagated(complete, results, int((~good).sum()))


def check_inputs(inputs: Mapping[str, Any]) -> None:
    """Check distributions.

    Raises:
        ParameterError: for none, or something without finite quantiles.
    """
    require(inputs, "inputs = {}, must be at least one distribution")
    for name, distribution in inputs.items():
        require(isinstance(name, str), f"inputs have the name {shown(name)}, must be a text")
        try:
            median = float(distribution.ppf(0.5))
        except Exception:  # of an object of the user
            median = np.nan
        message = "must be a distribution of scipy.stats with valid parameters"
        require(np.isfinite(median), f"inputs[{name!r}] = {shown(distribution)}, {message}")


def quantiles(inputs: Mapping[str, Any], cube: Array) -> dict[str, Array]:
    """Return the constants at points of the unit cube, shape (n, d)."""
    inside = np.clip(cube, EDGE, 1 - EDGE)
    return {
        name: np.asarray(each.ppf(u), dtype=float) for (name, each), u in zip(inputs.items(), inside.T, strict=True)
    }


def _cube(method: str, d: int, n: int, seed: int) -> Array:
    """Return points of the unit cube, shape (n, d)."""
    generator = np.random.default_rng(seed)
    if method == "latin hypercube":
        return np.asarray(qmc.LatinHypercube(d, rng=generator).random(n))
    return sobol_points(d, n, generator)


def sobol_points(d: int, n: int, generator: np.random.Generator) -> Array:
    """Return points of Sobol's scrambled sequence, shape (n, d).

    Raises:
        ParameterError: for more dimensions than the sequence has.
    """
    require(d <= qmc.Sobol.MAXDIM, f"{d} inputs, must be at most {qmc.Sobol.MAXDIM}")
    power = int(np.ceil(np.log2(n)))
    return np.asarray(qmc.Sobol(d, rng=generator).random_base2(power)[:n])


def evaluated(
    model: Forward,
    constants: Mapping[str, Array],
    conditions: Mapping[str, ArrayLike] | None,
    *,
    folder: os.PathLike[str] | str | None,
    workers: int,
    scheduler: str | None,
) -> list[Array | None]:
    """Return the results for each sample, None for one that broke, which a warning counts.

    Raises:
        ParameterError: if all break.
    """
    fixed = {
        name: floats(f"conditions[{name!r}]", x, finite=True, words="finite numbers")
        for name, x in (conditions or {}).items()
    }
    rows = [dict(zip(constants, map(float, row), strict=True)) for row in zip(*constants.values(), strict=True)]
    with Evaluator(model, [fixed], [None], folder=folder, workers=workers, scheduler=scheduler) as evaluate:
        values = evaluate([(0, row) for row in rows])
    broken = sum(each is None for each in values)
    if broken == len(values):
        msg = f"the model breaks for all {broken} samples: {evaluate.reason}"
        raise ParameterError(msg)
    if broken:
        msg = f"{broken} of {len(values)} samples broke and were left out: {evaluate.reason}"
        warnings.warn(msg, EvaluationWarning, stacklevel=4)
    return values


def stacked(values: Sequence[Array]) -> Array:
    """Return results as one array, the first axis that of samples.

    Raises:
        ParameterError: if they have different shapes.
    """
    shapes = {each.shape for each in values}
    if len(shapes) > 1 or max(map(len, shapes)) > 1:
        msg = f"the model returns arrays of the shapes {shown(sorted(shapes))}, must return a number, or one list"
        raise ParameterError(msg)
    return np.stack(values)


def _samples(samples: int) -> int:
    """Return a number of samples.

    Raises:
        ParameterError: if it is below 2, or too large.
    """
    n = count("samples", samples, at_least=2)
    require(n <= MOST, f"samples = {n}, must be at most {MOST}")
    return n
