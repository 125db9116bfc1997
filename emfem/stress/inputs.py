"""What a stress model is given: a temperature, what drives the atoms, a start; each checked and put into UFL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, floats, kind, number
from emfem.mesh import Domain
from emfem.model import Driver, Model, Placeholder, coefficient
from emfem.stress.laws import Confined, Metal

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray

FAINT = 1e4  # Pa; no metal opens at a tenth of an atmosphere


@dataclass(frozen=True)
class Field:
    """The electric field in a conductor.

    Attributes:
        value: E, UFL of dim components [V/m].
        potential: phi with E = -grad phi, UFL, or None if it is not known [V].
        drivers: what moves them.
    """

    value: Any
    potential: Any
    drivers: tuple[Driver, ...] = ()


def metal_at(domain: Domain, material: Any, temperature: Any) -> Metal:
    """The material at a temperature: its own, a number, a function of x, or UFL. Collective.

    Raises:
        ParameterError: for a material without laws, or a temperature that is not positive or that they do not reach.
    """
    if not callable(getattr(material, "law", None)):
        msg = f"material = {material!r}, must be one of em.materials"
        raise ParameterError(msg)
    found = _temperature(domain, material, temperature)
    metal = Metal(material, found)
    for name in ("diffusivity", "atomic_volume", "bulk_modulus", "effective_charge"):
        metal[name]  # what is missing or out of reach is told now
    return metal


def _temperature(domain: Domain, material: Confined, temperature: Any) -> Any:
    """T as a number or UFL."""
    if temperature is None:
        return number("temperature", material.temperature, above=0.0, unit="K")
    if isinstance(temperature, Model):
        msg = f"temperature = the {temperature.name} model, must be one of its fields, such as heat['T']"
        raise ParameterError(msg)
    if isinstance(temperature, ufl.core.expr.Expr):
        if temperature.ufl_shape != ():
            msg = f"temperature of shape {temperature.ufl_shape}, must be a scalar"
            raise ParameterError(msg)
        coefficients = ufl.algorithms.extract_coefficients(temperature)
        if all(getattr(c, "known", True) and not isinstance(c, Placeholder) for c in coefficients):
            fields.positive("temperature", temperature, domain.mesh)
        return temperature
    if callable(temperature):
        found = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 2)), name="T")
        fields.set_initial(found, temperature, "temperature")
        low, high = fields.extremes(found)
        for extreme in (low, high):
            material.law("diffusivity")(number("temperature", extreme, above=0.0, unit="K"))
        return found
    return number("temperature", temperature, above=0.0, unit="K")


def uniform(value: Any) -> bool:
    """Whether a constant of the metal is the same everywhere."""
    if not isinstance(value, ufl.core.expr.Expr):
        return True
    return not ufl.algorithms.extract_coefficients(value) and not ufl.domain.extract_domains(value)


def field_of(domain: Domain, metal: Metal, current_density: Any, field: Any, current: Any) -> Field:
    """The field that one of the three gives, or none.

    Raises:
        ParameterError: for more than one of them, one of the wrong kind or shape, or currents that pile up at a node.
        UnknownName: for a model that has no field E.
    """
    given = {"current_density": current_density, "field": field, "current": current}
    told = [name for name, value in given.items() if value is not None]
    if len(told) > 1:
        msg = f"{' and '.join(told)} are given, must be only one of {', '.join(given)}: each tells the field"
        raise ParameterError(msg)
    if current is not None:
        return _conducted(domain, current)
    if current_density is None:
        return _vector(domain, "field", field)
    if domain.network is not None and not isinstance(current_density, ufl.core.expr.Expr):
        flow = _along(domain, current_density)
    else:
        flow = _vector(domain, "current_density", current_density)
    rho = metal["resistivity"]
    potential = None if flow.potential is None or not uniform(rho) else rho * flow.potential
    return Field(rho * flow.value, potential, flow.drivers)


def _conducted(domain: Domain, current: Any) -> Field:
    """The field of a conduction model."""
    kind("current", current, Model, "a model of em.conduction")
    if current.mesh is not domain.mesh:
        msg = f"current = the {current.name} model of another mesh, must be one on this domain"
        raise ParameterError(msg)
    return Field(current["E"], None if any(domain.period) else current["phi"])


def _vector(domain: Domain, name: str, value: Any) -> Field:
    """A vector of dim components from UFL, numbers or a function of time; the same everywhere it is a gradient.

    Raises:
        ParameterError: if it has another shape (a number will do in one dimension), or is not finite.
    """
    if value is None:
        return Field(ufl.zero(domain.dim), 0.0)
    alone = ((), (1,)) if domain.dim == 1 else ((domain.dim,),)
    wanted = "a number" if domain.dim == 1 else f"a vector of {domain.dim} components"
    if isinstance(value, ufl.core.expr.Expr):
        if value.ufl_shape not in alone:
            msg = f"{name} of shape {value.ufl_shape}, must be {wanted}"
            raise ParameterError(msg)
        return Field(value if value.ufl_shape else ufl.as_vector([value]), None)
    if isinstance(value, Model):
        msg = f"{name} = the {value.name} model, must be one of its fields, or given as current=..."
        raise ParameterError(msg)
    start = floats(name, value(0.0) if callable(value) else value)
    if start.shape not in alone or not np.isfinite(start).all():
        msg = f"{name} = {start.tolist()}, must be {wanted}, finite"
        raise ParameterError(msg)
    constant, drivers = coefficient(domain, name, value)
    vector = constant if start.shape else ufl.as_vector([constant])
    potential = None if any(domain.period) else -ufl.inner(vector, ufl.SpatialCoordinate(domain.mesh))
    return Field(vector, potential, tuple(drivers))


class Along:
    """Current densities along the segments of a network, as a vector field that a driver moves like a constant.

    Attributes:
        function: the field [A/m2].
        ufl_shape: of what is given: one number, or one a segment.
    """

    def __init__(self, domain: Domain, values: ArrayLike) -> None:
        """Make the field."""
        self.domain = domain
        self._value = self._checked(values)
        self.ufl_shape = np.shape(values)
        self.function = domain.along("current_density", self._value)

    @property
    def value(self) -> NDArray[np.float64]:
        """One number a segment [A/m2]."""
        return self._value

    @value.setter
    def value(self, values: ArrayLike) -> None:
        found = self._checked(values)
        if not np.array_equal(found, self._value):
            self.function.x.array[:] = self.domain.along("current_density", found).x.array
            self._value = found

    def _checked(self, values: ArrayLike) -> NDArray[np.float64]:
        """One number a segment, and no current lost where segments meet.

        Raises:
            ParameterError: if not; of currents that do not balance it tells the node, and by how much.
        """
        network = self.domain.wires()
        found = network.per_segment("current_density", values)
        network.check_balance(found)
        return found


def _along(domain: Domain, value: Any) -> Field:
    """The current density along segments, one number for each or a function of time that returns them."""
    along = Along(domain, value(0.0) if callable(value) else value)
    drivers = (Driver("current_density", along, value),) if callable(value) else ()
    return Field(along.function, None, drivers)


def start(sigma: fem.Function, residual_stress: Any) -> float:
    """Give the stress its start; its largest size. Collective.

    Raises:
        ParameterError: if it is something else than a number, a function of x or a Function, or not finite.
    """
    fields.set_initial(sigma, residual_stress, "residual_stress")
    low, high = fields.extremes(sigma)
    if not np.isfinite([low, high]).all():
        msg = f"residual_stress from {low:g} to {high:g} Pa, must be finite"
        raise ParameterError(msg)
    return max(abs(low), abs(high))


def critical_tension(value: Any) -> float:
    """The stress at which a void opens, above 0 [Pa].

    Raises:
        ParameterError: if it is not, or so small that it was meant in megapascals.
    """
    found = number("critical_stress", value, above=0.0, unit="Pa")
    if found < FAINT:
        msg = f"critical_stress = {found:g} Pa, must be at least {FAINT:g} Pa: megapascals written as pascals?"
        raise ParameterError(msg)
    return found


def mean_size(domain: Domain, vector: Any) -> float:
    """The mean of |a|; 0 while it is not known. Collective."""
    length, face = domain.extent()
    size = ufl.sqrt(ufl.inner(vector, vector)) * fem.Constant(domain.mesh, 1.0)
    value = fields.integral(fem.form(size * domain.dx(2)), domain.mesh.comm) / (length * face)
    return value if 0 < value < np.inf else 0.0


def mean(domain: Domain, value: Any) -> float:
    """The mean of a constant of the metal; 1 while it is not known. Collective."""
    if not isinstance(value, ufl.core.expr.Expr):
        return float(value)
    length, face = domain.extent()
    one = fem.Constant(domain.mesh, 1.0)
    found = fields.integral(fem.form(value * one * domain.dx(2)), domain.mesh.comm) / (length * face)
    return found if 0 < found < np.inf else 1.0
