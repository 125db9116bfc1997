"""Plane shapes, in triangles of gmsh.

In all of them `refine` is the edge of a cell where current crowds: at corners, notches, holes and fillets that point
into the metal and at the ends of electrodes; by default a third of `size`. A mapping {(x, y): edge of a cell} refines
at other points instead. On an arc cells are no longer than a quarter of its radius. With `order=2` they are curved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from emfem.errors import choice, floats, number, require
from emfem.gate import checked
from emfem.mesh.domain import Domain
from emfem.mesh.plane import Edge, Loop, Refine, circle, closed, plane, straight

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike


@checked(collective=True)
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
    """Return the strip [0, length] x [0, width] with a half-elliptic notch in the middle of its upper edge.

    Its boundaries are anode (x = 0), cathode (x = length) and sides (all the rest).

    Args:
        length: of the strip, above 0 [m or -].
        width: of the strip, above 0 [m or -].
        notch_depth: half axis of the ellipse across the strip, below the width.
        notch_width: full axis of the ellipse along the strip, below the length.
        size: edge of a cell, at most the smaller of length and width.
        refine: edge of a cell at the notch, by default a third of `size`; or points and sizes.
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


@checked(collective=True)
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
    """Return the strip [0, length] x [0, width] with round holes.

    Its boundaries are anode (x = 0), cathode (x = length), holes (the rims of all of them) and sides (the rest).

    Args:
        length: of the strip, above 0 [m or -].
        width: of the strip, above 0 [m or -].
        holes: centre x, y and radius of each, inside the strip and apart from each other, shape (n, 3).
        size: edge of a cell, at most the smaller of length and width.
        refine: edge of a cell at the holes, by default a third of `size`; or points and sizes.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds, or holes that touch each other or the edge.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    length = number("length", length, above=0.0)
    width = number("width", width, above=0.0)
    size = number("size", size, above=0.0, at_most=min(length, width))
    outline = _rectangle(length, width, ("", "cathode", "", "anode"))
    rims = _round_holes(holes, (length, width))
    names = ("anode", "cathode", "holes")
    return plane("strip with holes", [[outline, *rims]], names=names, size=size, refine=refine, order=order, comm=comm)


@checked(collective=True)
def periodic_cell(
    size_xy: Sequence[float],
    *,
    holes: ArrayLike = (),
    size: float,
    axes: str = "xy",
    refine: Refine = None,
    order: int = 1,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the rectangle [0, size_xy[0]] x [0, size_xy[1]] in triangles, periodic and with round holes.

    Its boundary is holes (the rims of all of them); a cell periodic along "x" alone also has bottom and top, one
    periodic along "y" alone left and right.

    Args:
        size_xy: periods, or edge lengths along an axis that is not periodic [m or -], shape (2,).
        holes: centre x, y and radius of each, inside the rectangle and apart from each other, shape (n, 3).
        size: edge of a cell, at most a third of the smaller edge.
        axes: the periodic axes, "xy", "x" or "y".
        refine: edge of a cell at the holes, by default a third of `size`; or points and sizes.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds, or holes that touch each other or an edge.
        UnknownName: for unknown axes.
        EmfemError: if gmsh cannot be loaded or cannot mesh the cell.
    """
    lengths = floats("size_xy", size_xy, (2,), "two lengths")
    width, height = (number(f"length along {axis}", x, above=0.0) for axis, x in zip("xy", lengths, strict=True))
    axes = choice("axes", axes, ("xy", "x", "y"))
    size = number("size", size, above=0.0, at_most=min(width, height) / 3)
    sides = {"bottom": "y", "right": "x", "top": "y", "left": "x"}
    names = ["" if axis in axes else side for side, axis in sides.items()]
    return plane(
        "periodic cell",
        [[_rectangle(width, height, names), *_round_holes(holes, (width, height))]],
        names=[*sorted(filter(None, names), key=("left", "right", "bottom", "top").index), "holes"],
        rest=None,
        size=size,
        refine=refine,
        order=order,
        periodic={axis: edges for axis, edges in (("x", (3, 1)), ("y", (0, 2))) if axis in axes},
        lengths=(width, height),
        comm=comm,
    )


def _rectangle(length: float, width: float, names: Sequence[str]) -> list[Edge]:
    """Return the rectangle [0, length] x [0, width]; names in the order bottom, right, top, left."""
    ends = ((length, 0.0), (length, width), (0.0, width), (0.0, 0.0))
    return [Edge(end, name) for end, name in zip(ends, names, strict=True)]


def _round_holes(holes: ArrayLike, extent: tuple[float, float]) -> list[Loop]:
    """Return the rims of round holes in the rectangle from the origin to `extent`; none for no holes.

    Raises:
        ParameterError: for holes that leave the rectangle or touch each other.
    """
    if not np.size(holes):
        return []
    rows = [tuple(hole) for hole in floats("holes", holes, (None, 3), "(x, y, radius) of each, shape (n, 3)").tolist()]
    for i, (x, y, radius) in enumerate(rows):
        number(f"radius of holes[{i}]", radius, above=0.0)
        require(
            radius < x < extent[0] - radius and radius < y < extent[1] - radius,
            f"holes[{i}] = {rows[i]}, must lie inside the rectangle {extent[0]:g} x {extent[1]:g}",
        )
    for (i, one), (j, other) in combinations(enumerate(rows), 2):
        apart = math.dist(one[:2], other[:2]) > one[2] + other[2]
        require(apart, f"holes[{i}] = {one} and holes[{j}] = {other} touch, must lie apart")
    return [circle((x, y), radius, "holes", hole=True) for x, y, radius in rows]


@checked(collective=True)
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
    """Return a narrow line between two wide heads, its lower left corner at the origin.

    Its boundaries are anode (the end of the left head, x = 0), cathode (the end of the right one) and sides (the rest).

    Args:
        length: of the line between the heads [m or -].
        width: of the line.
        head_length: of each head, along the line.
        head_width: of each head, above the width.
        fillet: radius that rounds the corners between line and heads; at most half the length and half of what the
            heads are wider.
        size: edge of a cell, at most the width and the head's length.
        refine: edge of a cell at these corners, by default a third of `size`; or points and sizes.
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


@checked(collective=True)
def bend(
    *,
    width: float,
    arms: Sequence[float],
    size: float,
    refine: Refine = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return a line that turns left by 90 degrees: from the origin along x, then along y.

    Its boundaries are start (x = 0), end (the end of the other arm) and sides (the rest). The corner into the metal
    lies at (arms[0], width).

    Args:
        width: of the line [m or -].
        arms: length of each arm up to the square where they meet, shape (2,).
        size: edge of a cell, at most the width.
        refine: edge of a cell at the corner, by default a third of `size`; or points and sizes.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    width = number("width", width, above=0.0)
    lengths = floats("arms", arms, (2,), "two lengths")
    first, second = (number(f"arms[{i}]", length, above=0.0) for i, length in enumerate(lengths))
    size = number("size", size, above=0.0, at_most=width)
    outline = [
        *straight([(first + width, 0.0), (first + width, width + second)]),
        *straight([(first, width + second)], "end"),
        *straight([(first, width), (0.0, width)]),
        *straight([(0.0, 0.0)], "start"),
    ]
    return plane("bend", [[outline]], names=("start", "end"), size=size, refine=refine, comm=comm)


@checked(collective=True)
def hall_cross(
    *,
    arm_length: float,
    arm_width: float,
    size: float,
    refine: Refine = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return four equal arms around a square whose centre is the origin.

    Its boundaries are left, right, bottom, top (the ends of the arms) and sides (the rest).

    Args:
        arm_length: of each arm, from the square to its end [m or -].
        arm_width: of each arm, which is the edge of the square.
        size: edge of a cell, at most the arm's width.
        refine: edge of a cell at the four corners, by default a third of `size`; or points and sizes.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    half = number("arm_width", arm_width, above=0.0) / 2
    tip = half + number("arm_length", arm_length, above=0.0)
    size = number("size", size, above=0.0, at_most=2 * half)
    outline = [
        *straight([(-half, -half), (-half, -tip)]),
        *straight([(half, -tip)], "bottom"),
        *straight([(half, -half), (tip, -half)]),
        *straight([(tip, half)], "right"),
        *straight([(half, half), (half, tip)]),
        *straight([(-half, tip)], "top"),
        *straight([(-half, half), (-tip, half)]),
        *straight([(-tip, -half)], "left"),
    ]
    names = ("left", "right", "bottom", "top")
    return plane("Hall cross", [[outline]], names=names, size=size, refine=refine, comm=comm)
