"""Meshes by gmsh: a shape is drawn and meshed on rank 0, and its mesh extracted as plain arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from emfem.errors import count, number, require
from emfem.mesh.distribute import distribute_from_root
from emfem.mesh.domain import Domain
from emfem.mesh.raw import Integers, Predicate, RawMesh
from emfem.mesh.readers.gmsh_model import content, session

import dolfinx.io.gmsh
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

CELLS = {
    "Line": "interval",
    "Triangle": "triangle",
    "Quadrilateral": "quadrilateral",
    "Tetrahedron": "tetrahedron",
    "Hexahedron": "hexahedron",
}


def mesh_drawing(
    shape: str,
    draw: Callable[[Any], None],
    comm: MPI.Comm,
    *,
    dim: int = 2,
    order: int = 1,
    boundaries: Mapping[str, Predicate] | None = None,
    rest: str | None = None,
    period: tuple[float, ...] = (),
    unit: float = 1.0,
) -> Domain:
    """Return the domain that `draw` draws. Collective; gmsh runs on rank 0.

    Args:
        shape: description of the shape.
        draw: draws with gmsh and sets cell sizes; its physical groups become boundaries and regions.
        comm: the ranks that share the domain.
        dim: dimension of the cells.
        order: polynomial degree of the cells' geometry, 1 or 2: with 2, curved edges are curved.
        boundaries: more boundaries, each of the facets whose corners and midpoint satisfy a function of x, (gdim, n).
        rest: name of the exterior facets without another name, if there are any.
        period: period along each axis; the sides must match, node by node.
        unit: length of 1 in the drawing: gmsh's tolerances are absolute, so a drawing must be about 1 large.

    Raises:
        ParameterError: if the mesh cannot be computed on, or for another order.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    order = int(number("order", count("order", order, at_least=1), at_most=2))

    def make() -> RawMesh:
        with session(shape) as gmsh:
            draw(gmsh)
            gmsh.model.mesh.generate(dim)
            gmsh.model.mesh.setOrder(order)
            raw = extract(gmsh, tuple(length / unit for length in period))
        raw = replace(raw, nodes=raw.nodes * unit, period=period)
        located = {name: raw.locate(predicate, name) for name, predicate in (boundaries or {}).items()}
        raw = raw.with_boundaries({**raw.boundaries, **located})
        unnamed = raw.unnamed()
        return raw.with_boundaries({**raw.boundaries, rest: unnamed}) if rest and len(unnamed) else raw

    return distribute_from_root(shape, make, comm)


def power_of_two(length: float) -> float:
    """Return a power of two about as large as `length`: coordinates are scaled by it without rounding."""
    return 2.0 ** round(math.log2(length))


def extract(gmsh: Any, period: tuple[float, ...] = ()) -> RawMesh:
    """Return the meshed model as plain arrays: the cells of its highest dimension, and its physical groups by name.

    A group of the cells' dimension is a region, one of the dimension below a boundary; groups in the interior and those
    of lower dimensions are left out.

    Raises:
        ParameterError: for cells of two types, a type that DOLFINx does not know, or no cells.
    """
    return arranged(*content(gmsh), period)


def arranged(arrays: Mapping[str, NDArray[Any]], table: Mapping[str, Any], period: tuple[float, ...] = ()) -> RawMesh:
    """Return the mesh of `content` with its nodes numbered from 0 and in DOLFINx's order.

    Raises:
        ParameterError: for a cell or a facet with a node that does not exist.
    """
    cell, tags = CELLS[table["cell"]], arrays["tags"]
    cells = _numbers(tags, arrays["cells"])
    order = dolfinx.io.gmsh.cell_perm_array(dolfinx.mesh.CellType[cell], cells.shape[1])
    boundaries: dict[str, Integers] = {}
    regions: dict[str, Integers] = {}
    for i, (d, _, name) in enumerate(table["groups"]):
        members = arrays[f"group {i}"]
        if d == table["dim"]:
            regions[name] = np.unique(_numbers(arrays["cell tags"], members))
        else:
            boundaries[name] = np.unique(np.sort(_numbers(tags, members), axis=1), axis=0)
    cells = np.ascontiguousarray(cells[:, order])
    return RawMesh(arrays["nodes"], cells, cell, boundaries, regions, table["degree"], period).cleaned()


def _numbers(tags: NDArray[np.uint64], chosen: NDArray[np.uint64]) -> Integers:
    """Return the place in `tags`, shape (n,), of each of the chosen tags.

    Raises:
        ParameterError: for a tag that is not there.
    """
    order = np.argsort(tags, kind="stable")
    at = np.searchsorted(tags, chosen, sorter=order)
    known = at < len(tags)
    known[known] = tags[order[at[known]]] == chosen[known]
    require(known.all(), f"{np.count_nonzero(~known)} nodes or cells of groups do not exist, must be in the file")
    return order[at].astype(np.int64)
