"""Meshes by gmsh: a shape is drawn and meshed on rank 0, and its mesh extracted as plain arrays.

gmsh is imported only when a shape is made, because it needs libraries of the system.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from emfem.errors import count, number, require
from emfem.mesh.distribute import distribute_from_root
from emfem.mesh.domain import Domain
from emfem.mesh.raw import FACETS, Integers, Predicate, RawMesh

import dolfinx.io.gmsh
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

GROWTH = 0.25  # of the cell size per distance to a fine point: neighbours differ by less than a third
MANY = 2e7  # cells that one process can mesh
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


@contextmanager
def session(name: str) -> Iterator[Any]:
    """Yield the gmsh module with a new, silent model; a session of the user is left unchanged."""
    gmsh = importlib.import_module("gmsh")
    mine = not gmsh.isInitialized()
    if mine:
        gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.model.add(name)
        yield gmsh
    finally:
        if mine:
            gmsh.finalize()
        else:
            gmsh.model.remove()


def set_cell_sizes(
    gmsh: Any,
    size: float,
    *,
    vertices: Sequence[tuple[Sequence[int], float]] = (),
    curves: Sequence[tuple[Sequence[int], float]] = (),
) -> None:
    """Set cells of edge `size`, finer at vertices and on curves, growing with the distance to them.

    Args:
        gmsh: the session.
        size: edge of a cell elsewhere.
        vertices: points of the drawing and the cell size at them.
        curves: curves and the cell size along them.
    """
    _check_number(gmsh, size, curves)
    field, fields = gmsh.model.mesh.field, list[int]()
    for kind, lists in (("PointsList", vertices), ("CurvesList", curves)):
        for tags, fine in lists:
            distance = field.add("Distance")
            field.setNumbers(distance, kind, list(tags))
            field.setNumber(distance, "Sampling", 200)
            fields.append(field.add("Threshold"))
            farthest = max(size - fine, 1e-6 * size) / GROWTH
            values = {"InField": distance, "SizeMin": fine, "SizeMax": size, "DistMin": 0, "DistMax": farthest}
            for key, value in values.items():
                field.setNumber(fields[-1], key, value)
    if fields:
        smallest = field.add("Min")
        field.setNumbers(smallest, "FieldsList", fields)
        field.setAsBackgroundMesh(smallest)
    for option in ("FromPoints", "FromCurvature", "ExtendFromBoundary"):
        gmsh.option.setNumber(f"Mesh.MeshSize{option}", 0)
    gmsh.option.setNumber("Mesh.MeshSizeMax", size)


def _check_number(gmsh: Any, size: float, curves: Sequence[tuple[Sequence[int], float]]) -> None:
    """Check that sizes, as in a wrong unit of length, do not fill the memory; estimated from bounding boxes.

    Raises:
        ParameterError: with the factor by which the size must be larger.
    """
    extent = np.sort(np.ptp(np.reshape(gmsh.model.getBoundingBox(-1, -1), (2, 3)), axis=0))
    extent = extent[::-1][: gmsh.model.getDimension()]
    cells = np.prod(np.maximum(extent / size, 1.0))
    larger = (cells / MANY) ** (1 / len(extent))
    message = (
        f"size would make about {cells:.0e} cells, must be {larger:.2g} times larger for {MANY:.0e}: another unit?"
    )
    require(cells <= MANY, message)
    for tags, fine in curves:
        for tag in tags:
            along = np.ptp(np.reshape(gmsh.model.getBoundingBox(1, tag), (2, 3)), axis=0).max() / fine
            larger = 10 * along / MANY
            message = f"refine would make about {along:.0e} cells on one edge, must be {larger:.2g} times larger"
            require(larger <= 1.0, message)


def extract(gmsh: Any, period: tuple[float, ...] = ()) -> RawMesh:
    """Return the meshed model as plain arrays: the cells of its highest dimension, and its physical groups by name.

    A group of the cells' dimension is a region, one of the dimension below a boundary; groups in the interior and those
    of lower dimensions are left out.

    Raises:
        ParameterError: for cells of two types, a type that DOLFINx does not know, or no cells.
    """
    mesh = gmsh.model.mesh
    dim = max((d for d, _ in gmsh.model.getEntities() if len(mesh.getElementTypes(d))), default=0)
    types = list(mesh.getElementTypes(dim)) if dim else []
    names = [str(mesh.getElementProperties(element)[0]) for element in types]
    require(
        len(types) == 1,
        f"cells of {len(types)} kinds{', ' if names else ''}{' and '.join(names)}, must be of one",
    )
    _, _, degree, width, *_ = mesh.getElementProperties(types[0])
    cell = CELLS.get(names[0].split()[0], "")
    require(cell, f"cells of the kind {names[0]}, must be {', '.join(CELLS.values())}")
    tags, x, _ = mesh.getNodes()
    number = _inverse(tags)
    element_tags, element_nodes = mesh.getElementsByType(types[0])
    order = dolfinx.io.gmsh.cell_perm_array(dolfinx.mesh.CellType[cell], width)
    cells = number[element_nodes].reshape(-1, width)[:, order]
    index = _inverse(element_tags)
    corners = FACETS[cell].shape[1]
    boundaries: dict[str, Integers] = {}
    regions: dict[str, Integers] = {}
    for d, tag in gmsh.model.getPhysicalGroups():
        name = gmsh.model.getPhysicalName(d, tag) or str(tag)
        elements = [mesh.getElements(d, entity) for entity in gmsh.model.getEntitiesForPhysicalGroup(d, tag)]
        if d == dim:
            members = [index[numbers] for _, lists, _ in elements for numbers in lists]
            regions[name] = np.unique(np.concatenate([index[:0], *members]))
        elif d == dim - 1:
            facets = [np.zeros((0, corners), dtype=np.int64)]
            for kinds, _, lists in elements:
                for element, nodes in zip(kinds, lists, strict=True):
                    nodes_per_facet = mesh.getElementProperties(element)[3]
                    facets.append(number[nodes].reshape(-1, nodes_per_facet)[:, :corners])
            boundaries[name] = np.unique(np.sort(np.concatenate(facets), axis=1), axis=0)
    cells = np.ascontiguousarray(cells)
    return RawMesh(x.reshape(-1, 3), cells, cell, boundaries, regions, degree, period).cleaned()


def _inverse(tags: NDArray[np.uint64]) -> Integers:
    """Return the index of each tag of gmsh, shape (largest tag + 1,)."""
    index = np.zeros(int(tags.max(initial=0)) + 1, dtype=np.int64)
    index[tags] = np.arange(len(tags))
    return index
