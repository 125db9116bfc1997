"""A developing pattern against a pseudospectral solution of the same equations by another code.

data/film_isotropic_45deg.npz holds c at t = 50 and 300 on 128 x 128 points (i, j) L / 128 in single precision: the
default alloy, isotropic, F = 0.1 at 45 degrees, from four waves about 0.3. That code's own error is below 3e-4 of the
standard deviation of c, on the same scale as the errors below.
"""

import math
from functools import cache
from pathlib import Path

import emfem as em

import numpy as np
import pytest

L = 62.39323093395234
POINTS = (np.arange(101) + 0.5) * L / 101  # coprime to the cells: all places in a cell count the same


def start(x):
    k = 2 * math.pi / L
    waves = np.cos(3 * k * x[0]) + np.sin(k * (2 * x[0] - 4 * x[1])) + np.cos(k * (5 * x[0] + 6 * x[1]) + 1)
    return 0.3 + 0.024 * (waves + np.sin(7 * k * x[1] - 0.5))


@cache
def reference(time):
    """The reference at the points, by its own trigonometric interpolation, shape (101, 101)."""
    with np.load(Path(__file__).parent / "data" / "film_isotropic_45deg.npz") as data:
        c = data[f"c{time}"].astype(float)
    n = len(c)
    waves = np.exp(2j * np.pi * np.outer(POINTS, np.fft.fftfreq(n, 1 / n)) / L)
    return (waves @ np.fft.fft2(c) @ waves.T).real / n**2


def errors(cells, rtol):
    """Root mean square error at t = 50 and 300 over the standard deviation of c, shape (2,)."""
    film = em.film.model(
        em.mesh.periodic_rectangle((L, L), cells=(cells, cells)),
        em.film.cupd(),
        initial=start,
        field=em.film.uniform_field(0.1, math.radians(45.0)),
    )
    seen = em.watch.snapshots("c", times=(50.0, 300.0))
    em.evolve(film, 300.0, rtol=rtol, watch=[seen], progress=False)
    places = np.stack(np.meshgrid(POINTS, POINTS, indexing="ij"), axis=-1).reshape(-1, 2)
    found = []
    for c, time in zip(seen.functions, (50, 300), strict=True):
        expected = reference(time)
        wrong = em.fields.evaluate(c, places).reshape(expected.shape) - expected
        found.append(math.sqrt(np.mean(wrong**2)) / expected.std())
    return found


def test_pattern_agrees_with_the_spectral_one():
    """48 Q2 cells along 12 wavelengths, tolerance 1e-4: 2.7 % measured at t = 300, 5 % asked for.

    Ten times tighter, it is the same 2.7 %. Early on, when the waves are small and smooth, it is 0.56 %.
    """
    early, late = errors(48, 1e-4)
    assert early < 0.01
    assert late < 0.05


def test_distance_to_the_spectral_pattern_falls_at_third_order():
    """Q2 elements leave h^3 in L2 (growth and drift themselves are better, h^4, and lose to it): 3 within 1/4.

    Measured 2.71 from 32 to 48 cells, 3.16 on to 64, 2.88 for the line through the three. With rtol = 1e-4 the error in
    time is a quarter of that on 64 cells and bends the line.
    """
    cells = (32, 48, 64)
    order = -np.polyfit(np.log(cells), np.log([errors(n, 1e-5)[1] for n in cells]), 1)[0]
    assert order == pytest.approx(3.0, abs=0.25)
