"""Newton's method with a line search, for steady states and for a consistent start."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from emfem.errors import ConvergenceError
from emfem.model import Model
from emfem.solve.problem import Options, Problem, attempt, configure, option_scope, reason

from petsc4py import PETSc


@dataclass(frozen=True)
class Steady:
    """How a steady solve went.

    Attributes:
        iterations: Newton or pseudo-time steps taken.
        residual: norm of what is left of F.
        reason: PETSc's reason for stopping.
        linear_iterations: of the linear solver, in all; one for each direct solve.
    """

    iterations: int
    residual: float
    reason: str
    linear_iterations: int = 0

    def __str__(self) -> str:
        """One line."""
        linear = f" ({self.linear_iterations} linear)" if self.linear_iterations else ""
        return f"steady ({self.reason}): {self.iterations} iterations{linear}, |F| = {self.residual:.3g}"


def newton(
    problem: Problem, *, t: float, rtol: float = 1e-10, atol: float = 1e-12, options: Options | None = None
) -> Steady:
    """Solve F(t, u, 0) = 0 by Newton's method with a line search, from the present state.

    Raises:
        ConvergenceError: if it fails; the state is then what it was before.
    """
    snes = PETSc.SNES().create(problem.comm)
    snes.setFunction(lambda _, x, f: problem.residual(t, x, None, f), problem.x.duplicate())
    snes.setJacobian(lambda _, x, __, p: problem.jacobian(t, x, 0.0, p, symmetric=True), problem.matrix, problem.matrix)
    tolerances: dict[str, object] = {"snes_rtol": rtol, "snes_atol": atol, "snes_stol": 0.0, "snes_max_it": 60}
    chosen = configure(snes, {"snes_type": "newtonls", "snes_linesearch_type": "bt"} | tolerances, options)
    problem.stop()
    with option_scope(chosen), restored(problem.models):
        problem.hold(t)
        trouble = attempt(lambda: snes.solve(None, problem.x))
        code = snes.getConvergedReason()
        why = trouble or reason(code, PETSc.SNES.ConvergedReason)
        result = Steady(snes.getIterationNumber(), snes.getFunctionNorm(), why, snes.getLinearSolveIterations())
        snes.destroy()
        if code <= 0 or trouble:
            raise gave_up(result, "Newton steps", t)
    problem.load(problem.x)
    for unknown in problem.unknowns:
        unknown.function.known = True
    return result


def consistent(models: Sequence[Model], *, t: float) -> None:
    """Give the algebraic unknowns the values that belong to the evolving ones, by Newton's method."""
    if any(unknown.rate is None for model in models for unknown in model.unknowns):
        newton(Problem(models, only_algebraic=True), t=t)


@contextmanager
def restored(models: Sequence[Model]) -> Iterator[None]:
    """Whatever breaks off a solve, the models get the state and time of before back."""
    before = [(u.function, u.function.x.array.copy()) for model in models for u in model.unknowns]
    t = models[0].t
    try:
        yield
    except BaseException:
        for function, values in before:
            function.x.array[:] = values
        for model in models:
            model.t = t
            model.set_time(t)
        raise


def gave_up(result: Steady, steps: str, t: float) -> ConvergenceError:
    """The error for a steady solve that failed."""
    told = f"no steady state found: {result.reason} after {result.iterations} {steps}, |F| = {result.residual:.3g}"
    return ConvergenceError(told, t=t, dt=math.nan, reason=result.reason)
