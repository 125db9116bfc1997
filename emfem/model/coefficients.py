"""Coefficients that must be positive, in every form that a user may give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, number, positive_tensor
from emfem.mesh import Domain
from emfem.model.unknowns import Placeholder

import numpy as np
import ufl
from dolfinx import fem


def positive_coefficient(domain: Domain, name: str, value: Any) -> Any:
    """A conductivity or diffusivity as UFL: of a number, a tensor, either for each region by name, or UFL.

    Raises:
        ParameterError: if it is not positive, or of another shape than () or (dim, dim).
        UnknownName: for a region that does not exist.
    """
    if isinstance(value, Mapping):
        for region, part in value.items():
            _positive(f"{name}[{region!r}]", part, domain.dim)
        return domain.piecewise(name, value)
    if isinstance(value, ufl.core.expr.Expr):
        if value.ufl_shape not in ((), (domain.dim, domain.dim)):
            msg = f"{name} of shape {value.ufl_shape}, must be () or ({domain.dim}, {domain.dim})"
            raise ParameterError(msg)
        if not any(isinstance(c, Placeholder) for c in ufl.algorithms.extract_coefficients(value)):
            fields.positive(name, value, domain.mesh)
        return value
    return fem.Constant(domain.mesh, _positive(name, value, domain.dim))


def _positive(name: str, value: Any, dim: int) -> Any:
    """`value` as a positive number or positive definite tensor."""
    return number(name, value, above=0.0) if np.ndim(value) == 0 else positive_tensor(name, value, dim)
