"""Closed forms, in NumPy: what a simulation must come to where mathematics can say it."""

from __future__ import annotations

import math
from typing import Any

from emfem.errors import ParameterError, number
from emfem.units import elementary_charge

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import erf, expit


def logistic_profile(x: ArrayLike, *, length: float, drive: float, mean: float) -> NDArray[np.float64]:
    """Equilibrium of an ideal binary alloy between diffusion and a field in a blocked line.

    C / (1 - C) = K exp(lambda x) with K such that the mean of C is kept. It holds for any mobility, because the flux is
    zero everywhere; in the film model lambda = F / S, without enthalpy, stress and gradient energy.

    Args:
        x: places in [0, length], any shape [length].
        length: of the line, above 0.
        drive: lambda, the drift force over the thermal energy [1/length].
        mean: solute fraction, in (0, 1) [-].

    Returns:
        C, shape of x.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    total = number("drive", drive) * number("length", length, above=0.0)
    mean = number("mean", mean, above=0.0, below=1.0)
    place = np.asarray(x, dtype=float) / length
    if total == 0.0:
        return np.full_like(place, mean)
    if total < 0.0:
        place, total = 1 - place, -total
    # ln K of K = (e^{l m} - 1) / (e^l - e^{l m}), l = lambda L, written so that nothing overflows
    log_k = np.log(np.expm1(-total * mean) / np.expm1(-total * (1 - mean))) - total * (1 - mean)
    return expit(log_k + total * place)


def kink(x: ArrayLike, *, gradient_energy: float) -> NDArray[np.float64]:
    """Equilibrium boundary between the phases of the double well f = (1 - c^2)^2 / 4: c = tanh(x / sqrt(2 eps)).

    Args:
        x: distance to the boundary, any shape [length].
        gradient_energy: eps of (eps/2) |grad c|^2, above 0.

    Raises:
        ParameterError: for a gradient energy that is not positive.
    """
    eps = number("gradient_energy", gradient_energy, above=0.0)
    return np.tanh(np.asarray(x, dtype=float) / np.sqrt(2 * eps))


def cancellation_temperature(
    direct: float,
    wind: float,
    *,
    temperature_coefficient: float,
    reference_temperature: float = 293.15,
    melting_temperature: float | None = None,
) -> float:
    """The temperature at which the pull of the field and the wind of the electrons cancel [K].

    Z*(T) = Zd + Zw rho(T0)/rho(T) with rho = rho0 (1 + a (T - T0)) is zero at T0 + (-Zw/Zd - 1)/a. Below it the wind
    wins, above it the field.

    Args:
        direct: Zd, signed [-].
        wind: Zw at the reference temperature, signed; of the other sign than Zd [-].
        temperature_coefficient: a, above 0 [1/K].
        reference_temperature: T0, above 0 [K].
        melting_temperature: of the metal [K]; not looked at when left out.

    Raises:
        ParameterError: for a value out of its bounds, charges of one sign, or a temperature that is not above 0 K or is
            above melting: the forces never cancel.
    """
    zd, zw = number("direct", direct), number("wind", wind)
    slope = number("temperature_coefficient", temperature_coefficient, above=0.0, unit="1/K")
    reference = number("reference_temperature", reference_temperature, above=0.0, unit="K")
    highest = math.inf if melting_temperature is None else number("melting_temperature", melting_temperature, above=0.0)
    if zd * zw >= 0.0:
        msg = f"direct = {zd:g} and wind = {zw:g}, must have opposite signs to cancel"
        raise ParameterError(msg)
    result = reference + (-zw / zd - 1) / slope
    if not 0.0 < result <= highest:
        place = "not above 0 K" if result <= 0.0 else f"above the melting temperature of {highest:g} K"
        msg = f"direct = {zd:g} and wind = {zw:g} would cancel at {result:.6g} K, {place}: they never do"
        raise ParameterError(msg)
    return result


def blech_product(material: Any, *, critical_stress: float, residual_stress: float = 0.0) -> float:
    """The product of current density and length below which no void opens in a blocked line [A/m].

    (j L)_c = 2 Omega (sigma_c - sigma_T) / (e |Z*| rho): at the end that atoms leave, the greatest tension is half
    of the difference between the ends.

    Args:
        material: with `atomic_volume` [m3], `effective_charge` [-] and `resistivity` [Ohm m].
        critical_stress: sigma_c, the tension at which a void opens [Pa].
        residual_stress: sigma_T, without a current, below sigma_c; tension positive [Pa].

    Raises:
        ParameterError: for stresses out of their bounds, or an uncharged atom, which no current moves.
    """
    residual = number("residual_stress", residual_stress, unit="Pa")
    tension = number("critical_stress", critical_stress, above=max(0.0, residual), unit="Pa") - residual
    charge = number("effective_charge", material.effective_charge)
    if charge == 0.0:
        msg = "effective_charge = 0, must not be zero: no current moves an uncharged atom"
        raise ParameterError(msg)
    return 2 * material.atomic_volume * tension / (elementary_charge * abs(charge) * material.resistivity)


def heated_line(
    x: ArrayLike,
    *,
    length: float,
    current_density: float,
    resistivity: float,
    conductivity: float,
    temperature: float,
    temperature_coefficient: float = 0.0,
    loss: float = 0.0,
) -> NDArray[np.float64]:
    """Steady temperature of a line with ends at T0 that a current heats: k T'' + rho j^2 - g (T - T0) = 0.

    With rho = rho0 (1 + a (T - T0)), m^2 = j^2 rho0 a/k, p^2 = g/k and s^2 = p^2 - m^2 it is
    T0 + rho0 j^2/(k s^2) (1 - cosh(s (x - L/2))/cosh(s L/2)); a parabola for s = 0, cosines for s^2 < 0.

    Args:
        x: places in [0, length], any shape [m].
        length: L, above 0 [m].
        current_density: j [A/m2].
        resistivity: rho0, that at T0, above 0 [Ohm m].
        conductivity: k, above 0 [W/(m K)].
        temperature: T0, of the ends and the substrate, above 0 [K].
        temperature_coefficient: a, of the resistivity at T0 [1/K].
        loss: g, to a substrate, at least 0 [W/(m3 K)].

    Returns:
        T, shape of x [K].

    Raises:
        ParameterError: for a value out of its bounds, or a current density at which the line runs away.
    """
    limit = runaway_current_density(
        length=length,
        resistivity=resistivity,
        conductivity=conductivity,
        temperature_coefficient=temperature_coefficient,
        loss=loss,
    )
    j = abs(number("current_density", current_density, unit="A/m2"))
    number("current_density", j, below=limit, unit="A/m2")
    start = number("temperature", temperature, above=0.0, unit="K")
    heat = resistivity * j**2 / conductivity
    square = loss / conductivity - heat * temperature_coefficient
    place, half = np.asarray(x, dtype=float) - length / 2, length / 2
    if abs(square) * half**2 < 1e-8:  # the parabola, with the next term: 1 - cosh/cosh would lose all its digits
        shape = (half**2 - place**2) / 2 * (1 - square * (5 * half**2 - place**2) / 12)
        return start + heat * shape
    root = np.sqrt(complex(square))
    # 1 - cosh(a)/cosh(b) = 2 sinh((b - a)/2) sinh((b + a)/2)/cosh(b), without the loss of digits
    shape = 2 * np.sinh(root * (half - place) / 2) * np.sinh(root * (half + place) / 2) / np.cosh(root * half)
    return start + heat * (shape / square).real


def runaway_current_density(
    *, length: float, resistivity: float, conductivity: float, temperature_coefficient: float, loss: float = 0.0
) -> float:
    """Current density from which a line with ends at T0 has no steady temperature, `sqrt((g + k (pi/L)^2)/(rho0 a))`.

    Args:
        length: L, above 0; infinity for a line that only the substrate cools [m].
        resistivity: rho0, that at T0, above 0 [Ohm m].
        conductivity: k, above 0 [W/(m K)].
        temperature_coefficient: a, of the resistivity at T0; not above 0 there is no limit [1/K].
        loss: g, to a substrate at T0, at least 0 [W/(m3 K)].

    Returns:
        j [A/m2].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    k = number("conductivity", conductivity, above=0.0, unit="W/(m K)")
    rho = number("resistivity", resistivity, above=0.0, unit="Ohm m")
    coefficient = number("temperature_coefficient", temperature_coefficient, unit="1/K")
    g = number("loss", loss, at_least=0.0, unit="W/(m3 K)")
    ends = 0.0 if length == np.inf else k * (np.pi / number("length", length, above=0.0, unit="m")) ** 2
    return float(np.sqrt((g + ends) / (rho * coefficient))) if coefficient > 0 else np.inf


def isothermal_electrodes(
    potential: ArrayLike,
    *,
    voltage: float,
    temperature: float,
    resistivity: float | None = None,
    conductivity: float | None = None,
    lorenz: float | None = None,
) -> NDArray[np.float64]:
    """Steady temperature of a conductor of any shape between two electrodes at T0, elsewhere insulated.

    The potential tells it: T = T0 + phi (V - phi)/(2 rho k) where rho k is constant; T^2 = T0^2 + phi (V - phi)/L where
    k = L T/rho (Wiedemann-Franz), whatever rho(T) is. The hottest place has phi = V/2.

    Args:
        potential: phi, from one of the electrodes, any shape [V].
        voltage: V, of the other electrode [V].
        temperature: T0, above 0 [K].
        resistivity: rho, above 0 [Ohm m]; with `conductivity`.
        conductivity: k, above 0 [W/(m K)]; with `resistivity`.
        lorenz: L, above 0 [W Ohm/K2]; instead of these two.

    Returns:
        T, shape of the potential [K].

    Raises:
        ParameterError: unless either rho and k or L are given, or for a value out of its bounds.

    References:
        F. Kohlrausch, Ueber den stationaeren Temperaturzustand eines elektrisch geheizten Leiters, Ann. Phys. 306, 132
        (1900), doi:10.1002/andp.19003060107.
    """
    start = number("temperature", temperature, above=0.0, unit="K")
    phi = np.asarray(potential, dtype=float)
    product = phi * (number("voltage", voltage, unit="V") - phi)
    if lorenz is not None and resistivity is None and conductivity is None:
        return np.sqrt(start**2 + product / number("lorenz", lorenz, above=0.0, unit="W Ohm/K2"))
    if lorenz is not None or resistivity is None or conductivity is None:
        msg = f"resistivity = {resistivity}, conductivity = {conductivity}, lorenz = {lorenz}: give the first two or L"
        raise ParameterError(msg)
    rho = number("resistivity", resistivity, above=0.0, unit="Ohm m")
    return start + product / (2 * rho * number("conductivity", conductivity, above=0.0, unit="W/(m K)"))


def blocked_drift(x: ArrayLike, *, length: float, peclet: float, time: float | None = None) -> NDArray[np.float64]:
    """Concentration of a species that drifts in a blocked line, over its uniform start.

    u = Pe e^{Pe x/L} / (e^{Pe} - 1) in the end; before that a series of decaying waves, on the way from u = 1.

    Args:
        x: places in [0, length], any shape [length].
        length: L, above 0.
        peclet: Pe = v L / D, positive for a drift towards x = length; from -20 to 20 with a time, or the waves
            would cancel to nothing [-].
        time: D t / L^2, above 0; the steady state when left out [-].

    Returns:
        u, shape of x.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    place = np.asarray(x, dtype=float) / number("length", length, above=0.0)
    pe = number("peclet", peclet)
    # Pe e^{Pe x} / (e^{Pe} - 1), written so that nothing overflows for either sign
    steady = np.ones_like(place) if pe == 0 else pe * np.exp(pe * place - max(pe, 0.0)) / _risen(pe)
    if time is None or pe == 0:
        return steady
    t = number("time", time, above=0.0)
    number("peclet", peclet, at_least=-20.0, at_most=20.0)
    waves = np.arange(1, 10 + int(7 / np.sqrt(t))) * np.pi  # the last has decayed to exp(-49)
    decay = waves**2 + pe**2 / 4
    sign = np.cos(waves)  # (-1)^n
    size = 2 * pe / (decay * (1 + pe**2 / (4 * waves**2)))
    shape = np.cos(place[..., None] * waves) + pe / (2 * waves) * np.sin(place[..., None] * waves)
    grown = np.exp(pe * place[..., None] / 2 - decay * t) - sign * np.exp(pe * (place[..., None] - 1) / 2 - decay * t)
    return steady + (size * shape * grown).sum(axis=-1)


def _risen(pe: float) -> float:
    """(e^{Pe} - 1) e^{-max(Pe, 0)}."""
    return float(-np.expm1(-pe) if pe > 0 else np.expm1(pe))


def wall_accumulation(time: ArrayLike) -> NDArray[np.float64]:
    """Concentration at a blocking wall that a uniform species drifts to from afar, over its start.

    u = (1 + t/2) (1 + erf(sqrt(t)/2)) + sqrt(t/pi) e^{-t/4}.

    Args:
        time: v^2 t / D, at least 0, any shape [-].
    """
    t = np.asarray(time, dtype=float)
    return (1 + t / 2) * (1 + erf(np.sqrt(t) / 2)) + np.sqrt(t / np.pi) * np.exp(-t / 4)


def kirkendall_marker(ratio: float) -> float:
    """Where the markers of a diffusion couple go: x = 2 xi sqrt(D t), xi = -r / (2 sqrt(pi)) e^{-xi^2}.

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
