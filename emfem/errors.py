"""What can go wrong, in one sentence each; and the one check that guards every number a user passes in.

Errors are raised where the object is made, on all ranks alike, before any collective call.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

from emfem.public import dir_of

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ConservationError",
    "ConvergenceError",
    "EmfemError",
    "ParameterError",
    "ResolutionWarning",
    "UnknownName",
    "choice",
    "count",
    "floats",
    "kind",
    "number",
    "positive_tensor",
]

__dir__ = dir_of(__all__)


class EmfemError(Exception):
    """Anything emfem reports about its input or its run."""


class ParameterError(EmfemError, ValueError):
    """A value that cannot be used; the message names the value, the bound and what was meant."""


class UnknownName(ParameterError):
    """A name that does not exist; the message lists the names that do."""

    def __init__(self, name: object, owner: str, known: Iterable[str]) -> None:
        """Say that `owner` has no `name`, and list what it has."""
        self.name, self.owner, self.known = name, owner, tuple(known)
        told = self.known if isinstance(name, str) else map(repr, self.known)  # 110 is not '110'
        super().__init__(f"{name!r}; {owner} has {', '.join(told) or 'no names'}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by what it was made of: errors travel between processes."""
        return type(self), (self.name, self.owner, self.known)


class ResolutionWarning(UserWarning):
    """A right input whose answer the mesh or the step may not resolve; the message names a number and the remedy."""


class ConservationError(EmfemError, RuntimeError):
    """A quantity that must stay constant did not."""


class ConvergenceError(EmfemError, RuntimeError):
    """A solve that failed for good; the last good state was kept.

    Attributes:
        t: time of the last good state.
        dt: the last time step tried; `nan` for a steady solve.
        reason: PETSc's reason, by name.
    """

    def __init__(self, message: str, *, t: float, dt: float, reason: str) -> None:
        """Carry the time, the step and PETSc's reason beside the message."""
        super().__init__(message)
        self.t, self.dt, self.reason = t, dt, reason

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with its attributes: errors travel between processes."""
        return partial(type(self), t=self.t, dt=self.dt, reason=self.reason), self.args


def number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    unit: str = "",
) -> float:
    """`value` as a finite float inside the bounds given.

    Args:
        name: what the user calls it, for the message.
        value: the number to check.
        above: exclusive lower bound.
        at_least: inclusive lower bound.
        below: exclusive upper bound.
        at_most: inclusive upper bound.
        unit: the unit of value and bounds, for the message.

    Raises:
        ParameterError: if it is no real number, not finite, or out of bounds.
    """
    told = f" {unit}" if unit else ""
    try:
        result = float(value)
    except (TypeError, ValueError):
        msg = f"{name} = {value!r}, must be a number"
        raise ParameterError(msg) from None
    if isinstance(value, str | bool):
        msg = f"{name} = {value!r}, must be a number"
        raise ParameterError(msg)
    if not math.isfinite(result):
        msg = f"{name} = {result}{told}, must be finite"
        raise ParameterError(msg)
    for bound, broken, words in (
        (above, lambda b: result <= b, "greater than"),
        (at_least, lambda b: result < b, "at least"),
        (below, lambda b: result >= b, "less than"),
        (at_most, lambda b: result > b, "at most"),
    ):
        if bound is not None and broken(bound):
            msg = f"{name} = {result:g}{told}, must be {words} {bound:g}{told}"
            raise ParameterError(msg)
    return result


def floats(name: str, value: Any) -> NDArray[np.float64]:
    """`value` as an array of floats; shape and size are the caller's to check.

    Raises:
        ParameterError: if it is something else than numbers.
    """
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        msg = f"{name} = {value!r}, must be numbers"
        raise ParameterError(msg) from None


def positive_tensor(name: str, value: Any, dim: int) -> NDArray[np.float64]:
    """`value` as a positive definite tensor of shape (dim, dim).

    Raises:
        ParameterError: if it is not.
    """
    tensor = floats(name, value)
    if tensor.shape != (dim, dim) or not np.isfinite(tensor).all():
        msg = f"{name} = {tensor.tolist()}, must be a finite tensor of shape ({dim}, {dim})"
        raise ParameterError(msg)
    if np.linalg.eigvalsh(tensor + tensor.T).min() <= 0:
        msg = f"{name} = {tensor.tolist()}, must be positive definite"
        raise ParameterError(msg)
    return tensor


def kind(name: str, value: Any, expected: type, words: str) -> None:
    """Refuse a `value` that is not `expected`, which is in `words`.

    Raises:
        ParameterError: if it is not.
    """
    if not isinstance(value, expected):
        msg = f"{name} = {value!r}, must be {words}"
        raise ParameterError(msg)


def count(name: str, value: Any, *, at_least: int) -> int:
    """`value` as a whole number no smaller than `at_least`.

    Raises:
        ParameterError: if it is not.
    """
    if isinstance(value, bool) or number(name, value) != int(value):
        msg = f"{name} = {value!r}, must be a whole number"
        raise ParameterError(msg)
    return int(number(name, value, at_least=at_least))


def choice(name: str, value: Any, known: Iterable[str]) -> str:
    """`value` if it is one of the `known` words.

    Raises:
        UnknownName: if it is not.
    """
    known = tuple(known)
    if value not in known:
        raise UnknownName(value, name, known)
    return str(value)
