"""From a domain on all ranks back to plain arrays on one, in the order of the mesh it was made from."""

from __future__ import annotations

from emfem.mesh.domain import Domain
from emfem.mesh.parts import FACETS, Parts

import basix.ufl
import dolfinx
import numpy as np
from numpy.typing import NDArray


def gather(domain: Domain) -> Parts | None:
    """The parts of `domain` on rank 0, None on the others; the same on any number of ranks. Collective.

    A periodic mesh has no parts: its seam has no two copies.
    """
    found = domain.mesh.comm.gather(_share(domain), root=0)
    if found is None:
        return None
    x, nodes, cells, order, regions, facets, tags = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    number = np.empty(len(nodes), dtype=np.int64)
    number[np.argsort(nodes)] = np.arange(len(nodes))
    sorted_cells = np.argsort(order)
    regions = regions[sorted_cells]
    return Parts(
        x[np.argsort(nodes)],
        number[cells[sorted_cells]],
        domain.mesh.topology.cell_name(),
        {name: np.sort(number[facets[tags == i]], axis=1) for i, name in enumerate(domain.names, start=1)},
        {name: np.flatnonzero(regions == i) for i, name in enumerate(domain.regions, start=1)},
        domain.mesh.geometry.cmaps[0].degree,
    )


def _share(domain: Domain) -> tuple[NDArray[np.generic], ...]:
    """What this rank owns: nodes and their first numbers; cells, their first numbers and regions; facets and tags."""
    mesh, geometry = domain.mesh, domain.mesh.geometry
    dim = mesh.topology.dim
    owned_nodes = geometry.index_map().size_local
    owned_cells = mesh.topology.index_map(dim).size_local
    every = geometry.index_map().local_to_global(np.arange(len(geometry.x), dtype=np.int32))
    regions = np.zeros(owned_cells, dtype=np.int32)
    if domain.cells is not None:
        mine = domain.cells.indices < owned_cells
        regions[domain.cells.indices[mine]] = domain.cells.values[mine]
    mine = domain.facets.indices < mesh.topology.index_map(dim - 1).size_local
    facets = dolfinx.mesh.entities_to_geometry(mesh, dim - 1, domain.facets.indices[mine])
    corners = len(FACETS[mesh.topology.cell_name()][0])
    return (
        geometry.x[:owned_nodes, : geometry.dim],
        geometry.input_global_indices[:owned_nodes],
        every[geometry.dofmaps[0][:owned_cells]],
        mesh.topology.original_cell_index[:owned_cells],
        regions,
        every[facets.reshape(-1, facets.shape[-1])[:, :corners]],
        domain.facets.values[mine],
    )


def facet_nodes(parts: Parts, facets: NDArray[np.int64]) -> NDArray[np.int64]:
    """All nodes of facets that are given by their corners, in DOLFINx's order, shape (l, nodes of a facet)."""
    closure = np.array(basix.ufl.element("Lagrange", parts.cell, parts.degree).basix_element.entity_closure_dofs[-2])
    corners = len(FACETS[parts.cell][0])
    every = parts.cells[:, closure].reshape(-1, closure.shape[1])
    place = {row.tobytes(): i for i, row in enumerate(np.sort(every[:, :corners], axis=1))}
    found = [place[row.tobytes()] for row in np.sort(np.ascontiguousarray(facets, dtype=np.int64), axis=1)]
    return every[found]
