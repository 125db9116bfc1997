"""Newton's method with a line search, for steady states and for algebraic unknowns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from emfem.errors import ConvergenceError
from emfem.gate import checked
from emfem.model import Model
from emfem.solve.options import attempt, check_read, option_scope, reason
from emfem.solve.presets import Options
from emfem.solve.problem import Problem

import numpy as np
from petsc4py import PETSc

RELATIVE = 1e-12  # change of the unknowns by which the rounding of a residual is measured, far above their own
CLOSE = 1e-5  # last change of the unknowns, over them, beyond which steps are not yet those near a solution
ROUNDS = 10  # of steps that begin anew where the former ones ended
WORDS = {
    PETSc.SNES.ConvergedReason.CONVERGED_FNORM_ABS: "residual below atol",
    PETSc.SNES.ConvergedReason.CONVERGED_FNORM_RELATIVE: "residual below rtol",
}
STALLED = (PETSc.SNES.ConvergedReason.DIVERGED_LINE_SEARCH, PETSc.SNES.ConvergedReason.DIVERGED_MAX_IT)


@checked
@dataclass(frozen=True)
class Steady:
    """Report of a steady solve.

    Attributes:
        iterations: Newton or pseudo-time steps taken.
        residual: norm of the residual F.
        reason: why it stopped, such as "residual below atol".
        linear_iterations: of the linear solver, in all; one for each direct solve.
    """

    iterations: int
    residual: float
    reason: str
    linear_iterations: int = 0

    def __str__(self) -> str:
        """Return one line."""
        linear = f" ({self.linear_iterations} linear)" if self.linear_iterations else ""
        return f"steady ({self.reason}): {self.iterations} iterations{linear}, |F| = {self.residual:.3g}"

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self}>"


def newton(
    problem: Problem,
    *,
    t: float,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    options: Options | None = None,
    solve: str = "",
) -> Steady:
    """Solve F(t, u, 0) = 0 by Newton's method with a line search, from the present state.

    It also ends where F no longer falls and is no larger than the change that rounding u makes in it. It goes on where
    F is small only against that of a poor start, such as one at 3000 K of a body that radiates at 10 K.

    Args:
        problem: F and the unknowns u.
        t: the time that coefficients see.
        rtol: factor by which the residual must fall.
        atol: residual small enough in any case.
        options: PETSc options of the user.
        solve: beginning of options that are for this kind of solve only.

    Raises:
        ConvergenceError: if it fails; the state before is then restored.
        ParameterError: for an option that PETSc refuses or, if the solve is of no special kind, does not read.
    """
    snes = PETSc.SNES().create(problem.comm)
    snes.setFunction(lambda _, x, f: problem.residual(t, x, None, f), problem.x.duplicate())

    def jacobian(_: PETSc.SNES, x: PETSc.Vec, operator: PETSc.Mat, matrix: PETSc.Mat) -> None:
        if operator != matrix:  # one without entries, of snes_mf_operator
            operator.assemble()
        problem.jacobian(t, x, 0.0, matrix, symmetric=True)

    settings: Options = {
        "snes_type": "newtonls",
        "snes_linesearch_type": "bt",
        "snes_rtol": rtol,
        "snes_atol": atol,
        "snes_stol": 0.0,
        "snes_max_it": 60,
    }
    chosen = problem.prepare(snes, settings, options, solve=solve)
    snes.setJacobian(jacobian, *problem.matrices)
    norms: list[float] = []

    def stalled(_: PETSc.SNES, step: int, norm: float) -> None:
        norms[step:] = [norm]
        if step > 1 and norm > max(atol, 0.5 * norms[step - 1]) and norm <= _rounding(problem, t):
            snes.setConvergedReason(PETSc.SNES.ConvergedReason.CONVERGED_FNORM_ABS)

    snes.setMonitor(stalled)
    if not solve:  # alone; else other solvers of the run may read the rest
        check_read(options, {"": problem.unread})
    problem.zero_rates()
    with option_scope(chosen), restore_on_error(problem.models):
        problem.apply_conditions(t)
        steps = linear = 0
        for _ in range(ROUNDS):
            trouble = attempt(lambda: snes.solve(None, problem.x))
            steps, linear = steps + snes.getIterationNumber(), linear + snes.getLinearSolveIterations()
            if trouble or not _begins_only(snes):
                break
        code = snes.getConvergedReason()
        why = trouble or WORDS.get(code) or reason(code, PETSc.SNES.ConvergedReason)
        result = Steady(steps, snes.getFunctionNorm(), why, linear)
        snes.destroy()
        problem.free_unreferenced()
        at_rounding = code in STALLED and not trouble and result.residual <= _rounding(problem, t)
        if trouble or (code <= 0 and not at_rounding):
            raise not_converged(result, "Newton steps", t)
    problem.load(problem.x)
    for unknown in problem.unknowns:
        unknown.function.known = True
    return replace(result, reason="residual at rounding") if at_rounding else result


def _begins_only(snes: PETSc.SNES) -> bool:
    """Return True if F is small against that of the start, but the last of several steps was not small."""
    relative = snes.getConvergedReason() == PETSc.SNES.ConvergedReason.CONVERGED_FNORM_RELATIVE
    if not relative or snes.getIterationNumber() < 2:  # one step is exact where F is linear
        return False
    return bool(snes.getSolutionUpdate().norm() > CLOSE * snes.getSolution().norm())


def _rounding(problem: Problem, t: float) -> float:
    """Return the residual below which steps are rounding: of u (1 + e r) less that of u, r = +-1, e one rounding."""
    signs = np.random.default_rng(problem.comm.rank).choice((-1.0, 1.0), problem.x.local_size)
    changed, before, after = problem.x.copy(), problem.x.duplicate(), problem.x.duplicate()
    problem.residual(t, problem.x, None, before)
    changed.array[:] *= 1 + RELATIVE * signs
    problem.residual(t, changed, None, after)
    problem.load(problem.x)
    after.axpy(-1.0, before)
    return float(np.finfo(float).eps) / RELATIVE * after.norm()


@contextmanager
def restore_on_error(models: Sequence[Model]) -> Iterator[None]:
    """Give the models the state and time from before back if anything breaks off the solve."""
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


def not_converged(result: Steady, steps: str, t: float) -> ConvergenceError:
    """Return the error for a steady solve that failed."""
    message = f"no steady state found: {result.reason} after {result.iterations} {steps}, |F| = {result.residual:.3g}"
    return ConvergenceError(message, t=t, dt=math.nan, reason=result.reason)
