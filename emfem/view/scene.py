"""Runs as meshes with values, the source of the viewer's pictures; nothing here depends on a browser."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from emfem import fields
from emfem.dimensions import Meaning
from emfem.errors import ParameterError, UnknownName
from emfem.model import Model
from emfem.observe import metal_around
from emfem.plot import rendering
from emfem.plot.simplices import Floats, SimplexMesh, simplex_mesh
from emfem.results import Results
from emfem.view.streams import finite_cells, stream_lines

import dolfinx
import numpy as np
import pandas as pd
import pyvista
from dolfinx import fem
from ufl.domain import extract_domains

CACHED = 256 * 2**20  # bytes of values that stay in memory, for a second look at a time
RARE = (0.01, 0.99)  # values between these shares of a domain are no peaks
SAME = 1e-9  # relative: places, or times, that are one
PLACES = ("s", "x", "y", "z")  # columns that are no values
HALF = 0.5  # metal of a place above which its fields are drawn
MANY = 400_000  # simplices above which cells are not cut finer


class Scene:
    """Geometry of a run, made once, and its fields at the saved times.

    Attributes:
        results: the run.
    """

    def __init__(self, results: Results) -> None:
        """Store a run; nothing is read yet."""
        self.results = results
        self._built: list[Model] | None = None
        self._loaded: float | None = None
        self._expressions: dict[str, fem.Expression] = {}
        self._values: OrderedDict[tuple[str, float], Floats] = OrderedDict()
        self._streams: tuple[tuple[str, float], list[Floats]] | None = None

    @property
    def models(self) -> list[Model]:
        """Models of its case, in the state that was shown last.

        Raises:
            ParameterError: if no state is saved, or the case cannot be built any more.
        """
        return self._at(float(self.times[-1])) if self._built is None else self._built

    @property
    def times(self) -> Floats:
        """Saved times, shape (n,).

        Raises:
            ParameterError: if there is none.
        """
        return self.results.times

    @property
    def time_unit(self) -> str:
        """Unit of its times: "s", or "-" for a case without dimensions."""
        return self.models[-1].system.time

    @cached_property
    def _described(self) -> dict[str, tuple[Meaning, tuple[str, ...]]]:
        """Meaning of each field, and the components of vectors that can be chosen."""
        return {
            name: (field.meaning, fields.components(shape) if field.meaning.vector and len(shape) == 1 else ())
            for model in self.models
            for name, field in model.fields.items()
            for shape in [field.value.ufl_shape]
            if not _one_number(field.value)
        }

    @property
    def fields(self) -> dict[str, Meaning]:
        """Unknowns and derived fields of all models by name; numbers, such as an unknown voltage, are left out."""
        return {name: meaning for name, (meaning, _) in self._described.items()}

    @cached_property
    def shape(self) -> SimplexMesh:
        """Domain as straight simplices; cells of curved fields are cut finer."""
        domain = self.models[-1].domain
        cells = domain.mesh.topology.index_map(domain.mesh.topology.dim).size_local
        degree = max(u.function.function_space.element.basix_element.degree for m in self.models for u in m.unknowns)
        degree = max(degree, domain.mesh.geometry.cmaps[0].degree)
        fine = 1 if degree < 2 or domain.mesh.topology.dim == 3 else degree + 1
        mesh = simplex_mesh(domain, fine if cells * fine**domain.mesh.topology.dim < MANY else 1)
        assert mesh is not None  # a page is served by one rank
        return mesh

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the boundaries; the tag of `names[i]` is i + 1."""
        return self.models[-1].domain.names

    @property
    def kind(self) -> str:
        """Kind of its pictures: a "curve", a "plane", or a "body" in space."""
        return ("curve", "plane", "body")[self.models[-1].domain.dim - 1]

    @cached_property
    def bounds(self) -> Floats:
        """Lowest and highest coordinates, shape (2, 3)."""
        return self.shape.bounds

    def nearest(self, t: float) -> float:
        """Return the last saved time that is not after t; the first one if all are."""
        at = int(np.searchsorted(self.times, t * (1 + 1e-9) if t > 0 else t, side="right")) - 1
        return float(self.times[max(0, at)])

    def vectors(self, name: str, t: float) -> Floats:
        """Return a field at the points of the shape at a saved time, shape (n, components).

        Raises:
            UnknownName: for a field of no model.
        """
        key = (name, t)
        if key not in self._values:
            models = self._at(t)
            if name not in self._expressions:
                self._expressions[name] = _expression(models, name, self.shape.at)
            mesh = models[-1].mesh
            owned = np.arange(mesh.topology.index_map(mesh.topology.dim).size_local, dtype=np.int32)
            self._values[key] = self._expressions[name].eval(mesh, owned).reshape(len(self.shape.points), -1)
            while len(self._values) > 1 and sum(v.nbytes for v in self._values.values()) > CACHED:
                self._values.popitem(last=False)
        self._values.move_to_end(key)
        return self._values[key]

    def marked(self, name: str, t: float, marks: Sequence[Sequence[float]]) -> pd.DataFrame:
        """Return a field at the last of the marks, or along the line between two: `em.fields.probe` and `line_cut`.

        Args:
            name: of the field.
            t: a saved time.
            marks: one or two places, shape (n, 3).

        Raises:
            UnknownName: for a field of no model.
            ParameterError: for two places that are one.
        """
        if name not in self.fields:
            raise UnknownName(name, "this run", self.fields)
        model = next(model for model in self._at(t) if name in model.names)
        dim, places = model.mesh.geometry.dim, np.asarray(marks, dtype=float)
        if places[:, dim:].any():
            msg = f"place = {places[-1].tolist()}, must have {dim} coordinates"
            raise ParameterError(msg)
        places, field = places[:, :dim], model.fields[name]
        field = replace(field, value=_on_mesh(field.value, model.mesh))
        return fields.probe(field, places) if len(places) == 1 else fields.line_cut(field, *places)

    def metal(self, name: str, t: float) -> Floats | None:
        """Return the part of each point that is metal, of a field beside a surface that moves; None for all of it."""
        around = metal_around(self._at(t), name)
        return None if around is None else self.vectors(around, t)[:, 0]

    def components(self, name: str) -> tuple[str, ...]:
        """Return the components of a vector that can be chosen; none of other fields."""
        return self._described[name][1]

    def meaning(self, name: str, component: str = "magnitude") -> Meaning:
        """Return the meaning of a field, or of a component of a vector."""
        whole = self.fields[name]
        chosen = component != "magnitude" and component in self.components(name)
        return fields.component_meaning(whole, component) if chosen else whole

    def values(self, name: str, t: float, component: str = "magnitude") -> Floats:
        """Return a scalar field, a component of a vector, or the length of a vector or tensor, shape (n,)."""
        values = self.vectors(name, t)
        if component != "magnitude" and component in self.components(name):
            return values[:, "xyz".index(component)]
        return np.linalg.norm(values, axis=1) if self.fields[name].vector else values[:, 0]

    def limits(
        self, name: str, t: float | None = None, component: str = "magnitude", *, peaks: bool = True
    ) -> tuple[float, float]:
        """Return the lowest and the highest value.

        Args:
            name: of the field.
            t: a saved time; all of them when left out.
            component: of a vector.
            peaks: False for the values between which 98 % of the domain lies, so that a sharp corner, where a current
                is infinite, does not set the scale.
        """
        if t is None:
            ends = np.array([self.limits(name, float(at), component, peaks=peaks) for at in self.times])
            return float(np.nanmin(ends[:, 0])), float(np.nanmax(ends[:, 1]))
        values, metal = self.values(name, t, component), self.metal(name, t)
        simplices, measures = self.shape.simplices, self.shape.measures
        if metal is not None and (metal > HALF).any():
            within = (metal[simplices] > HALF).any(axis=1)
            values, simplices, measures = np.where(metal > HALF, values, np.nan), simplices[within], measures[within]
        if not peaks:
            means = np.nanmean(values[simplices], axis=1)
            low, high = np.quantile(means, RARE, weights=measures, method="inverted_cdf")
            return float(low), float(high)
        return float(np.nanmin(values)), float(np.nanmax(values))

    def arrows(self, name: str, t: float, across: int = 22) -> tuple[Floats, Floats]:
        """Return places and the mean of a vector around each of them, both (k, 3): one a box of a regular grid."""
        values = self.vectors(name, t)
        middles = self.shape.points[self.shape.simplices].mean(axis=1)
        means = np.zeros((len(middles), 3))
        means[:, : values.shape[1]] = values[self.shape.simplices].mean(axis=1)
        size = float(np.ptp(self.bounds, axis=0).max()) / across
        boxes = np.floor((middles - self.bounds[0]) / size).astype(int)
        _, box, count = np.unique(boxes, axis=0, return_inverse=True, return_counts=True)
        box = box.reshape(-1)
        places, vectors = (
            np.stack([np.bincount(box, part) for part in both.T], axis=1) / count[:, None] for both in (middles, means)
        )
        return places, vectors

    def streams(self, name: str, t: float) -> list[Floats]:
        """Return stream lines of a vector, each of shape (k, 3); none of a field that is no vector of this run."""
        if name not in self.fields or len(self.components(name)) < 2:
            return []
        if self._streams is None or self._streams[0] != (name, t):
            self._streams = ((name, t), stream_lines(self.shape, self.vectors(name, t)))
        return self._streams[1]

    def stream_note(self, name: str, t: float) -> str:
        """Return how many cells stream lines leave out, because a value there is not finite; empty for none."""
        if name not in self.fields or len(self.components(name)) < 2:
            return ""
        vectors = self.vectors(name, t)
        if np.isfinite(vectors).all():
            return ""
        count = len(np.unique(self.shape.cells[~finite_cells(self.shape, vectors)]))
        return f"no stream lines in {count} cell{'s' * (count > 1)}: values are not finite"

    @cached_property
    def edges(self) -> pyvista.PolyData:
        """Edges of the cells; of a body those on its skin."""
        return rendering.lines(self.shape.points, self.shape.edges())

    @cached_property
    def rims(self) -> dict[int, pyvista.PolyData]:
        """Outlines of the named boundaries by tag, of a body thicker for the first; whole faces would hide it."""
        tags = np.unique(self.shape.skin[1])
        radius = {tag: 0.0025 + 0.001 / tag if self.shape.dim == 3 else rendering.RIM for tag in tags[tags > 0]}
        return {int(tag): rendering.rim(self.shape, tag, thick) for tag, thick in radius.items()}

    def _at(self, t: float) -> list[Model]:
        """Return the models with the state of a saved time; read only if they have another."""
        if self._built is None or self._loaded != t:
            self._loaded = None  # a state that cannot be read leaves none
            self._built = self.results.models(t)
            self._loaded = t
        return self._built


class Difference(Scene):
    """Fields of a run less those of another one on the same mesh, at the times of the first.

    Attributes:
        results: the run.
    """

    def __init__(self, scene: Scene, other: Scene) -> None:
        """Store both; the models are those of the first run.

        Raises:
            ParameterError: for runs on different meshes.
        """
        super().__init__(scene.results)
        self._scene, self._other = scene, other
        here, there = scene.shape.points, other.shape.points
        if here.shape != there.shape or not np.allclose(here, there, rtol=0.0, atol=SAME * np.ptp(here)):
            msg = f"{len(here)} and {len(there)} points, must be the same mesh for a difference of two runs"
            raise ParameterError(msg)

    @property
    def models(self) -> list[Model]:
        """Models of the first run."""
        return self._scene.models

    @property
    def shape(self) -> SimplexMesh:
        """Mesh of both."""
        return self._scene.shape

    def vectors(self, name: str, t: float) -> Floats:
        """Return the difference of a field at a time that both saved, shape (n, components).

        Raises:
            UnknownName: for a field that one of them has not.
            ParameterError: for a time that the other run has not saved.
        """
        return self._scene.vectors(name, t) - self._other.vectors(name, self._common(name, t))

    def marked(self, name: str, t: float, marks: Sequence[Sequence[float]]) -> pd.DataFrame:
        """Return the difference of a field at the marks of `Scene.marked`, at a time that both saved.

        Raises:
            UnknownName: for a field that one of them has not.
            ParameterError: for a time that the other run has not saved.
        """
        at = self._common(name, t)
        table, other = self._scene.marked(name, t, marks), self._other.marked(name, at, marks)
        columns = [column for column in table if column not in PLACES]
        table[columns] -= other[columns]
        return table

    def _common(self, name: str, t: float) -> float:
        """Return the time of the other run; the errors are those of `vectors`."""
        if name not in self._other.fields:
            raise UnknownName(name, "the first run", self._other.fields)
        at = self._other.nearest(t)
        if abs(at - t) > SAME * np.abs(self.times).max():
            msg = f"t = {t:g}, must be a time that both runs saved: the nearest before it is {at:g}"
            raise ParameterError(msg)
        return at

    def meaning(self, name: str, component: str = "magnitude") -> Meaning:
        """Return the meaning of the difference, which has a sign unless it is a length."""
        meaning = super().meaning(name, component)
        return replace(meaning, label=f"difference of {meaning.label or name}", signed=not meaning.vector)


def _one_number(field: Any) -> bool:
    """Return True for a field that is one number everywhere, such as an unknown voltage."""
    if not isinstance(field, fem.Function):
        return False
    space = field.function_space
    return space.dofmap.index_map.size_global * space.dofmap.index_map_bs == 1


def _expression(models: list[Model], name: str, at: Floats) -> fem.Expression:
    """Return a field compiled for the points of the reference cell."""
    model = next(model for model in models if name in model.names)
    return fem.Expression(_on_mesh(model[name], model.mesh), at)


def _on_mesh(field: Any, mesh: dolfinx.mesh.Mesh) -> Any:
    """Return a field with a mesh: numbers alone, such as no drift, have none."""
    return field if extract_domains(field) else field + fem.Constant(mesh, np.zeros(field.ufl_shape))
