"""Limit of thin interfaces: a number of lives with thinner and thinner ones, and its error."""

from __future__ import annotations

from emfem.arrays import finite
from emfem.errors import ParameterError, floats
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["sharp_limit"]


@checked
@finite
def sharp_limit(widths: ArrayLike, values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the limit of values as interfaces become thin, and its error: v + (v - v') l / (l' - l).

    l, v are the last width and value, l', v' those before. It is exact for an error of the first order in l, as that of
    the time to a cut is: the last film of metal, of some l, is lost at once as its two surfaces feel each other. The
    error is the change of the limit by the last width; of two widths alone all of the correction. Where widths are
    halved that is an upper bound for errors like l, l ln(1 / l) and l^2, for one whose order is at least 1.

    Args:
        widths: interface widths, at least two, above 0, that decrease, shape (n,) [m].
        values: of a life with each of them, such as times to failure or thicknesses, shape (n, ...).

    Returns:
        limit and error, both of shape (...).

    Raises:
        ParameterError: for fewer widths, widths that do not decrease, or values that are not finite or not as many.
    """
    widest, known = floats("widths", widths, (None,), finite=True), floats("values", values, finite=True)
    if len(widest) < 2 or widest[-1] <= 0 or (np.diff(widest) >= 0).any():
        msg = f"widths = {widest.tolist()} m, must be two or more above 0 m that decrease"
        raise ParameterError(msg)
    if known.shape[:1] != widest.shape:
        msg = f"values of shape {known.shape}, must be ({len(widest)}, ...), one or an array for each width"
        raise ParameterError(msg)
    part = (widest[1:] / (widest[:-1] - widest[1:])).reshape(-1, *[1] * (known.ndim - 1))
    limits = known[1:] + part * np.diff(known, axis=0)
    return limits[-1], np.abs(limits[-1] - (limits[-2] if len(limits) > 1 else known[-1]))
