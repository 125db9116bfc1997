"""Shapes that gmsh meshes. It is imported only when one is made, because it needs libraries of the system."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from emfem.errors import EmfemError, number
from emfem.mesh.domain import Domain

import dolfinx.io.gmsh
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
        sides: dict[str, list[int]] = {"anode": [], "cathode": [], "sides": []}
        rim = []
        for _, curve in gmsh.model.getBoundary(surfaces, oriented=False):
            x, y, _ = occ.getCenterOfMass(1, curve)
            name = "anode" if x < 1e-9 * length else "cathode" if x > (1 - 1e-9) * length else "sides"
            sides[name].append(curve)
            if name == "sides" and 1e-9 * width < y < (1 - 1e-9) * width:
                rim.append(curve)
        for tag, (name, curves) in enumerate(sides.items(), start=1):
            gmsh.model.addPhysicalGroup(1, curves, tag, name)
        gmsh.model.addPhysicalGroup(2, [tag for _, tag in surfaces], 1, "strip")
        _refine(gmsh, rim, size / 3, size, opening)

    return _mesh("notched strip", draw, ("anode", "cathode", "sides"), 2, comm)


def _refine(gmsh: Any, curves: list[int], fine: float, coarse: float, reach: float) -> None:
    """Cells of the `fine` size at the curves, growing to the `coarse` one over `reach`."""
    field = gmsh.model.mesh.field
    distance, size = field.add("Distance"), field.add("Threshold")
    field.setNumbers(distance, "CurvesList", curves)
    field.setNumber(distance, "Sampling", 200)
    for key, value in {"InField": distance, "SizeMin": fine, "SizeMax": coarse, "DistMin": 0, "DistMax": reach}.items():
        field.setNumber(size, key, value)
    field.setAsBackgroundMesh(size)
    for option in ("FromPoints", "FromCurvature", "ExtendFromBoundary"):
        gmsh.option.setNumber(f"Mesh.MeshSize{option}", 0)


def _mesh(shape: str, draw: Callable[[Any], None], names: tuple[str, ...], dim: int, comm: MPI.Comm) -> Domain:
    """What `draw` draws, meshed on rank 0 and shared; its physical groups of facets are numbered as `names`.

    Raises:
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape; on all ranks.
    """
    trouble, gmsh, mine = None, None, False
    if comm.rank == 0:
        try:
            gmsh = importlib.import_module("gmsh")
            mine = not gmsh.isInitialized()
            if mine:
                gmsh.initialize(interruptible=False)
            gmsh.option.setNumber("General.Terminal", 0)
            gmsh.model.add(shape)
            draw(gmsh)
            gmsh.model.mesh.generate(dim)
        except Exception as error:  # gmsh raises plain Exception, and the other ranks wait for the answer
            trouble = f"no mesh of the {shape}: {error}"
    try:
        trouble = comm.bcast(trouble, root=0)
        if trouble:
            raise EmfemError(trouble)
        data = dolfinx.io.gmsh.model_to_mesh(gmsh and gmsh.model, comm, 0, gdim=dim)
    finally:
        if gmsh is not None and gmsh.isInitialized():
            gmsh.finalize() if mine else gmsh.model.remove()
    return Domain(data.mesh, shape, names, data.facet_tags)
