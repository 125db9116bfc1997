"""The table [stress]: stress in a confined metal under current."""

from __future__ import annotations

from emfem import stress
from emfem.studies.tables.physics import Coupling, Physics

STRESS = Physics(
    "stress",
    stress.model,
    in_time=("current_density", "field"),
    left_out=("current", "voids"),
    couplings={
        "conduction": Coupling("conduction", "current", lambda model: model, "true: the field of [conduction]."),
        "heat": Coupling("heat", "temperature", "T", "true: temperature and its gradient are those of [heat]."),
    },
    keys={
        "current_density": "in one dimension a number, on a network one for each segment, otherwise a list; "
        "give one of it, field and conduction.",
        "field": "the electric field, in the same ways.",
        "temperature": "that of the material when left out.",
        "residual_stress": "at the start.",
    },
)
