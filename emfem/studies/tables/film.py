"""The table [film]: an alloy film, its crystal, the field it is in, and its start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from emfem import film
from emfem.errors import ParameterError
from emfem.model import Model
from emfem.studies.door import Angle, Length, Metres, Number, Numbers, Temperature, Voltage, Whole, through
from emfem.studies.tables.base import Condition, Parts, Table, conditions, made

from pydantic import BeforeValidator, Discriminator, Tag

PRESETS: Mapping[str, Callable[[], film.Alloy]] = {"cupd": film.cupd}


class Alloy(Table):
    """An alloy by its dimensionless constants, or one that is known by name with some of them replaced."""

    tried: ClassVar[bool] = True
    tag: ClassVar[str] = "dimensionless"

    name: str | None = None
    entropy: Number | None = None
    enthalpy: Number | None = None
    solute_expansion: Number | None = None
    gradient_energy: Number | None = None
    energy_ratio: Number | None = None

    def make(self) -> film.Alloy:
        """The alloy."""
        constants = self.given("name")
        if self.name is None:
            return made(film.Alloy, constants)
        if self.name not in PRESETS:
            msg = f"name = {self.name!r}, must be {' or '.join(PRESETS)}"
            raise ParameterError(msg)
        return replace(PRESETS[self.name](), **constants)


class PhysicalAlloy(Table):
    """An alloy by its physical constants; its scales then lead from lengths and times to those of the film."""

    tried: ClassVar[bool] = True
    tag: ClassVar[str] = "physical"

    temperature: Temperature
    film_thickness: Metres
    site_density: Annotated[float, through("1/m2")]
    surface_energy: Annotated[float, through("J/m2")]
    interaction_energy: Annotated[float, through("J")]
    stress_coefficient: Annotated[float, through("J/m3")]
    gradient_coefficient: Annotated[float, through("J/m")]
    diffusivity: Annotated[float, through("m2/s")]
    energy_ratio: Number = 1.0

    def make(self) -> film.Alloy:
        """The alloy."""
        return film.Alloy.from_physical(**self.given())


def _constants(value: Any) -> str:
    """Which kind of constants an alloy is given by."""
    keys = set(value) if isinstance(value, Mapping) else set(type(value).model_fields)
    physical = keys & (set(PhysicalAlloy.model_fields) - set(Alloy.model_fields))
    return PhysicalAlloy.tag if physical else Alloy.tag


AnyAlloy = Annotated[
    Annotated[Alloy, Tag(Alloy.tag)] | Annotated[PhysicalAlloy, Tag(PhysicalAlloy.tag)],
    Discriminator(_constants),
    BeforeValidator(lambda value: {"name": value} if isinstance(value, str) else value),
]


class Crystal(Table):
    """The crystal's surface and axes; in a polycrystal turned in each region."""

    tried: ClassVar[bool] = True

    surface: str = "110"
    strength: Number = 0.0
    misorientation: Angle = 0.0
    ratio: Number = 1.0
    misorientation_y: Angle | None = None
    turned: dict[str, Angle] | None = None

    def make(self) -> Any:
        """The crystal, or the tensor of each region."""
        crystal = film.Anisotropy(**self.given("turned"))
        if self.turned is None:
            return crystal
        return {region: crystal.turned(angle) for region, angle in self.turned.items()}


class Field(Table):
    """The drift force: of a strength or a voltage at an angle, by its components, or along a computed field."""

    tried: ClassVar[bool] = True

    strength: Number | None = None
    voltage: Voltage | None = None
    components: Numbers = None
    conduction: Number | None = None
    angle: Angle | None = None
    width: Metres | None = None
    effective_charge: Number | None = None

    def make(self) -> str:
        """The key that gives the force.

        Raises:
            ParameterError: for keys that do not go together.
        """
        given = str(self.one_of("strength", "voltage", "components", "conduction"))
        if self.angle is not None and given in ("components", "conduction"):
            msg = f"angle and {given} are given, must be one of them"
            raise ParameterError(msg)
        for name in ("width", "effective_charge"):
            if (getattr(self, name) is None) is (given == "voltage"):
                told = "missing, must be given with" if given == "voltage" else "given, must be left out without"
                msg = f"{name} is {told} voltage"
                raise ParameterError(msg)
        return given

    def force(self, alloy: film.Alloy, parts: Parts) -> Any:
        """The drift force, numbers or UFL.

        Raises:
            ParameterError: for a voltage of a film without scales, or a computed field without its model.
        """
        given = self.make()
        if given == "components":
            return self.components
        if given == "conduction":
            return self.conduction * parts.model("conduction")["E"]
        strength = self.strength
        if given == "voltage":
            if alloy.scales is None:
                msg = f"voltage = {self.voltage:g} V, must be strength: [film.alloy] has no physical constants"
                raise ParameterError(msg)
            strength = alloy.scales.drive(self.voltage, self.width, self.effective_charge)  # type: ignore[arg-type]
        return film.uniform_field(strength, self.angle or 0.0)  # type: ignore[arg-type]


class Start(Table):
    """A random start."""

    tried: ClassVar[bool] = True

    amplitude: Number
    seed: Whole = 0
    grain: Length | None = None

    def make(self) -> film.Noise:
        """The noise."""
        return film.noise(**self.given())


class FilmCondition(Condition):
    """A composition that is held, or a flux of solute let in."""

    fixed: Number | None = None
    flux: Number | None = None


class Film(Table):
    """The film."""

    alloy: AnyAlloy
    mean: Number | None = None
    anisotropy: Crystal | None = None
    field: Field | None = None
    initial: Start | None = None
    on: dict[str, FilmCondition] | None = None
    degree: Whole = 2

    def build(self, parts: Parts) -> Model:
        """The model. Collective."""
        alloy = self.alloy.make()
        return film.model(
            parts.domain,
            alloy,
            mean=self.mean,
            anisotropy=None if self.anisotropy is None else self.anisotropy.make(),
            field=None if self.field is None else self.field.force(alloy, parts),
            initial=None if self.initial is None else self.initial.make(),
            on=conditions(self.on),
            degree=self.degree,
        )


def scales(table: Any) -> dict[str, float]:
    """What the units of length and time of a film are, of its table as written; empty if it is only dimensionless."""
    try:
        alloy = PhysicalAlloy.model_validate(table["alloy"]).make()
    except (KeyError, TypeError, ValueError):  # it is not physical, or wrong: that is told elsewhere
        return {}
    return {"m": alloy.scales.length, "s": alloy.scales.time} if alloy.scales else {}
