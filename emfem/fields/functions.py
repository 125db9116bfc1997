"""Functions on meshes: their start, extremes, integrals, interpolation, components, and their values as VTK cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from emfem.dimensions import UNKNOWN_SYSTEM, Meaning
from emfem.errors import ParameterError, choice, count, floats, kind, number, require, shown
from emfem.gate import checked, collective
from emfem.mesh import period

import basix.ufl
import dolfinx
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from ufl.domain import extract_domains

HIGHEST = 4  # degree at which expressions are sampled: roots and exponentials are estimated higher than they need
MOST_DEGREE = 30  # of Basix


@checked
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


@checked
def positive(name: str, expression: ufl.core.expr.Expr, mesh: dolfinx.mesh.Mesh) -> None:
    """Refuse UFL, a scalar or a square tensor, that is not positive somewhere, as things are now. Collective.

    Raises:
        ParameterError: with the value (of a tensor that of its trace or determinant) and the place; for another shape.
    """
    shape = expression.ufl_shape
    require(shape == () or (len(shape) == 2 and shape[0] == shape[1]), f"{name} of shape {shape}, must be square")
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


@checked
def set_initial(target: fem.Function, initial: Any, name: str = "initial") -> None:
    """Give a scalar function its start: a number, a function of x, or a Function on its mesh. Collective.

    Raises:
        ParameterError: if it is something else, lives on another mesh, or is not one number a point.
    """
    space = target.function_space

    def values(x: NDArray[np.float64]) -> NDArray[np.float64]:
        try:
            result = floats(f"{name}(x)", initial(x))
        except ParameterError:
            raise
        except (TypeError, ValueError) as error:
            msg = f"{name} = {shown(initial)}, must be a function of x with shape (3, n) alone: {error}"
            raise ParameterError(msg) from error
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
        with collective(space.mesh.comm):  # a function of the user may fail on one rank only
            target.interpolate(values)
    else:
        target.x.array[:] = number(name, initial)
    target.x.scatter_forward()


@checked
def extremes(function: fem.Function, within: fem.Function | None = None) -> tuple[float, float]:
    """Return the lowest and highest nodal value over all ranks; NaN if any value is.

    With `within`, of the same space, only nodes count where it is above 1/2; infinity and -infinity without any.
    """
    owned = function.function_space.dofmap.index_map.size_local * function.function_space.dofmap.index_map_bs
    values = function.x.array[:owned]
    if within is not None:
        values = values[within.x.array[:owned] > 0.5]
    comm = function.function_space.mesh.comm
    parts = comm.allgather((values.min(initial=np.inf), values.max(initial=-np.inf)))  # MPI.MIN would lose a NaN
    return float(np.min([low for low, _ in parts])), float(np.max([high for _, high in parts]))


@checked
def farthest_out(
    function: fem.Function, lowest: float, highest: float, within: fem.Function | None = None
) -> tuple[float, NDArray[np.float64] | None]:
    """Return the nodal value farthest beyond bounds, first of all one that is not finite, with its place. Collective.

    With `within` as in `extremes`.

    Returns:
        The value, and coordinates of shape (dim,); None of a function that is one number on the whole mesh.
    """
    space = function.function_space
    nodes, block = space.dofmap.index_map.size_local, space.dofmap.index_map_bs
    values = function.x.array[: nodes * block]
    finite = np.isfinite(values)
    beyond = np.full(len(values), np.inf)
    beyond[finite] = np.maximum(lowest - values[finite], values[finite] - highest)
    if within is not None:
        beyond[within.x.array[: len(values)] <= 0.5] = -np.inf
    placed = space.dofmap.index_map.size_global > 1
    mine: tuple[float, float, NDArray[np.float64] | None] = (-np.inf, np.nan, None)
    if len(values):
        worst = int(beyond.argmax())
        place = space.tabulate_dof_coordinates()[worst // block, : space.mesh.geometry.dim] if placed else None
        mine = (float(beyond[worst]), float(values[worst]), place)
    _, value, where = max(space.mesh.comm.allgather(mine), key=lambda part: part[0])
    return value, where


@checked
def integral(form: fem.Form, comm: MPI.Comm) -> float:
    """Return the value of a functional over all ranks."""
    return comm.allreduce(fem.assemble_scalar(form), op=MPI.SUM)


@checked
class Interpolation:
    """A field, a Function or a UFL expression, interpolated cell by cell, again and again; compiled once.

    On a periodic mesh a node of the seam has two places; a discontinuous function has one value for each.

    Attributes:
        function: the values.
    """

    def __init__(
        self,
        field: ufl.core.expr.Expr,
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


@checked
def discontinuous(field: ufl.core.expr.Expr, mesh: dolfinx.mesh.Mesh, degree: int) -> fem.Function:
    """Return `field`, a Function or a UFL expression, interpolated cell by cell.

    Raises:
        ParameterError: for a degree below 0, or above the highest that there are elements of.
    """
    return Interpolation(field, mesh, count("degree", degree, at_least=0, at_most=MOST_DEGREE)).function


@checked
def meaning_of(function: fem.Function) -> Meaning:
    """Return unit, label and sign of a Function: that of a model has them, another one has but its name."""
    return getattr(function, "meaning", Meaning(symbol=function.name, system=UNKNOWN_SYSTEM))


@checked
def copied(function: fem.Function) -> fem.Function:
    """Return a copy of a Function with its name and meaning."""
    copy = function.copy()
    copy.name, copy.meaning = function.name, meaning_of(function)
    return copy


@checked
def refresh(target: fem.Function, field: ufl.core.expr.Expr) -> None:
    """Interpolate `field`, a Function or a UFL expression, into `target` again."""
    target.interpolate(field if isinstance(field, fem.Function) else _expression(field, target.function_space))
    target.x.scatter_forward()


def _expression(field: Any, space: fem.FunctionSpace) -> fem.Expression:
    """Return a UFL expression at the interpolation points of a space.

    Raises:
        ParameterError: if it depends on a test or trial function.
    """
    if ufl.algorithms.extract_arguments(field):
        msg = f"field = {shown(field)}, must be known: it depends on a test or trial function"
        raise ParameterError(msg)
    if not extract_domains(field):  # numbers alone, such as no drift: they need a mesh
        field = field + fem.Constant(space.mesh, np.zeros(field.ufl_shape))
    return fem.Expression(field, space.element.interpolation_points)


@checked
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
    result.meaning = Meaning(symbol=result.name, system=system)  # the unit of lengths is known, its own is not
    return result


@checked
def components(shape: Sequence[int]) -> tuple[str, ...]:
    """Return the choices for the component of a vector of a shape.

    Raises:
        ParameterError: for the shape of a scalar.
    """
    require(len(shape) > 0, "shape = (), must be that of a vector")
    return (*"xyz"[: int(shape[0])], "magnitude")


@checked
def component_meaning(meaning: Meaning, chosen: str) -> Meaning:
    """Return the meaning of a component, or of the magnitude, of a vector."""
    symbol = meaning.symbol if chosen == "magnitude" else f"{meaning.symbol}_{chosen}"
    return replace(meaning, symbol=symbol, vector=False, label=meaning.label and f"{meaning.label} {chosen}")


@checked
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


@checked
def is_function(function: Any) -> None:
    """Refuse anything but a Function.

    Raises:
        ParameterError: if it is something else.
    """
    kind("field", function, fem.Function, 'a Function, such as film["c"]')


@checked
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
