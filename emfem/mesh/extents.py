"""The box around a mesh, its periods, and what a mesh may be at most."""

from __future__ import annotations

from emfem.errors import ParameterError
from emfem.gate import checked

import dolfinx
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

AXES = ("x", "y", "z")
MOST_CELLS = 100_000_000  # of one rank
SHORTEST, LONGEST = 1e-100, 1e100  # lengths whose powers are numbers


class PeriodicMesh(dolfinx.mesh.Mesh):
    """A DOLFINx mesh on a torus or cylinder; `period[i]` is the period along axis i, 0 where there is none."""

    period: tuple[float, ...]


@checked
def period(mesh: dolfinx.mesh.Mesh) -> NDArray[np.float64]:
    """Return the periods of `mesh` along its axes, shape (gdim,) [m or -]; 0 where it is not periodic."""
    return np.array(getattr(mesh, "period", (0.0,) * mesh.geometry.dim))


@checked(collective=True)
def bounds(mesh: dolfinx.mesh.Mesh) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and upper corner of the box around `mesh` on all ranks, each of shape (gdim,). Collective."""
    x = mesh.geometry.x[:, : mesh.geometry.dim]
    lower, upper = x.min(axis=0, initial=np.inf), x.max(axis=0, initial=-np.inf)
    mesh.comm.Allreduce(MPI.IN_PLACE, lower, op=MPI.MIN)
    mesh.comm.Allreduce(MPI.IN_PLACE, upper, op=MPI.MAX)
    return lower, upper


def check_cells(cells: float, ranks: int = 1) -> None:
    """Check an estimate of the number of cells, before anything is allocated.

    Raises:
        ParameterError: for more than `MOST_CELLS` for each of the ranks that make them.
    """
    most = MOST_CELLS * ranks
    if cells > most:
        about = f"1e{len(str(int(cells))) - 1}" if cells < np.inf else "infinitely many"  # any whole number
        msg = f"mesh would have about {about} cells, must be at most {most:.0e}, {MOST_CELLS:.0e} for each rank"
        raise ParameterError(msg)
