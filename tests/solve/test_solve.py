"""Steady states and PETSc's part: what is found, what is kept when nothing is, and how options get there."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.errors import ConvergenceError, ParameterError, UnknownName
from emfem.solve import TimeStepper

import numpy as np
import pytest
from dolfinx import fem
from petsc4py import PETSc

Decay = Callable[..., em.Model]
IDEAL = em.film.Alloy(entropy=1.0, enthalpy=0.0, solute_expansion=0.0, gradient_energy=0.015)
ON = {"left": em.fixed(0.2), "right": em.fixed(0.4)}


@pytest.fixture
def between(plate: em.mesh.Domain) -> em.Model:
    """An ideal film between two reservoirs."""
    return em.film.model(plate, IDEAL, mean=0.3, on=ON, degree=1)


def test_newton_and_pseudo_time_find_the_same_steady_state(plate: em.mesh.Domain):
    found = []
    for method in ("newton", "pseudo-transient"):
        model = em.film.model(plate, IDEAL, mean=0.3, on=ON, degree=1)
        steady = em.solve_steady(model, method=method)
        assert steady.residual < 1e-9
        assert steady.iterations < 30
        assert steady.reason.startswith("CONVERGED_")
        found.append(model["c"].x.array.copy())
    assert found[0] == pytest.approx(found[1], abs=1e-9)
    assert found[0].min() == pytest.approx(0.2, abs=1e-13)
    assert found[0].max() == pytest.approx(0.4, abs=1e-13)


def test_a_film_is_followed_to_rest_unless_newton_is_asked_for(between: em.Model):
    assert em.solve_steady(between).reason == "CONVERGED_AT_REST"


def test_a_cold_start_far_from_equilibrium_comes_to_rest_with_its_solute():
    """A steep boundary layer from a uniform start: five thermal lengths, thin diffuse edges."""
    ideal = em.film.Alloy(entropy=1.0, enthalpy=0.0, solute_expansion=0.0, gradient_energy=1e-4)
    film = em.film.model(em.mesh.interval(1.0, cells=80), ideal, mean=0.3, field=(5.0,))
    steady = em.solve_steady(film)
    assert steady.iterations < 40
    assert film.t == 0.0
    assert film.quantity("solute") == pytest.approx(0.3, rel=1e-12)
    assert em.fields.evaluate(film["c"], np.array([[0.5]]))[0] == pytest.approx(0.22761637, abs=1e-4)  # closed form


def test_a_closed_film_keeps_its_solute(plate: em.mesh.Domain):
    film = em.film.model(plate, IDEAL, mean=0.3, initial=lambda x: 0.25 + 0.1 * x[0] / 4, degree=1)
    steady = em.solve_steady(film)
    assert steady.reason == "CONVERGED_AT_REST"
    assert film.quantity("solute") == pytest.approx(3.6, rel=1e-10)
    assert film["c"].x.array == pytest.approx(0.3, abs=1e-8)


@pytest.mark.parametrize(("method", "steps"), [("newton", 1), ("pseudo-transient", 0)])
def test_a_steady_state_is_found_at_once(between: em.Model, method: str, steps: int):
    em.solve_steady(between)
    before = between["c"].x.array.copy()
    assert em.solve_steady(between, method=method, atol=1e-10).iterations <= steps
    assert between["c"].x.array == pytest.approx(before, abs=1e-10)


@pytest.mark.parametrize("method", ["newton", "pseudo-transient"])
def test_without_a_steady_state_the_start_is_kept(decay: Decay, method: str):
    model = decay(lambda u: 1.0 + u**2)  # no root
    with pytest.raises(ConvergenceError, match=r"^no steady state found: .* after [0-9]+ .* steps, \|F\| = ") as caught:
        em.solve_steady(model, method=method)
    assert math.isnan(caught.value.dt)
    assert caught.value.t == 0.0
    assert caught.value.reason in str(caught.value)
    assert model["u"].x.array.tolist() == [1.0, 1.0, 1.0]


def test_a_steady_state_out_of_bounds_is_none(decay: Decay):
    model = decay(bounds=(0.5, 2.0))
    with pytest.raises(ConvergenceError):
        em.solve_steady(model, method="pseudo-transient")
    assert model["u"].x.array.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "magic"}, "'magic'; method has newton, pseudo-transient"),
        ({"rtol": 0.0}, "rtol = 0, must be greater than 0"),
        ({"rtol": math.nan}, "rtol = nan, must be finite"),
        ({"atol": -1.0}, "atol = -1, must be greater than 0"),
        ({"petsc_options": {"pc_type": "nonsense"}}, "petsc_options = {'pc_type': 'nonsense'}, must be options that"),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(decay: Decay, arguments: dict[str, Any], message: str):
    model = decay()
    with pytest.raises(ParameterError) as caught:
        em.solve_steady(model, **arguments)
    assert str(caught.value).startswith(message)
    assert model["u"].x.array.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("models", [[], None, "film", [None], 3])
def test_only_models_are_solved(models: Any):
    with pytest.raises(ParameterError, match=r"^models = .*, must be a model or a sequence of different models$"):
        em.solve_steady(models)


def test_a_model_is_not_solved_twice_at_once(decay: Decay):
    model = decay()
    with pytest.raises(ParameterError, match="must be a model or a sequence of different models"):
        em.solve_steady([model, model])


def test_an_unknown_method_is_an_unknown_name(decay: Decay):
    with pytest.raises(UnknownName):
        em.solve_steady(decay(), method="Newton")


def stepper(model: em.Model, **other: Any) -> TimeStepper:
    return TimeStepper((model,), 1.0, **other)


def test_options_reach_the_linear_solver_and_stay_there(decay: Decay):
    iterative = stepper(decay(), options={"ksp_type": "gmres", "pc_type": "jacobi"})
    default = stepper(decay())
    kinds = [s._ts.getSNES().getKSP().getType() for s in (iterative, default)]
    assert kinds == ["gmres", "preonly"]
    assert iterative._ts.getSNES().getKSP().getPC().getType() == "jacobi"


def test_options_reach_solvers_that_are_made_late(film: Callable[..., em.Model]):
    inner = stepper(film(degree=1), options={"ksp_type": "gmres", "pc_type": "asm", "sub_pc_type": "lu"})
    inner.step(1.0)
    (sub,) = inner._ts.getSNES().getKSP().getPC().getASMSubKSP()
    assert sub.getPC().getType() == "lu"


def test_no_option_is_left_in_petsc_s_database(decay: Decay):
    before = PETSc.Options().getAll()
    marched = stepper(decay(), options={"ksp_type": "gmres"})
    marched.step(1.0)
    em.solve_steady(decay(), petsc_options={"ksp_type": "gmres"})
    with pytest.raises(ParameterError):
        stepper(decay(), options={"pc_type": "nonsense"})
    assert PETSc.Options().getAll() == before


def test_another_preconditioner_does_not_inherit_the_direct_solver_s_package(decay: Decay):
    model = decay()
    em.evolve(model, 1.0, petsc_options={"ksp_type": "gmres", "pc_type": "ilu"}, progress=False)
    assert model["u"].x.array == pytest.approx(math.exp(-1.0), rel=1e-3)


def test_a_refused_option_is_a_parameter_error_before_anything_is_computed(film: Callable[..., em.Model]):
    model = film(degree=1)
    with pytest.raises(ParameterError, match=r"^petsc_options = {'pc_type': 'nonsense'}, must be options that this"):
        em.evolve(model, 1.0, petsc_options={"pc_type": "nonsense"}, progress=False)
    assert (model.t, abs(model["mu"].x.array).max()) == (0.0, 0.0)


def test_the_user_s_exception_comes_out_of_a_steady_solve_and_the_start_is_kept(decay: Decay):
    def broken(t: float) -> float:
        msg = f"mine at t = {t:g}"
        raise KeyError(msg)

    driver = em.model.Driver("load", fem.Constant(decay().mesh, 0.0), broken)
    model = decay(drivers=(driver,))
    for method in ("newton", "pseudo-transient"):
        with pytest.raises(KeyError, match="mine at t = 0"):
            em.solve_steady(model, method=method)
        assert model["u"].x.array.tolist() == [1.0, 1.0, 1.0]


def test_coupled_models_are_solved_as_one(decay: Decay):
    first = decay(lambda u: 2.0 - u)
    second = decay(lambda u: first["u"] ** 2 - u, name="second")
    em.solve_steady([first, second])
    assert first["u"].x.array == pytest.approx(2.0, rel=1e-9)
    assert second["u"].x.array == pytest.approx(4.0, rel=1e-9)
