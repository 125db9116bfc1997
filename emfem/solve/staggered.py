"""Staggered coupling: models that evolve take a step, then those that follow at once are solved anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emfem.errors import ParameterError
from emfem.model import Model
from emfem.solve.newton import newton
from emfem.solve.problem import Options, Problem
from emfem.solve.stepper import State, TimeStepper


class Staggered(TimeStepper):
    """`TimeStepper` for the models that evolve; the others, such as a conduction, keep still during a step.

    The systems are smaller than the one of all models together, but a step sees what follows as it was at its start:
    the coupling is of first order in the step, and the error control does not see it.
    """

    def __init__(self, models: Sequence[Model], until: float, *, follow: Options | None = None, **options: Any) -> None:
        """Divide the models, make the followers consistent and set PETSc up.

        Args:
            models: some that evolve, some that do not.
            until: the time to reach.
            follow: PETSc options for the followers' solver.
            options: those of `TimeStepper`.

        Raises:
            ParameterError: if all models evolve, or none does.
        """
        self._followers = [m for m in models if all(u.rate is None for u in m.unknowns)]
        evolving = [m for m in models if m not in self._followers]
        if not evolving or not self._followers:
            names = ", ".join(model.name for model in models)
            msg = f"coupling = 'staggered' of {names}: must be of models that evolve and models that do not"
            raise ParameterError(msg)
        self._follow = Problem(self._followers), follow
        self._settle_followers(models[0].t, models[0].t)
        super().__init__(evolving, until, driven=models, **options)
        self._settle_followers(self.t, self._clock(self.t))  # a drive may jump just now

    def _settle_followers(self, t: float, seen: float) -> None:
        """Solve the followers at time t with the drives of the time `seen`."""
        problem, options = self._follow
        newton(problem, t=seen, options=options)
        for model in self._followers:
            model.t = t

    def step(self, target: float) -> None:
        """Take one step of the models that evolve, then let the others follow.

        Raises:
            ConvergenceError: if either fails; the models then hold the last good state.
        """
        super().step(target)
        self._settle_followers(self.t, self._clock(self.t))

    def restore(self, state: State) -> None:
        """Put the models back into a state of this run, and let the others follow."""
        super().restore(state)
        self._settle_followers(self.t, self._clock(self.t))

    def _jump(self) -> None:
        """Go on from a time at which a drive jumps; those that follow at once do so first."""
        self._settle_followers(self.t, self._clock(self.t))
        super()._jump()
