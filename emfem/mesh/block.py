"""Axis-parallel blocks of cells, plain or periodic.

The vertices of a periodic mesh are merged with their images before DOLFINx distributes it: its topology is a torus (or
a cylinder), so that the partition and every continuous space on it are periodic without a constraint matrix. Its
geometry is then unfolded cell by cell, so that a cell across the seam has its true shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from emfem.errors import choice, count, number, require
from emfem.gate import checked
from emfem.mesh.distribute import distribute
from emfem.mesh.domain import Domain
from emfem.mesh.extents import AXES, LONGEST, SHORTEST, check_cells
from emfem.mesh.lines import graded_line
from emfem.mesh.raw import RawMesh

import dolfinx
import numpy as np
from mpi4py import MPI

CELLS = {1: ("interval",), 2: ("quadrilateral", "triangle"), 3: ("hexahedron", "tetrahedron")}
IN_BLOCK = {"triangle": 2, "tetrahedron": 6}  # cells in a block of the grid


@checked(collective=True)
def interval(
    length: float, *, cells: int | str, names: Sequence[str] = ("left", "right"), comm: MPI.Comm = MPI.COMM_WORLD
) -> Domain:
    """Return the line 0 <= x <= length.

    Args:
        length: its length [m or -].
        cells: number of equal cells, or "graded": 9 cells, finer towards the ends, down to 1/26 of the length.
        names: names of the ends x = 0 and x = length.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a length that is not positive, no cells, or names that are not two different words.
    """
    if not isinstance(cells, str):
        return _block("interval", (length,), (cells,), "interval", "", names, comm)
    choice("cells", cells, ("graded",))
    grading = graded_line(number("length along x", length, above=0.0, at_least=SHORTEST, at_most=LONGEST))
    cut = int(grading.counts[0])
    domain = _block("interval", (length,), (cut,), "interval", "", names, comm)
    x = domain.mesh.geometry.x[:, 0]
    x[:] = length * grading.fractions(np.zeros(len(x), dtype=np.int64), np.round(x / length * cut).astype(np.int64))
    return domain


@checked(collective=True)
def rectangle(
    size: Sequence[float],
    *,
    cells: Sequence[int],
    cell: str = "quadrilateral",
    names: Sequence[str] = ("left", "right", "bottom", "top"),
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the rectangle [0, size[0]] x [0, size[1]].

    Args:
        size: edge lengths [m or -], shape (2,).
        cells: number of cells along each edge, shape (2,).
        cell: "quadrilateral" or "triangle".
        names: names of the edges at lowest x, highest x, lowest y, highest y.
        comm: the ranks that share it.

    Raises:
        ParameterError: for an edge that is not positive, no cells, or names that are not four different words.
        UnknownName: for an unknown cell.
    """
    return _block("rectangle", size, cells, cell, "", names, comm)


@checked(collective=True)
def box(
    size: Sequence[float],
    *,
    cells: Sequence[int],
    cell: str = "hexahedron",
    names: Sequence[str] = ("left", "right", "front", "back", "bottom", "top"),
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the box [0, size[0]] x [0, size[1]] x [0, size[2]].

    Args:
        size: edge lengths [m or -], shape (3,).
        cells: number of cells along each edge, shape (3,).
        cell: "hexahedron" or "tetrahedron".
        names: names of the faces at lowest x, highest x, lowest y, highest y, lowest z, highest z.
        comm: the ranks that share it.

    Raises:
        ParameterError: for an edge that is not positive, no cells, or names that are not six different words.
        UnknownName: for an unknown cell.
    """
    return _block("box", size, cells, cell, "", names, comm)


@checked(collective=True)
def periodic_interval(length: float, *, cells: int, comm: MPI.Comm = MPI.COMM_WORLD) -> Domain:
    """Return a line whose ends are the same point: an `interval` without ends, of at least 3 cells.

    Raises:
        ParameterError: for a length that is not positive, or fewer than 3 cells.
    """
    return _block("periodic interval", (length,), (cells,), "interval", "x", ("left", "right"), comm)


@checked(collective=True)
def periodic_rectangle(
    size: Sequence[float],
    *,
    cells: Sequence[int],
    cell: str = "quadrilateral",
    axes: str = "xy",
    names: Sequence[str] = ("left", "right", "bottom", "top"),
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return a rectangle that is periodic along `axes`: the film of spectral codes.

    Args:
        size: periods, or edge lengths along an axis that is not periodic [m or -], shape (2,).
        cells: number of cells along each axis, shape (2,); at least 3 along a periodic one.
        cell: "quadrilateral" or "triangle".
        axes: the periodic axes, "xy", "x" or "y"; a film periodic along "y" has the boundaries left and right.
        names: as in `rectangle`; those of periodic edges are not used.
        comm: the ranks that share it.

    Raises:
        ParameterError: for an edge that is not positive, or too few cells.
        UnknownName: for an unknown cell or axis.
    """
    return _block("periodic rectangle", size, cells, cell, choice("axes", axes, ("xy", "x", "y")), names, comm)


@checked(collective=True)
def periodic_box(
    size: Sequence[float],
    *,
    cells: Sequence[int],
    cell: str = "hexahedron",
    axes: str = "xyz",
    names: Sequence[str] = ("left", "right", "front", "back", "bottom", "top"),
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return a box that is periodic along `axes` ("xyz", "xy", ...); other arguments as in `periodic_rectangle`.

    Raises:
        ParameterError: for an edge that is not positive, or too few cells.
        UnknownName: for an unknown cell or axis.
    """
    known = ("xyz", "xy", "xz", "yz", "x", "y", "z")
    return _block("periodic box", size, cells, cell, choice("axes", axes, known), names, comm)


def _block(
    shape: str,
    size: Sequence[float],
    cells: Sequence[int],
    cell: str,
    axes: str,
    names: Sequence[str],
    comm: MPI.Comm,
) -> Domain:
    """Return an axis-parallel block of cells of any dimension, periodic along `axes`, with named faces. Collective."""
    dim = {"interval": 1, "rectangle": 2, "box": 3}[shape.split()[-1]]
    message = f"size = {size!r} and cells = {cells!r}, must be {dim} of each"
    require(len(size) == dim and len(cells) == dim, message)
    lengths = [
        number(f"length along {axis}", length, above=0.0, at_least=SHORTEST, at_most=LONGEST)
        for axis, length in zip(AXES, size, strict=False)
    ]
    counts = [
        count(f"cells along {axis}", n, at_least=3 if axis in axes else 1) for axis, n in zip(AXES, cells, strict=False)
    ]
    choice("cell", cell, CELLS[dim])
    check_cells(prod(counts) * IN_BLOCK.get(cell, 1), 1 if axes else comm.size)
    words = {name for name in names if name}
    require(len(words) == len(names) == 2 * dim, f"names = {names!r}, must be {2 * dim} different words")
    if axes:  # rank 0 makes the mesh, DOLFINx distributes it
        period = tuple(length if axis in axes else 0.0 for axis, length in zip(AXES, lengths, strict=False))
        raw = None
        if comm.rank == 0:
            whole = _plain(MPI.COMM_SELF, lengths, counts, cell).geometry
            raw = RawMesh(whole.x[:, :dim], whole.dofmaps[0].astype(np.int64), cell, period=period)
        mesh = distribute(shape, raw, comm).mesh
    else:
        mesh = _plain(comm, lengths, counts, cell)
    faces = [(i, side) for i in range(dim) for side in (0, 1) if AXES[i] not in axes]
    facets = [
        dolfinx.mesh.locate_entities_boundary(
            mesh, dim - 1, lambda x, i=i, side=side: np.abs(x[i] - side * lengths[i]) < 1e-9 * lengths[i]
        )
        for i, side in faces
    ]
    indices = np.concatenate([*facets, np.zeros(0, dtype=np.int32)]).astype(np.int32)
    values = np.repeat(np.arange(1, len(faces) + 1, dtype=np.int32), [len(of_face) for of_face in facets])
    order = np.argsort(indices)
    tags = dolfinx.mesh.meshtags(mesh, dim - 1, indices[order], values[order])
    return Domain(mesh, shape, tuple(names[2 * i + side] for i, side in faces), tags)


def _plain(comm: MPI.Comm, lengths: Sequence[float], counts: Sequence[int], cell: str) -> dolfinx.mesh.Mesh:
    """Return the block as DOLFINx makes it. Collective."""
    corners = [[0.0] * len(lengths), list(lengths)]
    if len(lengths) == 1:
        return dolfinx.mesh.create_interval(comm, counts[0], [0.0, lengths[0]])
    create = dolfinx.mesh.create_rectangle if len(lengths) == 2 else dolfinx.mesh.create_box
    return create(comm, corners, counts, dolfinx.mesh.CellType[cell])
