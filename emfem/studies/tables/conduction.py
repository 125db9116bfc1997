"""The table [conduction]: the current between electrodes."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from emfem import conduction
from emfem.errors import ParameterError
from emfem.model import Model
from emfem.studies.door import Number, Whole, through
from emfem.studies.in_time import VoltageInTime, follows
from emfem.studies.tables.base import Condition, Parts, Table, conditions

import ufl


class Electrode(Condition):
    """An electrode at a voltage or with a current, with or without a contact resistance; or current let in.

    Attributes:
        fixed: the voltage, or a table that makes it follow time; give one of fixed, voltage, current and flux.
        voltage: the same.
        current: the total current driven into the domain, or a table that makes it follow time; in a plane
            without a thickness a plain number in A/m.
        contact_resistivity: of the contact, with a voltage or a current; a perfect one when left out.
        flux: current let in, by area.
    """

    fixed: VoltageInTime = None
    voltage: VoltageInTime = None
    current: Annotated[Any, follows("A")] = None
    contact_resistivity: Annotated[float, through("Ohm m2")] | None = None
    flux: Annotated[Any, follows("A/m2")] = None

    def make(self) -> Any:
        """The condition."""
        given = self.one_of("fixed", "voltage", "current", "flux")
        if given == "flux" and self.contact_resistivity is not None:
            msg = "flux and contact_resistivity are given, must be one of them"
            raise ParameterError(msg)
        if given in ("fixed", "flux") and self.contact_resistivity is None:
            return super().make()
        voltage = self.voltage if self.fixed is None else self.fixed
        return conduction.electrode(
            voltage=voltage, current=self.current, contact_resistivity=self.contact_resistivity or 0.0
        )


class Nordheim(Table):
    """The resistivity of an alloy whose composition is that of the film."""

    solvent: Number
    solute: Number
    disorder: Number


class Conduction(Table):
    """The conductor.

    Attributes:
        conductivity: a number, a tensor as a list of rows, or a table of either by region; give at most one of it,
            nordheim and of_temperature. When all are left out, that of the material, or 1 without one.
        nordheim: that of an alloy with the composition of [film], a table.
        of_temperature: true: that of the material at the temperature of [heat].
        on: a condition for each boundary by name; others are insulated.
        mean_field: what drives the current through a periodic domain, a list.
    """

    conductivity: Annotated[Any, through("S/m")] = None
    nordheim: Nordheim | None = None
    of_temperature: bool | None = None
    on: dict[str, Electrode] | None = None
    mean_field: Annotated[Any, through("V/m")] = None
    degree: Whole = 2

    def build(self, parts: Parts) -> Model:
        """The model. Collective."""
        return conduction.model(
            parts.domain,
            conductivity=self._conductivity(parts),
            on=conditions(self.on),
            mean_field=self.mean_field,
            degree=self.degree,
        )

    def measures(self, model: Model) -> dict[str, float]:
        """Resistance between two electrodes, and crowding of the current."""
        found = {}
        with suppress(ParameterError):  # there are not two, or no current flows
            found["resistance"] = conduction.resistance(model)
        with suppress(ParameterError):
            found["crowding"] = conduction.crowding(model).ratio
        return found

    def _conductivity(self, parts: Parts) -> Any:
        """What is given, Nordheim's of the film's composition, or the metal's at the temperature of the heat model."""
        given = self.one_of("conductivity", "nordheim", "of_temperature", optional=True)
        if given == "nordheim" and self.nordheim is not None:
            composition = parts.later("conduction", "film", "c")
            return 1 / conduction.nordheim(composition, **self.nordheim.given())
        if given == "of_temperature":
            law = parts.material().law("resistivity")
            return 1 / ufl.as_ufl(law(parts.later("conduction", "heat", "T")))
        if given is None and parts.metal is not None:
            return 1 / parts.metal.resistivity
        return 1.0 if given is None else self.conductivity
