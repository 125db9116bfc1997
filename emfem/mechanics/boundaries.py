"""Boundaries of a solid: fixed components of the displacement, rollers, tractions and pressure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from emfem import model as models
from emfem.errors import ParameterError, require
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model import DirichletCondition, Driver, OfTime, Unknown
from emfem.waveforms import as_waveform

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

AXES = "xyz"
FLAT = 1e-6  # of a normal's components across; a boundary turned by less is parallel to an axis


@checked
@dataclass(frozen=True)
class Support:
    """Condition on a boundary of a solid; components that are neither fixed nor loaded are free.

    Attributes:
        x: displacement along x [m]; None leaves it free.
        y: displacement along y, of a body of revolution along its radius [m].
        z: displacement along z [m].
        roller: the displacement along the normal is 0; of a boundary parallel to an axis.
        traction: force by area on the body, dim numbers, a function of time or UFL [Pa].
        pressure: force by area against the normal, a number or a function of time [Pa].
    """

    x: OfTime | None = None
    y: OfTime | None = None
    z: OfTime | None = None
    roller: bool = False
    traction: Any = None
    pressure: OfTime | None = None
    maker: ClassVar[str] = "em.mechanics.support"


@checked
def support(
    x: OfTime | None = None,
    y: OfTime | None = None,
    z: OfTime | None = None,
    *,
    roller: bool = False,
    traction: Any = None,
    pressure: OfTime | None = None,
) -> Support:
    """Return a condition on a boundary: components of the displacement that are fixed, and forces by area on others.

    Args:
        x: displacement along x, a number or a function of time [m].
        y: displacement along y, of a body of revolution along its radius [m].
        z: displacement along z [m].
        roller: fix the displacement along the normal at 0, of a boundary parallel to an axis.
        traction: force by area on the body: dim numbers, a function of time that returns them, or UFL [Pa].
        pressure: force by area against the normal, a number or a function of time [Pa].

    Raises:
        ParameterError: if there is nothing in it, or a number is not finite.
    """
    fixed = {"x": x, "y": y, "z": z}
    nothing = all(value is None for value in (*fixed.values(), traction, pressure)) and not roller
    require(not nothing, "support without x, y, z, roller, traction and pressure, must have one of them")
    for name, value in fixed.items():
        if value is not None:
            models.of_time(f"{name} of a support", value, unit="m")
    if pressure is not None:
        models.of_time("pressure of a support", pressure, unit="Pa")
    return Support(x, y, z, roller, traction, pressure)


def traction(value: Any) -> Support:
    """Return the condition that a force by area acts on the body: dim numbers, a function of time, or UFL [Pa]."""
    return support(traction=value)


def pressure(value: OfTime) -> Support:
    """Return the condition that a pressure acts against the normal: a number or a function of time [Pa]."""
    return support(pressure=value)


def roller() -> Support:
    """Return the condition that a boundary parallel to an axis slides along itself: symmetry planes."""
    return support(roller=True)


@checked
def clamped(domain: Domain) -> Support:
    """Return the condition that all components of the displacement are 0."""
    x, y, z = (0.0 if i < domain.dim else None for i in range(3))
    return Support(x, y, z)


def fixed_components(domain: Domain, name: str, condition: Support) -> dict[int, OfTime]:
    """Return the fixed displacement by axis. Collective for rollers.

    Raises:
        ParameterError: for an axis that the domain has not, or a roller on a boundary that is not parallel to an axis.
    """
    values = {i: value for i, axis in enumerate(AXES) if (value := getattr(condition, axis)) is not None}
    for i in values:
        require(i < domain.dim, f"{AXES[i]} on {name!r}, must be one of {', '.join(AXES[: domain.dim])}")
    if condition.roller:
        axis = normal_axis(domain, name)
        require(axis not in values, f"roller on {name!r} with {AXES[axis]} fixed, must be one of the two")
        values[axis] = 0.0
    _check_loads(domain, name, condition, set(values))
    return values


def _check_loads(domain: Domain, name: str, condition: Support, fixed: set[int]) -> None:
    """Refuse forces along fixed components, which would move nothing. Collective.

    Raises:
        ParameterError: naming the component.
    """
    if fixed and condition.pressure is not None:
        rest = 1.0 - normal_squares(domain, name)[sorted(fixed)].sum()
        require(rest > FLAT**2, f"pressure on {name!r} along a fixed normal, must be one of the two")
    if fixed and condition.traction is not None and not models.is_ufl(condition.traction):
        force = np.ravel(models.at_start(f"traction on {name!r}", condition.traction))
        for i in sorted(fixed) if len(force) == domain.dim else []:
            words = f"traction on {name!r} along {AXES[i]}, which is fixed there, must be 0, not {force[i]} Pa"
            require(force[i] == 0, words)


def normal_axis(domain: Domain, name: str) -> int:
    """Return the axis along the normal of a flat boundary. Collective.

    Raises:
        ParameterError: if the boundary is not parallel to an axis.
    """
    squares = normal_squares(domain, name)
    axis = int(squares.argmax())
    if 1.0 - squares[axis] > FLAT**2:
        msg = f"roller on {name!r}, must be on a boundary parallel to an axis: its normal turns, or is oblique"
        raise ParameterError(msg)
    return axis


def normal_squares(domain: Domain, name: str) -> NDArray[np.float64]:
    """Return the mean of the squared components of the normal of a boundary, shape (dim,). Collective."""
    n = ufl.FacetNormal(domain.mesh)
    ds = ufl.Measure("ds", domain=domain.mesh, subdomain_data=domain.facets)(domain.tag(name))
    chosen = fem.Constant(domain.mesh, np.zeros(domain.dim))
    form = fem.form(ufl.inner(chosen, ufl.elem_mult(n, n)) * ds)
    squares = np.zeros(domain.dim)
    for i in range(domain.dim):
        chosen.value[:] = np.arange(domain.dim) == i
        squares[i] = domain.mesh.comm.allreduce(fem.assemble_scalar(form), op=MPI.SUM)
    return squares / squares.sum()


def component_dofs(space: fem.FunctionSpace, nodes: NDArray[np.int32], axis: int) -> NDArray[np.int32]:
    """Return the places of a component of a vector space at those of some nodes that this rank owns."""
    owned = nodes[nodes < space.dofmap.index_map.size_local]
    return (owned * space.dofmap.index_map_bs + axis).astype(np.int32)


def displacement_conditions(
    domain: Domain, unknown: Unknown, on: Mapping[str, Support]
) -> tuple[list[DirichletCondition], list[Driver]]:
    """Return the Dirichlet conditions of all supports, and those of the axis of a body of revolution; drivers."""
    space = unknown.function.function_space
    conditions, drivers, laws = [], list[Driver](), dict[int, Any]()
    for name, condition in on.items():
        nodes = models.boundary_nodes(domain, space, name)
        for axis, value in fixed_components(domain, name, condition).items():
            if models.is_law(value):
                value = laws.setdefault(id(value), as_waveform(value))  # one of one function: see check_overlap
            constant, moved = models.coefficient(domain, f"{AXES[axis]} on {name!r}", value)
            conditions.append(DirichletCondition(name, unknown, component_dofs(space, nodes, axis), constant))
            drivers += moved
    return conditions, drivers


def on_axis(domain: Domain, unknown: Unknown) -> DirichletCondition:
    """Return the condition that nothing on the axis of revolution leaves it."""
    space = unknown.function.function_space
    y = space.tabulate_dof_coordinates()[:, 1]
    top = domain.mesh.comm.allreduce(float(y.max(initial=0.0)), op=MPI.MAX)
    nodes = np.flatnonzero(y <= 1e-12 * top).astype(np.int32)
    zero = fem.Constant(domain.mesh, 0.0)
    return DirichletCondition("the axis", unknown, component_dofs(space, nodes, 1), zero)


Tractions = dict[str, list[tuple[Any, Any]]]  # by boundary, each with its measure


def tractions_of(domain: Domain, on: Mapping[str, Support], degree: int) -> tuple[Tractions, list[Driver]]:
    """Return the forces by area, each with its measure, by boundary; drivers."""
    parts: Tractions = {}
    drivers: list[Driver] = []
    for name, condition in on.items():
        terms: list[Any] = []
        if condition.traction is not None:
            value, moved = models.vector_coefficient(domain, f"traction on {name!r}", condition.traction)
            terms.append(value)
            drivers += moved
        if condition.pressure is not None:
            value, moved = models.coefficient(domain, f"pressure on {name!r}", condition.pressure)
            terms.append(-value * ufl.FacetNormal(domain.mesh))
            drivers += moved
        for term in terms:
            parts.setdefault(name, []).append((term, domain.ds(name, degree)))
    return parts, drivers


def work_of(tractions: Tractions, v: Any) -> Any:
    """`sum int t . v ds`; 0 without tractions."""
    return sum((ufl.inner(term, v) * ds for parts in tractions.values() for term, ds in parts), start=0)


def check_overlap(conditions: Sequence[DirichletCondition], drivers: Sequence[Driver], comm: MPI.Comm) -> None:
    """Refuse two different values for one component of the displacement where boundaries meet. Collective.

    Values that follow time are the same if they are of one function.

    Raises:
        ParameterError: naming both boundaries.
    """
    laws = {id(driver.constant): driver.of_time for driver in drivers}
    for i, one in enumerate(conditions):
        for other in conditions[:i]:
            follow = laws.get(id(one.value)) != laws.get(id(other.value))
            differ = follow or float(one.value) != float(other.value)
            shared = differ and len(np.intersect1d(one.dofs, other.dofs)) > 0
            if comm.allreduce(bool(shared), op=MPI.LOR):
                msg = (
                    f"displacement of {float(other.value):g} m on {other.boundary!r} and {float(one.value):g} m on "
                    f"{one.boundary!r}{', which follow time differently' if follow else ''}, must be the same where "
                    "they meet"
                )
                raise ParameterError(msg)
