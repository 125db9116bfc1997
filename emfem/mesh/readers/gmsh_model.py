"""The model of a session of gmsh: sizes of cells, and its mesh as plain arrays.

gmsh is imported only when a session begins, because it needs libraries of the system.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from emfem.errors import require

import numpy as np
from numpy.typing import NDArray

GROWTH = 0.25  # of the cell size per distance to a fine point: neighbours differ by less than a third
MANY = 2e7  # cells that one process can mesh
FACET_CORNERS = {"Line": 1, "Triangle": 2, "Quadrilateral": 2, "Tetrahedron": 3, "Hexahedron": 4}  # by kind of cell


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
) -> float:
    """Set cells of edge `size`, finer at vertices and on curves, growing with the distance to them.

    Args:
        gmsh: the session.
        size: edge of a cell elsewhere.
        vertices: points of the drawing and the cell size at them.
        curves: curves and the cell size along them.

    Returns:
        number of cells of edge `size` in the bounding box.
    """
    cells = _estimated(gmsh, size, curves)
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
    return cells


def _estimated(gmsh: Any, size: float, curves: Sequence[tuple[Sequence[int], float]]) -> float:
    """Return the number of cells, estimated from bounding boxes: a wrong unit of length would fill the memory.

    Raises:
        ParameterError: for too many, with the factor by which the size must be larger.
    """
    extent = np.sort(np.ptp(np.reshape(gmsh.model.getBoundingBox(-1, -1), (2, 3)), axis=0))
    extent = extent[::-1][: gmsh.model.getDimension()]
    cells = float(np.prod(np.maximum(extent / size, 1.0)))
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
    return cells


def content(gmsh: Any) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the mesh of a model: the cells of its highest dimension, and its physical groups of cells and facets.

    Returns:
        arrays "tags", shape (n,), and "nodes", shape (n, 3), of the nodes, "cell tags", shape (m,), and "cells", tags
        of the nodes in gmsh's order, shape (m, nodes of a cell); "group i", tags of cells, shape (l,), or of the
        corners of facets, shape (l, corners), of each group; and a table with the kind and the degree of the cells, and
        the dimension, the tag and the name of each group.

    Raises:
        ParameterError: for cells of two types, a type that DOLFINx does not know, or no cells; facets of another kind.
    """
    mesh = gmsh.model.mesh
    dim = max((d for d, _ in gmsh.model.getEntities() if len(mesh.getElementTypes(d))), default=0)
    types = list(mesh.getElementTypes(dim)) if dim else []
    names = [str(mesh.getElementProperties(element)[0]) for element in types]
    listed = f"{', ' if names else ''}{' and '.join(names)}"
    require(len(types) == 1, f"cells of {len(types)} kinds{listed}, must be of one")
    _, _, degree, width, *_ = mesh.getElementProperties(types[0])
    cell = names[0].split()[0]
    corners = FACET_CORNERS.get(cell, 0)
    require(
        corners, f"cells of the kind {names[0]}, must be interval, triangle, quadrilateral, tetrahedron, hexahedron"
    )
    tags, x, _ = mesh.getNodes()
    cell_tags, cells = mesh.getElementsByType(types[0])
    arrays = {"tags": tags, "nodes": x.reshape(-1, 3), "cell tags": cell_tags, "cells": cells.reshape(-1, width)}
    groups: list[tuple[int, int, str]] = []
    for d, tag in gmsh.model.getPhysicalGroups():
        if d not in (dim, dim - 1):
            continue
        name = gmsh.model.getPhysicalName(d, tag) or str(tag)
        members = [np.zeros((0,) if d == dim else (0, corners), dtype=np.uint64)]
        for entity in gmsh.model.getEntitiesForPhysicalGroup(d, tag):
            for kind, elements, nodes in zip(*mesh.getElements(d, entity), strict=True):
                if d == dim:
                    members.append(elements)
                    continue
                words, _, _, per_facet, _, primary = mesh.getElementProperties(kind)
                message = f"boundary {name!r} has facets of the kind {words}, must be facets of {names[0]}"
                require(primary == corners, message)
                members.append(nodes.reshape(-1, per_facet)[:, :corners])
        arrays[f"group {len(groups)}"] = np.concatenate(members)
        groups.append((d, tag, name))
    return arrays, {"cell": cell, "degree": degree, "dim": dim, "groups": groups}
