"""The film on Fourier modes, as the paper solved it: for ensembles of starts, ten times cheaper than finite elements.

The equation is that of `em.film.model` on a periodic square, dC/dt = div[M D (grad mu - F)], with collocation on n x n
points, the upper third of the spectrum cut off, and Runge-Kutta of fourth order with an integrating factor for a linear
part. All starts of a case are stepped together. tests/test_paper.py compares it with linear theory and with `em.film`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import emfem as em
from emfem.units import deg

import numpy as np
from films import KEPT, WAVELENGTH, Film, Record, stops
from numpy.typing import NDArray
from scipy import fft

POINTS = 8  # along the fastest wave
ROUGH = 6  # random numbers of the start along the fastest wave: the start is the same on every grid
COURANT = 2.4  # step times the highest frequency of the drift; Runge-Kutta of fourth order is stable below 2.8
LONGEST = 2.4  # step [time of the film], in units of that of the fastest direction
FLOOR = 1e-5  # of c in the logarithm
LINEAR = (0.05, 0.23)  # M f'' and M of the linear part; any values do that are at least as large as in the film


def run(
    starts: Sequence[Film],
    points: int = POINTS,
    courant: float = COURANT,
    mobility: float | None = None,
    isotropic_drift: bool = False,
    damping: float = 0.0,
    along: bool = False,
) -> list[Record]:
    """Evolve the films of one case that differ in their seed alone.

    Args:
        starts: the films.
        points: of the grid along the fastest wave.
        courant: step times the highest frequency of the drift.
        mobility: as in `Law`.
        isotropic_drift: as in `Law`.
        damping: as in `Law`.
        along: whether the square's edges lie along and across the drift instead of along the crystal's axes.

    Returns:
        A record of each; angles are to the crystal's x axis, pictures lie as the square does.
    """
    film, began = starts[0], time.process_time()
    n = 2 * round(film.edge / WAVELENGTH * points / 2)
    turn = film.drift if along else 0.0
    law = Law(film, n, mobility, isotropic_drift, damping, turn)
    state = np.stack([start(each, n) for each in starts])
    spectrum = fft.rfft2(state.astype(np.float32)) * law.kept
    times = stops(film)
    patterns: list[list[em.patterns.Pattern]] = [[] for _ in starts]
    pictures: list[list[NDArray[np.float32]]] = [[] for _ in starts]
    now = 0.0
    for stop in times:
        spectrum, now = law.advance(spectrum, stop - now, courant), float(stop)
        for index, c in enumerate(fft.irfft2(spectrum, s=(n, n))):
            seen = em.patterns.measure_grid(c.astype(float), (film.edge, film.edge))
            patterns[index].append(replace(seen, angle=(seen.angle + turn) % 180.0))
            if np.isclose(film.until * np.array(KEPT), now, rtol=1e-9).any():
                pictures[index].append(c.astype(np.float32))
    cpu = (time.process_time() - began) / len(starts)
    shown = film.until * np.array(KEPT)
    found = zip(starts, patterns, pictures, strict=True)
    return [Record(each, times, tuple(seen), shown, np.array(kept), cpu) for each, seen, kept in found]


def start(film: Film, n: int) -> NDArray[np.float64]:
    """Return the random start on n x n points: numbers on a coarse grid, between them their Fourier interpolation."""
    rough = 2 * round(film.edge / WAVELENGTH * ROUGH / 2)
    amplitude = film.tables["film"]["initial"]["amplitude"]
    noise = np.random.default_rng(film.seed).uniform(-amplitude, amplitude, (rough, rough))
    modes = fft.fftshift(fft.fft2(noise - noise.mean()))
    pad = (n - rough) // 2
    if pad < 0:
        msg = f"points along the fastest wave = {n * WAVELENGTH / film.edge:.1f}, must be at least {ROUGH}"
        raise em.ParameterError(msg)
    padded = np.pad(modes, pad)
    return film.mean + fft.ifft2(fft.ifftshift(padded)).real * (n / rough) ** 2


class Law:
    """The right-hand side of the equation on n x n points, and its time steps.

    Args:
        film: the case.
        n: points along an edge.
        mobility: a constant in front of diffusion instead of c (1 - c), which stays in front of the drift; or None.
        isotropic_drift: whether the tensor D is that of diffusion alone, and the drift goes along the field.
        damping: step h of an implicit Euler method, whose error damps small waves of frequency w at the rate
            log(1 + (w h)^2) / (2 h); 0 for the equation itself.
        turn: angle by which the edges of the square are turned against the crystal's axes [degrees].
    """

    def __init__(
        self,
        film: Film,
        n: int,
        mobility: float | None = None,
        isotropic_drift: bool = False,
        damping: float = 0.0,
        turn: float = 0.0,
    ) -> None:
        self.alloy, self.n, self.mobility = em.film.cupd(), n, mobility
        axes = np.array([[np.cos(turn * deg), np.sin(turn * deg)], [-np.sin(turn * deg), np.cos(turn * deg)]])
        self.fastest = max(film.rates)
        tensor = axes * film.rates @ axes.T
        field = film.field * axes @ (np.cos(film.angle * deg), np.sin(film.angle * deg))
        # D stands in front of both: a drift along the field is one of the force D^-1 F
        force = np.linalg.solve(tensor, field) if isotropic_drift else field
        drift = tensor @ force
        step = 2 * np.pi / film.edge
        kx, ky = step * np.fft.fftfreq(n, 1 / n)[:, None], step * np.arange(n // 2 + 1)[None, :]
        highest = 2 / 3 * step * n / 2
        self.kept = ((abs(kx) < highest) & (ky < highest)).astype(np.float32)
        self.kx, self.ky = (1j * kx).astype(np.complex64), (1j * ky).astype(np.complex64)
        self.gradient = (self.alloy.gradient_energy * (kx**2 + ky**2)).astype(np.float32)
        spread = tensor[0, 0] * kx**2 + 2 * tensor[0, 1] * kx * ky + tensor[1, 1] * ky**2
        linear = LINEAR[0] + LINEAR[1] * self.alloy.gradient_energy * (kx**2 + ky**2)
        self.taken = (-spread * linear).astype(np.float32)
        travels = (drift[0] * kx + drift[1] * ky) * (1 - 2 * film.mean)
        lost = np.log1p((travels * damping) ** 2) / (2 * damping) if damping else 0.0 * spread
        self.linear = (self.taken - lost).astype(np.float32)
        self.frequency = highest * abs(drift).sum()
        self.tensor, self.force = tensor.astype(np.float32), force.astype(np.float32)
        self.spread, self.travels = spread, travels

    def rest(self, spectrum: NDArray[Any]) -> NDArray[Any]:
        """The rate of change of the spectrum without the linear part."""
        alloy, shape = self.alloy, (self.n, self.n)
        c = fft.irfft2(spectrum, s=shape)
        inner = np.clip(c, FLOOR, 1 - FLOOR)
        slope = alloy.entropy * np.log(inner / (1 - inner)) + alloy.enthalpy * (1 - 2 * c)
        slope += alloy.solute_expansion * (c - c * c)
        mu = fft.rfft2(slope) + self.gradient * spectrum
        drift = inner * (1 - inner)
        mobile = drift if self.mobility is None else np.float32(self.mobility)
        waves = self.kx, self.ky
        fluxes = [mobile * fft.irfft2(k * mu, s=shape) - drift * f for k, f in zip(waves, self.force, strict=True)]
        total: Any = -self.taken * spectrum
        for k, (along_x, along_y) in zip(waves, self.tensor, strict=True):
            total += k * fft.rfft2(along_x * fluxes[0] + along_y * fluxes[1])
        return np.asarray(self.kept * total)

    def advance(self, spectrum: NDArray[Any], duration: float, courant: float = COURANT) -> NDArray[Any]:
        """The spectrum after a time, by equal steps."""
        if duration <= 0.0:
            return spectrum
        longest = min(LONGEST / self.fastest, courant / max(self.frequency, 1e-12))
        steps = int(np.ceil(duration / longest))
        h = np.float32(duration / steps)
        half = np.exp(self.linear * h / 2)
        for _ in range(steps):
            a = h * self.rest(spectrum)
            b = h * self.rest(half * (spectrum + a / 2))
            c = h * self.rest(half * spectrum + b / 2)
            d = h * self.rest(half * (half * spectrum + c))
            spectrum = half * (half * (spectrum + a / 6) + (b + c) / 3) + d / 6
        if not np.isfinite(spectrum).all():
            msg = "the spectral film left its bounds: the step is too long, or the grid too coarse"
            raise em.EmfemError(msg)
        return np.asarray(spectrum)
