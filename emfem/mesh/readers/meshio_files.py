"""Meshes in the file formats of other programs, by meshio."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emfem.errors import require

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
KINDS = {  # meshio's names of cells of degree 1 and 2
    "point": ("vertex", "vertex"),
    "interval": ("line", "line3"),
    "triangle": ("triangle", "triangle6"),
    "quadrilateral": ("quad", "quad9"),
    "tetrahedron": ("tetra", "tetra10"),
    "hexahedron": ("hexahedron", "hexahedron27"),
}
CELLS = {kind: (cell, i) for cell, kinds in KINDS.items() for i, kind in enumerate(kinds, 1) if cell != "point"}
FACETS = {  # kinds and number of corners of the facets of each cell
    "interval": (("vertex",), 1),
    "triangle": (("line", "line3"), 2),
    "quadrilateral": (("line", "line3"), 2),
    "tetrahedron": (("triangle", "triangle6"), 3),
    "hexahedron": (("quad", "quad8", "quad9"), 4),
}
TAGS = ("gmsh:physical", "medit:ref", "netgen:index")  # cell data with the numbers of groups
Groups = dict[int, dict[str, dict[int, Integers]]]  # by dimension, name and block: members


def load(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the mesh in a file.

    The cells are those of the highest dimension. A group without a name is called by its number, and 0 means no group.

    Returns:
        arrays "nodes", shape (n, dim), and "cells", shape (m, nodes of a cell), "region i", cells, shape (l,),
        "boundary i", corners of facets, shape (l, corners), and "points i", points of a set, shape (l,); and a table
        with cell and degree, the names of regions, boundaries and sets of points, and numbers and names of boundaries.

    Raises:
        ParameterError: for cells of two types or a type that DOLFINx does not know, or a node that does not exist.
    """
    mesh = quiet("read", path)
    dim = max((block.dim for block in mesh.cells if len(block.data)), default=0)
    blocks = [i for i, block in enumerate(mesh.cells) if dim and block.dim == dim and len(block.data)]
    kinds = sorted({mesh.cells[i].type for i in blocks})
    listed = f", {' and '.join(kinds)}" if kinds else ""
    require(len(kinds) == 1, f"cells of {len(kinds)} kinds{listed}, must be of one")
    require(kinds[0] in CELLS, f"cells of the kind {kinds[0]}, must be one of {', '.join(CELLS)}")
    cell, degree = CELLS[kinds[0]]
    nodes = np.asarray(mesh.points, dtype=float)
    require(nodes.ndim == 2 and nodes.shape[1] in (1, 2, 3), f"points of shape {nodes.shape}, must be (n, 2) or (n, 3)")
    groups, numbers = _groups(mesh)
    starts = dict(zip(blocks, np.cumsum([0, *(len(mesh.cells[i].data) for i in blocks)]), strict=False))
    regions = {
        name: np.unique(np.concatenate([starts[i] + at for i, at in members.items() if i in starts]))
        for name, members in groups[dim].items()
    }
    boundaries = {name: _facets(mesh, members, cell) for name, members in groups[dim - 1].items()}
    sets = {name: _integers(points, len(nodes)) for name, points in mesh.point_sets.items()}
    arrays = {"nodes": nodes, "cells": np.concatenate([_integers(mesh.cells[i].data, len(nodes)) for i in blocks])}
    for word, each in (("region", regions), ("boundary", boundaries), ("points", sets)):
        arrays |= {f"{word} {i}": members for i, members in enumerate(each.values())}
    table = {"regions": list(regions), "boundaries": list(boundaries), "points": list(sets)}
    return arrays, table | {"cell": cell, "degree": degree, "numbers": list(numbers[dim - 1].items())}


def quiet(function: str, *arguments: Any, **options: Any) -> Any:
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


def _integers(values: Any, below: int) -> Integers:
    """Return numbers of points or of cells.

    Raises:
        ParameterError: for one that does not exist.
    """
    result = np.asarray(values)
    whole = result.dtype.kind in "iu" or not result.size
    require(whole, f"numbers of nodes or cells of the kind {result.dtype}, must be whole numbers")
    good = not result.size or (result.min() >= 0 and result.max() < below)
    require(good, f"numbers of nodes or cells outside of 0 to {below - 1}, must be those of the file")
    return result.astype(np.int64)


def _facets(mesh: Any, members: Mapping[int, Integers], cell: str) -> Integers:
    """Return the facets of a group, corners in increasing order, each once, shape (l, corners)."""
    kinds, corners = FACETS[cell]
    for i in members:
        require(mesh.cells[i].type in kinds, f"facets of the kind {mesh.cells[i].type}, must be those of a {cell}")
    facets = [_integers(mesh.cells[i].data, len(mesh.points))[at, :corners] for i, at in members.items()]
    return np.unique(np.sort(np.concatenate(facets), axis=1), axis=0)


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
                yield i, name, _integers(at, len(mesh.cells[i].data))
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
