"""Values by which a number is derived: constants, functions, and initial values of unknowns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from emfem.adjoint.forms import Array, assembled, derivative
from emfem.errors import kind, require
from emfem.gate import collective
from emfem.model import Model
from emfem.solve import Stages

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem


class Controls:
    """Controls by name, with their values.

    Attributes:
        start: initial values of all unknowns that this rank owns, unknown after unknown.
        initial: places in `start` of the controls that are initial values.
    """

    def __init__(self, stages: Stages, controls: Mapping[str, Any]) -> None:
        """Take the present state as the start.

        Raises:
            ParameterError: for a control that is no constant or function of DOLFINx, follows time, is a rate or there
                twice; or for none.
        """
        require(controls, "controls = {}, must be at least one")
        for name, control in controls.items():
            words = "a fem.Constant or a fem.Function"
            kind(f"controls[{name!r}]", control, (fem.Constant, fem.Function), words)
        rates = [unknown.rate for unknown in stages.problem.unknowns]
        driven = [driver.constant for model in stages.problem.models for driver in model.drivers]
        names = list(controls)
        for i, (name, control) in enumerate(controls.items()):
            twin = next((other for other in names[:i] if controls[other] is control), None)
            require(twin is None, f"controls[{name!r}], must be another one than controls[{twin!r}]")
            require(not any(control is each for each in driven), f"controls[{name!r}], must not be a function of time")
            require(control not in rates, f"controls[{name!r}], must not be a rate: rates follow from the equations")
        self._controls = dict(controls)
        with collective(stages.problem.comm) as same:
            constants = {name: each.value for name, each in controls.items() if isinstance(each, fem.Constant)}
            same |= {f"controls[{name!r}]": value for name, value in constants.items()}
        self.comm, self.start = stages.problem.comm, stages.state()
        functions = [unknown.function for unknown in stages.problem.unknowns]
        self.initial = {
            name: stages.problem.part(functions.index(control))
            for name, control in self._controls.items()
            if control in functions
        }
        scales = [unknown.scale for unknown in stages.problem.unknowns]
        self._scales = {name: scales[functions.index(self._controls[name])] for name in self.initial}
        model = stages.problem.models[0]
        self._functions = {name: as_function(self._controls[name], model) for name in self.names}

    @property
    def names(self) -> list[str]:
        """Names of the controls that are no initial values."""
        return [name for name in self._controls if name not in self.initial]

    def is_constant(self, name: str) -> bool:
        """Return True for a constant: all ranks have all its values."""
        return isinstance(self._controls[name], fem.Constant)

    def is_value_of(self, name: str, constant: fem.Constant) -> bool:
        """Return True if a control is this constant."""
        return self._controls[name] is constant

    def derivative(self, name: str, forms: list[ufl.Form]) -> fem.Form | None:
        """Return the compiled derivative of a sum of numbers by a control; None if none depends on it."""
        function, control = self._functions[name], self._controls[name]
        if function is not control:
            forms = [ufl.replace(form, {control: function}) for form in forms]
        return derivative(forms, function)

    def summed(self, name: str, form: fem.Form) -> Array:
        """Return such a derivative by the values of a control; of a constant it is the sum over cells. Collective."""
        values = assembled(form)
        if not self.is_constant(name):
            return values
        shape = np.shape(self._controls[name].value)
        of_rank = values.reshape(-1, math.prod(shape)).sum(axis=0)
        return np.asarray(self.comm.allreduce(of_rank)).reshape(shape)

    def values(self) -> dict[str, Array]:
        """Return copies of the values that this rank owns, by name."""
        return {name: np.array(self._view(name)) for name in self._controls}

    def set(self, name: str, values: Array) -> None:
        """Set the values of a control that this rank owns. Collective."""
        control = self._controls[name]
        if name in self.initial or isinstance(control, fem.Function):
            self._view(name)[:] = values
        else:
            control.value = values
        if name not in self.initial:
            fill(self._functions[name], control)

    def size(self, name: str) -> float:
        """Return the root of the mean square of the values of a control. Collective.

        Where all are 0 it is 1, and of initial values the scale of their unknown.
        """
        values = self._view(name)
        square, n = float(np.sum(np.square(values))), np.size(values)
        if not self.is_constant(name):
            square, n = self.comm.allreduce(np.array([square, n]))
        return math.sqrt(square / n) or self._scales.get(name, 1.0)

    def along(self, gradient: Mapping[str, Array], moves: Mapping[str, Array]) -> float:
        """Return the derivative in a direction. Collective."""
        parts = {name: float(np.sum(gradient[name] * move)) for name, move in moves.items()}
        shared = sum(part for name, part in parts.items() if self.is_constant(name))
        return shared + float(self.comm.allreduce(sum(part for n, part in parts.items() if not self.is_constant(n))))

    def _view(self, name: str) -> Array:
        """Return the values of a control that this rank owns, in place."""
        control = self._controls[name]
        if name in self.initial:
            return np.asarray(self.start[self.initial[name]])
        if isinstance(control, fem.Constant):
            return np.asarray(control.value)
        dofmap = control.function_space.dofmap
        return np.asarray(control.x.array[: dofmap.index_map.size_local * dofmap.index_map_bs])


def as_function(control: fem.Constant | fem.Function, model: Model) -> fem.Function:
    """Return a function by which forms can be derived: the control, or one with a constant's values in each cell."""
    if isinstance(control, fem.Function):
        return control
    element = basix.ufl.element("DG", model.mesh.basix_cell(), 0, shape=control.ufl_shape or None)
    function = fem.Function(fem.functionspace(model.mesh, element))
    fill(function, control)
    return function


def fill(function: fem.Function, control: fem.Constant | fem.Function) -> None:
    """Give a function the values of a constant in each cell, or its ghosts those of their owners. Collective."""
    if isinstance(control, fem.Constant):
        function.x.array.reshape(-1, np.size(control.value))[:] = np.ravel(control.value)
    else:
        function.x.scatter_forward()
