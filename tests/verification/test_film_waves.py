"""Small waves on the full nonlinear film grow and travel as the linear theory says."""

import math
from typing import Any

import emfem as em

import numpy as np
import pytest

SET_A = em.film.Alloy(entropy=0.1, enthalpy=0.3, solute_expansion=0.0, gradient_energy=1.0)
"""Unstable by the enthalpy: f''(0.3) = 0.1 (1/0.21 - 6) = -0.12380952, fastest wave 25.253283."""
CUPD = em.film.cupd()
SET_A_K = 0.24880668


def rates(surface: str, strength: float, misorientation: float, ratio: float) -> tuple[float, float]:
    """f_x and Lambda f_y by hand, the crystal's other axis at 90 degrees to the first."""
    folds = {"110": 1, "100": 2, "111": 3}[surface]
    f_x, f_y = (
        1 + strength * math.cos(folds * math.radians(phi)) ** 2 for phi in (misorientation, 90.0 - misorientation)
    )
    return f_x, ratio * f_y


def by_hand(
    k: tuple[float, float], alloy: em.film.Alloy, mean: float, force: tuple[float, float], d: tuple[float, float]
) -> complex:
    """Omega = -C0 (1-C0) K (f'' + eps k^2) - i (1-2 C0) (d_x F_x k_x + d_y F_y k_y), term by term."""
    curvature = alloy.entropy * (1 / mean + 1 / (1 - mean)) - 2 * alloy.enthalpy
    curvature += alloy.solute_expansion * (1 - 2 * mean)
    spread = d[0] * k[0] ** 2 + d[1] * k[1] ** 2
    growth = -mean * (1 - mean) * spread * (curvature + alloy.gradient_energy * (k[0] ** 2 + k[1] ** 2))
    return growth - 1j * (1 - 2 * mean) * (d[0] * force[0] * k[0] + d[1] * force[1] * k[1])


def amplitude(film: em.Model) -> complex:
    """The Fourier amplitude of c at one wave along x and one along y, up to a phase that stays the same."""
    return complex(np.fft.fft2(em.fields.sample_grid(film["c"], (16, 16)).values)[1, 1])


def measured(
    k: tuple[float, float],
    alloy: em.film.Alloy,
    mean: float,
    force: tuple[float, float],
    crystal: em.film.Anisotropy,
    until: float,
) -> complex:
    """Omega from a run of the nonlinear model that starts with the wave k of amplitude 1e-4.

    Second harmonics are of the order 1e-4 of the wave and act back on it at 1e-8. The steps are fixed: the error that
    adaptive ones allow is relative to c, not to the wave. 16 of them keep the phase error of a third-order method
    below 1e-4.
    """
    domain = em.mesh.periodic_rectangle((2 * math.pi / k[0], 2 * math.pi / k[1]), cells=(8, 8))
    film = em.film.model(
        domain,
        alloy,
        initial=lambda x: mean + 1e-4 * np.cos(k[0] * x[0] + k[1] * x[1]),
        anisotropy=crystal,
        field=force,
    )
    before = amplitude(film)
    em.evolve(film, until, fixed_step=until / 16, progress=False)
    return complex(np.log(amplitude(film) / before) / until)


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
@pytest.mark.parametrize(
    ("k", "alloy", "mean", "field", "crystal", "until"),
    [
        pytest.param((0.7, 0.7), CUPD, 0.3, (0.1, 0.0), ("110", 0.0, 0.0, 1.0), 40.0, id="isotropic"),
        pytest.param((0.5, 1.4), CUPD, 0.3, (0.05, 130.0), ("100", 2.0, 20.0, 0.5), 20.0, id="100, decaying"),
        pytest.param((0.3, 0.9), CUPD, 0.35, (0.2, 90.0), ("111", 0.7, 10.0, 3.0), 10.0, id="111"),
        pytest.param((0.15, 0.2), SET_A, 0.3, (0.05, 30.0), ("110", 0.0, 0.0, 1.0), 300.0, id="set A"),
        pytest.param((0.1, 0.12), SET_A, 0.7, (0.02, 30.0), ("111", 5.0, 50.0, 0.1), 500.0, id="above one half"),
        pytest.param((0.7, 0.9), CUPD, 0.3, (0.0, 0.0), ("100", -0.5, 0.0, 10.0), 10.0, id="no field"),
    ],
)
def test_wave_grows_and_travels_at_its_rate(k, alloy, mean, field, crystal, until):
    """Real and imaginary part of omega within 1 % of omega's modulus and, where not zero, of themselves.

    Eight Q2 cells to the wave leave a dispersion error of about (k h)^4 / 720 = 5e-4 in k^2, a few times that where
    f'' and eps k^2 nearly cancel: none of the cases is that near to neutral.
    """
    strength, angle = field
    force = em.film.uniform_field(strength, math.radians(angle))
    surface, beta, misorientation, ratio = crystal
    anisotropy = em.film.Anisotropy(surface, beta, math.radians(misorientation), ratio)
    expected = complex(em.film.growth_rate(k, alloy, mean=mean, anisotropy=anisotropy, field=force))
    assert expected == pytest.approx(by_hand(k, alloy, mean, force, rates(*crystal)), rel=1e-12)
    found = measured(k, alloy, mean, force, anisotropy, until)
    assert found.real == pytest.approx(expected.real, rel=0.01)
    assert found.imag == pytest.approx(expected.imag, rel=0.01, abs=1e-8)
    assert abs(expected.imag) > 1e-3 * abs(expected.real) or strength == 0


def test_wave_at_one_half_stands_still():
    """At C0 = 1/2 the drift's factor 1 - 2 C0 vanishes, and by c -> 1 - c so does every correction in the amplitude."""
    k, force, crystal = (0.3, 0.2), (0.1, 0.15), em.film.Anisotropy("110", 1.0, 0.4, 2.0)
    expected = em.film.growth_rate(k, SET_A, mean=0.5, anisotropy=crystal, field=force)
    assert expected.imag == 0
    found = measured(k, SET_A, 0.5, force, crystal, 100.0)
    assert abs(found.imag) < 1e-5 * math.hypot(*force) * math.hypot(*k)
    assert found.real == pytest.approx(expected.real, rel=0.01)


def test_a_mobility_of_the_drift_travels_alone():
    """omega = -0.4 k.D k (f'' + eps k^2) - i 3 (0.3)^2 F.D k: M in front of diffusion, M_F' in front of the drift."""
    k, force, crystal = (0.3, 0.2), (0.1, 0.15), em.film.Anisotropy("110", 1.0, 0.4, 2.0)
    laws: dict[str, Any] = {"mobility": lambda c: 0.4 + 0 * c, "drift_mobility": lambda c: c**3}
    found = em.film.growth_rate(k, SET_A, mean=0.3, anisotropy=crystal, field=force, **laws)
    plain = em.film.growth_rate(k, SET_A, mean=0.3, anisotropy=crystal, field=force)
    assert found.real == pytest.approx(plain.real * 0.4 / 0.21, rel=1e-12)
    assert found.imag == pytest.approx(plain.imag * 0.27 / 0.4, rel=1e-12)


def test_twice_the_mobility_of_the_drift_is_twice_the_field():
    """D (M grad mu - 2 M F) by either; without it the film is another one."""

    def evolved(strength, **laws):
        domain = em.mesh.periodic_rectangle((10.0, 10.0), cells=(4, 4))
        start: dict[str, Any] = {"mean": 0.3, "initial": lambda x: 0.3 + 0.1 * np.cos(0.2 * np.pi * x[0])}
        film = em.film.model(domain, CUPD, field=(strength, 0.0), **start, **laws)
        em.evolve(film, 2.0, fixed_step=1.0, progress=False)
        return film["c"].x.array

    doubled = evolved(0.2, drift_mobility=lambda c: 2 * c * (1 - c))
    assert doubled == pytest.approx(evolved(0.4), abs=1e-9)
    assert np.abs(doubled - evolved(0.2)).max() > 1e-3


def test_growth_rate_has_the_maximum_of_set_a():
    """k_max = sqrt(-f''/(2 eps)) = 0.24880668, omega_max = f''^2 C0 (1-C0) / (4 eps) = 8.04761905e-4.

    F = 0.05 at 30 degrees drifts with (0.01732051, 0.01).
    All to the digits printed; at k_c = 0.35186578, given to 1e-8, omega = 0 to 1e-10.
    """
    force = em.film.uniform_field(0.05, math.radians(30.0))
    k = np.linspace(0.0, 0.4, 4001)
    omega = em.film.growth_rate(np.stack([k, 0 * k], axis=1), SET_A, mean=0.3, field=force)
    assert k[np.argmax(omega.real)] == pytest.approx(SET_A_K, abs=1e-4)
    assert em.film.growth_rate((SET_A_K, 0.0), SET_A, mean=0.3).real == pytest.approx(8.04761905e-4, rel=1e-8)
    assert em.film.growth_rate((0.35186578, 0.0), SET_A, mean=0.3).real == pytest.approx(0.0, abs=1e-9)
    for axis, velocity in enumerate((0.01732051, 0.01)):
        wave = np.eye(2)[axis] * SET_A_K
        omega = em.film.growth_rate(wave, SET_A, mean=0.3, field=force)
        assert -omega.imag / SET_A_K == pytest.approx(velocity, rel=1e-6)
