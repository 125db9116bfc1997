"""Models: unknowns, one residual, conditions and quantities."""

from emfem.model.balances import Balance, Flows, accumulate, balance
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
from emfem.model.fluxes import boundary_fluxes, inflow
from emfem.model.models import Field, Model, Quantity
from emfem.model.reaction import Reaction
from emfem.model.resolution import Resolution, check_resolution, warn_unresolved
from emfem.model.unknowns import Placeholder, Unknown, algebraic, evolving, placeholder, tests

__all__ = [
    "Balance",
    "Condition",
    "Driver",
    "Field",
    "Fixed",
    "Flows",
    "Flux",
    "Model",
    "OfTime",
    "Placeholder",
    "Quantity",
    "Reaction",
    "Resolution",
    "Unknown",
    "accumulate",
    "algebraic",
    "at_start",
    "balance",
    "boundary_fluxes",
    "check_boundaries",
    "check_resolution",
    "coefficient",
    "conducting",
    "evolving",
    "fixed",
    "flux",
    "held",
    "inflow",
    "inflows",
    "let_in",
    "of_time",
    "placeholder",
    "surplus",
    "tests",
    "warn_unresolved",
]
