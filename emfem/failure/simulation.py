"""A model of stress integrated to failure: voids open, grow and turn the current away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import is_dataclass
from typing import Any

from emfem import fields
from emfem import watch as watching
from emfem.checkpoints import Checkpoint, alike
from emfem.errors import ParameterError, count, number
from emfem.evolution import WallTime, evolve
from emfem.failure.circuit import Circuit
from emfem.failure.criteria import Criterion, Damage, FirstVoid, VoidLength
from emfem.failure.history import FailureHistory
from emfem.failure.immortality import cell_time, immortality
from emfem.failure.liner import Liner
from emfem.failure.nodes import Nodes
from emfem.failure.voids import EMPTY, Voids
from emfem.gate import checked
from emfem.model import Model
from emfem.observe import Observer, check_observers
from emfem.signals import stop_requests
from emfem.solve import Options
from emfem.stress.inputs import critical_tension

import numpy as np
from numpy.typing import ArrayLike

INSIDE = 1e-3  # of the critical stress: by so much more inside a segment than at the nodes, a node is missing there
CALM, SUDDEN = 1e-3, 1e-7  # of the time that stress takes through a cell: first steps, the second where a void opens
FINEST = 1e-4  # update: each takes a solve of the network


@checked(collective=True)
def run(
    model: Model,
    *,
    critical_stress: float,
    until: float,
    fails: Criterion | None = None,
    resistivity: ArrayLike | None = None,
    liner: Liner | None = None,
    cut: float = 0.0,
    hillock_stress: float | None = None,
    most: int | None = None,
    update: float = 0.02,
    rtol: float = 1e-4,
    watch: Sequence[Observer] = (),
    checkpoint: Checkpoint | None = None,
    wall_time: float | str | None = None,
    solver: str = "auto",
    petsc_options: Options | None = None,
) -> FailureHistory:
    """Integrate a model of stress on a line or network to failure: voids open, grow, turn the current away. Collective.

    A void opens at the node where tension reaches the critical stress, at the time it does, and fixes the stress there
    to 0 from then on. It takes up the atoms that leave, so V = int (sigma_T - sigma)/B dV, and cuts the wires at its
    node over V/(sum of their cross-sections). There the liner carries the current, or none does. Where the currents
    of the network can change, they are computed again each time that a resistance has changed by `update` of it, for
    half a change ahead: volumes of voids that share currents are right to 1e-4 at 0.02, to 2e-3 at 0.05. A void that
    shrinks to nothing closes. The metal is not made shorter by its voids. Beside a void that has just opened a stress
    that no cell resolves overshoots: give each segment several cells.

    Returns at once where it is seen that no void can ever open: see `immortality`.

    Args:
        model: of `em.stress.model(..., voids=True)`; it keeps the state reached. On a network with pads its currents
            must be those of `em.conduction.kirchhoff`.
        critical_stress: sigma_c, at least 1e4 [Pa].
        until: the time to give up at, after that of the model [s].
        fails: `FirstVoid()` (when left out), `VoidLength`, `ResistanceRise` or `Drop`. Beyond that it is failure when a
            void is as long as a wire, or when the current has no path.
        resistivity: rho of the metal, a number or one a segment; without it currents stay as they are [Ohm m].
        liner: what carries the current past a void; without, a void cuts its wires.
        cut: length at which a void begins to cut its wires, at least 0 [m].
        hillock_stress: the compression at which the metal is squeezed out, above 0: failure too [Pa].
        most: how many voids may open; any number when left out.
        update: part of its resistance by which a segment may change before currents are computed again, 1e-4 to 1 [-].
        rtol: error allowed in a step, as in `em.evolve`.
        watch: observers; they see one run.
        checkpoint: as in `em.evolve`: to go on from after whatever ended the program.
        wall_time: as in `em.evolve`, for the whole run.
        solver: as in `em.evolve`.
        petsc_options: as in `em.evolve`.

    Raises:
        ParameterError: for a value out of its bounds, a model without voids, a criterion that needs more than there is
            or a void longer than any wire, currents that are not those of the pads, or tension that passes the critical
            one between nodes.
    """
    critical = critical_tension(critical_stress)
    if hillock_stress is not None:
        number("hillock_stress", hillock_stress, above=0.0, unit="Pa")
    limit = np.inf if most is None else float(count("most", most, at_least=1))
    number("update", update, at_least=FINEST, at_most=1.0)
    nodes = Nodes(model)
    if liner is not None:
        if resistivity is None:
            msg = "liner is given without resistivity: give that of the metal too"
            raise ParameterError(msg)
    if resistivity is None and number("cut", cut, at_least=0.0, unit="m"):
        msg = f"cut = {cut:g} m is given without resistivity: give that of the metal too, or no current is cut"
        raise ParameterError(msg)
    circuit = None if resistivity is None else Circuit(model, resistivity, liner, cut)
    fails = FirstVoid() if fails is None else fails
    if isinstance(fails, type) or not callable(getattr(fails, "damage_measure", None)):
        msg = f"fails = {fails!r}, must be FirstVoid(), VoidLength(...), ResistanceRise(...) or Drop(...)"
        raise ParameterError(msg)
    if isinstance(fails, VoidLength) and fails.limit > nodes.longest * (1 + 1e-9):
        msg = (
            f"limit of the void's length = {fails.limit:g} m, must be at most that of the longest wire, "
            f"{nodes.longest:.4g} m"
        )
        raise ParameterError(msg)
    check_observers(watch)
    simulation = _Simulation(nodes, circuit, fails, critical, limit, update, hillock_stress)
    end, comm = number("until", until, unit="s"), model.mesh.comm
    clock = WallTime(wall_time, comm)
    with nullcontext() if checkpoint is None else checkpoint.locked(comm), stop_requests(comm):
        # a signal between two legs ends the next one
        return simulation.run(end, rtol, watch, {"solver": solver, "petsc_options": petsc_options}, checkpoint, clock)


class _Simulation(Observer):
    """One run in legs from event to event; it records the voids after each step."""

    def __init__(
        self,
        nodes: Nodes,
        circuit: Circuit | None,
        fails: Criterion,
        critical: float,
        most: float,
        update: float,
        hillock_stress: float | None,
    ) -> None:
        """Begin without a void."""
        super().__init__()
        self.model, self.nodes, self.circuit, self.fails = nodes.model, nodes, circuit, fails
        self.critical, self.most, self.update, self.hillock_stress = critical, most, update, hillock_stress
        self.measure = fails.damage_measure(circuit)
        self.voids = Voids(nodes)
        self.extra = self._extra_resistance()  # at the last redistribution
        self.redistributions = self.steps = 0
        self._last_damage: tuple[tuple[bytes, bool], Damage] | None = None
        self._rows: list[tuple[float, ...]] = []
        self._began = self.model.t  # of the present leg

    def state(self) -> dict[str, Any]:
        """Return the voids and the currents, and what was recorded."""
        return super().state() | {
            "voids": self.voids.state(),
            "extra": self.extra,
            "density": None if self.circuit is None else self.circuit.density,
            "rows": np.array(self._rows),
            "counts": [self.redistributions, self.steps],
            "began": self._began,
            "parameters": self._parameters(),
        }

    def _parameters(self) -> dict[str, Any]:
        """Return what decides on events."""
        circuit, fails = self.circuit, self.fails
        parameters = {
            "critical_stress": self.critical,
            "hillock_stress": self.hillock_stress,
            "most": self.most,
            "update": self.update,
            "fails": repr(fails) if is_dataclass(fails) else type(fails).__name__,
        }
        if circuit is None:
            return parameters
        return parameters | {"resistivity": circuit.rho.tolist(), "liner": repr(circuit.liner), "cut": circuit.cut}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take them back, and give them to the model."""
        super().restore(state)
        self.voids.restore(state["voids"])
        self.extra, self._rows = state["extra"], [tuple(row) for row in state["rows"].tolist()]
        self.redistributions, self.steps = state["counts"]
        self._began = state["began"]
        if self.circuit is not None:
            self.circuit.set_density(state["density"])

    def run(
        self,
        until: float,
        rtol: float,
        watch: Sequence[Observer],
        solves: Mapping[str, Any],
        checkpoint: Checkpoint | None,
        clock: WallTime,
    ) -> FailureHistory:
        """Go from event to event until one of them ends the run."""
        goes_on = checkpoint is not None and self._resume(checkpoint)
        actions: dict[str, Callable[[], str | None]] = {
            "nucleation": lambda: self.voids.nucleate(self.critical, self.most),
            "redistribution": self._redistribute,
            "healing": self.voids.heal,
            "failure": lambda: "open" if np.isinf(self.damage().resistance) else self.fails.reason,
            "hillock": lambda: "hillock",
            "empty": lambda: "a void is as long as a wire",
            "immortal": lambda: "immortal",
            "reached until": lambda: "survived",
        }
        cell = cell_time(self.model)
        why, first_step = None, CALM * cell
        while why is None:
            if not goes_on:
                self._began = self.model.t
            goes_on = False
            leg = evolve(
                self.model,
                until,
                first_step=first_step,
                rtol=rtol,
                watch=[*self._events(), self, *watch],
                progress=False,
                checkpoint=checkpoint,
                wall_time=clock.left(),
                **solves,
            )
            self.steps += leg.steps
            # A surface that opens or heals settles at once; currents change by little.
            calm = leg.stopped == "redistribution" and leg.steps > 0
            first_step = (leg.t - self._began) / leg.steps if calm else SUDDEN * cell
            why = actions[leg.stopped]() if leg.stopped in actions else leg.stopped
            if self.model.t >= until and why is None:
                why = "survived"
        failed = why not in ("survived", "immortal") and leg.stopped in actions
        if checkpoint is not None and leg.stopped in actions and self.model.mesh.comm.rank == 0:
            checkpoint.finish()
        return self._history(self.model.t if failed else np.inf, why)

    def _resume(self, checkpoint: Checkpoint) -> bool:
        """Take the voids and currents of a checkpoint; return True if there is one. Collective.

        Raises:
            ParameterError: if it is of another run.
        """
        checkpoint.in_parts = True
        newest = checkpoint.read([self.model]) if checkpoint.resume and not checkpoint.used else None
        if newest is None:
            return False
        kinds, states = newest[1]["kinds"], newest[1]["observers"]
        if type(self).__name__ not in kinds:
            msg = f"folder = {str(checkpoint.folder)!r}, must be that of a run to failure: it is of another run"
            raise ParameterError(msg)
        state = states[kinds.index(type(self).__name__)]
        mine, theirs = self._parameters(), state["parameters"]
        different = [name for name in mine | theirs if not alike(mine.get(name), theirs.get(name))]
        if different:
            msg = f"{' and '.join(different)} of another value, must be as in the run in {checkpoint.folder}"
            raise ParameterError(msg)
        newest[0].load()
        self.restore(state)
        return True

    def _events(self) -> list[watching.Event]:
        """Return the observers that can end a leg."""
        events = [watching.event(lambda *_: self.damage().part, above=1.0, reason="failure")]
        if len(self.voids.places) < self.most:
            events.append(watching.event(lambda *_: self._tension(), above=1.0, reason="nucleation"))
        if self.hillock_stress is not None:
            events.append(watching.event("sigma_min", below=-self.hillock_stress, reason="hillock"))
        if self.voids.places:
            events.append(watching.event(lambda *_: self.voids.deficit(), above=EMPTY, reason="healing", rtol=1e-3))
            if self.model.domain.network is not None:
                events.append(watching.event(lambda *_: self.voids.filling(), above=1.0, reason="empty"))
            if self.circuit is not None and self.circuit.moves:
                events.append(
                    watching.event(lambda *_: self._change(), above=self.update, reason="redistribution", rtol=1e-2)
                )
        elif self.hillock_stress is None and not self.voids.all:
            safe = immortality(self.model, self.critical)
            events += [] if safe is None else [safe]
        return events

    def damage(self) -> Damage:
        """Return the damage of the present state; computed once for each state: it may need a solve of the network."""
        lengths, any_open = self.voids.lengths(), bool(self.voids.places)
        state = lengths.tobytes(), any_open
        if self._last_damage is None or self._last_damage[0] != state:
            self._last_damage = state, self.measure(lengths, any_open)
        return self._last_damage[1]

    def _tension(self) -> float:
        """Return the highest tension where no void is, over the critical one."""
        highest = float(max(self.voids.tension().max(), 0.0))  # where all are open, none is left
        # Beside a new void the stress overshoots by an amount that depends on the cell.
        anywhere = 0.0 if self.voids.all else fields.extremes(self.model["sigma"])[1]
        if highest < self.critical < anywhere / (1 + INSIDE):
            msg = (
                f"tension of {anywhere:.4g} Pa between nodes passes critical_stress = {self.critical:.4g} Pa: "
                "put a node there, or take em.failure.nucleation"
            )
            raise ParameterError(msg)
        return highest / self.critical

    def _change(self) -> float:
        """Return the largest relative change of a segment's resistance since the last redistribution."""
        assert self.circuit is not None
        before, now = self.circuit.resistances + self.extra, self.circuit.resistances + self._extra_resistance()
        with np.errstate(invalid="ignore"):
            change = np.where(np.isinf(before), 0.0, np.abs(now / before - 1))
        return min(float(change.max()), 1 + self.update)  # a wire that is cut is a jump

    def _extra_resistance(self) -> np.ndarray:
        return np.zeros(0) if self.circuit is None else self.circuit.extra(self.voids.lengths())

    def _redistribute(self) -> str | None:
        """Compute the currents again; return "open" if there is no path left for them.

        They are those half a change ahead, so that over the next leg they are neither late nor early.
        """
        assert self.circuit is not None
        before, self.extra = self.extra, self._extra_resistance()
        if not self.circuit.closed(self.extra):
            return "open"
        grows = np.isfinite(self.extra) & np.isfinite(before)
        rise = np.subtract(self.extra, before, out=np.zeros_like(before), where=grows)
        self.circuit.redistribute(np.maximum(self.extra + rise / 2, 0.0))
        self.redistributions += 1
        return None

    def record(self, t: float) -> None:
        """Add a row, in place of the last one if the leg before ended with it."""
        low, high = fields.extremes(self.model["sigma"])
        if self._rows and self._rows[-1][0] == t:
            self._rows.pop()
        self._rows.append((t, float(self.nodes.volumes().sum()), self.damage().resistance, high, low))

    def _history(self, time_to_failure: float, why: str) -> FailureHistory:
        """Return the report."""
        t, volume, resistance, highest, lowest = np.array(self._rows).T
        return FailureHistory(
            time_to_failure=time_to_failure,
            why=why,
            voids=self.voids.reports(),
            t=t,
            volume=volume,
            resistance=None if np.isnan(resistance).all() else resistance,
            highest=highest,
            lowest=lowest,
            steps=self.steps,
            redistributions=self.redistributions,
        )
