"""A domain: a mesh with named boundaries and regions, and the integration measures on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from emfem.dimensions import METRE, PLAIN, SI, UNKNOWN_SYSTEM, System, scaled
from emfem.errors import UnknownName, floats, number, require
from emfem.gate import checked, collective
from emfem.mesh.extents import AXES, bounds, period
from emfem.mesh.graph import Network
from emfem.mesh.measures import Weighted, cell_function, quadrature
from emfem.mesh.on_network import OnNetwork
from emfem.mesh.quality import Quality, cell_quality, quality_of

import dolfinx
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray


def _marks(name: str, where: Callable[[NDArray[np.float64]], ArrayLike], x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return what a function of place, shape (gdim, n), says there, shape (n,); `name` is for messages.

    Raises:
        ParameterError: if that is not True or False at each place: any number but 0 would count as True.
    """
    marks = np.asarray(where(x), dtype=None if x.size else bool)
    fits = marks.dtype == bool and marks.shape == x.shape[1:]
    require(fits, f"{name}, must be a function of x that returns n truth values")
    return marks


@checked
@dataclass(frozen=True, eq=False)
class Domain(OnNetwork):
    """A mesh with named boundaries and regions, and the integration measures on them.

    Attributes:
        mesh: the DOLFINx mesh, distributed over its communicator.
        shape: description of the shape, such as "rectangle".
        names: names of the boundaries; the boundary `names[i]` has the facet tag i + 1.
        facets: the facet tags.
        regions: names of the regions; `regions[i]` has the cell tag i + 1. A cell may be in none.
        cells: the cell tags, or None without regions.
        weight: weight of every integral, UFL: the cross-section of a line [m2], the circumference of a body of
            revolution [m], a thickness [m]; None for 1.
        weight_lengths: number of lengths whose product the weight is: 2, 1, or 0 without one.
        thickness: of a plane domain or a shell; None without one.
        length_unit: "m", the name of another scale, or None if unknown; never guessed from the size.
        network: the wires of the mesh, or None.
        segment: index of the wire of each cell of this rank, ghosts included; None without a network.
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
        """Number of space dimensions; 3 for a shell."""
        return self.mesh.geometry.dim

    @property
    def shell(self) -> bool:
        """True for a surface or a line in a space of more dimensions."""
        return self.mesh.topology.dim < self.mesh.geometry.dim

    @property
    def turned(self) -> bool:
        """True for the body of revolution of a plane domain."""
        return self.weight is not None and self.thickness is None and self.network is None

    @property
    def measure(self) -> int:
        """Number of lengths in `dx`: 3 for a body, a network or with a thickness, 2 for a plane, 1 for a line."""
        return self.mesh.topology.dim + self.weight_lengths

    def in_metres(self) -> Domain:
        """Return the same domain with lengths in metres: models on it are in SI and have units."""
        return replace(self, length_unit=METRE)

    @checked(collective=True)
    def scaled(self, by: str = "-") -> Domain:
        """Return the same domain as a dimensionless one: models on it have no units.

        Args:
            by: the name of the scale of lengths, such as "h", for axes.
        """
        return replace(self, length_unit=by)

    @checked(collective=True)
    def with_thickness(self, thickness: float) -> Domain:
        """Return the plate of a plane domain (or a shell): volumes, currents and fluxes are those of its thickness.

        Its lengths are in metres, unless the domain is scaled. Mesh files do not contain the thickness.

        Args:
            thickness: above 0 [m, or the domain's own unit].

        Raises:
            ParameterError: for a thickness that is not positive, or a domain that is no plane or shell, or has a
                thickness or an axis already.
        """
        value = number("thickness", thickness, above=0.0)
        again = "" if self.weight is None else " that is not weighted already"
        require(
            self.mesh.topology.dim == 2 and self.weight is None,
            f"thickness = {value:g} of domain = {self.shape}, must be of a plane domain or a shell{again}",
        )
        return replace(
            self,
            weight=fem.Constant(self.mesh, value),
            weight_lengths=1,
            thickness=value,
            length_unit=self.length_unit or METRE,
        )

    @checked(collective=True)
    def with_regions(self, regions: Mapping[str, Callable[[NDArray[np.float64]], ArrayLike]]) -> Domain:
        """Return the same mesh with regions of cells, in place of others; a cell is in the first that its middle is in.

        Edges of regions are those of cells: lay the mesh so that they lie on them, or draw them with gmsh and read the
        file, `em.mesh.read`.

        Args:
            regions: for each name a function of x, shape (gdim, n), that is true inside; in the units of the domain.

        Raises:
            ParameterError: for no region, one without cells, or a function of another shape.
        """
        dim, comm = self.mesh.topology.dim, self.mesh.comm
        cells = self.mesh.topology.index_map(dim)
        total = cells.size_local + cells.num_ghosts
        places = np.arange(total, dtype=np.int32)
        x = dolfinx.mesh.compute_midpoints(self.mesh, dim, places)[:, : self.dim].T
        tags = np.zeros(total, dtype=np.int32)
        with collective(comm):
            within = [_marks(f"regions[{name!r}]", inside, x) for name, inside in regions.items()]
        for i, inside in enumerate(within):
            tags[inside & (tags == 0)] = i + 1
        counts = np.bincount(tags[: cells.size_local], minlength=len(regions) + 1)
        comm.Allreduce(MPI.IN_PLACE, counts, op=MPI.SUM)
        empty = [repr(name) for name, count in zip(regions, counts[1:], strict=True) if not count]
        require(bool(regions) and not empty, f"regions without cells: {', '.join(empty) or 'all'}, must have some")
        return replace(self, regions=tuple(regions), cells=dolfinx.mesh.meshtags(self.mesh, dim, places, tags))

    @checked(collective=True)
    def with_boundary(self, name: str, where: Callable[[NDArray[np.float64]], ArrayLike]) -> Domain:
        """Return the same mesh with one more boundary: the facets whose corners are all there, taken from others.

        Args:
            name: of the boundary, such as "via": where the current enters a face.
            where: function of x, shape (gdim, n), that is true there; in the units of the domain.

        Raises:
            ParameterError: for a name that the domain has, a function of another shape, no facets there, or a boundary
                that would have none left.
        """
        require(bool(name) and name not in self.names, f"name = {name!r}, must be none of {', '.join(self.names)}")
        of_facets, comm = self.mesh.topology.dim - 1, self.mesh.comm
        with collective(comm):  # facets are there: locating them does not communicate
            there = dolfinx.mesh.locate_entities_boundary(self.mesh, of_facets, lambda x: _marks("where", where, x))
        others = ~np.isin(self.facets.indices, there)
        places = np.concatenate([self.facets.indices[others], there]).astype(np.int32)
        tags = np.concatenate([self.facets.values[others], np.full(len(there), len(self.names) + 1)]).astype(np.int32)
        counts = np.bincount(tags, minlength=len(self.names) + 2)
        comm.Allreduce(MPI.IN_PLACE, counts, op=MPI.SUM)
        names, order = (*self.names, name), np.argsort(places)
        empty = [repr(names[i]) for i, n in enumerate(counts[1:]) if not n]
        require(not empty, f"boundaries without facets: {', '.join(empty)}, must have some")
        facets = dolfinx.mesh.meshtags(self.mesh, of_facets, places[order], tags[order])
        return replace(self, names=names, facets=facets)

    def system(self, *, si: bool = False) -> System:
        """Return the system of units of models on this domain.

        Args:
            si: True if the model has values in SI, such as those of a material.
        """
        if self.length_unit is None:
            return SI if si else UNKNOWN_SYSTEM
        return SI if self.length_unit == METRE else scaled(self.length_unit)

    @property
    def period(self) -> NDArray[np.float64]:
        """Periods along the axes, shape (dim,); 0 where it is not periodic."""
        return period(self.mesh)

    @checked
    def tag(self, name: str) -> int:
        """Return the facet tag of the boundary `name`.

        Raises:
            UnknownName: if there is no such boundary; the message lists those that exist.
        """
        if name not in self.names:
            axes = self._periodic_axes()
            raise UnknownName(name, f"this mesh{f', periodic in {axes},' if axes else ''}", self.names)
        return self.names.index(name) + 1

    @checked
    def region(self, name: str) -> int:
        """Return the cell tag of the region `name`.

        Raises:
            UnknownName: if there is no such region; the message lists those that exist.
        """
        if name not in self.regions:
            raise UnknownName(name, "this mesh, among its regions,", self.regions)
        return self.regions.index(name) + 1

    def weighted(self, measure: ufl.Measure) -> Any:
        """Return a measure on the mesh with the weight of the domain."""
        return measure if self.weight is None else Weighted(measure, self.weight)

    @checked
    def dx(self, degree: int | None = None, region: str | None = None) -> Any:
        """Return the volume measure, of one region if named; `degree` is the polynomial degree integrated exactly."""
        if region is None:
            return self.weighted(ufl.Measure("dx", domain=self.mesh, metadata=quadrature(degree)))
        dx = ufl.Measure("dx", domain=self.mesh, subdomain_data=self.cells, metadata=quadrature(degree))
        return self.weighted(dx(self.region(region)))

    @checked
    def ds(self, name: str, degree: int | None = None) -> Any:
        """Return the surface measure of a boundary; in a network that of all wires that end at its nodes."""
        if self.faces is not None:  # a junction is no exterior facet, or is one on some ranks only: use vertices
            dp = ufl.Measure("dP", domain=self.mesh, subdomain_data=self.facets)
            return Weighted(dp(self.tag(name)), self.faces)
        ds = ufl.Measure("ds", domain=self.mesh, subdomain_data=self.facets, metadata=quadrature(degree))
        return self.weighted(ds(self.tag(name)))

    def extent(self) -> tuple[float, float]:
        """Return a typical length and a typical cross-section, whose product is the volume. Collective."""
        one, comm = fem.Constant(self.mesh, 1.0), self.mesh.comm
        whole = ufl.Measure("dx", domain=self.mesh, metadata=quadrature(0))
        plain, volume = (comm.allreduce(float(fem.assemble_scalar(fem.form(one * dx)))) for dx in (whole, self.dx(2)))
        length = plain ** (1 / self.mesh.topology.dim)
        return length, volume / length

    def sizes(self) -> tuple[float, dict[str, float], dict[str, float]]:
        """Return the sizes of the domain, of its regions and of its boundaries by name. Collective.

        Those of domain and regions are volumes, areas or lengths, those of boundaries areas, lengths or numbers of
        points, as `dx` and `ds` integrate 1: in powers `measure` and `measure - 1` of the domain's unit of length.
        """
        measures = [self.dx(), *(self.dx(region=name) for name in self.regions), *map(self.ds, self.names)]
        chosen = fem.Constant(self.mesh, np.zeros(len(measures)))
        form = fem.form(sum(chosen[i] * measure for i, measure in enumerate(measures)))  # one form: compiled once
        sizes = np.zeros(len(measures))
        for i in range(len(measures)):
            chosen.value[:] = np.arange(len(measures)) == i
            sizes[i] = fem.assemble_scalar(form)
        whole, *rest = self.mesh.comm.allreduce(sizes).tolist()
        regions = dict(zip(self.regions, rest, strict=False))
        return whole, regions, dict(zip(self.names, rest[len(self.regions) :], strict=True))

    @checked(collective=True)
    def piecewise(self, name: str, values: Mapping[str, ArrayLike]) -> fem.Function:
        """Return a coefficient with one value in each region.

        Args:
            name: of the coefficient, for messages.
            values: a number or an array for each region, all of one shape; every cell must lie in one of them.

        Raises:
            UnknownName: for a region that does not exist.
            ParameterError: for values of different shapes, or cells without a value.
        """
        tags = {self.region(region): floats(f"{name}[{region!r}]", value) for region, value in values.items()}
        shapes = {value.shape for value in tags.values()}
        require(len(shapes) == 1, f"{name} = {dict(values)!r}, must be values of one shape, one a region")
        index_map = self.mesh.topology.index_map(self.mesh.topology.dim)
        in_cells = np.full((index_map.size_local + index_map.num_ghosts, *shapes.pop()), np.nan)
        for tag, value in tags.items():
            assert self.cells is not None
            in_cells[self.cells.find(tag)] = value
        result = cell_function(self.mesh, name, in_cells)
        result.x.scatter_forward()
        owned = in_cells[: index_map.size_local].reshape(index_map.size_local, -1)
        without = self.mesh.comm.allreduce(int(np.isnan(owned).any(axis=1).sum()))
        left = [region for region in self.regions if region not in values]
        require(
            not without,
            f"{name} of {', '.join(values)}, must name every region: {without} cells get none"
            + (f" ({', '.join(left)} left out)" if left else ""),
        )
        return result

    def cell_quality(self) -> NDArray[np.float64]:
        """Return the scaled Jacobian of each cell that this rank owns, shape (cells,)."""
        return cell_quality(self.mesh)

    def quality(self) -> Quality:
        """Return number, sizes and shapes of all cells. Collective."""
        return quality_of(self.mesh)

    def __repr__(self) -> str:
        """Return one line, without communication."""
        topology = self.mesh.topology
        cells = f"{topology.index_map(topology.dim).size_global} {topology.cell_name()} cells"
        names = [
            f"{kind} {', '.join(of)}" for kind, of in (("boundaries", self.names), ("regions", self.regions)) if of
        ]
        return f"<{'; '.join([f'{self.shape} of {cells} in {self.dim}-D', *names, str(self.system())])}>"

    def __str__(self) -> str:
        """Return shape, size, cells, their sizes and quality, periodicity, names and unit. Collective."""
        lower, upper = bounds(self.mesh)
        quality, unit, axes = self.quality(), self._unit(1), self._periodic_axes()
        lines = [
            f"{self.shape} {' x '.join(f'{length:.4g}' for length in upper - lower)}{unit}: {quality.cells} "
            f"{self.mesh.topology.cell_name()} cells, diameter {quality.smallest:.4g} to {quality.largest:.4g}{unit}",
            f"quality {quality.worst:.2f} at worst, {quality.mean:.2f} on average",
            f"thickness {self.thickness:.4g}{unit}" if self.thickness else "",
            f"periodic in {axes}" if axes else "",
            f"boundaries {', '.join(self.names)}" if self.names else "no boundary",
            f"regions {', '.join(self.regions)}" if self.regions else "",
            str(self.system()) if self.length_unit else "",
        ]
        return "; ".join(filter(None, lines))

    def _repr_html_(self) -> str:
        """Return a table of `str` and of the sizes of regions and boundaries, for notebooks. Collective."""
        whole, regions, boundaries = self.sizes()
        rows = [("whole", whole, self.measure)]
        rows += [(f"region {name}", size, self.measure) for name, size in regions.items()]
        rows += [(f"boundary {name}", size, self.measure - 1) for name, size in boundaries.items()]
        cells = "".join(
            f"<tr><td>{escape(name)}</td><td>{size:.6g}{self._unit(power)}</td></tr>" for name, size, power in rows
        )
        return f"<p>{escape(str(self))}</p><table>{cells}</table>"

    def _periodic_axes(self) -> str:
        """Return the axes along which the mesh is periodic, for messages."""
        return " and ".join(axis for axis, length in zip(AXES, self.period, strict=False) if length)

    def _unit(self, power: int) -> str:
        """Return a power of the unit of length to append to a number; nothing if the unit is unknown."""
        if self.length_unit in (None, PLAIN) or not power:
            return ""
        return f" {self.length_unit}{power if power > 1 else ''}"
