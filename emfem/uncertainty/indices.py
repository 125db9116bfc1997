"""Sobol' indices: the parts of the variance of a result that each uncertain constant causes.

References:
    A. Saltelli et al., Variance based sensitivity analysis of model output, Comput. Phys. Commun. 181, 259 (2010),
    doi:10.1016/j.cpc.2009.09.018; M. J. W. Jansen, Analysis of variance designs for model output, Comput. Phys. Commun.
    117, 35 (1999), doi:10.1016/S0010-4655(98)00154-4.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emfem.errors import count, number, require
from emfem.gate import checked
from emfem.lifetime import Estimate
from emfem.uncertainty.sampling import MOST, Array, check_inputs, evaluated, quantiles, sobol_points, stacked

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class SobolIndices:
    """Sobol' indices of a result, with bootstrap intervals.

    Attributes:
        first: part of the variance that a constant causes alone, by name.
        total: part that it causes alone and together with others, by name.
        variance: of the result.
        samples: that were used, each of as many evaluations as there are constants and 2.
        broken: samples with an evaluation that failed, left out.
        confidence: of the intervals.
    """

    first: Mapping[str, Estimate]
    total: Mapping[str, Estimate]
    variance: float
    samples: int
    broken: int
    confidence: float

    def __str__(self) -> str:
        """One line for each constant."""
        width = max(map(len, self.first))
        rows = (f"{name:<{width}}  first {self.first[name]}, total {self.total[name]}" for name in self.first)
        return "\n".join(rows)


@checked(collective=MPI.COMM_WORLD)
def sobol_indices(
    model: Callable[[dict[str, float], dict[str, Array]], Any],
    inputs: Mapping[str, Any],
    *,
    samples: int = 1024,
    seed: int = 0,
    conditions: Mapping[str, ArrayLike] | None = None,
    resamples: int = 200,
    confidence: float = 0.95,
    folder: os.PathLike[str] | str | None = None,
    workers: int = 1,
    scheduler: str | None = None,
) -> SobolIndices:
    """Return first and total Sobol' indices of a model with independent uncertain constants.

    Two samples A and B of Sobol's sequence, and A with one column of B for each constant; total indices by Jansen's
    estimator, first ones by that of Saltelli et al. Intervals are those of the bootstrap over samples.

    Args:
        model: as in `em.fit.fit`; it returns a finite number.
        inputs: as in `propagate`, independent.
        samples: rows of A, a power of 2; the model is evaluated (d + 2) times as often.
        seed: of sequence and bootstrap.
        conditions: as in `propagate`.
        resamples: of the bootstrap.
        confidence: of the intervals, in (0, 1) [-].
        folder: as in `em.fit.fit`.
        workers: as in `em.fit.fit`.
        scheduler: as in `em.fit.fit`.

    Raises:
        ParameterError: for a value out of its bounds, a distribution that is none, a model that breaks everywhere,
            returns more than a number or one that is infinite, or a result that does not vary.
    """
    n = count("samples", samples, at_least=2)
    require(n & (n - 1) == 0, f"samples = {n}, must be a power of 2: Sobol's sequence is even only then")
    level = number("confidence", confidence, above=0.0, below=1.0)
    resamples = count("resamples", resamples, at_least=2)
    check_inputs(inputs)
    d = len(inputs)
    require(n * (d + 2) <= MOST, f"samples = {n} of {d} inputs, must make at most {MOST} evaluations")
    generator = np.random.default_rng(count("seed", seed, at_least=0))
    points = sobol_points(2 * d, n, generator)
    a, b = points[:, :d], points[:, d:]
    blocks = [a, b]
    for i in range(d):
        mixed = a.copy()
        mixed[:, i] = b[:, i]
        blocks.append(mixed)
    constants = quantiles(inputs, np.concatenate(blocks))
    values = evaluated(model, constants, conditions, folder=folder, workers=workers, scheduler=scheduler)
    whole = np.array([each is not None for each in values]).reshape(d + 2, n).all(axis=0)
    require(whole.sum() > 1, f"{n} samples, of which {whole.sum()} are without a broken evaluation, must be at least 2")
    results = stacked([np.full((), np.nan) if each is None else each for each in values])
    require(results.ndim == 1, f"the model returns {results.shape[1:]} numbers, must return one")
    table = results.reshape(d + 2, n)[:, whole]
    require(
        np.isfinite(table).all(), "the model returns infinite numbers, must be finite: take its logarithm or inverse"
    )
    variance = float(np.var(table[:2]))
    require(variance > 1e-24 * float(np.mean(table[:2] ** 2)), "the result does not vary: it has no indices")
    best = _indices(table)
    picks = generator.integers(table.shape[1], size=(resamples, table.shape[1]))
    with np.errstate(all="ignore"):
        spread = np.array([_indices(table[:, pick]) for pick in picks])
    low, high = np.nanquantile(spread, [(1 - level) / 2, (1 + level) / 2], axis=0)
    first, total = (
        {name: Estimate(float(best[k, i]), float(low[k, i]), float(high[k, i])) for i, name in enumerate(inputs)}
        for k in (0, 1)
    )
    return SobolIndices(first, total, variance, int(whole.sum()), int((~whole).sum()), level)


def _indices(table: Array) -> Array:
    """Return first and total indices, shape (2, d), of results of A, B and A with a column of B, shape (d + 2, n)."""
    centred = table - table[:2].mean()
    a, b, mixed = centred[0], centred[1], centred[2:]
    variance = np.mean(centred[:2] ** 2)
    first = np.mean(b * (mixed - a), axis=1) / variance
    total = np.mean((a - mixed) ** 2, axis=1) / 2 / variance
    return np.stack([first, total])
