"""Steps of a run by two implicit stages, and where it passes a value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

from emfem import fields
from emfem.adjoint.forms import Array
from emfem.errors import require
from emfem.model import Model
from emfem.solve import Stage, Stages, TimeStepper

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from scipy.optimize import brentq

GAMMA = 1 - 1 / math.sqrt(2)  # the method of two implicit stages that is L-stable and of second order
ONWARD = 1 / GAMMA - 1  # the second stage begins at x + ONWARD (x1 - x), x1 the first
BEFORE = 1e-9  # of a step: coefficients that jump at its end do so after it
NUDGE = 1e-5  # of a step, for the rate of a value at its end
LARGEST = 4 * 2**30  # bytes of stages on a rank
STEADY = math.inf  # the time of a steady state


@dataclass(frozen=True, eq=False)
class Step:
    """A step from t to its end, or a steady state.

    Attributes:
        t: its start.
        end: its end.
        stages: two; one of a steady state.
        term: time, among those of the numbers, of the one that is taken at its end; None if there is none.
    """

    t: float
    end: float
    stages: tuple[Stage, ...]
    term: float | None = None

    @property
    def x(self) -> Array:
        """Values at its end that this rank owns."""
        return self.stages[-1].x


class Trail:
    """Steps of a run: stages of the last segment, the states at which segments begin, and times of the others."""

    def __init__(self, run: Run, start: Array) -> None:
        """Begin at the start."""
        self._run, self._starts, self._steps, self._past = run, [start], list[Step](), list[list[Step]]()

    @property
    def is_empty(self) -> bool:
        """True before the first step."""
        return not self._steps

    @property
    def last(self) -> Step:
        """The last step."""
        return self._steps[-1]

    @property
    def x(self) -> Array:
        """The state after the last step."""
        return self._steps[-1].x if self._steps else self._starts[-1]

    @property
    def before_last(self) -> Array:
        """The state before the last step."""
        return self._steps[-2].x if len(self._steps) > 1 else self._starts[-1]

    def add(self, step: Step) -> None:
        """Add a step; one that begins a segment leaves of the segment before it only the times."""
        if len(self._steps) == self._run.segment:
            self._starts.append(self.x)
            self._past.append([replace(each, stages=()) for each in self._steps])
            self._steps = []
        self._steps.append(step)

    def backwards(self) -> Iterator[Step]:
        """Yield all steps from the last to the first; segments before the last one are made again. Collective."""
        yield from reversed(self._steps)
        for past, x in zip(reversed(self._past), reversed(self._starts[:-1]), strict=True):
            steps = list[Step]()
            for step in past:
                steps.append(self._run.again(step, steps[-1].x if steps else x))
            yield from reversed(steps)


class Run:
    """Runs of some models in steps that stay the same.

    Attributes:
        times: ends of the steps; none for a steady state.
        reference: the number in the run with error control that chose the steps; None without one.
        segment: number of steps of which all stages are in memory.
    """

    def __init__(
        self,
        stages: Stages,
        began: float,
        terms: Mapping[float, fem.Form],
        passes: float | None = None,
        memory: float = LARGEST,
    ) -> None:
        """Take the numbers by time, `STEADY` for a steady state, the value to be passed, and bytes on a rank."""
        self.stages, self.began, self.terms, self.passes = stages, began, terms, passes
        self.times: Array = np.zeros(0)
        self.reference: float | None = None
        self._first, self._memory, self.segment = math.nan, memory, 1

    def choose_steps(self, start: Array, rtol: float, atol: float, refine: int) -> None:
        """Run with error control, and keep its steps, each cut into equal parts.

        Raises:
            ParameterError: if the value is not passed, or stages would take too much memory.
        """
        models, last = self.stages.problem.models, max(self.terms)
        self._begin(start)
        stepper = TimeStepper(models, last, rtol=rtol, atol=atol, solver=self.stages.problem.solver)
        times, total = [self.began], 0.0
        if self.passes is not None:
            self._first = self.value(last)
            require(self._first != self.passes, f"passes = {self.passes:g}, must not be the number at the start")
        for t in self.terms:
            while stepper.t < t and not (len(times) > 1 and self._is_beyond()):
                stepper.step(t)
                times.append(stepper.t)
            stepper.settle()
            total += self.value(t)
        stepper.close()
        if self.passes is None:
            self.reference = total
        elif not self._is_beyond():
            words = f"passes = {self.passes:g}, must be passed until {last:g}"
            require(False, f"{words}: of goes from {self._first:g} to {total:g}")
        self.times = np.concatenate([np.linspace(a, b, refine + 1)[1:] for a, b in pairwise(times)])
        self.segment = self._fitting(start.nbytes)

    def _fitting(self, size: int) -> int:
        """Return the number of steps of which all stages are in memory at once; `size` is that of a state.

        Of n steps in segments of k it is that of 4 k + n/k states, largest at k = sqrt(n)/2.

        Raises:
            ParameterError: if none is small enough.
        """
        n, size = len(self.times), self.stages.problem.comm.allreduce(size, op=MPI.MAX)
        needed = {k: size * (4 * k + (-(-n // k) if k < n else 0)) for k in range(1, n + 1)}
        fitting = [k for k, bytes_ in needed.items() if bytes_ <= self._memory]
        words = f"memory = {self._memory:.4g} bytes, must be at least {min(needed.values()):.4g} on a rank"
        require(fitting, f"{words} for {n} steps")
        return max(fitting)

    def value(self, term: float) -> float:
        """Return one of the numbers in the present state. Collective."""
        return fields.integral(self.terms[term], self.stages.problem.comm)

    def forward(self, start: Array) -> tuple[float, Trail]:
        """Return the sum of the numbers, or the time at which the value is passed, and all steps to it. Collective.

        Raises:
            ConvergenceError: if a stage has no solution.
            ParameterError: if the value is not passed.
        """
        trail = Trail(self, start)
        if not len(self.times):
            stage = self.stages.solve(self.began, 0.0, start, start)
            trail.add(Step(self.began, STEADY, (stage,), STEADY))
            return self.value(STEADY), trail
        self._begin(start)
        total = 0.0
        for t, end in pairwise([self.began, *self.times.tolist()]):
            step = self._step(t, end, trail.x)
            if self.passes is not None and self._is_beyond():
                before = self._first if trail.is_empty else self._at_end(trail.last)
                trail.add(self._shortened(step, trail.x, before))
                return trail.last.end, trail
            if self.passes is None and end in self.terms:
                total += self.value(end)
                step = replace(step, term=end)
            trail.add(step)
        require(self.passes is None, f"passes = {self.passes}, must be passed until {self.times[-1]:g}: it is not")
        return total, trail

    def again(self, step: Step, x: Array) -> Step:
        """Return a step that was made before from the same state. Collective."""
        return replace(self._step(step.t, step.end, x), term=step.term)

    def rate(self, trail: Trail) -> float:
        """Return the derivative of the number to be passed by the end of the last step. Collective."""
        last, x = trail.last, trail.before_last
        h, ends = NUDGE * (last.end - last.t), []
        for sign in (1, -1):
            self._step(last.t, last.end + sign * h, x)
            ends.append(self.value(max(self.terms)))
        return (ends[0] - ends[1]) / (2 * h)

    def _begin(self, start: Array) -> None:
        """Give the models the initial values and time."""
        problem = self.stages.problem
        problem.x.array[:] = start
        problem.load(problem.x)
        for model in problem.models:
            model.t = self.began
            model.set_time(self.began)

    def _step(self, t: float, end: float, x: Array) -> Step:
        """Return the step from x at t to a time; the models have its end."""
        dt, stages = end - t, self.stages
        shift = 1 / (GAMMA * dt)
        first = stages.solve(t + GAMMA * dt, shift, x, x)
        base = np.where(stages.evolves, x + ONWARD * (first.x - x), first.x)
        return Step(t, end, (first, stages.solve(end - BEFORE * dt, shift, base, first.x)))

    def _is_beyond(self) -> bool:
        """Return True if the number of the present state is beyond the one to pass, where there is one."""
        if self.passes is None:
            return False
        return (self.value(max(self.terms)) - self.passes) * (self._first - self.passes) <= 0

    def _at_end(self, step: Step) -> float:
        """Return the number to be passed at the end of a step."""
        self.stages.load(step.stages[-1])
        return self.value(max(self.terms))

    def _shortened(self, step: Step, x: Array, before: float) -> Step:
        """Return a step from x so long that the number is the one to pass at its end; `before` at its start."""
        passes = self.passes or 0.0

        def beyond(dt: float) -> float:
            return (self._at_end(self._step(step.t, step.t + dt, x)) if dt > 0 else before) - passes

        whole = step.end - step.t
        dt = float(brentq(beyond, 0.0, whole, xtol=1e-14 * whole, rtol=1e-13))
        return replace(self._step(step.t, step.t + dt, x), term=max(self.terms))


@contextmanager
def restored(models: Sequence[Model]) -> Iterator[None]:
    """Give the models the state and time that they had before the block back."""
    unknowns = [unknown for model in models for unknown in model.unknowns]
    functions = [f for u in unknowns for f in (u.function, u.rate) if f is not None]
    before = [(f, f.x.array.copy(), getattr(f, "known", True)) for f in functions]
    t = models[0].t
    try:
        yield
    finally:
        for function, values, known in before:
            function.x.array[:] = values
            if not known:
                function.known = False
        for model in models:
            model.t = t
            model.set_time(t)
