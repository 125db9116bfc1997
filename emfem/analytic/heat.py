"""Closed forms of Joule heat: lines, their thermal runaway, and conductors between electrodes of one temperature."""

from __future__ import annotations

from emfem.analytic.arguments import in_line
from emfem.arrays import finite
from emfem.errors import ParameterError, floats, number, require
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike, NDArray


@checked
@finite
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
    """Return the steady temperature of a line with ends at T0, heated by a current: k T'' + rho j^2 - g (T - T0) = 0.

    With rho = rho0 (1 + a (T - T0)), m^2 = j^2 rho0 a/k, p^2 = g/k and s^2 = p^2 - m^2 it is
    T0 + rho0 j^2/(k s^2) (1 - cosh(s (x - L/2))/cosh(s L/2)); a parabola for s = 0, cosines for s^2 < 0.

    Args:
        x: positions in [0, length], any shape [m].
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
        ParameterError: for a value out of its bounds, or a current density beyond thermal runaway.
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
    position, half = (in_line(x, length, "m") - 0.5) * length, length / 2
    if abs(square) * half**2 < 1e-8:  # the parabola, with the next term: 1 - cosh/cosh would lose all its digits
        shape = (half**2 - position**2) / 2 * (1 - square * (5 * half**2 - position**2) / 12)
        return start + heat * shape
    root = np.sqrt(complex(square))
    # 1 - cosh(a)/cosh(b) = 2 sinh((b - a)/2) sinh((b + a)/2)/cosh(b), without the loss of digits and without overflow
    left, right = (np.expm1(-root * distance) for distance in (half + position, half - position))
    shape = left * right / (1 + np.exp(-2 * root * half))
    return start + heat * (shape / square).real


@checked
def runaway_current_density(
    *, length: float, resistivity: float, conductivity: float, temperature_coefficient: float, loss: float = 0.0
) -> float:
    """Return the current density of thermal runaway of a line with ends at T0, `sqrt((g + k (pi/L)^2)/(rho0 a))`.

    From it on the line has no steady temperature.

    Args:
        length: L, above 0; infinity for a line cooled only by the substrate [m].
        resistivity: rho0, that at T0, above 0 [Ohm m].
        conductivity: k, above 0 [W/(m K)].
        temperature_coefficient: a, of the resistivity at T0; without a limit if it is not above 0 [1/K].
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
    size = length if length == np.inf else number("length", length, above=0.0, unit="m")
    return _runaway(size, rho, k, coefficient, g) if coefficient > 0 else np.inf


@finite
def _runaway(length: float, rho: float, k: float, coefficient: float, g: float) -> float:
    """Return the current density of thermal runaway where there is one."""
    ends = 0.0 if length == np.inf else k * (np.pi / length) ** 2
    return float(np.sqrt((g + ends) / (rho * coefficient)))


@checked
@finite
def isothermal_electrodes(
    potential: ArrayLike,
    *,
    voltage: float,
    temperature: float,
    resistivity: float | None = None,
    conductivity: float | None = None,
    lorenz: float | None = None,
) -> NDArray[np.float64]:
    """Return the steady temperature of a conductor of any shape between two electrodes at T0, elsewhere insulated.

    It follows from the potential: T = T0 + phi (V - phi)/(2 rho k) where rho k is constant, and
    T^2 = T0^2 + phi (V - phi)/L where k = L T/rho (Wiedemann-Franz), for any rho(T). At the hottest point phi = V/2.

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
        ParameterError: for anything else than either rho and k or L, or for a value out of its bounds.

    References:
        F. Kohlrausch, Ueber den stationaeren Temperaturzustand eines elektrisch geheizten Leiters, Ann. Phys. 306, 132
        (1900), doi:10.1002/andp.19003060107.
    """
    start = number("temperature", temperature, above=0.0, unit="K")
    phi = floats("potential", potential)
    product = phi * (number("voltage", voltage, unit="V") - phi)
    if lorenz is not None and resistivity is None and conductivity is None:
        square = start**2 + product / number("lorenz", lorenz, above=0.0, unit="W Ohm/K2")
        return np.sqrt(_positive(square, phi, voltage))
    if lorenz is not None or resistivity is None or conductivity is None:
        msg = f"resistivity = {resistivity}, conductivity = {conductivity}, lorenz = {lorenz}: give the first two or L"
        raise ParameterError(msg)
    rho = number("resistivity", resistivity, above=0.0, unit="Ohm m")
    rise = product / (2 * rho * number("conductivity", conductivity, above=0.0, unit="W/(m K)"))
    return _positive(start + rise, phi, voltage)


def _positive(values: NDArray[np.float64], potential: NDArray[np.float64], voltage: float) -> NDArray[np.float64]:
    """Return temperatures, or their squares, that are above 0; those of a potential between the electrodes are."""
    low, high = np.min(potential, initial=np.inf), np.max(potential, initial=-np.inf)
    message = f"potential from {low:g} to {high:g} V, must be between those of the electrodes, 0 and {voltage:g} V"
    require((values > 0.0).all(), message)
    return values
