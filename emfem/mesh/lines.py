"""Meshes of networks: lines divided into equal or graded cells, and their distribution.

DOLFINx's `create_mesh` takes branching meshes, but its ordering of the cells takes a time that grows with the cells
times the pieces of metal: 17 s for 800 000 cells in 448 stripes, where this module takes one or two. The order of wires
is known anyway, and every rank has the whole network, so nothing needs to be sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from emfem.mesh.graph import Floats, Network, Numbers

import basix.ufl
import dolfinx
import numpy as np
import ufl
from mpi4py import MPI
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

TAG = 2208  # of the messages by which ranks learn which others share a node
FINEST = 0.03  # size of the cells at a node, over the shortest line that ends there
GROWTH = 0.5  # of the size of cells over the distance from the end: each is larger than the one before by this or less


@dataclass(frozen=True, eq=False)
class Grading:
    """Division of lines into cells: h(s) = a + g s from the start, h = b + g (L - s) from the end, whichever is less.

    The number of cells up to a point, int ds/h, is a logarithm; it is scaled to a whole number of cells.

    Attributes:
        lengths: L of each line, shape (m,).
        first: a, the size of cells at the start, shape (m,).
        last: b, that at the end, shape (m,).
        growth: g [-].
    """

    lengths: Floats
    first: Floats
    last: Floats
    growth: float = GROWTH

    @property
    def counts(self) -> Numbers:
        """Number of cells of each line."""
        rising, falling = self._parts()
        return np.maximum(np.ceil(np.round(rising + falling, 9)), 1).astype(np.int64)

    def fractions(self, line: Numbers, step: Numbers) -> Floats:
        """Return the position of the vertex `step` cells from the start of its line, over the length."""
        rising, falling = (part[line] for part in self._parts())
        before = step / self.counts[line] * (rising + falling)
        from_start = self.first[line] * np.expm1(self.growth * np.minimum(before, rising)) / self.growth
        from_end = (
            self.last[line] * np.expm1(self.growth * np.minimum(rising + falling - before, falling)) / self.growth
        )
        return np.where(before <= rising, from_start, self.lengths[line] - from_end) / self.lengths[line]

    def _parts(self) -> tuple[Floats, Floats]:
        """Return the numbers of cells whose size increases and decreases, as real numbers."""
        middle = np.clip((self.lengths + (self.last - self.first) / self.growth) / 2, 0.0, self.lengths)
        rising = np.log1p(self.growth * middle / self.first) / self.growth
        return rising, np.log1p(self.growth * (self.lengths - middle) / self.last) / self.growth


def graded_line(length: float) -> Grading:
    """Return the grading of one line."""
    ends = np.array([FINEST * length])
    return Grading(np.array([length]), ends, ends)


def graded_network(network: Network) -> Grading:
    """Return the grading of a network: at each node as fine as the shortest segment that ends there needs."""
    shortest = np.full(len(network.nodes), np.inf)
    np.minimum.at(shortest, network.segments.ravel(), np.repeat(network.lengths, 2))
    start, end = network.segments.T
    return Grading(network.lengths, FINEST * shortest[start], FINEST * shortest[end])


@dataclass(frozen=True, eq=False)
class LocalSegments:
    """The segments of one rank.

    Attributes:
        segments: their numbers, in the order of the rank's cells.
        nodes: nodes of the network on this rank, owned ones first.
        owned: number of owned nodes.
        ghosts: global index of each ghost among the points of all ranks.
        owners: rank of each ghost.
    """

    segments: Numbers
    nodes: Numbers
    owned: int
    ghosts: Numbers
    owners: Numbers


def lines(
    network: Network, counts: Numbers, comm: MPI.Comm, grading: Grading | None = None
) -> tuple[dolfinx.mesh.Mesh, Numbers]:
    """Return the mesh of a network whose segments have `counts` cells, and the segment of each cell. Collective.

    Cells of a segment are equal, or graded by `grading`, which must have the same counts.

    A vertex has the index of its point in the geometry. The points are numbered originally with the nodes of the
    network first, then along the segments: `geometry.input_global_indices` of a node is its number.
    """
    local = _local_segments(network, counts, comm)
    here = counts[local.segments]
    segment, place = np.repeat(local.segments, here), _steps(here)
    inner, step = np.repeat(local.segments, here - 1), _steps(here - 1) + 1  # of the points inside the segments
    owned, foreign = local.nodes[: local.owned], local.nodes[local.owned :]
    index = np.full(len(network.nodes), -1)
    index[owned] = np.arange(len(owned))
    index[foreign] = len(owned) + len(inner) + np.arange(len(foreign))
    # The point at the end of each cell, if it is not the last of its segment
    inside = len(owned) + np.repeat(np.cumsum(here - 1) - (here - 1), here) + place
    ends = index[network.segments[segment]]
    first = np.where(place == 0, ends[:, 0], inside - 1)
    last = np.where(place == counts[segment] - 1, ends[:, 1], inside)
    cells = np.stack([first, last], axis=1).astype(np.int32)

    start, end = (network.nodes[network.segments[inner, i]] for i in (0, 1))
    along = step / counts[inner] if grading is None else grading.fractions(inner, step)
    points = np.concatenate([network.nodes[owned], start + along[:, None] * (end - start), network.nodes[foreign]])
    before = np.cumsum(counts - 1) - (counts - 1)
    first_numbers = np.concatenate([owned, len(network.nodes) + before[inner] + step - 1, foreign])
    first_cells = (np.cumsum(counts) - counts)[segment] + place
    element = basix.ufl.element("Lagrange", "interval", 1, shape=(network.nodes.shape[1],))
    size = len(owned) + len(inner)
    index_map = dolfinx.cpp.common.IndexMap(comm, size, local.ghosts, local.owners.astype(np.int32), TAG)
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


def _local_segments(network: Network, counts: Numbers, comm: MPI.Comm) -> LocalSegments:
    """Return the segments of this rank: neighbouring ones, with about as many cells as on any other rank."""
    order = _order(network) if comm.size > 1 else np.arange(len(counts))
    total = np.cumsum(counts[order])
    rank = np.empty(len(counts), dtype=np.int64)
    rank[order] = np.minimum((total - counts[order] / 2) * comm.size / total[-1], comm.size - 1).astype(np.int64)
    owner = np.full(len(network.nodes), comm.size)  # of a node the first rank that has a segment there, if any
    np.minimum.at(owner, network.segments.ravel(), np.repeat(rank, 2))
    owned = np.bincount(owner, minlength=comm.size + 1)
    size = owned[:-1] + np.bincount(rank, counts - 1, comm.size).astype(np.int64)
    by_owner = np.argsort(owner, kind="stable")
    place = np.empty(len(network.nodes), dtype=np.int64)  # among its owner's nodes
    place[by_owner] = _steps(owned)
    segments = order[rank[order] == comm.rank]
    nodes = np.unique(network.segments[segments])
    mine = owner[nodes] == comm.rank
    foreign = nodes[~mine]
    ghosts = (np.cumsum(size) - size)[owner[foreign]] + place[foreign]
    return LocalSegments(segments, np.concatenate([nodes[mine], foreign]), int(mine.sum()), ghosts, owner[foreign])


def _order(network: Network) -> Numbers:
    """Return the segments in an order in which neighbours are near each other."""
    n, pairs = len(network.nodes), network.segments
    both = np.concatenate([pairs, pairs[:, ::-1]])
    graph = csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(n, n))
    place = np.empty(n, dtype=np.int64)
    place[reverse_cuthill_mckee(graph, symmetric_mode=True)] = np.arange(n)
    return np.argsort(place[pairs].min(axis=1), kind="stable")


def _steps(counts: Numbers) -> Numbers:
    """Return 0, 1, ..., count - 1 for each of some counts, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
