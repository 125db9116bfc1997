"""Reports of arXiv:2004.08314 about the film, in words: the direction and the order of its stripes.

Six wavelengths square from a random start of +-0.1, to t = 1000: the patterns are developed then (contrast 0.1), and
not yet free of defects. Bounds on angle and order hold with room to spare for the seeds 1, 2 and 3; seed 1 is run.
"""

import math
from functools import cache

import emfem as em

import numpy as np
import pytest

Crystal = em.film.Anisotropy


@cache
def pattern(strength: float, angle: float, crystal: em.film.Anisotropy, until: float = 1000.0) -> em.patterns.Pattern:
    """The pattern of the default alloy in a field of this strength at this angle [degrees] to the x axis."""
    film = em.film.model(
        em.mesh.periodic_rectangle((31.2, 31.2), cells=(24, 24)),
        em.film.cupd(),
        mean=0.3,
        initial=em.film.noise(0.1, seed=1),
        anisotropy=crystal,
        field=em.film.uniform_field(strength, math.radians(angle)),
    )
    em.evolve(film, until, rtol=1e-3, progress=False)
    return em.patterns.measure(film["c"], resolution=96)


def between(first: float, second: float) -> float:
    """The angle between two directions without sense [degrees]."""
    return abs((first - second + 90) % 180 - 90)


@pytest.mark.parametrize(
    ("angle", "crystal"),
    [(0.0, Crystal()), (90.0, Crystal()), (45.0, Crystal("100", strength=1.0, misorientation=0.5))],
)
def test_stripes_form_along_the_field(angle, crystal):
    """phi_E = 0, 90 and, on [100] where f_x = f_y at any misorientation, 45 degrees.

    Three seeds gave 0.1 to 2.1 degrees off and orders from 0.91 to 0.98; an isotropic pattern has below 0.25.
    """
    found = pattern(0.3, angle, crystal)
    assert found.kind in ("perfect stripes", "zipped stripes")
    assert between(found.angle, angle) < 5.0
    assert found.order > 0.85
    assert found.contrast > 0.08


def test_stripes_on_110_turn_away_from_the_field():
    """With beta = 1 and phi_x = 0 the solute drifts along (f_x cos 45, f_y sin 45) ~ (2, 1): at 26.6 degrees, not 45.

    Three seeds gave 28.0 to 29.6 degrees at t = 1000 and 26.5 at t = 2000.
    """
    found = pattern(0.3, 45.0, Crystal("110", strength=1.0))
    assert between(found.angle, math.degrees(math.atan2(1, 2))) < 6.0
    assert between(found.angle, 45.0) > 10.0
    assert found.order > 0.85


@pytest.mark.parametrize("strength", [0.0, 0.02])
def test_no_field_or_a_weak_one_leaves_the_pattern_disordered(strength):
    """Three seeds gave orders up to 0.18."""
    found = pattern(strength, 0.0, Crystal())
    assert found.kind == "disordered"
    assert found.order < 0.25
    assert found.contrast > 0.08


def test_more_field_makes_straighter_stripes():
    """F = 0.02, 0.1, 0.3: three seeds gave orders of 0.03 to 0.18, 0.54 to 0.62 and 0.93 to 0.96."""
    orders = [pattern(strength, 0.0, Crystal()).order for strength in (0.02, 0.1, 0.3)]
    assert np.diff(orders).min() > 0.2


@pytest.mark.parametrize(("ratio", "slow"), [(0.1, 90.0), (10.0, 0.0)])
def test_bands_run_along_the_slow_direction(ratio, slow):
    """Without a field, ten times slower diffusion along one axis: 1 to 10 degrees off, orders 0.71 to 0.91."""
    found = pattern(0.0, 0.0, Crystal(ratio=ratio))
    assert between(found.angle, slow) < 15.0
    assert found.order > 0.6
