"""Observers look at the times they chose, keep what they saw, and stop a run that has gone wrong or come to rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import emfem as em
from emfem.errors import ConservationError, ConvergenceError, ParameterError, UnknownName

import numpy as np
import pytest

Films = Callable[..., em.Model]
Decay = Callable[..., em.Model]
pytestmark = [
    pytest.mark.usefixtures("in_tmp"),
    # what is asked about steps and times holds on the few linear elements that no interface is resolved by
    pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning"),
]


def march(models: em.Model | Sequence[em.Model], until: float, *watch: em.observe.Observer, **other: Any) -> em.Run:
    return em.evolve(models, until, progress=False, watch=watch, **other)


# ---- schedules


def test_each_step_is_seen_without_a_schedule(decay: Decay):
    series = em.watch.series(["amount"])
    run = march(decay(), 1.0, series)
    assert len(series.t) == run.steps + 1
    assert (series.t[0], series.t[-1]) == (0.0, 1.0)


def test_a_period_sees_the_start_its_multiples_and_the_end(decay: Decay):
    series = em.watch.series(["amount"], every=0.4)
    march(decay(), 1.0, series)
    assert series.t.tolist() == [0.0, 0.4, 0.8, 1.0]


def test_a_period_that_divides_the_run_sees_the_end_once(decay: Decay):
    series = em.watch.series(["amount"], every=0.1)
    march(decay(), 1.0, series)
    assert len(series.t) == 11


def test_chosen_times_are_all_that_is_seen(decay: Decay):
    series = em.watch.series(["amount"], times=[0.0, 0.3, 5.0])
    march(decay(), 1.0, series)
    assert series.t.tolist() == [0.0, 0.3]


def test_a_period_longer_than_the_run_sees_start_and_end(decay: Decay):
    series = em.watch.series(["amount"], every=50.0)
    march(decay(), 1.0, series)
    assert series.t.tolist() == [0.0, 1.0]


def test_times_may_be_an_array(decay: Decay):
    times: Any = np.linspace(0.2, 0.8, 4)
    series = em.watch.series(["amount"], times=times)
    march(decay(), 1.0, series)
    assert np.array_equal(series.t, times)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ({"every": 0.0}, "every = 0, must be greater than 0"),
        ({"every": -1.0}, "every = -1, must be greater than 0"),
        ({"every": math.nan}, "every = nan, must be finite"),
        ({"every": "1"}, "every = '1', must be a number"),
        ({"times": [1.0, 1.0]}, "times = [1.0, 1.0], must be a list of finite numbers that increase"),
        ({"times": np.array([2.0, 1.0])}, "times = [2.0, 1.0], must be a list of finite numbers that increase"),
        ({"times": [1.0, math.nan]}, "times = [1.0, nan], must be a list of finite numbers"),
        ({"times": [1.0, math.inf]}, "times = [1.0, inf], must be a list of finite numbers"),
        ({"times": 2.0}, "times = 2.0, must be a list of finite numbers"),
        ({"times": ["a"]}, "times = ['a'], must be numbers"),
        ({"times": [1.0], "every": 1.0}, "times = [1.0], must be a list of finite numbers that increase, without `ev"),
    ],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda **s: em.watch.series(["amount"], **s),
        lambda **s: em.watch.probe("u", 0.0, **s),
        lambda **s: em.watch.snapshots("u", **s),
        lambda **s: em.write.vtx("fields.bp", ["u"], **s),
    ],
    ids=["series", "probe", "snapshots", "vtx"],
)
def test_a_bad_schedule_is_refused(make: Callable[..., Any], schedule: dict[str, Any], message: str):
    with pytest.raises(ParameterError) as caught:
        make(**schedule)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("observer", "text"),
    [
        (em.watch.series(["amount", "level"], every=0.5), "<Series of amount, level every 0.5; 0 times>"),
        (em.watch.probe("u", 0.5, times=[1.0, 2.0]), "<Probe of u at 2 times; 0 times>"),
        (em.watch.conserved("amount"), "<Conserved of amount after each step>"),
        (em.watch.event("amount", above=2.0), "<Event of amount rose to 2 after each step>"),
        (em.watch.stop_when(lambda models, t: False, "never"), "<StopWhen of never after each step>"),
        (em.observe.Observer(), "<Observer after each step>"),
    ],
)
def test_an_observer_shows_what_it_is_about(observer: em.observe.Observer, text: str):
    assert repr(observer) == text


def test_a_series_shows_its_times(decay: Decay):
    series = em.watch.series(["amount"], every=0.5)
    march(decay(), 1.0, series)
    assert repr(series) == "<Series of amount every 0.5; 3 times, t = 0 to 1>"


# ---- what is recorded


def test_a_series_keeps_the_quantities(decay: Decay):
    series = em.watch.series(["amount", "level"], every=0.5)
    march(decay(), 1.0, series, rtol=1e-7)
    assert series["amount"] == pytest.approx(2 * np.exp(-series.t), rel=1e-5)
    assert series["level"] == pytest.approx(series["amount"] / 2, rel=1e-12)


def test_a_series_lists_what_it_has(decay: Decay):
    series = em.watch.series(["amount"])
    march(decay(), 1.0, series)
    with pytest.raises(UnknownName, match=r"^'level'; this series has amount$"):
        series["level"]


def test_a_probe_keeps_values_at_points(film: Films):
    one, several = em.watch.probe("c", at=(2.5, 5.0)), em.watch.probe("mu", at=[(2.5, 5.0), (10.0, 0.0), (0.0, 10.0)])
    model = film(degree=1)
    march(model, 1.0, one, several)
    assert one.values.shape == one.t.shape
    assert several.values.shape == (len(several.t), 3)
    assert one.values[-1] == em.fields.evaluate(model["c"], np.array([[2.5, 5.0]]))[0]
    assert several.values[:, 1] == pytest.approx(several.values[:, 2], rel=1e-12)  # two corners of a torus


@pytest.mark.parametrize(("at", "shape"), [(0.5, (3,)), ([0.5], (3,)), ([[0.5], [1.5]], (3, 2))])
def test_a_probe_on_a_line_takes_a_number_or_points(decay: Decay, at: Any, shape: tuple[int, ...]):
    probe = em.watch.probe("u", at=at, every=0.5)
    march(decay(), 1.0, probe, rtol=1e-7)
    values = probe.values.reshape(3, -1)
    assert values == pytest.approx(np.exp(-probe.t)[:, None] * np.ones_like(values), rel=1e-5)


def test_snapshots_are_copies(film: Films):
    snapshots = em.watch.snapshots("c", times=[0.0, 0.5, 1.0])
    model = film(degree=1)
    start = model["c"].x.array.copy()
    march(model, 1.0, snapshots)
    march(model, 2.0)
    assert snapshots.t.tolist() == [0.0, 0.5, 1.0]
    assert [f.name for f in snapshots.functions] == ["c"] * 3
    assert np.array_equal(snapshots.functions[0].x.array, start)
    assert not np.array_equal(snapshots.functions[2].x.array, model["c"].x.array)


def test_observers_see_the_second_of_several_models(decay: Decay, film: Films):
    solute, amount = em.watch.series(["solute"]), em.watch.series(["amount"])
    march([film(degree=1), decay()], 1.0, solute, amount)
    assert solute["solute"] == pytest.approx(30.0, rel=1e-10)
    assert amount["amount"][-1] == pytest.approx(2 * math.exp(-1), rel=1e-3)


def test_an_observer_of_one_s_own_is_called_from_begin_to_finish(decay: Decay):
    class Mine(em.observe.Observer):
        def __init__(self) -> None:
            super().__init__(every=0.5)
            self.calls: list[str] = []

        def begin(self) -> None:
            self.calls.append(f"begin {self.models[0].name}")

        def record(self, t: float) -> str | None:
            self.calls.append(f"{t:g}")
            return "enough" if t >= 1.0 else None

        def finish(self) -> None:
            self.calls.append("finish")

    mine = Mine()
    run = march(decay(), 5.0, mine)
    assert mine.calls == ["begin decay", "0", "0.5", "1", "finish"]
    assert (run.stopped, run.t) == ("enough", 1.0)


def test_observers_are_finished_when_the_run_fails(decay: Decay):
    class Mine(em.observe.Observer):
        finished = False

        def record(self, t: float) -> None:
            pass

        def finish(self) -> None:
            self.finished = True

    mine = Mine()
    with pytest.raises(ConvergenceError):
        march(decay(bounds=(0.5, 2.0)), 1.0, mine, fixed_step=0.25)
    assert mine.finished


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: em.watch.series(["mass"]), "'mass'; this run has amount, level"),
        (lambda: em.watch.conserved("mass"), "'mass'; this run has amount, level"),
        (lambda: em.watch.at_rest("mass", after=0.0), "'mass'; this run has amount, level"),
        (lambda: em.watch.probe("c", at=0.0), "'c'; this run has u"),
        (lambda: em.watch.snapshots("c"), "'c'; this run has u"),
        (lambda: em.watch.probe("u", at=2.5), "at = 2.5, must lie inside the mesh"),
        (lambda: em.watch.probe("u", at=math.nan), "at = nan, must lie inside the mesh"),
        (lambda: em.watch.probe("u", at=[[0.0, 1.0]]), "at = [[0.0, 1.0]], must be points of 1 coordinates"),
        (lambda: em.write.series("x.csv", quantities=["mass"]), "'mass'; this run has amount, level"),
        (lambda: em.write.vtx("x.bp", ["u", "c"]), "'c'; this run has u"),
    ],
)
def test_what_a_run_does_not_have_is_refused_before_the_first_step(decay: Decay, make: Callable[[], Any], message: str):
    model = decay()
    with pytest.raises(ParameterError) as caught:
        march(model, 1.0, make())
    assert str(caught.value).startswith(message)
    assert (model.t, model["u"].x.array.tolist()) == (0.0, [1.0, 1.0, 1.0])


@pytest.mark.parametrize("at", [0.5, [0.5], [[0.5]], [0.1, 0.2, 0.3]])
def test_a_probe_needs_points_of_the_mesh_s_dimension(film: Films, at: Any):
    with pytest.raises(ParameterError, match=r"^at = .*, must be points of 2 coordinates$"):
        march(film(degree=1), 1.0, em.watch.probe("c", at=at))


def test_derived_fields_have_no_snapshots(film: Films):
    with pytest.raises(ParameterError, match=r"of 'flux', must be an unknown of a model"):
        march(film(degree=1), 1.0, em.watch.snapshots("flux"))


def test_a_probe_of_a_vector_keeps_its_components(film: Films):
    """At each time the flux that the model has then; it changes, so that a copy of the start would be seen."""
    places = [(2.5, 5.0), (10.0, 1.0), (0.5, 10.0)]
    one, several, model = em.watch.probe("flux", at=places[0]), em.watch.probe("flux", at=places), film(degree=1)
    march(model, 1.0, one, several)
    assert one.values.shape == (len(one.t), 2)
    assert several.values.shape == (len(one.t), 3, 2)
    assert several.values[-1] == pytest.approx(em.fields.evaluate(model["flux"], places), rel=1e-12)
    assert one.values == pytest.approx(several.values[:, 0], rel=1e-12)
    assert not np.allclose(several.values[0], several.values[-1], rtol=1e-3, atol=0.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: em.watch.series("amount"), "names = 'amount', must be a list of words"),
        (lambda: em.watch.probe("u", at="x"), "at = 'x', must be numbers"),
        (lambda: em.watch.conserved("amount", rtol=0.0), "rtol = 0, must be greater than 0"),
        (lambda: em.watch.conserved("amount", rtol=math.nan), "rtol = nan, must be finite"),
        (lambda: em.watch.at_rest("amount", after=0.0, rtol=-1.0), "rtol = -1, must be greater than 0"),
    ],
)
def test_other_bad_input_is_refused(make: Callable[[], Any], message: str):
    with pytest.raises(ParameterError) as caught:
        make()
    assert str(caught.value) == message


# ---- what stops a run


def test_a_conserved_quantity_passes(film: Films):
    watch = em.watch.conserved("solute", rtol=1e-10)
    assert march(film(degree=1), 5.0, watch).stopped == "reached until"
    assert watch.worst < 1e-12


def test_a_quantity_that_is_not_conserved_stops_the_run_with_an_error(decay: Decay):
    model = decay()
    with pytest.raises(ConservationError, match=r"^amount = 1\.\d+ at t = .*, was 2: not conserved to 0\.1$"):
        march(model, 1.0, em.watch.conserved("amount", rtol=0.1))
    assert 0.1 < model.t < 1.0
    assert model["u"].x.array.min() < 0.9


def test_a_quantity_that_turns_into_nan_is_not_conserved(decay: Decay):
    model = decay()
    model.quantities["odd"] = em.model.Quantity(lambda: 1.0 if model.t < 0.5 else math.nan)
    with pytest.raises(ConservationError, match=r"^odd = nan at t = "):
        march(model, 1.0, em.watch.conserved("odd"))


def test_zero_is_conserved_absolutely(decay: Decay):
    model = decay(start=0.0)
    assert march(model, 1.0, em.watch.conserved("amount", rtol=1e-12)).stopped == "reached until"
    with pytest.raises(ConservationError, match="was 0: not conserved"):
        march(decay(lambda u: 1.0 + 0 * u, start=0.0), 1.0, em.watch.conserved("amount", rtol=1e-3))


def test_a_condition_stops_the_run_in_good_order(decay: Decay):
    model = decay()
    seen = em.watch.series(["level"])
    stop = em.watch.stop_when(lambda models, t: models[0].quantity("level") < 0.5, "half is gone")
    run = march(model, 10.0, seen, stop, rtol=1e-6)
    assert run.stopped == "half is gone"
    assert run.t == model.t == seen.t[-1]
    assert seen["level"][-1] < 0.5 <= seen["level"][-2]


def test_a_run_that_has_come_to_rest_is_stopped(decay: Decay):
    model = decay(lambda u: 2.0 - u)
    run = march(model, 1e6, em.watch.at_rest("level", after=1.0, rtol=1e-6))
    assert run.stopped == "level at rest"
    assert 5.0 < run.t < 1e5
    assert model.quantity("level") == pytest.approx(2.0, rel=1e-3)


# ---- events


def test_an_event_stops_the_run_at_its_time(decay: Decay):
    """u = e^-t falls to 1/2 at ln 2; the steps' own error is what is left (measured 2e-8 at these tolerances)."""
    model = decay()
    run = march(model, 5.0, em.watch.event("level", below=0.5), rtol=1e-8, atol=1e-10)
    assert run.t == model.t == pytest.approx(math.log(2), rel=1e-7)
    assert model.quantity("level") <= 0.5
    assert model.quantity("level") == pytest.approx(0.5, rel=1e-8)
    assert run.stopped == "level fell to 0.5"
    assert run.rejected > 1  # the tries to hit it


@pytest.mark.parametrize("method", ["rosenbrock", "bdf"])
def test_an_event_is_as_exact_as_the_steps(decay: Decay, method: str):
    model = decay(lambda u: u)
    run = march(model, 5.0, em.watch.event("level", above=7.0), rtol=1e-6, atol=1e-8, method=method)
    assert run.t == pytest.approx(math.log(7), rel=1e-4)
    assert 7.0 <= model.quantity("level") < 7.0 * (1 + 1e-7)


def test_the_first_of_several_events_counts(decay: Decay):
    """Both happen within one long step."""
    events = [em.watch.event("level", below=0.4, reason="late"), em.watch.event("level", below=0.6, reason="early")]
    run = march(decay(), 5.0, *events, fixed_step=2.5)
    assert run.stopped == "early"


def test_a_run_goes_on_after_an_event(decay: Decay):
    model = decay()
    march(model, 3.0, em.watch.event("level", below=0.5))
    run = march(model, 3.0)
    assert run.t == 3.0
    assert model.quantity("level") == pytest.approx(math.exp(-3.0), rel=2e-3)


def test_an_event_that_has_happened_stops_before_the_first_step(decay: Decay):
    run = march(decay(), 1.0, em.watch.event("level", above=0.5))
    assert (run.t, run.steps) == (0.0, 0)


def test_an_event_that_does_not_happen_changes_nothing(decay: Decay):
    one, other = decay(), decay()
    runs = [march(one, 1.0), march(other, 1.0, em.watch.event("level", above=2.0))]
    assert runs[0].steps == runs[1].steps
    assert one.quantity("amount") == pytest.approx(other.quantity("amount"), rel=1e-12)  # the same steps


def test_an_event_may_be_a_function(decay: Decay):
    def clock(models: Sequence[em.Model], t: float) -> float:
        return models[0].quantity("level") * t

    run = march(decay(), 5.0, em.watch.event(clock, above=0.25), rtol=1e-8, atol=1e-10)
    assert run.t * math.exp(-run.t) == pytest.approx(0.25, rel=1e-7)
    assert run.stopped == "clock rose to 0.25"


def test_other_observers_see_the_event_and_nothing_after_it(decay: Decay):
    series = em.watch.series(["level"])
    run = march(decay(), 5.0, series, em.watch.event("level", below=0.5), fixed_step=2.5)
    assert series.t.tolist() == [0.0, run.t]
    assert series["level"][-1] == pytest.approx(0.5)


@pytest.mark.parametrize(
    "stop",
    [
        lambda: em.watch.event("level", below=0.5),
        lambda: em.watch.stop_when(lambda models, t: models[0].quantity("level") < 0.5, "half is gone"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_an_observer_with_a_period_sees_the_end_of_a_stopped_run_once(
    decay: Decay, stop: Callable[[], em.observe.Observer], first: bool
):
    """The state for which a run was stopped lies between the periods; chosen times stay those."""
    regular, chosen = em.watch.series(["level"], every=0.5), em.watch.series(["level"], times=[0.5])
    each = em.watch.series(["level"])
    seen = [regular, chosen, each]
    run = march(decay(), 5.0, *([stop(), *seen] if first else [*seen, stop()]))
    assert 0.5 < run.t < 1.0
    assert regular.t.tolist() == [0.0, 0.5, run.t]
    assert chosen.t.tolist() == [0.5]
    assert each.t.tolist().count(run.t) == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"above": 1.0, "below": 2.0}, "must be one limit"),
        ({}, "must be one limit"),
        ({"above": math.nan}, "above = nan"),
        ({"below": 1.0, "rtol": 0.0}, "rtol = 0"),
    ],
)
def test_an_event_that_cannot_be_is_refused(given: dict[str, Any], told: str):
    with pytest.raises(ParameterError, match=told):
        em.watch.event("level", **given)


def test_an_event_of_no_known_quantity_is_refused(decay: Decay):
    with pytest.raises(UnknownName, match="levle"):
        march(decay(), 1.0, em.watch.event("levle", above=1.0))


def test_an_event_whose_value_is_no_number_is_refused(decay: Decay):
    with pytest.raises(ParameterError, match="nan"):
        march(decay(), 1.0, em.watch.event(lambda models, t: math.nan, above=1.0))


def test_a_condition_of_other_arguments_is_refused_at_once():
    with pytest.raises(ParameterError, match=r"condition = neck_below, must be a function of \(models, t\): too many"):
        em.watch.stop_when(em.surface.neck_below)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"condition = <lambda>, must be a function of \(models, t\)"):
        em.watch.stop_when(lambda models: True, "never")  # type: ignore[arg-type, misc]
    assert em.watch.stop_when(em.surface.neck_below(0)).reason == "broken"
    assert em.watch.stop_when(em.surface.neck_below(5e-9)).reason == "neck below 5e-09 m"


def test_a_condition_that_takes_the_models_for_one_is_told_so():
    stop = em.watch.stop_when(lambda models, t: models.quantity("level") < 0.5)  # type: ignore[attr-defined]
    with pytest.raises(AttributeError) as caught:
        stop.record(0.0)
    assert caught.value.__notes__ == ["models is the tuple of all models of the run: write models[0].quantity"]
