"""Adatoms on one terrace: D n'' - D f n' - n/tau + deposition = 0 between two steps, quasi-static.

Lengths are in units of a typical width, densities in units of n0, fluxes in D n0 over that width. With p = f/2,
d = 1/(D tau) and q = sqrt(p^2 + d), the flux J = -n' + f n at the two ends of a terrace of width l is

    J(0) = a n(0) - b n(l) - g s_left,        a = p + q coth(q l),   b = exp(-p l) q/sinh(q l)
    J(l) = c n(0) - e n(l) + g s_right,       e = -p + q coth(q l),  c = exp(+p l) q/sinh(q l)

g is the deposition, and s_left, s_right are the parts of the terrace whose atoms arrive at the one end and at the
other. Everything is written so that nothing is lost to rounding where f, 1/tau or l are small, and for complex
widths too: derivatives are taken by a complex step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from emfem.steps.surface import Surface

import numpy as np

TINY = 1e-30  # of a complex step
WALL = (0.0, 1.0)  # (alpha, beta) of an end that nothing passes
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
NARROW = 1.0  # q l up to which sources are integrated; 20 points do that to rounding, closed forms lose digits there


class EndConditions(NamedTuple):
    """Conditions of the density at both ends of terraces: alpha (n - n_eq) = beta times the flux out of that end.

    A side with D/k = h has (alpha, beta) = (1, h)/(1 + h), and a wall (0, 1). Arrays of shape (terraces, 1).
    """

    alpha_left: Any
    beta_left: Any
    alpha_right: Any
    beta_right: Any


@dataclass(frozen=True)
class ScaledEquation:
    """The numbers of the equation, scaled: p = f/2, d = 1/(D tau), a number or an array, g the deposition."""

    p: float
    d: Any
    g: float

    @property
    def q(self) -> Any:
        """Sqrt(p^2 + d)."""
        return np.sqrt(self.p**2 + self.d)


def scaled(surface: Surface, width: float) -> tuple[ScaledEquation, tuple[float, float], tuple[float, float]]:
    """Return the equation in units of a typical width, and (alpha, beta) of a terrace's lower and upper step."""
    deposition = surface.deposition * width**2 / (surface.diffusivity * surface.adatom_density)
    lower, upper = (_pair(length / width) for length in surface.kinetic_lengths)
    return ScaledEquation(surface.drift * width / 2, surface.loss * width**2, deposition), lower, upper


class Coefficients(NamedTuple):
    """a, b, c, e, s_left, s_right of terraces, and a - b and c - e without loss of digits."""

    a: Any
    b: Any
    c: Any
    e: Any
    s_left: Any
    s_right: Any
    a_b: Any
    c_e: Any


def coefficients(eq: ScaledEquation, width: Any) -> Coefficients:
    """Return the coefficients of terraces of `width`."""
    p, x, y = eq.p, eq.q * width, eq.p * width
    coth, tanh = _x_coth(x) / width, eq.q * np.tanh(x / 2)
    b, c = (_x_over_sinh(x, shift) / width for shift in (-y, y))
    back, forth = (_x_over_sinh_times_expm1(x, shift, sign) / width for shift, sign in ((-y, -p), (y, p)))
    left, right = (_share(eq.q, sign, width) if eq.g else np.zeros_like(width) for sign in (-p, p))
    return Coefficients(p + coth, b, c, coth - p, left, right, p + tanh - back, p - tanh + forth)


def fluxes(eq: ScaledEquation, width: Any, excess_left: Any, excess_right: Any, ends: EndConditions) -> tuple[Any, Any]:
    """Return J at the left and at the right end, where the steps there are in equilibrium with n = 1 + excess.

    With D = al ar + a bl ar + e al br + d bl br, above 0,

        D J(0) = al [(ar a + d br) n_left - ar b n_right - (ar + e br) g s_left - b br g s_right],
        D J(l) = ar [al c n_left - (al e + d bl) n_right + c bl g s_left + (al + a bl) g s_right].
    """
    al, bl, ar, br = ends
    k = coefficients(eq, width)
    step = excess_right - excess_left
    left = al * ((ar * k.a_b + eq.d * br) * (1 + excess_left) - ar * k.b * step)
    left -= al * eq.g * ((ar + k.e * br) * k.s_left + k.b * br * k.s_right)
    right = ar * ((al * k.c_e - eq.d * bl) * (1 + excess_right) - al * k.c * step)
    right += ar * eq.g * (k.c * bl * k.s_left + (al + k.a * bl) * k.s_right)
    common = al * ar + k.a * bl * ar + k.e * al * br + eq.d * bl * br
    return left / common, right / common


class Edges(NamedTuple):
    """Values at the left and at the right end of terraces."""

    left: Any
    right: Any


def response(eq: ScaledEquation, ends: EndConditions, left: Any, right: Any) -> Edges:
    """Return J at the ends of a terrace of width 1 without sources.

    There alpha n + beta J = left at its left end, and alpha n - beta J = right at its right one.
    """
    al, bl, ar, br = ends
    k = coefficients(eq, 1.0)
    common = al * ar + k.a * bl * ar + k.e * al * br + eq.d * bl * br
    at_left = (k.a * ar + eq.d * br) * left - k.b * al * right
    at_right = k.c * ar * left - (k.e * al + eq.d * bl) * right
    return Edges(at_left / common, at_right / common)


def slopes_at_ends(eq: ScaledEquation, ends: EndConditions) -> tuple[Edges, Edges]:
    """Return, of a terrace of width 1 beside steps without excess, alpha n' +- beta J' and J' at both ends.

    J' = g - d n, n' = f n - J; + at the left end, - at the right one.
    """
    al, bl, ar, br = ends
    k = coefficients(eq, 1.0)
    common = al * ar + k.a * bl * ar + k.e * al * br + eq.d * bl * br
    left, right = bl * (eq.g * k.s_left - k.a_b), br * (eq.g * k.s_right + k.c_e)
    n = Edges(
        1 + ((ar + k.e * br) * left + k.b * bl * right) / common,
        1 + ((al + k.a * bl) * right + k.c * br * left) / common,
    )
    j = Edges(*fluxes(eq, 1.0, 0.0, 0.0, ends))
    rises = Edges(*(eq.g - eq.d * value for value in n))
    falls = [2 * eq.p * value - flux for value, flux in zip(n, j, strict=True)]
    return Edges(al * falls[0] + bl * rises.left, ar * falls[1] - br * rises.right), rises


def _pair(length: float) -> tuple[float, float]:
    """Return (alpha, beta) of a side with the scaled kinetic length."""
    return WALL if math.isinf(length) else (1 / (1 + length), length / (1 + length))


def _x_coth(x: Any) -> Any:
    """Return x coth x, 1 at 0."""
    small = abs(x) < 1e-4
    y = np.where(small, 1.0, x)
    return np.where(small, 1 + x * x / 3, y * (1 + np.exp(-2 * y)) / -np.expm1(-2 * y))


def _x_over_sinh(x: Any, y: Any) -> Any:
    """Return exp(y) x/sinh x for |y| <= x: nothing overflows."""
    small = abs(x) < 1e-4
    z = np.where(small, 1.0, x)
    return np.where(small, np.exp(y) * (1 - x * x / 6), 2 * z * np.exp(y - z) / -np.expm1(-2 * z))


def _x_over_sinh_times_expm1(x: Any, y: Any, sign: float) -> Any:
    """Return (exp(y) - 1) x/sinh x for |y| <= x; `sign` is that of y."""
    return -_x_over_sinh(x, y) * np.expm1(-y) if sign > 0 else _x_over_sinh(x, 0.0 * y) * np.expm1(y)


def _share(q: float, p: float, width: Any) -> Any:
    """Return the part of a terrace whose atoms arrive at its right end: int_0^l exp(p (l - z)) sinh(q z)/sinh(q l) dz.

    On wide ones [exp(p l) E - 1]/(q + p) for p >= 0 and [1 - exp(-q l) E]/(q - p) for p < 0, with
    E = q l/sinh(q l) (exp(h) - 1)/h, h = (q - |p|) l.
    """
    narrow = abs(q * width) <= NARROW
    short, long = np.where(narrow, width, 1.0), np.where(narrow, 2.0 * NARROW / max(q, 1e-300), width)
    place = np.multiply.outer((1 + NODES) / 2, short)
    ratio = (place / short) * _x_over_sinh(q * short, 0.0 * short) / _x_over_sinh(q * place, 0.0 * place)
    integral = np.tensordot(WEIGHTS / 2, np.exp(p * (short - place)) * ratio, axes=1) * short
    return np.where(narrow, integral, _wide_share(q, p, long) if q else 0.0)


def _wide_share(q: float, p: float, width: Any) -> Any:
    """Return the same on wide terraces, in closed form."""
    gap = (q - abs(p)) * width
    growth = np.where(abs(gap) < 1e-8, 1 + gap / 2, np.expm1(gap) / np.where(gap == 0, 1.0, gap))
    if p >= 0:
        return (_x_over_sinh(q * width, p * width) * growth - 1) / (q + p)
    return (1 - _x_over_sinh(q * width, -q * width) * growth) / (q - p)
