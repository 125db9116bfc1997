"""Boundaries between regions: their facets, and the measure that integrates over them."""

from __future__ import annotations

from typing import Any

from emfem.errors import ParameterError
from emfem.gate import checked
from emfem.mesh.domain import Domain

import dolfinx
import numpy as np
import ufl
from numpy.typing import NDArray

__all__ = ["between_regions", "measure", "surfaces"]


def surfaces(domain: Domain, argument: str = "grain_boundaries") -> tuple[list[tuple[int, NDArray[np.int32]]], int]:
    """Return named boundaries and those between regions, for one measure "ds"; and the tag of the latter. Collective.

    Facets between regions are seen from one of their cells: what is continuous needs no more, and no ghosts.

    Raises:
        ParameterError: if the domain has no boundary between regions.
    """
    mesh, inner = domain.mesh, len(domain.names) + 1
    between = between_regions(domain)
    if not mesh.comm.allreduce(len(between)):
        msg = f"{argument} on {domain.shape} with regions {domain.regions!r}, must have two regions that touch"
        raise ParameterError(msg)
    named = [(tag, _sides(mesh, domain.facets.find(tag))) for tag in range(1, inner)]
    return [*named, (inner, _sides(mesh, between))], inner


@checked(collective=True)
def between_regions(domain: Domain) -> NDArray[np.int32]:
    """Return the facets between two regions, each on one rank. Collective."""
    mesh = domain.mesh
    if domain.cells is None:
        return np.zeros(0, dtype=np.int32)
    dim = mesh.topology.dim
    mesh.topology.create_connectivity(dim, dim - 1)
    mesh.topology.create_connectivity(dim - 1, dim)
    facets, cells = mesh.topology.index_map(dim - 1), mesh.topology.index_map(dim).size_local
    tags = np.zeros(mesh.topology.index_map(dim).size_local + mesh.topology.index_map(dim).num_ghosts)
    tags[domain.cells.indices] = domain.cells.values
    of_cell = mesh.topology.connectivity(dim, dim - 1).array.reshape(
        -1, dolfinx.cpp.mesh.cell_num_entities(mesh.topology.cell_type, dim - 1)
    )[:cells]
    # Sums of 1, tag and tag^2 over the cells of a facet, of all ranks: two tags differ where 2 sum tag^2 > (sum tag)^2
    sums = dolfinx.la.vector(facets, 3)
    sums.array[:] = 0.0
    for power in range(3):
        np.add.at(sums.array, 3 * of_cell + power, tags[:cells, None] ** power)
    sums.scatter_reverse(dolfinx.la.InsertMode.add)
    count, first, second = sums.array.reshape(-1, 3)[: facets.size_local].T
    return np.flatnonzero((count == 2) & (2 * second - first**2 > 0.5)).astype(np.int32)


def _sides(mesh: dolfinx.mesh.Mesh, facets: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return for each facet a cell of this rank and the facet's number in it, flat."""
    dim = mesh.topology.dim
    owned = mesh.topology.index_map(dim).size_local
    mesh.topology.create_connectivity(dim, dim - 1)
    mesh.topology.create_connectivity(dim - 1, dim)
    cells_of, facets_of = mesh.topology.connectivity(dim - 1, dim), mesh.topology.connectivity(dim, dim - 1)
    pairs = []
    for facet in facets:
        here = [cell for cell in cells_of.links(facet) if cell < owned]
        if here:
            pairs += [here[0], int(np.flatnonzero(facets_of.links(here[0]) == facet)[0])]
    return np.array(pairs, dtype=np.int32)


def measure(domain: Domain, data: Any, tag: int, degree: int) -> Any:
    """Return the surface measure of one tag; all integrals of a form must share the same data."""
    ds = ufl.Measure("ds", domain=domain.mesh, subdomain_data=data, metadata={"quadrature_degree": degree})
    return domain.weighted(ds(tag))
