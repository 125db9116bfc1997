"""Observers that record values, or stop a run at an error or at a state."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emfem import fields
from emfem.errors import ConservationError, ParameterError, choice, floats, kind, number
from emfem.gate import checked
from emfem.model import Model
from emfem.observe import Observer, model_with_field, model_with_quantity
from emfem.public import dir_of

import numpy as np
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray

__all__ = ["Event", "at_rest", "conserved", "event", "probe", "series", "snapshots", "stop_when"]
__dir__ = dir_of(__all__)

Value = str | Callable[[Sequence[Model], float], float]


class RecordingObserver(Observer):
    """Observer that keeps the times at which it recorded."""

    saved = (*Observer.saved, "_t")

    def __init__(self, every: float | None = None, times: ArrayLike | None = None) -> None:
        """Choose the times."""
        super().__init__(every, times)
        self._t: list[float] = []

    @property
    def t(self) -> NDArray[np.float64]:
        """Times recorded, shape (n,)."""
        return np.array(self._t)

    def __repr__(self) -> str:
        """Return one line."""
        until = f", t = {self._t[0]:g} to {self._t[-1]:g}" if self._t else ""
        return f"<{super().__repr__()[1:-1]}; {len(self._t)} times{until}>"


@checked
class Series(RecordingObserver):
    """Quantities against time: `.t` and `["name"]` are arrays of shape (n,).

    Args:
        names: quantities of the models.
        every: period; after each step when left out with `times`.
        times: the times to record.

    Raises:
        ParameterError: if names is one string, or the times are not usable.
    """

    saved = (*RecordingObserver.saved, "_rows")

    def __init__(self, names: Sequence[str], *, every: float | None = None, times: ArrayLike | None = None) -> None:
        """Take the names of the quantities."""
        if isinstance(names, str):
            msg = f"names = {names!r}, must be a list of names"
            raise ParameterError(msg)
        super().__init__(every, times)
        self.names = tuple(names)
        self._rows: list[list[float]] = []

    def begin(self) -> None:
        """Check the names."""
        for name in self.names:
            model_with_quantity(self.models, name)

    def record(self, t: float) -> None:
        """Add a row."""
        self._rows.append([model_with_quantity(self.models, name).quantity(name) for name in self.names])
        self._t.append(t)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """Return the values of one quantity, shape (n,).

        Raises:
            UnknownName: if it is not recorded; the message lists those that are.
        """
        column = self.names.index(choice("this series", name, self.names))
        return np.array([row[column] for row in self._rows])


@checked
class Probe(RecordingObserver):
    """Field at fixed points against time: `.t` of shape (n,), `.values` of shape (n,) or (n, points).

    Values of a vector have its components last.

    Args:
        name: a field of a model.
        at: a point of shape (dim,) (a number in 1-D), or several of shape (n, dim).
        every: as in `series`.
        times: as in `series`.
    """

    def __init__(self, name: str, at: ArrayLike, *, every: float | None = None, times: ArrayLike | None = None) -> None:
        """Take the field and the points."""
        super().__init__(every, times)
        self.name, self.at = name, floats("at", at)
        self._values: list[NDArray[np.float64]] = []

    def begin(self) -> None:
        """Check the points.

        Raises:
            ParameterError: if a point lies outside its mesh.
        """
        model = model_with_field(self.models, self.name)
        self._sampled = function = fields.sampled(model[self.name])
        dim = model.mesh.geometry.dim
        if self.at.shape[-1:] != (dim,) and (dim > 1 or self.at.ndim > 1):
            msg = f"at = {self.at.tolist()}, must be points of {dim} coordinates"
            raise ParameterError(msg)
        self._points = self.at.reshape(-1, dim)
        if np.isnan(fields.evaluate(function, self._points)).any():
            msg = f"at = {self.at.tolist()}, must lie inside the mesh"
            raise ParameterError(msg)
        self._single = self.at.ndim == 0 or (self.at.ndim == 1 and dim > 1)

    def record(self, t: float) -> None:
        """Add the values."""
        field = model_with_field(self.models, self.name)[self.name]
        if not isinstance(field, fem.Function):
            fields.refresh(self._sampled, field)
            field = self._sampled
        values = fields.evaluate(field, self._points)
        self._t.append(t)
        self._values.append(values[0] if self._single else values)

    def state(self) -> dict[str, Any]:
        """Return times and values."""
        return super().state() | {"values": self.values}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        super().restore(state)
        self._values = list(state["values"])

    @property
    def values(self) -> NDArray[np.float64]:
        """Values recorded, shape (n,) for one point, (n, points) for several; of a vector with its components last."""
        return np.array(self._values)


@checked
class Snapshots(RecordingObserver):
    """Copies of an unknown, for `em.plot.film_strip` and `em.plot.animation`; the times as in `series`.

    Attributes:
        functions: the copies, as many as there are times in `.t`.
    """

    saved = (*RecordingObserver.saved, "functions")

    def __init__(self, name: str, *, every: float | None = None, times: ArrayLike | None = None) -> None:
        """Take the field's name."""
        super().__init__(every, times)
        self.name = name
        self.functions: list[fem.Function] = []

    def begin(self) -> None:
        """Check the name."""
        if not isinstance(model_with_field(self.models, self.name)[self.name], fem.Function):
            msg = f"snapshots of {self.name!r}, must be an unknown of a model"
            raise ParameterError(msg)

    def record(self, t: float) -> None:
        """Keep a copy."""
        self.functions.append(fields.copied(model_with_field(self.models, self.name)[self.name]))
        self._t.append(t)


@checked
class Conserved(Observer):
    """Check after each step that a quantity keeps its start to `rtol`, or `ConservationError` ends the run.

    Attributes:
        worst: largest relative change so far.
    """

    saved = (*Observer.saved, "_first", "worst")

    def __init__(self, name: str, *, rtol: float = 1e-10) -> None:
        """Take the quantity and the change allowed."""
        super().__init__()
        self.name, self.rtol = name, number("rtol", rtol, above=0.0)
        self._first: float | None = None
        self.worst = 0.0

    def record(self, t: float) -> None:
        """Compare with the start.

        Raises:
            ConservationError: if the relative change is more than allowed.
        """
        value = model_with_quantity(self.models, self.name).quantity(self.name)
        if self._first is None:
            self._first = value
        change = abs(value - self._first) / (abs(self._first) or 1.0)
        self.worst = max(self.worst, change)
        if not change <= self.rtol:  # so that NaN does not pass
            msg = f"{self.name} = {value:.15g} at t = {t:g}, was {self._first:.15g}: not conserved to {self.rtol:g}"
            raise ConservationError(msg)


@checked
class StopWhen(Observer):
    """Stop when a condition holds after a step.

    Args:
        condition: function of (models, t), models the tuple of all of the run; the same answer on every rank.
        reason: text for `Run.stopped`; the name of the function when left out.

    Raises:
        ParameterError: for a function that takes other arguments.
    """

    def __init__(self, condition: Callable[[Sequence[Model], float], bool], reason: str | None = None) -> None:
        """Take the condition and its name."""
        super().__init__()
        name = getattr(condition, "__name__", type(condition).__name__)
        try:
            inspect.signature(condition).bind((), 0.0)
        except TypeError as error:
            msg = f"condition = {name}, must be a function of (models, t): {error}"
            raise ParameterError(msg) from None
        except ValueError:  # of a function in C, whose arguments are not known
            pass
        self.name = self.reason = reason or name
        self.condition = condition

    def record(self, t: float) -> str | None:
        """Return the reason once the condition holds."""
        try:
            return self.reason if self.condition(self.models, t) else None
        except AttributeError as error:
            if error.obj is self.models:
                error.add_note(f"models is the tuple of all models of the run: write models[0].{error.name}")
            raise


@checked
class Event(Observer):
    """Stop when a value passes a limit, at the very time: the step in which it does is repeated until it ends there.

    A run whose start is beyond the limit stops there. The value should be continuous in time.

    Args:
        value: a quantity of the models by its name, or a function of (models, t), the same on every rank.
        above: the limit, if the event is that the value rises to it.
        below: the limit, if the event is that the value falls to it.
        reason: text for `Run.stopped`; made of name and limit when left out.
        rtol: error of the time, relative to the time since the run began.

    Raises:
        ParameterError: unless there is one limit, finite, and a tolerance that is positive.
    """

    check_resolution = True  # of the mesh when it happens; False where nobody looks at that state

    def __init__(
        self,
        value: Value,
        *,
        above: float | None = None,
        below: float | None = None,
        reason: str | None = None,
        rtol: float = 1e-9,
    ) -> None:
        """Check the value and the limit."""
        super().__init__()
        if (above is None) == (below is None):
            msg = f"above = {above!r} and below = {below!r}, must be one limit"
            raise ParameterError(msg)
        self.limit = number("above" if below is None else "below", above if below is None else below)
        if not isinstance(value, str):
            kind("value", value, Callable, "the name of a quantity or a function of (models, t)")  # type: ignore[arg-type]
        name = value if isinstance(value, str) else getattr(value, "__name__", "value")
        self.value, self._sign = value, 1.0 if below is None else -1.0
        self.name = self.reason = reason or f"{name} {'rose' if below is None else 'fell'} to {self.limit:g}"
        self.rtol = number("rtol", rtol, above=0.0)

    def begin(self) -> None:
        """Check the name."""
        if isinstance(self.value, str):
            model_with_quantity(self.models, self.value)

    def excess(self, t: float) -> float:
        """Return the distance of the value beyond the limit, in its own unit; negative before the event.

        Raises:
            ParameterError: if it is not a number.
        """
        name = self.value
        value = model_with_quantity(self.models, name).quantity(name) if isinstance(name, str) else name(self.models, t)
        return self._sign * (number(f"value of the event {self.reason!r} at t = {t:g}", value) - self.limit)

    def record(self, t: float) -> str | None:
        """Return the reason from the event on."""
        return self.reason if self.excess(t) >= 0.0 else None


@checked
class AtRest(Observer):
    """Stop when a quantity has come to rest: |d ln q / d ln t| below `rtol` for three steps.

    Args:
        name: a quantity of the models.
        after: the time to begin: at first nothing has moved yet, and everything seems at rest.
        rtol: the bound.

    Raises:
        ParameterError: for a tolerance that is not positive or a negative time.
    """

    saved = (*Observer.saved, "_before", "_calm")

    def __init__(self, name: str, *, after: float, rtol: float = 1e-6) -> None:
        """Check the values."""
        super().__init__()
        self.name, self.rtol = name, number("rtol", rtol, above=0.0)
        self.after = number("after", after, at_least=0.0)
        self._before: tuple[float, float] | None = None
        self._calm = 0

    def record(self, t: float) -> str | None:
        """Compare with the step before."""
        value = model_with_quantity(self.models, self.name).quantity(self.name)
        if self._before is not None and t > self._before[0] > self.after:
            growth = abs(value - self._before[1]) / max(abs(value), 1e-300) / np.log(t / self._before[0])
            self._calm = self._calm + 1 if growth < self.rtol else 0
        self._before = (t, value)
        return f"{self.name} at rest" if self._calm >= 3 else None


series, probe, snapshots = Series, Probe, Snapshots
conserved, at_rest, event, stop_when = Conserved, AtRest, Event, StopWhen
