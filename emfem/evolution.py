"""The run: models integrated in time, with observers and a report."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from signal import SIGINT, Signals
from typing import TYPE_CHECKING, Any

from emfem import checkpoints, fields
from emfem.checkpoints import Checkpoint, describe, names_of, saved_state
from emfem.errors import ConvergenceError, EmfemError, ParameterError, Terminated, choice, kind, number
from emfem.files import writable
from emfem.gate import Meeting, checked
from emfem.gate.meeting import PATIENCE
from emfem.model import Model, check_resolution
from emfem.observe import Observer, check_observers
from emfem.public import dir_of
from emfem.signals import REASONS, stop_requests
from emfem.solve import METHODS, SOLVERS, Method, Options, Staggered, Stepper, TimeStepper, as_models
from emfem.watch import Event

import numpy as np
from mpi4py import MPI
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Run", "evolve", "resume"]
__dir__ = dir_of(__all__)

LAST_GOOD = "emfem-last-good.npz"  # where a failed run leaves its state without `checkpoint`
COUPLINGS: dict[str, Callable[..., Stepper]] = {"monolithic": TimeStepper, "staggered": Staggered}
ROUNDING = 4 * np.finfo(float).eps  # the smallest that brentq takes
SHORTEST = 1e-300  # step, as a part of the time to cover: their number is a float
SAME = 1e-12  # relative: a time of an observer that is so near to the end is the end
REACHED, WALL_TIME = checkpoints.FINISHED, "wall time"
INSTANT = 1e-9  # s: a part that begins after the wall time ends after its first step, with its state saved
GOES_ON = ("", REACHED, WALL_TIME, *REASONS.values())  # ends of a run that may go on; others are those of observers
WAIT = 10.0  # steps that ranks wait for one another after an error of one
PLAIN = 5.0  # seconds between lines where there is no terminal


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
    """

    t: float
    steps: int
    rejected: int
    solves: int
    factorisations: int
    wall: float
    stopped: str
    linear_iterations: int = 0

    def __str__(self) -> str:
        """One line."""
        return (
            f"t = {self.t:g} ({self.stopped}): {self.steps} steps, {self.rejected} rejected, {self.solves} solves, "
            f"{self.factorisations} factorisations, {self.wall:.1f} s"
        )

    def __repr__(self) -> str:
        """One line."""
        return f"<run to {self}>"


@checked(collective=True)
def evolve(
    models: Model | Sequence[Model],
    until: float,
    *,
    first_step: float | None = None,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    watch: Sequence[Observer] = (),
    checkpoint: os.PathLike[str] | str | Checkpoint | None = None,
    progress: bool = True,
    wall_time: float | str | None = None,
    method: str | Method = "rosenbrock",
    fixed_step: float | None = None,
    coupling: str = "monolithic",
    solver: str = "auto",
    petsc_options: Options | None = None,
) -> Run:
    """Integrate models, coupled, from their present time to `until`.

    Args:
        models: one model or several; they keep the state reached.
        until: the time to reach, hit exactly.
        first_step: the first step to try; when left out a millionth of the way, or the time in which the start changes
            much if that is shorter.
        rtol: error allowed in a step, relative to each evolving unknown.
        atol: error allowed in a step, absolute; unknowns are scaled to O(1).
        watch: observers; their times are hit exactly.
        checkpoint: `em.checkpoint("folder", every="10 min")` keeps the state as the run goes, to go on from after
            whatever ended it; or a .npz file for the last state, written at the end and when the run fails.
        progress: show a bar on a terminal, a line now and then elsewhere; rank 0 only.
        wall_time: end the run, with its state saved, before it has taken so long, in seconds or with a unit, "11.5 h".
        method: "rosenbrock" (Rosenbrock-W, third order, stiffly accurate), "bdf" (second order), or any integrator
            of PETSc as an `em.solve.Method`.
        fixed_step: take steps of this size (rounded so that targets are hit) without error control.
        coupling: "monolithic" solves all models as one system, with its full Jacobian; "staggered" steps those that
            evolve and then solves the others, such as a conduction, with the new values: smaller systems, but an
            error of first order in the step that the error control does not see.
        solver: of the linear systems: "direct" factorises them, "iterative" uses the preconditioner of each model,
            "auto" whichever is faster for as many unknowns.
        petsc_options: PETSc options for all solves of the run, without prefix; they come last. A `pc_type` replaces the
            solver. Those that begin with algebraic_ are only for solves of the unknowns without rate alone, at the
            start and at jumps, those with followers_ only for models that a staggered coupling solves after a step.

    SIGINT ends the run after the present step on all ranks, as `until` would; after SIGTERM or SIGUSR1 the program ends
    too, with the exit code of the signal. A second signal ends it at once.

    Raises:
        ParameterError: for `until` not after the models' time, a step or tolerance that is not positive, or a staggered
            coupling of models that all evolve.
        UnknownName: for an unknown method or solver, or a quantity or field of an observer that no model has.
        ConvergenceError: if the smallest step fails; the models have the last good state, and it is on disk.
        ConservationError: if an observer checks a quantity that was not conserved.
        Terminated: after SIGTERM or SIGUSR1.
        EmfemError: if another rank failed.

    Warns:
        ResolutionWarning: where the mesh does not resolve the fields: at `until`, at the first time of an observer, or
            where an event ends the run.
    """
    models = as_models(models)
    until = number("until", until)
    number("rtol", rtol, above=0.0)
    number("atol", atol, above=0.0)
    if isinstance(method, str):
        method = METHODS[choice("method", method, METHODS)]
    kind("method", method, Method, f"one of {', '.join(METHODS)}, or em.solve.Method(...)")
    choice("coupling", coupling, COUPLINGS)
    choice("solver", solver, SOLVERS)
    check_observers(watch)
    limit = math.inf if wall_time is None else checkpoints.seconds("wall_time", wall_time)
    running = checkpoint if isinstance(checkpoint, Checkpoint) else None
    if checkpoint is not None and not isinstance(checkpoint, Checkpoint):
        writable(checkpoint, ".npz", comm=models[0].mesh.comm)
    settings: dict[str, Any] = {
        "until": until,
        "rtol": rtol,
        "atol": atol,
        "fixed_step": fixed_step,
        "coupling": coupling,
        "solver": solver,
    }
    settings |= {
        "method": asdict(method),
        "petsc_options": dict(petsc_options) if isinstance(petsc_options, Mapping) else None,
    }
    with ExitStack() as stack:
        saved = None
        if running is not None:
            stack.enter_context(running.locked(models[0].mesh.comm))
            described = describe(models, start=not running.in_parts)
            saved = saved_state(running, models, described, settings, watch)
            settings["models"] = described
        if until <= models[0].t and saved is None:
            msg = f"until = {until:g}, must be after the models' time {models[0].t:g}"
            raise ParameterError(msg)
        for name, value in (("first_step", first_step), ("fixed_step", fixed_step)):
            if value is not None:
                number(name, number(name, value, above=0.0), above=SHORTEST * abs(until - models[0].t))
        stepper = COUPLINGS[coupling](
            models,
            until,
            method=method,
            rtol=rtol,
            atol=atol,
            first_step=first_step,
            fixed_step=fixed_step,
            solver=solver,
            options=petsc_options,
            resume=saved and saved["stepper"],
        )
        stack.callback(stepper.close)
        run = _Integration(models, stepper, until, watch, checkpoint, limit, settings, saved)
        return run.to_end(progress)


@checked(collective=True)
def resume(
    folder: os.PathLike[str] | str,
    models: Model | Sequence[Model],
    until: float | None = None,
    *,
    watch: Sequence[Observer] = (),
    progress: bool = True,
    wall_time: float | str | None = None,
    every: float | str = "10 min",
    every_time: float | None = None,
    keep: int = 2,
    on_write_error: str = "warn",
) -> Run:
    """Go on with the run of a folder of `em.checkpoint`, as `evolve` does with `resume=True`, with its own settings.

    Args:
        folder: the folder.
        models: the models of that run, made again as they were at its start.
        until: the time to reach; that of the run when left out.
        watch: the observers of that run, made again.
        progress: as in `evolve`.
        wall_time: as in `evolve`.
        every: as in `em.checkpoint`.
        every_time: as in `em.checkpoint`.
        keep: as in `em.checkpoint`.
        on_write_error: as in `em.checkpoint`.

    Raises:
        ParameterError: if there is nothing to go on from, or models or observers are others.
    """
    checkpoint = Checkpoint(
        folder, every=every, every_time=every_time, keep=keep, on_write_error=on_write_error, resume=True
    )
    newest = checkpoint.newest(as_models(models)[0].mesh.comm)
    if newest is None:
        msg = f"folder = {str(folder)!r}, must hold checkpoints of a run: it has none"
        raise ParameterError(msg)
    saved = newest.about
    names = ("rtol", "atol", "fixed_step", "coupling", "petsc_options")
    return evolve(
        models,
        saved["until"] if until is None else until,
        watch=watch,
        checkpoint=checkpoint,
        progress=progress,
        wall_time=wall_time,
        method=Method(**saved["method"]),
        solver=saved.get("solver", "direct"),  # earlier versions had no other
        **{name: saved[name] for name in names},
    )


class WallTime:
    """The wall time of a run in parts, which all of them share."""

    def __init__(self, wall_time: float | str | None, comm: MPI.Comm) -> None:
        """Begin to count; None is no limit.

        Raises:
            ParameterError: for a time that is none, or not positive.
        """
        limit = math.inf if wall_time is None else checkpoints.seconds("wall_time", wall_time)
        self._end, self._comm = time.perf_counter() + limit, comm

    def left(self) -> float | None:
        """Return what is left for the next part, by the clock of rank 0, for `evolve`. Collective."""
        if math.isinf(self._end):
            return None
        return float(self._comm.bcast(max(self._end - time.perf_counter(), INSTANT), root=0))


class _Integration:
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
            show = stack.enter_context(_progress(self.models, self.began, self.until, progress))
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
            error.args = (f"{error.args[0]}; {place}",)
        elif not isinstance(error, EmfemError):
            error.add_note(place)

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


@contextmanager
def _progress(models: Sequence[Model], start: float, until: float, wanted: bool) -> Iterator[Callable[[Stepper], None]]:
    """Make a function to call after each step: it moves a bar on a terminal, prints a line now and then elsewhere."""
    unknown, comm = models[0].unknowns[0], models[0].mesh.comm
    last = time.perf_counter()

    def texts(stepper: Stepper) -> tuple[str, str]:
        low, high = fields.extremes(unknown.function)
        state = f"step {stepper.steps}  dt {stepper.dt:.3g}  {unknown.name} {low:.4g} … {high:.4g}"
        return f"t = {stepper.t:.4g}/{until:g}", state

    def print_line(stepper: Stepper) -> None:
        nonlocal last
        now = time.perf_counter()
        if comm.bcast(now - last > PLAIN, root=0):
            last = now
            line = "  ".join(texts(stepper))
            if comm.rank == 0:
                with suppress(OSError):  # the terminal may be gone
                    print(line, file=sys.stderr, flush=True)

    if not wanted:
        yield lambda stepper: None
    elif comm.bcast(sys.stderr.isatty(), root=0):
        columns = ("{task.description}", BarColumn(), TextColumn("{task.fields[state]}"), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), disable=comm.rank != 0, transient=True) as bar:
            task = bar.add_task("", total=until - start, state="")

            def move_bar(stepper: Stepper) -> None:
                description, state = texts(stepper)
                bar.update(task, completed=stepper.t - start, description=description, state=state)

            yield move_bar
    else:
        yield print_line
