"""gmsh as emfem uses it: a shape is drawn on one rank, meshed, and taken apart into plain arrays.

It is imported only when a shape is made, because it needs libraries of the system.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from emfem.errors import ParameterError
from emfem.mesh.domain import Domain
from emfem.mesh.parts import FACETS, Parts, Predicate
from emfem.mesh.share import share

import dolfinx.io.gmsh
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

GROWTH = 0.25  # by how much of the distance to a fine place cells grow: neighbours differ by less than a third
MANY = 2e7  # cells: more than the machines can hold that one process meshes on
CELLS = {
    "Line": "interval",
    "Triangle": "triangle",
    "Quadrilateral": "quadrilateral",
    "Tetrahedron": "tetrahedron",
    "Hexahedron": "hexahedron",
}


def drawn(
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
    """The domain that `draw` draws. Collective; gmsh runs on rank 0.

    Args:
        shape: what it is, in words.
        draw: draws with gmsh and chooses sizes; physical groups it makes become names.
        comm: the ranks that share the domain.
        dim: dimension of the cells.
        order: polynomial degree of the cells' geometry: with 2, curved edges are curved.
        boundaries: more names, each for the facets whose corners and midpoint satisfy a function of x, shape (gdim, n).
        rest: name of the boundary facets that have no other, if there are any.
        period: period along each axis; the sides must match, node by node.
        unit: the length of 1 in the drawing: gmsh's tolerances are absolute, so a drawing is about 1 large.

    Raises:
        ParameterError: if the mesh cannot be computed on.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """

    def make() -> Parts:
        with session(shape) as gmsh:
            draw(gmsh)
            gmsh.model.mesh.generate(dim)
            gmsh.model.mesh.setOrder(order)
            parts = extract(gmsh, tuple(length / unit for length in period))
        parts = replace(parts, nodes=parts.nodes * unit, period=period)
        found = dict(parts.boundaries) | {name: parts.where(p, name) for name, p in (boundaries or {}).items()}
        left = remainder(parts, found)
        return parts.named(found | {rest: left} if rest and len(left) else found)

    return share(shape, make, comm)


@contextmanager
def session(name: str) -> Iterator[Any]:
    """The gmsh module with a new, silent model; a user's own session stays as it was."""
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


def grade(
    gmsh: Any,
    size: float,
    *,
    vertices: Sequence[tuple[Sequence[int], float]] = (),
    curves: Sequence[tuple[Sequence[int], float]] = (),
) -> None:
    """Cells of edge `size`, finer at vertices and on curves, growing with the distance to them.

    Args:
        gmsh: the session.
        size: edge of a cell far from everything.
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
            reach = max(size - fine, 1e-6 * size) / GROWTH
            for key, value in {
                "InField": distance,
                "SizeMin": fine,
                "SizeMax": size,
                "DistMin": 0,
                "DistMax": reach,
            }.items():
                field.setNumber(fields[-1], key, value)
    if fields:
        smallest = field.add("Min")
        field.setNumbers(smallest, "FieldsList", fields)
        field.setAsBackgroundMesh(smallest)
    for option in ("FromPoints", "FromCurvature", "ExtendFromBoundary"):
        gmsh.option.setNumber(f"Mesh.MeshSize{option}", 0)
    gmsh.option.setNumber("Mesh.MeshSizeMax", size)


def _check_number(gmsh: Any, size: float, curves: Sequence[tuple[Sequence[int], float]]) -> None:
    """Refuse sizes that would fill the memory, as in another unit of length; estimated from boxes around the drawing.

    Raises:
        ParameterError: telling how much larger the size must be.
    """
    lowest, highest = (np.array(corner) for corner in np.split(np.array(gmsh.model.getBoundingBox(-1, -1)), 2))
    extent = np.sort(highest - lowest)[::-1][: gmsh.model.getDimension()]
    cells = np.prod(np.maximum(extent / size, 1.0))
    if cells > MANY:
        larger = (cells / MANY) ** (1 / len(extent))
        msg = (
            f"size would make about {cells:.0e} cells, must be {larger:.2g} times larger for {MANY:.0e}: another unit?"
        )
        raise ParameterError(msg)
    for tags, fine in curves:
        for tag in tags:
            along = np.ptp(np.reshape(gmsh.model.getBoundingBox(1, tag), (2, 3)), axis=0).max() / fine
            if along > MANY / 10:
                larger = 10 * along / MANY
                msg = f"refine would make about {along:.0e} cells on one edge, must be {larger:.2g} times larger"
                raise ParameterError(msg)


def extract(gmsh: Any, period: tuple[float, ...] = ()) -> Parts:
    """The meshed model as plain arrays: all cells of its highest dimension, and its physical groups by name.

    A group of the cells' dimension is a region; one of the dimension below a boundary. One whose facets lie inside
    the mesh, and groups of lower dimension, have no name here.

    Raises:
        ParameterError: for cells of two kinds, a kind that DOLFINx does not take, or no cells.
    """
    mesh = gmsh.model.mesh
    dim = max((d for d, _ in gmsh.model.getEntities() if len(mesh.getElementTypes(d))), default=0)
    kinds = list(mesh.getElementTypes(dim)) if dim else []
    if len(kinds) != 1:
        found = " and ".join(mesh.getElementProperties(kind)[0] for kind in kinds)
        msg = f"cells of {len(kinds)} kinds{f', {found}' if found else ''}, must be of one"
        raise ParameterError(msg)
    words, _, degree, width, *_ = mesh.getElementProperties(kinds[0])
    cell = CELLS.get(str(words).split()[0])
    if cell is None:
        msg = f"cells of the kind {words}, must be {', '.join(CELLS.values())}"
        raise ParameterError(msg)
    tags, x, _ = mesh.getNodes()
    number = np.zeros(int(tags.max(initial=0)) + 1, dtype=np.int64)
    number[tags] = np.arange(len(tags))
    element_tags, element_nodes = mesh.getElementsByType(kinds[0])
    cells = number[element_nodes].reshape(-1, width)[
        :, dolfinx.io.gmsh.cell_perm_array(dolfinx.mesh.CellType[cell], width)
    ]
    place = np.zeros(int(element_tags.max(initial=0)) + 1, dtype=np.int64)
    place[element_tags] = np.arange(len(element_tags))

    boundaries: dict[str, NDArray[np.int64]] = {}
    regions: dict[str, NDArray[np.int64]] = {}
    for d, tag in gmsh.model.getPhysicalGroups():
        name = gmsh.model.getPhysicalName(d, tag) or str(tag)
        entities = gmsh.model.getEntitiesForPhysicalGroup(d, tag)
        if d == dim:
            members = [numbers for entity in entities for numbers in mesh.getElements(d, entity)[1]]
            regions[name] = np.unique(place[np.concatenate(members).astype(np.int64)]) if members else place[:0]
        elif d == dim - 1:
            boundaries[name] = _facets(gmsh, d, entities, number, cell)
    parts = compact(Parts(x.reshape(-1, 3), np.ascontiguousarray(cells), cell, boundaries, regions, degree, period))
    return on_boundary(parts)


def _facets(gmsh: Any, dim: int, entities: Sequence[int], number: NDArray[np.int64], cell: str) -> NDArray[np.int64]:
    """Corners of all facets on some entities, shape (l, corners)."""
    corners = len(FACETS[cell][0])
    found = [np.zeros((0, corners), dtype=np.int64)]
    for entity in entities:
        kinds, _, lists = gmsh.model.mesh.getElements(dim, entity)
        for kind, nodes in zip(kinds, lists, strict=True):
            width = gmsh.model.mesh.getElementProperties(kind)[3]
            found.append(number[nodes].reshape(-1, width)[:, :corners])
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def compact(parts: Parts) -> Parts:
    """The parts without nodes that no cell has, and without a z (or y) that all nodes share.

    Raises:
        ParameterError: if a boundary has corners that no cell has.
    """
    used, cells = np.unique(parts.cells, return_inverse=True)
    number = np.full(len(parts.nodes), -1, dtype=np.int64)
    number[used] = np.arange(len(used))
    nodes = parts.nodes[used]
    extent = np.ptp(nodes, axis=0) if len(nodes) else np.zeros(3)
    dim = 1 + max(np.flatnonzero(extent > 1e-9 * extent.max(initial=0.0)), default=0)
    boundaries = {name: number[facets] for name, facets in parts.boundaries.items()}
    for name, facets in boundaries.items():
        if (facets < 0).any():
            msg = f"boundary {name!r} has facets that belong to no {parts.cell}: a mesh of mixed dimensions"
            raise ParameterError(msg)
    return Parts(
        np.ascontiguousarray(nodes[:, :dim]),
        cells.reshape(parts.cells.shape),
        parts.cell,
        boundaries,
        parts.regions,
        parts.degree,
        parts.period,
    )


def on_boundary(parts: Parts) -> Parts:
    """The parts without named facets inside the mesh, such as the interface of two regions."""
    known = {row.tobytes() for row in parts.outer()}
    kept = {}
    for name, facets in parts.boundaries.items():
        outside = np.array([row.tobytes() in known for row in np.sort(facets, axis=1)], dtype=bool)
        if outside.any() or not len(facets):
            kept[name] = facets[outside]
    return parts.named(kept)


def remainder(parts: Parts, boundaries: Mapping[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """The facets of the boundary that have no name."""
    taken = {row.tobytes() for facets in boundaries.values() for row in np.sort(facets, axis=1)}
    outer = parts.outer()
    return outer[[row.tobytes() not in taken for row in outer]]
