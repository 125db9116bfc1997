"""What a user may give for a diffusivity, a drift and a start, checked and made into forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, floats, number
from emfem.mesh import Domain
from emfem.model import Driver, at_start, coefficient

import numpy as np
import ufl
from dolfinx import fem

FRACTIONS = np.linspace(0.0, 1.0, 21).tolist()  # at which functions of one are looked at
ROUNDING = 1e-12


def drift_of(domain: Domain, value: Any, name: str = "drift") -> tuple[Any, list[Driver]]:
    """V as a UFL vector of dim components, and what moves it in time.

    Raises:
        ParameterError: if it has another shape (a number will do in one dimension), or is not finite.
    """
    if value is None:
        return ufl.zero(domain.dim), []
    alone = ((), (1,)) if domain.dim == 1 else ((domain.dim,),)
    wanted = "a number" if domain.dim == 1 else f"a vector of {domain.dim} components"
    if isinstance(value, ufl.core.expr.Expr):
        if value.ufl_shape not in alone:
            msg = f"{name} of shape {value.ufl_shape}, must be {wanted}"
            raise ParameterError(msg)
        return (value if value.ufl_shape else ufl.as_vector([value])), []
    start = floats(name, at_start(name, value))
    if start.shape not in alone or not np.isfinite(start).all():
        msg = f"{name} = {start.tolist()}, must be {wanted}, finite"
        raise ParameterError(msg)
    constant, drivers = coefficient(domain, name, value)
    return (constant if start.shape else ufl.as_vector([constant])), drivers


def start(c: fem.Function, domain: Domain, initial: Any, highest: float = np.inf) -> float:
    """Give c its start, a number, a function of x or a Function; its largest value. Collective.

    Raises:
        ParameterError: if it is something else, not finite, negative or above `highest`.
    """
    name = f"initial {c.name}" if c.name != "c" else "initial"
    if not callable(initial):
        number(name, initial, at_least=0.0, at_most=None if np.isinf(highest) else highest)
    fields.set_initial(c, initial, name)
    low, high = fields.extremes(c)
    rounding = 1e-12 * max(abs(low), abs(high))  # of coordinates, in a start that is 0 somewhere
    if not (low >= -rounding and high <= highest + rounding and np.isfinite(high)):
        msg = f"{name} from {low:g} to {high:g}, must be finite and in [0, {highest:g}]"
        raise ParameterError(msg)
    return high


def typical_flow(domain: Domain, diffusivity: Any, velocity: Any, level: float) -> float:
    """A flow of the order of those through the domain, for scaling: it need not be more than that. Collective."""
    comm, one = domain.mesh.comm, fem.Constant(domain.mesh, 1.0)
    length, face = domain.extent()
    trace = ufl.tr(diffusivity) / domain.dim if ufl.as_ufl(diffusivity).ufl_shape else diffusivity
    speed = ufl.sqrt(ufl.inner(velocity, velocity))
    means = (abs(fields.integral(fem.form(f * one * domain.dx(2)), comm)) / (length * face) for f in (trace, speed))
    spread, swept = means
    flow = level * (spread / length + swept) * face
    return flow if 0 < flow < np.inf else 1.0  # a placeholder has no value yet


def check_fractions(domain: Domain, name: str, function: Callable[[Any], Any], *, zero: bool = True) -> None:
    """Refuse a function of a fraction that is negative, or not finite between 0 and 1, or 0 if it may not. Collective.

    Raises:
        ParameterError: telling the value and the fraction.
    """
    level = fem.Constant(domain.mesh, 0.5)
    space = fem.functionspace(domain.mesh, ("DG", 0))
    value = ufl.as_ufl(function(level)) * fem.Constant(domain.mesh, 1.0)
    expression, sampled = fem.Expression(value, space.element.interpolation_points), fem.Function(space)
    found = {}
    for fraction in FRACTIONS:
        level.value = fraction
        sampled.interpolate(expression)
        found[fraction] = fields.extremes(sampled)[0]
    rounding = ROUNDING * max((abs(low) for low in found.values() if np.isfinite(low)), default=0.0)
    for fraction, low in found.items():
        ends = fraction in (0.0, 1.0) and np.isnan(low)  # a logarithm may be infinite there
        if not ends and not (low >= -rounding if zero else low > rounding):
            msg = f"{name} = {low:g} at N = {fraction:g}, must be {'at least' if zero else 'greater than'} 0"
            raise ParameterError(msg)


def is_function(value: Any) -> bool:
    """Whether it is a function, not a number or UFL."""
    return callable(value) and not isinstance(value, ufl.core.expr.Expr)


def scalar(name: str, function: Callable[[Any], Any], c: fem.Function) -> Any:
    """function(c) as a UFL scalar.

    Raises:
        ParameterError: if it is none.
    """
    try:
        value = ufl.as_ufl(function(c))
    except (TypeError, AttributeError, ValueError) as error:
        msg = f"{name} must be made of UFL functions, such as ufl.exp(c): {error}"
        raise ParameterError(msg) from None
    if value.ufl_shape != ():
        msg = f"{name} of shape {value.ufl_shape}, must be a scalar"
        raise ParameterError(msg)
    return value
