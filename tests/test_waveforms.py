"""Values that follow time: what they are, where they jump, what they are on average, and what is refused."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.waveforms import Waveform, combined, constant, function, piecewise_linear, pulses, steps, table

import numpy as np
import pytest


def breakpoints(waveform: Waveform, start: float, stop: float) -> list[float]:
    """All of them, as a run meets them."""
    found = []
    while (start := waveform.next_breakpoint(start)) < stop:
        found.append(start)
    return found


# ---- values


def test_a_constant_never_changes():
    waveform = constant(3.0)
    assert (waveform(-1.0), waveform(1e9), waveform.next_breakpoint(0.0)) == (3.0, 3.0, math.inf)


def test_lines_join_values_and_stay_before_and_after():
    waveform = piecewise_linear([1.0, 2.0, 4.0], [0.0, 10.0, 0.0])
    assert [waveform(t) for t in (0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 9.0)] == pytest.approx([0, 0, 5, 10, 5, 0, 0])
    assert breakpoints(waveform, 0.0, 10.0) == [1.0, 2.0, 4.0]


def test_at_a_jump_the_value_is_that_after_it():
    waveform = steps([1.0, 2.0], [5.0, 7.0])
    assert [waveform(t) for t in (0.0, 1.0, 1.999, 2.0, 9.0)] == [5.0, 5.0, 5.0, 7.0, 7.0]


def test_pulses_begin_and_end_on_time_to_the_last_digit():
    """Edges are the numbers that a run is told, whatever rounding does to t/period: 1000 of them."""
    waveform = pulses(period=0.1, duty=0.3, level=2.0, base=-1.0, start=0.7)
    edges = breakpoints(waveform, 0.0, 100.0)
    assert edges[:3] == pytest.approx([0.7, 0.73, 0.8])
    assert len(edges) == 2 * 993
    assert {waveform(t) for t in edges[::2]} == {2.0}
    assert {waveform(t) for t in edges[1::2]} == {-1.0}
    assert {waveform(math.nextafter(t, 0.0)) for t in edges[::2]} == {-1.0}
    assert {waveform(math.nextafter(t, 0.0)) for t in edges[1::2]} == {2.0}
    assert waveform(0.0) == -1.0


def test_pulses_may_be_counted():
    waveform = pulses(period=1.0, duty=0.5, level=1.0, count=2)
    assert breakpoints(waveform, -1.0, 99.0) == [0.0, 0.5, 1.0, 1.5]
    assert [waveform(t) for t in (0.25, 0.75, 1.25, 2.25)] == [1.0, 0.0, 1.0, 0.0]


def test_a_table_repeats_with_its_period():
    """Breakpoints at k/10 and k/10 + 1/20; just after each the value is the new one, at 3/10 too, which rounds down."""
    waveform = steps([0.0, 0.05], [1.0, 0.0], period=0.1)
    edges = breakpoints(waveform, 0.0, 1.01)
    assert edges == pytest.approx(0.05 * np.arange(1, 21))
    assert [waveform(t) for t in edges] == [0.0, 1.0] * 10
    assert [waveform(t) for t in (0.3, 3 * 0.1, 0.35)] == [1.0, 1.0, 0.0]


def test_a_periodic_line_joins_its_end_to_its_beginning():
    waveform = piecewise_linear([0.0, 1.0], [0.0, 4.0], period=2.0)
    assert [waveform(t) for t in (0.5, 1.0, 1.5, 2.0, 7.25)] == pytest.approx([2.0, 4.0, 2.0, 0.0, 3.0])
    closed = piecewise_linear([0.0, 1.0, 2.0], [0.0, 4.0, 0.0], period=2.0)
    assert [closed(t) for t in (0.5, 1.5, 7.25)] == pytest.approx([2.0, 2.0, 3.0])


def test_values_may_be_vectors():
    turning = piecewise_linear([0.0, 1.0], [[1.0, 0.0], [0.0, 1.0]])
    assert np.asarray(turning(0.25)).tolist() == [0.75, 0.25]
    assert np.asarray(pulses(period=1.0, duty=0.5, level=[2.0, 3.0])(0.6)).tolist() == [0.0, 0.0]


def test_a_function_has_the_sides_of_its_breakpoints():
    """3 * 0.1 is above 0.3, and `t % 0.1` at 0.3 just below 0.1: neither puts the jump on the wrong side."""
    waveform = function(lambda t: 1.0 if t % 0.1 < 0.05 else 0.0, breakpoints=[0.3])
    assert waveform(0.3) == 1.0
    assert waveform(math.nextafter(0.3, 0.0)) == 0.0


def test_what_is_made_of_waveforms_has_the_breakpoints_of_all():
    waveform = combined(lambda a, b, c: a * b + c, steps([1.0], [2.0]), pulses(period=3.0, duty=0.5, level=1.0), 5.0)
    assert waveform(0.1) == 7.0
    assert breakpoints(waveform, 0.0, 4.0) == [1.0, 1.5, 3.0]
    assert waveform.scaled(2.0)(0.1) == 14.0


def test_a_file_gives_a_table(tmp_path: Path):
    (tmp_path / "drive.csv").write_text("t, j\n# measured\n0, 1\n\n2; 3\n4\t5\n", encoding="utf-8")
    waveform = table(tmp_path / "drive.csv", time=em.units.hour, value=10.0)
    assert waveform(3600.0) == pytest.approx(20.0)
    assert breakpoints(waveform, 0.0, 1e9) == [7200.0, 14400.0]


@pytest.mark.parametrize(
    ("waveform", "slopes"),
    [
        (constant(3.0), [0.0, 0.0, 0.0, 0.0]),
        (piecewise_linear([0.0, 1.0, 2.0], [0.0, 2.0, 1.0]), [2.0, 2.0, 2.0, -1.0]),
        (pulses(period=1.0, duty=0.5, level=9.0), [0.0, 0.0, 0.0, 0.0]),
        (function(lambda t: t**2), [0.0, 1.0, 2.0, 2.0 + 2e-9]),
        (function(lambda t: abs(t - 1.0), breakpoints=[1.0]), [-1.0, -1.0, -1.0, 1.0]),
        (pulses(period=1.0, duty=0.5, level=9.0).scaled(2.0), [0.0, 0.0, 0.0, 0.0]),
    ],
)
def test_the_slope_is_that_just_before_a_bend(waveform: Waveform, slopes: list[float]):
    """And at time 0 that just after. Differences over 2e-7 of the time leave 1e-6 of a parabola's slope."""
    found = [waveform.slope(t) for t in (0.0, 0.5, 1.0, 1.0 + 1e-9)]
    assert found == pytest.approx(slopes, rel=1e-6, abs=1e-8)


def test_a_number_times_a_waveform_is_one():
    """From both sides, of NumPy too; its averages and breakpoints are those of the waveform."""
    waveform = pulses(period=1.0, duty=0.25, level=4.0)
    for made in (2 * waveform, waveform * 2.0, np.float64(2.0) * waveform):
        assert (made(0.1), made.next_breakpoint(0.1), made.mean()) == (8.0, 0.25, 2.0)


@pytest.mark.parametrize(
    ("waveform", "text"),
    [
        (constant(3.0), "<waveform: constant, value 3>"),
        (
            2 * pulses(period=1.0, duty=0.25, level=4.0),
            "<waveform: scaled, factor 2, <waveform: pulses, period 1, duty 0.25, level 4, base 0, start 0>>",
        ),
        (steps([0.0, 1.0], [1.0, 2.0], period=3.0), "<waveform: piecewise, period 3>"),
        (function(math.sin), "<waveform: function>"),
    ],
)
def test_a_waveform_shows_its_kind_and_numbers(waveform: Waveform, text: str):
    assert repr(waveform) == text


def test_a_field_of_waveforms_is_a_waveform():
    field = em.film.uniform_field(pulses(period=4.0, duty=0.5, level=2.0), piecewise_linear([0.0, 2.0], [0.0, np.pi]))
    assert np.asarray(field(1.0)) == pytest.approx([0.0, 2.0], abs=1e-12)
    assert breakpoints(field, 0.0, 5.0) == [2.0, 4.0]


# ---- averages


@pytest.mark.parametrize(
    ("waveform", "mean", "square", "ripple"),
    [
        (pulses(period=4.0, duty=0.25, level=6.0, base=2.0), 3.0, 12.0, 3.0),
        (steps([0.0, 1.0], [6.0, 2.0], period=4.0), 3.0, 12.0, 3.0),
        # a triangle of height 2: square 4/3; between the crossings of its mean, 1 apart, the area 1/2 * 1 * 1
        (piecewise_linear([0.0, 1.0], [0.0, 2.0], period=2.0), 1.0, 4 / 3, 0.5),
        (constant(3.0), 3.0, 9.0, 0.0),
        (pulses(period=4.0, duty=0.25, level=-3.0, base=-1.0).scaled(-2.0), 3.0, 12.0, 3.0),
    ],
)
def test_averages(waveform: Waveform, mean: float, square: float, ripple: float):
    assert (waveform.mean(), waveform.mean_square(), waveform.ripple()) == pytest.approx((mean, square, ripple))
    assert waveform.averaged()(7.0) == pytest.approx(mean)
    assert waveform.averaged("power")(7.0) == pytest.approx(math.sqrt(square))


def test_pulses_of_vectors_are_averaged_by_component():
    waveform = pulses(period=4.0, duty=0.25, level=[8.0, -4.0])
    assert np.asarray(waveform.mean()).tolist() == [2.0, -1.0]
    assert np.asarray(waveform.ripple()).tolist() == [6.0, 3.0]


def test_a_drive_that_is_averaged_needs_no_driver():
    line = em.mesh.interval(1.0, cells=2, names=("left", "right"))
    drive = pulses(period=1e-9, duty=0.5, level=2.0)
    model = em.migration.model(line, diffusivity=1.0, initial=1.0, on={"left": em.flux(drive.averaged())})
    assert model.drivers == ()
    em.evolve(model, 3.0, progress=False)
    assert model.quantity("amount") == pytest.approx(4.0, rel=1e-9)


# ---- what is refused


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: pulses(period=0.0, duty=0.5, level=1.0), "period = 0, must be greater than 0"),
        (lambda: pulses(period=1.0, duty=1.0, level=1.0), "duty = 1, must be less than 1"),
        (lambda: pulses(period=1.0, duty=0.0, level=1.0), "duty = 0, must be greater than 0"),
        (lambda: pulses(period=1.0, duty=0.5, level=math.nan), "level = nan, must be finite"),
        (lambda: pulses(period=1.0, duty=0.5, level=1.0, base=math.inf), "base = inf, must be finite"),
        (lambda: pulses(period=1.0, duty=0.5, level=1.0, start=math.nan), "start = nan, must be finite"),
        (lambda: pulses(period=1.0, duty=0.5, level=1.0, count=0), "count = 0, must be at least 1"),
        (lambda: constant("high"), "value = 'high', must be numbers"),
        (lambda: steps([0.0, 0.0], [1.0, 2.0]), "must be a list of times that increase"),
        (lambda: steps([0.0, 1.0], [1.0]), "2 times and 1 values, must be as many of both, at least one"),
        (lambda: steps([], []), "0 times and 0 values, must be as many of both, at least one"),
        (lambda: steps([0.0, 1.0], [1.0, 2.0], period=1.0), "period = 1, must be greater than 1"),
        (lambda: piecewise_linear([0.0, 1.0], [1.0, 2.0], period=0.5), "period = 0.5, must be at least 1"),
        (lambda: piecewise_linear([0.0, 1.0], [1.0, 2.0], period=1.0), "must end as they begin"),
        (lambda: piecewise_linear([0.0, math.inf], [1.0, 2.0]), "must be finite"),
        (lambda: function(3.0), "of_time = 3.0, must be a function"),  # type: ignore[arg-type]
        (lambda: function(abs, breakpoints=[2.0, 1.0]), "breakpoints = [2.0, 1.0], must be a list of times that incr"),
        (lambda: table("unwritable_dir.csv"), "path = 'unwritable_dir.csv', must be a file that can be read: No such"),
        (lambda: table("unwritable_dir.csv", between="curves"), "between has lines, steps"),
        (lambda: pulses(period=1.0, duty=0.5, level=1.0).averaged("peak"), "of has mean, power"),
        (lambda: steps([0.0, 1.0], [1.0, 2.0]).averaged(), "has no period, must be periodic or constant"),
        (lambda: function(abs).averaged(), "has no period, must be periodic or constant"),
        (lambda: combined(abs, pulses(period=1.0, duty=0.5, level=1.0)).averaged(), "has no period, must be periodic"),
        (lambda: pulses(period=1.0, duty=0.5, level=1.0).scaled(math.nan), "factor = nan, must be finite"),
        (lambda: pulses(period=1.0, duty=0.5, level=1.0, count=3).averaged(), "has no period, must be periodic or con"),
    ],
)
def test_what_is_refused(make: Callable[[], Any], said: str):
    with pytest.raises(em.ParameterError) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [("0 1\n1 x\n", "line 2: '1 x', must be a time and a value"), ("a b\n", "has no line with a time")],
)
def test_files_that_are_no_tables(tmp_path: Path, text: str, said: str):
    (tmp_path / "drive.csv").write_text(text, encoding="utf-8")
    with pytest.raises(em.ParameterError, match=said):
        table(tmp_path / "drive.csv")


def test_each_level_of_a_waveform_is_checked():
    """A temperature that falls to 0 K later is refused at once; of a bare function only t = 0 is looked at."""
    with pytest.raises(em.ParameterError, match="ambient = 0 K, must be at least 1 K"):
        em.heat.convection(1.0, steps([0.0, 5.0], [300.0, 0.0]))


def test_more_jumps_than_a_run_can_take_are_refused():
    line = em.mesh.interval(1.0, cells=2, names=("left", "right"))
    clock = pulses(period=1e-9, duty=0.5, level=2.0)
    model = em.migration.model(line, diffusivity=1.0, initial=1.0, on={"left": em.flux(clock)})
    with pytest.raises(
        em.ParameterError, match=r"^flux on 'left' has more than 1000000 jumps .* waveform\.averaged\(\)$"
    ):
        em.evolve(model, 3.0, progress=False)


def test_a_duty_that_is_a_time_is_a_warning(recwarn: pytest.WarningsRecorder):
    """1 us of 10 us is a duty of 0.1; a duty of 0.002 of half a second is meant."""
    pulses(period=0.5, duty=0.002, level=1.0)
    assert not recwarn
    with pytest.warns(em.ResolutionWarning, match=r"duty = 1e-06, .* here 1e-11: .* time of 1e-06 has duty = 0\.1$"):
        pulses(period=1e-5, duty=1e-6, level=1.0)
