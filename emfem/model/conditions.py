"""Conditions on boundaries: Dirichlet values, and fluxes that are let in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emfem.errors import ParameterError, kind
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model.coefficients import Driver, OfTime, at_start, coefficient, of_time
from emfem.model.scales import measure_size
from emfem.model.unknowns import Unknown
from emfem.spaces import connected_components, nodes_on

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray


@checked
@dataclass(frozen=True)
class Fixed:
    """A Dirichlet value on a boundary: a number, or a function of time."""

    value: OfTime


@checked
@dataclass(frozen=True)
class Flux:
    """A flux through a boundary, positive into the domain: a number, or a function of time."""

    value: OfTime


def fixed(value: OfTime) -> Fixed:
    """Fix the unknown at `value`, a number or a function of time, on the boundary of this condition.

    Raises:
        ParameterError: if the value (that at time 0) is not a finite number.
    """
    return Fixed(of_time("fixed value", value))


def flux(value: OfTime) -> Flux:
    """Pass `value` per unit of boundary and time through the boundary of this condition, positive into the domain.

    Args:
        value: a number, or a function of time.

    Raises:
        ParameterError: if the value (that at time 0) is not a finite number.
    """
    return Flux(of_time("flux", value))


@checked
def values_at_start(on: Mapping[str, Any], condition: type[Fixed | Flux]) -> dict[str, float]:
    """Return the values at time 0 of all conditions of one type, Fixed or Flux, by boundary."""
    return {name: float(at_start(name, c.value)) for name, c in on.items() if isinstance(c, condition)}


@checked
@dataclass(frozen=True, eq=False)
class DirichletCondition:
    """A Dirichlet condition: `dofs` of `unknown` on `boundary`, owned by this rank, keep the value of `value`."""

    boundary: str
    unknown: Unknown
    dofs: NDArray[np.int32]
    value: fem.Constant

    def apply(self) -> None:
        """Set the values of the unknown. Collective."""
        self.unknown.function.x.array[self.dofs] = float(self.value)
        self.unknown.function.x.scatter_forward()


@checked
def boundary_nodes(domain: Domain, space: fem.FunctionSpace, name: str) -> NDArray[np.int32]:
    """Return the nodes of a scalar space on a named boundary, owned by this rank or not. Collective.

    Raises:
        UnknownName: for a boundary that does not exist.
    """
    return nodes_on(space, domain.facets.find(domain.tag(name)))


@checked
def dirichlet_condition(
    domain: Domain, unknown: Unknown, boundary: str, value: OfTime
) -> tuple[DirichletCondition, list[Driver]]:
    """Return the condition that holds `unknown` at a number or a function of time on a boundary, and its drivers."""
    space = unknown.function.function_space
    nodes = boundary_nodes(domain, space, boundary)
    constant, drivers = coefficient(domain, f"{unknown.name} on {boundary!r}", value)
    return DirichletCondition(boundary, unknown, nodes[nodes < space.dofmap.index_map.size_local], constant), drivers


@checked
def dirichlet_conditions(
    domain: Domain, unknown: Unknown, on: Mapping[str, Any]
) -> tuple[list[DirichletCondition], list[Driver]]:
    """Return the Dirichlet conditions of `unknown` among the checked conditions on named boundaries; their drivers."""
    pairs = [dirichlet_condition(domain, unknown, name, c.value) for name, c in on.items() if isinstance(c, Fixed)]
    return [condition for condition, _ in pairs], [driver for _, drivers in pairs for driver in drivers]


@checked
def neumann_term(domain: Domain, on: Mapping[str, Any], v: ufl.core.expr.Expr, degree: int) -> tuple[Any, list[Driver]]:
    """Return the sum over boundaries with a flux g of `int g v ds`, to be subtracted from a residual; its drivers."""
    total, drivers = 0, []
    for name, condition in on.items():
        if isinstance(condition, Flux):
            value, moved = coefficient(domain, f"flux on {name!r}", condition.value)
            total += value * v * domain.ds(name, degree)
            drivers += moved
    return total, drivers


@checked
def inflows(domain: Domain, on: Mapping[str, Any]) -> list[float]:
    """Return the flows let in at time 0 through the boundaries that have a flux. Collective."""
    return [value * measure_size(domain, domain.ds(name)) for name, value in values_at_start(on, Flux).items()]


@checked
def unbalanced_inflow(domain: Domain, on: Mapping[str, Any], words: str, unknown: str) -> str:
    """Return the reason for which an unknown with fluxes alone has no steady state, "" if they balance. Collective.

    Args:
        domain: where.
        on: checked conditions, none of which is a Dirichlet value.
        words: unit and name of the amount, such as "atoms/s".
        unknown: the name of the field that a Dirichlet value would hold.
    """
    flows = inflows(domain, on)
    net = sum(flows)
    if abs(net) <= 1e-12 * max(map(abs, flows), default=0.0):
        return ""
    return (
        f"on lets {net:.4g} {words} in and none out: no steady state; hold {unknown} somewhere, or balance the fluxes"
    )


@checked
def untouched_place(
    domain: Domain,
    space: fem.FunctionSpace,
    touched: Sequence[NDArray[np.int32]],
    links: Sequence[NDArray[np.int32]] = (),
    *,
    first: bool = False,
) -> str:
    """Return a place in a piece of the domain that has none of the `touched` nodes, "" if there is none. Collective.

    Args:
        domain: where.
        space: a scalar space.
        touched: nodes of this rank, one array for each boundary.
        links: nodes that are joined though no cell joins them, such as those behind one contact.
        first: the first piece counts as touched.
    """
    comm, owned = domain.mesh.comm, space.dofmap.index_map.size_local
    piece = connected_components(space, links)
    mine = np.unique(np.concatenate([[0] if first else [], *(piece[nodes] for nodes in touched)]))
    loose = ~np.isin(piece[:owned], np.concatenate(comm.allgather(mine)))
    places = np.concatenate(comm.allgather(space.tabulate_dof_coordinates()[:owned][loose][:1, : domain.dim]))
    return f"({', '.join(f'{x:.4g}' for x in places[0])})" if len(places) else ""


@checked
def check_boundaries(domain: Domain, on: Mapping[str, Any] | None, allowed: tuple[type, ...]) -> dict[str, Any]:
    """Return the conditions `on` named boundaries, each of an `allowed` kind.

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


@checked
def node_shares(
    space: fem.FunctionSpace, nodes: Iterable[tuple[str, NDArray[np.int32]]]
) -> dict[str, NDArray[np.float64]]:
    """Return for each boundary 1 at its nodes, equal parts where several have a node, 0 elsewhere."""
    zeros = np.zeros(space.dofmap.index_map.size_local + space.dofmap.index_map.num_ghosts)
    shares: dict[str, NDArray[np.float64]] = {}
    for name, dofs in nodes:
        shares.setdefault(name, zeros.copy())[dofs] = 1.0
    total = sum(shares.values(), zeros)
    return {name: share / np.maximum(total, 1.0) for name, share in shares.items()}
