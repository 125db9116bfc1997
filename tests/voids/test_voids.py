"""Voids in stressed metal: they grow until the tension around them is gone, and no atom is lost."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm
from emfem.voids.limits import limits_of
from emfem.voids.opening import Tension, far, open_another, warn_of_tail
from emfem.voids.simulation import _at_rest
from emfem.voids.tracking import Tracker

import numpy as np
import pytest

# lines as short as these lose much of their tension to the atoms of a seed, and their interfaces are wide
pytestmark = [
    pytest.mark.filterwarnings("ignore:atoms of the seed take:emfem.ResolutionWarning"),
    pytest.mark.filterwarnings("ignore:seed_radius = .* interface widths:emfem.ResolutionWarning"),
]

# J. Appl. Phys. 118, 034504 (2015): a line of 1 um at 373.15 K in a liner of TaN
KT, MODULUS, OMEGA, RHO, CHARGE = 1.380649e-23 * 373.15, 1e11, 1.66e-29, 3e-8, -10.0
KAPPA = 8.5e-18  # m2/s
LINE = em.materials.Material(
    "line",
    temperature=373.15,
    diffusivity=KAPPA * KT / (MODULUS * OMEGA),
    bulk_modulus=MODULUS,
    atomic_volume=OMEGA,
    effective_charge=CHARGE,
    resistivity=RHO,
    surface_energy=1.7,
    surface_diffusivity_thickness=3e-23,
)
LONG = 1e-6
LINER = RHO * 10e-9 * (2 * 120e-9 + 200e-9) / (1e-5 * 120e-9 * 200e-9)  # conductance over that of the metal


def slit(density: float, width: float = 10 * nm, empty: float = 0.06e-6) -> em.Model:
    """A blocked line of 1 um, cut at its right end."""
    domain = em.mesh.rectangle((LONG + empty, width), cells=(round((LONG + empty) / width), 1))
    return em.voids.model(
        domain,
        LINE,
        shape=lambda x: LONG - x[0],
        interface_width=width,
        current_density=density,
        on=("left", "right"),
        liner=True,
        conductivity_ratio=LINER,
    )


@pytest.mark.parametrize(
    ("density", "published"), [(3e9, 4.33735e-11), pytest.param(-5e9, -7.22892e-11, marks=pytest.mark.soak)]
)
def test_a_void_at_the_end_of_a_blocked_line_saturates_as_published(density: float, published: float):
    """V/WH = e Z rho j L^2 / (2 Omega B); where electrons leave it closes instead. Their e is 1.6e-19, 0.14 % less."""
    model = slit(density)
    seen = em.watch.series(["void", "atoms"])
    em.evolve(model, until=5 * LONG**2 / KAPPA, watch=[seen], first_step=1.0, progress=False)
    assert np.ptp(seen["atoms"]) < 1e-12 * seen["atoms"][0]
    assert (seen["void"][-1] - seen["void"][0]) / (10 * nm) == pytest.approx(published, rel=5e-3, abs=0)
    low, _ = em.fields.extremes(model["sigma"])
    if density > 0:
        assert low == pytest.approx(-1.602177e-19 * 10 * RHO * density * LONG / OMEGA, rel=5e-3)


@pytest.mark.soak
def test_the_resistance_of_a_cut_line_rises_as_published():
    """In parts of that of the line, from 1e9 A/m2 on: the void of the start, 30 nm long, and its surface drop out.

    A void of 0.04 nm changes the tail of the profile, on which the current in the liner depends, by 1 % of its length.
    """
    resistances = []
    for density in (1e9, 3e9, 5e9):
        model = slit(density, 2 * nm, 0.03e-6)
        em.evolve(model, until=10 * LONG**2 / KAPPA, first_step=1.0, progress=False)
        resistances.append(model.quantity("resistance") * 2 * nm / (RHO * LONG))
    rises = np.diff(resistances) * np.array([3 / 2, 5 / 2])
    assert rises == pytest.approx([0.078818, 0.131363], rel=0.02)


HOT = LINE.having(bulk_modulus=28e9, diffusivity=1e-17)


@pytest.fixture(scope="module")
def hole() -> tuple[em.Model, Any]:
    """A quarter of a round void in metal under tension, at its end."""
    domain = em.mesh.rectangle((100 * nm, 100 * nm), cells=(20, 20))
    shape = em.surface.void((0.0, 0.0), 30 * nm)
    model = em.voids.model(domain, HOT, shape=shape, interface_width=5 * nm, residual_stress=300e6)
    seen = em.watch.series(["void", "atoms", "free_energy"])
    em.evolve(model, until=60.0, watch=[seen], first_step=1e-3, progress=False)
    return model, seen


def test_a_round_void_grows_until_its_curvature_balances_the_tension(hole: tuple[em.Model, Any]):
    """V - V0 = (s A0 - gamma A / R) / B, A the area of the metal; l is a sixth of R."""
    _, seen = hole
    area, start, end = (100 * nm) ** 2, seen["void"][0], seen["void"][-1]
    radius = np.sqrt(4 * end / np.pi)
    taken_up = (300e6 * (area - start) - HOT.surface_energy / radius * (area - end)) / 28e9
    assert end - start == pytest.approx(taken_up, rel=0.02, abs=0)


def test_no_atom_is_lost_and_the_free_energy_falls(hole: tuple[em.Model, Any]):
    _, seen = hole
    assert np.ptp(seen["atoms"]) < 1e-12 * seen["atoms"][0]
    energy = np.array(seen["free_energy"])
    assert (np.diff(energy) <= 2e-5 * energy[0]).all()
    assert energy[-1] < 0.95 * energy[0]


def test_voids_solved_iteratively_are_those_solved_directly():
    """PETSc crashed where c and mu, which have one preconditioner, were not neighbours among the unknowns."""
    runs = []
    for solver in ("direct", "iterative"):
        domain = em.mesh.rectangle((100 * nm, 100 * nm), cells=(20, 20))
        shape = em.surface.void((50 * nm, 50 * nm), 20 * nm)
        options: dict[str, Any] = {"current_density": 1e11, "on": ("left", "right"), "residual_stress": 3e8}
        model = em.voids.model(domain, LINE, shape=shape, interface_width=5 * nm, **options)
        em.evolve(model, until=1e-2, first_step=1e-6, progress=False, solver=solver)
        runs.append([model.quantity(name) for name in ("void", "sigma_max", "free_energy", "atoms")])
    assert runs[1] == pytest.approx(runs[0], rel=1e-6, abs=0)


def test_the_stress_at_rest_is_that_of_the_curvature(hole: tuple[em.Model, Any]):
    """Alike everywhere, gamma / R within (l / R)^2 and the mesh."""
    model, seen = hole
    low, high = em.fields.extremes(model["sigma"])
    assert high - low < 1e-2 * high
    assert low == pytest.approx(HOT.surface_energy / np.sqrt(4 * seen["void"][-1] / np.pi), rel=0.1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"interface_width": 0.0}, "interface_width = 0 m, must be greater than 0 m"),
        ({"residual_stress": np.nan}, "residual_stress = nan, must be finite"),
        ({"conductivity_ratio": 2.0}, "conductivity_ratio = 2, must be at most 1"),
        ({"current_density": 1e9, "on": ("left", "right")}, "leaves no path for the current from 'left' to 'right'"),
        (
            {"material": em.materials.Material("bare", temperature=400.0, resistivity=1e-8)},
            "bare has no surface_diffus",
        ),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], words: str):
    domain = em.mesh.rectangle((100 * nm, 10 * nm), cells=(10, 1))
    good: dict[str, Any] = {"material": LINE, "shape": lambda x: 50 * nm - x[0], "interface_width": 10 * nm}
    with pytest.raises(em.ParameterError, match=re.escape(words)):
        em.voids.model(domain, **(good | options))


# From nucleation to the end

LENGTH, CURRENT = 300 * nm, 2e12


AT_ONCE: dict[str, Any] = {"critical_stress": 90e6, "seed_radius": 22 * nm, "until": 0.01}


def life(**options: Any) -> tuple[em.Model, em.voids.VoidLife]:
    """A short line under a large current; electrons enter at the right."""
    domain = em.mesh.rectangle((LENGTH, 32 * nm), cells=(38, 4))
    current = options.pop("current", CURRENT)
    stress = em.stress.model(domain, HOT, current_density=(current, 0.0), residual_stress=100e6)

    def make(shape: Any, sigma: Any) -> em.Model:
        return em.voids.model(
            domain,
            options.get("metal", HOT),
            shape=shape,
            interface_width=8 * nm,
            residual_stress=sigma,
            **options.get("feed", {"current_density": current, "on": ("left", "right"), "liner": True}),
        )

    usual: dict[str, Any] = {"critical_stress": 200e6, "seed_radius": 20 * nm, "until": 200.0, "most": 1}
    chosen = usual | {name: value for name, value in options.items() if name not in ("metal", "feed")}
    return stress, em.voids.run(stress, make, **chosen)


@pytest.fixture(scope="module")
def opened() -> tuple[em.Model, em.voids.VoidLife]:
    """A void that opens at a flaw half way to the end and comes to rest."""
    return life(critical_stress=lambda x: np.where(abs(x[0] - 225 * nm) < 20 * nm, 120e6, 400e6))


@pytest.mark.soak
def test_a_void_opens_at_the_flaw_when_its_stress_is_the_critical_one(opened: tuple[em.Model, em.voids.VoidLife]):
    stress, void = opened
    assert void.stress == pytest.approx(120e6, rel=1e-6)
    assert abs(void.place[0] - 225 * nm) <= 20 * nm
    assert void.nucleated == stress.t == void.t[0]


@pytest.mark.soak
def test_the_atoms_of_a_seed_stay_in_the_line(opened: tuple[em.Model, em.voids.VoidLife]):
    stress, void = opened
    assert void.model is not None
    assert void.model.quantity("atoms") == pytest.approx(stress.quantity("atoms"), rel=1e-12)


@pytest.mark.soak
def test_a_void_comes_to_rest_or_fails_and_says_so(opened: tuple[em.Model, em.voids.VoidLife]):
    _, void = opened
    assert void.why in ("saturated", "cut")
    assert (void.why == "cut") == np.isfinite(void.time_to_failure)
    assert f"void at {void.nucleated:.6g} s" in str(void)
    assert [np.isfinite(each.stress) for each in void.voids] == [True, False]  # the other one opened without a seed


@pytest.mark.soak
def test_a_life_ended_before_and_after_the_void_opens_goes_on_as_if_it_had_not_been(tmp_path: Path):
    """The clock ends it after its first step; then the void's observer does. Opened and saved stress are one."""
    options: dict[str, Any] = {"until": 0.9, "rtol": 1e-2}
    _, whole = life(**options)
    again = lambda **more: life(  # noqa: E731
        **options, **more, checkpoint=em.checkpoint(tmp_path, resume=True)
    )
    _, none = again(wall_time=1e-9)
    assert (none.why, none.model) == ("wall time", None)
    calls = [0]

    def third(models: Any, t: float) -> bool:
        calls[0] += 1
        if calls[0] == 3:
            raise RuntimeError
        return False

    with pytest.raises(RuntimeError):
        again(watch=[em.watch.stop_when(third, "third")])
    with pytest.raises(em.ParameterError, match="seed_radius of another value"):
        again(watch=[em.watch.stop_when(third, "third")], seed_radius=21 * nm)
    stress, void = again(watch=[em.watch.stop_when(third, "third")])
    assert (void.nucleated, void.why, void.early) == (whole.nucleated, whole.why, whole.early)
    assert stress.t == whole.nucleated
    assert void.t.tolist() == whole.t.tolist()
    assert void.void.tolist() == whole.void.tolist()


def test_a_void_that_opens_at_once_is_not_at_rest_before_it_has_moved():
    """Nothing changes in the first steps, whose times are 1e-6 of all."""
    _, void = life(**AT_ONCE)
    assert (void.nucleated, void.why) == (0.0, "until")


def test_a_void_that_grows_more_slowly_than_the_line_relaxes_is_not_at_rest_before_its_growth_has_ended():
    """It grows in 70 s where stress takes 13 s; long steps hide the change in a short time."""
    t = np.append(0.0, np.geomspace(1e-3, 1000.0, 60))
    volume = 900.0 - 230.0 * np.exp(-t / 70.0)
    ends = next(i for i in range(2, len(t)) if _at_rest(t[:i], volume[:i], 13.0))
    assert 899.0 < volume[ends - 1] < 900.0
    assert t[ends - 1] < 1000.0


def test_of_equal_places_the_first_is_taken():
    """Left end, lower wall; the coordinate of a node there may be -4e-25 m."""
    _, none = life(critical_stress=5e9, until=1e-3, current=-CURRENT)
    assert none.place.tolist() == [0.0, 0.0]


def test_no_void_opens_below_the_critical_stress():
    _, none = life(critical_stress=5e9, until=1.0)
    assert (none.why, none.model, none.nucleated) == ("survived", None, np.inf)
    assert none.stress > 100e6


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"critical_stress": 200.0}, "critical_stress = 200 Pa, must be at least 10000 Pa"),
        ({"critical_stress": 80e6}, "seed_radius = 2e-08 m, must be greater than 2.125e-08 m, surface energy over"),
        ({"rise": 0.1, "feed": {}}, "rise = 0.1 of the resistance, must be None: make(shape, sigma) has no current"),
        ({"seed_radius": 45 * nm}, "seed_radius = 4.5e-08 m, must be smaller: the seed cuts the line as it opens"),
        ({"critical_stress": lambda x: np.where(x[0] > 1e-7, np.nan, 2e8)}, "critical_stress = nan Pa, must be finite"),
        ({"critical_stress": 99e6, "seed_radius": 17 * nm}, "void has no surface in the domain"),
        ({"extrusion_stress": 200.0}, "extrusion_stress = 200 Pa, must be at least 10000 Pa"),
        (
            {**AT_ONCE, "feed": {}},
            "a drive on atoms of 0 times that of the stress, must have the same current and metal",
        ),
        pytest.param(
            {**AT_ONCE, "feed": {"current_density": -CURRENT / 2, "on": ("left", "right"), "liner": True}},
            "a drive on atoms of -0.5 times that of the stress, must have the same current",
            marks=pytest.mark.soak,
        ),
        ({"critical_stress": 150e6, "metal": HOT.having(bulk_modulus=1e9)}, "is it of the same material?"),
    ],
)
def test_a_life_that_cannot_be_is_refused(options: dict[str, Any], words: str):
    with pytest.raises(em.ParameterError, match=re.escape(words)):
        life(**options)


@pytest.mark.soak
def test_metal_is_pressed_out_where_and_when_compression_reaches_its_limit():
    """At the end that electrons leave by; the run ends there."""
    stress, pressed = life(critical_stress=5e9, extrusion_stress=150e6)
    assert pressed.why == "extruded"
    assert pressed.extruded is not None
    assert pressed.extruded.tolist() == [0.0, 0.0]
    assert (pressed.model, pressed.nucleated) == (None, np.inf)
    assert (pressed.time_to_failure, em.fields.extremes(stress["sigma"])[0]) == pytest.approx((stress.t, -150e6))
    assert f"extruded at {stress.t:.6g} s at (0, 0) m" in str(pressed)


@pytest.mark.soak
def test_a_place_where_another_void_would_open_is_named():
    """Far from the void the tension is that of the start."""
    domain = em.mesh.rectangle((100 * nm, 100 * nm), cells=(20, 20))
    shape = em.surface.void((0.0, 0.0), 30 * nm)
    for radius, warned in ((5 * nm, True), (40 * nm, False)):
        model = em.voids.model(domain, HOT, shape=shape, interface_width=5 * nm, residual_stress=300e6)
        other = Tension(lambda x: np.where(x[0] > 90 * nm, 200e6, 400e6), radius)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            em.evolve(model, until=1e-6, watch=[other], progress=False)
        assert len(seen) == warned
        assert not warned or "another void would open there" in str(seen[0].message)


def test_a_line_is_cut_where_its_metal_no_longer_reaches_the_via():
    """A void across the end of a line, below a via or beyond it: its last sections have no metal in both."""
    domain = em.mesh.rectangle((160 * nm, 32 * nm), cells=(32, 8))
    paths = []
    for start in (40 * nm, 100 * nm):

        def under(x: Any, start: float = start) -> Any:
            return (x[1] > 31 * nm) & (x[0] > start) & (x[0] < start + 42 * nm)

        wired = domain.with_boundary("via", under)
        model = em.voids.model(
            wired,
            HOT,
            shape=lambda x: 95 * nm - x[0],
            interface_width=5 * nm,
            current_density=CURRENT,
            on=("left", "via"),
            liner=True,
        )
        assert model.quantity("neck") == 0.0
        paths.append(model.quantity("path"))
    assert paths == [1.0, 0.0]


def test_a_slanted_slit_cuts_a_line_though_each_section_has_metal():
    model = em.voids.model(
        em.mesh.rectangle((160 * nm, 32 * nm), cells=(64, 16)),
        HOT,
        shape=lambda x: abs(x[0] - 80 * nm - 2 * (x[1] - 16 * nm)) / np.sqrt(5) - 10 * nm,
        interface_width=4 * nm,
        current_density=CURRENT,
        on=("left", "right"),
        liner=True,
    )
    assert model.quantity("neck") > 5 * nm
    assert model.quantity("path") == 0.0


def test_a_seed_that_is_small_for_its_interface_brings_a_warning_with_its_tail():
    """A disk is pi^2 l^2 / 3 R^2 of it larger, a ball pi^2 l^2 / R^2."""
    plane = em.mesh.rectangle((100 * nm, 50 * nm), cells=(40, 20))
    shape = em.surface.void((50 * nm, 0.0), 20 * nm)
    for domain, tail in ((plane, 53), (em.mesh.axisymmetric(plane), 158)):
        model = em.voids.model(domain, HOT, shape=shape, interface_width=8 * nm)
        with pytest.warns(em.ResolutionWarning, match=rf"2\.5 interface widths, .* makes it {tail}% larger"):
            warn_of_tail(model, 20 * nm)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warn_of_tail(model, 48 * nm)


# Several voids

SOFT = HOT.having(bulk_modulus=1e9, diffusivity=1e-14, surface_diffusivity_thickness=3e-22)
FLAWS = (40 * nm, 200 * nm)


def flawed(x: Any) -> Any:
    """Critical stress: 240 MPa at the first flaw, 300 MPa at the second one, where less tension is at the start."""
    first, second = (np.hypot(x[0] - place, x[1]) < 4 * nm for place in FLAWS)
    return np.where(first, 240e6, np.where(second, 300e6, 1e9))


def two(**options: Any) -> tuple[em.Model, em.voids.VoidLife]:
    """A line with two flaws; the tension at its right end reaches the second one when a void is at the first one."""
    domain = em.mesh.rectangle((320 * nm, 64 * nm), cells=(40, 8))
    tension = lambda x: np.where(x[0] < FLAWS[1] + 15 * nm, 250e6, 500e6)  # noqa: E731
    stress = em.stress.model(domain, SOFT, residual_stress=tension, degree=1)

    def make(shape: Any, sigma: Any) -> em.Model:
        return em.voids.model(domain, SOFT, shape=shape, interface_width=8 * nm, residual_stress=sigma)

    usual: dict[str, Any] = {"critical_stress": flawed, "seed_radius": 20 * nm, "until": 0.05, "rtol": 1e-3}
    return stress, em.voids.run(stress, make, **(usual | options))


@pytest.fixture(scope="module")
def pair() -> tuple[em.Model, em.voids.VoidLife]:
    return two()


def test_another_void_opens_where_and_when_tension_reaches_the_critical_one(pair: tuple[em.Model, em.voids.VoidLife]):
    _, life = pair
    first, second = life.voids
    assert (first.nucleated, first.place[0], life.nucleated) == (0.0, pytest.approx(FLAWS[0], rel=1e-6, abs=0), 0.0)
    assert 0.0 < second.nucleated < 0.05
    assert second.place == pytest.approx([FLAWS[1], 0.0], abs=1e-15)
    assert second.stress == pytest.approx(300e6, rel=1e-4)
    assert "void at 0 s (the first of 2), " in str(life)


def test_voids_have_volumes_of_their_own_and_no_atom_is_lost(pair: tuple[em.Model, em.voids.VoidLife]):
    stress, life = pair
    first, second = life.voids
    assert life.model is not None
    assert life.model.quantity("atoms") == pytest.approx(stress.quantity("atoms"), rel=1e-12)
    assert life.model.quantity("voids") == 2.0
    assert first.volume + second.volume == pytest.approx(life.void, rel=1e-12, abs=0)
    assert (second.volume[life.t <= second.nucleated] == 0).all()
    # half a disk with a diffuse edge: pi (R^2 + pi^2 l^2 / 3) / 2
    area = np.pi * (20**2 + np.pi**2 * 8**2 / 3) / 2 * nm**2
    assert second.volume[life.t > second.nucleated][0] == pytest.approx(area, rel=0.02, abs=0)


@pytest.mark.soak
def test_no_more_voids_open_than_may():
    with pytest.warns(em.ResolutionWarning, match="another void would open there, and this run has no more"):
        _, life = two(most=1)
    assert len(life.voids) == 1
    with pytest.raises(em.ParameterError, match="most = 0, must be at least 1"):
        two(most=0)


@pytest.mark.soak
def test_a_run_with_two_voids_goes_on_as_if_it_had_not_been_ended(
    tmp_path: Path, pair: tuple[em.Model, em.voids.VoidLife]
):
    _, whole = pair

    def third(models: Any, t: float) -> bool:
        if again and models[0].quantity("voids") == 2:
            again.pop()
            raise RuntimeError
        return False

    again = [1]
    options: dict[str, Any] = {"watch": [em.watch.stop_when(third, "third")]}
    with pytest.raises(RuntimeError):
        two(**options, checkpoint=em.checkpoint(tmp_path))
    _, life = two(**options, checkpoint=em.checkpoint(tmp_path, resume=True))
    assert life.t.tolist() == whole.t.tolist()
    for mine, theirs in zip(life.voids, whole.voids, strict=True):
        assert (mine.nucleated, mine.stress) == (theirs.nucleated, theirs.stress)
        assert mine.volume.tolist() == theirs.volume.tolist()


def test_voids_that_meet_merge_and_those_that_part_break_off():
    domain = em.mesh.rectangle((100 * nm, 100 * nm), cells=(20, 20))
    places = [np.array([x * nm, 50 * nm]) for x in (25, 75)]
    seeds = [em.surface.void(place, 20 * nm) for place in places]
    apart = lambda x: np.minimum(seeds[0](x), seeds[1](x))  # noqa: E731
    model = em.voids.model(domain, HOT, shape=apart, interface_width=5 * nm, residual_stress=300e6)
    tracker, c = Tracker(), model["c"]
    for seed, place in zip(seeds, places, strict=True):
        tracker.open(model, seed, (0.0, place, 1e8))
    begin = c.x.array.copy()
    tracker.start([model], 0.0)
    c.interpolate(lambda x: np.where(abs(x[1] - 50 * nm) < 11 * nm, 0.0, 1.0))
    tracker.look(1.0)
    together = model.quantity("void")
    c.x.array[:] = begin
    tracker.look(2.0)
    first, second, third = tracker.report()
    half = model.quantity("void") / 2
    assert (first.merged_into, second.merged_into, third.broke_off) == (None, 0, 0)
    assert (second.nucleated, third.nucleated) == (0.0, 2.0)
    # nodes half way between both belong to the first one, 1.6 % of it
    assert first.volume == pytest.approx([half, together, half], rel=0.02, abs=0)
    assert second.volume == pytest.approx([half, 0.0, 0.0], rel=0.02, abs=0)
    assert third.volume == pytest.approx([0.0, 0.0, half], rel=0.02, abs=0)
    whole = first.volume + second.volume + third.volume
    assert whole == pytest.approx([2 * half, together, 2 * half], rel=1e-12, abs=0)


@pytest.mark.soak
def test_no_void_opens_where_cells_are_too_large_for_it():
    domain = em.mesh.rectangle((200 * nm, 100 * nm), cells=(40, 20))
    x = domain.mesh.geometry.x
    x[:, 0] = np.where(x[:, 0] > 100 * nm, 100 * nm + 4 * (x[:, 0] - 100 * nm), x[:, 0])
    shape = em.surface.void((0.0, 0.0), 30 * nm)
    model = em.voids.model(domain, HOT, shape=shape, interface_width=5 * nm, residual_stress=300e6)
    place = np.array([400 * nm, 0.0])
    with pytest.warns(em.ResolutionWarning, match="no void opens at"):
        assert not open_another(model, em.surface.void(place, 30 * nm), place, 1e8)
    assert model.quantity("voids") == 1.0


def test_a_seed_that_extrudes_metal_by_itself_is_refused():
    with pytest.raises(
        em.ParameterError, match=r"seed_radius = 2\.2e-08 m, must be smaller: its atoms take .* extrudes at"
    ):
        life(**AT_ONCE, extrusion_stress=150e6)


def test_metal_beside_a_void_is_near_across_a_period():
    domain = em.mesh.periodic_rectangle((320 * nm, 64 * nm), cells=(40, 8), axes="x")
    shape = em.surface.void((32 * nm, 32 * nm), 20 * nm)
    made = em.voids.model(domain, SOFT, shape=shape, interface_width=8 * nm)
    x = made["c"].function_space.tabulate_dof_coordinates()[:, 0]
    apart = np.minimum(abs(x - 32 * nm), 352 * nm - x)
    assert not far(made, 60 * nm)[apart < 50 * nm].any()
    assert far(made, 60 * nm)[apart > 90 * nm].all()


@pytest.mark.parametrize(("before", "after"), [({"most": 1}, {}), ({}, {"most": 1}), ({}, {"extrusion_stress": 1e9})])
def test_a_run_with_another_limit_on_voids_is_refused(before: dict[str, Any], after: dict[str, Any]):
    stress = em.stress.model(em.mesh.rectangle((320 * nm, 64 * nm), cells=(10, 2)), SOFT, degree=1)

    def settings(extrusion_stress: float | None = None, most: int | None = None) -> Any:
        return limits_of(stress["sigma"], 1e9, extrusion_stress, 20 * nm, None, most).observer()

    kept = settings(**before).state()
    settings(**before).restore(kept)
    with pytest.raises(em.ParameterError, match=f"^{[*before, *after][0]} of another value, must be as in the run of"):
        settings(**after).restore(kept)
