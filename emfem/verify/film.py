"""The alloy film: linear theory, profiles at rest, and a pattern that another code computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from emfem import analytic, fields, mesh
from emfem.evolution import evolve
from emfem.film import Alloy, Anisotropy, cupd, growth_rate, model, uniform_field
from emfem.model import Model
from emfem.verify.convergence import order
from emfem.verify.registry import Measured, check
from emfem.verify.waves import growth_rate as growth_of_wave

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNSTABLE = Alloy(entropy=0.1, enthalpy=0.3, solute_expansion=0.0, gradient_energy=1.0)
"""Unstable by its enthalpy: f''(0.3) = 0.1/0.21 - 0.6 = -0.12380952."""
WIDE = 62.39323093395234  # twelve wavelengths of the CuPd-like film, the side of the reference pattern


def _wave(k: tuple[float, float], alloy: Alloy, until: float, **options: Any) -> complex:
    """Return omega from a run of the nonlinear film that starts with the wave k of amplitude 1e-4 about 0.3."""
    domain = mesh.periodic_rectangle((2 * math.pi / k[0], 2 * math.pi / k[1]), cells=(10, 10))
    film = model(domain, alloy, initial=lambda x: 0.3 + 1e-4 * np.cos(k[0] * x[0] + k[1] * x[1]), **options)
    return growth_of_wave(film, "c", until)


@check(
    "film",
    source="linear theory of M. Khenner, arXiv:2004.08314, by hand: omega = f''^2 C0(1-C0)/(4 eps) at"
    " k^2 = -f''/(2 eps), velocity F (1 - 2 C0) cos 15 deg",
    target=(8.04761905e-4, 0.0193185165),
    rtol=1e-3,
    unit=("1/t0", "h/t0"),
)
def fastest_wave(full: bool) -> tuple[float, float]:
    """Fastest wave of an unstable film under a field grows and drifts as linear theory predicts."""
    k = 0.24880668 / math.sqrt(2)
    omega = _wave((k, k), UNSTABLE, 300.0, field=uniform_field(0.05, math.radians(30.0)))
    return omega.real, -omega.imag / 0.24880668


@check(
    "film",
    source="linear theory of M. Khenner, arXiv:2004.08314, term by term by hand: D = diag(2, 1), k = (0.9, 0.5)",
    target=(0.010960070, -0.053320508),
    rtol=1e-3,
    unit="1/t0",
)
def wave_on_a_110_crystal(full: bool) -> tuple[float, float]:
    """Wave on the anisotropic [110] surface of the CuPd-like film grows and drifts as linear theory predicts."""
    crystal = Anisotropy("110", strength=1.0)
    omega = _wave((0.9, 0.5), cupd(), 20.0, anisotropy=crystal, field=uniform_field(0.1, math.radians(60.0)))
    return omega.real, omega.imag


@check(
    "film",
    source="by hand: 2 pi/k, k^2 = -f''/(2 eps), f'' = -0.04380952, eps = 0.015",
    target=5.19944,
    rtol=1e-4,
    unit="h",
)
def wavelength_of_the_cupd_film(full: bool) -> float:
    """CuPd-like film at C = 0.3 prefers waves of 5.2 film thicknesses."""
    k = np.linspace(1.0, 1.4, 40001)
    omega = np.asarray(growth_rate(np.stack([0 * k, k], axis=1), cupd(), mean=0.3))
    return float(2 * math.pi / k[np.argmax(omega.real)])


@check(
    "film",
    source="W. Lu, Z. Suo, J. Mech. Phys. Solids 49, 1937 (2001), by hand: omega = -M k^2 (f'' + eps k^2 - q k) with"
    " f'' = -0.04380952, eps = 0.015, q = 0.03, fastest at [3q + sqrt(9q^2 - 32 eps f'')]/(8 eps)",
    target=(2.1722579, 2.9800593),
    rtol=2e-3,
    unit="1/h",
)
def waves_under_coherency_stress(full: bool) -> tuple[float, float]:
    """Fastest and neutral wave of a CuPd-like film on an elastic substrate are those of linear theory."""
    length, until = 20.0, 2.0
    modes = np.arange(9, 21)  # half waves on the length, k = 1.4 to 3.1
    k = modes * math.pi / length
    film = model(
        mesh.interval(length, cells=90),
        replace(cupd(), coherency=0.03),
        initial=lambda x: 0.3 + 1e-5 * np.cos(np.outer(k, x[0])).sum(axis=0),
    )
    points = (np.arange(180) + 0.5) / 180 * length

    def amplitudes() -> NDArray[np.float64]:
        return np.cos(np.outer(k, points)) @ fields.evaluate(film["c"], points[:, None])

    before = amplitudes()
    evolve(film, until, fixed_step=until / 16, progress=False)
    omega = np.log(amplitudes() / before) / until
    rate = np.poly1d(np.polyfit(k, omega / k**2, 2)) * np.poly1d([1.0, 0.0, 0.0])
    return float(max(rate.deriv().roots)), float(max(rate.roots))


@check(
    "film",
    source="c/(1 - c) = K exp(F x/S) with K of the mean, em.analytic.logistic_profile, by hand",
    target=(0.02361858, 0.22761637, 0.78213986),
    rtol=3e-3,
    order=(0.8, 1.2),
)
def profile_of_a_blocked_film(full: bool) -> Measured:
    """Blocked ideal film under a field comes to rest in the logistic profile; its order is that in eps.

    The gradient energy eps, which must be positive, shifts the middle by O(eps), the ends by O(sqrt(eps)).
    """
    eps = (4e-4, 1e-4)
    coarse, fine = (_at_rest(one) for one in eps)
    left, _, right = 2 * fine - coarse  # the ends are extrapolated to eps = 0
    middle = [coarse[1] - 0.22761637, fine[1] - 0.22761637]
    return Measured((left, fine[1], right), order=order(eps, middle))


def _at_rest(eps: float) -> NDArray[np.float64]:
    """Return the fraction c at both ends and in the middle, after ten times L^2/(M S)."""
    alloy = Alloy(entropy=1.0, enthalpy=0.0, solute_expansion=0.0, gradient_energy=eps)
    film = model(mesh.interval(1.0, cells=160), alloy, mean=0.3, anisotropy=np.eye(1), field=(5.0,))
    evolve(film, 20.0, rtol=1e-4, progress=False)
    return fields.evaluate(film["c"], np.array([[0.0], [0.5], [1.0]]))


def cahn_hilliard(
    domain: mesh.Domain,
    *,
    gradient_energy: float,
    initial: Callable[[NDArray[np.float64]], ArrayLike],
    free_energy: Callable[[Any], Any],
    mobility: float,
) -> Model:
    """Return the film model as the Cahn-Hilliard equation, with a free energy of its own and a constant mobility."""
    alloy = Alloy(entropy=0.0, enthalpy=0.0, solute_expansion=0.0, gradient_energy=gradient_energy)
    return model(
        domain, alloy, initial=lambda x: np.asarray(initial(x)), free_energy=free_energy, mobility=lambda c: mobility
    )


@check(
    "film",
    source="Cahn, Hilliard (1958): the kink tanh(x/sqrt(2 eps)) of the double well (1 - c^2)^2/4; em.analytic.kink",
    target=0.0,
    atol=1e-4,
    order=(2.7, 3.3),
)
def kink_between_phases(full: bool) -> Measured:
    """Boundary between two phases comes to rest as tanh; root mean square distance, of third order."""
    cells = (40, 60, 80) if full else (40, 60)
    wrong = [kink_error(n, lambda film: evolve(film, 1000.0, progress=False)) for n in cells]
    return Measured(wrong[-1], order=-order(cells, wrong))


def kink_error(cells: int, to_rest: Callable[[Model], object]) -> float:
    """Return the distance to the kink of one that starts too wide and is brought to rest.

    Its blocked ends are ten kink widths away on either side, where the exact kink is within 1e-8 of +-1.
    """
    eps, length = 0.5, 20.0
    film = cahn_hilliard(
        mesh.interval(length, cells=cells),
        gradient_energy=eps,
        initial=lambda x: np.tanh((x[0] - length / 2) / 1.5),
        free_energy=lambda c: (1 - c**2) ** 2 / 4,
        mobility=1.0,
    )
    to_rest(film)
    x = (np.arange(2000) + 0.5) * length / 2000
    wrong = fields.evaluate(film["c"], x[:, None]) - analytic.kink(x - length / 2, gradient_energy=eps)
    return math.sqrt(np.mean(wrong**2))


@check(
    "film",
    source="a pseudospectral code of its own on 128 x 128 points, its error below 3e-4: film_isotropic_45deg.npz",
    target=0.0,
    atol=0.02,
    order=(2.6, 3.4),
)
def pattern_of_another_code(full: bool) -> Measured:
    """Developing pattern under a field against a pseudospectral one, rms over the standard deviation of c.

    Short: at t = 50 on 32 x 32 cells; full: at t = 300 on 32, 48 and 64 squared, of third order.
    """
    if not full:
        return Measured(_pattern_error(32, 50))
    cells = (32, 48, 64)
    wrong = [_pattern_error(n, 300) for n in cells]
    return Measured(wrong[-1], order=-order(cells, wrong))


def _start(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return four waves about 0.3."""
    k = 2 * math.pi / WIDE
    waves = np.cos(3 * k * x[0]) + np.sin(k * (2 * x[0] - 4 * x[1])) + np.cos(k * (5 * x[0] + 6 * x[1]) + 1)
    return 0.3 + 0.024 * (waves + np.sin(7 * k * x[1] - 0.5))


def _pattern_error(cells: int, time: int) -> float:
    """Return the root mean square distance to the reference over the standard deviation of c."""
    film = model(
        mesh.periodic_rectangle((WIDE, WIDE), cells=(cells, cells)),
        cupd(),
        initial=_start,
        field=uniform_field(0.1, math.radians(45.0)),
    )
    evolve(film, float(time), rtol=1e-4 if time < 100 else 1e-5, progress=False)
    points, expected = _reference(time)
    places = np.stack(np.meshgrid(points, points, indexing="ij"), axis=-1).reshape(-1, 2)
    wrong = fields.evaluate(film["c"], places).reshape(expected.shape) - expected
    return math.sqrt(np.mean(wrong**2)) / float(expected.std())


@cache
def _reference(time: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places along a side, coprime to the cells, and the reference interpolated there, shape (101, 101)."""
    points = (np.arange(101) + 0.5) * WIDE / 101
    with files("emfem.verify").joinpath("data/film_isotropic_45deg.npz").open("rb") as file, np.load(file) as data:
        c = data[f"c{time}"].astype(float)
    n = len(c)
    waves = np.exp(2j * np.pi * np.outer(points, np.fft.fftfreq(n, 1 / n)) / WIDE)
    return points, (waves @ np.fft.fft2(c) @ waves.T).real / n**2
