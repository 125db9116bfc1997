"""Lifetime statistics: fits, what they refuse, and draws that depend on the seed alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import emfem as em
from emfem.lifetime import Black, Grains, Line, Spread
from emfem.units import MPa, boltzmann, eV, nm, um

import numpy as np
import pytest
from scipy import stats

close = partial(pytest.approx, abs=0.0)
LAW = Black(1e17, 2.0, 0.9 * eV)
CELLS = [(j, kelvin) for j in (1e10, 2e10, 4e10) for kelvin in (523.0, 573.0, 623.0)]


def drawn(sigma: float = 0.3, each: int = 8, cells: list[tuple[float, float]] = CELLS, seed: int = 0) -> Any:
    """Lives of `each` lines at each condition, by Black's law with lognormal scatter: j, T, t."""
    j, kelvin = np.repeat(np.array(cells), each, axis=0).T
    noise = np.random.default_rng(seed).standard_normal(len(j))
    return j, kelvin, LAW.lifetime(j, kelvin) * np.exp(sigma * noise)


@pytest.fixture(scope="module")
def copper() -> em.materials.Material:
    return em.materials.copper(temperature=573.0)


# ---- lognormal


def test_the_interval_of_a_median_is_students():
    """Without censoring the corrected profile likelihood gives Student's interval, to the tolerance of its search."""
    logs = np.random.default_rng(1).normal(10.0, 0.5, 9)
    fit = em.lifetime.fit_lognormal(np.exp(logs))
    student = stats.t.interval(0.95, 8, logs.mean(), logs.std(ddof=1) / 3)
    assert np.log([fit.t50.low, fit.t50.high]) == close(student, rel=1e-9)
    assert np.log(fit.t50.value) == close(logs.mean(), rel=1e-12)
    assert fit.sigma.value == close(logs.std(), rel=1e-10)


def test_a_censored_fit_is_the_maximum_that_scipy_finds():
    """SciPy maximises the same likelihood by the simplex of Nelder and Mead, to about 1e-4."""
    times = np.exp(np.random.default_rng(2).normal(10.0, 0.5, 40))
    until = np.exp(10.2)
    fit = em.lifetime.fit_lognormal(np.minimum(times, until), times > until)
    data = stats.CensoredData.right_censored(np.minimum(times, until), times > until)
    sigma, _, median = stats.lognorm.fit(data, floc=0)
    assert fit.t50.value == close(median, rel=1e-3)
    assert fit.sigma.value == close(sigma, rel=1e-3)
    assert fit.failures + fit.censored == 40
    assert fit.censored > 5


def test_quantiles_and_failed_parts_are_inverse():
    fit = em.lifetime.fit_lognormal(np.exp(np.random.default_rng(3).normal(10.0, 0.5, 20)))
    early = fit.quantile(0.01)
    assert early.low < early.value < early.high < fit.t50.value
    assert fit.failed_by(early.value).value == close(0.01, rel=1e-9)
    assert fit.failed_by(early.low).high == close(0.01, rel=1e-6)  # both intervals are of one likelihood
    assert fit.quantile(0.5).value == close(fit.t50.value, rel=1e-12)


def test_a_fit_prints_one_line():
    text = str(em.lifetime.fit_lognormal([1.0, 2.0, 3.0, 3.0], np.array([False, False, False, True])))
    assert text.startswith("lognormal: t50 = ")
    assert text.endswith("3 failures and 1 that outlived their test")


def test_a_higher_confidence_is_a_wider_interval():
    times = [1.0, 2.0, 4.0, 7.0]
    narrow, wide = (em.lifetime.fit_lognormal(times, confidence=c).t50 for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_median_ranks_are_those_of_the_beta_distribution():
    """The median rank of the first of ten is 1 - 2^(-1/10)."""
    times, ranks = em.lifetime.plotting_positions(np.arange(10.0, 0.0, -1.0))
    assert times == close(np.arange(1.0, 11.0))
    assert ranks[0] == close(1 - 2**-0.1, rel=1e-12)
    assert ranks + ranks[::-1] == close(np.ones(10), rel=1e-12)


def test_samples_taken_out_early_raise_the_ranks_of_the_later_ones():
    """Johnson: of four samples with the second taken out, ranks are 1, 1 + 4/3 and 1 + 8/3."""
    marks = np.array([False, True, False, False])
    _, ranks = em.lifetime.plotting_positions([1.0, 2.0, 3.0, 4.0], marks)
    i = np.array([1.0, 7 / 3, 11 / 3])
    assert ranks == close(stats.beta.ppf(0.5, i, 5 - i), rel=1e-12)


def test_kaplan_meier_counts_those_at_risk():
    """1 - 3/4, then times 1/2, then 0: the censored one was at risk at the first failure only."""
    times, failed = em.lifetime.plotting_positions(
        [1.0, 2.0, 3.0, 4.0], np.array([False, True, False, False]), method="kaplan-meier"
    )
    assert times == close([1.0, 3.0, 4.0])
    assert failed == close([0.25, 0.625, 1.0], rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: em.lifetime.fit_lognormal([1.0, -2.0]), r"lifetimes = -2 s, must be greater than 0 s"),
        (lambda: em.lifetime.fit_lognormal([1.0, np.inf]), r"lifetimes = inf s, must be finite: give what outlived"),
        (lambda: em.lifetime.fit_lognormal([1.0, np.nan]), r"lifetimes = nan s, must be finite"),
        (lambda: em.lifetime.fit_lognormal([]), r"lifetimes of shape \(0,\), must be a list of times"),
        (lambda: em.lifetime.fit_lognormal("ab"), r"lifetimes = 'ab', must be numbers"),
        (lambda: em.lifetime.fit_lognormal([1.0]), r"lifetimes have 1 failures, must have at least 2"),
        (lambda: em.lifetime.fit_lognormal([2.0, 2.0]), r"lifetimes follow the law without any scatter"),
        (lambda: em.lifetime.fit_lognormal([1.0, 2.0], [True]), r"censored of bool and shape \(1,\)"),
        (
            lambda: em.lifetime.fit_lognormal([1.0, 2.0], [0, 1]),
            r"censored of int64 and shape \(2,\), must be one True",
        ),
        (lambda: em.lifetime.fit_lognormal([1.0, 2.0], confidence=1.0), r"confidence = 1, must be less than 1"),
        (lambda: em.lifetime.fit_lognormal([1.0, 2.0]).quantile(0.0), r"probability = 0, must be greater than 0"),
        (lambda: em.lifetime.fit_lognormal([1.0, 2.0]).failed_by(0.0), r"time = 0 s, must be greater than 0 s"),
        (lambda: em.lifetime.plotting_positions([1.0], method="mean"), r"'mean'; method has median rank, kaplan-meier"),
    ],
)
def test_a_lognormal_refuses(call: Callable[[], Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        call()


# ---- Black's law


def test_black_doubles_and_halves():
    assert LAW.lifetime(2e10, 573.0) == close(LAW.lifetime(1e10, 573.0) / 4, rel=1e-12)
    assert LAW.lifetime(-1e10, 573.0) == LAW.lifetime(1e10, 573.0)
    assert LAW.lifetime([1e10, 2e10], 573.0).shape == (2,)


def test_a_fit_without_censoring_is_least_squares():
    j, kelvin, times = drawn()
    fit = em.lifetime.fit_black(j, kelvin, times)
    design = np.column_stack([np.ones(len(j)), -np.log(j), eV / (boltzmann * kelvin)])
    (log_a, n, energy), square, *_ = np.linalg.lstsq(design, np.log(times))
    assert fit.exponent.value == close(n, rel=1e-9)
    assert fit.activation_energy.value == close(energy * eV, rel=1e-9)
    assert np.log(fit.prefactor.value) == close(log_a, rel=1e-8)
    covariance = np.linalg.inv(design.T @ design) * square[0] / (len(j) - 3)
    half = stats.t.ppf(0.975, len(j) - 3) * np.sqrt(covariance[1, 1])
    assert (fit.exponent.high - fit.exponent.low) / 2 == close(half, rel=1e-7)
    assert all(fit.identifiable.values())
    assert fit.law.exponent == fit.exponent.value


def test_an_extrapolation_has_the_interval_of_least_squares():
    j, kelvin, times = drawn()
    fit = em.lifetime.fit_black(j, kelvin, times)
    far = fit.extrapolate(5e9, 378.0)
    assert LAW.lifetime(5e9, 378.0) in far
    assert fit.law.lifetime(5e9, 378.0) == close(far.value, rel=1e-7)
    design = np.column_stack([np.ones(len(j)), -np.log(j / 1e10), eV / (boltzmann * kelvin)])
    row = np.array([1.0, np.log(2.0), eV / (boltzmann * 378.0)])
    square = np.linalg.lstsq(design, np.log(times))[1][0]
    half = stats.t.ppf(0.975, len(j) - 3) * np.sqrt(
        row @ np.linalg.inv(design.T @ design) @ row * square / (len(j) - 3)
    )
    assert np.log(far.high / far.low) / 2 == close(half, rel=1e-6)
    assert fit.extrapolate(5e9, 378.0, quantile=1e-3).value < far.value


def test_censored_tests_still_determine_the_law():
    """Half a unit of sigma/sqrt(r) or so is what chance allows; the intervals hold the truth for this seed."""
    j, kelvin, times = drawn(each=20, seed=4)
    until = np.quantile(times, 0.7)
    fit = em.lifetime.fit_black(j, kelvin, np.minimum(times, until), times > until)
    assert fit.censored == 54
    assert 2.0 in fit.exponent
    assert 0.9 * eV in fit.activation_energy
    assert 0.3 in fit.sigma


def test_ignoring_what_outlived_the_test_would_be_wrong():
    """The interval of half of the lives, and not that of the early ones alone, holds the truth for this seed."""
    times = drawn(sigma=1.0, each=40, seed=6, cells=[(1e10, 573.0)])[2]
    until = np.quantile(times, 0.5)
    right = em.lifetime.fit_lognormal(np.minimum(times, until), times > until)
    wrong = em.lifetime.fit_lognormal(times[times <= until])
    assert LAW.lifetime(1e10, 573.0) in right.t50
    assert LAW.lifetime(1e10, 573.0) not in wrong.t50


@pytest.mark.parametrize(
    ("cells", "unknown", "reason"),
    [
        ([(1e10, 573.0), (4e10, 573.0)], {"activation_energy", "prefactor"}, "all tests ran at 573 K"),
        ([(1e10, 523.0), (1e10, 623.0)], {"exponent", "prefactor"}, "all tests ran at 1e+10 A/m2"),
        (
            [(1e10, 573.0), (4e10, 623.0)],
            {"exponent", "activation_energy", "prefactor"},
            "current density and temperature were changed together",
        ),
    ],
)
def test_a_design_that_does_not_identify_a_constant_is_named(
    cells: list[tuple[float, float]], unknown: set[str], reason: str
):
    fit = em.lifetime.fit_black(*drawn(each=30, sigma=0.1, cells=cells))
    assert set(fit.reasons) == unknown
    assert {name for name, known in fit.identifiable.items() if not known} == unknown
    assert reason in str(fit)
    assert "nan" not in str(fit)
    name = next(name for name in unknown if name != "prefactor")
    assert np.isnan(getattr(fit, name).value)
    with pytest.raises(em.ParameterError, match="not identifiable"):
        _ = fit.law
    with pytest.raises(em.ParameterError, match=r"is not identifiable.*no life at 1e\+09 A/m2 and 378 K"):
        fit.extrapolate(1e9, 378.0)


def test_one_temperature_still_determines_the_exponent_there():
    cells = [(1e10, 573.0), (4e10, 573.0)]
    fit = em.lifetime.fit_black(*drawn(each=30, sigma=0.1, cells=cells))
    assert 2.0 in fit.exponent
    assert LAW.lifetime(5e9, 573.0) in fit.extrapolate(5e9, 573.0)


def test_failures_at_one_current_do_not_determine_the_exponent():
    """Nothing failed at the low current: that only bounds n, and does not move the activation energy."""
    cells = [(1e8, 573.0), (4e10, 523.0), (4e10, 623.0)]
    j, kelvin, times = drawn(each=10, sigma=0.1, cells=cells)
    until = times[j > 1e9].max()
    fit = em.lifetime.fit_black(j, kelvin, np.minimum(times, until), times > until)
    assert fit.reasons["exponent"] == "all failures came at 4e+10 A/m2"
    alone = em.lifetime.fit_black(j[10:], kelvin[10:], times[10:])
    assert fit.activation_energy.value == close(alone.activation_energy.value, rel=1e-9)


def test_an_interval_that_is_too_wide_is_not_identifiable():
    cells = [(1e10, 573.0), (1.1e10, 573.0), (1e10, 623.0)]
    fit = em.lifetime.fit_black(*drawn(each=4, cells=cells))
    assert "is wider than +-0.5" in fit.reasons["exponent"]
    assert np.isfinite(fit.exponent.value)
    with pytest.raises(em.ParameterError, match="exponent is not identifiable"):
        fit.extrapolate(1e9, 573.0)
    wide = em.lifetime.fit_black(*drawn(each=4, cells=cells), exponent_within=50.0, energy_within=5 * eV)
    assert not wide.reasons


def test_too_few_failures_are_named():
    j, kelvin, times = drawn(each=1, cells=[(1e10, 573.0), (2e10, 573.0), (1e10, 623.0)])
    fit = em.lifetime.fit_black(j, kelvin, times)
    assert fit.reasons["exponent"] == "3 failures are too few for 3 constants and a spread"
    with pytest.raises(em.ParameterError, match="too few"):
        fit.extrapolate(1e10, 573.0)


def test_medians_that_refute_the_law_are_not_extrapolated():
    """The exponent changes from 1 to 2 between the currents: no straight line."""
    j, kelvin, times = drawn(each=20, sigma=0.1)
    times = times * np.where(j > 3e10, 0.25, 1.0)
    fit = em.lifetime.fit_black(j, kelvin, times)
    assert fit.misfit is not None
    assert fit.misfit < 1e-3
    assert "refuted" in str(fit)
    with pytest.raises(em.ParameterError, match="deviate from Black's law"):
        fit.extrapolate(1e9, 378.0)


def test_the_misfit_is_fishers():
    """Without censoring the chance is that of the F test of lack of fit."""
    j, kelvin, times = drawn()
    fit = em.lifetime.fit_black(j, kelvin, times)
    groups = np.log(times).reshape(9, 8)
    inside = ((groups - groups.mean(axis=1, keepdims=True)) ** 2).sum()
    design = np.column_stack([np.ones(len(j)), -np.log(j / 1e10), eV / (boltzmann * kelvin)])
    about = np.linalg.lstsq(design, np.log(times))[1][0]
    assert fit.misfit == close(stats.f.sf((about - inside) / 6 / (inside / 63), 6, 63), rel=1e-8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Black(0.0, 2.0, 1e-19), r"prefactor = 0, must be greater than 0"),
        (lambda: Black(1.0, np.nan, 1e-19), r"exponent = nan, must be finite"),
        (lambda: Black(1.0, 2.0, 0.9), r"activation_energy = 0.9 J, must be at most"),
        (lambda: LAW.lifetime(0.0, 573.0), r"current_density = 0 A/m2, must not be 0"),
        (lambda: LAW.lifetime(1e10, -1.0), r"temperature = -1 K, must be greater than 0 K"),
        (lambda: em.lifetime.fit_black([1e10], 573.0, [1.0, 2.0]), r"current_density of shape \(1,\)"),
        (lambda: em.lifetime.fit_black(1e10, [573.0] * 3, [1.0, 2.0]), r"temperature of shape \(3,\)"),
        (lambda: em.lifetime.fit_black(0.0, 573.0, [1.0, 2.0]), r"current_density = 0 A/m2"),
        (lambda: em.lifetime.fit_black(1e10, np.nan, [1.0, 2.0]), r"temperature = nan K"),
        (lambda: em.lifetime.fit_black(1e10, 573.0, [1.0, 0.0]), r"lifetimes = 0 s"),
        (lambda: em.lifetime.fit_black(1e10, 573.0, [1.0], np.array([True])), r"lifetimes have no failure"),
        (lambda: em.lifetime.fit_black(1e10, 573.0, [1.0, 2.0], confidence=0.0), r"confidence = 0"),
        (lambda: em.lifetime.fit_black(1e10, 573.0, [1.0, 2.0], exponent_within=0.0), r"exponent_within = 0"),
        (lambda: em.lifetime.fit_black(1e10, 573.0, [1.0, 2.0], energy_within=-1.0), r"energy_within = -1 J"),
        (lambda: em.lifetime.fit_black(*drawn(sigma=0.0)), r"lifetimes follow the law without any scatter"),
        (lambda: em.lifetime.fit_black(*drawn()).extrapolate(np.array([1e9]), 378.0), r"current_density = array"),  # type: ignore[arg-type]
        (lambda: em.lifetime.fit_black(*drawn()).extrapolate(1e9, 378.0, quantile=1.0), r"quantile = 1"),
    ],
)
def test_black_refuses(call: Callable[[], Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        call()


# ---- lines and Monte Carlo


def test_lives_broadcast(copper: em.materials.Material):
    life = em.lifetime.line_lifetime(
        copper,
        length=[[100 * um], [200 * um]],
        current_density=[1e10, -2e10, 5e9],
        critical_stress=500 * MPa,
        void_length=20 * nm,
    )
    assert life.nucleation.shape == life.growth.shape == life.why.shape == (2, 3)
    assert np.all(life.time_to_failure > life.nucleation)
    single = em.lifetime.line_lifetime(copper, length=100 * um, current_density=2e10, critical_stress=500 * MPa)
    assert single.nucleation == close(life.nucleation[0, 1], rel=1e-9)
    assert isinstance(single.nucleation, float)


def test_each_sample_may_have_its_metal(copper: em.materials.Material):
    line = Line(100 * um, 2e10)
    metals = [copper, copper.at(600.0)]
    both = line(metals, 500 * MPa)
    assert both.nucleation == close([line(metal, 500 * MPa).nucleation for metal in metals], rel=1e-9)


def test_a_line_that_is_too_short_never_fails(copper: em.materials.Material):
    life = em.lifetime.line_lifetime(copper, length=[2 * um, 100 * um], current_density=1e10, critical_stress=500 * MPa)
    assert life.why.tolist() == ["immortal", "failed"]
    assert np.isinf(life.time_to_failure[0])


def test_a_void_that_stops_too_soon_never_fails(copper: em.materials.Material):
    """The void stops at L (|G| L/2 + sigma_T)/B: a little below that it fails, a little above it does not."""
    given: dict[str, Any] = {"length": 50 * um, "current_density": 2e10}
    most = em.analytic.void_saturation(material=copper, residual_stress=100 * MPa, **given)
    life = em.lifetime.line_lifetime(
        copper, critical_stress=500 * MPa, residual_stress=100 * MPa, void_length=[0.99 * most, 1.01 * most], **given
    )
    assert life.why.tolist() == ["failed", "saturated"]
    assert np.isinf(life.growth[1])
    assert np.isfinite(life.nucleation[1])


def test_a_line_under_more_than_the_critical_stress_has_a_void_at_once(copper: em.materials.Material):
    life = em.lifetime.line_lifetime(
        copper, length=50 * um, current_density=2e10, critical_stress=400 * MPa, residual_stress=500 * MPa
    )
    assert life.nucleation == 0.0


def test_without_a_current_nothing_happens(copper: em.materials.Material):
    life = em.lifetime.line_lifetime(copper, length=50 * um, current_density=0.0, critical_stress=400 * MPa)
    assert life.why == "immortal"


def test_draws_depend_on_the_seed_alone(copper: em.materials.Material):
    line = Line(100 * um, 2e10)
    make = partial(em.lifetime.monte_carlo, copper, line, samples=20, critical_stress=500 * MPa)
    both = Spread(activation_energy=0.02 * eV, critical_stress=0.1)
    first, again = make(seed=3, spread=both), make(seed=3, spread=both)
    assert np.array_equal(first.lifetimes, again.lifetimes)
    assert not np.array_equal(first.lifetimes, make(seed=4, spread=both).lifetimes)
    alone = make(seed=3, spread=Spread(critical_stress=0.1))
    assert np.array_equal(alone.critical_stress, first.critical_stress)  # whether or not the others vary


def test_a_function_gives_the_lives_that_the_line_does(copper: em.materials.Material):
    line = Line(100 * um, 2e10, void_length=20 * nm)
    spread = Spread(activation_energy=0.02 * eV, critical_stress=0.1)
    make = partial(em.lifetime.monte_carlo, copper, samples=5, seed=1, critical_stress=500 * MPa, spread=spread)
    fast = make(line)
    assert make(lambda metal, stress: float(line(metal, stress).time_to_failure)).lifetimes == close(
        fast.lifetimes, rel=1e-9
    )
    sample = make(lambda metal, stress: SimpleNamespace(time_to_failure=line(metal, stress).nucleation, why="opened"))
    assert sample.why.tolist() == ["opened"] * 5


def test_grains_make_bamboos_and_the_others_fail_first(copper: em.materials.Material):
    grains = Grains(size=0.1 * um, spread=0.4, width=0.1 * um, height=0.2 * um)
    sample = em.lifetime.monte_carlo(
        copper, Line(100 * um, 2e10), samples=60, seed=1, critical_stress=500 * MPa, spread=Spread(grains=grains)
    )
    assert np.array_equal(sample.bamboo, sample.grain_size >= 0.1 * um)
    assert 15 < sample.bamboo.sum() < 45
    assert sample.lifetimes[sample.bamboo].min() > sample.lifetimes[~sample.bamboo].max()
    assert np.ptp(sample.lifetimes[sample.bamboo]) < 1e-9 * sample.lifetimes[sample.bamboo].max()  # no boundary counts


def test_the_same_metal_at_another_temperature_keeps_its_shift(copper: em.materials.Material):
    """The shifted law is one of temperature: D exp(-u/kT), also for arrays."""
    seen: list[em.materials.Material] = []

    def keep(metal: em.materials.Material, stress: float) -> float:
        seen.append(metal)
        return 1.0

    em.lifetime.monte_carlo(
        copper,
        keep,
        samples=1,
        seed=2,
        critical_stress=500 * MPa,
        spread=Spread(activation_energy=0.05 * eV),
    )
    shift = np.random.default_rng(2).standard_normal((3, 1))[0, 0] * 0.05 * eV
    hot = np.array([500.0, 700.0])
    ratio = seen[0].law("diffusivity")(hot) / copper.law("diffusivity")(hot)
    assert ratio == close(np.exp(-shift / (boltzmann * hot)), rel=1e-12)
    assert "Ea" in str(seen[0])


def test_immortal_lines_are_no_part_of_a_lognormal(copper: em.materials.Material):
    spread = Spread(activation_energy=0.02 * eV, critical_stress=0.3)
    greatest = copper.derived(length=20 * um, current_density=2e10).greatest_stress  # half the lines stand more
    sample = em.lifetime.monte_carlo(
        copper, Line(20 * um, 2e10), samples=50, seed=1, critical_stress=greatest, spread=spread
    )
    assert 0.1 < sample.immortal < 0.9
    assert "immortal" in str(sample)
    with pytest.raises(em.ParameterError, match=r"of the lines never fail: give the duration of a test"):
        sample.fit()
    until = float(np.median(sample.lifetimes[np.isfinite(sample.lifetimes)]))
    fit = sample.fit(until=until)
    assert fit.failures == (sample.lifetimes <= until).sum()


def test_accelerated_tests_have_a_row_for_each_line(copper: em.materials.Material):
    found = em.lifetime.accelerated_tests(
        copper,
        lambda j: Line(1000 * um, j),
        conditions=[(1e10, 573.0), (2e10, 573.0), (1e10, 623.0)],
        samples=4,
        seed=1,
        critical_stress=500 * MPa,
        until=1e12,
        spread=Spread(activation_energy=0.02 * eV),
    )
    assert found.current_density.tolist() == [1e10] * 4 + [2e10] * 4 + [1e10] * 4
    assert found.temperature.tolist() == [573.0] * 8 + [623.0] * 4
    assert not found.censored.any()
    assert found.fit(exponent_within=5.0, energy_within=eV).exponent.value == close(2.0, abs=0.7)  # chance, 12 lines


BAD: list[tuple[str, Callable[[em.materials.Material], Any], str]] = [
    ("length", lambda m: Line(0.0, 1e10), r"length = 0 m, must be greater than 0 m"),
    ("length nan", lambda m: Line(np.nan, 1e10), r"length = nan m, must be finite"),
    ("current", lambda m: Line(1e-5, np.inf), r"current_density = inf A/m2, must be finite"),
    ("residual", lambda m: Line(1e-5, 1e10, np.nan), r"residual_stress = nan Pa, must be finite"),
    ("void", lambda m: Line(1e-5, 1e10, 0.0, -1e-9), r"void_length = -1e-09 m, must be at least 0 m"),
    ("shapes", lambda m: Line([1e-5, 2e-5], [1e10] * 3), r"shapes length of \(2,\), current_density of \(3,\), must"),
    ("metals", lambda m: Line([1e-5] * 3, 1e10)([m, m], 5e8), r"shapes length of \(3,\), material of \(2,\), must"),
    ("no metal", lambda m: Line(1e-5, 1e10)([], 5e8), r"material = \[\], must be at least one metal"),
    ("void beyond", lambda m: Line(1e-5, 1e10, 0.0, 2e-5), r"void_length = 2e-05 m, must be less than the length"),
    ("critical", lambda m: Line(1e-5, 1e10)(m, -1.0), r"critical_stress = -1 Pa, must be greater than 0 Pa"),
    ("material", lambda m: Line(1e-5, 1e10)("copper", 1e8), r"material = 'copper', must be a metal"),  # type: ignore[arg-type]
    ("samples", lambda m: draw(m, samples=0), r"samples = 0, must be at least 1"),
    ("samples half", lambda m: draw(m, samples=1.5), r"samples = 1.5, must be a whole number"),
    ("seed", lambda m: draw(m, seed=-1), r"seed = -1, must be at least 0"),
    ("median", lambda m: draw(m, critical_stress=0.0), r"critical_stress = 0 Pa, must be greater than 0 Pa"),
    ("spread", lambda m: draw(m, spread=0.1), r"spread = 0.1, must be a Spread"),
    ("lifetime", lambda m: draw(m, lifetime=3.0), r"lifetime = 3.0, must be a Line or a function"),
    ("no time", lambda m: draw(m, lifetime=lambda metal, stress: "long"), r"lifetime = 'long', must be a number"),
    ("negative", lambda m: draw(m, lifetime=lambda metal, stress: -1.0), r"lifetime = -1 s, must be at least 0 s"),
    ("lines", lambda m: draw(m, lifetime=Line([[1e-5], [2e-5]], 1e10)), r"lifetime is that of lines of shape \(2, 2\)"),
    ("energy", lambda m: Spread(activation_energy=0.02), r"activation_energy of the spread = 0.02 J, must be at most"),
    ("energy below", lambda m: Spread(activation_energy=-1e-21), r"activation_energy of the spread"),
    ("stress", lambda m: Spread(critical_stress=-0.1), r"critical_stress of the spread = -0.1"),
    ("grains", lambda m: Spread(grains=1e-7), r"grains = 1e-07, must be a Grains"),  # type: ignore[arg-type]
    ("size", lambda m: Grains(0.0, 0.1, 1e-7, 1e-7), r"size = 0 m"),
    ("width", lambda m: Grains(1e-7, 0.1, -1e-7, 1e-7), r"width = -1e-07 m"),
    ("height", lambda m: Grains(1e-7, 0.1, 1e-7, 0.0), r"height = 0 m"),
    ("spread of grains", lambda m: Grains(1e-7, -0.1, 1e-7, 1e-7), r"spread = -0.1, must be at least 0"),
    ("until", lambda m: draw(m).cut(0.0), r"until = 0 s, must be greater than 0 s"),
    ("conditions", lambda m: accelerate(m, conditions=[1e10]), r"conditions\[0\] = 10000000000.0, must be two numbers"),
    ("hot", lambda m: accelerate(m, conditions=[(1e10, 5000.0)]), r"temperature = 5000 K"),
    ("test until", lambda m: accelerate(m, until=-1.0), r"until = -1 s, must be greater than 0 s"),
    ("maker", lambda m: accelerate(m, lifetime=3.0), r"lifetime = 3.0, must be a function"),
]


def draw(material: em.materials.Material, **changed: Any) -> em.lifetime.Sample:
    given: dict[str, Any] = {"lifetime": Line(1e-4, 1e10), "samples": 2, "seed": 1, "critical_stress": 5e8} | changed
    return em.lifetime.monte_carlo(material, given.pop("lifetime"), **given)


def accelerate(material: em.materials.Material, **changed: Any) -> em.lifetime.Tests:
    given: dict[str, Any] = {
        "lifetime": lambda j: Line(1e-4, j),
        "conditions": [(1e10, 573.0)],
        "samples": 2,
        "seed": 1,
        "critical_stress": 5e8,
        "until": 1e9,
    } | changed
    return em.lifetime.accelerated_tests(material, given.pop("lifetime"), **given)


@pytest.mark.parametrize(("call", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_lines_and_samples_refuse(copper: em.materials.Material, call: Callable[..., Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        call(copper)


# ---- studies that go on


def test_a_study_goes_on_from_the_lives_in_its_file(tmp_path: Path):
    copper, calls = em.materials.copper(temperature=573.0), []
    options: dict[str, Any] = {"samples": 6, "seed": 3, "critical_stress": 4e8}
    options |= {"spread": Spread(critical_stress=0.3), "checkpoint": tmp_path / "lives.jsonl"}

    def life(metal: em.materials.Material, stress: float) -> float:
        calls.append(stress)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return np.inf if stress > 5e8 else stress / 1e3

    with pytest.raises(KeyboardInterrupt):
        em.lifetime.monte_carlo(copper, life, **options)
    with (tmp_path / "lives.jsonl").open("a") as file:
        file.write("[3, 0.0")  # the machine died
    sample = em.lifetime.monte_carlo(copper, life, **options)
    assert len(calls) == 7
    whole = em.lifetime.monte_carlo(copper, lambda metal, stress: np.inf if stress > 5e8 else stress / 1e3,
                        **(options | {"checkpoint": None}))  # fmt: skip
    assert np.array_equal(sample.lifetimes, whole.lifetimes)
    assert sample.why.tolist() == whole.why.tolist()
    with pytest.raises(em.ParameterError, match=r"must be of this study: line 1 is of another one$"):
        em.lifetime.monte_carlo(copper, life, **(options | {"seed": 4}))
