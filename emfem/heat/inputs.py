"""Arguments of a heat model, checked and put into UFL: coefficients that may follow T, sources, an initial state."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.errors import ParameterError, number, require
from emfem.heat.boundaries import kelvin
from emfem.mesh import Domain
from emfem.model import Driver, Placeholder, is_law, is_ufl
from emfem.model.coefficients import check_ufl

import ufl
from dolfinx import fem

ROUNDING = 1e-9  # by which a part may be above 1
ROOM = 300.0  # K; reference of scales where nothing else gives one

# Names of the coefficients in a material, and their units
LAWS = {
    "conductivity": ("thermal_conductivity", "W/(m K)"),
    "heat_capacity": ("volumetric_heat_capacity", "J/(m3 K)"),
    "resistivity": ("resistivity", "Ohm m"),
}


def law(name: str, value: Any, material: Any) -> Any:
    """Return a coefficient as a number, numbers by region, UFL, or a function of T; that of the material if it is None.

    Raises:
        ParameterError: if there is none, or it is not positive or no scalar.
    """
    constant, unit = LAWS[name]
    if value is None:
        if not callable(getattr(material, "law", None)):
            why = "left out" if material is None else f"{material!r}, which has no laws"
            msg = f"{name} is left out and material is {why}: must be one of them, such as em.materials.copper()"
            raise ParameterError(msg)
        return material.law(constant)
    if is_law(value):
        return value
    if isinstance(value, Mapping):
        for region, part in value.items():
            number(f"{name}[{region!r}]", part, above=0.0, unit=unit)
        return value
    if is_ufl(value):
        require(not ufl.algorithms.extract_arguments(value), f"{name} = {value}, must be without a test function")
        return _of_temperature(models.scalar(name, value))
    return number(name, value, above=0.0, unit=unit)


def _of_temperature(expression: Any) -> Any:
    """Return UFL of a placeholder named T alone as a function of T, which can be sampled; other UFL as it is."""
    coefficients = ufl.algorithms.extract_coefficients(expression)
    local = (ufl.geometry.GeometricQuantity, ufl.differentiation.Derivative)  # not a function of values alone
    parts = ufl.corealg.traversal.unique_pre_traversal(expression)
    if len(coefficients) != 1 or not _is_own(coefficients[0]) or any(isinstance(part, local) for part in parts):
        return expression
    return lambda temperature: ufl.replace(expression, {coefficients[0]: ufl.as_ufl(temperature)})


def _is_own(coefficient: Any) -> bool:
    """Return True for a placeholder named T, which is the model's own temperature."""
    return isinstance(coefficient, Placeholder) and coefficient.name == "T"


def check_law(name: str, law: Any, temperature: float) -> None:
    """Refuse a law that is not positive at one of the temperatures of the model.

    Raises:
        ParameterError: with the temperature in kelvin if it was meant in degrees Celsius; or with the message of the
            law on a temperature outside its range.
    """
    try:
        value = float(law(temperature)) if is_law(law) else math.inf
    except ParameterError:  # from the law itself, on a temperature outside of its range
        raise
    except (TypeError, AttributeError, ValueError):  # made of UFL functions, or of nothing that can be used
        return
    if not value > 0:
        msg = f"{name} = {value:g} at T = {temperature:g} K, must be greater than 0"
        if not math.isnan(value):
            msg += f": {temperature:g} degrees Celsius would be {temperature + 273.15:g} K"
        raise ParameterError(msg)


def at(domain: Domain, name: str, law: Any, temperature: fem.Function) -> Any:
    """Return a coefficient at the temperature as UFL."""
    if isinstance(law, Mapping):
        return domain.piecewise(name, law)
    if is_ufl(law):
        return models.check_positive(domain, name, own(law, temperature))
    if not is_law(law):
        return fem.Constant(domain.mesh, float(law))
    # times 1 on the mesh: a number without a mesh could not be integrated
    return models.scalar_law(name, law, temperature) * fem.Constant(domain.mesh, 1.0)


def own(expression: Any, temperature: fem.Function) -> Any:
    """Return the expression with the model's own temperature in place of a placeholder named T."""
    own = [c for c in ufl.algorithms.extract_coefficients(expression) if _is_own(c)]
    return ufl.replace(expression, dict.fromkeys(own, temperature)) if own else expression


def source(domain: Domain, value: Any) -> tuple[Any, list[Driver]]:
    """Return the heat made per volume as UFL, and its drivers."""
    if value is None:
        return fem.Constant(domain.mesh, 0.0), []
    if isinstance(value, Mapping):
        for region, part in value.items():
            number(f"source[{region!r}]", part, unit="W/m3")
        return domain.piecewise("source", value), []
    if is_ufl(value):
        check_ufl(domain, "source", value)
        return models.scalar("source", value), []
    return models.coefficient(domain, "source", models.of_time("source", value, unit="W/m3"))


def solid(domain: Domain, value: Any) -> Any:
    """Return the part of each place that is metal, 1 when left out. Collective.

    Raises:
        ParameterError: if it is no UFL scalar of this mesh, or is not above 0 and at most 1.
    """
    if value is None:
        return 1
    models.refuse_model("solid", value)
    require(is_ufl(value), f"solid = {value!r}, must be UFL, such as the field of that name of an em.surface.model")
    part = models.check_positive(domain, "solid", models.scalar("solid", value))
    if not models.has_placeholder(part):
        most = fields.extremes(fields.discontinuous(part, domain.mesh, 1))[1]
        number("solid", most, at_most=1.0 + ROUNDING)
    return part


def metal(part: Any, space: fem.FunctionSpace) -> Callable[[], fem.Function] | None:
    """Return the function that gives the part of metal at the nodes of a space; None where all is metal, or unknown."""
    if not is_ufl(part) or models.has_placeholder(part):
        return None
    values, source = fem.Function(space), fem.Expression(part, space.element.interpolation_points)

    def now() -> fem.Function:
        values.interpolate(source)
        values.x.scatter_forward()
        return values

    return now


def reference(initial: Any, around: Sequence[float], material: Any) -> float:
    """Return the temperature that laws and scales refer to, and the initial one if that is left out [K].

    Raises:
        ParameterError: if there is no initial temperature, or it is below 1 K.
    """
    if initial is not None and not callable(initial):  # a Function is callable too
        return float(kelvin("initial", initial))  # type: ignore[arg-type]
    known = min(around, default=getattr(material, "temperature", None))
    if known is not None:
        return float(known)
    if initial is None:
        msg = "initial = None, must be given: no boundary, substrate or material gives a temperature"
        raise ParameterError(msg)
    return ROOM


def value_at(law: Any, temperature: float) -> float:
    """Return a coefficient as a number at a temperature; NaN if it is none there, or only UFL knows it."""
    try:
        return float(law(temperature) if is_law(law) else law)
    except (TypeError, AttributeError, ValueError):  # made of UFL functions, or outside the range of the law
        return math.nan
