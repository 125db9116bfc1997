"""Models: unknowns, one residual, conditions and quantities."""

from emfem.model.balances import Balance, Flows, accumulate, balance
from emfem.model.coefficients import positive_coefficient
from emfem.model.conditions import (
    Condition,
    Driver,
    Fixed,
    Flux,
    OfTime,
    at_start,
    check_boundaries,
    coefficient,
    dirichlet_conditions,
    fixed,
    flux,
    inflows,
    net_inflow,
    neumann_term,
    of_time,
)
from emfem.model.consistent_flux import ConsistentFlux
from emfem.model.fluxes import boundary_fluxes, inflow
from emfem.model.models import Field, Model, Quantity
from emfem.model.resolution import Resolution, check_resolution, warn_unresolved
from emfem.model.unknowns import Placeholder, Unknown, algebraic, evolving, placeholder, tests

__all__ = [
    "Balance",
    "Condition",
    "ConsistentFlux",
    "Driver",
    "Field",
    "Fixed",
    "Flows",
    "Flux",
    "Model",
    "OfTime",
    "Placeholder",
    "Quantity",
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
    "dirichlet_conditions",
    "evolving",
    "fixed",
    "flux",
    "inflow",
    "inflows",
    "net_inflow",
    "neumann_term",
    "of_time",
    "placeholder",
    "positive_coefficient",
    "tests",
    "warn_unresolved",
]
