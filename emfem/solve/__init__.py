"""PETSc: Newton for steady states, TS for time. The only package that imports petsc4py.

It knows unknowns, residuals and tolerances, never which physics they are.
"""

from emfem.public import dir_of
from emfem.solve.adjoint import Stage, Stages
from emfem.solve.advice import Advice, advise
from emfem.solve.choice import SOLVERS
from emfem.solve.methods import METHODS, Method
from emfem.solve.newton import Steady
from emfem.solve.presets import DIRECT, MULTIGRID, Options
from emfem.solve.problem import Problem
from emfem.solve.staggered import Staggered
from emfem.solve.state import Stepper
from emfem.solve.steady import solve_steady
from emfem.solve.stepper import TimeStepper
from emfem.solve.system import as_models

__all__ = [
    "DIRECT",
    "METHODS",
    "MULTIGRID",
    "SOLVERS",
    "Advice",
    "Method",
    "Options",
    "Problem",
    "Stage",
    "Stages",
    "Staggered",
    "Steady",
    "Stepper",
    "TimeStepper",
    "advise",
    "as_models",
    "solve_steady",
]
__dir__ = dir_of(__all__)
