"""A film on a surface in space: its axes, and tensors in them."""

from __future__ import annotations

from typing import Any

from emfem.mesh import Domain

import ufl

TINY = 1e-30  # keeps the axes finite where x is normal to the surface


def axes(domain: Domain) -> tuple[Any, Any]:
    """Return two orthogonal unit vectors in the surface: x projected on it, and the one across.

    Where x is normal to the surface, as at two points of a sphere, they have no direction.
    """
    edges = ufl.Jacobian(domain.mesh)
    normal = ufl.cross(edges[:, 0], edges[:, 1])
    normal /= ufl.sqrt(ufl.inner(normal, normal))
    x = ufl.as_vector((1.0, 0.0, 0.0))
    along = x - normal[0] * normal
    along /= ufl.sqrt(ufl.inner(along, along) + TINY)
    return along, ufl.cross(normal, along)


def on_surface(domain: Domain, tensor: Any) -> Any:
    """Return a tensor of shape (2, 2) in the axes of a surface as one of shape (3, 3); in a plane unchanged."""
    if not domain.shell:
        return tensor
    frame = axes(domain)
    pairs = [(i, j) for i in (0, 1) for j in (0, 1)]
    return sum(tensor[i, j] * ufl.outer(frame[i], frame[j]) for i, j in pairs)
