"""One run of a stepper: observers, events, signals and checkpoints, until something ends it."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from signal import SIGINT, Signals
from typing import Any

from emfem import checkpoints
from emfem.checkpoints import Checkpoint, names_of
from emfem.dimensions import PLAIN
from emfem.errors import ConvergenceError, EmfemError, ParameterError, Terminated
from emfem.gate import Meeting
from emfem.gate.meeting import PATIENCE
from emfem.model import Model, check_resolution
from emfem.observe import Observer
from emfem.progress import show_progress
from emfem.public import dir_of
from emfem.quantities import duration
from emfem.signals import REASONS, stop_requests
from emfem.solve import Stepper
from emfem.watch import Event

import numpy as np

__all__ = ["Run"]  # the rest is for `emfem.evolution` and those that run models for their users
__dir__ = dir_of(__all__)

LAST_GOOD = "emfem-last-good.npz"  # where a failed run leaves its state without `checkpoint`
ROUNDING = 4 * np.finfo(float).eps  # the smallest that brentq takes
SAME = 1e-12  # relative: a time of an observer that is so near to the end is the end
REACHED, WALL_TIME = checkpoints.FINISHED, "wall time"
GOES_ON = ("", REACHED, WALL_TIME, *REASONS.values())  # ends of a run that may go on; others are those of observers
WAIT = 10.0  # steps that ranks wait for one another after an error of one


@dataclass(frozen=True)
class Run:
    """Steps, solves and seconds of a run, and why it ended.

    Attributes:
        t: the time reached.
        steps: steps accepted.
        rejected: steps tried and undone.
        solves: linear systems solved.
        factorisations: matrices factorised, or preconditioners set up.
        wall: seconds it took.
        stopped: why it ended: "reached until", an observer's reason, "interrupted" or "wall time".
        linear_iterations: of the linear solver, in all; one for each direct solve.
        unit: of t, "s" in SI; nothing if it has none.
    """

    t: float
    steps: int
    rejected: int
    solves: int
    factorisations: int
    wall: float
    stopped: str
    linear_iterations: int = 0
    unit: str = ""

    def __str__(self) -> str:
        """One line."""
        reached = duration(self.t, also=True) if self.unit == "s" else f"{self.t:g}"
        return (
            f"t = {reached} ({self.stopped}): {self.steps} steps, {self.rejected} rejected, {self.solves} solves, "
            f"{self.factorisations} factorisations, {self.wall:.1f} s"
        )

    def __repr__(self) -> str:
        """One line."""
        return f"<run to {self}>"


class Integration:
    """One run: steps, observers, signals and checkpoints."""

    def __init__(
        self,
        models: Sequence[Model],
        stepper: Stepper,
        until: float,
        watch: Sequence[Observer],
        checkpoint: os.PathLike[str] | str | Checkpoint | None,
        limit: float,
        settings: Mapping[str, Any],
        saved: Mapping[str, Any] | None,
    ) -> None:
        """Take them, and what was saved of an earlier run."""
        self.models, self.stepper, self.until, self.watch = models, stepper, until, watch
        self.comm = models[0].mesh.comm
        self.running = checkpoint if isinstance(checkpoint, Checkpoint) else None
        self.path = None if isinstance(checkpoint, Checkpoint) else checkpoint
        self.limit, self.settings, self.saved = limit, settings, saved
        self.events = [observer for observer in watch if isinstance(observer, Event)]
        self.began = stepper.t if saved is None else saved["began"]
        self.pending: list[int] = [] if saved is None else saved["pending"]  # observers that have not seen this step
        self.between: list[Observer] = []  # periodic ones for which this step is at none of their times
        self.reason: str | None = None if saved is None else saved["reason"]  # of those that have, to stop
        self.clock = time.perf_counter()
        self.before = 0.0 if saved is None else saved["wall"]  # seconds of the run until it was ended

    def to_end(self, progress: bool) -> Run:
        """Integrate to the end, with everything that belongs to it."""
        stopped = ""
        with ExitStack() as stack:
            requested = stack.enter_context(stop_requests(self.comm))
            show = stack.enter_context(show_progress(self.models, self.began, self.until, progress))
            meeting = Meeting(self.comm)
            stack.callback(meeting.close)
            observers = stack.enter_context(ExitStack())
            with meeting as same:
                self._start_observers(observers)
                same["watch"] = [type(observer).__name__ for observer in self.watch]
                same["times of watch"] = [observer.next_time for observer in self.watch]
            if self.saved is None:
                check_resolution(self.models, min([self.until, *(observer.next_time for observer in self.watch)]))
            if self.running is not None:
                self.running.begin(self.stepper.t, comm=self.comm)
                self.running.check(self.models, self._state(""))
            try:
                stopped = self._integrate(meeting, requested, show)
            except KeyboardInterrupt as error:  # of a function of the user
                stopped = REASONS[SIGINT]
                if self.comm.size > 1:
                    self._rescue(error)
                    raise
            except BaseException as error:
                self._rescue(error)
                raise
            for observer in self.watch:
                observer.stopped = stopped
            if self.running is not None and not (self.running.in_parts and stopped not in GOES_ON):
                self.running.write(self.models, self._state(stopped))
        unchecked = [event.reason for event in self.events if not event.check_resolution]
        if stopped not in (*GOES_ON, *unchecked):
            check_resolution(self.models, self.stepper.t)
        if self.path is not None:
            checkpoints.save(self.models, self.path)
        code = next((number for number, reason in REASONS.items() if reason == stopped), None)
        if code is not None and code != SIGINT:
            if self.comm.rank == 0:
                print(f"{stopped} at t = {self.stepper.t:g}{self._where()}", file=sys.stderr, flush=True)
            raise Terminated(code)
        stepper = self.stepper
        return Run(
            t=stepper.t,
            steps=stepper.steps,
            rejected=stepper.rejected,
            solves=stepper.solves,
            factorisations=stepper.factorisations,
            linear_iterations=stepper.linear_iterations,
            wall=self._wall(),
            stopped=stopped,
            unit=self.models[0].system.time.strip(PLAIN),
        )

    def _start_observers(self, stack: ExitStack) -> None:
        """Start the observers, or let them go on; whatever happens they finish."""
        for i, observer in enumerate(self.watch):
            stack.callback(observer.finish)
            if self.saved is None:
                observer.start(self.models, self.models[0].t)
            else:
                observer.resume(self.models, self.saved["observers"][i])

    def _integrate(
        self, meeting: Meeting, requested: Callable[[], Signals | None], show: Callable[[Stepper], None]
    ) -> str:
        """Step to `until` or until an observer, a signal or the clock stops the run; return the reason."""
        if self.saved is None:
            with meeting:
                reason = next((event.reason for event in self.events if event.excess(self.began) >= 0.0), None)
        elif self.pending:
            with meeting as same:
                same["reason to stop"] = reason = self._look()
            if reason:
                with meeting:
                    self._look_at_end()
        else:
            reason = None if self.saved["stopped"] in GOES_ON else self.saved["stopped"]
        if reason:
            return reason
        longest = 0.0
        while self.stepper.t < self.until:
            start = time.perf_counter()
            with meeting as same:
                self._step()
                same["reason to stop"] = reason = self._look()
                same["times of watch"] = [observer.next_time for observer in self.watch]
            if reason:
                with meeting:
                    self._look_at_end()
                return reason
            check_resolution(self.models, self.stepper.t, each_step=True)
            show(self.stepper)
            if signal := requested():
                return REASONS[signal]
            longest = max(longest, time.perf_counter() - start)
            meeting.patience = max(PATIENCE, WAIT * longest)
            saving = 0.0 if self.running is None else self.running.seconds
            out_of_time = self._wall() - self.before + 2 * (longest + saving) > self.limit
            due = self.running is not None and self.running.due(self.stepper.t)
            if self.limit < math.inf or self.running is not None:
                out_of_time, due = self.comm.bcast((out_of_time, due), root=0)
            if out_of_time:
                return WALL_TIME
            if due and self.running is not None and self.stepper.t < self.until:
                self.running.write(self.models, self._state(""))
        return REACHED

    def _step(self) -> None:
        """Take a step to the next time of an observer, or to an event, whatever is first."""
        stepper = self.stepper
        target = min([self.until, *(observer.next_time for observer in self.watch)])
        stepper.step(self.until if target >= self.until * (1 - SAME) else target)
        passed = [event for event in self.events if event.excess(stepper.t) >= 0.0]
        if passed:
            _locate(stepper, passed, min(event.rtol for event in passed) * (stepper.t - self.began))
        if stepper.t >= self.until or any(observer.is_due(stepper.t) for observer in self.watch):
            stepper.settle()
        self.pending, self.reason = list(range(len(self.watch))), None

    def _look(self) -> str | None:
        """Show the state to the observers that have not seen it; return the first reason to stop."""
        t, last = self.stepper.t, self.stepper.t >= self.until
        self.between = [] if last else [o for o in self.watch if o.every is not None and not o.is_due(t)]
        while self.pending:
            reason = self.watch[self.pending[0]].look(t, last=last)
            self.reason = self.reason or reason
            del self.pending[0]
        return self.reason

    def _look_at_end(self) -> None:
        """Show the state to the periodic observers for which this is between two of their times."""
        self.stepper.settle()
        for observer in self.between:
            observer.look(self.stepper.t, last=True)

    def _state(self, stopped: str) -> dict[str, Any]:
        """Return all that a run needs to go on from here."""
        return {
            **self.settings,
            "t": self.stepper.t,
            "began": self.began,
            "wall": self._wall(),
            "stopped": stopped,
            "ended": stopped == REACHED or stopped not in GOES_ON,
            "pending": self.pending,
            "reason": self.reason,
            "kinds": [type(observer).__name__ for observer in self.watch],
            "names": [names_of(observer) for observer in self.watch],
            "observers": [observer.state() for observer in self.watch],
            "stepper": self.stepper.state(),
        }

    def _where(self) -> str:
        """Return where the state is saved, for a message."""
        place = self.path if self.running is None else self.running.folder
        return "" if place is None else f"; the state is in {place}"

    def _wall(self) -> float:
        """Return the seconds of the run so far."""
        return self.before + time.perf_counter() - self.clock

    def _rescue(self, error: BaseException) -> None:
        """Save the last good state, and add to the error where it is. Collective: all ranks have an error."""
        if self.running is not None:
            try:
                written = self.running.write(self.models, self._state(""))
                place = f"the state at t = {self.stepper.t:g} is in {written}" if written else "the state is not saved"
            except Exception as second:  # the first error is the one that ends the run
                place = f"the state is not saved: {second}"
        elif self.path is not None or isinstance(error, ConvergenceError):
            place = self._saved_to(self.path or LAST_GOOD)
        else:
            return
        if isinstance(error, ConvergenceError):
            error.args = (f"{error.args[0]}{self._shorter(error.dt)}; {place}",)
        elif not isinstance(error, EmfemError):
            error.add_note(place)

    def _shorter(self, dt: float) -> str:
        """Return a hint where not even a first step was possible: the start changes faster than its rates tell."""
        if self.stepper.steps or self.settings["fixed_step"]:
            return ""
        return f"; at the start a shorter one may do: evolve(..., first_step={0.1 * dt:.1g})"

    def _saved_to(self, path: os.PathLike[str] | str) -> str:
        """Save the last good state; return a sentence that says where."""
        try:
            return f"the last good state is in {checkpoints.save(self.models, path)}"
        except ParameterError as error:
            return f"the last good state is in the models only ({error})"


def _locate(stepper: Stepper, events: Sequence[Event], near: float) -> None:
    """Repeat the last step until it ends where the first of `events` happens, or at most `near` after.

    Each try starts from the same state, so the event is as exact as the steps are.
    """
    origin, last = stepper.origin(), stepper.t
    beyond: list[float] = []  # times tried that are after the event

    def excess(t: float) -> float:
        """Return the largest excess of the events at t, where the models then are."""
        stepper.restore(origin)
        while stepper.t < t:
            stepper.step(t)
        most = max(event.excess(t) for event in events)
        if most >= 0.0:
            beyond.append(t)
        return most

    if excess(origin.t) < 0.0 <= excess(last):
        from scipy.optimize import brentq  # slow to import

        brentq(excess, origin.t, last, xtol=near, rtol=ROUNDING)
    if beyond:
        excess(min(beyond))
