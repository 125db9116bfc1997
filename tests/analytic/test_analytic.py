"""Closed forms against numbers worked out elsewhere, and against the equations they solve."""

import math

import emfem as em
from emfem.analytic.stress import _root_zeta

import numpy as np
import pytest


def test_logistic_profile_has_the_known_values() -> None:
    """lambda L = 5 and mean 0.3: three values of a separate derivation, given to 8 digits."""
    c = em.analytic.logistic_profile([0.0, 0.5, 1.0], length=1.0, drive=5.0, mean=0.3)
    assert c == pytest.approx([0.02361858, 0.22761637, 0.78213986], abs=1e-8)


@pytest.mark.parametrize("drive", [-7.0, 0.0, 1e-9, 0.4, 9.0])
def test_logistic_profile_keeps_its_mean_and_balances_the_flux(drive: float) -> None:
    x = np.linspace(0.0, 2.0, 20001)
    c = em.analytic.logistic_profile(x, length=2.0, drive=drive, mean=0.3)
    assert np.trapezoid(c, x) / 2.0 == pytest.approx(0.3, abs=1e-6)  # error of the trapezoidal rule
    logit = np.log(c / (1 - c))
    assert np.diff(logit) == pytest.approx(drive * np.diff(x), abs=1e-9)


def test_logistic_profile_of_a_strong_drive_is_a_step() -> None:
    """All solute at the far end: the step lies where the mean puts it."""
    c = em.analytic.logistic_profile([0.0, 0.69, 0.71, 1.0], length=1.0, drive=5000.0, mean=0.3)
    assert c == pytest.approx([0.0, 0.0, 1.0, 1.0], abs=1e-12)


def test_kink_is_an_equilibrium() -> None:
    """Mu = c^3 - c - eps c'' is zero; the error is that of the finite difference, h^2."""
    x = np.linspace(-3.0, 3.0, 4001)
    c = em.analytic.kink(x, gradient_energy=0.2)
    h = x[1] - x[0]
    mu = c[1:-1] ** 3 - c[1:-1] - 0.2 * np.diff(c, 2) / h**2
    assert np.abs(mu).max() < 1e-5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": 0.0}, "length = 0, must be greater than 0"),
        ({"drive": np.nan}, "drive = nan"),
        ({"mean": 1.0}, "mean = 1, must be less than 1"),
    ],
)
def test_bad_input_is_named(change: dict[str, float], message: str) -> None:
    with pytest.raises(em.ParameterError, match=message):
        em.analytic.logistic_profile(0.0, **({"length": 1.0, "drive": 1.0, "mean": 0.5} | change))


def test_kink_needs_a_gradient_energy() -> None:
    with pytest.raises(em.ParameterError, match="gradient_energy = -1"):
        em.analytic.kink(0.0, gradient_energy=-1.0)


def test_a_heated_line_is_a_parabola_unless_resistivity_or_loss_are_given() -> None:
    """T0 + rho j^2 L^2/(8 k) in the middle, three quarters of that rise at a quarter of the length."""
    line = {"length": 1e-4, "current_density": 1e10, "resistivity": 2e-8, "conductivity": 400.0, "temperature": 300.0}
    rise = em.analytic.heated_line([0.0, 2.5e-5, 5e-5, 1e-4], **line) - 300.0
    assert rise == pytest.approx([0.0, 4.6875, 6.25, 0.0], rel=1e-12, abs=1e-12)


def test_hurwitz_s_zeta_has_the_known_values() -> None:
    """zeta(-1/2) at q = 1, 1/sqrt(2) - 1 times that at 1/2, and sqrt(q) less at q + 1; to the first term left out."""
    known = -0.2078862249773546
    q = np.array([1.0, 0.5, 0.25, 1.25])
    assert _root_zeta(q)[:2] == pytest.approx([known, (2**-0.5 - 1) * known], rel=0, abs=3e-11)
    assert _root_zeta(q)[2] - _root_zeta(q)[3] == pytest.approx(0.5, rel=0, abs=3e-11)


def test_a_groove_has_the_numbers_of_mullins_and_keeps_the_metal() -> None:
    """Z(0) = -1 / (sqrt(2) Gamma(5/4)), slope 1, ridges 0.973 above the root and 4.6 apart, and no area."""
    gold = em.materials.gold(temperature=900.0)
    grown = em.analytic.mullins_coefficient(gold) ** 0.25
    x = np.linspace(0.0, 60.0, 6001)
    y = em.analytic.mullins_groove(x * grown, 1.0, gold, slope=0.1) / (0.1 * grown)
    assert y[0] == pytest.approx(-0.7801245, abs=1e-7)
    assert y[1] - y[0] == pytest.approx(x[1], rel=4e-3)
    assert y.max() - y[0] == pytest.approx(0.973, abs=2e-3)
    assert 2 * x[y.argmax()] == pytest.approx(4.6, abs=0.02)
    assert np.trapezoid(y, x) == pytest.approx(0.0, abs=1e-4)
    assert np.abs(y[x > 39]).max() < 1e-12
    later = em.analytic.mullins_groove(-2 * grown, 16.0, gold, slope=0.1)
    assert later == pytest.approx(2 * 0.1 * grown * y[100], rel=1e-9, abs=0)


def test_a_boundary_that_brings_atoms_makes_a_ridge_that_holds_them():
    """At the root q w^3 Gamma(1/4) / (3 pi B), flat there beside the groove, and its area q t: linear, as t^(3/4)."""
    gold = em.materials.gold(temperature=900.0)
    b, flux = em.analytic.mullins_coefficient(gold), 1e-20
    grown = b**0.25
    x = np.linspace(-30, 30, 1201) * grown
    ridge = em.analytic.mullins_groove(x, 1.0, gold, slope=0.0, boundary_flux=flux)
    top = flux * grown**3 / b * math.gamma(0.25) / (3 * math.pi)
    assert ridge[600] == pytest.approx(top, rel=1e-5)
    assert ridge.argmax() == 600
    assert np.trapezoid(ridge, x) == pytest.approx(flux, rel=1e-3)
    later = em.analytic.mullins_groove(0.0, 16.0, gold, slope=0.0, boundary_flux=flux)
    assert later == pytest.approx(8 * top, rel=1e-5)
    both = em.analytic.mullins_groove(x, 1.0, gold, slope=0.1, boundary_flux=-flux)
    assert both == pytest.approx(em.analytic.mullins_groove(x, 1.0, gold, slope=0.1) - ridge, rel=1e-9)
    with pytest.raises(em.ParameterError, match="boundary_flux beside a current_density"):
        em.analytic.mullins_groove(x, 1.0, gold, slope=0.1, boundary_flux=flux, current_density=1e9)


def test_a_current_carries_a_groove_along_and_keeps_its_metal_and_its_angle():
    """A weak one in proportion; the other sign is the mirror image; one that is too strong is refused."""
    gold = em.materials.gold(temperature=900.0)
    grown = em.analytic.mullins_coefficient(gold) ** 0.25  # at t = 1 s
    unit = grown**2 / em.analytic.surface_drift(gold, current_density=1.0)
    x = np.linspace(-30, 30, 241)

    def groove(b: float, at: np.ndarray = x) -> np.ndarray:
        return em.analytic.mullins_groove(at * grown, 1.0, gold, slope=1.0, current_density=b * unit) / grown

    assert groove(2.0) == pytest.approx(groove(-2.0)[::-1], abs=1e-12)
    assert groove(2e-3) - groove(0.0) == pytest.approx((groove(1e-3) - groove(0.0)) * 2, abs=1e-6)
    kink = (x[1] - x[0]) ** 2 / 12 * 2.0  # error of the trapezoidal rule where the slope jumps by 2
    assert np.trapezoid(groove(2.0), x) == pytest.approx(-kink, abs=1e-4)
    near = groove(2.0, np.array([-1e-3, 0.0, 1e-3]))
    assert (near[0] - 2 * near[1] + near[2]) / 1e-3 == pytest.approx(2.0, abs=2e-3)
    with pytest.raises(em.ParameterError, match=r"must be at most 10"):
        groove(11.0)


def test_a_groove_solves_the_equation_of_mullins() -> None:
    """Z fourth, less u Z' / 4, and Z / 4, by differences."""
    gold = em.materials.gold(temperature=900.0)
    grown = em.analytic.mullins_coefficient(gold) ** 0.25
    for u in (1.0, 3.0, 6.0):
        z = em.analytic.mullins_groove((u + 0.1 * np.arange(-3, 4)) * grown, 1.0, gold, slope=1.0) / grown
        fourth = np.array([-1, 12, -39, 56, -39, 12, -1]) @ z / 6e-4
        first = np.array([-1, 9, -45, 0, 45, -9, 1]) @ z / 6.0
        assert fourth - u * first / 4 + z[3] / 4 == pytest.approx(0.0, abs=1e-6)
