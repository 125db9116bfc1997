"""Fluxes through named boundaries, as the discrete equations balance them, in steady states and on the way there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from emfem.dimensions import Meaning
from emfem.mesh import Domain
from emfem.model import Condition, Model, Quantity, Reaction, Unknown

import ufl


def boundary_fluxes(
    domain: Domain,
    unknown: Unknown,
    conditions: list[Condition],
    given: Mapping[str, ufl.Form],
    *,
    scale: float,
    told: Meaning,
    mark: str = "",
    beside: tuple[Unknown, list[Condition]] | None = None,
) -> dict[str, Quantity]:
    """The flux out through each named boundary: the reaction where values are held, what is let in, or none.

    Args:
        domain: with the names.
        unknown: what flows.
        conditions: what is held of it.
        given: what flows out elsewhere.
        scale: what the residual was divided by.
        told: what a flux through a boundary is.
        mark: the end of every name.
        beside: another unknown whose flux is counted too, and what is held of it at the same boundaries.
    """
    reactions = [Reaction(unknown, conditions, scale)]
    if beside is not None:
        reactions.append(Reaction(*beside, scale))
    found: dict[str, Quantity] = {}
    for name in domain.names:
        if any(condition.boundary == name for condition in conditions):
            quantity = Quantity(partial(_through, reactions, name), told, of_model=True)
        else:
            quantity = Quantity(given.get(name, float), told)  # blocked: float() is 0
        found[f"flux {name}{mark}"] = quantity
    return found


def _through(reactions: list[Reaction], boundary: str, model: Model) -> float:
    """The sum of what several reactions let out through a boundary. Collective."""
    return sum(reaction.through(boundary, model) for reaction in reactions)
