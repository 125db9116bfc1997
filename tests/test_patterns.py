"""Patterns of known answer: stripes at every lattice tilt, dislocations, rings of waves, droplets, noise, bad input."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import emfem as em
from emfem.errors import ParameterError
from emfem.patterns import Pattern, measure, measure_grid

import numpy as np
import pytest
import ufl
from dolfinx import fem
from numpy.typing import NDArray

Array = NDArray[np.float64]
SQUARE = (1.0, 1.0)
OPEN = (False, False)


def grid(nx: int, ny: int, lx: float = 1.0, ly: float = 1.0) -> tuple[Array, Array]:
    x, y = np.meshgrid((np.arange(nx) + 0.5) * lx / nx, (np.arange(ny) + 0.5) * ly / ny, indexing="ij")
    return x, y


def waves(m: float, n: float, points: int = 128, shift: float = 0.3) -> Array:
    """Phase of stripes with m periods along x and n along y; the shift keeps crests off the grid points."""
    x, y = grid(points, points)
    return 2 * np.pi * (m * x + n * y) + shift


def film(shape: Array) -> Array:
    return 0.3 + 0.1 * shape


def turn(angle: float, other: float) -> float:
    """Smallest angle between two directions that have no head."""
    return abs((angle - other + 90) % 180 - 90)


def ring(rng: np.random.Generator, spread: float, axis: float, points: int = 128, radius: int = 12) -> Array:
    """Random waves on the lattice, of wave number 12 +- 1, within a spread (degrees) around stripes along the axis."""
    k = np.fft.fftfreq(points, 1 / points)
    kx, ky = np.meshgrid(k, k, indexing="ij")
    stripe = np.degrees(np.arctan2(ky, kx)) + 90
    away = np.abs((stripe - axis + 90) % 180 - 90)
    chosen = (np.abs(np.hypot(kx, ky) - radius) < 1) & (away <= spread)
    noise = np.fft.fft2(rng.standard_normal((points, points)))
    field = np.fft.ifft2(noise * chosen).real
    return np.asarray(field / field.std())


def dislocated(pairs: list[tuple[float, float, float, float]]) -> Array:
    """12 horizontal stripes with pairs of dislocations; images in the next cells make the field nearly periodic."""
    x, y = grid(128, 128)
    phase = waves(0, 12)
    for x1, y1, x2, y2 in pairs:
        for i in range(-3, 4):
            for j in range(-3, 4):
                phase = phase + np.arctan2(y - y1 - j, x - x1 - i) - np.arctan2(y - y2 - j, x - x2 - i)
    return np.cos(phase)


@pytest.mark.parametrize("m", range(6))
@pytest.mark.parametrize("n", [-5, -2, 3, 4])
def test_every_lattice_tilt(m: int, n: int) -> None:
    """A wave of one lattice vector: the gradient and the spectrum have a single direction, so all errors are small."""
    p = measure_grid(film(np.cos(waves(m, n, 64))), SQUARE)
    assert p.kind == "perfect stripes"
    assert p.stripes == abs(m) + abs(n)
    assert p.density == pytest.approx(abs(m) + abs(n), rel=1e-2)
    # 9 pixels a wavelength leave the sampled Gaussian derivative a few hundredths of a degree of grid anisotropy.
    assert turn(p.angle, math.degrees(math.atan2(n, m)) + 90) < 0.1
    assert p.wavelength == pytest.approx(1 / math.hypot(m, n), rel=1e-6)
    assert p.order == pytest.approx(1, abs=1e-3)
    assert p.contrast == pytest.approx(0.1 / math.sqrt(2), rel=1e-6)
    assert (p.ends, p.forks, p.domains) == (0, 0, math.gcd(m, n))


@pytest.mark.parametrize("profile", ["sharp", "minority", "modulated", "noisy", "long trend"])
@pytest.mark.parametrize(("m", "n"), [(0, 12), (12, 0), (6, -6), (4, 9)])
def test_profile_does_not_matter(m: int, n: int, profile: str) -> None:
    x, y = grid(128, 128)
    wave = np.cos(waves(m, n))
    shape = {
        "sharp": np.tanh(5 * wave),
        "minority": np.tanh(5 * (wave - 0.6)),
        "modulated": wave * (1 + 0.5 * np.sin(2 * np.pi * x) * np.cos(2 * np.pi * y)),
        "noisy": wave + 0.4 * np.random.default_rng(1).standard_normal(x.shape),
        "long trend": wave + 0.3 * np.sin(2 * np.pi * x),
    }[profile]
    p = measure_grid(film(shape), SQUARE)
    assert (p.kind, p.stripes) == ("perfect stripes", m + abs(n))
    assert turn(p.angle, math.degrees(math.atan2(n, m)) + 90) < 1
    # Side bands of the modulation and white noise inside the peak's band move its centroid by up to 1 %.
    assert p.wavelength == pytest.approx(1 / math.hypot(m, n), rel=0.015)


def test_eight_pixels_a_wavelength_are_enough() -> None:
    p = measure_grid(film(np.cos(waves(5, 6, 62))), SQUARE)
    assert (p.kind, p.stripes, p.defects) == ("perfect stripes", 11, 0)


@pytest.mark.parametrize("angle", [0, 5, 30, 45, 80, 90, 120, 175])
@pytest.mark.parametrize("lengths", [(1.0, 1.0), (3.0, 1.0)])
def test_open_film_of_any_angle(angle: float, lengths: tuple[float, float]) -> None:
    """Bands that leave through the edge are no free ends; the Hann window costs up to 1 % of the wavelength."""
    x, y = grid(round(96 * lengths[0]), 96, *lengths)
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    p = measure_grid(film(np.cos(2 * np.pi * (c * y - s * x) / 0.12)), lengths, periodic=OPEN)
    assert p.kind == "perfect stripes"
    assert turn(p.angle, angle) < 1
    assert p.wavelength == pytest.approx(0.12, rel=0.02)
    across = (lengths[0] * s + lengths[1] * abs(c)) / 0.12
    assert p.stripes == pytest.approx(across, abs=0.5 + 0.02 * across)
    assert p.density == pytest.approx(across / (lengths[0] * lengths[1]), rel=0.02)


@pytest.mark.parametrize("angle", [0, 20, 90, 133])
def test_round_film_with_a_hole(angle: float) -> None:
    x, y = grid(160, 160)
    radius = np.hypot(x - 0.5, y - 0.5)
    inside = (radius < 0.48) & (radius > 0.12)
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    values = np.where(inside, film(np.cos((c * y - s * x) * 2 * np.pi / 0.08)), np.nan)
    p = measure_grid(values, SQUARE, periodic=OPEN, inside=inside)
    assert (p.kind, p.stripes) == ("perfect stripes", 12)
    assert turn(p.angle, angle) < 1
    assert p.wavelength == pytest.approx(0.08, rel=0.02)


def test_linear_drift_of_an_open_film_is_no_stripe() -> None:
    x, _ = grid(128, 128)
    p = measure_grid(film(np.cos(waves(6, 6)) + 8 * x), SQUARE, periodic=OPEN)
    assert (p.kind, p.stripes) == ("perfect stripes", 12)
    assert turn(p.angle, 135) < 1


def test_seam_of_a_periodic_film_is_no_edge() -> None:
    """The same stripes are 3 rings on the closed film, but 3 + 6 bands on the open one."""
    values = film(np.cos(waves(3, 6)))
    assert measure_grid(values, SQUARE).domains == 3
    assert measure_grid(values, SQUARE, periodic=OPEN).domains >= 9


@pytest.mark.parametrize(("periodic", "domains"), [((True, True), 1), ((True, False), 2), ((False, False), 4)])
def test_droplet_in_the_corner_joins_through_the_periodic_edges(periodic: tuple[bool, bool], domains: int) -> None:
    x, y = grid(64, 64)
    p = measure_grid(film(np.tanh(8 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y) - 1))), SQUARE, periodic=periodic)
    assert p.domains == domains


@pytest.mark.parametrize("pairs", [1, 2])
def test_dislocations_zip_the_stripes(pairs: int) -> None:
    """A pair inserts one half-stripe: each of its two dislocations is one end or one fork."""
    places = [(0.25, 0.27, 0.7, 0.27), (0.2, 0.77, 0.75, 0.77)]
    p = measure_grid(film(dislocated(places[:pairs])), SQUARE)
    assert p.kind == "zipped stripes"
    assert p.defects == 2 * pairs
    assert p.stripes in (12, 13)
    assert turn(p.angle, 0) < 3


def test_isotropic_ring_is_disordered() -> None:
    rng = np.random.default_rng(5)
    for _ in range(4):
        p = measure_grid(film(ring(rng, 90, 0)), SQUARE)
        assert p.kind == "disordered"
        assert p.order < 0.3
        assert p.wavelength == pytest.approx(1 / 12, rel=0.03)
        assert 0 <= p.angle < 180


@pytest.mark.parametrize("axis", [0, 30, 90, 135])
def test_loose_ring_is_connected_domains(axis: float) -> None:
    """Directions spread evenly over +-55 degrees have <cos 2 delta> = sin(1.92) / 1.92; random weights scatter it."""
    rng = np.random.default_rng(7)
    found = [measure_grid(film(ring(rng, 55, axis)), SQUARE) for _ in range(6)]
    assert {p.kind for p in found} == {"connected domains"}
    # A hundred random waves: a run scatters by 0.07 in order and 7 degrees; 0.08 is 3 deviations of the mean of six.
    assert np.mean([p.order for p in found]) == pytest.approx(math.sin(1.92) / 1.92, abs=0.08)
    assert max(turn(p.angle, axis) for p in found) < 20


def test_defects_grow_with_the_spread() -> None:
    rng = np.random.default_rng(9)
    mean = [np.mean([measure_grid(film(ring(rng, s, 0)), SQUARE).defects for _ in range(2)]) for s in (10, 35, 60, 90)]
    assert mean == sorted(mean)


def test_droplets_are_disordered_and_each_has_two_ends() -> None:
    x, y = grid(128, 128)
    near = np.hypot((5 * x + 0.2) % 1 - 0.5, (5 * y + 0.4) % 1 - 0.5)
    p = measure_grid(film(np.tanh((0.25 - near) / 0.06)), SQUARE)
    assert (p.kind, p.domains, p.ends, p.forks) == ("disordered", 25, 50, 0)
    assert p.order < 0.05


def test_noise_is_disordered() -> None:
    p = measure_grid(film(np.random.default_rng(3).standard_normal((96, 96))), SQUARE)
    assert p.kind == "disordered"
    assert p.order < 0.1


@pytest.mark.parametrize("amplitude", [0.0, 5e-4])
def test_uniform_film(amplitude: float) -> None:
    p = measure_grid(0.3 + amplitude * np.cos(waves(3, 4)), SQUARE)
    assert (p.kind, p.stripes, p.density, p.order, p.defects) == ("uniform", 0, 0.0, 0.0, 0)
    assert str(p).startswith("uniform")


def test_trend_of_an_open_film_alone_is_uniform() -> None:
    x, y = grid(64, 32, 2.0, 1.0)
    p = measure_grid(0.3 + 0.1 * x - 0.2 * y, (2.0, 1.0), periodic=OPEN)
    assert (p.kind, p.stripes) == ("uniform", 0)
    assert p.contrast == pytest.approx(0.2 / math.sqrt(12) * math.sqrt(2), rel=0.01)


@pytest.mark.parametrize("lengths", [(1.0, 1.0), (4.0, 1.0), (1.0, 3.0)])
def test_single_stripe_is_found(lengths: tuple[float, float]) -> None:
    x, _ = grid(48, 48, *lengths)
    p = measure_grid(film(np.cos(2 * np.pi * x / lengths[0] + 0.3)), lengths)
    assert (p.kind, p.stripes, p.domains) == ("too few waves", 1, 1)
    assert p.wavelength == pytest.approx(lengths[0], rel=1e-6)
    assert turn(p.angle, 90) < 1e-6


def same(p: Pattern, q: Pattern, **changed: Any) -> None:
    """Equal but for rounding, and for the entries that were meant to change."""
    names = p.__dataclass_fields__
    for name, a, b in zip(names, astuple(p), astuple(q), strict=True):
        expected = changed.get(name, b)
        if name == "angle":
            assert turn(a, expected) < 1e-6
        elif isinstance(a, float):
            assert a == pytest.approx(expected, rel=1e-9), name
        else:
            assert a == expected, name


@pytest.fixture(scope="module", params=["stripes", "dislocations", "ring"])
def values(request: pytest.FixtureRequest) -> Array:
    rng = np.random.default_rng(11)
    shapes = {"stripes": np.cos(waves(5, 8)), "dislocations": dislocated([(0.25, 0.27, 0.7, 0.27)])}
    return film(shapes[request.param] if request.param in shapes else ring(rng, 40, 30))


def test_shift_changes_nothing(values: Array) -> None:
    for shift in [(1, 0), (0, 64), (37, -51)]:
        same(measure_grid(np.roll(values, shift, (0, 1)), SQUARE), measure_grid(values, SQUARE))


def test_scale_changes_contrast_alone(values: Array) -> None:
    p = measure_grid(values, SQUARE)
    same(measure_grid(2.5 * values - 0.4, SQUARE), p, contrast=2.5 * p.contrast)


def test_length_scales_wavelength_and_density(values: Array) -> None:
    p = measure_grid(values, SQUARE)
    q = measure_grid(values, (40.0, 40.0))
    same(q, p, wavelength=40 * p.wavelength, density=p.density / 1600)


def test_quarter_turn_adds_90_degrees(values: Array) -> None:
    """Thinning treats the four sides in turn, so a fork may move by a pixel; nothing else can differ."""
    p, q = measure_grid(values, SQUARE), measure_grid(np.rot90(values), SQUARE)
    assert abs(p.defects - q.defects) <= 0.05 * p.defects
    same(q, p, angle=p.angle - 90, ends=q.ends, forks=q.forks)


def test_transposition_mirrors_the_angle(values: Array) -> None:
    p, q = measure_grid(values, SQUARE), measure_grid(values.T, SQUARE)
    same(q, p, angle=90 - p.angle, ends=q.ends, forks=q.forks)


def test_negative_exchanges_ends_and_forks(values: Array) -> None:
    p, q = measure_grid(values, SQUARE), measure_grid(-values, SQUARE)
    same(q, p, ends=p.forks, forks=p.ends, domains=q.domains)


@pytest.mark.parametrize("points", [(128, 64), (64, 128), (96, 80)])
def test_rectangle_and_oblong_pixels(points: tuple[int, int]) -> None:
    x, y = grid(*points, 2.0, 1.0)
    p = measure_grid(film(np.cos(2 * np.pi * (3 * x + 6 * y))), (2.0, 1.0))
    assert (p.kind, p.stripes) == ("perfect stripes", 12)
    assert p.density == pytest.approx(6, rel=0.01)
    assert turn(p.angle, math.degrees(math.atan2(6, 3)) + 90) < 0.5
    assert p.wavelength == pytest.approx(1 / math.hypot(3, 6), rel=1e-6)


def test_report_and_fields() -> None:
    p = measure_grid(film(np.cos(waves(0, 12))), SQUARE)
    assert str(p).startswith("perfect stripes: 12 stripes at 0.0 deg")
    with pytest.raises(AttributeError):
        p.kind = "other"  # type: ignore[misc]


GOOD = film(np.cos(waves(3, 4, 32)))
SPOILT = np.where(np.arange(32 * 32).reshape(32, 32) == 77, np.nan, GOOD)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((GOOD[0], SQUARE), {}, r"shape \(32,\)"),
        ((GOOD[:3], SQUARE), {}, r"at least 4"),
        ((SPOILT, SQUARE), {}, r"1 NaN or infinite"),
        ((GOOD, (1.0, 0.0)), {}, r"above 0"),
        ((GOOD, (1.0, np.nan)), {}, r"finite"),
        ((GOOD, (1.0,)), {}, r"two finite numbers"),
        ((GOOD, SQUARE), {"inside": np.ones((4, 4))}, r"shape \(4, 4\)"),
        ((GOOD, SQUARE), {"inside": np.zeros((32, 32))}, r"0 true points"),
        ((GOOD, SQUARE), {"periodic": (True,)}, r"periodic"),
    ],
)
def test_bad_input_is_named(arguments: tuple[Any, Any], options: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        measure_grid(*arguments, **options)


def test_nan_outside_the_film_is_allowed() -> None:
    p = measure_grid(SPOILT, SQUARE, inside=~np.isnan(SPOILT))
    assert p.stripes == 7


def test_too_coarse_a_resolution_is_named() -> None:
    with pytest.raises(ParameterError, match="resolution = 8, must be at least 16"):
        measure(fem.Function(fem.functionspace(em.mesh.interval(1.0, cells=2).mesh, ("DG", 0))), resolution=8)


# ---- the direction of bands on a mesh of any shape


def banded(angle: float, domain: em.mesh.Domain) -> fem.Function:
    """Bands of wavelength 2 at an angle in degrees to the x axis."""
    field = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 2)))
    across = (-np.sin(np.radians(angle)), np.cos(np.radians(angle)))
    field.interpolate(lambda x: np.cos(np.pi * (across[0] * x[0] + across[1] * x[1])))
    return field


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 135.0])
def test_bands_have_the_direction_they_were_given(angle: float):
    domain = em.mesh.disk(4.0, electrodes=0, size=0.5)
    found, order = em.patterns.direction(banded(angle, domain))
    assert abs((found - angle + 90) % 180 - 90) < 1.0
    assert order > 0.98


def test_the_direction_of_a_part_is_its_own():
    domain = em.mesh.rectangle((8.0, 4.0), cells=(32, 16))
    x = ufl.SpatialCoordinate(domain.mesh)
    field = banded(20.0, domain)
    other = banded(110.0, domain)
    left = fem.Function(field.function_space)
    place = left.function_space.tabulate_dof_coordinates()[:, 0]
    left.x.array[:] = np.where(place < 4.0, field.x.array, other.x.array)
    west, east = ufl.conditional(ufl.lt(x[0], 3.5), 1.0, 0.0), ufl.conditional(ufl.gt(x[0], 4.5), 1.0, 0.0)
    assert em.patterns.direction(left, weight=west)[0] == pytest.approx(20, abs=1)
    assert em.patterns.direction(left, weight=east)[0] == pytest.approx(110, abs=1)
    assert em.patterns.direction(left)[1] < 0.3  # at right angles they cancel, but for the jump between them


def test_what_has_no_direction_is_refused():
    flat = fem.Function(fem.functionspace(em.mesh.rectangle((1.0, 1.0), cells=(2, 2)).mesh, ("Lagrange", 1)))
    with pytest.raises(ParameterError, match="mean square gradient = 0, must be greater than 0"):
        em.patterns.direction(flat)
    line = fem.Function(fem.functionspace(em.mesh.interval(1.0, cells=2).mesh, ("Lagrange", 1)))
    with pytest.raises(ParameterError, match="needs a scalar in a plane"):
        em.patterns.direction(line)


# ---- structure factor, places of defects, errors, survival


def as_grid(values: Array, lengths: tuple[float, float] = SQUARE, periodic: tuple[bool, bool] = (True, True)) -> Any:
    return em.fields.Grid(values, np.zeros(2), np.asarray(lengths), periodic)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: em.mesh.tube(radius=1.0, length=2.0, size=1.0),
            "field on a shell, must be on a film in a plane: unroll",
        ),
        (lambda: em.mesh.interval(1.0, cells=4), "field on a mesh of dimension 1, must be on a film in a plane"),
    ],
)
def test_a_field_that_is_on_no_film_in_a_plane_is_refused(make: Callable[[], em.mesh.Domain], message: str):
    space = fem.functionspace(make().mesh, ("Lagrange", 1))
    with pytest.raises(em.ParameterError, match=message):
        measure(fem.Function(space))


def test_structure_factor_of_a_wave_is_all_in_its_shell_and_sector():
    """A cosine of amplitude a has S = A a^2/4 at k and at -k, in the sector of 45 degrees."""
    x, y = grid(64, 96, 2.0, 3.0)
    k = 2 * np.pi * 3
    found = em.patterns.structure_factor(as_grid(0.3 + 0.1 * np.cos(k * x + k * y), (2.0, 3.0)), sectors=4)
    i = int(np.argmax(found.power))
    assert found.wavenumber[i] == pytest.approx(k * math.sqrt(2), rel=0.03)
    assert found.power[i] * found.modes[i] == pytest.approx(6.0 * 0.1**2 / 4, rel=1e-10)
    assert np.delete(found.power, i).max() < 1e-25
    assert found.angle.tolist() == [22.5, 67.5, 112.5, 157.5]
    assert np.nanargmax(found.power_by_angle[i]) == 1  # a sector has its lower limit
    assert found.modes.sum() == pytest.approx(np.pi * (96 * np.pi / 3) ** 2 / 2 / (2 * np.pi) ** 2 * 6, rel=0.03)


@pytest.mark.parametrize("periodic", [(True, True), (True, False), (False, False)])
def test_structure_factor_of_white_noise_is_its_variance_per_pixel(periodic: tuple[bool, bool]):
    """S = variance * area of a pixel in every shell; shells differ from that by their errors."""
    values = np.random.default_rng(5).standard_normal((128, 128))
    found = em.patterns.structure_factor(as_grid(values, SQUARE, periodic), width=2 * np.pi * 4)
    assert np.average(found.power, weights=found.modes) == pytest.approx(1 / 128**2, rel=0.03)
    off = (found.power - 1 / 128**2)[2:] / found.error[2:]
    assert 0.6 < np.std(off) < 1.5


def test_places_of_defects_are_where_they_were_put():
    """Two pairs of dislocations; their ends and forks lie within a wavelength of the phase's singular points."""
    pairs = [(0.25, 0.27, 0.7, 0.27), (0.2, 0.77, 0.75, 0.77)]
    values = dislocated(pairs)
    pattern, found = measure_grid(values, SQUARE), em.patterns.defects(as_grid(values))
    assert (len(found.ends), len(found.forks)) == (pattern.ends, pattern.forks)
    places = np.concatenate([found.ends, found.forks])
    assert len(places) == 4
    for pair in pairs:
        for place in (pair[:2], pair[2:]):
            assert np.hypot(*(places - place).T).min() < 1 / 12
    uniform = em.patterns.defects(as_grid(np.full((32, 32), 0.3)))
    assert (uniform.ends.shape, uniform.forks.shape) == ((0, 2), (0, 2))


def test_errors_are_the_spread_over_many_films():
    """Bootstrap of single films against the spread of 16 films that differ by their random numbers only."""
    films = [as_grid(ring(np.random.default_rng(seed), 30.0, 40.0)) for seed in range(16)]
    patterns = [measure_grid(film.values, SQUARE) for film in films]
    errors = [em.patterns.errors(film) for film in films[:4]]
    assert errors[0].blocks == 36
    assert errors[0] == em.patterns.errors(films[0])
    # the waves of a ring are coherent across the film: more films have 0.44, 0.39, 0.91, 0.92
    for name, low, high in (("angle", 0.25, 1.0), ("order", 0.25, 1.0), ("ends", 0.6, 1.5), ("forks", 0.6, 1.5)):
        spread = np.std([getattr(pattern, name) for pattern in patterns])
        assert low < np.mean([getattr(error, name) for error in errors]) / spread < high, name


def test_errors_of_perfect_stripes_are_nothing():
    found = em.patterns.errors(as_grid(film(np.cos(waves(3, 8)))))
    assert (found.ends, found.forks) == (0.0, 0.0)
    assert found.angle < 0.5
    assert found.order < 1e-2
    with pytest.raises(ParameterError, match="uniform"):
        em.patterns.errors(as_grid(np.full((32, 32), 0.3)))
    with pytest.raises(ParameterError, match="blocks of two wavelengths = "):
        em.patterns.errors(as_grid(film(np.cos(waves(0, 3)))))


def test_survival_is_that_of_kaplan_and_meier():
    """Six runs by hand: at 2 one of six, at 4 one of the four left, at 7 one of the two left."""
    found = em.patterns.survival([2.0, 3.0, 4.0, 5.0, 7.0, 9.0], [True, False, True, False, True, False])
    assert found.times.tolist() == [2.0, 4.0, 7.0]
    assert found.waiting == pytest.approx([5 / 6, 5 / 6 * 3 / 4, 5 / 6 * 3 / 4 / 2])
    assert (found.runs, found.reached) == (6, 3)
    assert (found.low < found.waiting).all()
    assert (found.high > found.waiting).all()
    assert (found.median, found.quantile(0.2), found.quantile(0.9)) == (7.0, 4.0, math.inf)
    every = em.patterns.survival([1.0, 2.0], [True, True])
    assert (every.waiting[-1], every.low[-1], every.high[-1]) == (0.0, 0.0, 1.0)
    none = em.patterns.survival([5.0, 6.0], [False, False])
    assert (none.median, none.reached, len(none.times)) == (math.inf, 0, 0)


@pytest.mark.parametrize(
    ("times", "reached", "words"),
    [
        ([], [], "one each of every run"),
        ([1.0, 2.0], [True], "one each of every run"),
        ([1.0, -2.0], [True, True], "at least 0"),
        ([1.0, math.nan], [True, True], "must be finite"),
        ([1.0, 2.0], [1.0, math.nan], "reached = [1.0, nan], must be True or False"),
        ([1.0, 2.0], [7.5, 0.0], "reached = [7.5, 0.0], must be True or False"),
    ],
)
def test_bad_runs_have_no_survival(times: list[float], reached: list[Any], words: str):
    with pytest.raises(ParameterError, match=re.escape(words)):
        em.patterns.survival(times, reached)


def test_a_straight_part_of_a_bent_film_is_measured_alone() -> None:
    """Stripes across each arm of an L, as a field that turns makes them: one arm has a direction, both have none."""
    corner = em.mesh.polygon(
        [(0, 0), (40, 0), (40, 16), (16, 16), (16, 40), (0, 40)], electrodes={"end": [(40, 0), (40, 16)]}, size=1.0
    )
    c = fem.Function(fem.functionspace(corner.mesh, ("Lagrange", 2)), name="c")
    c.interpolate(lambda x: 0.3 + 0.1 * np.cos(np.pi / 2 * np.where(x[0] > 16, x[0], x[1])))
    arm, other = (em.patterns.measure(c, within=box) for box in ([(18, 0), (38, 16)], [(0, 18), (16, 38)]))
    assert (arm.kind, other.kind) == ("perfect stripes", "perfect stripes")
    assert arm.angle == pytest.approx(90, abs=1)
    assert abs(turn(other.angle, 0.0)) < 1
    assert arm.wavelength == pytest.approx(4.0, rel=0.02)
    assert arm.stripes == 5
    assert em.patterns.measure(c).order < 0.5
    for box, message in {
        ((0, 0),): "within .* must be two corners",
        ((5, 5), (1, 9)): r"within = .*, must be a lower and an upper corner",
        ((20, 20), (38, 38)): r"within = .*, must have a part of the film in it",
    }.items():
        with pytest.raises(em.ParameterError, match=message):
            em.patterns.measure(c, within=box)
