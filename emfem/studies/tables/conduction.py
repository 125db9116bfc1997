"""The table [conduction]: the current between electrodes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any

from emfem import conduction
from emfem.dimensions import Value, integral
from emfem.errors import ParameterError
from emfem.model import Model
from emfem.studies.tables.base import Arguments, BuildContext, ConditionTable, Key, table_of
from emfem.studies.tables.physics import Physics
from emfem.studies.units import Unit, Yes

import ufl


class ElectrodeTable(ConditionTable):
    """An electrode at a voltage or with a current, with or without a contact resistance; or current let in.

    Attributes:
        fixed: the voltage, or a table that makes it follow time; give one of fixed, voltage, current and flux.
        voltage: the same.
        current: the total current driven into the domain, or a table that makes it follow time; in a plane
            without a thickness a plain number in A/m.
        contact_resistivity: of the contact, with a voltage or a current; a perfect one when left out.
        flux: current let in, by area.
    """

    fixed: Annotated[Any, Unit("V", in_time=True)] = None
    voltage: Annotated[Any, Unit("V", in_time=True)] = None
    current: Annotated[Any, Unit("A", in_time=True)] = None
    contact_resistivity: Annotated[float, Unit("Ohm m2")] | None = None
    flux: Annotated[Any, Unit("A/m2", in_time=True)] = None

    def make(self) -> Any:
        """Make the condition."""
        key = self.one_of("fixed", "voltage", "current", "flux")
        if key == "flux" and self.contact_resistivity is not None:
            msg = "flux and contact_resistivity are given, must be one of them"
            raise ParameterError(msg)
        if key == "flux" or (key == "fixed" and self.contact_resistivity is None):
            return super().make()
        voltage = self.voltage if self.fixed is None else self.fixed
        return conduction.electrode(
            voltage=voltage, current=self.current, contact_resistivity=self.contact_resistivity or 0.0
        )


def _conductivity(table: Any, context: BuildContext) -> dict[str, Any]:
    """Return that of the case, Nordheim's of the film's composition, or the metal's, at the temperature of [heat]."""
    key = table.one_of("conductivity", "nordheim", "of_temperature", optional=True)
    if key == "nordheim":
        value = 1 / conduction.nordheim(context.defer("conduction", "film", "c"), **table.nordheim.values())
    elif key == "of_temperature":
        value = 1 / ufl.as_ufl(context.material().law("resistivity")(context.defer("conduction", "heat", "T")))
    elif key is None:
        value = 1.0 if context.metal is None else 1 / context.metal.resistivity
    else:
        value = table.conductivity
    return {"conductivity": value}


def _measures(model: Model) -> dict[str, Value]:
    """Return the resistance between two electrodes, in a bare plane in Ohm m, and the crowding of the current."""
    ohm = replace(integral("Ohm", inverse=True), system=model.system, measure=model.domain.measure)
    values = {}
    with suppress(ParameterError):  # there are not two, or no current flows
        values["resistance"] = Value(conduction.resistance(model), ohm.unit)
    with suppress(ParameterError):
        values["crowding"] = Value(conduction.crowding(model).ratio)
    return values


CONDUCTION = Physics(
    "conduction",
    conduction.model,
    keys={
        "conductivity": Key(
            None,
            "a number, a tensor as a list of rows, or a table of either by region; give at most one of it, nordheim "
            "and of_temperature. When all are left out, that of the material, or 1 without one.",
            default=None,
        ),
        "nordheim": Key(
            table_of(conduction.nordheim, "Nordheim's rule.", base=Arguments, left_out=("c",)),
            "resistivity of an alloy with the composition of [film], a table.",
        ),
        "of_temperature": Key(Yes, "true: that of the material at the temperature of [heat]."),
        "on": Key(dict[str, ElectrodeTable], "a condition for each boundary by name; others are insulated."),
        "mean_field": "drives the current through a periodic domain, a list.",
    },
    arguments=_conductivity,
    measures=_measures,
)
