"""Integration of models in time: `em.evolve`, and `em.resume` of a run that ended."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from emfem import checkpoints
from emfem.checkpoints import Checkpoint, describe, saved_state
from emfem.errors import ParameterError, choice, kind, number
from emfem.files import writable
from emfem.gate import checked
from emfem.integration import GOES_ON as GOES_ON
from emfem.integration import Integration, Run
from emfem.model import Model
from emfem.observe import Observer, check_observers
from emfem.public import dir_of
from emfem.solve import METHODS, SOLVERS, Method, Options, Staggered, Stepper, TimeStepper, as_models

from mpi4py import MPI

__all__ = ["Run", "evolve", "resume"]
__dir__ = dir_of(__all__)

COUPLINGS: dict[str, Callable[..., Stepper]] = {"monolithic": TimeStepper, "staggered": Staggered}
SHORTEST = 1e-300  # step, as a part of the time to cover: their number is a float
INSTANT = 1e-9  # s: a part that begins after the wall time ends after its first step, with its state saved


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
        run = Integration(models, stepper, until, watch, checkpoint, limit, settings, saved)
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
