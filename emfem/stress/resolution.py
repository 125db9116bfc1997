"""Resolution of stress: the distance it has diffused from ends and junctions.

There the stress begins as sqrt(t), in a layer as wide as the diffusion length sqrt(kappa t). Errors of a blocked line's
ends against the closed form, h the size of its cells, all equal:

| sqrt(kappa t)/h | 0.25   | 0.36   | 0.5    | 0.57   | 0.75   | 0.8    | 1.1    | 1.6    | 2.9    | 4.5    |
|-----------------|--------|--------|--------|--------|--------|--------|--------|--------|--------|--------|
| degree 1        | 3.5e-1 | 2.0e-1 | 9.7e-2 | 7.5e-2 | 4.2e-2 | 3.5e-2 | 1.7e-2 | 8.2e-3 | 2.6e-3 | 1.0e-3 |
| degree 2        | 1.7e-2 | 5.8e-3 | 4.3e-3 | 2.9e-3 | 9e-4   | 6.0e-4 | 1.2e-4 | 2.8e-5 | 2.7e-6 | 4.3e-7 |

The limits are where the error is 1e-3. Later on, at kappa t of the order of the length squared, linear elements are
better than that.
"""

from __future__ import annotations

import math
from typing import Any

from emfem.mesh import Domain
from emfem.model import Model, Resolution, largest_diameter, mean_length, mean_value
from emfem.stress.laws import ConfinedMetal

import numpy as np
import ufl

LEAST = {1: 4.5}  # of the diffusion length over a cell, by the degree of the elements
QUADRATIC = 0.75  # of higher degrees


def resolutions(domain: Domain, metal: ConfinedMetal, force: Any, moved: bool, degree: int) -> list[Resolution]:
    """Return the diffusion length over the longest cell at an end or junction, on lines and networks.

    Args:
        domain: of the model.
        metal: with kappa.
        force: of the drive; nothing has to be resolved if it is 0.
        moved: boundaries have conditions, which have to be resolved without a force too.
        degree: of the elements.
    """
    if domain.mesh.topology.dim != 1:
        return []
    limit, size = LEAST.get(degree, QUADRATIC), _longest_cell(domain)

    def lengths(model: Model, t: float) -> float:
        """`sqrt(kappa t)/h`; NaN where nothing happens at ends."""
        if size == 0.0 or not 0.0 < t < math.inf:
            return math.nan
        expressions = metal.mobility * metal["bulk_modulus"], force
        kappa, drive = (ufl.replace(ufl.as_ufl(each), model.substitutions) for each in expressions)
        ratio = math.sqrt(mean_value(domain, kappa) * t) / size
        still = ratio < limit and not moved and mean_length(domain, drive) == 0.0
        return math.nan if still else ratio

    def remedy(ratio: float) -> str:
        return (
            "stress at ends and junctions is off by more than 1e-3; take cells there of "
            f"{size * ratio / limit:.2g} m at most, not {size:.2g} m, with cells=... or size=..., or cells='graded'"
        )

    return [Resolution("diffusion length over cell size", lengths, limit, remedy, timed=True)]


def _longest_cell(domain: Domain) -> float:
    """Return the largest diameter of the cells at ends and junctions; 0 if there are none. Collective."""
    mesh = domain.mesh
    mesh.topology.create_connectivity(0, 1)
    if domain.network is None:
        vertices = domain.facets.indices
    else:  # vertices are numbered as points, of which those of the nodes come first
        vertices = np.flatnonzero(mesh.geometry.input_global_indices < len(domain.network.nodes)).astype(np.int32)
    link = mesh.topology.connectivity(0, 1)
    cells = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *(link.links(v) for v in vertices)]))
    return largest_diameter(mesh, cells.astype(np.int32))
