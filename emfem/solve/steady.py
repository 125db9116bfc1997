"""Steady states of models: by Newton's method, or by relaxation in time."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from signal import SIGINT

from emfem.errors import ConvergenceError, ParameterError, Terminated, choice, number
from emfem.gate import checked
from emfem.model import Model, check_resolution
from emfem.signals import REASONS, stop_requests
from emfem.solve.choice import SOLVERS
from emfem.solve.newton import Steady, newton, not_converged, restore_on_error
from emfem.solve.presets import Options
from emfem.solve.problem import Problem
from emfem.solve.stepper import TimeStepper
from emfem.solve.system import as_models

STEPS = 1000  # pseudo-time steps before giving up
NEVER = 1e60  # pseudo-time that is not reached
LOOSE = 1e-2  # error of a pseudo-time step, relative and absolute: the way does not matter, only where it leads


def by_newton(models: Sequence[Model], rtol: float, atol: float, solver: str, options: Options | None) -> Steady:
    """Solve F(t, u, 0) = 0 by Newton's method from the present state.

    Raises:
        ConvergenceError: if it fails, or ends outside the bounds of an unknown; the state before is then restored.
    """
    problem = Problem(models, solver=solver)
    with restore_on_error(models):
        result = newton(problem, t=models[0].t, rtol=rtol, atol=atol, options=options)
        left_bounds = problem.bounds_violation()
        if left_bounds:
            raise not_converged(replace(result, reason=left_bounds), "Newton steps", models[0].t)
    return result


def pseudo_transient(models: Sequence[Model], rtol: float, atol: float, solver: str, options: Options | None) -> Steady:
    """Integrate du/dt from the present state, coefficients at its time, in steps that grow, until F(t, u, 0) = 0.

    What the equations conserve is conserved on the way, so the steady state is the one with the amount of the start;
    and a step that leaves the bounds of an unknown is cut.

    Raises:
        ConvergenceError: if it fails; the state before is then restored.
        KeyboardInterrupt: after SIGINT to any rank, on all; the state before is then restored.
        Terminated: after SIGTERM or SIGUSR1, in the same way.
    """
    t, failure = models[0].t, "DIVERGED_MAX_STEPS"
    with restore_on_error(models), stop_requests(models[0].mesh.comm) as requested:
        for model in models:
            model.t = 0.0  # of the pseudo-time; a small step after a long run would be lost to rounding
        stepper = TimeStepper(models, NEVER, frozen=t, rtol=LOOSE, atol=LOOSE, solver=solver, options=options)
        start = left = stepper.imbalance()
        try:
            while left > max(atol, rtol * start) and stepper.steps < STEPS:
                stepper.step(NEVER)
                left = stepper.imbalance()
                if signal := requested():
                    if models[0].mesh.comm.rank == 0:
                        print(f"{REASONS[signal]} before a steady state was found", file=sys.stderr, flush=True)
                    raise KeyboardInterrupt if signal == SIGINT else Terminated(signal)
        except ConvergenceError as error:
            failure = error.reason
        stepper.close()
        left_bounds = None if left > max(atol, rtol * start) else stepper.problem.bounds_violation()
        if left > max(atol, rtol * start) or left_bounds:
            raise not_converged(Steady(stepper.steps, left, left_bounds or failure), "pseudo-time steps", t)
        for model in models:
            model.t = t
    return Steady(stepper.steps, left, "at rest")


STEADY = {"newton": by_newton, "pseudo-transient": pseudo_transient}


@checked(collective=True)
def solve_steady(
    models: Model | Sequence[Model],
    *,
    method: str | None = None,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    solver: str = "auto",
    petsc_options: Options | None = None,
) -> Steady:
    """Solve for the steady state of models, coupled in one system, from their present state.

    Args:
        models: one model or several.
        method: "newton" (with line search) or "pseudo-transient"; when left out, the latter if a model has
            many steady states and wants the one it relaxes to.
        rtol: factor by which the residual must fall.
        atol: residual small enough in any case.
        solver: of the linear systems: "direct" factorises them, "iterative" uses the preconditioner of each model,
            "auto" whichever is faster for as many unknowns.
        petsc_options: PETSc options for all solves, without prefix; they come last. A `pc_type` replaces the solver
            (docs/cluster.md).

    Raises:
        ConvergenceError: if there is no convergence; the models keep the state they had.
        ParameterError: for a tolerance that is not positive, an option that PETSc does not have or no solver reads, or
            a model that cannot have a steady state.
        UnknownName: for an unknown method or solver.
    """
    models = as_models(models)
    for model in models:
        if model.no_steady_state_reason:
            raise ParameterError(model.no_steady_state_reason)
    if method is None:
        method = "pseudo-transient" if any(m.steady_by_relaxation for m in models) else "newton"
    search = STEADY[choice("method", method, STEADY)]
    choice("solver", solver, SOLVERS)
    number("rtol", rtol, above=0.0)
    number("atol", atol, above=0.0)
    try:
        solved = search(models, rtol, atol, solver, petsc_options)
    except ConvergenceError as error:
        hints = [unknown.unsteady for model in models for unknown in model.unknowns if unknown.unsteady]
        if "left its bounds" not in error.reason:
            error.args = ("; ".join([error.args[0], *hints]),)
        raise
    check_resolution(models, math.inf)
    return solved
