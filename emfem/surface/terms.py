"""The terms of a moving surface: each function's docstring is the term. Lengths are in metres, mu is a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import ufl
from numpy.typing import NDArray

FAINT = 1e-3  # slope of c over 1 / l below which no direction counts as outward
SLIGHT = 1e-6  # of it over 1 / l, where its size has to have a derivative
FAR = 3e-3  # the part of an error allowed amid a surface that is allowed in metal and vacuum
WELL = 6.0  # 3 W'' in metal and vacuum, W the well
REST = 0.01  # the restriction far from a surface; without any, mu would not be determined there


def double_well(c: Any) -> Any:
    """`c^2 (1 - c)^2`, at rest in metal (c = 1) and vacuum (c = 0)."""
    return c**2 * (1 - c) ** 2


def surface_energy(c: Any, width: Any) -> Any:
    """`3/l c^2 (1 - c)^2 + 3 l |grad c|^2`: its integral over a flat interface is its area, so times gamma an energy.

    At rest the profile is c = (1 + tanh(n / 2 l)) / 2, n the distance into the metal.
    """
    return 3 / width * double_well(c) + 3 * width * ufl.inner(ufl.grad(c), ufl.grad(c))


def restriction(c: Any) -> Any:
    """`g = sqrt(36 c^2 (1 - c)^2 + e^2)`, e = 0.01: 6 c (1 - c), which is 1 on average across a surface; e beside it.

    Without it (g = 1) a curved surface takes the metal around it l kappa / 6 away from c = 1, to where there is some
    mobility left: voids shrink into a halo of dilute metal. With it they keep their size, and errors are of the second
    order in l. That its square root is the well's makes mu the same all across a surface, so no energy is lost to
    differences there, and the free energy falls.

    References:
        A. Rätz, A. Ribalta, A. Voigt, Surface evolution of elastically stressed films under deposition by a diffuse
        interface model, J. Comput. Phys. 214, 187 (2006), doi:10.1016/j.jcp.2005.09.013, for the idea, with another g.
    """
    return ufl.sqrt(36 * double_well(c) + REST**2)


def error_scale(c: NDArray[np.float64]) -> NDArray[np.float64]:
    """`4 c (1 - c) + 0.003`, what the error of a step is a part of: mobility and g hang on the distance to 0 and 1.

    With |c| instead an error in the metal may be as large as amid the surface. There it makes a mobility, and over
    g = 0.01 a mu of its own, up to thousands, which linearised steps do not follow: they are rejected, and collapse.
    """
    return np.clip(4 * c * (1 - c), 0.0, 1.0) + FAR


def potential(mu: Any, c: Any, width: Any, w: Any, dx: Any, gradient: Any = None) -> ufl.Form:
    """`int g mu w - 3 W'(c) w - 6 l^2 grad c . grad w dx`: g mu = l dF/dc, mu the curvature times l; W the well.

    `gradient` stands for 6 l^2 grad c where the energy depends on the direction of the surface.
    """
    slope = ufl.variable(c)
    local = ufl.diff(double_well(slope), slope)
    if gradient is None:
        gradient = 6 * width**2 * ufl.grad(c)
    return (restriction(c) * mu - 3 * local) * w * dx - ufl.inner(gradient, ufl.grad(w)) * dx


def elastic_potential(c: Any, energy: Any, ratio: Any, width: Any, tension: Any, w: Any, dx: Any) -> ufl.Form:
    """`int -(l / gamma) h'(c) E w dx`: what an energy density E of the metal adds to g mu; h is `conducts`.

    h' is 6 c (1 - c), as g is: the energy moves mu as a whole, and leaves the profile of the surface as it is.
    """
    solid = ufl.variable(c)
    return -width / tension * ufl.diff(conducts(solid, ratio), solid) * energy * w * dx


def wall(c: Any, energy: Any, width: Any, tension: Any, w: Any, ds: Any) -> ufl.Form:
    """`int -(l / gamma) g_w s'(c) w ds`: what the energy g_w of metal at a boundary adds to g mu; s is `conducts`.

    The surface then meets the boundary at cos(angle) = -g_w / gamma, measured in the metal: s' = 6 c (1 - c) is to the
    slope of c at rest as that of all places of a profile, so it is the angle at each of them.
    """
    solid = ufl.variable(c)
    return -width / tension * energy * ufl.diff(conducts(solid, 0), solid) * w * ds


def outflow(c: Any, rate: Any, width: Any, normal: Any) -> Any:
    """`30 q c^2 (1 - c)^2 |grad_t c|`: metal that comes out of a grain boundary in a wall with this normal [m/s].

    It comes where the surface is, q of it [m2/s] at any angle: along the wall int 30 c^2 (1 - c)^2 |dc| = 1, on linear
    cells to rounding.
    """
    slope = ufl.grad(c)
    along = slope - ufl.inner(slope, normal) * normal
    return 30 * rate * double_well(c) * ufl.sqrt(ufl.inner(along, along) + (SLIGHT / width) ** 2)


def surface_flux(c: Any, mobility: Any, force: Any) -> Any:
    """`J = M c^2 (1 - c)^2 F`, the metal that F moves, only where there is a surface [m/s]."""
    return mobility * double_well(c) * force


def transport(rate: Any, flux: Any, v: Any, dx: Any) -> ufl.Form:
    """`int (dc/dt) v - J . grad v dx`: metal is neither lost nor made, blocked boundaries natural."""
    return rate * v * dx - ufl.inner(flux, ufl.grad(v)) * dx


def conducts(c: Any, ratio: Any) -> Any:
    """`k + (1 - k) c^2 (3 - 2 c)`: 1 in metal, k in vacuum, level in both, so that it stays positive near them."""
    return ratio + (1 - ratio) * c**2 * (3 - 2 * c)


def conduction(conductivity: Any, field: Any, w: Any, dx: Any) -> ufl.Form:
    """`int -sigma e . grad w dx`: no current is lost."""
    return -conductivity * ufl.inner(field, ufl.grad(w)) * dx


def outward_normal(c: Any, width: Any) -> Any:
    """`-grad c / |grad c|`, out of the metal; 0 far from the surface, where no direction is outward."""
    slope = ufl.grad(c)
    return -slope / ufl.sqrt(ufl.inner(slope, slope) + (FAINT / width) ** 2)


def distance(c: Any, width: Any) -> Any:
    """`l ln(c / (1 - c))`: how deep in the metal a place is, negative in vacuum, if the surface is at rest."""
    inside = ufl.min_value(ufl.max_value(c, 1e-12), 1 - 1e-12)
    return width * ufl.ln(inside / (1 - inside))
