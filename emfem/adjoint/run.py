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


class Run:
    """Runs of some models in steps that stay the same.

    Attributes:
        times: ends of the steps; none for a steady state.
        reference: the number in the run with error control that chose the steps; None without one.
    """

    def __init__(
        self, stages: Stages, began: float, terms: Mapping[float, fem.Form], passes: float | None = None
    ) -> None:
        """Take the numbers by time, `STEADY` for a steady state, and the value to be passed."""
        self.stages, self.began, self.terms, self.passes = stages, began, terms, passes
        self.times: Array = np.zeros(0)
        self.reference: float | None = None
        self._first = math.nan

    def choose_steps(self, start: Array, rtol: float, atol: float, refine: int) -> None:
        """Run with error control, and keep its steps, each cut into equal parts.

        Raises:
            ParameterError: if the value is not passed, or stages would take too much memory.
        """
        models, last = self.stages.problem.models, max(self.terms)
        self._begin(start)
        stepper = TimeStepper(models, last, rtol=rtol, atol=atol, solver="direct")
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
        most = self.stages.problem.comm.allreduce(4 * start.nbytes * len(self.times), op=MPI.MAX)
        require(most <= LARGEST, f"stages of {most / 2**30:.3g} GiB on a rank, must be at most {LARGEST / 2**30:g} GiB")

    def value(self, term: float) -> float:
        """Return one of the numbers in the present state. Collective."""
        return fields.integral(self.terms[term], self.stages.problem.comm)

    def forward(self, start: Array) -> tuple[float, list[Step]]:
        """Return the sum of the numbers, or the time at which the value is passed, and all steps to it. Collective.

        Raises:
            ConvergenceError: if a stage has no solution.
            ParameterError: if the value is not passed.
        """
        if not len(self.times):
            stage = self.stages.solve(self.began, 0.0, start, start)
            return self.value(STEADY), [Step(self.began, STEADY, (stage,), STEADY)]
        self._begin(start)
        steps, x, total = list[Step](), start, 0.0
        for t, end in pairwise([self.began, *self.times.tolist()]):
            step = self._step(t, end, x)
            if self.passes is not None and self._is_beyond():
                last = self._shortened(step, x, self._first if not steps else self._at_end(steps[-1]))
                return last.end, [*steps, last]
            if self.passes is None and end in self.terms:
                total += self.value(end)
                step = replace(step, term=end)
            steps.append(step)
            x = step.x
        require(self.passes is None, f"passes = {self.passes}, must be passed until {self.times[-1]:g}: it is not")
        return total, steps

    def rate(self, steps: Sequence[Step], start: Array) -> float:
        """Return the derivative of the number to be passed by the end of the last step. Collective."""
        last, x = steps[-1], steps[-2].x if len(steps) > 1 else start
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
