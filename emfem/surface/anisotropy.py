"""Mobility of a surface that depends on the direction of its normal in the crystal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from emfem.errors import ParameterError, angle_in_radians, count, number, shown
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.surface.terms import outward_normal

import ufl

MOST = 24  # of a fold; the crystal of a metal has 2, 3, 4 or 6, and each adds to the expression


@checked
@dataclass(frozen=True)
class MobilityAnisotropy:
    """Mobility of a surface over its mean: `1 + S cos(N (alpha - alpha0))`, alpha the direction of the outward normal.

    alpha is counted from the x axis towards y, about a body of revolution too. A surface whose mobility changes with
    its slope theta as 1 + m' theta grows hills at a rate A Z* e E m' k^2 under a current.

    Attributes:
        strength: S, in [0, 1) [-].
        fold: N, the symmetry of the crystal's surface, from 1 to 24.
        angle: alpha0, where the mobility is highest [rad].
    """

    strength: float
    fold: int = 4
    angle: float = 0.0
    maker: ClassVar[str] = "em.surface.MobilityAnisotropy"

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ParameterError: for a value out of its bounds.
        """
        number("strength", self.strength, at_least=0.0, below=1.0)
        count("fold", self.fold, at_least=1, at_most=MOST)
        angle_in_radians("angle", self.angle)

    def __call__(self, normal: Any) -> Any:
        """Return the mobility over its mean, of a normal of two components, UFL; a shorter normal counts for less."""
        real, imaginary = normal[0], normal[1]
        for _ in range(self.fold - 1):
            real, imaginary = real * normal[0] - imaginary * normal[1], real * normal[1] + imaginary * normal[0]
        turned = self.fold * self.angle
        return 1 + self.strength * (ufl.cos(turned) * real + ufl.sin(turned) * imaginary)


def mobility_factor(anisotropy: Any, domain: Domain, c: Any, width: Any) -> Any:
    """Return the mobility of a surface over its mean, UFL.

    Raises:
        ParameterError: if it is no function of the normal that returns a number, or one of a plane in space.
    """
    if isinstance(anisotropy, MobilityAnisotropy) and domain.dim != 2:
        msg = f"anisotropy = {anisotropy} in {domain.dim} dimensions, must be a function of the normal there"
        raise ParameterError(msg)
    returned: Any = anisotropy
    try:
        returned = anisotropy(outward_normal(c, width))
        factor = ufl.as_ufl(returned)
    except Exception:  # UFL raises errors of many kinds
        msg = f"anisotropy(normal) = {shown(returned)}, must be a number or UFL"
        raise ParameterError(msg) from None
    if factor.ufl_shape != ():
        msg = f"anisotropy(normal) of shape {factor.ufl_shape}, must be a number"
        raise ParameterError(msg)
    return factor
