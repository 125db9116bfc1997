"""Disks and rings, in triangles of gmsh; `refine` and `order` as in `shapes`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from emfem.errors import count, floats, number, require
from emfem.gate import checked
from emfem.mesh.domain import Domain
from emfem.mesh.plane import Edge, Refine, arc, circle, plane, straight

from mpi4py import MPI

TURN = 2 * math.pi
MOST_ELECTRODES = 10_000
NO_ANGLE = 1e-9  # electrodes nearer than this touch [rad]


@checked(collective=True)
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
    """Return a disk around the origin with electrodes on its rim.

    Its boundaries are the electrodes, and rim (the rest).

    Args:
        radius: of the disk [m or -].
        electrodes: their number, at most 10 000, equally spaced and named "electrode 1" (at angle 0) and so on,
            counter-clockwise; or for each name the angle of its centre and the angle it spans [rad].
        width: the angle that each of a number of electrodes spans [rad], by default half of their distance.
        size: edge of a cell, at most the radius.
        refine: edge of a cell at the ends of electrodes, by default a third of `size`; or points and sizes.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds, or electrodes that overlap.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    radius = number("radius", radius, above=0.0)
    size = number("size", size, above=0.0, at_most=radius)
    angles = _angles(electrodes, width)
    spans = sorted(((centre - wide / 2) % TURN, wide, name) for name, (centre, wide) in angles.items())
    after_turn = [(start + TURN, wide, name) for start, wide, name in spans[:1]]
    rim: list[Edge] = []
    for (start, wide, name), (following, _, other) in zip(spans, [*spans[1:], *after_turn], strict=True):
        stop = start + wide
        overlap = f"electrodes {name!r} and {other!r} overlap by {stop - following:.4g} rad"
        require(stop - following <= NO_ANGLE, overlap)
        rim += arc((0.0, 0.0), radius, start, stop, name)
        if following - stop > NO_ANGLE:
            rim += arc((0.0, 0.0), radius, stop, following)
    loop = rim or circle((0.0, 0.0), radius)
    return plane("disk", [[loop]], names=list(angles), rest="rim", size=size, refine=refine, order=order, comm=comm)


def _angles(electrodes: int | Mapping[str, tuple[float, float]], width: float | None) -> dict[str, tuple[float, float]]:
    """Return the angle of the centre of each electrode and the angle that it spans [rad], by name.

    Raises:
        ParameterError: for an electrode that spans no angle or more than a turn.
    """
    if not isinstance(electrodes, Mapping):
        total = int(number("electrodes", count("electrodes", electrodes, at_least=0), at_most=MOST_ELECTRODES))
        pitch = TURN / max(total, 1)
        wide = pitch / 2 if width is None else number("width", width, above=0.0, at_most=TURN, unit="rad")
        return {f"electrode {i + 1}": (i * pitch, wide) for i in range(total)}
    require(width is None, f"width = {width!r} with electrodes by name, must be left out: each has its own")
    angles = {}
    for name, pair in electrodes.items():
        reserved = f"an electrode named {name!r}, must have a name of its own: 'rim' is the rest"
        require(name not in ("", "rim"), reserved)
        words = "the angle of its centre and the angle it spans"
        centre, wide = floats(f"electrode {name!r}", pair, (2,), words)
        centre = number(f"centre of electrode {name!r}", centre)
        angles[name] = centre, number(f"width of electrode {name!r}", wide, above=0.0, at_most=TURN, unit="rad")
    return angles


@checked(collective=True)
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
    """Return the ring between two circles around the origin, or its sector from angle 0 counter-clockwise to `angle`.

    Its boundaries are inner and outer (the arcs); of a sector also start (at angle 0) and end (at `angle`).

    Args:
        inner: radius of the inner circle [m or -].
        outer: radius of the outer circle, above the inner one.
        angle: of the sector, below a whole turn [rad]; without it the ring is closed.
        size: edge of a cell, at most the distance of the circles.
        refine: edge of a cell at the inner circle, by default a third of `size`; or points and sizes.
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
        end = (inner * math.cos(angle), inner * math.sin(angle))
        arcs = arc(centre, outer, 0.0, angle, "outer"), arc(centre, inner, angle, 0.0, "inner")
        loops = [[*straight([(outer, 0.0)], "start"), *arcs[0], *straight([end], "end"), *arcs[1]]]
        names = ["inner", "outer", "start", "end"]
    return plane("annulus", [loops], names=names, rest=None, size=size, refine=refine, order=order, comm=comm)
