"""Errors on several meshes, and their order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from emfem import fields, mesh

import numpy as np
from dolfinx import fem


def order(sizes: Sequence[float], errors: Sequence[float]) -> float:
    """Return the order of convergence: the slope of ln(error) over ln(size)."""
    return float(np.polyfit(np.log(sizes), np.log(np.abs(errors)), 1)[0])


def l2_norm(expression: Any, domain: mesh.Domain, degree: int) -> float:
    """Return the L2 norm of an expression over a domain, by quadrature of `degree`."""
    return math.sqrt(fields.integral(fem.form(expression**2 * domain.dx(degree)), domain.mesh.comm))


def interpolated(function: Any, domain: mesh.Domain) -> fem.Function:
    """Return a function of x, shape (3, n), as polynomials of degree 8 in each cell."""
    exact = fem.Function(fem.functionspace(domain.mesh, ("DG", 8)))
    exact.interpolate(function)
    return exact
