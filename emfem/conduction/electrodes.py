"""Electrodes: at a voltage or carrying a total current, in perfect contact or behind a resistance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from emfem import fields
from emfem.conduction.laws import contact
from emfem.dimensions import integral
from emfem.errors import ParameterError, number
from emfem.mesh import Domain
from emfem.model import Condition, Driver, Fixed, OfTime, Quantity, Unknown, coefficient, of_time
from emfem.spaces import connected_components, nodes_on

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

Nodes = Mapping[str, NDArray[np.int32]]


@dataclass(frozen=True)
class Electrode:
    """A piece of the boundary at one potential.

    Attributes:
        voltage: [V], or None if its current is given.
        current: total current into the domain [A], or None if its voltage is given.
        contact_resistivity: resistance of the contact times its area [Ohm m2]; 0 is a perfect contact.
    """

    voltage: OfTime | None = None
    current: OfTime | None = None
    contact_resistivity: float = 0.0
    maker: ClassVar[str] = "em.conduction.electrode"

    @property
    def tied(self) -> bool:
        """Whether its nodes share one unknown: a perfect contact that carries a given current."""
        return self.voltage is None and not self.contact_resistivity

    @property
    def balanced(self) -> bool:
        """Whether its voltage is an unknown of its own: a given current through a contact resistance."""
        return self.voltage is None and bool(self.contact_resistivity)


def electrode(
    *, voltage: OfTime | None = None, current: OfTime | None = None, contact_resistivity: float = 0.0
) -> Electrode:
    """A piece of the boundary at one potential, which is given, or found so that the total current is the given one.

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
        None if voltage is None else of_time("voltage", voltage, unit="V"),
        None if current is None else of_time("current", current, unit="A"),
        number("contact_resistivity", contact_resistivity, at_least=0.0, unit="Ohm m2"),
    )


def among(conditions: Mapping[str, Any]) -> dict[str, Electrode]:
    """The electrodes among checked conditions; a fixed value is one at a voltage."""
    found = {name: Electrode(voltage=c.value) if isinstance(c, Fixed) else c for name, c in conditions.items()}
    return {name: e for name, e in found.items() if isinstance(e, Electrode)}


def nodes_of(domain: Domain, space: fem.FunctionSpace, electrodes: Mapping[str, Electrode]) -> Nodes:
    """The nodes of each electrode."""
    return {name: nodes_on(space, domain.facets.find(domain.tag(name))) for name in electrodes}


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

    Without any electrode the first piece may float: its mean potential is held.

    Raises:
        ParameterError: telling a place in it.
    """
    comm, owned = domain.mesh.comm, space.dofmap.index_map.size_local
    piece = connected_components(space, [nodes[name] for name, e in electrodes.items() if e.balanced])
    grounded = [piece[nodes[name]] for name, e in electrodes.items() if e.voltage is not None]
    held = {0} if not grounded else set().union(*comm.allgather(set(np.concatenate(grounded).tolist())))
    loose = ~np.isin(piece[:owned], list(held))
    places = comm.allgather(space.tabulate_dof_coordinates()[:owned][loose][:1, : domain.dim])
    found = np.concatenate(places)
    if len(found):
        place = ", ".join(f"{x:.4g}" for x in found[0])
        msg = f"the piece of the conductor at ({place}) touches no electrode at a voltage: its potential floats"
        raise ParameterError(msg)


@dataclass
class Attached:
    """What electrodes add to a conductor.

    Attributes:
        flow: current out of it, tested with v.
        balance: current that an unknown voltage lacks, tested with its own test function.
        conditions: held values.
        drivers: what moves voltages and currents in time.
        quantities: voltage and current of each electrode.
    """

    flow: Any
    balance: Any = 0
    conditions: list[Condition] = field(default_factory=list)
    drivers: list[Driver] = field(default_factory=list)
    quantities: dict[str, Quantity] = field(default_factory=dict)


def attach(
    domain: Domain,
    electrodes: Mapping[str, Electrode],
    nodes: Nodes,
    potential: Unknown,
    metal: Mapping[str, tuple[Unknown, Any]],
    flow: Any,
    v: Any,
    degree: int,
) -> Attached:
    """Electrodes on the boundary of a conductor.

    Args:
        domain: the conductor.
        electrodes: by boundary.
        nodes: of each.
        potential: phi.
        metal: unknown voltage and test function of each electrode that needs them.
        flow: int sigma grad phi . grad v dx less what boundaries without electrodes let in.
        v: test function of phi.
        degree: of the quadrature.
    """
    phi, owned = potential.function, potential.function.function_space.dofmap.index_map.size_local
    added = Attached(flow)
    own: dict[str, Any] = {}  # what a perfect contact's current is besides the reaction of the conductor
    for name, e in electrodes.items():
        ds = domain.ds(name, degree)
        what = "current" if e.voltage is None else "voltage"
        given, moved = coefficient(domain, f"{what} of {name!r}", e.current if e.voltage is None else e.voltage)
        added.drivers += moved
        load = given / fields.integral(fem.form(fem.Constant(domain.mesh, 1.0) * ds), domain.mesh.comm)
        level = Quantity(partial(float, given), "V")
        if e.contact_resistivity:
            resistivity = fem.Constant(domain.mesh, e.contact_resistivity)
            volts = given
            if name in metal:
                unknown, w = metal[name]
                volts = unknown.function
                added.balance += -contact(phi, volts, resistivity, w, ds) - load * w * ds
                level = Quantity(partial(_highest, volts), "V")
            added.flow += contact(phi, volts, resistivity, v, ds)
            one = fem.Constant(domain.mesh, 1.0)
            added.quantities[f"current {name}"] = Quantity(contact(phi, volts, resistivity, one, ds), integral("A"))
        elif e.tied:
            added.flow -= load * v * ds
            own[name] = load * ds
            level = Quantity(partial(_highest, phi, nodes[name]), "V")
        else:
            added.conditions.append(Condition(name, potential, nodes[name][nodes[name] < owned], given))
            own[name] = 0
        added.quantities[f"voltage {name}"] = level
    for name, share in _shares(phi.function_space, {name: nodes[name] for name in own}).items():
        reaction = ufl.replace(added.flow, {v: share})
        added.quantities[f"current {name}"] = Quantity(-reaction - own[name], integral("A"))
    return added


def _highest(phi: fem.Function, nodes: NDArray[np.int32] | slice = slice(None)) -> float:
    """The highest value, at some nodes or all, over all ranks. Collective."""
    found = phi.x.array[nodes].max(initial=-np.inf)
    return max(phi.function_space.mesh.comm.allgather(float(found)))


def _shares(space: fem.FunctionSpace, nodes: Nodes) -> dict[str, fem.Function]:
    """For each electrode the function that is 1 at its nodes, its part where several share a node, 0 elsewhere."""
    shares = {name: fem.Function(space) for name in nodes}
    total = fem.Function(space)
    for name, share in shares.items():
        share.x.array[nodes[name]] = 1.0
        total.x.array[nodes[name]] += 1.0
    for share in shares.values():
        share.x.array[:] /= np.maximum(total.x.array, 1.0)
    return shares
