"""emfem: finite elements for electromigration in metals.

Materials and domains are values, physics is functions that return UFL, a model is those forms with their unknowns,
`evolve` integrates models in time, observers record them.
"""

import importlib
import importlib.util
from types import ModuleType
from typing import TYPE_CHECKING

if importlib.util.find_spec(
    "dolfinx_solver"
):  # the PyPI build: its libraries must be loaded before petsc4py and dolfinx
    import dolfinx_solver  # noqa: F401

from emfem.checkpoints import checkpoint
from emfem.errors import (
    ConservationError,
    ConvergenceError,
    EmfemError,
    ParameterError,
    RecoveryWarning,
    ResolutionWarning,
    Terminated,
    UnknownName,
    WriteWarning,
)
from emfem.evolution import Run, evolve, resume
from emfem.libraries import cache_entry_points, lock_compilation, prepare_ufl
from emfem.model import Model, accumulate, balance, fixed, flux, placeholder
from emfem.public import dir_of
from emfem.resolution import ResolutionReport, check_resolution
from emfem.solve import Steady, solve_steady

if TYPE_CHECKING:
    from emfem import (
        adjoint,
        analytic,
        conduction,
        dimensions,
        errors,
        failure,
        fields,
        film,
        fit,
        heat,
        lifetime,
        materials,
        mechanics,
        mesh,
        migration,
        model,
        moving,
        observe,
        patterns,
        plot,
        results,
        signoff,
        solve,
        spaces,
        steps,
        storage,
        stress,
        studies,
        surface,
        uncertainty,
        units,
        verify,
        voids,
        vtk,
        watch,
        waveforms,
        write,
    )

prepare_ufl()
cache_entry_points()
lock_compilation()

__version__ = "0.1.0"

__all__ = [
    "ConservationError",
    "ConvergenceError",
    "EmfemError",
    "Model",
    "ParameterError",
    "RecoveryWarning",
    "ResolutionReport",
    "ResolutionWarning",
    "Run",
    "Steady",
    "Terminated",
    "UnknownName",
    "WriteWarning",
    "accumulate",
    "adjoint",
    "analytic",
    "balance",
    "check_resolution",
    "checkpoint",
    "conduction",
    "dimensions",
    "errors",
    "evolve",
    "failure",
    "fields",
    "film",
    "fit",
    "fixed",
    "flux",
    "heat",
    "lifetime",
    "materials",
    "mechanics",
    "mesh",
    "migration",
    "model",
    "moving",
    "observe",
    "patterns",
    "placeholder",
    "plot",
    "results",
    "resume",
    "signoff",
    "solve",
    "solve_steady",
    "spaces",
    "steps",
    "storage",
    "stress",
    "studies",
    "surface",
    "uncertainty",
    "units",
    "verify",
    "voids",
    "vtk",
    "watch",
    "waveforms",
    "write",
]
__dir__ = dir_of(__all__)


def __getattr__(name: str) -> ModuleType:
    """Load a module on its first use: all of them, with drawing and statistics, take a second to import."""
    if name in __all__:
        return importlib.import_module(f"emfem.{name}")
    msg = f"module 'emfem' has no attribute {name!r}"
    raise AttributeError(msg)
