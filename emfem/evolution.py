"""The run: models marched through time, observers looking on, and a report of how it went."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emfem import checkpoint as checkpoints
from emfem import fields
from emfem.errors import ConvergenceError, EmfemError, ParameterError, choice, number
from emfem.files import writable
from emfem.model import Model, check_resolution
from emfem.observe import Observer
from emfem.solve import METHODS, Options, Staggered, TimeStepper, as_models
from emfem.watch import Event

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from scipy.optimize import brentq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAST_GOOD = "emfem-last-good.npz"  # where a failed run leaves its state when no checkpoint was asked for
COUPLINGS: dict[str, type[TimeStepper]] = {"monolithic": TimeStepper, "staggered": Staggered}
ROUNDING = 4 * np.finfo(float).eps  # the least that brentq takes
SAME = 1e-12  # relative: a time wanted that is so near to the end is the end, as observers see it too
PLAIN = 5.0  # seconds between lines where there is no terminal


@dataclass(frozen=True)
class Run:
    """How a run went.

    Attributes:
        t: the time reached.
        steps: steps accepted.
        rejected: steps tried and taken back.
        solves: linear systems solved.
        factorisations: matrices factorised.
        wall: seconds it took.
        stopped: why it ended: "reached until", an observer's reason, or "interrupted".
    """

    t: float
    steps: int
    rejected: int
    solves: int
    factorisations: int
    wall: float
    stopped: str

    def __str__(self) -> str:
        """One line."""
        return (
            f"t = {self.t:g} ({self.stopped}): {self.steps} steps, {self.rejected} rejected, {self.solves} solves, "
            f"{self.factorisations} factorisations, {self.wall:.1f} s"
        )

    def __repr__(self) -> str:
        """One line."""
        return f"<run to {self}>"


def evolve(
    models: Model | Sequence[Model],
    until: float,
    *,
    first_step: float | None = None,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    watch: Sequence[Observer] = (),
    checkpoint: os.PathLike[str] | str | None = None,
    progress: bool = True,
    method: str = "rosenbrock",
    fixed_step: float | None = None,
    coupling: str = "monolithic",
    petsc_options: Options | None = None,
) -> Run:
    """March models, coupled, from the time they are at to `until`.

    Args:
        models: one model or several; they keep the state reached.
        until: the time to reach, hit exactly.
        first_step: the first step to try; when left out a millionth of the way, or the time in which the start changes
            much if that is shorter.
        rtol: error allowed in a step, relative to each evolving unknown.
        atol: error allowed in a step, absolute; unknowns are scaled to O(1).
        watch: observers; the times they want are hit exactly.
        checkpoint: a .npz file for the last state, written at the end and when the run fails.
        progress: show a bar on a terminal, a line now and then elsewhere; rank 0 only.
        method: "rosenbrock" (Rosenbrock-W, third order, stiffly accurate) or "bdf" (second order).
        fixed_step: take steps of this size (rounded so that targets are hit) without error control.
        coupling: "monolithic" solves all models as one system, with its full Jacobian; "staggered" steps those that
            evolve and then solves the others, such as a conduction, with what they became: smaller systems, but an
            error of first order in the step that the error control does not see.
        petsc_options: PETSc options for TS and what is below it, without prefix; they come last.

    Raises:
        ParameterError: for `until` not after the models' time, a step or tolerance that is not positive, or a staggered
            coupling of models that all evolve.
        UnknownName: for an unknown method, or a quantity or field that an observer asks for in vain.
        ConvergenceError: if the smallest step fails; the models hold the last good state, and it is on disk.
        ConservationError: if an observer finds that something was not conserved.

    Warns:
        ResolutionWarning: where the mesh does not resolve what is looked at: at `until`, at the first time that an
            observer names, or where an event ends the run.
    """
    found = as_models(models)
    until = number("until", until)
    if until <= found[0].t:
        msg = f"until = {until:g}, must be after the models' time {found[0].t:g}"
        raise ParameterError(msg)
    number("rtol", rtol, above=0.0)
    number("atol", atol, above=0.0)
    for name, value in (("first_step", first_step), ("fixed_step", fixed_step)):
        if value is not None:
            number(name, value, above=0.0)
    choice("method", method, METHODS)
    choice("coupling", coupling, COUPLINGS)
    if not isinstance(watch, Sequence) or not all(isinstance(observer, Observer) for observer in watch):
        msg = f"watch = {watch!r}, must be a list of observers, [...], from em.watch, em.write or your own"
        raise ParameterError(msg)
    comm = found[0].mesh.comm
    if checkpoint is not None:
        writable(checkpoint, ".npz", comm=comm)
    began = time.perf_counter()
    stepper = COUPLINGS[coupling](
        found,
        until,
        method=method,
        rtol=rtol,
        atol=atol,
        first_step=first_step,
        fixed_step=fixed_step,
        options=petsc_options,
    )
    with _observing(watch, found), _report(found, until, progress) as tell:
        check_resolution(found, min([until, *(observer.next_time for observer in watch)]))
        try:
            stopped = _march(stepper, until, watch, tell)
        except ConvergenceError as error:
            error.args = (f"{error.args[0]}; {_rescue(found, checkpoint or LAST_GOOD)}",)
            raise
        except EmfemError:
            if checkpoint is not None:
                checkpoints.save(found, checkpoint)
            raise
        except KeyboardInterrupt:
            stopped = "interrupted"
    aside = [event.reason for event in watch if isinstance(event, Event) and not event.timely]
    if stopped not in ("reached until", "interrupted", *aside):
        check_resolution(found, stepper.t)
    if checkpoint is not None:
        checkpoints.save(found, checkpoint)
    run = Run(
        t=stepper.t,
        steps=stepper.steps,
        rejected=stepper.rejected,
        solves=stepper.solves,
        factorisations=stepper.factorisations,
        wall=time.perf_counter() - began,
        stopped=stopped,
    )
    stepper.close()
    return run


def _rescue(models: Sequence[Model], path: os.PathLike[str] | str) -> str:
    """Save the last good state; where it is."""
    try:
        return f"the last good state is in {checkpoints.save(models, path)}"
    except ParameterError as error:
        return f"the last good state is in the models only ({error})"


def _march(stepper: TimeStepper, until: float, watch: Sequence[Observer], tell: Callable[[TimeStepper], None]) -> str:
    """Step to `until` or until an observer stops the run; why it ended."""
    events, began = [observer for observer in watch if isinstance(observer, Event)], stepper.t
    for event in events:
        if event.beyond(began) >= 0.0:
            return event.reason
    while stepper.t < until:
        target = min([until, *(observer.next_time for observer in watch)])
        stepper.step(until if target >= until * (1 - SAME) else target)
        passed = [event for event in events if event.beyond(stepper.t) >= 0.0]
        if passed:
            _locate(stepper, passed, min(event.rtol for event in passed) * (stepper.t - began))
        if stepper.t >= until:
            stepper.settle()
        elif any(observer.is_due(stepper.t) for observer in watch):
            stepper.settle()
        tell(stepper)
        reasons = [observer.look(stepper.t, last=stepper.t >= until) for observer in watch]
        stop = next((reason for reason in reasons if reason), None)
        if stop:
            stepper.settle()
            return stop
    return "reached until"


def _locate(stepper: TimeStepper, events: Sequence[Event], near: float) -> None:
    """Take the last step again and again until it ends where the first of `events` happens, or at most `near` after.

    Each try starts from the same state, so the event is as exact as the steps are.
    """
    origin, last = stepper.origin(), stepper.t
    tried: list[float] = []  # the times found to be beyond the event

    def beyond(t: float) -> float:
        """How far the events are exceeded at t, where the models then are."""
        stepper.restore(origin)
        while stepper.t < t:
            stepper.step(t)
        most = max(event.beyond(t) for event in events)
        if most >= 0.0:
            tried.append(t)
        return most

    if beyond(origin.t) < 0.0 <= beyond(last):
        brentq(beyond, origin.t, last, xtol=near, rtol=ROUNDING)
    if tried:
        beyond(min(tried))


@contextmanager
def _observing(watch: Sequence[Observer], models: Sequence[Model]) -> Iterator[None]:
    """Start the observers, and finish them whatever happens."""
    begun: list[Observer] = []
    try:
        for observer in watch:
            begun.append(observer)
            observer.start(models, models[0].t)
        yield
    finally:
        for observer in begun:
            observer.finish()


@contextmanager
def _report(models: Sequence[Model], until: float, wanted: bool) -> Iterator[Callable[[TimeStepper], None]]:
    """A function to call after each step: it moves a bar on a terminal, prints a line now and then elsewhere."""
    unknown = models[0].unknowns[0]
    comm = models[0].mesh.comm
    start = models[0].t

    def state(stepper: TimeStepper) -> str:
        low, high = fields.extremes(unknown.function)
        return f"step {stepper.steps}  dt {stepper.dt:.3g}  {unknown.name} {low:.4g} … {high:.4g}"

    if not wanted:
        yield lambda stepper: None
    elif (sys.stderr.isatty() and comm.size == 1) or comm.bcast(sys.stderr.isatty(), root=0):
        columns = ("{task.description}", BarColumn(), TextColumn("{task.fields[state]}"), TimeRemainingColumn())
        bar = Progress(*columns, console=Console(stderr=True), disable=comm.rank != 0, transient=True)
        with bar:
            task = bar.add_task("", total=until - start, state="")

            def move(stepper: TimeStepper) -> None:
                told = f"t = {stepper.t:.4g}/{until:g}"
                bar.update(task, completed=stepper.t - start, description=told, state=state(stepper))

            yield move
    else:
        last = time.perf_counter()

        def line(stepper: TimeStepper) -> None:
            nonlocal last
            now = time.perf_counter()
            if comm.bcast(now - last > PLAIN, root=0):
                last = now
                told = f"t = {stepper.t:.4g}/{until:g}  {state(stepper)}"
                if comm.rank == 0:
                    print(told, file=sys.stderr, flush=True)

        yield line
