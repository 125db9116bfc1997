"""The table [film]: an alloy film, its crystal, the field it is in, its start and its thermal noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from emfem import film
from emfem.errors import ParameterError, count, number
from emfem.mesh import Domain
from emfem.studies.tables.base import BuildContext, Key, Table, call, keys_from, table_of
from emfem.studies.tables.physics import Physics
from emfem.studies.units import Angle, Number, Unit, Whole

import numpy as np
from pydantic import BeforeValidator, Discriminator, Tag, TypeAdapter

PRESETS: Mapping[str, Callable[[], film.Alloy]] = {"cupd": film.cupd}


@keys_from(
    film.Alloy,
    optional=True,
    left_out=("scales",),
    keys={
        "entropy": "S, at least 0; it and the next three are needed without a name.",
        "energy_ratio": "surface energy of the pure solute over that of the solvent, G + 1; 1 when left out.",
        "coherency": "q of the coherency stress on an elastic substrate; 0 when left out.",
    },
)
class AlloyTable(Table):
    """An alloy by its dimensionless constants, or one that is known by name with some of them replaced.

    The free energy is f = G C + S [C ln C + (1-C) ln(1-C)] + W C (1-C) + alpha (C^2/2 - C^3/3) + (eps/2) |grad C|^2.

    Attributes:
        name: "cupd", whose constants the others replace; `alloy = "cupd"` is short for it.
    """

    tag: ClassVar[str] = "dimensionless"

    name: str | None = None

    def make(self) -> film.Alloy:
        """Make the alloy."""
        constants = self.values("name")
        if self.name is None:
            return call(film.Alloy, constants)
        if self.name not in PRESETS:
            msg = f"name = {self.name!r}, must be {' or '.join(PRESETS)}"
            raise ParameterError(msg)
        return replace(PRESETS[self.name](), **constants)


@keys_from(
    film.Alloy.from_physical,
    keys={
        "temperature": "T of the film.",
        "film_thickness": "h, the unit of length.",
        "stress_coefficient": "a, which makes alpha = a h/gamma.",
        "gradient_coefficient": "K, which makes eps = K/(gamma h).",
        "diffusivity": "of the solute, which makes the unit of time.",
    },
)
class PhysicalAlloyTable(Table):
    """An alloy by its physical constants; its scales then lead from lengths and times to those of the film."""

    tag: ClassVar[str] = "physical"


def _constants(value: Any) -> str:
    """Return the tag of the table for an alloy with these constants."""
    if isinstance(value, Table):
        return value.tag
    physical = set(PhysicalAlloyTable.model_fields) - set(AlloyTable.model_fields)
    return (PhysicalAlloyTable if isinstance(value, Mapping) and physical & set(value) else AlloyTable).tag


ANY_ALLOY: Any = Annotated[
    Annotated[AlloyTable, Tag(AlloyTable.tag)] | Annotated[PhysicalAlloyTable, Tag(PhysicalAlloyTable.tag)],
    Discriminator(_constants),
    BeforeValidator(lambda value: {"name": value} if isinstance(value, str) else value),
]


class ScatterTable(Table):
    """Turns of the grains of a polycrystal, random and even within a spread to both sides.

    Attributes:
        spread: the largest turn, at least 0; 90 degrees is every direction.
        seed: of the random numbers.
    """

    spread: Angle
    seed: Whole = 0

    def make(self) -> None:
        """Check both."""
        number("spread", self.spread, at_least=0.0, unit="rad")
        count("seed", self.seed, at_least=0)

    def turns(self, regions: Sequence[str]) -> dict[str, float]:
        """Turn of each region [rad].

        Raises:
            ParameterError: if there is none.
        """
        if not regions:
            msg = "scattered is given, must be left out: the domain has no regions, such as random_grains makes"
            raise ParameterError(msg)
        drawn = np.random.default_rng(self.seed).uniform(-1.0, 1.0, len(regions))
        return {region: self.spread * float(turn) for region, turn in zip(regions, drawn, strict=True)}


@keys_from(
    film.Anisotropy,
    keys={"surface": '"110", "100" or "111".', "misorientation_y": "phi_y; pi/2 - phi_x when left out."},
)
class CrystalTable(Table):
    """The crystal's surface and axes; in a polycrystal turned in each region, by angles given or random.

    Attributes:
        turned: for each region by name the angle by which its crystal is turned in the plane.
        scattered: turns of all regions at random, a table, instead.
    """

    turned: dict[str, Angle] | None = None
    scattered: ScatterTable | None = None

    def make(self) -> film.Anisotropy:
        """Make the crystal before it is turned."""
        self.one_of("turned", "scattered", optional=True)
        crystal = film.Anisotropy(**self.values("turned", "scattered"))
        for angle in (self.turned or {}).values():
            crystal.turned(angle)
        return crystal

    def turns(self, domain: Domain) -> dict[str, float] | None:
        """Return the angle by which the crystal is turned in each region [rad]; None if it is the same everywhere."""
        return self.turned if self.scattered is None else self.scattered.turns(tuple(domain.regions))

    def on(self, domain: Domain) -> Any:
        """Return the crystal, or the tensor of each region."""
        turns = self.turns(domain)
        return self.made if turns is None else {region: self.made.turned(angle) for region, angle in turns.items()}

    def build(self, context: BuildContext) -> Any:
        """Return the crystal on the domain of the case."""
        return self.on(context.domain)


class FieldTable(Table):
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

    strength: Annotated[Any, Unit("", in_time=True)] = None
    voltage: Annotated[float, Unit("V")] | None = None
    components: Annotated[Any, Unit("")] = None
    conduction: Number | None = None
    angle: Annotated[Any, Unit("rad", in_time=True, turn=True)] = None
    width: Annotated[float, Unit("m")] | None = None
    effective_charge: Number | None = None

    def make(self) -> str:
        """Return the key that gives the force.

        Raises:
            ParameterError: for keys that do not go together.
        """
        key = str(self.one_of("strength", "voltage", "components", "conduction"))
        if self.angle is not None and key in ("components", "conduction"):
            msg = f"angle and {key} are given, must be one of them"
            raise ParameterError(msg)
        for name in ("width", "effective_charge"):
            if (getattr(self, name) is None) is (key == "voltage"):
                message = "missing, must be given with" if key == "voltage" else "given, must be left out without"
                msg = f"{name} is {message} voltage"
                raise ParameterError(msg)
        return key

    def force(self, alloy: film.Alloy, context: BuildContext) -> Any:
        """Return the drift force, numbers or UFL.

        Raises:
            ParameterError: for a voltage of a film without scales, or a computed field without its model.
        """
        key = self.made
        if key == "components":
            return self.components
        if key == "conduction":
            return self.conduction * context.model("conduction")["E"]
        strength = self.strength
        if key == "voltage":
            if alloy.scales is None:
                msg = f"voltage = {self.voltage:g} V, must be strength: [film.alloy] has no physical constants"
                raise ParameterError(msg)
            strength = alloy.scales.drive(self.voltage, self.width, self.effective_charge)  # type: ignore[arg-type]
        angle = self.angle or 0.0
        return film.uniform_field(strength, angle)

    def build(self, context: BuildContext) -> Any:
        """Return the drift force on the film of the case."""
        return self.force(context.tables["film"].alloy.made, context)


ALLOY = TypeAdapter(ANY_ALLOY)

FILM = Physics(
    "film",
    film.model,
    left_out=("free_energy", "mobility", "drift_mobility"),
    keys={
        "alloy": Key(ANY_ALLOY, 'its constants, a table, or "cupd".'),
        "anisotropy": Key(CrystalTable, "its crystal, a table; diffusion is isotropic when left out."),
        "gradient_anisotropy": Key(CrystalTable, "of its gradient energy, a table; isotropic when left out."),
        "field": Key(FieldTable, "the drift force, a table; there is none when left out."),
        "initial": Key(
            table_of(film.noise, keys={"amplitude": "of the composition, to either side of the mean."}),
            "a random start about `mean`, a table.",
        ),
        "noise": Key(table_of(film.thermal_noise), "thermal noise, a table; there is none when left out."),
    },
)


def scales(alloy: Any) -> dict[str, float]:
    """Return the units of length and time of a film; empty if its alloy, as validated, is only dimensionless."""
    return alloy.made.scales.in_si if isinstance(alloy, PhysicalAlloyTable) else {}
