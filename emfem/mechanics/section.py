"""Cross-sections of lines: a metal in a liner in a dielectric, for `em.mechanics.effective_modulus`."""

from __future__ import annotations

from typing import Any

from emfem.errors import choice, number
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.mesh.mesher import mesh_drawing, power_of_two
from emfem.mesh.readers.gmsh_model import set_cell_sizes

from mpi4py import MPI

SHAPES = ("rectangle", "ellipse")
MARGIN = 20.0  # of the larger side: the rim is then felt to about 1/400
CELLS = 12.0  # to the smaller side


@checked(collective=True)
def line_section(
    width: float,
    height: float,
    *,
    shape: str = "rectangle",
    liner: float = 0.0,
    margin: float | None = None,
    size: float | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the cross-section of a line in the middle of a round block of dielectric.

    Its regions are metal, liner (if there is one) and dielectric, its boundary rim, the circle around all.

    Args:
        width: of the metal, along x [m].
        height: of the metal, along y [m].
        shape: of the metal, "rectangle" or "ellipse".
        liner: thickness of the layer around the metal, 0 for none [m].
        margin: dielectric from the metal to the rim; 20 times the larger side when left out [m].
        size: edge of a cell at the metal; a twelfth of the smaller side when left out, and at most the liner [m].
        comm: the ranks that share it.

    Raises:
        ParameterError: for a length out of its bounds.
        UnknownName: for another shape.
        EmfemError: if gmsh cannot be loaded or cannot mesh the shape.
    """
    a, b = (number(name, x, above=0.0, unit="m") for name, x in (("width", width), ("height", height)))
    choice("shape", shape, SHAPES)
    layer = number("liner", liner, at_least=0.0, unit="m")
    around = MARGIN * max(a, b) if margin is None else number("margin", margin, above=layer, unit="m")
    fine = min(a, b) / CELLS if size is None else number("size", size, above=0.0, at_most=min(a, b), unit="m")
    fine = min(fine, layer) if layer else fine
    radius = max(a, b) / 2 + around
    unit = power_of_two(radius)

    def draw(gmsh: Any) -> None:
        occ = gmsh.model.occ

        def face(extra: float) -> int:
            x, y = (a / 2 + extra) / unit, (b / 2 + extra) / unit
            if shape == "rectangle":
                return occ.addRectangle(-x, -y, 0.0, 2 * x, 2 * y)
            turn = [0, 0, 1], ([1, 0, 0] if x >= y else [0, 1, 0])
            return occ.addPlaneSurface(
                [occ.addCurveLoop([occ.addEllipse(0.0, 0.0, 0.0, max(x, y), min(x, y), zAxis=turn[0], xAxis=turn[1])])]
            )

        block = occ.addDisk(0.0, 0.0, 0.0, radius / unit, radius / unit)
        names = ["metal", *(["liner"] if layer else []), "dielectric"]
        inner = [face(0.0), *([face(layer)] if layer else [])]
        _, parts = occ.fragment([(2, block)], [(2, each) for each in inner])
        occ.synchronize()
        taken: set[int] = set()
        # Parts of what is inside belong to all that is around: the innermost comes first.
        for name, part in zip(names, [*parts[1:], parts[0]], strict=True):
            tags = [tag for _, tag in part if tag not in taken]
            taken |= set(tags)
            gmsh.model.addPhysicalGroup(2, tags, name=name)
        everything = gmsh.model.getEntities(2)
        outer = [tag for _, tag in gmsh.model.getBoundary(everything, combined=True, oriented=False)]
        gmsh.model.addPhysicalGroup(1, outer, name="rim")
        edges = [tag for _, tag in gmsh.model.getEntities(1) if tag not in outer]
        set_cell_sizes(gmsh, radius / 6 / unit, curves=[(edges, fine / unit)])

    return mesh_drawing("line section", draw, comm, order=2 if shape == "ellipse" else 1, unit=unit)
