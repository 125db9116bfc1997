"""State and interface of an object that takes the steps of a run, for `em.evolve`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from petsc4py import PETSc


@dataclass(frozen=True, eq=False)
class State:
    """State of a run: the time, PETSc's vector of all that is stepped, and the number of steps taken."""

    t: float
    x: PETSc.Vec
    steps: int


class Stepper(Protocol):
    """Object that takes the steps of a run, for `em.evolve`.

    Attributes:
        t: the time reached.
        steps: steps accepted.
        rejected: steps tried and undone.
        factorisations: matrices factorised.
        dt: the last step accepted.
    """

    t: float
    steps: int
    rejected: int
    factorisations: int
    dt: float

    @property
    def solves(self) -> int:
        """Linear systems solved."""

    @property
    def linear_iterations(self) -> int:
        """Iterations of the linear solver, in all; one for each direct solve."""

    def step(self, target: float) -> None:
        """Take one step that succeeds, no further than `target`; hit that exactly."""

    def settle(self) -> None:
        """Give unknowns without rate the values that belong to the state reached."""

    def origin(self) -> State:
        """Return the state in which the last step began."""

    def restore(self, state: State) -> None:
        """Put the models back into a state of this run."""

    def state(self) -> dict[str, Any]:
        """Return all that, with the unknowns, decides on the steps to come: numbers, lists and Functions."""

    def close(self) -> None:
        """Free memory."""
