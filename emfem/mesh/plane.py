"""Plane regions bounded by straight edges and arcs: drawn exactly, edge by edge, each with its name."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from emfem.errors import ParameterError, count, floats, number
from emfem.mesh.domain import Domain
from emfem.mesh.mesher import drawn, grade
from emfem.mesh.parts import Predicate

import numpy as np
from mpi4py import MPI

Point = tuple[float, float]
Refine = float | Mapping[Point, float] | None

FINER = 3.0  # cells at inward corners and electrode ends are finer by this factor
TURN = math.radians(30)  # an outline that turns inward by less, such as a circle cut into chords, has no corner there
CHORD = 4.0  # cells to the radius of an arc: 25 around a circle


@dataclass(frozen=True)
class Edge:
    """A piece of an outline, from the end of the piece before it to its own.

    Attributes:
        end: where it ends.
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
    """Straight edges that end at `points`."""
    return [Edge(point, name) for point in points]


def arc(centre: Point, radius: float, start: float, stop: float, name: str = "") -> list[Edge]:
    """An arc from angle `start` to `stop` [rad], clockwise if `stop` is smaller, in pieces of at most 90 degrees."""
    pieces = max(1, math.ceil(abs(stop - start) / (math.pi / 2) - 1e-9))
    angles = np.linspace(start, stop, pieces + 1)[1:].tolist()
    return [Edge((centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)), name, centre) for a in angles]


def circle(centre: Point, radius: float, name: str = "", *, hole: bool = False) -> list[Edge]:
    """A whole circle; a hole runs clockwise."""
    edges = arc(centre, radius, 0.0, -2 * math.pi if hole else 2 * math.pi, name)
    return [*edges[:-1], Edge((centre[0] + radius, centre[1]), name, centre)]


def closed(edges: Iterable[Edge]) -> list[Edge]:
    """The loop without edges that have no length but for rounding."""
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
    comm: MPI.Comm,
) -> Domain:
    """The plane region inside the loops. Collective.

    Args:
        shape: what it is, in words.
        pieces: its loops of edges.
        names: of edges, in the order of the domain's names.
        boundaries: more names, as predicates.
        rest: name of what has no other.
        size: edge of a cell.
        refine: see `emfem.mesh.polygon`.
        order: degree of the cells' geometry: with 2, arcs are curved.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a size or a refinement that cannot be, or a mesh that cannot be computed on.
        EmfemError: if gmsh cannot be loaded or cannot mesh the region.
    """
    order = checked_order(order)
    places, inward, outward = refinement(pieces, size, refine)
    unit = scale(pieces)

    def draw(gmsh: Any) -> None:
        curves = lay(gmsh, pieces, unit)
        name_edges(gmsh, names, pieces, curves)
        refine_at(gmsh, size, places, arcs(pieces, curves, inward, outward), unit)

    return drawn(shape, draw, comm, boundaries=boundaries, rest=rest, order=order, unit=unit)


def scale(pieces: Sequence[Piece]) -> float:
    """A power of two about as large as the region."""
    ends = np.array([edge.end for piece in pieces for loop in piece for edge in loop])
    return power_of_two(float(np.ptp(ends, axis=0).max()))


def power_of_two(length: float) -> float:
    """A power of two about as large as `length`: coordinates are divided and multiplied by it without rounding."""
    return 2.0 ** round(math.log2(length))


def checked_order(order: int) -> int:
    """The degree of cells' geometry, 1 or 2.

    Raises:
        ParameterError: for another one.
    """
    return int(number("order", count("order", order, at_least=1), at_most=2))


def lay(gmsh: Any, pieces: Sequence[Piece], unit: float) -> list[list[list[int]]]:
    """Draw the region; the tags of its curves, nested like the edges."""
    geo = gmsh.model.geo
    points: dict[Point, int] = {}

    def point(place: Point) -> int:
        if place not in points:
            points[place] = geo.addPoint(place[0] / unit, place[1] / unit, 0.0)
        return points[place]

    tags: list[list[list[int]]] = []
    for piece in pieces:
        tags.append([])
        for loop in piece:
            tags[-1].append([])
            for before, edge in pairwise([loop[-1], *loop]):
                start, end = point(before.end), point(edge.end)
                if edge.centre is None:
                    curve = geo.addLine(start, end)
                elif edge.axis is None:
                    curve = geo.addCircleArc(start, point(edge.centre), end)
                else:
                    curve = geo.addEllipseArc(start, point(edge.centre), point(edge.axis), end)
                tags[-1][-1].append(curve)
        geo.addPlaneSurface([geo.addCurveLoop(curves) for curves in tags[-1]])
    geo.synchronize()
    return tags


def name_edges(gmsh: Any, names: Sequence[str], pieces: Sequence[Piece], curves: list[list[list[int]]]) -> None:
    """Make the names of edges physical groups; one that no edge has makes none."""
    named: dict[str, list[int]] = {name: [] for name in names}
    for _, edge, tag in _edges(pieces, curves):
        if edge.name:
            named[edge.name].append(tag)
    for name, members in named.items():
        if members:
            gmsh.model.addPhysicalGroup(1, members, name=name)


def refinement(pieces: Sequence[Piece], size: float, refine: Refine) -> tuple[dict[Point, float], float, float]:
    """Places and the cell size there; cell size on arcs that curve into the metal; on those that curve out of it.

    Raises:
        ParameterError: for a size at a place that is not positive or larger than `size`, or a place that is none.
    """
    if isinstance(refine, Mapping):
        return {_place(at): number("refine", fine, above=0.0, at_most=size) for at, fine in refine.items()}, size, size
    fine = size / FINER if refine is None else number("refine", refine, above=0.0, at_most=size)
    return dict.fromkeys(corners(pieces), fine), fine, size


def corners(pieces: Sequence[Piece]) -> list[Point]:
    """Where a field is singular: corners that turn into the metal, and ends of electrodes.

    At the end of an electrode in a corner of 90 degrees or less it is not.
    """
    found = []
    for piece in pieces:
        for loop in piece:
            for before, edge, after in zip([loop[-1], *loop[:-1]], loop, [*loop[1:], loop[0]], strict=True):
                arriving, leaving = _heading(before.end, edge)[1], _heading(edge.end, after)[0]
                turn = math.remainder(leaving - arriving, 2 * math.pi)
                if turn < -TURN or (edge.name != after.name and turn < math.pi / 2 - 1e-6):
                    found.append(edge.end)
    return found


def arcs(
    pieces: Sequence[Piece], curves: list[list[list[int]]], inward: float, outward: float
) -> list[tuple[list[int], float]]:
    """Curved edges by the cell size on them: fine enough to be round, and `inward` where they curve into the metal."""
    sizes: dict[float, list[int]] = defaultdict(list)
    for start, edge, tag in _edges(pieces, curves):
        if edge.centre is not None:
            radius = min(math.dist(edge.centre, end) for end in (start, edge.end))
            sizes[min(radius / CHORD, outward if _left(start, edge) else inward)].append(tag)
    return [(tags, fine) for fine, tags in sizes.items()]


def refine_at(
    gmsh: Any, size: float, places: Mapping[Point, float], curves: Sequence[tuple[list[int], float]], unit: float
) -> None:
    """Choose the size of the cells of a drawing: `size`, finer at places and on curves."""
    points: dict[float, list[int]] = defaultdict(list)
    for place, fine in places.items():
        points[fine].append(gmsh.model.geo.addPoint(place[0] / unit, place[1] / unit, 0.0))
    gmsh.model.geo.synchronize()
    grade(
        gmsh,
        size / unit,
        vertices=[(tags, fine / unit) for fine, tags in points.items()],
        curves=[(tags, fine / unit) for tags, fine in curves],
    )


def _edges(pieces: Sequence[Piece], curves: list[list[list[int]]]) -> Iterator[tuple[Point, Edge, int]]:
    """Every edge, where it starts, and its curve."""
    for piece, lists in zip(pieces, curves, strict=True):
        for loop, tags in zip(piece, lists, strict=True):
            yield from zip([loop[-1].end, *(edge.end for edge in loop[:-1])], loop, tags, strict=True)


def _left(start: Point, edge: Edge) -> bool:
    """Whether the centre of an arc lies on its left: the metal is inside its circle."""
    assert edge.centre is not None
    (x, y), (a, b) = ((p[0] - edge.centre[0], p[1] - edge.centre[1]) for p in (start, edge.end))
    return x * b - y * a > 0


def _heading(start: Point, edge: Edge) -> tuple[float, float]:
    """Direction of an edge where it starts and where it ends [rad]."""
    if edge.centre is None:
        along = math.atan2(edge.end[1] - start[1], edge.end[0] - start[0])
        return along, along
    quarter = math.pi / 2 if _left(start, edge) else -math.pi / 2
    x, y = edge.centre
    first, last = (math.atan2(p[1] - y, p[0] - x) + quarter for p in (start, edge.end))
    return first, last


def _place(place: Any) -> Point:
    """A point of the plane.

    Raises:
        ParameterError: if it is none.
    """
    x = floats("refine at", place)
    if x.shape != (2,) or not np.isfinite(x).all():
        msg = f"refine at {place!r}, must be a point (x, y)"
        raise ParameterError(msg)
    return float(x[0]), float(x[1])
