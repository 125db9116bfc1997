"""Energy of mixing of two species, in UFL."""

from __future__ import annotations

import math
from typing import Any

from emfem.arrays import finite
from emfem.errors import number, real, require, shown

import ufl

FLOOR = 1e-6  # a composition nearer than this to 0 or 1 counts as used up


def scalar(name: str, value: Any) -> Any:
    """Return a number, finite, or a scalar of UFL.

    Raises:
        ParameterError: if it is neither.
    """
    if real(value) is not None:
        return number(name, value)
    fits = isinstance(value, ufl.core.expr.Expr) and value.ufl_shape == ()
    require(fits, f"{name} = {shown(value)}, must be a number or a scalar of UFL")
    return value


@finite
def x_ln_x(c: Any) -> Any:
    """`c ln c`, continued below c0 = FLOOR by its second-order Taylor polynomial, so that it stays C2."""
    c0, c = FLOOR, scalar("c", c)
    below = c0 * math.log(c0) + (1 + math.log(c0)) * (c - c0) + (c - c0) ** 2 / (2 * c0)
    if isinstance(c, float):
        return below if c < c0 else c * math.log(c)
    return ufl.conditional(ufl.lt(c, c0), below, c * ufl.ln(c))
