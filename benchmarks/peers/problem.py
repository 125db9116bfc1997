"""The film that every program solves: its constants, its start, and the measure of the error.

C_t = div(M D (grad mu - F)), mu = f'(C) - eps lap C, M = C (1 - C), on a periodic square.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ENTROPY, ENTHALPY, EXPANSION, GRADIENT = 0.1, 0.15, -0.55, 0.015  # S, W, alpha, eps of a CuPd-like film [-]
MEAN = 0.3
SIDE = 62.39323093395234  # twelve wavelengths of the fastest growth
SAMPLES = 101  # along a side: coprime to all grids, so that no program is read at its nodes alone
MARGIN = 1e-6  # of the logarithm's argument to 0 and 1


@dataclass(frozen=True)
class Case:
    """A film.

    Attributes:
        until: the time at which programs are compared [-].
        diffusion: diagonal of D [-].
        drift: F [-].
    """

    name: str
    until: float
    diffusion: tuple[float, float] = (1.0, 1.0)
    drift: tuple[float, float] = (0.1 * math.sqrt(0.5), 0.1 * math.sqrt(0.5))

    def shorter(self, until: float) -> Case:
        """Return the case to an earlier time."""
        return replace(self, until=until)


CASES = {
    case.name: case
    for case in (
        Case("film", 300.0),
        # Lambda = 100 and beta = 1: f_x = 2, Lambda f_y = 200. Growth along y is 200 times faster.
        Case("anisotropic", 1.5, diffusion=(2.0, 200.0)),
    )
}


def start(x: Array, y: Array) -> Array:
    """Return the composition at the start: four waves about the mean."""
    k = 2 * math.pi / SIDE
    waves = np.cos(3 * k * x) + np.sin(k * (2 * x - 4 * y)) + np.cos(k * (5 * x + 6 * y) + 1)
    return MEAN + 0.024 * (waves + np.sin(7 * k * y - 0.5))


def potential(c: Array) -> Array:
    """Return f'(c)."""
    inside = np.clip(c, MARGIN, 1 - MARGIN)
    return ENTROPY * np.log(inside / (1 - inside)) + ENTHALPY * (1 - 2 * c) + EXPANSION * (c - c * c)


def potential_text(c: str, log: str) -> str:
    """Return f'(c) as text, for programs that read formulas."""
    return f"{ENTROPY}*{log}({c}/(1-{c})) + {ENTHALPY}*(1-2*{c}) + {EXPANSION}*({c}-{c}**2)"


def sample_points() -> Array:
    """Return the points at which results are compared, shape (n, 2)."""
    along = (np.arange(SAMPLES) + 0.5) * SIDE / SAMPLES
    return np.stack(np.meshgrid(along, along, indexing="ij"), axis=-1).reshape(-1, 2)


def sample_grid(values: Array, offset: float) -> Array:
    """Return values of a periodic grid, shape (n, n), at the sample points, by trigonometric interpolation.

    It is the most that can be read from a grid: the error is that of the program, none of it of the reading.

    Args:
        values: at (i + offset) SIDE / n, the x axis first.
        offset: 0 for nodes, 1/2 for the centres of cells.
    """
    n = len(values)
    along = (np.arange(SAMPLES) + 0.5) * SIDE / SAMPLES - offset * SIDE / n
    waves = np.exp(2j * np.pi * np.outer(along, np.fft.fftfreq(n, 1 / n)) / SIDE)
    return (waves @ np.fft.fft2(values) @ waves.T).real.ravel() / n**2


def error(values: Array, reference: Array) -> float:
    """Return the root mean square difference over the standard deviation of the reference."""
    return float(np.sqrt(np.mean((values - reference) ** 2)) / reference.std())
