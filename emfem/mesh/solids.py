"""Solids in tetrahedra of gmsh, and shells, surfaces in space, in triangles of gmsh."""

from __future__ import annotations

from typing import Any

from emfem.errors import number
from emfem.mesh.domain import Domain
from emfem.mesh.mesher import mesh_drawing, power_of_two
from emfem.mesh.plane import CHORD, FINER
from emfem.mesh.raw import Predicate
from emfem.mesh.readers.gmsh_model import set_cell_sizes

from mpi4py import MPI


def cylinder(
    radius: float,
    length: float,
    *,
    size: float,
    order: int = 1,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return a round wire along x from the origin.

    Its boundaries are left (x = 0), right (x = length) and side (the rest).

    Args:
        radius: of the wire [m or -].
        length: of the wire.
        size: edge of a cell, at most the radius and the length.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    radius = number("radius", radius, above=0.0)
    length = number("length", length, above=0.0)
    size = number("size", size, above=0.0, at_most=min(radius, length))
    unit = power_of_two(max(radius, length))

    def draw(gmsh: Any) -> None:
        gmsh.model.occ.addCylinder(0.0, 0.0, 0.0, length / unit, 0.0, 0.0, radius / unit)
        gmsh.model.occ.synchronize()
        set_cell_sizes(gmsh, size / unit)

    ends = _ends(0.0, length, "left", "right")
    return mesh_drawing("cylinder", draw, comm, dim=3, order=order, boundaries=ends, rest="side", unit=unit)


def via(
    *,
    line_length: float,
    line_width: float,
    line_thickness: float,
    via_radius: float,
    via_height: float,
    size: float,
    refine: float | None = None,
    order: int = 1,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return two lines one above the other, joined by a round via.

    Current comes from the left in the lower line and leaves in the upper one. Both lie along x. The axis of the via is
    x = y = 0, half a line's width before the inner end of each line; the lower face of the lower line is z = 0. Its
    boundaries are anode (the far end of the lower line), cathode (that of the upper line) and sides (the rest), its
    regions lower, via and upper.

    Args:
        line_length: of each line, above its width [m or -].
        line_width: of each line.
        line_thickness: of each line.
        via_radius: of the via, below half the line's width.
        via_height: of the via, from line to line.
        size: edge of a cell, at most the line's width and thickness.
        refine: edge of a cell at the two rims of the via, by default a third of `size` or a quarter of its radius.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    width = number("line_width", line_width, above=0.0)
    length = number("line_length", line_length, above=width)
    thickness = number("line_thickness", line_thickness, above=0.0)
    radius = number("via_radius", via_radius, above=0.0, below=width / 2)
    height = number("via_height", via_height, above=0.0)
    size = number("size", size, above=0.0, at_most=min(width, thickness))
    fine = min(size / FINER, radius / CHORD) if refine is None else refine
    fine = number("refine", fine, above=0.0, at_most=size)
    unit = power_of_two(length)

    def draw(gmsh: Any) -> None:
        occ = gmsh.model.occ
        long, wide, thick, high = (x / unit for x in (length, width, thickness, height))
        lower = occ.addBox(wide / 2 - long, -wide / 2, 0.0, long, wide, thick)
        plug = occ.addCylinder(0.0, 0.0, thick, 0.0, 0.0, high, radius / unit)
        upper = occ.addBox(-wide / 2, -wide / 2, thick + high, long, wide, thick)
        _, parts = occ.fragment([(3, lower)], [(3, plug), (3, upper)])
        occ.synchronize()
        for name, volumes in zip(("lower", "via", "upper"), parts, strict=True):
            gmsh.model.addPhysicalGroup(3, [tag for _, tag in volumes], name=name)
        rims = [tag for _, tag in gmsh.model.getEntities(1) if gmsh.model.getType(1, tag) == "Circle"]
        set_cell_sizes(gmsh, size / unit, curves=[(rims, fine / unit)])

    ends = _ends(width / 2 - length, length - width / 2, "anode", "cathode")
    return mesh_drawing("via", draw, comm, dim=3, order=order, boundaries=ends, rest="sides", unit=unit)


def sphere(radius: float, *, size: float, order: int = 1, comm: MPI.Comm = MPI.COMM_WORLD) -> Domain:
    """Return the surface of a ball around the origin; it is closed and has no boundary, its region is sphere.

    Args:
        radius: of the ball [m or -].
        size: edge of a cell, at most the radius.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the surface.
    """
    radius = number("radius", radius, above=0.0)
    size = number("size", size, above=0.0, at_most=radius)
    unit = power_of_two(radius)

    def draw(gmsh: Any) -> None:
        gmsh.model.occ.addSphere(0.0, 0.0, 0.0, radius / unit)
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(2, [tag for _, tag in gmsh.model.getEntities(2)], name="sphere")
        set_cell_sizes(gmsh, size / unit)

    return mesh_drawing("sphere", draw, comm, order=order, unit=unit)


def tube(radius: float, length: float, *, size: float, order: int = 1, comm: MPI.Comm = MPI.COMM_WORLD) -> Domain:
    """Return the side of a cylinder along x from the origin, open at its ends.

    Its boundaries are left (x = 0) and right (x = length), its region is tube.

    Args:
        radius: of the cylinder [m or -].
        length: of the cylinder.
        size: edge of a cell, at most the radius and the length.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the surface.
    """
    radius = number("radius", radius, above=0.0)
    length = number("length", length, above=0.0)
    size = number("size", size, above=0.0, at_most=min(radius, length))
    unit = power_of_two(max(radius, length))

    def draw(gmsh: Any) -> None:
        occ = gmsh.model.occ
        ring = occ.addCircle(0.0, 0.0, 0.0, radius / unit, zAxis=[1.0, 0.0, 0.0], xAxis=[0.0, 1.0, 0.0])
        side = [tag for dim, tag in occ.extrude([(1, ring)], length / unit, 0.0, 0.0) if dim == 2]
        occ.synchronize()
        gmsh.model.addPhysicalGroup(2, side, name="tube")
        set_cell_sizes(gmsh, size / unit)

    return mesh_drawing("tube", draw, comm, order=order, boundaries=_ends(0.0, length, "left", "right"), unit=unit)


def _ends(start: float, end: float, first: str, last: str) -> dict[str, Predicate]:
    """Return predicates for the boundaries at x = start and x = end, by name."""
    near = 1e-9 * (end - start)
    return {first: lambda x: x[0] < start + near, last: lambda x: x[0] > end - near}
