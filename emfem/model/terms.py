"""Laws of numbers, arrays and UFL: terms of other kinds are refused, and terms that do not fit together."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from emfem.errors import ParameterError, floats
from emfem.model.coefficients import is_ufl

import numpy as np
import ufl


def of_terms[**P, R](law: Callable[P, R]) -> Callable[P, R]:
    """Return a law whose terms are checked: each is UFL, a measure, or numbers, which beside UFL become UFL.

    Raises:
        ParameterError: for a term of another kind, terms that UFL or NumPy cannot combine, or a number that overflows.
    """
    signature = inspect.signature(law)
    measures = {name for name, parameter in signature.parameters.items() if "Measure" in str(parameter.annotation)}

    @wraps(law)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        forms = bool(measures) or any(map(is_ufl, bound.arguments.values()))
        for name, value in list(bound.arguments.items()):
            if name not in measures and not is_ufl(value):
                numbers = floats(name, value)
                plain = isinstance(value, int | float | np.ndarray)
                bound.arguments[name] = _as_ufl(numbers) if forms and numbers.ndim else value if plain else numbers
        try:
            with np.errstate(all="ignore"):
                result = law(*bound.args, **bound.kwargs)
        except ParameterError:
            raise
        except Exception as error:  # UFL has many of them
            terms = {name: value for name, value in bound.arguments.items() if name not in measures}
            shapes = (f"{name} of shape {getattr(v, 'ufl_shape', np.shape(v))}" for name, v in terms.items())
            msg = f"{', '.join(shapes)}, must fit together in {law.__name__}: {error}"
            raise ParameterError(msg) from error
        if not forms and not _finite(result) and all(map(_finite, bound.arguments.values())):
            msg = f"{law.__name__} = {result}, must be finite: its arguments are too large"
            raise ParameterError(msg)
        return result

    return checked


def _as_ufl(numbers: np.ndarray) -> Any:
    return ufl.as_tensor(numbers.tolist()) if numbers.size else numbers


def _finite(value: Any) -> bool:
    """Return True for numbers that are all finite, and for UFL."""
    if isinstance(value, ufl.core.expr.Expr | ufl.Form):
        return True
    array = np.asarray(value)
    return bool(np.isfinite(array.astype(float) if array.dtype.kind == "O" else array).all())
