"""A model: unknowns, one residual, conditions and quantities. It knows no solver, no file and no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, UnknownName, floats, kind, number
from emfem.mesh import Domain
from emfem.spaces import nodes_on

import basix.ufl
import dolfinx
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Unknown:
    """One unknown field of a model.

    Attributes:
        function: its value.
        rate: its time derivative, or None for an unknown that has none (an algebraic one).
        bounds: values it must keep strictly between; a step that leaves them is taken again, smaller.
        scale: a typical value; absolute errors of time steps count in parts of it.
        beyond: what it means if it leaves its bounds, for messages.
    """

    function: fem.Function
    rate: fem.Function | None = None
    bounds: tuple[float, float] = (-np.inf, np.inf)
    scale: float = 1.0
    beyond: str = ""

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.function.name


def evolving(
    name: str,
    space: fem.FunctionSpace,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    scale: float = 1.0,
    beyond: str = "",
) -> Unknown:
    """An unknown whose time derivative is in the residual."""
    return Unknown(fem.Function(space, name=name), fem.Function(space, name=f"rate of {name}"), bounds, scale, beyond)


def algebraic(name: str, space: fem.FunctionSpace) -> Unknown:
    """An unknown fixed at each moment by the others; its function has `known = False` until it is solved for."""
    function = fem.Function(space, name=name)
    function.known = False
    return Unknown(function)


def tests(unknowns: Sequence[Unknown]) -> Sequence[ufl.Argument]:
    """One test function per unknown, of one mixed space."""
    return ufl.TestFunctions(ufl.MixedFunctionSpace(*(u.function.function_space for u in unknowns)))


OfTime = float | Callable[[float], float]


@dataclass(frozen=True)
class Fixed:
    """A boundary value that is held: a number, or a function of time."""

    value: OfTime


@dataclass(frozen=True)
class Flux:
    """A flux through a boundary, positive into the domain: a number, or a function of time."""

    value: OfTime


def fixed(value: OfTime) -> Fixed:
    """Hold the unknown at `value`, a number or a function of time, on the boundary it is given for.

    Raises:
        ParameterError: if the value (that at time 0) is not a finite number.
    """
    return Fixed(of_time("fixed value", value))


def flux(value: OfTime) -> Flux:
    """Pass `value` per unit of boundary and time through the boundary it is given for, positive into the domain.

    Args:
        value: a number, or a function of time.

    Raises:
        ParameterError: if the value (that at time 0) is not a finite number.
    """
    return Flux(of_time("flux", value))


def of_time(name: str, value: OfTime, **limits: Any) -> OfTime:
    """`value` if it is a number inside its limits, or a function of time that is one at time 0.

    Raises:
        ParameterError: if it is not.
    """
    if callable(value):
        try:
            start = value(0.0)
        except TypeError as error:
            msg = f"{name} = {value!r}, must be a number or a function of t alone: {error}"
            raise ParameterError(msg) from error
        number(f"{name} at t = 0", start, **limits)
        return value
    return number(name, value, **limits)


@dataclass(frozen=True, eq=False)
class Driver:
    """A coefficient that follows a function of time."""

    name: str
    constant: fem.Constant
    of_time: Callable[[float], Any]


def coefficient(domain: Domain, name: str, value: Any) -> tuple[fem.Constant, list[Driver]]:
    """A constant of the forms, given by numbers or by a function of time, and what keeps it up to date."""
    constant = fem.Constant(domain.mesh, floats(name, value(0.0) if callable(value) else value))
    return constant, [Driver(name, constant, value)] if callable(value) else []


@dataclass(frozen=True, eq=False)
class Condition:
    """Held values: `dofs` of `unknown` on the boundary `boundary`, owned by this rank, keep the value of `value`."""

    boundary: str
    unknown: Unknown
    dofs: NDArray[np.int32]
    value: fem.Constant

    def apply(self) -> None:
        """Give the unknown the held values. Collective."""
        self.unknown.function.x.array[self.dofs] = float(self.value)
        self.unknown.function.x.scatter_forward()


def held(domain: Domain, unknown: Unknown, on: Mapping[str, Any]) -> tuple[list[Condition], list[Driver]]:
    """The held values of `unknown` among the checked conditions `on` named boundaries, and what moves them."""
    space, conditions, drivers = unknown.function.function_space, [], []
    for name, b in on.items():
        if isinstance(b, Fixed):
            nodes = nodes_on(space, domain.facets.find(domain.tag(name)))
            value, moved = coefficient(domain, f"{unknown.name} on {name!r}", b.value)
            owned = nodes[nodes < space.dofmap.index_map.size_local]
            conditions.append(Condition(name, unknown, owned, value))
            drivers += moved
    return conditions, drivers


def let_in(domain: Domain, on: Mapping[str, Any], v: Any, degree: int) -> tuple[Any, list[Driver]]:
    """The sum over boundaries with a flux g of the integral of g v, to be taken off a residual; and what moves g."""
    total, drivers = 0, []
    for name, b in on.items():
        if isinstance(b, Flux):
            value, moved = coefficient(domain, f"flux on {name!r}", b.value)
            total += value * v * domain.ds(name, degree)
            drivers += moved
    return total, drivers


class Placeholder(fem.Function):
    """A field that another model will give: it stands in forms until `Model.given` puts that field in its place."""


def placeholder(name: str, domain: Domain, shape: tuple[int, ...] = ()) -> Placeholder:
    """A field of a model that does not exist yet, for two models that each need a field of the other.

    Args:
        name: what `Model.given` will call it.
        domain: where.
        shape: () for a scalar, (dim,) for a vector.
    """
    element = basix.ufl.element("Lagrange", domain.mesh.basix_cell(), 1, shape=shape or None)
    return Placeholder(fem.functionspace(domain.mesh, element), name=name)


@dataclass(frozen=True)
class Quantity:
    """A number a model can tell: a UFL functional, or a function that computes it; and its unit.

    Attributes:
        value: the functional or the function.
        unit: for messages and headings.
        of_model: whether the function is one of the model, so that it sees what `Model.given` put in its residual.
    """

    value: ufl.Form | Callable[..., float]
    unit: str = "-"
    of_model: bool = False


class Model:
    """Unknowns u with residual F(t, u, du/dt; v) = 0 for every test function v.

    `model["name"]` is an unknown or a derived field; `model.quantity("name")` is a float, the same on all ranks.

    Attributes:
        name: what it models.
        domain: where.
        unknowns: the fields it solves for.
        residual: the UFL form F, its tests those of `tests(unknowns)`.
        conditions: held boundary values.
        expressions: derived fields, UFL.
        quantities: the numbers it can tell.
        relaxes: whether it has many steady states (one for each amount of solute, say) and wants the one it relaxes to.
        floats: why it has no steady state, one sentence; empty if it may have one.
        t: the time of the present state.
    """

    def __init__(
        self,
        name: str,
        domain: Domain,
        unknowns: Sequence[Unknown],
        residual: ufl.Form,
        *,
        conditions: Sequence[Condition] = (),
        expressions: Mapping[str, Any] | None = None,
        quantities: Mapping[str, Quantity] | None = None,
        drivers: Sequence[Driver] = (),
        relaxes: bool = False,
        floats: str = "",
    ) -> None:
        """Gather the parts; nothing is compiled yet."""
        self.name, self.domain = name, domain
        self.unknowns, self.residual = tuple(unknowns), residual
        self.conditions = tuple(conditions)
        self.expressions = dict(expressions or {})
        self.quantities = dict(quantities or {})
        self.relaxes, self.floats = relaxes, floats
        self._check_meshes()
        self.t = 0.0
        self._drivers = tuple(drivers)
        self._compiled: dict[str, fem.Form] = {}
        for condition in self.conditions:
            condition.apply()

    def _check_meshes(self) -> None:
        """Refuse coefficients of another mesh."""
        for c in self.residual.coefficients():
            if c.function_space.mesh is not self.domain.mesh:
                msg = f"the {self.name} model uses {c.name}, must be a field on its own mesh: that one lives on another"
                raise ParameterError(msg)

    def is_known(self) -> bool:
        """Whether every unknown has been solved for or given."""
        return all(getattr(unknown.function, "known", True) for unknown in self.unknowns)

    @property
    def mesh(self) -> dolfinx.mesh.Mesh:
        """The mesh of its domain."""
        return self.domain.mesh

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fields `model[name]` knows."""
        return (*(u.name for u in self.unknowns), *self.expressions)

    def __getitem__(self, name: str) -> Any:
        """The unknown or derived field `name`.

        Raises:
            UnknownName: if there is none; the message lists the names.
        """
        for unknown in self.unknowns:
            if unknown.name == name:
                return unknown.function
        if name not in self.expressions:
            raise UnknownName(name, f"the {self.name} model", self.names)
        return self.expressions[name]

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the placeholders in its residual."""
        return tuple(sorted(c.name for c in self.residual.coefficients() if isinstance(c, Placeholder)))

    def given(self, **fields: Any) -> Model:
        """The same model, on the same unknowns, with fields of other models in place of its placeholders.

        Args:
            fields: a Function or UFL expression for each placeholder, by its name.

        Raises:
            UnknownName: for a name that no placeholder has.
            ParameterError: for a field of another shape.
        """
        found = {c.name: c for c in self.residual.coefficients() if isinstance(c, Placeholder)}
        for name, field in fields.items():
            if name not in found:
                raise UnknownName(name, f"the {self.name} model, among its placeholders,", found)
            if isinstance(field, Model):
                msg = f"{name} = the {field.name} model, must be one of its fields, such as model[{field.names[0]!r}]"
                raise ParameterError(msg)
            if ufl.as_ufl(field).ufl_shape != found[name].ufl_shape:
                msg = f"{name} of shape {ufl.as_ufl(field).ufl_shape}, must be {found[name].ufl_shape}"
                raise ParameterError(msg)
        put = {found[name]: field for name, field in fields.items()}
        return Model(
            self.name,
            self.domain,
            self.unknowns,
            ufl.replace(self.residual, put),
            conditions=self.conditions,
            expressions={name: ufl.replace(e, put) for name, e in self.expressions.items()},
            quantities={
                name: replace(q, value=ufl.replace(q.value, put)) if isinstance(q.value, ufl.Form) else q
                for name, q in self.quantities.items()
            },
            drivers=self._drivers,
            relaxes=self.relaxes,
            floats=self.floats,
        )

    def quantity(self, name: str) -> float:
        """The number `name` of the present state, reduced over all ranks. Collective.

        Raises:
            UnknownName: if there is none; the message lists the names.
        """
        if name not in self.quantities:
            raise UnknownName(name, f"the {self.name} model", self.quantities)
        value = self.quantities[name].value
        if callable(value) and not isinstance(value, ufl.Form):
            return float(value(self) if self.quantities[name].of_model else value())
        if name not in self._compiled:
            self._compiled[name] = fem.form(value)
        return fields.integral(self._compiled[name], self.mesh.comm)

    def set_time(self, t: float) -> None:
        """Give every coefficient that depends on time its value at t.

        Raises:
            ParameterError: if one is not finite then.
        """
        for driver in self._drivers:
            value = floats(driver.name, driver.of_time(t))
            if not np.isfinite(value).all():
                msg = f"{driver.name} = {value.tolist()} at t = {t:g}, must be finite"
                raise ParameterError(msg)
            driver.constant.value = value

    def trespass(self) -> str | None:
        """Which unknown is not finite or not inside its bounds, the same on all ranks; None if all are."""
        for unknown in self.unknowns:
            low, high = fields.extremes(unknown.function)
            lowest, highest = unknown.bounds
            if not (lowest < low and high < highest):
                told = f"{unknown.name} left its bounds ({lowest:g}, {highest:g})"
                return f"{told}: {unknown.beyond}" if unknown.beyond else told
        return None

    def __str__(self) -> str:
        """The model and what it can tell."""
        return f"{self.name} model: fields {', '.join(self.names)}; quantities {', '.join(self.quantities)}"


def check_boundaries(domain: Domain, on: Mapping[str, Any] | None, allowed: tuple[type, ...]) -> dict[str, Any]:
    """The conditions `on` named boundaries, each of an `allowed` kind.

    Raises:
        UnknownName: for a boundary that does not exist.
        ParameterError: for a condition of another kind.
    """
    if on is not None:
        kind("on", on, Mapping, "a mapping of boundaries to conditions")
    for name, condition in (on or {}).items():
        domain.tag(name)
        if not isinstance(condition, allowed):
            kinds = " or ".join(f"{getattr(each, 'maker', f'em.{each.__name__.lower()}')}(...)" for each in allowed)
            msg = f"on[{name!r}] = {condition!r}, must be {kinds}"
            raise ParameterError(msg)
    return dict(on or {})
