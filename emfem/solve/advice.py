"""Estimates of solver, memory and time before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emfem.errors import choice
from emfem.gate import checked
from emfem.model import Model
from emfem.solve.choice import SOLVERS, check_iterative, choose, memory, seconds, size_of
from emfem.solve.system import as_models


@checked
@dataclass(frozen=True)
class Advice:
    """Solver that a problem gets, with an estimate of its memory and time.

    Attributes:
        solver: "direct" or "iterative".
        unknowns: of the discrete system, of all ranks.
        memory: of all processes [bytes].
        seconds: of a step: in time if an unknown evolves, else of Newton's method [s].
    """

    solver: str
    unknowns: int
    memory: float
    seconds: float

    def __str__(self) -> str:
        """Return one line."""
        return (
            f"{self.solver}: {self.unknowns} unknowns, about {self.memory / 1e9:.2g} GB and {self.seconds:.2g} s a step"
        )


@checked(collective=True)
def advise(models: Model | Sequence[Model], *, solver: str = "auto") -> Advice:
    """Return the solver that models get, coupled in one system, with about its memory and time a step. Collective.

    Nothing is compiled or solved. The numbers follow from costs measured on one core (`docs/scale.md`): take them as
    mostly right within a factor of two there, and as ratios elsewhere. A run has assembly, and output, besides: small
    steady problems take up to three times as long.

    Args:
        models: one model or several.
        solver: "auto", "direct" or "iterative", as in `em.evolve` and `em.solve_steady`.

    Raises:
        ParameterError: for something else than models, or an iterative solver where none of them states its structure.
        UnknownName: for another solver.
    """
    several = as_models(models)
    unknowns = [unknown for model in several for unknown in model.unknowns]
    chosen = choose(several, unknowns) if choice("solver", solver, SOLVERS) == "auto" else solver
    if chosen == "iterative":
        check_iterative(several, stated=any(model.preconditioners for model in several))
    cost = {"memory": memory(chosen, several, unknowns), "seconds": seconds(chosen, several, unknowns)}
    return Advice(chosen, size_of(unknowns), **cost)
