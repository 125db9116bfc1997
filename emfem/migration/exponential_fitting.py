"""Exponential fitting: the flux along each edge of a cell is the exact one of a constant flux there.

On an edge tau from i to j a constant flux J of constant D and v gives J |tau| = D [B(-s) c_i - B(s) c_j] with
s = tau . D^-1 v and B(s) = s / (e^s - 1), which is a central difference with D (s/2) coth(s/2) in place of D. The edges
of a simplex carry the weights -grad lambda_i . D grad lambda_j of its stiffness matrix.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from emfem import fields
from emfem.mesh import Domain
from emfem.mesh.measures import Weighted
from emfem.migration.laws import apply_inverse, apply_tensor

import basix
import numpy as np
import ufl

SIMPLICES = ("interval", "triangle", "tetrahedron")
SMALL = 1e-3  # below it the series of coth is exact to rounding


def fitted_flux(domain: Domain, diffusivity: Any, velocity: Any, c: Any) -> Any:
    """Return the flux `sum_edges w [-(s/2) coth(s/2) grad c . tau + s c_mid] tau`, at the centre of each cell.

    There `c_mid`, half the sum of c at the ends of an edge, is c + grad c . (middle - centre) for linear c.
    """
    jacobian, inverse = ufl.Jacobian(domain.mesh), ufl.JacobianInverse(domain.mesh)
    corners = reference_corners(domain)
    slopes = np.vstack([-np.ones(corners.shape[1]), np.eye(corners.shape[1])])  # of the barycentric coordinates
    drag = apply_inverse(diffusivity, velocity)
    total = 0
    for i, j in combinations(range(len(corners)), 2):
        tau = ufl.dot(jacobian, ufl.as_vector((corners[j] - corners[i]).tolist()))
        arm = ufl.dot(jacobian, ufl.as_vector(((corners[i] + corners[j]) / 2 - corners.mean(axis=0)).tolist()))
        start, end = (ufl.dot(ufl.transpose(inverse), ufl.as_vector(slopes[k].tolist())) for k in (i, j))
        weight = -ufl.dot(start, apply_tensor(diffusivity, end))
        s = ufl.dot(drag, tau)
        slope = ufl.grad(c)
        total += weight * (-fitting(s) * ufl.dot(slope, tau) + s * (c + ufl.dot(slope, arm))) * tau
    return total


def fitting(s: Any) -> Any:
    """`(s/2) coth(s/2)`: the factor of the diffusion of an edge; 1 without drift, |s|/2 in strong drift."""
    small = ufl.lt(abs(s), SMALL)
    safe = ufl.conditional(small, 1.0, s)
    return ufl.conditional(small, 1 + s**2 / 12, safe / 2 / ufl.tanh(safe / 2))


def rules(domain: Domain) -> tuple[Any, Any]:
    """Return the measures of the corners of each cell, for storage, and of its centre, for the flux.

    With the corners the mass matrix of linear elements is diagonal, its entries the sums of the rows of the consistent
    one. A weight that is linear in a cell of d dimensions, as that of a body of revolution, counts there with (weight +
    (d + 1) mean)/(d + 2): no node on the axis is without mass.

    The two are tagged apart, for kernels of their own: where a rule has one point FFCx 0.11 takes what a coefficient is
    there for its values at the points of other rules.
    """
    mesh, dim = domain.mesh, domain.mesh.topology.dim
    cells = np.arange(mesh.topology.index_map(dim).size_local, dtype=np.int32)
    dx = ufl.Measure("dx", domain=mesh, subdomain_data=[(1, cells), (2, cells)])
    corners = dx(1, metadata={"quadrature_rule": "vertex", "quadrature_degree": 1})
    centre = domain.weighted(dx(2, metadata={"quadrature_degree": 1}))
    if domain.weight is None:
        return corners, centre
    mean = fields.discontinuous(domain.weight, mesh, 0)
    return Weighted(corners, (domain.weight + (dim + 1) * mean) / (dim + 2)), centre


def reference_corners(domain: Domain) -> Any:
    """Return the corners of the reference cell, shape (corners, dim)."""
    return basix.geometry(getattr(basix.CellType, domain.mesh.topology.cell_name()))
