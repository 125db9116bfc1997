"""PETSc: Newton for steady states, TS for time. The only package that imports petsc4py.

It knows unknowns, residuals and tolerances, never which physics they are.
"""

from emfem.solve.newton import Steady
from emfem.solve.problem import MULTIGRID, Options, Problem, as_models
from emfem.solve.staggered import Staggered
from emfem.solve.steady import solve_steady
from emfem.solve.stepper import METHODS, TimeStepper

__all__ = [
    "METHODS",
    "MULTIGRID",
    "Options",
    "Problem",
    "Staggered",
    "Steady",
    "TimeStepper",
    "as_models",
    "solve_steady",
]
