"""What can be asked of a migration before it is solved: how strong its drift is in a cell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

from emfem import fields
from emfem.mesh import Domain
from emfem.migration.fitted import reference_corners
from emfem.migration.laws import solved
from emfem.model import Model

import numpy as np
import ufl
from numpy.typing import NDArray


@dataclass(frozen=True)
class Peclet:
    """The largest cell Peclet number, and where it is.

    Attributes:
        value: |v| h / (2 D), h the extent of the cell along v [-].
        place: centre of that cell, shape (dim,).
    """

    value: float
    place: NDArray[np.float64]

    def __str__(self) -> str:
        """One line."""
        where = ", ".join(f"{x:.4g}" for x in self.place)
        told = "above 1: layers there need smaller cells, or stabilisation='fitted'" if self.value > 1 else "resolved"
        return f"cell Peclet number {self.value:.4g} at ({where}), {told}"


def peclet(model: Model) -> Peclet:
    """The largest cell Peclet number |v| h / (2 D) of a migration model in its present state. Collective.

    Above 1, plain linear elements oscillate at boundary layers; quadratic ones from about 2.

    Raises:
        UnknownName: if the model has no drift.
    """
    name = next((name for name in model.names if name.split()[0] == "drift"), "drift")
    return highest_peclet(model.domain, model[name.replace("drift", "diffusivity")], model[name])


def highest_peclet(domain: Domain, diffusivity: Any, velocity: Any) -> Peclet:
    """The largest cell Peclet number, half of |tau . D^-1 v| over corner-to-corner vectors tau. Collective."""
    jacobian, corners = ufl.Jacobian(domain.mesh), reference_corners(domain)
    drag = solved(diffusivity, velocity)
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
    value, place = max(domain.mesh.comm.allgather(best), key=lambda found: found[0])
    return Peclet(value, np.asarray(place))
