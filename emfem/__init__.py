"""emfem: finite elements for electromigration in metals.

Materials and domains are values, physics is functions that return UFL, a model is those forms with their unknowns,
`evolve` marches models, watchers look on.
"""

import importlib.util

if importlib.util.find_spec(
    "dolfinx_solver"
):  # the PyPI build: its libraries must be loaded before petsc4py and dolfinx
    import dolfinx_solver  # noqa: F401

from emfem import (
    analytic,
    checkpoint,
    conduction,
    errors,
    fields,
    film,
    heat,
    materials,
    mesh,
    migration,
    model,
    observe,
    patterns,
    plot,
    solve,
    spaces,
    units,
    watch,
    write,
)
from emfem.errors import ConservationError, ConvergenceError, EmfemError, ParameterError, UnknownName
from emfem.evolve import Run, evolve
from emfem.model import Model, fixed, flux, placeholder
from emfem.solve import Steady, solve_steady

__version__ = "0.1.0"

__all__ = [
    "ConservationError",
    "ConvergenceError",
    "EmfemError",
    "Model",
    "ParameterError",
    "Run",
    "Steady",
    "UnknownName",
    "analytic",
    "checkpoint",
    "conduction",
    "errors",
    "evolve",
    "fields",
    "film",
    "fixed",
    "flux",
    "heat",
    "materials",
    "mesh",
    "migration",
    "model",
    "observe",
    "patterns",
    "placeholder",
    "plot",
    "solve",
    "solve_steady",
    "spaces",
    "units",
    "watch",
    "write",
]
