"""Constants of a metal as controls: Taylor's remainder, closed forms, the metal with new values, wrong names."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import emfem as em
from emfem.surface.inputs import metal as surface_metal
from emfem.units import eV, hour, nm, um

import numpy as np
import pytest
import ufl
from dolfinx import fem

COPPER = em.materials.copper(temperature=573.0)
GRAINS = "grain_boundary_diffusivity_thickness"
SOME: dict[str, Any] = {
    "diffusivity": 1e-17,
    "bulk_modulus": 28e9,
    "youngs_modulus": 7e10,
    "poisson_ratio": 0.3,
    "atomic_volume": 1.66e-29,
    "effective_charge": -10.0,
    "resistivity": 3e-8,
}
Made = tuple[Any, Any, em.adjoint.Metal, float | None]


def stress() -> Made:
    line = em.mesh.interval(50 * um, cells=20, names=("anode", "cathode")).in_metres()
    names = [f"{GRAINS}.prefactor", f"{GRAINS}.activation_energy", "effective_charge", "bulk_modulus"]
    metal = em.adjoint.Metal(line, COPPER, [*names, "resistivity.value", "temperature"])
    model = em.stress.model(line, metal, current_density=2e10)
    return model, 1e-18 * model["sigma"] ** 2 * line.ds("anode"), metal, 20 * hour


def migration() -> Made:
    line = em.mesh.interval(50 * um, cells=20, names=("anode", "cathode")).in_metres()
    metal = em.adjoint.Metal(line, COPPER, [f"{GRAINS}.prefactor", "effective_charge", "temperature"])
    drift = em.migration.drift_velocity(metal, field=[1e3])
    model = em.migration.model(line, diffusivity=metal.diffusivity, drift=drift, initial=lambda x: 1 + 2e4 * x[0])
    return model, 2e4 * (model["c"] - 1.2) ** 2 * line.dx(), metal, 20 * hour


def heat() -> Made:
    plate = em.mesh.rectangle((3 * um, 2 * um), cells=(4, 3)).in_metres()
    metal = em.adjoint.Metal(
        plate, COPPER, ["resistivity.value", "temperature_coefficient", "volumetric_heat_capacity"]
    )
    on: dict[str, Any] = {"left": em.fixed(300.0), "right": em.heat.convection(1e6, 280.0)}
    model = em.heat.model(plate, metal, current_density=(1e12, 0.0), on=on)
    return model, 1e10 * (model["T"] - 300) ** 2 * plate.dx(), metal, 1e-8


def conduction() -> Made:
    plate = em.mesh.rectangle((4 * um, 3 * um), cells=(4, 3)).in_metres()
    metal = em.adjoint.Metal(plate, COPPER, ["resistivity.value", "temperature_coefficient", "temperature"])
    drain = em.conduction.electrode(current=1e7, contact_resistivity=1e-14)
    model = em.conduction.model(plate, conductivity=1 / metal.resistivity, on={"left": em.fixed(1.0), "right": drain})
    return model, 1e6 * model["phi"] ** 2 * plate.ds("right"), metal, None


def surface() -> Made:
    bar = em.mesh.rectangle((3 * um, 2 * um), cells=(48, 32), cell="triangle").in_metres()
    constants = {"effective_charge": -5.0, "resistivity": 3e-8, "surface_energy": 1.7, "atomic_volume": 1.2e-29}
    some = em.materials.Material("a metal", temperature=500.0, surface_diffusivity_thickness=1e-20, **constants)
    metal = em.adjoint.Metal(bar, some, ["effective_charge", "surface_diffusivity_thickness", "resistivity.value"])
    void = em.surface.void((1.5 * um, 1.05 * um), 500 * nm)
    options: dict[str, Any] = {"current_density": 1e10, "on": ("left", "right"), "interface_width": 170 * nm}
    model = em.surface.model(bar, metal, shape=void, **options)
    return model, 1e12 * model["c"] ** 2 * bar.dx(), metal, 30.0


def atoms() -> Made:
    solid, plate = em.mechanics.Elastic(100e9, 0.3), em.mesh.rectangle((1 * um, 0.5 * um), cells=(6, 3)).in_metres()
    constants = {"diffusivity": 1e-16, "bulk_modulus": solid.bulk_modulus, "atomic_volume": 1.2e-29}
    some = em.materials.Material("a metal", temperature=373.0, effective_charge=-1.0, resistivity=2e-8, **constants)
    metal = em.adjoint.Metal(plate, some, ["diffusivity", "effective_charge"])
    field = 1e3 * ufl.as_vector([ufl.sin(np.pi / um * ufl.SpatialCoordinate(plate.mesh)[0]), 0.0])
    on = {"left": em.mechanics.clamped(plate)}
    model = em.mechanics.model(plate, solid, atoms=metal, field=field, on=on)
    return model, 1e-2 * model["p"] ** 2 * plate.dx(), metal, 2e3


def voids() -> Made:
    corner = em.mesh.rectangle((100 * nm, 100 * nm), cells=(20, 20)).in_metres()
    constants = {"diffusivity": 1e-17, "bulk_modulus": 28e9, "atomic_volume": 1.66e-29, "effective_charge": -10.0}
    surface = {"surface_energy": 1.7, "surface_diffusivity_thickness": 3e-23}
    some = em.materials.Material("a metal", temperature=373.0, resistivity=3e-8, **constants, **surface)
    metal = em.adjoint.Metal(corner, some, ["surface_diffusivity_thickness", "diffusivity"])
    shape = em.surface.void((0.0, 0.0), 30 * nm)
    model = em.voids.model(corner, metal, shape=shape, interface_width=5 * nm, residual_stress=300e6)
    return model, 1e14 * model["c"] ** 2 * corner.dx(), metal, 1.0


MAKERS = [
    conduction,
    *(pytest.param(each, marks=pytest.mark.soak) for each in (atoms, heat, migration, stress, surface, voids)),
]


@pytest.mark.parametrize("make", MAKERS)
def test_taylors_remainder_is_of_second_order(make: Callable[[], Made]):
    models, of, metal, until = make()
    objective = em.adjoint.Objective(models, of, metal.controls, until=until)
    step = {surface: 5e-2, stress: 5e-4}.get(make, 5e-3)  # a rate has Ea/kT = 28 in its exponent, a void hardly moves
    assert objective.taylor_orders(step=step) == pytest.approx(2.0, abs=0.02)


def test_the_time_of_nucleation_goes_as_the_inverse_of_the_diffusivity():
    """t = f(Z*) / (D B): d ln t/d ln D0 = d ln t/d ln B = -1 at any time; the rest is that of the steps."""
    line = em.mesh.interval(50 * um, cells=20, names=("anode", "cathode")).in_metres()
    prefactor = f"{GRAINS}.prefactor"
    metal = em.adjoint.Metal(line, COPPER, [prefactor, "bulk_modulus", "effective_charge"])
    model = em.stress.model(line, metal, current_density=2e10)
    assert "balancing_stress" in model.expressions  # constants of the forms are the same everywhere
    tension = model["sigma"] * line.ds("cathode")
    objective = em.adjoint.Objective(model, tension, metal.controls, until=100 * hour, passes=3e8, rtol=1e-3)
    t, gradient = objective.value_and_gradient()
    for name in (prefactor, "bulk_modulus"):
        assert gradient[name] * float(metal.controls[name].value) == pytest.approx(-t, rel=2e-3)

    def exact(charge: float) -> float:
        return em.analytic.nucleation_time(
            current_density=2e10, length=50 * um, material=COPPER.having(effective_charge=charge), critical_stress=3e8
        )

    slope = (exact(-4.99) - exact(-5.01)) / 0.02
    assert gradient["effective_charge"] == pytest.approx(slope, rel=5e-3)


def test_the_metal_has_the_values_of_now():
    plate = em.mesh.rectangle((1.0, 1.0), cells=(1, 1))
    names = ["effective_charge", f"{GRAINS}.prefactor", "resistivity.value", "temperature"]
    metal = em.adjoint.Metal(plate, COPPER, names)
    assert repr(metal).startswith("<Metal Material('copper', temperature=573): effective_charge = -5, grain")
    assert str(metal.material) == str(COPPER)
    assert metal.law("bulk_modulus")(573.0) == COPPER.bulk_modulus
    for name, factor in zip(names, (1.5, 2.0, 1.1, 0.9), strict=True):
        metal.controls[name].value *= factor
    now = metal.material
    assert (now.effective_charge, now.temperature) == pytest.approx((-7.5, 515.7))
    assert now.law("resistivity")(573.0) == pytest.approx(1.1 * COPPER.resistivity, rel=1e-9, abs=0)
    fast = COPPER.law(GRAINS)(515.7)
    assert now.law(GRAINS)(515.7) == pytest.approx(2 * fast, rel=1e-9, abs=0)
    assert metal.law("bulk_modulus")(515.7) == now.bulk_modulus
    live = fem.form(metal.law("diffusivity")(515.7) * plate.dx())
    assert fem.assemble_scalar(live) == pytest.approx(now.diffusivity, rel=1e-9, abs=0)
    assert metal.name == "copper"
    assert not hasattr(metal, "nothing")
    metal.controls["temperature"].value = 1e4
    with pytest.raises(em.ParameterError, match="the laws of copper hold from"):
        _ = metal.material


def test_what_is_no_control_is_refused():
    plate = em.mesh.rectangle((1 * um, 1 * um), cells=(2, 2)).in_metres()
    for names, message in (
        ([], r"names = \[\], must be at least one"),
        (["diffusivity"], "'diffusivity'; copper has temperature, .*diffusivity.grain_size"),
        (["effective_charge", "effective_charge"], "'effective_charge' is there twice"),
        (["temperature", "temperature"], "'temperature' is there twice"),
    ):
        with pytest.raises(em.EmfemError, match=message):
            em.adjoint.Metal(plate, COPPER, names)


def test_a_number_that_a_model_keeps_is_refused_as_a_control():
    """Its derivative would lack a part; one that the model does not read may be a control beside it."""
    plate = em.mesh.rectangle((100 * nm, 100 * nm), cells=(20, 20)).in_metres()
    void, charge = em.surface.void((0.0, 0.0), 30 * nm), "effective_charge"
    shape: dict[str, Any] = {"shape": void, "interface_width": 5 * nm}
    loose = em.materials.Material("a metal", surface_energy=1.7, surface_diffusivity_thickness=3e-23, **SOME)
    makers: dict[str, Callable[[em.adjoint.Metal], Any]] = {
        "youngs_modulus": lambda metal: em.mechanics.model(plate, metal, on={"left": em.mechanics.clamped(plate)}),
        "poisson_ratio": lambda metal: em.surface.model(plate, metal, strain=[1e-3, 0.0], **shape),
        "surface_energy": lambda metal: em.surface.model(plate, metal, **shape),
        "atomic_volume": lambda metal: em.voids.model(plate, metal, residual_stress=3e8, **shape),
        "bulk_modulus": lambda metal: em.voids.model(plate, metal, residual_stress=3e8, **shape),
    }
    for name, make in makers.items():
        with pytest.raises(em.ParameterError, match=f"{name} as a control, must be none .* keeps {name} as a number"):
            make(em.adjoint.Metal(plate, loose, [name]))
    makers["youngs_modulus"](em.adjoint.Metal(plate, loose, [charge, "temperature"]))


def follows(form: Any, rebuilt: Callable[[em.materials.Material], float], metal: em.adjoint.Metal) -> None:
    """Check a number of the forms against that of the rebuilt metal, for 5 % more of each control."""
    live = fem.form(form)
    for control in metal.controls.values():
        before = fem.assemble_scalar(live)
        control.value *= 1.05
        after = fem.assemble_scalar(live)
        assert abs(after / before - 1) > 1e-3
        assert after == pytest.approx(rebuilt(metal.material), rel=1e-9, abs=0.0)


def test_at_a_temperature_that_is_a_number_the_drift_follows_the_controls():
    line = em.mesh.interval(50 * um, cells=2).in_metres()
    metal = em.adjoint.Metal(line, COPPER, [f"{GRAINS}.prefactor", "effective_charge"])
    v = em.migration.drift_velocity(metal, field=[1e3], temperature=600.0)

    def rebuilt(now: em.materials.Material) -> float:
        return float(50 * um * em.migration.drift_velocity(now, field=[1e3], temperature=600.0)[0])

    follows(v[0] * line.dx(), rebuilt, metal)


def test_pauses_between_pulses_follow_the_controls():
    bar = em.mesh.rectangle((3 * um, 2 * um), cells=(4, 3), cell="triangle").in_metres()
    law = em.materials.Arrhenius(1e-16, 0.5 * eV)
    some = em.materials.Material(
        "a metal", temperature=500.0, surface_energy=1.7, surface_diffusivity_thickness=law, **SOME
    )
    metal = em.adjoint.Metal(bar, some, [f"surface_diffusivity_thickness.{each.name}" for each in fields(law)])
    pulses = em.surface.Pulses(0.1, 490.0)

    def number(material: Any) -> Any:
        return surface_metal(bar, material, None, driven=True, pulses=pulses).mullins * bar.dx()

    follows(number(metal), lambda now: float(fem.assemble_scalar(fem.form(number(now)))), metal)
