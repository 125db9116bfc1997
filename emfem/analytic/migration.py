"""Closed forms of migration: drift against a wall, diffusion couples, and the cancellation of forces."""

from __future__ import annotations

import math

from emfem.analytic.arguments import at_least_0, in_line
from emfem.arrays import MOST, finite
from emfem.errors import number, require
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import erf


@checked
@finite
def blocked_drift(x: ArrayLike, *, length: float, peclet: float, time: float | None = None) -> NDArray[np.float64]:
    """Return the concentration of a species that drifts in a blocked line, over its uniform initial value.

    The steady state is u = Pe e^{Pe x/L} / (e^{Pe} - 1); before that a series of decaying waves, from u = 1 at t = 0.

    Args:
        x: positions in [0, length], any shape [length].
        length: L, above 0.
        peclet: Pe = v L / D, positive for a drift towards x = length; from -20 to 20 with a time, or the waves
            would cancel each other in rounding [-].
        time: D t / L^2, above 0; the steady state if left out [-].

    Returns:
        u, shape of x.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    position = in_line(x, number("length", length, above=0.0))
    pe = number("peclet", peclet)
    # Pe e^{Pe x} / (e^{Pe} - 1), written so that nothing overflows for either sign
    steady = np.ones_like(position) if pe == 0 else pe * np.exp(pe * position - max(pe, 0.0)) / _risen(pe)
    if time is None or pe == 0:
        return steady
    t = number("time", time, above=0.0)
    number("peclet", peclet, at_least=-20.0, at_most=20.0)
    most = MOST // max(position.size, 1)  # waves
    number("time", t, at_least=(7 / most) ** 2)
    waves = np.arange(1, 10 + int(7 / np.sqrt(t))) * np.pi  # the last has decayed to exp(-49)
    decay = waves**2 + pe**2 / 4
    sign = np.cos(waves)  # (-1)^n
    size = 2 * pe / (decay * (1 + pe**2 / (4 * waves**2)))
    shape = np.cos(position[..., None] * waves) + pe / (2 * waves) * np.sin(position[..., None] * waves)
    grown = np.exp(pe * position[..., None] / 2 - decay * t) - sign * np.exp(
        pe * (position[..., None] - 1) / 2 - decay * t
    )
    return steady + (size * shape * grown).sum(axis=-1)


def _risen(pe: float) -> float:
    """Return (e^{Pe} - 1) e^{-max(Pe, 0)}."""
    return float(-np.expm1(-pe) if pe > 0 else np.expm1(pe))


@checked
@finite
def wall_accumulation(time: ArrayLike) -> NDArray[np.float64]:
    """Return the concentration at a blocking wall, with drift to it from infinity, over its uniform initial value.

    u = (1 + t/2) (1 + erf(sqrt(t)/2)) + sqrt(t/pi) e^{-t/4}.

    Args:
        time: v^2 t / D, at least 0, any shape [-].

    Raises:
        ParameterError: for a time below 0, or infinite.
    """
    t = at_least_0("time", time, "-")
    return (1 + t / 2) * (1 + erf(np.sqrt(t) / 2)) + np.sqrt(t / np.pi) * np.exp(-t / 4)


@checked
def kirkendall_marker(ratio: float) -> float:
    """Return the position xi of the markers of a diffusion couple: x = 2 xi sqrt(D t), xi = -r/(2 sqrt(pi)) e^{-xi^2}.

    It is exact for D_A = D + N d and D_B = D - (1 - N) d, which give the constant interdiffusion coefficient D, with A
    at x < 0: the fraction of A is then erfc(x / (2 sqrt(D t))) / 2.

    Args:
        ratio: r = d / D, the difference of the diffusivities over D, in (-2, 2) [-].

    Returns:
        xi [-].

    Raises:
        ParameterError: for a ratio out of its bounds.
    """
    pull = number("ratio", ratio, above=-2.0, below=2.0) / (2 * np.sqrt(np.pi))
    return float(brentq(lambda xi: xi + pull * np.exp(-(xi**2)), -1.0, 1.0, xtol=1e-15))


@checked
@finite
def cancellation_temperature(
    direct: float,
    wind: float,
    *,
    temperature_coefficient: float,
    reference_temperature: float = 293.15,
    melting_temperature: float | None = None,
) -> float:
    """Return the temperature at which the direct force of the field and the electron wind cancel [K].

    Z*(T) = Zd + Zw rho(T0)/rho(T) with rho = rho0 (1 + a (T - T0)) is zero at T0 + (-Zw/Zd - 1)/a. Below it the wind
    is larger, above it the direct force.

    Args:
        direct: Zd, signed [-].
        wind: Zw at the reference temperature, signed; of the other sign than Zd [-].
        temperature_coefficient: a, above 0 [1/K].
        reference_temperature: T0, above 0 [K].
        melting_temperature: of the metal [K]; not checked if left out.

    Raises:
        ParameterError: for a value out of its bounds, charges of one sign, or a temperature that is not above 0 K or is
            above melting: the forces never cancel.
    """
    zd, zw = number("direct", direct), number("wind", wind)
    slope = number("temperature_coefficient", temperature_coefficient, above=0.0, unit="1/K")
    reference = number("reference_temperature", reference_temperature, above=0.0, unit="K")
    highest = math.inf if melting_temperature is None else number("melting_temperature", melting_temperature, above=0.0)
    require(min(zd, zw) < 0.0 < max(zd, zw), f"direct = {zd:g} and wind = {zw:g}, must have opposite signs to cancel")
    result = reference + (-zw / zd - 1) / slope
    where = "not above 0 K" if result <= 0.0 else f"above the melting temperature of {highest:g} K"
    message = f"direct = {zd:g} and wind = {zw:g} would cancel at {result:.6g} K, {where}: they never do"
    require(0.0 < result <= highest, message)
    return result
