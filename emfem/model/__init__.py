"""Models: unknowns, one residual, conditions and quantities."""

from emfem.model.coefficients import conducting
from emfem.model.conditions import (
    Condition,
    Driver,
    Fixed,
    Flux,
    OfTime,
    at_start,
    check_boundaries,
    coefficient,
    fixed,
    flux,
    held,
    inflows,
    let_in,
    of_time,
    surplus,
)
from emfem.model.models import Field, Model, Quantity
from emfem.model.reaction import Reaction
from emfem.model.unknowns import Placeholder, Unknown, algebraic, evolving, placeholder, tests

__all__ = [
    "Condition",
    "Driver",
    "Field",
    "Fixed",
    "Flux",
    "Model",
    "OfTime",
    "Placeholder",
    "Quantity",
    "Reaction",
    "Unknown",
    "algebraic",
    "at_start",
    "check_boundaries",
    "coefficient",
    "conducting",
    "evolving",
    "fixed",
    "flux",
    "held",
    "inflows",
    "let_in",
    "of_time",
    "placeholder",
    "surplus",
    "tests",
]
