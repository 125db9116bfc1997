"""Values of finite-element functions on any mesh and any number of ranks: extremes, points, lines, grids, cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from emfem.dimensions import UNKNOWN_SYSTEM, Meaning
from emfem.errors import ParameterError, choice, count, floats, kind, number
from emfem.mesh import bounds, period
from emfem.public import dir_of

import basix.ufl
import dolfinx
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray
from ufl.domain import extract_domains

if TYPE_CHECKING:
    import pandas as pd
    import xarray

__all__ = [
    "Cells",
    "Grid",
    "Interpolation",
    "Pixels",
    "Sampler",
    "Symbol",
    "collective_call",
    "component",
    "component_meaning",
    "components",
    "copied",
    "discontinuous",
    "evaluate",
    "extremes",
    "gather",
    "integral",
    "is_function",
    "line_cut",
    "meaning_of",
    "positive",
    "probe",
    "refresh",
    "sample_grid",
    "sampled",
    "set_initial",
    "to_xarray",
]
__dir__ = dir_of(__all__)

HIGHEST = 4  # degree at which expressions are sampled: roots and exponentials are estimated higher than they need


@dataclass(frozen=True)
class Grid:
    """A function sampled at the pixel centres of a regular grid over the box around its mesh; the same on all ranks.

    Attributes:
        values: samples, shape of the grid, of a vector with its components last; NaN outside the mesh.
        lower: lower corner of the box, shape (dim,).
        lengths: edges of the box, shape (dim,).
        periodic: for each axis, whether the mesh continues across it.
    """

    values: NDArray[np.float64]
    lower: NDArray[np.float64]
    lengths: NDArray[np.float64]
    periodic: tuple[bool, ...]


@dataclass(frozen=True)
class Cells:
    """A function as VTK cells, gathered on rank 0.

    Attributes:
        points: node coordinates, shape (n, 3).
        cells: VTK's flat cell array.
        types: VTK cell types.
        values: nodal values, shape (n,) or (n, components).
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    types: NDArray[np.uint8]
    values: NDArray[np.float64]


class Symbol(fem.Function):
    """A field that is no number, to try a function of the user with: UFL would search for its value endlessly."""

    def __float__(self) -> float:
        """Refuse."""
        return self.evaluate()

    def evaluate(self, *_: Any, **__: Any) -> float:
        """Refuse: math.log(c / 2) asks for a number here."""
        msg = "it is a UFL expression, not a number"
        raise TypeError(msg)


def positive(name: str, expression: Any, mesh: dolfinx.mesh.Mesh) -> None:
    """Refuse UFL, a scalar or a square tensor, that is not positive somewhere, as things are now. Collective.

    Raises:
        ParameterError: with the value (of a tensor that of its trace or determinant) and the place.
    """
    scalar = not expression.ufl_shape
    symmetric = None if scalar else ufl.sym(expression)
    for part in (expression,) if scalar else (ufl.tr(symmetric), ufl.det(symmetric)):
        sampled = discontinuous(part * fem.Constant(mesh, 1.0), mesh, 1)
        space = sampled.function_space
        owned = space.dofmap.index_map.size_local
        values, places = sampled.x.array[:owned], space.tabulate_dof_coordinates()[:owned, : mesh.geometry.dim]
        wrong = np.flatnonzero(~(values > 0))[:1]
        violations = [pair for pairs in mesh.comm.allgather([(values[i], places[i]) for i in wrong]) for pair in pairs]
        if violations:
            value, place = violations[0]
            msg = f"{name} = {value:g} at ({', '.join(f'{x:.4g}' for x in place)}), must be greater than 0"
            raise ParameterError(msg)


def collective_call(comm: MPI.Comm, action: Callable[[], None]) -> None:
    """Call `action`, which may fail on one rank, such as a function of x of the user; then all ranks raise. Collective.

    Raises:
        ParameterError: with the message of the first rank that failed, on ranks where the call succeeded.
    """
    trouble: Exception | None = None
    try:
        action()
    except Exception as error:  # whatever it is, the other ranks must know before they wait
        trouble = error
    messages = [message for message in comm.allgather(str(trouble) if trouble else "") if message]
    if trouble:
        raise trouble
    if messages:
        msg = f"{messages[0]} (on another rank)"
        raise ParameterError(msg)


def set_initial(target: fem.Function, initial: Any, name: str = "initial") -> None:
    """Give a scalar function its start: a number, a function of x, or a Function on its mesh. Collective.

    Raises:
        ParameterError: if it is something else, lives on another mesh, or is not one number a point.
    """
    space = target.function_space

    def values(x: NDArray[np.float64]) -> NDArray[np.float64]:
        result = floats(f"{name}(x)", initial(x))
        if result.shape not in ((x.shape[1],), (1, x.shape[1])):
            msg = f"{name}(x) of shape {result.shape} for x of shape {x.shape}, must have shape ({x.shape[1]},)"
            raise ParameterError(msg)
        return result.reshape(x.shape[1])

    if isinstance(initial, fem.Function):
        if initial.function_space.mesh is not space.mesh or initial.ufl_shape != ():
            msg = f"{name} = {initial.name}, must be a scalar Function on the mesh of this domain"
            raise ParameterError(msg)
        target.interpolate(initial)
    elif callable(initial):
        collective_call(space.mesh.comm, lambda: target.interpolate(values))
    else:
        target.x.array[:] = number(name, initial)
    target.x.scatter_forward()


def extremes(function: fem.Function) -> tuple[float, float]:
    """Return the lowest and highest nodal value over all ranks; NaN if any value is."""
    owned = function.function_space.dofmap.index_map.size_local * function.function_space.dofmap.index_map_bs
    values = function.x.array[:owned]
    comm = function.function_space.mesh.comm
    parts = comm.allgather((values.min(initial=np.inf), values.max(initial=-np.inf)))  # MPI.MIN would lose a NaN
    return float(np.min([low for low, _ in parts])), float(np.max([high for _, high in parts]))


def integral(form: fem.Form, comm: MPI.Comm) -> float:
    """Return the value of a functional over all ranks."""
    return comm.allreduce(fem.assemble_scalar(form), op=MPI.SUM)


class Interpolation:
    """A field, a Function or a UFL expression, interpolated cell by cell, again and again; compiled once.

    On a periodic mesh a node of the seam has two places; a discontinuous function has one value for each.

    Attributes:
        function: the values.
    """

    def __init__(
        self,
        field: Any,
        mesh: dolfinx.mesh.Mesh,
        degree: int,
        variant: basix.LagrangeVariant = basix.LagrangeVariant.gll_warped,
    ) -> None:
        """Interpolate it for the first time, by a polynomial of this degree in each cell with these nodes."""
        shape = field.ufl_shape or None
        element = basix.ufl.element("Lagrange", mesh.basix_cell(), degree, variant, shape=shape, discontinuous=True)
        self.function = fem.Function(fem.functionspace(mesh, element), name=getattr(field, "name", "field"))
        if hasattr(field, "meaning"):
            self.function.meaning = field.meaning
        self._source = field if isinstance(field, fem.Function) else _expression(field, self.function.function_space)
        self.refresh()

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Interpolation of {self.function.name}>"

    def refresh(self) -> None:
        """Interpolate the field as it is now."""
        self.function.interpolate(self._source)
        self.function.x.scatter_forward()


def discontinuous(field: Any, mesh: dolfinx.mesh.Mesh, degree: int) -> fem.Function:
    """Return `field`, a Function or a UFL expression, interpolated cell by cell."""
    return Interpolation(field, mesh, degree).function


def meaning_of(function: fem.Function) -> Meaning:
    """Return unit, label and sign of a Function: that of a model has them, another one has but its name."""
    return getattr(function, "meaning", Meaning(symbol=function.name, system=UNKNOWN_SYSTEM))


def copied(function: fem.Function) -> fem.Function:
    """Return a copy of a Function with its name and meaning."""
    copy = function.copy()
    copy.name, copy.meaning = function.name, meaning_of(function)
    return copy


def refresh(target: fem.Function, field: Any) -> None:
    """Interpolate `field`, a Function or a UFL expression, into `target` again."""
    target.interpolate(field if isinstance(field, fem.Function) else _expression(field, target.function_space))
    target.x.scatter_forward()


def _expression(field: Any, space: fem.FunctionSpace) -> fem.Expression:
    """Return a UFL expression at the interpolation points of a space."""
    if not extract_domains(field):  # numbers alone, such as no drift: they need a mesh
        field = field + fem.Constant(space.mesh, np.zeros(field.ufl_shape))
    return fem.Expression(field, space.element.interpolation_points)


def sampled(field: Any) -> fem.Function:
    """Return a Function as it is, of a UFL expression its values in each cell, at the degree that UFL estimates for it.

    Exact for polynomials on straight cells up to degree 4, such as the gradient of an unknown. Collective.

    Raises:
        ParameterError: if it is neither, or lives on no mesh or on several.
    """
    if isinstance(field, fem.Function):
        return field
    if isinstance(getattr(field, "meaning", None), Meaning):  # one of `model.fields`, which has a unit
        result = sampled(field.value).copy()
        result.meaning, result.name = field.meaning, field.meaning.symbol
        return result
    kind("field", field, ufl.core.expr.Expr, 'a Function or a UFL expression, such as film["c"]')
    domains, coefficients = extract_domains(field), ufl.algorithms.extract_coefficients(field)
    if len(domains) != 1:
        msg = f"field = {field}, must be on one mesh, not on {len(domains)}"
        raise ParameterError(msg)
    meshes = [c.function_space.mesh for c in coefficients if isinstance(c, fem.Function)]
    mesh = meshes[0] if meshes else dolfinx.mesh.Mesh(domains[0].ufl_cargo(), domains[0])
    degree = ufl.algorithms.estimate_total_polynomial_degree(field)
    result = discontinuous(field, mesh, int(np.clip(degree, 1, HIGHEST)))
    system = next((c.meaning.system for c in coefficients if hasattr(c, "meaning")), UNKNOWN_SYSTEM)
    result.meaning = Meaning(
        symbol=result.name, system=system
    )  # lengths are those of the model; its own unit is not known
    return result


def evaluate(field: Any, points: ArrayLike) -> NDArray[np.float64]:
    """Return values at points, the same on all ranks. Collective.

    Where a field jumps between cells, as a gradient does, the value is the mean of those of the cells that meet there.

    Args:
        field: a Function or a UFL expression, scalar, vector or tensor; see `sampled`.
        points: shape (n, dim) with the dim of the mesh, on every rank the same.

    Returns:
        shape (n,), of a vector (n, components); NaN where a point lies outside the mesh.

    Raises:
        ParameterError: if the points have another shape, or the field is none.
    """
    function = sampled(field)
    return Sampler(function.function_space.mesh, points).values(function)


class Sampler:
    """Points of a mesh whose cells are searched once; values there of any function on the mesh, again and again."""

    def __init__(self, mesh: dolfinx.mesh.Mesh, points: ArrayLike) -> None:
        """Find the cells of points of shape (n, dim), the same on all ranks. Collective.

        Raises:
            ParameterError: if the points have another shape.
        """
        self.mesh, self.points = mesh, floats("points", points)
        dim = mesh.geometry.dim
        if self.points.ndim != 2 or self.points.shape[1] != dim:
            msg = f"points of shape {self.points.shape}, must be (n, {dim})"
            raise ParameterError(msg)
        self._padded = np.zeros((len(self.points), 3))
        self._padded[:, :dim] = self.points
        with _about_one_large(mesh) as scale:
            tree = dolfinx.geometry.bb_tree(mesh, mesh.topology.dim)
            candidates = dolfinx.geometry.compute_collisions_points(tree, self._padded * scale)
            colliding = dolfinx.geometry.compute_colliding_cells(mesh, candidates, self._padded * scale)
        which = np.repeat(np.arange(len(self.points)), np.diff(colliding.offsets))
        owned = colliding.array < mesh.topology.index_map(mesh.topology.dim).size_local
        self._all = which[owned], colliding.array[owned]  # all cells of this rank that hold a point
        number = mesh.topology.original_cell_index[self._all[1]]  # the same on any number of ranks
        lowest = np.full(len(self.points), np.iinfo(np.int64).max)
        np.minimum.at(lowest, self._all[0], number)
        mesh.comm.Allreduce(MPI.IN_PLACE, lowest, op=MPI.MIN)
        mine = number == lowest[self._all[0]]
        self._one = self._all[0][mine], self._all[1][mine]  # over all ranks one cell a point

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{type(self).__name__} of {len(self.points)} points>"

    def values(self, function: fem.Function) -> NDArray[np.float64]:
        """Return values as `evaluate` does. Collective."""
        element = function.function_space.element.basix_element
        which, cells = self._all if element.discontinuous and element.degree > 0 else self._one
        values = np.zeros((len(self.points), int(np.prod(function.ufl_shape, dtype=int))))
        with _about_one_large(self.mesh) as scale:
            if len(which):
                np.add.at(values, which, function.eval(self._padded[which] * scale, cells).reshape(len(which), -1))
        number_of = np.bincount(which, minlength=len(values)).astype(float)
        for array in (values, number_of):
            self.mesh.comm.Allreduce(MPI.IN_PLACE, array, op=MPI.SUM)
        with np.errstate(invalid="ignore"):  # 0 / 0 outside of the mesh
            values /= number_of[:, None]
        return values.reshape(len(values), *function.ufl_shape)


@contextmanager
def _about_one_large(mesh: dolfinx.mesh.Mesh) -> Iterator[float]:
    """Scale the mesh by a power of two, so that it is about 1 large, and back again; yield the factor.

    DOLFINx finds cells to an absolute tolerance: in a mesh of micrometres it takes a neighbour for the cell.
    """
    lower, upper = bounds(mesh)
    scale = 2.0 ** -np.round(np.log2((upper - lower).max()))
    x = mesh.geometry.x
    x *= scale
    try:
        yield float(scale)
    finally:
        x /= scale


class Pixels(Sampler):
    """The pixel centres of a regular grid over the box around a mesh, indexed [ix, iy, ...].

    Attributes:
        axes: coordinates of the pixels along each axis.
        spacing: their distance along each axis, shape (dim,).
    """

    def __init__(self, mesh: dolfinx.mesh.Mesh, shape: Sequence[int]) -> None:
        """Lay a grid of `shape` pixels over the mesh. Collective.

        Raises:
            ParameterError: if the shape does not fit the dimension of the mesh.
        """
        if np.ndim(shape) != 1 or len(shape) != mesh.geometry.dim:
            msg = f"shape = {shape!r}, this mesh has {mesh.geometry.dim} dimensions"
            raise ParameterError(msg)
        self.shape = tuple(shape)
        self._lower, upper = bounds(mesh)
        self._lengths = upper - self._lower
        self.spacing = self._lengths / np.array(shape)
        self.axes = [low + (np.arange(n) + 0.5) * h for low, n, h in zip(self._lower, shape, self.spacing, strict=True)]
        super().__init__(mesh, np.stack(np.meshgrid(*self.axes, indexing="ij"), axis=-1).reshape(-1, len(shape)))

    def sample(self, function: fem.Function) -> Grid:
        """Return a function at the pixels. Collective."""
        values = self.values(function).reshape(*self.shape, *function.ufl_shape)
        return Grid(values, self._lower, self._lengths, tuple(bool(p) for p in period(self.mesh)))


def sample_grid(field: Any, shape: Sequence[int]) -> Grid:
    """Return a field on a regular grid of `shape` pixels, indexed [ix, iy, ...], of a vector its components last.

    Args:
        field: a Function or a UFL expression; see `evaluate`.
        shape: pixels along each axis.

    Raises:
        ParameterError: if the shape does not fit the dimension of the mesh.
    """
    function = sampled(field)
    return Pixels(function.function_space.mesh, shape).sample(function)


def to_xarray(field: Any, shape: Sequence[int]) -> xarray.DataArray:
    """Return a field on a regular grid as a labelled array: axes x, y, z and `component`, with units. Collective.

    Args:
        field: a Function, a UFL expression or one of `model.fields`.
        shape: pixels along each axis.

    Raises:
        ParameterError: if the shape does not fit the dimension of the mesh.
    """
    import xarray  # slow to import, and most runs have no labelled arrays

    function = sampled(field)
    pixels, meaning = Pixels(function.function_space.mesh, shape), meaning_of(function)
    coordinates: dict[str, Any] = {
        axis: (axis, places, {"units": meaning.system.length}) for axis, places in zip("xyz", pixels.axes, strict=False)
    }
    suffixes = _components(function)
    if len(suffixes) > 1:
        coordinates["component"] = [suffix.removeprefix("_") for suffix in suffixes]
    values = pixels.sample(function).values.reshape(*shape, *([len(suffixes)] if len(suffixes) > 1 else ()))
    attributes = {"units": meaning.unit, "long_name": meaning.label or meaning.symbol}
    return xarray.DataArray(values, coordinates, tuple(coordinates), meaning.symbol, attributes)


def probe(field: Any, points: ArrayLike) -> pd.DataFrame:
    """Return a table of points and the values there, one row a point; `.attrs["units"]` by column. Collective.

    Args:
        field: a Function, a UFL expression or one of `model.fields`; of a vector each component has a column.
        points: shape (n, dim), on every rank the same; values outside of the mesh are NaN.

    Raises:
        ParameterError: if the points have another shape, or the field is none.
    """
    import pandas as pd  # half a second that most runs can do without

    function = sampled(field)
    values, meaning, places = evaluate(function, points), meaning_of(function), floats("points", points)
    columns = dict(zip("xyz", places.T, strict=False))
    units = dict.fromkeys(columns, meaning.system.length)
    suffixes = _components(function)
    for suffix, part in zip(suffixes, values.reshape(-1, len(suffixes)).T, strict=True):
        columns[meaning.symbol + suffix] = part
        units[meaning.symbol + suffix] = meaning.unit
    table = pd.DataFrame(columns)
    table.attrs["units"] = units
    return table


def line_cut(field: Any, a: ArrayLike, b: ArrayLike, n: int = 200) -> pd.DataFrame:
    """Return a table of values at n points, equally far apart, from a to b: `probe` with the distance "s" from a.

    Args:
        field: as in `probe`.
        a: where the line begins, shape (dim,), or a number in one dimension.
        b: where it ends.
        n: number of points, at least 2.

    Raises:
        ParameterError: for ends of another shape, or the same ends; for fewer points.
    """
    ends = floats("a", np.atleast_1d(floats("a", a))), floats("b", np.atleast_1d(floats("b", b)))
    span = ends[1] - ends[0] if ends[0].shape == ends[1].shape else np.zeros(0)
    if ends[0].ndim != 1 or not np.linalg.norm(span) > 0:
        msg = f"a = {ends[0].tolist()} and b = {ends[1].tolist()}, must be two different points"
        raise ParameterError(msg)
    parts = np.linspace(0.0, 1.0, count("n", n, at_least=2))
    table = probe(field, ends[0] + parts[:, None] * span)
    units = table.attrs["units"]
    table.insert(0, "s", parts * np.linalg.norm(span))
    table.attrs["units"] = {"s": units["x"], **units}
    return table


def _components(function: fem.Function) -> list[str]:
    """Return suffixes of the components of a field: "_x", "_xy"; an empty one for a scalar."""
    return ["_" * bool(i) + "".join("xyz"[j] for j in i) for i in np.ndindex(function.ufl_shape)]


def components(shape: Sequence[int]) -> tuple[str, ...]:
    """Return the choices for the component of a vector of a shape."""
    return (*"xyz"[: shape[0]], "magnitude")


def component_meaning(meaning: Meaning, chosen: str) -> Meaning:
    """Return the meaning of a component, or of the magnitude, of a vector."""
    symbol = meaning.symbol if chosen == "magnitude" else f"{meaning.symbol}_{chosen}"
    return replace(meaning, symbol=symbol, vector=False, label=meaning.label and f"{meaning.label} {chosen}")


def component(field: Any, chosen: str | None) -> fem.Function:
    """Return one component of a vector, or its magnitude, as a scalar Function; a scalar as it is.

    Args:
        field: a Function or a UFL expression.
        chosen: "x", "y", "z" or "magnitude"; None for a scalar.

    Raises:
        UnknownName: for a component that the vector has not; the message lists those that it has.
        ParameterError: for a component of a scalar, a vector without one, or a tensor.
    """
    function = sampled(field)
    name = "field" if isinstance(field, ufl.core.expr.Expr) and not isinstance(field, fem.Function) else function.name
    shape = function.ufl_shape
    if shape == () and chosen is None:
        return function
    if len(shape) != 1:
        msg = f"component = {chosen!r} of field {name!r} of shape {shape}, must be that of a vector"
        raise ParameterError(msg)
    known = components(shape)
    if chosen is None:
        msg = (
            f"field {name!r} of shape {shape}, must be a scalar or come with component={' or '.join(map(repr, known))}"
        )
        raise ParameterError(msg)
    choice(f"field {name!r}", chosen, known)
    part = ufl.sqrt(ufl.inner(function, function)) if chosen == "magnitude" else function[known.index(chosen)]
    made = discontinuous(part, function.function_space.mesh, function.function_space.element.basix_element.degree)
    made.name = name if chosen == "magnitude" else f"{name}_{chosen}"
    made.meaning = replace(component_meaning(meaning_of(function), chosen), symbol=made.name)
    return made


def is_function(function: Any) -> None:
    """Refuse anything but a Function.

    Raises:
        ParameterError: if it is something else.
    """
    kind("field", function, fem.Function, 'a Function, such as film["c"]')


def gather(function: fem.Function) -> Cells | None:
    """Return a Lagrange function as VTK cells on rank 0, None elsewhere."""
    space = function.function_space
    mesh = space.mesh
    several = any(period(mesh)) or getattr(space, "tied", False)  # nodes that are in several places at once
    if several and not space.element.basix_element.discontinuous:
        function = discontinuous(function, mesh, space.element.basix_element.degree)
        space = function.function_space
    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    cells, types, points = dolfinx.plot.vtk_mesh(space, np.arange(owned, dtype=np.int32))
    width = space.dofmap.index_map_bs
    values = function.x.array.reshape(-1, width)[: len(points)]
    cells = cells.reshape(owned, len(cells) // max(owned, 1))  # a rank may own none
    parts = mesh.comm.gather((points, cells, types, values), root=0)
    if parts is None:
        return None
    offsets = np.cumsum([0] + [len(part[0]) for part in parts[:-1]])
    shifted = []
    for part, offset in zip(parts, offsets, strict=True):
        moved = part[1].astype(np.int64)
        moved[:, 1:] += offset
        shifted.append(moved.reshape(-1))
    stacked = np.concatenate([part[3] for part in parts])
    return Cells(
        np.concatenate([part[0] for part in parts]),
        np.concatenate(shifted),
        np.concatenate([part[2] for part in parts]),
        stacked[:, 0] if width == 1 else stacked,
    )
