"""Between a mesh as plain arrays on rank 0 and a domain on all ranks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from emfem.errors import EmfemError, kind
from emfem.mesh.domain import Domain
from emfem.mesh.extents import PeriodicMesh
from emfem.mesh.raw import CORNERS, DIMENSION, FACETS, Integers, RawMesh

import basix.ufl
import dolfinx
import numpy as np
import ufl
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree


def on_root[T](what: str, make: Callable[[], T], comm: MPI.Comm) -> T:
    """Return the result of `make` on rank 0 on all ranks; its errors are raised on all of them. Collective.

    Raises:
        EmfemError: as `make` raises it; for any other exception one that reports that there is no `what`.
    """
    kind("comm", comm, MPI.Comm, "an MPI communicator")
    result: T | None = None
    error: EmfemError | None = None
    if comm.rank == 0:
        try:
            result = make()
        except EmfemError as raised:
            error = raised
        except Exception as raised:  # the other ranks wait for the answer, whatever happened
            error = EmfemError(f"no {what}: {raised}")
            error.__cause__ = raised
    result, sent = comm.bcast((result, error), root=0)
    if sent is not None:
        raise error or sent  # on rank 0 the error still has its cause
    return result


def distribute_from_root(shape: str, make: Callable[[], RawMesh], comm: MPI.Comm) -> Domain:
    """Return the domain of the mesh that `make` returns on rank 0; its errors are raised on all ranks. Collective.

    Raises:
        ParameterError: if the mesh cannot be computed on.
        EmfemError: if it cannot be made for another reason.
    """
    meshes: list[RawMesh] = []  # stays on rank 0: only its parts are sent

    def checked() -> None:
        meshes.append(make())
        meshes[0].check()

    on_root(f"mesh of the {shape}", checked, comm)
    return distribute(shape, meshes[0] if meshes else None, comm)


def distribute(shape: str, raw: RawMesh | None, comm: MPI.Comm) -> Domain:
    """Return the domain of `raw`, which is a mesh on rank 0 and None on the others. Collective."""
    if raw is not None and any(raw.period):
        raw = merge_periodic_images(raw)
    header = raw and (raw.cell, raw.degree, raw.nodes.shape[1], raw.cells.shape[1], raw.period)
    cell, degree, gdim, width, period = comm.bcast(header, root=0)
    boundaries, regions = comm.bcast(raw and (tuple(raw.boundaries), tuple(raw.regions)), root=0)
    element = basix.ufl.element("Lagrange", cell, degree, shape=(gdim,))
    nodes, cells = (raw.nodes, raw.cells) if raw else (np.zeros((0, gdim)), np.zeros((0, width), np.int64))
    mesh = dolfinx.mesh.create_mesh(comm, cells, element, np.ascontiguousarray(nodes))
    dim = DIMENSION[cell]
    facets = _tags(mesh, dim - 1, FACETS[cell].shape[1], raw.boundaries if raw else {})
    groups = {name: raw.corners[members] for name, members in raw.regions.items()} if raw else {}
    cell_tags = _tags(mesh, dim, CORNERS[cell], groups) if regions else None
    if any(period):
        mesh = unfold(mesh, element, period)
        facets = dolfinx.mesh.meshtags(mesh, dim - 1, facets.indices, facets.values)
        cell_tags = cell_tags and dolfinx.mesh.meshtags(mesh, dim, cell_tags.indices, cell_tags.values)
    return Domain(mesh, shape, boundaries, facets, regions, cell_tags)


def _tags(mesh: dolfinx.mesh.Mesh, dim: int, width: int, groups: Mapping[str, Integers]) -> dolfinx.mesh.MeshTags:
    """Return tag i + 1 for the entities of the i-th group, which rank 0 defines by their corners. Collective."""
    corners = np.concatenate([np.zeros((0, width), dtype=np.int64), *groups.values()])
    values = np.repeat(np.arange(1, len(groups) + 1, dtype=np.int32), [len(group) for group in groups.values()])
    entities, tags = dolfinx.io.distribute_entity_data(mesh, dim, corners, values)
    mesh.topology.create_connectivity(dim, mesh.topology.dim)
    return dolfinx.mesh.meshtags_from_entities(
        mesh, dim, dolfinx.graph.adjacencylist(entities), tags.astype(np.int32, copy=False)
    )


def merge_periodic_images(raw: RawMesh) -> RawMesh:
    """Return the mesh with one node for a node and its periodic images: opposite sides must match node by node."""
    nodes, period = raw.nodes, np.array(raw.period)
    origin, extent = nodes.min(axis=0), np.ptp(nodes, axis=0)
    wrapped = nodes - origin
    for axis in np.flatnonzero(period):
        wrapped[:, axis] %= period[axis]
    pairs = cKDTree(wrapped, boxsize=period).query_pairs(1e-9 * extent.max(), output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(nodes),) * 2)
    number = connected_components(links, directed=False)[1].astype(np.int64)
    _, first = np.unique(number, return_index=True)
    boundaries = {name: number[facets] for name, facets in raw.boundaries.items()}
    return replace(raw, nodes=wrapped[first] + origin, cells=number[raw.cells], boundaries=boundaries)


def unfold(torus: dolfinx.mesh.Mesh, element: basix.ufl._ElementBase, period: tuple[float, ...]) -> PeriodicMesh:
    """Return the mesh with the topology of the torus, whose cells have their true shape across the seam."""
    dim = len(period)
    corners = torus.geometry.x[torus.geometry.dofmaps[0]][:, :, :dim].copy()
    for axis, length in enumerate(period):
        along = corners[:, :, axis]
        if length:  # a cell across the seam has nodes on both sides: shift the near ones by a period
            along[along < along.max(axis=1, keepdims=True) - length / 2] += length
    return with_cell_geometry(torus, element, corners, period)


def with_cell_geometry(
    torus: dolfinx.mesh.Mesh,
    element: basix.ufl._ElementBase,
    corners: NDArray[np.float64],
    period: tuple[float, ...],
) -> PeriodicMesh:
    """Return the mesh on the topology of a torus, each cell with nodes of its own: shape (cells, nodes, dim)."""
    n, per_cell, dim = corners.shape
    geometry = dolfinx.mesh.create_geometry(
        dolfinx.common.IndexMap(torus.comm, n * per_cell),
        np.arange(n * per_cell, dtype=np.int32).reshape(n, per_cell),
        torus.geometry.cmaps[0],
        corners.reshape(-1, dim),
        np.arange(n * per_cell, dtype=np.int64),
    )
    mesh = PeriodicMesh(
        type(torus._cpp_object)(torus.comm, torus.topology._cpp_object, geometry._cpp_object), ufl.Mesh(element)
    )
    mesh.period = period
    return mesh


def gather(domain: Domain) -> RawMesh | None:
    """Return the mesh of `domain` on rank 0, None on the others; the same on any number of ranks. Collective.

    Nodes and cells have the order of the mesh that `domain` was made from. It must not be periodic: its seam has no two
    copies.
    """
    parts = domain.mesh.comm.gather(_owned(domain), root=0)
    if parts is None:
        return None
    x, nodes, cells, order, regions, facets, tags = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    number = np.empty(len(nodes), dtype=np.int64)
    number[np.argsort(nodes)] = np.arange(len(nodes))
    sorted_cells = np.argsort(order)
    regions = regions[sorted_cells]
    return RawMesh(
        x[np.argsort(nodes)],
        number[cells[sorted_cells]],
        domain.mesh.topology.cell_name(),
        {name: np.sort(number[facets[tags == i]], axis=1) for i, name in enumerate(domain.names, start=1)},
        {name: np.flatnonzero(regions == i) for i, name in enumerate(domain.regions, start=1)},
        domain.mesh.geometry.cmaps[0].degree,
    )


def _owned(domain: Domain) -> tuple[NDArray[np.generic], ...]:
    """Return nodes, cells and facets that this rank owns.

    Returns:
        coordinates of nodes and their original numbers; nodes of cells, their original numbers and tags; corners of
        tagged facets and their tags.
    """
    mesh, geometry = domain.mesh, domain.mesh.geometry
    dim = mesh.topology.dim
    owned_nodes = geometry.index_map().size_local
    owned_cells = mesh.topology.index_map(dim).size_local
    numbers = geometry.index_map().local_to_global(np.arange(len(geometry.x), dtype=np.int32))
    regions = np.zeros(owned_cells, dtype=np.int32)
    if domain.cells is not None:
        mine = domain.cells.indices < owned_cells
        regions[domain.cells.indices[mine]] = domain.cells.values[mine]
    mine = domain.facets.indices < mesh.topology.index_map(dim - 1).size_local
    facets = dolfinx.mesh.entities_to_geometry(mesh, dim - 1, domain.facets.indices[mine])
    corners = FACETS[mesh.topology.cell_name()].shape[1]
    return (
        geometry.x[:owned_nodes, : geometry.dim],
        geometry.input_global_indices[:owned_nodes],
        numbers[geometry.dofmaps[0][:owned_cells]],
        mesh.topology.original_cell_index[:owned_cells],
        regions,
        numbers[facets.reshape(-1, facets.shape[-1])[:, :corners]],
        domain.facets.values[mine],
    )
