"""The table [migration]: a species that diffuses and drifts."""

from __future__ import annotations

from typing import Annotated, Any

from emfem import migration
from emfem.errors import ParameterError
from emfem.model import Model
from emfem.studies.door import Number, Whole, Yes, through
from emfem.studies.in_time import NumberInTime, follows
from emfem.studies.tables.base import Condition, Parts, Table, conditions

import ufl


class Drift(Table):
    """The drift: its velocity, or the forces on the atoms of the material, given or computed.

    Numbers in one dimension, otherwise lists.

    Attributes:
        velocity: of the drift; or the forces that follow, which add up.
        field: the electric field; give one of it, current_density and conduction.
        current_density: whose field is that of the material's resistivity.
        conduction: true: the field of [conduction].
        heat: true: temperature and its gradient are those of [heat].
    """

    velocity: Annotated[Any, follows("m/s", many=True)] = None
    field: Annotated[Any, through("V/m")] = None
    current_density: Annotated[Any, through("A/m2")] = None
    conduction: Yes = False
    temperature_gradient: Annotated[Any, through("K/m")] = None
    heat: Yes = False
    stress_gradient: Annotated[Any, through("Pa/m")] = None

    def build(self, parts: Parts) -> Any:
        """The velocity, numbers or UFL."""
        given = self.one_of("velocity", "field", "current_density", optional=True)
        if given is not None and self.conduction:
            msg = f"{given} and conduction are given, must be one of them"
            raise ParameterError(msg)
        if self.velocity is not None:
            return self.velocity
        metal, temperature = parts.material(), None
        force, slope = self.field, self.temperature_gradient
        if self.current_density is not None:
            scaled = [metal.resistivity * j for j in _items(self.current_density)]
            force = scaled if isinstance(self.current_density, tuple) else scaled[0]
        if self.conduction:
            force = parts.model("conduction")["E"]
        if self.heat:
            temperature = parts.model("heat")["T"]
            slope = ufl.grad(temperature)
        return migration.drift_velocity(
            metal,
            field=force,
            temperature_gradient=slope,
            stress_gradient=self.stress_gradient,
            temperature=temperature,
        )


class SpeciesCondition(Condition):
    """A concentration that is held, or a flux let in; their unit is that of the start.

    Attributes:
        fixed: the concentration.
        flux: into the domain.
    """

    fixed: NumberInTime = None
    flux: NumberInTime = None


class Migration(Table):
    """The species.

    Attributes:
        initial: concentration at the start, at least 0, in a unit of your choice.
        diffusivity: a number, a tensor as a list of rows, or a table of either by region; the material's when
            left out.
        drift: a table; there is none when left out.
        on: a condition for each boundary by name; others are blocked.
        stabilisation: "fitted" for exponential fitting, where layers are thinner than a cell; none when left out.
        degree: polynomial degree of the concentration; 2 when left out, 1 with fitting.
    """

    initial: Number
    diffusivity: Annotated[Any, through("m2/s")] = None
    drift: Drift | None = None
    on: dict[str, SpeciesCondition] | None = None
    stabilisation: str | None = None
    degree: Whole | None = None
    name: str = "c"
    unit: str | None = None

    def build(self, parts: Parts) -> Model:
        """The model. Collective."""
        return migration.model(
            parts.domain,
            diffusivity=parts.material().diffusivity if self.diffusivity is None else self.diffusivity,
            drift=None if self.drift is None else self.drift.build(parts),
            initial=self.initial,
            on=conditions(self.on),
            stabilisation=self.stabilisation,
            degree=self.degree,
            name=self.name,
            unit=self.unit,
        )


def _items(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
