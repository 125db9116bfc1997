"""Arguments of a stress model, checked and put into UFL: a temperature, a drive, an initial stress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.errors import ParameterError, number
from emfem.mesh import Domain
from emfem.model import Driver, is_ufl
from emfem.stress.laws import ConfinedMetal, uniform

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray

FAINT = 1e4  # Pa; no metal opens at a tenth of an atmosphere


@dataclass(frozen=True)
class ElectricField:
    """The electric field in a conductor.

    Attributes:
        value: E, UFL of dim components [V/m].
        potential: phi with E = -grad phi, UFL, or None if it is not known [V].
        drivers: of both.
    """

    value: Any
    potential: Any
    drivers: tuple[Driver, ...] = ()


def metal_at(domain: Domain, material: Any, temperature: Any) -> ConfinedMetal:
    """Return the material at a temperature: its own, a number, a function of x, or UFL. Collective.

    Raises:
        ParameterError: for a material without laws, or a temperature that is not positive or that they do not reach.
    """
    models.check_material(material)
    metal = ConfinedMetal(material, models.material_temperature(domain, material, temperature))
    for name in ("diffusivity", "atomic_volume", "bulk_modulus", "effective_charge"):
        metal[name]  # reports what is missing or out of reach
    return metal


def field_of(domain: Domain, metal: ConfinedMetal, current_density: Any, field: Any, current: Any) -> ElectricField:
    """Return the field of a current density, of a field or of a conduction model; 0 of none of them.

    Raises:
        ParameterError: for more than one of them, one of the wrong kind or shape, or currents that pile up at a node.
        UnknownName: for a model that has no field E.
    """
    drives = {"current_density": current_density, "field": field, "current": current}
    names = [name for name, value in drives.items() if value is not None]
    if len(names) > 1:
        msg = f"{' and '.join(names)} are given, must be only one of {', '.join(drives)}: each gives the field"
        raise ParameterError(msg)
    if current is not None:
        return _conducted(domain, current)
    if current_density is None:
        return _vector(domain, "field", field)
    if domain.network is not None and not is_ufl(current_density):
        flow = _along(domain, current_density)
    else:
        flow = _vector(domain, "current_density", current_density)
    rho = metal["resistivity"]
    potential = None if flow.potential is None or not uniform(rho) else rho * flow.potential
    return ElectricField(rho * flow.value, potential, flow.drivers)


def _conducted(domain: Domain, current: Any) -> ElectricField:
    """Return the field of a conduction model."""
    if current.mesh is not domain.mesh:
        msg = f"current = the {current.name} model of another mesh, must be one on this domain"
        raise ParameterError(msg)
    return ElectricField(current["E"], None if any(domain.period) else current["phi"])


def _vector(domain: Domain, name: str, value: Any) -> ElectricField:
    """Return a vector of dim components, of UFL, numbers or a function of time; one of numbers has a potential.

    Raises:
        ParameterError: if it has another shape (a number will do in one dimension), or is not finite.
    """
    models.refuse_model(name, value)
    vector, drivers = models.vector_coefficient(domain, name, value)
    if value is None:
        return ElectricField(vector, 0.0)
    unknown = is_ufl(value) or any(domain.period)
    potential = None if unknown else -ufl.inner(vector, ufl.SpatialCoordinate(domain.mesh))
    return ElectricField(vector, potential, tuple(drivers))


class Along:
    """Current densities along the segments of a network, as a vector field that a driver moves like a constant.

    Attributes:
        function: the field [A/m2].
        ufl_shape: of the values: one number, or one a segment.
    """

    def __init__(self, domain: Domain, values: ArrayLike) -> None:
        """Make the field."""
        self.domain = domain
        self._value = self._checked(values)
        self.ufl_shape = np.shape(values)
        self.function = domain.along("current_density", self._value)

    @property
    def value(self) -> NDArray[np.float64]:
        """One number for each segment [A/m2]."""
        return self._value

    @value.setter
    def value(self, values: ArrayLike) -> None:
        new = self._checked(values)
        if not np.array_equal(new, self._value):
            self.function.x.array[:] = self.domain.along("current_density", new).x.array
            self._value = new

    def _checked(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return one number for each segment; currents balance where segments meet.

        Raises:
            ParameterError: if not; for currents that do not balance with the node and the difference.
        """
        network = self.domain.wires()
        density = network.per_segment("current_density", values)
        network.check_balance(density)
        return density


def _along(domain: Domain, value: Any) -> ElectricField:
    """Return the current density along segments, one number for each or a function of time that returns them."""
    along = Along(domain, value(0.0) if callable(value) else value)
    drivers = (Driver("current_density", along, value),) if callable(value) else ()
    return ElectricField(along.function, None, drivers)


def start(sigma: fem.Function, residual_stress: Any) -> float:
    """Set the stress to its initial values; return their largest size. Collective.

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
    """Return the stress at which a void opens, above 0 [Pa].

    Raises:
        ParameterError: if it is not, or so small that it was meant in megapascals.
    """
    critical = number("critical_stress", value, above=0.0, unit="Pa")
    if critical < FAINT:
        msg = f"critical_stress = {critical:g} Pa, must be at least {FAINT:g} Pa: megapascals written as pascals?"
        raise ParameterError(msg)
    return critical
