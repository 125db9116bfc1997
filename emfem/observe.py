"""Observers of a run: each chooses times, and records or checks the models at them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from emfem.errors import ParameterError, UnknownName, floats, number
from emfem.gate import checked
from emfem.model import Model
from emfem.public import dir_of

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Observer", "check_observers", "field", "metal_around", "model_with_field", "model_with_quantity"]
__dir__ = dir_of(__all__)


class Observer:
    """Object that sees the models at the start, at each chosen time and at the end; steps hit those times exactly.

    Subclasses define `begin`, `record` and `finish`; all three are called on every rank. What a checkpoint is to keep
    of them they name in `saved`, or return from `state` and take back in `restore`.

    Attributes:
        models: the models of the run.
        stopped: reason why the run ended, as in `Run.stopped`; known in `finish`, empty after an error.
        continued: True in `begin` if the run goes on from where this observer was: from a checkpoint, or in a second
            run that begins where the first one ended.
    """

    saved: tuple[str, ...] = ("_start", "_due", "_last")
    stopped = ""
    continued = False

    def __init__(self, every: float | None = None, times: ArrayLike | None = None) -> None:
        """Choose the times: a period, a list, or (neither) after each step.

        Args:
            every: period [time of the models].
            times: increasing [time of the models].

        Raises:
            ParameterError: for a period that is not positive, or times that do not increase.
        """
        self.every = None if every is None else number("every", every, above=0.0)
        self.times = None if times is None else floats("times", times)
        if self.times is not None:
            wrong = self.times.ndim != 1 or not np.isfinite(self.times).all() or np.any(np.diff(self.times) <= 0)
            if wrong or every is not None:
                msg = f"times = {self.times.tolist()}, must be a list of finite numbers that increase, without `every`"
                raise ParameterError(msg)
        self.models: tuple[Model, ...] = ()
        self._start = self._due = 0.0
        self._last = math.nan  # time of the last look

    def start(self, models: Sequence[Model], t: float) -> None:
        """Take the models, and record their start unless only other times are chosen, or it was recorded before."""
        self.continued = self.models == tuple(models) and self._last == t
        self.models, self.stopped = tuple(models), ""
        if not self.continued:
            self._start = t
        self.begin()
        self._due, self._last = self._after(t), t
        first = self.times is None or np.any(np.isclose(self.times, t, rtol=1e-12, atol=1e-300))
        if first and not self.continued:
            self.record(t)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: numbers, texts, lists, arrays, and Functions of spaces of unknowns."""
        return {name: getattr(self, name) for name in self.saved}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned; lists are there for tuples."""
        for name in self.saved:
            setattr(self, name, state[name])

    def resume(self, models: Sequence[Model], state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.models, self.stopped, self.continued = tuple(models), "", True
        self.restore(state)
        self.begin()

    def _after(self, t: float) -> float:
        """Return the first chosen time after t; infinity if there is none or every step counts."""
        if self.every is not None:
            return self._start + self.every * (math.floor((t - self._start) / self.every * (1 + 1e-12) + 1e-9) + 1)
        later = self.times[self.times > t * (1 + 1e-12)] if self.times is not None else np.zeros(0)
        return float(later[0]) if len(later) else math.inf

    @property
    def next_time(self) -> float:
        """The next time a step must hit; infinity if there is none."""
        return self._due

    def is_due(self, t: float) -> bool:
        """Return true if t is one of the chosen times."""
        return t >= self._due * (1 - 1e-12)

    def look(self, t: float, *, last: bool = False) -> str | None:
        """Record if t is a chosen time or the last of the run; return a reason to stop the run, or None."""
        due, self._last = self.is_due(t), t
        each = self.every is None and self.times is None
        reason = self.record(t) if due or each or (last and self.times is None) else None
        if due:  # not before: what fails to record is due again when the run goes on
            self._due = self._after(t)
        return reason

    def begin(self) -> None:
        """Prepare; the models are known."""

    def record(self, t: float) -> str | None:
        """Act on the models at time t; return a reason to stop the run, or None."""
        raise NotImplementedError

    def finish(self) -> None:
        """Close files and the like after the run, whether it failed or not."""

    def __repr__(self) -> str:
        """Return its kind, its content, and its times."""
        names = getattr(self, "names", None) or [getattr(self, "name", "")]
        times = f"every {self.every:g}" if self.every is not None else "after each step"
        times = times if self.times is None else f"at {len(self.times)} times"
        return " ".join([f"<{type(self).__name__}", *[f"of {', '.join(map(str, names))}"] * any(names), f"{times}>"])


def check_observers(watch: Any) -> None:
    """Check that `watch` is a list of observers.

    Raises:
        ParameterError: if it is not.
    """
    if not isinstance(watch, Sequence) or not all(isinstance(observer, Observer) for observer in watch):
        msg = f"watch = {watch!r}, must be a list of observers, [...], from em.watch, em.write or your own"
        raise ParameterError(msg)


@checked
def field(models: Sequence[Model], name: str) -> Any:
    """Return the field `name` of the model that has it.

    Raises:
        UnknownName: if none has it.
    """
    return model_with_field(models, name)[name]


@checked
def model_with_field(models: Sequence[Model], name: str) -> Model:
    """Return the one model that has the field `name`.

    Raises:
        UnknownName: if none has it.
        ParameterError: if several have it.
    """
    having = [model for model in models if name in model.names]
    return _one("field", name, having, [n for model in models for n in model.names])


@checked
def metal_around(models: Sequence[Model], name: str) -> str | None:
    """Return the name of the part of each place that is metal, of the moving surface beside the model of a field.

    None for a field of the model with the surface itself, or without one.

    Raises:
        UnknownName: if no model has the field.
        ParameterError: if several have it.
    """
    of = model_with_field(models, name)
    return next(
        (m.roles["metal"] for m in models if "metal" in m.roles and m is not of and m.domain is of.domain), None
    )


@checked
def model_with_quantity(models: Sequence[Model], name: str) -> Model:
    """Return the one model that has the quantity `name`.

    Raises:
        UnknownName: if none has it.
        ParameterError: if several have it.
    """
    having = [model for model in models if name in model.quantities]
    return _one("quantity", name, having, [n for model in models for n in model.quantities])


def _one(kind: str, name: str, having: Sequence[Model], known: Sequence[str]) -> Model:
    """Return the only one of the models that have `name`."""
    if not having:
        raise UnknownName(name, "this run", known)
    if len(having) > 1:
        owners = " and ".join(f"the {model.name} model" for model in having)
        remedy = "take it from its model, or give each species a name of its own"
        msg = f"{name!r} is a {kind} of {owners} of this run, must be of one: {remedy}"
        raise ParameterError(msg)
    return having[0]
