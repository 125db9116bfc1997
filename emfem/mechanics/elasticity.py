"""Linear elasticity in small functions: strain, stress, their invariants and the energy, all as 3 x 3 tensors of UFL.

A plane domain has the axes x, y and z across; a body of revolution the axes x (along), y (radius) and z (around).
Tension is positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emfem.errors import number
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model.terms import of_terms

import ufl

HIGHEST_POISSON = 0.5


@checked
@dataclass(frozen=True)
class Elastic:
    """An isotropic, linearly elastic material, which may yield.

    Attributes:
        young_modulus: E, above 0 [Pa].
        poisson_ratio: nu, above -1 and below 0.5 [-].
        expansion: linear coefficient of thermal expansion; must be there with a stress-free temperature [1/K].
        yield_stress: von Mises stress at which it yields, above 0; infinite if it never does [Pa].
        hardening: slope of the yield stress over the accumulated plastic strain, at least 0 [Pa].
    """

    young_modulus: float
    poisson_ratio: float
    expansion: float | None = None
    yield_stress: float = float("inf")
    hardening: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ParameterError: for one out of its bounds.
        """
        number("young_modulus", self.young_modulus, above=0.0, unit="Pa")
        number("poisson_ratio", self.poisson_ratio, above=-1.0, below=HIGHEST_POISSON)
        if self.expansion is not None:
            number("expansion", self.expansion, unit="1/K")
        if self.yield_stress != float("inf"):
            number("yield_stress", self.yield_stress, above=0.0, unit="Pa")
        number("hardening", self.hardening, at_least=0.0, unit="Pa")

    @property
    def shear_modulus(self) -> float:
        """`mu = E / (2 (1 + nu))` [Pa]."""
        return self.young_modulus / (2 * (1 + self.poisson_ratio))

    @property
    def bulk_modulus(self) -> float:
        """`K = E / (3 (1 - 2 nu))` [Pa]."""
        return self.young_modulus / (3 * (1 - 2 * self.poisson_ratio))

    @property
    def lame_modulus(self) -> float:
        """`lambda = K - 2 mu / 3` [Pa]."""
        return self.bulk_modulus - 2 * self.shear_modulus / 3


@checked
def strain(u: ufl.core.expr.Expr, domain: Domain, across: Any = 0.0) -> Any:
    """`(grad u + grad u^T)/2` as a 3 x 3 tensor; across a plane `across`, around an axis `u_y / y`.

    Args:
        u: displacement of dim components, in one dimension of one.
        domain: where; a domain with a circumference is a body of revolution.
        across: strain along z of a plane domain [-].

    Raises:
        ParameterError: if `across` is neither a number nor a scalar expression.
    """
    if not isinstance(across, ufl.core.expr.Expr) or across.ufl_shape:
        number("across", across)
    if domain.dim == 3:
        return ufl.sym(ufl.grad(u))
    gradient = ufl.grad(u)
    if domain.dim == 1:
        return ufl.as_tensor([[gradient[0, 0], 0, 0], [0, 0, 0], [0, 0, across]])
    shear = (gradient[0, 1] + gradient[1, 0]) / 2
    if is_axisymmetric(domain):
        radius = ufl.SpatialCoordinate(domain.mesh)[1]
        across = ufl.conditional(ufl.gt(radius, 0), u[1] / radius, gradient[1, 1])  # the limit on the axis
    return ufl.as_tensor([[gradient[0, 0], shear, 0], [shear, gradient[1, 1], 0], [0, 0, across]])


@checked
def is_axisymmetric(domain: Domain) -> bool:
    """Return True for a body of revolution about the x axis."""
    return domain.dim == 2 and domain.weight_lengths == 1 and domain.thickness is None


@of_terms
def out_of_plane(elastic: Any, lame: Any, shear: Any) -> Any:
    """`-lambda (e_xx + e_yy) / (lambda + 2 mu)`: elastic strain across a plate whose faces are free (plane stress)."""
    return -lame / (lame + 2 * shear) * (elastic[0, 0] + elastic[1, 1])


@of_terms
def stress(elastic: Any, lame: Any, shear: Any) -> Any:
    """`lambda tr(e) I + 2 mu e` of the elastic strain e, that is strain less eigenstrain."""
    return lame * ufl.tr(elastic) * ufl.Identity(3) + 2 * shear * elastic


@of_terms
def mixed_stress(elastic: Any, sigma: Any, shear: Any) -> Any:
    """`sigma I + 2 mu dev(e)`: stress of which the hydrostatic part is a field of its own."""
    return sigma * ufl.Identity(3) + 2 * shear * ufl.dev(elastic)


@of_terms
def hydrostatic(stress: Any) -> Any:
    """`tr(s) / 3`: the mean of the normal stresses, tension positive."""
    return ufl.tr(stress) / 3


@of_terms
def von_mises(stress: Any) -> Any:
    """`sqrt(3/2 dev(s) : dev(s))`."""
    deviator = ufl.dev(stress)
    return ufl.sqrt(1.5 * ufl.inner(deviator, deviator))


@of_terms
def energy_density(elastic: Any, lame: Any, shear: Any) -> Any:
    """`lambda/2 tr(e)^2 + mu e : e`: elastic energy per volume."""
    return lame / 2 * ufl.tr(elastic) ** 2 + shear * ufl.inner(elastic, elastic)


@of_terms
def isotropic(volumetric: Any) -> Any:
    """`theta/3 I`: eigenstrain of a relative change theta of volume without a change of shape."""
    return volumetric / 3 * ufl.Identity(3)
