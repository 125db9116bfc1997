"""Lifetimes: one line in closed form, its acceleration, and the statistics of many."""

from __future__ import annotations

from emfem import lifetime
from emfem.materials import Arrhenius, Material
from emfem.units import MPa, boltzmann, eV, nm, um, year
from emfem.verify import reference
from emfem.verify.registry import check

import numpy as np


@check(
    "lifetime",
    source="the series of the blocked line, without its fit, for the constants of X. Huang et al., DAC (2014), by a"
    " script of its own: years of 365 days",
    target=24.2191,
    rtol=1e-5,
    unit="years",
)
def life_of_a_published_line(full: bool) -> float:
    """Line under 400 MPa of residual stress reaches 500 MPa, with the rounded k and e of the source."""
    e, k = 1.6e-19 / eV, 1.38e-23 / boltzmann
    metal = Material(
        "published",
        temperature=373.0,
        diffusivity=Arrhenius(7.56e-5 / k, 1.4 * eV * e / k),
        bulk_modulus=1e11,
        atomic_volume=1.66e-29,
        resistivity=3e-8,
        effective_charge=-10.0 * e,
    )
    life = lifetime.line_lifetime(
        metal, length=50 * um, current_density=2e10, critical_stress=500 * MPa, residual_stress=400 * MPa
    )
    return float(life.nucleation) / (365 * 86400)


@check(
    "lifetime",
    source="the series of the line with a void at its end, by a script of its own; at first v = D Z* e rho j/(k T)",
    target=(1e-3, *reference.VOID_YEARS),
    rtol=3e-6,
    unit="years",
)
def time_that_a_void_takes_to_grow(full: bool) -> tuple[float, ...]:
    """Voids grow to the length that drift carries in a thousandth of a year, and that of the series in 1 to 100."""
    void = np.array([-reference.DRIFT * 1e-3 * year, *(length * nm for length in reference.VOID_LENGTHS)])
    line = lifetime.Line(reference.LENGTH, reference.DENSITY, void_length=void)
    life = line(reference.METAL, critical_stress=1e-3)
    return tuple(np.asarray(life.growth) / year)


@check(
    "lifetime",
    source="nucleation in a long line takes t ~ 1/j^2, growth 1/j: Korhonen et al. (1993)",
    target=(2.0, 1.0),
    rtol=1e-2,
)
def exponent_of_black(full: bool) -> tuple[float, ...]:
    """-d ln t/d ln j of a long line whose void only has to open, and of one whose void has to grow far."""
    j = 1e10 * np.array([0.99, 1.01])
    lives = (lifetime.Line(0.1, j, void_length=void)(reference.METAL, reference.CRITICAL) for void in (0.0, 1.5 * um))
    return tuple(-float(np.diff(np.log(life.time_to_failure))[0] / np.diff(np.log(j))[0]) for life in lives)


@check(
    "lifetime",
    source="ln t = const + u/kT: a normal activation energy of deviation s is a lognormal life of sigma = s/kT",
    target=1.0,
    rtol=1e-6,
)
def scatter_of_lives(full: bool) -> float:
    """Sigma of 400 lives whose activation energies scatter, over the deviation that was drawn over kT."""
    sample = lifetime.monte_carlo(
        reference.METAL,
        lifetime.Line(200 * um, 1e10, void_length=50 * nm),
        samples=400,
        seed=1,
        critical_stress=reference.CRITICAL,
        spread=lifetime.Spread(activation_energy=0.02 * eV),
    )
    drawn = float(np.std(sample.energy_shift))
    return sample.fit().sigma.value / (drawn / (1.380649e-23 * 378.15))


@check(
    "lifetime",
    source="the constants the tests are made from: n = 1.5, E_a = 0.85 eV, without scatter",
    target=(1.5, 0.85),
    rtol=1e-4,
    unit=("-", "eV"),
)
def fit_of_black(full: bool) -> tuple[float, float]:
    """Exponent and activation energy from tests at five currents and temperatures that scatter by 1e-4."""
    law = lifetime.Black(1e17, 1.5, 0.85 * eV)
    j, kelvin = np.repeat([(1e10, 573.0), (3e10, 573.0), (1e10, 623.0), (3e10, 523.0)], 5, axis=0).T
    times = law.lifetime(j, kelvin) * np.exp(1e-4 * np.tile([-1.0, 1.0, -1.0, 1.0, 0.0], 4))
    fit = lifetime.fit_black(j, kelvin, times)
    return fit.exponent.value, fit.activation_energy.value / eV
