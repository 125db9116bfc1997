"""The electric circuit of a surface model: the field of one volt in the metal, and the voltage of the current.

    div(sigma(c) e) = 0,   E = V e,   V int sigma |e|^2 dx = I

e, the field of one volt, depends on the shape alone, so the resistance is known without a current.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.dimensions import integral
from emfem.errors import ParameterError
from emfem.mesh import Domain, bounds
from emfem.model import DirichletCondition, Driver, Model, Multigrid, OfTime, Quantity, Unknown
from emfem.surface.terms import conduction
from emfem.waveforms import as_waveform

import numpy as np
import ufl
from dolfinx import fem

Ends = tuple[str, str] | None
ALONG_X = (None, ("left", "right"), ("right", "left"))
SMALL = 1e-3  # V; typical where a current is 0 at the start


@dataclass(frozen=True, eq=False)
class SurfaceCircuit:
    """Unknowns, terms and quantities that a current adds to a surface model.

    Attributes:
        share: the unknown psi, the potential of one volt.
        unit: e, the field of one volt along the path of the current [1/m].
        conditions: Dirichlet values of psi.
        conductivity: sigma [S/m].
        volts: V, a constant or an unknown.
        level: the unknown V; None if it is a constant.
        current: I if it is prescribed, else None.
        source: V_0 and R_0 of a voltage behind a resistance, else None.
        drivers: of voltage or current.
        scales: factors of the two equations.
        along_x: the current flows along x, in which necks are looked for.
    """

    share: Unknown
    unit: Any
    conditions: tuple[DirichletCondition, ...]
    conductivity: Any
    volts: Any
    level: Unknown | None
    current: fem.Constant | None
    source: tuple[fem.Constant, fem.Constant] | None
    drivers: tuple[Driver, ...]
    scales: tuple[fem.Constant, fem.Constant]
    along_x: bool

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """Psi and, if it is unknown, V."""
        return (self.share,) if self.level is None else (self.share, self.level)

    @property
    def field(self) -> Any:
        """E [V/m]."""
        return self.volts * self.unit

    @property
    def power_of_one_volt(self) -> Any:
        """`sigma |e|^2`; its integral is the conductance."""
        return self.conductivity * ufl.inner(self.unit, self.unit)

    def residual(self, domain: Domain, tests: Sequence[Any], dx: Any) -> ufl.Form:
        """`int -sigma e . grad w dx`, and, if V is unknown, `V int sigma |e|^2 dx - I`; I may be (V_0 - V) / R_0."""
        form = self.scales[0] * conduction(self.conductivity, self.unit, tests[0], dx)
        if self.level is not None:
            volume = fem.Constant(domain.mesh, float(np.prod(domain.extent())))
            current = self.current if self.source is None else (self.source[0] - self.volts) / self.source[1]
            form += self.scales[1] * (self.volts * self.power_of_one_volt - current / volume) * tests[1] * dx
        return form

    @property
    def multigrid(self) -> Multigrid:
        """Preconditioner of psi."""
        return Multigrid(unknowns=(self.share,))

    def expressions(self, _: Domain) -> dict[str, Any]:
        """Return field, current density, potential (along a periodic path its periodic part) and conductivity."""
        field = self.field
        potential = self.volts * self.share.function
        return {"E": field, "j": self.conductivity * field, "phi": potential, "conductivity": self.conductivity}

    def quantities(self, domain: Domain, dx: Any) -> dict[str, Quantity]:
        """Return voltage, current, resistance and power."""
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
    """Return the boundaries that the current flows between; None for all along a domain that is periodic in x.

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
    domain: Domain,
    space: fem.FunctionSpace,
    driven: tuple[str, OfTime],
    ends: Ends,
    metal: Any,
    solid: Any,
    series: float | None = None,
) -> SurfaceCircuit:
    """Return the circuit of a current density, a current or a voltage.

    Args:
        domain: with the metal.
        space: of psi.
        driven: name of the drive, and its value.
        ends: of `ends_of`.
        metal: conductivity of the metal [S/m].
        solid: conductivity of a place over that of the metal.
        series: resistance between a source of the voltage and the metal; none when left out [Ohm, Ohm m in a plane].
    """
    share, volume, name, value = models.algebraic("psi", space), float(np.prod(domain.extent())), *driven
    unit, conditions, face, length = _path(domain, share, ends, volume)
    factor = face if name == "current_density" else 1.0
    scaled = as_waveform(value).scaled(factor) if callable(value) else value * factor
    constant, drivers = models.coefficient(domain, name, scaled)
    level = None if name == "voltage" and series is None else models.algebraic("voltage", models.number_space(domain))
    sigma = models.mean_value(domain, metal)
    whole = sigma * face / length  # conductance if all were metal
    amount = abs(float(constant)) or SMALL * (1.0 if series else whole)
    if series:
        amount /= series + 1 / whole
    return SurfaceCircuit(
        share,
        unit,
        conditions,
        metal * solid,
        constant if level is None else level.function,
        level,
        None if level is None or series else constant,
        (constant, fem.Constant(domain.mesh, series)) if series else None,
        tuple(drivers),
        (fem.Constant(domain.mesh, length**2 / (sigma * volume)), fem.Constant(domain.mesh, 1 / amount)),
        ends in ALONG_X,
    )


def _path(
    domain: Domain, share: Unknown, ends: Ends, volume: float
) -> tuple[Any, tuple[DirichletCondition, ...], float, float]:
    """Return the field of one volt, the conditions of psi, the cross-section that the current enters by, the length.

    The current flows from one boundary, at a volt, to another; or along x all through a periodic domain: a volt falls
    in a period then, and psi is its periodic part.
    """
    if ends is None:
        length = float(domain.period[0])
        along = fem.Constant(domain.mesh, np.eye(domain.dim)[0] / length)
        return along - ufl.grad(share.function), (pinned(domain, share),), volume / length, length
    face = models.measure_size(domain, domain.ds(ends[0]))
    first, last = (models.dirichlet_condition(domain, share, name, v)[0] for name, v in zip(ends, (1, 0), strict=True))
    return -ufl.grad(share.function), (first, last), face, volume / face


def pinned(domain: Domain, unknown: Unknown) -> DirichletCondition:
    """Return the condition that one node, nearest the lowest corner, is 0: only differences count. Collective."""
    space, comm = unknown.function.function_space, domain.mesh.comm
    owned = space.dofmap.index_map.size_local
    apart = space.tabulate_dof_coordinates()[:owned, : domain.dim] - bounds(domain.mesh)[0]
    far = np.linalg.norm(apart, axis=1)
    nearest = int(np.argmin(comm.allgather(float(far.min(initial=np.inf)))))
    dofs = np.array([far.argmin()] if comm.rank == nearest else [], dtype=np.int32)
    return DirichletCondition("a corner", unknown, dofs, fem.Constant(domain.mesh, 0.0))
