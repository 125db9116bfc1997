"""The table [stress]: stress in a confined metal under current."""

from __future__ import annotations

from typing import Annotated, Any

from emfem import stress
from emfem.model import Model
from emfem.studies.door import Temperature, Whole, Yes, through
from emfem.studies.in_time import CurrentDensityInTime, follows
from emfem.studies.tables.base import Condition, Parts, Table, conditions


class StressCondition(Condition):
    """A stress that is held, 0 at the surface of a void; or atoms let in.

    Attributes:
        fixed: the stress, tension positive.
        flux: atoms let in, by area and time.
    """

    fixed: Annotated[Any, follows("Pa")] = None
    flux: Annotated[Any, follows("1/(m2 s)")] = None


class Stress(Table):
    """The stress.

    Attributes:
        current_density: in one dimension a number, on a network one for each segment, otherwise a list; give one of it,
            field and conduction.
        field: the electric field, in the same ways.
        conduction: true: the field of [conduction].
        temperature: that of the material when left out.
        heat: true: that of [heat], whose gradient drives too.
        residual_stress: at the start.
        on: a condition for each boundary by name; others are blocked.
    """

    current_density: CurrentDensityInTime = None
    field: Annotated[Any, through("V/m")] = None
    conduction: Yes = False
    temperature: Temperature | None = None
    heat: Yes = False
    residual_stress: Annotated[float, through("Pa")] = 0.0
    on: dict[str, StressCondition] | None = None
    degree: Whole = 2

    def build(self, parts: Parts) -> Model:
        """The model. Collective."""
        return stress.model(
            parts.domain,
            parts.material(),
            current_density=self.current_density,
            field=self.field,
            current=parts.model("conduction") if self.conduction else None,
            temperature=parts.model("heat")["T"] if self.heat else self.temperature,
            residual_stress=self.residual_stress,
            on=conditions(self.on),
            degree=self.degree,
        )
