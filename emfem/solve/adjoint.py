"""Implicit stages of time steps, and linear systems with the transposed Jacobian of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from emfem.errors import ConvergenceError, require
from emfem.model import DirichletCondition, Model
from emfem.solve.options import PREFIX, attempt, option_scope, reason
from emfem.solve.presets import Options
from emfem.solve.problem import Problem

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc

type Array = NDArray[np.float64]

FALL = 1e-12  # of the residual in a stage: derivatives are as exact as stages are
ROUNDING = 1e-14  # of the terms of a residual, whose sum cannot be smaller
STAGNANT = 1e-7  # fall after which a residual that does not halve any more is that of rounding
STILL = 1e-10  # relative move after which it is too


@dataclass(frozen=True, eq=False)
class Stage:
    """A state with F(t, x, shift (x - base)) = 0; of a steady state the shift is 0.

    Attributes:
        t: the time that coefficients see.
        shift: derivative of the rates by the values.
        x: the values that this rank owns, unknown after unknown.
        rates: their rates, 0 of unknowns that do not evolve.
    """

    t: float
    shift: float
    x: Array
    rates: Array


class Stages:
    """Stages of some models, one after the other, by Newton's method.

    Attributes:
        problem: F and its unknowns.
        evolves: 1 for each value that this rank owns whose unknown has a rate, else 0.
        fixed: the condition by the place of each Dirichlet value among them; the last one, where there are several.
    """

    def __init__(self, models: Sequence[Model], solver: str = "direct") -> None:
        """Compile residual and Jacobian.

        Args:
            models: the models.
            solver: of linear systems, "direct" or, of one unknown, "iterative".

        Raises:
            ParameterError: for an iterative solver of several unknowns, or of a model that states no structure for it.
        """
        self.problem = problem = Problem(models, solver=solver)
        unknowns = len(problem.unknowns)
        require(
            unknowns == 1 or solver == "direct",
            f"solver = {solver!r} of {unknowns} unknowns, must be 'direct' of several",
        )
        self._snes = snes = PETSc.SNES().create(problem.comm)
        snes.setFunction(self._residual, problem.x.duplicate())
        settings: Options = {"snes_type": "newtonls", "snes_linesearch_type": "basic", "snes_max_it": 30}
        self._options = problem.prepare(snes, settings, None)
        self._matrix: PETSc.Mat | None = None  # transposed, of an iterative solver: preconditioners are made of it
        self._ksp = snes.getKSP()
        if problem.iterative:
            self._ksp = PETSc.KSP().create(problem.comm)
            self._ksp.setOptionsPrefix(PREFIX)
            with option_scope(self._options):
                self._ksp.setFromOptions()
        snes.setJacobian(self._jacobian, *problem.matrices)
        snes.setConvergenceTest(self._converged)
        self._rates, self._base = problem.x.duplicate(), problem.x.copy()
        self._load, self._multipliers = problem.x.duplicate(), problem.x.duplicate()
        self._t = self._shift = self._first = self._before = self._typical = 0.0
        self.evolves = np.zeros(len(problem.x.array_r))
        for i, unknown in enumerate(problem.unknowns):
            self.evolves[problem.part(i)] = unknown.rate is not None
        self.fixed = dict[int, DirichletCondition]()
        for condition in problem.conditions:
            first = problem.part(problem.unknowns.index(condition.unknown)).start
            self.fixed |= dict.fromkeys((condition.dofs + first).tolist(), condition)

    def state(self) -> Array:
        """Return the values that the models have now."""
        self.problem.store()
        return self.problem.x.array_r.copy()

    def solve(self, t: float, shift: float, base: Array, guess: Array) -> Stage:
        """Solve F(t, x, shift (x - base)) = 0 from a guess of x, and give the models its values. Collective.

        Raises:
            ConvergenceError: if Newton's method fails, or x leaves the bounds of an unknown.
        """
        problem = self.problem
        self._t, self._shift = t, shift
        self._base.array[:] = base
        problem.x.array[:] = guess
        problem.load(problem.x)
        problem.apply_conditions(t)
        self._typical = self._size_of_terms()
        with option_scope(self._options):
            trouble = attempt(lambda: self._snes.solve(None, problem.x))
        code = self._snes.getConvergedReason()
        problem.load(problem.x)
        why = trouble or ("" if code > 0 else reason(code, PETSc.SNES.ConvergedReason)) or problem.bounds_violation()
        if why:
            msg = f"no stage of the adjoint's steps at t = {t:g}: {why}"
            raise ConvergenceError(msg, t=t, dt=1 / shift if shift else math.nan, reason=why)
        self._set_rates(problem.x)
        return Stage(t, shift, problem.x.array_r.copy(), self._rates.array_r.copy())

    def load(self, stage: Stage) -> None:
        """Give the models the values, rates and coefficients of a stage. Collective."""
        problem = self.problem
        problem.x.array[:], self._rates.array[:] = stage.x, stage.rates
        problem.load(problem.x, self._rates)
        for model in problem.models:
            model.set_time(stage.t)

    def multipliers(self, stage: Stage, load: Array) -> Array:
        """Return y with `A^T y = load`, A the Jacobian of a stage, which the models have afterwards. Collective.

        Raises:
            ConvergenceError: if the system is singular.
        """
        self.load(stage)
        matrix = self.problem.matrix
        self.problem.jacobian(stage.t, self.problem.x, stage.shift, matrix)
        ksp, solve = self._ksp, self._ksp.solveTranspose
        if self.problem.iterative:
            matrix = self._matrix = matrix.transpose(self._matrix)
            solve = ksp.solve
        ksp.setOperators(matrix)
        self._load.array[:] = load
        with option_scope(self._options):
            trouble = attempt(lambda: solve(self._load, self._multipliers))
        code = ksp.getConvergedReason()
        if trouble or code <= 0 or not math.isfinite(self._multipliers.norm()):
            why = trouble or reason(code, PETSc.KSP.ConvergedReason)
            msg = f"no adjoint at t = {stage.t:g}: {why}"
            raise ConvergenceError(msg, t=stage.t, dt=math.nan, reason=why)
        return self._multipliers.array_r.copy()

    def close(self) -> None:
        """Free memory. Collective."""
        self._snes.destroy()
        self.problem.free_unreferenced()

    def _set_rates(self, x: PETSc.Vec) -> None:
        """Set the rates, shift (x - base)."""
        self._rates.array[:] = self._shift * self.evolves * (x.array_r - self._base.array_r)

    def _size_of_terms(self) -> float:
        """Return |F(t, x, shift x)|, about the size of the terms that cancel."""
        self._rates.array[:] = self._shift * self.evolves * self.problem.x.array_r
        self.problem.residual(self._t, self.problem.x, self._rates, self._load)
        return float(self._load.norm())

    def _residual(self, _: PETSc.SNES, x: PETSc.Vec, f: PETSc.Vec) -> None:
        self._set_rates(x)
        self.problem.residual(self._t, x, self._rates, f)

    def _jacobian(self, _: PETSc.SNES, x: PETSc.Vec, __: PETSc.Mat, matrix: PETSc.Mat) -> None:
        self._set_rates(x)
        self.problem.load(x, self._rates)
        self.problem.jacobian(self._t, x, self._shift, matrix)

    def _converged(self, _: PETSc.SNES, iteration: int, norms: tuple[float, float, float]) -> int:
        """Return PETSc's reason to stop: the residual is as small as rounding lets it be."""
        reasons, (size, move, norm) = PETSc.SNES.ConvergedReason, norms
        if not math.isfinite(norm):
            return int(reasons.DIVERGED_FUNCTION_NANORINF)
        if iteration == 0:
            self._first = self._before = norm
        near = norm <= STAGNANT * self._first or move <= STILL * size
        stagnates = iteration > 0 and near and norm > 0.5 * self._before
        self._before = norm
        small = norm <= max(FALL * self._first, ROUNDING * self._typical)
        if iteration == 0:  # one step at least: a small residual may still be a large change
            small = norm == 0.0
        return int(reasons.CONVERGED_FNORM_RELATIVE) if small or stagnates else int(reasons.ITERATING)
