"""Path of the current through metal: whether a void has cut a line, wherever the current enters and leaves."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from emfem.mesh import Domain, bounds
from emfem.spaces import nodes_on

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

NEAR = 1e-9  # of the domain's length: nodes so near its end lie in it


def across(domain: Domain, ends: tuple[str, str]) -> bool:
    """Return True if the ends are the first and the last x of the domain, so the current passes all sections.

    Collective.
    """
    lower, upper = bounds(domain.mesh)
    space, comm = fem.functionspace(domain.mesh, ("Lagrange", 1)), domain.mesh.comm
    x = space.tabulate_dof_coordinates()[:, 0]
    spans = []
    for name in ends:
        there = x[nodes_on(space, domain.facets.find(domain.tag(name)))]
        lowest = min(comm.allgather(float(there.min(initial=np.inf))))
        spans.append((lowest, max(comm.allgather(float(there.max(initial=-np.inf))))))
    near = NEAR * (upper[0] - lower[0])
    faces = zip(sorted(spans), (lower[0], upper[0]), strict=True)
    return all(abs(np.subtract(span, place)).max() < near for span, place in faces)


def joined(c: fem.Function, domain: Domain, ends: tuple[str, str]) -> Callable[[], bool]:
    """Return the function that is True while metal, nodes of c > 1/2 that share cells, joins two boundaries.

    Collective.

    Args:
        c: fraction of metal.
        domain: where.
        ends: the boundaries.
    """
    space, comm = c.function_space, domain.mesh.comm
    index, mesh = space.dofmap.index_map, domain.mesh
    cells = space.dofmap.list[: mesh.topology.index_map(mesh.topology.dim).size_local]

    def everywhere(nodes: NDArray[np.int32]) -> NDArray[np.int64]:
        return np.concatenate(comm.allgather(index.local_to_global(nodes.ravel().astype(np.int32))))

    cells = everywhere(cells).reshape(-1, cells.shape[1])
    pairs = np.concatenate([cells[:, pair] for pair in combinations(range(cells.shape[1]), 2)])
    first, last = (everywhere(nodes_on(space, domain.facets.find(domain.tag(name)))) for name in ends)

    def connected() -> bool:
        metal = np.concatenate(comm.allgather(c.x.array[: index.size_local] > 0.5))
        through = pairs[metal[pairs].all(axis=1)].T
        links = coo_array((np.ones(through.shape[1]), through), shape=(len(metal), len(metal)))
        piece = connected_components(links, directed=False)[1]
        begins, ends_at = (set(piece[nodes[metal[nodes]]].tolist()) for nodes in (first, last))
        return bool(begins & ends_at)

    return connected
