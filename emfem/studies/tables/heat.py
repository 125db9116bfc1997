"""The table [heat]: heat that is made, carried and lost."""

from __future__ import annotations

from typing import Annotated, Any

from emfem import heat
from emfem.errors import ParameterError
from emfem.studies.tables.base import Key, Table, conditions_of, keys_from, table_of
from emfem.studies.tables.physics import Coupling, Physics
from emfem.studies.units import Unit


@keys_from(heat.substrate, optional=True, keys={"temperature": Key(default=...)})
class SubstrateTable(Table):
    """A substrate below a line: by the insulator between them, or by the coefficient of the loss.

    Attributes:
        coefficient: heat lost, by volume and difference of temperature; or the three that describe the insulator.
    """

    coefficient: Annotated[float, Unit("W/(m3 K)")] | None = None

    def make(self) -> Any:
        """Make the loss."""
        insulator = self.values("coefficient")
        if (self.coefficient is None) is not (len(insulator) == 4) or (self.coefficient and len(insulator) > 1):
            msg = "loss must have coefficient, or conductivity, thickness and line_height"
            raise ParameterError(msg)
        return heat.substrate(**insulator) if self.coefficient is None else (self.coefficient, insulator["temperature"])


BY_REGION = "instead of the material's, a number or a table by region."

HEAT = Physics(
    "heat",
    heat.model,
    in_time=("source", "current_density"),
    couplings={"joule": Coupling("conduction", "source", heat.joule, "true: the current of [conduction] heats.")},
    keys={
        "source": "heat made by volume, a number or a table by region, instead of joule.",
        "current_density": "of a driven line, which makes resistivity times its square; a number or a list.",
        "on": Key(
            conditions_of(
                heat.model,
                convection=Key(table_of(heat.convection), "surroundings, a table.", None),
                radiation=Key(table_of(heat.radiation), "surroundings that it glows at, a table.", None),
            ),
            "a condition for each boundary by name; others are insulated.",
        ),
        "loss": Key(SubstrateTable, "to a substrate below, a table."),
        "initial": "at the start; the coldest of boundaries and substrate when left out, or that of the material.",
        "conductivity": BY_REGION,
        "heat_capacity": f"of a volume, {BY_REGION}",
        "resistivity": BY_REGION,
        "hottest": "temperature from which on a state is refused; the melting temperature when left out.",
    },
    left_out=("solid",),
)
