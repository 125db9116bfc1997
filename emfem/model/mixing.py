"""Energy of mixing of two species, in UFL."""

from __future__ import annotations

import math
from typing import Any

from emfem.arrays import finite
from emfem.model.coefficients import scalar

import ufl

FLOOR = 1e-6  # a composition nearer than this to 0 or 1 counts as used up


@finite
def x_ln_x(c: Any) -> Any:
    """`c ln c`, continued below c0 = FLOOR by its second-order Taylor polynomial, so that it stays C2."""
    c0, c = FLOOR, scalar("c", c)
    below = c0 * math.log(c0) + (1 + math.log(c0)) * (c - c0) + (c - c0) ** 2 / (2 * c0)
    if isinstance(c, float):
        return below if c < c0 else c * math.log(c)
    return ufl.conditional(ufl.lt(c, c0), below, c * ufl.ln(c))
