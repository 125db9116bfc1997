"""Skeleton graphs: patterns whose ends, forks and loops are known, and films against the other way of counting."""

from __future__ import annotations

from typing import Any

import emfem as em
from emfem.fields import Grid

import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[np.float64]
N, EDGE = 160, 40.0
X, Y = np.meshgrid(*[(np.arange(N) + 0.5) * EDGE / N] * 2, indexing="ij")


def grid(
    values: Array, *, periodic: tuple[bool, bool] = (True, True), lengths: tuple[float, float] = (EDGE, EDGE)
) -> Grid:
    return Grid(values, np.zeros(2), np.array(lengths), periodic)


def stripes(m: int, n: int) -> Array:
    """Waves of wave vector 2 pi (m, n)/EDGE."""
    return np.cos(2 * np.pi * (m * X + n * Y) / EDGE)


def hexagons(sign: float) -> tuple[Array, tuple[float, float], int]:
    """Islands on a triangular lattice, or the net around them; its number of cells."""
    a, columns, rows = 6.0, 6, 4
    lengths = columns * a, rows * np.sqrt(3) * a
    x, y = np.meshgrid(
        *((np.arange(n) + 0.5) * edge / n for n, edge in zip((144, 166), lengths, strict=True)), indexing="ij"
    )
    k = 4 * np.pi / np.sqrt(3) / a
    waves = [np.cos(k * (np.cos(t) * x + np.sin(t) * y)) for t in np.radians([90.0, 30.0, -30.0])]
    return sign * np.sum(waves, axis=0), lengths, 2 * columns * rows


@pytest.mark.parametrize(("m", "n"), [(0, 7), (7, 0), (3, 5), (-4, 6)])
def test_straight_stripes_close_on_themselves(m: int, n: int):
    """gcd(m, n) pieces, each a loop around the film, and no end, fork or error of them."""
    found = em.patterns.skeleton(grid(stripes(m, n)))
    pieces = int(np.gcd(m, n))
    assert (len(found.ends), len(found.forks), found.pieces, found.loops) == (0, 0, pieces, pieces)
    assert found.ends_error == found.forks_error == 0.0
    length = EDGE * np.hypot(m, n)  # of all of them, in steps of pixels: up to 8 % longer
    assert 0.999 * length <= found.lengths.sum() <= 1.09 * length
    assert len(found.lengths) == pieces


def test_a_gap_in_a_stripe_has_two_ends_and_a_bridge_two_forks():
    bands = stripes(0, 5)
    gap = np.where((abs(X - 20.0) < 3.0) & (abs(Y - 16.0) < 4.0), -1.0, bands)
    found = em.patterns.skeleton(grid(gap))
    assert (len(found.ends), len(found.forks), found.pieces, found.loops) == (2, 0, 5, 4)
    assert np.sort(found.ends[:, 0]) == pytest.approx([20.0 - 4.5, 20.0 + 4.5], abs=1.6)
    assert found.ends[:, 1] == pytest.approx([16.0, 16.0], abs=0.5)
    assert found.ends_error == pytest.approx(1.4, abs=0.6)
    bridge = np.where((abs(X - 20.0) < 1.5) & (abs(Y - 20.0) < 4.0), 1.0, bands)
    joined = em.patterns.skeleton(grid(bridge))
    assert (len(joined.ends), len(joined.forks), joined.pieces, joined.loops) == (0, 2, 4, 5)
    assert joined.branching.tolist() == [3, 3]
    assert joined.forks == pytest.approx(np.array([[20.0, 16.0], [20.0, 24.0]]), abs=1.0)


@pytest.mark.parametrize("shift", [(0, 0), (37, 91)])
def test_what_crosses_the_seam_is_what_lies_inside(shift: tuple[int, int]):
    bands = stripes(0, 5)
    bridge = np.where((abs(X - 2.0) < 1.5) & (abs(Y - 36.0) < 4.0), 1.0, bands)
    found = em.patterns.skeleton(grid(np.roll(bridge, shift, (0, 1))))
    assert (len(found.ends), len(found.forks), found.pieces, found.loops) == (0, 2, 4, 5)


def test_a_net_has_two_forks_a_cell_and_islands_have_none():
    """Euler: a net of n cells on a torus has 2 n forks, 3 n branches and n + 1 loops."""
    values, lengths, cells = hexagons(-1.0)
    net = em.patterns.skeleton(grid(values, lengths=lengths))
    assert (len(net.ends), len(net.forks), len(net.lengths)) == (0, 2 * cells, 3 * cells)
    assert (net.pieces, net.loops) == (1, cells + 1)
    values, lengths, cells = hexagons(1.0)
    islands = em.patterns.skeleton(grid(values, lengths=lengths))
    assert (len(islands.forks), islands.pieces, islands.loops) == (0, cells, 0)


def test_stripes_that_leave_an_open_film_have_no_ends_there():
    found = em.patterns.skeleton(grid(stripes(1, 6), periodic=(False, False)))
    assert (len(found.ends), len(found.forks), found.loops) == (0, 0, 0)
    with_hole = np.where(np.hypot(X - 20.0, Y - 20.0) < 6.0, np.nan, stripes(1, 6))
    around = em.patterns.skeleton(grid(with_hole))
    assert len(around.ends) == 0


def coarse(seed: int) -> Array:
    """A labyrinth: random waves of nearly one length."""
    k = 2 * np.pi * np.hypot(*np.meshgrid(*[np.fft.fftfreq(N, EDGE / N)] * 2, indexing="ij"))
    noise = np.fft.fft2(np.random.default_rng(seed).standard_normal((N, N)))
    return np.fft.ifft2(noise * np.exp(-(((k - 1.2) / 0.12) ** 2))).real


@pytest.mark.parametrize(
    "seed", [1, 2, pytest.param(3, marks=pytest.mark.soak), pytest.param(4, marks=pytest.mark.soak)]
)
def test_a_labyrinth_has_the_ends_that_measure_counts(seed: int):
    """Two skeletons and two ways to cut twigs: within twice the error of chance of both."""
    labyrinth = grid(coarse(seed))
    other = em.patterns.measure_grid(labyrinth.values, labyrinth.lengths)
    found, chance = em.patterns.skeleton(labyrinth), em.patterns.errors(labyrinth)
    assert other.ends > 5
    assert abs(len(found.ends) - other.ends) < 2 * chance.ends
    assert found.ends_error == pytest.approx(chance.ends, rel=0.5)
    low = em.patterns.skeleton(grid(-labyrinth.values))
    assert abs(len(low.ends) - other.forks) < 2 * chance.forks


def test_pieces_are_the_domains():
    labyrinth = grid(coarse(5))
    assert (
        em.patterns.skeleton(labyrinth).pieces == em.patterns.measure_grid(labyrinth.values, labyrinth.lengths).domains
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((N, N)), "must be more than uniform to have a skeleton"),
        (np.full((N, N), np.nan), "at least 16"),
        (np.indices((N, N)).sum(axis=0) % 2, r"a wavelength of 1\.41 pixels, must be at least 4"),
    ],
)
def test_what_has_no_skeleton_is_refused(values: Array, words: str):
    with pytest.raises(em.ParameterError, match=words):
        em.patterns.skeleton(grid(values))


def test_a_field_has_the_skeleton_of_its_grid():
    domain = em.mesh.periodic_rectangle((EDGE, EDGE), cells=(20, 20))
    film: Any = em.film.model(domain, em.film.cupd(), initial=lambda x: 0.3 + 0.1 * np.cos(2 * np.pi * 5 * x[1] / EDGE))
    found = em.patterns.skeleton(film["c"], resolution=80)
    assert (len(found.ends), len(found.forks), found.loops) == (0, 0, 5)
