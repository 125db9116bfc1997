"""The film's terms, each a function that returns UFL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emfem.arrays import finite
from emfem.film.alloy import Alloy
from emfem.model.coefficients import scalar
from emfem.model.mixing import FLOOR, x_ln_x

import ufl


@finite
def mixing_energy(c: Any, *, entropy: Any, enthalpy: Any, solute_expansion: Any, energy_ratio: Any) -> Any:
    """`f = (Gamma - 1) c + S [c ln c + (1-c) ln(1-c)] + W c (1-c) + alpha (c^2/2 - c^3/3)`, the free energy."""
    constants = {"entropy": entropy, "enthalpy": enthalpy, "solute_expansion": solute_expansion}
    s, w, alpha = (scalar(name, value) for name, value in constants.items())
    c, gamma = scalar("c", c), scalar("energy_ratio", energy_ratio)
    return (gamma - 1) * c + s * (x_ln_x(c) + x_ln_x(1 - c)) + w * c * (1 - c) + alpha * (c**2 / 2 - c**3 / 3)


def energy_of(alloy: Alloy, constant: Callable[[float], Any] = float) -> Callable[[Any], Any]:
    """f(c), the `mixing_energy` of an alloy, each of whose constants `constant` makes."""
    names = ("entropy", "enthalpy", "solute_expansion", "energy_ratio")
    constants = {name: constant(float(getattr(alloy, name))) for name in names}
    return lambda c: mixing_energy(c, **constants)


def degenerate_mobility(c: Any) -> Any:
    """M = c (1 - c), each factor at least FLOOR: M f'' stays positive where a strong field has used one species up."""
    c = scalar("c", c)
    return ufl.max_value(c, FLOOR) * ufl.max_value(1 - c, FLOOR)


def derivative(function: Callable[[Any], Any], c: Any) -> Any:
    """function'(c), by UFL."""
    c = ufl.variable(c)
    return ufl.diff(function(c), c)


def solute_flux(mobility: Any, diffusion: Any, mu: Any, force: Any, drift_mobility: Any = None) -> Any:
    """J = -M D (grad mu - F), or -D (M grad mu - M_F F) with a mobility M_F of the drift."""
    if drift_mobility is not None:
        return -ufl.dot(diffusion, mobility * ufl.grad(mu) - drift_mobility * force)
    return -mobility * ufl.dot(diffusion, ufl.grad(mu) - force)


def transport(rate: Any, flux: Any, v: Any, dx: ufl.Measure) -> ufl.Form:
    """`int (dC/dt) v - J . grad v dx`: conservation of solute, blocked edges natural."""
    return rate * v * dx - ufl.inner(flux, ufl.grad(v)) * dx


def slopes(a: Any, b: Any, tensor: Any = None) -> Any:
    """`G grad a . grad b`; without a tensor `grad a . grad b`."""
    return ufl.inner(ufl.grad(a) if tensor is None else ufl.dot(tensor, ufl.grad(a)), ufl.grad(b))


def potential(
    mu: Any, slope: Any, gradient_energy: Any, c: Any, w: Any, dx: ufl.Measure, tensor: Any = None
) -> ufl.Form:
    """`int mu w - f'(c) w - eps G grad c . grad w dx`: the chemical potential."""
    return mu * w * dx - slope * w * dx - gradient_energy * slopes(c, w, tensor) * dx
