"""Typical sizes, by which residuals and unknowns are divided: they need not be more than of the right order."""

from __future__ import annotations

from emfem import fields
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model.coefficients import is_ufl

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.mesh import Mesh
from mpi4py import MPI
from numpy.typing import NDArray


@checked
def measure_size(domain: Domain, measure: ufl.Measure) -> float:
    """Return `int 1` over a measure: a volume, or the area of a boundary. Collective."""
    return fields.integral(fem.form(fem.Constant(domain.mesh, 1.0) * measure), domain.mesh.comm)


@checked
def largest_diameter(mesh: Mesh, cells: NDArray[np.int32]) -> float:
    """Return the largest diameter of some cells of each rank, 0 without any. Collective."""
    largest = float(mesh.h(mesh.topology.dim, cells).max(initial=0.0)) if len(cells) else 0.0
    return mesh.comm.allreduce(largest, op=MPI.MAX)


@checked
def mean_value(domain: Domain, value: float | ufl.core.expr.Expr, unknown: float = 1.0) -> float:
    """Return the size of the mean of a coefficient, of a tensor that of its trace over dim. Collective.

    Args:
        domain: where.
        value: a number or UFL.
        unknown: the result where the mean is 0 or not finite, as it is before a placeholder has its field.
    """
    if isinstance(value, float) or not is_ufl(value):
        return float(value)
    length, face = domain.extent()
    value = ufl.tr(value) / domain.dim if value.ufl_shape else value
    form = fem.form(value * fem.Constant(domain.mesh, 1.0) * domain.dx(2))
    mean = abs(fields.integral(form, domain.mesh.comm)) / (length * face)
    return mean if 0 < mean < np.inf else unknown


@checked
def mean_length(domain: Domain, vector: ufl.core.expr.Expr) -> float:
    """Return the mean of |a|, 0 while a is not known. Collective."""
    return mean_value(domain, ufl.sqrt(ufl.inner(vector, vector)), unknown=0.0)
