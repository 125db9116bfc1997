"""The table [heat]: heat that is made, carried and lost."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from emfem import heat
from emfem.errors import ParameterError
from emfem.model import Model, fixed, flux
from emfem.studies.door import Metres, Temperature, Whole, Yes, through
from emfem.studies.in_time import CurrentDensityInTime, TemperatureInTime, follows
from emfem.studies.tables.base import Condition, Parts, Table, conditions

Conductivity = Annotated[float, through("W/(m K)")]


class Surroundings(Table):
    """What takes heat through a boundary."""

    coefficient: Annotated[float, through("W/(m2 K)")]
    ambient: TemperatureInTime


class HeatCondition(Condition):
    """A temperature that is held, heat let in, or surroundings; one of them.

    Attributes:
        fixed: the temperature.
        flux: heat let in, by area.
        convection: surroundings, a table.
    """

    fixed: TemperatureInTime = None
    flux: Annotated[Any, follows("W/m2")] = None
    convection: Surroundings | None = None

    def make(self) -> Any:
        """The condition."""
        given = self.one_of("fixed", "flux", "convection")
        if self.convection is not None:
            return heat.convection(self.convection.coefficient, self.convection.ambient)
        return fixed(self.fixed) if given == "fixed" else flux(self.flux)


class Substrate(Table):
    """A substrate below a line: by the insulator between them, or by the coefficient of the loss.

    Attributes:
        temperature: of the substrate.
        coefficient: heat lost, by volume and difference of temperature; or the three that follow.
    """

    tried: ClassVar[bool] = True

    temperature: TemperatureInTime
    coefficient: Annotated[float, through("W/(m3 K)")] | None = None
    conductivity: Conductivity | None = None
    thickness: Metres | None = None
    line_height: Metres | None = None

    def make(self) -> Any:
        """The loss."""
        insulator = self.given("coefficient")
        if (self.coefficient is None) is not (len(insulator) == 4) or (self.coefficient and len(insulator) > 1):
            msg = "loss must have coefficient, or conductivity, thickness and line_height"
            raise ParameterError(msg)
        if self.coefficient is not None:
            return self.coefficient, self.temperature
        return heat.substrate(**insulator)


class Heat(Table):
    """The heat.

    Attributes:
        joule: true: the current of [conduction] heats.
        source: heat made by volume, a number or a table by region, instead.
        current_density: of a driven line, which makes resistivity times its square; a number or a list.
        on: a condition for each boundary by name; others are insulated.
        loss: to a substrate below, a table.
        initial: temperature at the start; the coldest of boundaries and substrate when left out, or the material's.
        conductivity: instead of the material's, a number or a table by region.
        heat_capacity: of a volume, instead of the material's, a number or a table by region.
        resistivity: instead of the material's, a number or a table by region.
        hottest: temperature from which on a state is refused; the melting temperature when left out.
    """

    joule: Yes = False
    source: Annotated[Any, follows("W/m3", many=True)] = None
    current_density: CurrentDensityInTime = None
    on: dict[str, HeatCondition] | None = None
    loss: Substrate | None = None
    initial: Temperature | None = None
    conductivity: Annotated[Any, through("W/(m K)")] = None
    heat_capacity: Annotated[Any, through("J/(m3 K)")] = None
    resistivity: Annotated[Any, through("Ohm m")] = None
    hottest: Temperature | None = None
    degree: Whole = 2

    def build(self, parts: Parts) -> Model:
        """The model. Collective."""
        if self.joule and self.source is not None:
            msg = "joule and source are given, must be one of them"
            raise ParameterError(msg)
        return heat.model(
            parts.domain,
            parts.metal,
            source=heat.joule(parts.model("conduction")) if self.joule else self.source,
            current_density=self.current_density,
            on=conditions(self.on),
            loss=None if self.loss is None else self.loss.make(),
            initial=self.initial,
            conductivity=self.conductivity,
            heat_capacity=self.heat_capacity,
            resistivity=self.resistivity,
            hottest=self.hottest,
            degree=self.degree,
        )
