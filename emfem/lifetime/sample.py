"""Monte Carlo: lifetimes of many lines that differ in activation energy, critical stress and grains."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emfem.errors import ParameterError, count, number, shown
from emfem.files import LineFile, writable
from emfem.gate import checked
from emfem.lifetime.black import BlackFit, fit_black
from emfem.lifetime.line import Line
from emfem.lifetime.lognormal import Lognormal, fit_lognormal
from emfem.lifetime.regression import Array, bounded
from emfem.materials import Law, Material
from emfem.materials.laws import exponential
from emfem.units import boltzmann, eV

import numpy as np
from numpy.typing import NDArray

MOST_SAMPLES = 10**6  # of one study, each with a metal of its own
type Lifetime = Line | Callable[[Material, float], Any]


@checked
@dataclass(frozen=True)
class Grains:
    """The grains of lines: lognormal sizes; those as wide as the line or wider make it a bamboo.

    Attributes:
        size: the median of d [m].
        spread: of ln d, from line to line [-].
        width: of the lines [m].
        height: of the lines [m].
        paths: as in `Material.in_line`.

    Raises:
        ParameterError: for a value out of its bounds.
    """

    size: float
    spread: float
    width: float
    height: float
    paths: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        for name in ("size", "width", "height"):
            number(name, getattr(self, name), above=0.0, unit="m")
        number("spread", self.spread, at_least=0.0, at_most=5.0)


@checked
@dataclass(frozen=True)
class Spread:
    """Variation from line to line.

    Attributes:
        activation_energy: standard deviation of Ea, normal, from line to line [J].
        critical_stress: standard deviation of ln sigma_c, lognormal about its median [-].
        grains: the grains; None when the metal's diffusivity is that of all lines.

    Raises:
        ParameterError: for a value out of its bounds.
    """

    activation_energy: float = 0.0
    critical_stress: float = 0.0
    grains: Grains | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        number("activation_energy of the spread", self.activation_energy, at_least=0.0, at_most=eV, unit="J")
        number("critical_stress of the spread", self.critical_stress, at_least=0.0, at_most=5.0)


@dataclass(frozen=True, eq=False)
class Sample:
    """Lifetimes of lines, with the values drawn for each; all arrays of shape (n,).

    Attributes:
        lifetimes: infinity for lines that never fail [s].
        why: "failed", "immortal" or "saturated", of each.
        energy_shift: its activation energy less that of the metal [J].
        critical_stress: sigma_c [Pa].
        grain_size: d; `nan` without grains [m].
        bamboo: True if its grains are as wide as the line; False without grains.
    """

    lifetimes: Array
    why: NDArray[np.str_]
    energy_shift: Array
    critical_stress: Array
    grain_size: Array
    bamboo: NDArray[np.bool_]

    @property
    def immortal(self) -> float:
        """The part that never fails [-]."""
        return float(np.isinf(self.lifetimes).mean())

    @checked
    def cut(self, until: float) -> tuple[Array, NDArray[np.bool_]]:
        """Return the lives in a test of this duration: times, and True for each that outlived it, shape (n,).

        Args:
            until: above 0 [s].

        Raises:
            ParameterError: for a time that is not.
        """
        until = number("until", until, above=0.0, unit="s")
        return np.minimum(self.lifetimes, until), self.lifetimes > until

    @checked
    def fit(self, *, until: float | None = None, confidence: float = 0.95) -> Lognormal:
        """Fit a lognormal distribution to the lives, or to those in a test of the duration `until` [s].

        Raises:
            ParameterError: for lines that never fail without `until`; and as `fit_lognormal`.
        """
        if until is not None:
            return fit_lognormal(*self.cut(until), confidence=confidence)
        if self.immortal:
            msg = (
                f"{self.immortal:.1%} of the lines never fail: give the duration of a test, until=..., to fit the rest"
            )
            raise ParameterError(msg)
        return fit_lognormal(self.lifetimes, confidence=confidence)

    def __str__(self) -> str:
        """Return the number of lines that ended in each way."""
        reasons, counts = np.unique(self.why, return_counts=True)
        numbers = ", ".join(f"{n} {reason}" for reason, n in zip(reasons, counts, strict=True))
        return f"{len(self.lifetimes)} lines: {numbers}"


@dataclass(frozen=True)
class Shifted(Law):
    """`D exp(-u / kT)`: a diffusivity with all its activation energies shifted by u.

    Attributes:
        base: the law of D.
        energy: u [J].
    """

    base: Law
    energy: float

    def evaluate(self, temperature: Any, law: Callable[[str], Callable[[Any], Any]]) -> Any:
        """Return the value at a temperature."""
        return self.base.evaluate(temperature, law) * exponential(-self.energy / boltzmann / temperature)

    @property
    def description(self) -> str:
        """The law and the shift."""
        return f"{self.base.description}, Ea {self.energy / eV:+.4g} eV"


@checked
def monte_carlo(
    material: Material,
    lifetime: Lifetime,
    *,
    samples: int,
    seed: int,
    critical_stress: float,
    spread: Spread | None = None,
    checkpoint: os.PathLike[str] | str | None = None,
) -> Sample:
    """Return the lives of lines drawn at random.

    Each line has a metal of its own, its diffusivity that of its grains, with its activation energy shifted, and a
    critical stress of its own. The draws depend on the seed alone: not on the number of ranks, nor on which spreads
    are 0. One grain size stands for a whole line.

    Args:
        material: the metal, at its temperature.
        lifetime: `Line(...)`, which takes all samples at once; or a function of a metal and a critical stress that
            returns a time [s], or something with `time_to_failure` and `why`, such as what `em.failure.run` returns.
        samples: number of lines, at least 1.
        seed: of the generator, at least 0.
        critical_stress: the median of sigma_c, above 0 [Pa].
        spread: the variation, `Spread(...)`; none when left out.
        checkpoint: a .jsonl file to which each life that a function returns is added at once; a study that is started
            again takes the lives that are there, and computes the others.

    Raises:
        ParameterError: for a value out of its bounds, a lifetime that is no time, or a file of another study.
    """
    median = number("critical_stress", critical_stress, above=0.0, unit="Pa")
    spread = Spread() if spread is None else spread
    n = count("samples", samples, at_least=1)
    number("samples", n, at_most=MOST_SAMPLES)
    draws = np.random.default_rng(count("seed", seed, at_least=0)).standard_normal((3, n))
    shift, sigma_c = draws[0] * spread.activation_energy, median * np.exp(draws[1] * spread.critical_stress)
    grains = spread.grains
    size = np.full(n, np.nan) if grains is None else grains.size * np.exp(draws[2] * grains.spread)
    metals = [_metal(material, float(u), grains, float(d)) for u, d in zip(shift, size, strict=True)]
    known = None if checkpoint is None else _KnownLives(checkpoint, np.column_stack([shift, sigma_c, size]))
    lifetimes, why = _lives(lifetime, metals, sigma_c, known)
    bamboo = np.zeros(n, dtype=bool) if grains is None else size >= grains.width
    return Sample(lifetimes, why, shift, sigma_c, size, bamboo)


@dataclass(frozen=True, eq=False)
class Tests:
    """Lives of accelerated tests at several conditions; all arrays of shape (n,).

    Attributes:
        current_density: j of each line [A/m2].
        temperature: T of each line [K].
        lifetimes: times of failure, or the time tested [s].
        censored: True if the line outlived its test.
    """

    current_density: Array
    temperature: Array
    lifetimes: Array
    censored: NDArray[np.bool_]

    @checked
    def fit(
        self, *, confidence: float = 0.95, exponent_within: float = 0.5, energy_within: float = 0.1 * eV
    ) -> BlackFit:
        """Fit Black's law to them; see `fit_black`."""
        return fit_black(
            self.current_density,
            self.temperature,
            self.lifetimes,
            self.censored,
            confidence=confidence,
            exponent_within=exponent_within,
            energy_within=energy_within,
        )


@checked
def accelerated_tests(
    material: Material,
    lifetime: Callable[[float], Lifetime],
    *,
    conditions: Sequence[tuple[float, float]],
    samples: int,
    seed: int,
    critical_stress: float,
    until: float,
    spread: Spread | None = None,
) -> Tests:
    """Return tests of lines drawn at random, at several currents and temperatures, each stopped after a time.

    Args:
        material: the metal; every test has it at its own temperature.
        lifetime: a function of the current density that returns what `monte_carlo` takes, such as
            `lambda j: Line(length=..., current_density=j)`.
        conditions: (j, T) of each test [A/m2, K].
        samples: lines in each test, at least 1.
        seed: of the first test's generator; the others have those that follow.
        critical_stress: the median of sigma_c, above 0 [Pa].
        until: when each test stops, above 0 [s].
        spread: the variation from line to line.

    Raises:
        ParameterError: for a value out of its bounds, or no condition.
    """
    number("until", until, above=0.0, unit="s")
    count("seed", seed, at_least=0)
    pairs = bounded("conditions", conditions, "")
    if pairs.ndim != 2 or pairs.shape[1:] != (2,) or not len(pairs):
        msg = f"conditions of shape {pairs.shape}, must be pairs (current density, temperature)"
        raise ParameterError(msg)
    number("samples", count("samples", samples, at_least=1) * len(pairs), at_most=MOST_SAMPLES)
    try:
        lines = [lifetime(float(j)) for j, _ in pairs]
    except TypeError as error:
        msg = f"lifetime = {shown(lifetime)}, must be a function of the current density alone: {error}"
        raise ParameterError(msg) from error
    lives = [
        monte_carlo(
            material.at(float(kelvin)),
            line,
            samples=samples,
            seed=seed + i,
            critical_stress=critical_stress,
            spread=spread,
        ).cut(until)
        for i, (line, (_, kelvin)) in enumerate(zip(lines, pairs, strict=True))
    ]
    times, outlived = (np.concatenate(parts) for parts in zip(*lives, strict=True))
    j, kelvin = np.repeat(pairs, samples, axis=0).T
    return Tests(j, kelvin, times, outlived)


def _metal(material: Material, shift: float, grains: Grains | None, size: float) -> Material:
    """Return the metal of one line."""
    if grains is not None:
        material = material.in_line(width=grains.width, height=grains.height, grain_size=size, paths=grains.paths)
    if shift == 0.0:
        return material
    material.law("diffusivity")  # reports a missing one
    constant = material.constants["diffusivity"]
    return material.having(diffusivity=replace(constant, law=Shifted(constant.law, shift)))


class _KnownLives:
    """Lives of a study in a file, a line of JSON each: number, the three values drawn, time, end."""

    def __init__(self, path: os.PathLike[str] | str, drawn: Array) -> None:
        """Read the lives that are there; half a line at the end is cut off. Collective.

        Raises:
            ParameterError: if the file cannot be written, or is of another study.
        """
        self._file, self._drawn = LineFile(writable(path, ".jsonl")), drawn
        self.lives: dict[int, tuple[float, str]] = {}
        for number_of_line, line in enumerate(self._file.lines, 1):
            try:
                i, *values, t, why = json.loads(line)
                fits = np.array_equal(values, self._values(i))
                self.lives[i] = float(t), str(why)
            except (ValueError, TypeError, IndexError):
                fits = False
            if not fits:
                msg = f"path = {str(path)!r}, must be of this study: line {number_of_line} is of another one"
                raise ParameterError(msg)

    def _values(self, i: int) -> list[float]:
        return [-1.0 if np.isnan(value) else float(value) for value in self._drawn[i]]

    def add(self, i: int, t: float, why: str) -> None:
        """Add the life of a line; the file is on disk then."""
        self._file.add(json.dumps([i, *self._values(i), t, why]))


def _lives(
    lifetime: Lifetime, metals: list[Material], critical: Array, known: _KnownLives | None
) -> tuple[Array, NDArray[np.str_]]:
    """Return the life of each line, and how it ended."""
    if isinstance(lifetime, Line):
        life = lifetime(metals, critical)
        if np.shape(life.why) != critical.shape:
            msg = f"lifetime is that of lines of shape {np.shape(life.why)}, must be that of one line"
            raise ParameterError(msg)
        return life.time_to_failure, life.why
    lives = dict(known.lives) if known else {}
    for i, (metal, stress) in enumerate(zip(metals, critical, strict=True)):
        if i not in lives:
            life = lifetime(metal, float(stress))
            t = _time(getattr(life, "time_to_failure", life))
            lives[i] = t, str(getattr(life, "why", "immortal" if np.isinf(t) else "failed"))
            if known:
                known.add(i, *lives[i])
    return np.array([lives[i][0] for i in range(len(metals))]), np.array([lives[i][1] for i in range(len(metals))])


def _time(value: Any) -> float:
    """Return a time at least 0, infinity allowed."""
    if isinstance(value, float) and value == np.inf:
        return value
    return number("lifetime", value, at_least=0.0, unit="s")
