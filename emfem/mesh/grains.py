"""Grains: Voronoi cells of random points, as regions of any mesh or with exactly meshed grain boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from emfem.errors import count as whole
from emfem.errors import floats, number, require
from emfem.gate import checked
from emfem.mesh.domain import Domain
from emfem.mesh.extents import bounds
from emfem.mesh.grain_boundaries import SIDES, Tiling, draw_parted, parted
from emfem.mesh.mesher import mesh_drawing, power_of_two
from emfem.mesh.raw import Integers
from emfem.mesh.readers.gmsh_model import set_cell_sizes

import dolfinx
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import Voronoi, cKDTree

REACH = 0.6  # largest distance of a cell's points from its midpoint, in diameters: 0.58 in a regular triangle
SHORT = 0.25  # of a cell: shorter edges of grains would make slivers
MOST_GRAINS = 100_000  # of polygons that gmsh meshes


@checked(collective=True)
def grains(domain: Domain, count: int, *, seed: int = 0) -> Domain:
    """Return the same mesh with the regions "grain 1", "grain 2", ...: the Voronoi cells of random points. Collective.

    Each cell of the mesh belongs to the point nearest to its midpoint, across the seam if the mesh is periodic: grain
    boundaries follow the cells' edges. The points are the same on any number of ranks. Other regions of the domain are
    replaced.

    Args:
        domain: of any shape and dimension; it is not changed.
        count: number of grains.
        seed: of the random numbers.

    Raises:
        ParameterError: for less than one grain, or so many that one of them has no cell.
    """
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
    empty = np.count_nonzero(sizes == 0)
    require(not empty, f"count = {count} grains, of which {empty} have no cell: must be fewer, or the cells smaller")
    tags = dolfinx.mesh.meshtags(mesh, dim, np.arange(total, dtype=np.int32), nearest.astype(np.int32) + 1)
    return replace(domain, regions=_names(count), cells=tags)


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"grain {i + 1}" for i in range(count))


def _extent(domain: Domain) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lower corner and edges of the box around one period of the domain; cells may extend beyond the seam."""
    lower, upper = bounds(domain.mesh)
    return lower, np.where(domain.period > 0, domain.period, upper - lower)


def _wrapped(domain: Domain, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points relative to the lower corner of the domain, in the first period, shape (n, dim)."""
    lower, _ = _extent(domain)
    inside = x[:, : domain.dim] - lower
    for axis in np.flatnonzero(domain.period):
        along = inside[:, axis] % domain.period[axis]
        inside[:, axis] = np.where(along < domain.period[axis], along, 0.0)  # % may round up to the period
    return inside


def _scattered(domain: Domain, midpoints: NDArray[np.float64], count: int, seed: int) -> NDArray[np.float64] | None:
    """Return on rank 0 `count` random points in the domain, or near a shell. Collective."""
    mesh = domain.mesh
    h = mesh.h(mesh.topology.dim, np.arange(len(midpoints), dtype=np.int32))
    _, edges = _extent(domain)
    parts = mesh.comm.gather((midpoints, h), root=0)
    if parts is None:
        return None
    every_midpoint, diameters = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    tree = cKDTree(every_midpoint, boxsize=domain.period)
    random = np.random.default_rng(seed)
    points = np.zeros((0, domain.dim))
    while len(points) < count:
        candidates = edges * random.random((4 * count, domain.dim))
        distance, nearest = tree.query(candidates)
        points = np.concatenate([points, candidates[distance < REACH * diameters[nearest]]])
    return points[:count]


def tiling(points: NDArray[np.float64], lengths: NDArray[np.float64], least: float) -> Tiling:
    """Return the Voronoi cells of `points` in the rectangle [0, lengths], without edges shorter than `least`.

    Every point is mirrored in the four sides: the ridge between it and its own image is the side.
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
    joined = _collapse(diagram.vertices, ridges, n, lengths, least)
    edges: list[tuple[int, int]] = []
    sides: list[str] = []
    tiles: list[list[int]] = [[] for _ in points]
    for one, other, ends in ridges:
        start, end = joined[ends].tolist()
        if start == end:
            continue
        block = max(one, other) // n
        for point in (one, other):
            if point < n:
                tiles[point].append(len(edges))
        edges.append((start, end))
        sides.append(SIDES[block - 1] if block else "")
    return Tiling(diagram.vertices, edges, sides, tiles)


def _collapse(
    vertices: NDArray[np.float64],
    ridges: Sequence[tuple[int, int, list[int]]],
    points: int,
    lengths: NDArray[np.float64],
    least: float,
) -> Integers:
    """Return the vertex that replaces each vertex when edges shorter than `least` are collapsed, shape (n,).

    Corners and sides of the rectangle are preserved, and every tile keeps three edges.
    """
    on_side = np.concatenate([np.abs(vertices) < 1e-9 * lengths, np.abs(vertices - lengths) < 1e-9 * lengths], axis=1)
    edges = np.bincount([point for one, other, _ in ridges for point in (one, other)])  # of each tile
    edges[points:] = len(ridges)  # images are no tiles
    target = np.arange(len(vertices))
    sizes = [float(np.hypot(*(vertices[start] - vertices[end]))) for _, _, (start, end) in ridges]
    for index in np.argsort(sizes):
        one, other, ends = ridges[index]
        stays, goes = target[ends]
        if sizes[index] >= least:
            break
        if stays == goes or (edges[[one, other]] <= 3).any():
            continue
        if (on_side[goes] & ~on_side[stays]).any():
            stays, goes = goes, stays
        if (on_side[goes] & ~on_side[stays]).any():
            continue  # on two different sides
        target[target == goes] = stays
        edges[[one, other]] -= 1
    return target


@checked(collective=True)
def polycrystal(
    size_xy: Sequence[float],
    grains: int,
    *,
    size: float,
    seed: int = 0,
    boundary: float | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the rectangle [0, size_xy[0]] x [0, size_xy[1]] in triangles, made of grains with straight boundaries.

    The grains are the Voronoi cells of random points, without edges shorter than a quarter of a cell. The boundaries
    are left, right, bottom and top, the regions "grain 1", "grain 2", ... With a width of `boundary` strips of it part
    the grains, the region "grain boundaries", with cells as small as that: what conducts in them, or blocks, is then a
    coefficient of a region as any other.

    Args:
        size_xy: edge lengths [m or -], shape (2,).
        grains: their number, at most 100 000.
        size: edge of a cell, at most the smaller edge of the rectangle.
        seed: of the random numbers.
        boundary: width of the strips between grains, at most `size`; none when left out [m or -].
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds, or strips that leave nothing of a grain.
        EmfemError: if gmsh cannot be loaded or cannot mesh the grains.
    """
    lengths = floats("size_xy", size_xy, (2,), "two lengths")
    lengths = np.array([number(f"length along {axis}", x, above=0.0) for axis, x in zip("xy", lengths, strict=True)])
    grains = int(number("grains", whole("grains", grains, at_least=1), at_most=MOST_GRAINS))
    seed = whole("seed", seed, at_least=0)
    size = number("size", size, above=0.0, at_most=float(lengths.min()))
    unit = power_of_two(float(lengths.max()))

    strip = None if boundary is None else number("boundary", boundary, above=0.0, at_most=size) / unit

    def draw(gmsh: Any) -> None:
        edges = lengths / unit
        points = edges * np.random.default_rng(seed).random((grains, 2))
        tiles = tiling(points, edges, SHORT * size / unit + 2 * (strip or 0.0))
        if strip is None:
            _draw_tiles(gmsh, tiles)
            set_cell_sizes(gmsh, size / unit)
        else:
            edges_of_strips = draw_parted(gmsh, *parted(tiles, strip, edges, unit), _names(grains), edges)
            set_cell_sizes(gmsh, size / unit, curves=[(edges_of_strips, strip)])

    return mesh_drawing("polycrystal", draw, comm, unit=unit)


def _draw_tiles(gmsh: Any, tiles: Tiling) -> None:
    """Draw grains that share their edges, and name them and the sides."""
    geo = gmsh.model.geo
    vertices = {
        vertex: geo.addPoint(*tiles.vertices[vertex], 0.0) for vertex in {v for edge in tiles.edges for v in edge}
    }
    lines = [geo.addLine(vertices[start], vertices[end]) for start, end in tiles.edges]
    loops = [geo.addCurveLoop([lines[edge] for edge in tile], reorient=True) for tile in tiles.tiles]
    surfaces = [geo.addPlaneSurface([loop]) for loop in loops]
    geo.synchronize()
    for name, surface in zip(_names(len(surfaces)), surfaces, strict=True):
        gmsh.model.addPhysicalGroup(2, [surface], name=name)
    for name in SIDES:
        side = [line for line, other in zip(lines, tiles.sides, strict=True) if other == name]
        gmsh.model.addPhysicalGroup(1, side, name=name)
