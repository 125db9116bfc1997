"""A free energy and a mobility of one's own: the film model as the Cahn-Hilliard equation.

dc/dt = lap (c^3 - c - eps lap c), from the double well (1 - c^2)^2 / 4 and the mobility 1.
"""

import math
from functools import cache

import emfem as em
from emfem.verify.film import cahn_hilliard, kink_error

import numpy as np
import pytest

LENGTH, EPS, UNTIL = 12.0, 0.3, 3.0


def double_well(domain, initial):
    return cahn_hilliard(
        domain, gradient_energy=EPS, initial=initial, free_energy=lambda c: (1 - c**2) ** 2 / 4, mobility=1.0
    )


def test_kink_is_found_at_rest_as_tanh():
    """By pseudo-time, as `emfem verify` finds it by waiting; 3.5e-5 on four Q2 cells to its width, falling as h^3."""
    cells = (40, 60, 80)
    wrong = [kink_error(n, em.solve_steady) for n in cells]
    assert wrong[-1] < 5e-5
    assert -np.polyfit(np.log(cells), np.log(wrong), 1)[0] == pytest.approx(3.0, abs=0.25)


def waves(x):
    k = 2 * math.pi / LENGTH
    return (
        0.1 + 0.3 * np.cos(2 * k * x[0] + k * x[1]) + 0.2 * np.sin(k * (x[0] - 2 * x[1])) + 0.2 * np.cos(3 * k * x[1])
    )


@cache
def spectral(n, steps):
    """The same equation on n x n points by Fourier modes and fourth-order Runge-Kutta with an integrating factor.

    The linear part -eps k^4 - 2 k^2 goes into the factor, the rest -k^2 (c^3 - 3 c) into the stages, with the upper
    third of the spectrum cut off from the products.
    """
    k = 2 * np.pi / LENGTH * np.fft.fftfreq(n, 1 / n)
    square = np.add.outer(k**2, k**2)
    kept = np.maximum.outer(abs(k), abs(k)) < 2 / 3 * abs(k).max()
    dt = UNTIL / steps
    half = np.exp(-(EPS * square**2 + 2 * square) * dt / 2)

    def rest(u):
        c = np.fft.ifft2(u).real
        return -dt * square * kept * np.fft.fft2(c**3 - 3 * c)

    u = np.fft.fft2(waves(np.meshgrid(*[np.arange(n) * LENGTH / n] * 2, indexing="ij")))
    for _ in range(steps):
        a = rest(u)
        b = rest(half * (u + a / 2))
        c = rest(half * u + b / 2)
        d = rest(half**2 * u + half * c)
        u = half**2 * u + (half**2 * a + 2 * half * (b + c) + d) / 6
    return np.fft.ifft2(u).real


def distance(cells, cell):
    """Root mean square distance of the film to the spectral solution over the latter's standard deviation."""
    expected = spectral(48, 800)
    film = double_well(em.mesh.periodic_rectangle((LENGTH, LENGTH), cells=(cells, cells), cell=cell), waves)
    em.evolve(film, UNTIL, rtol=1e-5, progress=False)
    points = np.stack(np.meshgrid(*[np.arange(48) * LENGTH / 48] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    wrong = em.fields.evaluate(film["c"], points) - expected.ravel()
    return math.sqrt(np.mean(wrong**2)) / expected.std()


def test_spectral_solution_is_converged():
    """In its step and its points to 1e-4 of its standard deviation, a tenth of what it is compared with."""
    used, scale = spectral(48, 800), spectral(48, 800).std()
    assert abs(spectral(48, 1600) - used).max() < 1e-4 * scale
    assert abs(spectral(64, 800)[::4, ::4] - used[::3, ::3]).max() < 1e-4 * scale
    assert scale > 0.5  # phases have formed


@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
def test_film_agrees_with_a_spectral_solution(cell):
    """0.14 % on 25 x 25 Q2 cells and 0.25 % on twice as many P2 triangles, falling as h^3 (measured 3.11 and 2.99)."""
    cells = (11, 17, 25)
    found = [distance(n, cell) for n in cells]
    assert found[-1] < 4e-3
    assert -np.polyfit(np.log(cells), np.log(found), 1)[0] == pytest.approx(3.0, abs=0.25)
