"""What a heat model is given: coefficients that may follow T, sources, a start; each checked, and put into UFL."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, floats, number
from emfem.heat.boundaries import kelvin
from emfem.mesh import Domain
from emfem.model import Driver, Placeholder, at_start, coefficient, of_time

import numpy as np
import ufl
from dolfinx import fem

ROOM = 300.0  # K; what scales refer to where nothing else tells


# What a material calls the coefficients, and their units
LAWS = {
    "conductivity": ("thermal_conductivity", "W/(m K)"),
    "heat_capacity": ("volumetric_heat_capacity", "J/(m3 K)"),
    "resistivity": ("resistivity", "Ohm m"),
}


def is_law(law: Any) -> bool:
    """Whether a coefficient is a function of T, not a number, numbers by region or UFL."""
    return callable(law) and not isinstance(law, ufl.core.expr.Expr)


def law(name: str, given: Any, material: Any) -> Any:
    """What gives a coefficient: a number, numbers by region, UFL, or a function of T; the material's if none is given.

    Raises:
        ParameterError: if nothing gives it, or what does is not positive or no scalar.
    """
    told, unit = LAWS[name]
    if given is None:
        if not callable(getattr(material, "law", None)):
            why = "left out" if material is None else f"{material!r}, which has no laws"
            msg = f"{name} is left out and material is {why}: must be one of them, such as em.materials.copper()"
            raise ParameterError(msg)
        return material.law(told)
    if is_law(given):
        return given
    if isinstance(given, Mapping):
        for region, value in given.items():
            number(f"{name}[{region!r}]", value, above=0.0, unit=unit)
        return given
    if isinstance(given, ufl.core.expr.Expr):
        return _of_temperature(scalar(name, given))
    return number(name, given, above=0.0, unit=unit)


def _of_temperature(expression: Any) -> Any:
    """UFL of nothing but a placeholder named T as a function of T, whose values can be seen; other UFL as it is."""
    found = ufl.algorithms.extract_coefficients(expression)
    alone = len(found) == 1 and isinstance(found[0], Placeholder) and found[0].name == "T"
    if not alone or _has_place(expression):
        return expression
    return lambda temperature: ufl.replace(expression, {found[0]: ufl.as_ufl(temperature)})


def _has_place(expression: Any) -> bool:
    """Whether an expression has geometry or gradients in it, so that it is not one of values alone."""
    kinds = (ufl.geometry.GeometricQuantity, ufl.differentiation.Derivative)
    return any(isinstance(part, kinds) for part in ufl.corealg.traversal.unique_pre_traversal(expression))


def scalar(name: str, expression: Any) -> Any:
    """The UFL expression if it is a scalar.

    Raises:
        ParameterError: if it is not.
    """
    if expression.ufl_shape != ():
        msg = f"{name} of shape {expression.ufl_shape}, must be a scalar"
        raise ParameterError(msg)
    return expression


def check_law(name: str, law: Any, temperature: float) -> None:
    """Refuse a law that is not positive at a temperature that is given.

    Raises:
        ParameterError: telling what the temperature would be in kelvin if it was meant in degrees Celsius; or what the
            law says of a temperature outside its range.
    """
    try:
        value = float(law(temperature)) if is_law(law) else math.inf
    except ParameterError:  # what the law itself says of a temperature outside of its range
        raise
    except (TypeError, AttributeError, ValueError):  # made of UFL functions, or of nothing that can be used
        return
    if not value > 0:
        msg = f"{name} = {value:g} at T = {temperature:g} K, must be greater than 0"
        if not math.isnan(value):
            msg += f": {temperature:g} degrees Celsius would be {temperature + 273.15:g} K"
        raise ParameterError(msg)


def at(domain: Domain, name: str, law: Any, temperature: fem.Function) -> Any:
    """A coefficient at the temperature, as UFL."""
    if isinstance(law, Mapping):
        return domain.piecewise(name, law)
    if isinstance(law, ufl.core.expr.Expr):
        found = own(law, temperature)
        if not any(isinstance(c, Placeholder) for c in ufl.algorithms.extract_coefficients(found)):
            fields.positive(name, found, domain.mesh)
        return found
    if not is_law(law):
        return fem.Constant(domain.mesh, float(law))
    try:
        ufl.as_ufl(law(fields.Symbol(temperature.function_space)))
        found = ufl.as_ufl(law(temperature))
    except (TypeError, AttributeError, ValueError) as error:
        msg = f"{name}(T) must be made of UFL functions, such as ufl.exp(T): {error}"
        raise ParameterError(msg) from None
    # a number that no mesh goes with could not be integrated
    return scalar(f"{name}(T)", found) * fem.Constant(domain.mesh, 1.0)


def own(expression: Any, temperature: fem.Function) -> Any:
    """The expression with the model's own temperature where a placeholder named T stands."""
    found = [c for c in ufl.algorithms.extract_coefficients(expression) if isinstance(c, Placeholder) and c.name == "T"]
    return ufl.replace(expression, dict.fromkeys(found, temperature)) if found else expression


def source(domain: Domain, source: Any) -> tuple[Any, list[Driver]]:
    """The heat made per volume as UFL, and what moves it."""
    if source is None:
        return fem.Constant(domain.mesh, 0.0), []
    if isinstance(source, Mapping):
        for region, value in source.items():
            number(f"source[{region!r}]", value, unit="W/m3")
        return domain.piecewise("source", source), []
    if isinstance(source, ufl.core.expr.Expr):
        return scalar("source", source), []
    return coefficient(domain, "source", of_time("source", source, unit="W/m3"))


def current_density(domain: Domain, density: Any) -> tuple[Any, list[Driver]]:
    """The current density as UFL, None without one; and what moves it."""
    if density is None:
        return None, []
    shapes = ((), (domain.dim,))
    if isinstance(density, ufl.core.expr.Expr):
        if density.ufl_shape not in shapes:
            msg = f"current_density of shape {density.ufl_shape}, must be a number or {domain.dim} of them"
            raise ParameterError(msg)
        return density, []
    now = at_start("current_density", density)
    if isinstance(now, str):
        msg = f"current_density = {now!r}, must be numbers"
        raise ParameterError(msg)
    values = floats("current_density", now)
    if values.shape not in shapes or not np.isfinite(values).all():
        msg = f"current_density = {values.tolist()} A/m2, must be a finite number or {domain.dim} of them"
        raise ParameterError(msg)
    return coefficient(domain, "current density", density)


def reference(initial: Any, around: Sequence[float], material: Any) -> float:
    """The temperature that laws and scales refer to, and the start if that is left out [K].

    Raises:
        ParameterError: if nothing gives a start, or it is below 1 K.
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
    """A coefficient as a number at a temperature; NaN if it is none there, or none that Python can tell."""
    try:
        return float(law(temperature) if is_law(law) else law)
    except (TypeError, AttributeError, ValueError):  # made of UFL functions, or outside the range of the law
        return math.nan
