"""Atoms in true geometry: strain along a direction, vacancies with sinks of finite strength, diffusion by stress."""

from __future__ import annotations

from typing import Any

import emfem as em
from emfem.mechanics import Elastic, Vacancies, model

import numpy as np
import pytest
import ufl
from scipy.linalg import expm

SOLID = Elastic(100e9, 0.3)
METAL = em.materials.Material(
    "metal",
    temperature=373.0,
    diffusivity=1e-16,
    bulk_modulus=SOLID.bulk_modulus,
    atomic_volume=1.2e-29,
    resistivity=2e-8,
    effective_charge=-1.0,
)
LINE = em.mesh.interval(1e-6, cells=8)
WAVE = np.pi / 1e-6
EASE = METAL.atomic_volume / (em.units.boltzmann * METAL.temperature)  # Omega/(k T)
PULL = -em.units.elementary_charge * 1e3 / METAL.atomic_volume  # of 1 kV/m on the atoms of a volume
FIELD = 1e3 * ufl.as_vector([ufl.sin(WAVE * ufl.SpatialCoordinate(LINE.mesh)[0])])


def atoms(**arguments: Any) -> em.Model:
    """Line in which nothing moves but atoms, and those by a wave of the field."""
    return model(LINE, SOLID, kinematics="rigid", atoms=METAL, field=FIELD, degree=3, **arguments)


def decay(modulus: float) -> float:
    """Rate of a wave of the stress by Korhonen's equation."""
    return METAL.diffusivity * EASE * modulus * WAVE**2


def ends(made: em.Model, t: float) -> Any:
    """Stress at both ends after some time."""
    em.evolve(made, t, rtol=1e-7, atol=1e-9, progress=False)
    return em.fields.evaluate(made["p"], [[0.0], [1e-6]])


@pytest.mark.soak
def test_atoms_in_boundaries_across_a_rigid_line_make_stress_by_the_modulus_of_uniaxial_strain():
    modulus = SOLID.bulk_modulus + 4 / 3 * SOLID.shear_modulus
    made = atoms(deposit=[1.0])
    exact = PULL / WAVE * (1 - np.exp(-0.5))
    assert ends(made, 0.5 / decay(modulus)) == pytest.approx([exact, -exact], rel=1e-4)
    assert made.quantity("sigma_max") == pytest.approx(-SOLID.bulk_modulus / modulus * exact, rel=1e-4)
    assert made.quantity("von_mises_max") == pytest.approx(-2 * SOLID.shear_modulus / modulus * exact, rel=1e-4)


@pytest.mark.parametrize("lifetime", [1e-4, pytest.param(0.1, marks=pytest.mark.soak)])
def test_vacancies_follow_sinks_as_kirchheims_equations_and_end_as_korhonens(lifetime: float):
    """Small waves of w - 1 and of p = -K theta obey two linear equations, which a matrix exponential solves."""
    e, d, k, tau = 1e-4, METAL.diffusivity, SOLID.bulk_modulus, lifetime
    t = 0.5 / decay(k)
    rates = np.array([[-d * WAVE**2 / e - 1 / tau, EASE / tau], [k * e / tau, -k * e * EASE / tau]])
    driven = np.array([d * EASE * PULL * WAVE / e, 0.0])
    exact = np.linalg.solve(rates, (expm(rates * t) - np.eye(2)) @ driven)[1]
    korhonen = PULL / WAVE * (1 - np.exp(-0.5))
    made = atoms(vacancies=Vacancies(equilibrium=e, lifetime=lifetime))
    before = made.quantity("atoms")
    computed = ends(made, t)
    assert np.diff(computed) / 2 == pytest.approx(-exact, rel=2e-4)
    assert computed[0] == pytest.approx(exact, rel=5e-3)  # a wave of 2 MPa is not quite small
    assert made.quantity("atoms") == pytest.approx(before, rel=1e-14, abs=0)
    # sqrt(D tau/e) is a hundredth of the line, or a third of it
    assert exact / korhonen == pytest.approx(0.985 if tau < 1e-3 else 0.553, abs=2e-3)


@pytest.mark.soak
def test_diffusion_follows_stress():
    """In the flux of atoms let in at an end against a fixed stress at the other: kT/V (1 - exp(-V g L/...))."""
    volume = METAL.atomic_volume
    on: dict[str, Any] = {"left": em.flux(1e14), "right": em.fixed(0.0)}
    made = model(LINE, SOLID, kinematics="rigid", atoms=METAL, atoms_on=on, degree=3, activation_volume=volume)
    em.solve_steady(made)
    slope = 1e14 * volume / (METAL.diffusivity * EASE)  # of the stress without activation
    exact = np.log1p(-EASE * slope * 1e-6) / EASE
    assert em.fields.evaluate(made["p"], [[0.0]])[0] == pytest.approx(exact, rel=1e-4)
    assert abs(exact / (-slope * 1e-6) - 1) > 0.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"deposit": [0.0]}, "not all 0"),
        ({"deposit": [1.0, 2.0]}, "must be a direction, or a symmetric tensor"),
        ({"deposit": np.eye(3).tolist()}, "with a trace of 1"),
        ({"deposit": [[1.0, 1.0, 0.0], [0.0] * 3, [0.0] * 3]}, "symmetric"),
        ({"deposit": [float("nan")]}, "finite"),
        ({"deposit": ufl.Identity(3)}, "trace off by 2"),
        ({"deposit": ufl.as_matrix([[1, 0.5, 0], [0, 0, 0], [0, 0, 0]])}, "part of 0.354 that is not symmetric"),
        ({"deposit": [1.0], "atoms": None, "field": None}, "deposit without atoms"),
        ({"vacancies": Vacancies(1e-4, 1.0), "activation_volume": 1e-29}, "must be one of them"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        model(LINE, SOLID, **{"kinematics": "rigid", "atoms": METAL, "field": FIELD, **arguments})
    for wrong in ({"equilibrium": 0.1, "lifetime": 1.0}, {"equilibrium": 1e-4, "lifetime": 0.0}):
        with pytest.raises(em.ParameterError, match=" = 0"):
            Vacancies(**wrong)


def test_a_steady_state_before_any_load_is_a_warning():
    line = em.mesh.interval(1.0, cells=2)
    on = {"left": em.mechanics.support(0.0), "right": em.mechanics.support(lambda t: 1e-3 * t)}
    with pytest.warns(em.ResolutionWarning, match="nothing loads the body at t = 0, "):
        em.solve_steady(model(line, SOLID, on=on))
