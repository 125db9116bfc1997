"""The table [film]: an alloy film, its crystal, the field it is in, and its start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from emfem import film
from emfem.errors import ParameterError, count, number
from emfem.mesh import Domain
from emfem.model import Model
from emfem.studies.door import Angle, Length, Metres, Number, Numbers, Temperature, Voltage, Whole, through
from emfem.studies.in_time import AngleInTime, NumberInTime
from emfem.studies.tables.base import Condition, Parts, Table, conditions, made

import numpy as np
from pydantic import BeforeValidator, Discriminator, Tag

PRESETS: Mapping[str, Callable[[], film.Alloy]] = {"cupd": film.cupd}


class Alloy(Table):
    """An alloy by its dimensionless constants, or one that is known by name with some of them replaced.

    The free energy is f = G C + S [C ln C + (1-C) ln(1-C)] + W C (1-C) + alpha (C^2/2 - C^3/3) + (eps/2) |grad C|^2.

    Attributes:
        name: "cupd", whose constants the others replace; `alloy = "cupd"` is short for it.
        entropy: S, at least 0; it and the next three are needed without a name.
        enthalpy: W; without stress f is convex for W < 2 S.
        solute_expansion: alpha, the compositional stress; negative destabilises for C < 1/2.
        gradient_energy: eps, above 0.
        energy_ratio: surface energy of the pure solute over that of the solvent, G + 1, above 0; 1 when left out.
    """

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
    """An alloy by its physical constants; its scales then lead from lengths and times to those of the film.

    Attributes:
        temperature: T of the film.
        film_thickness: h, the unit of length.
        site_density: nu, surface sites by area.
        surface_energy: gamma of the solvent.
        interaction_energy: w of the regular solution, by site; w = 1.5 k T gives W = 1.5 S.
        stress_coefficient: a, which makes alpha = a h/gamma.
        gradient_coefficient: K, which makes eps = K/(gamma h).
        diffusivity: of the solute, which makes the unit of time.
        energy_ratio: surface energy of the pure solute over that of the solvent.
    """

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


class Scatter(Table):
    """Turns of the grains of a polycrystal, random and even within a spread to both sides.

    Attributes:
        spread: the largest turn, at least 0; 90 degrees is every direction.
        seed: of the random numbers.
    """

    tried: ClassVar[bool] = True

    spread: Angle
    seed: Whole = 0

    def make(self) -> None:
        """Check both."""
        number("spread", self.spread, at_least=0.0, unit="rad")
        count("seed", self.seed, at_least=0)

    def turns(self, regions: Sequence[str]) -> dict[str, float]:
        """The turn of each region [rad].

        Raises:
            ParameterError: if there is none.
        """
        if not regions:
            msg = "scattered is given, must be left out: the domain has no regions, such as random_grains makes"
            raise ParameterError(msg)
        drawn = np.random.default_rng(self.seed).uniform(-1.0, 1.0, len(regions))
        return {region: self.spread * float(turn) for region, turn in zip(regions, drawn, strict=True)}


class Crystal(Table):
    """The crystal's surface and axes; in a polycrystal turned in each region, by angles given or random.

    Attributes:
        surface: "110", "100" or "111".
        strength: beta, above -1.
        misorientation: phi_x, of the crystal to the x axis.
        ratio: Lambda, of diffusion along y to that along x, 0.001 to 1000.
        misorientation_y: phi_y; pi/2 - phi_x when left out.
        turned: for each region by name the angle by which its crystal is turned in the plane.
        scattered: turns of all regions at random, a table, instead.
    """

    tried: ClassVar[bool] = True

    surface: str = "110"
    strength: Number = 0.0
    misorientation: Angle = 0.0
    ratio: Number = 1.0
    misorientation_y: Angle | None = None
    turned: dict[str, Angle] | None = None
    scattered: Scatter | None = None

    def make(self) -> film.Anisotropy:
        """The crystal before it is turned."""
        self.one_of("turned", "scattered", optional=True)
        crystal = film.Anisotropy(**self.given("turned", "scattered"))
        for angle in (self.turned or {}).values():
            crystal.turned(angle)
        return crystal

    def turns(self, domain: Domain) -> dict[str, float] | None:
        """By how much the crystal is turned in each region of a domain [rad]; None if it is the same everywhere."""
        return self.turned if self.scattered is None else self.scattered.turns(tuple(domain.regions))

    def on(self, domain: Domain) -> Any:
        """The crystal, or the tensor of each region."""
        crystal, turns = self.make(), self.turns(domain)
        return crystal if turns is None else {region: crystal.turned(angle) for region, angle in turns.items()}


class Field(Table):
    """The drift force: of a strength or a voltage at an angle, by its components, or along a computed field.

    Attributes:
        strength: F, or a table that makes it follow time; give one of strength, voltage, components and conduction.
        voltage: V across the film, with `width` and `effective_charge`; needs an alloy of physical constants.
        components: F along each axis, a list.
        conduction: what E of the table [conduction] is multiplied by to give F.
        angle: of the force to the x axis, with strength or voltage; or a table that makes it follow time.
        width: L over which the voltage falls.
        effective_charge: Z*, with its sign; negative when atoms go with the electrons.
    """

    tried: ClassVar[bool] = True

    strength: NumberInTime = None
    voltage: Voltage | None = None
    components: Numbers = None
    conduction: Number | None = None
    angle: AngleInTime = None
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
        angle = self.angle or 0.0
        return film.uniform_field(strength, angle)


class Start(Table):
    """A random start.

    Attributes:
        amplitude: of the composition, to either side of the mean.
        seed: the same seed gives the same film on any mesh and any number of ranks.
    """

    tried: ClassVar[bool] = True

    amplitude: Number
    seed: Whole = 0
    grain: Length | None = None

    def make(self) -> film.Noise:
        """The noise."""
        return film.noise(**self.given())


class FilmCondition(Condition):
    """A composition that is held, or a flux of solute let in.

    Attributes:
        fixed: the composition.
        flux: of solute, into the domain.
    """

    fixed: NumberInTime = None
    flux: NumberInTime = None


class Film(Table):
    """The film.

    Attributes:
        alloy: its constants, a table, or "cupd".
        anisotropy: its crystal, a table; diffusion is isotropic when left out.
        field: the drift force, a table; there is none when left out.
        initial: a random start about `mean`, a table.
        on: a condition for each boundary by name; others are blocked.
    """

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
            anisotropy=None if self.anisotropy is None else self.anisotropy.on(parts.domain),
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
    return alloy.scales.in_si if alloy.scales else {}
