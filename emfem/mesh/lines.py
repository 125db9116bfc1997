"""The mesh of a network: lines cut into cells, put together here.

DOLFINx's `create_mesh` reads branching meshes, but its ordering of the cells takes a time that grows with the cells
times the pieces of metal: 17 s for 800 000 cells in 448 stripes, where this takes one or two. The order of wires is
known anyway, and every rank knows the whole network, so nothing needs to be sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from emfem.mesh.graded import Grading
from emfem.mesh.graph import Network, Numbers

import basix.ufl
import dolfinx
import numpy as np
import ufl
from mpi4py import MPI
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

TAG = 2208  # of the messages by which ranks learn who else holds a node


@dataclass(frozen=True, eq=False)
class Share:
    """The segments of one rank.

    Attributes:
        segments: their numbers, in the order of its cells.
        nodes: nodes it holds, its own first.
        own: how many of them are its own.
        ghosts: places of the others among all points of all ranks.
        owners: ranks of the others.
    """

    segments: Numbers
    nodes: Numbers
    own: int
    ghosts: Numbers
    owners: Numbers


def lines(
    found: Network, counts: Numbers, comm: MPI.Comm, grading: Grading | None = None
) -> tuple[dolfinx.mesh.Mesh, Numbers]:
    """The mesh of a network whose segments are cut into `counts` cells, and the segment of each cell. Collective.

    Cells of a segment are equal, or as the `grading` of the same counts has them.

    A vertex is numbered as its point of the geometry. The points are numbered at first with the nodes of the network,
    then along the segments: `geometry.input_global_indices` of a node is its number.
    """
    share = _share(found, counts, comm)
    cells, segment, place = _cells(found, counts, share)
    inner, step = _inner(counts, share.segments)
    start, end = (found.nodes[found.segments[inner, i]] for i in (0, 1))
    along = step / counts[inner] if grading is None else grading.fractions(inner, step)
    between = start + along[:, None] * (end - start)
    own, foreign = share.nodes[: share.own], share.nodes[share.own :]
    points = np.concatenate([found.nodes[own], between, found.nodes[foreign]])
    before = np.cumsum(counts - 1) - (counts - 1)
    first_numbers = np.concatenate([own, len(found.nodes) + before[inner] + step - 1, foreign])
    first_cells = (np.cumsum(counts) - counts)[segment] + place
    element = basix.ufl.element("Lagrange", "interval", 1, shape=(found.nodes.shape[1],))
    size = share.own + len(inner)
    index_map = dolfinx.cpp.common.IndexMap(comm, size, share.ghosts, share.owners.astype(np.int32), TAG)
    topology = dolfinx.cpp.mesh.Topology(
        dolfinx.mesh.CellType.interval,
        index_map,
        dolfinx.common.IndexMap(comm, len(cells)),
        dolfinx.graph.adjacencylist(cells)._cpp_object,
        first_cells,
    )
    map_ = dolfinx.fem.coordinate_element(dolfinx.mesh.CellType.interval, 1)
    geometry = dolfinx.mesh.create_geometry(index_map, cells, map_, np.ascontiguousarray(points), first_numbers)
    mesh = dolfinx.cpp.mesh.Mesh_float64(comm, topology, geometry._cpp_object)
    return dolfinx.mesh.Mesh(mesh, ufl.Mesh(element)), segment


def _share(found: Network, counts: Numbers, comm: MPI.Comm) -> Share:
    """What this rank holds: about as many cells as any other, of segments that lie together."""
    order = _order(found) if comm.size > 1 else np.arange(len(counts))
    ended = np.cumsum(counts[order])
    rank = np.empty(len(counts), dtype=np.int64)
    rank[order] = np.minimum((ended - counts[order] / 2) * comm.size / ended[-1], comm.size - 1).astype(np.int64)
    owner = np.full(len(found.nodes), comm.size)  # of a node the first rank that has a segment there, if any
    np.minimum.at(owner, found.segments.ravel(), np.repeat(rank, 2))
    owned = np.bincount(owner, minlength=comm.size + 1)[: comm.size]
    size = owned + np.bincount(rank, counts - 1, comm.size).astype(np.int64)
    by_owner = np.argsort(owner, kind="stable")
    place = np.empty(len(found.nodes), dtype=np.int64)  # among its owner's nodes
    place[by_owner] = (
        np.arange(len(by_owner)) - (np.cumsum(np.append(0, owned)))[np.minimum(owner, comm.size)][by_owner]
    )
    segments = order[rank[order] == comm.rank]
    held = np.unique(found.segments[segments])
    mine = owner[held] == comm.rank
    foreign = held[~mine]
    ghosts = (np.cumsum(size) - size)[owner[foreign]] + place[foreign]
    return Share(segments, np.concatenate([held[mine], foreign]), int(mine.sum()), ghosts, owner[foreign])


def _order(found: Network) -> Numbers:
    """The segments so that neighbours come soon after each other."""
    n, pairs = len(found.nodes), found.segments
    both = np.concatenate([pairs, pairs[:, ::-1]])
    graph = csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(n, n))
    place = np.empty(n, dtype=np.int64)
    place[reverse_cuthill_mckee(graph, symmetric_mode=True)] = np.arange(n)
    return np.argsort(place[pairs].min(axis=1), kind="stable")


def _inner(counts: Numbers, segments: Numbers) -> tuple[Numbers, Numbers]:
    """For each point inside the segments: its segment, and how many cells it is from the start."""
    inner = np.repeat(segments, counts[segments] - 1)
    ended = np.cumsum(counts[segments] - 1)
    return inner, np.arange(len(inner)) - np.repeat(ended - (counts[segments] - 1), counts[segments] - 1) + 1


def _cells(found: Network, counts: Numbers, share: Share) -> tuple[np.ndarray, Numbers, Numbers]:
    """Points of each cell of this rank, its segment, and its place along it."""
    here, own = counts[share.segments], share.own
    index = np.full(len(found.nodes), -1)
    total = int((here - 1).sum())
    index[share.nodes[:own]] = np.arange(own)
    index[share.nodes[own:]] = own + total + np.arange(len(share.nodes) - own)
    which = np.repeat(np.arange(len(here)), here)
    place = np.arange(len(which)) - (np.cumsum(here) - here)[which]
    inside = (
        own + (np.cumsum(here - 1) - (here - 1))[which] + place
    )  # the point at the end of the cell, if not the last
    ends = index[found.segments[share.segments]][which]
    first = np.where(place == 0, ends[:, 0], inside - 1)
    last = np.where(place == here[which] - 1, ends[:, 1], inside)
    return np.stack([first, last], axis=1).astype(np.int32), share.segments[which], place
