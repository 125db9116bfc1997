"""Plane regions bounded by polygons, with holes, in one piece or several, and named parts of their outline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from emfem.errors import floats, kind, number, require, require_all
from emfem.gate import checked
from emfem.mesh.domain import Domain
from emfem.mesh.plane import Edge, Piece, Refine, plane
from emfem.mesh.raw import Predicate

import numpy as np
import shapely
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

type Region = shapely.Polygon | shapely.MultiPolygon
type Boundary = Sequence[Sequence[float]] | NDArray[np.float64] | Predicate | shapely.Geometry

NEAR = 1e-9  # of the extent of a region: a point nearer than this to its outline is on it


@checked(collective=True)
def polygon(
    outline: ArrayLike,
    *,
    holes: Sequence[ArrayLike] = (),
    electrodes: Mapping[str, Boundary],
    size: float,
    refine: Refine = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the interior of a polygon, without its holes, in triangles.

    Its boundaries are the electrodes, and sides (all the rest).

    Args:
        outline: its corners, in either sense, shape (n, 2) [m or -].
        holes: the corners of each hole, shape (n, 2).
        electrodes: the place of each: a path along the outline by its corners and ends, such as [(0, 0), (0, 1)]; or a
            function of x, shape (2, n), that is true for cells' edges on it; or a shapely geometry on which it lies.
        size: edge of a cell, at most the smaller side of the box around the outline.
        refine: edge of a cell at the corners that point into the metal and at the ends of electrodes, by default a
            third of `size`; or {(x, y): edge of a cell} for other points instead.
        comm: the ranks that share it.

    Raises:
        ParameterError: for an outline that crosses itself or has fewer than 3 corners, a hole outside of it, an
            electrode that does not lie on it or has no length, electrodes that overlap, or a size out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    shell = shapely.Polygon(_ring("outline", outline))
    _valid("outline", shell)
    rings = [_ring(f"holes[{i}]", hole) for i, hole in enumerate(holes)]
    for i, ring in enumerate(rings):
        hole = shapely.Polygon(ring)
        _valid(f"holes[{i}]", hole)
        require(shell.contains(hole), f"holes[{i}] = {ring.tolist()!r}, must lie inside the outline")
    region = shapely.Polygon(shell.exterior, rings)
    _valid("holes", region)
    return area("polygon", region, size=size, boundaries=electrodes, refine=refine, comm=comm)


def area(
    shape: str,
    region: Region,
    *,
    size: float,
    boundaries: Mapping[str, Boundary],
    rest: str | None = "sides",
    refine: Refine = None,
    comm: MPI.Comm,
) -> Domain:
    """Return the domain of a plane region with holes, in one piece or several, in triangles. Collective.

    Args:
        shape: description of the shape.
        region: a shapely polygon or several [m or -].
        size: edge of a cell.
        boundaries: the place of each: points of a path along the outline, of which every corner is given; a function of
            x, shape (2, n), that is true for facets on it; or a shapely geometry, for all of the outline that lies
            on it. Ends of paths and geometries become vertices.
        rest: name of the other edges.
        refine: as in `polygon`.
        comm: the ranks that share it.

    Raises:
        ParameterError: for an empty or invalid region, a boundary that does not lie on its outline or has no length,
            boundaries that overlap, or a size out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the region.
    """
    kind("region", region, shapely.Polygon | shapely.MultiPolygon, "a shapely polygon")
    require(not region.is_empty and region.area > 0.0, f"{shape} is empty: it has no area")
    _valid(shape, region)
    kind("boundaries", boundaries, Mapping, "a mapping of names to paths, functions or geometries")
    lower, upper = np.reshape(region.bounds, (2, 2))
    size = number("size", size, above=0.0, at_most=float((upper - lower).min()))
    outline = Outline(region, NEAR * float((upper - lower).max()))
    predicates: dict[str, Predicate] = {}
    for name, boundary in boundaries.items():
        kind("name of a boundary", name, str, "a word")
        message = f"a boundary named {name!r}, must have a name of its own: {rest!r} is the rest of the outline"
        require(name not in ("", rest), message)
        if isinstance(boundary, shapely.Geometry):
            outline.name_on(name, boundary)
        elif callable(boundary):
            predicates[name] = boundary
        else:
            outline.name_path(name, boundary)
    return plane(
        shape,
        outline.pieces(),
        names=[name for name in boundaries if name not in predicates],
        boundaries=predicates,
        rest=rest,
        size=size,
        refine=refine,
        comm=comm,
    )


class Outline:
    """The rings around a region as edges that are split and named.

    Attributes:
        points: start of each edge, shape (n, 2).
        following: the next edge of each edge.
        names: of each edge; empty for the rest.
        cuts: True for edges whose start was added here.
    """

    def __init__(self, region: Region, near: float) -> None:
        """Split the rings into edges; points within the distance `near` are the same, or lie on an edge."""
        self.near = near
        clean = shapely.orient_polygons(shapely.remove_repeated_points(shapely.force_2d(region), near))
        polygons = list(getattr(clean, "geoms", [clean]))
        self._rings = [[polygon.exterior, *polygon.interiors] for polygon in polygons]
        rings = [np.asarray(ring.coords)[:-1] for piece in self._rings for ring in piece]
        starts = np.cumsum([0, *map(len, rings)])
        self.points = np.concatenate(rings)
        self.following = np.arange(1, len(self.points) + 1)
        self.following[starts[1:] - 1] = starts[:-1]
        self._first = [int(start) for start in starts[:-1]]
        self.names = np.full(len(self.points), "", dtype=object)
        self.cuts = np.zeros(len(self.points), dtype=bool)
        self._join([ring for piece in self._rings for ring in piece])

    def name_path(self, name: str, path: Any) -> None:
        """Name the edges along a path of points.

        Raises:
            ParameterError: if it is no path, has no length, or does not lie on the outline.
        """
        points = floats(f"boundary {name!r}", path)
        good = points.ndim == 2 and points.shape[1] == 2 and len(points) >= 2 and np.isfinite(points).all()
        require(good, f"boundary {name!r} = {path!r}, must be two points (x, y) or more")
        distances = shapely.distance(shapely.points(points), shapely.multilinestrings(list(self._lines())))
        worst, distance = points[distances.argmax()], distances.max()
        start = f"boundary {name!r} does not lie on the outline"
        require(distance <= self.near, f"{start}: {_text(worst)} is {distance:.4g} away from it")
        self._cut(points)
        for a, b in pairwise(points):
            length, ends = float(np.hypot(*(b - a))), f"between {_text(a)} and {_text(b)}"
            require(length > self.near, f"boundary {name!r} has no length {ends}")
            along = self._on(shapely.linestrings([a, b]))
            covered = float(shapely.length(self._lines()[along]).sum())
            complete = abs(covered - length) <= 10 * self.near
            require(complete, f"{start} {ends}: every corner on the way must be given")
            self._name(name, along)

    def name_on(self, name: str, geometry: shapely.Geometry) -> None:
        """Name the edges that lie on a shapely geometry.

        Raises:
            ParameterError: if none does.
        """
        lines = shapely.multilinestrings(list(self._lines()))
        ends = shapely.get_coordinates(shapely.intersection(lines, geometry))
        corners = shapely.get_coordinates(geometry)
        self._cut(np.concatenate([ends, corners[shapely.dwithin(shapely.points(corners), lines, self.near)]]))
        along = self._on(geometry)
        message = f"boundary {name!r} is empty: its geometry lies on no part of the outline that has a length"
        require(along.any(), message)
        self._name(name, along)

    def pieces(self) -> list[Piece]:
        """Return the loops of each piece, without cuts between edges of the same name."""
        first = iter(self._first)
        return [[self._loop(next(first)) for _ in piece] for piece in self._rings]

    def _loop(self, first: int) -> list[Edge]:
        """Return the edges of one ring."""
        ring = [first]
        while (after := int(self.following[ring[-1]])) != first:
            ring.append(after)
        edges = []
        for edge in ring:
            after = self.following[edge]
            if not self.cuts[after] or self.names[edge] != self.names[after]:
                x, y = self.points[after].tolist()
                edges.append(Edge((x, y), self.names[edge]))
        return edges

    def _join(self, rings: list[shapely.LinearRing]) -> None:
        """Split rings where others touch them, so that they share a point."""
        one, other = shapely.STRtree(rings).query(rings, predicate="intersects")
        pairs = [(rings[i], rings[j]) for i, j in zip(one, other, strict=True) if i < j]
        for pair in pairs:
            self._cut(shapely.get_coordinates(shapely.intersection(*pair)))
        self.cuts[:] = False

    def _lines(self) -> NDArray[Any]:
        """Return the edges as lines."""
        return shapely.linestrings(np.stack([self.points, self.points[self.following]], axis=1))

    def _on(self, geometry: shapely.Geometry) -> NDArray[np.bool_]:
        """Return True for edges that lie on a geometry at both ends and halfway: they are split where they leave it."""
        shapely.prepare(geometry)
        starts, ends = self.points, self.points[self.following]
        points = (starts, ends, (starts + ends) / 2)
        return np.logical_and.reduce([shapely.dwithin(shapely.points(x), geometry, self.near) for x in points])

    def _cut(self, points: NDArray[np.float64]) -> None:
        """Split the edges that pass through each point; a ring that touches another there has its own point."""
        tree = shapely.STRtree(self._lines())
        for point in points:
            apart = np.hypot(*(self.points - point).T)
            there = apart <= self.near
            x = self.points[apart.argmin()] if there.any() else point
            through = [
                edge
                for edge in tree.query(shapely.Point(x), "dwithin", self.near)
                if not there[edge] and not there[self.following[edge]]
            ]
            for edge in through:
                self.points = np.concatenate([self.points, x[None]])
                self.following = np.append(self.following, self.following[edge])
                self.following[edge] = len(self.points) - 1
                self.names = np.append(self.names, self.names[edge])
                self.cuts = np.append(self.cuts, True)
            tree = shapely.STRtree(self._lines()) if through else tree

    def _name(self, name: str, edges: NDArray[np.bool_]) -> None:
        """Name edges, which must not have another name."""
        middles = (self.points + self.points[self.following]) / 2
        require_all(
            ~edges | (self.names == "") | (self.names == name),
            lambda i: f"boundaries {self.names[i]!r} and {name!r} overlap at {_text(middles[i])}",
        )
        self.names[edges] = name


def _ring(name: str, points: Any) -> NDArray[np.float64]:
    """Return the corners of a ring, shape (n, 2), without the first one repeated at the end.

    Raises:
        ParameterError: if they are fewer than 3, or no points of the plane.
    """
    ring = floats(name, points, (None, 2), "finite points of shape (n, 2)", finite=True)
    ring = ring[:-1] if len(ring) > 1 and (ring[0] == ring[-1]).all() else ring
    require(len(ring) >= 3, f"{name} = {ring.tolist()}, must have at least 3 corners")
    return ring


def _valid(name: str, region: Region) -> None:
    """Check that a region does not cross itself.

    Raises:
        ParameterError: with shapely's reason and the point.
    """
    reason = shapely.is_valid_reason(region)
    fault, _, point = reason.rstrip("]").partition("[")
    where = f" at ({', '.join(point.split())})" if point else ""
    require(reason == "Valid Geometry", f"{name} is no region of the plane: {fault.lower()}{where}")


def _text(point: NDArray[np.float64]) -> str:
    return f"({', '.join(f'{x:.6g}' for x in point)})"
