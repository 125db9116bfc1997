"""Function spaces beyond DOLFINx's own: nodes tied into one unknown, and the pieces that a space falls into."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

from emfem.gate import checked
from emfem.public import dir_of

import dolfinx
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.sparse import coo_array, csgraph

__all__ = ["connected_components", "nodes_on", "tied"]
__dir__ = dir_of(__all__)

TAG = 2207  # of the messages by which ranks learn who else holds a node


@checked
def nodes_on(space: fem.FunctionSpace, facets: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the nodes of a scalar space on facets, owned by this rank or not, shape (n,). Collective."""
    return fem.locate_dofs_topological(space, space.mesh.topology.dim - 1, facets)


@checked
def tied(space: fem.FunctionSpace, groups: Sequence[NDArray[np.int32]]) -> fem.FunctionSpace:
    """Return the scalar space whose functions have one and the same value at all nodes of a group. Collective.

    Each group becomes one node, which belongs to the first rank that has any of it; everything that is built on the
    space, such as a matrix, then sees one unknown there.

    Args:
        space: a Lagrange space.
        groups: nodes, as `nodes_on` gives them; no node in two groups, and no group empty on all ranks.
    """
    comm, old = space.mesh.comm, space.dofmap.index_map
    owned, ghosts = old.size_local, old.num_ghosts
    member = np.full(owned + ghosts, -1)
    for i, group in enumerate(groups):
        member[group] = i
    holders = [
        min(r for r, has in enumerate(comm.allgather(bool((member[:owned] == i).any()))) if has)
        for i in range(len(groups))
    ]
    mine = [i for i, rank in enumerate(holders) if rank == comm.rank]
    free = np.flatnonzero(member[:owned] < 0)
    size = len(free) + len(mine)
    offset = comm.exscan(size) or 0
    # The number of each node in the new space: free ones first, then the groups this rank holds.
    number = fem.Function(space)  # carries whole numbers to the ranks that share a node, exactly up to 2^53
    number.x.array[free] = offset + np.arange(len(free))
    number.x.scatter_forward()
    new = number.x.array.astype(np.int64)
    group_number = np.zeros(len(groups), dtype=np.int64)
    for place, i in enumerate(mine):
        group_number[i] = offset + len(free) + place
    comm.Allreduce(MPI.IN_PLACE, group_number, op=MPI.SUM)
    tie = member >= 0
    new[tie] = group_number[member[tie]]
    owner = np.concatenate([np.full(owned, comm.rank), old.owners]).astype(np.int32)
    owner[tie] = np.array(holders, dtype=np.int32)[member[tie]]
    foreign, first = np.unique(new[owner != comm.rank], return_index=True)
    owners = owner[owner != comm.rank][first]
    index_map = dolfinx.cpp.common.IndexMap(comm, size, foreign, owners, TAG)
    local = np.where(owner == comm.rank, new - offset, size + np.searchsorted(foreign, new)).astype(np.int32)
    cells = local[space.dofmap.list]
    dofmap = dolfinx.cpp.fem.DofMap(
        space.dofmap.dof_layout, index_map, 1, dolfinx.graph.adjacencylist(cells)._cpp_object, 1
    )
    mesh, element = space.mesh, space.element
    made = dolfinx.cpp.fem.FunctionSpace_float64(mesh._cpp_object, element._cpp_object, dofmap)
    result = fem.FunctionSpace(mesh, space.ufl_element(), made)
    result.tied = True  # a node of a group is in no one place: `emfem.fields.gather` asks
    return result


@checked
def connected_components(
    space: fem.FunctionSpace, links: Sequence[NDArray[np.int32]] = (), *, within: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return the connected component that each node of a scalar space lies in, shape (nodes of this rank,). Collective.

    Pieces are numbered from 0, alike on all ranks; nodes of one cell, or of one of the `links`, are in one piece.

    Args:
        space: with the nodes.
        links: nodes that are in one piece, one array a link.
        within: True at the nodes that count, owned or not, shape (nodes of this rank,); others are in no piece, -1.
    """
    comm, index_map = space.mesh.comm, space.dofmap.index_map
    owned, nodes = index_map.size_local, index_map.size_local + index_map.num_ghosts
    inside = np.ones(nodes, dtype=bool) if within is None else within
    links = [link[inside[link]] for link in links]
    cells = space.dofmap.list
    chains = [np.stack([link[:-1], link[1:]]) for link in links]
    if within is None:
        chains.append(np.stack([cells[:, :-1].ravel(), cells[:, 1:].ravel()]))
    else:  # the nodes of a cell that count need not be next to each other in it
        chains += [cells[inside[cells[:, pair]].all(axis=1)][:, pair].T for pair in _pairs(cells.shape[1])]
    number = np.cumsum(inside) - 1
    here = np.full(nodes, -1)
    here[inside] = _components(int(inside.sum()), number[np.concatenate(chains, axis=1)])
    starts = np.cumsum([0, *comm.allgather(int(here.max(initial=-1)) + 1)])
    mine = np.where(inside, here + starts[comm.rank], -1)
    # A ghost has a piece on its owner and one on this rank: these pairs join pieces across ranks.
    known = fem.Function(space)
    known.x.array[:owned] = mine[:owned]
    known.x.scatter_forward()
    ghosts = np.flatnonzero(inside[owned:]) + owned
    same = np.unique(np.stack([mine[ghosts], known.x.array[ghosts].astype(np.int64)], axis=1), axis=0)
    across = np.concatenate([same.reshape(-1, 2), *_ends_of(links, mine, comm)])
    joined = _components(int(starts[-1]), np.concatenate(comm.allgather(across)).T)
    return np.append(joined, -1)[mine].astype(np.int64)


def _pairs(nodes: int) -> list[list[int]]:
    """Return all pairs of the nodes of a cell."""
    return [list(pair) for pair in combinations(range(nodes), 2)]


def _ends_of(links: Sequence[NDArray[np.int32]], mine: NDArray[np.int64], comm: MPI.Comm) -> list[NDArray[np.int64]]:
    """Return pairs that join the parts of one link on different ranks, one list a link."""
    first = [comm.allgather(int(mine[link[0]]) if len(link) else -1) for link in links]
    joined = [[piece for piece in ranks if piece >= 0] for ranks in first]
    return [np.array(list(pairwise(each)), dtype=np.int64).reshape(-1, 2) for each in joined]


def _components(nodes: int, pairs: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return the connected component of each node of a graph."""
    graph = coo_array((np.ones(pairs.shape[1], dtype=bool), (pairs[0], pairs[1])), shape=(nodes, nodes))
    return csgraph.connected_components(graph, directed=False)[1]
