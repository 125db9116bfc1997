"""One number that a run ends in, as a function of its constants, fields and initial values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emfem.adjoint.backward import Backward
from emfem.adjoint.controls import Controls
from emfem.adjoint.forms import Array, number_form
from emfem.adjoint.run import LARGEST, STEADY, Run, restored
from emfem.errors import ResolutionWarning, choice, count, floats, number, require
from emfem.gate import checked
from emfem.model import Model
from emfem.solve import Stages, as_models

import numpy as np
import ufl
from dolfinx import fem

ALLOWED = 0.01  # relative difference to the run with error control
LINEAR = 1e-11  # relative remainder that may be rounding


class Objective:
    """One number that a run, or a steady state, ends in, with its derivatives by whatever the models are made from.

    The number is that of an own method for the steps, L-stable and of second order, whose sizes are those of a run with
    error control; derivatives are those of this discrete run, to rounding. The models keep their state: values are
    changed through the controls.

    Attributes:
        times: ends of the steps; empty for a steady state.
        reference: the number in the run with error control, for comparison; None for a steady state and an event.
    """

    @checked(collective=True)
    def __init__(
        self,
        models: Model | Sequence[Model],
        of: str | ufl.Form | Mapping[float, str | ufl.Form],
        controls: Mapping[str, Any],
        *,
        until: float | None = None,
        passes: float | None = None,
        rtol: float = 1e-4,
        atol: float = 1e-6,
        refine: int = 1,
        memory: float = LARGEST,
        solver: str = "direct",
    ) -> None:
        """Choose the steps, and derive and compile what belongs to the derivatives.

        Args:
            models: one model or several, coupled; their present state is the start, or near the steady state.
            of: the number: the name of a quantity that is an integral, or a UFL form of the fields of the models; by
                time, the sum of such numbers at several times.
            controls: by name, a `fem.Constant` or `fem.Function` that the models were made with, or an unknown of them,
                `model["c"]`, for its initial values; `model.conditions[i].value` is a Dirichlet value.
            until: the time at which the number is taken; None for a steady state.
            passes: the number is instead the time at which `of` passes this value, at most `until`.
            rtol: of the run that chooses the steps, as in `em.evolve`.
            atol: of that run.
            refine: steps that each of its steps is cut into.
            memory: for the stages on a rank; where all do not fit, only states at intervals are kept, and the steps
                between are made again on the way back, for the price of one more run [bytes].
            solver: of linear systems, "direct", or of one unknown "iterative", as in `em.evolve`.

        Raises:
            ParameterError: for a control on which nothing depends, a number that is no integral, one that does not pass
                the value, too little memory, or an
                iterative solver for several unknowns.
            UnknownName: for a quantity that no model has.
            ConvergenceError: if a step fails.

        Warns:
            ResolutionWarning: if the number differs by more than 1 % from that of the run with error control.
        """
        self.models = as_models(models)
        began = self.models[0].t
        end = STEADY if until is None else number("until", until, above=began)
        limit = None if passes is None else number("passes", passes)
        cuts = count("refine", refine, at_least=1, at_most=1000)
        most = number("memory", memory, above=0.0)
        several = isinstance(of, Mapping)
        require(until is not None or (limit is None and not several), "of at times, or passes, must come with until")
        require(limit is None or not several, "passes, must come with one number, not several in time")
        if until is None:
            check_steady(self.models)
        numbers = in_time(of, began, end) if isinstance(of, Mapping) else {end: of}
        forms = {t: number_form(self.models, each) for t, each in numbers.items()}
        stages = Stages(self.models, choice("solver", solver, ("direct", "iterative")))
        self._controls = Controls(stages, controls)
        require(until is not None or not self._controls.initial, "an unknown as a control, must come with until")
        self._backward = Backward(stages, forms, self._controls)
        self._run = Run(stages, began, {t: fem.form(form) for t, form in forms.items()}, limit, most)
        if until is not None:
            with restored(self.models):
                self._run.choose_steps(self._controls.start, rtol, atol, cuts)
            if limit is None:
                self._compare()

    def __repr__(self) -> str:
        """Return one line."""
        way = f"{len(self.times)} steps to t = {self.times[-1]:g}" if len(self.times) else "a steady state"
        return f"<Objective of {', '.join(model.name for model in self.models)}: {way}>"

    @property
    def times(self) -> Array:
        """Ends of the steps; empty for a steady state."""
        return self._run.times

    @property
    def reference(self) -> float | None:
        """The number in the run with error control; None for a steady state, and for a time."""
        return self._run.reference

    def _compare(self) -> None:
        """Warn if the steps are too long for the method of the adjoint."""
        mine, reference = self.value(), self.reference or 0.0
        if abs(mine - reference) > ALLOWED * abs(reference):
            message = (
                f"the number is {mine:.6g} by the steps of the adjoint, {reference:.6g} by the run: "
                "derivatives may differ as much; refine=2 halves the steps"
            )
            warnings.warn(ResolutionWarning(message), stacklevel=4)

    @checked(collective=True)
    def value(self) -> float:
        """Return the number, with the present values of the controls. Collective.

        Raises:
            ConvergenceError: if a step fails.
            ParameterError: if a value to be passed is not passed.
        """
        with restored(self.models):
            return self._run.forward(self._controls.start)[0]

    @checked(collective=True)
    def gradient(self) -> dict[str, Array]:
        """Return the derivatives of the number by the values of each control. Collective.

        By name: of a `fem.Constant` an array of its shape; of a function or of initial values one derivative for each
        value that this rank owns, in the order of `function.x.array`.

        Raises:
            ConvergenceError: if a step fails, or a system with the transposed Jacobian is singular.
            ParameterError: if a value to be passed is not passed.
        """
        return self.value_and_gradient()[1]

    @checked(collective=True)
    def value_and_gradient(self) -> tuple[float, dict[str, Array]]:
        """Return both, for the price of the gradient alone. Collective.

        Raises:
            ConvergenceError: as `gradient`.
            ParameterError: as `gradient`.
        """
        start = self._controls.start
        with restored(self.models):
            value, trail = self._run.forward(start)
            made = self._backward.gradient(trail.backwards())
            if self._run.passes is not None:  # J(t, m) = passes: dt/dm = -(dJ/dm) / (dJ/dt)
                rate = self._run.rate(trail)
                require(rate != 0, f"passes = {self._run.passes:g}, must be passed at a rate other than 0")
                made = {name: -each / rate for name, each in made.items()}
        return value, made

    @checked(collective=True)
    def taylor_orders(self, *, step: float = 1e-2, halvings: int = 3, seed: int = 0) -> Array:
        """Return the orders at which Taylor's remainder falls, 2 where the gradient is right, shape (halvings,).

        |J(m + h d) - J(m) - h dJ/dm d| for a random direction d that moves each control by about its size. Collective.

        Args:
            step: the first h.
            halvings: of h, at most 20.
            seed: of the direction.

        Raises:
            ParameterError: if the remainder is rounding: the number is linear in the controls.
        """
        number("step", step, above=0.0, at_most=0.5)
        n = count("halvings", halvings, at_least=1, at_most=20)
        now = self._controls.values()
        moves = self._moves(now, count("seed", seed, at_least=0))
        here, gradient = self.value_and_gradient()
        slope = self._controls.along(gradient, moves)
        steps, remainders = step / 2.0 ** np.arange(n + 1), []
        try:
            for h in steps:
                for name, move in moves.items():
                    self._controls.set(name, now[name] + h * move)
                remainders.append(abs(self.value() - here - h * slope))
        finally:
            for name, values in now.items():
                self._controls.set(name, values)
        r = np.array(remainders)
        rounding = LINEAR * max(abs(here), abs(step * slope))
        require(np.all(r > rounding), "the remainder is rounding, must not be: the number is linear, or step too small")
        return np.asarray(np.log2(r[:-1] / r[1:]))

    def _moves(self, now: Mapping[str, Array], seed: int) -> dict[str, Array]:
        """Return a random direction: of constants the same on all ranks."""
        rank = self.models[0].mesh.comm.rank
        shared, own = np.random.default_rng(seed), np.random.default_rng([seed, rank])
        return {
            name: self._controls.size(name)
            * (shared if self._controls.is_constant(name) else own).uniform(0.5, 1.0, np.shape(values))
            for name, values in now.items()
        }

    @checked
    def as_function(self) -> tuple[Callable[[Array], tuple[float, Array]], Array]:
        """Return the number and its gradient as a function of one vector of all controls, and that vector now.

        For `scipy.optimize.minimize(*objective.as_function(), jac=True)`, on one process.

        Raises:
            ParameterError: on several ranks.
        """
        ranks = self.models[0].mesh.comm.size
        require(ranks == 1, f"ranks = {ranks}, must be 1: SciPy's optimisers are serial")
        now = self._controls.values()
        *ends, size = np.cumsum([values.size for values in now.values()])

        def value_and_gradient(vector: Array) -> tuple[float, Array]:
            numbers = floats("vector", vector)
            require(numbers.shape == (size,), f"vector of shape {numbers.shape}, must be ({size},)")
            for (name, values), part in zip(now.items(), np.split(numbers, ends), strict=True):
                self._controls.set(name, part.reshape(values.shape))
            value, gradient = self.value_and_gradient()
            return value, np.concatenate([np.ravel(gradient[name]) for name in now])

        return value_and_gradient, np.concatenate([np.ravel(values) for values in now.values()])


def check_steady(models: Sequence[Model]) -> None:
    """Refuse models that have no steady state, or many: their Jacobian is singular.

    Raises:
        ParameterError: with the reason.
    """
    for model in models:
        require(not model.no_steady_state_reason, model.no_steady_state_reason)
        words = f"the {model.name} model has many steady states, must come with until: a late time will do"
        require(not model.steady_by_relaxation, words)


def in_time(of: Mapping[float, Any], began: float, end: float) -> dict[float, Any]:
    """Return numbers by time in its order.

    Raises:
        ParameterError: for a time that is not after the start, or after the end; or none.
    """
    require(of, "of = {}, must be at least one number")
    return {number("a time in of", t, above=began, at_most=end): of[t] for t in sorted(of)}
