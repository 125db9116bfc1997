"""PETSc: Newton for steady states, TS for time. The only package that imports petsc4py.

It knows unknowns, residuals and tolerances, never which physics they are.
"""

from emfem.solve.newton import Steady
from emfem.solve.problem import Options, Problem, as_models
from emfem.solve.steady import solve_steady
from emfem.solve.stepper import METHODS, TimeStepper

__all__ = ["METHODS", "Options", "Problem", "Steady", "TimeStepper", "as_models", "solve_steady"]
