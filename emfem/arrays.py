"""Arrays of closed forms: shapes that broadcast to a size that memory holds, and results that are finite."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any

from emfem.errors import ParameterError
from emfem.public import dir_of

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["MOST", "broadcast", "finite"]
__dir__ = dir_of(__all__)

MOST = 10**7
"""Greatest number of values that one call computes."""


def broadcast(**arrays: ArrayLike) -> list[NDArray[Any]]:
    """Return arrays, by the names of the arguments, broadcast to one shape.

    Raises:
        ParameterError: if they do not broadcast, or to more than `MOST` values.
    """
    shapes = {name: np.shape(array) for name, array in arrays.items() if np.ndim(array)}
    named = ", ".join(f"{name} of {shape}" for name, shape in shapes.items())
    try:
        shape = np.broadcast_shapes(*shapes.values())
    except ValueError:
        msg = f"shapes {named}, must broadcast"
        raise ParameterError(msg) from None
    if math.prod(shape) > MOST:
        msg = f"shapes {named} broadcast to {math.prod(shape)} values, must be at most {MOST}: compute them in parts"
        raise ParameterError(msg)
    return list(np.broadcast_arrays(*arrays.values()))


def finite[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Return a closed form that refuses to return a number that is not finite.

    Values far beyond the physical ones overflow in its terms, or make 0/0 of them: that is an error, not a NaN. Limits
    that an overflow has, such as exp(-inf) = 0, are right, so NumPy's warnings are left out.

    Raises:
        ParameterError: if a number of the result, an attribute or an item of it, is infinite or not a number.
    """

    @wraps(function)
    def checked(*args: P.args, **options: P.kwargs) -> R:
        try:
            with np.errstate(all="ignore"):
                result = function(*args, **options)
            wrong = next((n for part in _parts(result) for n in np.ravel(part[~np.isfinite(part)])), None)
        except (OverflowError, ZeroDivisionError):
            wrong = math.inf
        if wrong is not None:
            values = "its arguments lead beyond the range of floating-point numbers"
            msg = f"{function.__qualname__} = {wrong:g}, must be finite: {values}"
            raise ParameterError(msg)
        return result

    return checked


def _parts(result: Any) -> Iterator[NDArray[Any]]:
    """Yield the numbers of a result as arrays."""
    if is_dataclass(result) and not isinstance(result, type):
        result = [getattr(result, entry.name) for entry in fields(result)]
    if isinstance(result, list | tuple):
        for part in result:
            yield from _parts(part)
    elif isinstance(result, int | float | complex | np.ndarray | np.generic):
        yield np.asarray(result)
