"""The table [migration]: a species that diffuses and drifts."""

from __future__ import annotations

from typing import Annotated, Any

from emfem import migration
from emfem.errors import ParameterError
from emfem.studies.tables.base import Arguments, BuildContext, Key, table_of
from emfem.studies.tables.physics import Physics
from emfem.studies.units import Unit, Yes

import ufl


class _Drift(Arguments):
    def build(self, context: BuildContext) -> Any:
        """Return the velocity, numbers or UFL."""
        values = self.values("conduction", "heat")
        drive = self.one_of("velocity", "field", "current_density", optional=True)
        conduction, heat = (getattr(self, name) for name in ("conduction", "heat"))
        if drive is not None and conduction:
            msg = f"{drive} and conduction are given, must be one of them"
            raise ParameterError(msg)
        if drive == "velocity":
            return values["velocity"]
        metal = context.material()
        if drive == "current_density":
            current = values.pop("current_density")
            is_list = isinstance(current, tuple)
            values["field"] = tuple(metal.resistivity * j for j in current) if is_list else metal.resistivity * current
        if conduction:
            values["field"] = context.model("conduction")["E"]
        if heat:
            values["temperature"] = context.model("heat")["T"]
            values["temperature_gradient"] = ufl.grad(values["temperature"])
        return migration.drift_velocity(metal, **values)


DRIFT = table_of(
    migration.drift_velocity,
    "Drift: its velocity, or the forces on the atoms of the material, given or computed. Numbers in one dimension, "
    "otherwise lists.",
    base=_Drift,
    left_out=("material", "temperature"),
    keys={
        "velocity": Key(
            Annotated[Any, Unit("m/s", in_time=True, lists=True)],
            "of the drift; or the forces that follow, which add up.",
        ),
        "field": "the electric field; give one of it, current_density and conduction.",
        "current_density": Key(Annotated[Any, Unit("A/m2")], "whose field is that of the material's resistivity."),
        "conduction": Key(Yes, "true: the field of [conduction].", default=False),
        "heat": Key(Yes, "true: temperature and its gradient are those of [heat].", default=False),
    },
)


def _diffusivity(table: Any, context: BuildContext) -> dict[str, Any]:
    """Return the diffusivity of the case, or of the material."""
    return {"diffusivity": context.material().diffusivity if table.diffusivity is None else table.diffusivity}


MIGRATION = Physics(
    "migration",
    migration.model,
    left_out=("source", "grain_boundaries"),
    arguments=_diffusivity,
    keys={
        "initial": "concentration at the start, at least 0, in a unit of your choice.",
        "diffusivity": Key(
            None,
            "a number, a tensor as a list of rows, or a table of either by region; the material's when left out.",
            default=None,
        ),
        "drift": Key(DRIFT, "a table; there is none when left out."),
        "stabilisation": '"fitted" for exponential fitting, where layers are thinner than a cell; none when left out.',
        "degree": "polynomial degree of the concentration; 2 when left out, 1 with fitting.",
    },
)
