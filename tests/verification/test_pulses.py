"""Drives that change faster than steps would be: square pulses, known and bare, against superposition and integrals.

Run as a script, it prints the numbers of `parallel_case` for the test that compares numbers of ranks.
"""

import json
import math
import warnings
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem import waveforms
from emfem.units import um

import numpy as np
import pytest
from dolfinx import fem
from mpi4py import MPI

LENGTH, DENSITY = 50 * um, 2e10
COPPER = em.materials.copper(temperature=573.0)
SPAN = {"stress": 3e4, "migration": 1.0, "heat": 1.0, "film": 10.0}
LEVEL = {"stress": DENSITY, "migration": 1.0, "heat": 100.0, "film": 0.02}


def bare(*, period: float, duty: float, level: float) -> Callable[[float], float]:
    """The same pulses as a function of Python, as a user writes it."""
    return lambda t: level if (t / period) % 1.0 < duty else 0.0


def model_of(kind: str, drive: Any, cells: int = 60) -> em.Model:
    """A line of one physics, driven at its end or everywhere."""
    if kind == "stress":
        return em.stress.model(em.mesh.interval(LENGTH, cells=cells, names=("a", "b")), COPPER, current_density=drive)
    line = em.mesh.interval(8.0 if kind == "film" else 1.0, cells=16, names=("a", "b"))
    on = {"a": em.flux(drive)}
    if kind == "migration":
        return em.migration.model(line, diffusivity=0.02, initial=1.0, on=on)
    if kind == "heat":
        return em.heat.model(line, conductivity=1.0, heat_capacity=1.0, source=drive, initial=300.0)
    start = em.film.cupd()
    return em.film.model(line, start, mean=0.25, initial=lambda x: 0.25 + 0 * x[0], on=on)


def amount_in(kind: str, model: em.Model) -> float:
    """Amount that the drive has brought since the start; for a stress its largest value."""
    if kind == "stress":
        return model.quantity("sigma_max")
    name, before = {"migration": ("amount", 1.0), "heat": ("T_mean", 300.0), "film": ("solute", 2.0)}[kind]
    return model.quantity(name) - before


def superposed(t: float, *, period: float, duty: float, count: int) -> float:
    """The largest stress of a line that pulses have been sent through: closed forms of steps of current, added up."""
    edges = [(k * period, 1.0) for k in range(count)] + [((k + duty) * period, -1.0) for k in range(count)]
    ends = [
        em.analytic.korhonen_line(
            np.array([0.0, LENGTH]), t - at, length=LENGTH, current_density=DENSITY, material=COPPER
        )
        * sign
        for at, sign in edges
        if t > at
    ]
    return float(np.sum(ends, axis=0).max())


@pytest.mark.parametrize("make", [waveforms.pulses, bare], ids=["waveform", "bare"])
@pytest.mark.parametrize("rtol", [pytest.param(1e-2, marks=pytest.mark.soak), 1e-4])
def test_stress_under_pulses_is_the_sum_of_steps(make: Callable[..., Any], rtol: float):
    """50 periods at a duty of 5 %, at the end of the last pulse: 76 % were missed. 200 cells are good to 1e-4."""
    period = SPAN["stress"] / 50
    end = 49.05 * period
    model = model_of("stress", make(period=period, duty=0.05, level=DENSITY), cells=200)
    em.evolve(model, end, rtol=rtol, progress=False)
    assert amount_in("stress", model) == pytest.approx(superposed(end, period=period, duty=0.05, count=50), rel=1e-3)


@pytest.mark.parametrize("kind", ["migration", "heat", "film"])
@pytest.mark.parametrize(("count", "duty"), [(5, 1e-3), (5, 0.5), (40, 0.01), (40, 0.3)])
def test_what_pulses_bring_is_all_there(kind: str, count: int, duty: float):
    """The integral of the drive, to rounding: steps end where pulses do, and sums over stages are exact for each."""
    period = SPAN[kind] / count
    level = LEVEL[kind] if kind != "film" else LEVEL[kind] / (4 * duty)  # the film has room for so much
    model = model_of(kind, waveforms.pulses(period=period, duty=duty, level=level))
    em.evolve(model, SPAN[kind], progress=False)
    assert amount_in(kind, model) == pytest.approx(level * duty * SPAN[kind], rel=1e-10)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 4))])
def test_random_pulse_trains_of_bare_functions_are_never_missed_without_an_error(seed: int):
    """Duties of 0.1 % to 50 %, 5 to 1000 periods, any tolerance: right to 1e-3, or an error that says what to do."""
    random = np.random.default_rng(seed)
    right = 0
    for _ in range(12):
        count = int(math.exp(random.uniform(math.log(5), math.log(1000))))
        duty, rtol = math.exp(random.uniform(math.log(1e-3), math.log(0.5))), float(random.choice([1e-2, 1e-4, 1e-6]))
        kind = str(random.choice(["migration", "heat"]))
        if count > 60:
            continue  # thousands of steps; `benchmarks/pulses.py` has them
        model = model_of(kind, bare(period=SPAN[kind] / count, duty=duty, level=LEVEL[kind]))
        try:
            em.evolve(model, SPAN[kind], rtol=rtol, progress=False)
        except em.ParameterError as error:
            assert "em.waveforms.pulses(...)" in str(error)  # noqa: PT017
            continue
        assert amount_in(kind, model) == pytest.approx(LEVEL[kind] * duty * SPAN[kind], rel=1e-3)
        right += 1
    assert right >= 3


YEAR = 3.15576e7


@pytest.mark.parametrize("until", [1e4, YEAR, 100 * YEAR])
@pytest.mark.parametrize(
    ("drive", "amount", "due"),
    [
        (lambda t: 1e-4 if 500 <= t < 5500 and t % 1000 >= 500 and t % 1000 < 510 else 1e-9, 5e-3, 4510.0),
        (lambda t: 1e-6 * min(t / 600, 1), 1e-6 * 3300, 3600.0),
        (lambda t: 1e-6 * (1 + math.sin(2 * math.pi * t / 600)), 1e-6 * 3600, 3600.0),
        (lambda t: 1e-6 * float(np.interp(t, [0, 100, 101, 5000], [0, 0, 2, 2])), 2e-6 * 3499.5, 3600.0),
    ],
    ids=["five pulses", "ramp", "sine", "table"],
)
def test_what_a_bare_function_does_early_is_seen_however_far_the_run_may_go(
    drive: Callable[[float], float], amount: float, due: float, until: float
):
    """Pulses of 10 s in an hour were missed in a run to a year that an event ends."""
    line = em.mesh.interval(1.0, cells=8, names=("a", "b"))
    model = em.migration.model(line, diffusivity=1e-3, initial=1.0, on={"a": em.flux(drive)})
    full = em.watch.event("amount", above=1 + amount * (1 - 1e-6))
    run = em.evolve(model, until, progress=False, watch=[full])
    assert run.t == pytest.approx(due, rel=2e-3)


def test_a_train_too_short_to_be_seen_at_first_is_reported_when_it_is():
    """0.01 % of 50 periods: when the first pulse is met, those before it are looked for."""
    drive = bare(period=0.02, duty=1e-4, level=1.0)
    with pytest.raises(em.ParameterError, match=r"^flux on 'a' changes faster than could be seen before t = 0\.\d+"):
        em.evolve(model_of("migration", drive), 1.0, progress=False)


def test_a_function_of_waveforms_is_searched_for_jumps_of_its_own():
    """A window of 2e-3 of a ramp was stepped over."""
    ramp = waveforms.piecewise_linear([0.0, 1.0], [0.0, 1.0])
    window = waveforms.combined(lambda v: 500.0 if 0.8811 < v < 0.8831 else 0.0, ramp)
    model = model_of("migration", window)
    em.evolve(model, 1.0, progress=False)
    assert amount_in("migration", model) == pytest.approx(1.0, rel=1e-9)


def test_breakpoints_of_two_drives_that_are_equal_but_for_rounding():
    """0.1 k added up strays by 1e-14 from 0.1 k: no step of nothing lies between the two."""
    added, multiplied = np.concatenate([[0.0], np.cumsum(np.full(200, 0.1))]), 0.1 * np.arange(201)
    assert np.abs(added - multiplied).max() > 1e-15
    values = np.tile([1.0, 2.0], 101)[:201]
    line = em.mesh.interval(1.0, cells=8, names=("a", "b"))
    on = {"a": em.flux(waveforms.steps(added, values)), "b": em.flux(waveforms.steps(multiplied, -values))}
    model = em.migration.model(line, diffusivity=1.0, initial=1.0, on=on)
    em.evolve(model, 20.0, progress=False)
    assert model.quantity("amount") == pytest.approx(1.0, rel=1e-9)


def test_drives_that_have_ended_do_not_hinder_others():
    """Counted pulses, a table that ends and a bare function with jumps of its own, one flux each."""
    line = em.mesh.interval(1.0, cells=8, names=("a", "b"))
    counted = waveforms.pulses(period=0.1, duty=0.5, level=1.0, count=2)
    on = {"a": em.flux(counted), "b": em.flux(waveforms.steps([0.0, 0.3], [1.0, 2.0]))}
    model = em.migration.model(line, diffusivity=1.0, drift=lambda t: float(t > 0.7), initial=1.0, on=on)
    em.evolve(model, 1.0, progress=False)
    assert model.quantity("amount") == pytest.approx(1.0 + 0.1 + 0.3 + 2 * 0.7, rel=1e-9)


def test_edges_that_parts_of_a_waveform_share_but_for_rounding():
    """0.1 k and 0.05 + 0.1 k: the end of one pulse is the beginning of another."""
    parts = [waveforms.pulses(period=0.1, duty=0.5, level=1.0, start=start) for start in (0.0, 0.05)]
    model = model_of("heat", waveforms.combined(lambda a, b: a + 2 * b, *parts, smooth=True))
    em.evolve(model, 1.05, progress=False)
    assert amount_in("heat", model) == pytest.approx(0.55 + 2 * 0.5, rel=1e-9)


@pytest.mark.parametrize("wild", [np.random.default_rng(0).normal, lambda t: t**-0.5], ids=["noise", "singular"])
def test_what_cannot_be_searched_is_refused_at_once(wild: Callable[..., float]):
    drive = (lambda t: float(wild())) if wild.__name__ == "normal" else (lambda t: wild(t) if t > 0 else 0.0)
    with pytest.raises(em.ParameterError, match=r"changes too fast at t = .* to be followed; give it as a waveform"):
        em.evolve(model_of("heat", drive), 1.0, progress=False)


def test_pulses_that_rounding_hides_are_refused():
    drive = waveforms.pulses(period=1.0, duty=1e-9, level=1.0, start=1e6, count=3)
    with pytest.raises(em.ParameterError, match="must not within 1e-12 of the time"):
        em.evolve(model_of("migration", drive), 1e6 + 2, progress=False)


def test_a_flux_through_a_boundary_that_is_held_is_that_before_jumps_and_bends():
    """Bare and known: shortly before a jump, at it and at a bend the rate of the held value is that of the past."""
    times = [0.949, 0.94999, 0.949995, 0.95]
    found = []
    for drive in (
        lambda t: 3.0 if (t / 0.05) % 1.0 < 0.1 else 1.0,
        waveforms.pulses(period=0.05, duty=0.1, level=3.0, base=1.0),
    ):
        line = em.mesh.interval(1.0, cells=20, names=("a", "b"))
        on = {"a": em.fixed(drive), "b": em.fixed(1.0)}
        model = em.migration.model(line, diffusivity=0.02, initial=1.0, on=on)
        series = em.watch.series(["flux a"], times=times)
        em.evolve(model, 0.96, progress=False, watch=[series])
        found.append(series["flux a"])
    assert found[0] == pytest.approx(found[1], rel=1e-6)
    assert np.ptp(found[1]) < 0.03 * found[1][0]
    bend = em.fixed(waveforms.piecewise_linear([0.0, 0.5, 1.0], [1.0, 3.0, 1.0]))
    line = em.mesh.interval(1.0, cells=20, names=("a", "b"))
    model = em.migration.model(line, diffusivity=0.02, initial=1.0, on={"a": bend})
    series = em.watch.series(["flux a"], times=[0.4999, 0.5])
    em.evolve(model, 0.5, progress=False, watch=[series])
    assert series["flux a"][1] == pytest.approx(series["flux a"][0], rel=1e-3)


@pytest.mark.parametrize(
    "burst",
    [
        lambda t: math.exp(-(((t / 0.1) % 1.0 - 0.5) ** 2) / 2e-4) / math.sqrt(2e-4 * math.pi),
        lambda t: 2 * math.sin(20 * math.pi * t) ** 2,
        lambda t: max(0.0, 100 * (1 - abs((t / 0.1) % 1.0 - 0.5) / 0.01)),
        lambda t: min(t / 1e-6, 1.0),
        lambda t: 1e4 * math.exp((t - 1.0) / 1e-4),
    ],
    ids=["bells", "sine", "triangles", "ramp", "last moment"],
)
def test_smooth_bursts_are_followed(burst: Callable[[float], float]):
    """Each has mean 1: steps are cut until the cubic through their stages has all of it."""
    model = model_of("migration", burst)
    em.evolve(model, 1.0, rtol=1e-2, progress=False)
    assert amount_in("migration", model) == pytest.approx(1.0, rel=1e-3)


def test_a_function_that_is_vouched_for_is_checked_in_each_step():
    """Bells as a function without breakpoints are followed too; what jumps all the same is found out."""
    bells = waveforms.function(lambda t: 1 + math.sin(40 * math.pi * t))
    model = model_of("migration", bells)
    em.evolve(model, 1.0, rtol=1e-2, progress=False)
    assert amount_in("migration", model) == pytest.approx(1.0, rel=1e-3)
    broken = waveforms.function(lambda t: 1.0 if t < 0.5 else 2.0)
    with pytest.raises(em.ParameterError, match=r"^flux on 'a' changes too fast at t = 0\.5 for a step"):
        em.evolve(model_of("migration", broken), 1.0, progress=False)


def test_steps_of_fixed_size_refuse_what_they_would_miss():
    drive = waveforms.function(lambda t: 1 + math.sin(40 * math.pi * t))
    with pytest.raises(em.ParameterError, match=r"changes too fast at t = 0 for a step of 0\.25 to resolve it"):
        em.evolve(model_of("migration", drive), 1.0, fixed_step=0.25, progress=False)


@pytest.mark.parametrize("options", [{"method": "bdf"}, {"fixed_step": 0.04}], ids=["bdf", "fixed"])
def test_other_steps_end_at_breakpoints_too(options: dict[str, Any]):
    """Ten pulses of 3 %, each far shorter than a step; BDF begins anew at each jump."""
    model = model_of("migration", waveforms.pulses(period=0.1, duty=0.03, level=1.0))
    em.evolve(model, 1.0, progress=False, **options)
    assert amount_in("migration", model) == pytest.approx(0.03, rel=1e-3)


def test_times_of_observers_that_are_breakpoints_but_for_rounding():
    """0.1 k as 3 * 0.1 or 0.3, added up or multiplied: rows at all of them, and no step of nothing in between."""
    series = em.watch.series(["amount"], every=0.1)
    listed = em.watch.series(["amount"], times=np.cumsum(np.full(10, 0.1)))
    model = model_of("migration", waveforms.pulses(period=0.1, duty=0.5, level=1.0))
    steps = em.watch.series(["amount"])
    em.evolve(model, 1.0, progress=False, watch=[series, listed, steps])
    assert series.t == pytest.approx(np.linspace(0, 1, 11), abs=1e-14)
    assert listed.t == pytest.approx(np.linspace(0.1, 1, 10), abs=1e-14)
    assert series["amount"] == pytest.approx(1 + 0.5 * series.t, rel=1e-10)
    assert np.diff(steps.t).min() > 1e-8


def test_a_conduction_that_is_staggered_sees_both_sides_of_a_jump():
    """A voltage of short pulses pulls a solute, in both couplings as the same drift does without a conduction."""
    moved = []
    volts = waveforms.pulses(period=0.1, duty=0.05, level=2.0)
    for coupling in ("monolithic", "staggered"):
        strip = em.mesh.rectangle((1.0, 0.2), cells=(20, 1))
        current = em.conduction.model(strip, conductivity=1.0, on={"left": em.fixed(volts), "right": em.fixed(0.0)})
        solute = em.migration.model(strip, diffusivity=0.1, drift=current["E"], initial=lambda x: np.cos(x[0]) ** 2)
        em.evolve([current, solute], 1.0, coupling=coupling, progress=False)
        assert solute.t == current.t == 1.0
        space = solute["c"].function_space
        x = fem.Function(space)
        x.interpolate(lambda x: x[0])
        moved.append(em.fields.integral(fem.form(x * solute["c"] * strip.dx(4)), strip.mesh.comm))
    line = em.mesh.interval(1.0, cells=20, names=("left", "right"))
    steady = em.migration.model(line, diffusivity=0.1, drift=volts, initial=lambda x: np.cos(x[0]) ** 2)
    em.evolve(steady, 1.0, progress=False)
    x = fem.Function(steady["c"].function_space)
    x.interpolate(lambda x: x[0])
    mean = 0.2 * em.fields.integral(fem.form(x * steady["c"] * line.dx(4)), line.mesh.comm)
    assert moved == pytest.approx([mean, mean], rel=1e-3)


def test_pulses_too_short_for_the_mesh_are_reported():
    """In 0.3 s a change of stress reaches 0.1 cells: its peaks are too low, by an error that no step can see."""
    drive = waveforms.pulses(period=30.0, duty=0.01, level=DENSITY)
    with pytest.warns(
        em.ResolutionWarning, match=r"diffusion length over cell size = .* at the end of a pulse of 0\.3"
    ):
        em.evolve(model_of("stress", drive), 60.0, progress=False)


def test_a_fine_table_of_lines_is_no_pulse():
    """A ramp told at 1000 times asks no more of the mesh than one told at two."""
    ramp = waveforms.piecewise_linear(np.linspace(0.0, 3e4, 1001), np.linspace(0.0, DENSITY, 1001))
    with warnings.catch_warnings():
        warnings.simplefilter("error", em.ResolutionWarning)
        em.evolve(model_of("stress", ramp), 3e4, progress=False)


@pytest.mark.filterwarnings("ignore:the stress model. diffusion length:emfem.ResolutionWarning")
def test_a_void_opens_in_the_pulse_in_which_the_stress_comes_to_its_limit():
    """Closed forms added up reach sigma_c in the seventh pulse; it was said to survive."""
    period, duty = 600.0, 0.05
    times = (6 + 0.99 * duty) * period
    critical = superposed(times, period=period, duty=duty, count=7)
    assert critical > superposed((5 + duty) * period, period=period, duty=duty, count=6)
    line = em.mesh.interval(LENGTH, cells=200, names=("a", "b"))
    drive = waveforms.pulses(period=period, duty=duty, level=DENSITY)
    model = em.stress.model(line, COPPER, current_density=drive, voids=True)
    life = em.failure.run(model, critical_stress=critical, until=50 * period)
    assert life.time_to_failure == pytest.approx(
        times, abs=0.02 * duty * period
    )  # 1e-3 of a stress that grows by sqrt(t)
    nucleation = em.failure.nucleation(
        em.stress.model(line, COPPER, current_density=bare(period=period, duty=duty, level=DENSITY)),
        critical_stress=critical,
        until=50 * period,
    )
    assert nucleation.t == pytest.approx(life.time_to_failure, rel=1e-6)


def test_followers_see_a_jump_at_a_time_that_differs_from_it_by_rounding():
    """Rows at 0.3, edges at 3 * 0.1: half of the time 1 W/m3."""
    line = em.mesh.interval(1.0, cells=8, names=("a", "b"))
    volts = waveforms.pulses(period=0.1, duty=0.5, level=1.0)
    current = em.conduction.model(line, on={"a": em.conduction.electrode(voltage=volts), "b": em.fixed(0.0)})
    warm = em.heat.model(line, conductivity=1.0, heat_capacity=1.0, source=em.heat.joule(current), initial=500.0)
    rows = em.watch.series(["T_mean"], times=[0.1, 0.2, 0.3, 0.6, 0.7, 0.9])
    em.evolve([current, warm], 0.95, coupling="staggered", progress=False, watch=[rows])
    assert warm.quantity("T_mean") - 500.0 == pytest.approx(0.5, rel=1e-3)


def test_a_run_that_stops_at_a_jump_goes_on_behind_it():
    """The state at a jump is that before it: what is held there moves when the run goes on, as in one run."""
    drive = waveforms.steps([0.0, 0.5], [1.0, 3.0])

    def made() -> em.Model:
        line = em.mesh.interval(1.0, cells=16, names=("a", "b"))
        return em.migration.model(line, diffusivity=0.1, initial=1.0, on={"a": em.fixed(drive)})

    whole, parts = made(), made()
    em.evolve(whole, 1.0, rtol=1e-7, progress=False)
    em.evolve(parts, 0.5, rtol=1e-7, progress=False)
    assert parts.quantity("c_max") == pytest.approx(1.0, rel=1e-9)
    em.evolve(parts, 1.0, rtol=1e-7, progress=False)
    # two runs of other steps, each with an error of some rtol
    assert parts["c"].x.array == pytest.approx(whole["c"].x.array, rel=1e-5)


def test_the_ripple_about_the_mean_is_the_closed_form():
    """Half integral of the pulses: superposition after 2000 periods, from the end of a pulse to the middle of a pause.

    The start, long ago, moves both alike by sqrt(P/t).
    """
    period, duty, at = 100.0, 0.1, np.array([0.1, 0.5, 0.99])
    on = (2000 + at)[:, None] - np.arange(2001)

    def driven(t: Any, density: float) -> Any:
        return em.analytic.korhonen_half_line(0.0, np.maximum(t, 0.0), current_density=density, material=COPPER)

    pulsed = (driven(period * on, DENSITY) - driven(period * (on - duty), DENSITY)).sum(axis=1)
    off = pulsed - driven(period * (2000 + at), duty * DENSITY)
    ripple = em.analytic.pulse_ripple(period * at, period=period, duty=duty, current_density=DENSITY, material=COPPER)
    assert np.diff(off) == pytest.approx(np.diff(ripple), rel=1e-5)


def test_an_averaged_drive_is_off_by_the_ripple_at_most():
    """Stress after 100 periods under the mean, against pulses: the closed form tells the difference to 2 %."""
    period, duty, end = 30.0, 0.2, 100.2 * 30.0
    drive = waveforms.pulses(period=period, duty=duty, level=DENSITY)
    model = model_of("stress", drive.averaged())
    em.evolve(model, end, rtol=1e-6, progress=False)
    difference = superposed(end, period=period, duty=duty, count=101) - amount_in("stress", model)
    ripple = em.analytic.pulse_ripple(end, period=period, duty=duty, current_density=-DENSITY, material=COPPER)
    start = 0.05  # of the ripple: what is left of the start, sqrt(P/t)/2
    assert abs(difference) == pytest.approx(abs(ripple), rel=start)


def parallel_case() -> list[float]:
    """Amount that pulses through one end leave, with a step at the other end; as waveforms and as bare functions."""
    found = []
    for make in (waveforms.pulses, bare):
        line = em.mesh.interval(1.0, cells=40, names=("a", "b"))
        let_in_here = em.flux(make(period=0.25, duty=0.05, level=1.0))
        on: dict[str, Any] = {"a": let_in_here, "b": em.fixed(waveforms.steps([0, 0.5], [1, 2]))}
        model = em.migration.model(line, diffusivity=0.02, initial=1.0, on=on)
        em.evolve(model, 1.0, progress=False)
        found += [model.quantity("amount"), model.quantity("flux a"), model.quantity("flux b")]
    return found


@pytest.mark.soak
@pytest.mark.parallel
def test_pulses_on_two_ranks(run_json_on_ranks: Callable[..., Any]):
    """Jumps are found at the same times on all ranks."""
    expected = parallel_case()
    assert expected[3:] == pytest.approx(expected[:3], rel=1e-5)  # steps of the two differ
    assert run_json_on_ranks(2, __file__) == pytest.approx(expected, rel=1e-8)


if __name__ == "__main__":
    numbers = parallel_case()
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(numbers))
