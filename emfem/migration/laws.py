"""Laws of migration: the flux of a species, conservation, sinks, and the drift velocity of atoms under forces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from emfem.errors import ParameterError, floats, number
from emfem.gate import checked
from emfem.model import MaterialAt, MaterialLaws, check_material, is_ufl
from emfem.model.terms import of_terms
from emfem.units import boltzmann, elementary_charge

import numpy as np
import ufl


@checked
@of_terms
def species_flux(diffusivity: Any, velocity: Any, c: Any) -> Any:
    """`J = -D grad c + v c`."""
    return -apply_tensor(diffusivity, ufl.grad(c)) + velocity * c


@checked
@of_terms
def transport(rate: Any, w: Any, dt: ufl.Measure, flux: Any, dx: ufl.Measure) -> ufl.Form:
    """`int dc/dt w dt - int J . grad w dx`: nothing is lost, blocked edges natural.

    The two measures are the volume's, which may be integrated with different points.
    """
    return rate * w * dt - ufl.inner(flux, ufl.grad(w)) * dx


def apply_tensor(diffusivity: Any, vector: Any) -> Any:
    """`D a`, of a number or a tensor D."""
    return ufl.dot(diffusivity, vector) if ufl.as_ufl(diffusivity).ufl_shape else diffusivity * vector


def apply_inverse(diffusivity: Any, vector: Any) -> Any:
    """`D^-1 a`, of a number or a tensor D."""
    if ufl.as_ufl(diffusivity).ufl_shape:
        return ufl.dot(ufl.inv(diffusivity), vector)
    return vector / diffusivity


@checked
def sinks(*, equilibrium: Any, lifetime: float) -> Callable[[Any], Any]:
    """Return sources and sinks of relaxation to equilibrium, `g = (c_eq - c) / tau`, for `model(source=...)`.

    Vacancies are made and lost like this at dislocations and boundaries.

    Args:
        equilibrium: c_eq: a number, at least 0, or UFL, such as one that follows the stress [unit of c].
        lifetime: tau, above 0 [s].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    tau = number("lifetime", lifetime, above=0.0, unit="s")
    if not is_ufl(equilibrium):
        equilibrium = number("equilibrium", equilibrium, at_least=0.0)
    return lambda c: (equilibrium - c) / tau


@checked
def drift_velocity(
    material: MaterialLaws,
    *,
    field: Any = None,
    temperature_gradient: Any = None,
    stress_gradient: Any = None,
    temperature: Any = None,
) -> Any:
    """Return the velocity of atoms under forces: `v = D/(kT) (Z* e E - Q*/T grad T + Omega grad sigma)`.

    Z* is signed: atoms with Z* < 0 go against the field, with the electrons. Q* > 0 drives atoms to the cold side.
    Tension is positive and draws atoms. Vacancies go the other way: their v is minus this one with their diffusivity.

    Args:
        material: one of `em.materials`, or anything with their `temperature` and numbers or `law(name)`.
        field: E [V/m].
        temperature_gradient: grad T [K/m].
        stress_gradient: grad sigma, of the hydrostatic stress [Pa/m].
        temperature: T, above 0, of the laws of the material; that of the material when left out [K].

    Each force is a number (in one dimension), numbers of shape (dim,), or UFL; the temperature is a number or UFL.

    Returns:
        v [m/s], of the shape of the forces.

    Raises:
        ParameterError: if there is no force, a force is not finite, they are of different shapes, or the temperature is
            not positive.
    """
    own = temperature is None  # numbers of the material, which need no laws
    if not own or not hasattr(material, "temperature"):
        check_material(material)
    temperature = material.temperature if own else temperature
    if not is_ufl(temperature):
        temperature = number("temperature", temperature, above=0.0, unit="K")
    metal = MaterialAt(material, temperature)

    def constant(name: str) -> Any:
        return getattr(material, name) if own and hasattr(material, name) else metal[name]

    forces = {"field": field, "temperature_gradient": temperature_gradient, "stress_gradient": stress_gradient}
    acting = {name: _force(name, value) for name, value in forces.items() if value is not None}
    factors = {
        "field": lambda: constant("effective_charge") * elementary_charge,
        "temperature_gradient": lambda: -constant("heat_of_transport") / temperature,
        "stress_gradient": lambda: constant("atomic_volume"),
    }
    each = {name: factors[name]() for name in acting}
    alike = _alike(
        acting, (temperature, *each.values(), mobility := constant("diffusivity") / (boltzmann * temperature))
    )
    first, *others = (each[name] * force for name, force in alike.items())
    return mobility * sum(others, first)


def _alike(forces: Mapping[str, Any], factors: Iterable[Any]) -> dict[str, Any]:
    """Return the forces, all of them UFL if one is, or a factor is.

    Raises:
        ParameterError: if there is none, or they cannot be added.
    """
    if not forces:
        msg = "field, temperature_gradient and stress_gradient are all None, must be at least one of them"
        raise ParameterError(msg)
    shapes = {name: getattr(value, "ufl_shape", np.shape(value)) for name, value in forces.items()}
    if len(set(shapes.values())) > 1:
        msg = f"{', '.join(f'{name} of shape {shape}' for name, shape in shapes.items())}, must be of one shape"
        raise ParameterError(msg)
    forms = any(is_ufl(value) for value in (*forces.values(), *factors))
    return {name: ufl.as_vector(v.tolist()) if forms and isinstance(v, np.ndarray) else v for name, v in forces.items()}


def _force(name: str, value: Any) -> Any:
    """Return `value` as UFL, a number, or an array of numbers.

    Raises:
        ParameterError: if it is something else, or not finite.
    """
    if is_ufl(value):
        return value
    vector = floats(name, value)
    if vector.ndim == 0:
        return number(name, value)
    if vector.ndim > 1:
        msg = f"{name} of shape {vector.shape}, must be a number or a vector"
        raise ParameterError(msg)
    return np.array([number(name, part) for part in vector])
