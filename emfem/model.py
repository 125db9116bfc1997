"""A model: unknowns, one residual, conditions and quantities. It knows no solver, no file and no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, UnknownName, floats, number
from emfem.mesh import Domain

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
    """

    function: fem.Function
    rate: fem.Function | None = None
    bounds: tuple[float, float] = (-np.inf, np.inf)

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.function.name


def evolving(name: str, space: fem.FunctionSpace, bounds: tuple[float, float] = (-np.inf, np.inf)) -> Unknown:
    """An unknown whose time derivative is in the residual."""
    return Unknown(fem.Function(space, name=name), fem.Function(space, name=f"rate of {name}"), bounds)


def algebraic(name: str, space: fem.FunctionSpace) -> Unknown:
    """An unknown fixed at each moment by the others."""
    return Unknown(fem.Function(space, name=name))


def tests(unknowns: Sequence[Unknown]) -> Sequence[ufl.Argument]:
    """One test function per unknown, of one mixed space."""
    return ufl.TestFunctions(ufl.MixedFunctionSpace(*(u.function.function_space for u in unknowns)))


@dataclass(frozen=True)
class Fixed:
    """A boundary value that is held."""

    value: float


@dataclass(frozen=True)
class Flux:
    """A flux through a boundary, positive into the domain."""

    value: float


def fixed(value: float) -> Fixed:
    """Hold the unknown at `value` on the boundary it is given for.

    Raises:
        ParameterError: if the value is not a finite number.
    """
    return Fixed(number("fixed value", value))


def flux(value: float) -> Flux:
    """Pass `value` per unit of boundary and time through the boundary it is given for, positive into the domain.

    Raises:
        ParameterError: if the value is not a finite number.
    """
    return Flux(number("flux", value))


@dataclass(frozen=True, eq=False)
class Condition:
    """Held values: `dofs` of `unknown` on the boundary `boundary`, owned by this rank, keep `value`."""

    boundary: str
    unknown: Unknown
    dofs: NDArray[np.int32]
    value: float


def hold(domain: Domain, unknown: Unknown, name: str, value: float) -> Condition:
    """Hold `unknown` at `value` on the boundary `name`."""
    space = unknown.function.function_space
    facets = domain.facets.find(domain.tag(name))
    found = fem.locate_dofs_topological(space, domain.mesh.topology.dim - 1, facets)
    return Condition(name, unknown, found[found < space.dofmap.index_map.size_local], value)


def held(domain: Domain, unknown: Unknown, on: Mapping[str, Any]) -> list[Condition]:
    """The held values of `unknown` among the checked conditions `on` named boundaries."""
    return [hold(domain, unknown, name, b.value) for name, b in on.items() if isinstance(b, Fixed)]


def let_in(domain: Domain, on: Mapping[str, Any], v: Any, degree: int) -> Any:
    """The sum over boundaries with a flux g of the integral of g v: what comes in, to be taken off a residual."""
    passed = ((name, b) for name, b in on.items() if isinstance(b, Flux))
    return sum(fem.Constant(domain.mesh, b.value) * v * domain.ds(name, degree) for name, b in passed)


@dataclass(frozen=True)
class Quantity:
    """A number a model can tell: a UFL functional, or a function that computes it; and its unit."""

    value: ufl.Form | Callable[[], float]
    unit: str = "-"


@dataclass(frozen=True, eq=False)
class Driver:
    """A coefficient that follows a function of time."""

    name: str
    constant: fem.Constant
    of_time: Callable[[float], Any]


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
    ) -> None:
        """Gather the parts; nothing is compiled yet."""
        self.name, self.domain = name, domain
        self.unknowns, self.residual = tuple(unknowns), residual
        self.conditions = tuple(conditions)
        self.expressions = dict(expressions or {})
        self.quantities = dict(quantities or {})
        self.relaxes = relaxes
        self.t = 0.0
        self._drivers = tuple(drivers)
        self._compiled: dict[str, fem.Form] = {}
        for condition in self.conditions:
            condition.unknown.function.x.array[condition.dofs] = condition.value
            condition.unknown.function.x.scatter_forward()

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

    def quantity(self, name: str) -> float:
        """The number `name` of the present state, reduced over all ranks. Collective.

        Raises:
            UnknownName: if there is none; the message lists the names.
        """
        if name not in self.quantities:
            raise UnknownName(name, f"the {self.name} model", self.quantities)
        value = self.quantities[name].value
        if callable(value) and not isinstance(value, ufl.Form):
            return float(value())
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
                return f"{unknown.name} left its bounds ({lowest:g}, {highest:g})"
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
    for name, condition in (on or {}).items():
        domain.tag(name)
        if not isinstance(condition, allowed):
            kinds = " or ".join(f"em.{kind.__name__.lower()}(...)" for kind in allowed)
            msg = f"on[{name!r}] = {condition!r}, must be {kinds}"
            raise ParameterError(msg)
    return dict(on or {})
