"""A domain: a mesh, the names of its boundaries and regions, and measures on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from emfem.dimensions import METRE, SI, UNKNOWN_SYSTEM, System, scaled
from emfem.errors import ParameterError, UnknownName, floats, kind, number
from emfem.mesh.graph import Network
from emfem.mesh.parts import CORNERS
from emfem.mesh.quality import scaled_jacobian

import basix.ufl
import dolfinx
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

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


class Weighted:
    """A measure with a weight: `f * Weighted(dx, w)` is the integral of f w."""

    def __init__(self, measure: ufl.Measure, weight: Any) -> None:
        """Put the two together."""
        self.measure, self.weight = measure, weight

    def __rmul__(self, integrand: Any) -> ufl.Form:
        """The form."""
        return (integrand * self.weight) * self.measure


@dataclass(frozen=True)
class Quality:
    """How a mesh is cut: its cells' number, diameters and shapes.

    Attributes:
        cells: their number.
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


@dataclass(frozen=True, eq=False)
class Domain:
    """A mesh, the names of its boundaries and regions, and measures on them.

    Attributes:
        mesh: the DOLFINx mesh, distributed over its communicator.
        shape: what it is, in words.
        names: names of the boundaries; the boundary `names[i]` carries the facet tag i + 1.
        facets: the facet tags.
        regions: names of the regions; `regions[i]` carries the cell tag i + 1. A cell may be in none.
        cells: the cell tags, or None without regions.
        weight: what every integral is weighted with, UFL: the cross-section of a line [m2], the way round the axis of a
            body of revolution [m], a thickness [m]; None for 1.
        weight_lengths: how many lengths the weight is a product of: 2, 1, or 0 without one.
        thickness: of a plane domain or a shell, None if none was given.
        length_unit: "m", the name of another scale, or None where nobody told it; never guessed from the size.
        network: the wires that the mesh is of, or None.
        segment: number of the wire that each cell of this rank lies in, ghosts included; None without a network.
        faces: in a network, at its nodes the sum of the cross-sections of the wires that end there [m2]; else None.
    """

    mesh: dolfinx.mesh.Mesh
    shape: str
    names: tuple[str, ...]
    facets: dolfinx.mesh.MeshTags
    regions: tuple[str, ...] = ()
    cells: dolfinx.mesh.MeshTags | None = None
    weight: Any = None
    network: Network | None = None
    segment: NDArray[np.int64] | None = None
    faces: fem.Function | None = None
    weight_lengths: int = 0
    thickness: float | None = None
    length_unit: str | None = None

    @property
    def dim(self) -> int:
        """Number of space dimensions; 3 for a shell, a surface in space."""
        return self.mesh.geometry.dim

    @property
    def shell(self) -> bool:
        """Whether it is a surface (or a line) in a space of more dimensions."""
        return self.mesh.topology.dim < self.mesh.geometry.dim

    @property
    def measure(self) -> int:
        """Lengths in its `dx`: 3 for a body, a network or with a thickness, 2 for a plane, 1 for a line."""
        return self.mesh.topology.dim + self.weight_lengths

    def in_metres(self) -> Domain:
        """The same domain, told to be in metres: models on it are in SI and tell their units."""
        return replace(self, length_unit=METRE)

    def scaled(self, by: str = "-") -> Domain:
        """The same domain, told to be dimensionless: models on it tell no units.

        Args:
            by: the name of the scale of lengths, such as "h", for axes.
        """
        kind("by", by, str, "a text, such as 'h'")
        return replace(self, length_unit=by)

    def with_thickness(self, thickness: float) -> Domain:
        """The plate of a plane domain (or a shell): volumes, currents and fluxes are those of all its thickness.

        It is told to be in metres, unless it was told to be scaled. Files of meshes do not hold the thickness.

        Args:
            thickness: above 0 [m, or the domain's own unit].

        Raises:
            ParameterError: for a thickness that is not positive, or a domain that is no plane or shell, or has a
                thickness or an axis already.
        """
        value = number("thickness", thickness, above=0.0)
        if self.mesh.topology.dim != 2 or self.weight is not None:
            again = "" if self.weight is None else " that is not weighted already"
            msg = f"thickness = {value:g} of domain = {self.shape}, must be of a plane domain or a shell{again}"
            raise ParameterError(msg)
        return replace(
            self,
            weight=fem.Constant(self.mesh, value),
            weight_lengths=1,
            thickness=value,
            length_unit=self.length_unit or METRE,
        )

    def system(self, *, si: bool = False) -> System:
        """What models on it are measured in.

        Args:
            si: whether the model has values that are in SI, such as those of a material.
        """
        if self.length_unit is None:
            return SI if si else UNKNOWN_SYSTEM
        return SI if self.length_unit == METRE else scaled(self.length_unit)

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

    def region(self, name: str) -> int:
        """Cell tag of the region `name`.

        Raises:
            UnknownName: if there is no such region; the message lists those there are.
        """
        if name not in self.regions:
            raise UnknownName(name, "this mesh, among its regions,", self.regions)
        return self.regions.index(name) + 1

    def weighted(self, measure: ufl.Measure) -> Any:
        """A measure on the mesh with the weight of the domain."""
        return measure if self.weight is None else Weighted(measure, self.weight)

    def dx(self, degree: int | None = None, region: str | None = None) -> Any:
        """Volume measure, of one region if it is named; `degree` is the polynomial degree it integrates exactly."""
        if region is None:
            return self.weighted(ufl.Measure("dx", domain=self.mesh, metadata=_quadrature(degree)))
        dx = ufl.Measure("dx", domain=self.mesh, subdomain_data=self.cells, metadata=_quadrature(degree))
        return self.weighted(dx(self.region(region)))

    def ds(self, name: str, degree: int | None = None) -> Any:
        """Surface measure of the boundary `name`; in a network that of the faces of all wires that end at its nodes."""
        if self.faces is not None:  # a junction is no exterior facet, or is one on some ranks: vertices are sure
            dp = ufl.Measure("dP", domain=self.mesh, subdomain_data=self.facets)
            return Weighted(dp(self.tag(name)), self.faces)
        ds = ufl.Measure("ds", domain=self.mesh, subdomain_data=self.facets, metadata=_quadrature(degree))
        return self.weighted(ds(self.tag(name)))

    def wires(self) -> Network:
        """The network of wires that the mesh is of.

        Raises:
            ParameterError: if it is of something else.
        """
        if self.network is None:
            msg = f"domain = {self.shape}, must be a network, em.mesh.network(...)"
            raise ParameterError(msg)
        return self.network

    def per_segment(self, name: str, values: ArrayLike) -> fem.Function:
        """A coefficient with one value in each segment of a network.

        Args:
            name: what it is, for messages.
            values: a number, or one a segment, shape (m,).

        Raises:
            ParameterError: for a domain that is no network, or values of another shape or not finite.
        """
        found = self.wires().per_segment(name, values)
        result = fem.Function(fem.functionspace(self.mesh, ("DG", 0)), name=name)
        result.x.array[result.function_space.dofmap.list[:, 0]] = found[self.segment]
        return result

    def along(self, name: str, values: ArrayLike) -> fem.Function:
        """A vector field of constant size along each segment of a network, such as a current density.

        Args:
            name: what it is, for messages.
            values: positive along the direction of the segment: a number, or one a segment, shape (m,).

        Raises:
            ParameterError: for a domain that is no network, or values of another shape or not finite.
        """
        network = self.wires()
        vectors = network.per_segment(name, values)[:, None] * network.directions
        result = fem.Function(fem.functionspace(self.mesh, ("DG", 0, (self.dim,))), name=name)
        result.x.array.reshape(-1, self.dim)[result.function_space.dofmap.list[:, 0]] = vectors[self.segment]
        return result

    def node_dofs(self, space: fem.FunctionSpace) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Nodes of the network that this rank knows, ghosts included, and their numbers in a continuous scalar space.

        Raises:
            ParameterError: for a domain that is no network, or a space that has no value at nodes.
        """
        nodes = len(self.wires().nodes)
        element = space.element.basix_element
        if space.mesh is not self.mesh or element.discontinuous or len(space.value_shape):
            msg = f"space of {space.ufl_element()}, must be of continuous scalar functions on the mesh of this network"
            raise ParameterError(msg)
        ends = [element.entity_dofs[0][i][0] for i in range(2)]
        points = self.mesh.geometry.input_global_indices[self.mesh.geometry.dofmaps[0].ravel()]
        dofs = space.dofmap.list[:, ends].ravel()
        at = points < nodes  # the others lie inside segments
        found, first = np.unique(points[at], return_index=True)
        return found, dofs[at][first]

    def at_nodes(self, function: fem.Function) -> NDArray[np.float64]:
        """Values of a continuous scalar Function at the nodes of the network, shape (n,), on all ranks. Collective.

        NaN at nodes without metal.

        Raises:
            ParameterError: for a domain that is no network, or a function that has no value at nodes.
        """
        kind("function", function, fem.Function, "a Function on the mesh of this network")
        nodes, dofs = self.node_dofs(function.function_space)
        values, known = np.zeros((2, len(self.wires().nodes)))
        values[nodes], known[nodes] = function.x.array[dofs], 1.0
        for array in (values, known):
            self.mesh.comm.Allreduce(MPI.IN_PLACE, array, op=MPI.SUM)
        return np.where(known > 0, values, np.nan) / np.maximum(known, 1.0)

    def extent(self) -> tuple[float, float]:
        """A typical length and a typical cross-section, for scaling; their product is the volume. Collective."""
        one, comm = fem.Constant(self.mesh, 1.0), self.mesh.comm
        plain, volume = (
            comm.allreduce(float(fem.assemble_scalar(fem.form(one * dx)))) for dx in (_whole(self.mesh), self.dx(2))
        )
        length = plain ** (1 / self.mesh.topology.dim)
        return length, volume / length

    def piecewise(self, name: str, values: Mapping[str, ArrayLike]) -> fem.Function:
        """A coefficient with one value in each region.

        Args:
            name: what it is, for messages.
            values: a number or an array for each region, all of one shape; every cell must lie in one of them.

        Raises:
            UnknownName: for a region that does not exist.
            ParameterError: for values of different shapes, or cells that get none.
        """
        tags = {self.region(region): floats(f"{name}[{region!r}]", value) for region, value in values.items()}
        shapes = {value.shape for value in tags.values()}
        if len(shapes) != 1:
            msg = f"{name} = {dict(values)!r}, must be values of one shape, one a region"
            raise ParameterError(msg)
        shape = shapes.pop()
        element = basix.ufl.element("Lagrange", self.mesh.basix_cell(), 0, shape=shape or None, discontinuous=True)
        result = fem.Function(fem.functionspace(self.mesh, element), name=name)
        cells = result.x.array.reshape(-1, max(1, int(np.prod(shape))))
        cells[:] = np.nan
        for tag, value in tags.items():
            assert self.cells is not None
            cells[self.cells.find(tag)] = value.reshape(-1)
        result.x.scatter_forward()
        owned = self.mesh.topology.index_map(self.mesh.topology.dim).size_local
        without = self.mesh.comm.allreduce(int(np.isnan(cells[:owned]).any(axis=1).sum()))
        if without:
            left = [region for region in self.regions if region not in values]
            msg = f"{name} of {', '.join(values)}, must name every region: {without} cells get none" + (
                f" ({', '.join(left)} left out)" if left else ""
            )
            raise ParameterError(msg)
        return result

    def cell_quality(self) -> NDArray[np.float64]:
        """The scaled Jacobian of each cell that this rank owns, shape (cells,)."""
        topology, geometry = self.mesh.topology, self.mesh.geometry
        owned = topology.index_map(topology.dim).size_local
        corners = geometry.dofmaps[0][:owned, : CORNERS[topology.cell_name()]]
        return scaled_jacobian(geometry.x, corners, topology.cell_name())

    def quality(self) -> Quality:
        """Sizes and shapes of all cells. Collective."""
        topology, comm = self.mesh.topology, self.mesh.comm
        owned = topology.index_map(topology.dim).size_local
        h = self.mesh.h(topology.dim, np.arange(owned, dtype=np.int32))
        shapes = self.cell_quality()
        total = topology.index_map(topology.dim).size_global
        return Quality(
            total,
            comm.allreduce(float(h.min(initial=np.inf)), op=MPI.MIN),
            comm.allreduce(float(h.max(initial=0.0)), op=MPI.MAX),
            comm.allreduce(float(shapes.min(initial=np.inf)), op=MPI.MIN),
            comm.allreduce(float(shapes.sum()), op=MPI.SUM) / total,
        )

    def __repr__(self) -> str:
        """One line, of what this rank knows without asking others."""
        names = f"; boundaries {', '.join(self.names)}" if self.names else ""
        return f"<{self.shape} of {self.mesh.topology.cell_name()} cells in {self.dim}-D{names}; {self.system()}>"

    def __str__(self) -> str:
        """Shape, size, cells, their sizes and quality, periodicity and names. Collective: call it on every rank."""
        lower, upper = bounds(self.mesh)
        size = " x ".join(f"{length:.4g}" for length in upper - lower)
        around = [axis for axis, length in zip(AXES, self.period, strict=False) if length]
        found = self.quality()
        return "; ".join(
            (
                f"{self.shape} {size}: {found.cells} {self.mesh.topology.cell_name()} cells, "
                f"diameter {found.smallest:.4g} to {found.largest:.4g}",
                f"quality {found.worst:.2f} at worst, {found.mean:.2f} on average",
                *((f"thickness {self.thickness:.4g}",) if self.thickness else ()),
                *((f"periodic in {' and '.join(around)}",) if around else ()),
                f"boundaries {', '.join(self.names)}" if self.names else "no boundary",
                *((f"regions {', '.join(self.regions)}",) if self.regions else ()),
            )
        )


def axisymmetric(domain: Domain) -> Domain:
    """The body of revolution of a plane domain about the x axis: y is the distance to the axis, which must not be < 0.

    Every physics is then that of the body, without further ado: volumes, currents and fluxes are those of all the way
    round. A field is a function of x and y, its vectors have no part around the axis.

    Raises:
        ParameterError: for a domain that is not plane, or reaches below the axis.
    """
    if domain.mesh.topology.dim != 2 or domain.dim != 2 or domain.weight is not None:
        msg = f"domain = {domain.shape} in {domain.dim} dimensions, must be plane to be turned about the x axis"
        raise ParameterError(msg)
    if domain.period[1]:
        msg = "domain is periodic in y, must not be: y is the distance to the axis"
        raise ParameterError(msg)
    lower, upper = bounds(domain.mesh)
    if lower[1] < -1e-12 * upper[1]:
        msg = f"domain from y = {lower[1]:g}, must not reach below 0: y is the distance to the axis"
        raise ParameterError(msg)
    round_the_axis = 2 * np.pi * ufl.SpatialCoordinate(domain.mesh)[1]
    return replace(domain, shape=f"{domain.shape} about the x axis", weight=round_the_axis, weight_lengths=1)


def _whole(mesh: dolfinx.mesh.Mesh) -> ufl.Measure:
    return ufl.Measure("dx", domain=mesh, metadata=_quadrature(0))


def _quadrature(degree: int | None) -> dict[str, int]:
    return {} if degree is None else {"quadrature_degree": degree}
