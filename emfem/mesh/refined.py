"""Meshes whose cells are split where a surface runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from emfem.errors import ParameterError, floats, kind, number
from emfem.mesh.domain import Domain
from emfem.mesh.gather import gather
from emfem.mesh.parts import DIMENSION, Parts
from emfem.mesh.share import distribute, share

import dolfinx
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

Distance = Callable[[NDArray[np.float64]], Any]
DEEPEST = 20  # times that a cell is halved; a cell a million times smaller is a mistake


def refined(domain: Domain, distance: Distance, *, within: float, size: float) -> Domain:
    """A domain whose cells near a surface are halved until they are no wider than `size`. Collective.

    Boundaries and regions keep their names. Nodes of the domain stay nodes, and two refinements of one domain have the
    same nodes where both are fine, so a field goes from the one to the other there without an error.

    Args:
        domain: of triangles or tetrahedra with straight edges, not periodic.
        distance: how far places x of shape (3, n) are from the surface, on either side, shape (n,); asked on rank 0
            only.
        within: cells that come as near as this are fine, above 0 [m or -].
        size: the width of a fine cell, its diameter over sqrt(dim), is at most this, above 0 [m or -].

    Raises:
        ParameterError: for another domain, a value out of its bounds, a size that takes more than 20 halvings, or a
            distance that is not one number a place.
    """
    check_domain(domain)
    reach, widest = number("within", within, above=0.0), number("size", size, above=0.0)
    kind("distance", distance, Callable, "a function of x with shape (3, n)")  # type: ignore[arg-type]
    base = domain.quality().largest / np.sqrt(domain.dim)
    if base / widest > 2**DEEPEST:
        msg = f"size = {size:g}, must be at least {base / 2**DEEPEST:g} on cells of {base:g}"
        raise ParameterError(msg)
    parts = gather(domain)

    def make() -> Parts:
        assert parts is not None  # on rank 0, where this is called, there are
        found = distribute(domain.shape, parts, MPI.COMM_SELF)
        while len(cells := _coarse(found, distance, reach, widest)):
            found = _halved(found, cells)
        return _parts(found)

    return replace(share(domain.shape, make, domain.mesh.comm), length_unit=domain.length_unit)


def check_domain(domain: Any) -> None:
    """Refuse a domain whose cells cannot be halved.

    Raises:
        ParameterError: if it is none, not of straight triangles or tetrahedra, periodic, or weighted.
    """
    kind("domain", domain, Domain, "one of em.mesh")
    cell = domain.mesh.topology.cell_name()
    if cell not in ("triangle", "tetrahedron") or domain.mesh.geometry.cmaps[0].degree != 1:
        straight = "" if domain.mesh.geometry.cmaps[0].degree == 1 else "curved "
        msg = f"domain of {straight}{cell} cells, must be of straight triangles or tetrahedra to be refined"
        raise ParameterError(msg)
    if domain.period.any():
        msg = f"domain = {domain.shape}, periodic, must not be to be refined: the cells of its seam would not match"
        raise ParameterError(msg)
    if domain.weight is not None or domain.shell:
        msg = f"domain = {domain.shape}, must be a plain one to be refined: an axis or a thickness comes afterwards"
        raise ParameterError(msg)


def _coarse(domain: Domain, distance: Distance, reach: float, size: float) -> NDArray[np.int32]:
    """The cells wider than `size` that come nearer to the surface than `reach`."""
    mesh, dim = domain.mesh, domain.dim
    cells = np.arange(mesh.topology.index_map(dim).size_local, dtype=np.int32)
    diameter = mesh.h(dim, cells)
    wide = diameter > size * np.sqrt(dim) * (1 + 1e-6)
    cells, diameter = cells[wide], diameter[wide]
    if not len(cells):
        return cells
    middle = mesh.geometry.x[mesh.geometry.dofmaps[0][cells]].mean(axis=1)
    found = floats("distance(x)", distance(middle.T.copy()))
    if found.shape != cells.shape or not np.isfinite(found).all():
        msg = f"distance(x) of shape {found.shape} for x of shape {middle.T.shape}, must be one finite number a place"
        raise ParameterError(msg)
    farthest = dim / (dim + 1)  # of a cell's corners from its middle, over the diameter
    return cells[np.abs(found) < reach + farthest * diameter]


def _halved(domain: Domain, cells: NDArray[np.int32]) -> Domain:
    """The domain with every edge of some cells halved, and of their neighbours those that must be."""
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


def _parts(domain: Domain) -> Parts:
    """The parts of a domain on one rank, cells in the order that they lie in."""
    found = gather(domain)
    assert found is not None
    assert DIMENSION[found.cell] == domain.dim
    return found
