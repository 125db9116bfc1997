"""Axis-parallel blocks of cells, plain or periodic.

A periodic mesh has its seam's vertices merged before DOLFINx sees it: its topology is a torus (or a cylinder), so the
partitioner and every continuous space on it are periodic and no constraint matrix is needed. Its geometry is then
unfolded cell by cell, so that a cell that crosses the seam has its true shape.
"""

from __future__ import annotations

from collections.abc import Sequence

from emfem.errors import ParameterError, choice, count, number
from emfem.mesh.domain import AXES, Domain
from emfem.mesh.graded import graded_line
from emfem.mesh.parts import Parts
from emfem.mesh.share import distribute

import dolfinx
import numpy as np
from mpi4py import MPI

CELLS = {1: ("interval",), 2: ("quadrilateral", "triangle"), 3: ("hexahedron", "tetrahedron")}


def interval(
    length: float, *, cells: int | str, names: Sequence[str] = ("left", "right"), comm: MPI.Comm = MPI.COMM_WORLD
) -> Domain:
    """The line 0 <= x <= length.

    Args:
        length: its length [m or -].
        cells: number of equal cells, or "graded": 9 cells that get smaller towards the ends, to 1/26 of the length.
        names: names of the ends x = 0 and x = length.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a length that is not positive, no cells, or names that are not two different words.
    """
    if not isinstance(cells, str):
        return _block("interval", (length,), (cells,), "interval", "", names, comm)
    choice("cells", cells, ("graded",))
    grading = graded_line(number("length along x", length, above=0.0))
    cut = int(grading.counts[0])
    domain = _block("interval", (length,), (cut,), "interval", "", names, comm)
    x = domain.mesh.geometry.x[:, 0]
    x[:] = length * grading.fractions(np.zeros(len(x), dtype=np.int64), np.round(x / length * cut).astype(np.int64))
    return domain


def rectangle(
    size: Sequence[float],
    *,
    cells: Sequence[int],
    cell: str = "quadrilateral",
    names: Sequence[str] = ("left", "right", "bottom", "top"),
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """The rectangle [0, size[0]] x [0, size[1]].

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


def box(
    size: Sequence[float],
    *,
    cells: Sequence[int],
    cell: str = "hexahedron",
    names: Sequence[str] = ("left", "right", "front", "back", "bottom", "top"),
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """The box [0, size[0]] x [0, size[1]] x [0, size[2]]; names in the order of `rectangle`, then lowest and highest z.

    Args:
        size: edge lengths [m or -], shape (3,).
        cells: number of cells along each edge, shape (3,).
        cell: "hexahedron" or "tetrahedron".
        names: names of the faces.
        comm: the ranks that share it.

    Raises:
        ParameterError: for an edge that is not positive, no cells, or names that are not six different words.
        UnknownName: for an unknown cell.
    """
    return _block("box", size, cells, cell, "", names, comm)


def periodic_interval(length: float, *, cells: int, comm: MPI.Comm = MPI.COMM_WORLD) -> Domain:
    """A line whose ends are the same point: `interval` without ends, of at least 3 cells.

    Raises:
        ParameterError: for a length that is not positive, or fewer than 3 cells.
    """
    return _block("periodic interval", (length,), (cells,), "interval", "x", ("left", "right"), comm)


def periodic_rectangle(
    size: Sequence[float],
    *,
    cells: Sequence[int],
    cell: str = "quadrilateral",
    axes: str = "xy",
    names: Sequence[str] = ("left", "right", "bottom", "top"),
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """A rectangle that continues across its edges: the film of the spectral codes.

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


def periodic_box(
    size: Sequence[float],
    *,
    cells: Sequence[int],
    cell: str = "hexahedron",
    axes: str = "xyz",
    names: Sequence[str] = ("left", "right", "front", "back", "bottom", "top"),
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """A box that continues across its faces along `axes` ("xyz", "xy", ...); the rest as in `periodic_rectangle`.

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
    """An axis-parallel block of cells of any dimension, periodic along `axes`, its flat faces named."""
    dim = {"interval": 1, "rectangle": 2, "box": 3}[shape.split()[-1]]
    if np.shape(size) != (dim,) or np.shape(cells) != (dim,):
        msg = f"size = {size!r} and cells = {cells!r}, must be {dim} of each"
        raise ParameterError(msg)
    lengths = [number(f"length along {axis}", length, above=0.0) for axis, length in zip(AXES, size, strict=False)]
    counts = [
        count(f"cells along {axis}", n, at_least=3 if axis in axes else 1) for axis, n in zip(AXES, cells, strict=False)
    ]
    choice("cell", cell, CELLS[dim])
    words = () if isinstance(names, str) else tuple(names)
    if len(words) != 2 * dim or not all(isinstance(n, str) and n for n in words) or len(set(words)) != 2 * dim:
        msg = f"names = {names!r}, must be {2 * dim} different words"
        raise ParameterError(msg)
    periods = tuple(length if axis in axes else 0.0 for axis, length in zip(AXES, lengths, strict=False))
    mesh = _periodic(comm, lengths, counts, cell, periods) if axes else _plain(comm, lengths, counts, cell)
    faces = [(names[2 * i + side], i, side * lengths[i]) for i in range(dim) for side in (0, 1) if AXES[i] not in axes]
    tags = _tag_flat_faces(mesh, [(axis, at, 1e-9 * lengths[axis]) for _, axis, at in faces])
    return Domain(mesh, shape, tuple(name for name, _, _ in faces), tags)


def _plain(comm: MPI.Comm, lengths: Sequence[float], counts: Sequence[int], cell: str) -> dolfinx.mesh.Mesh:
    """The block as DOLFINx makes it."""
    corners = [[0.0] * len(lengths), list(lengths)]
    kind = dolfinx.mesh.CellType[cell]
    if len(lengths) == 1:
        return dolfinx.mesh.create_interval(comm, counts[0], [0.0, lengths[0]])
    if len(lengths) == 2:
        return dolfinx.mesh.create_rectangle(comm, corners, counts, kind)
    return dolfinx.mesh.create_box(comm, corners, counts, kind)


def _periodic(
    comm: MPI.Comm, lengths: Sequence[float], counts: Sequence[int], cell: str, periods: tuple[float, ...]
) -> dolfinx.mesh.Mesh:
    """The block with opposite faces glued; rank 0 lays it out, DOLFINx distributes it."""
    parts = None
    if comm.rank == 0:
        whole = _plain(MPI.COMM_SELF, lengths, counts, cell)
        nodes = whole.geometry.x[:, : len(lengths)]
        parts = Parts(nodes, whole.geometry.dofmaps[0].astype(np.int64), cell, period=periods)
    return distribute("periodic block", parts, comm).mesh


def _tag_flat_faces(mesh: dolfinx.mesh.Mesh, faces: Sequence[tuple[int, float, float]]) -> dolfinx.mesh.MeshTags:
    """Tag i + 1 for the boundary facets on the i-th plane (axis, position, tolerance)."""
    dim = mesh.topology.dim - 1
    found = [
        dolfinx.mesh.locate_entities_boundary(mesh, dim, lambda x, a=axis, p=at, t=near: np.abs(x[a] - p) < t)
        for axis, at, near in faces
    ]
    facets = np.concatenate([*found, np.zeros(0, dtype=np.int32)])
    values = np.concatenate([np.full(len(f), i + 1, dtype=np.int32) for i, f in enumerate(found)] or [facets])
    order = np.argsort(facets)
    return dolfinx.mesh.meshtags(mesh, dim, facets[order].astype(np.int32), values[order].astype(np.int32))
