"""Meshes refined near a surface, or everywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from emfem.errors import floats, kind, number, require
from emfem.gate import checked
from emfem.mesh.distribute import distribute, distribute_from_root, gather
from emfem.mesh.domain import Domain
from emfem.mesh.raw import RawMesh

import dolfinx
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

Distance = Callable[[NDArray[np.float64]], Any]
MAX_HALVINGS = 20  # of a cell: one a million times smaller is a mistake


@checked(collective=True)
def refined(domain: Domain, distance: Distance, *, within: float, size: float) -> Domain:
    """Return a domain whose cells near a surface are halved until their width is at most `size`. Collective.

    Boundaries and regions keep their names. Nodes of the domain remain nodes, and two refinements of one domain have
    the same nodes where both are fine: a field is transferred there without an error.

    Args:
        domain: of triangles or tetrahedra with straight edges, not periodic.
        distance: distance of points x, shape (3, n), from the surface, on either side, shape (n,); called on rank 0
            only.
        within: cells nearer to the surface than this are fine, above 0 [m or -].
        size: the width of a fine cell, its diameter over sqrt(dim), is at most this, above 0 [m or -].

    Raises:
        ParameterError: for another domain, a value out of its bounds, a size that takes more than 20 halvings, or a
            distance that is not one number for each point.
    """
    check_domain(domain)
    reach, widest = number("within", within, above=0.0), number("size", size, above=0.0)
    kind("distance", distance, Callable, "a function of x with shape (3, n)")  # type: ignore[arg-type]
    base = domain.quality().largest / np.sqrt(domain.dim)
    finest = base / 2**MAX_HALVINGS
    require(widest >= finest, f"size = {widest:g}, must be at least {finest:g} on cells of {base:g}")
    raw = gather(domain)

    def make() -> RawMesh:
        serial = distribute(domain.shape, raw, MPI.COMM_SELF)
        while len(cells := _coarse(serial, distance, reach, widest)):
            serial = _halve(serial, cells)
        result = gather(serial)
        assert result is not None
        return result

    return replace(distribute_from_root(domain.shape, make, domain.mesh.comm), length_unit=domain.length_unit)


@checked(collective=True)
def halved(domain: Domain) -> Domain:
    """Return a domain with all edges of its cells halved, boundaries and regions with their names. Collective.

    Args:
        domain: of triangles or tetrahedra with straight edges, not periodic.

    Raises:
        ParameterError: for another domain.
    """
    check_domain(domain)
    raw = gather(domain)

    def make() -> RawMesh:
        serial = distribute(domain.shape, raw, MPI.COMM_SELF)
        cells = np.arange(serial.mesh.topology.index_map(domain.dim).size_local, dtype=np.int32)
        result = gather(_halve(serial, cells))
        assert result is not None
        return result

    return replace(distribute_from_root(domain.shape, make, domain.mesh.comm), length_unit=domain.length_unit)


def check_domain(domain: Any) -> None:
    """Check that the cells of a domain can be halved.

    Raises:
        ParameterError: if it is not one of straight triangles or tetrahedra, is periodic, or weighted.
    """
    kind("domain", domain, Domain, "one of em.mesh")
    cell, degree = domain.mesh.topology.cell_name(), domain.mesh.geometry.cmaps[0].degree
    require(
        cell in ("triangle", "tetrahedron") and degree == 1,
        f"domain of {'' if degree == 1 else 'curved '}{cell} cells, must be of straight triangles or tetrahedra to be "
        "refined",
    )
    start = f"domain = {domain.shape}"
    seam = f"{start}, periodic, must not be to be refined: the cells of its seam would not match"
    require(not domain.period.any(), seam)
    plain = f"{start}, must be a plain one to be refined: an axis or a thickness comes afterwards"
    require(domain.weight is None and not domain.shell, plain)


def _coarse(domain: Domain, distance: Distance, reach: float, size: float) -> NDArray[np.int32]:
    """Return the cells wider than `size` that are nearer to the surface than `reach`."""
    mesh, dim = domain.mesh, domain.dim
    cells = np.arange(mesh.topology.index_map(dim).size_local, dtype=np.int32)
    diameter = mesh.h(dim, cells)
    wide = diameter > size * np.sqrt(dim) * (1 + 1e-6)
    cells, diameter = cells[wide], diameter[wide]
    if not len(cells):
        return cells
    middle = mesh.geometry.x[mesh.geometry.dofmaps[0][cells]].mean(axis=1)
    words = f"one finite number for each column of x, of shape {middle.T.shape}"
    distances = floats("distance(x)", distance(middle.T.copy()), cells.shape, words, finite=True)
    farthest = dim / (dim + 1)  # of a cell's corners from its midpoint, over the diameter
    return cells[np.abs(distances) < reach + farthest * diameter]


def _halve(domain: Domain, cells: NDArray[np.int32]) -> Domain:
    """Return the domain with all edges of some cells halved, and those of neighbours that must be."""
    mesh, dim = domain.mesh, domain.dim
    for pair in ((1, 0), (1, dim), (dim, 1), (dim - 1, dim), (dim, dim - 1)):
        mesh.topology.create_connectivity(*pair)
    edges = dolfinx.mesh.compute_incident_entities(mesh.topology, cells, dim, 1)
    finer, parents, facets = dolfinx.mesh.refine(
        mesh, edges, partitioner=None, option=dolfinx.mesh.RefinementOption.parent_cell_and_facet
    )
    for pair in ((dim - 1, dim), (dim, dim - 1)):
        finer.topology.create_connectivity(*pair)
    tags = dolfinx.mesh.transfer_meshtag(domain.facets, finer, parents, facets)
    regions = domain.cells and dolfinx.mesh.transfer_meshtag(domain.cells, finer, parents)
    return replace(domain, mesh=finer, facets=tags, cells=regions)
