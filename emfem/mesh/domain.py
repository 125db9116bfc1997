"""A domain: a mesh, the names of its boundaries, and measures on both."""

from __future__ import annotations

from dataclasses import dataclass

from emfem.errors import UnknownName

import dolfinx
import numpy as np
import ufl
from mpi4py import MPI
from numpy.typing import NDArray

AXES = ("x", "y", "z")


class PeriodicMesh(dolfinx.mesh.Mesh):
    """A DOLFINx mesh on a torus or cylinder; `period[i]` is the period along axis i, 0 where there is none."""

    period: tuple[float, ...]


def period(mesh: dolfinx.mesh.Mesh) -> NDArray[np.float64]:
    """Periods of `mesh` along its axes, shape (gdim,) [m or -]; 0 where it is not periodic."""
    return np.array(getattr(mesh, "period", (0.0,) * mesh.geometry.dim))


def bounds(mesh: dolfinx.mesh.Mesh) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper corner of the box around `mesh` over all ranks, each of shape (gdim,)."""
    x = mesh.geometry.x[:, : mesh.geometry.dim]
    lower, upper = x.min(axis=0, initial=np.inf), x.max(axis=0, initial=-np.inf)
    mesh.comm.Allreduce(MPI.IN_PLACE, lower, op=MPI.MIN)
    mesh.comm.Allreduce(MPI.IN_PLACE, upper, op=MPI.MAX)
    return lower, upper


@dataclass(frozen=True, eq=False)
class Domain:
    """A mesh, the names of its boundaries, and measures on both.

    Attributes:
        mesh: the DOLFINx mesh, distributed over its communicator.
        shape: what it is, in words.
        names: names of the boundaries; the boundary `names[i]` carries the facet tag i + 1.
        facets: the facet tags.
    """

    mesh: dolfinx.mesh.Mesh
    shape: str
    names: tuple[str, ...]
    facets: dolfinx.mesh.MeshTags

    @property
    def dim(self) -> int:
        """Number of space dimensions."""
        return self.mesh.geometry.dim

    @property
    def period(self) -> NDArray[np.float64]:
        """Periods along the axes, shape (dim,); 0 where not periodic."""
        return period(self.mesh)

    def tag(self, name: str) -> int:
        """Facet tag of the boundary `name`.

        Raises:
            UnknownName: if there is no such boundary; the message lists those there are.
        """
        if name not in self.names:
            around = " and ".join(axis for axis, length in zip(AXES, self.period, strict=False) if length)
            raise UnknownName(name, f"this mesh{f', periodic in {around},' if around else ''}", self.names)
        return self.names.index(name) + 1

    def dx(self, degree: int | None = None) -> ufl.Measure:
        """Volume measure; `degree` is the polynomial degree the quadrature integrates exactly."""
        return ufl.Measure("dx", domain=self.mesh, metadata=_quadrature(degree))

    def ds(self, name: str, degree: int | None = None) -> ufl.Measure:
        """Surface measure of the boundary `name`."""
        ds = ufl.Measure("ds", domain=self.mesh, subdomain_data=self.facets, metadata=_quadrature(degree))
        return ds(self.tag(name))

    def __str__(self) -> str:
        """Shape, size, cells, cell sizes, periodicity and names. Collective: call it on every rank."""
        topology = self.mesh.topology
        cells = np.arange(topology.index_map(topology.dim).size_local, dtype=np.int32)
        h = self.mesh.h(topology.dim, cells)
        smallest = self.mesh.comm.allreduce(h.min(initial=np.inf), op=MPI.MIN)
        largest = self.mesh.comm.allreduce(h.max(initial=0.0), op=MPI.MAX)
        lower, upper = bounds(self.mesh)
        size = " x ".join(f"{length:.4g}" for length in upper - lower)
        around = [axis for axis, length in zip(AXES, self.period, strict=False) if length]
        return (
            f"{self.shape} {size}: {topology.index_map(topology.dim).size_global} {topology.cell_name()} cells, "
            f"diameter {smallest:.4g} to {largest:.4g}; "
            + (f"periodic in {' and '.join(around)}; " if around else "")
            + (f"boundaries {', '.join(self.names)}" if self.names else "no boundary")
        )


def _quadrature(degree: int | None) -> dict[str, int]:
    return {} if degree is None else {"quadrature_degree": degree}
