"""Terms of Korhonen's equation: the force on the atoms of a confined metal, their flux, the balance of volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emfem.model import MaterialAt, is_ufl
from emfem.units import boltzmann, elementary_charge

import ufl
from ufl.corealg.traversal import unique_pre_traversal


@dataclass(frozen=True)
class ConfinedMetal(MaterialAt):
    """A metal at a temperature, with the combinations of constants that move its atoms."""

    @property
    def mobility(self) -> Any:
        """`M = D Omega / (k T)`, with which a force per volume moves volume [m2/(Pa s)]."""
        return self["diffusivity"] * self["atomic_volume"] / (boltzmann * self.temperature)

    @property
    def charge(self) -> Any:
        """`Z* e / Omega`: the force of a field on the atoms of a volume, over the field [C/m3]."""
        return self["effective_charge"] * elementary_charge / self["atomic_volume"]

    @property
    def thermal(self) -> Any:
        """`Q* / Omega`: heat of transport per volume [Pa]."""
        return self["heat_of_transport"] / self["atomic_volume"]


def uniform(value: Any) -> bool:
    """Return True if a constant of the metal is the same everywhere: a number, or UFL of numbers."""
    parts = unique_pre_traversal(ufl.as_ufl(value))
    return not any(isinstance(part, ufl.Coefficient | ufl.geometry.GeometricQuantity) for part in parts)


def drive(metal: ConfinedMetal, field: Any) -> Any:
    """`f = Z* e E / Omega - Q* grad T / (Omega T)`: the force on the atoms of a volume, but for stress [Pa/m]."""
    force = metal.charge * field
    if is_ufl(metal.temperature) and not uniform(metal.temperature):
        force = force - metal.thermal / metal.temperature * ufl.grad(metal.temperature)
    return force


def atom_flux(metal: ConfinedMetal, sigma: Any, force: Any) -> Any:
    """`J = D/(k T) (grad sigma + f)`: atoms go where tension is higher [1/(m2 s)]."""
    return metal.mobility / metal["atomic_volume"] * (ufl.grad(sigma) + force)


def balance(metal: ConfinedMetal, sigma: Any, rate: Any, force: Any, v: Any, dx: Any) -> ufl.Form:
    """`int (dsigma/dt / B) v + M (grad sigma + f) . grad v dx`: blocked edges natural, no atom lost.

    It is dsigma/dt = div kappa (grad sigma + f), kappa = M B, over B: the balance is one of volume.
    """
    return (
        rate / metal["bulk_modulus"] * v * dx + ufl.inner(metal.mobility * (ufl.grad(sigma) + force), ufl.grad(v)) * dx
    )


def opening(conductance: Any, metal: ConfinedMetal, opened: Any, sigma: Any, v: Any, points: ufl.Measure) -> ufl.Form:
    """`sum M A/delta opened sigma v` over vertices: the flow out of a void, whose surface holds sigma near 0."""
    return metal.mobility * conductance * opened * sigma * v * points
