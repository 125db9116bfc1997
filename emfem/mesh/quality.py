"""How good cells are."""

from __future__ import annotations

import numpy as np
import pyvista
from numpy.typing import NDArray

VTK = {"triangle": 5, "quadrilateral": 9, "tetrahedron": 10, "hexahedron": 12}
TO_VTK = {"quadrilateral": [0, 1, 3, 2], "hexahedron": [0, 1, 3, 2, 4, 5, 7, 6]}  # DOLFINx counts x first


def scaled_jacobian(nodes: NDArray[np.float64], corners: NDArray[np.int64], cell: str) -> NDArray[np.float64]:
    """The scaled Jacobian of each cell: 1 for a regular cell, 0 for one without volume, negative if inverted.

    It is VTK's: the smallest corner's edge determinant over the product of the edges, relative to the regular cell.
    Simplices have no inside, so theirs is not negative.

    Args:
        nodes: coordinates, shape (n, gdim).
        corners: of each cell in DOLFINx's order, shape (m, corners).
        cell: its kind.

    Returns:
        shape (m,).
    """
    if cell == "interval":
        return np.where(np.any(nodes[corners[:, 0]] != nodes[corners[:, 1]], axis=1), 1.0, 0.0)
    if not len(corners):
        return np.zeros(0)
    points = np.zeros((len(nodes), 3))
    points[:, : nodes.shape[1]] = nodes
    points /= max(np.abs(points).max(), 1e-300)  # VTK takes cells of a nanometre for nothing
    ordered = corners[:, TO_VTK.get(cell, slice(None))]
    grid = pyvista.UnstructuredGrid({VTK[cell]: ordered}, points)
    quality = np.asarray(grid.cell_quality("scaled_jacobian")["scaled_jacobian"])
    return np.abs(quality) if cell == "tetrahedron" else quality
