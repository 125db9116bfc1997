"""Black's law: its fit to accelerated tests, and the constants that those tests do not determine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from emfem.arrays import MOST, broadcast, finite
from emfem.errors import ParameterError, number, require
from emfem.gate import checked
from emfem.lifetime.regression import Array, Estimate, Regression, bounded, level, samples
from emfem.units import boltzmann, eV

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

NAMES = ("prefactor", "exponent", "activation_energy")
LOWEST = 1e-3  # K: below it 1/kT is nothing but large
NONE = 1e-9  # relative size of a variation that counts as none
REFUTED = 1e-3  # probability of the scatter below which the medians refute the law


@checked
@dataclass(frozen=True)
class Black:
    """Black's law, `t50 = A |j|^-n exp(Ea / kT)`.

    Attributes:
        prefactor: A, above 0 [s (A/m2)^n].
        exponent: n [-].
        activation_energy: Ea [J].

    Raises:
        ParameterError: for a value out of its bounds.
    """

    prefactor: float
    exponent: float
    activation_energy: float

    def __post_init__(self) -> None:
        """Check every value."""
        number("prefactor", self.prefactor, above=0.0)
        number("exponent", self.exponent)
        number("activation_energy", self.activation_energy, at_least=-10 * eV, at_most=10 * eV, unit="J")

    @checked
    @finite
    def lifetime(self, current_density: ArrayLike, temperature: ArrayLike) -> Any:
        """Return the median life [s], of the shape to which both broadcast.

        Args:
            current_density: j, of either sign [A/m2].
            temperature: T, above 0 [K].

        Raises:
            ParameterError: for currents of 0 or temperatures that are not above 0.
        """
        j, kelvin = conditions(current_density, temperature)
        j, kelvin = broadcast(current_density=j, temperature=kelvin)
        energy = self.activation_energy / (boltzmann * kelvin)
        return np.exp(np.log(self.prefactor) - self.exponent * np.log(j) + energy)[()]


@dataclass(frozen=True, eq=False)
class BlackFit:
    """Black's law with lognormal scatter, fitted to tests; constants that they do not determine are `nan`.

    Attributes:
        prefactor: A [s (A/m2)^n].
        exponent: n [-].
        activation_energy: Ea [J].
        sigma: the spread of ln t at one condition [-].
        reasons: the reason why a constant is not identifiable, by its name; empty when all are.
        misfit: the probability that scatter alone makes the medians deviate from the law as far as they do; None when
            there are too few conditions [-].
        confidence: of the intervals.
        failures: number of samples that failed.
        censored: number of those that outlived their test.
    """

    prefactor: Estimate
    exponent: Estimate
    activation_energy: Estimate
    sigma: Estimate
    reasons: Mapping[str, str]
    misfit: float | None
    confidence: float
    failures: int
    censored: int
    _design: _Design = field(repr=False)

    @property
    def identifiable(self) -> dict[str, bool]:
        """True for each constant that the tests determine, by its name."""
        return {name: name not in self.reasons for name in NAMES}

    @property
    def law(self) -> Black:
        """The most likely law.

        Raises:
            ParameterError: if a constant is not identifiable.
        """
        for name, reason in self.reasons.items():
            msg = f"{name} is not identifiable: {reason}"
            raise ParameterError(msg)
        return Black(self.prefactor.value, self.exponent.value, self.activation_energy.value)

    @checked
    def extrapolate(self, current_density: float, temperature: float, *, quantile: float = 0.5) -> Estimate:
        """Return the time by which a part of all has failed at another condition, with its interval [s].

        Args:
            current_density: j, of either sign [A/m2].
            temperature: T, above 0 [K].
            quantile: the part of all that has failed, in (0, 1) [-].

        Raises:
            ParameterError: for a value out of its bounds; if the condition lies outside of those tested along a
                constant that is not identifiable; or if the medians refute the law.
        """
        j, kelvin = conditions(current_density, temperature)
        z = float(stats.norm.ppf(number("quantile", quantile, above=0.0, below=1.0)))
        if self.misfit is not None and self.misfit < REFUTED:
            msg = f"the medians deviate from Black's law (probability {self.misfit:.2g}): it must not be extrapolated"
            raise ParameterError(msg)
        return self._design.extrapolate(float(j), float(kelvin), z, self.reasons, self.confidence)

    def __str__(self) -> str:
        """Each constant with its interval, or the reason why there is none."""
        energy = self.activation_energy.through(lambda x: x / eV)
        lines = []
        for name, symbol, estimate, unit in (
            ("exponent", "n", self.exponent, ""),
            ("activation_energy", "Ea", energy, " eV"),
            ("prefactor", "A", self.prefactor, " s (A/m2)^n"),
        ):
            value = f" = {estimate}{unit}" if name not in self.reasons or np.isfinite(estimate.value) else ""
            reason = f": not identifiable, {self.reasons[name]}" if name in self.reasons else ""
            lines.append(f"{symbol}{value}{reason}")
        cut = f" and {self.censored} that outlived their test" if self.censored else ""
        lines.append(f"sigma = {self.sigma}; confidence {self.confidence:g}; {self.failures} failures{cut}")
        if self.misfit is not None:
            verdict = "refuted" if self.misfit < REFUTED else "not refuted"
            lines.append(f"the law is {verdict}: scatter alone deviates as far with probability {self.misfit:.2g}")
        return "\n".join(lines)


@checked
def fit_black(
    current_density: ArrayLike,
    temperature: ArrayLike,
    lifetimes: ArrayLike,
    censored: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    exponent_within: float = 0.5,
    energy_within: float = 0.1 * eV,
) -> BlackFit:
    """Fit Black's law with lognormal scatter, `ln t = ln A - n ln j + Ea/kT + s z`, by maximum likelihood.

    A constant is not identifiable where the failures came at one condition only along it, where j and T were changed
    together, or where the interval is wider than is useful. Samples that outlived their test count where the failures
    determine the law at their condition. Intervals are those of the profile likelihood; see `Regression`.

    Args:
        current_density: j of each test, of either sign; a number or shape (n,) [A/m2].
        temperature: T of each test; a number or shape (n,) [K].
        lifetimes: times of failure, or the time tested of those that did not fail, shape (n,) [s].
        censored: True for those that did not fail, shape (n,); None when all failed.
        confidence: of the intervals, in (0, 1) [-].
        exponent_within: half the widest interval with which n counts as known; 0.5 separates 1 from 2 [-].
        energy_within: half the widest interval with which Ea counts as known [J].

    Raises:
        ParameterError: for a value out of its bounds, no failure, or failures on the law without scatter.
    """
    times, outlived = samples(lifetimes, censored)
    j, kelvin = conditions(current_density, temperature)
    for name, values in (("current_density", j), ("temperature", kelvin)):
        if values.shape not in ((), times.shape):
            msg = f"{name} of shape {values.shape}, must be a number or one for each of the {len(times)} lifetimes"
            raise ParameterError(msg)
    widest = {
        "exponent": number("exponent_within", exponent_within, above=0.0),
        "activation_energy": number("energy_within", energy_within, above=0.0, unit="J") / eV,
    }
    design = _Design(np.broadcast_to(j, times.shape), np.broadcast_to(kelvin, times.shape), times, outlived)
    return design.fit(level(confidence), widest)


def conditions(current_density: ArrayLike, temperature: ArrayLike) -> tuple[Array, Array]:
    """Return the size of current densities, and temperatures.

    Raises:
        ParameterError: for currents of 0, temperatures that are not above 0, or values that are not finite.
    """
    j = np.abs(bounded("current_density", current_density, "A/m2"))
    if not j.all():
        msg = "current_density = 0 A/m2, must not be 0"
        raise ParameterError(msg)
    kelvin = bounded("temperature", temperature, "K", above=0.0)
    coldest = float(np.min(kelvin, initial=np.inf))
    number("temperature", min(coldest, 1.0), at_least=LOWEST, unit="K")
    return j, kelvin


class _Design:
    """Conditions and lifetimes as a regression on `1, -ln j, 1/kT`, the last in 1/eV, about the mean condition."""

    def __init__(self, j: Array, temperature: Array, times: Array, censored: NDArray[np.bool_]) -> None:
        """Find the directions of the constants that the failures span."""
        if censored.all():
            msg = "lifetimes have no failure, must have some to fit"
            raise ParameterError(msg)
        self.j, self.temperature, self.times, self.censored, self.failed = j, temperature, times, censored, ~censored
        self.failures = int(self.failed.sum())
        self.middle = self._raw(j, temperature)[self.failed].mean(axis=0)
        self.rows = self._row(j, temperature)
        _, sizes, directions = np.linalg.svd(self.rows[self.failed], full_matrices=True)
        rank = int((sizes > NONE * np.sqrt(self.failures)).sum())
        self.spanned, self.unspanned = directions[:rank], directions[rank:]
        self.used = self.failed | self._in_span(self.rows)
        self.regression: Regression | None = None
        # each constant in terms of the coefficients, the prefactor as ln A
        n, energy = np.eye(3)[1:]
        self.weights = {"prefactor": np.array([1.0, *-self.middle]), "exponent": n, "activation_energy": energy}

    @staticmethod
    def _raw(j: Any, temperature: Any) -> Array:
        """Return `-ln j, 1/kT` of conditions."""
        return np.stack([-np.log(j), eV / (boltzmann * np.asarray(temperature))], axis=-1)

    def _row(self, j: Any, temperature: Any) -> Array:
        """Return the row of the design for a condition."""
        shifted = self._raw(j, temperature) - self.middle
        return np.concatenate([np.ones((*shifted.shape[:-1], 1)), shifted], axis=-1)

    def _in_span(self, rows: Array) -> NDArray[np.bool_]:
        """Return True for each row that the failures span."""
        return np.linalg.norm(rows @ self.unspanned.T, axis=-1) < 1e-6 * np.linalg.norm(rows, axis=-1)

    def fit(self, confidence: float, widest: dict[str, float]) -> BlackFit:
        """Return the most likely constants, and the reasons why some are not identifiable."""
        estimates = dict.fromkeys((*NAMES, "sigma"), Estimate(np.nan, np.nan, np.nan))
        reasons = self._unspanned_reasons()
        if self.failures <= len(self.spanned):
            few = f"{self.failures} failures are too few for {len(self.spanned)} constants and a spread"
            reasons = dict.fromkeys(NAMES, few) | reasons
        else:
            self.regression = self._regression(self.rows @ self.spanned.T, self.used)
            estimates["sigma"] = self.regression.spread(confidence)
            for name, weights in self.weights.items():
                if name not in reasons:
                    estimates[name] = self.regression.combination(self.spanned @ weights, 0.0, confidence)
            for name, unit in (("exponent", ""), ("activation_energy", " eV")):
                low, high = estimates[name].low, estimates[name].high
                if high - low > 2 * widest[name]:
                    interval = f"its {confidence:.0%} interval, {low:.3g} to {high:.3g}{unit}"
                    reasons[name] = f"{interval}, is wider than +-{widest[name]:.3g}{unit}"
        if reasons:
            reasons = {"prefactor": "it goes with the other constants"} | reasons
        return BlackFit(
            prefactor=estimates["prefactor"].through(np.exp),
            exponent=estimates["exponent"],
            activation_energy=estimates["activation_energy"].through(lambda x: x * eV),
            sigma=estimates["sigma"],
            reasons=MappingProxyType({name: reasons[name] for name in NAMES if name in reasons}),
            misfit=self._misfit(),
            confidence=confidence,
            failures=self.failures,
            censored=int(self.censored.sum()),
            _design=self,
        )

    def _regression(self, columns: Array, used: NDArray[np.bool_]) -> Regression:
        """Return the regression of the lifetimes of some samples."""
        return Regression(columns[used], np.log(self.times[used]), self.censored[used])

    def _unspanned_reasons(self) -> dict[str, str]:
        """Return the reason why the failures do not span a constant, by its name."""
        j, kelvin = self.j[self.failed], self.temperature[self.failed]
        tests = "all failures came" if self.censored.any() else "all tests ran"
        together = "current density and temperature were changed together: ln j and 1/T lie on a line"
        reasons = {
            "exponent": f"{tests} at {j[0]:.4g} A/m2" if np.ptp(np.log(j)) < NONE else together,
            "activation_energy": f"{tests} at {kelvin[0]:.4g} K" if np.ptp(kelvin) < NONE * kelvin[0] else together,
            "prefactor": "it goes with the other constants",
        }
        return {name: reasons[name] for name, weights in self.weights.items() if not self._in_span(weights)}

    def _misfit(self) -> float | None:
        """Return the probability of so much misfit: the law against a median at each condition, by Fisher's F.

        The statistic is the likelihood ratio, written as the F that it is, exactly, without censoring.
        """
        _, cell = np.unique(self.rows, axis=0, return_inverse=True)
        cell = cell.reshape(-1)
        with_failures = np.unique(cell[self.failed])
        more, rest = len(with_failures) - len(self.spanned), self.failures - len(with_failures)
        if self.regression is None or more < 1 or rest < 1:
            return None
        inside = np.isin(cell, with_failures)  # conditions without a failure are at their best as likely as can be
        entries = len(self.times) * len(with_failures)
        message = f"{len(with_failures)} conditions for {len(self.times)} samples, must be fewer: as a table {entries}"
        require(entries <= MOST, f"{message} numbers, at most {MOST}")
        medians = self._regression((cell[:, None] == with_failures).astype(float), inside)
        gain = max(0.0, medians.likelihood - self.regression.likelihood)
        return float(stats.f.sf(np.expm1(2 * gain / self.failures) * rest / more, more, rest))

    def extrapolate(
        self, j: float, temperature: float, z: float, reasons: Mapping[str, str], confidence: float
    ) -> Estimate:
        """Return the quantile at a condition, if the failures determine it; see `BlackFit.extrapolate`."""
        row, tested = self._row(j, temperature), self.rows[self.failed]
        for column, name in ((1, "exponent"), (2, "activation_energy")):
            room = 1e-9 * (1 + abs(row[column]))
            outside = not tested[:, column].min() - room <= row[column] <= tested[:, column].max() + room
            if name in reasons and outside:
                msg = f"{name} is not identifiable, {reasons[name]}: no life at {j:g} A/m2 and {temperature:g} K"
                raise ParameterError(msg)
        if self.regression is None or not self._in_span(row):
            reason = next(iter(reasons.values()))
            msg = f"the tests determine no life at {j:g} A/m2 and {temperature:g} K: {reason}"
            raise ParameterError(msg)
        return self.regression.combination(self.spanned @ row, z, confidence).through(np.exp)
