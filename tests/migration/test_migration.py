"""Migration: the model's interface, what it keeps, what it refuses; drift velocities; solvers; ranks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import emfem as em
from emfem import migration
from emfem.errors import ConvergenceError, ParameterError, UnknownName
from emfem.units import boltzmann, eV

import numpy as np
import pytest
import ufl
from dolfinx import fem

ENDS = {"left": em.fixed(1.0), "right": em.fixed(0.3)}
BALANCE = 1e-12  # of the fluxes: a direct solve of some hundred unknowns
KINDS = [{}, {"degree": 1}, {"stabilisation": "fitted"}]


@pytest.fixture(scope="module")
def line() -> em.mesh.Domain:
    return em.mesh.interval(1.0, cells=20)


@pytest.fixture(scope="module")
def square() -> em.mesh.Domain:
    return em.mesh.rectangle((1.0, 1.0), cells=(6, 5), cell="triangle")


def model(domain: em.mesh.Domain, **arguments: Any) -> em.Model:
    return migration.model(domain, **({"diffusivity": 1.0, "initial": 1.0} | arguments))


def kind_name(options: dict[str, Any]) -> str:
    return str(next(iter(options.values()), "plain"))


# ---- fluxes and amounts


@pytest.mark.parametrize("options", KINDS, ids=kind_name)
def test_fluxes_at_the_ends_of_a_steady_channel_add_up_to_nothing(line: em.mesh.Domain, options: dict[str, Any]):
    species = model(line, drift=5.0, on=ENDS, **options)
    em.solve_steady(species)
    left, right = (species.quantity(f"flux {name}") for name in ("left", "right"))
    assert left + right == pytest.approx(0.0, abs=BALANCE * abs(right))
    exact = 5.0 * (1.0 - 0.3 * np.exp(-5.0)) / (1 - np.exp(-5.0))  # J of c = a + b e^{5x}
    assert right == pytest.approx(exact, rel=1e-12 if "stabilisation" in options else 0.01)


@pytest.mark.parametrize("options", KINDS, ids=kind_name)
def test_what_flows_out_is_what_is_lost_on_the_way_too(square: em.mesh.Domain, options: dict[str, Any]):
    """The amount's rate of change over one small step of second order is the sum of all fluxes at its middle."""
    species = model(
        square,
        diffusivity=[[1.0, 0.2], [0.2, 0.5]],
        drift=(2.0, 1.0),
        on={"left": em.fixed(0.2), "bottom": em.fixed(0.5), "right": em.flux(0.7)},
        **options,
    )
    names = [f"flux {name}" for name in square.names]
    em.evolve(species, 0.01, fixed_step=1e-4, progress=False)
    before, steps = species.quantity("amount"), 1e-5
    out = [sum(map(species.quantity, names))]
    em.evolve(species, 0.01 + steps, fixed_step=steps, progress=False)
    out.append(sum(map(species.quantity, names)))
    lost = (before - species.quantity("amount")) / steps
    assert lost == pytest.approx(np.mean(out), rel=1e-5)
    assert abs(out[0] - out[1]) > 3e-4 * abs(lost)  # or the middle would not matter
    assert species.quantity("flux right") == pytest.approx(-0.7, rel=1e-12)
    assert species.quantity("flux top") == 0.0


@pytest.mark.parametrize("options", KINDS, ids=kind_name)
def test_a_held_value_that_moves_takes_part_in_the_balance(line: em.mesh.Domain, options: dict[str, Any]):
    """The uptake of its own nodes on the way counts: about 4 % of the flux here."""
    species = model(line, on={"left": em.fixed(lambda t: 1 + 3 * t)}, **options)
    step = 1e-5
    em.evolve(species, 0.1, fixed_step=1e-3, progress=False)
    before, into = species.quantity("amount"), [-species.quantity("flux left")]
    em.evolve(species, 0.1 + step, fixed_step=step, progress=False)
    into.append(-species.quantity("flux left"))
    gained = (species.quantity("amount") - before) / step
    assert gained == pytest.approx(np.mean(into), rel=1e-5)


@pytest.mark.parametrize("options", KINDS, ids=kind_name)
def test_a_blocked_species_keeps_its_amount(square: em.mesh.Domain, options: dict[str, Any]):
    x = ufl.SpatialCoordinate(square.mesh)
    turning = ufl.as_vector((1 + x[1], x[0] * x[1]))  # div v is not 0
    species = model(square, drift=20 * turning, initial=lambda x: x[0], **options)
    kept = em.watch.conserved("amount", rtol=1e-10)
    fitted = "stabilisation" in options
    with nullcontext() if fitted else pytest.warns(em.ResolutionWarning, match=r"cell Peclet number = 4\.88"):
        em.evolve(species, 0.1, watch=[kept], progress=False)
    em.solve_steady(species)
    assert species.quantity("amount") == pytest.approx(0.5, rel=1e-10)


@pytest.mark.parametrize(("length", "level", "spread"), [(1.0, 1.0, 1.0), (1e-6, 8e28, 1e-16), (1e-6, 8e-9, 1e-16)])
def test_a_steady_state_is_found_in_any_unit(length: float, level: float, spread: float):
    """A micrometre of metal, or 1; the residual is divided by a typical flow, so Newton's tolerances fit."""
    wire = em.mesh.interval(length, cells=40)
    held = model(wire, diffusivity=spread, drift=5 * spread / length, initial=level, on={"left": em.fixed(level)})
    blocked = model(wire, diffusivity=spread, drift=5 * spread / length, initial=level)
    reports = [em.solve_steady(species) for species in (held, blocked)]
    end = [em.fields.evaluate(species["c"], [[length]])[0] / level for species in (held, blocked)]
    assert end == pytest.approx([np.exp(5.0), 5 / (1 - np.exp(-5.0))], rel=2e-6)  # the mesh: order 4 at nodes
    assert max(report.residual for report in reports) < 1e-9
    assert reports[1].iterations < 60


def test_a_run_in_si_follows_the_closed_form():
    wire = em.mesh.interval(1e-6, cells=20)
    species = model(wire, diffusivity=1e-16, drift=5e-10, initial=8e28)
    em.evolve(species, 0.05 * 1e-12 / 1e-16, progress=False)
    exact = em.analytic.blocked_drift([0.0, 0.5, 1.0], length=1.0, peclet=5.0, time=0.05)
    assert em.fields.evaluate(species["c"], [[0.0], [0.5e-6], [1e-6]]) / 8e28 == pytest.approx(exact, rel=5e-3)


def test_tolerances_of_a_run_mean_the_same_in_any_unit():
    """A micrometre of metal, 8e28 or 8e-9 of something in it: as many steps as for ones, and the same profile."""
    found = []
    for length, level, spread in ((1.0, 1.0, 1.0), (1e-6, 8e28, 1e-16), (1e-6, 8e-9, 1e-16)):
        wire = em.mesh.interval(length, cells=20)
        species = model(wire, diffusivity=spread, drift=5 * spread / length, initial=level)
        run = em.evolve(species, 0.05 * length**2 / spread, progress=False)
        found.append((run.steps, species["c"].x.array / level))
    for steps, profile in found[1:]:
        assert steps == found[0][0]
        assert profile == pytest.approx(found[0][1], rel=1e-9)


# ---- coefficients


def test_equivalent_drifts_agree(line: em.mesh.Domain):
    drifts = [3.0, [3.0], ufl.as_ufl(3.0), ufl.as_vector([3.0]), lambda t: 3.0, lambda t: [3.0]]
    found = []
    for drift in drifts:
        species = model(line, drift=drift, on=ENDS)
        em.solve_steady(species)
        found.append(species["c"].x.array.copy())
    for other in found[1:]:
        assert other == pytest.approx(found[0], abs=1e-12)


def test_a_drift_follows_time():
    """On a ring a uniform drift carries a wave along by the integral of v, and diffusion damps it by exp(-D k^2 t)."""
    ring = em.mesh.periodic_interval(1.0, cells=20)
    k = 2 * np.pi
    species = model(
        ring, drift=lambda t: k * np.cos(k * t), diffusivity=0.01, initial=lambda x: 1 + 0.5 * np.sin(k * x[0])
    )
    em.evolve(species, 0.15, rtol=1e-6, atol=1e-8, progress=False)
    x = np.linspace(0.05, 0.95, 10)
    exact = 1 + 0.5 * np.exp(-0.01 * k**2 * 0.15) * np.sin(k * (x - np.sin(k * 0.15)))
    assert em.fields.evaluate(species["c"], x[:, None]) == pytest.approx(exact, abs=1e-3)  # cells of 1/20


def test_a_jump_of_diffusivity_between_regions_is_exact():
    square = em.mesh.grains(em.mesh.rectangle((1.0, 1.0), cells=(6, 6)), count=2, seed=1)
    values = {"grain 1": 1.0, "grain 2": 4.0}
    by_region = model(square, diffusivity=values, on=ENDS, degree=1)
    by_function = model(square, diffusivity=square.piecewise("D", values), on=ENDS, degree=1)
    em.solve_steady(by_region)
    em.solve_steady(by_function)
    assert by_region["c"].x.array == pytest.approx(by_function["c"].x.array, abs=1e-12)
    assert by_region.quantity("flux right") > 0.7  # of 1 everywhere


@pytest.mark.parametrize("options", KINDS, ids=kind_name)
def test_a_tensor_turns_the_flux(options: dict[str, Any]):
    """D = diag(4, 1) turned by 45 degrees: along x without a way out across, D_eff = 1 / (D^-1)_xx."""
    tensor = np.array([[2.5, 1.5], [1.5, 2.5]])
    strip = em.mesh.rectangle((12.0, 1.0), cells=(48, 8), cell="triangle")
    species = model(strip, diffusivity=tensor, on={"left": em.fixed(1.0)}, initial=1.0, **options)
    tilted = model(strip, diffusivity=tensor, on={"left": em.fixed(1.0), "right": em.fixed(0.0)}, **options)
    em.solve_steady(species)
    em.solve_steady(tilted)
    values = em.fields.evaluate(tilted["c"], [[4.0, 0.5], [8.0, 0.5]])
    through = tilted.quantity("flux right")
    assert through * 4.0 / (values[0] - values[1]) == pytest.approx(1 / np.linalg.inv(tensor)[0, 0], rel=1e-3)
    assert species["c"].x.array == pytest.approx(1.0, abs=1e-10)


def test_a_model_completed_by_given_knows_its_fluxes(line: em.mesh.Domain):
    """A placeholder in the drift; the field comes later, and the fluxes are those of that field."""
    space = fem.functionspace(line.mesh, ("Lagrange", 1))
    ramp = fem.Function(space)
    ramp.interpolate(lambda x: 1 + x[0])
    later = model(line, drift=em.placeholder("v", line), on=ENDS).substitute(v=ramp)
    now = model(line, drift=ramp, on=ENDS)
    for species in (later, now):
        em.solve_steady(species)
    assert later.quantity("flux left") == pytest.approx(now.quantity("flux left"), rel=1e-12)
    assert later.quantity("peclet") == pytest.approx(now.quantity("peclet"), rel=1e-12)
    assert later.quantity("flux left") + later.quantity("flux right") == pytest.approx(0.0, abs=1e-11)


def test_species_of_different_names_run_together(line: em.mesh.Domain):
    slow, fast = (model(line, drift=v, name=name) for name, v in (("Ag", 1.0), ("Cu", 4.0)))
    kept = [em.watch.conserved("amount Ag"), em.watch.conserved("amount Cu")]
    em.evolve([slow, fast], 0.1, watch=kept, progress=False)
    assert fast.quantity("Cu_max") > slow.quantity("Ag_max") > 1.0
    assert set(slow.names) == {"Ag", "flux Ag", "drift Ag", "diffusivity Ag"}
    assert migration.peclet(fast).value == pytest.approx(0.1)


# ---- the Peclet number


@pytest.mark.parametrize(
    ("domain", "drift", "spread", "expected"),
    [
        (em.mesh.interval(1.0, cells=20), 8.0, 2.0, 8 / 20 / 4),
        (em.mesh.rectangle((1.0, 1.0), cells=(10, 5)), (3.0, 0.0), 1.0, 3 * 0.1 / 2),
        (em.mesh.rectangle((1.0, 1.0), cells=(10, 5)), (0.0, 3.0), 1.0, 3 * 0.2 / 2),
        (em.mesh.rectangle((1.0, 1.0), cells=(10, 5)), (3.0, 0.0), [[2.0, 0.0], [0.0, 1.0]], 3 * 0.1 / 4),
    ],
    ids=["line", "along x", "along y", "tensor"],
)
def test_peclet_number_of_a_uniform_drift(domain: em.mesh.Domain, drift: Any, spread: Any, expected: float):
    found = migration.peclet(model(domain, drift=drift, diffusivity=spread))
    assert found.value == pytest.approx(expected, rel=1e-12)


def test_peclet_number_has_its_place(line: em.mesh.Domain):
    x = ufl.SpatialCoordinate(line.mesh)[0]
    species = model(line, drift=100 * x)
    found = migration.peclet(species)
    assert found.place == pytest.approx([0.975], abs=1e-12)
    assert found.value == pytest.approx(97.5 / 40, rel=1e-12)
    assert species.quantity("peclet") == found.value
    assert "above 1" in str(found)
    assert "resolved" in str(migration.peclet(model(line, drift=1.0)))


# ---- drift velocities

ATOM: Any = SimpleNamespace(
    temperature=400.0,
    diffusivity=1e-16,
    effective_charge=-5.0,
    atomic_volume=1.18e-29,
    heat_of_transport=0.1 * eV,
    law=lambda name: lambda T: {"diffusivity": 2e-16, "effective_charge": -4.0, "heat_of_transport": 0.2 * eV}[name],
)


def test_atoms_go_with_the_electrons_where_their_charge_is_negative():
    v = migration.drift_velocity(ATOM, field=100.0)
    assert v == pytest.approx(-1e-16 / (boltzmann * 400) * 5 * 1.602176634e-19 * 100, rel=1e-12, abs=0)


def test_heat_drives_atoms_to_the_cold_side_and_tension_draws_them():
    cold = migration.drift_velocity(ATOM, temperature_gradient=1e6)
    assert cold == pytest.approx(-1e-16 * 0.1 * eV / (boltzmann * 400**2) * 1e6, rel=1e-12, abs=0)
    drawn = migration.drift_velocity(ATOM, stress_gradient=1e12)
    assert drawn == pytest.approx(1e-16 * 1.18e-29 / (boltzmann * 400) * 1e12, rel=1e-12, abs=0)


def test_forces_add_up_in_every_shape(line: em.mesh.Domain):
    one = migration.drift_velocity(ATOM, field=100.0) + migration.drift_velocity(ATOM, stress_gradient=1e12)
    vector = migration.drift_velocity(ATOM, field=[100.0, 0.0], stress_gradient=[1e12, 0.0])
    assert vector == pytest.approx([one, 0.0], rel=1e-12, abs=0)
    x = ufl.SpatialCoordinate(line.mesh)
    expression = migration.drift_velocity(ATOM, field=100.0 * ufl.grad(x[0]), stress_gradient=1e12 * ufl.grad(x[0]))
    assert em.fields.integral(fem.form(expression[0] * line.dx(1)), line.mesh.comm) == pytest.approx(
        one, rel=1e-12, abs=0
    )


def test_a_temperature_takes_the_laws():
    v = migration.drift_velocity(ATOM, temperature=500.0, field=100.0)
    assert v == pytest.approx(-2e-16 / (boltzmann * 500) * 4 * 1.602176634e-19 * 100, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("forces", "told"),
    [
        ({}, "must be at least one"),
        ({"field": np.nan}, "field = nan"),
        ({"field": "1"}, "field = '1'"),
        ({"temperature_gradient": [1.0, np.inf]}, "temperature_gradient = inf"),
        ({"stress_gradient": np.eye(2)}, "stress_gradient of shape"),
        ({"field": 1.0, "temperature": 0.0}, "temperature = 0 K"),
        (
            {"field": 1.0, "stress_gradient": [1.0, 2.0]},
            r"field of shape \(\), stress_gradient of shape \(2,\), must be of",
        ),
        ({"field": [1.0, 2.0], "stress_gradient": [1.0, 2.0, 3.0]}, "must be of one shape"),
        ({"field": 1.0, "temperature_gradient": ufl.as_vector([1.0, 2.0])}, "must be of one shape"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_forces_are_refused(forces: dict[str, Any], told: str):
    with pytest.raises(ParameterError, match=told):
        migration.drift_velocity(ATOM, **forces)


@pytest.mark.parametrize("material", [None, "copper", em.materials.copper])
def test_a_drift_velocity_needs_a_material(material: Any):
    with pytest.raises(ParameterError, match=r"material = .*, must be one of em\.materials"):
        migration.drift_velocity(material, field=1.0)


def test_numbers_and_forms_make_one_velocity(square: em.mesh.Domain):
    """Arrays beside UFL, and arrays at a temperature that is UFL."""
    copper = em.materials.copper(400.0)
    x = ufl.SpatialCoordinate(square.mesh)
    exact = migration.drift_velocity(copper, field=(1.0, 2.0), stress_gradient=(3e10, 0.0))
    mixed = migration.drift_velocity(copper, field=(1.0, 2.0), stress_gradient=3e10 * ufl.grad(x[0]))
    warm = migration.drift_velocity(copper, field=(1.0, 2.0), stress_gradient=(3e10, 0.0), temperature=400 + 0 * x[0])
    for velocity in (mixed, warm):
        told = [em.fields.integral(fem.form(velocity[i] * square.dx(2)), square.mesh.comm) for i in range(2)]
        assert told == pytest.approx(exact, rel=1e-12)


# ---- solvers


def swept(peclet: float) -> em.Model:
    """A channel with a vortex in it, of so large a cell Peclet number, fitted."""
    square = em.mesh.rectangle((1.0, 1.0), cells=(32, 32), cell="triangle")
    x = ufl.SpatialCoordinate(square.mesh)
    v = 64 * peclet
    turn = (ufl.sin(np.pi * x[0]) * ufl.cos(np.pi * x[1]), -ufl.cos(np.pi * x[0]) * ufl.sin(np.pi * x[1]))
    drift = ufl.as_vector((v + v / 2 * turn[0], v / 2 * turn[1]))
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    return model(square, drift=drift, initial=0.0, on=on, stabilisation="fitted")


@pytest.mark.parametrize("peclet", [0.1, 10.0, 100.0])
def test_gmres_with_ilu_solves_what_drifts(peclet: float):
    direct, iterative = swept(peclet), swept(peclet)
    em.solve_steady(direct)
    report = em.solve_steady(iterative, petsc_options=migration.ITERATIVE)
    assert iterative["c"].x.array == pytest.approx(direct["c"].x.array, abs=1e-8)
    assert report.linear_iterations < 40


def test_multigrid_alone_fails_with_an_error():
    with pytest.raises(ConvergenceError, match="no steady state found"):
        em.solve_steady(swept(10.0), petsc_options=em.solve.MULTIGRID)


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"domain": "a line"}, "domain = 'a line'"),
        ({"diffusivity": -1.0}, "diffusivity = -1, must be greater than 0"),
        ({"diffusivity": np.nan}, "diffusivity = nan"),
        ({"diffusivity": np.eye(3)}, "diffusivity = .* shape"),
        ({"diffusivity": [[1.0, 0.0], [0.0, -1.0]]}, "must be positive definite"),
        ({"diffusivity": {"copper": 1.0}}, "'copper'; "),
        ({"diffusivity": ufl.as_vector((1.0, 1.0))}, r"diffusivity of shape \(2,\)"),
        ({"drift": 1.0}, "drift = 1.0, must be a vector of 2 components"),
        ({"drift": (1.0, 2.0, 3.0)}, "must be a vector of 2"),
        ({"drift": (1.0, np.inf)}, "drift = .*, finite"),
        ({"drift": "fast"}, "drift = 'fast'"),
        ({"drift": ufl.as_ufl(1.0)}, r"drift of shape \(\)"),
        ({"drift": lambda t: 1.0}, "drift = 1.0"),
        ({"drift": lambda: 1.0}, "drift = .*, must be a number or a function of t alone"),
        ({"initial": -0.1}, "initial = -0.1, must be at least 0"),
        ({"initial": lambda x: x[0] - 0.5}, "initial from -0.5"),
        ({"initial": lambda x: x[0] / 0}, "initial from"),
        ({"initial": lambda x: x}, r"initial\(x\) of shape"),
        ({"initial": None}, "initial = None"),
        ({"on": {"anode": em.fixed(1.0)}}, "'anode'; this mesh has"),
        ({"on": {"left": 1.0}}, r"must be em.fixed\(...\) or em.flux"),
        ({"on": {"left": em.fixed(-1.0)}}, "concentration fixed on 'left' = -1"),
        ({"source": 1.0}, "source = 1.0"),
        ({"source": lambda c: ufl.grad(c)}, r"source\(c\) of shape"),
        ({"source": lambda c: "no"}, r"source\(c\) must be made of UFL"),
        ({"stabilisation": "supg"}, "'supg'; stabilisation has fitted"),
        ({"stabilisation": "fitted", "degree": 2}, "degree = 2, must be 1"),
        ({"degree": 0}, "degree = 0"),
        ({"degree": 13}, "degree = 13, must be at most 12"),
        ({"unit": 3}, "unit = 3, must be a text"),
        ({"grain_boundaries": 3}, r"grain_boundaries = 3, must be em.migration.fast_path\(...\)"),
        ({"name": ""}, "name = ''"),
        ({"name": "flux"}, "name = 'flux'"),
    ],
    ids=lambda value: str(value)[:30],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_bad_input_is_refused(square: em.mesh.Domain, arguments: dict[str, Any], told: str):
    with pytest.raises(ParameterError, match=told):
        model(arguments.pop("domain", square), **arguments)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda dx: migration.species_flux("fast", 0.0, ufl.as_ufl(1.0)), "diffusivity = 'fast', must be numbers"),
        (lambda dx: migration.species_flux(1.0, {}, ufl.as_ufl(1.0)), "velocity = {}, must be numbers"),
        (lambda dx: migration.transport(None, 1.0, dx, 1.0, dx), "rate = None, must be numbers"),
        (lambda dx: migration.transport(1.0, 1.0, 3, 1.0, dx), "dt = 3, must be a"),
        (lambda dx: migration.between_regions(1), "domain = 1, must be one of em.mesh"),  # type: ignore[arg-type]
        (lambda dx: migration.peclet(2), "model = 2, must be a model of emfem"),  # type: ignore[arg-type]
        (lambda dx: migration.positions({}, [[0.5]]), "model = {}, must be a model of emfem"),  # type: ignore[arg-type]
        (lambda dx: migration.fast_path(width="thin", diffusivity=1.0), "width = 'thin', must be a number"),  # type: ignore[arg-type]
        (lambda dx: migration.vacancies(equilibrium=1e-4, lifetime="long"), "lifetime = 'long', must be a number"),  # type: ignore[arg-type]
        (lambda dx: migration.vacancies(equilibrium=1e-4, lifetime=1.0, surfaces=3), "surfaces = 3, must be a list"),  # type: ignore[arg-type]
    ],
)
def test_bad_parts_are_refused(square: em.mesh.Domain, make: Callable[[Any], Any], told: str):
    with pytest.raises(ParameterError) as caught:
        make(square.dx())
    assert told in str(caught.value)


def test_a_start_on_another_mesh_is_refused(square: em.mesh.Domain, line: em.mesh.Domain):
    with pytest.raises(ParameterError, match="on the mesh of this domain"):
        model(square, initial=model(line)["c"])


@pytest.mark.parametrize(("later", "shape"), [(1.0, r"\(\)"), ((1.0, 2.0, 3.0), r"\(3,\)")])
def test_a_drift_that_changes_its_shape_in_time_is_refused(square: em.mesh.Domain, later: Any, shape: str):
    species = model(square, drift=lambda t: (1.0, 0.0) if t < 0.1 else later)
    with pytest.raises(
        ParameterError, match=rf"drift of shape {shape} at t = .*, must be of shape \(2,\) as at the start"
    ):
        em.evolve(species, 1.0, progress=False)


def test_species_of_one_name_cannot_be_watched(line: em.mesh.Domain):
    pair = [model(line), model(line)]
    with pytest.raises(ParameterError, match="'amount' is a quantity of the migration model and the migration model"):
        em.evolve(pair, 1.0, progress=False, watch=[em.watch.series(["amount"])])
    with pytest.raises(ParameterError, match=r"'c' is a field of the migration model and .*: take it from its model"):
        em.evolve(pair, 1.0, progress=False, watch=[em.watch.probe("c", at=0.5)])


@pytest.mark.parametrize("source", [lambda c: -100.0 + 0 * c, lambda c: 10.5 * c], ids=["drain", "growth"])
def test_a_source_that_leads_below_nothing_is_refused(line: em.mesh.Domain, source: Any):
    """10.5 c grows faster than diffusion takes it away, pi^2: what Newton's method finds is negative."""
    species = model(line, source=source, on={"left": em.fixed(1.0), "right": em.fixed(1.0)})
    with pytest.raises(ConvergenceError, match=r"c left its bounds .*: the source takes more than there is, or grows"):
        em.solve_steady(species)


def test_a_source_that_nothing_takes_up_is_named(line: em.mesh.Domain):
    with pytest.raises(ConvergenceError, match="with its source c may have no steady state"):
        em.solve_steady(model(line, source=lambda c: 1.0 + 0 * c))


def test_fitting_needs_simplices(plate: em.mesh.Domain):
    with pytest.raises(ParameterError, match="on quadrilateral cells, must be on one of interval"):
        model(plate, stabilisation="fitted")


def test_what_is_let_in_and_never_out_has_no_steady_state(line: em.mesh.Domain):
    with pytest.raises(ParameterError, match="no steady state; hold c somewhere"):
        em.solve_steady(model(line, on={"left": em.flux(0.2)}))
    balanced = model(line, on={"left": em.flux(0.2), "right": em.flux(-0.2)})
    em.solve_steady(balanced)
    values = em.fields.evaluate(balanced["c"], [[0.0], [1.0]])
    assert values[0] - values[1] == pytest.approx(0.2, rel=1e-8)


def test_a_peclet_number_needs_a_migration(plate: em.mesh.Domain):
    with pytest.raises(UnknownName, match="diffusivity"):
        migration.peclet(em.conduction.model(plate, on={"left": em.fixed(1.0)}))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"equilibrium": -1.0, "lifetime": 1.0}, "equilibrium = -1"),
        ({"equilibrium": 1.0, "lifetime": 0.0}, "lifetime = 0 s"),
    ],
)
def test_bad_sinks_are_refused(arguments: dict[str, Any], told: str):
    with pytest.raises(ParameterError, match=told):
        migration.sinks(**arguments)


# ---- ranks


@pytest.mark.soak
@pytest.mark.parallel
def test_numbers_do_not_depend_on_the_number_of_ranks(run_json_on_ranks: Callable[..., Any]):
    one, two = (run_json_on_ranks(ranks, Path(__file__).with_name("migration_case.py")) for ranks in (1, 2))
    assert one["refused"] == two["refused"] == 1.0
    assert two == pytest.approx(one, rel=1e-9, abs=1e-12)  # rounding in sums of another order
    assert len(one) == 61
