"""Closed forms of alloy films: profile in a blocked line, boundary between phases, waves under coherency stress."""

from __future__ import annotations

import math

from emfem.analytic.arguments import in_line
from emfem.arrays import finite
from emfem.errors import floats, number, require
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


@checked
@finite
def film_fastest_wave(*, curvature: float, gradient_energy: float, coherency: float = 0.0) -> float:
    """Return the wave number that grows fastest in a film, [3q + sqrt(9q^2 - 32 eps f'')]/(8 eps).

    The growth rate is -M k^2 (f'' + eps k^2 - q k), by W. Lu and Z. Suo (2001) with a substrate, by J. W. Cahn (1961)
    without.

    Args:
        curvature: f'' of the free energy at the mean composition.
        gradient_energy: eps of (eps/2) |grad c|^2, above 0.
        coherency: q of the coherency stress, at least 0.

    Returns:
        k [1/length].

    Raises:
        ParameterError: for a value out of its bounds, or a film in which no wave grows.
    """
    f, eps, q = _unstable(curvature, gradient_energy, coherency)
    return (3 * q + math.sqrt(9 * q**2 - 32 * eps * f)) / (8 * eps)


@checked
@finite
def film_neutral_waves(*, curvature: float, gradient_energy: float, coherency: float = 0.0) -> tuple[float, float]:
    """Return the wave numbers between which waves grow in a film, [q -+ sqrt(q^2 - 4 eps f'')]/(2 eps), at least 0.

    Args:
        curvature: f'' of the free energy at the mean composition.
        gradient_energy: eps of (eps/2) |grad c|^2, above 0.
        coherency: q of the coherency stress, at least 0.

    Returns:
        The lower and the upper k [1/length].

    Raises:
        ParameterError: for a value out of its bounds, or a film in which no wave grows.
    """
    f, eps, q = _unstable(curvature, gradient_energy, coherency)
    high = (q + math.sqrt(q**2 - 4 * eps * f)) / (2 * eps)
    return max(0.0, f / (eps * high)), high  # their product is f''/eps: no cancellation


@checked
@finite
def film_selected_wave(*, gradient_energy: float, coherency: float) -> float:
    """Return the wave number of least energy in a film under coherency stress, q/(2 eps): where eps k^2 - q k is least.

    Domains coarsen up to about that size; straight bands without forks may rest far before, near the fastest wave. It
    is exact for small amplitudes; steep boundaries, whose higher waves cost energy, make the size larger.

    Args:
        gradient_energy: eps of (eps/2) |grad c|^2, above 0.
        coherency: q of the coherency stress, above 0.

    Returns:
        k [1/length].

    Raises:
        ParameterError: for a value out of its bounds.
    """
    return number("coherency", coherency, above=0.0) / (2 * number("gradient_energy", gradient_energy, above=0.0))


def _unstable(curvature: float, gradient_energy: float, coherency: float) -> tuple[float, float, float]:
    """Return the three numbers if some wave grows.

    Raises:
        ParameterError: if none does.
    """
    f, eps = number("curvature", curvature), number("gradient_energy", gradient_energy, above=0.0)
    q = number("coherency", coherency, at_least=0.0)
    highest = q**2 / (4 * eps)
    require(f < highest, f"curvature = {f:g}, must be less than q^2/(4 eps) = {highest:g}: no wave grows")
    return f, eps, q
