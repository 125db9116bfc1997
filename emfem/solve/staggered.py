"""Staggered coupling: models that evolve take a step, then those without time are solved again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emfem.errors import ParameterError
from emfem.gate import checked
from emfem.model import Model
from emfem.solve.newton import newton
from emfem.solve.presets import Options
from emfem.solve.problem import Problem
from emfem.solve.state import State
from emfem.solve.stepper import TimeStepper

from dolfinx import fem


@checked
class Staggered(TimeStepper):
    """`TimeStepper` for the models that evolve; the others, such as a conduction, stay as they are during a step.

    The systems are smaller than the one of all models together, but a step sees the others as they were at its start:
    the coupling is of first order in the step, and the error control does not see it.
    """

    def __init__(
        self,
        models: Sequence[Model],
        until: float,
        *,
        solver: str = "auto",
        options: Options | None = None,
        **settings: Any,
    ) -> None:
        """Divide the models, make those without time consistent and set PETSc up.

        Args:
            models: some that evolve, some that do not.
            until: the time to reach.
            solver: "auto", "direct" or "iterative".
            options: PETSc's, for all solves; those that begin with followers_ only for the models without time.
            settings: the others of `TimeStepper`.

        Raises:
            ParameterError: if all models evolve, or none does.
        """
        self._followers = [m for m in models if all(u.rate is None for u in m.unknowns)]
        evolving = [m for m in models if m not in self._followers]
        if not evolving or not self._followers:
            names = ", ".join(model.name for model in models)
            msg = f"coupling = 'staggered' of {names}: must be of models that evolve and models that do not"
            raise ParameterError(msg)
        self._steady, self._options_of_all = Problem(self._followers, solver=solver), options
        goes_on = settings.get("resume") is not None
        if not goes_on:
            self._solve_followers(models[0].t, models[0].t)
        super().__init__(evolving, until, driven=models, solver=solver, options=options, **settings)
        if goes_on:
            for model in self._followers:
                model.set_time(self._clock(self.t))
        else:
            self._solve_followers(self.t, self._clock(self.t))  # a drive may jump just now

    def _unread(self) -> dict[str, set[str]]:
        """Return the names of options that each kind of solve does not read."""
        return super()._unread() | {"followers_": self._steady.unread}

    def _with_matrix(self) -> list[fem.Function]:
        """Return the functions that the Jacobian depends on beside the unknowns: the other models' too."""
        return [*super()._with_matrix(), *(u.function for model in self._followers for u in model.unknowns)]

    def _solve_followers(self, t: float, seen: float) -> None:
        """Solve the models without time at time t with the drives of the time `seen`."""
        newton(self._steady, t=seen, options=self._options_of_all, solve="followers_")
        for model in self._followers:
            model.t = t

    def step(self, target: float) -> None:
        """Take one step of the models that evolve, then solve the others.

        Raises:
            ConvergenceError: if either fails; the models then have the last good state.
        """
        super().step(target)
        self._solve_followers(self.t, self._clock(self.t))

    def restore(self, state: State) -> None:
        """Put the models back into a state of this run, and solve the others."""
        super().restore(state)
        self._solve_followers(self.t, self._clock(self.t))

    def _jump(self) -> None:
        """Apply a jump of a drive, to the models without time first."""
        self._solve_followers(self.t, self._clock(self.t))
        super()._jump()
