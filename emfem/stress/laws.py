"""Korhonen's equation in terms: what moves the atoms of a confined metal, their flux, and the balance of volume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from emfem.units import boltzmann, elementary_charge

import ufl


class Confined(Protocol):
    """What stress needs of a material: its temperature, and laws that the values are taken from."""

    @property
    def temperature(self) -> float:
        """T [K]."""

    def law(self, name: str) -> Callable[[Any], Any]:
        """The law of temperature called `name`."""


@dataclass(frozen=True)
class Metal:
    """A material at a temperature: numbers where it is uniform, else UFL.

    Attributes:
        material: whose laws they are.
        temperature: T [K].
    """

    material: Confined
    temperature: Any

    def __getitem__(self, name: str) -> Any:
        """The constant `name` at the temperature."""
        return self.material.law(name)(self.temperature)

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


def drive(metal: Metal, field: Any) -> Any:
    """`f = Z* e E / Omega - Q* grad T / (Omega T)`: the force on the atoms of a volume, but for stress [Pa/m]."""
    force = metal.charge * field
    if isinstance(metal.temperature, ufl.core.expr.Expr):
        force = force - metal.thermal / metal.temperature * ufl.grad(metal.temperature)
    return force


def atom_flux(metal: Metal, sigma: Any, force: Any) -> Any:
    """`J = D/(k T) (grad sigma + f)`: atoms go where tension is higher [1/(m2 s)]."""
    return metal.mobility / metal["atomic_volume"] * (ufl.grad(sigma) + force)


def balance(metal: Metal, sigma: Any, rate: Any, force: Any, v: Any, dx: Any) -> ufl.Form:
    """`int (dsigma/dt / B) v + M (grad sigma + f) . grad v dx`: blocked edges natural, no atom lost.

    It is dsigma/dt = div kappa (grad sigma + f), kappa = M B, over B: what it balances is volume.
    """
    return (
        rate / metal["bulk_modulus"] * v * dx + ufl.inner(metal.mobility * (ufl.grad(sigma) + force), ufl.grad(v)) * dx
    )


def opening(conductance: Any, metal: Metal, opened: Any, sigma: Any, v: Any, points: ufl.Measure) -> ufl.Form:
    """`sum M A/delta opened sigma v` over vertices: what leaves a void there, whose surface holds sigma near 0."""
    return metal.mobility * conductance * opened * sigma * v * points
