"""PETSc's TS for a problem and a method."""

from __future__ import annotations

from emfem.errors import ParameterError
from emfem.solve.methods import Method
from emfem.solve.options import attempt
from emfem.solve.presets import Options
from emfem.solve.problem import Problem
from emfem.solve.step_size import CUT, GROWTH, LARGEST_CUT, SAFETY

from petsc4py import PETSc

LARGEST = 1e100  # time to reach, and step; PETSc's own limit is 1e20, whatever the unit


def new_ts(problem: Problem, method: Method, tolerances: tuple[PETSc.Vec, PETSc.Vec]) -> PETSc.TS:
    """Return a TS that takes one step when asked to, and leaves the size of the next to its caller.

    Args:
        problem: F(t, u, du/dt) = 0, whose vector of unknowns it steps.
        method: the integrator.
        tolerances: absolute and relative one of every value.

    Raises:
        ParameterError: for a type of TS that PETSc does not have.
    """
    ts = PETSc.TS().create(problem.comm)
    trouble = attempt(lambda: ts.setType(method.ts_type))
    if trouble:
        msg = f"ts_type = {method.ts_type!r}, must be a type of TS that this PETSc has: {trouble}"
        raise ParameterError(msg)
    absolute, relative = tolerances
    ts.setEquationType(PETSc.TS.EquationType.DAE_IMPLICIT_INDEX1)
    ts.setTolerances(rtol=relative, atol=absolute)
    ts.setMaxTime(1e300)
    ts.setExactFinalTime(PETSc.TS.ExactFinalTime.STEPOVER)
    ts.setErrorIfStepFails(False)
    ts.setMaxSNESFailures(-1)
    ts.setMaxStepRejections(0 if method.reuse else 60)  # with reuse, a new Jacobian comes before a new size
    ts.setSolution(problem.x)
    return ts


def settings_of(method: Method, *, fixed: bool) -> Options:
    """Return the options of a method, with those of its error control.

    Where PETSc rejects a step and leaves it at that, the next size that it suggests tells the error.
    """
    lowest = LARGEST_CUT * CUT / SAFETY if method.reuse else CUT
    return {
        "ts_adapt_type": "none" if fixed else "basic",
        "ts_adapt_safety": CUT,
        "ts_adapt_clip": f"{lowest},{GROWTH}",
        "ts_adapt_scale_solve_failed": CUT,
        **method.options,
    }
