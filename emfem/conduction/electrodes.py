"""Electrodes: at a voltage or carrying a total current, in perfect contact or behind a resistance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from emfem import model as models
from emfem.conduction.laws import contact
from emfem.dimensions import integral
from emfem.errors import ParameterError, number
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model import DirichletCondition, Driver, Fixed, OfTime, Quantity, Unknown

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

Nodes = Mapping[str, NDArray[np.int32]]


@checked
@dataclass(frozen=True)
class Electrode:
    """A piece of the boundary at one potential.

    Attributes:
        voltage: [V], or None for an electrode with a current.
        current: total current into the domain [A], or None for an electrode with a voltage.
        contact_resistivity: resistance of the contact times its area [Ohm m2]; 0 is a perfect contact.
    """

    voltage: OfTime | None = None
    current: OfTime | None = None
    contact_resistivity: float = 0.0
    maker: ClassVar[str] = "em.conduction.electrode"

    @property
    def tied(self) -> bool:
        """True if its nodes share one unknown: a perfect contact with a given current."""
        return self.voltage is None and not self.contact_resistivity

    @property
    def balanced(self) -> bool:
        """True if its voltage is an unknown of its own: a given current through a contact resistance."""
        return self.voltage is None and bool(self.contact_resistivity)


@checked
def electrode(
    *, voltage: OfTime | None = None, current: OfTime | None = None, contact_resistivity: float = 0.0
) -> Electrode:
    """Return an electrode at a given voltage, or at the one voltage at which it carries a given total current.

    Args:
        voltage: of the electrode [V]; a number or a function of time. `em.fixed(V)` is the same in perfect contact.
        current: total current it drives into the domain, a number or a function of time [A; in a
            plane without a thickness A/m].
        contact_resistivity: of the contact between electrode and conductor, at least 0 [Ohm m2]. Far below the
            conductor's resistivity times a billionth of its size it is lost to rounding: give 0 for a perfect contact.

    Raises:
        ParameterError: unless exactly one of voltage and current is given, or if one is not finite.
    """
    if (voltage is None) == (current is None):
        msg = f"voltage = {voltage!r} and current = {current!r}, must be one or the other"
        raise ParameterError(msg)
    return Electrode(
        None if voltage is None else models.of_time("voltage", voltage, unit="V"),
        None if current is None else models.of_time("current", current, unit="A"),
        number("contact_resistivity", contact_resistivity, at_least=0.0, unit="Ohm m2"),
    )


def electrodes_of(conditions: Mapping[str, Any]) -> dict[str, Electrode]:
    """Return the electrodes among checked conditions; a Dirichlet value is one at a voltage."""
    as_electrodes = {n: Electrode(voltage=c.value) if isinstance(c, Fixed) else c for n, c in conditions.items()}
    return {name: e for name, e in as_electrodes.items() if isinstance(e, Electrode)}


def check_touching(domain: Domain, electrodes: Mapping[str, Electrode], nodes: Nodes) -> None:
    """Refuse a perfect contact that carries a current where another one touches it: it would be short-circuited.

    Raises:
        ParameterError: naming both.
    """
    perfect = [name for name, e in electrodes.items() if not e.contact_resistivity]
    for i, a in enumerate(perfect):
        for b in perfect[:i]:
            shared = len(np.intersect1d(nodes[a], nodes[b]))
            if (electrodes[a].tied or electrodes[b].tied) and domain.mesh.comm.allreduce(shared):
                msg = f"electrodes {b!r} and {a!r} touch, must be apart where one carries a given current"
                raise ParameterError(msg)


def check_floating(domain: Domain, space: fem.FunctionSpace, electrodes: Mapping[str, Electrode], nodes: Nodes) -> None:
    """Refuse a domain with a piece that no electrode at a voltage touches: its potential would float.

    Without any electrode the first piece may float: its mean potential is 0.

    Raises:
        ParameterError: naming a place in it.
    """
    grounded = [nodes[name] for name, e in electrodes.items() if e.voltage is not None]
    links = [nodes[name] for name, e in electrodes.items() if e.balanced]
    place = models.untouched_place(domain, space, grounded, links, first=not grounded)
    if place:
        msg = f"the piece of the conductor at {place} touches no electrode at a voltage: its potential floats"
        raise ParameterError(msg)


@dataclass
class Attached:
    """Terms, conditions and quantities that electrodes add to a conductor.

    Attributes:
        flow: current out of it, tested with v.
        balance: current missing at an unknown voltage, tested with its own test function.
        conditions: Dirichlet values.
        drivers: of voltages and currents that follow time.
        currents: of each electrode, functionals.
        quantities: voltage and current of each electrode.
    """

    flow: Any
    balance: Any = 0
    conditions: list[DirichletCondition] = field(default_factory=list)
    drivers: list[Driver] = field(default_factory=list)
    currents: dict[str, Quantity] = field(default_factory=dict)
    quantities: dict[str, Quantity] = field(default_factory=dict)


def attach(
    domain: Domain,
    electrodes: Mapping[str, Electrode],
    nodes: Nodes,
    potential: Unknown,
    levels: Mapping[str, tuple[Unknown, Any]],
    flow: Any,
    v: Any,
    degree: int,
) -> Attached:
    """Return the terms of electrodes on the boundary of a conductor.

    Args:
        domain: the conductor.
        electrodes: by boundary.
        nodes: of each.
        potential: phi.
        levels: unknown voltage and test function of each electrode that needs them.
        flow: int sigma grad phi . grad v dx less the currents let in by boundaries without electrodes.
        v: test function of phi.
        degree: of the quadrature.
    """
    phi, owned = potential.function, potential.function.function_space.dofmap.index_map.size_local
    added = Attached(flow)
    loads: dict[str, Any] = {}  # current of a perfect contact besides the residual of its nodes
    for name, e in electrodes.items():
        ds = domain.ds(name, degree)
        words, value = ("current", e.current) if e.voltage is None else ("voltage", e.voltage)
        constant, moved = models.coefficient(domain, f"{words} of {name!r}", value)
        added.drivers += moved
        load = constant / models.measure_size(domain, ds)
        voltage = Quantity(partial(float, constant), "V")
        if e.contact_resistivity:
            resistivity, one = (fem.Constant(domain.mesh, number) for number in (e.contact_resistivity, 1.0))
            volts = constant
            if name in levels:
                unknown, w = levels[name]
                volts = unknown.function
                added.balance += -contact(phi, volts, resistivity, w, ds) - load * w * ds
                voltage = Quantity(partial(_highest, volts), "V")
            added.flow += contact(phi, volts, resistivity, v, ds)
            current = contact(phi, volts, resistivity, one, ds)
            added.quantities[f"current {name}"] = added.currents[name] = Quantity(current, integral("A"))
        elif e.tied:
            added.flow -= load * v * ds
            loads[name] = load * ds
            voltage = Quantity(partial(_highest, phi, nodes[name]), "V")
        else:
            added.conditions.append(DirichletCondition(name, potential, nodes[name][nodes[name] < owned], constant))
            loads[name] = 0
        added.quantities[f"voltage {name}"] = voltage
    for name, values in models.node_shares(phi.function_space, [(name, nodes[name]) for name in loads]).items():
        share = fem.Function(phi.function_space)
        share.x.array[:] = values
        current = -ufl.replace(added.flow, {v: share}) - loads[name]
        added.quantities[f"current {name}"] = added.currents[name] = Quantity(current, integral("A"))
    return added


def _highest(phi: fem.Function, nodes: NDArray[np.int32] | slice = slice(None)) -> float:
    """Return the highest value, at some nodes or all, over all ranks. Collective."""
    highest = phi.x.array[nodes].max(initial=-np.inf)
    return max(phi.function_space.mesh.comm.allgather(float(highest)))
