"""Materials against worked numbers: cancellation, paths, the Blech product, and the power of every input."""

from __future__ import annotations

import math
from dataclasses import asdict
from functools import partial
from typing import Any

import emfem as em
from emfem.materials import Arrhenius, DirectAndWind, Material, WiedemannFranz
from emfem.units import MPa, boltzmann, elementary_charge, eV, um
from emfem.verify.reference import CONSTANTS
from tests.reference import DIGITS, reference_copper

import numpy as np
import pytest
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

close = partial(pytest.approx, abs=0.0)  # the default, 1e-12, accepts any atomic volume
# ---- effective charge


def test_forces_cancel_where_the_closed_form_predicts():
    """Example A: Zd = 2, Zw = -3 at 293.15 K, a = 4.5e-3/K."""
    metal = em.materials.copper(temperature_coefficient=4.5e-3, effective_charge=DirectAndWind(2.0, -3.0))
    exact = em.analytic.cancellation_temperature(2.0, -3.0, temperature_coefficient=4.5e-3)
    assert exact == close(404.261, abs=5e-4)
    assert metal.cancellation_temperature() == close(exact, rel=1e-13)  # both exact up to rounding
    charge = metal.law("effective_charge")
    assert charge(exact - 5.0) < 0.0 < charge(exact + 5.0)
    assert metal.at(exact).effective_charge == close(0.0, abs=1e-13)


def test_no_force_is_left_at_cancellation():
    metal = em.materials.copper(temperature_coefficient=4.5e-3, effective_charge=DirectAndWind(2.0, -3.0))
    rest = metal.at(metal.cancellation_temperature()).derived(length=50 * um, current_density=1e10)
    moved = metal.derived(length=50 * um, current_density=1e10)
    assert abs(rest.drift_velocity) < 1e-12 * abs(moved.drift_velocity)  # rounding
    assert rest.critical_product is None


def test_copper_melts_before_its_forces_cancel():
    """Example B: Zd = 1, Zw = -6, a = 3.93e-3/K."""
    exact = em.analytic.cancellation_temperature(1.0, -6.0, temperature_coefficient=3.93e-3)
    assert exact == close(1565.0, abs=0.5)
    metal = em.materials.copper(effective_charge=DirectAndWind(1.0, -6.0))
    with pytest.raises(em.ParameterError, match=r"1565.41 K, above the melting temperature of 1357.8 K: they never"):
        metal.cancellation_temperature()
    with pytest.raises(em.ParameterError, match=r"1565.41 K, above the melting temperature of 1357.8 K: they never"):
        em.analytic.cancellation_temperature(
            1.0, -6.0, temperature_coefficient=3.93e-3, melting_temperature=metal.melting_temperature
        )


def test_cancellation_does_not_depend_on_the_temperature_of_the_metal():
    given: dict[str, Any] = {"effective_charge": DirectAndWind(2.0, -3.0), "temperature_coefficient": 4.5e-3}
    cold, hot = (em.materials.copper(t, **given).cancellation_temperature() for t in (250.0, 700.0))
    assert cold == close(hot, rel=1e-14)


def test_wind_force_of_a_current_does_not_depend_on_temperature():
    """Z* rho = Zd rho - K: with Zd = 0 the product is constant."""
    metal = em.materials.gold(effective_charge=DirectAndWind(0.0, -8.0))
    temperature = np.array([200.0, 500.0, 1200.0])
    product = metal.law("effective_charge")(temperature) * metal.law("resistivity")(temperature)
    assert product == close(-8.0 * metal.law("resistivity")(293.15), rel=1e-14)


# ---- the reference line


def test_reference_line_has_the_worked_numbers():
    metal = reference_copper()
    told = metal.derived(length=50 * um, current_density=1e10, critical_stress=41 * MPa)
    assert metal.diffusivity == close(2.831243e-20, rel=DIGITS)
    assert told.stress_diffusivity == close(1.791718e-18, rel=DIGITS)
    assert told.critical_product == close(2.684126e5, rel=DIGITS)
    assert abs(told.stress_gradient) == close(3.054998e12, rel=DIGITS)
    assert told.greatest_stress == close(76.3749 * MPa, rel=1e-6)  # six digits given
    assert told.time_scale / math.pi**2 == close(1.41374e8, rel=3e-6)
    assert abs(told.drift_velocity) == close(1.954891e-16, rel=DIGITS)
    assert em.analytic.blech_product(metal, critical_stress=41 * MPa) == close(2.684126e5, rel=DIGITS)


def test_reference_line_is_mortal_at_1e10_and_immortal_at_5e9():
    verdict = [
        reference_copper().derived(length=50 * um, current_density=j, critical_stress=41 * MPa).immortal
        for j in (1e10, 5e9)
    ]
    assert verdict == [False, True]


def test_at_the_blech_product_the_greatest_stress_is_the_critical_one():
    metal = em.materials.aluminium(450.0)
    product = em.analytic.blech_product(metal, critical_stress=200 * MPa, residual_stress=50 * MPa)
    told = metal.derived(length=30 * um, current_density=product / (30 * um))
    assert told.greatest_stress + 50 * MPa == close(200 * MPa, rel=1e-14)


@pytest.mark.parametrize("turned", ["current_density", "effective_charge"])
def test_atoms_turn_round_with_the_current_and_with_the_sign_of_their_charge(turned: str):
    before = reference_copper().derived(length=50 * um, current_density=1e10)
    charge, current = (1.0, 1e10) if turned == "effective_charge" else (-1.0, -1e10)
    after = reference_copper(effective_charge=charge).derived(length=50 * um, current_density=current)
    for name in ("force", "drift_velocity", "peclet", "stress_gradient"):
        assert getattr(after, name) == -getattr(before, name) != 0.0
    assert (before.drift_velocity < 0.0, after.greatest_stress) == (True, before.greatest_stress)
    assert after.field == math.copysign(before.field, current)


# Powers of each input in each derived number; what is not named does not change.
POWERS = {
    "resistivity": {
        "field": 1,
        "force": 1,
        "drift_velocity": 1,
        "peclet": 1,
        "stress_gradient": 1,
        "greatest_stress": 1,
        "critical_product": -1,
    },
    "effective_charge": {
        "force": 1,
        "drift_velocity": 1,
        "peclet": 1,
        "stress_gradient": 1,
        "greatest_stress": 1,
        "critical_product": -1,
    },
    "diffusivity": {"drift_velocity": 1, "diffusion_time": -1, "stress_diffusivity": 1, "time_scale": -1},
    "bulk_modulus": {"stress_diffusivity": 1, "time_scale": -1},
    "atomic_volume": {
        "stress_diffusivity": 1,
        "time_scale": -1,
        "stress_gradient": -1,
        "greatest_stress": -1,
        "critical_product": 1,
    },
    "length": {"peclet": 1, "diffusion_time": 2, "time_scale": 2, "greatest_stress": 1, "product": 1},
    "current_density": {
        "field": 1,
        "force": 1,
        "drift_velocity": 1,
        "peclet": 1,
        "stress_gradient": 1,
        "greatest_stress": 1,
        "product": 1,
    },
    "critical_stress": {"critical_product": 1},
    "temperature": {"drift_velocity": -1, "peclet": -1, "stress_diffusivity": -1, "time_scale": 1},
}


@pytest.mark.parametrize("changed", POWERS)
def test_derived_numbers_follow_the_powers_of_their_inputs(changed: str):
    base = CONSTANTS | {"diffusivity": 1e-18, "temperature_coefficient": 0.0}
    metal_of = partial(em.materials.Material, "one of its own")  # copper would refuse another atomic volume
    run = {"length": 50 * um, "current_density": 1e10, "critical_stress": 41 * MPa}
    factor = 1.7
    inputs, setting = dict(base), dict(run)
    (setting if changed in setting else inputs)[changed] *= factor
    before, after = (asdict(metal_of(**metal).derived(**at)) for metal, at in ((base, run), (inputs, setting)))
    assert set(POWERS[changed]) <= set(before)
    for name, value in before.items():
        power = POWERS[changed].get(name, 0)
        assert after[name] == close(factor**power * value, rel=1e-13), name


def test_the_charge_of_the_force_is_that_of_the_electron_not_an_energy():
    """Some codes use the activation energy for e: here it changes the diffusivity and no force."""
    told = reference_copper().derived(length=50 * um, current_density=1e10, critical_stress=41 * MPa)
    other = reference_copper(diffusivity=Arrhenius(1.3e-9, 0.808 * eV))
    changed = other.derived(length=50 * um, current_density=1e10, critical_stress=41 * MPa)
    assert changed.drift_velocity < 0.0
    assert changed.drift_velocity / told.drift_velocity == close(
        other.diffusivity / reference_copper().diffusivity, rel=1e-14
    )
    for name in ("force", "peclet", "stress_gradient", "greatest_stress", "critical_product"):
        assert getattr(changed, name) == getattr(told, name)
    assert told.force == close(-1.602176634e-19 * 2.25e-8 * 1e10, rel=1e-14)
    assert elementary_charge == 1.602176634e-19
    product = em.analytic.blech_product(reference_copper(), critical_stress=41 * MPa)
    assert product == close(2 * 1.18e-29 * 41e6 / (1.602176634e-19 * 2.25e-8), rel=1e-14)


# ---- paths


@pytest.mark.parametrize(("temperature", "ratio", "digits"), [(573.15, 7.99e6, 0.005e6), (378.15, 6.85e12, 0.005e12)])
def test_boundaries_outrun_the_lattice_of_copper(temperature: float, ratio: float, digits: float):
    """Grains of 0.2 um; the reference rounds them to 8.0e6 and 6.9e12."""
    copper = em.materials.copper(temperature)
    boundaries = copper.grain_boundary_diffusivity_thickness / (0.2 * um)
    assert boundaries / copper.lattice_diffusivity == close(ratio, abs=digits)


def test_line_sums_up_its_paths():
    """Every term written out by hand, with a charge of its own for each path."""
    copper = em.materials.copper(500.0)
    w, h, d = 0.4 * um, 0.3 * um, 0.1 * um
    charges = {"lattice": -5.0, "grain_boundary": -8.0, "interface": -3.0, "surface": -20.0}
    line = copper.in_line(width=w, height=h, grain_size=d, paths=tuple(charges), charges=charges)
    terms = [
        copper.lattice_diffusivity,
        copper.grain_boundary_diffusivity_thickness * 0.75 / d,
        copper.interface_diffusivity_thickness * (2 / w + 1 / h),
        copper.surface_diffusivity_thickness / h,
    ]
    assert line.diffusivity == close(sum(terms), rel=1e-14)
    mean = sum(z * term for z, term in zip(charges.values(), terms, strict=True)) / sum(terms)
    assert line.effective_charge == close(mean, rel=1e-14)
    assert min(term / sum(terms) for term in terms[1:]) > 1e-3  # no path is too slow to be seen


def test_no_boundary_runs_along_a_bamboo():
    copper = em.materials.copper(500.0)
    for grain_size in (0.2 * um, 5 * um):
        line = copper.in_line(
            width=0.2 * um, height=0.2 * um, grain_size=grain_size, paths=("lattice", "grain_boundary")
        )
        assert line.diffusivity == copper.lattice_diffusivity
    narrow = copper.in_line(width=0.2 * um, height=0.2 * um, grain_size=0.19 * um, paths=("lattice", "grain_boundary"))
    assert narrow.diffusivity > 1e4 * copper.lattice_diffusivity


def test_equal_charges_on_all_paths_stay_what_they_are():
    charges = dict.fromkeys(("lattice", "grain_boundary"), -7.0)
    line = em.materials.silver(600.0).in_line(width=1 * um, height=1 * um, grain_size=0.3 * um, charges=charges)
    assert line.effective_charge == close(-7.0, rel=1e-14)


# ---- heat


def test_wiedemann_franz_gives_the_lorenz_ratio_at_every_temperature():
    metal = em.materials.copper(400.0, thermal_conductivity=WiedemannFranz())
    temperature = np.linspace(200.0, 1300.0, 7)
    ratio = metal.law("thermal_conductivity")(temperature) * metal.law("resistivity")(temperature) / temperature
    assert ratio == close(2.44e-8, rel=1e-14)


@pytest.mark.parametrize("name", em.materials.names())
def test_conductivities_of_each_metal_agree_with_wiedemann_franz(name: str):
    """Tabulated k and rho at room temperature: tungsten is a quarter above the law."""
    metal = em.materials.metal(name, 293.15)
    assert metal.thermal_conductivity == close(
        2.44e-8 * 293.15 / metal.resistivity, rel=0.13 if name != "tungsten" else 0.26
    )


# ---- laws in forms


def in_form(name: str, metal: Material, temperature: NDArray[np.float64]) -> NDArray[np.float64]:
    """The law of a field of temperature, interpolated, at its nodes."""
    line = em.mesh.interval(1.0, cells=4)
    space = fem.functionspace(line.mesh, ("Lagrange", 1))
    field, result = fem.Function(space), fem.Function(space)
    field.interpolate(lambda x: np.interp(x[0], np.linspace(0.0, 1.0, len(temperature)), temperature))
    expression = metal.law(name)(field)
    result.interpolate(fem.Expression(expression, space.element.interpolation_points))
    assert metal.law(name)(field.x.array) == close(result.x.array, rel=1e-12)
    return result.x.array


@pytest.mark.parametrize("name", ["resistivity", "thermal_conductivity", "effective_charge", "diffusivity"])
def test_a_law_gives_the_same_for_numbers_arrays_and_fields(name: str):
    metal = em.materials.copper(
        thermal_conductivity=WiedemannFranz(), effective_charge=DirectAndWind(2.0, -5.0)
    ).in_line(width=1 * um, height=1 * um, grain_size=0.2 * um)
    temperature = np.linspace(300.0, 900.0, 5)
    array = metal.law(name)(temperature)
    assert [metal.law(name)(t) for t in temperature] == close(array, rel=1e-14)
    assert [getattr(metal.at(t), name) for t in temperature] == close(array, rel=1e-14)
    assert np.ptp(in_form(name, metal, temperature)) > 0.0 or MPI.COMM_WORLD.size > 1


# ---- what no table here checks: the rules that metals keep


@pytest.mark.parametrize("name", em.materials.names())
def test_heat_capacities_keep_to_dulong_and_petit(name: str):
    """3 k per atom at 25 C; these metals come within 8 percent of it."""
    metal = em.materials.metal(name, 298.15)
    assert metal.volumetric_heat_capacity == close(3 * boltzmann / metal.atomic_volume, rel=0.08)


@pytest.mark.parametrize("name", em.materials.names())
def test_metals_melt_with_like_diffusivities_and_surface_energies(name: str):
    """At melting 1e-14 to 1e-11 m2/s in the lattice, and thousands of times that in a boundary 0.5 nm wide.

    A surface costs some k T_melting per atom of it.
    """
    metal = em.materials.metal(name)
    metal = metal.at(metal.melting_temperature)
    assert 1e-14 < metal.lattice_diffusivity < 1e-11
    boundary, surface = (
        thickness / 0.5e-9
        for thickness in (metal.grain_boundary_diffusivity_thickness, metal.surface_diffusivity_thickness)
    )
    assert 1e2 < boundary / metal.lattice_diffusivity < 1e6
    assert boundary < 1e-7 > surface
    assert 3.0 < metal.surface_energy * metal.atomic_volume ** (2 / 3) / (boltzmann * metal.temperature) < 10.0
