"""Between plain arrays and the files of other programs, through meshio."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError
from emfem.mesh.gather import facet_nodes
from emfem.mesh.mesher import compact, on_boundary
from emfem.mesh.parts import FACETS, Parts

import basix.ufl
import dolfinx
import numpy as np
from numpy.typing import NDArray

ENDINGS = (".vtu", ".vtk", ".xdmf", ".inp", ".med", ".mesh", ".meshb", ".vol", ".bdf", ".nas")
WRITABLE = (".vtu", ".vtk", ".xdmf", ".inp", ".med", ".mesh")
FORMATS = {".vtu": "vtu", ".vtk": "vtk", ".xdmf": "xdmf", ".inp": "abaqus", ".med": "med", ".mesh": "medit"}
LINEAR = (".xdmf", ".mesh")  # meshio writes curved cells, and ends of lines, that it cannot read
KINDS = {
    ("vertex", 1): "vertex",
    ("interval", 1): "line",
    ("interval", 2): "line3",
    ("triangle", 1): "triangle",
    ("triangle", 2): "triangle6",
    ("quadrilateral", 1): "quad",
    ("quadrilateral", 2): "quad9",
    ("tetrahedron", 1): "tetra",
    ("tetrahedron", 2): "tetra10",
    ("hexahedron", 1): "hexahedron",
    ("hexahedron", 2): "hexahedron27",
}
CELLS = {kind: cell for cell, kind in KINDS.items() if cell[0] != "vertex"}
FACET = {"interval": "vertex", "triangle": "interval", "quadrilateral": "interval", "tetrahedron": "triangle"} | {
    "hexahedron": "quadrilateral"
}
TAGS = ("gmsh:physical", "medit:ref", "netgen:index")  # where meshio puts the numbers of groups
Groups = dict[int, dict[str, dict[int, NDArray[np.int64]]]]  # by dimension, name and block: members


def load(path: Path) -> tuple[Parts, dict[int, str]]:
    """The mesh in a file, and the names of its boundaries by their numbers.

    Cells of the highest dimension are the mesh. Groups of them are regions, groups of facets and of points boundaries;
    a group that has no name is called by its number, and 0 means no group.

    Raises:
        ParameterError: if meshio cannot read it, or for cells of two kinds or a kind that DOLFINx does not take.
    """
    mesh = _read(path)
    dim = max((block.dim for block in mesh.cells if len(block.data)), default=0)
    blocks = [i for i, block in enumerate(mesh.cells) if block.dim == dim and len(block.data)]
    kinds = sorted({mesh.cells[i].type for i in blocks})
    if not dim or len(kinds) != 1:
        msg = f"cells of {len(kinds) if dim else 0} kinds{f', {" and ".join(kinds)}' if dim else ''}, must be of one"
        raise ParameterError(msg)
    if kinds[0] not in CELLS:
        msg = f"cells of the kind {kinds[0]}, must be one of {', '.join(CELLS)}"
        raise ParameterError(msg)
    cell, degree = CELLS[kinds[0]]
    nodes = np.asarray(mesh.points, dtype=float)
    cells = np.concatenate([np.asarray(mesh.cells[i].data, dtype=np.int64) for i in blocks])
    cells = _upright(nodes, cells[:, _order(cell, cells.shape[1])], cell, degree)
    groups, numbers = _groups(mesh)
    starts = dict(zip(blocks, np.cumsum([0, *(len(mesh.cells[i].data) for i in blocks)]), strict=False))
    regions = {
        name: np.unique(np.concatenate([starts[i] + at for i, at in members.items() if i in starts]))
        for name, members in groups[dim].items()
    }
    boundaries = {name: _facets(mesh, members, cell) for name, members in groups[dim - 1].items()}
    parts = Parts(nodes, np.ascontiguousarray(cells), cell, boundaries, regions, degree)
    points = {name: found for name, found in _points(mesh, parts).items() if name not in boundaries}
    return on_boundary(compact(parts.named(boundaries | points))), numbers[dim - 1]


def _read(path: Path) -> Any:
    """The mesh as meshio has it; meshio prints, and leaves the program, when it cannot read."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            return importlib.import_module("meshio").read(path)
    except (Exception, SystemExit) as error:
        why = str(error) if isinstance(error, Exception) else said.getvalue().strip()
        msg = f"path = {str(path)!r}, must be a {path.suffix} file that meshio reads: {' '.join(why.split())}"
        raise ParameterError(msg) from error


def _facets(mesh: Any, members: Mapping[int, NDArray[np.int64]], cell: str) -> NDArray[np.int64]:
    """Facets of a group by their corners in increasing order, each once, shape (l, corners)."""
    corners = len(FACETS[cell][0])
    found = [np.asarray(mesh.cells[i].data, dtype=np.int64)[at, :corners] for i, at in members.items()]
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _order(cell: str, width: int) -> list[int]:
    """The nodes of a cell of VTK, and of meshio, in DOLFINx's order."""
    return list(dolfinx.cpp.io.perm_vtk(dolfinx.mesh.CellType[cell], width))


def _upright(nodes: NDArray[np.float64], cells: NDArray[np.int64], cell: str, degree: int) -> NDArray[np.int64]:
    """The cells; hexahedra that are all mirrored, as programs with another convention number them, set right."""
    if cell != "hexahedron":
        return cells
    edges = nodes[cells[:, [1, 2, 4]]] - nodes[cells[:, [0]]]
    if (np.linalg.det(edges) > 0).any():
        return cells
    x = basix.ufl.element("Lagrange", cell, degree).basix_element.points
    mirrored = np.abs(x[:, None] * [1, 1, -1] + [0, 0, 1] - x).sum(axis=2).argmin(axis=1)
    return cells[:, mirrored]


def _groups(mesh: Any) -> tuple[Groups, dict[int, dict[int, str]]]:
    """The groups of cells; and their names by dimension and number."""
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


def _sets(mesh: Any) -> Iterator[tuple[int, str, NDArray[np.int64]]]:
    """Block, name and members of every set of cells that has a name."""
    for name, members in mesh.cell_sets.items():
        for i, at in enumerate(members):
            if at is not None and len(at) and not name.startswith("gmsh:"):
                yield i, name, np.asarray(at, dtype=np.int64)
    families: Mapping[int, list[str]] = getattr(mesh, "cell_tags", {})
    found: dict[tuple[int, str], list[NDArray[np.int64]]] = defaultdict(list)
    for family, words in families.items():
        for i, tags in enumerate(mesh.cell_data["cell_tags"]):
            for word in words:  # a cell of a family is in each of its groups
                found[i, word.strip()].append(np.flatnonzero(tags == family))
    yield from ((i, word, np.concatenate(at)) for (i, word), at in found.items() if any(map(len, at)))


def _numbered(mesh: Any) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """Block, number and members of every group of cells that has a number."""
    whole = [
        key
        for key, data in mesh.cell_data.items()
        if all(np.ndim(values) == 1 and np.issubdtype(np.asarray(values).dtype, np.integer) for values in data)
    ]
    known = [key for key in TAGS if key in whole] or [key for key in whole if ":" not in key and "vtk" not in key]
    if not known:
        return
    if len(known) > 1 and known[0] not in TAGS:
        msg = f"whole numbers {', '.join(known)} on the cells, must be one of them only: which are the groups?"
        raise ParameterError(msg)
    for i, values in enumerate(mesh.cell_data[known[0]]):
        yield from ((i, int(tag), np.flatnonzero(values == tag)) for tag in np.unique(values) if tag)


def _points(mesh: Any, parts: Parts) -> dict[str, NDArray[np.int64]]:
    """The facets on the boundary all of whose corners lie in a set of points; a set of all points names nothing."""
    found = {}
    outer = parts.outer() if mesh.point_sets else parts.cells
    for name, points in mesh.point_sets.items():
        inside = np.isin(outer, np.asarray(points, dtype=np.int64)).all(axis=1)
        if inside.any() and len(points) < len(parts.nodes):
            found[name] = outer[inside]
    return found


def save(parts: Parts, path: Path) -> None:
    """Write a mesh: sets with names into .inp and .med; the other formats hold only numbers, 1, 2, ... in their order.

    Raises:
        ParameterError: if meshio cannot write it.
    """
    meshio = importlib.import_module("meshio")
    refusal = (
        f"cells of the kind {parts.cell} of degree {parts.degree}, must be of one that a {path.suffix} file holds: "
        "try .msh or .vtu"
    )
    if path.suffix in LINEAR and (parts.degree > 1 or parts.cell == "interval"):
        raise ParameterError(refusal)
    blocks = [(KINDS[parts.cell, parts.degree], parts.cells[:, _back(parts.cell, parts.cells.shape[1])])]
    facets = np.concatenate([np.zeros((0, len(FACETS[parts.cell][0])), np.int64), *parts.boundaries.values()])
    if len(facets):
        kind, nodes = FACET[parts.cell], facet_nodes(parts, facets)
        degree = 1 if kind == "vertex" else parts.degree
        blocks.append((KINDS[kind, degree], nodes if kind == "vertex" else nodes[:, _back(kind, nodes.shape[1])]))
    regions = np.zeros(len(parts.cells), dtype=np.int32)
    for i, members in enumerate(parts.regions.values(), start=1):
        regions[members] = i
    sizes = [len(members) for members in parts.boundaries.values()]
    tags = [regions, np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int32), sizes)][: len(blocks)]
    points = np.zeros((len(parts.nodes), 3))
    points[:, : parts.nodes.shape[1]] = parts.nodes
    mesh = meshio.Mesh(points, blocks)
    if path.suffix == ".med":
        _families(mesh, tags, parts)
    elif path.suffix == ".inp":
        names = ((parts.regions, 0), (parts.boundaries, 1))
        mesh.cell_sets = {
            name: [np.flatnonzero(tag == i) if k == block else np.zeros(0, np.int64) for k, tag in enumerate(tags)]
            for group, block in names
            for i, name in enumerate(group, start=1)
        }
    else:
        mesh.cell_data = {"medit:ref" if path.suffix == ".mesh" else "gmsh:physical": tags}
    options = {".xdmf": {"data_format": "XML"}, ".inp": {}}.get(path.suffix, {})
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            meshio.write(path, mesh, file_format=FORMATS[path.suffix], **options)
    except (Exception, SystemExit) as error:
        raise ParameterError(refusal) from error


def _back(cell: str, width: int) -> NDArray[np.intp]:
    """The nodes of a cell of DOLFINx in VTK's order, meshio's."""
    return np.argsort(_order(cell, width))


def _families(mesh: Any, tags: list[NDArray[np.int32]], parts: Parts) -> None:
    """Name the cells as .med does: families with negative numbers, each with its names."""
    names = [*parts.regions, *parts.boundaries]
    mesh.cell_tags = {-i: [name] for i, name in enumerate(names, start=1)}
    shifted = [np.where(tag, tag + start, 0) for tag, start in zip(tags, (0, len(parts.regions)), strict=False)]
    mesh.cell_data = {"cell_tags": [-tag for tag in shifted]}
    mesh.point_tags = {}
