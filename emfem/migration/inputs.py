"""Initial concentrations, typical flows, and functions of a fraction, checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, number
from emfem.mesh import Domain
from emfem.model import mean_length, mean_value

import numpy as np
import ufl
from dolfinx import fem

FRACTIONS = np.linspace(0.0, 1.0, 21).tolist()  # at which functions of one are sampled
ROUNDING = 1e-12


def start(c: fem.Function, initial: Any, highest: float = np.inf) -> float:
    """Set c to its initial values, of a number, a function of x or a Function; return the largest one. Collective.

    Raises:
        ParameterError: if it is something else, not finite, negative or above `highest`.
    """
    name = f"initial {c.name}" if c.name != "c" else "initial"
    if not callable(initial):
        number(name, initial, at_least=0.0, at_most=None if np.isinf(highest) else highest)
    fields.set_initial(c, initial, name)
    low, high = fields.extremes(c)
    rounding = ROUNDING * max(abs(low), abs(high))  # of coordinates, in a start that is 0 somewhere
    if not (low >= -rounding and high <= highest + rounding and np.isfinite(high)):
        msg = f"{name} from {low:g} to {high:g}, must be finite and in [0, {highest:g}]"
        raise ParameterError(msg)
    return high


def typical_flow(domain: Domain, diffusivity: Any, velocity: Any) -> float:
    """Return a flow of the order of those of a concentration of 1 through the domain, for scaling. Collective."""
    length, face = domain.extent()
    flow = (mean_value(domain, diffusivity, unknown=0.0) / length + mean_length(domain, velocity)) * face
    return flow if 0 < flow < np.inf else 1.0


def check_fractions(domain: Domain, name: str, function: Callable[[Any], Any], *, zero: bool = True) -> None:
    """Refuse a function of a fraction that is negative, or not finite between 0 and 1, or 0 if it may not. Collective.

    Raises:
        ParameterError: with the value and the fraction.
    """
    level = fem.Constant(domain.mesh, 0.5)
    space = fem.functionspace(domain.mesh, ("DG", 0))
    value = ufl.as_ufl(function(level)) * fem.Constant(domain.mesh, 1.0)
    expression, sampled = fem.Expression(value, space.element.interpolation_points), fem.Function(space)
    lowest = {}
    for fraction in FRACTIONS:
        level.value = fraction
        sampled.interpolate(expression)
        lowest[fraction] = fields.extremes(sampled)[0]
    rounding = ROUNDING * max((abs(low) for low in lowest.values() if np.isfinite(low)), default=0.0)
    for fraction, low in lowest.items():
        ends = fraction in (0.0, 1.0) and np.isnan(low)  # a logarithm may be infinite there
        if not ends and not (low >= -rounding if zero else low > rounding):
            msg = f"{name} = {low:g} at N = {fraction:g}, must be {'at least' if zero else 'greater than'} 0"
            raise ParameterError(msg)
