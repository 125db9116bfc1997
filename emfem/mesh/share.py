"""From plain arrays on one rank to a domain on all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emfem.errors import EmfemError
from emfem.mesh.domain import Domain, PeriodicMesh
from emfem.mesh.parts import CORNERS, DIMENSION, FACETS, Parts, check

import basix.ufl
import dolfinx
import numpy as np
import ufl
from dolfinx.io import distribute_entity_data
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree


def on_root[T](what: str, make: Callable[[], T], comm: MPI.Comm) -> T:
    """What `make` makes on rank 0, on all ranks; whatever goes wrong there is raised on all of them. Collective.

    Raises:
        EmfemError: of the kind that `make` raised; for any other exception one that says that there is no `what`.
    """
    result, trouble = None, None
    if comm.rank == 0:
        try:
            result = make()
        except EmfemError as error:
            trouble = error
        except Exception as error:  # the other ranks wait for the answer, whatever happened
            trouble = EmfemError(f"no {what}: {error}")
            trouble.__cause__ = error
    result, told = comm.bcast((result, trouble), root=0)
    if told is not None:
        raise trouble or told  # rank 0 still knows the cause
    return result


def share(shape: str, make: Callable[[], Parts], comm: MPI.Comm) -> Domain:
    """The domain of what `make` makes on rank 0; whatever goes wrong there is raised on all ranks. Collective.

    Raises:
        ParameterError: if the mesh cannot be computed on.
        EmfemError: if it cannot be made for another reason.
    """
    made: list[Parts] = []  # stays on rank 0, which shares it bit by bit

    def checked() -> None:
        made.append(make())
        check(made[0])

    on_root(f"mesh of the {shape}", checked, comm)
    return distribute(shape, made[0] if made else None, comm)


def distribute(shape: str, parts: Parts | None, comm: MPI.Comm) -> Domain:
    """The domain of the parts on rank 0. Collective."""
    if parts is not None and any(parts.period):
        parts = merged(parts)
    told = None if parts is None else (parts.cell, parts.degree, parts.nodes.shape[1], parts.cells.shape[1])
    names = None if parts is None else (tuple(parts.boundaries), tuple(parts.regions), parts.period)
    (cell, degree, gdim, width), (boundaries, regions, period) = comm.bcast((told, names), root=0)
    element = basix.ufl.element("Lagrange", cell, degree, shape=(gdim,))
    nodes, cells = (parts.nodes, parts.cells) if parts else (np.zeros((0, gdim)), np.zeros((0, width), np.int64))
    mesh = dolfinx.mesh.create_mesh(comm, cells, element, np.ascontiguousarray(nodes))
    dim = DIMENSION[cell]
    facets = _tags(mesh, dim - 1, len(FACETS[cell][0]), None if parts is None else parts.boundaries)
    groups = None if parts is None else {name: parts.corners[at] for name, at in parts.regions.items()}
    tagged = _tags(mesh, dim, CORNERS[cell], groups) if regions else None
    if any(period):
        mesh = unfolded(mesh, element, period)
        facets = dolfinx.mesh.meshtags(mesh, dim - 1, facets.indices, facets.values)
        tagged = tagged and dolfinx.mesh.meshtags(mesh, dim, tagged.indices, tagged.values)
    return Domain(mesh, shape, boundaries, facets, regions, tagged)


def _tags(
    mesh: dolfinx.mesh.Mesh, dim: int, width: int, groups: Mapping[str, NDArray[np.int64]] | None
) -> dolfinx.mesh.MeshTags:
    """Tag i + 1 for the entities of the i-th group, given on rank 0 by their corners."""
    found = list((groups or {}).values())
    corners = np.concatenate([np.zeros((0, width), dtype=np.int64), *found])
    values = np.repeat(np.arange(1, len(found) + 1, dtype=np.int32), [len(group) for group in found])
    entities, tags = distribute_entity_data(mesh, dim, corners, values)
    mesh.topology.create_connectivity(dim, mesh.topology.dim)
    return dolfinx.mesh.meshtags_from_entities(
        mesh, dim, dolfinx.graph.adjacencylist(entities), tags.astype(np.int32, copy=False)
    )


def merged(parts: Parts) -> Parts:
    """The parts without the periodic images of nodes: opposite sides, which must match, become one."""
    nodes, period = parts.nodes, np.array(parts.period)
    origin, extent = nodes.min(axis=0), np.ptp(nodes, axis=0)
    wrapped = nodes - origin
    for axis in np.flatnonzero(period):
        wrapped[:, axis] %= period[axis]
    pairs = cKDTree(wrapped, boxsize=period).query_pairs(1e-9 * extent.max(), output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(nodes),) * 2)
    _, label = connected_components(links, directed=False)
    _, first = np.unique(label, return_index=True)
    renumbered = label.astype(np.int64)
    return Parts(
        wrapped[first] + origin,
        renumbered[parts.cells],
        parts.cell,
        {name: renumbered[facets] for name, facets in parts.boundaries.items()},
        parts.regions,
        parts.degree,
        parts.period,
    )


def unfolded(torus: dolfinx.mesh.Mesh, element: basix.ufl._ElementBase, period: tuple[float, ...]) -> PeriodicMesh:
    """The mesh whose cells have their true shape across the seam, on the topology of the torus."""
    dim = len(period)
    corners = torus.geometry.x[torus.geometry.dofmaps[0]][:, :, :dim].copy()
    for axis, length in enumerate(period):
        along = corners[:, :, axis]
        if length:  # a cell that crosses the seam has nodes on both sides: lift the near ones by a period
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
