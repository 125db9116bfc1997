"""Plane shapes that gmsh meshes: areas, edges, names, cell sizes, and what cannot be drawn.

Run as a script, it prints the measures of every shape for the test that compares numbers of ranks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import emfem as em

import dolfinx
import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

STRIP: dict[str, Any] = {"length": 8.0, "width": 4.0, "notch_depth": 1.0, "notch_width": 1.2, "size": 0.3}
HOLES: dict[str, Any] = {"length": 4.0, "width": 2.0, "holes": [(1.0, 1.0, 0.3), (2.5, 0.5, 0.2)], "size": 0.3}
DOGBONE: dict[str, Any] = {"length": 4.0, "width": 1.0, "head_length": 1.0, "head_width": 2.0, "size": 0.3}
BEND: dict[str, Any] = {"width": 1.0, "arms": (2.0, 3.0), "size": 0.3}
CROSS: dict[str, Any] = {"arm_length": 2.0, "arm_width": 1.0, "size": 0.3}
DISK: dict[str, Any] = {"radius": 2.0, "electrodes": 3, "size": 0.4}
RING: dict[str, Any] = {"inner": 1.0, "outer": 2.0, "size": 0.3}
CELL: dict[str, Any] = {"size_xy": (2.0, 1.0), "holes": [(0.5, 0.5, 0.2), (1.2, 0.3, 0.1)], "size": 0.2}

MAKERS: dict[str, Callable[..., em.mesh.Domain]] = {
    "notched strip": lambda **a: em.mesh.notched_strip(**STRIP | a),
    "strip with holes": lambda **a: em.mesh.strip_with_holes(**HOLES | a),
    "dogbone": lambda **a: em.mesh.dogbone(**DOGBONE | a),
    "bend": lambda **a: em.mesh.bend(**BEND | a),
    "Hall cross": lambda **a: em.mesh.hall_cross(**CROSS | a),
    "disk": lambda **a: em.mesh.disk(**DISK | a),
    "annulus": lambda **a: em.mesh.annulus(**RING | a),
    "periodic cell": lambda **a: em.mesh.periodic_cell(**CELL | a),
}
OTHERS: dict[str, Callable[[], em.mesh.Domain]] = {
    "polygon": lambda: em.mesh.polygon([(0, 0), (2, 0), (0, 1)], electrodes={"left": [(0, 1), (0, 0)]}, size=0.3),
    "cylinder": lambda: em.mesh.cylinder(1.0, 2.0, size=0.5),
    "via": lambda: em.mesh.via(
        line_length=3.0, line_width=1.0, line_thickness=0.5, via_radius=0.3, via_height=0.5, size=0.4
    ),
    "sphere": lambda: em.mesh.sphere(1.0, size=0.4, order=2),
    "tube": lambda: em.mesh.tube(1.0, 2.0, size=0.4),
    "polycrystal": lambda: em.mesh.polycrystal((2.0, 1.0), 6, size=0.15),
    "grains": lambda: em.mesh.grains(em.mesh.periodic_cell((1.0, 1.0), size=0.1), 4),
}
# Chords of h = 1/4 of the radius miss h^2 / 6 of a disk and h^2 / 24 of its rim; parabolas about the square of that.
CURVED = {1: 1.1e-2, 2: 2e-5}
EXACT = 1e-12  # sums of a few hundred cells, rounded


def measures(domain: em.mesh.Domain) -> dict[str, float]:
    """The area, under "", and the length of each boundary."""
    one = fem.Constant(domain.mesh, 1.0)
    found = {"": domain.dx()} | {name: domain.ds(name) for name in domain.names}
    return {name: em.fields.integral(fem.form(one * m), domain.mesh.comm) for name, m in found.items()}


@cache
def measured(shape: str, order: int) -> dict[str, float]:
    return measures(MAKERS[shape](order=order))


# ---- straight shapes: exact


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        (lambda: em.mesh.bend(**BEND), {"": 6.0, "start": 1.0, "end": 1.0, "sides": 12.0}),
        (
            lambda: em.mesh.hall_cross(**CROSS),
            {"": 9.0, "left": 1.0, "right": 1.0, "bottom": 1.0, "top": 1.0, "sides": 16.0},
        ),
        (lambda: em.mesh.dogbone(**DOGBONE), {"": 8.0, "anode": 2.0, "cathode": 2.0, "sides": 14.0}),
        (
            lambda: em.mesh.strip_with_holes(**HOLES | {"holes": ()}),
            {"": 8.0, "anode": 2.0, "cathode": 2.0, "sides": 8.0},
        ),
        (lambda: em.mesh.periodic_cell((2.0, 1.0), size=0.2), {"": 2.0}),
        (lambda: em.mesh.periodic_cell((2.0, 1.0), size=0.2, axes="x"), {"": 2.0, "bottom": 2.0, "top": 2.0}),
        (lambda: em.mesh.periodic_cell((2.0, 1.0), size=0.2, axes="y"), {"": 2.0, "left": 1.0, "right": 1.0}),
    ],
    ids=["bend", "Hall cross", "dogbone", "strip", "torus", "x", "y"],
)
def test_a_straight_shape_has_exactly_its_area_edges_and_names(
    domain: Callable[[], em.mesh.Domain], expected: dict[str, float]
):
    found = measures(domain())
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, rel=EXACT)


# ---- curved shapes: by the order of their cells

TWO_HOLES = math.pi * (0.3**2 + 0.2**2)
ELLIPSE = math.pi * 1.0 * 0.6 / 2
SHAPES: list[tuple[str, dict[str, float]]] = [
    ("notched strip", {"": 32.0 - ELLIPSE, "anode": 4.0, "cathode": 4.0}),
    (
        "strip with holes",
        {"": 8.0 - TWO_HOLES, "anode": 2.0, "cathode": 2.0, "holes": math.pi, "sides": 8.0},
    ),
    (
        "disk",
        {"": 4 * math.pi, **{f"electrode {i}": 2 * math.pi / 3 for i in (1, 2, 3)}, "rim": 2 * math.pi},
    ),
    ("annulus", {"": 3 * math.pi, "inner": 2 * math.pi, "outer": 4 * math.pi}),
    ("periodic cell", {"": 2.0 - 0.05 * math.pi, "holes": 0.6 * math.pi}),
]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("shape", "expected"), SHAPES, ids=[shape for shape, _ in SHAPES])
def test_a_curved_shape_has_its_area_and_edges(shape: str, expected: dict[str, float], order: int):
    found = measured(shape, order)
    assert set(expected) <= set(found)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=CURVED[order]), name


@pytest.mark.parametrize("shape", [shape for shape, _ in SHAPES])
def test_curved_cells_fit_arcs_better_than_straight_ones(shape: str):
    expected = dict(SHAPES)[shape][""]
    straight, curved = (abs(measured(shape, order)[""] - expected) for order in (1, 2))
    assert curved < straight / 50


def test_straight_ends_stay_exact_beside_arcs():
    found = measured("strip with holes", 2)
    assert [found[name] for name in ("anode", "cathode", "sides")] == pytest.approx([2.0, 2.0, 8.0], rel=EXACT)


@pytest.mark.parametrize("fillet", [0.25, 0.5], ids=["small", "the whole head"])
def test_a_fillet_adds_what_lies_between_a_square_and_its_arc(fillet: float):
    """A fillet of the whole head: two arcs meet the ends of the head, and no edge of length 0 is left."""
    domain = em.mesh.dogbone(**DOGBONE | {"fillet": fillet, "length": 1.0, "order": 2})
    found = measures(domain)
    assert found[""] == pytest.approx(5.0 + 4 * fillet**2 * (1 - math.pi / 4), rel=CURVED[2])
    assert found["sides"] == pytest.approx(8.0 + 4 * fillet * (math.pi / 2 - 2), rel=CURVED[2])
    assert domain.quality().worst > 0.4


@pytest.mark.parametrize("notch_width", [1.2, 2.0, 3.0], ids=["deep", "round", "wide"])
def test_a_notch_may_be_deeper_than_wide_round_or_wider_than_deep(notch_width: float):
    domain = em.mesh.notched_strip(**STRIP | {"notch_width": notch_width, "order": 2})
    assert domain.names == ("anode", "cathode", "sides")
    assert measures(domain)[""] == pytest.approx(32.0 - math.pi * notch_width / 4, rel=1e-5)
    assert "notched strip 8 x 4" in str(domain)


@pytest.mark.parametrize("angle", [0.5, 2.0, 5.0])
def test_a_sector_has_its_arcs_and_ends(angle: float):
    found = measures(em.mesh.annulus(1.0, 2.0, angle=angle, size=0.3, order=2))
    expected = {"": 1.5 * angle, "inner": angle, "outer": 2 * angle, "start": 1.0, "end": 1.0}
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, rel=CURVED[2])


def test_electrodes_of_a_disk_lie_where_they_are_put():
    """Two that touch across angle 0, one alone; in the order they were given."""
    spans = {"last": (3.0, 0.5), "first": (0.25, 0.5), "second": (-0.2, 0.4)}
    domain = em.mesh.disk(1.0, electrodes=spans, size=0.2, order=2)
    found = measures(domain)
    assert domain.names == ("last", "first", "second", "rim")
    assert found["rim"] == pytest.approx(2 * math.pi - 1.4, rel=CURVED[2])
    x = fem.functionspace(domain.mesh, ("Lagrange", 1)).tabulate_dof_coordinates()
    ends = em.fields.integral(fem.form(ufl.SpatialCoordinate(domain.mesh)[1] * domain.ds("first")), MPI.COMM_WORLD)
    assert ends == pytest.approx(1 - math.cos(0.5), rel=CURVED[2])  # int sin from 0 to 0.5
    for angle in (0.0, 0.5, -0.4, 2.75, 3.25):
        assert np.hypot(x[:, 0] - math.cos(angle), x[:, 1] - math.sin(angle)).min() < 1e-9


@pytest.mark.parametrize(
    ("electrodes", "names"),
    [(0, ("rim",)), ({}, ("rim",)), ({"all": (1.0, 2 * math.pi)}, ("all",)), (1, ("electrode 1", "rim"))],
    ids=["none", "none by name", "all round", "one"],
)
def test_a_disk_may_have_no_electrode_or_nothing_else(electrodes: Any, names: tuple[str, ...]):
    domain = em.mesh.disk(1.0, electrodes=electrodes, size=0.4)
    assert domain.names == names
    width = math.pi if electrodes == 1 else 2 * math.pi
    assert measures(domain)[names[0]] == pytest.approx(width, rel=CURVED[1])


def test_electrodes_that_touch_leave_no_rim():
    domain = em.mesh.disk(1.0, electrodes=4, width=math.pi / 2, size=0.4)
    assert domain.names == tuple(f"electrode {i}" for i in (1, 2, 3, 4))


# ---- units and cell sizes


@pytest.mark.parametrize("unit", [1e-9, 1e3])
@pytest.mark.parametrize("shape", ["disk", "dogbone"])
def test_a_shape_may_be_as_small_or_large_as_it_likes(shape: str, unit: float):
    given = {"disk": DISK, "dogbone": DOGBONE | {"fillet": 0.2}}[shape]
    scaled = {k: v if k == "electrodes" else v * unit for k, v in given.items()}
    makers: dict[str, Callable[..., em.mesh.Domain]] = {"disk": em.mesh.disk, "dogbone": em.mesh.dogbone}
    make = makers[shape]
    large = measures(make(**given, order=2))
    for name, value in measures(make(**scaled, order=2)).items():
        # meshes of a drawing scaled by another number than a power of two differ a little
        assert value / unit ** (1 if name else 2) == pytest.approx(large[name], rel=1e-6)


def size_at(domain: em.mesh.Domain, place: tuple[float, float]) -> float:
    """Diameter of the cell whose midpoint is nearest to a place."""
    count = domain.mesh.topology.index_map(2).size_local
    cells = np.arange(count, dtype=np.int32)
    midpoints = dolfinx.mesh.compute_midpoints(domain.mesh, 2, cells)
    nearest = np.hypot(*(midpoints[:, :2] - place).T).argmin()
    return float(domain.mesh.h(2, cells)[nearest])


CROWDED = {
    "notched strip": (4.0, 3.0),
    "strip with holes": (1.0, 1.3),
    "dogbone": (1.0, 0.5),
    "bend": (2.0, 1.0),
    "Hall cross": (0.5, 0.5),
    "disk": (2.0 * math.cos(math.pi / 6), 1.0),
}


@pytest.mark.parametrize("shape", CROWDED)
def test_cells_are_three_times_finer_where_current_crowds(shape: str):
    domain = MAKERS[shape]()
    size = {"disk": 0.4}.get(shape, 0.3)
    assert size_at(domain, CROWDED[shape]) < 1.6 * size / 3  # a triangle's longest edge, beside graded ones
    assert 0.75 * size < domain.quality().largest < 1.5 * size
    assert domain.quality().worst > 0.5


@pytest.mark.parametrize("shape", CROWDED)
def test_the_size_there_is_an_argument(shape: str):
    domain = MAKERS[shape](refine=0.03)
    assert size_at(domain, CROWDED[shape]) < 1.6 * 0.03


def test_other_places_can_be_refined_instead():
    domain = em.mesh.bend(**BEND | {"refine": {(0.5, 0.5): 0.05}})
    assert size_at(domain, (0.5, 0.5)) < 1.6 * 0.05
    assert size_at(domain, (2.0, 1.0)) > 0.2


def test_an_end_of_an_electrode_in_a_square_corner_is_not_refined():
    """The field is smooth there: only between an electrode and an edge that goes on straight is it singular."""
    assert size_at(em.mesh.bend(**BEND), (0.0, 0.0)) > 0.2


def test_a_small_hole_is_round_though_cells_are_large():
    domain = em.mesh.strip_with_holes(length=4.0, width=2.0, holes=[(2.0, 1.0, 0.05)], size=0.5)
    assert measures(domain)["holes"] == pytest.approx(0.1 * math.pi, rel=CURVED[1])


# ---- physics


def test_the_current_crowds_at_the_tip_of_the_notch():
    """An elliptic notch in a wide plate crowds by 1 + depth / half width = 2.667 over the far field.

    The strip is four notches wide and its mean holds the crowded part: 2.69 measured.
    """
    domain = em.mesh.notched_strip(**STRIP)
    model = em.conduction.model(domain, on={"anode": em.fixed(1.0), "cathode": em.fixed(0.0)})
    em.solve_steady(model)
    found = em.conduction.crowding(model)
    assert found.place == pytest.approx([4.0, 3.0], abs=0.15)
    assert found.ratio == pytest.approx(1 + 1.0 / 0.6, rel=0.05)
    currents = [em.conduction.current(model, name) for name in ("anode", "cathode")]
    assert currents[0] + currents[1] == pytest.approx(0.0, abs=1e-10 * abs(currents[0]))
    assert em.conduction.resistance(model) > 8.0 / 4.0


def test_a_sector_resists_by_the_logarithm_of_its_radii():
    """R = ln(b / a) / angle; curved quadratic cells of 0.2 miss it by 1e-6."""
    domain = em.mesh.annulus(1.0, 2.0, angle=2.0, size=0.2, order=2)
    model = em.conduction.model(domain, on={"inner": em.fixed(1.0), "outer": em.fixed(0.0)})
    em.solve_steady(model)
    assert em.conduction.resistance(model) == pytest.approx(math.log(2.0) / 2.0, rel=1e-5)


def test_a_film_between_electrodes_keeps_its_solute_and_moves_it_along_the_field():
    domain = em.mesh.notched_strip(**STRIP)
    current = em.conduction.model(domain, on={"anode": em.fixed(1.0), "cathode": em.fixed(0.0)})
    film = em.film.model(domain, em.film.cupd(), mean=0.3, field=2.0 * current["E"], degree=1)
    before = film.quantity("solute")
    em.evolve([current, film], 2.0, rtol=1e-3, progress=False, watch=[em.watch.conserved("solute")])
    assert film.quantity("solute") == pytest.approx(before, rel=1e-10)
    ends = em.fields.evaluate(film["c"], [[0.05, 2.0], [7.95, 2.0]])
    assert ends[0] < 0.27
    assert ends[1] > 0.33


# ---- ranks


def everything() -> dict[str, dict[str, float]]:
    """The measures of every shape, and the number of its cells and the mean of their quality."""
    found = {}
    for name, make in (MAKERS | OTHERS).items():
        domain = make()
        quality = domain.quality()
        found[name] = measures(domain) | {"cells": quality.cells, "quality": quality.mean, "regions": regions(domain)}
    return found


def regions(domain: em.mesh.Domain) -> float:
    """The integral of each region's number: it changes if any cell changes its region."""
    if not domain.regions:
        return 0.0
    marked = domain.piecewise("number", {name: float(i + 1) for i, name in enumerate(domain.regions)})
    return em.fields.integral(fem.form(marked * marked * domain.dx()), domain.mesh.comm)


@pytest.fixture(scope="module")
def on_two_ranks(run_json_on_ranks: Callable[..., Any]) -> dict[str, dict[str, float]]:
    return run_json_on_ranks(2, __file__)


@pytest.fixture(scope="module")
def on_one_rank() -> dict[str, dict[str, float]]:
    return everything()


@pytest.mark.parallel
@pytest.mark.parametrize("shape", [*MAKERS, *OTHERS])
def test_a_shape_is_the_same_on_two_ranks(shape: str, on_one_rank: Any, on_two_ranks: Any):
    assert on_two_ranks[shape] == pytest.approx(on_one_rank[shape], rel=EXACT)


# ---- bad input


@pytest.mark.parametrize(
    ("shape", "change", "message"),
    [
        ("notched strip", {"length": 0.0}, "length = 0, must be greater than 0"),
        ("notched strip", {"width": -1.0}, "width = -1, must be greater than 0"),
        ("notched strip", {"notch_depth": 4.0}, "notch_depth = 4, must be less than 4"),
        ("notched strip", {"notch_width": 9.0}, "notch_width = 9, must be less than 8"),
        ("notched strip", {"notch_depth": math.nan}, "notch_depth = nan, must be finite"),
        ("notched strip", {"size": 0.0}, "size = 0, must be greater than 0"),
        ("notched strip", {"size": 5.0}, "size = 5, must be at most 4"),
        ("notched strip", {"refine": 0.0}, "refine = 0, must be greater than 0"),
        ("notched strip", {"refine": 0.4}, "refine = 0.4, must be at most 0.3"),
        ("notched strip", {"refine": {(1.0,): 0.1}}, "key of refine = (1.0,), must be two numbers"),
        ("notched strip", {"refine": {(1.0, math.inf): 0.1}}, "must be a point (x, y)"),
        ("notched strip", {"refine": {(1.0, 1.0): 0.5}}, "refine = 0.5, must be at most 0.3"),
        ("notched strip", {"refine": "fine"}, "refine = 'fine', must be a number"),
        ("notched strip", {"order": 0}, "order = 0, must be at least 1"),
        ("notched strip", {"order": 3}, "order = 3, must be at most 2"),
        ("notched strip", {"order": 1.5}, "order = 1.5, must be a whole number"),
        ("strip with holes", {"length": 0.0}, "length = 0, must be greater than 0"),
        ("strip with holes", {"width": 0.0}, "width = 0, must be greater than 0"),
        ("strip with holes", {"holes": "one"}, "holes = 'one', must be numbers"),
        ("strip with holes", {"holes": [(1.0, 1.0)]}, "holes of shape (1, 2), must be (x, y, radius) of each"),
        ("strip with holes", {"holes": [(1.0, 1.0, 0.0)]}, "radius of holes[0] = 0, must be greater than 0"),
        ("strip with holes", {"holes": [(1.0, 1.0, 1.0)]}, "must lie inside the rectangle 4 x 2"),
        ("strip with holes", {"holes": [(0.2, 1.0, 0.3)]}, "holes[0] = (0.2, 1.0, 0.3), must lie inside"),
        ("strip with holes", {"holes": [(math.nan, 1.0, 0.3)]}, "must lie inside the rectangle"),
        ("strip with holes", {"holes": [(1.0, 1.0, 0.5), (2.0, 1.0, 0.5)]}, "touch, must lie apart"),
        ("strip with holes", {"size": 2.5}, "size = 2.5, must be at most 2"),
        ("dogbone", {"length": 0.0}, "length = 0, must be greater than 0"),
        ("dogbone", {"width": 0.0}, "width = 0, must be greater than 0"),
        ("dogbone", {"head_length": 0.0}, "head_length = 0, must be greater than 0"),
        ("dogbone", {"head_width": 1.0}, "head_width = 1, must be greater than 1"),
        ("dogbone", {"fillet": -0.1}, "fillet = -0.1, must be at least 0"),
        ("dogbone", {"fillet": 0.6}, "fillet = 0.6, must be at most 0.5"),
        ("dogbone", {"fillet": 0.4, "length": 0.5}, "fillet = 0.4, must be at most 0.25"),
        ("dogbone", {"size": 1.1}, "size = 1.1, must be at most 1"),
        ("bend", {"width": 0.0}, "width = 0, must be greater than 0"),
        ("bend", {"arms": (1.0,)}, "arms of shape (1,), must be two lengths"),
        ("bend", {"arms": (1.0, 0.0)}, "arms[1] = 0, must be greater than 0"),
        ("bend", {"size": 1.1}, "size = 1.1, must be at most 1"),
        ("Hall cross", {"arm_length": 0.0}, "arm_length = 0, must be greater than 0"),
        ("Hall cross", {"arm_width": 0.0}, "arm_width = 0, must be greater than 0"),
        ("Hall cross", {"size": 1.1}, "size = 1.1, must be at most 1"),
        ("disk", {"radius": 0.0}, "radius = 0, must be greater than 0"),
        ("disk", {"size": 2.1}, "size = 2.1, must be at most 2"),
        ("disk", {"electrodes": -1}, "electrodes = -1, must be at least 0"),
        ("disk", {"electrodes": 1.5}, "electrodes = 1.5, must be a whole number"),
        ("disk", {"electrodes": 10**10}, "electrodes = 1e+10, must be at most 10000"),
        ("disk", {"radius": 1e-320, "size": 1e-321}, "extent of the shape"),
        ("disk", {"electrodes": "two"}, "electrodes = 'two', must be a whole number or a mapping"),
        ("disk", {"electrodes": {"a": 1.0}}, "electrodes['a'] = 1.0, must be two numbers"),
        ("disk", {"electrodes": {"a": (0.0, 0.0)}}, "width of electrode 'a' = 0 rad, must be greater than 0 rad"),
        ("disk", {"electrodes": {"a": (0.0, 7.0)}}, "width of electrode 'a' = 7 rad, must be at most 6.28319 rad"),
        ("disk", {"electrodes": {"a": (math.nan, 1.0)}}, "centre of electrode 'a' = nan, must be finite"),
        ("disk", {"electrodes": {"rim": (0.0, 1.0)}}, "'rim' is the rest"),
        ("disk", {"electrodes": {1: (0.0, 1.0)}}, "key of electrodes = 1, must be a text"),
        ("disk", {"electrodes": {"a": (0.0, 1.0), "b": (0.9, 1.0)}}, "electrodes 'a' and 'b' overlap by 0.1 rad"),
        ("disk", {"electrodes": {"a": (0.0, 1.0), "b": (-0.9, 1.0)}}, "electrodes 'b' and 'a' overlap by 0.1 rad"),
        ("disk", {"electrodes": {"a": (0.0, 1.0)}, "width": 1.0}, "width = 1.0 with electrodes by name"),
        ("disk", {"width": 3.0}, "overlap by 0.9056 rad"),
        ("disk", {"width": 0.0}, "width = 0 rad, must be greater than 0 rad"),
        ("annulus", {"inner": 0.0}, "inner = 0, must be greater than 0"),
        ("annulus", {"outer": 1.0}, "outer = 1, must be greater than 1"),
        ("annulus", {"angle": 0.0}, "angle = 0 rad, must be greater than 0 rad"),
        ("annulus", {"angle": 6.3}, "angle = 6.3 rad, must be less than 6.28319 rad"),
        ("annulus", {"size": 1.1}, "size = 1.1, must be at most 1"),
        ("periodic cell", {"size_xy": 2.0}, "size_xy = 2.0, must be a list of numbers"),
        ("periodic cell", {"size_xy": (2.0, 0.0)}, "length along y = 0, must be greater than 0"),
        ("periodic cell", {"axes": "z"}, "'z'; axes has xy, x, y"),
        ("periodic cell", {"size": 0.4}, "size = 0.4, must be at most 0.333333"),
        ("periodic cell", {"holes": [(0.1, 0.5, 0.1)]}, "must lie inside the rectangle 2 x 1"),
        ("periodic cell", {"order": 3}, "order = 3, must be at most 2"),
        ("periodic cell", {"refine": 0.3}, "refine = 0.3, must be at most 0.2"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(shape: str, change: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError) as caught:
        MAKERS[shape](**change)
    assert message in str(caught.value)


if __name__ == "__main__":
    numbers = everything()
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(numbers))
