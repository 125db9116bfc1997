"""Plane regions of any outline: polygons with holes, in one piece or several, and the names of parts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from emfem.errors import ParameterError, floats, kind, number
from emfem.mesh.domain import Domain
from emfem.mesh.parts import Predicate
from emfem.mesh.plane import Edge, Piece, Refine, plane

import numpy as np
import shapely
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

type Region = shapely.Polygon | shapely.MultiPolygon
type Boundary = Sequence[Sequence[float]] | NDArray[np.float64] | Predicate | shapely.Geometry

NEAR = 1e-9  # relative to the extent of a region: what is nearer than this to its outline lies on it


def polygon(
    outline: ArrayLike,
    *,
    holes: Sequence[ArrayLike] = (),
    electrodes: Mapping[str, Boundary],
    size: float,
    refine: Refine = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """The inside of a polygon, without its holes, in triangles.

    Its boundaries are the electrodes, and sides (all the rest).

    Args:
        outline: its corners, in either sense, shape (n, 2) [m or -].
        holes: the corners of each hole, shape (n, 2).
        electrodes: where each lies: a path along the outline by its corners and ends, such as [(0, 0), (0, 1)]; or a
            function of x, shape (2, n), that is true for cells' edges on it; or a shapely geometry on which it lies.
        size: edge of a cell, at most the smaller side of the box around the outline.
        refine: edge of a cell at the corners that point into the metal and at the ends of electrodes, by default a
            third of `size`; or {(x, y): edge of a cell} for other places instead.
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
        if not shell.contains(hole):
            msg = f"holes[{i}] = {ring.tolist()!r}, must lie inside the outline"
            raise ParameterError(msg)
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
    """The domain of a plane region with holes, in one piece or several, in triangles. Collective.

    Args:
        shape: what it is, in words.
        region: a shapely polygon or several [m or -].
        size: edge of a cell.
        boundaries: where each lies: points of a path along the outline, of which every corner is given; a function of
            x, shape (2, n), that is true for facets on it; or a shapely geometry, for all of the outline that lies
            on it. Ends of paths and geometries become vertices.
        rest: name of what has no other.
        refine: as in `polygon`.
        comm: the ranks that share it.

    Raises:
        ParameterError: for an empty or invalid region, a boundary that does not lie on its outline or has no length,
            boundaries that overlap, or a size out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the region.
    """
    kind("region", region, shapely.Polygon | shapely.MultiPolygon, "a shapely polygon")
    if region.is_empty or region.area == 0.0:
        msg = f"{shape} is empty: it has no area"
        raise ParameterError(msg)
    _valid(shape, region)
    kind("boundaries", boundaries, Mapping, "a mapping of names to places")
    lower, upper = np.reshape(region.bounds, (2, 2))
    size = number("size", size, above=0.0, at_most=float((upper - lower).min()))
    outline = Outline(region, NEAR * float((upper - lower).max()))
    predicates: dict[str, Predicate] = {}
    for name, boundary in boundaries.items():
        kind("name of a boundary", name, str, "a word")
        if name in ("", rest):
            msg = f"a boundary named {name!r}, must have a name of its own: {rest!r} is the rest of the outline"
            raise ParameterError(msg)
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
    """The rings around a region as edges that are cut and named.

    Attributes:
        points: start of each edge, shape (n, 2).
        following: the edge after each edge.
        names: of each edge; empty for the rest.
        cuts: whether the start of each edge was added here.
    """

    def __init__(self, region: Region, near: float) -> None:
        """Take the rings apart; `near` is the distance within which points are one, and a point lies on an edge."""
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
        places = floats(f"boundary {name!r}", path)
        if places.ndim != 2 or places.shape[1] != 2 or len(places) < 2 or not np.isfinite(places).all():
            msg = f"boundary {name!r} = {path!r}, must be two points (x, y) or more"
            raise ParameterError(msg)
        away = shapely.distance(shapely.points(places), shapely.multilinestrings(list(self._lines())))
        if away.max() > self.near:
            worst = places[away.argmax()]
            msg = f"boundary {name!r} does not lie on the outline: {_told(worst)} is {away.max():.4g} away from it"
            raise ParameterError(msg)
        self._cut(places)
        for start, end in pairwise(places):
            length = float(np.hypot(*(end - start)))
            if length <= self.near:
                msg = f"boundary {name!r} has no length between {_told(start)} and {_told(end)}"
                raise ParameterError(msg)
            along = self._on(shapely.linestrings([start, end]))
            covered = float(shapely.length(self._lines()[along]).sum())
            if abs(covered - length) > 10 * self.near:
                msg = (
                    f"boundary {name!r} does not lie on the outline between {_told(start)} and {_told(end)}: "
                    "every corner on the way must be given"
                )
                raise ParameterError(msg)
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
        if not along.any():
            msg = f"boundary {name!r} is empty: its geometry lies on no part of the outline that has a length"
            raise ParameterError(msg)
        self._name(name, along)

    def pieces(self) -> list[Piece]:
        """The loops of each piece; a cut stays only where a name begins or ends."""
        first = iter(self._first)
        return [[self._loop(next(first)) for _ in piece] for piece in self._rings]

    def _loop(self, first: int) -> list[Edge]:
        """The edges of one ring."""
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
        """Cut rings where others touch them: there they share a point."""
        one, other = shapely.STRtree(rings).query(rings, predicate="intersects")
        pairs = [(rings[i], rings[j]) for i, j in zip(one, other, strict=True) if i < j]
        for pair in pairs:
            self._cut(shapely.get_coordinates(shapely.intersection(*pair)))
        self.cuts[:] = False

    def _lines(self) -> NDArray[Any]:
        """The edges as lines."""
        return shapely.linestrings(np.stack([self.points, self.points[self.following]], axis=1))

    def _on(self, geometry: shapely.Geometry) -> NDArray[np.bool_]:
        """Whether each edge lies on a geometry at both its ends and halfway; where it could leave it, it was cut."""
        shapely.prepare(geometry)
        starts, ends = self.points, self.points[self.following]
        found = [shapely.dwithin(shapely.points(x), geometry, self.near) for x in (starts, ends, (starts + ends) / 2)]
        return np.logical_and.reduce(found)

    def _cut(self, places: NDArray[np.float64]) -> None:
        """Cut the edges that pass through each place; a ring that touches another there has a point of its own."""
        tree = shapely.STRtree(self._lines())
        for place in places:
            apart = np.hypot(*(self.points - place).T)
            there = apart <= self.near
            x = self.points[apart.argmin()] if there.any() else place
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
        """Name edges that have no other name."""
        taken = edges & (self.names != "") & (self.names != name)
        if taken.any():
            first = int(taken.argmax())
            middle = (self.points[first] + self.points[self.following[first]]) / 2
            msg = f"boundaries {self.names[first]!r} and {name!r} overlap at {_told(middle)}"
            raise ParameterError(msg)
        self.names[edges] = name


def _ring(name: str, points: Any) -> NDArray[np.float64]:
    """The corners of a ring, shape (n, 2), without the first one repeated at the end.

    Raises:
        ParameterError: if they are fewer than 3, or no points of the plane.
    """
    ring = floats(name, points)
    if ring.ndim != 2 or ring.shape[1] != 2 or not np.isfinite(ring).all():
        msg = f"{name} of shape {ring.shape}, must be finite points of shape (n, 2)"
        raise ParameterError(msg)
    ring = ring[:-1] if len(ring) > 1 and (ring[0] == ring[-1]).all() else ring
    if len(ring) < 3:
        msg = f"{name} = {ring.tolist()}, must have at least 3 corners"
        raise ParameterError(msg)
    return ring


def _valid(name: str, region: Region) -> None:
    """Refuse a region that crosses itself.

    Raises:
        ParameterError: with shapely's reason and the place.
    """
    reason = shapely.is_valid_reason(region)
    if reason != "Valid Geometry":
        what, _, place = reason.rstrip("]").partition("[")
        where = f" at ({', '.join(place.split())})" if place else ""
        msg = f"{name} is no region of the plane: {what.lower()}{where}"
        raise ParameterError(msg)


def _told(place: NDArray[np.float64]) -> str:
    return f"({', '.join(f'{x:.6g}' for x in place)})"
