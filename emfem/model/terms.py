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

    @wraps(law)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        forms = [isinstance(value, ufl.Measure) or is_ufl(value) for value in bound.arguments.values()]
        for (name, value), form in zip(list(bound.arguments.items()), forms, strict=True):
            if not form:
                numbers = floats(name, value)
                plain = isinstance(value, int | float | np.ndarray)
                bound.arguments[name] = _as_ufl(numbers) if any(forms) and numbers.ndim else value if plain else numbers
        try:
            with np.errstate(all="ignore"):
                result = law(*bound.args, **bound.kwargs)
        except ParameterError:
            raise
        except Exception as error:  # UFL has many of them
            shapes = (f"{name} of {_shape(value)}" for name, value in bound.arguments.items())
            msg = f"{', '.join(shapes)}, must fit together in {law.__name__}: {error}"
            raise ParameterError(msg) from error
        if not any(forms) and not _finite(result) and all(map(_finite, bound.arguments.values())):
            msg = f"{law.__name__} = {result}, must be finite: its arguments are too large"
            raise ParameterError(msg)
        return result

    return checked


def _as_ufl(numbers: np.ndarray) -> Any:
    return ufl.as_tensor(numbers.tolist()) if numbers.size else numbers


def _shape(value: Any) -> str:
    return "a measure" if isinstance(value, ufl.Measure) else f"shape {getattr(value, 'ufl_shape', np.shape(value))}"


def _finite(value: Any) -> bool:
    """Return True for numbers that are all finite, and for UFL."""
    return isinstance(value, ufl.core.expr.Expr | ufl.Form) or bool(np.isfinite(value).all())
