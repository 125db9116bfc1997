"""The run: times are hit exactly, runs go on where they ended, and what cannot go on says why and keeps its state."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import emfem as em
from emfem.errors import ConvergenceError, ParameterError
from emfem.progress import show_progress

import numpy as np
import pytest
import ufl
from dolfinx import fem

Films = Callable[..., em.Model]
Decay = Callable[..., em.Model]
pytestmark = [
    pytest.mark.usefixtures("in_tmp"),
    # what is asked about steps and times holds on the few linear elements that no interface is resolved by
    pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning"),
]


def march(models: em.Model | Sequence[em.Model], until: float, **other: Any) -> em.Run:
    return em.evolve(models, until, progress=False, **other)


class Times(em.observe.Observer):
    """Keeps the times it is shown."""

    def __init__(self, **schedule: Any) -> None:
        super().__init__(**schedule)
        self.seen: list[float] = []

    def record(self, t: float) -> None:
        self.seen.append(t)


# ---- the report


def test_the_report_counts_what_was_done(film: Films):
    each = Times()
    model = film()
    run = march(model, 10.0, watch=[each])
    assert (run.t, model.t) == (10.0, 10.0)
    assert run.steps == len(each.seen) - 1 > 10
    assert run.rejected >= 0
    assert run.solves == 4 * (run.steps + run.rejected)  # four stages, one system each
    assert 0 < run.factorisations < run.steps
    assert run.wall > 0
    assert run.stopped == "reached until"


def test_few_steps_are_rejected_and_a_factorisation_serves_several() -> None:
    """A film that coarsens: an old Jacobian is renewed before its error rejects a step, and sizes change seldom."""
    domain = em.mesh.periodic_rectangle((31.2, 31.2), cells=(20, 20))
    drift = em.film.uniform_field(0.1, angle=0.785)
    film = em.film.model(domain, em.film.cupd(), mean=0.3, field=drift, initial=em.film.noise(0.08, seed=1))
    run = em.evolve(film, until=150.0, progress=False)
    assert run.rejected <= 0.05 * (run.steps + run.rejected)
    assert run.factorisations <= 0.3 * run.steps


def test_the_report_prints_as_one_line():
    run = em.Run(t=2.5, steps=7, rejected=1, solves=32, factorisations=3, wall=0.26, stopped="reached until")
    assert str(run) == "t = 2.5 (reached until): 7 steps, 1 rejected, 32 solves, 3 factorisations, 0.3 s"
    assert str(replace(run, t=6.31152e7, unit="s")).startswith("t = 6.3115e+07 s (2 years) (reached until): 7 steps")


def test_the_solution_is_as_accurate_as_requested(decay: Decay):
    for rtol in (1e-4, 1e-6):
        model = decay()
        march(model, 1.0, rtol=rtol, atol=1e-12)
        # each of the few steps may add its share
        assert model["u"].x.array == pytest.approx(math.exp(-1), rel=10 * rtol)


@pytest.mark.parametrize("method", ["rosenbrock", "bdf"])
def test_both_methods_reach_the_same_state(film: Films, method: str):
    model, reference = film(degree=1), film(degree=1)
    march(model, 10.0, method=method, rtol=1e-5)
    march(reference, 10.0, rtol=1e-8)
    away = abs(model["c"].x.array - reference["c"].x.array).max()
    assert away < 1e-4
    assert model.t == 10.0


def test_iterative_solvers_give_what_the_direct_one_gives(film: Films):
    direct, iterative = film(degree=1), film(degree=1)
    march(direct, 5.0)
    march(iterative, 5.0, petsc_options={"ksp_type": "gmres", "ksp_rtol": 1e-12, "pc_type": "ilu"})
    assert iterative["c"].x.array == pytest.approx(direct["c"].x.array, abs=1e-6)


# ---- times


def test_until_is_hit_exactly(decay: Decay):
    for until in (1.0, 0.1 + 0.2, math.pi * 1e3, 1e-9):
        model = decay()
        assert march(model, until).t == until
        assert model.t == until


def test_output_times_are_hit_exactly(decay: Decay):
    every, times, each = Times(every=0.3), Times(times=[0.1, 1 / 3, 0.95]), Times()
    march(decay(), 1.0, watch=[every, times, each])
    assert every.seen == [0.0, 0.3, 0.6, 0.3 * 3, 1.0]
    assert times.seen == [0.1, 1 / 3, 0.95]
    assert set(every.seen) | set(times.seen) <= set(each.seen)
    assert np.all(np.diff(each.seen) > 0)


def test_times_that_differ_by_rounding_are_one_time(decay: Decay):
    every, times, each = Times(every=0.3), Times(times=[0.9]), Times()
    march(decay(), 1.0, watch=[every, times, each])  # 3 * 0.3 is one ulp below 0.9
    assert times.seen == every.seen[3:4] == [0.3 * 3]
    assert np.diff(each.seen).min() > 1e-9


def test_many_output_times_are_all_hit(decay: Decay):
    every = Times(every=0.01)
    march(decay(), 1.0, watch=[every])
    assert every.seen[:-1] == [0.01 * i for i in range(100)]
    assert every.seen[-1] == 1.0


@pytest.mark.parametrize(("step", "steps"), [(0.25, 4), (0.3, 4), (0.1, 10), (1.0, 1), (7.0, 1)])
def test_fixed_steps_are_rounded_so_that_they_fit(decay: Decay, step: float, steps: int):
    each = Times()
    run = march(decay(), 1.0, fixed_step=step, watch=[each])
    assert (run.steps, run.rejected) == (steps, 0)
    assert np.diff(each.seen) == pytest.approx(1 / steps, rel=1e-12)
    assert run.t == 1.0


def test_fixed_steps_fit_between_output_times(decay: Decay):
    each = Times()
    march(decay(), 1.0, fixed_step=0.25, watch=[each, Times(times=[0.6])])
    assert each.seen == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], rel=1e-12)


@pytest.mark.parametrize("first", [1e-3, 0.125])
def test_the_first_step_is_the_one_given(decay: Decay, first: float):
    each = Times()
    march(decay(), 1.0, first_step=first, rtol=1e-2, watch=[each])
    assert first / 2 < each.seen[1] <= first


@pytest.mark.parametrize("first", [1e10, 1e25])
def test_a_first_step_may_be_longer_than_anything_takes(decay: Decay, first: float):
    model = decay(lambda u: 1.0 - u, start=0.0)
    run = march(model, 1e30, first_step=first, atol=1e-9)
    assert run.rejected > 0  # such a step is not accurate; it is cut, however often
    assert model["u"].x.array == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("start", ["out of balance", "zero"])
def test_the_time_to_cover_may_be_longer_than_anything_takes(start: str):
    """1e15 times as long as the slowest wave takes, to rest: heat from a jump, a species from nothing."""
    on = {"left": em.fixed(0.0), "right": em.fixed(1.0)}
    model = em.migration.model(
        em.mesh.interval(1.0, cells=10),
        diffusivity=1.0,
        initial=(lambda x: 1.0 * (x[0] > 0.5)) if start == "out of balance" else 0.0,
        on=on,
    )
    run = march(model, 1e14)
    assert run.t == 1e14
    assert em.fields.evaluate(model["c"], [[0.3]])[0] == pytest.approx(0.3, rel=1e-6)


def test_a_run_goes_on_from_where_it_ended(film: Films):
    parts, whole = film(degree=1), film(degree=1)
    march(parts, 3.0, rtol=1e-7)
    schedule = Times(every=0.7)
    run = march(parts, 5.0, rtol=1e-7, watch=[schedule])
    march(whole, 5.0, rtol=1e-7)
    assert run.t == parts.t == 5.0
    assert schedule.seen == [3.0, 3.0 + 0.7, 3.0 + 0.7 * 2, 5.0]
    # two runs of other steps, each with an error of some rtol
    assert parts["c"].x.array == pytest.approx(whole["c"].x.array, abs=1e-5)


def test_time_dependent_fields_are_taken_at_the_present_time(film: Films):
    model = film(degree=1, field=lambda t: (0.1 * t, 0.0))
    march(model, 2.0)
    assert model["field"].value.tolist() == [0.2, 0.0]


def test_a_driven_model_follows_its_driver(decay: Decay):
    source = fem.Constant(decay().mesh, 0.0)

    def parabola(t: float) -> float:
        return 3 * t**2

    model = decay(lambda u: source, drivers=(em.model.Driver("source", source, parabola),))
    march(model, 2.0, rtol=1e-7)
    assert model["u"].x.array == pytest.approx(9.0, rel=1e-6)


# ---- several models


def test_models_without_coupling_do_as_they_do_alone(film: Films):
    field = (0.1, 0.0)
    together = film(degree=1, field=field), film(degree=2, initial=em.film.noise(0.05, seed=7))
    alone = film(degree=1, field=field), film(degree=2, initial=em.film.noise(0.05, seed=7))
    march(together, 4.0, rtol=1e-7)
    for one, other in zip(alone, together, strict=True):
        march(one, 4.0, rtol=1e-7)
        # common steps are other steps, each with an error of some rtol
        assert other["c"].x.array == pytest.approx(one["c"].x.array, abs=1e-6)
        assert other.t == 4.0


def test_coupled_models_see_each_other(decay: Decay):
    first = decay()
    second = decay(lambda u: first["u"] - u, name="second", start=0.0)
    march([first, second], 1.0, rtol=1e-7)
    assert second["u"].x.array == pytest.approx(math.exp(-1), rel=1e-5)  # t exp(-t)


def test_a_model_without_time_follows_one_with_time(decay: Decay):
    moving = decay()
    domain = moving.domain
    unknown = em.model.algebraic("w", moving["u"].function_space)
    (v,) = em.model.tests([unknown])
    following = em.Model("square", domain, [unknown], (unknown.function - moving["u"] ** 2) * v * domain.dx())
    march([moving, following], 1.0, rtol=1e-7, atol=1e-9)
    # an unknown without a rate is not part of the error control, so it is a digit or two behind
    assert following["w"].x.array == pytest.approx(math.exp(-2), rel=1e-4)


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"until": 0.0}, "until = 0, must be after the models' time 0"),
        ({"until": -1.0}, "until = -1, must be after the models' time 0"),
        ({"until": math.nan}, "until = nan, must be finite"),
        ({"until": math.inf}, "until = inf, must be finite"),
        ({"until": "1"}, "until = '1', must be a number"),
        ({"rtol": 0.0}, "rtol = 0, must be greater than 0"),
        ({"rtol": -1e-4}, "rtol = -0.0001, must be greater than 0"),
        ({"rtol": math.nan}, "rtol = nan, must be finite"),
        ({"rtol": None}, "rtol = None, must be a number"),
        ({"atol": 0.0}, "atol = 0, must be greater than 0"),
        ({"atol": math.inf}, "atol = inf, must be finite"),
        ({"atol": None}, "atol = None, must be a number"),
        ({"first_step": 0.0}, "first_step = 0, must be greater than 0"),
        ({"first_step": math.nan}, "first_step = nan, must be finite"),
        ({"fixed_step": -0.1}, "fixed_step = -0.1, must be greater than 0"),
        ({"fixed_step": "0.1"}, "fixed_step = '0.1', must be a number"),
        ({"method": "euler"}, "'euler'; method has rosenbrock, bdf"),
        ({"watch": [None]}, "watch[0] = None, must be an observer"),
        ({"watch": None}, "watch = None, must be a list of observers"),
        ({"watch": em.watch.series(["amount"])}, "must be a list of observers"),
        ({"checkpoint": "state.txt"}, "path = 'state.txt', must end in .npz"),
        ({"petsc_options": {"ts_type": "nonsense"}}, "petsc_options = {'ts_type': 'nonsense'}, must be options that"),
    ],
)
def test_bad_input_is_refused_before_anything_is_computed(decay: Decay, arguments: dict[str, Any], message: str):
    model = decay()
    given = {"until": 1.0} | arguments
    with pytest.raises(ParameterError) as caught:
        march(model, **given)
    assert message in str(caught.value)
    assert (model.t, model["u"].x.array.tolist()) == (0.0, [1.0, 1.0, 1.0])


def test_a_checkpoint_that_cannot_be_written_is_refused_before_anything_is_computed(decay: Decay, unwritable_dir: Path):
    model = decay()
    path = unwritable_dir / "state.npz"
    with pytest.raises(ParameterError, match=re.escape(f"path = {str(path)!r}, must be a file that can be written")):
        march(model, 1.0, checkpoint=path)
    assert model.t == 0.0


@pytest.mark.parametrize("models", [[], None, 3, "film", [None]])
def test_only_models_are_marched(models: Any):
    with pytest.raises(ParameterError, match=r"^models(\[0\])? = .*, must be a model"):
        march(models, 1.0)


def test_models_of_different_times_are_refused(decay: Decay):
    ahead, behind = decay(), decay()
    march(ahead, 1.0)
    with pytest.raises(ParameterError, match=r"^models at t = 1, 0, must be at the same time$"):
        march([ahead, behind], 2.0)


def test_until_must_lie_after_the_time_reached(decay: Decay):
    model = decay()
    march(model, 1.0)
    with pytest.raises(ParameterError, match=r"^until = 0\.5, must be after the models' time 1$"):
        march(model, 0.5)
    with pytest.raises(ParameterError, match=r"^until = 1e\+101, must be at most 1e\+100$"):
        march(model, 1e101)
    with pytest.raises(ParameterError, match=r"^until = 4.94066e-324, must be 1e-290 after t = 0 at least$"):
        march(decay(), 5e-324)


# ---- what cannot go on


def last_good(error: ConvergenceError) -> Path:
    found = re.search(r"; the last good state is in (.*)$", str(error))
    assert found
    return Path(found[1])


def test_a_solution_that_blows_up_ends_in_an_error_that_reports_where(decay: Decay):
    model = decay(lambda u: u**2)  # 1/(1 - t)
    with pytest.raises(ConvergenceError, match=r"^no step possible at t = 1.*: dt = .*, ") as caught:
        march(model, 2.0)
    error = caught.value
    assert error.t == model.t == pytest.approx(1.0, rel=1e-3)
    assert 0 < error.dt < 1e-6
    assert error.reason in str(error)
    assert np.isfinite(model["u"].x.array).all()
    assert last_good(error) == Path("emfem-last-good.npz")


def test_a_mobility_that_breaks_down_leaves_the_last_good_state_in_model_and_file(film: Films):
    start = {"degree": 1, "initial": lambda x: 0.3 + 0.04 * np.cos(2 * np.pi * x[0] / 10)}

    def mobility(c: Any) -> Any:
        return ufl.conditional(ufl.lt(c, 0.36), c * (1 - c), ufl.sqrt(0.36 - c))

    model = film(mobility=mobility, **start)
    with pytest.raises(ConvergenceError) as caught:
        march(model, 1e4, checkpoint="state/rescue.npz")
    error = caught.value
    assert error.t == model.t > 1.0
    assert 0.35 < model.quantity("c_max") < 0.37  # 0.36 at quadrature points, so about that at the nodes
    assert last_good(error) == Path("state/rescue.npz")
    again = film(mobility=mobility, **start)
    em.checkpoint.load(again, last_good(error))
    assert again.t == model.t
    assert np.array_equal(again["c"].x.array, model["c"].x.array)


def test_a_field_that_becomes_nan_ends_in_an_error_with_everything_as_it_was(film: Films):
    steps = Times()
    model = film(degree=1, field=lambda t: (0.1, 0.0) if t < 0.5 else (math.nan, 0.0))
    with pytest.raises(ParameterError, match=r"^field = \[nan, 0\.0\] at t = 0\.\d+, must be finite$"):
        march(model, 1.0, watch=[steps], checkpoint="kept.npz")
    again = film(degree=1)
    em.checkpoint.load(again, "kept.npz")
    assert again.t == model.t
    assert model.t == steps.seen[-1] < 0.5
    assert model["field"].value.tolist() == [0.1, 0.0]
    assert model.bounds_violation() is None
    assert math.isfinite(model.quantity("dissipation"))


def test_a_step_that_fails_at_its_fixed_size_is_not_made_smaller(decay: Decay):
    model = decay(bounds=(0.5, 2.0))
    with pytest.raises(ConvergenceError, match="left its bounds") as caught:
        march(model, 1.0, fixed_step=0.25)
    assert caught.value.t == 0.5
    assert caught.value.dt == 0.25
    assert model["u"].x.array == pytest.approx(math.exp(-0.5), rel=1e-3)


def test_a_bound_is_never_crossed(decay: Decay):
    levels = em.watch.series(["level"])
    model = decay(bounds=(0.5, 2.0))
    with pytest.raises(ConvergenceError, match="left its bounds") as caught:
        march(model, 1.0, watch=[levels])
    assert levels["level"].min() > 0.5
    assert re.fullmatch(r"u left its bounds \(0\.5, 2\) at \(\d\), u = 0\.(5|49\d*)", caught.value.reason)
    assert caught.value.t == model.t == pytest.approx(math.log(2), rel=1e-3)


def test_a_field_may_use_the_solute_up_at_one_end():
    """Far from equilibrium with 80 thermal lengths: c falls to nothing at one end and rises to 1 at the other.

    Both ends are blocked. c passes 0 by a multiple of the floor of mobility and logarithm, 1e-6 (2e-6 measured).
    """
    line = em.mesh.interval(80.0, cells=66)
    model = em.film.model(line, em.film.cupd(), mean=0.3, field=(0.1,), initial=em.film.noise(0.08, seed=1))
    seen = em.watch.series(["c_min", "c_max"])
    assert march(model, 500.0, watch=[seen]).stopped == "reached until"
    assert -2e-5 < seen["c_min"].min() < 1e-4
    assert 0.99 < seen["c_max"].max() < 1.001
    assert model.quantity("solute") == pytest.approx(24.0, rel=1e-10)


def test_a_field_too_strong_for_the_mesh_ends_in_an_error_that_names_the_unknown():
    """Cell Peclet number 20: the discrete c overshoots, and is not let go far."""
    model = em.film.model(em.mesh.interval(10.0, cells=10), em.film.cupd(), mean=0.3, field=(2.0,), degree=1)
    with pytest.raises(ConvergenceError, match=r"c left its bounds \(-0\.01, 1\.01\)") as caught:
        march(model, 20.0)
    told = re.search(r"at \((.*)\) h, c = (\S+): a field too strong", str(caught.value))
    assert told is not None
    assert 0 <= float(told[1]) <= 10
    assert not -0.01 < float(told[2]) < 1.01
    assert model.bounds_violation() is None
    assert -0.01 < model.quantity("c_min") < 0.1
    assert model.quantity("solute") == pytest.approx(3.0, rel=1e-10)


def test_an_exception_of_the_user_s_field_comes_out_as_it_is_with_the_state_of_the_last_step(film: Films):
    class Mine(Exception):
        pass

    def field(t: float) -> tuple[float, float]:
        if t > 0.5:
            raise Mine(t)
        return 0.1, 0.0

    steps = em.watch.snapshots("c")
    model = film(degree=1, field=field)
    with pytest.raises(Mine):
        march(model, 1.0, watch=[steps])
    assert model.t == steps.t[-1] < 0.5
    assert np.array_equal(model["c"].x.array, steps.functions[-1].x.array)
    assert not Path("emfem-last-good.npz").exists()


def test_an_interrupt_ends_the_run_in_good_order(film: Films):
    def field(t: float) -> tuple[float, float]:
        if t > 0.5:
            raise KeyboardInterrupt
        return 0.1, 0.0

    steps = em.watch.snapshots("c")
    model = film(degree=1, field=em.waveforms.function(field))  # nothing is asked of it before the run
    run = march(model, 1.0, watch=[steps], checkpoint="state.npz")
    assert run.stopped == "interrupted"
    assert run.t == model.t == steps.t[-1] < 0.5
    assert np.array_equal(model["c"].x.array, steps.functions[-1].x.array)
    assert Path("state.npz").is_file()


# ---- what is seen of it


def test_nothing_is_printed_without_a_terminal_in_a_short_run(decay: Decay, capfd: pytest.CaptureFixture[str]):
    em.evolve(decay(), 1.0)
    assert capfd.readouterr() == ("", "")


def test_lines_are_printed_where_there_is_no_terminal(
    decay: Decay, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("emfem.progress.PLAIN", 0.0)
    run = em.evolve(decay(), 1.0)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == run.steps
    assert re.fullmatch(r"t = 1/1  step \d+  dt \S+  u 0\.367\d … 0\.367\d", lines[-1])


def test_what_is_printed_is_of_an_unknown_that_evolves(
    decay: Decay, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("emfem.progress.PLAIN", 0.0)
    fading = decay()
    flow = em.conduction.model(fading.domain, conductivity=1.0, on={"left": em.fixed(0.0), "right": em.fixed(1.0)})
    with show_progress([flow, fading], 0.0, 1.0, wanted=True) as show:
        show(SimpleNamespace(t=0.5, dt=0.25, steps=2))
    assert capfd.readouterr().err == "t = 0.5/1  step 2  dt 0.25  u 1 … 1\n"


def test_a_step_beyond_what_a_law_is_defined_for_is_taken_again(decay: Decay):
    """du/dt = -50 sqrt(u) is (1 - 25 t)^2: a first step of nearly all the way has stages below 0, where sqrt is not.

    PETSc stops at what is not a number and its solver is of no more use after it.
    """
    model = decay(lambda u: -50 * ufl.sqrt(u))
    run = march(model, 0.036, first_step=0.036)
    assert run.rejected > 0
    assert model["u"].x.array[0] == pytest.approx(0.01, rel=1e-2)
