"""Arguments of closed forms: constants of a metal, positions in a line, and times."""

from __future__ import annotations

from typing import Any

from emfem.errors import ParameterError, floats, number, require

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIGNED = ("effective_charge",)  # all other constants are above 0


def constants(material: Any, *names: str) -> list[float]:
    """Return constants of a metal of `em.materials`, or of any object with attributes of these names.

    Raises:
        ParameterError: if it lacks one, or one is out of its bounds.
    """
    values = []
    for name in names:
        try:
            value = getattr(material, name)
        except ParameterError:  # of a metal, which has a better message
            raise
        except AttributeError:
            msg = f"material = {material!r}, must be a metal of em.materials, or have {', '.join(names)}"
            raise ParameterError(msg) from None
        values.append(number(name, value, above=None if name in SIGNED else 0.0))
    return values


def in_line(x: ArrayLike, length: float, unit: str = "") -> NDArray[np.float64]:
    """Return x/L, in [0, 1].

    Raises:
        ParameterError: if one is not in the line.
    """
    place = floats("x", x)
    inside = ((place >= -1e-12 * length) & (place <= (1 + 1e-12) * length)).all()
    low, high = np.min(place, initial=np.inf), np.max(place, initial=-np.inf)
    with_unit = f" {unit}" if unit else ""
    require(inside, f"x from {low:g}{with_unit} to {high:g}{with_unit}, must be in [0, {length:g}]{with_unit}")
    return place / length


def at_least_0(name: str, value: ArrayLike, unit: str) -> NDArray[np.float64]:
    """Return numbers, such as times, that are at least 0; infinity allowed.

    Raises:
        ParameterError: if one is not.
    """
    numbers = floats(name, value)
    lowest = np.min(numbers, initial=np.inf)
    require((numbers >= 0.0).all(), f"{name} from {lowest:g} {unit}, must be at least 0 {unit}")
    return numbers
