"""The electric circuit of a surface model: how one volt falls in the metal, and the voltage that drives the current.

    div(sigma(c) e) = 0,   E = V e,   V int sigma |e|^2 dx = I

e, the field of one volt, hangs on the shape alone, so the resistance is known without a current.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem.dimensions import integral
from emfem.errors import ParameterError
from emfem.mesh import Domain, bounds
from emfem.model import Condition, Driver, Model, OfTime, Quantity, Unknown, algebraic, coefficient
from emfem.spaces import nodes_on
from emfem.surface.inputs import typical
from emfem.surface.terms import conduction
from emfem.waveforms import as_waveform

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem

Ends = tuple[str, str] | None
SMALL = 1e-3  # V; typical where a current is 0 at the start


@dataclass(frozen=True, eq=False)
class Path:
    """Where the current flows: the potential of one volt, psi, and what it is held at.

    Attributes:
        share: the unknown psi.
        unit: e, the field of one volt along the path [1/m].
        face: the cross-section that the current enters by.
        length: of the path, about.
        conditions: where psi is held.
    """

    share: Unknown
    unit: Any
    face: float
    length: float
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, eq=False)
class Circuit:
    """What a current adds to a surface model.

    Attributes:
        path: where it flows.
        conductivity: sigma [S/m].
        volts: V, a number that is given, or sought.
        level: the unknown V, if it is sought.
        current: I, if it is given.
        drivers: what moves voltage or current in time.
        scales: what the two equations are multiplied with.
    """

    path: Path
    conductivity: Any
    volts: Any
    level: Unknown | None
    current: fem.Constant | None
    drivers: tuple[Driver, ...]
    scales: tuple[fem.Constant, fem.Constant]

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """Psi and, where it is sought, V."""
        return (self.path.share,) if self.level is None else (self.path.share, self.level)

    @property
    def field(self) -> Any:
        """E [V/m]."""
        return self.volts * self.path.unit

    @property
    def power_of_one_volt(self) -> Any:
        """`sigma |e|^2`; its integral is the conductance."""
        return self.conductivity * ufl.inner(self.path.unit, self.path.unit)

    def residual(self, domain: Domain, tests: Sequence[Any], dx: Any) -> ufl.Form:
        """`int -sigma e . grad w dx`, and `V int sigma |e|^2 dx - I` where the voltage is sought."""
        form = self.scales[0] * conduction(self.conductivity, self.path.unit, tests[0], dx)
        if self.current is not None:
            volume = fem.Constant(domain.mesh, float(np.prod(domain.extent())))
            form += self.scales[1] * (self.volts * self.power_of_one_volt - self.current / volume) * tests[1] * dx
        return form

    def expressions(self) -> dict[str, Any]:
        """Field, current density, potential (along a periodic path its periodic part) and conductivity."""
        field = self.field
        potential = self.volts * self.path.share.function
        return {"E": field, "j": self.conductivity * field, "phi": potential, "conductivity": self.conductivity}

    def quantities(self, domain: Domain, dx: Any) -> dict[str, Quantity]:
        """Voltage, current, resistance and power."""
        volts = self.volts

        def voltage() -> float:
            return fields.extremes(volts)[1] if isinstance(volts, fem.Function) else float(volts)

        def resistance(model: Model) -> float:
            return 1 / model.quantity("conductance")

        def current(model: Model) -> float:
            return voltage() * model.quantity("conductance")

        def power(model: Model) -> float:
            return voltage() ** 2 * model.quantity("conductance")

        return {
            "conductance": Quantity(self.power_of_one_volt * dx, integral("S")),
            "resistance": Quantity(resistance, integral("Ohm", inverse=True), of_model=True),
            "voltage": Quantity(voltage, "V"),
            "current": Quantity(current, integral("A"), of_model=True),
            "power": Quantity(power, integral("W"), of_model=True),
        }


def ends_of(domain: Domain, on: Sequence[str] | None) -> Ends:
    """The boundaries that the current flows between; None for all along a domain that is periodic in x.

    Raises:
        ParameterError: for something else than two boundaries, or none where x is not periodic.
        UnknownName: for a boundary that does not exist.
    """
    if on is None:
        if not domain.period[0]:
            msg = "on = None, must name two boundaries, (first, last), for the current: x is not periodic"
            raise ParameterError(msg)
        return None
    if isinstance(on, str) or not isinstance(on, Sequence) or len(on) != 2 or on[0] == on[1]:
        msg = f"on = {on!r}, must be two boundaries: the one that the current enters by, and the one it leaves by"
        raise ParameterError(msg)
    for name in on:
        domain.tag(name)
    return on[0], on[1]


def circuit(
    domain: Domain, space: fem.FunctionSpace, driven: tuple[str, OfTime], ends: Ends, metal: Any, solid: Any
) -> Circuit:
    """The circuit of a current density, a current or a voltage.

    Args:
        domain: where.
        space: of psi.
        driven: which of them, and its value.
        ends: as `ends_of` gives them.
        metal: conductivity of the metal [S/m].
        solid: how well a place conducts, over the metal.
    """
    path = _across(domain, space) if ends is None else _between(domain, space, ends)
    name, value = driven
    share = path.face if name == "current_density" else 1.0
    scaled = as_waveform(value).scaled(share) if callable(value) else value * share
    given, drivers = coefficient(domain, name, scaled)
    level = None
    if name != "voltage":
        number_space = fem.functionspace(domain.mesh, basix.ufl.real_element(domain.mesh.basix_cell(), ()))
        level = algebraic("voltage", number_space)
    sigma = typical(metal, domain)
    conductance = sigma * path.face / path.length
    flow = path.length**2 / (sigma * float(np.prod(domain.extent())))
    amount = abs(float(given)) or SMALL * conductance
    return Circuit(
        path,
        metal * solid,
        given if level is None else level.function,
        level,
        None if level is None else given,
        tuple(drivers),
        (fem.Constant(domain.mesh, flow), fem.Constant(domain.mesh, 1 / amount)),
    )


def _across(domain: Domain, space: fem.FunctionSpace) -> Path:
    """Along x all through a periodic domain: a volt falls in a period, and psi is what is periodic of it."""
    share, length = algebraic("psi", space), float(domain.period[0])
    along = fem.Constant(domain.mesh, np.eye(domain.dim)[0] / length)
    face = float(np.prod(domain.extent())) / length
    return Path(share, along - ufl.grad(share.function), face, length, (_pinned(domain, share),))


def _between(domain: Domain, space: fem.FunctionSpace, ends: tuple[str, str]) -> Path:
    """From one boundary, at a volt, to another."""
    share, one = algebraic("psi", space), fem.Constant(domain.mesh, 1.0)
    face = fields.integral(fem.form(one * domain.ds(ends[0])), domain.mesh.comm)
    held = []
    for name, value in zip(ends, (1.0, 0.0), strict=True):
        nodes = nodes_on(space, domain.facets.find(domain.tag(name)))
        owned = nodes[nodes < space.dofmap.index_map.size_local]
        held.append(Condition(name, share, owned, fem.Constant(domain.mesh, value)))
    return Path(share, -ufl.grad(share.function), face, float(np.prod(domain.extent())) / face, tuple(held))


def _pinned(domain: Domain, unknown: Unknown) -> Condition:
    """Hold one node, that nearest the lowest corner, at 0: only differences count. Collective."""
    space, comm = unknown.function.function_space, domain.mesh.comm
    owned = space.dofmap.index_map.size_local
    apart = space.tabulate_dof_coordinates()[:owned, : domain.dim] - bounds(domain.mesh)[0]
    far = np.linalg.norm(apart, axis=1)
    nearest = int(np.argmin(comm.allgather(float(far.min(initial=np.inf)))))
    dofs = np.array([far.argmin()] if comm.rank == nearest else [], dtype=np.int32)
    return Condition("a corner", unknown, dofs, fem.Constant(domain.mesh, 0.0))
