"""Fluxes through named boundaries as the discrete equations balance them, in steady states and in transients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from emfem.dimensions import PLAIN, Meaning
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model.coefficients import Driver, coefficient
from emfem.model.conditions import Flux
from emfem.model.consistent_flux import ConsistentFlux
from emfem.model.described import Quantity

import ufl


@checked
@dataclass(frozen=True, eq=False)
class Balance:
    """d(stored)/dt = sum of made - sum of out, as the discrete equations of a model have it.

    Attributes:
        stored: the amount, a functional of the unknowns; None for a model that stores nothing.
        meaning: of the amount; where nothing is stored, of the flows; or a unit.
        reactions: of the unknowns whose equations, tested with 1 and scaled, add up to the balance.
        out: the flows out through boundaries without Dirichlet values, functionals by name.
        made: the sources inside, negative for sinks, functionals by name.
    """

    stored: ufl.Form | None
    meaning: Meaning | str
    reactions: tuple[ConsistentFlux, ...] = ()
    out: Mapping[str, ufl.Form] = field(default_factory=dict)
    made: Mapping[str, ufl.Form] = field(default_factory=dict)

    @checked
    def replaced(self, substitutions: Mapping[Any, Any]) -> Balance:
        """Return the same balance with other coefficients in its functionals."""
        out, made = ({k: ufl.replace(f, substitutions) for k, f in forms.items()} for forms in (self.out, self.made))
        stored = None if self.stored is None else ufl.replace(self.stored, substitutions)
        return Balance(stored, self.meaning, self.reactions, out, made)

    @checked
    def dirichlet_boundaries(self, domain: Domain) -> tuple[str, ...]:
        """Return the names of the boundaries where an unknown of it has Dirichlet values."""
        names = {name for reaction in self.reactions for name in reaction.boundaries}
        return tuple(name for name in domain.names if name in names)

    @checked
    def is_open(self, domain: Domain) -> bool:
        """Return True if anything is made inside or may pass a boundary."""
        return bool(self.dirichlet_boundaries(domain) or self.out or self.made)


@checked
def inflow(
    domain: Domain,
    on: Mapping[str, Any],
    v: ufl.core.expr.Expr,
    degree: int,
    surfaces: Mapping[str, ufl.Measure] | None = None,
) -> tuple[Any, dict[str, ufl.Form], list[Driver]]:
    """Return `sum int g v ds` over boundaries with a flux g, each flow out `-int g ds` alone, and the drivers of g.

    Args:
        domain: where.
        on: checked conditions.
        v: test function.
        degree: of the quadrature.
        surfaces: measures of the boundaries in the first sum, where they must share data with others in its form.
    """
    total: Any = 0
    out: dict[str, ufl.Form] = {}
    drivers: list[Driver] = []
    for name, condition in on.items():
        if isinstance(condition, Flux):
            value, moved = coefficient(domain, f"flux on {name!r}", condition.value)
            ds = domain.ds(name, degree)
            total += value * v * (surfaces[name] if surfaces else ds)
            out[name] = -value * ds
            drivers += moved
    return total, out, drivers


def weighted(form: ufl.Form, w: ufl.core.expr.Expr) -> ufl.Form:
    """Return a functional with its integrands times w."""
    return ufl.Form([each.reconstruct(integrand=each.integrand() * w) for each in form.integrals()])


@checked
def boundary_fluxes(
    names: Iterable[str],
    reactions: Sequence[ConsistentFlux],
    out: Mapping[str, ufl.Form],
    *,
    meaning: Meaning | str = PLAIN,
    label: str = "flux {}",
) -> dict[str, Quantity]:
    """Return the flux out of the domain through each boundary: consistent at Dirichlet values, let in, or 0.

    Args:
        names: of the boundaries.
        reactions: of the unknowns that flow, one for each.
        out: the flux out through boundaries without Dirichlet values, a functional.
        meaning: of a flux, or its unit.
        label: the name of a quantity, with {} for that of the boundary.
    """
    quantities: dict[str, Quantity] = {}
    for name in names:
        there = [reaction for reaction in reactions if name in reaction.boundaries]
        if there:
            quantity = Quantity(partial(total_through, there, name), meaning, of_model=True)
        else:
            quantity = Quantity(out.get(name, float), meaning)  # blocked: float() is 0
        quantities[label.format(name)] = quantity
    return quantities


def total_through(reactions: Sequence[ConsistentFlux], boundary: str, model: Any) -> float:
    """Return the flux out through one boundary, summed over the unknowns with Dirichlet values there. Collective."""
    return sum(reaction.through(boundary, model) for reaction in reactions)
