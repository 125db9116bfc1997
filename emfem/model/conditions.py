"""What holds on boundaries and what follows time: values held, fluxes let in, coefficients that are driven."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, floats, kind, number
from emfem.mesh import Domain
from emfem.model.unknowns import Unknown
from emfem.spaces import nodes_on
from emfem.waveforms import as_waveform

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

OfTime = float | Callable[[float], Any]  # a waveform is such a function


@dataclass(frozen=True)
class Fixed:
    """A boundary value that is held: a number, or a function of time."""

    value: OfTime

    @property
    def first(self) -> float:
        """The value at time 0."""
        return float(at_start("fixed value", self.value))


@dataclass(frozen=True)
class Flux:
    """A flux through a boundary, positive into the domain: a number, or a function of time."""

    value: OfTime

    @property
    def first(self) -> float:
        """The value at time 0."""
        return float(at_start("flux", self.value))


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
    """Return `value` if it is a number inside its limits, or a function of time that is one at time 0.

    A waveform is checked at all its breakpoints.

    Raises:
        ParameterError: if it is not.
    """
    if callable(value):
        number(f"{name} at t = 0", at_start(name, value), **limits)
        for level in as_waveform(value).levels():
            number(name, level, **limits)
        return value
    return number(name, value, **limits)


def at_start(name: str, value: Any) -> Any:
    """What a function of time gives at time 0; anything else as it is.

    Raises:
        ParameterError: for a function of something else.
    """
    if not callable(value):
        return value
    try:
        return value(0.0)
    except TypeError as error:
        msg = f"{name} = {value!r}, must be a number or a function of t alone: {error}"
        raise ParameterError(msg) from error


@dataclass(frozen=True, eq=False)
class Driver:
    """A coefficient that follows a function of time."""

    name: str
    constant: fem.Constant
    of_time: Callable[[float], Any]


def coefficient(domain: Domain, name: str, value: Any) -> tuple[fem.Constant, list[Driver]]:
    """Return a constant of the forms, of numbers or a function of time, and what keeps it up to date."""
    if not callable(value):
        return fem.Constant(domain.mesh, floats(name, value)), []
    waveform = as_waveform(value)
    constant = fem.Constant(domain.mesh, floats(name, waveform(0.0)))
    return constant, [] if waveform.constant else [Driver(name, constant, waveform)]


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


def dirichlet_conditions(
    domain: Domain, unknown: Unknown, on: Mapping[str, Any]
) -> tuple[list[Condition], list[Driver]]:
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


def neumann_term(domain: Domain, on: Mapping[str, Any], v: Any, degree: int) -> tuple[Any, list[Driver]]:
    """The sum over boundaries with a flux g of the integral of g v, to be taken off a residual; and what moves g."""
    total, drivers = 0, []
    for name, b in on.items():
        if isinstance(b, Flux):
            value, moved = coefficient(domain, f"flux on {name!r}", b.value)
            total += value * v * domain.ds(name, degree)
            drivers += moved
    return total, drivers


def inflows(domain: Domain, on: Mapping[str, Any]) -> list[float]:
    """The flows let in through the boundaries that have a flux, at time 0. Collective."""
    one, comm = fem.Constant(domain.mesh, 1.0), domain.mesh.comm
    return [
        c.first * fields.integral(fem.form(one * domain.ds(name)), comm)
        for name, c in on.items()
        if isinstance(c, Flux)
    ]


def net_inflow(flows: Sequence[float]) -> float:
    """What flows in and not out again; 0 if flows balance to rounding."""
    net = sum(flows)
    return 0.0 if abs(net) <= 1e-12 * max(map(abs, flows), default=0.0) else net


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
