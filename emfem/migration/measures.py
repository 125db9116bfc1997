"""Cell Peclet numbers of a migration model: the drift over the diffusion in a cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from emfem import fields
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.migration.exponential_fitting import reference_corners
from emfem.migration.laws import apply_inverse
from emfem.model import Model, Resolution

import numpy as np
import ufl
from numpy.typing import NDArray

PECLET = {1: 1.0, 2: 1.5}  # above which layers oscillate, by the degree of the elements
CUBIC = 2.0  # of higher degrees
ROUNDING = 1e-9


@checked
@dataclass(frozen=True)
class Peclet:
    """The largest cell Peclet number, and its place.

    Attributes:
        value: |v| h / (2 D), h the extent of the cell along v [-].
        place: centre of that cell, shape (dim,).
    """

    value: float
    place: NDArray[np.float64]

    def __str__(self) -> str:
        """One line."""
        where = ", ".join(f"{x:.4g}" for x in self.place)
        remedy = "above 1: layers there need smaller cells, or stabilisation='fitted'" if self.value > 1 else "resolved"
        return f"cell Peclet number {self.value:.4g} at ({where}), {remedy}"


@checked(collective=True)
def peclet(model: Model) -> Peclet:
    """Return the largest cell Peclet number |v| h / (2 D) of a migration model in its present state. Collective.

    Above 1, plain linear elements oscillate at boundary layers; quadratic ones above 1.5, cubic ones above 2.

    Raises:
        UnknownName: if the model has no drift.
    """
    name = next((name for name in model.names if name.split()[0] == "drift"), "drift")
    return highest_peclet(model.domain, model[name.replace("drift", "diffusivity")], model[name])


def resolutions(domain: Domain, degree: int) -> list[Resolution]:
    """Return the cell Peclet number of plain elements, where the domain has boundaries that layers can form at.

    Between ends that hold 1 and 0, with the drift towards the 0, plain elements overshoot 1, on 20 cells at rest, by

    | cell Peclet number | 1 | 1.5    | 2      | 2.5    | 3      | 4      |
    |--------------------|---|--------|--------|--------|--------|--------|
    | degree 1           | 0 | 2.0e-1 | 3.3e-1 | 4.3e-1 | 5.0e-1 | 6.0e-1 |
    | degree 2           | 0 | 0      | 3.9e-2 | 9.7e-2 | 1.4e-1 | 2.1e-1 |
    | degree 3           | 0 | 0      | 0      | 5.9e-3 | 2.1e-2 | 5.5e-2 |

    The limits are the last numbers without. The blocked state of the same drift is right at the boundary all the way.
    """

    def number(model: Model, t: float) -> float:
        """Return the largest one; NaN without boundaries."""
        del t
        return peclet(model).value if domain.names else math.nan

    def remedy(number: float) -> str:
        times = math.ceil(number / limit)
        return f"layers there oscillate; take cells {times} times smaller, or stabilisation='fitted'"

    limit = PECLET.get(degree, CUBIC) * (1 + ROUNDING)
    return [Resolution("cell Peclet number", number, limit, remedy, at_most=True)]


def highest_peclet(domain: Domain, diffusivity: Any, velocity: Any) -> Peclet:
    """Return the largest cell Peclet number, half of |tau . D^-1 v| over corner-to-corner vectors tau. Collective."""
    jacobian, corners = ufl.Jacobian(domain.mesh), reference_corners(domain)
    drag = apply_inverse(diffusivity, velocity)
    across = [
        abs(ufl.dot(drag, ufl.dot(jacobian, ufl.as_vector((b - a).tolist())))) / 2 for a, b in combinations(corners, 2)
    ]
    largest = across[0]
    for other in across[1:]:
        largest = ufl.max_value(largest, other)
    sampled = fields.discontinuous(largest, domain.mesh, 0)
    owned = sampled.function_space.dofmap.index_map.size_local
    values = sampled.x.array[:owned]
    places = sampled.function_space.tabulate_dof_coordinates()[:owned, : domain.dim]
    best = (float(values.max()), places[values.argmax()]) if owned else (-1.0, np.zeros(domain.dim))
    value, place = max(domain.mesh.comm.allgather(best), key=lambda best: best[0])
    return Peclet(value, np.asarray(place))
