"""Closed forms of alloy films: the profile in a blocked line, and the boundary between phases."""

from __future__ import annotations

from emfem.analytic.arguments import in_line
from emfem.arrays import finite
from emfem.errors import floats, number
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

SMALL = 1e-200  # drive times length: below it the products in the profile underflow, and C is uniform


@checked
@finite
def logistic_profile(x: ArrayLike, *, length: float, drive: float, mean: float) -> NDArray[np.float64]:
    """Return the equilibrium of an ideal binary alloy between diffusion and a field in a blocked line.

    C / (1 - C) = K exp(lambda x) with K such that C has the mean value. It holds for any mobility, because the flux is
    zero everywhere; in the film model lambda = F / S, without enthalpy, stress and gradient energy.

    Args:
        x: positions in [0, length], any shape [length].
        length: of the line, above 0.
        drive: lambda, the drift force over the thermal energy [1/length].
        mean: solute fraction, in (0, 1) [-].

    Returns:
        C, shape of x.

    Raises:
        ParameterError: for a value out of its bounds.
    """
    total = number("drive", drive) * number("length", length, above=0.0)
    mean = number("mean", mean, above=0.0, below=1.0)
    position = in_line(x, length)
    if abs(total) < SMALL:
        return np.full_like(position, mean)
    if total < 0.0:
        position, total = 1 - position, -total
    # ln K of K = (e^{l m} - 1) / (e^l - e^{l m}), l = lambda L, written so that nothing overflows
    log_k = np.log(np.expm1(-total * mean) / np.expm1(-total * (1 - mean))) - total * (1 - mean)
    return expit(log_k + total * position)


@checked
@finite
def kink(x: ArrayLike, *, gradient_energy: float) -> NDArray[np.float64]:
    """Return the boundary between the phases of the double well f = (1 - c^2)^2 / 4: c = tanh(x / sqrt(2 eps)).

    Args:
        x: distance to the boundary, any shape [length].
        gradient_energy: eps of (eps/2) |grad c|^2, above 0.

    Raises:
        ParameterError: for a gradient energy that is not positive.
    """
    eps = number("gradient_energy", gradient_energy, above=0.0)
    return np.tanh(floats("x", x) / np.sqrt(2 * eps))
