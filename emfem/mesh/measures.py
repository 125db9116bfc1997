"""Integration measures with a weight, and functions that are constant in each cell."""

from __future__ import annotations

from typing import Any

import dolfinx
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray


class Weighted:
    """A measure with a weight: `f * Weighted(dx, w)` is the integral of f w."""

    def __init__(self, measure: ufl.Measure, weight: Any) -> None:
        """Store measure and weight."""
        self.measure, self.weight = measure, weight

    def __rmul__(self, integrand: Any) -> ufl.Form:
        """Return the form of an integrand."""
        return (integrand * self.weight) * self.measure


def quadrature(degree: int | None) -> dict[str, int]:
    """Return the metadata of a measure that integrates polynomials of that degree exactly."""
    return {} if degree is None else {"quadrature_degree": degree}


def cell_function(mesh: dolfinx.mesh.Mesh, name: str, values: NDArray[np.float64]) -> fem.Function:
    """Return a Function that is constant in each cell.

    Args:
        mesh: its mesh.
        name: its name.
        values: of the cells of this rank, ghosts included, shape (cells,) or (cells, ...) for vectors and tensors.
    """
    result = fem.Function(fem.functionspace(mesh, ("DG", 0, values.shape[1:])), name=name)
    dofs = result.function_space.dofmap.list[:, 0]
    size = int(np.prod(values.shape[1:]))  # not left to NumPy: a rank may have no cells
    result.x.array.reshape(-1, size)[dofs] = values.reshape(-1, size)
    return result
