"""Plane shapes that gmsh meshes, in triangles.

In all of them `refine` is the edge of a cell where current crowds: at corners, notches, holes and fillets that point
into the metal and at the ends of electrodes; by default a third of `size`. A mapping {(x, y): edge of a cell} refines
at other places instead. On an arc cells are no longer than a quarter of its radius. With `order=2` they are curved.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

from emfem.errors import ParameterError, count, floats, kind, number
from emfem.mesh.domain import Domain
from emfem.mesh.plane import Edge, Loop, Refine, arc, circle, closed, plane, straight

from mpi4py import MPI
from numpy.typing import ArrayLike

TURN = 2 * math.pi
NO_ANGLE = 1e-9  # electrodes that lie nearer than this touch [rad]


def notched_strip(
    *,
    length: float,
    width: float,
    notch_depth: float,
    notch_width: float,
    size: float,
    refine: Refine = None,
    order: int = 1,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """The strip [0, length] x [0, width] with a half-elliptic notch in the middle of its upper edge.

    Its boundaries are anode (x = 0), cathode (x = length) and sides (all the rest).

    Args:
        length: of the strip, above 0 [m or -].
        width: of the strip, above 0 [m or -].
        notch_depth: half axis of the ellipse across the strip, below the width.
        notch_width: full axis of the ellipse along the strip, below the length.
        size: edge of a cell, at most the smaller of length and width.
        refine: edge of a cell at the notch, by default a third of `size`; or places and sizes.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    length = number("length", length, above=0.0)
    width = number("width", width, above=0.0)
    depth = number("notch_depth", notch_depth, above=0.0, below=width)
    half = number("notch_width", notch_width, above=0.0, below=length) / 2
    size = number("size", size, above=0.0, at_most=min(length, width))
    middle, right, tip = (length / 2, width), (length / 2 + half, width), (length / 2, width - depth)
    axis = None if depth == half else tip if depth > half else right
    outline = [
        *straight([(length, 0.0)]),
        *straight([(length, width)], "cathode"),
        *straight([right]),
        Edge(tip, centre=middle, axis=axis),
        Edge((length / 2 - half, width), centre=middle, axis=axis),
        *straight([(0.0, width)]),
        *straight([(0.0, 0.0)], "anode"),
    ]
    names = ("anode", "cathode")
    return plane("notched strip", [[outline]], names=names, size=size, refine=refine, order=order, comm=comm)


def strip_with_holes(
    *,
    length: float,
    width: float,
    holes: ArrayLike,
    size: float,
    refine: Refine = None,
    order: int = 1,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """The strip [0, length] x [0, width] with round holes.

    Its boundaries are anode (x = 0), cathode (x = length), holes (the rims of all of them) and sides (the rest).

    Args:
        length: of the strip, above 0 [m or -].
        width: of the strip, above 0 [m or -].
        holes: centre x, y and radius of each, inside the strip and apart from each other, shape (n, 3).
        size: edge of a cell, at most the smaller of length and width.
        refine: edge of a cell at the holes, by default a third of `size`; or places and sizes.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds, or holes that touch each other or the edge.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    length = number("length", length, above=0.0)
    width = number("width", width, above=0.0)
    size = number("size", size, above=0.0, at_most=min(length, width))
    outline = [
        *straight([(length, 0.0)]),
        *straight([(length, width)], "cathode"),
        *straight([(0.0, width)]),
        *straight([(0.0, 0.0)], "anode"),
    ]
    rims = round_holes(holes, (length, width))
    names = ("anode", "cathode", "holes")
    return plane("strip with holes", [[outline, *rims]], names=names, size=size, refine=refine, order=order, comm=comm)


def round_holes(holes: ArrayLike, extent: tuple[float, float], name: str = "holes") -> list[Loop]:
    """The rims of round holes in the rectangle from the origin to `extent`; none for no holes.

    Raises:
        ParameterError: for holes that leave the rectangle or touch each other.
    """
    given = floats("holes", holes)
    if not given.size:
        return []
    if given.ndim != 2 or given.shape[1] != 3:
        msg = f"holes of shape {given.shape}, must be (x, y, radius) of each, shape (n, 3)"
        raise ParameterError(msg)
    rows = [tuple(map(float, hole)) for hole in given]
    for i, (x, y, radius) in enumerate(rows):
        number(f"radius of holes[{i}]", radius, above=0.0)
        if not (radius < x < extent[0] - radius and radius < y < extent[1] - radius):
            msg = f"holes[{i}] = {rows[i]}, must lie inside the rectangle {extent[0]:g} x {extent[1]:g}"
            raise ParameterError(msg)
    for (i, one), (j, other) in combinations(enumerate(rows), 2):
        if math.dist(one[:2], other[:2]) <= one[2] + other[2]:
            msg = f"holes[{i}] = {one} and holes[{j}] = {other} touch, must lie apart"
            raise ParameterError(msg)
    return [circle((x, y), radius, name, hole=True) for x, y, radius in rows]


def dogbone(
    *,
    length: float,
    width: float,
    head_length: float,
    head_width: float,
    fillet: float = 0.0,
    size: float,
    refine: Refine = None,
    order: int = 1,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """A narrow line between two wide heads, its lower left corner at the origin.

    Its boundaries are anode (the end of the left head, x = 0), cathode (the end of the right one) and sides (the rest).

    Args:
        length: of the line between the heads [m or -].
        width: of the line.
        head_length: of each head, along the line.
        head_width: of each head, above the width.
        fillet: radius that rounds the corners between line and heads; at most half the length and half of what the
            heads are wider.
        size: edge of a cell, at most the width and the head's length.
        refine: edge of a cell at these corners, by default a third of `size`; or places and sizes.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    length = number("length", length, above=0.0)
    width = number("width", width, above=0.0)
    head = number("head_length", head_length, above=0.0)
    high = number("head_width", head_width, above=width)
    low, end = (high - width) / 2, 2 * head + length
    r = number("fillet", fillet, at_least=0.0, at_most=min(length / 2, low))
    size = number("size", size, above=0.0, at_most=min(width, head))
    left, right, top = head, head + length, high - low
    outline = [
        *straight([(0.0, 0.0)], "anode"),
        *straight([(left, 0.0), (left, low - r)]),
        Edge((left + r, low), centre=(left + r, low - r)),
        *straight([(right - r, low)]),
        Edge((right, low - r), centre=(right - r, low - r)),
        *straight([(right, 0.0), (end, 0.0)]),
        *straight([(end, high)], "cathode"),
        *straight([(right, high), (right, top + r)]),
        Edge((right - r, top), centre=(right - r, top + r)),
        *straight([(left + r, top)]),
        Edge((left, top + r), centre=(left + r, top + r)),
        *straight([(left, high), (0.0, high)]),
    ]
    names = ("anode", "cathode")
    return plane("dogbone", [[closed(outline)]], names=names, size=size, refine=refine, order=order, comm=comm)


def bend(
    *,
    width: float,
    arms: Sequence[float],
    size: float,
    refine: Refine = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """A line that turns left by 90 degrees: from the origin along x, then along y.

    Its boundaries are start (x = 0), end (the end of the other arm) and sides (the rest). The corner into the metal
    lies at (arms[0], width).

    Args:
        width: of the line [m or -].
        arms: length of each arm up to the square where they meet, shape (2,).
        size: edge of a cell, at most the width.
        refine: edge of a cell at the corner, by default a third of `size`; or places and sizes.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    width = number("width", width, above=0.0)
    lengths = floats("arms", arms)
    if lengths.shape != (2,):
        msg = f"arms = {arms!r}, must be two lengths"
        raise ParameterError(msg)
    first, second = (number(f"arms[{i}]", length, above=0.0) for i, length in enumerate(lengths))
    size = number("size", size, above=0.0, at_most=width)
    outline = [
        *straight([(first + width, 0.0), (first + width, width + second)]),
        *straight([(first, width + second)], "end"),
        *straight([(first, width), (0.0, width)]),
        *straight([(0.0, 0.0)], "start"),
    ]
    return plane("bend", [[outline]], names=("start", "end"), size=size, refine=refine, comm=comm)


def hall_cross(
    *,
    arm_length: float,
    arm_width: float,
    size: float,
    refine: Refine = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Four equal arms around a square whose centre is the origin.

    Its boundaries are left, right, bottom, top (the ends of the arms) and sides (the rest).

    Args:
        arm_length: of each arm, from the square to its end [m or -].
        arm_width: of each arm, which is the edge of the square.
        size: edge of a cell, at most the arm's width.
        refine: edge of a cell at the four corners, by default a third of `size`; or places and sizes.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    half = number("arm_width", arm_width, above=0.0) / 2
    reach = half + number("arm_length", arm_length, above=0.0)
    size = number("size", size, above=0.0, at_most=2 * half)
    outline = [
        *straight([(-half, -half), (-half, -reach)]),
        *straight([(half, -reach)], "bottom"),
        *straight([(half, -half), (reach, -half)]),
        *straight([(reach, half)], "right"),
        *straight([(half, half), (half, reach)]),
        *straight([(-half, reach)], "top"),
        *straight([(-half, half), (-reach, half)]),
        *straight([(-reach, -half)], "left"),
    ]
    names = ("left", "right", "bottom", "top")
    return plane("Hall cross", [[outline]], names=names, size=size, refine=refine, comm=comm)


def disk(
    radius: float,
    *,
    electrodes: int | Mapping[str, tuple[float, float]],
    width: float | None = None,
    size: float,
    refine: Refine = None,
    order: int = 1,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """A disk around the origin with electrodes on its rim.

    Its boundaries are the electrodes, and rim (the rest).

    Args:
        radius: of the disk [m or -].
        electrodes: their number, equally spaced and named "electrode 1" (at angle 0, on the right) and so on, counter-
            clockwise; or for each name the angle of its centre and the angle it spans [rad].
        width: the angle that each of a number of electrodes spans [rad], by default half of their distance.
        size: edge of a cell, at most the radius.
        refine: edge of a cell at the ends of electrodes, by default a third of `size`; or places and sizes.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds, or electrodes that overlap.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    radius = number("radius", radius, above=0.0)
    size = number("size", size, above=0.0, at_most=radius)
    angles = _angles(electrodes, width)
    spans = _spans(angles)
    rim: list[Edge] = []
    for (start, stop, name), following in zip(spans, _following(spans), strict=True):
        rim += arc((0.0, 0.0), radius, start, stop, name)
        if following - stop > NO_ANGLE:
            rim += arc((0.0, 0.0), radius, stop, following)
    loop = rim or circle((0.0, 0.0), radius)
    return plane("disk", [[loop]], names=list(angles), rest="rim", size=size, refine=refine, order=order, comm=comm)


def _angles(electrodes: int | Mapping[str, tuple[float, float]], width: float | None) -> dict[str, tuple[float, float]]:
    """The angle of the centre of each electrode and the angle that it spans [rad], by its name.

    Raises:
        ParameterError: for an electrode that spans no angle or more than a turn.
    """
    if not isinstance(electrodes, Mapping):
        total = count("electrodes", electrodes, at_least=0)
        pitch = TURN / max(total, 1)
        wide = pitch / 2 if width is None else number("width", width, above=0.0, at_most=TURN, unit="rad")
        return {f"electrode {i + 1}": (i * pitch, wide) for i in range(total)}
    if width is not None:
        msg = f"width = {width!r} with electrodes by name, must be left out: each has its own"
        raise ParameterError(msg)
    found = {}
    for name, pair in electrodes.items():
        kind("name of an electrode", name, str, "a word")
        if name in ("", "rim"):
            msg = f"an electrode named {name!r}, must have a name of its own: 'rim' is the rest"
            raise ParameterError(msg)
        angles = floats(f"electrode {name!r}", pair)
        if angles.shape != (2,):
            msg = f"electrode {name!r} = {pair!r}, must be the angle of its centre and the angle it spans"
            raise ParameterError(msg)
        centre = number(f"centre of electrode {name!r}", angles[0])
        found[name] = centre, number(f"width of electrode {name!r}", angles[1], above=0.0, at_most=TURN, unit="rad")
    return found


def _spans(angles: Mapping[str, tuple[float, float]]) -> list[tuple[float, float, str]]:
    """Where each electrode starts and stops on the rim, by its start from 0 to a turn, and its name.

    Raises:
        ParameterError: for electrodes that overlap.
    """
    starts = {name: (centre - wide / 2) % TURN for name, (centre, wide) in angles.items()}
    spans = sorted((start, start + angles[name][1], name) for name, start in starts.items())
    for (_, stop, name), following, other in zip(spans, _following(spans), [*spans[1:], *spans[:1]], strict=True):
        if stop - following > NO_ANGLE:
            msg = f"electrodes {name!r} and {other[2]!r} overlap by {stop - following:.4g} rad"
            raise ParameterError(msg)
    return spans


def _following(spans: Sequence[tuple[float, float, str]]) -> list[float]:
    """Where the next electrode starts, going round."""
    starts = [start for start, _, _ in spans]
    return [*starts[1:], *(start + TURN for start in starts[:1])]


def annulus(
    inner: float,
    outer: float,
    *,
    angle: float | None = None,
    size: float,
    refine: Refine = None,
    order: int = 1,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """The ring between two circles around the origin, or a sector of it from angle 0 counter-clockwise to `angle`.

    Its boundaries are inner and outer (the arcs); of a sector also start (at angle 0) and end (at `angle`).

    Args:
        inner: radius of the inner circle [m or -].
        outer: radius of the outer circle, above the inner one.
        angle: of the sector, below a whole turn [rad]; without it the ring is closed.
        size: edge of a cell, at most the distance of the circles.
        refine: edge of a cell at the inner circle, by default a third of `size`; or places and sizes.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    inner = number("inner", inner, above=0.0)
    outer = number("outer", outer, above=inner)
    size = number("size", size, above=0.0, at_most=outer - inner)
    centre = (0.0, 0.0)
    if angle is None:
        loops = [circle(centre, outer, "outer"), circle(centre, inner, "inner", hole=True)]
        names = ["inner", "outer"]
    else:
        angle = number("angle", angle, above=0.0, below=TURN, unit="rad")
        loops = [
            [
                *straight([(outer, 0.0)], "start"),
                *arc(centre, outer, 0.0, angle, "outer"),
                *straight([(inner * math.cos(angle), inner * math.sin(angle))], "end"),
                *arc(centre, inner, angle, 0.0, "inner"),
            ]
        ]
        names = ["inner", "outer", "start", "end"]
    return plane("annulus", [loops], names=names, rest=None, size=size, refine=refine, order=order, comm=comm)
