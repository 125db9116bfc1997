"""Meshes in the file formats of other programs, through meshio."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, require
from emfem.mesh.raw import FACETS, Integers, RawMesh, vtk_order

import basix.ufl
import numpy as np
from numpy.typing import NDArray

READABLE = (".vtu", ".vtk", ".xdmf", ".inp", ".med", ".mesh", ".meshb", ".vol", ".bdf", ".nas")
FORMATS = {".vtu": "vtu", ".vtk": "vtk", ".xdmf": "xdmf", ".inp": "abaqus", ".med": "med", ".mesh": "medit"}
WRITABLE = tuple(FORMATS)
LINEAR = (".xdmf", ".mesh")  # meshio writes curved cells, and ends of lines, that it cannot read
KINDS = {  # meshio's names of cells of degree 1 and 2
    "point": ("vertex", "vertex"),
    "interval": ("line", "line3"),
    "triangle": ("triangle", "triangle6"),
    "quadrilateral": ("quad", "quad9"),
    "tetrahedron": ("tetra", "tetra10"),
    "hexahedron": ("hexahedron", "hexahedron27"),
}
CELLS = {kind: (cell, i) for cell, kinds in KINDS.items() for i, kind in enumerate(kinds, 1) if cell != "point"}
TAGS = ("gmsh:physical", "medit:ref", "netgen:index")  # cell data with the numbers of groups
Groups = dict[int, dict[str, dict[int, Integers]]]  # by dimension, name and block: members


def load(path: Path) -> tuple[RawMesh, dict[int, str]]:
    """Return the mesh in a file, and the names of its boundaries by their numbers.

    The cells are those of the highest dimension. Groups of them are regions, groups of facets and of points boundaries;
    a group without a name is called by its number, and 0 means no group.

    Raises:
        ParameterError: if meshio cannot read it, or for cells of two types or a type that DOLFINx does not know.
    """
    try:
        mesh = _quiet("read", path)
    except Exception as error:
        msg = f"path = {str(path)!r}, must be a {path.suffix} file that meshio reads: {' '.join(str(error).split())}"
        raise ParameterError(msg) from error
    dim = max((block.dim for block in mesh.cells if len(block.data)), default=0)
    blocks = [i for i, block in enumerate(mesh.cells) if dim and block.dim == dim and len(block.data)]
    kinds = sorted({mesh.cells[i].type for i in blocks})
    listed = f", {' and '.join(kinds)}" if kinds else ""
    require(len(kinds) == 1, f"cells of {len(kinds)} kinds{listed}, must be of one")
    require(kinds[0] in CELLS, f"cells of the kind {kinds[0]}, must be one of {', '.join(CELLS)}")
    cell, degree = CELLS[kinds[0]]
    nodes = np.asarray(mesh.points, dtype=float)
    cells = np.concatenate([np.asarray(mesh.cells[i].data, dtype=np.int64) for i in blocks])
    cells = _not_mirrored(nodes, cells[:, vtk_order(cell, cells.shape[1])], cell, degree)
    groups, numbers = _groups(mesh)
    starts = dict(zip(blocks, np.cumsum([0, *(len(mesh.cells[i].data) for i in blocks)]), strict=False))
    regions = {
        name: np.unique(np.concatenate([starts[i] + at for i, at in members.items() if i in starts]))
        for name, members in groups[dim].items()
    }
    boundaries = {name: _facets(mesh, members, cell) for name, members in groups[dim - 1].items()}
    raw = RawMesh(nodes, np.ascontiguousarray(cells), cell, boundaries, regions, degree)
    return raw.with_boundaries(_point_sets(mesh, raw) | boundaries).cleaned(), numbers[dim - 1]


def _quiet(function: str, *arguments: Any, **options: Any) -> Any:
    """Return the result of a function of meshio, which prints its errors and exits.

    Raises:
        RuntimeError: with what it printed, if it exits.
    """
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            return getattr(importlib.import_module("meshio"), function)(*arguments, **options)
    except SystemExit as error:
        raise RuntimeError(output.getvalue()) from error


def _facets(mesh: Any, members: Mapping[int, Integers], cell: str) -> Integers:
    """Return the facets of a group, corners in increasing order, each once, shape (l, corners)."""
    corners = FACETS[cell].shape[1]
    facets = [np.asarray(mesh.cells[i].data, dtype=np.int64)[at, :corners] for i, at in members.items()]
    return np.unique(np.sort(np.concatenate(facets), axis=1), axis=0)


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


def _groups(mesh: Any) -> tuple[Groups, dict[int, dict[int, str]]]:
    """Return the groups of cells, and their names by dimension and number."""
    groups: Groups = defaultdict(dict)
    numbers: dict[int, dict[int, str]] = defaultdict(dict)
    for i, name, at in _sets(mesh):
        groups[mesh.cells[i].dim].setdefault(name, {})[i] = at
    if groups:
        return groups, numbers
    names = {tuple(map(int, value)): name for name, value in mesh.field_data.items() if np.size(value) == 2}
    for i, number, at in _numbered(mesh):
        dim = mesh.cells[i].dim
        name = numbers[dim].setdefault(number, names.get((number, dim), str(number)))
        groups[dim].setdefault(name, {})[i] = at
    return groups, numbers


def _sets(mesh: Any) -> Iterator[tuple[int, str, Integers]]:
    """Yield block, name and members of every set of cells with a name."""
    for name, members in mesh.cell_sets.items():
        for i, at in enumerate(members):
            if at is not None and len(at) and not name.startswith("gmsh:"):
                yield i, name, np.asarray(at, dtype=np.int64)
    families: Mapping[int, list[str]] = getattr(mesh, "cell_tags", {})
    sets: dict[tuple[int, str], list[Integers]] = defaultdict(list)
    for family, words in families.items():
        for i, tags in enumerate(mesh.cell_data["cell_tags"]):
            for word in words:  # a cell of a family is in each of its groups
                sets[i, word.strip()].append(np.flatnonzero(tags == family))
    yield from ((i, word, np.concatenate(at)) for (i, word), at in sets.items() if any(map(len, at)))


def _numbered(mesh: Any) -> Iterator[tuple[int, int, Integers]]:
    """Yield block, number and members of every group of cells with a number."""
    whole = [
        key
        for key, data in mesh.cell_data.items()
        if all(np.ndim(values) == 1 and np.issubdtype(np.asarray(values).dtype, np.integer) for values in data)
    ]
    known = [key for key in TAGS if key in whole] or [key for key in whole if ":" not in key and "vtk" not in key]
    if not known:
        return
    single = len(known) == 1 or known[0] in TAGS
    require(single, f"whole numbers {', '.join(known)} on the cells, must be one of them only: which are the groups?")
    for i, values in enumerate(mesh.cell_data[known[0]]):
        yield from ((i, int(tag), np.flatnonzero(values == tag)) for tag in np.unique(values) if tag)


def _point_sets(mesh: Any, raw: RawMesh) -> dict[str, Integers]:
    """Return the exterior facets all of whose corners lie in a set of points; a set of all points names nothing."""
    if not mesh.point_sets:
        return {}
    exterior = raw.exterior()
    sets = {name: np.asarray(points, dtype=np.int64) for name, points in mesh.point_sets.items()}
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
        _quiet("write", path, mesh, file_format=FORMATS[path.suffix], **options)
    except Exception as error:
        raise ParameterError(refusal) from error
