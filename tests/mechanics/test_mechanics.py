"""Mechanical models: patch tests, supports, rigid motions, several solids, atoms; bad input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.analytic import confined_line_modulus, embedded_line_modulus, heated_hole, kirsch, plastic_radius
from emfem.mechanics import Elastic, clamped, model, roller, support, traction

import numpy as np
import pytest
import ufl
from dolfinx import fem

SOLID = Elastic(10.0, 0.3, 1e-5)
PULL = {"left": traction([-1.0, 0.0]), "right": traction([1.0, 0.0])}


def square(**regions: Callable[[Any], Any]) -> em.mesh.Domain:
    """Square of 4 x 4 triangles; regions by functions of the middle of a cell, the first that is true."""
    domain = em.mesh.rectangle((2.0, 1.0), cells=(4, 4), cell="triangle")
    return domain.with_regions(regions) if regions else domain


PLANE = square()


def solved(*args: Any, **kwargs: Any) -> em.Model:
    """Model at rest."""
    made = model(*args, **kwargs)
    em.solve_steady(made)
    return made


@pytest.mark.parametrize(
    ("kinematics", "mean", "energy"),
    [
        ("plane stress", 1 / 3, 1 / 10),
        pytest.param("generalised plane strain", 1 / 3, 1 / 10, marks=pytest.mark.soak),
        # s_zz = nu s_xx - 10 * 0.01/3 of an eigenstrain that is blocked across
        ("plane strain", (1.3 - 0.1 / 3) / 3, (0.91 + (0.1 / 3) ** 2) / 10),
    ],
)
def test_a_patch_under_tension_has_the_stress_of_the_load(kinematics: str, mean: float, energy: float):
    made = solved(PLANE, SOLID, on=PULL, kinematics=kinematics, eigenstrain=0.01, floating=True)
    assert made.quantity("mean") == pytest.approx(mean, rel=1e-9)
    assert made.quantity("sigma_min") == pytest.approx(mean, rel=1e-8)
    assert made.quantity("energy") == pytest.approx(energy, rel=1e-9)
    assert made.quantity("force_x right") == pytest.approx(1.0, rel=1e-9)


def test_reactions_balance_tractions_and_pins_carry_nothing():
    on = {"left": roller(), "bottom": roller(), "right": support(traction=[3.0, 0.0])}
    made = solved(PLANE, SOLID, on=on, kinematics="plane stress")
    assert made.quantity("force_x left") == pytest.approx(-3.0, rel=1e-10)
    assert made.quantity("force_y bottom") == pytest.approx(0.0, abs=1e-10)
    u = em.fields.evaluate(made["u"], [[2.0, 1.0]])[0]
    assert u == pytest.approx([2 * 0.3, -0.3 * 0.3], rel=1e-9)


@pytest.mark.soak
def test_heat_in_a_clamped_solid_presses_on_it():
    made = solved(
        PLANE,
        SOLID,
        on=dict.fromkeys(PLANE.names, clamped(PLANE)),
        temperature=400.0,
        stress_free_temperature=300.0,
    )
    assert made.quantity("sigma_max") == pytest.approx(-3 * SOLID.bulk_modulus * 1e-3, rel=1e-9)
    assert made.quantity("von_mises_max") == pytest.approx(0.0, abs=1e-9)


def test_a_solid_nearly_without_change_of_volume_does_not_lock():
    x = ufl.SpatialCoordinate(PLANE.mesh)
    wave = ufl.sin(ufl.pi * x[0] / 2) * ufl.sin(ufl.pi * x[1])
    flow = ufl.as_vector([wave.dx(1), -wave.dx(0)])  # without divergence
    misfit = em.mechanics.strain(flow, PLANE)
    rims = dict.fromkeys(PLANE.names, roller())
    errors = []
    for ratio in (0.46, 0.4999999):
        made = solved(PLANE, Elastic(1.0, ratio), on=rims, eigenstrain=misfit)
        wrong = made["u"] - flow
        errors.append(em.fields.integral(fem.form(ufl.inner(wrong, wrong) * PLANE.dx(6)), PLANE.mesh.comm) ** 0.5)
    assert errors[1] < 0.1  # |flow| is about 2
    assert errors[1] == pytest.approx(errors[0], rel=0.1)


def test_pressure_is_continuous_in_a_region_alone():
    domain = square(metal=lambda x: x[1] < 0.5, oxide=lambda x: x[1] > 0)
    solids = {"metal": Elastic(1.0, 0.49), "oxide": Elastic(10.0, 0.2)}
    on = {"left": roller(), "right": roller(), "bottom": roller(), "top": em.mechanics.pressure(1.0)}
    made = solved(domain, solids, on=on)
    for name, solid in solids.items():  # uniaxial strain of two layers: s_yy = -1
        mean = -(1 + solid.poisson_ratio) / (1 - solid.poisson_ratio) / 3
        assert made.quantity(f"sigma {name}") == pytest.approx(mean, rel=1e-9)


def test_a_rigid_motion_is_refused():
    with pytest.raises(em.ParameterError, match="moves along x: fix components"):
        model(PLANE, SOLID, on={"bottom": roller()})
    with pytest.raises(em.ParameterError, match="moves along x and moves along y and turns"):
        model(PLANE, SOLID)
    with pytest.raises(em.ParameterError, match="resultant of 1 "):
        model(PLANE, SOLID, on={"right": traction([1.0, 0.0])}, floating=True)
    with pytest.raises(em.ParameterError, match="follows time"):
        model(PLANE, SOLID, on={"right": em.mechanics.pressure(lambda t: t)}, floating=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"young_modulus": 0.0, "poisson_ratio": 0.3}, "young_modulus = 0 Pa"),
        ({"young_modulus": 1.0, "poisson_ratio": 0.5}, "poisson_ratio = 0.5, must be"),
        ({"young_modulus": 1.0, "poisson_ratio": -1.0}, "poisson_ratio = -1, must be"),
        ({"young_modulus": float("nan"), "poisson_ratio": 0.1}, "young_modulus = nan"),
        ({"young_modulus": 1.0, "poisson_ratio": 0.1, "yield_stress": 0.0}, "yield_stress = 0 Pa"),
    ],
)
def test_bad_constants_are_refused(arguments: dict[str, float], message: str):
    with pytest.raises(em.ParameterError, match=message):
        Elastic(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"on": {"bottom": em.fixed(0.0)}}, r"must be em.mechanics.support\(...\)"),
        ({"on": {"bottom": support(z=0.0)}}, "z on 'bottom', must be one of x, y"),
        ({"on": {"bottom": support(y=0.0, roller=True)}}, "roller on 'bottom' with y fixed"),
        ({"on": {"bottom": clamped(PLANE), "left": support(y=1.0)}}, "must be the same where they meet"),
        ({"on": {"bottom": clamped(PLANE), "left": support(y=lambda t: t)}}, "which follow time differently"),
        ({"on": {"bottom": support(0.0, roller=True, pressure=1.0)}}, "pressure on 'bottom' along a fixed normal"),
        ({"on": {"bottom": support(0.0, 0.0, traction=[0.0, 2.0])}}, "along y, which is fixed there"),
        ({"on": {"bottom": clamped(PLANE), "top": traction([1.0, 2.0, 3.0])}}, "traction on 'top'"),
        ({"kinematics": "flat"}, "flat"),
        ({"kinematics": "rigid"}, "on with kinematics = 'rigid'"),
        ({"eigenstrain": [1.0, 2.0]}, "eigenstrain"),
        ({"eigenstrain": float("nan")}, "eigenstrain"),
        ({"eigenstrain": [[0.0, 0.1, 0.0], [0.0] * 3, [0.0] * 3]}, "must be symmetric"),
        ({"stress_free_temperature": 300.0}, "without temperature"),
        ({"current_density": [1.0, 0.0]}, "current_density without atoms"),
        ({"atoms_in": "metal", "atoms": em.materials.copper()}, "atoms_in = 'metal'"),
        ({"atoms": em.materials.copper(), "degree": 1}, "degree = 1, must be at least 2"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str):
    held = {"on": {"bottom": clamped(PLANE)}}
    with pytest.raises((em.ParameterError, em.UnknownName), match=message):
        model(PLANE, SOLID, **{**held, **arguments})


def test_constants_in_other_units_or_left_out_are_refused():
    """Stress would be 1e-9 of what it is, or that of a solid that does not expand."""
    domain = square(metal=lambda x: x[1] < 0.5, oxide=lambda x: x[1] > 0)
    on = {"bottom": clamped(domain)}
    with pytest.raises(em.ParameterError, match="young_modulus = 71 Pa of 'oxide', must be in Pa"):
        model(domain, {"metal": STRONG, "oxide": Elastic(71.0, 0.2)}, on=on)
    with pytest.raises(em.ParameterError, match="young_modulus = 110 Pa, must be in Pa"):
        model(PLANE, Elastic(110.0, 0.3), on=on, atoms=METAL)
    solids = {"metal": SOLID, "oxide": Elastic(71.0, 0.2)}
    with pytest.raises(em.ParameterError, match="expansion of 'oxide' is left out"):
        model(domain, solids, on=on, temperature=300.0, stress_free_temperature=400.0)


def test_one_function_of_time_may_move_two_boundaries_that_meet():
    def pull(t: float) -> float:
        return 0.1 * t

    model(PLANE, SOLID, on={"bottom": support(y=pull), "left": support(0.0, pull)})


def test_a_support_of_nothing_is_refused():
    with pytest.raises(em.ParameterError, match="support without"):
        support()


def test_closed_forms_begin_and_end_as_they_must():
    copper = Elastic(110e9, 0.34)
    stiff = embedded_line_modulus(copper, Elastic(1e16, 0.2), aspect=3.0)
    assert stiff == pytest.approx(copper.bulk_modulus, rel=1e-4)
    thin = embedded_line_modulus(copper, Elastic(1e9, 0.2), aspect=1e6)  # free along x: biaxial
    assert thin == pytest.approx(110e9 / (9 * (1 - 0.34)) * 2, rel=1e-3)
    turned = [embedded_line_modulus(copper, Elastic(1e10, 0.2), aspect=a) for a in (4.0, 0.25)]
    assert turned[0] == pytest.approx(turned[1], rel=1e-12)
    assert confined_line_modulus(copper) < copper.bulk_modulus
    assert kirsch(0.0, 1.0, tension=2.0, radius=1.0) == pytest.approx([6.0, 0.0, 0.0])
    assert kirsch(1.0, 0.0, tension=2.0, radius=1.0) == pytest.approx([0.0, -2.0, 0.0])
    hot = heated_hole(0.0, 1.0, gradient=10.0, radius=1.0, young_modulus=100.0, expansion=1e-3)
    assert hot == pytest.approx([-1.0, 0.0, 0.0])
    tube: dict[str, float] = {"inner": 1.0, "outer": 2.0, "yield_stress": 3**0.5}
    assert plastic_radius(pressure=0.7, **tube) == 1.0  # yields from 1 - 1/4 on
    assert plastic_radius(pressure=2 * np.log(1.5) + 1 - 0.75**2, **tube) == pytest.approx(1.5)
    with pytest.raises(em.ParameterError, match="at which all of the tube yields"):
        plastic_radius(pressure=2.0, **tube)


def test_a_solid_that_yields_hardens_as_it_must():
    line = em.mesh.interval(1.0, cells=2)
    solid = Elastic(100.0, 0.25, yield_stress=0.2, hardening=10.0)
    on = {"left": support(0.0), "right": support(lambda t: 0.01 * min(t, 1.0))}
    made = model(line, solid, on=on, viscosity=0.01)
    em.evolve(made, 1.5, rtol=1e-5, atol=1e-8, progress=False)
    mu = solid.shear_modulus
    k = (2 * mu * 0.01 - 0.2) / (3 * mu + 10.0)  # s_v = 2 mu (e - 3/2 k) = s_y + H k in uniaxial strain
    assert made["plastic"].x.array == pytest.approx(k, rel=1e-4)
    assert made.quantity("von_mises_max") == pytest.approx(0.2 + 10.0 * k, rel=1e-4)
    assert made.quantity("mean") == pytest.approx(solid.bulk_modulus * 0.01, rel=1e-9)
    with pytest.raises(em.ParameterError, match="viscosity is left out"):
        model(line, solid, on=on)
    with pytest.raises(em.ParameterError, match="viscosity without a yield_stress"):
        model(line, SOLID, on=on, viscosity=1.0)


@pytest.mark.soak
def test_multigrid_knows_rigid_motions():
    """Without them it takes all of its 120 iterations, on the first mesh too."""
    for cells in (4, 6):
        box = em.mesh.box((4.0, 1.0, 1.0), cells=(2 * cells, cells, cells))
        on = {"left": clamped(box), "right": traction([0.0, 0.0, -1e-3])}
        made = [model(box, SOLID, on=on) for _ in range(2)]
        steady = em.solve_steady(made[0], solver="iterative")
        em.solve_steady(made[1], solver="direct")
        assert steady.linear_iterations < 65
        assert made[0].quantity("u_max") == pytest.approx(made[1].quantity("u_max"), rel=1e-8)


@pytest.mark.soak
def test_atoms_in_two_solids_need_no_factorisation():
    """About 17 iterations a stage, whatever the mesh; as many atoms, and the same stress, as by factorisation."""
    box = em.mesh.box((2e-6, 1e-6, 1e-6), cells=(8, 4, 4))
    box = box.with_regions({"metal": lambda x: x[1] > 0.5e-6, "oxide": lambda x: x[1] < 0.5e-6})
    solids = {"metal": STRONG, "oxide": Elastic(71e9, 0.17)}
    atoms: dict[str, Any] = {"atoms": METAL, "atoms_in": "metal", "current_density": [1e10, 0.0, 0.0]}
    made = [model(box, solids, on={"bottom": clamped(box)}, **atoms) for _ in range(2)]
    before = made[0].quantity("atoms")
    runs = [
        em.evolve(each, 5e3, fixed_step=5e3, solver=solver, progress=False)
        for each, solver in zip(made, ("iterative", "direct"), strict=True)
    ]
    assert made[0].quantity("atoms") == pytest.approx(before, rel=1e-13, abs=0)
    assert runs[0].linear_iterations < 30 * 4  # four stages
    for name in ("sigma_max", "von_mises_max", "u_max"):
        assert made[0].quantity(name) == pytest.approx(made[1].quantity(name), rel=1e-6)


METAL = em.materials.Material(
    "metal",
    temperature=373.0,
    diffusivity=1e-16,
    bulk_modulus=SOLID.bulk_modulus * 1e10,
    atomic_volume=1.2e-29,
    resistivity=2e-8,
    effective_charge=-1.0,
)
STRONG = Elastic(SOLID.young_modulus * 1e10, SOLID.poisson_ratio)


def test_atoms_let_in_stay_and_press():
    line = em.mesh.interval(1e-6, cells=4)
    on = {"left": em.flux(1e13)}
    made = model(line, STRONG, kinematics="rigid", atoms=METAL, atoms_on=on)
    before = made.quantity("atoms")
    em.evolve(made, 10.0, progress=False)
    assert made.quantity("atoms") - before == pytest.approx(1e14, rel=1e-6)  # of 8e22
    assert made.quantity("flux left") == pytest.approx(-1e13, rel=1e-12)
    assert made.quantity("mean") == pytest.approx(-METAL.bulk_modulus * 1e14 * 1.2e-29 / 1e-6, rel=1e-9)


@pytest.mark.soak
def test_a_reservoir_ends_the_stress_and_no_atom_is_lost():
    line = em.mesh.interval(1e-6, cells=4)
    on = {"left": em.fixed(0.0)}
    made = model(line, STRONG, kinematics="rigid", atoms=METAL, atoms_on=on, current_density=1e10)
    flows = em.accumulate(made)
    em.evolve([made, flows], 1e4, progress=False)
    assert abs(flows.quantity("atoms imbalance")) < 1e-12 * flows.quantity("atoms turnover")
    em.solve_steady(made)
    pull = em.units.elementary_charge * 2e-8 * 1e10 / 1.2e-29 * 1e-6  # G L
    ends = em.fields.evaluate(made["p"], [[0.0], [1e-6]])
    assert ends == pytest.approx([0.0, pull], rel=1e-5, abs=1e-5 * pull)
