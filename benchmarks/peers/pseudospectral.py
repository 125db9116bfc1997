"""Fourier codes in NumPy and SciPy: Euler's steps, classical Runge-Kutta of order 4, its exponential form (ETDRK4).

The stiffest part of the equation, the fourth derivatives with a mean mobility, is diagonal in Fourier space: ETDRK4
(Cox and Matthews 2002, coefficients as in Kassam and Trefethen 2005) integrates it exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from benchmarks.peers.problem import GRADIENT, SIDE, Array, Case, potential, sample_grid, start

import numpy as np
from scipy import fft

MEAN_MOBILITY = 0.19  # about <C (1 - C)> of a pattern
LARGEST_MOBILITY = 0.25
STABLE = {"euler": 2.0, "rk4": 2.785}  # largest step times the fastest decay


class Film:
    """A film on n by n points, and how it steps.

    Args:
        case: the problem.
        n: points along a side, even.
        step: of time, rounded so that `until` is hit; the limit of stability of the linear equation if it is None.
        method: "euler", "rk4" or "etdrk4".
    """

    def __init__(self, case: Case, n: int, step: float | None, method: str) -> None:
        """Set the start and what does not change."""
        along = np.arange(n) * SIDE / n
        self.values = start(along[:, None], along[None, :])
        k = 2 * math.pi / SIDE
        step = step or STABLE[method] / stiffness(case, k * n / 2)
        self.unknowns, self.steps = n * n, math.ceil(case.until / step - 1e-9)
        kx, ky = k * fft.fftfreq(n, 1 / n)[:, None], k * fft.rfftfreq(n, 1 / n)[None, :]
        self.bending = GRADIENT * (kx**2 + ky**2)
        kx, ky = np.where(np.abs(kx) >= k * n / 2, 0, kx), np.where(ky >= k * n / 2, 0, ky)  # odd, so 0 at the end
        self.gradient, self.diffusion, self.drift = (1j * kx, 1j * ky), case.diffusion, case.drift
        self.step, self.method = case.until / self.steps, method
        stiff = case.diffusion[0] * kx**2 + case.diffusion[1] * ky**2
        self.linear = -MEAN_MOBILITY * self.bending * stiff if method == "etdrk4" else np.zeros(())

    def rate(self, hat: Array) -> Array:
        """Return dC/dt without the linear part, all in Fourier space."""
        c = fft.irfft2(hat)
        mu = fft.rfft2(potential(c)) + self.bending * hat
        mobility = c - c * c
        total = -self.linear * hat
        for wave, d, f in zip(self.gradient, self.diffusion, self.drift, strict=True):
            total += wave * fft.rfft2(mobility * (d * (fft.irfft2(wave * mu) - f)))
        return total

    def run(self, steps: int | None = None) -> None:
        """Step to the end, or only some steps."""
        advance: Callable[[Array], Array] = getattr(self, f"_{self.method}")(self.step)
        hat = fft.rfft2(self.values)
        for _ in range(steps or self.steps):
            hat = advance(hat)
        self.values = fft.irfft2(hat)

    def _euler(self, h: float) -> Callable[[Array], Array]:
        return lambda u: u + h * self.rate(u)

    def _rk4(self, h: float) -> Callable[[Array], Array]:
        def advance(u: Array) -> Array:
            a = self.rate(u)
            b = self.rate(u + h / 2 * a)
            c = self.rate(u + h / 2 * b)
            d = self.rate(u + h * c)
            return u + h / 6 * (a + 2 * (b + c) + d)

        return advance

    def _etdrk4(self, h: float) -> Callable[[Array], Array]:
        z = h * self.linear
        circle = z[..., None] + np.exp(1j * np.pi * (np.arange(1, 33) - 0.5) / 32)
        e = np.exp(circle)

        def mean(values: Any) -> Array:
            return h * values.mean(axis=-1).real

        half = mean((np.exp(circle / 2) - 1) / circle)
        first = mean((-4 - circle + e * (4 - 3 * circle + circle**2)) / circle**3)
        middle = 2 * mean((2 + circle + e * (circle - 2)) / circle**3)
        last = mean((-4 - 3 * circle - circle**2 + e * (4 - circle)) / circle**3)
        whole, root = np.exp(z), np.exp(z / 2)

        def advance(u: Array) -> Array:
            rate = self.rate(u)
            middle_of_u = root * u
            a = middle_of_u + half * rate
            at_a = self.rate(a)
            at_b = self.rate(middle_of_u + half * at_a)
            at_c = self.rate(root * a + half * (2 * at_b - rate))
            return whole * u + first * rate + middle * (at_a + at_b) + last * at_c

        return advance

    def sample(self) -> Array:
        """Return C at the sample points."""
        return sample_grid(self.values, 0.0)


def stiffness(case: Case, k: float) -> float:
    """Return the fastest decay on a grid with wave numbers up to k, M eps (2 k^2) (D_x + D_y) k^2."""
    return LARGEST_MOBILITY * GRADIENT * 2 * k**2 * sum(case.diffusion) * k**2


def reference(case: Case) -> Array:
    """Return C at the sample points, accurate to about 1e-5."""
    film = Film(case, 128, case.until / 600, "etdrk4")
    film.run()
    return film.sample()
