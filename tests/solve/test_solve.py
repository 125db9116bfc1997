"""Steady states and PETSc's part: what is found, what is kept when nothing is, and how options get there."""

from __future__ import annotations

import math
import re
import runpy
import signal
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import emfem as em
from emfem.errors import ConvergenceError, ParameterError, UnknownName
from emfem.solve import METHODS, MULTIGRID, Method, Problem, TimeStepper
from emfem.solve.step_size import CUT

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
        assert steady.reason in ("residual below rtol", "residual below atol", "at rest")
        found.append(model["c"].x.array.copy())
    assert found[0] == pytest.approx(found[1], abs=1e-9)
    assert found[0].min() == pytest.approx(0.2, abs=1e-13)
    assert found[0].max() == pytest.approx(0.4, abs=1e-13)


def test_a_film_is_evolved_to_its_steady_state_unless_newton_is_requested(between: em.Model):
    steady = em.solve_steady(between)
    assert steady.reason == "at rest"
    assert repr(steady) == f"<{steady}>"
    assert re.match(r"^<steady \(at rest\): [0-9]+ iterations, \|F\| = [0-9.e+-]+>$", repr(steady))


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
    assert steady.reason == "at rest"
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
    with pytest.raises(
        ParameterError, match=r"^models(\[0\])? = .*, must be a model (of emfem|or a sequence of different models)"
    ):
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


class Counting:
    """A direct solve as a preconditioner of PETSc's type "python" that counts its matrices by their size."""

    sizes: ClassVar[Counter[int]] = Counter()

    def setUp(self, pc: PETSc.PC) -> None:
        self.inner = PETSc.PC().create(pc.comm)
        self.inner.setOperators(*pc.getOperators())
        self.inner.setType("lu")
        self.inner.setUp()
        self.sizes[self.inner.getOperators()[0].getSize()[0]] += 1

    def apply(self, _: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        self.inner.apply(x, y)


COUNTING = {"pc_type": "python", "pc_python_type": "counting.Counting"}
BLOCKS_CASE = Path(__file__).with_name("fieldsplit_case.py")


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    module = ModuleType("counting")
    module.Counting = Counting  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "counting", module)  # PETSc imports it by this name
    Counting.sizes.clear()
    return Counting.sizes


def test_options_reach_the_steps_the_consistent_start_and_the_last_state(film: Callable[..., em.Model], sizes):
    model = film(degree=1)
    nodes = len(model["c"].x.array)
    run = em.evolve(model, 1.0, petsc_options=COUNTING, progress=False)
    assert sizes == {2 * nodes: run.factorisations, nodes: 2}


@pytest.mark.parametrize("method", ["newton", "pseudo-transient"])
def test_options_reach_steady_solves(between: em.Model, sizes, method: str):
    em.solve_steady(between, method=method, petsc_options=COUNTING)
    nodes = len(between["c"].x.array)
    assert sizes[2 * nodes] >= 1
    assert sizes[nodes] == (method == "pseudo-transient")  # its consistent start
    assert set(sizes) <= {nodes, 2 * nodes}


@pytest.fixture
def film_in_a_field(plate: em.mesh.Domain) -> tuple[em.Model, em.Model]:
    """A film and a conduction that follows its composition; their systems differ in size."""
    film = em.film.model(plate, IDEAL, mean=0.3, on=ON, degree=2)
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    return film, em.conduction.model(plate, conductivity=1 + film["c"], on=on, degree=1)


def test_options_reach_both_sides_of_a_staggered_coupling(film_in_a_field: tuple[em.Model, em.Model], sizes):
    many, few = (len(model.unknowns[0].function.x.array) for model in film_in_a_field)
    run = em.evolve(film_in_a_field, 1e-3, coupling="staggered", petsc_options=COUNTING, progress=False)
    assert set(sizes) == {2 * many, many, few}
    assert sizes[2 * many] == run.factorisations
    assert sizes[many] == 2  # at the start and at the end
    assert sizes[few] > run.steps  # at the start and after each step


@pytest.mark.parametrize("solve", ["algebraic_", "followers_"])
def test_options_for_one_kind_of_solve_reach_no_other(film_in_a_field: tuple[em.Model, em.Model], sizes, solve: str):
    own = {f"{solve}{key}": value for key, value in COUNTING.items()}
    em.evolve(film_in_a_field, 1e-3, coupling="staggered", petsc_options=own, progress=False)
    film, current = (len(model.unknowns[0].function.x.array) for model in film_in_a_field)
    assert set(sizes) == {film if solve == "algebraic_" else current}


def test_options_reach_runs_to_failure():
    wrong = {"pc_type": "nonsense"}
    copper = em.materials.copper(temperature=573.0)
    line = em.mesh.interval(5e-5, cells=10)
    stressed = em.stress.model(line, copper, current_density=2e10, voids=True)
    message = r"^petsc_options = {'pc_type': 'nonsense'}, must be options that this PETSc has"
    with pytest.raises(ParameterError, match=message):
        em.failure.run(stressed, critical_stress=5e8, until=1e9, petsc_options=wrong)
    with pytest.raises(ParameterError, match=message):
        em.failure.nucleation(stressed, critical_stress=5e8, until=1e9, petsc_options=wrong)


@pytest.fixture(scope="module")
def in_blocks() -> dict[str, dict[str, float]]:
    return runpy.run_path(str(BLOCKS_CASE))["numbers"]()


@pytest.mark.parametrize("blocks", ["multiplicative", "schur"])
def test_a_film_solved_in_blocks_is_the_one_solved_directly(in_blocks: dict[str, dict[str, float]], blocks: str):
    assert in_blocks[blocks] == pytest.approx(in_blocks["direct"], rel=1e-11)


def test_blocks_that_are_solved_roughly_give_another_film(in_blocks: dict[str, dict[str, float]]):
    """Or options for blocks would not reach them."""
    assert in_blocks["coarse"] != pytest.approx(in_blocks["direct"], rel=1e-9)


def test_two_models_in_one_system_are_solved_in_blocks_of_several_unknowns(in_blocks: dict[str, dict[str, float]]):
    assert in_blocks["coupled in blocks"] == pytest.approx(in_blocks["coupled directly"], rel=1e-10)


def test_blocks_are_the_same_on_two_ranks(
    in_blocks: dict[str, dict[str, float]], run_json_on_ranks: Callable[..., Any]
):
    ways = ("schur", "coupled in blocks")
    found = run_json_on_ranks(2, BLOCKS_CASE, *ways, timeout=300.0)
    for name in ways:
        assert found[name] == pytest.approx(in_blocks[name], rel=1e-10)


def test_names_of_blocks_are_as_short_as_they_are_different(decay: Decay, plate: em.mesh.Domain):
    film = em.film.model(plate, IDEAL, mean=0.3, degree=1)
    assert Problem([decay(), film]).names == ["u", "c", "mu"]
    assert Problem([decay(name="one"), decay(name="other one")]).names == ["one.u", "other_one.u"]
    assert Problem([film, decay(name="same"), decay(name="same")]).names == ["c", "mu", "same2.u", "same3.u"]
    assert Problem([decay(), film], only_algebraic=True).names == ["mu"]


def test_options_with_names_of_models_reach_their_blocks(decay: Decay):
    models = decay(name="one"), decay(name="two")
    options = {"pc_type": "fieldsplit", "ksp_type": "gmres", "fieldsplit_two.u_pc_type": "jacobi"}
    marched = TimeStepper(models, 1.0, options=options)
    marched.step(1.0)
    blocks = marched._ts.getSNES().getKSP().getPC().getFieldSplitSubKSP()
    assert [block.getPC().getType() for block in blocks] == ["lu", "jacobi"]


@pytest.mark.parametrize("preconditioner", ["ilu", "jacobi", "none"])
def test_a_preconditioner_that_is_no_factorisation_is_one_of_an_iterative_solve(preconditioner: str):
    """Applied once it would solve nothing, and a Rosenbrock method does not notice: 1 to 5 % wrong."""
    line = em.mesh.interval(1.0, cells=20)
    runs = []
    for options in ({}, {"pc_type": preconditioner}, {"pc_type": "fieldsplit", "fieldsplit_c_pc_type": preconditioner}):
        model = em.migration.model(line, diffusivity=1.0, drift=[3.0], initial=1.0)
        em.evolve(model, 0.1, petsc_options=options, progress=False)
        runs.append(model["c"].x.array.copy())
    assert runs[1] == pytest.approx(runs[0], rel=1e-6)
    assert runs[2] == pytest.approx(runs[0], rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_the_product_with_the_jacobian_may_be_matrix_free(decay: Decay, method: str):
    direct, free = decay(), decay()
    em.evolve(direct, 1.0, method=method, progress=False)
    options = {"snes_mf_operator": None, "ksp_type": "gmres", "ksp_rtol": 1e-10}
    em.evolve(free, 1.0, method=method, petsc_options=options, progress=False)
    assert free["u"].x.array == pytest.approx(direct["u"].x.array, rel=1e-5)
    assert em.solve_steady(free, petsc_options=options).residual < 1e-9


@pytest.mark.parametrize(
    "options", [{"-ksp_type": "gmres"}, {"": "gmres"}, {"ksp type": "cg"}, {3: 1}, "-ksp_type gmres"]
)
def test_options_that_petsc_would_never_read_are_refused(decay: Decay, options: Any):
    with pytest.raises(ParameterError, match=r"petsc_options = .*, must be "):
        em.evolve(decay(), 1.0, petsc_options=options, progress=False)
    with pytest.raises(ParameterError, match=r"options = .*, must be "):
        Method("bdf", order=2, options=options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"pc_fieldsplit_a_fields": "one.u", "pc_fieldsplit_b_fields": "two.u, one.u"},
            "pc_fieldsplit_b_fields = 'two",
        ),
        ({"pc_fieldsplit_two.u_fields": "one.u"}, "pc_fieldsplit_two.u_fields = 'one.u', must have unknowns of no"),
    ],
)
def test_blocks_that_overlap_or_have_the_name_of_another_are_refused(
    decay: Decay, options: dict[str, str], message: str
):
    with pytest.raises(ParameterError, match=f"^{message}"):
        TimeStepper((decay(name="one"), decay(name="two")), 1.0, options={"pc_type": "fieldsplit", **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ksp_type": object()}, r"\['ksp_type'\] = <object .*, must be a text, a number"),
        ({"ksp_max_it": 10**5000}, r"\['ksp_max_it'\] = .*, must be a text, a number"),
        ({"ksp_type": "cg\n"}, r"\['ksp_type'\] = .*, must be a text, a number"),
        ({"kps_rtol": 1}, r"\['kps_rtol'\] = 1, must be an option that a solver of this run reads, such as ksp_rtol$"),
        ({"ksp_rtol": 1e-9}, r"\['ksp_rtol'\] = 1e-09, .*reads, which takes another ksp_type"),
        ({"snes_monitr": None}, r"\['snes_monitr'\] = None, .*such as snes_monitor$"),
        ({"pc_type": "asm", "sub_pc_tpye": "lu"}, r"\['sub_pc_tpye'\] = 'lu', .*such as sub_pc_type$"),
        (
            {**MULTIGRID, "mg_levels_pc_typ": "sor"},
            r"\['mg_levels_pc_typ'\] = 'sor', .*such as mg_levels_pc_type$",
        ),
    ],
)
def test_options_that_no_solver_reads_are_refused(decay: Decay, options: dict[str, object], message: str):
    with pytest.raises(ParameterError, match=f"^petsc_options{message}"):
        em.solve_steady(decay(), petsc_options=options)
    with pytest.raises(ParameterError, match=f"^petsc_options{message}"):
        em.evolve(decay(), 1.0, petsc_options=options, progress=False)


@pytest.mark.parametrize("solve", ["algebraic_", "followers_"])
def test_options_that_one_kind_of_solve_does_not_read_are_refused(
    film_in_a_field: tuple[em.Model, em.Model], solve: str
):
    with pytest.raises(ParameterError, match=f"{solve}pc_tpye'\\] = 'lu', must be .*such as {solve}pc_type$"):
        em.evolve(film_in_a_field, 1e-3, coupling="staggered", petsc_options={f"{solve}pc_tpye": "lu"}, progress=False)


@pytest.mark.parametrize(
    "options",
    [
        {"algebraic_pc_type": "ilu"},  # of a solve that the run does not have
        {"mat_mumps_icntl_14": 30},  # read only while it solves
        {"pc_type": "asm", "sub_pc_factor_levels": 1},
        {**MULTIGRID, "mg_levels_ksp_chebyshev_esteig_steps": 4},
        {"pc_type": "fieldsplit", "ksp_type": "gmres", "fieldsplit_u_pc_type": "jacobi"},
    ],
)
def test_options_that_a_solver_reads_late_or_inside_another_are_none_of_them(decay: Decay, options: dict[str, object]):
    em.evolve(decay(), 1.0, petsc_options=options, progress=False)
    em.solve_steady(decay(), petsc_options=options)


def test_a_first_step_that_no_number_counts_is_refused(decay: Decay):
    with pytest.raises(ParameterError, match=r"^first_step = 1e-300, must be greater than 1e-288"):
        em.evolve(decay(), 1e12, first_step=1e-300, progress=False)


def test_a_block_of_an_unknown_that_does_not_exist_is_refused(decay: Decay):
    options = {"pc_type": "fieldsplit", "pc_fieldsplit_all_fields": "u, w"}
    with pytest.raises(UnknownName, match="'w'; pc_fieldsplit_all_fields, among the unknowns of these models, has u"):
        em.solve_steady(decay(), petsc_options=options)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ts_type": 3}, "ts_type = 3, must be a text"),
        ({"order": 0}, "order = 0, must be at least 1"),
        ({"order": 1.5}, "order = 1.5, must be a whole number"),
        ({"reuse": -1}, "reuse = -1, must be at least 0"),
        ({"options": "fast"}, "options = 'fast', must be a mapping"),
    ],
)
def test_a_method_checks_its_values(values: dict[str, Any], message: str):
    with pytest.raises(ParameterError, match=f"^{message}"):
        replace(METHODS["rosenbrock"], **values)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (Method("nonsense", order=1), "ts_type = 'nonsense', must be a type of TS that this PETSc has"),
        (
            Method("rosw", order=1, options={"ts_rosw_type": "nonsense"}),
            r"options = {.*}, must be options that this PETSc has: .*nonsense",
        ),
        (3, r"method = 3, must be a text or a Method"),
    ],
)
def test_a_method_that_petsc_does_not_have_is_refused(decay: Decay, method: Any, message: str):
    with pytest.raises(ParameterError, match=f"^{message}"):
        em.evolve(decay(), 1.0, method=method, progress=False)


def test_a_method_may_be_registered_under_a_name(decay: Decay, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(METHODS, "backward Euler", Method("beuler", order=1))
    model = decay()
    em.evolve(model, 1.0, method="backward Euler", fixed_step=0.1, progress=False)
    assert model["u"].x.array == pytest.approx(1.1**-10, rel=1e-9)


def test_steps_without_an_estimate_of_their_error_are_refused(decay: Decay):
    with pytest.raises(ParameterError, match=r"does not estimate the error of its steps: give fixed_step$"):
        em.evolve(decay(), 1.0, petsc_options={"ts_adapt_type": "none"}, progress=False)


def test_petsc_s_suggestion_means_the_same_just_before_and_behind_a_rejection(decay: Decay):
    """Its safety factor is that of `StepSize.cut` and `accept`, whether it accepts a step or leaves it at rejecting."""

    def suggested(dt: float) -> tuple[bool, float]:
        model = decay(name="u")
        stepper = TimeStepper([model], 10.0, rtol=1e-4, first_step=dt)
        stepper._ts.setTimeStep(dt)
        failed = stepper._try() is not None
        return failed, stepper._ts.getTimeStep() / dt

    low, high = 0.01, 5.0
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if suggested(middle)[0] else (middle, high)
    (_, before), (failed, behind) = suggested(low), suggested(high)
    assert failed
    assert before == pytest.approx(CUT, rel=0.02)
    assert behind == pytest.approx(CUT, rel=0.02)


def test_no_option_is_left_in_petsc_s_database(decay: Decay, film: Callable[..., em.Model]):
    before = PETSc.Options().getAll()
    em.evolve(film(degree=1), 1.0, petsc_options={"pc_type": "fieldsplit", "ksp_type": "gmres"}, progress=False)
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


def test_a_search_for_a_steady_state_is_interrupted_in_good_order(film: Callable[..., em.Model]):
    calls = []

    def field(t: float) -> tuple[float, float]:
        calls.append(t)
        if len(calls) == 40:
            signal.raise_signal(signal.SIGINT)
        return 0.1, 0.0

    model = film(degree=1, field=em.waveforms.function(field))
    before = model["c"].x.array.copy()
    with pytest.raises(KeyboardInterrupt):
        em.solve_steady(model, method="pseudo-transient")
    assert np.array_equal(model["c"].x.array, before)


def test_newton_ends_where_rounding_leaves_nothing_to_gain():
    """A residual of 1e-20 is out of reach; a step that fails far above rounding still is an error."""
    bar = em.mesh.interval(1.0, cells=40)
    model = em.migration.model(
        bar, diffusivity=1.0, initial=lambda x: x[0], on={"left": em.fixed(0.3), "right": em.fixed(7.1)}
    )
    end = em.solve_steady(model, method="newton", rtol=1e-20, atol=1e-20)
    assert end.residual < 1e-12
    assert em.fields.evaluate(model["c"], np.array([[0.25]]))[0] == pytest.approx(2.0, rel=1e-12)
