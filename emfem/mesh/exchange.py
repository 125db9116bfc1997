"""Meshes in the file formats of other programs, through meshio."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from emfem.errors import ParameterError, require
from emfem.mesh.raw import FACETS, Integers, RawMesh, vtk_order
from emfem.mesh.readers.meshio_files import KINDS, quiet
from emfem.mesh.sandbox import isolated

import basix.ufl
import numpy as np
from numpy.typing import NDArray

READABLE = (".vtu", ".vtk", ".xdmf", ".inp", ".med", ".mesh", ".meshb", ".vol", ".bdf", ".nas")
FORMATS = {".vtu": "vtu", ".vtk": "vtk", ".xdmf": "xdmf", ".inp": "abaqus", ".med": "med", ".mesh": "medit"}
WRITABLE = tuple(FORMATS)
LINEAR = (".xdmf", ".mesh")  # meshio writes curved cells, and ends of lines, that it cannot read


def load(path: Path) -> tuple[RawMesh, dict[int, str]]:
    """Return the mesh in a file, and the names of its boundaries by their numbers.

    The cells are those of the highest dimension. Groups of them are regions, groups of facets and of points boundaries;
    a group without a name is called by its number, and 0 means no group.

    Raises:
        ParameterError: if meshio cannot read it, or for cells of two types or a type that DOLFINx does not know.
    """
    must = f"path = {str(path)!r}, must be a {path.suffix} file that meshio reads"
    arrays, table = isolated("meshio_files", path, must, library="meshio")
    cell, degree = table["cell"], table["degree"]
    nodes, cells = arrays["nodes"], arrays["cells"]
    cells = _not_mirrored(nodes, cells[:, vtk_order(cell, cells.shape[1])], cell, degree)
    regions = {name: arrays[f"region {i}"] for i, name in enumerate(table["regions"])}
    boundaries = {name: arrays[f"boundary {i}"] for i, name in enumerate(table["boundaries"])}
    sets = {name: arrays[f"points {i}"] for i, name in enumerate(table["points"])}
    raw = RawMesh(nodes, np.ascontiguousarray(cells), cell, boundaries, regions, degree)
    return raw.with_boundaries(_point_sets(sets, raw) | boundaries).cleaned(), dict(table["numbers"])


def _not_mirrored(nodes: NDArray[np.float64], cells: Integers, cell: str, degree: int) -> Integers:
    """Return the cells; hexahedra that are all mirrored, as in another convention, with their nodes reordered."""
    if cell != "hexahedron":
        return cells
    edges = nodes[cells[:, [1, 2, 4]]] - nodes[cells[:, [0]]]
    if (np.linalg.det(edges) > 0).any():
        return cells
    x = basix.ufl.element("Lagrange", cell, degree).basix_element.points
    mirrored = np.abs(x[:, None] * [1, 1, -1] + [0, 0, 1] - x).sum(axis=2).argmin(axis=1)
    return cells[:, mirrored]


def _point_sets(sets: Mapping[str, Integers], raw: RawMesh) -> dict[str, Integers]:
    """Return the exterior facets all of whose corners lie in a set of points; a set of all points names nothing."""
    if not sets:
        return {}
    exterior = raw.exterior()
    facets = {name: exterior[np.isin(exterior, points).all(axis=1)] for name, points in sets.items()}
    return {name: facets[name] for name, points in sets.items() if len(facets[name]) and len(points) < len(raw.nodes)}


def save(raw: RawMesh, path: Path) -> None:
    """Write a mesh: named sets into .inp and .med; the other formats have numbers, 1, 2, ... in the order of the names.

    Raises:
        ParameterError: if meshio cannot write it.
    """
    refusal = (
        f"cells of the kind {raw.cell} of degree {raw.degree}, must be of one that a {path.suffix} file holds: "
        "try .msh or .vtu"
    )
    require(path.suffix not in LINEAR or (raw.degree == 1 and raw.cell != "interval"), refusal)
    facets = np.concatenate([np.zeros((0, FACETS[raw.cell].shape[1]), np.int64), *raw.boundaries.values()])
    blocks = [(raw.cell, raw.cells)] + ([(raw.facet, raw.facet_nodes(facets))] if len(facets) else [])
    regions = np.zeros(len(raw.cells), dtype=np.int32)
    for i, members in enumerate(raw.regions.values(), start=1):
        regions[members] = i
    sizes = [len(members) for members in raw.boundaries.values()]
    tags = [regions, np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int32), sizes)][: len(blocks)]
    mesh = importlib.import_module("meshio").Mesh(
        raw.points,
        [
            (KINDS[cell][raw.degree - 1], nodes[:, np.argsort(vtk_order(cell, nodes.shape[1]))])
            for cell, nodes in blocks
        ],
    )
    if path.suffix == ".med":  # families with negative numbers, each with its names
        mesh.cell_tags = {-i: [name] for i, name in enumerate([*raw.regions, *raw.boundaries], start=1)}
        shifted = [np.where(tag, tag + start, 0) for tag, start in zip(tags, (0, len(raw.regions)), strict=False)]
        mesh.cell_data = {"cell_tags": [-tag for tag in shifted]}
        mesh.point_tags = {}
    elif path.suffix == ".inp":
        mesh.cell_sets = {
            name: [np.flatnonzero(tag == i) if k == block else np.zeros(0, np.int64) for k, tag in enumerate(tags)]
            for block, group in enumerate((raw.regions, raw.boundaries))
            for i, name in enumerate(group, start=1)
        }
    else:
        mesh.cell_data = {"medit:ref" if path.suffix == ".mesh" else "gmsh:physical": tags}
    options = {"data_format": "XML"} if path.suffix == ".xdmf" else {}
    try:
        quiet("write", path, mesh, file_format=FORMATS[path.suffix], **options)
    except Exception as error:
        raise ParameterError(refusal) from error
