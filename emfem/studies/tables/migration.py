"""The table [migration]: a species that diffuses and drifts."""

from __future__ import annotations

from typing import Annotated, Any

from emfem import migration
from emfem.errors import ParameterError, floats
from emfem.studies.tables.base import Arguments, BuildContext, Key, keys_from
from emfem.studies.tables.physics import Physics
from emfem.studies.units import Unit, Yes

import ufl


@keys_from(
    migration.drift_velocity,
    left_out=("material", "temperature"),
    keys={"field": "the electric field; give one of it, current_density and conduction."},
)
class DriftTable(Arguments):
    """Drift: its velocity, or the forces on the atoms of the material, given or computed.

    Numbers in one dimension, otherwise lists.

    Attributes:
        velocity: of the drift; or the forces, which add up.
        current_density: whose field is that of the material's resistivity.
        conduction: true: the field of the table [conduction] of the case.
        heat: true: temperature and its gradient are those of the table [heat] of the case.
    """

    velocity: Annotated[Any, Unit("m/s", in_time=True, lists=True)] = None
    current_density: Annotated[Any, Unit("A/m2")] = None
    conduction: Yes = False
    heat: Yes = False

    def build(self, context: BuildContext) -> Any:
        """Return the velocity, numbers or UFL."""
        drive = self.one_of("velocity", "field", "current_density", optional=True)
        if drive is not None and self.conduction:
            msg = f"{drive} and conduction are given, must be one of them"
            raise ParameterError(msg)
        if drive == "velocity":
            return self.velocity
        metal, arguments = context.material(), self.values("conduction", "heat", "current_density")
        if drive == "current_density":
            current = floats("current_density", self.current_density)
            field = metal.resistivity * current
            arguments["field"] = tuple(field) if field.ndim else float(field)
        if self.conduction:
            arguments["field"] = context.model("conduction")["E"]
        if self.heat:
            arguments["temperature"] = context.model("heat")["T"]
            arguments["temperature_gradient"] = ufl.grad(arguments["temperature"])
        return migration.drift_velocity(metal, **arguments)


def _diffusivity(table: Any, context: BuildContext) -> dict[str, Any]:
    """Return the diffusivity of the case, or of the material."""
    return {"diffusivity": context.material().diffusivity if table.diffusivity is None else table.diffusivity}


MIGRATION = Physics(
    "migration",
    migration.model,
    left_out=("source", "grain_boundaries"),
    arguments=_diffusivity,
    keys={
        "initial": Key(
            Annotated[Any, Unit("", lists=True)], "concentration at the start, at least 0, in a unit of your choice."
        ),
        "diffusivity": Key(
            None,
            "a number, a tensor as a list of rows, or a table of either by region; the material's when left out.",
            default=None,
        ),
        "drift": Key(DriftTable, "a table; there is none when left out."),
        "stabilisation": '"fitted" for exponential fitting, where layers are thinner than a cell; none when left out.',
        "degree": "polynomial degree of the concentration; 2 when left out, 1 with fitting.",
    },
)
