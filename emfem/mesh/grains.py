"""Grains: Voronoi cells of random points, as regions of any mesh or with grain boundaries meshed exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from emfem.errors import ParameterError, floats, kind, number
from emfem.errors import count as whole
from emfem.mesh.domain import Domain, bounds
from emfem.mesh.mesher import drawn, grade
from emfem.mesh.plane import power_of_two

import dolfinx
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import Voronoi, cKDTree

REACH = 0.6  # how far a cell's points are from its midpoint, in diameters: 0.58 in a regular triangle
SHORT = 0.25  # edges of grains that are shorter than this part of a cell would make it a sliver
SIDES = ("left", "right", "bottom", "top")


def grains(domain: Domain, count: int, *, seed: int = 0) -> Domain:
    """The same mesh with the regions "grain 1", "grain 2", ...: the Voronoi cells of random points. Collective.

    Each cell of the mesh belongs to the point that is nearest to its midpoint, across the seam if the mesh is periodic:
    grain boundaries follow the cells' edges. The points are the same on any number of ranks. Regions that the domain
    had are replaced.

    Args:
        domain: of any shape and dimension; it stays as it was.
        count: number of grains.
        seed: of the random numbers.

    Raises:
        ParameterError: for fewer grains than one, or so many that one of them has no cell.
    """
    kind("domain", domain, Domain, "one of em.mesh")
    count = whole("count", count, at_least=1)
    seed = whole("seed", seed, at_least=0)
    mesh, comm = domain.mesh, domain.mesh.comm
    dim = mesh.topology.dim
    cells = mesh.topology.index_map(dim)
    total = cells.size_local + cells.num_ghosts
    midpoints = _wrapped(domain, dolfinx.mesh.compute_midpoints(mesh, dim, np.arange(total, dtype=np.int32)))
    points = comm.bcast(_scattered(domain, midpoints[: cells.size_local], count, seed), root=0)
    _, nearest = cKDTree(points, boxsize=domain.period).query(midpoints)
    sizes = np.bincount(nearest[: cells.size_local], minlength=count)
    comm.Allreduce(MPI.IN_PLACE, sizes, op=MPI.SUM)
    if not sizes.all():
        empty = np.count_nonzero(sizes == 0)
        msg = f"count = {count} grains, of which {empty} have no cell: must be fewer, or the cells smaller"
        raise ParameterError(msg)
    tags = dolfinx.mesh.meshtags(mesh, dim, np.arange(total, dtype=np.int32), nearest.astype(np.int32) + 1)
    return replace(domain, regions=_names(count), cells=tags)


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"grain {i + 1}" for i in range(count))


def _extent(domain: Domain) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower corner and edges of the box that holds the domain once; its cells may reach beyond the seam."""
    lower, upper = bounds(domain.mesh)
    return lower, np.where(domain.period > 0, domain.period, upper - lower)


def _wrapped(domain: Domain, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points relative to the lower corner of the domain, inside the first period, shape (n, dim)."""
    lower, _ = _extent(domain)
    inside = x[:, : domain.dim] - lower
    for axis in np.flatnonzero(domain.period):
        along = inside[:, axis] % domain.period[axis]
        inside[:, axis] = np.where(along < domain.period[axis], along, 0.0)  # % may round up to the period
    return inside


def _scattered(domain: Domain, midpoints: NDArray[np.float64], count: int, seed: int) -> NDArray[np.float64] | None:
    """On rank 0, `count` random points in the domain, or within a cell's reach of a shell. Collective."""
    mesh = domain.mesh
    h = mesh.h(mesh.topology.dim, np.arange(len(midpoints), dtype=np.int32))
    _, edges = _extent(domain)
    gathered = mesh.comm.gather((midpoints, h), root=0)
    if gathered is None:
        return None
    everywhere, diameters = (np.concatenate(parts) for parts in zip(*gathered, strict=True))
    tree = cKDTree(everywhere, boxsize=domain.period)
    random = np.random.default_rng(seed)
    points = np.zeros((0, domain.dim))
    while len(points) < count:
        tried = edges * random.random((4 * count, domain.dim))
        apart, nearest = tree.query(tried)
        points = np.concatenate([points, tried[apart < REACH * diameters[nearest]]])
    return points[:count]


@dataclass(frozen=True, eq=False)
class Tiling:
    """The Voronoi cells of points in a rectangle.

    Attributes:
        vertices: where grains meet, shape (n, 2).
        edges: vertices of each edge, shape (m, 2).
        sides: name of the side each edge lies on; empty inside the rectangle.
        tiles: edges around each point.
    """

    vertices: NDArray[np.float64]
    edges: list[tuple[int, int]]
    sides: list[str]
    tiles: list[list[int]]


def tiling(points: NDArray[np.float64], lengths: NDArray[np.float64], least: float) -> Tiling:
    """The Voronoi cells of `points` in the rectangle from the origin to `lengths`, without edges shorter than `least`.

    Every point is mirrored in the four sides: what separates it from its own image is the side.
    """
    images = [points]
    for axis in range(2):
        for at in (0.0, lengths[axis]):
            image = points.copy()
            image[:, axis] = 2 * at - image[:, axis]
            images.append(image)
    diagram = Voronoi(np.concatenate(images))
    n = len(points)
    ridges = [
        (one, other, ends)
        for (one, other), ends in zip(diagram.ridge_points.tolist(), diagram.ridge_vertices, strict=True)
        if min(one, other) < n
    ]
    joined = _joined(diagram.vertices, ridges, n, lengths, least)
    edges: list[tuple[int, int]] = []
    sides: list[str] = []
    tiles: list[list[int]] = [[] for _ in points]
    for one, other, ends in ridges:
        start, end = (joined[vertex] for vertex in ends)
        if start == end:
            continue
        block = max(one, other) // n
        for point in (one, other):
            if point < n:
                tiles[point].append(len(edges))
        edges.append((start, end))
        sides.append(SIDES[block - 1] if block else "")
    return Tiling(diagram.vertices, edges, sides, tiles)


def _joined(
    vertices: NDArray[np.float64],
    ridges: Sequence[tuple[int, int, list[int]]],
    points: int,
    lengths: NDArray[np.float64],
    least: float,
) -> list[int]:
    """For each vertex the one it becomes when edges shorter than `least` shrink to a point.

    Corners of the rectangle stay corners, what lies on a side stays there, and every tile keeps three edges.
    """
    on_side = np.concatenate([np.abs(vertices) < 1e-9 * lengths, np.abs(vertices - lengths) < 1e-9 * lengths], axis=1)
    count = np.bincount([point for one, other, _ in ridges for point in (one, other)])
    count[points:] = len(ridges)  # images are no tiles
    becomes = np.arange(len(vertices))
    apart = [float(np.hypot(*(vertices[start] - vertices[end]))) for _, _, (start, end) in ridges]
    for index in np.argsort(apart):
        one, other, ends = ridges[index]
        kept, gone = becomes[ends]
        if apart[index] >= least:
            break
        if kept == gone or (count[[one, other]] <= 3).any():
            continue
        if (on_side[gone] & ~on_side[kept]).any():
            kept, gone = gone, kept
        if (on_side[gone] & ~on_side[kept]).any():
            continue  # on two different sides
        becomes[becomes == gone] = kept
        count[[one, other]] -= 1
    return becomes.tolist()


def polycrystal(
    size_xy: Sequence[float],
    grains: int,
    *,
    size: float,
    seed: int = 0,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """The rectangle [0, size_xy[0]] x [0, size_xy[1]] in triangles, of grains whose boundaries are straight and exact.

    The grains are the Voronoi cells of random points, without edges shorter than a quarter of a cell. The boundaries
    are left, right, bottom and top, the regions "grain 1", "grain 2", ...

    Args:
        size_xy: edge lengths [m or -], shape (2,).
        grains: their number.
        size: edge of a cell, at most the smaller edge of the rectangle.
        seed: of the random numbers.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the grains.
    """
    given = floats("size_xy", size_xy)
    if given.shape != (2,):
        msg = f"size_xy = {size_xy!r}, must be two lengths"
        raise ParameterError(msg)
    lengths = np.array([number(f"length along {axis}", x, above=0.0) for axis, x in zip("xy", given, strict=True)])
    grains = whole("grains", grains, at_least=1)
    seed = whole("seed", seed, at_least=0)
    size = number("size", size, above=0.0, at_most=float(lengths.min()))
    unit = power_of_two(float(lengths.max()))

    def draw(gmsh: Any) -> None:
        edges = lengths / unit
        points = edges * np.random.default_rng(seed).random((grains, 2))
        lay_tiles(gmsh, tiling(points, edges, SHORT * size / unit))
        grade(gmsh, size / unit)

    return drawn("polycrystal", draw, comm, unit=unit)


def lay_tiles(gmsh: Any, tiles: Tiling) -> None:
    """Draw a tiling: its tiles become grains, the edges on the sides boundaries."""
    geo = gmsh.model.geo
    points = {
        vertex: geo.addPoint(*tiles.vertices[vertex], 0.0) for vertex in {v for edge in tiles.edges for v in edge}
    }
    lines = [geo.addLine(points[start], points[end]) for start, end in tiles.edges]
    surfaces = [
        geo.addPlaneSurface([geo.addCurveLoop([lines[edge] for edge in tile], reorient=True)]) for tile in tiles.tiles
    ]
    geo.synchronize()
    for name, surface in zip(_names(len(surfaces)), surfaces, strict=True):
        gmsh.model.addPhysicalGroup(2, [surface], name=name)
    for name in SIDES:
        side = [line for line, where in zip(lines, tiles.sides, strict=True) if where == name]
        gmsh.model.addPhysicalGroup(1, side, name=name)
