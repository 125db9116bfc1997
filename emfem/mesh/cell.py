"""A periodic cell with round holes: a piece of a perforated film that continues without end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emfem.errors import ParameterError, choice, number
from emfem.mesh.domain import AXES, Domain
from emfem.mesh.mesher import drawn
from emfem.mesh.plane import Refine, arcs, checked_order, lay, name_edges, power_of_two, refine_at, refinement, straight
from emfem.mesh.shapes import round_holes

from mpi4py import MPI
from numpy.typing import ArrayLike


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
    """The rectangle [0, size_xy[0]] x [0, size_xy[1]] in triangles, continued across its edges, with round holes.

    Its boundary is holes (the rims of all of them); a cell periodic along "x" alone also has bottom and top, one
    periodic along "y" alone left and right.

    Args:
        size_xy: periods, or edge lengths along an axis that is not periodic [m or -], shape (2,).
        holes: centre x, y and radius of each, inside the rectangle and apart from each other, shape (n, 3).
        size: edge of a cell, at most a third of the smaller edge.
        axes: the periodic axes, "xy", "x" or "y".
        refine: edge of a cell at the holes, by default a third of `size`; or places and sizes.
        order: 1, or 2 for curved cells.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a value out of its bounds, or holes that touch each other or an edge.
        UnknownName: for unknown axes.
        EmfemError: if gmsh cannot be loaded or cannot mesh the cell.
    """
    try:
        width, height = size_xy
    except (TypeError, ValueError):
        msg = f"size_xy = {size_xy!r}, must be two lengths"
        raise ParameterError(msg) from None
    lengths = tuple(number(f"length along {axis}", x, above=0.0) for axis, x in zip("xy", (width, height), strict=True))
    axes = choice("axes", axes, ("xy", "x", "y"))
    size = number("size", size, above=0.0, at_most=min(lengths) / 3)
    order = checked_order(order)
    width, height = lengths
    names = dict(zip(("left", "right", "bottom", "top"), "xxyy", strict=True))
    kept = {name: "" if axis in axes else name for name, axis in names.items()}
    outline = [
        *straight([(width, 0.0)], kept["bottom"]),
        *straight([(width, height)], kept["right"]),
        *straight([(0.0, height)], kept["top"]),
        *straight([(0.0, 0.0)], kept["left"]),
    ]
    pieces = [[outline, *round_holes(holes, (width, height))]]
    places, inward, outward = refinement(pieces, size, refine)
    unit = power_of_two(max(lengths))

    def draw(gmsh: Any) -> None:
        curves = lay(gmsh, pieces, unit)
        name_edges(gmsh, [*filter(None, kept.values()), "holes"], pieces, curves)
        bottom, right, top, left = curves[0][0]
        for axis, low, high in (("x", left, right), ("y", bottom, top)):
            if axis in axes:
                gmsh.model.mesh.setPeriodic(1, [high], [low], _shift(axis, lengths, unit))
        refine_at(gmsh, size, places, arcs(pieces, curves, inward, outward), unit)

    period = tuple(x if axis in axes else 0.0 for axis, x in zip(AXES, lengths, strict=False))
    return drawn("periodic cell", draw, comm, order=order, period=period, unit=unit)


def _shift(axis: str, lengths: Sequence[float], unit: float) -> list[float]:
    """The translation by a period along `axis`, as gmsh wants it: an affine map, row by row."""
    x, y = (length / unit if axis == name else 0.0 for name, length in zip("xy", lengths, strict=True))
    return [1.0, 0.0, 0.0, x, 0.0, 1.0, 0.0, y, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]
