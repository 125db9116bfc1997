"""Fluxes through named boundaries, as the discrete equations balance them, in steady states and on the way there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from emfem.mesh import Domain
from emfem.model import Condition, Quantity, Reaction, Unknown

import ufl


def boundary_fluxes(
    domain: Domain,
    unknown: Unknown,
    conditions: list[Condition],
    given: Mapping[str, ufl.Form],
    *,
    scale: float,
    mark: str = "",
) -> dict[str, Quantity]:
    """The flux out through each named boundary: the reaction where values are held, what is let in, or none."""
    reaction = Reaction(unknown, conditions, scale)
    found: dict[str, Quantity] = {}
    for name in domain.names:
        if any(condition.boundary == name for condition in conditions):
            told = Quantity(partial(reaction.through, name), of_model=True)
        else:
            told = Quantity(given.get(name, float))  # blocked: float() is 0
        found[f"flux {name}{mark}"] = told
    return found
