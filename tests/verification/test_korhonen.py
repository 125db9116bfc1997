"""Stress in lines and trees against closed forms and worked numbers; rates in space and time."""

from __future__ import annotations

from functools import partial
from typing import Any

import emfem as em
from emfem.materials import Material
from emfem.units import MPa, boltzmann, elementary_charge, eV, nm, um, year
from emfem.verify.reference import STAR_STRESS
from tests.reference import DIGITS, STAR, STAR_CURRENTS, reference_copper

import numpy as np
import pytest
from dolfinx import fem

close = partial(pytest.approx, abs=0.0)
LENGTH = 50 * um
DENSITY = 1e10
GRADIENT = 3.054998e12  # Pa/m, of the reference line
SCALED = {0.001: 0.03568248, 0.01: 0.11283792, 0.05: 0.25204391, 0.1: 0.34894095, 0.3: 0.47901708, 1.0: 0.49997904}


COPPER = reference_copper()
KAPPA = COPPER.derived(length=LENGTH, current_density=DENSITY).stress_diffusivity
CASE: dict[str, Any] = {"length": LENGTH, "current_density": DENSITY, "material": COPPER}


def line(cells: int = 50, material: Material = COPPER, **given: Any) -> em.Model:
    domain = em.mesh.interval(LENGTH, cells=cells, names=("anode", "cathode"))
    return em.stress.model(domain, material, **({"current_density": DENSITY} | given))


def march(model: em.Model, until: float, **given: Any) -> em.Run:
    """Errors of time below those of the mesh."""
    return em.evolve(model, until=until, **({"rtol": 1e-7, "atol": 1e-9, "progress": False} | given))


# ---- closed forms


@pytest.mark.parametrize(("tau", "value"), SCALED.items())
def test_closed_form_has_the_known_values(tau: float, value: float):
    """At the cathode, over G L, given to 8 digits; the other end is its mirror image."""
    t = tau * LENGTH**2 / KAPPA
    scale = COPPER.derived(length=LENGTH, current_density=DENSITY).greatest_stress * 2
    ends = em.analytic.korhonen_line([0.0, LENGTH], t, **CASE) / scale
    assert ends == close([-value, value], rel=1e-7)
    quarter = {0.01: 0.00437714, 0.05: 0.07541889, 0.1: 0.14319396, 0.3: 0.23516284, 1.0: 0.24998518}
    if tau in quarter:
        assert em.analytic.korhonen_line(0.75 * LENGTH, t, **CASE) / scale == close(quarter[tau], rel=2e-6)


def test_images_and_waves_are_one_solution():
    """Below and above kappa t/L^2 = 0.1, where one takes over from the other: the jump is that of the time between."""
    t = 0.1 * LENGTH**2 / KAPPA * np.array([1 - 1e-9, 1 + 1e-9])
    x = np.linspace(0, LENGTH, 9)[:, None]
    for stress in (em.analytic.korhonen_line, em.analytic.korhonen_void):
        for residual in (0.0, 1e8):
            early, late = stress(x, t, **CASE, residual_stress=residual).T
            assert np.abs(late - early).max() < 1e-8 * GRADIENT * LENGTH


def test_a_long_line_is_a_half_line_at_first():
    t = 0.003 * LENGTH**2 / KAPPA
    away = np.linspace(0, LENGTH / 4, 6)
    half = em.analytic.korhonen_half_line(away, t, current_density=-DENSITY, material=COPPER, residual_stress=1e6)
    assert em.analytic.korhonen_line(LENGTH - away, t, **CASE, residual_stress=1e6) == close(half, rel=1e-9)
    assert half[0] - 1e6 == close(2 * GRADIENT * np.sqrt(KAPPA * t / np.pi), rel=DIGITS)


@pytest.mark.parametrize("stress", [em.analytic.korhonen_line, em.analytic.korhonen_void])
@pytest.mark.parametrize("tau", [0.02, 0.4])
def test_closed_forms_solve_the_equation(stress: Any, tau: float):
    """dsigma/dt = kappa d2sigma/dx2 by central differences: their error."""
    t, x = tau * LENGTH**2 / KAPPA, np.linspace(0.1, 0.9, 7) * LENGTH
    h, s = 1e-3 * LENGTH, 1e-3 * t
    of = partial(stress, **CASE, residual_stress=3e7)
    rate = (of(x, t + s) - of(x, t - s)) / (2 * s)
    bend = (of(x + h, t) - 2 * of(x, t) + of(x - h, t)) / h**2
    assert rate == pytest.approx(KAPPA * bend, abs=1e-4 * np.abs(rate).max())


def test_void_growth_is_what_the_line_has_taken():
    """V/A = -int (sigma - sigma_T) dx / B by Simpson's rule."""
    x = np.linspace(0, LENGTH, 4001)
    for tau in (0.05, 0.7):
        t = tau * LENGTH**2 / KAPPA
        stress = em.analytic.korhonen_void(x, t, **CASE, residual_stress=2e7)
        h = x[1] - x[0]
        taken = h / 3 * (stress[0] + 4 * stress[1::2].sum() + 2 * stress[2:-1:2].sum() + stress[-1])
        taken = (2e7 * LENGTH - taken) / 28e9
        assert em.analytic.void_growth(t, **CASE, residual_stress=2e7) == close(taken, rel=1e-9)


def test_void_growth_has_the_known_values():
    growth = em.analytic.void_growth(np.array([1, 3, 10, 100]) * year, **CASE)
    assert growth == close(np.array([6.169165, 18.464977, 55.860853, 135.853092]) * nm, rel=DIGITS)
    assert em.analytic.void_saturation(**CASE) == close(136.3838 * nm, rel=DIGITS)
    fractions = em.analytic.void_growth(np.array([0.01, 0.1, 0.5, 1.0]) * LENGTH**2 / KAPPA, **CASE)
    assert fractions / em.analytic.void_saturation(**CASE) == close([0.02, 0.197746, 0.699455, 0.912477], rel=2e-6)
    assert em.analytic.void_growth(1e3, **CASE) == close(1.954891e-16 * 1e3, rel=DIGITS)  # the drift of the atoms


def test_residual_tension_makes_larger_voids():
    """V_sat/V_line = sigma_T/B + G L/(2 B)."""
    saturated = em.analytic.void_saturation(**CASE, residual_stress=140e6)
    assert saturated == close(136.3838 * nm + LENGTH * 140e6 / 28e9, rel=DIGITS)
    assert em.analytic.void_growth(1e13, **CASE, residual_stress=140e6) == close(saturated, rel=1e-12)


@pytest.mark.parametrize(
    ("ratio", "tau"), [(0.1, 0.00196350), (0.5, 0.04918268), (0.75, 0.11918261), (0.9, 0.21202135), (0.99, 0.44532200)]
)
def test_nucleation_time_is_exact(ratio: float, tau: float):
    """Over L^2/kappa, given to six digits or eight places."""
    critical = ratio * COPPER.derived(length=LENGTH, current_density=DENSITY).greatest_stress
    t = em.analytic.nucleation_time(**CASE, critical_stress=critical)
    assert t * KAPPA / LENGTH**2 == pytest.approx(tau, rel=2e-6, abs=5e-9)
    assert em.analytic.korhonen_line(LENGTH, t, **CASE) == close(critical, rel=1e-12)


def test_reference_line_nucleates_or_is_immortal():
    assert em.analytic.nucleation_time(**CASE, critical_stress=41e6) == close(7.929436e7, rel=DIGITS)
    half = CASE | {"current_density": 5e9}
    assert em.analytic.nucleation_time(**half, critical_stress=41e6) == np.inf
    assert em.analytic.nucleation_time(**(CASE | {"current_density": 0.0}), critical_stress=41e6) == np.inf
    endless = em.analytic.nucleation_time(**(CASE | {"length": np.inf}), critical_stress=41e6)
    assert endless == close(np.pi / KAPPA * (41e6 / (2 * GRADIENT)) ** 2, rel=1e-6)
    assert em.analytic.blech_product(COPPER, critical_stress=41e6) == close(2.684126e5, rel=DIGITS)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"length": 0.0}, "length = 0 m, must be greater than 0"),
        ({"current_density": np.nan}, "current_density = nan"),
        ({"critical_stress": 0.0}, "critical_stress = 0 Pa, must be greater than 0"),
        ({"residual_stress": 5e7}, r"critical_stress = 4.1e\+07 Pa, must be greater than 5e\+07"),
    ],
)
def test_bad_input_of_closed_forms_is_named(change: dict[str, float], told: str):
    with pytest.raises(em.ParameterError, match=told):
        em.analytic.nucleation_time(**(CASE | {"critical_stress": 41e6} | change))


def test_places_and_times_must_be_possible():
    with pytest.raises(em.ParameterError, match="x from 0 m to 6e-05 m, must be in"):
        em.analytic.korhonen_line([0.0, 60 * um], 1.0, **CASE)
    with pytest.raises(em.ParameterError, match="t from -1 s, must be at least 0"):
        em.analytic.void_growth([-1.0, 1.0], **CASE)
    with pytest.raises(em.ParameterError, match="x from -1 m, must be at least 0"):
        em.analytic.korhonen_half_line(-1.0, 1.0, current_density=1.0, material=COPPER)


# ---- the line


def test_blocked_line_follows_the_closed_form():
    """The table at both ends and a quarter, to 1e-6 of G L: 80 cells of degree 2, and time steps of 1e-9."""
    model, times = line(80), np.array([*SCALED]) * LENGTH**2 / KAPPA
    places = np.array([0.0, 0.25, 0.75, 1.0]) * LENGTH
    probe = em.watch.probe("sigma", at=places[:, None], times=times)
    march(model, times[-1], rtol=1e-8, atol=1e-9, watch=[probe])
    exact = em.analytic.korhonen_line(places, times[:, None], **CASE)
    assert probe.values == pytest.approx(exact, abs=1e-6 * GRADIENT * LENGTH)


def test_charge_and_current_change_sign_alike():
    """Z* -> -Z* is j -> -j is sigma -> -sigma, to rounding in the same steps."""
    stresses = []
    for metal, density in ((COPPER, DENSITY), (reference_copper(effective_charge=1.0), DENSITY), (COPPER, -DENSITY)):
        model = line(10, metal, current_density=density)
        march(model, year, fixed_step=year / 20)
        stresses.append(model["sigma"].x.array)
    assert stresses[1] == close(-stresses[0], rel=1e-13)
    assert stresses[2] == close(-stresses[0], rel=1e-13)


@pytest.mark.parametrize(
    ("metal", "side"), [("copper", 1), ("aluminium", 1), ("gold", 1), ("tungsten", -1), ("molybdenum", -1)]
)
def test_tension_is_where_atoms_leave(metal: str, side: int):
    """The current flows to x = L. Atoms of copper go with the electrons and leave x = L; tungsten's leave x = 0."""
    material = getattr(em.materials, metal)(temperature=600.0).having(diffusivity=1e-18)
    stress = em.stress.steady(line(4, material))
    ends = em.fields.evaluate(stress, [[0.0], [LENGTH]])
    assert np.sign(ends).tolist() == [-side, side]


def test_void_at_an_end_grows_as_the_closed_form():
    """The volume of a void at a node, as `emfem verify` has that of a held end: to the error of 80 cells."""
    model = line(80, voids=True)
    em.stress.open_void(model, "cathode")
    taken = em.watch.series(["stress"], times=np.array([1, 3, 10, 100]) * year)
    march(model, 100 * year, watch=[taken])
    volume = np.array([6.169165, 18.464977, 55.860853, 135.853092]) * nm
    assert -taken["stress"] / 28e9 == close(volume, rel=1e-6)
    x = np.linspace(0, LENGTH, 5)
    exact = em.analytic.korhonen_void(x, model.t, **CASE)
    assert em.fields.evaluate(model["sigma"], x[:, None]) == pytest.approx(exact, abs=1e-6 * GRADIENT * LENGTH)


def peers_line() -> tuple[Material, float]:
    """A public benchmark: B = 1e11, Omega = 1.66e-29, Z = 10, rho = 3e-8 and rounded constants, of 100 um."""
    rounded = 1.38e-23 / boltzmann  # its k and e, put into D and Z*
    diffusivity = 1.857748e-16 / rounded
    charge = -10 * 1.6e-19 / elementary_charge
    return Material(
        "benchmark",
        temperature=373.0,
        diffusivity=diffusivity,
        bulk_modulus=1e11,
        atomic_volume=1.66e-29,
        resistivity=3e-8,
        effective_charge=charge,
    ), 100 * um


def test_public_line_has_its_published_greatest_stress():
    """Seven digits."""
    material, length = peers_line()
    model = em.stress.model(em.mesh.interval(length, cells=2), material, current_density=3e9)
    assert em.stress.immortal(model, critical_stress=500 * MPa).highest == close(433.7349 * MPa, rel=DIGITS)
    assert em.analytic.blech_product(material, critical_stress=500 * MPa) == close(3.458e5, rel=2e-4)


def test_public_lifetime_without_its_compact_formula():
    """24.22 years to 500 MPa from 400 MPa of residual tension."""
    material, _ = peers_line()
    exponent = -1.4 * 1.6e-19 / (1.38e-23 * 373.0)
    slow = material.having(diffusivity=7.56e-5 * np.exp(exponent) * boltzmann / 1.38e-23)
    case: dict[str, Any] = {"length": LENGTH, "current_density": 2e10, "material": slow}
    exact = em.analytic.nucleation_time(**case, critical_stress=5e8, residual_stress=4e8)
    assert exact / (365 * 86400) == pytest.approx(24.2191, abs=6e-5)
    # a front of 1/60 of the line: cells that are fine there
    domain = em.mesh.interval(LENGTH, cells=400)
    model = em.stress.model(domain, slow, current_density=2e10, residual_stress=4e8)
    run = march(model, 2 * exact, watch=[em.watch.event("sigma_max", above=5e8)])
    assert run.t == close(exact, rel=1e-3)


# ---- trees


def test_star_has_the_known_steady_stress():
    """Four nodes to seven digits: by the graph, by relaxing the elements, and at the end of a long run."""
    metal = reference_copper(effective_charge=-5.0)
    known = np.array(STAR_STRESS) * MPa
    net = em.mesh.network(**STAR)
    options: dict[str, Any] = {"current_density": STAR_CURRENTS, "degree": 1}
    star = em.stress.model(net, metal, **options)
    assert em.stress.at_nodes(em.stress.steady(star)) == close(known, rel=2e-6)
    verdict = em.stress.immortal(star, critical_stress=500 * MPa)
    assert not verdict
    assert verdict.node == 2
    em.solve_steady(star)
    assert em.stress.at_nodes(star) == close(known, rel=2e-6)
    long = em.stress.model(net, metal, **options)
    em.evolve(long, until=1e12, progress=False)
    assert em.stress.at_nodes(long) == close(known, rel=2e-6)


def test_void_of_a_star_saturates():
    """V_sat = (sigma_2 of the blocked star) Vol/B, since the stress at the void falls by that everywhere."""
    metal = reference_copper(effective_charge=-5.0)
    star = em.stress.model(em.mesh.network(**STAR), metal, current_density=STAR_CURRENTS, voids=True)
    em.stress.open_void(star, 2)
    em.evolve(star, until=1e12, watch=[em.watch.conserved("atoms", rtol=1e-14)], progress=False)
    assert star.quantity("void") == close(max(STAR_STRESS) * MPa * 0.8e-18 / 28e9, rel=2e-6)
    assert em.stress.at_nodes(star) == pytest.approx(em.stress.at_nodes(em.stress.steady(star)), abs=1e-5 * 850e6)


def test_equal_segments_follow_the_series_of_a_line():
    """Two segments with different currents that a load parts: a_n of a piecewise constant drive, 20 waves."""
    domain = em.mesh.network(
        [(0, 0), (20 * um, 0), (50 * um, 0)], [(0, 1), (1, 2)], width=0.1 * um, thickness=0.1 * um, cells=40,
        loads={1: 0.6e10 * 1e-14},
    )  # fmt: skip
    model = em.stress.model(domain, COPPER, current_density=[1e10, 0.4e10])
    t = 0.02 * LENGTH**2 / KAPPA
    march(model, t)
    n = np.arange(1, 41)
    slopes, ends = GRADIENT * np.array([1.0, 0.4]), np.array([0.0, 20.0, 50.0]) * um
    steady = np.cumsum([0.0, *(slopes * np.diff(ends))])
    mean = ((steady[1:] + steady[:-1]) / 2 * np.diff(ends)).sum() / LENGTH
    waves = np.cos(n * np.pi * ends[:, None] / LENGTH)
    size = 2 * LENGTH / (n * np.pi) ** 2 * (slopes[:, None] * np.diff(waves, axis=0)).sum(axis=0)
    exact = steady - mean - waves @ (size * np.exp(-KAPPA * (n * np.pi / LENGTH) ** 2 * t))
    assert em.stress.at_nodes(model) == pytest.approx(exact, abs=2e-6 * GRADIENT * LENGTH)


# ---- heat


def test_a_gradient_of_temperature_drives():
    """sigma(T2) - sigma(T1) = (Q*/Omega) ln(T2/T1): tension where it is hot, since atoms go to the cold side."""
    metal = reference_copper(heat_of_transport=0.1 * eV)
    model = line(20, metal, current_density=None, temperature=lambda x: 300 + 100 * x[0] / LENGTH)
    ends = em.fields.evaluate(em.stress.steady(model), [[0.0], [LENGTH]])
    assert ends[1] - ends[0] == close(390.6 * MPa, rel=1e-4)  # four digits
    assert ends[1] - ends[0] == close(0.1 * eV / 1.18e-29 * np.log(4 / 3), rel=1e-10)
    em.solve_steady(model)
    relaxed = em.fields.evaluate(model["sigma"], [[0.0], [LENGTH]])
    assert relaxed == close(ends, rel=1e-6)  # of 20 cells


def test_heat_and_current_give_the_affine_law_together():
    """A line that the current heats: sigma against phi and ln T, while rho, D and so kappa follow T."""
    domain = em.mesh.interval(LENGTH, cells=20, names=("anode", "cathode"))
    metal = reference_copper(heat_of_transport=0.1 * eV)
    ends = {"anode": em.fixed(378.15), "cathode": em.fixed(378.15)}
    heat = em.heat.model(domain, material=metal, current_density=8e10, on=ends)
    em.solve_steady(heat)
    current = em.conduction.model(
        domain,
        conductivity=1 / metal.law("resistivity")(heat["T"]),
        on={"anode": em.fixed(0.1), "cathode": em.fixed(0.0)},
    )
    em.solve_steady(current)
    model = em.stress.model(domain, metal, current=current, temperature=heat["T"])
    stress = em.stress.steady(model).x.array
    em.solve_steady(model)
    assert heat.quantity("T_max") > 500
    assert model["sigma"].x.array == pytest.approx(stress, abs=3e-5 * np.ptp(stress))  # of 20 cells


# ---- rates


def error(model: em.Model) -> float:
    """L2 norm of the error over G L."""
    space = fem.functionspace(model.mesh, ("DG", 8))
    exact = fem.Function(space)
    exact.interpolate(lambda x: em.analytic.korhonen_line(np.clip(x[0], 0, LENGTH), model.t, **CASE))
    square = fem.form((model["sigma"] - exact) ** 2 * model.domain.dx(12))
    return float(np.sqrt(em.fields.integral(square, model.mesh.comm) / LENGTH)) / (GRADIENT * LENGTH)


@pytest.mark.filterwarnings("ignore:the stress model. diffusion length:emfem.ResolutionWarning")
def test_error_of_linear_cells_is_of_second_order():
    """That of quadratic ones is a check of `emfem verify`."""
    found = []
    for cells in (8, 16, 32):
        model = line(cells, degree=1)
        march(model, 0.05 * LENGTH**2 / KAPPA, rtol=1e-8, atol=1e-10)
        found.append(error(model))
    rates = np.log2(np.array(found[:-1]) / found[1:])
    assert np.all(np.abs(rates - 2) < 0.1)


@pytest.mark.parametrize(("method", "steps", "order"), [("rosenbrock", (8, 16, 32), 3), ("bdf", (32, 64, 128), 2)])
def test_error_in_time_falls_as_the_order(method: str, steps: tuple[int, ...], order: int):
    """A cosine that decays by e, on cells of degree 4, whose error is below that of the steps."""
    found = []
    for count in steps:
        model = line(20, current_density=None, degree=4, residual_stress=lambda x: 1e7 * np.cos(np.pi * x[0] / LENGTH))
        until = LENGTH**2 / KAPPA / np.pi**2
        march(model, until, fixed_step=until / count, method=method)
        x = model["sigma"].function_space.tabulate_dof_coordinates()[:, 0]
        exact = 1e7 * np.exp(-1) * np.cos(np.pi * x / LENGTH)
        found.append(np.abs(model["sigma"].x.array - exact).max())
    rates = np.log2(np.array(found[:-1]) / found[1:])
    assert np.all(np.abs(rates - order) < 0.15)
