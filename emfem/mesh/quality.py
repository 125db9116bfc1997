"""Number, diameters and shapes of the cells of a mesh."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.mesh.raw import CORNERS, scaled_jacobian

import dolfinx
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray


@dataclass(frozen=True)
class Quality:
    """Number, diameters and shapes of the cells of a mesh.

    Attributes:
        cells: number of cells.
        smallest: smallest diameter [length].
        largest: largest diameter [length].
        worst: lowest scaled Jacobian: 1 for a regular cell, 0 for a flat one [-].
        mean: mean scaled Jacobian [-].
    """

    cells: int
    smallest: float
    largest: float
    worst: float
    mean: float


def cell_quality(mesh: dolfinx.mesh.Mesh) -> NDArray[np.float64]:
    """Return the scaled Jacobian of each cell that this rank owns, shape (cells,)."""
    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    corners = mesh.geometry.dofmaps[0][:owned, : CORNERS[mesh.topology.cell_name()]]
    return scaled_jacobian(mesh.geometry.x, corners, mesh.topology.cell_name())


def quality_of(mesh: dolfinx.mesh.Mesh) -> Quality:
    """Return number, sizes and shapes of all cells. Collective."""
    dim, comm = mesh.topology.dim, mesh.comm
    cells = mesh.topology.index_map(dim)
    h, shapes = mesh.h(dim, np.arange(cells.size_local, dtype=np.int32)), cell_quality(mesh)
    return Quality(
        cells.size_global,
        comm.allreduce(float(h.min(initial=np.inf)), op=MPI.MIN),
        comm.allreduce(float(h.max(initial=0.0)), op=MPI.MAX),
        comm.allreduce(float(shapes.min(initial=np.inf)), op=MPI.MIN),
        comm.allreduce(float(shapes.sum()), op=MPI.SUM) / cells.size_global,
    )
