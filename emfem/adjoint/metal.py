"""A metal whose constants are controls: numbers of its laws become constants of the forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import fields, replace
from functools import partial
from typing import Any

from emfem.errors import UnknownName, require
from emfem.gate import checked
from emfem.materials import Material, Uniform
from emfem.materials.validity import VALIDITY
from emfem.mesh import Domain
from emfem.model.materials import controls_of

import numpy as np
import ufl
from dolfinx import fem

TEMPERATURE = "temperature"


class Metal:
    """A metal for models, with some of its numbers as controls of `em.adjoint.Objective`.

    Wherever a model takes a metal it takes this one. Its temperature is a constant of the forms, so that all laws are
    UFL; at a number, those that no control changes are numbers. A model that keeps a constant as a number refuses it as
    a control. `material` is the metal with the present values.

    Attributes:
        controls: the numbers by name, each a `fem.Constant`.
    """

    @checked
    def __init__(self, domain: Domain, material: Material, names: Sequence[str]) -> None:
        """Take the metal, and the names of its numbers that are to be controls.

        Args:
            domain: of the models.
            material: the metal.
            names: "effective_charge" of a constant that is a number, "diffusivity.prefactor" of one that is a law with
                numbers, as the law calls them, or "temperature".

        Raises:
            UnknownName: for a number that the metal does not have.
            ParameterError: for no name, or one that is there twice.
        """
        require(names, "names = [], must be at least one")
        laws: dict[str, Any] = {name: each.law for name, each in material.constants.items()}
        places = {
            name if isinstance(law, Uniform) else f"{name}.{number.name}": (name, number.name)
            for name, law in laws.items()
            for number in fields(law)
            if isinstance(getattr(law, number.name), float)
        }
        self._material = material
        self._mesh, self._temperature = domain.mesh, fem.Constant(domain.mesh, float(material.temperature))
        self._numbers: dict[str, dict[str, fem.Constant]] = {}
        self.controls: dict[str, fem.Constant] = {}
        for name in names:
            if name == TEMPERATURE:
                constant = self._temperature
            elif name not in places:
                raise UnknownName(name, material.name, [TEMPERATURE, *places])
            else:
                law, field = places[name]
                constant = fem.Constant(domain.mesh, float(getattr(laws[law], field)))
                self._numbers.setdefault(law, {})[field] = constant
            require(name not in self.controls, f"names: {name!r} is there twice, must be once")
            self.controls[name] = constant

    @property
    def temperature(self) -> fem.Constant:
        """T [K], a constant of the forms."""
        return self._temperature

    @property
    def material(self) -> Material:
        """The metal with the present values of the controls.

        Raises:
            ParameterError: for a value out of its bounds.
        """
        laws: dict[str, Any] = {}
        for name, numbers in self._numbers.items():
            old: Any = self._material.constants[name]
            laws[name] = replace(old, law=replace(old.law, **{field: float(c) for field, c in numbers.items()}))
        if "resistivity" in laws:  # it keeps its slope
            slope = self._material.constants["temperature_coefficient"]
            laws.setdefault("temperature_coefficient", slope)
        return self._material.at(float(self._temperature), **laws)

    def law(self, name: str) -> Callable[[Any], Any]:
        """Return the law of a constant: UFL of the controls if it has some or the temperature is UFL, else numbers.

        Of an array of temperatures it returns numbers of now.

        Raises:
            UnknownName: if there is no such constant.
            ParameterError: if the metal lacks it.
        """
        self._material.law(name)
        return partial(self._evaluated, name)

    def _evaluated(self, name: str, temperature: Any) -> Any:
        if isinstance(temperature, ufl.core.expr.Expr):
            return self._symbolic(name)(temperature)
        now = self.material.law(name)(temperature)  # which checks the range
        if np.ndim(temperature):
            return now
        live = self._symbolic(name)(fem.Constant(self._mesh, float(temperature)))
        return live if controls_of(self, live) else now

    def _symbolic(self, name: str) -> Callable[[Any], Any]:
        """Return a law with controls in place of its numbers, and so those that it uses."""
        twin = copy(self._material.constants[name].law)
        vars(twin).update(self._numbers.get(name, {}))  # numbers were checked, and UFL cannot be
        return partial(twin.evaluate, law=self._symbolic)

    def __getattr__(self, name: str) -> Any:
        """Return the value of a constant at the temperature, or what else the metal has."""
        if name in VALIDITY:
            return self._symbolic(name)(self._temperature)
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._material, name)

    def __repr__(self) -> str:
        """Return the metal, and the controls with their values."""
        return f"<Metal {self._material!r}: {', '.join(f'{name} = {float(c):g}' for name, c in self.controls.items())}>"
