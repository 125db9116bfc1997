"""Sign-off of a grid from its arguments."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from emfem.conduction import Currents
from emfem.errors import PACKAGE, ResolutionWarning, number, require, shown
from emfem.failure import FirstVoid
from emfem.gate import checked
from emfem.mesh import Domain, Network
from emfem.mesh.graph import component_labels
from emfem.mesh.wires import node_loads, pad_voltages
from emfem.signoff.circuit import GridCircuit
from emfem.signoff.metal import Metal, resolve_temperature
from emfem.signoff.outcome import verdict_of
from emfem.signoff.resuming import restore, state_of
from emfem.signoff.simulation import Simulation
from emfem.signoff.verdict import Verdict
from emfem.technology import Technology

import numpy as np
from numpy.typing import ArrayLike

FINEST = 1e-4  # of `update`: each takes a solve of the network
SHORTEST, LONGEST = 1e-3, 1e14  # s; three million years
DENSEST = 1e15  # A/m2; a wire melts at a thousandth of it
DOUBTED = 1e13  # A/m2; a hundred times that of the densest wires of a chip
LEAST = 1.0  # A/m2; a wire of a chip carries a billion
SAME = 1e-9  # of a voltage: pads that differ by more are at different ones


@checked
def run(
    network: Network | Domain,
    technology: Technology,
    *,
    until: float,
    temperature: Any = None,
    currents: Any = None,
    loads: Any = None,
    pads: Mapping[int, float] | None = None,
    residual_stress: ArrayLike | None = None,
    fails: Any = None,
    update: float = 0.05,
    voids: bool = True,
    rtol: float = 1e-4,
    stop_at_failure: bool = False,
    progress: Callable[[float, str], object] | None = None,
    checkpoint: Any = None,
) -> Verdict:
    """Return the verdict on a grid: which trees are immortal, when others get voids, and when the grid fails.

    Korhonen's equation on each tree of metal, dsigma/dt = d/dx kappa (dsigma/dx + f), blocked at its ends and vias;
    physics as `em.failure.run`, which integrates one small network as a whole. Trees whose stress can be shown to stay
    below the critical one are left out. The others are integrated one by one, exactly in time while currents are linear
    in it. A void opens where the tension reaches the critical stress, holds the stress there at 0, takes up the atoms
    that leave, and grows; its liner, or nothing, carries the current past it. Currents are linear in time through
    steps, in which a resistance changes by `update`, and are those that the voids make at two times of each step.

    Args:
        network: of em.mesh.read_netlist, or another whose layers are those of the technology.
        technology: layers, metal, critical stress and the stress at the start.
        until: the time to look at [s].
        temperature: of the wires [K]: that of the technology when left out, a number, one a node, one a segment, two a
            segment (its ends, shape (m, 2)), or `Temperature`. Resistivities follow it by the law of the metal.
        currents: Currents, or a current density for each segment [A/m2], instead of those of loads and pads; they stay.
        loads: instead of those of the network [A].
        pads: instead of those of the network [V].
        residual_stress: at the start, one number a segment, instead of that of the technology [Pa].
        fails: `em.failure.FirstVoid()` (when left out), `VoidLength`, `ResistanceRise` or `Drop`. A rise without nodes
            and segment is that between the two pads or ends, if there are two, and else that of any wire.
        update: part of its resistance by which a segment may change in a step of the currents, 1e-4 to 1 [-]. With
            0.05 lengths of voids and times to nucleation are right to 1e-3, but for times at which the tension is
            nearly at rest.
        voids: False to end at the nucleation of each tree: no void grows, and currents stay.
        rtol: error allowed in the stress, as a part of the critical one [-].
        stop_at_failure: end there; else all trees are followed until the end.
        progress: called with the part of the time that is done and words on it.
        checkpoint: object with `read() -> state or None`, `due() -> bool` and `write(state)`; a run goes on from the
            state that it reads.

    Raises:
        ParameterError: for a value out of its bounds, or a network that Kirchhoff's laws cannot be solved on.
        UnknownName: for a layer that the technology has not.
    """
    wires = network.wires() if isinstance(network, Domain) else network
    if loads is not None:
        wires = replace(wires, loads=node_loads(loads, len(wires.nodes)))
    if pads is not None:
        wires = replace(wires, pads=pad_voltages(pads, len(wires.nodes)))
    check_until(until)
    number("update", update, at_least=FINEST, at_most=1.0)
    number("rtol", rtol, at_least=1e-10, at_most=0.1)
    if checkpoint is not None:
        good = all(callable(getattr(checkpoint, name, None)) for name in ("read", "due", "write"))
        require(good, f"checkpoint = {shown(checkpoint)}, must have read(), due() and write(state)")
    metal = Metal(
        wires, technology, resolve_temperature(wires, technology.temperature if temperature is None else temperature)
    )
    density = currents.current_density if isinstance(currents, Currents) else currents
    circuit = GridCircuit(wires, technology, metal.resistivity, density)
    _check_currents(circuit)
    initial = (
        metal.residual_stress if residual_stress is None else wires.per_segment("residual_stress", residual_stress)
    )
    simulation = Simulation(
        metal,
        circuit,
        initial=initial,
        fails=FirstVoid() if fails is None else fails,
        until=until,
        update=update,
        grow=voids,
        rtol=rtol,
        stop_at_failure=stop_at_failure,
    )
    state = None if checkpoint is None else checkpoint.read()
    if state is not None:
        restore(simulation, state)
    while simulation.advance():
        if progress is not None:
            progress(min(simulation.t / until, 1.0), f"{len(simulation.voids)} voids")
        if checkpoint is not None and checkpoint.due():
            checkpoint.write(state_of(simulation))
    return verdict_of(simulation)


def check_until(until: float) -> float:
    """Return the time to look at [s].

    Raises:
        ParameterError: for one out of its bounds.
    """
    return number("until", until, at_least=SHORTEST, at_most=LONGEST, unit="s")


def _check_currents(circuit: GridCircuit) -> None:
    """Refuse currents that no wire carries; warn of none at all, and of pads that feed each other beside the loads.

    Raises:
        ParameterError: naming the wire.
    """
    density, network = np.abs(circuit.density), circuit.network
    worst = int(density.argmax())
    message = f"{density[worst]:.4g} A/m2 in {network.wire(worst)}, must be at most {DENSEST:g} A/m2"
    require(density[worst] <= DENSEST, message)
    if density[worst] > DOUBTED:
        message = (
            f"{density[worst]:.4g} A/m2 in {network.wire(worst)}, {network.width[worst]:.3g} m wide: chips have 1e11 "
            "A/m2 at most. Are unit, widths and loads right?"
        )
        warnings.warn(message, ResolutionWarning, skip_file_prefixes=PACKAGE)
    if density[worst] < LEAST:
        message = f"no current flows, {density[worst]:.2g} A/m2 at most: the network's loads are 0, or were lost"
        warnings.warn(message, ResolutionWarning, stacklevel=3)
    pads = np.array(list(network.pads), dtype=np.int64)
    volts, fed = np.array(list(network.pads.values())), circuit.start.injected
    if len(pads) and circuit.moves and network.loads.any():
        label = component_labels(len(network.nodes), network.segments, network.vias)[pads]
        low, high = (np.full(label.max() + 1, start) for start in (np.inf, -np.inf))
        np.minimum.at(low, label, volts)
        np.maximum.at(high, label, volts)
        apart = np.flatnonzero(high - low > SAME * np.maximum(np.abs(high), np.abs(low)))
        if len(apart):
            i, own = apart[0], fed[pads]
            through = min(own[own > 0].sum(), -own[own < 0].sum())
            message = (
                f"pads of one net are at {low[i]:g} V and {high[i]:g} V: {through:.4g} A flow from pad to pad, and the "
                "drop of a node is that below the nearest voltage of a pad"
            )
            warnings.warn(message, ResolutionWarning, stacklevel=3)
