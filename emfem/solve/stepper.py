"""Steps in time: PETSc TS, one accepted step at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from emfem.errors import ConvergenceError, ParameterError, number, require
from emfem.gate import checked
from emfem.model import Model, check_resolution
from emfem.model.resolution import OF_PULSE
from emfem.solve.drives import REMEDY, Drives
from emfem.solve.integrator import LARGEST, new_ts, settings_of
from emfem.solve.jacobian import AgeingJacobian
from emfem.solve.methods import METHODS, Method
from emfem.solve.newton import newton
from emfem.solve.options import attempt, check_read, option_scope, reason
from emfem.solve.presets import Options
from emfem.solve.problem import Problem
from emfem.solve.scales import check_same_equations, imbalance, residuals, time_scale, tolerances, weigh
from emfem.solve.state import State
from emfem.solve.step_size import StepSize

from dolfinx import fem
from petsc4py import PETSc

FIRST = 1e-6  # first step to try, as a part of the time to cover
SMALLEST = 1e-12  # smallest step, as a part of the time to cover
LOCATED = 1e-6  # step in which a search for a steady state leaves the bounds for good, as a part of the way to there
SHORTEST = 1e-290  # time to cover: parts of it are numbers
AFTER_JUMP = 0.01  # first step after a jump of a drive, as a part of the time to the next
SAVED = ("steps", "rejected", "factorisations", "dt", "_unestimated", "_shortest")  # in a checkpoint
UNESTIMATED = 5  # steps without an estimate of their error; BDF has none for the first after a start


@checked
class TimeStepper:
    """PETSc TS, one accepted step at a time, of the sizes that `StepSize` chooses.

    Attributes:
        t: the time reached.
        steps: steps accepted.
        rejected: steps tried and undone.
        solves: linear systems solved.
        linear_iterations: of the linear solver, in all; one for each direct solve.
        factorisations: matrices factorised, or preconditioners set up.
        dt: the last step accepted.
    """

    def __init__(
        self,
        models: Sequence[Model],
        until: float,
        *,
        method: Method = METHODS["rosenbrock"],
        rtol: float = 1e-4,
        atol: float = 1e-6,
        first_step: float | None = None,
        fixed_step: float | None = None,
        frozen: float | None = None,
        driven: Sequence[Model] | None = None,
        solver: str = "auto",
        options: Options | None = None,
        resume: Mapping[str, Any] | None = None,
    ) -> None:
        """Compile the problem, make the start consistent and set PETSc up.

        Args:
            models: those that take the steps.
            until: the time to reach.
            method: the integrator.
            rtol: relative error allowed in a step.
            atol: absolute error allowed in a step, in parts of the scales of unknowns.
            first_step: the first step to try.
            fixed_step: the size of all steps.
            frozen: the time that coefficients see at all times.
            driven: all models whose functions of time matter; those above when left out.
            solver: "auto", "direct" or "iterative".
            options: PETSc's, for all solves; those that begin with algebraic_ only for unknowns without rate.
            resume: a `state` of an earlier stepper, whose unknowns the models have; the steps go on from there.

        Raises:
            ParameterError: for a value out of its bounds, a function of time that changes too fast to be followed, a
                method or options that PETSc does not have.
        """
        require(models, f"models = {models!r}, must be at least one")
        start = models[0].t
        number("until", until, above=start if resume is None else None, at_least=start, at_most=LARGEST)
        words = f"must be {SHORTEST:g} after t = {start:g} at least"
        require(resume or until - start >= SHORTEST, f"until = {until:g}, {words}")
        for name, value in {"rtol": rtol, "atol": atol, "first_step": first_step, "fixed_step": fixed_step}.items():
            if value is not None:
                number(name, value, above=0.0)
        self.t = self._began = models[0].t
        self.steps = self.rejected = self.factorisations = self._unestimated = 0
        first = fixed_step or first_step or FIRST * (until - self.t)
        self._size = StepSize(first, fixed=fixed_step is not None, reuse=method.reuse)
        self._shortest = math.inf  # piece between breakpoints
        self._frozen = frozen
        self._drives = None
        if frozen is None:
            self._drives = Drives(driven or models, self.t, until, fixed=fixed_step is not None)
        self.dt = math.nan
        self.problem = problem = Problem(models, solver=solver)
        self._algebraic = (
            Problem(models, only_algebraic=True, solver=problem.solver)
            if any(u.rate is None for u in problem.unknowns)
            else None
        )
        self._method, self._petsc_options = method, options
        self._rtol, self._atol = rtol, atol
        self._tolerances = tolerances(problem, rtol, atol)
        self._solved = self._iterated = 0  # by solvers that were given up
        self._jacobian = AgeingJacobian(problem, self._with_matrix())
        self._new_solver()
        if resume is None:
            self._begin(until, first_step)
        else:
            self._resume(resume)
        self._last = problem.x.copy()

    def _begin(self, until: float, first_step: float | None) -> None:
        """Make the start consistent, and choose the first step."""
        problem = self.problem
        self._apply_conditions()
        self.settle()
        check_read(self._petsc_options, self._unread())
        problem.store()
        size = self._size
        scale = math.inf if size.fixed else time_scale(problem, self._clock(self.t))
        if self._frozen is not None:  # the time to cover is no scale
            size.step_size = FIRST * (scale if scale < math.inf else 1.0)
        elif not (size.fixed or first_step):  # nor is it where it is far longer than anything takes
            size.shorten(scale)
            self._shorten()
        size.smallest = min(SMALLEST * (until - self.t), SMALLEST / FIRST * min(size.step_size, scale))
        self._ts.setStepLimits(0.1 * size.smallest, LARGEST)
        if self._drives is not None and self._drives.jumps(self._drives.edge):  # a table of lines is no pulse
            self._check_pulse()

    def state(self) -> dict[str, Any]:
        """Return all that, with the unknowns, decides on the steps to come: numbers, lists and Functions.

        A stale factorisation is there as the state that its matrix was assembled in.
        """
        counts = {"_solved": self.solves, "_iterated": self.linear_iterations, "_factored": self._jacobian.shift}
        rates = 1 / self.dt if self.steps else 0.0
        return {
            "numbers": {name: getattr(self, name) for name in SAVED} | self._size.state() | counts,
            "drives": None if self._drives is None else self._drives.state(),
            "assembled": self._jacobian.state() if self._size.age < self._method.reuse else None,
            "residuals": list(residuals(self.problem, self._clock(self.t), rates)),
        }

    def _resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, with the factorisation that it had."""
        numbers = state["numbers"]
        for name in (*SAVED, "_solved"):
            setattr(self, name, numbers[name])
        self._size.restore(numbers)
        self._iterated = numbers.get("_iterated", 0)  # earlier versions did not count them
        if self._drives is not None:
            self._drives.restore(state["drives"])
        t = self._clock(self.t)
        self._ts.setStepLimits(0.1 * self._size.smallest, LARGEST)
        self.problem.store()
        self._jacobian.restore(state["assembled"], numbers["_factored"])
        check_same_equations(self.problem, t, *state["residuals"])
        for model in self.problem.models:
            model.set_time(t)

    def _with_matrix(self) -> list[fem.Function]:
        """Return the functions that the Jacobian depends on beside the unknowns: the rates of those that evolve."""
        return [unknown.rate for unknown in self.problem.unknowns if unknown.rate is not None]

    def _unread(self) -> dict[str, set[str]]:
        """Return the names of options that each kind of solve does not read."""
        return {"": self.problem.unread} | ({"algebraic_": self._algebraic.unread} if self._algebraic else {})

    def _new_solver(self) -> None:
        """Set PETSc's TS up at the present time."""
        self._ts = new_ts(self.problem, self._method, self._tolerances)
        self._ts.setTime(self.t)
        self._ts.setStepLimits(0.1 * self._size.smallest, LARGEST)
        self._ts.setIFunction(self._residual, self.problem.x.duplicate())
        settings = settings_of(self._method, fixed=self._size.fixed)
        self._options = self.problem.prepare(self._ts, settings, self._petsc_options)
        self._ts.setIJacobian(self._assemble, *self.problem.matrices)
        self._jacobian.shift = math.nan

    def _clock(self, t: float) -> float:
        """Return the time that coefficients see: the frozen one, or t, but just before it where a drive jumps then."""
        if self._frozen is not None:
            return self._frozen
        assert self._drives is not None
        return self._drives.clock(t)

    def imbalance(self) -> float:
        """Return |F(t, u, 0)|, the distance of the present state from a steady one."""
        return imbalance(self.problem, self._clock(self.t))

    def _residual(self, _: PETSc.TS, t: float, x: PETSc.Vec, rates: PETSc.Vec, f: PETSc.Vec) -> None:
        self.problem.residual(self._clock(t), x, rates, f)

    def _assemble(
        self, _: PETSc.TS, t: float, x: PETSc.Vec, __: PETSc.Vec, shift: float, operator: PETSc.Mat, matrix: PETSc.Mat
    ) -> None:
        """Assemble, unless the present factorisation still serves: then leaving the matrix alone keeps it."""
        if operator != matrix:  # one without entries, of snes_mf_operator
            operator.assemble()
        if self._size.age < self._method.reuse and math.isclose(shift, self._jacobian.shift, rel_tol=1e-9):
            return
        self._jacobian.assemble(self._clock(t), x, shift, matrix)
        self._size.age = 0
        self.factorisations += 1

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{type(self).__name__} at t = {self.t:g}, {self.steps} steps>"

    @property
    def solves(self) -> int:
        """Linear systems solved."""
        return self._solved + self._ts.getSNESIterations()  # of a Newton or a single solve, one system each

    @property
    def linear_iterations(self) -> int:
        """Iterations of the linear solver, in all; one for each direct solve."""
        return self._iterated + self._ts.getKSPIterations() + self.problem.repeated_iterations

    def step(self, target: float) -> None:
        """Take one step that succeeds, no further than `target`; hit that exactly.

        Raises:
            ConvergenceError: if the smallest step fails; the models then have the last good state.
        """
        problem, size = self.problem, self._size
        if self._drives is not None:
            if self._drives.at_edge(self.t) and self._drives.pass_edge():
                self._jump()
            self._drives.look_ahead(self.t, min(target, self.t + self._size.step_size))
            if not self._drives.at_edge(target):  # else rounding would leave a step of nothing between the two
                target = min(target, self._drives.edge)
        problem.x.copy(self._last)
        weigh(problem, self._tolerances[0], self._rtol, self._atol)
        self._began = self.t
        while True:
            ts = self._ts
            pieces, dt = self._resolved(target)
            ts.setTimeStep(dt)
            before = ts.getStepRejections()
            failure = self._try()
            inside = ts.getStepRejections() - before
            self.rejected += inside
            took = ts.getTime() - self.t
            if failure is None and not size.fixed and took < min(size.smallest, 0.75 * dt):
                failure = "the smallest step is not accurate enough"  # PETSc takes it all the same
            suggested, outside = ts.getTimeStep(), False
            if failure is None:
                problem.load(problem.x)
                failure = problem.bounds_violation(searching=self._frozen is not None)
                if failure is None:
                    break
                outside = self._frozen is not None and suggested >= took  # the error is small: so is the solution
            self.rejected += 0 if inside and took <= 0 else 1  # PETSc counts what it rejects itself
            self._rewind()
            if size.stale and not outside:
                size.renew(dt, suggested)
                continue
            tried = min(dt, took if took > 0 else dt)
            if outside:
                size.approach(tried)
            else:
                size.cut(tried, suggested)
            if size.too_small or (outside and dt < LOCATED * self.t):
                msg = f"no step possible at t = {self.t:g}: dt = {dt:g}, {failure}"
                raise ConvergenceError(msg, t=self.t, dt=dt, reason=failure)
        self._check_estimate(dt, suggested)
        halved = took < 0.75 * dt  # a step is cut by halving; late in a run took has few digits
        self.t = target if pieces == 1 and not halved else self.t + took
        ts.setTime(self.t)
        for model in problem.models:
            model.t = self.t
            model.set_time(self._clock(self.t))
        self.steps += 1
        self.dt = took
        size.accept(took, halved=halved, left=target - self.t, suggested=suggested)
        if size.age == 1:  # a new Jacobian: the last one's solver and state are given up
            problem.free_unreferenced()

    def _check_estimate(self, dt: float, suggested: float) -> None:
        """Refuse an integrator that does not estimate its error: PETSc then never changes the step.

        Raises:
            ParameterError: for such a one.
        """
        self._unestimated = self._unestimated + 1 if suggested == dt and not self._size.fixed else 0
        if self._unestimated > UNESTIMATED:
            msg = f"{self._method} does not estimate the error of its steps: give fixed_step"
            raise ParameterError(msg)

    def _apply_conditions(self) -> None:
        """Give the models the fixed values from the present time on."""
        for model in self.problem.models:
            model.set_time(self._clock(self.t))
        for condition in self.problem.conditions:
            condition.apply()

    def _jump(self) -> None:
        """Apply a jump of a drive: unknowns that follow drives at once take the values after the jump."""
        self._apply_conditions()
        self.settle()
        self.problem.store()
        self._ts.restartStep()
        self._shorten()
        self._check_pulse()

    def _check_pulse(self) -> None:
        """Warn if the mesh does not resolve the solution in the shortest piece between breakpoints so far."""
        if self._drives is not None and self._drives.edge < 0.99 * self._shortest + self.t:
            self._shortest = self._drives.edge - self.t
            check_resolution(self.problem.models, self._shortest, OF_PULSE)

    def _shorten(self) -> None:
        """Make the next step a small part of a piece between breakpoints: after a jump solutions change fast."""
        assert self._drives is not None
        self._size.shorten(AFTER_JUMP * self._drives.left(self.t))

    def _resolved(self, target: float) -> tuple[int, float]:
        """Return in how many equal steps to go to the target, and their size: one that sees all of every drive.

        Raises:
            ParameterError: if the smallest step does not.
        """
        while True:
            pieces = self._size.pieces(target - self.t)
            dt = (target - self.t) / pieces
            missed = None if self._drives is None else self._drives.missed(self.t, dt)
            if missed is None:
                return pieces, dt
            self._size.cut(dt)
            if self._size.too_small:
                msg = f"{missed} changes too fast at t = {self.t:g} for a step of {dt:g} to resolve it; {REMEDY}"
                raise ParameterError(msg)

    def _try(self) -> str | None:
        """Take one TS step; return the reason if it failed, or None."""
        try:
            with option_scope(self._options):
                trouble = attempt(self._ts.step)
        except BaseException:  # of the user's own function, or an interrupt
            self._rewind()
            raise
        if trouble:
            self._solved, self._iterated = self.solves, self.linear_iterations
            self._new_solver()  # the old one keeps vectors locked that it borrowed, and never works again
            return trouble
        code = self._ts.getConvergedReason()
        return None if code >= 0 else reason(code, PETSc.TS.ConvergedReason)

    def _rewind(self) -> None:
        """Go back to the last good state."""
        self._last.copy(self.problem.x)
        self.problem.load(self.problem.x)
        for model in self.problem.models:
            model.set_time(self._clock(self.t))
        self._ts.setTime(self.t)
        self._ts.setConvergedReason(PETSc.TS.ConvergedReason.CONVERGED_ITERATING)
        self._ts.restartStep()

    def origin(self) -> State:
        """Return the state in which the last step began, to `restore`."""
        return State(self._began, self._last.copy(), self.steps - 1)

    def restore(self, state: State) -> None:
        """Put the models back into a state of this run; the steps taken from there count as rejected."""
        self.t = state.t
        self.rejected += self.steps - state.steps
        self.steps = state.steps
        state.x.copy(self._last)
        if self._drives is not None:
            self._drives.restart(state.t)
        self._rewind()
        for model in self.problem.models:
            model.t = self.t

    def settle(self) -> None:
        """Give unknowns without rate the values that belong to the state reached; with a stale Jacobian they lag."""
        if self._algebraic:
            newton(self._algebraic, t=self._clock(self.t), options=self._petsc_options, solve="algebraic_")
            self.problem.store()

    def close(self) -> None:
        """Free PETSc's memory."""
        self._ts.destroy()
        self.problem.free_unreferenced()
