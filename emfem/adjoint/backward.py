"""Discrete adjoint: derivatives of the number at the end, carried back from stage to stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from emfem.adjoint.controls import Controls
from emfem.adjoint.forms import Array, assembled, derivative
from emfem.adjoint.run import ONWARD, Step
from emfem.errors import require
from emfem.model import Model
from emfem.solve import Stage, Stages

import numpy as np
import ufl
from dolfinx import fem


class Backward:
    """Forms dJ/du and dJ/dm of each number J, y^T dF/d(rate) and y^T dF/dm with functions y in place of F's tests."""

    def __init__(self, stages: Stages, terms: Mapping[float, ufl.Form], controls: Controls) -> None:
        """Derive and compile.

        Raises:
            ParameterError: for a control on which nothing depends.
        """
        self.stages, self.controls = stages, controls
        problem = stages.problem
        self._y = {unknown: fem.Function(unknown.function.function_space) for unknown in problem.unknowns}
        lagrangians = [self._tested(model) for model in problem.models]
        self._by_rate = [u.rate and derivative(lagrangians, u.rate) for u in problem.unknowns]
        self._by_control = {name: controls.derivative(name, lagrangians) for name in controls.names}
        self._terms_by_state = {t: [derivative([J], u.function) for u in problem.unknowns] for t, J in terms.items()}
        self._terms_by_control = {
            t: {name: controls.derivative(name, [J]) for name in controls.names} for t, J in terms.items()
        }
        self._fixed = np.array(list(stages.fixed), dtype=int)
        self._fixed_by = {name: self._places(name) for name in controls.names}
        for name in controls.names:
            forms = [self._by_control[name], *(each[name] for each in self._terms_by_control.values())]
            used = any(form is not None for form in forms) or self._fixed_by[name] is not None
            words = "must be what the models depend on, or model[...] for initial values: nothing depends on it"
            require(used, f"controls[{name!r}], {words}")

    def _tested(self, model: Model) -> ufl.Form:
        """Return y^T F of a model, with the functions y in place of its test functions."""
        tests = model.residual.arguments()
        return ufl.replace(model.residual, {each: self._y[model.unknowns[each.part() or 0]] for each in tests})

    def _places(self, name: str) -> Array | None:
        """Return the places of Dirichlet values of this rank that a control is; None if it is none."""
        conditions = self.stages.problem.conditions
        if not any(self.controls.is_value_of(name, condition.value) for condition in conditions):
            return None
        fixed = self.stages.fixed.items()
        return np.array([i for i, c in fixed if self.controls.is_value_of(name, c.value)], dtype=int)

    def gradient(self, steps: Iterable[Step]) -> dict[str, Array]:
        """Return the derivatives of the numbers that are taken at ends of the steps, the last one first. Collective."""
        made = {name: np.zeros_like(values) for name, values in self.controls.values().items()}
        left = np.zeros_like(self.controls.start)
        for step in steps:
            if step.term is not None:
                self.stages.load(step.stages[-1])
                left = left + self._vector(self._terms_by_state[step.term])
                self._add(made, self._terms_by_control[step.term], 1.0)
            last = self._through(step.stages[-1], left, made)
            if len(step.stages) > 1:
                left = (1 - ONWARD) * last + self._through(step.stages[0], ONWARD * last, made)
        for name, part in self.controls.initial.items():
            made[name] += left[part]
        return made

    def _through(self, stage: Stage, load: Array, made: dict[str, Array]) -> Array:
        """Return the derivatives by the base of a stage from those by its values; add those by the controls.

        With A^T y = load they are shift (dF/d(rate))^T y, and -(dF/dm)^T y; a Dirichlet value m has F = x - m.
        """
        y = self.stages.multipliers(stage, load)
        for name, places in self._fixed_by.items():
            if places is not None:
                made[name] += self.controls.comm.allreduce(float(y[places].sum()))
        y[self._fixed] = 0.0
        for i, function in enumerate(self._y.values()):
            part = self.stages.problem.part(i)
            function.x.array[: part.stop - part.start] = y[part]
            function.x.scatter_forward()
        self._add(made, self._by_control, -1.0)
        return stage.shift * self._vector(self._by_rate)

    def _vector(self, forms: Sequence[fem.Form | None]) -> Array:
        """Return the values of linear forms, one for each unknown, that this rank owns."""
        made = np.zeros_like(self.controls.start)
        for i, form in enumerate(forms):
            if form is not None:
                made[self.stages.problem.part(i)] = assembled(form)
        return made

    def _add(self, made: dict[str, Array], forms: Mapping[str, fem.Form | None], factor: float) -> None:
        """Add derivatives by controls."""
        for name, form in forms.items():
            if form is not None:
                made[name] += factor * self.controls.summed(name, form)
