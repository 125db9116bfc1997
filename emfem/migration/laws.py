"""How a species moves: its flux, conservation, what sinks add, and the drift velocity that forces give an atom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from emfem.errors import ParameterError, number
from emfem.units import boltzmann, elementary_charge

import numpy as np
import ufl


def species_flux(diffusivity: Any, velocity: Any, c: Any) -> Any:
    """`J = -D grad c + v c`."""
    return -applied(diffusivity, ufl.grad(c)) + velocity * c


def transport(rate: Any, w: Any, dt: ufl.Measure, flux: Any, dx: ufl.Measure) -> ufl.Form:
    """`int dc/dt w dt - int J . grad w dx`: nothing is lost, blocked edges natural.

    The two measures are the volume's, which may be integrated with different points.
    """
    return rate * w * dt - ufl.inner(flux, ufl.grad(w)) * dx


def applied(diffusivity: Any, vector: Any) -> Any:
    """`D a`, of a number or a tensor D."""
    return ufl.dot(diffusivity, vector) if ufl.as_ufl(diffusivity).ufl_shape else diffusivity * vector


def solved(diffusivity: Any, vector: Any) -> Any:
    """`D^-1 a`, of a number or a tensor D."""
    if ufl.as_ufl(diffusivity).ufl_shape:
        return ufl.dot(ufl.inv(diffusivity), vector)
    return vector / diffusivity


def sinks(*, equilibrium: Any, lifetime: float) -> Callable[[Any], Any]:
    """Sources and sinks that bring a species back to equilibrium, `g = (c_eq - c) / tau`, for `model(source=...)`.

    Vacancies are made and lost like this at dislocations and boundaries.

    Args:
        equilibrium: c_eq: a number, at least 0, or UFL, such as one that follows the stress [unit of c].
        lifetime: tau, above 0 [s].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    tau = number("lifetime", lifetime, above=0.0, unit="s")
    if not isinstance(equilibrium, ufl.core.expr.Expr):
        equilibrium = number("equilibrium", equilibrium, at_least=0.0)
    return lambda c: (equilibrium - c) / tau


class Migrating(Protocol):
    """What a drift velocity needs of a material: numbers at its temperature, and its laws."""

    @property
    def temperature(self) -> float:
        """T [K]."""

    @property
    def diffusivity(self) -> float:
        """D [m2/s]."""

    @property
    def effective_charge(self) -> float:
        """Z*, signed [-]."""

    @property
    def atomic_volume(self) -> float:
        """Omega [m3]."""

    @property
    def heat_of_transport(self) -> float:
        """Q* [J]."""

    def law(self, name: str) -> Callable[[Any], Any]:
        """The law of temperature called `name`."""


def drift_velocity(
    material: Migrating,
    *,
    field: Any = None,
    temperature_gradient: Any = None,
    stress_gradient: Any = None,
    temperature: Any = None,
) -> Any:
    """The velocity that forces give the atoms of a material: `v = D/(kT) (Z* e E - Q*/T grad T + Omega grad sigma)`.

    Z* is signed: atoms with Z* < 0 go against the field, with the electrons. Q* > 0 drives atoms to the cold side.
    Tension is positive and draws atoms. Vacancies go the other way: their v is minus this one with their diffusivity.

    Args:
        material: one of `em.materials`, or anything with its numbers and laws.
        field: E [V/m].
        temperature_gradient: grad T [K/m].
        stress_gradient: grad sigma, of the hydrostatic stress [Pa/m].
        temperature: T, above 0; the material's when left out, else its laws are taken at this temperature [K].

    Each force is a number (in one dimension), numbers of shape (dim,), or UFL; the temperature is a number or UFL.

    Returns:
        v [m/s], of the shape of the forces.

    Raises:
        ParameterError: if there is no force, a force is not finite, they are of different shapes, or the temperature is
            not positive.
    """
    charge = elementary_charge
    if not hasattr(material, "temperature") or not (temperature is None or callable(getattr(material, "law", None))):
        msg = f"material = {material!r}, must be one of em.materials, or have numbers and laws as they have"
        raise ParameterError(msg)
    if temperature is None:
        temperature = number("temperature", material.temperature, above=0.0, unit="K")

        def law(name: str) -> Any:
            return getattr(material, name)
    else:
        if not isinstance(temperature, ufl.core.expr.Expr):
            temperature = number("temperature", temperature, above=0.0, unit="K")

        def law(name: str) -> Any:
            return material.law(name)(temperature)

    given = {"field": field, "temperature_gradient": temperature_gradient, "stress_gradient": stress_gradient}
    pulls = _alike({name: _force(name, value) for name, value in given.items() if value is not None}, temperature)
    forces = []
    if field is not None:
        forces.append(law("effective_charge") * charge * pulls["field"])
    if temperature_gradient is not None:
        forces.append(-law("heat_of_transport") / temperature * pulls["temperature_gradient"])
    if stress_gradient is not None:
        forces.append(law("atomic_volume") * pulls["stress_gradient"])
    total = forces[0]
    for force in forces[1:]:
        total = total + force
    return law("diffusivity") / (boltzmann * temperature) * total


def _alike(given: Mapping[str, Any], temperature: Any) -> dict[str, Any]:
    """The forces, all of them UFL if one is, or the temperature is.

    Raises:
        ParameterError: if there is none, or they cannot be added.
    """
    if not given:
        msg = "field, temperature_gradient and stress_gradient are all None, must be at least one of them"
        raise ParameterError(msg)
    shapes = {name: getattr(value, "ufl_shape", np.shape(value)) for name, value in given.items()}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{name} of shape {shape}" for name, shape in shapes.items())
        msg = f"{told}, must be of one shape"
        raise ParameterError(msg)
    forms = any(isinstance(value, ufl.core.expr.Expr) for value in (*given.values(), temperature))
    return {name: ufl.as_vector(v.tolist()) if forms and isinstance(v, np.ndarray) else v for name, v in given.items()}


def _force(name: str, value: Any) -> Any:
    """`value` as UFL, a number, or an array of numbers.

    Raises:
        ParameterError: if it is something else, or not finite.
    """
    if isinstance(value, ufl.core.expr.Expr):
        return value
    if np.ndim(value) == 0:
        return number(name, value)
    found = np.array([number(name, part) for part in np.ravel(value)])
    if found.shape != np.shape(value):
        msg = f"{name} of shape {np.shape(value)}, must be a number or a vector"
        raise ParameterError(msg)
    return found
