"""Fluxes through named boundaries as the discrete equations balance them, in steady states and in transients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from emfem.dimensions import PLAIN, Meaning
from emfem.mesh import Domain
from emfem.model.conditions import Driver, Flux, neumann_term
from emfem.model.consistent_flux import ConsistentFlux
from emfem.model.models import Model, Quantity

import ufl
from dolfinx import fem


def inflow(domain: Domain, on: Mapping[str, Any], v: Any, degree: int) -> tuple[Any, dict[str, ufl.Form], list[Driver]]:
    """`sum int g v ds` over boundaries with a flux g, each flow out `-int g ds` alone, and what moves g in time."""
    total: Any = 0
    out: dict[str, ufl.Form] = {}
    drivers: list[Driver] = []
    for name, condition in on.items():
        if isinstance(condition, Flux):
            through, moved = neumann_term(domain, {name: condition}, fem.Constant(domain.mesh, 1.0), degree)
            total += weighted(through, v)
            out[name] = -through
            drivers += moved
    return total, out, drivers


def weighted(form: ufl.Form, w: Any) -> ufl.Form:
    """A functional with its integrands times w."""
    return ufl.Form([each.reconstruct(integrand=each.integrand() * w) for each in form.integrals()])


def boundary_fluxes(
    names: Iterable[str],
    reactions: Sequence[ConsistentFlux],
    out: Mapping[str, ufl.Form],
    *,
    meaning: Meaning | str = PLAIN,
    label: str = "flux {}",
) -> dict[str, Quantity]:
    """The flux out of the domain through each named boundary: what values held there take up, what is let in, or 0.

    Args:
        names: of the boundaries.
        reactions: of the unknowns that flow, one for each.
        out: the flux out through boundaries where nothing is held, a functional.
        meaning: of a flux, or its unit.
        label: the name of a quantity, with {} for that of the boundary.
    """
    found: dict[str, Quantity] = {}
    for name in names:
        held = [reaction for reaction in reactions if name in reaction.boundaries]
        if held:
            told = Quantity(partial(total_through, held, name), meaning, of_model=True)
        else:
            told = Quantity(out.get(name, float), meaning)  # blocked: float() is 0
        found[label.format(name)] = told
    return found


def total_through(reactions: Sequence[ConsistentFlux], boundary: str, model: Model) -> float:
    """The flux out through one boundary, summed over several unknowns that are held there. Collective."""
    return sum(reaction.through(boundary, model) for reaction in reactions)
