"""Black's law: its fit to accelerated tests, and what those tests cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from emfem.errors import ParameterError, floats, number
from emfem.lifetime.regression import Array, Estimate, Regression, level, samples
from emfem.units import boltzmann, eV

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

NAMES = ("prefactor", "exponent", "activation_energy")
ALONE = 1e-9  # the part of a direction that counts as none
REFUTED = 1e-3  # the chance below which scatter alone does not explain how the medians stray from the law


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

    def lifetime(self, current_density: ArrayLike, temperature: ArrayLike) -> Any:
        """The median life [s], of the shape that both make together.

        Args:
            current_density: j, of either sign [A/m2].
            temperature: T, above 0 [K].

        Raises:
            ParameterError: for currents of 0 or temperatures that are not above 0.
        """
        j, kelvin = conditions(current_density, temperature)
        energy = self.activation_energy / (boltzmann * kelvin)
        return np.exp(np.log(self.prefactor) - self.exponent * np.log(j) + energy)[()]


@dataclass(frozen=True, eq=False)
class BlackFit:
    """Black's law with lognormal scatter, fitted to tests; what they cannot tell is `nan`, with the reason.

    Attributes:
        prefactor: A [s (A/m2)^n].
        exponent: n [-].
        activation_energy: Ea [J].
        sigma: the spread of ln t at one condition [-].
        reasons: why a constant is not identifiable, by its name; empty when all are.
        misfit: the chance that scatter alone makes the medians stray from the law as far as they do; None when there
            are too few conditions to tell [-].
        confidence: of the intervals.
        failures: how many samples failed.
        censored: how many outlived their test.
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
    _tests: _Tests = field(repr=False)

    @property
    def identifiable(self) -> dict[str, bool]:
        """Whether the tests can tell each constant, by its name."""
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

    def extrapolate(self, current_density: float, temperature: float, *, quantile: float = 0.5) -> Estimate:
        """The time by which a part of all has failed at another condition, with its interval [s].

        Args:
            current_density: j, of either sign [A/m2].
            temperature: T, above 0 [K].
            quantile: the part of all that has failed, in (0, 1) [-].

        Raises:
            ParameterError: for a value out of its bounds; if the condition lies outside of those tested along a
                constant that is not identifiable; or if the medians refute the law.
        """
        j, kelvin = conditions(current_density, temperature)
        if j.ndim or kelvin.ndim:
            msg = f"current_density of shape {j.shape} and temperature of shape {kelvin.shape}, must be numbers"
            raise ParameterError(msg)
        z = float(stats.norm.ppf(number("quantile", quantile, above=0.0, below=1.0)))
        if self.misfit is not None and self.misfit < REFUTED:
            msg = f"the medians stray from Black's law (chance {self.misfit:.2g}): it must not be extrapolated"
            raise ParameterError(msg)
        return self._tests.extrapolate(float(j), float(kelvin), z, self.reasons, self.confidence)

    def __str__(self) -> str:
        """Each constant with its interval, or why there is none."""
        energy = self.activation_energy.through(lambda x: x / eV)
        told = {"exponent": f"n = {self.exponent}", "activation_energy": f"Ea = {energy} eV"}
        told["prefactor"] = f"A = {self.prefactor} s (A/m2)^n"
        lines = [self._told(name, text) for name, text in told.items()]
        cut = f" and {self.censored} that outlived their test" if self.censored else ""
        lines.append(f"sigma = {self.sigma}; confidence {self.confidence:g}; {self.failures} failures{cut}")
        if self.misfit is not None:
            verdict = "refuted" if self.misfit < REFUTED else "not refuted"
            lines.append(f"the law is {verdict}: scatter alone strays as far with chance {self.misfit:.2g}")
        return "\n".join(lines)

    def _told(self, name: str, text: str) -> str:
        """One constant, and why it is not identifiable if it is not."""
        if name not in self.reasons:
            return text
        shown = text if np.isfinite(getattr(self, name).value) else text.partition(" =")[0]
        return f"{shown}: not identifiable, {self.reasons[name]}"


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
    """Black's law with lognormal scatter that makes these lifetimes most likely: `ln t = ln A - n ln j + Ea/kT + s z`.

    A constant is not identifiable where the failures came at one condition only along it, where j and T were changed
    together, or where the interval is wider than is useful. Samples that outlived their test count where the failures
    can tell what they say. Intervals are those of the profile likelihood; see `Regression`.

    Args:
        current_density: j of each test, of either sign; a number or shape (n,) [A/m2].
        temperature: T of each test; a number or shape (n,) [K].
        lifetimes: times of failure, or the time tested of what did not fail, shape (n,) [s].
        censored: True for what did not fail, shape (n,); None when all failed.
        confidence: of the intervals, in (0, 1) [-].
        exponent_within: half the widest interval with which n counts as known; 0.5 tells 1 from 2 [-].
        energy_within: half the widest interval with which Ea counts as known [J].

    Raises:
        ParameterError: for a value out of its bounds, no failure, or failures on the law without scatter.
    """
    times, marks = samples(lifetimes, censored)
    j, kelvin = conditions(current_density, temperature)
    for name, given in (("current_density", j), ("temperature", kelvin)):
        if given.shape not in ((), times.shape):
            msg = f"{name} of shape {given.shape}, must be a number or one for each of the {len(times)} lifetimes"
            raise ParameterError(msg)
    widest = {
        "exponent": number("exponent_within", exponent_within, above=0.0),
        "activation_energy": number("energy_within", energy_within, above=0.0, unit="J") / eV,
    }
    tests = _Tests(np.broadcast_to(j, times.shape), np.broadcast_to(kelvin, times.shape), times, marks)
    return tests.fit(level(confidence), widest)


def conditions(current_density: ArrayLike, temperature: ArrayLike) -> tuple[Array, Array]:
    """The size of current densities, and temperatures.

    Raises:
        ParameterError: for currents of 0, temperatures that are not above 0, or what is not finite.
    """
    j, kelvin = np.abs(floats("current_density", current_density)), floats("temperature", temperature)
    for name, values, unit in (("current_density", j, "A/m2"), ("temperature", kelvin, "K")):
        wrong = values[~(np.isfinite(values) & (values > 0))]
        if wrong.size:
            bound = "not 0" if name == "current_density" else "greater than 0 K"
            msg = f"{name} = {wrong.flat[0]:g} {unit}, must be finite and {bound}"
            raise ParameterError(msg)
    return j, kelvin


class _Tests:
    """Conditions and lifetimes as a regression on `1, -ln j, 1/kT`, the last in 1/eV, about the mean condition."""

    def __init__(self, j: Array, temperature: Array, times: Array, censored: NDArray[np.bool_]) -> None:
        """Find which directions of the constants the failures span."""
        if censored.all():
            msg = "lifetimes have no failure, must have some to fit"
            raise ParameterError(msg)
        self.j, self.temperature, self.times, self.censored = j, temperature, times, censored
        raw = self._raw(j, temperature)
        self.middle = raw[~censored].mean(axis=0)
        self.design = self._row(j, temperature)
        failed = self.design[~censored]
        _, sizes, directions = np.linalg.svd(failed, full_matrices=True)
        rank = int((sizes > ALONE * np.sqrt(len(failed))).sum())
        self.seen, self.unseen = directions[:rank], directions[rank:]

    @staticmethod
    def _raw(j: Any, temperature: Any) -> Array:
        return np.stack([-np.log(j), eV / (boltzmann * np.asarray(temperature))], axis=-1)

    def _row(self, j: Any, temperature: Any) -> Array:
        """The row of the design for a condition."""
        shifted = self._raw(j, temperature) - self.middle
        return np.concatenate([np.ones((*shifted.shape[:-1], 1)), shifted], axis=-1)

    def _told(self, rows: Array) -> NDArray[np.bool_]:
        """Whether the failures span each row."""
        return np.linalg.norm(rows @ self.unseen.T, axis=-1) < 1e-6 * np.linalg.norm(rows, axis=-1)

    def fit(self, confidence: float, widest: dict[str, float]) -> BlackFit:
        """The most likely constants, and which are not identifiable."""
        self.kept = ~self.censored | self._told(self.design)
        failures, nothing = int((~self.censored).sum()), Estimate(np.nan, np.nan, np.nan)
        found = dict.fromkeys((*NAMES, "sigma"), nothing)
        reasons = self._unseen_reasons()
        self.regression = None
        if failures <= len(self.seen):
            few = f"{failures} failures are too few for {len(self.seen)} constants and a spread"
            reasons = {name: reasons.get(name, few) for name in NAMES}
        else:
            self.regression = self._regression(self.design @ self.seen.T)
            found["sigma"] = self.regression.spread(confidence)
            for name, weights in self._weights().items():
                if name not in reasons:
                    found[name] = self.regression.combination(self.seen @ weights, 0.0, confidence)
            reasons |= self._wide_reasons(found, widest, confidence)
        if {"exponent", "activation_energy"} & set(reasons) and "prefactor" not in reasons:
            reasons["prefactor"] = "it goes with the other constants"
        return BlackFit(
            prefactor=found["prefactor"].through(np.exp),
            exponent=found["exponent"],
            activation_energy=found["activation_energy"].through(lambda x: x * eV),
            sigma=found["sigma"],
            reasons=MappingProxyType({name: reasons[name] for name in NAMES if name in reasons}),
            misfit=self._misfit(),
            confidence=confidence,
            failures=failures,
            censored=int(self.censored.sum()),
            _tests=self,
        )

    def _regression(self, design: Array) -> Regression:
        return Regression(design[self.kept], np.log(self.times[self.kept]), self.censored[self.kept])

    def _weights(self) -> dict[str, Array]:
        """What each constant is in terms of the coefficients: the prefactor as ln A."""
        n, energy = np.eye(3)[1:]
        return {"prefactor": np.array([1.0, *-self.middle]), "exponent": n, "activation_energy": energy}

    def _unseen_reasons(self) -> dict[str, str]:
        """Why the failures do not span a constant, by its name."""
        j, kelvin = self.j[~self.censored], self.temperature[~self.censored]
        whose = "all failures came" if self.censored.any() else "all tests ran"
        alone = {
            "exponent": (np.ptp(np.log(j)) < ALONE, f"{whose} at {j[0]:.4g} A/m2"),
            "activation_energy": (np.ptp(kelvin) < ALONE * kelvin[0], f"{whose} at {kelvin[0]:.4g} K"),
            "prefactor": (True, "it goes with the other constants"),
        }
        together = "current density and temperature were changed together: ln j and 1/T lie on a line"
        return {
            name: alone[name][1] if alone[name][0] else together
            for name, weights in self._weights().items()
            if not self._told(weights)
        }

    def _wide_reasons(self, found: dict[str, Estimate], widest: dict[str, float], confidence: float) -> dict[str, str]:
        """Which intervals are too wide to be of use, by the name of the constant."""
        return {
            name: f"its {confidence:.0%} interval, {found[name].low:.3g} to {found[name].high:.3g}{unit}, is wider "
            f"than +-{widest[name]:.3g}{unit}"
            for name, unit in (("exponent", ""), ("activation_energy", " eV"))
            if found[name].high - found[name].low > 2 * widest[name]
        }

    def _misfit(self) -> float | None:
        """The chance of so much misfit: the law against a median of its own at each condition, by Fisher's F.

        The statistic is the likelihood ratio, written as the F that it is, exactly, without censoring.
        """
        _, cell = np.unique(self.design[self.kept], axis=0, return_inverse=True)
        cell = cell.reshape(-1)
        with_failures = np.unique(cell[~self.censored[self.kept]])
        more = len(with_failures) - len(self.seen)
        failures = int((~self.censored).sum())
        rest = failures - len(with_failures)
        if self.regression is None or more < 1 or rest < 1:
            return None
        inside = np.isin(cell, with_failures)  # conditions without a failure are at their best as likely as can be
        design = (cell[inside, None] == with_failures).astype(float)
        logs, marks = np.log(self.times[self.kept][inside]), self.censored[self.kept][inside]
        gain = Regression(design, logs, marks).likelihood - self.regression.likelihood
        ratio = np.expm1(2 * max(0.0, gain) / failures) * rest / more
        return float(stats.f.sf(ratio, more, rest))

    def extrapolate(
        self, j: float, temperature: float, z: float, reasons: Mapping[str, str], confidence: float
    ) -> Estimate:
        """The quantile at a condition, if the failures can tell it; see `BlackFit.extrapolate`."""
        row = self._row(j, temperature)
        tested = self.design[~self.censored]
        for column, name in ((1, "exponent"), (2, "activation_energy")):
            room = 1e-9 * (1 + abs(row[column]))
            outside = not tested[:, column].min() - room <= row[column] <= tested[:, column].max() + room
            if name in reasons and outside:
                msg = f"{name} is not identifiable, {reasons[name]}: no life at {j:g} A/m2 and {temperature:g} K"
                raise ParameterError(msg)
        if self.regression is None or not self._told(row):
            reason = next(iter(reasons.values()))
            msg = f"the tests tell no life at {j:g} A/m2 and {temperature:g} K: {reason}"
            raise ParameterError(msg)
        return self.regression.combination(self.seen @ row, z, confidence).through(np.exp)
