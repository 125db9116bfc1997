"""Rows of steps: what they refuse, what they keep, which way they go."""

import math
from dataclasses import replace
from typing import Any

import emfem as em
from emfem.units import boltzmann, elementary_charge, nm

import numpy as np
import pytest

T, D, DENSITY, AREA = 900.0, 1e-10, 2e16, 6.6e-20  # K, m2/s, 1/m2, m2
WIDTH = 5 * nm
PULL = 1e6 * boltzmann * T  # a drift of 1e6/m: 0.005 over a terrace


def surface(**other: Any) -> em.steps.Surface:
    """Slow attachment, slower from above; a force down the steps."""
    given: dict[str, Any] = {
        "temperature": T,
        "diffusivity": D,
        "adatom_density": DENSITY,
        "atom_area": AREA,
        "force": PULL,
        "attachment_lower": D / (3 * nm),
        "attachment_upper": D / (8 * nm),
        "repulsion": 2e-31,
    }
    return em.steps.Surface(**given | other)


def staircase(steps: int = 12, *, noise: float = 0.0, **other: Any) -> em.steps.Row:
    """A periodic train."""
    positions = em.steps.train(steps, WIDTH, noise=noise, seed=1)
    return em.steps.model(surface(**other), positions, length=steps * WIDTH)


def bridge(**other: Any) -> em.steps.Row:
    """A low terrace between two pads of four layers, walls beyond them."""
    left = 4 * nm * np.arange(1, 5)
    down = [1] * 4 + [-1] * 4
    positions = np.concatenate([left, 60 * nm - left[::-1]])
    return em.steps.model(surface(**other), positions, length=60 * nm, ends="blocked", down=down)


def merged(usual: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """Arguments, some of them changed."""
    return usual | changed


def second(row: em.steps.Row) -> float:
    """The row's own unit of time [s]."""
    return row.scales[1]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("temperature", 0.0, "greater than 0 K"),
        ("temperature", math.nan, "finite"),
        ("diffusivity", -1e-10, "greater than 0 m2/s"),
        ("diffusivity", math.inf, "finite"),
        ("adatom_density", 0.0, "greater than 0 1/m2"),
        ("atom_area", -1.0, "greater than 0 m2"),
        ("force", math.nan, "finite"),
        ("force", "down", "a number"),
        ("attachment_lower", -1.0, "at least 0 m/s"),
        ("attachment_upper", math.nan, "finite"),
        ("attachment_upper", -math.inf, "finite"),
        ("repulsion", -1e-31, "at least 0 J m"),
        ("repulsion", math.inf, "finite"),
        ("evaporation_time", 0.0, "greater than 0 s"),
        ("evaporation_time", math.nan, "finite"),
        ("deposition", -1.0, r"at least 0 1/\(m2 s\)"),
    ],
)
def test_a_surface_refuses(name: str, value: Any, message: str) -> None:
    with pytest.raises(em.ParameterError, match=rf"^{name} = .*must be {message}"):
        surface(**{name: value})


def test_a_surface_whose_steps_take_nothing_up_is_refused() -> None:
    with pytest.raises(em.ParameterError, match="one must be greater than 0 m/s"):
        surface(attachment_lower=0.0, attachment_upper=0.0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"surface": 3}, "surface = 3, must be"),
        ({"positions": [2 * nm, 1 * nm]}, "steps do not cross"),
        ({"positions": [1 * nm, 1 * nm]}, "steps do not cross"),
        ({"positions": [1 * nm, math.nan]}, "finite numbers of shape"),
        ({"positions": []}, "finite numbers of shape"),
        ({"positions": "here"}, "must be numbers"),
        ({"positions": [0.0, 10 * nm]}, "less than the period of 1e-08 m"),
        ({"positions": [0.0, 5 * nm], "ends": "blocked"}, "between the walls"),
        ({"length": -1.0}, "length = -1 m, must be greater than 0 m"),
        ({"length": math.inf}, "finite"),
        ({"ends": "open"}, "'open'; ends has periodic, blocked"),
        ({"down": 0}, "must be 1 or -1 for each of 2 steps"),
        ({"down": [1, 1, 1]}, "must be 1 or -1 for each of 2 steps"),
        ({"down": [1, math.nan]}, r"down\[1\] = nan, must be a whole number"),
    ],
)
def test_a_row_refuses(changed: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"surface": surface(), "positions": [1 * nm, 6 * nm], "length": 10 * nm} | changed
    with pytest.raises(em.ParameterError, match=message):
        em.steps.model(given.pop("surface"), given.pop("positions"), **given)


@pytest.mark.parametrize("where", [{"ends": "blocked"}, {"down": [1, -1]}])
def test_a_barrier_that_nothing_passes_needs_a_staircase(where: dict[str, Any]) -> None:
    """Between two sides that take nothing up, adatoms have unwritable_dir to go."""
    with pytest.raises(em.ParameterError, match="only such sides or walls"):
        em.steps.model(surface(attachment_upper=0.0), [1 * nm, 6 * nm], length=10 * nm, **where)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": 0}, "steps = 0, must be at least 1"),
        ({"steps": 2.5}, "whole number"),
        ({"width": 0.0}, "width = 0 m, must be greater"),
        ({"noise": 0.5}, "noise = 0.5, must be less than 0.5"),
        ({"noise": -0.1}, "at least 0"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_train_refuses(given: dict[str, Any], message: str) -> None:
    with pytest.raises(em.ParameterError, match=message):
        em.steps.train(**{"steps": 4, "width": WIDTH} | given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"until": 0.0}, "until = 0 s, must be greater"),
        ({"until": math.nan}, "until = nan s, must be finite"),
        ({"times": [2.0]}, r"ascending and in \[0, 1\] s"),
        ({"times": [0.5, 0.2]}, "ascending"),
        ({"times": [-0.5]}, "ascending"),
        ({"times": []}, "ascending"),
        ({"times": [math.nan]}, "finite"),
        ({"rtol": 0.0}, "rtol = 0, must be at least"),
        ({"rtol": 1.0}, "rtol = 1, must be at most"),
    ],
)
def test_a_run_refuses(given: dict[str, Any], message: str) -> None:
    with pytest.raises(em.ParameterError, match=message):
        staircase().run(**{"until": 1.0} | given)


def test_records_and_jacobians_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three steps: 4 times are 12 numbers, and a Jacobian has 9."""
    row = staircase(3)
    times = second(row) * np.arange(1, 6)
    monkeypatch.setattr("emfem.steps.row.MOST", 12)
    assert len(row.run(times[-1], times=times[:4]).t) == 4
    with pytest.raises(em.ParameterError, match="5 times of 3 positions, must be at most 12 numbers"):
        row.run(times[-1], times=times)
    monkeypatch.setattr("emfem.steps.row.MOST", 9)
    assert row.jacobian().shape == (3, 3)
    monkeypatch.setattr("emfem.steps.row.MOST", 8)
    with pytest.raises(em.ParameterError, match="9 entries, must be at most 8: 3 steps"):
        row.jacobian()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"phase": [math.nan]}, "phase"),
        ({"phase": "all"}, "must be numbers"),
        ({"surface": None}, "surface = None"),
        ({"width": -1.0}, "width = -1 m"),
    ],
)
def test_a_growth_rate_refuses(given: dict[str, Any], message: str) -> None:
    with pytest.raises(em.ParameterError, match=message):
        em.steps.growth_rate(**merged({"phase": 1.0, "surface": surface(), "width": WIDTH}, given))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": 2}, "steps = 2, must be at least 3"),
        ({"width": 0.0}, "width"),
        ({"surface": surface(force=-PULL)}, "for a bunch at rest"),
        ({"surface": surface(repulsion=0.0)}, "for a bunch at rest"),
        ({"surface": surface(attachment_lower=math.inf, attachment_upper=math.inf)}, "for a bunch at rest"),
        ({"surface": surface(evaporation_time=1.0)}, "evaporation_time = 1 s"),
        ({"surface": surface(deposition=1.0)}, "deposition = 1 "),
    ],
)
def test_a_tightest_terrace_refuses(given: dict[str, Any], message: str) -> None:
    with pytest.raises(em.ParameterError, match=message):
        em.steps.tightest_terrace(**merged({"surface": surface(), "steps": 8, "width": WIDTH}, given))


@pytest.mark.parametrize("ask", ["velocities", "widths", "jacobian"])
def test_positions_of_other_rows_are_refused(ask: str) -> None:
    with pytest.raises(em.ParameterError, match=r"shape \(3,\), must be of shape \(12,\)"):
        getattr(staircase(), ask)([1 * nm, 2 * nm, 3 * nm])


def test_the_force_and_the_area_come_from_the_metal() -> None:
    """F = Z* e rho j: against the current for gold, along it for tungsten."""
    given: dict[str, Any] = {"current_density": 1e10, "diffusivity": D, "adatom_density": DENSITY}
    gold, tungsten = em.materials.gold(temperature=T), em.materials.tungsten(temperature=T)
    on_gold, on_tungsten = (em.steps.vicinal(metal, **given) for metal in (gold, tungsten))
    expected = gold.effective_charge * elementary_charge * gold.resistivity * 1e10
    assert on_gold.force == pytest.approx(expected, rel=1e-14, abs=0)
    assert on_gold.force < 0 < on_tungsten.force
    assert on_gold.atom_area == pytest.approx(gold.atomic_volume ** (2 / 3), rel=1e-14, abs=0)
    assert on_gold.temperature == T


def test_a_metal_without_a_charge_is_reported() -> None:
    bare = em.materials.Material("bare", temperature=T, atomic_volume=1.6e-29, resistivity=5e-8)
    with pytest.raises(em.ParameterError, match="effective_charge"):
        em.steps.vicinal(bare, current_density=1e10, diffusivity=D, adatom_density=DENSITY)


def test_a_current_that_is_not_finite_is_refused() -> None:
    with pytest.raises(em.ParameterError, match="current_density = nan A/m2, must be finite"):
        em.steps.vicinal(em.materials.gold(), current_density=math.nan, diffusivity=D, adatom_density=DENSITY)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"deposition": 1e22},
        {"evaporation_time": 1e-6},
        {"deposition": 1e22, "evaporation_time": 1e-6, "attachment_upper": 0.0},
    ],
)
def test_a_uniform_train_stays_uniform(other: dict[str, Any]) -> None:
    """It is an exact solution, also where it is unstable: what rounding puts in has no time to grow."""
    row = staircase(force=0.1 * PULL, **other)
    history = row.run(2 * second(row), times=[0.0, 2 * second(row)])
    assert history.bunching[-1] < 1e-10
    assert row.velocities() == pytest.approx(row.velocities().mean(), rel=1e-12, abs=1e-12 * WIDTH / second(row))


def test_without_sources_a_train_stands_and_with_them_it_moves_at_its_rate() -> None:
    """v = Omega l (deposition - n/tau): growth goes down the stairs, to rounding."""
    assert abs(staircase().velocities()).max() < 1e-13 * WIDTH / second(staircase())
    assert staircase(deposition=1e22).velocities() == pytest.approx(AREA * WIDTH * 1e22, rel=1e-12, abs=0)
    assert (staircase(evaporation_time=1e-6).velocities() < 0).all()


def test_the_adatoms_of_each_terrace_balance() -> None:
    """Nothing is lost between two steps: what leaves one comes to the other, to rounding."""
    row = staircase(noise=0.4)
    through = D * DENSITY / WIDTH
    assert abs(row.balance()).max() < 1e-13 * through
    grown = staircase(noise=0.4, deposition=1e22)
    assert grown.balance() == pytest.approx(1e22 * grown.widths(), rel=1e-10, abs=0)


@pytest.mark.parametrize("row", [staircase(noise=0.3), bridge(), bridge(force=-PULL)], ids=["train", "W", "Au"])
def test_atoms_are_conserved(row: em.steps.Row) -> None:
    """To 1e-10 of the atoms of a layer, over the meeting of steps too."""
    history = row.run(3000 * second(row))
    assert abs(history.atoms).max() < 1e-10 * row.length / AREA
    assert abs(history.positions[-1] - history.positions[0]).max() > 0.2 * WIDTH  # they did move


def test_what_is_deposited_is_what_the_steps_gain() -> None:
    row = staircase(noise=0.2, deposition=1e22)
    history = row.run(100 * second(row), times=[0.0, 100 * second(row)])
    assert history.atoms[-1] == pytest.approx(1e22 * row.length * history.t[-1], rel=1e-10, abs=0)


def test_the_end_that_receives_atoms_thickens() -> None:
    """A force along +x empties the left pad and fills the right one: steps retreat there and advance here."""
    row = bridge()
    history = row.run(3000 * second(row))
    left, right = history.positions[-1][:4], history.positions[-1][4:]
    assert (left < row.positions[:4]).all()
    assert (right < row.positions[4:]).all()  # down is to the left here, so these advance
    assert row.height(59.9 * nm, row.positions) == 0
    assert row.height(50 * nm, history.positions[-1]) > row.height(50 * nm)


def test_reversing_the_force_mirrors_everything() -> None:
    """Velocities to rounding, a run to what its time steps allow."""
    row, other = bridge(), bridge(force=-PULL)
    one, two = row.velocities(), other.velocities()
    assert one == pytest.approx(-two[::-1], rel=1e-10, abs=1e-12 * abs(one).max())
    first, second_ = (r.run(3000 * second(row)) for r in (row, other))
    assert first.positions == pytest.approx(row.length - second_.positions[:, ::-1], abs=1e-6 * row.length)
    assert (first.alive == second_.alive[:, ::-1]).all()


def test_a_mirrored_train_moves_as_the_mirror_image() -> None:
    """Stairs down to the left under a force to the left are stairs down to the right under one to the right."""
    row = staircase(noise=0.3, evaporation_time=1e-6, deposition=1e22)
    flipped = em.steps.model(
        replace(row.surface, force=-PULL), row.length - row.positions[::-1], length=row.length, down=-1
    )
    scale = abs(row.velocities()).max()
    assert flipped.velocities() == pytest.approx(-row.velocities()[::-1], rel=1e-10, abs=1e-12 * scale)


def test_the_jacobian_is_the_derivative() -> None:
    """Against central differences of 1e-5 widths: they leave 1e-7 or so."""
    for row in (staircase(7, noise=0.3, evaporation_time=1e-6), staircase(3, noise=0.3), bridge()):
        exact, h = row.jacobian(), 1e-5 * WIDTH
        moved = [row.velocities(row.positions + s * h * e) for e in np.eye(len(row.positions)) for s in (1, -1)]
        differences = (np.array(moved[::2]) - np.array(moved[1::2])).T / (2 * h)
        assert abs(exact - differences).max() < 1e-6 * abs(exact).max()


def test_bunches_form_down_the_stairs_and_heal_up_the_stairs() -> None:
    """Slow attachment: the sign of the force decides."""
    row = staircase(12, noise=0.2)
    until = 10 / np.max(em.steps.growth_rate(np.pi, row.surface, width=WIDTH).real)
    down = row.run(until)
    up = row.having(surface=replace(row.surface, force=-PULL)).run(until)
    assert down.bunching[-1] > 5 * down.bunching[0]
    assert up.bunching[-1] < 0.05 * up.bunching[0]


def test_opposite_steps_do_not_repel() -> None:
    """Only steps of one direction do: without a force neighbours that alternate stand still, stairs part."""
    still, parting = (
        em.steps.model(surface(force=0.0), [20 * nm, 21 * nm, 30 * nm], length=50 * nm, ends="blocked", down=down)
        for down in ([1, -1, 1], [1, 1, 1])
    )
    assert abs(still.velocities()).max() < 1e-12 * abs(parting.velocities()).max()
    assert parting.velocities()[0] < 0 < parting.velocities()[1]


@pytest.mark.parametrize("down", [1, -1])
def test_a_barrier_is_on_the_upper_side(down: int) -> None:
    """A step that takes up nothing from above gets all atoms of its lower terrace: right of it if it goes down."""
    on = surface(attachment_upper=0.0, deposition=1e22, force=0.0, repulsion=0.0)
    row = em.steps.model(on, [5 * nm, 12 * nm, 15 * nm], length=20 * nm, down=down)
    lower = row.widths()[1:] if down == 1 else row.widths()[:-1]
    assert row.velocities() == pytest.approx(down * AREA * 1e22 * lower, rel=1e-10, abs=0)


def test_opposite_steps_that_meet_complete_a_layer() -> None:
    """A trench fills under deposition, and its two steps are gone; the layer is complete, no step is left."""
    deposits = 1e23
    row = em.steps.model(surface(deposition=deposits), [20 * nm, 30 * nm], length=50 * nm, ends="blocked", down=[1, -1])
    filled = 10 * nm / (AREA * deposits * row.length)
    history = row.run(3 * filled)
    assert history.stopped == "no step left"
    assert history.alive[0].all()
    assert not history.alive[-1].any()
    assert history.t[-1] == pytest.approx(3 * filled)
    gone = history.t[np.argmin(history.alive.all(axis=1))]
    assert gone == pytest.approx(
        filled, rel=0.05
    )  # 1/67 between the recorded times, 1/400 for the gap that counts as met


def test_steps_of_one_direction_that_meet_are_reported() -> None:
    """Without a repulsion nothing keeps them apart: the error names the place and the time."""
    row = staircase(8, noise=0.2, repulsion=0.0)
    with pytest.raises(em.ConvergenceError, match=r"go the same way met at x = .*larger repulsion") as message:
        row.run(1e6 * second(row))
    assert 0 < message.value.t < 1e6 * second(row)


def test_positions_are_kept_at_the_times_requested() -> None:
    row = bridge()
    times = np.array([0.0, 0.3, 1.0]) * 1000 * second(row)
    history = row.run(1000 * second(row), times=times)
    assert history.t == pytest.approx(times, rel=1e-14)
    assert history.positions[0] == pytest.approx(row.positions, rel=1e-12, abs=0)
    finer = row.run(1000 * second(row), times=times[1:2], rtol=1e-10)
    assert history.positions[1] == pytest.approx(finer.positions[0], rel=0, abs=1e-6 * WIDTH)


def test_a_row_does_not_change() -> None:
    row = staircase()
    with pytest.raises(ValueError, match="read-only"):
        row.positions[0] = 0.0


def test_one_step_alone_follows_its_sources() -> None:
    """A single step in a period is a uniform train of one."""
    assert staircase(1, deposition=1e22).velocities() == pytest.approx([AREA * WIDTH * 1e22], rel=1e-12, abs=0)
