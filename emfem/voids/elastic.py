"""The elastic field of a void: its surface bears no traction, and atoms that come or go strain the metal around them.

All follows from one free energy of c, the excess m and the displacement u, with h(c) the metal's share of a place:

    F = surface energy + int h (G dev(e) : dev(e) + K/2 (tr(e) - m/h)^2) dx,   e = sym grad u
    sigma = -dF/dm = K (tr(e) - m/h),   0 = dF/du = -div(h (sigma I + 2 G dev(e)))
    dF/dc = ... + h' (G dev(e) : dev(e) + sigma tr(e) - sigma^2 / (2 K))

Elimination of u leaves sigma = -K_e m/h, 0 < K_e <= K: the diffusion of m is well-posed. Waves of m between walls that
the metal slides along have 1/K_e = 1/K + 3/(4 G).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emfem.errors import ParameterError
from emfem.mechanics.elasticity import is_axisymmetric, mixed_stress, strain
from emfem.mesh import Domain, bounds
from emfem.spaces import nodes_on
from emfem.surface.elastic import FLAT, SurfaceElasticity, elastic_metal, elasticity

import ufl
from dolfinx import fem

__all__ = ["VoidElasticity", "void_elasticity"]

SAME = 0.05  # of the bulk modulus, by which that of the elastic constants may differ


@dataclass(frozen=True, eq=False)
class VoidElasticity(SurfaceElasticity):
    """Elasticity of metal whose hydrostatic stress is an unknown.

    Attributes:
        dilatation: tr(e) [-].
        release: energy that metal gives off where a void takes its place, less that of its atoms, which stay [J/m3].
    """

    dilatation: Any = 0
    release: Any = 0


def void_elasticity(
    domain: Domain,
    material: Any,
    sigma: fem.Function,
    share: Any,
    modulus: fem.Constant,
    level: float,
    sliding: Sequence[str],
) -> VoidElasticity:
    """Return the elasticity of metal with atoms that move. Collective.

    Args:
        domain: with the metal, which sticks to its named boundaries.
        material: with `youngs_modulus` and `poisson_ratio`.
        sigma: hydrostatic stress, in the space of the components of u [Pa].
        share: h, the metal's share of a place [-].
        modulus: K [Pa].
        level: typical stress [Pa].
        sliding: boundaries that it slides along instead, in planes across the axes.

    Raises:
        ParameterError: for constants that are missing or do not agree, boundaries that cannot be slid along, or none.
        UnknownName: for a boundary that does not exist.
    """
    metal = elastic_metal(material)
    if abs(float(modulus) / metal.bulk_modulus - 1) > SAME:
        msg = (
            f"bulk_modulus = {float(modulus):.4g} Pa beside elastic, must be {metal.bulk_modulus:.4g} Pa, that of the "
            "metal's elastic constants: that of a line comes out of its walls"
        )
        raise ParameterError(msg)
    clamped = [name for name in domain.names if name not in sliding and not _is_axis(domain, sigma, name)]
    load = None, level / (3 * metal.bulk_modulus)  # for its size: the strain of the excess is in sigma
    field = elasticity(domain, sigma.function_space, metal, load, sliding, share, clamped)
    e, shear = strain(field.displacement, domain), fem.Constant(domain.mesh, metal.shear_modulus)
    distortion, dilatation, hydrostatic = shear * ufl.inner(ufl.dev(e), ufl.dev(e)), ufl.tr(e), sigma**2 / (2 * modulus)
    return VoidElasticity(
        field.unknowns,
        field.conditions,
        field.displacement,
        share,
        mixed_stress(e, sigma, shear),
        distortion + hydrostatic,
        field.factor,
        dilatation=dilatation,
        release=distortion + sigma * dilatation - hydrostatic,
    )


def _is_axis(domain: Domain, sigma: fem.Function, name: str) -> bool:
    """Return True for a boundary that is the axis of a body of revolution: it is no wall. Collective."""
    if not is_axisymmetric(domain):
        return False
    space = sigma.function_space
    there = nodes_on(space, domain.facets.find(domain.tag(name)))
    radius = float(space.tabulate_dof_coordinates()[there, 1].max(initial=0.0))
    return bool(max(domain.mesh.comm.allgather(radius)) <= FLAT * bounds(domain.mesh)[1][1])
