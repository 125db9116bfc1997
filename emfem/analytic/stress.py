"""Closed forms of electromigration stress: stress in a line, void nucleation, and void growth.

Signs are those of the models: tension is positive, j is positive along x, and atoms of Z* < 0 move against it. The
driving force is G = Z* e rho j / Omega [Pa/m], so that in the steady state of a blocked line d sigma/dx = -G.

References:
    M. A. Korhonen, P. Borgesen, K. N. Tu, C.-Y. Li, Stress evolution due to electromigration in confined metal lines,
    J. Appl. Phys. 73, 3790 (1993), doi:10.1063/1.354073.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emfem.analytic.arguments import at_least_0, constants, in_line
from emfem.arrays import broadcast, finite
from emfem.errors import floats, number, require
from emfem.gate import checked
from emfem.units import boltzmann, elementary_charge

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import erfc, gamma

EARLY = 0.1  # kappa t / L^2 up to which mirror images are summed, and waves from then on
IMAGES = 5  # each way; the next would add exp(-36 / 0.4)
WAVES = 6  # the next would add exp(-(13 pi / 2)^2 / 10)
NEAR = 1e-6  # of |G| L: a tension reached before the other end of the line is felt, to exp(-1e12)
SIGNS = (-1.0) ** np.arange(WAVES)

Values = NDArray[np.float64]


@checked
@finite
def blech_product(material: Any, *, critical_stress: float, residual_stress: float = 0.0) -> float:
    """Return the product of current density and length below which no void opens in a blocked line [A/m].

    (j L)_c = 2 Omega (sigma_c - sigma_T) / (e |Z*| rho): the largest tension, at the end that atoms leave, is half of
    the difference between the ends.

    Args:
        material: with `atomic_volume` [m3], `effective_charge` [-] and `resistivity` [Ohm m].
        critical_stress: sigma_c, the tension at which a void opens [Pa].
        residual_stress: sigma_T, without a current, below sigma_c; tension positive [Pa].

    Raises:
        ParameterError: for stresses out of their bounds, or an uncharged atom, which a current does not move.
    """
    tension = _tension(critical_stress, residual_stress)
    volume, charge, resistivity = constants(material, "atomic_volume", "effective_charge", "resistivity")
    require(charge, "effective_charge = 0, must not be zero: no current moves an uncharged atom")
    return 2 * volume * tension / (elementary_charge * abs(charge) * resistivity)


@checked
@finite
def korhonen_line(
    x: ArrayLike,
    t: ArrayLike,
    *,
    length: float,
    current_density: float,
    material: Any,
    residual_stress: float = 0.0,
) -> Values:
    """Return the stress in a line with blocked ends, from a uniform residual stress at t = 0.

    sigma = sigma_T + G L (1/2 - x/L - 4 sum_n cos(k_n x/L) exp(-k_n^2 kappa t/L^2) / k_n^2), k_n = (2n + 1) pi. The
    steady state is sigma_T + G (L/2 - x).

    Args:
        x: positions in [0, length], any shape [m].
        t: times at least 0, of a shape that broadcasts with x [s].
        length: L, above 0 [m].
        current_density: j, along x positive [A/m2].
        material: with `diffusivity`, `bulk_modulus`, `atomic_volume`, `temperature`, `resistivity`, `effective_charge`.
        residual_stress: sigma_T [Pa].

    Returns:
        sigma, of the shape of x and t broadcast [Pa].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    size, gradient, kappa = _line(length, current_density, material)
    position, tau = broadcast(x=in_line(x, size, "m"), t=kappa * _time(t) / size**2)
    return number("residual_stress", residual_stress, unit="Pa") + gradient * size * _blocked(position, tau)


@checked
@finite
def korhonen_half_line(
    x: ArrayLike, t: ArrayLike, *, current_density: float, material: Any, residual_stress: float = 0.0
) -> Values:
    """Return the stress in a half-infinite line blocked at x = 0, from a uniform residual stress at t = 0.

    sigma = sigma_T + G (2 sqrt(kappa t/pi) exp(-x^2/(4 kappa t)) - x erfc(x/(2 sqrt(kappa t)))). It is that of any line
    until its other end matters.

    Args:
        x: distance to the blocked end, at least 0, any shape [m].
        t: times at least 0, of a shape that broadcasts with x [s].
        current_density: j, away from the end positive [A/m2].
        material: as in `korhonen_line`.
        residual_stress: sigma_T [Pa].

    Returns:
        sigma, of the shape of x and t broadcast [Pa].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    gradient, kappa = _driven(current_density, material)
    distance, time = broadcast(x=at_least_0("x", x, "m"), t=_time(t))
    residual = number("residual_stress", residual_stress, unit="Pa")
    return residual + gradient * _half(distance, 2 * np.sqrt(kappa * time))


@checked
@finite
def pulse_ripple(t: ArrayLike, *, period: float, duty: float, current_density: float, material: Any) -> Values:
    """Return the stress at the blocked end of a long line under square pulses, less that under their mean current.

    With x = t/P: G sqrt(kappa P) (zeta(-1/2, {x}) - zeta(-1/2, {x - d})) / Gamma(3/2), the half integral of a square
    wave without mean; zeta is Hurwitz's, {} the fractional part. It is largest at the end of a pulse and smallest at
    its beginning. It holds from a few periods after the start on, while sqrt(kappa P) is far below the length of the
    line: `emfem.waveforms.Waveform.averaged` leaves this out.

    Args:
        t: times since the beginning of a pulse, any shape [s].
        period: P, above 0 [s].
        duty: d, the part of a period that a pulse lasts, above 0 and below 1 [-].
        current_density: j during a pulse, away from the end positive; 0 between pulses [A/m2].
        material: as in `korhonen_line`.

    Returns:
        the difference, of the shape of t [Pa].

    Raises:
        ParameterError: for a value out of its bounds.

    References:
        The Fourier series of Hurwitz's zeta function: DLMF 25.13.2, https://dlmf.nist.gov/25.13.E2.
    """
    gradient, kappa = _driven(current_density, material)
    whole, part = number("period", period, above=0.0, unit="s"), number("duty", duty, above=0.0, below=1.0)
    phase = floats("t", t, words="finite times", finite=True) / whole
    difference = _root_zeta(phase % 1.0) - _root_zeta((phase - part) % 1.0)
    return gradient * np.sqrt(kappa * whole) * difference / gamma(1.5)


@checked
@finite
def korhonen_void(
    x: ArrayLike,
    t: ArrayLike,
    *,
    length: float,
    current_density: float,
    material: Any,
    residual_stress: float = 0.0,
) -> Values:
    """Return the stress in a line with a void, where it is 0, at the end that atoms leave, and a blocked other end.

    With s the distance to the void, from a uniform residual stress: sigma = -|G| L (s/L - 2 sum_n (-1)^n sin(k_n s/L)
    exp(-k_n^2 kappa t/L^2)/k_n^2) + 2 sigma_T sum_n sin(k_n s/L) exp(-k_n^2 kappa t/L^2)/k_n, k_n = (n + 1/2) pi.

    Args:
        x: positions in [0, length], any shape [m].
        t: times since the void opened, at least 0, of a shape that broadcasts with x [s].
        length: L, above 0 [m].
        current_density: j, along x positive; the void is at x = 0 if Z* j > 0, else at x = L [A/m2].
        material: as in `korhonen_line`.
        residual_stress: sigma_T [Pa].

    Returns:
        sigma, of the shape of x and t broadcast [Pa].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    size, gradient, kappa = _line(length, current_density, material)
    position, tau = broadcast(x=in_line(x, size, "m"), t=kappa * _time(t) / size**2)
    away = position if gradient > 0 else 1 - position
    residual = number("residual_stress", residual_stress, unit="Pa")
    return abs(gradient) * size * _voided(away, tau) + residual * _relaxing(away, tau)


@checked
@finite
def void_growth(
    t: ArrayLike, *, length: float, current_density: float, material: Any, residual_stress: float = 0.0
) -> Values:
    """Return the volume over the cross-section of a void at the end that atoms leave; the other end is blocked [m].

    The atoms that left the void are in the line: V/A = -int (sigma - sigma_T) dx / B, of the stress of `korhonen_void`.
    It starts as |G| kappa t/B, the drift of the atoms, and tends to `void_saturation`.

    Args:
        t: times since the void opened, at least 0, any shape [s].
        length: L, above 0 [m].
        current_density: j [A/m2].
        material: as in `korhonen_line`.
        residual_stress: sigma_T, in the whole line when the void opens [Pa].

    Returns:
        V/A, of the shape of t [m].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    size, gradient, kappa = _line(length, current_density, material)
    residual = number("residual_stress", residual_stress, unit="Pa")
    tau = kappa * _time(t) / size**2
    (bulk_modulus,) = constants(material, "bulk_modulus")
    return (abs(gradient) * size * _filled(tau) + residual * _released(tau)) * size / bulk_modulus


@checked
@finite
def void_saturation(*, length: float, current_density: float, material: Any, residual_stress: float = 0.0) -> float:
    """Return the final volume over the cross-section of a void at the end of a line, L (|G| L/2 + sigma_T)/B [m].

    Args:
        length: L, above 0 [m].
        current_density: j [A/m2].
        material: as in `korhonen_line`.
        residual_stress: sigma_T, in the whole line when the void opens [Pa].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    size, gradient, _ = _line(length, current_density, material)
    residual = number("residual_stress", residual_stress, unit="Pa")
    (bulk_modulus,) = constants(material, "bulk_modulus")
    return float(size * (abs(gradient) * size / 2 + residual) / bulk_modulus)


@checked
def nucleation_time(
    *, length: float, current_density: float, material: Any, critical_stress: float, residual_stress: float = 0.0
) -> float:
    """Return the time at which an end of a blocked line has the critical tension; infinity if it never has [s].

    Short lines approach (L^2/(pi^2 kappa)) ln(8/(pi^2 (1 - r))), r = 2 (sigma_c - sigma_T)/(|G| L); long ones
    (pi/kappa) ((sigma_c - sigma_T)/(2 G))^2. The value is that of the exact stress, `korhonen_line`.

    Args:
        length: L, above 0; infinity for a half-infinite line [m].
        current_density: j [A/m2].
        material: as in `korhonen_line`.
        critical_stress: sigma_c, above 0 and the residual stress [Pa].
        residual_stress: sigma_T [Pa].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    tension = _tension(critical_stress, residual_stress)
    gradient, kappa = _driven(current_density, material)
    size = length if length == np.inf else number("length", length, above=0.0, unit="m")
    highest = abs(gradient) * size if gradient else 0.0
    wanted = tension / highest if highest else np.inf
    return np.inf if wanted >= 0.5 else _rise_time(wanted, tension, size, gradient, kappa)


@finite
def _rise_time(wanted: float, tension: float, length: float, gradient: float, kappa: float) -> float:
    """Return the time at which the end of a line has a tension, which is `wanted` |G| L."""
    if wanted < NEAR:
        return float(np.pi / kappa * (tension / (2 * gradient)) ** 2)
    first = np.pi * (wanted / 2) ** 2  # of the half line: the other end only delays it
    last = -np.log1p(-2 * wanted) / np.pi**2  # as if all waves decayed as slowly as the first
    tau = brentq(
        lambda s: float(_blocked(np.zeros(()), np.asarray(s))) - wanted, 0.99 * first, 1.01 * last, xtol=1e-15 * first
    )
    return float(tau * length**2 / kappa)


def _tension(critical_stress: float, residual_stress: float) -> float:
    """Return `sigma_c - sigma_T`, above 0."""
    residual = number("residual_stress", residual_stress, unit="Pa")
    return number("critical_stress", critical_stress, above=max(0.0, residual), unit="Pa") - residual


@finite
def _driven(current_density: float, material: Any) -> tuple[float, float]:
    """Return `G = Z* e rho j / Omega` [Pa/m] and `kappa = D B Omega / (k T)` [m2/s]."""
    j = number("current_density", current_density, unit="A/m2")
    names = ("temperature", "effective_charge", "resistivity", "atomic_volume", "diffusivity", "bulk_modulus")
    temperature, charge, resistivity, volume, diffusivity, bulk_modulus = constants(material, *names)
    kappa = diffusivity * bulk_modulus * volume / (boltzmann * temperature)
    return charge * elementary_charge * resistivity * j / volume, number("kappa", kappa, above=0.0, unit="m2/s")


def _line(length: float, current_density: float, material: Any) -> tuple[float, float, float]:
    """Return L, G and kappa."""
    return number("length", length, above=0.0, unit="m"), *_driven(current_density, material)


def _time(t: ArrayLike) -> Values:
    """Return times, which must be at least 0."""
    return at_least_0("t", t, "s")


def _ierfc(z: Values) -> Values:
    """Return the integral of erfc from z to infinity."""
    return np.exp(-(z**2)) / np.sqrt(np.pi) - z * erfc(z)


def _ierfc2(z: Values) -> Values:
    """Return the integral of `_ierfc` from z to infinity."""
    return (erfc(z) - 2 * z * _ierfc(z)) / 4


def _root_zeta(q: Values) -> Values:
    """Return Hurwitz's zeta(-1/2, q), by the formula of Euler and Maclaurin after ten terms, to 3e-11."""
    last = 10.0 + q
    terms = np.sum([np.sqrt(n + q) for n in range(10)], axis=0)
    return terms - last**1.5 / 1.5 + last**0.5 / 2 - last**-0.5 / 24 + last**-2.5 / 1920 - last**-4.5 / 9216


def _half(distance: Values, spread: Values) -> Values:
    """Return the stress of the half line over G, of spread 2 sqrt(kappa t): `spread ierfc(distance/spread)`."""
    safe = np.where(spread > 0, spread, 1.0)
    return np.where(spread > 0, spread * _ierfc(distance / safe), 0.0)


def _spread(tau: Values) -> Values:
    """Return 2 sqrt(tau), above 0, with an axis for images."""
    return 2 * np.sqrt(np.maximum(tau, 1e-300))[..., None]


def _blocked(position: Values, tau: Values) -> Values:
    """Return the stress of the line with blocked ends over G L: by images at early times, by waves later."""
    images = np.arange(-IMAGES, IMAGES + 1)
    early = ((-1.0) ** images * _half(np.abs(position[..., None] - images), 2 * np.sqrt(tau[..., None]))).sum(axis=-1)
    k = (2 * np.arange(WAVES) + 1) * np.pi
    waves = (np.cos(k * position[..., None]) * np.exp(-(k**2) * tau[..., None]) / k**2).sum(axis=-1)
    return np.where(tau <= EARLY, early, 0.5 - position - 4 * waves)


def _voided(away: Values, tau: Values) -> Values:
    """Return the stress of the line with a void over |G| L, from 0: by images at early times, by waves later."""
    m, spread = np.arange(IMAGES), 2 * np.sqrt(tau[..., None])
    pairs = _half(2 * m + 1 + away[..., None], spread) - _half(2 * m + 1 - away[..., None], spread)
    late = _waves(tau, lambda k: SIGNS * np.sin(k * away[..., None]) / k**2) - away
    return np.where(tau <= EARLY, ((-1.0) ** m * pairs).sum(axis=-1), late)


def _relaxing(away: Values, tau: Values) -> Values:
    """Return the part left of a uniform stress of 1 that a void relaxes."""
    m, spread = np.arange(IMAGES), _spread(tau)
    filled = erfc((2 * m + away[..., None]) / spread) + erfc((2 * m + 2 - away[..., None]) / spread)
    late = _waves(tau, lambda k: np.sin(k * away[..., None]) / k)
    return np.where(tau <= EARLY, 1 - ((-1.0) ** m * filled).sum(axis=-1), late)


def _filled(tau: Values) -> Values:
    """Return the void in a line without residual stress over |G| L^2/B: drift until the blocked end matters."""
    m = np.arange(IMAGES)
    back = ((-1.0) ** m * _ierfc2((2 * m + 1) / _spread(tau))).sum(axis=-1)
    return np.where(tau <= EARLY, tau * (1 - 8 * back), 0.5 - _waves(tau, lambda k: SIGNS / k**3))


def _released(tau: Values) -> Values:
    """Return the void in a line with a residual stress of 1, without current, over L/B."""
    m = np.arange(1, IMAGES)
    back = 2 * ((-1.0) ** m * _ierfc(2 * m / _spread(tau))).sum(axis=-1)
    early = _spread(tau)[..., 0] * (1 / np.sqrt(np.pi) + back)
    return np.where(tau <= EARLY, early, 1 - _waves(tau, lambda k: k**-2.0))


def _waves(tau: Values, shape: Callable[[Any], Any]) -> Values:
    """Return `2 sum_n shape(k_n) exp(-k_n^2 tau)`, k_n = (n + 1/2) pi."""
    k = (np.arange(WAVES) + 0.5) * np.pi
    return 2 * (shape(k) * np.exp(-(k**2) * tau[..., None])).sum(axis=-1)
