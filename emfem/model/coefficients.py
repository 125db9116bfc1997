"""Coefficients in every form that a user may give them: numbers, tensors, by region, functions of time, laws, UFL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, floats, number, positive_tensor, real, real_array, require, shown
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model.unknowns import Placeholder
from emfem.waveforms import as_waveform

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

OfTime = float | Callable[[float], Any]  # a waveform is such a function


@checked
@dataclass(frozen=True, eq=False)
class Driver:
    """A coefficient that follows a function of time."""

    name: str
    constant: Any  # a Constant, or another object whose `value` can be set
    of_time: Callable[[float], Any]

    def value(self, t: float) -> NDArray[np.float64]:
        """Return the value at t.

        Raises:
            ParameterError: if it is not finite, or of another shape than at the start.
        """
        value = floats(self.name, self.of_time(t))
        if not np.isfinite(value).all():
            msg = f"{self.name} = {value.tolist()} at t = {t:g}, must be finite"
            raise ParameterError(msg)
        if value.shape != self.constant.ufl_shape:
            was = self.constant.ufl_shape
            msg = f"{self.name} of shape {value.shape} at t = {t:g}, must be of shape {was} as at the start"
            raise ParameterError(msg)
        return value


@checked
def is_ufl(value: Any) -> bool:
    """Return True for a UFL expression, such as a Function."""
    return isinstance(value, ufl.core.expr.Expr)


@checked
def is_law(value: Any) -> bool:
    """Return True for a Python function, False for numbers and UFL."""
    return callable(value) and not is_ufl(value)


@checked
def check_ufl(domain: Domain, name: str, expression: Any) -> None:
    """Refuse UFL of another mesh, and UFL with a test function.

    Raises:
        ParameterError: for either.
    """
    mesh = domain.mesh.ufl_domain()
    if any(each is not mesh for each in ufl.domain.extract_domains(expression)):
        msg = f"{name} = {shown(expression)} of another mesh, must be on the mesh of this domain"
        raise ParameterError(msg)
    if ufl.algorithms.extract_arguments(expression):
        msg = f"{name} = {shown(expression)} with a test function, must be made of Functions, constants and places"
        raise ParameterError(msg)


@checked
def has_placeholder(expression: ufl.core.expr.Expr) -> bool:
    """Return True for UFL whose values are not known until a field of another model replaces a placeholder."""
    return any(isinstance(c, Placeholder) for c in ufl.algorithms.extract_coefficients(expression))


def of_time(name: str, value: OfTime, **limits: Any) -> OfTime:
    """Return `value` if it is a number inside its limits, or a function of time that is one at time 0.

    A waveform is checked at all its breakpoints.

    Raises:
        ParameterError: if it is not.
    """
    if is_law(value):
        number(f"{name} at t = 0", at_start(name, value), **limits)
        for level in as_waveform(value).levels():
            number(name, level, **limits)
        return value
    return number(name, value, **limits)


@checked
def at_start(name: str, value: Any) -> Any:
    """Return the value at time 0 of a function of time, and anything else as it is.

    Raises:
        ParameterError: for a function of something else.
    """
    if not is_law(value):
        return value
    try:
        return value(0.0)
    except TypeError as error:
        msg = f"{name} = {value!r}, must be a number or a function of t alone: {error}"
        raise ParameterError(msg) from error


@checked
def coefficient(domain: Domain, name: str, value: Any) -> tuple[fem.Constant, list[Driver]]:
    """Return a constant of the forms, of numbers or a function of time, and the driver that keeps it up to date."""
    if not is_law(value):
        return fem.Constant(domain.mesh, floats(name, value)), []
    waveform = as_waveform(value)
    constant = fem.Constant(domain.mesh, floats(name, at_start(name, waveform)))
    return constant, [] if waveform.constant else [Driver(name, constant, waveform)]


@checked
def shaped_coefficient(
    domain: Domain, name: str, value: Any, shapes: tuple[tuple[int, ...], ...], words: str, unit: str = ""
) -> tuple[Any, list[Driver]]:
    """Return a coefficient of one of the `shapes` as UFL, of UFL, numbers or a function of time; and its drivers.

    Raises:
        ParameterError: if it has another shape, which must be `words`, or is not finite.
    """
    if is_ufl(value):
        check_ufl(domain, name, value)
        if value.ufl_shape not in shapes:
            msg = f"{name} of shape {value.ufl_shape}, must be {words}"
            raise ParameterError(msg)
        return value, []
    start = at_start(name, value)
    if isinstance(start, str):
        msg = f"{name} = {start!r}, must be numbers"
        raise ParameterError(msg)
    values = floats(name, start)
    if values.shape not in shapes or not np.isfinite(values).all():
        msg = f"{name} = {values.tolist()}{unit and f' {unit}'}, must be {words}, finite"
        raise ParameterError(msg)
    return coefficient(domain, name, value)


@checked
def vector_coefficient(domain: Domain, name: str, value: Any) -> tuple[Any, list[Driver]]:
    """Return a vector of dim components as UFL, of UFL, numbers or a function of time; and its drivers.

    In one dimension a number will do; None is the zero vector.

    Raises:
        ParameterError: if it has another shape, or is not finite.
    """
    if value is None:
        return ufl.zero(domain.dim), []
    shapes = ((), (1,)) if domain.dim == 1 else ((domain.dim,),)
    words = "a number" if domain.dim == 1 else f"a vector of {domain.dim} components"
    vector, drivers = shaped_coefficient(domain, name, value, shapes, words)
    return (vector if vector.ufl_shape else ufl.as_vector([vector])), drivers


@checked
def positive_coefficient(domain: Domain, name: str, value: Any, unit: str = "") -> Any:
    """Return a conductivity or diffusivity as UFL, of a number, a tensor, either for each region by name, or UFL.

    Raises:
        ParameterError: if it is not positive, or of another shape than () or (dim, dim).
        UnknownName: for a region that does not exist.
    """
    if isinstance(value, Mapping):
        for region, part in value.items():
            _positive(f"{name}[{region!r}]", part, domain.dim, unit)
        return domain.piecewise(name, value)
    if is_ufl(value):
        check_ufl(domain, name, value)
        if value.ufl_shape not in ((), (domain.dim, domain.dim)):
            msg = f"{name} of shape {value.ufl_shape}, must be () or ({domain.dim}, {domain.dim})"
            raise ParameterError(msg)
        return check_positive(domain, name, value)
    return fem.Constant(domain.mesh, _positive(name, value, domain.dim, unit))


def _positive(name: str, value: Any, dim: int, unit: str) -> Any:
    """Return `value` as a positive number or positive definite tensor."""
    array = real_array(value)
    if array is None or array.ndim == 0:
        return number(name, value, above=0.0, unit=unit)
    return positive_tensor(name, value, dim)


@checked
def check_positive(domain: Domain, name: str, expression: ufl.core.expr.Expr) -> Any:
    """Return UFL that is positive everywhere now, or is not known yet because of a placeholder. Collective.

    Raises:
        ParameterError: for a value that is not positive; the message has the value and the place.
    """
    check_ufl(domain, name, expression)
    if not has_placeholder(expression):
        fields.positive(name, expression, domain.mesh)
    return expression


@checked
def scalar(name: str, value: Any) -> Any:
    """Return a number, finite, or a scalar of UFL.

    Raises:
        ParameterError: if it is neither.
    """
    if isinstance(value, ufl.core.expr.Expr):  # one that is a number stays UFL
        require(value.ufl_shape == (), f"{name} of shape {value.ufl_shape}, must be a scalar")
        return value
    require(real(value) is not None, f"{name} = {shown(value)}, must be a number or a scalar of UFL")
    return number(name, value)


@checked
def apply_law(name: str, law: Callable[[Any], Any], variable: fem.Function) -> Any:
    """Return `law(variable)` as UFL.

    Raises:
        ParameterError: if the law is made of anything else than UFL functions.
    """
    try:
        ufl.as_ufl(law(fields.Symbol(variable.function_space)))
        return ufl.as_ufl(law(variable))
    except (TypeError, AttributeError, ValueError, LookupError, NotImplementedError) as error:
        x = variable.name
        msg = f"{name}({x}) must be made of UFL functions, such as ufl.exp({x}): {error}"
        raise ParameterError(msg) from None


@checked
def scalar_law(name: str, law: Callable[[Any], Any], variable: fem.Function) -> Any:
    """Return `law(variable)` as a UFL scalar.

    Raises:
        ParameterError: if it is not one.
    """
    return scalar(f"{name}({variable.name})", apply_law(name, law, variable))
