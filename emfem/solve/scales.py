"""Sizes of the terms of a problem: rates, times and tolerances."""

from __future__ import annotations

import math

from emfem.errors import ParameterError
from emfem.solve.problem import Problem

from petsc4py import PETSc

OTHER, ROUNDING = 1e-4, 1e-9  # relative: a residual of other equations; rounding of its terms on other ranks


def tolerances(problem: Problem, rtol: float, atol: float) -> tuple[PETSc.Vec, PETSc.Vec]:
    """Return absolute and relative tolerance of every value; zero, which PETSc leaves out, for algebraic ones.

    Where an unknown states what its errors are a part of, that is in the absolute one: `weigh` keeps it up to date.
    """
    absolute, relative = problem.x.duplicate(), problem.x.duplicate()
    for i, unknown in enumerate(problem.unknowns):
        absolute.array[problem.part(i)] = 0.0 if unknown.rate is None else atol * unknown.scale
        relative.array[problem.part(i)] = 0.0 if unknown.rate is None or unknown.error_scale else rtol
    weigh(problem, absolute, rtol, atol)
    return absolute, relative


def weigh(problem: Problem, absolute: PETSc.Vec, rtol: float, atol: float) -> None:
    """Give the absolute tolerance, for unknowns with an `error_scale`, its value at the present state."""
    for i, unknown in enumerate(problem.unknowns):
        if unknown.error_scale:
            part = problem.part(i)
            absolute.array[part] = atol * unknown.scale + rtol * unknown.error_scale(problem.x.array_r[part])


def imbalance(problem: Problem, t: float) -> float:
    """Return |F(t, u, 0)|, the distance of the present state from a steady one."""
    f = problem.x.duplicate()
    problem.zero_rates()
    problem.residual(t, problem.x, None, f)
    return f.norm()


def residuals(problem: Problem, t: float, rate: float) -> tuple[float, float]:
    """Return |F(t, u, 0)| and |F(t, u, rate u)|, which tell these equations from others."""
    f, rates = problem.x.duplicate(), problem.x.copy()
    rates.scale(rate)
    problem.residual(t, problem.x, rates, f)
    return imbalance(problem, t), f.norm()


def check_same_equations(problem: Problem, t: float, stored: float, typical: float) -> None:
    """Refuse models whose residual in this state is not that of the models that the state is from.

    Raises:
        ParameterError: with both.
    """
    here = imbalance(problem, t)
    if abs(here - stored) > OTHER * stored + ROUNDING * typical:
        msg = (
            f"the residual of the equations at t = {problem.models[0].t:g} is {here:.6g}, was {stored:.6g} in the run "
            "that goes on: must be the same models, with the same parameters"
        )
        raise ParameterError(msg)


def time_scale(problem: Problem, t: float) -> float:
    """Return about the time in which unknowns change by their size, |M u| / |F(t, u, 0)|; inf in a steady state.

    Where all are zero, by as much as their scales.
    """
    still, sizes = problem.x.duplicate(), problem.x.copy()
    if problem.x.norm() == 0:
        for i, unknown in enumerate(problem.unknowns):
            sizes.array[problem.part(i)] = unknown.scale
    problem.zero_rates()
    problem.residual(t, problem.x, None, still)
    moving = problem.x.duplicate()
    problem.residual(t, problem.x, sizes, moving)
    problem.zero_rates()
    moving.axpy(-1.0, still)
    size, rate = moving.norm(), still.norm()
    return size / rate if 0 < size < math.inf and 0 < rate < math.inf else math.inf
