"""Migration against closed forms: blocked lines, a wall, heat, sinks; and where cells are too large for the drift."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import emfem as em
from emfem import migration
from emfem.errors import ParameterError

import numpy as np
import pytest
from dolfinx import fem

TABLE = {  # worked by a script of its own, Pe = 5: u at 0, 0.5 and 1
    0.01: (0.549129, 0.999803, 1.700871),
    0.05: (0.236039, 0.860831, 3.001057),
    0.2: (0.050294, 0.458578, 4.834866),
}
END = (0.03391827, 0.413209, 5.03391827)


def values(species: em.Model, places: Any, name: str = "c") -> Any:
    return em.fields.evaluate(species[name], places)


def test_fitted_steady_states_are_boltzmann_s_at_the_nodes_of_any_shape():
    """In a computed field, around a notch, with cell Peclet numbers up to 7: c e^(-Z phi) is one number to rounding.

    Plain linear elements on the same mesh are off by more than the whole profile.
    """
    domain = em.mesh.notched_strip(length=4.0, width=2.0, notch_depth=0.5, notch_width=0.4, size=0.3)
    current = em.conduction.model(domain, on={"anode": em.fixed(8.0), "cathode": em.fixed(0.0)}, degree=1)
    em.solve_steady(current)

    def spread(**options: Any) -> float:
        species = migration.model(domain, diffusivity=2.0, drift=-2.0 * current["E"], initial=1.0, **options)
        em.solve_steady(species)
        shape = species["c"].x.array * np.exp(-current["phi"].x.array)
        return float(shape.max() / shape.min() - 1)

    assert spread(stabilisation="fitted") < 1e-8  # e^8 times the solver's tolerance
    assert spread(degree=1) > 1e-2


def test_fitting_is_exact_in_tetrahedra_and_askew_to_a_crystal():
    """A uniform force f and a tensor D: v = D f, and c e^(-f . x) is one number."""
    block = em.mesh.box((1.0, 1.0, 1.0), cells=(4, 3, 3), cell="tetrahedron")
    tensor, force = np.array([[1.0, 0.2, 0.0], [0.2, 2.0, 0.0], [0.0, 0.0, 1.0]]), np.array([4.0, 6.0, 3.0])
    species = migration.model(block, diffusivity=tensor, drift=tensor @ force, initial=1.0, stabilisation="fitted")
    em.solve_steady(species)
    shape = species["c"].x.array * np.exp(-species["c"].function_space.tabulate_dof_coordinates() @ force)
    assert shape.max() / shape.min() - 1 < 1e-8


@pytest.mark.parametrize("stabilisation", [None, "fitted"])
def test_a_wave_decays_on_a_sphere(stabilisation: str | None):
    """The slowest wave, z, as exp(-2 D t); the cells are flat: an error of h^2."""
    sphere = em.mesh.sphere(1.0, size=0.2)
    species = migration.model(sphere, diffusivity=1.0, initial=lambda x: 2 + x[2], stabilisation=stabilisation)
    em.evolve(species, 0.2, watch=[em.watch.conserved("amount")], progress=False)
    assert species.quantity("c_max") - 2 == pytest.approx(np.exp(-0.4), rel=0.01)


def test_the_closed_form_of_a_wall_has_the_table_s_numbers():
    """Uniform in a half line, v = D = 1, at the wall; digits given."""
    found = em.analytic.wall_accumulation(np.array([0.01, 0.1, 1.0]))
    assert found == pytest.approx([1.11793192, 1.40979096, 2.72014111], rel=2e-7)


def test_a_stress_gradient_balances_a_field():
    """Omega grad sigma = -Z* e E: no drift, so a blocked species stays uniform."""
    copper: Any = SimpleNamespace(temperature=400.0, diffusivity=1.0, effective_charge=-5.0, atomic_volume=1.18e-29)
    field = 1e3
    gradient = 5.0 * 1.602176634e-19 * field / 1.18e-29
    v = migration.drift_velocity(copper, field=field, stress_gradient=gradient)
    alone = migration.drift_velocity(copper, field=field)
    assert abs(v) < 1e-12 * abs(alone)
    assert alone < 0


def test_vacancies_keep_to_equilibrium_but_at_the_ends():
    """D c'' - v c' + (c_eq - c)/tau = 0 with blocked ends: two exponentials, from their own little system."""
    spread, v, tau = 1.0, 3.0, 0.01
    line = em.mesh.interval(1.0, cells=200)
    sinks = migration.sinks(equilibrium=2.0, lifetime=tau)
    species = migration.model(line, diffusivity=spread, drift=v, initial=2.0, source=sinks)
    em.solve_steady(species)
    powers = np.roots([spread, -v, -1 / tau])
    ends = np.array([[(v - spread * p) * np.exp(p * x) for p in powers] for x in (0.0, 1.0)])
    sizes = np.linalg.solve(ends, [-2.0 * v, -2.0 * v])  # J = v c - D c' = 0
    x = np.linspace(0.0, 1.0, 41)
    exact = 2.0 + sum(a * np.exp(p * x) for a, p in zip(sizes, powers, strict=True))
    assert values(species, x[:, None]) == pytest.approx(exact, rel=1e-6)
    em.evolve(species, 1.0, progress=False)
    assert species.quantity("amount") == pytest.approx(2.0, rel=1e-8)  # blocked: what sinks take, sources give


# ---- cells too large for the drift: cell Peclet number 100

H = 1 / 40
WEAK = H / 200


@pytest.mark.parametrize(("options", "highest"), [({"degree": 1}, 2.0), ({}, 1.5)], ids=["linear", "quadratic"])
def test_plain_elements_oscillate_in_a_steady_channel(options: dict[str, Any], highest: float):
    """c is 1 but for a layer at the right end: plain elements overshoot, to 3.6 and 1.6."""
    line = em.mesh.interval(1.0, cells=40)
    ends = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    species = migration.model(line, diffusivity=WEAK, drift=1.0, initial=1.0, on=ends, **options)
    with pytest.warns(em.ResolutionWarning, match="cell Peclet number = 100"):
        em.solve_steady(species)
    assert migration.peclet(species).value == pytest.approx(100.0)
    assert species.quantity("c_max") > highest


def test_fitting_is_exact_in_a_steady_channel():
    line = em.mesh.interval(1.0, cells=40)
    ends = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    species = migration.model(line, diffusivity=WEAK, drift=1.0, initial=1.0, on=ends, stabilisation="fitted")
    em.solve_steady(species)
    assert species.quantity("c_min") == 0.0
    assert species.quantity("c_max") == pytest.approx(1.0, abs=1e-12)
    inside = np.linspace(H, 1 - H, 39)
    assert values(species, inside[:, None]) == pytest.approx(np.ones(39), abs=1e-12)


def test_fitting_neither_oscillates_nor_turns_negative_in_a_blocked_line():
    """Everything ends in the last cell. The front behind it, a step in truth, is smeared over a tenth of the line."""
    line = em.mesh.interval(1.0, cells=40)
    species = migration.model(line, diffusivity=WEAK, drift=1.0, initial=1.0, stabilisation="fitted")
    em.evolve(species, 0.5, watch=[em.watch.conserved("amount")], progress=False)
    assert species.quantity("c_min") > -1e-12
    profile = values(species, np.linspace(0.0, 1 - H, 40)[:, None])
    assert np.diff(profile).min() > -1e-4  # it only rises, but for the error of a step
    assert profile.max() < 1 + 1e-4
    front = np.interp([0.1, 0.9], profile, np.linspace(0.0, 1 - H, 40))
    assert front == pytest.approx([0.5 - 0.14, 0.5 + 0.14], abs=0.03)  # width of diffusion |v| h / 2 in t = 0.5
    em.solve_steady(species)
    assert species.quantity("amount") == pytest.approx(1.0, rel=1e-10)
    assert species.quantity("c_max") == pytest.approx(2 / H, rel=1e-6)  # all of it in half a cell
    assert species.quantity("c_min") > -1e-9 * species.quantity("c_max")


def test_fitting_stays_between_the_boundary_values_across_the_mesh():
    """A drift askew to the cells carries a step through a square; plain elements go from -0.9 to 2.3 here."""
    square = em.mesh.rectangle((1.0, 1.0), cells=(20, 20), cell="triangle")
    on = {"left": em.fixed(1.0)} | dict.fromkeys(("bottom", "right", "top"), em.fixed(0.0))
    species = migration.model(square, diffusivity=5e-4, drift=(0.8, 0.6), initial=0.0, on=on, stabilisation="fitted")
    em.solve_steady(species)
    assert species.quantity("c_min") > -1e-14
    assert species.quantity("c_max") < 1 + 1e-14
    assert species.quantity("peclet") > 50
    total = sum(species.quantity(f"flux {name}") for name in square.names)
    assert total == pytest.approx(0.0, abs=1e-12)


def test_fitting_pays_with_diffusion():
    """A narrow pulse on a ring after 0.4 of a turn: fitting keeps 39 % of its height, plain elements 96 %."""
    ring = em.mesh.periodic_interval(1.0, cells=40)
    peaks = {}
    for stabilisation in (None, "fitted"):
        species = migration.model(
            ring,
            diffusivity=WEAK,
            drift=1.0,
            initial=lambda x: np.exp(-(((x[0] - 0.3) / 0.06) ** 2)),
            stabilisation=stabilisation,
        )
        em.evolve(species, 0.4, progress=False)
        peaks[stabilisation] = species.quantity("c_max")
    exact = 0.06 / np.sqrt(0.06**2 + 4 * WEAK * 0.4)
    assert peaks[None] == pytest.approx(exact, abs=0.02)
    smeared = 0.06 / np.sqrt(0.06**2 + 4 * (WEAK + H / 2) * 0.4)  # with the diffusion it adds, |v| h / 2
    assert peaks["fitted"] == pytest.approx(smeared, rel=0.1)


def test_the_flux_field_vanishes_at_rest_in_a_blocked_line():
    line = em.mesh.interval(1.0, cells=100)
    species = migration.model(line, diffusivity=1.0, drift=5.0, initial=1.0)
    em.solve_steady(species)
    size = em.fields.integral(fem.form(species["flux"][0] ** 2 * line.dx(4)), line.mesh.comm) ** 0.5
    assert size < 1e-2  # of v c of 25: the gradient of c is of second order


# ---- the closed forms themselves


def test_the_closed_form_of_a_blocked_line_has_the_table_s_numbers():
    for t, expected in TABLE.items():
        found = em.analytic.blocked_drift([0.0, 1.0, 2.0], length=2.0, peclet=5.0, time=t)
        assert found == pytest.approx(expected, abs=5e-7)
    assert em.analytic.blocked_drift([0.0, 0.5, 1.0], length=1.0, peclet=5.0) == pytest.approx(END, abs=5e-7)


@pytest.mark.parametrize("peclet", [-12.0, -0.3, 0.0, 0.3, 12.0])
@pytest.mark.parametrize("time", [0.003, 0.1, None])
def test_a_blocked_line_keeps_its_mean_and_mirrors_its_drift(peclet: float, time: float | None):
    x = np.linspace(0.0, 1.0, 4001)
    u = em.analytic.blocked_drift(x, length=1.0, peclet=peclet, time=time)
    assert np.trapezoid(u, x) == pytest.approx(1.0, abs=2e-5)  # of the trapezoidal rule
    mirrored = em.analytic.blocked_drift(1 - x, length=1.0, peclet=-peclet, time=time)
    assert mirrored == pytest.approx(u, rel=1e-9)


def test_a_strong_drift_does_not_overflow():
    assert em.analytic.blocked_drift([0.0, 1.0], length=1.0, peclet=2000.0) == pytest.approx([0.0, 2000.0])
    assert em.analytic.blocked_drift([0.0, 1.0], length=1.0, peclet=-2000.0) == pytest.approx([2000.0, 0.0])


def test_the_marker_constant_has_the_known_value_and_sign():
    assert em.analytic.kirkendall_marker(1.0) == pytest.approx(-0.26321265, abs=1e-8)
    assert em.analytic.kirkendall_marker(-1.0) == pytest.approx(0.26321265, abs=1e-8)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: em.analytic.blocked_drift(0.0, length=0.0, peclet=1.0), "length = 0"),
        (lambda: em.analytic.blocked_drift(0.0, length=1.0, peclet=np.nan), "peclet = nan"),
        (lambda: em.analytic.blocked_drift(0.0, length=1.0, peclet=1.0, time=0.0), "time = 0"),
        (lambda: em.analytic.blocked_drift(0.0, length=1.0, peclet=30.0, time=0.1), "peclet = 30, must be at most 20"),
        (lambda: em.analytic.kirkendall_marker(2.0), "ratio = 2, must be less than 2"),
    ],
)
def test_closed_forms_refuse_what_they_do_not_hold_for(call: Any, told: str):
    with pytest.raises(ParameterError, match=told):
        call()
