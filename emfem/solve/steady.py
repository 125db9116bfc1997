"""Steady states: Newton with a line search, or pseudo-time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from emfem.errors import ConvergenceError, choice, number
from emfem.model import Model
from emfem.solve.problem import Options, Problem, as_models, attempt, configure, given, reason

from petsc4py import PETSc

STEPS = 2000  # pseudo-time steps before giving up
PSEUDO = {5: "CONVERGED_PSEUDO_FATOL", 6: "CONVERGED_PSEUDO_FRTOL"}  # petsc4py has no names for these


@dataclass(frozen=True)
class Steady:
    """How a steady solve went.

    Attributes:
        iterations: Newton or pseudo-time steps taken.
        residual: norm of what is left of F.
        reason: PETSc's reason for stopping.
    """

    iterations: int
    residual: float
    reason: str


def newton(
    problem: Problem, *, t: float, rtol: float = 1e-10, atol: float = 1e-12, options: Options | None = None
) -> Steady:
    """Solve F(t, u, 0) = 0 by Newton's method with a line search, from the present state.

    Raises:
        ConvergenceError: if it fails; the state is then what it was before.
    """
    snes = PETSc.SNES().create(problem.comm)
    snes.setFunction(lambda _, x, f: problem.residual(t, x, None, f), problem.x.duplicate())
    snes.setJacobian(lambda _, x, __, p: problem.jacobian(t, x, 0.0, p), problem.matrix, problem.matrix)
    tolerances: dict[str, object] = {"snes_rtol": rtol, "snes_atol": atol, "snes_stol": 0.0, "snes_max_it": 60}
    chosen = configure(snes, {"snes_type": "newtonls", "snes_linesearch_type": "bt"} | tolerances, options)
    problem.store()
    before = problem.x.copy()
    problem.stop()
    with given(chosen), restored(problem, before):
        trouble = attempt(lambda: snes.solve(None, problem.x))
    code = snes.getConvergedReason()
    why = trouble or reason(code, PETSc.SNES.ConvergedReason)
    result = Steady(snes.getIterationNumber(), snes.getFunctionNorm(), why)
    snes.destroy()
    problem.load(problem.x if code > 0 and not trouble else before)
    if code <= 0 or trouble:
        raise _gave_up(result, "Newton steps", t)
    return result


def pseudo_transient(
    problem: Problem, *, t: float, rtol: float = 1e-10, atol: float = 1e-12, options: Options | None = None
) -> Steady:
    """Solve F(t, u, 0) = 0 by backward Euler with steps that grow as F falls, from the present state.

    What the equations conserve is conserved on the way, so the steady state is the one with the amount of the start.

    Raises:
        ConvergenceError: if it fails; the state is then what it was before.
    """
    ts = PETSc.TS().create(problem.comm)
    ts.setProblemType(PETSc.TS.ProblemType.NONLINEAR)
    ts.setType(PETSc.TS.Type.PSEUDO)
    ts.setIFunction(lambda _, __, x, rates, f: problem.residual(t, x, rates, f), problem.x.duplicate())
    ts.setIJacobian(
        lambda _, __, x, ___, shift, ____, p: problem.jacobian(t, x, shift, p), problem.matrix, problem.matrix
    )
    ts.setTimeStep(1.0)
    ts.setMaxSteps(STEPS)
    ts.setMaxTime(1e100)
    ts.setExactFinalTime(PETSc.TS.ExactFinalTime.STEPOVER)
    ts.setErrorIfStepFails(False)
    settings = {"ts_pseudo_frtol": rtol, "ts_pseudo_fatol": atol, "ts_pseudo_increment": 1.5}
    chosen = configure(ts, settings | {"snes_rtol": 1e-8, "snes_max_it": 30}, options)
    consistent(problem.models, t=t)
    problem.store()
    before = problem.x.copy()
    with given(chosen), restored(problem, before):
        trouble = attempt(lambda: ts.solve(problem.x))
    code = ts.getConvergedReason()
    left = problem.x.duplicate()
    problem.stop()
    problem.residual(t, problem.x, None, left)
    why = trouble or PSEUDO.get(code) or reason(code, PETSc.TS.ConvergedReason)
    result = Steady(ts.getStepNumber(), left.norm(), why)
    ts.destroy()
    if trouble or code not in PSEUDO or not problem.admissible():
        problem.load(before)
        raise _gave_up(result, "pseudo-time steps", t)
    return result


@contextmanager
def restored(problem: Problem, before: PETSc.Vec) -> Iterator[None]:
    """Whatever breaks off the solve, the models get their state of before back."""
    try:
        yield
    except BaseException:
        problem.load(before)
        raise


def _gave_up(result: Steady, steps: str, t: float) -> ConvergenceError:
    """The error for a steady solve that failed."""
    told = f"no steady state found: {result.reason} after {result.iterations} {steps}, |F| = {result.residual:.3g}"
    return ConvergenceError(told, t=t, dt=math.nan, reason=result.reason)


STEADY = {"newton": newton, "pseudo-transient": pseudo_transient}


def solve_steady(
    models: Model | Sequence[Model],
    *,
    method: str | None = None,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    petsc_options: Options | None = None,
) -> Steady:
    """Bring models, coupled in one system, to their steady state; they start from the state they are in.

    Args:
        models: one model or several.
        method: "newton" (with line search) or "pseudo-transient"; when left out, the latter if a model conserves an
            amount that its start alone decides.
        rtol: factor by which the residual must fall.
        atol: residual small enough in any case.
        petsc_options: PETSc options for the solver, without prefix; they come last.

    Raises:
        ConvergenceError: if there is no convergence; the models keep the state they had.
        ParameterError: for a tolerance that is not positive.
        UnknownName: for an unknown method.
    """
    found = as_models(models)
    if method is None:
        method = "pseudo-transient" if any(m.conserves for m in found) else "newton"
    solver = STEADY[choice("method", method, STEADY)]
    number("rtol", rtol, above=0.0)
    number("atol", atol, above=0.0)
    return solver(Problem(found), t=found[0].t, rtol=rtol, atol=atol, options=petsc_options)


def consistent(models: Sequence[Model], *, t: float) -> None:
    """Give the algebraic unknowns the values that belong to the evolving ones, by Newton's method."""
    if any(unknown.rate is None for model in models for unknown in model.unknowns):
        newton(Problem(models, only_algebraic=True), t=t)
