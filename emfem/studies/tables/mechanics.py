"""The table [mechanics]: elastic solids, thermal stress, and atoms that move in the stress they make."""

from __future__ import annotations

from typing import Annotated, Any

from emfem import mechanics, stress
from emfem.errors import ParameterError
from emfem.studies.tables.base import Arguments, BuildContext, ConditionTable, Key, conditions_of, table_of
from emfem.studies.tables.physics import Coupling, Physics
from emfem.studies.units import Unit, Yes

Displacement = Annotated[Any, Unit("m", in_time=True)]


class SupportTable(ConditionTable):
    """A condition on a boundary: components of the displacement that are fixed, forces by area on others.

    Attributes:
        x: displacement along x.
        y: displacement along y, of a body of revolution along its radius.
        z: displacement along z.
        roller: true: the boundary, parallel to an axis, slides along itself.
        clamped: true: no displacement.
        traction: force by area on the body, a list.
        pressure: force by area against the normal.
    """

    x: Displacement = None
    y: Displacement = None
    z: Displacement = None
    roller: Yes = False
    clamped: Yes = False
    traction: Annotated[Any, Unit("Pa", in_time=True, lists=True)] = None
    pressure: Annotated[Any, Unit("Pa", in_time=True)] = None

    def make(self) -> Any:
        """Make nothing: the number of components is that of the domain."""
        return self

    def build(self, context: BuildContext) -> Any:
        """Return the condition."""
        if not self.clamped:
            return mechanics.support(**self.values("clamped"))
        if self.values("clamped", "roller") or self.roller:
            msg = "clamped beside another key, must be alone"
            raise ParameterError(msg)
        return mechanics.clamped(context.domain)


def _solids(table: Any, context: BuildContext) -> dict[str, Any]:
    """Return the solids, that of the material where there is none, and the metal whose atoms move."""
    by_name = {name: each.made for name, each in table.solids.items()} if table.solids else None
    if by_name is not None and context.metal is not None:
        by_name |= {name: mechanics.elastic(context.metal) for name in context.domain.regions if name not in by_name}
    solids = mechanics.elastic(context.material()) if by_name is None else by_name
    return {"solids": solids, "atoms": context.material() if table.atoms else None}


MECHANICS = Physics(
    "mechanics",
    mechanics.model,
    left_out=("current",),
    in_time=("current_density", "field", "temperature", "stress_free_temperature", "eigenstrain"),
    couplings={
        "conduction": Coupling("conduction", "current", lambda model: model, "true: the field of [conduction]."),
        "heat": Coupling("heat", "temperature", "T", "true: the temperature is that of [heat]."),
    },
    keys={
        "solids": Key(
            dict[str, table_of(mechanics.Elastic, base=Arguments)],  # type: ignore[misc]
            "elastic constants for each region by name; others, or all when left out, are those of the material.",
            None,
        ),
        "on": Key(dict[str, SupportTable], "a condition for each boundary by name; others are free of traction."),
        "atoms": Key(Yes, "true: the atoms of the material move.", False),
        "atoms_on": Key(
            conditions_of(stress.model),  # in the same units
            "for atoms, a fixed stress or a flux for each boundary by name; others are blocked.",
        ),
        "vacancies": Key(table_of(mechanics.Vacancies), "with sinks of finite strength, a table.", None),
        "deposit": "strain by arriving atoms: a direction, or a tensor as a list of rows with a trace of 1.",
        "current_density": "a list; give one of it, field and conduction.",
        "field": "the electric field, a list.",
    },
    arguments=_solids,
)
