"""Plane regions bounded by straight edges and arcs, drawn exactly, each edge with its name."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from emfem.errors import floats, number, require
from emfem.mesh.domain import Domain
from emfem.mesh.extents import LONGEST, SHORTEST
from emfem.mesh.mesher import mesh_drawing, power_of_two
from emfem.mesh.raw import Predicate
from emfem.mesh.readers.gmsh_model import set_cell_sizes

import numpy as np
from mpi4py import MPI

Point = tuple[float, float]
Refine = float | Mapping[Point, float] | None

FINER = 3.0  # cells at inward corners and electrode ends are finer by this factor
TURN = math.radians(30)  # an outline that turns inward by less, such as a circle cut into chords, has no corner there
CHORD = 4.0  # cells to the radius of an arc: 25 around a circle


@dataclass(frozen=True)
class Edge:
    """Edge of an outline, from the end of the edge before it to its own.

    Attributes:
        end: its end point.
        name: of the boundary it belongs to; empty for the rest.
        centre: of an arc of less than half a turn; without it the edge is straight.
        axis: a point on the longer axis of an elliptic arc, which must be a quarter of the ellipse.
    """

    end: Point
    name: str = ""
    centre: Point | None = None
    axis: Point | None = None


Loop = Sequence[Edge]  # closed, the metal on its left: outer loops run counter-clockwise, holes clockwise
Piece = Sequence[Loop]  # the outer loop first, then its holes


def straight(points: Sequence[Point], name: str = "") -> list[Edge]:
    """Return straight edges that end at `points`."""
    return [Edge(point, name) for point in points]


def arc(centre: Point, radius: float, start: float, stop: float, name: str = "") -> list[Edge]:
    """Return an arc between two angles [rad], clockwise if `stop` is smaller, in edges of at most 90 degrees."""
    edges = max(1, math.ceil(abs(stop - start) / (math.pi / 2) - 1e-9))
    angles = np.linspace(start, stop, edges + 1)[1:].tolist()
    return [Edge((centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)), name, centre) for a in angles]


def circle(centre: Point, radius: float, name: str = "", *, hole: bool = False) -> list[Edge]:
    """Return a full circle; a hole runs clockwise."""
    edges = arc(centre, radius, 0.0, -2 * math.pi if hole else 2 * math.pi, name)
    return [*edges[:-1], replace(edges[-1], end=(centre[0] + radius, centre[1]))]


def closed(edges: Iterable[Edge]) -> list[Edge]:
    """Return the loop without edges of zero length, up to rounding."""
    loop = list(edges)
    least = 1e-12 * max(math.dist(loop[0].end, edge.end) for edge in loop)
    return [edge for before, edge in pairwise([loop[-1], *loop]) if math.dist(before.end, edge.end) > least]


def plane(
    shape: str,
    pieces: Sequence[Piece],
    *,
    names: Sequence[str],
    boundaries: Mapping[str, Predicate] | None = None,
    rest: str | None = "sides",
    size: float,
    refine: Refine,
    order: int = 1,
    periodic: Mapping[str, tuple[int, int]] | None = None,
    lengths: Sequence[float] = (),
    comm: MPI.Comm,
) -> Domain:
    """Return the plane region inside the loops. Collective.

    Args:
        shape: description of the shape.
        pieces: its loops of edges.
        names: of edges, in the order of the domain's names.
        boundaries: more names, as predicates.
        rest: name of the edges without another name.
        size: edge of a cell.
        refine: see `emfem.mesh.polygon`.
        order: degree of the cells' geometry: with 2, arcs are curved.
        periodic: for each periodic axis, "x" or "y", the edges at its lower and upper side, counted from 0.
        lengths: of the periodic cell along x and y.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a size or a refinement out of bounds, or a mesh that cannot be computed on.
        EmfemError: if gmsh cannot be loaded or cannot mesh the region.
    """
    if isinstance(refine, Mapping):
        points = {_point(at): number("refine", fine, above=0.0, at_most=size) for at, fine in refine.items()}
        inward = size
    else:
        inward = size / FINER if refine is None else number("refine", refine, above=0.0, at_most=size)
        points = dict.fromkeys(_corners(pieces), inward)
    ends = np.array([edge.end for _, edge, _ in _edges(pieces)])
    extent = number("extent of the shape", np.ptp(ends, axis=0).max(), at_least=SHORTEST, at_most=LONGEST)
    unit = power_of_two(extent)
    periods = {axis: length if axis in (periodic or {}) else 0.0 for axis, length in zip("xy", lengths, strict=False)}

    def draw(gmsh: Any) -> None:
        curves = _draw_edges(gmsh, pieces, unit)
        named: dict[str, list[int]] = {name: [] for name in names}
        sizes: dict[float, list[int]] = defaultdict(list)
        for (start, edge, _), curve in zip(_edges(pieces), curves, strict=True):
            if edge.name:
                named[edge.name].append(curve)
            if edge.centre is not None:  # fine enough to be round, and finer where it curves into the metal
                radius = min(math.dist(edge.centre, end) for end in (start, edge.end))
                sizes[min(radius / CHORD, size if _metal_inside(start, edge) else inward)].append(curve)
        for name, members in named.items():
            if members:
                gmsh.model.addPhysicalGroup(1, members, name=name)
        for axis, (low, high) in (periodic or {}).items():
            shift = np.eye(4)
            shift["xy".index(axis), 3] = periods[axis] / unit
            gmsh.model.mesh.setPeriodic(1, [curves[high]], [curves[low]], shift.ravel().tolist())
        vertices: dict[float, list[int]] = defaultdict(list)
        for (x, y), fine in points.items():
            vertices[fine].append(gmsh.model.geo.addPoint(x / unit, y / unit, 0.0))
        gmsh.model.geo.synchronize()
        set_cell_sizes(
            gmsh,
            size / unit,
            vertices=[(tags, fine / unit) for fine, tags in vertices.items()],
            curves=[(tags, fine / unit) for fine, tags in sizes.items()],
        )

    period = tuple(periods.values())
    return mesh_drawing(shape, draw, comm, boundaries=boundaries, rest=rest, order=order, period=period, unit=unit)


def _draw_edges(gmsh: Any, pieces: Sequence[Piece], unit: float) -> list[int]:
    """Draw the region with gmsh and return the tag of each edge's curve."""
    geo = gmsh.model.geo
    points: dict[Point, int] = {}

    def point(x: Point) -> int:
        if x not in points:
            points[x] = geo.addPoint(x[0] / unit, x[1] / unit, 0.0)
        return points[x]

    def curve(start: Point, edge: Edge) -> int:
        ends = point(start), point(edge.end)
        if edge.centre is None:
            return geo.addLine(*ends)
        if edge.axis is None:
            return geo.addCircleArc(ends[0], point(edge.centre), ends[1])
        return geo.addEllipseArc(ends[0], point(edge.centre), point(edge.axis), ends[1])

    tags: list[int] = []
    for piece in pieces:
        loops = []
        for loop in piece:
            curves = [curve(start, edge) for start, edge, _ in _edges([[loop]])]
            loops.append(geo.addCurveLoop(curves))
            tags += curves
        geo.addPlaneSurface(loops)
    geo.synchronize()
    return tags


def _corners(pieces: Sequence[Piece]) -> list[Point]:
    """Return the points where a field is singular: corners that turn into the metal, and ends of electrodes.

    At the end of an electrode in a corner of 90 degrees or less it is regular.
    """
    corners = []
    for start, edge, after in _edges(pieces):
        turn = math.remainder(_directions(edge.end, after)[0] - _directions(start, edge)[1], 2 * math.pi)
        if turn < -TURN or (edge.name != after.name and turn < math.pi / 2 - 1e-6):
            corners.append(edge.end)
    return corners


def _edges(pieces: Sequence[Piece]) -> Iterator[tuple[Point, Edge, Edge]]:
    """Yield for every edge its start, itself, and the next edge of its loop."""
    for piece in pieces:
        for loop in piece:
            for before, edge, after in zip([loop[-1], *loop[:-1]], loop, [*loop[1:], loop[0]], strict=True):
                yield before.end, edge, after


def _metal_inside(start: Point, edge: Edge) -> bool:
    """Return True if the metal lies inside the circle of an arc: its centre is on the left."""
    assert edge.centre is not None
    (x, y), (a, b) = ((p[0] - edge.centre[0], p[1] - edge.centre[1]) for p in (start, edge.end))
    return x * b - y * a > 0


def _directions(start: Point, edge: Edge) -> tuple[float, float]:
    """Return the direction of an edge at its start and at its end [rad]."""
    if edge.centre is None:
        along = math.atan2(edge.end[1] - start[1], edge.end[0] - start[0])
        return along, along
    quarter = math.pi / 2 if _metal_inside(start, edge) else -math.pi / 2
    x, y = edge.centre
    first, last = (math.atan2(p[1] - y, p[0] - x) + quarter for p in (start, edge.end))
    return first, last


def _point(x: Any) -> Point:
    """Return a point (x, y) of the plane.

    Raises:
        ParameterError: if it is not one.
    """
    point = floats("refine at", x)
    require(point.shape == (2,) and np.isfinite(point).all(), f"refine at {x!r}, must be a point (x, y)")
    return float(point[0]), float(point[1])
