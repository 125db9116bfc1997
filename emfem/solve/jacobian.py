"""A Jacobian that serves several steps, and the state that it was assembled in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from emfem import fields
from emfem.solve.problem import Problem

from dolfinx import fem
from petsc4py import PETSc


class AgeingJacobian:
    """Jacobian of a problem, which a run that goes on assembles again in the state that it is from.

    Attributes:
        shift: that of the present factorisation; NaN without one.
    """

    def __init__(self, problem: Problem, others: Sequence[fem.Function]) -> None:
        """Store the problem, and the functions that the Jacobian depends on beside its unknowns."""
        self._problem, self._others, self.shift = problem, others, math.nan

    def assemble(self, t: float, x: PETSc.Vec, shift: float, matrix: PETSc.Mat) -> None:
        """Assemble, and remember where."""
        self._problem.jacobian(t, x, shift, matrix)
        self._from = t, x.copy(), [fields.copied(function) for function in self._others]
        self.shift = shift

    def state(self) -> dict[str, Any] | None:
        """Return time and Functions of the state that it is from; None without a factorisation."""
        if math.isnan(self.shift):
            return None
        t, x, others = self._from
        values = [fields.copied(unknown.function) for unknown in self._problem.unknowns]
        for i, function in enumerate(values):
            part = x.array_r[self._problem.part(i)]
            function.x.array[: len(part)] = part
        return {"t": t, "values": values, "others": others}

    def restore(self, state: Mapping[str, Any] | None, shift: float) -> None:
        """Assemble in a state that was saved, and leave the models as they are."""
        self.shift = math.nan
        if not state:
            return
        problem = self._problem
        present, beside = problem.x.copy(), [function.x.array.copy() for function in self._others]
        for unknown, function in zip(problem.unknowns, state["values"], strict=True):
            unknown.function.x.array[:] = function.x.array
        for function, saved in zip(self._others, state["others"], strict=True):
            function.x.array[:] = saved.x.array
        problem.store()
        self.assemble(state["t"], problem.x, shift, problem.matrices[1])
        present.copy(problem.x)
        problem.load(problem.x)
        for function, array in zip(self._others, beside, strict=True):
            function.x.array[:] = array
