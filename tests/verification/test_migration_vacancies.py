"""Vacancies with sinks of finite strength: a wave in closed form, and both limits, of fast sinks and of none.

With l^2 = D_V tau, D_V = (N D_A + (1 - N) D_B)/e, a small wave of wavenumber k moves the lattice by 1/(1 + (k l)^2) of
what fast sinks would: to derive it, put N = N0 + a cos kx and y = 1 + b cos kx into div J_V = -e (y - 1)/tau.
"""

from __future__ import annotations

import math
from typing import Any

import emfem as em
from emfem import migration
from emfem.errors import ParameterError, UnknownName

import numpy as np
import pytest
import ufl
from dolfinx import fem

A, B, MEAN = 2.0, 0.5, 0.4  # diffusivities of the species, and how much of the first there is
E = 1e-4  # vacancies in equilibrium; what is left out is of this order
THROUGH = MEAN * A + (1 - MEAN) * B  # of the vacancies, times E
K = math.pi


def lifetime(reach: float | None) -> float | None:
    """Of vacancies that go so far before they meet a sink."""
    return None if reach is None else reach**2 * E / THROUGH


def wavy(reach: float | None) -> em.Model:
    return migration.alloy(
        em.mesh.interval(1.0, cells=20),
        diffusivities=(A, B),
        initial=lambda x: MEAN + 1e-3 * np.cos(K * x[0]),
        vacancies=migration.vacancies(equilibrium=E, lifetime=lifetime(reach)),
    )


@pytest.mark.parametrize("steepness", [0.03, 0.3, 1.0, 3.0, None])
def test_a_wave_decays_and_moves_the_lattice_as_sinks_let_it(steepness: float | None):
    """From Darken's interdiffusion, 1.4, to that of the slower species, D_A D_B/(N D_A + (1 - N) D_B) = 0.909."""
    alloy = wavy(None if steepness is None else steepness / K)
    heights = []
    for t in (0.02, 0.06):
        em.evolve(alloy, t, rtol=1e-8, atol=1e-10, progress=False)
        heights.append(em.fields.evaluate(alloy["N"], [[0.0]])[0] - MEAN)
    rate = math.log(heights[0] / heights[1]) / (0.04 * K**2)
    slowed = 1.0 if steepness is None else steepness**2 / (1 + steepness**2)
    exact = (1 - MEAN) * A + MEAN * B - MEAN * (1 - MEAN) * (A - B) ** 2 / THROUGH * slowed
    assert rate == pytest.approx(exact, rel=3e-4)  # E, and the height of the wave
    speed = max(map(abs, em.fields.extremes(em.fields.discontinuous(alloy["velocity"][0], alloy.mesh, 1))))
    assert speed / ((A - B) * heights[1] * K) == pytest.approx(1 - slowed, abs=3e-3)  # gradients on 20 cells


def couple(given: migration.Vacancies | None, **arguments: Any) -> em.Model:
    """A diffusion couple 0.02 after it was joined, with markers."""
    start = lambda x: 0.5 - 0.4 * np.tanh((x[0] - 0.5) / 0.05)  # noqa: E731
    alloy = migration.alloy(
        em.mesh.interval(1.0, cells=60), diffusivities=(A, B), initial=start, markers=True, vacancies=given, **arguments
    )
    em.evolve(alloy, 0.02, progress=False, watch=[em.watch.conserved("amount", rtol=1e-10)])
    return alloy


def shift(alloy: em.Model) -> float:
    return float(migration.positions(alloy, [[0.5]])[0, 0]) - 0.5


def test_markers_move_the_less_the_farther_vacancies_go():
    """As with fast sinks where they hardly go, and not at all where they live for ever."""
    darken = shift(couple(None))
    assert darken < -0.07
    reaches = (0.01, 0.1, 0.3, None)
    part = [shift(couple(migration.vacancies(equilibrium=E, lifetime=lifetime(reach)))) / darken for reach in reaches]
    assert part[0] == pytest.approx(1.0, abs=0.02)  # (reach over width of the couple)^2
    assert np.diff(part).max() < -0.1
    assert abs(part[-1]) < 3 * E


def test_vacancies_pile_up_on_the_side_of_the_faster_species():
    """It loses more atoms than it gains, so vacancies come to it: and y's mean stays 1 where none are made."""
    alloy = couple(migration.vacancies(equilibrium=E, lifetime=None))
    left, right = em.fields.evaluate(alloy["vacancies"], [[0.3], [0.7]])
    assert left > 1.1
    assert right < 0.9
    domain = alloy.domain
    mean = em.fields.integral(fem.form(alloy["vacancies"] * domain.dx(4)), domain.mesh.comm)
    assert mean == pytest.approx(1.0, abs=1e-10)
    assert alloy.quantity("vacancies_max") > left
    assert alloy.quantity("vacancies_min") < right


def test_a_surface_keeps_vacancies_in_equilibrium():
    alloy = couple(migration.vacancies(equilibrium=E, lifetime=None, surfaces=["left"]))
    at = em.fields.evaluate(alloy["vacancies"], [[0.0], [1.0]])
    assert at[0] == pytest.approx(1.0, rel=1e-14)  # held there; elements sum their nodes' values
    assert abs(at[1] - 1) > 1e-2


@pytest.mark.parametrize(("reach", "lattice"), [(1e-3, "moving"), (None, "held")])
def test_steady_states_under_forces_are_those_of_the_limits(reach: float | None, lattice: str):
    """Fast sinks: a free lattice. None: vacancies alone keep J_A + J_B = 0, and do what a stress would do."""
    line = em.mesh.interval(1.0, cells=40)
    given: dict[str, Any] = {"diffusivities": (A, B), "forces": (5.0, 1.0), "initial": 0.3}
    limit = migration.alloy(line, lattice=lattice, **given)
    alloy = migration.alloy(line, vacancies=migration.vacancies(equilibrium=E, lifetime=lifetime(reach)), **given)
    for model in (limit, alloy):
        em.solve_steady(model)
    places = [[0.1], [0.5], [0.9]]
    found, expected = (em.fields.evaluate(model["N"], places) for model in (alloy, limit))
    assert found == pytest.approx(expected, rel=1e-3)  # of the layers at the ends, and E
    if lattice == "held":
        slope = ufl.grad(ufl.ln(alloy["vacancies"]))[0]
        gap = [em.fields.integral(fem.form(f * line.dx(6)), line.mesh.comm) for f in (slope, limit["stress_force"][0])]
        assert gap[0] == pytest.approx(gap[1], rel=1e-5)


def test_vacancies_that_none_are_made_of_keep_their_amount_at_rest():
    """Between ends that are held y = C (D_B + (D_A - D_B) N), of mean 1, and J = C D_A D_B dN/dx, not any other C."""
    line = em.mesh.interval(1.0, cells=20)
    on = {"left": em.fixed(0.2), "right": em.fixed(0.8)}
    given = migration.vacancies(equilibrium=E, lifetime=None)
    alloy = migration.alloy(line, diffusivities=(2.0, 1.0), initial=0.5, on=on, vacancies=given)
    em.solve_steady(alloy)
    assert alloy.quantity("flux left") == pytest.approx(2.0 * 0.6 / 1.5, rel=1e-6)


def test_in_a_plane_atoms_are_kept():
    square = em.mesh.rectangle((1.0, 1.0), cells=(6, 6))
    alloy = migration.alloy(
        square,
        diffusivities=(lambda n: 1 + n**2, 0.3),
        forces=((4.0, 2.0), (-1.0, 3.0)),
        initial=lambda x: 0.2 + 0.5 * x[0] * x[1],
        vacancies=migration.vacancies(equilibrium=1e-3, lifetime=1e-4),
    )
    em.evolve(alloy, 0.1, progress=False, watch=[em.watch.conserved("amount", rtol=1e-10)])
    assert 0 < alloy.quantity("vacancies_min") < 1 < alloy.quantity("vacancies_max")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"equilibrium": 0.0}, "equilibrium = 0, must be greater than 0"),
        ({"equilibrium": 0.1}, "equilibrium = 0.1, must be less than 0.01"),
        ({"lifetime": 0.0}, "lifetime = 0 s, must be greater than 0"),
        ({"lifetime": math.inf}, "lifetime = inf s, must be finite"),
        ({"surfaces": "left"}, "surfaces = 'left', must be a list of words"),
        ({"surfaces": [1]}, r"surfaces"),
    ],
)
def test_bad_vacancies_are_refused(arguments: dict[str, Any], told: str):
    with pytest.raises(ParameterError, match=told):
        migration.vacancies(**({"equilibrium": E, "lifetime": 1.0} | arguments))


def test_vacancies_must_fit_the_alloy():
    line = em.mesh.interval(1.0, cells=4)
    given: dict[str, Any] = {"diffusivities": (A, B), "initial": 0.5}
    some = migration.vacancies(equilibrium=E, lifetime=None, surfaces=["cathode"])
    with pytest.raises(UnknownName, match="'cathode'; this mesh has left, right"):
        migration.alloy(line, vacancies=some, **given)
    with pytest.raises(ParameterError, match=r"vacancies = 0\.001, must be em\.migration\.vacancies"):
        migration.alloy(line, vacancies=1e-3, **given)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="vacancies with lattice = 'held', must be None"):
        migration.alloy(line, vacancies=migration.vacancies(equilibrium=E, lifetime=None), lattice="held", **given)
