"""Materials as a physics sees them: a temperature, and constants that are functions of temperature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from emfem import fields
from emfem.errors import ParameterError, kind, number
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model.coefficients import check_ufl, has_placeholder, is_ufl, scalar
from emfem.model.models import refuse_model

import ufl
from dolfinx import fem
from ufl.algorithms.analysis import extract_type


@runtime_checkable
class MaterialLaws(Protocol):
    """Material with a temperature and laws of temperature, such as those of `em.materials`."""

    @property
    def temperature(self) -> float:
        """T [K]."""

    def law(self, name: str) -> Callable[[Any], Any]:
        """Return the constant called `name` as a function of T [K], for numbers and UFL."""


@checked
@dataclass(frozen=True)
class MaterialAt:
    """A material at a temperature: `metal["diffusivity"]` is a number where the temperature is one, else UFL.

    Attributes:
        material: with the laws.
        temperature: T [K].
    """

    material: MaterialLaws
    temperature: Any

    def __getitem__(self, name: str) -> Any:
        """Return the constant `name` at the temperature."""
        return self.material.law(name)(self.temperature)


def controls_of(material: MaterialLaws, value: Any) -> list[str]:
    """Return the names of the controls of an `em.adjoint.Metal` that UFL depends on; none of another material."""
    constants = extract_type(ufl.as_ufl(value), ufl.Constant)
    controls = getattr(material, "controls", {}).items()
    return [name for name, control in controls if any(control is each for each in constants)]


def plain_number(material: MaterialLaws, name: str) -> float:
    """Return a constant at the material's temperature that a model keeps as a number.

    Raises:
        ParameterError: if it depends on a control: derivatives would lack a part.
    """
    controls = controls_of(material, material.law(name)(material.temperature))
    if controls:
        msg = f"{controls[0]} as a control, must be none of this model: it keeps {name} as a number"
        raise ParameterError(msg)
    now = getattr(material, "material", material)
    return float(now.law(name)(float(now.temperature)))


@checked
def check_material(material: Any) -> None:
    """Refuse a material without temperature or laws.

    Raises:
        ParameterError: if it lacks one of them.
    """
    kind("material", material, MaterialLaws, "one of em.materials, or have `temperature` and `law(name)` as they have")


@checked
def material_temperature(domain: Domain, material: MaterialLaws, temperature: Any, law: str = "diffusivity") -> Any:
    """Return T as a number or UFL: the material's own, a number, a function of x with shape (3, n), or UFL. Collective.

    Args:
        domain: where.
        material: with its own temperature.
        temperature: T [K].
        law: the law whose range a function of x must keep to.

    Raises:
        ParameterError: for one that is not positive or no scalar, or that the laws of the material do not reach.
    """
    if temperature is None:
        temperature = material.temperature
    refuse_model("temperature", temperature)
    if is_ufl(temperature):
        check_ufl(domain, "temperature", temperature)
        scalar("temperature", temperature)
        coefficients = ufl.algorithms.extract_coefficients(temperature)
        if not has_placeholder(temperature) and all(getattr(c, "known", True) for c in coefficients):
            fields.positive("temperature", temperature, domain.mesh)
        return temperature
    if callable(temperature):
        field = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 2)), name="T")
        fields.set_initial(field, temperature, "temperature")
        for extreme in fields.extremes(field):
            material.law(law)(number("temperature", extreme, above=0.0, unit="K"))
        return field
    return number("temperature", temperature, above=0.0, unit="K")
