"""What can be asked of a finite-element function, on any mesh and any number of ranks: extremes, values, samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from emfem.dimensions import NOT_TOLD, Meaning
from emfem.errors import ParameterError, choice, floats, kind, number
from emfem.mesh import bounds, period

import basix.ufl
import dolfinx
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray
from ufl.domain import extract_domains

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
    """A field that is no number, to try a function of the user with: UFL would look for its value for ever."""

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
        ParameterError: telling the value (of a tensor that of its trace or determinant) and the place.
    """
    scalar = not expression.ufl_shape
    symmetric = None if scalar else ufl.sym(expression)
    for told in (expression,) if scalar else (ufl.tr(symmetric), ufl.det(symmetric)):
        sampled = discontinuous(told * fem.Constant(mesh, 1.0), mesh, 1)
        space = sampled.function_space
        owned = space.dofmap.index_map.size_local
        values, places = sampled.x.array[:owned], space.tabulate_dof_coordinates()[:owned, : mesh.geometry.dim]
        wrong = np.flatnonzero(~(values > 0))[:1]
        found = [pair for part in mesh.comm.allgather([(values[i], places[i]) for i in wrong]) for pair in part]
        if found:
            value, place = found[0]
            msg = f"{name} = {value:g} at ({', '.join(f'{x:.4g}' for x in place)}), must be greater than 0"
            raise ParameterError(msg)


def collective_call(comm: MPI.Comm, action: Callable[[], None]) -> None:
    """Do what may fail on one rank, such as a function of x of the user; if it does, all ranks raise. Collective.

    Raises:
        ParameterError: with the message of the first rank that failed, on ranks where it went well.
    """
    trouble: Exception | None = None
    try:
        action()
    except Exception as error:  # whatever it is, the others must be told before they wait
        trouble = error
    told = [message for message in comm.allgather(str(trouble) if trouble else "") if message]
    if trouble:
        raise trouble
    if told:
        msg = f"{told[0]} (on another rank)"
        raise ParameterError(msg)


def set_initial(target: fem.Function, initial: Any, name: str = "initial") -> None:
    """Give a scalar function its start: a number, a function of x, or a Function on its mesh. Collective.

    Raises:
        ParameterError: if it is something else, lives on another mesh, or is not one number a point.
    """
    space = target.function_space

    def values(x: NDArray[np.float64]) -> NDArray[np.float64]:
        found = floats(f"{name}(x)", initial(x))
        if found.shape not in ((x.shape[1],), (1, x.shape[1])):
            msg = f"{name}(x) of shape {found.shape} for x of shape {x.shape}, must have shape ({x.shape[1]},)"
            raise ParameterError(msg)
        return found.reshape(x.shape[1])

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
    """Lowest and highest nodal value over all ranks; NaN if any value is."""
    owned = function.function_space.dofmap.index_map.size_local * function.function_space.dofmap.index_map_bs
    values = function.x.array[:owned]
    comm = function.function_space.mesh.comm
    parts = comm.allgather((values.min(initial=np.inf), values.max(initial=-np.inf)))  # MPI.MIN would lose a NaN
    return float(np.min([low for low, _ in parts])), float(np.max([high for _, high in parts]))


def integral(form: fem.Form, comm: MPI.Comm) -> float:
    """Value of a functional over all ranks."""
    return comm.allreduce(fem.assemble_scalar(form), op=MPI.SUM)


def discontinuous(field: Any, mesh: dolfinx.mesh.Mesh, degree: int) -> fem.Function:
    """`field`, a Function or a UFL expression, interpolated cell by cell.

    On a periodic mesh a node of the seam has two places; a discontinuous function has one value for each.
    """
    shape = field.ufl_shape
    element = basix.ufl.element("Lagrange", mesh.basix_cell(), degree, shape=shape or None, discontinuous=True)
    space = fem.functionspace(mesh, element)
    result = fem.Function(space, name=getattr(field, "name", "field"))
    if hasattr(field, "meaning"):
        result.meaning = field.meaning
    refresh(result, field)
    return result


def meaning_of(function: fem.Function) -> Meaning:
    """What a Function is: that of a model says it, another one has but its name."""
    return getattr(function, "meaning", Meaning(symbol=function.name, system=NOT_TOLD))


def copied(function: fem.Function) -> fem.Function:
    """A copy of a Function with its name and what it is."""
    copy = function.copy()
    copy.name, copy.meaning = function.name, meaning_of(function)
    return copy


def refresh(target: fem.Function, field: Any) -> None:
    """Interpolate `field`, a Function or a UFL expression, into `target` again."""
    if isinstance(field, fem.Function):
        target.interpolate(field)
    else:
        space = target.function_space
        if not extract_domains(field):  # numbers alone, such as no drift: they need a mesh to live on
            field = field + fem.Constant(space.mesh, np.zeros(field.ufl_shape))
        target.interpolate(fem.Expression(field, space.element.interpolation_points))
    target.x.scatter_forward()


def sampled(field: Any) -> fem.Function:
    """A Function as it is, of a UFL expression its values in each cell, at the degree that UFL estimates for it.

    Exact for polynomials on straight cells up to degree 4, such as the gradient of an unknown. Collective.

    Raises:
        ParameterError: if it is neither, or lives on no mesh or on several.
    """
    if isinstance(field, fem.Function):
        return field
    if isinstance(getattr(field, "meaning", None), Meaning):  # one of `model.fields`, which knows its unit
        found = sampled(field.value).copy()
        found.meaning, found.name = field.meaning, field.meaning.symbol
        return found
    kind("field", field, ufl.core.expr.Expr, 'a Function or a UFL expression, such as film["c"]')
    domains, coefficients = extract_domains(field), ufl.algorithms.extract_coefficients(field)
    if len(domains) != 1:
        msg = f"field = {field}, must live on one mesh, not on {len(domains)}"
        raise ParameterError(msg)
    meshes = [c.function_space.mesh for c in coefficients if isinstance(c, fem.Function)]
    mesh = meshes[0] if meshes else dolfinx.mesh.Mesh(domains[0].ufl_cargo(), domains[0])
    degree = ufl.algorithms.estimate_total_polynomial_degree(field)
    found = discontinuous(field, mesh, int(np.clip(degree, 1, HIGHEST)))
    told = next((c.meaning.system for c in coefficients if hasattr(c, "meaning")), NOT_TOLD)
    found.meaning = Meaning(symbol=found.name, system=told)  # lengths are those of the model; its own unit is not known
    return found


def evaluate(field: Any, points: ArrayLike) -> NDArray[np.float64]:
    """Values at points, the same on all ranks. Collective.

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
    mesh, element = function.function_space.mesh, function.function_space.element.basix_element
    places = floats("points", points)
    if places.ndim != 2 or places.shape[1] != mesh.geometry.dim:
        msg = f"points of shape {places.shape}, must be (n, {mesh.geometry.dim})"
        raise ParameterError(msg)
    padded = np.zeros((len(places), 3))
    padded[:, : places.shape[1]] = places
    values = np.zeros((len(places), int(np.prod(function.ufl_shape, dtype=int))))
    with _about_one_large(mesh) as scale:
        padded *= scale
        which, cells = _found(mesh, padded, every=element.discontinuous and element.degree > 0)
        if len(which):
            np.add.at(values, which, function.eval(padded[which], cells).reshape(len(which), -1))
    number_of = np.bincount(which, minlength=len(places)).astype(float)
    for array in (values, number_of):
        mesh.comm.Allreduce(MPI.IN_PLACE, array, op=MPI.SUM)
    with np.errstate(invalid="ignore"):  # 0 / 0 outside of the mesh
        values /= number_of[:, None]
    return values.reshape(len(places), *function.ufl_shape)


def _found(
    mesh: dolfinx.mesh.Mesh, points: NDArray[np.float64], *, every: bool
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Numbers of points, and cells of this rank that hold them: all that do, or over all ranks one a point."""
    tree = dolfinx.geometry.bb_tree(mesh, mesh.topology.dim)
    candidates = dolfinx.geometry.compute_collisions_points(tree, points)
    colliding = dolfinx.geometry.compute_colliding_cells(mesh, candidates, points)
    which = np.repeat(np.arange(len(points)), np.diff(colliding.offsets))
    owned = colliding.array < mesh.topology.index_map(mesh.topology.dim).size_local
    which, cells = which[owned], colliding.array[owned]
    if every:
        return which, cells
    which, first = np.unique(which, return_index=True)
    rank = np.full(len(points), mesh.comm.size)
    rank[which] = mesh.comm.rank
    mesh.comm.Allreduce(MPI.IN_PLACE, rank, op=MPI.MIN)
    mine = rank[which] == mesh.comm.rank
    return which[mine], cells[first[mine]]


@contextmanager
def _about_one_large(mesh: dolfinx.mesh.Mesh) -> Iterator[float]:
    """Scale the mesh by a power of two, which is told, so that it is about 1 large; and back again.

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


def sample_grid(field: Any, shape: Sequence[int]) -> Grid:
    """A field on a regular grid of `shape` pixels, indexed [ix, iy, ...], of a vector with its components last.

    Args:
        field: a Function or a UFL expression; see `evaluate`.
        shape: pixels along each axis.

    Raises:
        ParameterError: if the shape does not fit the dimension of the mesh.
    """
    function = sampled(field)
    mesh = function.function_space.mesh
    if len(shape) != mesh.geometry.dim:
        msg = f"shape = {tuple(shape)!r}, this mesh has {mesh.geometry.dim} dimensions"
        raise ParameterError(msg)
    lower, upper = bounds(mesh)
    axes = [low + (np.arange(n) + 0.5) * (high - low) / n for low, high, n in zip(lower, upper, shape, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
    values = evaluate(function, points).reshape(*shape, *function.ufl_shape)
    return Grid(values, lower, upper - lower, tuple(bool(p) for p in period(mesh)))


def components(shape: Sequence[int]) -> tuple[str, ...]:
    """Return the choices for the component of a vector of a shape."""
    return (*"xyz"[: shape[0]], "magnitude")


def component_meaning(meaning: Meaning, chosen: str) -> Meaning:
    """Return the meaning of a component, or of the magnitude, of a vector."""
    symbol = meaning.symbol if chosen == "magnitude" else f"{meaning.symbol}_{chosen}"
    return replace(meaning, symbol=symbol, vector=False, label=meaning.label and f"{meaning.label} {chosen}")


def component(field: Any, chosen: str | None) -> fem.Function:
    """One component of a vector, or its magnitude, as a scalar Function; a scalar as it is.

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
    """Refuse what is no Function.

    Raises:
        ParameterError: if it is something else.
    """
    kind("field", function, fem.Function, 'a Function, such as film["c"]')


def gather(function: fem.Function) -> Cells | None:
    """A Lagrange function as VTK cells on rank 0, None elsewhere."""
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
