"""Meshes that follow a surface: which cells are fine, what stays the same from mesh to mesh, what is refused.

Run as a script, it prints the numbers of `parallel_case` for the test that compares numbers of ranks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import emfem as em
from emfem import moving
from emfem.units import nm

import numpy as np
import pytest
from dolfinx import fem
from mpi4py import MPI

L, H, R, WIDTH = 48 * nm, 24 * nm, 6 * nm, 1.5 * nm
GOLD = em.materials.gold(temperature=900.0)
VOID = em.surface.void((18 * nm, 12 * nm), R)
TIME = R**4 / em.analytic.mullins_coefficient(GOLD)
UNTIL, DENSITY = 0.1 * TIME, 2e13  # the void drifts by about three quarters of its radius


def line(cells: int = 8) -> em.mesh.Domain:
    """A line between two electrodes, its cells 6 nm wide."""
    return em.mesh.rectangle((L, H), cells=(cells, cells // 2), cell="triangle")


def surface(domain: em.mesh.Domain, shape: Any, **options: Any) -> em.Model:
    """The void in it."""
    given: dict[str, Any] = {"interface_width": WIDTH, "current_density": DENSITY, "on": ("left", "right")}
    return em.surface.model(domain, GOLD, shape=shape, **(given | options))


def follow(*watch: em.observe.Observer, until: float = UNTIL, **options: Any) -> moving.Followed:
    """The void followed."""
    given: dict[str, Any] = {"shape": VOID, "interface_width": WIDTH, "size": WIDTH, "slack": WIDTH, "rtol": 1e-3}
    given |= {"make": surface, "domain": line()} | options
    make, domain = given.pop("make"), given.pop("domain")
    return moving.evolve(make, domain, until, **given, watch=watch, progress=False)


# Meshes


def length(domain: em.mesh.Domain, name: str) -> float:
    """Of a boundary."""
    return em.fields.integral(fem.form(fem.Constant(domain.mesh, 1.0) * domain.ds(name)), domain.mesh.comm)


def curved() -> em.mesh.Domain:
    """A mesh of cells with bent edges."""
    size = {"length": L, "width": H, "notch_depth": R, "notch_width": R, "size": R}
    return em.mesh.notched_strip(**size, order=2)


def far(x: np.ndarray) -> np.ndarray:
    """The distance to the void's surface."""
    return np.abs(VOID(x))


def test_cells_near_the_surface_are_fine_and_the_others_as_they_were():
    domain = em.mesh.refined(line(), far, within=4 * nm, size=1.5 * nm)
    cells = np.arange(domain.mesh.topology.index_map(2).size_local, dtype=np.int32)
    width = domain.mesh.h(2, cells) / np.sqrt(2)
    middle = domain.mesh.geometry.x[domain.mesh.geometry.dofmaps[0]].mean(axis=1)
    depth = far(middle.T)
    assert width[depth < 4 * nm] == pytest.approx(1.5 * nm, rel=1e-9, abs=0)
    assert width[depth > 20 * nm] == pytest.approx(6 * nm, rel=1e-9, abs=0)
    assert len(cells) < 0.7 * 16 * line().quality().cells


def test_refined_cells_keep_their_shape_and_boundaries_their_names_and_sizes():
    base, solid = line(), em.mesh.box((L, H, H), cells=(8, 4, 4), cell="tetrahedron")
    for domain in (base, solid):
        finer = em.mesh.refined(domain, lambda x: x[0] - 1 * nm, within=1 * nm, size=3 * nm)
        assert finer.quality().cells > 1.2 * domain.quality().cells
        assert finer.quality().worst >= 0.9 * domain.quality().worst
        assert finer.names == domain.names
        for name in domain.names:
            assert length(finer, name) == pytest.approx(length(domain, name), rel=1e-12, abs=0)


def test_regions_keep_their_names_and_sizes():
    domain = em.mesh.grains(line(), 3, seed=1)
    finer = em.mesh.refined(domain, far, within=4 * nm, size=3 * nm)
    one = {d: fem.Constant(d.mesh, 1.0) for d in (domain, finer)}
    for name in domain.regions:
        sizes = [em.fields.integral(fem.form(one[d] * d.dx(region=name)), d.mesh.comm) for d in (domain, finer)]
        assert sizes[1] == pytest.approx(sizes[0], rel=1e-12, abs=0)


def test_two_refinements_of_one_domain_have_the_same_nodes_where_both_are_fine():
    """So a field goes from the one to the other there without an error."""
    first = em.mesh.refined(line(), far, within=5 * nm, size=1.5 * nm).mesh.geometry.x
    second = em.mesh.refined(line(), lambda x: far(x - 1 * nm), within=5 * nm, size=1.5 * nm).mesh.geometry.x
    first, second = (set(map(tuple, np.round(x[far(x.T) < 2 * nm] / (0.01 * nm)))) for x in (first, second))
    assert first == second


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"domain": 3}, "domain = 3, must be one of em.mesh"),
        ({"domain": lambda: em.mesh.rectangle((L, H), cells=(4, 2))}, "domain of quadrilateral cells, must be of"),
        (
            {"domain": curved},
            "domain of curved triangle cells, must be of straight",
        ),
        (
            {"domain": lambda: em.mesh.periodic_rectangle((L, H), cells=(4, 4), cell="triangle")},
            "periodic, must not be to be refined",
        ),
        ({"domain": lambda: em.mesh.axisymmetric(line())}, "must be a plain one to be refined"),
        ({"within": 0.0}, "within = 0, must be greater than 0"),
        ({"size": -1.0}, "size = -1, must be greater than 0"),
        ({"size": 1e-18}, "size = 1e-18, must be at least 5.72205e-15 on cells of 6e-09"),
        ({"distance": 3.0}, "distance = 3.0, must be a function"),
        (
            {"distance": lambda x: 1.0},
            "distance(x) = 1.0, must be one finite number for each column of x, of shape (3, 64)",
        ),
        (
            {"distance": lambda x: np.nan * x[0]},
            "distance(x) of shape (64,), must be one finite number for each column",
        ),
    ],
)
def test_what_cannot_be_refined_is_refused(options: dict[str, Any], told: str):
    given: dict[str, Any] = {"domain": line, "distance": far, "within": 4 * nm, "size": 3 * nm} | options
    domain = given["domain"]() if callable(given["domain"]) else given["domain"]
    with pytest.raises(em.ParameterError, match=re.escape(told)):
        em.mesh.refined(domain, given["distance"], within=given["within"], size=given["size"])


# Runs


@pytest.fixture(scope="module")
def seen() -> em.watch.Series:
    """Series of the void that is followed."""
    return em.watch.series(["x_centre", "metal", "moved", "resistance", "free_energy"])


@pytest.fixture(scope="module")
def followed(seen: em.watch.Series) -> moving.Followed:
    """The void followed."""
    return follow(seen)


@pytest.mark.slow
def test_a_void_goes_as_far_on_moving_meshes_as_on_a_uniform_one(followed: moving.Followed, seen: em.watch.Series):
    """Coarse cells beside the surface bend its field a little: 1e-3 of the way; their time steps differ too."""
    model = surface(line(32), VOID)
    one = em.watch.series(["x_centre", "moved", "resistance"])
    em.evolve(model, UNTIL, rtol=1e-3, watch=[one], progress=False)
    assert len(followed.nodes) >= 3
    gone = one["x_centre"][-1] - one["x_centre"][0]
    assert gone > 0.4 * R
    assert seen["x_centre"][-1] - seen["x_centre"][0] == pytest.approx(gone, rel=4e-3, abs=0)
    assert seen["moved"][-1] == pytest.approx(one["moved"][-1], rel=2e-3)
    assert seen["resistance"][-1] == pytest.approx(one["resistance"][-1], rel=3e-4, abs=0)


def test_metal_is_the_same_on_all_meshes(followed: moving.Followed, seen: em.watch.Series):
    """Transfer alone would lose about 1e-5; what is left is rounding."""
    assert len(followed.nodes) >= 3
    assert seen["metal"] == pytest.approx(seen["metal"][0], rel=1e-12, abs=0)


def test_a_run_on_many_meshes_is_one_run(followed: moving.Followed, seen: em.watch.Series):
    """Times increase without a repeat, and nothing jumps when the mesh changes."""
    assert len(seen.t) == followed.run.steps + 1
    assert (np.diff(seen.t) > 0).all()
    assert seen.t[-1] == followed.model.t == followed.run.t == UNTIL
    assert followed.run.stopped == "reached until"
    assert abs(seen["moved"][0]) < 1e-9 * abs(seen["moved"][-1])
    assert (np.diff(seen["x_centre"]) > 0).all()
    assert (np.diff(seen["moved"]) < 0).all()
    assert followed.model.domain.names == ("left", "right", "bottom", "top")
    assert f"{len(followed.nodes)} meshes of" in str(followed)


def test_observers_go_on_from_mesh_to_mesh():
    """Periods count from the start, probes find their points again, and events are found at their time."""
    every, chosen = em.watch.series(["metal"], every=0.02 * TIME), em.watch.snapshots("c", times=[0.0, 0.03 * TIME])
    probe, metal = em.watch.probe("c", (26 * nm, 12 * nm)), em.watch.conserved("metal")
    event = em.watch.event("x_centre", above=20 * nm)
    found = follow(every, chosen, probe, metal, event)
    assert len(found.nodes) >= 2
    assert found.run.stopped == "x_centre rose to 2e-08"
    assert found.model.quantity("x_centre") == pytest.approx(20 * nm, rel=1e-6, abs=0)
    assert every.t[:3] == pytest.approx([0.0, 0.02 * TIME, 0.04 * TIME], rel=1e-9, abs=0)
    assert chosen.t == pytest.approx([0.0, 0.03 * TIME], rel=1e-9, abs=0)
    assert probe.values[0] > 0.7
    assert probe.values[-1] < probe.values[0] - 0.1
    assert len(probe.t) == found.run.steps + 1


@pytest.mark.filterwarnings("ignore:the resistivity of gold:emfem.ResolutionWarning")
def test_a_surface_at_rest_keeps_its_mesh_even_where_it_runs_through_nodes():
    shape = em.surface.strip(12 * nm, centre=12 * nm)
    assert len(follow(shape=shape, until=1e-5 * TIME).nodes) == 1


def test_a_run_ends_where_the_metal_has_broken():
    """No path is left on the second mesh: the model and the time of the first remain."""

    def cut(domain: em.mesh.Domain, shape: Any) -> em.Model:
        broken = em.surface.Shape("two halves", lambda x, _: np.abs(x[0] - L / 2) - 4 * WIDTH)
        return surface(domain, shape) if shape is VOID else surface(line(32), broken)

    ended = follow(make=cut)
    assert ended.run.stopped == moving.BROKEN
    assert 0 < ended.model.t < UNTIL
    assert len(ended.nodes) == 1


def test_a_run_on_many_meshes_warns_once():
    """Of its neck, half of which is 3 l at first, and of the resistivity of the bulk, on whatever mesh."""

    def wire(domain: em.mesh.Domain, shape: Any) -> em.Model:
        return surface(domain, shape, current_density=None, current=3e5)

    bridge = em.surface.bridge(24 * nm, 3 * WIDTH, middle=L / 2, fillet=4 * nm)
    with pytest.warns(em.ResolutionWarning) as said:
        found = follow(make=wire, shape=bridge, until=0.03 * TIME)
    assert len(found.nodes) >= 2
    words = sorted(str(each.message) for each in said if each.category is em.ResolutionWarning)
    assert [each[:30] for each in words] == ["the resistivity of gold is tha", "the surface model: neck = 4.5e"]


def test_the_last_step_of_a_run_is_no_reason_for_another_mesh():
    model = surface(line(32), VOID)
    monitor = moving.InterfaceMonitor(WIDTH)
    monitor.begun = np.zeros((1, 2))
    monitor.start([model], 0.0)
    assert monitor.look(1.0) == moving.AWAY
    assert monitor.look(1.0, last=True) is None


def test_a_body_of_revolution_is_turned_by_the_user():
    def turned(domain: em.mesh.Domain, shape: em.surface.Shape) -> em.Model:
        return surface(em.mesh.axisymmetric(domain), shape)

    metal = em.watch.conserved("metal", rtol=1e-12)
    ball = em.surface.void((18 * nm, 0.0), R)
    found = follow(metal, make=turned, shape=ball, until=0.06 * TIME)
    assert len(found.nodes) >= 2
    assert found.model.quantity("x_centre") > 19 * nm


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"make": 3}, "make = 3, must be a function"),
        ({"shape": 3}, "shape = 3, must be a function of x"),
        ({"domain": None}, "domain = None, must be one of em.mesh"),
        ({"until": 0.0}, "until = 0, must be greater than 0"),
        ({"interface_width": 0.0}, "interface_width = 0 m, must be greater than 0 m"),
        ({"size": 2 * WIDTH}, "size = 3e-09 m, must be at most 1.5e-09 m"),
        ({"slack": 0.5 * WIDTH}, "slack = 7.5e-10 m, must be at least 1.5e-09 m"),
        ({"interface_width": 2 * WIDTH}, "interface_width = 3e-09 m, must be that of the model that `make` makes"),
        ({"petsc_options": {"pc_type": "nonsense"}}, "petsc_options = {'pc_type': 'nonsense'}, must be options that"),
        ({"make": lambda *_: 3}, "make(domain, shape) = 3, must be one of em.surface.model"),
        ({"make": lambda *_: surface(line(32), VOID)}, "must be one of em.surface.model on the domain it is given"),
        (
            {"make": lambda d, _: em.conduction.model(d, on={"left": em.fixed(0.0)})},
            "make(domain, shape) = the conduction model, must be one of em.surface.model on the domain",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(options: dict[str, Any], told: str):
    with pytest.raises(em.ParameterError, match=re.escape(told)):
        follow(**({"slack": 2 * WIDTH} | options))


def test_a_file_that_holds_one_mesh_is_refused(tmp_path: Path):
    with pytest.raises(em.ParameterError, match="watch has a file of fields, must not on moving meshes"):
        follow(em.write.vtx(tmp_path / "c.bp", ["c"]))
    with pytest.raises(em.ParameterError, match="must be a list of observers"):
        moving.evolve(surface, line(), UNTIL, shape=VOID, interface_width=WIDTH, watch=cast(Any, 3))


def parallel_case() -> dict[str, Any]:
    """Numbers of the void after its mesh has changed."""
    found = follow(until=0.06 * TIME)
    names = ("metal", "free_energy", "moved", "x_centre", "x_drift", "resistance")
    return {name: found.model.quantity(name) for name in names} | {"nodes": found.nodes.tolist()}


@pytest.mark.slow
def test_pulses_of_current_are_seen_on_meshes_that_move():
    """Four pulses of 25 % drive the surface as their mean does, to 2 %, over more than one mesh."""
    pulses = em.waveforms.pulses(period=UNTIL / 4, duty=0.25, level=4 * DENSITY)
    moved = [
        follow(make=lambda domain, shape, drive=drive: surface(domain, shape, current_density=drive))
        for drive in (pulses, pulses.averaged())
    ]
    assert all(len(run.nodes) > 1 for run in moved)
    assert moved[0].model.quantity("moved") == pytest.approx(moved[1].model.quantity("moved"), rel=0.02, abs=0)


@pytest.mark.soak
@pytest.mark.parallel
def test_numbers_are_the_same_on_two_ranks(run_json_on_ranks: Callable[..., Any]):
    """Steps amplify the order of summation a little."""
    expected, found = parallel_case(), run_json_on_ranks(2, __file__)  # forms are compiled in serial
    assert found["nodes"] == expected["nodes"]
    assert len(expected["nodes"]) >= 2
    for name in expected.keys() - {"nodes"}:
        assert found[name] == pytest.approx(expected[name], rel=1e-6, abs=0), name


if __name__ == "__main__":
    numbers = parallel_case()
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(numbers))
