"""Plane shapes that gmsh meshes."""

from __future__ import annotations

from typing import Any

from emfem.errors import number
from emfem.mesh.domain import Domain
from emfem.mesh.mesher import drawn, grade
from emfem.mesh.parts import Predicate

from mpi4py import MPI


def notched_strip(
    *,
    length: float,
    width: float,
    notch_depth: float,
    notch_width: float,
    size: float,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """The strip [0, length] x [0, width] with a half-elliptic notch in the middle of its upper edge.

    Its boundaries are anode (x = 0), cathode (x = length) and sides (all the rest). Cells are triangles of the given
    size, a third of it at the notch.

    Args:
        length: of the strip, above 0 [m or -].
        width: of the strip, above 0 [m or -].
        notch_depth: half axis of the ellipse across the strip, below the width.
        notch_width: full axis of the ellipse along the strip, below the length.
        size: edge of a cell.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    length = number("length", length, above=0.0)
    width = number("width", width, above=0.0)
    depth = number("notch_depth", notch_depth, above=0.0, below=width)
    opening = number("notch_width", notch_width, above=0.0, below=length)
    size = number("size", size, above=0.0, at_most=min(length, width))

    def draw(gmsh: Any) -> None:
        occ = gmsh.model.occ
        strip = occ.addRectangle(0.0, 0.0, 0.0, length, width)
        axes = sorted((depth, opening / 2), reverse=True)  # gmsh wants the longer one first
        along = [0.0, 1.0, 0.0] if depth > opening / 2 else [1.0, 0.0, 0.0]
        notch = occ.addDisk(length / 2, width, 0.0, *axes, zAxis=[0.0, 0.0, 1.0], xAxis=along)
        surfaces, _ = occ.cut([(2, strip)], [(2, notch)])
        occ.synchronize()
        centres = {tag: occ.getCenterOfMass(1, tag) for _, tag in gmsh.model.getBoundary(surfaces, oriented=False)}
        rim = [tag for tag, (_, y, _) in centres.items() if 1e-9 * width < y < (1 - 1e-9) * width and tag in centres]
        rim = [tag for tag in rim if 1e-9 * length < centres[tag][0] < (1 - 1e-9) * length]
        grade(gmsh, size, curves=[(rim, size / 3)])

    near = 1e-9 * length
    ends: dict[str, Predicate] = {"anode": lambda x: x[0] < near, "cathode": lambda x: x[0] > length - near}
    return drawn("notched strip", draw, comm, boundaries=ends, rest="sides")
