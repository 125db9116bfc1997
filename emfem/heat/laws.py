"""Terms of heat: sources, conduction and losses, each a function of UFL."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from emfem.errors import ParameterError, number, require, shown
from emfem.gate import checked
from emfem.model import Model, is_law
from emfem.model.terms import of_terms

import ufl
from scipy.constants import Stefan_Boltzmann as STEFAN_BOLTZMANN

LORENZ = 2.44e-8  # W Ohm/K2, of free electrons: pi^2/3 (kB/e)^2


@checked
@of_terms
def fourier_flux(conductivity: Any, temperature: Any) -> Any:
    """`-k grad T`, Fourier's law [W/m2]."""
    return -conductivity * ufl.grad(temperature)


def storage(capacity: Any, rate: Any, v: Any, dx: ufl.Measure) -> ufl.Form:
    """`int rho_m c_p dT/dt v dx`: heat stored by a body that warms up."""
    return capacity * rate * v * dx


def spreading(flux: Any, v: Any, dx: ufl.Measure) -> ufl.Form:
    """`int -q . grad v dx`: heat that leaves one place arrives at the next, insulated edges natural."""
    return -ufl.inner(flux, ufl.grad(v)) * dx


def exchange(coefficient: Any, temperature: Any, ambient: Any) -> Any:
    """`h (T - T_a)`: heat given to surroundings at T_a, per area or per volume."""
    return coefficient * (temperature - ambient)


@checked
@of_terms
def radiated(emissivity: Any, temperature: Any, ambient: Any) -> Any:
    """`e s (T^4 - T_a^4)`, s the constant of Stefan and Boltzmann: heat that a grey surface loses by area [W/m2].

    A surface that moves loses `radiated(e, T, T_a) * em.heat.area_density(wire)` by volume, T a placeholder: subtract
    it from the `source`.
    """
    return emissivity * STEFAN_BOLTZMANN * (temperature**4 - ambient**4)


@checked
def area_density(surface: Model) -> Any:
    """`|grad s|`, s the part of a place that is metal: area of a moving surface by volume, UFL [1/m].

    Args:
        surface: an `em.surface.model`, or any with its field solid.

    Raises:
        ParameterError: for a model without the field.
    """
    require("solid" in surface.names, f"surface = the {surface.name} model, must have a field solid")
    slope = ufl.grad(surface["solid"])
    return ufl.sqrt(ufl.inner(slope, slope))


@checked
@of_terms
def driven(resistivity: Any, current_density: Any) -> Any:
    """`rho j^2`: the heat of a given current density [W/m3]."""
    return resistivity * ufl.inner(current_density, current_density)


@checked
def joule(current: Model) -> Any:
    """`j . E`: the Joule heat of a conduction model, UFL, to be the `source` of a heat model [W/m3].

    Args:
        current: an `em.conduction.model`.

    Raises:
        ParameterError: for a model without the fields j and E.
    """
    if not {"j", "E"} <= set(current.names):
        msg = f"current = the {current.name} model with {', '.join(current.names)}, must have fields j and E"
        raise ParameterError(msg)
    return ufl.inner(current["j"], current["E"])


@checked
def wiedemann_franz(resistivity: Any, *, lorenz: float = LORENZ) -> Callable[[Any], Any]:
    """Return the thermal conductivity `k(T) = L T/rho(T)` of the electrons, a function of T for `em.heat.model`.

    Args:
        resistivity: rho, a number or a function of T, such as `copper.law("resistivity")` [Ohm m].
        lorenz: L, that of free electrons when left out [W Ohm/K2].

    Raises:
        ParameterError: for a resistivity or Lorenz number that is not positive.

    References:
        A. Sommerfeld, Zur Elektronentheorie der Metalle auf Grund der Fermischen Statistik, Z. Phys. 47, 1 (1928),
        doi:10.1007/BF01391052.
    """
    number("lorenz", lorenz, above=0.0, unit="W Ohm/K2")
    if callable(resistivity):
        return lambda temperature: lorenz * temperature / resistivity(temperature)
    rho = number("resistivity", resistivity, above=0.0, unit="Ohm m")
    return lambda temperature: lorenz * temperature / rho


@checked
def runaway(resistivity: Callable[[float], float], conductivity: float, temperature: float) -> float:
    """Return j L at which a line with ends at `temperature` runs away, `pi sqrt(k/(drho/dT))` [A/m].

    It is exact for a resistivity linear in T and a constant conductivity; infinite if the resistivity does not rise.

    Args:
        resistivity: rho(T) [Ohm m].
        conductivity: k [W/(m K)].
        temperature: of the ends [K].

    Raises:
        ParameterError: for a resistivity that is no function, or a value that is not positive.
    """
    require(is_law(resistivity), f"resistivity = {resistivity}, must be a function of T")
    k = number("conductivity", conductivity, above=0.0, unit="W/(m K)")
    middle = number("temperature", temperature, above=0.5, unit="K")
    try:
        values = [(t, resistivity(t)) for t in (middle - 0.5, middle, middle + 0.5)]
    except TypeError as error:
        msg = f"resistivity = {shown(resistivity)}, must be a function of T: {error}"
        raise ParameterError(msg) from error
    below, here, above = (number(f"resistivity({t:g} K)", value, unit="Ohm m") for t, value in values)
    slope = above - below  # per kelvin
    rising = slope > 1e-12 * abs(here)  # less is rounding
    return math.pi * math.sqrt(k / slope) if rising else math.inf
