"""Emulators of models with chance: measures, covariance, fits with intervals, and what is refused."""

from pathlib import Path
from typing import Any

import emfem as em
from emfem.errors import ParameterError
from emfem.fit import EvaluationWarning, Unknown

import numpy as np
import pytest

COVARIANCE = np.array([[4e-3, 1e-3, 0.0], [1e-3, 9e-3, -2e-3], [0.0, -2e-3, 1e-3]])
FACTOR = np.linalg.cholesky(COVARIANCE)
A, B = Unknown("a", (0.5, 2.0), logarithmic=True), Unknown("b", (-1.0, 1.0))


def mean(c: dict[str, float]) -> Any:
    """Return a polynomial of second degree in ln(a) and b."""
    x, b = np.log(c["a"]), c["b"]
    return np.array([2 * x + b, 1 - b + 0.5 * x * b, 3 * x * x])


def pattern(c: dict[str, float], seed: int) -> Any:
    return mean(c) + FACTOR @ np.random.default_rng(seed).standard_normal(3)


@pytest.fixture(scope="module")
def emulator() -> em.fit.Emulator:
    return em.fit.emulate(pattern, [A, B], samples=1024)


def test_mean_and_covariance_are_those_of_the_model(emulator: em.fit.Emulator):
    """Errors of a regression: sigma sqrt(m/n) of a mean, sqrt(2/n) of a variance; both times three."""
    assert emulator.degree == 2
    assert emulator.samples == 1024
    at = {"a": 1.4, "b": -0.3}
    assert emulator.mean(**at) == pytest.approx(mean(at), abs=3 * 0.1 * np.sqrt(6 / 1024))
    size = np.sqrt(np.diag(COVARIANCE))
    assert np.abs(emulator.covariance - COVARIANCE).max() / size.max() ** 2 < 3 * np.sqrt(2 / 1024) * emulator.inflation
    assert 1 <= emulator.inflation < 1.15
    assert np.all(emulator.explained > 0.5)


@pytest.mark.soak
def test_fits_cover_the_truth(emulator: em.fit.Emulator):
    """Of 200 pictures 95 % +- 3 standard deviations of the binomial, 1.5 %."""
    random, within = np.random.default_rng(5), []
    for seed in range(100_000, 100_200):
        true = {"a": float(random.uniform(0.8, 1.6)), "b": float(random.uniform(-0.7, 0.7))}
        fit = em.fit.fit(emulator, [emulator.curve(pattern(true, seed))], [A, B], starts=1, intervals="normal")
        within += [true[name] in fit.estimates[name] for name in true]
    assert np.mean(within) == pytest.approx(0.95, abs=0.045)


def test_several_pictures_tell_more(emulator: em.fit.Emulator):
    true = {"a": 1.2, "b": 0.2}
    pictures = [pattern(true, seed) for seed in range(9)]
    one, nine = (
        em.fit.fit(emulator, [emulator.curve(each)], [A, B], starts=1, intervals="normal")
        for each in (pictures[0], pictures)
    )
    assert nine.standard_errors["b"] == pytest.approx(one.standard_errors["b"] / 3, rel=0.2)


def test_several_pictures_do_not_lessen_the_error_of_the_polynomial():
    """Two coefficients of 8 samples have 2/8 of the variance of chance; what a line misses of a cube is a warning."""

    def line(c: dict[str, float], seed: int) -> Any:
        return [c["b"] + 0.1 * np.random.default_rng(seed).standard_normal()]

    emulator = em.fit.emulate(line, [B], samples=8, degree=1)
    curve = emulator.curve([line({"b": 0.3}, seed) for seed in range(100)])
    assert np.asarray(curve.error) == pytest.approx(np.sqrt((0.01 + 0.25) / 1.25))

    def cube(c: dict[str, float], seed: int) -> Any:
        return [c["b"] ** 3 + 0.01 * np.random.default_rng(seed).standard_normal()]

    emulator = em.fit.emulate(cube, [B], samples=64, degree=1)
    with pytest.warns(em.fit.EvaluationWarning, match="9 pictures have .* of the variance that the emulator takes for"):
        emulator.curve([cube({"b": 0.3}, seed) for seed in range(9)])


def test_a_curved_mean_takes_a_higher_degree():
    def cubic(c: dict[str, float], seed: int) -> Any:
        return [c["b"] ** 3 + 0.01 * np.random.default_rng(seed).standard_normal()]

    made = [em.fit.emulate(cubic, [B], samples=64, degree=degree) for degree in (1, None)]
    assert [each.degree for each in made] == [1, 3]
    assert made[0].covariance[0, 0] > 50 * made[1].covariance[0, 0]  # what a line misses counts as chance


def test_chance_that_is_not_normal_is_a_warning():
    def rare(c: dict[str, float], seed: int) -> Any:
        random = np.random.default_rng(seed)
        return random.standard_normal(4) * (20.0 if random.uniform() < 0.12 else 1.0)

    with pytest.warns(EvaluationWarning, match=r"variances were multiplied by \d+.* to hold 95% of the samples"):
        em.fit.emulate(rare, [B], samples=256)


def test_runs_are_taken_from_the_folder(tmp_path: Path):
    calls = []

    class Counted:
        fingerprint = "counted"

        def __call__(self, c: dict[str, float], seed: int) -> Any:
            calls.append(seed)
            return pattern(c, seed)

    first = em.fit.emulate(Counted(), [A, B], samples=32, folder=tmp_path)
    more = em.fit.emulate(Counted(), [A, B], samples=64, folder=tmp_path)
    assert len(calls) == len(set(calls)) == 64
    assert (first.samples, more.samples) == (32, 64)


def test_runs_before_a_crash_are_kept(tmp_path: Path):
    """An error that is none of emfem's ends the study; what was computed is in the folder."""
    calls = []

    class Crashing:
        fingerprint = "crashing"

        def __call__(self, c: dict[str, float], seed: int) -> Any:
            calls.append(seed)
            if len(calls) == 20:
                raise KeyError(seed)
            return pattern(c, seed)

    with pytest.raises(KeyError):
        em.fit.emulate(Crashing(), [A, B], samples=32, folder=tmp_path)
    em.fit.emulate(Crashing(), [A, B], samples=32, folder=tmp_path)
    assert len(calls) == 32 + 1


def broken(c: dict[str, float], seed: int) -> Any:
    if seed % 4 == 0:
        msg = "no pattern"
        raise em.EmfemError(msg)
    return pattern(c, seed)


def test_runs_that_break_are_left_out_with_a_warning():
    with pytest.warns(EvaluationWarning, match="16 of 64 samples broke and were left out: EmfemError: no pattern"):
        assert em.fit.emulate(broken, [A, B], samples=64).samples == 48


@pytest.mark.parametrize(
    ("simulate", "options", "message"),
    [
        (pattern, {"samples": 8}, "8 samples, must be at least 12 for 3 measures and 3 coefficients each"),
        (pattern, {"degree": 4}, "degree = 4, must be 1, 2 or 3"),
        (lambda c, seed: [c["b"]], {}, "measure 0 of deviation .*, must vary between starts"),
        (lambda c, seed: 1.0, {}, "the model returns arrays of the shapes .*, must return one list of measures"),
        (lambda c, seed: [np.inf, 1.0], {}, "the model returns infinite measures"),
        (lambda c, seed: [*pattern(c, seed), sum(pattern(c, seed))], {}, "is a combination of others"),
    ],
)
def test_bad_input_is_refused(simulate: Any, options: dict[str, Any], message: str):
    with pytest.raises(ParameterError, match=message):
        em.fit.emulate(simulate, [A, B], **{"samples": 64, "degree": 1} | options)


def test_measured_values_of_another_size_are_refused(emulator: em.fit.Emulator):
    with pytest.raises(ParameterError, match=r"measured of shape \(1, 2\), must be \(3,\) or \(p, 3\)"):
        emulator.curve([1.0, 2.0])
    with pytest.raises(ParameterError, match="unknowns have the name 'seed'"):
        em.fit.emulate(pattern, [Unknown("seed", (0.0, 1.0))])
