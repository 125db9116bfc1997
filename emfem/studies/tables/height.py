"""The table [height]: height and composition of the surface of an alloy film."""

from __future__ import annotations

from typing import Annotated, Any

from emfem import film, height
from emfem.errors import ParameterError
from emfem.studies.tables.base import Arguments, BuildContext, Key, Table, call, keys_from, table_of
from emfem.studies.tables.physics import Physics
from emfem.studies.units import Unit, Yes

import numpy as np
from numpy.typing import NDArray

SPECIES = table_of(height.Species)


@keys_from(
    height.Alloy,
    left_out=("scaled",),
    keys={
        "solvent": Key(SPECIES, "species A, a table."),
        "solute": Key(SPECIES, "species B, a table."),
    },
)
class HeightAlloyTable(Table):
    """An alloy by the constants of its two species, and those that they share."""

    def make(self) -> height.Alloy:
        """Make the alloy."""
        values = self.values()
        return call(height.Alloy, values | {name: values[name].made for name in ("solvent", "solute")})


class HeightFieldTable(Arguments):
    """The electric field: of a strength at an angle, by its components, or that of a computed current.

    Attributes:
        strength: E, or a table that makes it follow time; give one of strength, components and conduction.
        components: E along each axis, a list.
        conduction: true: the field is that of the table [conduction] of the case.
        angle: of E to the x axis, with strength in a plane; or a table that makes it follow time.
    """

    strength: Annotated[Any, Unit("V/m", in_time=True)] = None
    components: Annotated[Any, Unit("V/m", lists=True)] = None
    conduction: Yes = False
    angle: Annotated[Any, Unit("rad", in_time=True, turn=True)] = None

    def build(self, context: BuildContext) -> Any:
        """Return the field, numbers or UFL."""
        key = self.one_of("strength", "components", optional=self.conduction)
        if key is not None and self.conduction:
            msg = f"{key} and conduction are given, must be one of them"
            raise ParameterError(msg)
        if self.angle is not None and (key != "strength" or context.domain.dim == 1):
            msg = "angle is given, must be left out: it goes with strength, in a plane"
            raise ParameterError(msg)
        if self.conduction:
            return context.model("conduction")["E"]
        if key == "components":
            return self.components
        return self.strength if context.domain.dim == 1 else film.uniform_field(self.strength, self.angle or 0.0)


def _starts(table: Any, context: BuildContext) -> dict[str, Any]:
    """Return height and composition at the start: noise, that of the composition about the mean."""
    starts = {}
    for name, mean in (("height", 0.0), ("composition", table.mean)):
        noise = getattr(table, name)
        if noise is not None:
            starts[name] = _about(noise.made.on(context.domain), mean)
    return starts


def _about(noise: Any, mean: float) -> Any:
    """Return noise about a mean, as a function of place."""

    def start(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return mean + noise(x)

    return start


def _noise(unit: str, words: str) -> Any:
    """Return the table of a random start, its amplitude in a unit."""
    return table_of(
        film.noise,
        f"A random {words}: uniform deviations, the same function of place on any mesh.",
        name=f"Random{words.capitalize()}",
        keys={"amplitude": Key(Annotated[float, Unit(unit)], "largest deviation, to either side.")},
    )


HEIGHT = Physics(
    "height",
    height.model,
    arguments=_starts,
    keys={
        "alloy": Key(HeightAlloyTable, "its constants, a table."),
        "mean": "composition of the layer at the start.",
        "field": Key(HeightFieldTable, "the electric field, a table; there is none when left out."),
        "height": Key(_noise("m", "height"), "a random height at the start, a table; flat when left out."),
        "composition": Key(
            _noise("", "composition"),
            "a random composition at the start, about `mean`, a table; uniform when left out.",
        ),
    },
)
