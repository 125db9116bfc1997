"""The run: models integrated in time, with observers and a report."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emfem import checkpoint as checkpoints
from emfem import fields
from emfem.errors import ConvergenceError, EmfemError, ParameterError, choice, kind, number
from emfem.files import writable
from emfem.model import Model, check_resolution
from emfem.observe import Observer, check_observers
from emfem.public import dir_of
from emfem.solve import METHODS, Method, Options, Staggered, Stepper, TimeStepper, as_models
from emfem.watch import Event

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Run", "evolve"]
__dir__ = dir_of(__all__)

LAST_GOOD = "emfem-last-good.npz"  # where a failed run leaves its state without `checkpoint`
COUPLINGS: dict[str, Callable[..., Stepper]] = {"monolithic": TimeStepper, "staggered": Staggered}
ROUNDING = 4 * np.finfo(float).eps  # the smallest that brentq takes
SHORTEST = 1e-300  # step, as a part of the time to cover: their number is a float
SAME = 1e-12  # relative: a time of an observer that is so near to the end is the end
PLAIN = 5.0  # seconds between lines where there is no terminal


@dataclass(frozen=True)
class Run:
    """Steps, solves and seconds of a run, and why it ended.

    Attributes:
        t: the time reached.
        steps: steps accepted.
        rejected: steps tried and undone.
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
    method: str | Method = "rosenbrock",
    fixed_step: float | None = None,
    coupling: str = "monolithic",
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
        checkpoint: a .npz file for the last state, written at the end and when the run fails.
        progress: show a bar on a terminal, a line now and then elsewhere; rank 0 only.
        method: "rosenbrock" (Rosenbrock-W, third order, stiffly accurate), "bdf" (second order), or any integrator
            of PETSc as an `em.solve.Method`.
        fixed_step: take steps of this size (rounded so that targets are hit) without error control.
        coupling: "monolithic" solves all models as one system, with its full Jacobian; "staggered" steps those that
            evolve and then solves the others, such as a conduction, with the new values: smaller systems, but an
            error of first order in the step that the error control does not see.
        petsc_options: PETSc options for all solves of the run, without prefix; they come last. Those that begin with
            algebraic_ are only for solves of the unknowns without rate alone, at the start and at jumps, those with
            followers_ only for the models that a staggered coupling solves after each step.

    Raises:
        ParameterError: for `until` not after the models' time, a step or tolerance that is not positive, or a staggered
            coupling of models that all evolve.
        UnknownName: for an unknown method, or a quantity or field of an observer that no model has.
        ConvergenceError: if the smallest step fails; the models have the last good state, and it is on disk.
        ConservationError: if an observer checks a quantity that was not conserved.

    Warns:
        ResolutionWarning: where the mesh does not resolve the fields: at `until`, at the first time of an observer, or
            where an event ends the run.
    """
    models = as_models(models)
    until = number("until", until)
    if until <= models[0].t:
        msg = f"until = {until:g}, must be after the models' time {models[0].t:g}"
        raise ParameterError(msg)
    number("rtol", rtol, above=0.0)
    number("atol", atol, above=0.0)
    for name, value in (("first_step", first_step), ("fixed_step", fixed_step)):
        if value is not None:
            number(name, number(name, value, above=0.0), above=SHORTEST * (until - models[0].t))
    if isinstance(method, str):
        method = METHODS[choice("method", method, METHODS)]
    kind("method", method, Method, f"one of {', '.join(METHODS)}, or em.solve.Method(...)")
    choice("coupling", coupling, COUPLINGS)
    check_observers(watch)
    if checkpoint is not None:
        writable(checkpoint, ".npz", comm=models[0].mesh.comm)
    began = time.perf_counter()
    stepper = COUPLINGS[coupling](
        models,
        until,
        method=method,
        rtol=rtol,
        atol=atol,
        first_step=first_step,
        fixed_step=fixed_step,
        options=petsc_options,
    )
    with ExitStack() as observers, _progress(models, until, progress) as show:
        for observer in watch:
            observers.callback(observer.finish)  # whatever happens
            observer.start(models, models[0].t)
        check_resolution(models, min([until, *(observer.next_time for observer in watch)]))
        try:
            stopped = _integrate(stepper, until, watch, show)
        except ConvergenceError as error:
            error.args = (f"{error.args[0]}; {_rescue(models, checkpoint or LAST_GOOD)}",)
            raise
        except EmfemError:
            if checkpoint is not None:
                checkpoints.save(models, checkpoint)
            raise
        except KeyboardInterrupt:
            stopped = "interrupted"
        for observer in watch:
            observer.stopped = stopped
    unchecked = [event.reason for event in watch if isinstance(event, Event) and not event.check_resolution]
    if stopped not in ("reached until", "interrupted", *unchecked):
        check_resolution(models, stepper.t)
    if checkpoint is not None:
        checkpoints.save(models, checkpoint)
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
    """Save the last good state; return a sentence that says where."""
    try:
        return f"the last good state is in {checkpoints.save(models, path)}"
    except ParameterError as error:
        return f"the last good state is in the models only ({error})"


def _integrate(stepper: Stepper, until: float, watch: Sequence[Observer], show: Callable[[Stepper], None]) -> str:
    """Step to `until` or until an observer stops the run; return the reason."""
    events, began = [observer for observer in watch if isinstance(observer, Event)], stepper.t
    for event in events:
        if event.excess(began) >= 0.0:
            return event.reason
    while stepper.t < until:
        target = min([until, *(observer.next_time for observer in watch)])
        stepper.step(until if target >= until * (1 - SAME) else target)
        passed = [event for event in events if event.excess(stepper.t) >= 0.0]
        if passed:
            _locate(stepper, passed, min(event.rtol for event in passed) * (stepper.t - began))
        if stepper.t >= until:
            stepper.settle()
        elif any(observer.is_due(stepper.t) for observer in watch):
            stepper.settle()
        show(stepper)
        waiting = [observer for observer in watch if observer.every is not None and not observer.is_due(stepper.t)]
        reasons = [observer.look(stepper.t, last=stepper.t >= until) for observer in watch]
        stop = next((reason for reason in reasons if reason), None)
        if stop:
            stepper.settle()
            for observer in waiting if stepper.t < until else ():
                observer.look(stepper.t, last=True)
            return stop
    return "reached until"


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
def _progress(models: Sequence[Model], until: float, wanted: bool) -> Iterator[Callable[[Stepper], None]]:
    """Make a function to call after each step: it moves a bar on a terminal, prints a line now and then elsewhere."""
    unknown, comm, start = models[0].unknowns[0], models[0].mesh.comm, models[0].t
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
