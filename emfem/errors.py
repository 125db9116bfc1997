"""Errors and warnings of emfem, and the checks of arguments.

A message is one sentence that names the value and its bound. Errors are raised where the object is made, on all ranks
alike, before any collective call.
"""

from __future__ import annotations

import math
import operator
import reprlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from emfem.public import dir_of

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ConservationError",
    "ConvergenceError",
    "EmfemError",
    "ParameterError",
    "RecoveryWarning",
    "ResolutionWarning",
    "Terminated",
    "UnknownName",
    "WriteWarning",
    "angle_in_radians",
    "choice",
    "count",
    "floats",
    "is_real",
    "kind",
    "number",
    "positive_tensor",
    "real",
    "real_array",
    "require",
    "require_all",
    "shown",
]

__dir__ = dir_of(__all__)

PACKAGE = (
    str(Path(__file__).parent),
    "<string",
)  # no warning is shown at files of emfem, nor in <string>, of dataclasses
LONGEST = 300  # characters of a value in a message
ENTRIES = 50  # of a collection in a message
MOST = 500  # names in a list of all that exist


class EmfemError(Exception):
    """Base of all errors that emfem raises about its input or its run."""


class ParameterError(EmfemError, ValueError):
    """A value that cannot be used; the message names the value and the bound."""


class UnknownName(ParameterError):
    """A name that does not exist; the message lists the names that do."""

    def __init__(self, name: object, owner: str, known: Iterable[str]) -> None:
        """Report that `owner` has no `name`, and list those it has."""
        self.name, self.owner, self.known = name, owner, _listed(known)
        word = isinstance(name, str)  # 110 is not '110'
        names = [each if word and isinstance(each, str) else shown(each) for each in self.known[:MOST]]
        more = ["..."] if len(self.known) > MOST else []
        super().__init__(f"{shown(name)}; {owner} has {', '.join([*names, *more]) or 'no names'}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the arguments of the constructor: errors travel between processes."""
        return type(self), (self.name, self.owner, self.known)


def _listed(known: Any) -> tuple[Any, ...]:
    """Return names as a tuple.

    Raises:
        ParameterError: if it is no collection.
    """
    try:
        return tuple(known)
    except Exception:  # no collection, or one that cannot be read
        msg = f"known = {shown(known)}, must be names"
        raise ParameterError(msg) from None


class ResolutionWarning(UserWarning):
    """The mesh or the step may not resolve the solution of a valid input; the message has a number and a remedy."""


class WriteWarning(UserWarning):
    """A file that could not be written; the run goes on without it."""


class RecoveryWarning(UserWarning):
    """A checkpoint that could not be written or read; the run goes on, from the one before."""


class ConservationError(EmfemError, RuntimeError):
    """A conserved quantity has changed."""


class ConvergenceError(EmfemError, RuntimeError):
    """A solve that failed after all retries; the fields have the last good state.

    Attributes:
        t: time of the last good state.
        dt: the last time step tried; `nan` for a steady solve.
        reason: PETSc's reason, by name.
    """

    def __init__(self, message: str, *, t: float, dt: float, reason: str) -> None:
        """Store the time, the step and PETSc's reason beside the message."""
        super().__init__(message)
        self.t, self.dt, self.reason = t, dt, reason

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with the attributes: errors travel between processes."""
        return partial(type(self), t=self.t, dt=self.dt, reason=self.reason), self.args


class Terminated(SystemExit):
    """The end of a program whose run a signal has stopped; the state is saved, and all ranks end with this code.

    Attributes:
        signal: number of the signal.
    """

    def __init__(self, signal: int) -> None:
        """Take the number of the signal: the exit code is 128 more, as shells have it.

        Raises:
            ParameterError: unless it is a whole number, at least 1.
        """
        signal = count("signal", signal, at_least=1)
        super().__init__(128 + signal)
        self.signal = signal

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the number of the signal: errors travel between processes."""
        return type(self), (self.signal,)


def shown(value: Any) -> str:
    """Return the `repr` of any value as one line of a message, cut where it is long."""
    try:
        several = isinstance(value, list | tuple | dict | set | frozenset | bytes | bytearray) and len(value) > ENTRIES
        text = reprlib.repr(value) if several or (isinstance(value, str) and len(value) > LONGEST) else repr(value)
    except Exception:  # of a whole number of 5000 digits, or of an object of the user
        text = f"<{type(value).__name__}>"
    if "\n" in text:
        text = " ".join(text.split())
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} ... {text[-half:]}"


def _is_symbolic(value: Any) -> bool:
    """Return True for UFL without a value, which `float` would search for without end; UFL itself is not imported."""
    names = [(getattr(base, "__module__", ""), base.__qualname__) for base in type(value).__mro__]
    bases = [base for base, name in zip(type(value).__mro__, names, strict=True) if name == ("ufl.core.expr", "Expr")]
    return bool(bases) and getattr(type(value), "__float__", None) is getattr(bases[0], "__float__", None)


def real(value: Any) -> float | None:
    """Return a real number as a float, infinite for one beyond all floats; None for anything else, such as a text."""
    if type(value) is float:
        return value
    if isinstance(value, str | bytes | bytearray | memoryview | bool | complex):
        return None
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        return real(value.item()) if value.size == 1 else None
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind not in "iuf":
        return None
    if _is_symbolic(value):
        return None  # UFL would search for its value endlessly
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except Exception:  # whatever the `__float__` of an object raises: it is no number
        return None


def is_real(value: Any) -> bool:
    """Return True for a real number, infinite ones included, that a float can hold."""
    result = real(value)
    return result is not None and (math.isfinite(result) or not isinstance(value, int))


def real_array(value: Any) -> NDArray[np.float64] | None:
    """Return real numbers as an array of floats; None for anything else, such as texts or rows of different lengths."""
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O":
            numbers = [real(item) if is_real(item) else None for item in array.flat]
            return None if None in numbers else np.array(numbers, dtype=float).reshape(array.shape)
        return array.astype(float, copy=False) if array.dtype.kind in "biuf" else None
    except Exception:  # whatever an object of the user raises: it is no number
        return None


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
    """Return `value` as a finite float within the bounds.

    Args:
        name: of the value, for the message.
        value: the number to check.
        above: exclusive lower bound.
        at_least: inclusive lower bound.
        below: exclusive upper bound.
        at_most: inclusive upper bound.
        unit: the unit of value and bounds, for the message.

    Raises:
        ParameterError: if it is no real number, not finite, or out of bounds.
    """
    units = f" {unit}" if isinstance(unit, str) and unit else ""
    result = real(value)
    if result is None:
        msg = f"{name} = {shown(value)}, must be a number"
        raise ParameterError(msg)
    if not math.isfinite(result):
        msg = f"{name} = {shown(value) if isinstance(value, int) else result}{units}, must be finite"
        raise ParameterError(msg)
    for bound, words, holds in (
        (above, "greater than", operator.gt),
        (at_least, "at least", operator.ge),
        (below, "less than", operator.lt),
        (at_most, "at most", operator.le),
    ):
        if bound is None:
            continue
        limit = real(bound)
        if limit is None or math.isnan(limit):
            msg = f"bound of {name} = {shown(bound)}, must be a number"
            raise ParameterError(msg)
        if not holds(result, limit):
            msg = f"{name} = {result:g}{units}, must be {words} {limit:g}{units}"
            raise ParameterError(msg)
    return result


def floats(
    name: str, value: Any, shape: Sequence[int | None] | None = None, words: str = "", *, finite: bool = False
) -> NDArray[np.float64]:
    """Return `value` as an array of floats.

    Args:
        name: of the value, for the message.
        value: numbers.
        shape: that it must have, None for any length along an axis; any shape if left out.
        words: for the message: the requirement, for the message.
        finite: whether it must be finite.

    Raises:
        ParameterError: unless these are numbers, of this shape, and finite if they must be.
    """
    if shape is not None:
        kind("shape", shape, (list, tuple), "a list of lengths along axes")
    kind("finite", finite, (bool, np.bool_), "True or False")
    result = real_array(value)
    if result is None:
        msg = f"{name} = {shown(value)}, must be numbers"
        raise ParameterError(msg)
    fits = shape is None or (
        result.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, result.shape, strict=True))
    )
    if not fits or (finite and not np.isfinite(result).all()):
        content = f"of shape {result.shape}" if result.ndim else f"= {shown(value)}"
        wrong = result[~np.isfinite(result)] if fits and result.ndim else np.zeros(0)
        among = f"; it has {wrong[0]:g}" if len(wrong) else ""
        demand = words or ("finite numbers" if finite else "numbers")
        of_shape = "" if words or shape is None else f" of shape ({', '.join(str(n or 'n') for n in shape)})"
        msg = f"{name} {content}, must be {demand}{of_shape}{among}"
        raise ParameterError(msg)
    return result


def positive_tensor(name: str, value: Any, dim: int) -> NDArray[np.float64]:
    """Return `value` as a positive definite tensor of shape (dim, dim).

    Raises:
        ParameterError: if it is not one.
    """
    tensor, dim = floats(name, value), count("dim", dim, at_least=1)
    finite = tensor.shape == (dim, dim) and np.isfinite(tensor).all()
    require(finite, f"{name} = {shown(tensor.tolist())}, must be a finite tensor of shape ({dim}, {dim})")
    positive = np.linalg.eigvalsh(tensor + tensor.T).min() > 0
    require(positive, f"{name} = {shown(tensor.tolist())}, must be positive definite")
    return tensor


def require(condition: Any, message: str) -> None:
    """Raise ParameterError with `message`, which must be cheap to make, unless `condition` holds."""
    try:
        holds = bool(condition)
    except Exception:  # an array of several values, or an object without a truth value
        holds = False
    if not holds:
        raise ParameterError(message)


def require_all(good: Any, message: Callable[[int], str]) -> None:
    """Raise ParameterError with `message(i)` for the first entry of `good`, shape (n,), that is false."""
    try:
        bad = np.flatnonzero(~np.asarray(good, dtype=bool))
    except Exception:  # entries of several shapes, without a truth value, or more than the memory holds
        msg = f"good = {shown(good)}, must be truth values, shape (n,)"
        raise ParameterError(msg) from None
    if len(bad):
        kind("message", message, Callable, "a function of the number of an entry")  # type: ignore[arg-type]
        raise ParameterError(message(int(bad[0])))


def kind(name: str, value: Any, expected: type | tuple[type, ...], words: str) -> None:
    """Check that `value` is an instance of `expected`, described by `words`.

    Raises:
        ParameterError: if it is not, or `expected` is no class.
    """
    try:
        fits = isinstance(value, expected)
    except TypeError:
        msg = f"expected = {shown(expected)}, must be a class"
        raise ParameterError(msg) from None
    if not fits:
        msg = f"{name} = {shown(value)}, must be {words}"  # made only here: it may be long
        raise ParameterError(msg)


def angle_in_radians(name: str, value: float) -> float:
    """Return `value` if it is an angle of at most a full turn: 45 is refused, as 45 * deg is meant.

    Raises:
        ParameterError: if it is not finite or beyond a full turn.
    """
    angle = number(name, value, unit="rad")
    if abs(angle) > 2 * math.pi:
        msg = f"{name} = {angle:g} rad, must be within a full turn of 2 pi: for degrees write {angle:g} * deg"
        raise ParameterError(msg)
    return angle


def count(name: str, value: Any, *, at_least: int, at_most: int | None = None) -> int:
    """Return `value` as a whole number, not below `at_least` and not above `at_most`.

    Raises:
        ParameterError: if it is not one.
    """
    if isinstance(value, bool) or not number(name, value).is_integer():
        msg = f"{name} = {shown(value)}, must be a whole number"
        raise ParameterError(msg)
    number(name, value, at_least=at_least, at_most=at_most)
    return value if isinstance(value, int) else int(number(name, value))


def choice(name: str, value: Any, known: Iterable[str]) -> str:
    """Return `value` if it is one of the `known` words.

    Raises:
        UnknownName: if it is not.
    """
    known = _listed(known)
    if not isinstance(value, str) or not any(isinstance(each, str) and each == value for each in known):
        raise UnknownName(value, name, known)
    return str(value)
