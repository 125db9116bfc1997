"""Path of the current through metal: whether a void has cut a line, wherever the current enters and leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emfem.mesh import Domain, bounds
from emfem.spaces import connected_components, nodes_on

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from scipy.spatial import cKDTree


def joined(c: fem.Function, domain: Domain, ends: tuple[str, str]) -> Callable[[], bool]:
    """Return the function that is True while metal, nodes of c > 1/2 that share cells, joins two boundaries.

    Collective.

    Args:
        c: fraction of metal.
        domain: where.
        ends: the boundaries.
    """
    space, comm = c.function_space, domain.mesh.comm
    first, last = (nodes_on(space, domain.facets.find(domain.tag(name))) for name in ends)

    def connected() -> bool:
        piece = connected_components(space, within=c.x.array > 0.5)
        touched = [set(np.concatenate(comm.allgather(np.unique(piece[nodes]))).tolist()) for nodes in (first, last)]
        return bool(touched[0] & touched[1] - {-1})

    return connected


def nearest(domain: Domain, nodes: NDArray[np.float64], places: NDArray[np.float64]) -> tuple[Any, Any]:
    """Return the distance of each place to the nearest node, across the ends of a period too, and which one it is.

    Args:
        domain: with its periods.
        nodes: shape (n, 3), at least one [m].
        places: shape (m, 3) [m].
    """
    period, lower = np.zeros(3), np.zeros(3)
    period[: domain.dim], lower[: domain.dim] = domain.period, bounds(domain.mesh)[0]

    def inside(x: NDArray[np.float64]) -> NDArray[np.float64]:
        first = x - lower
        length = np.where(period > 0, period, 1.0)
        return np.where(period > 0, np.mod(np.mod(first, length), length), first)  # once, -1e-30 would be the length

    distance, index = cKDTree(inside(nodes), boxsize=period).query(inside(places))
    return distance, index


def holes(c: fem.Function) -> NDArray[np.int64]:
    """Return the void, nodes of c < 1/2 that share cells, that each node lies in, -1 in metal. Collective."""
    return connected_components(c.function_space, within=c.x.array < 0.5)
