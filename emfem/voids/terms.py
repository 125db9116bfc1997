"""Terms of the exchange of atoms between a void's surface and the bulk: each function's docstring is the term."""

from __future__ import annotations

from typing import Any

from emfem.stress.laws import ConfinedMetal
from emfem.surface.terms import double_well, outward_normal

import ufl

EMPTY = 1e-3  # of the metal: what a void holds and lets through of atoms, so that sigma is determined in it
SHARP = 70 / 3  # over which the mean of c^2 (1 - c)^2 weighed by itself is 1
EXCHANGE = 7.609  # rate at which a surface acts on the stress as if it were sharp, see `exchange`


def bulk_flux(metal: ConfinedMetal, sigma: Any, force: Any) -> Any:
    """`K = M (grad sigma + f)`, the volume of the atoms that move in the bulk [m/s]."""
    return metal.mobility * (ufl.grad(sigma) + force)


def surface_wind(c: Any, share: Any, field: Any, width: Any) -> Any:
    """`f E + (h - f) (n . E) n`, f = (70 / 3) c^2 (1 - c)^2: the wind on atoms of the surface.

    It is that of the current which flows there, not of the field: in a void that cuts the line the field is large
    where there are no electrons. Along the surface it is weighed by f, for which int f W is int W and int n f W is 0:
    it is that of E where c = 1/2, to the second order in l (2 h in its place takes E 0.63 l deep in the metal). Along
    the normal n it is that of the bulk, which leaves nothing to circulate.
    """
    normal, along = outward_normal(c, width), SHARP * double_well(c)
    return along * field + (share - along) * ufl.inner(normal, field) * normal


def exchange(c: Any, mu: Any, sigma: Any, mobility: Any, width: Any, tension: Any) -> Any:
    """`R = r c^2 (1 - c)^2 M / l^2 (gamma mu / l + sigma)`, r = 7.61: metal of the surface that dissolves [1/s].

    The factor is that for which a surface holds the stress of the bulk at -gamma kappa where c = 1/2: with
    (h s')' = r W s across it, s tends to the straight line of the bulk, and this line is 0 at r's own distance from
    the surface. That is 0 for this r, 1.38 l deep in the metal for r = 36, where all voids would act as larger.

    References:
        A. Karma, W.-J. Rappel, Phys. Rev. E 57, 4323 (1998), doi:10.1103/PhysRevE.57.4323, for the idea.
    """
    return EXCHANGE * double_well(c) * mobility / width**2 * (tension / width * mu + sigma)


def compliance(excess: Any, sigma: Any, share: Any, modulus: Any, dilatation: Any = 0) -> Any:
    """`m + h sigma / B_m - h tr e`, which is 0: atoms beyond those of metal without stress compress it or widen it."""
    return excess + share * (sigma / modulus - dilatation)
