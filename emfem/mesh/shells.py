"""Shells: surfaces in space that gmsh meshes, in triangles; their cells have two dimensions, their points three."""

from __future__ import annotations

from typing import Any

from emfem.errors import number
from emfem.mesh.domain import Domain
from emfem.mesh.mesher import drawn, grade
from emfem.mesh.plane import checked_order, power_of_two
from emfem.mesh.solids import ends_along_x

from mpi4py import MPI


def sphere(radius: float, *, size: float, order: int = 1, comm: MPI.Comm = MPI.COMM_WORLD) -> Domain:
    """The surface of a ball around the origin: closed, so it has no boundary; its region is sphere.

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
    order = checked_order(order)
    unit = power_of_two(radius)

    def draw(gmsh: Any) -> None:
        gmsh.model.occ.addSphere(0.0, 0.0, 0.0, radius / unit)
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(2, [tag for _, tag in gmsh.model.getEntities(2)], name="sphere")
        grade(gmsh, size / unit)

    return drawn("sphere", draw, comm, order=order, unit=unit)


def tube(radius: float, length: float, *, size: float, order: int = 1, comm: MPI.Comm = MPI.COMM_WORLD) -> Domain:
    """The side of a cylinder along x from the origin, open at its ends.

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
    order = checked_order(order)
    unit = power_of_two(max(radius, length))

    def draw(gmsh: Any) -> None:
        occ = gmsh.model.occ
        ring = occ.addCircle(0.0, 0.0, 0.0, radius / unit, zAxis=[1.0, 0.0, 0.0], xAxis=[0.0, 1.0, 0.0])
        side = [tag for dim, tag in occ.extrude([(1, ring)], length / unit, 0.0, 0.0) if dim == 2]
        occ.synchronize()
        gmsh.model.addPhysicalGroup(2, side, name="tube")
        grade(gmsh, size / unit)

    return drawn("tube", draw, comm, order=order, boundaries=ends_along_x(0.0, length, "left", "right"), unit=unit)
