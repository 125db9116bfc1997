"""Thermal noise of a film: its covariance on every element, intervals, structure factor, ranks, restarts, bad input."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import emfem as em
from emfem.errors import ParameterError
from emfem.film.noise import Intervals, RandomFlux
from emfem.solve import TimeStepper
from emfem.studies import Case, templates

import basix
import numpy as np
import pytest
import ufl
from dolfinx import fem
from numpy.typing import NDArray

Array = NDArray[np.float64]

CUPD = em.film.cupd()
CRYSTAL = em.film.Anisotropy("110", 1.0, 0.4, 3.0)
UNIFORM = em.film.UniformFilm(CUPD, mean=0.3)
THETA, INTERVAL = 1e-6, 0.5


def noisy(domain: em.mesh.Domain, *, seed: int = 1, interval: float = INTERVAL, **film: Any) -> em.Model:
    noise = em.film.thermal_noise(interval, seed, strength=film.pop("strength", THETA))
    return em.film.model(domain, CUPD, **{"mean": 0.3, "noise": noise, **film})


def numbers(model: em.Model) -> RandomFlux:
    driver = next(driver for driver in model.drivers if driver.name == "noise")
    return driver.constant


def covariance(model: em.Model) -> tuple[Array, Array]:
    """B B^T of the loads B of single normal numbers, and 2 theta/interval times the matrix of the drift."""
    mu, xi = model["mu"], numbers(model)
    load = fem.form(ufl.extract_blocks(model.residual)[0])  # linear in mu and in the numbers

    def columns(values: Array, size: Array) -> Array:
        found = []
        for i, one in enumerate(size):
            values[i] = one
            found.append(fem.assemble_vector(load).array.copy())
            values[i] = 0.0
        return np.stack(found, axis=1)

    xi.function.x.array[:] = mu.x.array[:] = 0.0
    sizes = np.empty_like(xi.function.x.array).reshape(-1, model.domain.dim)
    sizes[xi.function.function_space.dofmap.list] = 1 / np.sqrt(xi._weights)[:, None]
    loads = columns(xi.function.x.array, sizes.ravel())
    drift = columns(mu.x.array, np.ones_like(mu.x.array))
    return loads @ loads.T, 2 * THETA / INTERVAL * drift


FULL = [[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 3.0]]
DOMAINS: dict[str, tuple[Any, dict[str, Any]]] = {
    "quadrilateral, Q2": (lambda: em.mesh.rectangle((2.0, 1.0), cells=(2, 1)), {"anisotropy": CRYSTAL}),
    "triangle, P3": (
        lambda: em.mesh.rectangle((2.0, 1.0), cells=(1, 1), cell="triangle"),
        {"anisotropy": CRYSTAL, "degree": 3},
    ),
    "thick film": (
        lambda: em.mesh.rectangle((2.0, 1.0), cells=(2, 1)).scaled("h").with_thickness(3.0),
        {"anisotropy": [[2.0, 0.5], [0.5, 1.0]]},
    ),
    "tensor of UFL": (
        lambda: em.mesh.rectangle((2.0, 1.0), cells=(2, 1)),
        {"anisotropy": ufl.as_matrix([[2.0, 0.5], [0.5, 1.0]])},
    ),
    "interval, P2": (lambda: em.mesh.interval(2.0, cells=3), {}),
    "tetrahedron, P2": (
        lambda: em.mesh.box((1.0, 1.0, 1.0), cells=(1, 1, 1), cell="tetrahedron"),
        {"anisotropy": FULL},
    ),
    "shell, P1": (lambda: em.mesh.sphere(1.0, size=1.0), {"anisotropy": CRYSTAL, "degree": 1}),
}
SOAK = ("triangle, P3", "thick film", "tensor of UFL", "tetrahedron, P2")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.soak if n in SOAK else ()) for n in DOMAINS])
def test_covariance_is_that_of_fluctuation_and_dissipation(name: str):
    """The random loads have the covariance of the very matrix that drives c, where the mobility varies too."""
    domain, options = DOMAINS[name]
    model = noisy(domain(), initial=lambda x: 0.3 + 0.1 * np.sin(x[0] + 2 * x[1] + x[2]), mean=None, **options)
    loads, drift = covariance(model)
    assert np.abs(loads - drift).max() <= 1e-13 * np.abs(drift).max()


# ---- intervals


@pytest.mark.parametrize("interval", [0.1, 1 / 3, 7e-5, 1e9])
def test_an_interval_has_its_number_between_its_edges_to_the_last_digit(interval: float):
    wave = Intervals(interval)
    t = 0.0
    for k in range(200):
        edge = wave.next_breakpoint(t)
        assert edge == (k + 1) * interval
        assert wave(t) == k
        assert wave(np.nextafter(edge, 0.0)) == k
        assert wave(edge) == k + 1
        t = edge


def test_no_step_sees_two_intervals():
    """Steps that see the next interval at their end are cut down to nothing before it; these all succeed."""
    model = noisy(em.mesh.interval(20.0, cells=20), strength=1e-5)
    stepper = TimeStepper([model], 5.0)
    seen = []
    while stepper.t < 1.5:
        stepper.step(5.0)
        seen.append((stepper.t, numbers(model).value))
    stepper.close()
    assert stepper.rejected <= 2
    assert {0.5, 1.0, 1.5} <= {t for t, _ in seen}
    assert all(k == np.ceil(t / 0.5 - 1e-9) - 1 for t, k in seen)


def test_the_seed_is_the_film():
    """The same numbers however steps lie; others for another seed, and for another interval of the same run."""
    line = em.mesh.interval(20.0, cells=20)

    def film(seed: int, **options: Any) -> Array:
        model = noisy(line, seed=seed, strength=1e-5)
        em.evolve(model, 1.5, progress=False, **options)
        return model["c"].x.array - 0.3

    first = film(1, rtol=1e-4, atol=1e-7)
    assert np.abs(first).max() > 1e-3
    fixed = film(1, fixed_step=0.05)
    assert np.abs(fixed - first).max() < 0.02 * np.abs(first).max()
    assert abs(np.corrcoef(first, film(2, fixed_step=0.25))[0, 1]) < 0.6
    xi = numbers(noisy(line))
    before = xi.function.x.array.copy()
    xi.value = 1.0
    assert abs(np.corrcoef(before, xi.function.x.array)[0, 1]) < 0.3
    xi.value = 0.0
    assert np.array_equal(before, xi.function.x.array)


def test_a_run_in_two_parts_is_the_run_in_one(tmp_path: Path):
    line = em.mesh.interval(20.0, cells=20)

    def film(seed: int = 1) -> em.Model:
        return noisy(line, seed=seed, strength=1e-5)

    whole = film()
    em.evolve(whole, 1.8, progress=False, fixed_step=0.1)
    folder = tmp_path / "run"
    em.evolve(film(), 0.7, progress=False, fixed_step=0.1, checkpoint=em.checkpoint(folder))
    with pytest.raises(ParameterError, match="residual of the equations"):
        em.resume(folder, film(seed=2), 1.8, progress=False)
    again = film()
    em.resume(folder, again, 1.8, progress=False)
    assert np.abs(again["c"].x.array - whole["c"].x.array).max() < 1e-8  # mu is solved for at the end of a run


# ---- the structure factor


def modes(model: em.Model, length: float, most: float) -> tuple[Array, Array]:
    """Wave numbers up to `most` of a closed line and A |c_k|^2; the grid is so fine that none hides another.

    The longest waves are left out: they gain so little that rounding of the solver is seen.
    """
    points = 16 * model.mesh.topology.index_map(1).size_global
    values = em.fields.sample_grid(model["c"], (points,)).values
    chosen = np.arange(20, int(most * length / (2 * np.pi)))
    power = np.abs(np.fft.rfft(values)[chosen] / points) ** 2
    k = np.asarray(2 * np.pi * chosen[:, None] / length, dtype=np.float64)
    return k, np.asarray(length * power, dtype=np.float64)


@pytest.mark.parametrize(
    ("length", "cells", "allowed"),
    [
        (4000.0, 4000, 0.1),
        pytest.param(16000.0, 16000, 0.03, marks=pytest.mark.soak),
        pytest.param(16000.0, 24000, 0.03, marks=pytest.mark.soak),
    ],
)
def test_structure_factor_before_the_instability_is_that_of_linear_theory(length: float, cells: int, allowed: float):
    """Within 3 % on two meshes: 3800 independent modes leave 1.6 %."""
    until = 10.0
    model = noisy(em.mesh.periodic_interval(length, cells=cells), strength=1e-8, seed=4)
    before = model.quantity("solute")
    em.evolve(model, until, progress=False, fixed_step=INTERVAL)
    assert model.quantity("solute") == pytest.approx(before, rel=1e-11)
    k, measured = modes(model, length, 1.5)  # the fastest wave has 1.2
    noise = em.film.thermal_noise(INTERVAL, strength=1e-8)
    found = measured / em.film.structure_factor(k, until, UNIFORM, noise)
    assert found.mean() == pytest.approx(1.0, abs=allowed)
    assert [part.mean() for part in np.array_split(found, 4)] == pytest.approx([1.0] * 4, abs=3 * allowed)
    assert np.mean(found**2) == pytest.approx(2.0, abs=8 * allowed)  # |c_k|^2 of normal numbers is exponential


class Plane:
    """The waves of a periodic square up to k = 1.8, and what Cook's theory makes of given numbers.

    In each interval the flux pushes a wave by f_k = -i k . int j exp(-i k.r) dx/A, so it becomes
    c_k exp(w D) + f_k (exp(w D) - 1)/w: with the same numbers as the film, whose chance falls out of the comparison.
    """

    def __init__(self, edge: float, domain: em.mesh.Domain, noise: em.film.ThermalNoise) -> None:
        m = np.arange(-int(1.8 * edge / (2 * np.pi)), int(1.8 * edge / (2 * np.pi)) + 1)
        k = 2 * np.pi / edge * np.stack(np.meshgrid(m, m[m >= 0], indexing="ij"), axis=-1)
        size = np.hypot(k[..., 0], k[..., 1])
        self.seen = (size > 0.2) & (size < 1.8) & ((k[..., 1] > 0) | (k[..., 0] > 0))
        self.edge, self.noise, self.m, self.k, self.numbers = edge, noise, m, k, RandomFlux(domain, 4, noise.seed)
        cell, mesh = domain.mesh.basix_cell(), domain.mesh
        points, self.weights = basix.make_quadrature(cell, 4)
        shape = basix.create_element(basix.ElementFamily.P, cell, 1).tabulate(1, points)[..., 0]
        corners = mesh.geometry.x[mesh.geometry.dofmaps[0]][..., :2]
        x = np.einsum("qa,cai->cqi", shape[0], corners).reshape(-1, 2)
        self.volumes = abs(np.linalg.det(np.einsum("da,cai->cid", shape[1:, 0], corners)))
        self.exp = [np.exp(-2j * np.pi / edge * np.outer(x[:, i], n)) for i, n in enumerate((m, m[m >= 0]))]

    def push(self, interval: int) -> NDArray[np.complex128]:
        """f_k of an interval."""
        xi = self.numbers
        xi.value = float(interval)
        flux = xi.function.x.array.reshape(-1, 2)[xi.function.function_space.dofmap.list]
        flux = flux * self.weights[:, None] * np.sqrt(self.volumes)[:, None, None]  # numbers over roots of the weights
        along = sum(self.k[..., i] * (self.exp[0].T @ (flux[..., i].reshape(-1, 1) * self.exp[1])) for i in range(2))
        strength = 2 * float(self.noise.strength or 0.0) * 0.21 / self.noise.interval
        return np.asarray(-1j * np.sqrt(strength) * along / self.edge**2)[self.seen]

    def driven(self, until: float) -> Array:
        """A |c_k|^2 of linear theory with these numbers, over the theory's mean."""
        rate = np.asarray(UNIFORM.growth_rate(self.k[self.seen])).real
        c = np.zeros(len(rate), dtype=complex)
        for interval in range(round(until / self.noise.interval)):
            step = rate * self.noise.interval
            c = c * np.exp(step) + self.push(interval) * np.expm1(step) / rate
        return self.over_theory(c, until)

    def measured(self, model: em.Model, until: float) -> Array:
        """The same of a film."""
        points = 8 * round(np.sqrt(model.mesh.topology.index_map(2).size_global))
        waves = np.fft.fft2(em.fields.sample_grid(model["c"], (points, points)).values) / points**2
        return self.over_theory(waves[np.ix_(self.m % points, self.m[self.m >= 0])][self.seen], until)

    def over_theory(self, c: NDArray[np.complex128], until: float) -> Array:
        theory = em.film.structure_factor(self.k[self.seen], until, UNIFORM, self.noise)
        return np.asarray(self.edge**2 * abs(c) ** 2 / theory)


def both(cells: int, cell: str, seed: int) -> tuple[float, float]:
    """Mean over the waves of the structure factor over the theory's: of a film, and of linear theory with its numbers.

    Their difference is that of the discrete equations; the mean of the second is 1, see below.
    """
    edge, until = 32.0, 10.0
    plane = em.mesh.periodic_rectangle((edge, edge), cells=(cells, cells), cell=cell)
    waves = Plane(edge, plane, em.film.thermal_noise(INTERVAL, seed, strength=1e-8))
    model = noisy(plane, strength=1e-8, seed=seed)
    em.evolve(model, until, progress=False, fixed_step=INTERVAL)
    return float(waves.measured(model, until).mean()), float(waves.driven(until).mean())


def test_a_film_in_the_plane_does_what_linear_theory_makes_of_the_same_noise():
    """With 5 to 10 nodes a wave, 130 waves: 1 % of chance is left, that of what the nodes do not carry."""
    film, linear = both(24, "quadrilateral", seed=1)
    assert film / linear == pytest.approx(1.0, abs=0.04)


@pytest.mark.soak
@pytest.mark.parametrize(("cells", "cell"), [(24, "quadrilateral"), (32, "quadrilateral"), (24, "triangle")])
def test_structure_factor_in_the_plane_is_that_of_linear_theory(cells: int, cell: str):
    """Within 3 %, known to 1 %: chance is taken out by what the same numbers give in linear theory, whose mean is 1."""
    films = np.array([both(cells, cell, seed) for seed in range(1, 11)])
    ratio = 1 + films[:, 0] - films[:, 1]
    assert ratio.std(ddof=1) / np.sqrt(len(ratio)) < 0.01
    assert ratio.mean() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("seeds", [2, pytest.param(50, marks=pytest.mark.soak)])
def test_the_numbers_push_each_wave_as_white_noise_does(seeds: int):
    """<|f_k|^2> = 2 theta M k^2/(A interval); of 130 waves, 20 intervals and 2 or 50 seeds 1.4 or 0.3 % of chance."""
    plane = em.mesh.periodic_rectangle((32.0, 32.0), cells=(24, 24))
    found = []
    for seed in range(seeds):
        waves = Plane(32.0, plane, em.film.thermal_noise(INTERVAL, seed, strength=1e-8))
        white = 2e-8 * 0.21 * (waves.k[waves.seen] ** 2).sum(axis=1) / 32.0**2 / INTERVAL
        found += [abs(waves.push(interval)) ** 2 / white for interval in range(20)]
    assert np.mean(found) == pytest.approx(1.0, abs=4 / np.sqrt(np.size(found)))


@pytest.mark.soak
def test_long_intervals_let_through_what_the_theory_says():
    """In intervals of 8, of waves that decay with a rate of 0.2 to 0.4: a half to two thirds of the noise."""
    noise = em.film.thermal_noise(8.0, strength=1e-8)
    assert noise.seen(np.array([0.0, -0.25, 0.25])) == pytest.approx([1.0, np.tanh(1.0), np.tanh(1.0)])
    length = 4000.0
    model = noisy(em.mesh.periodic_interval(length, cells=8000), strength=1e-8, interval=8.0, seed=4)
    em.evolve(model, 40.0, progress=False, fixed_step=0.5)
    k, measured = modes(model, length, 3.6)
    expected = em.film.structure_factor(k, 40.0, UNIFORM, noise)
    rate = np.asarray(em.film.growth_rate(k, CUPD, mean=0.3)).real
    fast = rate < -0.2
    assert (measured / expected)[fast].mean() == pytest.approx(1.0, abs=0.1)
    assert noise.seen(rate[fast]).mean() < 0.75


def test_theory_of_waves_that_decay_ends_in_equilibrium():
    """theta/(f'' + eps k^2), whatever the crystal; and a wave that neither grows nor decays gains 2 theta M k.Dk t."""
    k = np.array([[3.0, 1.0], [0.0, 4.0]])
    noise = em.film.thermal_noise(1e-9, strength=1e-3)
    crystal = em.film.UniformFilm(CUPD, mean=0.3, anisotropy=CRYSTAL)
    found = em.film.structure_factor(k, 1e3, crystal, noise, start=1.0)
    curvature = 0.1 / 0.21 - 0.3 - 0.55 * 0.4
    assert found == pytest.approx(1e-3 / (curvature + 0.015 * (k**2).sum(axis=1)), rel=1e-9)
    flat: dict[str, Any] = {"free_energy": lambda c: -0.5 * c**2, "mobility": lambda c: 2.0 + 0 * c}
    neutral = em.film.Alloy(0.1, 0.0, 0.0, gradient_energy=1.0)
    film = em.film.UniformFilm(neutral, mean=0.3, **flat)
    still = em.film.structure_factor([1.0, 0.0], 3.0, film, noise, start=0.5)
    assert still == pytest.approx(0.5 + 2 * 1e-3 * 2.0 * 3.0, rel=1e-9)


# ---- physical strength


def test_strength_is_the_thermal_energy_over_that_of_a_square_of_the_thickness():
    alloy = em.film.Alloy.from_physical(
        temperature=923.0,
        film_thickness=2e-9,
        site_density=1.5e19,
        surface_energy=1.95,
        interaction_energy=1.9e-20,
        stress_coefficient=-5e8,
        gradient_coefficient=6e-11,
        diffusivity=1e-14,
    )
    theta = em.film.thermal_noise(1.0).strength_in(alloy)
    assert theta == pytest.approx(1.380649e-23 * 923.0 / (1.95 * 4e-18), rel=1e-12)
    assert alloy.entropy / theta == pytest.approx(1.5e19 * 4e-18, rel=1e-12)  # sites: S/theta of them are independent
    assert em.film.thermal_noise(1.0, strength=1e-4).strength_in(alloy) == 1e-4


# ---- limits


def test_a_case_has_noise_and_its_interval_in_units_of_the_film():
    case = tomllib.loads(templates.text("physical_film"))
    case["film"]["noise"] = {"interval": "2 ms", "seed": 7}
    film = Case.from_dict(case).tables.models()["film"]
    scales = film.alloy.made.scales
    noise = film.noise.build(None)
    assert noise == em.film.thermal_noise(2e-3 / scales.time, 7)
    assert noise.strength_in(film.alloy.made) == scales.noise


def test_no_strength_is_no_noise():
    model = noisy(em.mesh.interval(2.0, cells=2), strength=0.0)
    assert not model.drivers
    assert not model.no_steady_state_reason


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"interval": 0.0}, "interval = 0, must be greater than 0"),
        ({"interval": float("nan")}, "interval = nan, must be"),
        ({"interval": 1.0, "seed": -1}, "seed = -1"),
        ({"interval": 1.0, "seed": 2**65}, "seed"),
        ({"interval": 1.0, "strength": -1e-9}, "strength = -1e-09"),
        ({"interval": "1 s"}, "interval = '1 s'"),
    ],
)
def test_bad_noise_is_refused(bad: dict[str, Any], words: str):
    with pytest.raises(ParameterError, match=words):
        em.film.thermal_noise(**bad)


def test_noise_that_a_film_cannot_have_is_refused():
    line = em.mesh.interval(2.0, cells=2)
    with pytest.raises(ParameterError, match="strength = None, must be given"):
        em.film.model(line, CUPD, mean=0.3, noise=em.film.thermal_noise(1.0))
    with pytest.raises(ParameterError, match="noise"):
        em.film.model(line, CUPD, mean=0.3, noise=em.film.noise(0.1))  # type: ignore[arg-type]
    cube = em.mesh.box((1.0, 1.0, 1.0), cells=(1, 1, 1))
    with pytest.raises(ParameterError, match="anisotropy, must be numbers in space with noise"):
        noisy(cube, anisotropy=ufl.Identity(3) + ufl.zero(3, 3), degree=1)
    with pytest.raises(ParameterError, match="more than 1000000 jumps"):
        em.evolve(noisy(line, interval=1e-7), 1.0, progress=False)
    with pytest.raises(ParameterError, match="never rests"):
        em.solve_steady(noisy(line))


def test_waves_that_travel_see_less_of_the_noise():
    """The sum of what each interval adds, |(exp(w D) - 1)/w|^2/D, over that of white noise."""
    alloy, k, interval, until = CUPD, np.array([2.0, 1.0]), 1.5, 6.0
    noise = em.film.thermal_noise(interval, strength=THETA)
    rate = complex(em.film.growth_rate(k, alloy, mean=0.3, field=(1.0, 0.4)))
    white = (np.exp(2 * until * rate.real) - 1) / (2 * rate.real)
    steps = np.exp(2 * rate.real * interval * np.arange(round(until / interval)))
    part = abs((np.exp(rate * interval) - 1) / rate) ** 2 / interval * steps.sum() / white
    assert part < 0.9
    assert noise.seen(rate) == pytest.approx(part, rel=1e-12)
    assert noise.seen(np.array([1j * rate.imag, 0.0])) == pytest.approx(
        [np.sinc(rate.imag * interval / 2 / np.pi) ** 2, 1.0]
    )
    drifting, still = (
        em.film.structure_factor(k, until, em.film.UniformFilm(alloy, 0.3, field=force), noise)
        for force in ((1.0, 0.4), None)
    )
    assert drifting / still == pytest.approx(part / noise.seen(rate.real), rel=1e-12)


@pytest.mark.parametrize("start", [-1.0, float("nan"), [1.0, 2.0, 3.0], [1.0, -1.0]])
def test_a_start_that_is_no_structure_factor_is_refused(start: Any):
    noise = em.film.thermal_noise(0.5, strength=THETA)
    with pytest.raises(ParameterError, match=r"^start = .*, must be at least 0, and a number or one for each wave"):
        em.film.structure_factor([[1.0, 0.0], [2.0, 0.0]], 1.0, UNIFORM, noise, start=start)
    with pytest.raises(ParameterError, match=r"^rate = nan, must be finite"):
        noise.seen(float("nan"))
