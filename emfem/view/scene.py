"""A run as shapes with values: what pictures are made from. Nothing here knows a browser."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import Any

from emfem.model import Model
from emfem.plot import meshes
from emfem.plot.pieces import Floats, Pieces, Whole, pieces
from emfem.results import Results
from emfem.view.quantities import Field

import numpy as np
import pyvista
from dolfinx import fem
from ufl.domain import extract_domains

KEPT = 256 * 2**20  # bytes of values that are kept, so that a second look at a time costs nothing
RARE = (0.01, 0.99)  # between these shares of a domain values are no peaks
MANY = 400_000  # simplices above which cells are not cut finer


class Scene:
    """The geometry of a run, made once, and its fields at the times that were saved.

    Attributes:
        results: the run.
    """

    def __init__(self, results: Results) -> None:
        """Take a run; nothing is read yet."""
        self.results = results
        self._built: list[Model] | None = None
        self._loaded: float | None = None
        self._expressions: dict[str, fem.Expression] = {}
        self._values: OrderedDict[tuple[str, float], Floats] = OrderedDict()

    @property
    def models(self) -> list[Model]:
        """The models of its case, in the state that was looked at last.

        Raises:
            ParameterError: if no state is saved, or the case cannot be built any more.
        """
        return self._at(float(self.times[-1])) if self._built is None else self._built

    @property
    def times(self) -> Floats:
        """The times that were saved, shape (n,).

        Raises:
            ParameterError: if there is none.
        """
        return self.results.times

    @property
    def time_unit(self) -> str:
        """The unit of its times: "s", or "-" where a film sets the scales."""
        return self.models[-1].system.time

    @cached_property
    def fields(self) -> dict[str, Field]:
        """What can be looked at, by name: unknowns and derived fields of all models."""
        return {
            name: Field(field.meaning)
            for model in self.models
            for name, field in model.fields.items()
            if not _one_number(field.value)
        }

    @cached_property
    def shape(self) -> Pieces:
        """Its domain as straight simplices; cells of curved fields are cut finer."""
        domain = self.models[-1].domain
        cells = domain.mesh.topology.index_map(domain.mesh.topology.dim).size_local
        degree = max(u.function.function_space.element.basix_element.degree for m in self.models for u in m.unknowns)
        degree = max(degree, domain.mesh.geometry.cmaps[0].degree)
        fine = 1 if degree < 2 or domain.mesh.topology.dim == 3 else degree + 1
        found = pieces(domain, fine if cells * fine**domain.mesh.topology.dim < MANY else 1)
        assert found is not None  # a page is served by one rank
        return found

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The named boundaries; the tag of `names[i]` is i + 1."""
        return self.models[-1].domain.names

    @property
    def kind(self) -> str:
        """How it is shown: as a "curve", in a "plane", or as a "body" in space."""
        return ("curve", "plane", "body")[self.models[-1].domain.dim - 1]

    @cached_property
    def bounds(self) -> Floats:
        """Lowest and highest coordinates, shape (2, 3)."""
        return np.array([self.shape.points.min(axis=0), self.shape.points.max(axis=0)])

    def nearest(self, t: float) -> float:
        """The last saved time that is not after t; the first one if all are."""
        at = int(np.searchsorted(self.times, t * (1 + 1e-9) if t > 0 else t, side="right")) - 1
        return float(self.times[max(0, at)])

    def vectors(self, name: str, t: float) -> Floats:
        """A field at the points of the shape at a saved time, shape (n, components).

        Raises:
            UnknownName: for a field that no model has.
        """
        key = (name, t)
        if key not in self._values:
            models = self._at(t)
            if name not in self._expressions:
                self._expressions[name] = _expression(models, name, self.shape.at)
            mesh = models[-1].mesh
            owned = np.arange(mesh.topology.index_map(mesh.topology.dim).size_local, dtype=np.int32)
            self._values[key] = self._expressions[name].eval(mesh, owned).reshape(len(self.shape.points), -1)
            while len(self._values) > 1 and sum(v.nbytes for v in self._values.values()) > KEPT:
                self._values.popitem(last=False)
        self._values.move_to_end(key)
        return self._values[key]

    def values(self, name: str, t: float) -> Floats:
        """A scalar field, or the length of a vector or tensor, shape (n,)."""
        found = self.vectors(name, t)
        return np.linalg.norm(found, axis=1) if self.fields[name].vector else found[:, 0]

    def limits(self, name: str, t: float | None = None, *, peaks: bool = True) -> tuple[float, float]:
        """Lowest and highest value.

        Args:
            name: of the field.
            t: a saved time; all of them when left out.
            peaks: whether those of all places; else those between which 98 % of the domain lies, so that a sharp
                corner, where a current is infinite, does not set the scale.
        """
        if t is None:
            ends = np.array([self.limits(name, float(at), peaks=peaks) for at in self.times])
            return float(np.nanmin(ends[:, 0])), float(np.nanmax(ends[:, 1]))
        values = self.values(name, t)
        if not peaks:
            means, sizes = values[self.shape.simplices].mean(axis=1), self._sizes
            low, high = np.quantile(means, RARE, weights=sizes, method="inverted_cdf")
            return float(low), float(high)
        return float(np.nanmin(values)), float(np.nanmax(values))

    @cached_property
    def _sizes(self) -> Floats:
        """Length, area or volume of each simplex, up to a factor."""
        corners = self.shape.points[self.shape.simplices]
        edges = corners[:, 1:] - corners[:, :1]
        return np.sqrt(np.linalg.det(np.einsum("nik,njk->nij", edges, edges)))

    def dataset(self, name: str, t: float) -> pyvista.DataSet:
        """A field at a saved time on the cells of the domain, as point data "value"."""
        data = self._cells(self.shape.points, self.shape.simplices)
        data.point_data["value"] = self.values(name, t)
        return data

    def solid(self, name: str, t: float) -> pyvista.DataSet:
        """The same with one point at each place, so that nothing is seen of faces inside a body."""
        first, place = self._joined
        data = self._cells(self.shape.points[first], place[self.shape.simplices])
        data.point_data["value"] = self.values(name, t)[first]
        return data

    def arrows(self, name: str, t: float, across: int = 22) -> tuple[Floats, Floats]:
        """Places, and the mean of a vector around each of them, both (k, 3): one a box of a regular grid."""
        found = self.vectors(name, t)
        middles = self.shape.points[self.shape.simplices].mean(axis=1)
        means = np.zeros((len(middles), 3))
        means[:, : found.shape[1]] = found[self.shape.simplices].mean(axis=1)
        size = float(np.ptp(self.bounds, axis=0).max()) / across
        boxes = np.floor((middles - self.bounds[0]) / size).astype(int)
        _, box, count = np.unique(boxes, axis=0, return_inverse=True, return_counts=True)
        box = box.reshape(-1)
        places, vectors = (
            np.stack([np.bincount(box, part) for part in both.T], axis=1) / count[:, None] for both in (middles, means)
        )
        return places, vectors

    def curve(self, name: str, t: float) -> tuple[Floats, Floats]:
        """A field on a line: places in order and values, both (n,)."""
        order = np.argsort(self.shape.points[:, 0], kind="stable")
        return self.shape.points[order, 0], self.values(name, t)[order]

    @cached_property
    def edges(self) -> pyvista.PolyData:
        """The edges of the cells; of a body those on its skin."""
        ends = self.shape.edges()
        return meshes.wires(self.shape.points, np.stack([ends[:, 0], ends[:, -1]], axis=1))

    @cached_property
    def rims(self) -> dict[int, pyvista.PolyData]:
        """Where the named boundaries end, and their sharp edges, by tag: their whole faces would hide the field."""
        facets, tags = self.shape.skin
        return {int(tag): self._rim(facets[tags == tag], int(tag)) for tag in np.unique(tags[tags > 0])}

    def _rim(self, facets: Whole, tag: int) -> pyvista.PolyData:
        """The rim of some facets of the skin: tubes, that of the first boundary the thickest, or points of a line."""
        if self.shape.dim == 1:
            return pyvista.PolyData(self.shape.points[facets[:, 0]])
        if self.shape.dim == 2:
            return meshes.rim(self.shape, facets)
        first, place = self._joined
        face = pyvista.PolyData.from_regular_faces(self.shape.points[first], place[facets])
        face = face.compute_normals(consistent_normals=True, split_vertices=False)
        edges = face.extract_feature_edges(30, manifold_edges=False, non_manifold_edges=False)
        return edges.tube(radius=(0.0025 + 0.001 / tag) * float(np.linalg.norm(np.ptp(self.bounds, axis=0))))

    @cached_property
    def _joined(self) -> tuple[Whole, Whole]:
        """One point for each place, and the place of each point."""
        _, first, place = np.unique(self.shape.places, return_index=True, return_inverse=True)
        return first, place

    def _cells(self, points: Floats, simplices: Whole) -> pyvista.DataSet:
        """Lines, triangles or tetrahedra."""
        if self.shape.dim == 3:
            tetrahedra = np.insert(simplices, 0, 4, axis=1).ravel()
            return pyvista.UnstructuredGrid(tetrahedra, np.full(len(simplices), pyvista.CellType.TETRA), points)
        if self.shape.dim == 2:
            return pyvista.PolyData.from_regular_faces(points, simplices)
        return pyvista.PolyData(points, lines=np.insert(simplices, 0, 2, axis=1).ravel())

    def _at(self, t: float) -> list[Model]:
        """The models with the state of a saved time; read only if they have another."""
        if self._built is None or self._loaded != t:
            self._loaded = None  # a state that cannot be read leaves none
            self._built = self.results.models(t)
            self._loaded = t
        return self._built


def _one_number(field: Any) -> bool:
    """Whether a field is one number everywhere, such as a voltage that is solved for."""
    if not isinstance(field, fem.Function):
        return False
    space = field.function_space
    return space.dofmap.index_map.size_global * space.dofmap.index_map_bs == 1


def _expression(models: list[Model], name: str, at: Floats) -> fem.Expression:
    """A field, compiled for the points of the reference cell."""
    model = next(model for model in models if name in model.names)
    found = model[name]
    if not extract_domains(found):  # numbers alone, such as no drift: they need a mesh to live on
        found = found + fem.Constant(model.mesh, np.zeros(found.ufl_shape))
    return fem.Expression(found, at)
