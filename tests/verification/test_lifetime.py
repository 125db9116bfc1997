"""Lives of lines against worked numbers, Black's exponent between its limits, and how often intervals hold."""

from __future__ import annotations

from functools import partial
from typing import Any

import emfem as em
from emfem.lifetime import Line, Spread, line_lifetime
from emfem.lifetime.line import rise_time
from emfem.materials import Material
from emfem.units import MPa, boltzmann, eV, nm, um, year
from emfem.verify.reference import CONSTANTS, NUCLEATION
from tests.reference import DIGITS, reference_copper

import numpy as np
import pytest
from scipy import stats

close = partial(pytest.approx, abs=0.0)
CRITICAL = 41 * MPa


def reference(**changed: Any) -> Material:
    """Reference copper of the same resistivity at every temperature: only the kinetics are tested."""
    return reference_copper(**{"resistivity": lambda T: CONSTANTS["resistivity"] + 0.0 * T} | changed)


REF = reference()


# ---- one line


def test_a_void_opens_at_the_known_time():
    life = line_lifetime(REF, length=50 * um, current_density=1e10, critical_stress=CRITICAL)
    assert life.nucleation == close(NUCLEATION, rel=DIGITS)
    slow = line_lifetime(REF, length=50 * um, current_density=5e9, critical_stress=CRITICAL)
    assert slow.why == "immortal"


@pytest.mark.parametrize(
    ("r", "tau"),
    [(0.1, 0.001963495), (0.5, 0.04918268), (0.75, 0.11918261), (0.9, 0.21202135), (0.99, 0.44532200)],
)
def test_rise_times_are_those_of_the_table(r: float, tau: float):
    """The table has eight decimals."""
    assert rise_time(np.array([r / 2]))[0] == close(tau, rel=1e-6)


def test_rise_times_are_those_of_the_closed_form():
    """Both solve the same series to rounding, and r = 0.9999 loses four digits of it."""
    r = np.array([1e-3, 0.3, 0.63, 0.64, 0.95, 0.9999])
    life = line_lifetime(REF, length=10 * um, current_density=1e11, critical_stress=r * 152.7498955 * MPa)
    exact = [
        em.analytic.nucleation_time(length=10 * um, current_density=1e11, material=REF, critical_stress=float(x))
        for x in r * 152.7498955 * MPa
    ]
    assert life.nucleation == close(np.array(exact), rel=1e-9)


def test_growth_under_residual_stress_is_the_closed_form():
    """The line is opened at once, and em.analytic tells the volume."""
    times = np.array([0.01, 1.0, 10.0]) * year
    given: dict[str, Any] = {"length": 50 * um, "current_density": 1e10, "residual_stress": 100 * MPa}
    void = em.analytic.void_growth(times, material=REF, **given)
    life = line_lifetime(REF, critical_stress=50 * MPa, void_length=void, **given)
    assert life.growth == close(times, rel=1e-5)  # of the waves that are left out


def test_growth_goes_on_smoothly_where_the_other_end_is_felt():
    """Images before, waves after kappa t/L^2 = 0.01: the lives on both sides differ as their voids do."""
    length, kappa = 500 * um, 1.791718e-18
    steps = 0.01 * length**2 / kappa * np.array([0.98, 0.99, 1.0, 1.01, 1.02])
    void = np.interp(steps, [0.0, 1e20], [0.0, 1e20]) * 1.954891e-16  # near the drift velocity times the time
    life = line_lifetime(REF, length=length, current_density=1e10, critical_stress=CRITICAL, void_length=void)
    assert np.diff(life.time_to_failure, 2) == close(0.0, abs=1e-5 * steps[0])


def test_a_long_line_loses_as_many_atoms_as_drift_carries():
    """Long after t0, when the void opens, V/A = v_d t, t from the current on: nucleation costs no void in the end.

    What is still missing is (4/(3 pi)) (t0/t)^(3/2) of it, to the next power of t0/t = 0.003.
    """
    void = 5 * um
    life = line_lifetime(REF, length=0.5, current_density=1e10, critical_stress=CRITICAL, void_length=void)
    drift = void / 1.954891e-16
    missing = 4 / (3 * np.pi) * (life.nucleation / drift) ** 1.5
    assert life.time_to_failure / drift - 1 == close(missing, rel=0.01)
    assert missing == close(7.28e-5, rel=0.01)


@pytest.mark.parametrize(("j", "rise"), [(3e9, 0.078818), (5e9, 0.131363)])
def test_published_saturated_voids_raise_the_resistance_by_what_was_printed(j: float, rise: float):
    """L = 1 um, liner of 10 nm and 1e-5 Ohm m: 7.8818 % and 13.1363 % of 1.25 Ohm."""
    metal = REF.having(bulk_modulus=1e11, atomic_volume=1.66e-29, resistivity=3e-8, effective_charge=-10.0)
    void = em.analytic.void_saturation(length=1 * um, current_density=j, material=metal)
    liner = em.failure.Liner(1e-5, 10 * nm)
    each = liner.resistance_per_length(width=0.2 * um, thickness=0.12 * um, resistivity=3e-8)
    assert void * each / 1.25 == close(rise, rel=2e-3)  # printed with e = 1.6e-19 C
    cut = liner.void_length(metal, rise=rise, length=1 * um, width=0.2 * um, thickness=0.12 * um)
    assert cut == close(void, rel=2e-3)


# ---- Black's exponent and activation energy


def exponent(void: float, critical: float = CRITICAL, residual: float = 0.0) -> float:
    """`-d ln t / d ln j` of a long line at 1e10 A/m2."""
    j = 1e10 * np.array([0.99, 1.01])
    life = line_lifetime(
        REF, length=0.1, current_density=j, critical_stress=critical, residual_stress=residual, void_length=void
    )
    return float(-np.diff(np.log(life.time_to_failure))[0] / np.diff(np.log(j))[0])


def test_the_exponent_passes_from_two_to_one_as_the_void_grows():
    """Nucleation goes as 1/j^2, growth as 1/j. Lengths are parts of what drift carries while the void nucleates."""
    during = 1.954891e-16 * 7.9e7
    found = [exponent(part * during) for part in (0.0, 0.01, 0.1, 1.0, 10.0, 100.0)]
    assert found[0] == close(2.0, abs=1e-6)  # of the difference quotient
    assert found[-1] == close(1.0, abs=1e-2)
    assert np.all(np.diff(found) < 0)
    assert 1.2 < found[3] < 1.8


def test_the_exponent_rises_with_the_critical_stress():
    found = [exponent(10 * nm, critical=c * MPa) for c in (1.0, 10.0, 41.0, 400.0)]
    assert np.all(np.diff(found) > 0)
    assert found[0] == close(1.0, abs=0.05)
    assert found[-1] == close(2.0, abs=0.05)


@pytest.mark.parametrize(("void", "n"), [(0.0, 2.0), (1 * um, 1.0)])
def test_accelerated_tests_give_back_exponent_and_energy(void: float, n: float):
    """Ea of the fit is that of D less kT (t ~ kT/D): 0.75 eV at 573 K; the intervals hold both for this seed."""
    found = em.lifetime.accelerated_tests(
        reference(),
        lambda j: Line(0.01, j, void_length=void),
        conditions=[(j, kelvin) for j in (1e10, 3e10) for kelvin in (523.0, 573.0, 623.0)],
        samples=30,
        seed=11,
        critical_stress=CRITICAL,
        until=1e12,
        spread=Spread(activation_energy=0.02 * eV),
    )
    fit = found.fit()
    assert n in fit.exponent
    assert 0.8 * eV - boltzmann * 573.0 in fit.activation_energy
    assert all(fit.identifiable.values())
    assert fit.exponent.high - fit.exponent.low < 0.4


def test_the_exponent_of_the_growth_limit_is_not_that_of_nucleation():
    """The fit can tell them apart: neither interval holds the other's exponent."""
    fits = {}
    for void in (0.0, 1 * um):
        found = em.lifetime.accelerated_tests(
            reference(),
            partial(Line, 0.01, void_length=void),
            conditions=[(1e10, 573.0), (3e10, 573.0), (1e10, 623.0)],
            samples=20,
            seed=5,
            critical_stress=CRITICAL,
            until=1e12,
            spread=Spread(activation_energy=0.02 * eV),
        )
        fits[void] = found.fit().exponent
    assert 1.0 not in fits[0.0]
    assert 2.0 not in fits[1 * um]


def test_tests_near_the_blech_product_refute_black():
    """A line that nearly is immortal at the lowest current: lives rise faster than any power of j."""
    found = em.lifetime.accelerated_tests(
        reference(),
        lambda j: Line(50 * um, j),
        conditions=[(j, 573.0) for j in (5.5e9, 1e10, 2e10, 4e10)],
        samples=20,
        seed=3,
        critical_stress=CRITICAL,
        until=1e12,
        spread=Spread(activation_energy=0.01 * eV),
    )
    fit = found.fit()
    assert fit.misfit is not None
    assert fit.misfit < 1e-3


# ---- statistics


def test_a_normal_activation_energy_is_a_lognormal_life():
    """ln t = const + u/kT: t50 and sigma = s/kT; the intervals hold both for this seed."""
    sample = em.lifetime.monte_carlo(
        REF,
        Line(200 * um, 1e10, void_length=50 * nm),
        samples=400,
        seed=1,
        critical_stress=CRITICAL,
        spread=Spread(activation_energy=0.02 * eV),
    )
    fit = sample.fit()
    one = line_lifetime(REF, length=200 * um, current_density=1e10, critical_stress=CRITICAL, void_length=50 * nm)
    logs = np.log(sample.lifetimes / one.time_to_failure)
    assert logs == close(sample.energy_shift / (boltzmann * 378.15), rel=1e-8, abs=1e-8)
    drawn = float(np.std(sample.energy_shift))
    assert fit.sigma.value == close(drawn / (boltzmann * 378.15), rel=1e-6)
    assert drawn == close(0.02 * eV, rel=0.15)  # chance: four times 1/sqrt(2 n)


def test_a_critical_stress_counts_twice_in_a_long_line():
    """t ~ sigma_c^2: sigma of ln t is twice that of ln sigma_c."""
    sample = em.lifetime.monte_carlo(
        REF, Line(0.1, 1e10), samples=300, seed=2, critical_stress=CRITICAL, spread=Spread(critical_stress=0.1)
    )
    drawn = float(np.std(np.log(sample.critical_stress)))
    assert sample.fit().sigma.value == close(2 * drawn, rel=1e-6)


@pytest.mark.parametrize("until", [np.inf, 1.25])
def test_intervals_hold_the_truth_as_often_as_they_say(until: float):
    """95 % intervals from 15 lives in 200 tests, all failed or a third censored: 90 to 99 % is four sigma of chance."""
    held = np.zeros(3)
    early = float(np.exp(0.5 * stats.norm.ppf(0.01)))
    for seed in range(200):
        times = np.exp(0.5 * np.random.default_rng(seed).standard_normal(15))
        fit = em.lifetime.fit_lognormal(np.minimum(times, until), times > until)
        held += [1.0 in fit.t50, 0.5 in fit.sigma, early in fit.quantile(0.01)]
    assert np.all((held >= 180) & (held <= 198)), held / 200


def test_intervals_of_blacks_constants_hold_the_truth_as_often_as_they_say():
    """88 of 100 is three sigma of chance below 95."""
    law = em.lifetime.Black(1e17, 1.5, 0.85 * eV)
    j, kelvin = np.repeat([(1e10, 573.0), (3e10, 573.0), (1e10, 623.0), (3e10, 523.0)], 5, axis=0).T
    median = law.lifetime(j, kelvin)
    held = np.zeros(3)
    for seed in range(1000, 1100):
        times = median * np.exp(0.4 * np.random.default_rng(seed).standard_normal(len(j)))
        until = 2.5 * float(np.median(median))
        fit = em.lifetime.fit_black(
            j, kelvin, np.minimum(times, until), times > until, exponent_within=50.0, energy_within=5 * eV
        )
        far = law.lifetime(5e9, 400.0) in fit.extrapolate(5e9, 400.0)
        held += [1.5 in fit.exponent, 0.85 * eV in fit.activation_energy, far]
    assert np.all(held >= 88), held / 100
