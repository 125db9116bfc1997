"""Terms of the exchange of atoms between a void's surface and the bulk: each function's docstring is the term."""

from __future__ import annotations

from typing import Any

from emfem.stress.laws import ConfinedMetal
from emfem.surface.terms import double_well, outward_normal

import ufl

EMPTY = 1e-3  # of the metal: what a void holds and lets through of atoms, so that sigma is determined in it


def bulk_flux(metal: ConfinedMetal, sigma: Any, force: Any) -> Any:
    """`K = M (grad sigma + f)`, the volume of the atoms that move in the bulk [m/s]."""
    return metal.mobility * (ufl.grad(sigma) + force)


def surface_wind(c: Any, share: Any, field: Any, width: Any) -> Any:
    """`h (2 I - n n) E`, the wind on atoms of the surface: that of the current which flows there, not of the field.

    In a void that cuts the line the field is large where there are no electrons. Across a surface int 2 h W is int W,
    so along it the wind is that of E; along the normal n it is that of the bulk, which leaves nothing to circulate.
    """
    normal = outward_normal(c, width)
    return share * (2 * field - ufl.inner(normal, field) * normal)


def exchange(c: Any, mu: Any, sigma: Any, mobility: Any, width: Any, tension: Any) -> Any:
    """`R = 36 c^2 (1 - c)^2 M / l^2 (gamma mu / l + sigma)`: metal of the surface that dissolves into the bulk [1/s].

    Across a surface it moves 6 M / l (gamma kappa + sigma), so fluxes of M |grad sigma| need l |grad sigma| / 6 only.
    """
    return 36 * double_well(c) * mobility / width**2 * (tension / width * mu + sigma)


def compliance(excess: Any, sigma: Any, share: Any, modulus: Any) -> Any:
    """`m + h sigma / B_m`, which is 0: atoms beyond those of metal without stress compress it."""
    return excess + share * sigma / modulus
