"""Forward sensitivities of a model to its constants, and the test of Taylor's remainder that they have to pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emfem.errors import ParameterError, choice, count, floats, number, require
from emfem.fit.evaluation import check_arguments
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Array = NDArray[np.float64]

METHODS = ("central", "complex")
ROUNDING = 1e-13  # relative remainder of a linear model
TINY = 1e-30  # of a complex step, relative: no difference is formed, so nothing cancels


@checked
def sensitivities(
    model: Callable[[dict[str, Any], dict[str, Array]], Any],
    values: Mapping[str, float],
    *,
    conditions: Mapping[str, ArrayLike] | None = None,
    method: str = "central",
    step: float = 1e-4,
) -> dict[str, Array]:
    """Return the derivatives of a model by each of its constants, shape (n,) each.

    Central differences have an error of the order of the square of the step. A complex step, Im f(v + ih)/h, has only
    that of rounding, for models that are analytic and take complex numbers: not for abs, max, or a finite element run.

    Args:
        model: as in `em.fit.fit`.
        values: the constants by name.
        conditions: the conditions by name, each a number or shape (n,).
        method: "central" or "complex".
        step: of central differences, relative to the value, and absolute where that is 0.

    Raises:
        ParameterError: for a value out of its bounds, a model of other arguments or that does not return numbers, or
            with "complex" one that refuses complex numbers or loses their imaginary parts.
        UnknownName: for another method.
    """
    check_arguments(model)
    complex_step = choice("method", method, METHODS) == "complex"
    number("step", step, at_least=1e-12, at_most=0.1)
    fixed, constants = _conditions(conditions), _constants(values)
    made = {}
    for name, value in constants.items():
        size = abs(value) or 1.0
        if complex_step:
            made[name] = _complex(model, constants, fixed, name, size * TINY)
            continue
        low, high = value - step * size, value + step * size
        ends = [_values(model(constants | {name: each}, fixed)) for each in (low, high)]
        made[name] = (ends[1] - ends[0]) / (high - low)
    if complex_step and not any(np.any(each) for each in made.values()):
        msg = "all complex derivatives are 0: the model loses imaginary parts, must be used with method='central'"
        raise ParameterError(msg)
    return made


@checked
def taylor_orders(
    model: Callable[[dict[str, Any], dict[str, Array]], Any],
    values: Mapping[str, float],
    derivatives: Mapping[str, ArrayLike],
    *,
    conditions: Mapping[str, ArrayLike] | None = None,
    step: float = 1e-2,
    halvings: int = 4,
) -> Array:
    """Return the orders at which Taylor's remainder falls, 2 where the derivatives are right, shape (halvings,).

    |f(v + h d) - f(v) - h f'(v) d| for a direction d that moves each constant by about its size.

    Args:
        model: as in `em.fit.fit`.
        values: the constants by name.
        derivatives: as `sensitivities` returns them.
        conditions: as in `sensitivities`.
        step: the first h, relative.
        halvings: their number, at most 30.

    Raises:
        ParameterError: for derivatives of other constants, or a remainder of 0: the model is linear.
    """
    check_arguments(model)
    number("step", step, above=0.0, at_most=0.5)
    n = count("halvings", halvings, at_least=1, at_most=30)
    fixed, constants = _conditions(conditions), _constants(values)
    require(set(derivatives) == set(constants), "derivatives, must have the names of values")
    here = _values(model(constants, fixed))
    sizes = {name: (abs(value) or 1.0) * (1 + 0.3 * np.sin(i)) for i, (name, value) in enumerate(constants.items())}
    slope = np.sum([np.asarray(derivatives[name], dtype=float) * size for name, size in sizes.items()], axis=0)
    steps = step / 2.0 ** np.arange(n + 1)
    moved = [_values(model({name: v + h * sizes[name] for name, v in constants.items()}, fixed)) for h in steps]
    remainders = np.array([np.linalg.norm(each - here - h * slope) for each, h in zip(moved, steps, strict=True)])
    size = np.array([np.linalg.norm(each) for each in moved])
    require(np.all(remainders > ROUNDING * size), "the remainder is 0, must not be: a linear model has no order")
    return np.asarray(np.log2(remainders[:-1] / remainders[1:]))


def _complex(
    model: Callable[..., Any], constants: dict[str, float], fixed: dict[str, Array], name: str, h: float
) -> Array:
    """Return the derivative by a complex step.

    Raises:
        ParameterError: if the model refuses complex numbers.
    """
    try:
        result = np.asarray(model(constants | {name: complex(constants[name], h)}, fixed))
    except (TypeError, ParameterError) as error:
        msg = f"the model refuses a complex {name}, must be differentiated by method='central': {error}"
        raise ParameterError(msg) from None
    return np.imag(np.atleast_1d(result)) / h


def _values(result: Any) -> Array:
    """Return the values of a model as an array of at least one axis."""
    return np.atleast_1d(floats("values of the model", result, finite=True, words="finite numbers"))


def _constants(values: Mapping[str, float]) -> dict[str, float]:
    require(values, "values = {}, must be at least one constant")
    return {name: number(name, value) for name, value in values.items()}


def _conditions(conditions: Mapping[str, ArrayLike] | None) -> dict[str, Array]:
    rows = (conditions or {}).items()
    return {name: floats(f"conditions[{name!r}]", x, finite=True, words="finite numbers") for name, x in rows}
