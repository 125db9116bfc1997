"""Polygons: areas, holes and pieces, names given by paths, functions and shapely geometries, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import emfem as em
from emfem.mesh.outline import area

import dolfinx
import numpy as np
import pytest
import shapely
from dolfinx import fem
from mpi4py import MPI

ELL = [(0.0, 0.0), (4.0, 0.0), (4.0, 1.0), (1.0, 1.0), (1.0, 3.0), (0.0, 3.0)]  # area 6, its inward corner at (1, 1)
TOP = {"top": [(0.0, 3.0), (1.0, 3.0)]}
HOLE = [(0.2, 0.2), (0.6, 0.2), (0.6, 0.6)]  # area 0.08
EXACT = 1e-12  # sums of a few hundred cells, rounded


def ell(**change: Any) -> em.mesh.Domain:
    given: dict[str, Any] = {"outline": ELL, "electrodes": TOP, "size": 0.3} | change
    return em.mesh.polygon(given.pop("outline"), **given)


def region(shape: Any, **boundaries: Any) -> em.mesh.Domain:
    return area("region", shape, size=0.3, boundaries=boundaries, comm=MPI.COMM_WORLD)


def measures(domain: em.mesh.Domain) -> dict[str, float]:
    """The area, under "", and the length of each boundary."""
    one = fem.Constant(domain.mesh, 1.0)
    found = {"": domain.dx()} | {name: domain.ds(name) for name in domain.names}
    return {name: em.fields.integral(fem.form(one * m), domain.mesh.comm) for name, m in found.items()}


def nearest(domain: em.mesh.Domain, place: tuple[float, float]) -> float:
    """Distance to the nearest corner of a cell."""
    return float(np.hypot(*(domain.mesh.geometry.x[:, :2] - place).T).min())


def size_at(domain: em.mesh.Domain, place: tuple[float, float]) -> float:
    """Diameter of the cell whose midpoint is nearest to a place."""
    cells = np.arange(domain.mesh.topology.index_map(2).size_local, dtype=np.int32)
    midpoints = dolfinx.mesh.compute_midpoints(domain.mesh, 2, cells)
    return float(domain.mesh.h(2, cells)[np.hypot(*(midpoints[:, :2] - place).T).argmin()])


# ---- outlines


@pytest.mark.parametrize("turned", [False, True], ids=["counter-clockwise", "clockwise"])
@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_a_polygon_has_its_area_and_perimeter_in_either_sense(turned: bool, closed: bool):
    outline = [*ELL, ELL[0]] if closed else ELL
    domain = ell(outline=outline[::-1] if turned else outline)
    assert size_at(domain, (1.0, 1.0)) < 0.16  # it knows its inward corner
    assert measures(domain) == pytest.approx({"": 6.0, "top": 1.0, "sides": 13.0}, rel=EXACT)


@pytest.mark.parametrize("unit", [1e-9, 1e3])
def test_a_polygon_may_be_as_small_or_large_as_it_likes(unit: float):
    top = [(x * unit, y * unit) for x, y in TOP["top"]]
    found = measures(ell(outline=np.array(ELL) * unit, electrodes={"top": top}, size=0.3 * unit))
    assert (found[""] / unit**2, found["top"] / unit, found["sides"] / unit) == pytest.approx((6, 1, 13), rel=EXACT)


def test_a_polygon_far_from_the_origin_keeps_its_area():
    far = np.add(ELL, (1e4, -2e4))
    found = measures(ell(outline=far, electrodes={"top": [far[5], far[4]]}))
    assert found == pytest.approx({"": 6.0, "top": 1.0, "sides": 13.0}, rel=1e-10)  # coordinates have 5 digits less


def test_holes_belong_to_the_sides():
    other = [(2.0, 0.2), (3.0, 0.2), (3.0, 0.7), (2.0, 0.7)]
    found = measures(ell(holes=[HOLE, other[::-1]]))
    assert found[""] == pytest.approx(6.0 - 0.08 - 0.5, rel=EXACT)
    assert found["sides"] == pytest.approx(13.0 + 0.8 + math.sqrt(0.32) + 3.0, rel=EXACT)


@pytest.mark.parametrize(
    "hole", [[(0.2, 0.0), (0.6, 0.2), (0.6, 0.6)], [(0.0, 0.0), (0.6, 0.2), (0.6, 0.6)]], ids=["an edge", "a corner"]
)
def test_a_hole_may_touch_the_outline_at_a_point(hole: list[tuple[float, float]]):
    domain = ell(holes=[hole])
    assert measures(domain)[""] == pytest.approx(6.0 - shapely.Polygon(hole).area, rel=EXACT)
    assert domain.quality().worst > 0.1


def test_a_region_may_have_several_pieces():
    pieces = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)])
    domain = region(pieces, left=[(0, 0), (0, 1)], right=[(3, 0), (3, 1)])
    assert measures(domain) == pytest.approx({"": 2.0, "left": 1.0, "right": 1.0, "sides": 6.0}, rel=EXACT)


# ---- names


def test_an_electrode_may_begin_and_end_in_the_middle_of_an_edge():
    domain = ell(electrodes={"gate": [(4.0, 0.31), (4.0, 0.77)]})
    assert measures(domain)["gate"] == pytest.approx(0.46, rel=EXACT)
    assert max(nearest(domain, (4.0, 0.31)), nearest(domain, (4.0, 0.77))) < 1e-12


@pytest.mark.parametrize("back", [False, True], ids=["along", "against"])
def test_an_electrode_may_go_round_corners(back: bool):
    path = [(0.0, 0.5), (0.0, 0.0), (4.0, 0.0), (4.0, 0.5)]
    found = measures(ell(electrodes={"wrap": path[::-1] if back else path}))
    assert found["wrap"] == pytest.approx(5.0, rel=EXACT)


def test_an_electrode_may_lie_on_a_hole_all_round():
    found = measures(ell(holes=[HOLE], electrodes={"hole": [*HOLE, HOLE[0]]}))
    assert found["hole"] == pytest.approx(0.8 + math.sqrt(0.32), rel=EXACT)


def test_electrodes_may_touch_and_cover_everything():
    domain = ell(electrodes={"one": [*ELL[:4]], "other": [*ELL[3:], ELL[0]]})
    assert domain.names == ("one", "other")
    assert measures(domain) == pytest.approx({"": 6.0, "one": 8.0, "other": 6.0}, rel=EXACT)


def test_names_have_the_order_of_the_arguments():
    edges = {"b": [(0, 3), (1, 3)], "a": [(4, 0), (4, 1)], "c": [(0, 0), (1, 0)]}
    assert ell(electrodes=edges).names == ("b", "a", "c", "sides")


def test_a_function_names_the_edges_it_is_true_on():
    domain = ell(electrodes={"left": lambda x: x[0] < 1e-9, "top": [(0, 3), (1, 3)]})
    assert measures(domain) == pytest.approx({"": 6.0, "top": 1.0, "left": 3.0, "sides": 10.0}, rel=EXACT)


@pytest.mark.parametrize(
    ("geometry", "length"),
    [
        (shapely.box(-1, -1, 0.5, 0.5), 1.0),  # overlaps: a corner
        (shapely.box(4, -1, 5, 0.3), 0.3),  # abuts
        (shapely.LineString([(0, 1), (0, 2), (0.5, 2.5)]), 1.0),  # leaves the outline inwards
        (shapely.LineString([(-1, 2), (2, 2)]).buffer(0.25, cap_style="flat"), 1.0),  # crosses
        (shapely.MultiLineString([[(0, 1), (0, 2)], [(1, 3), (0.25, 3)]]), 1.75),
        (shapely.box(-1, 1 - 1e-10, 0, 2 + 1e-10), 1.0),  # as good as touching existing ends
    ],
    ids=["overlaps", "abuts", "line", "crosses", "two lines", "nearly"],
)
def test_a_geometry_names_what_lies_on_it(geometry: shapely.Geometry, length: float):
    found = measures(region(shapely.Polygon(ELL), pad=geometry))
    assert found["pad"] == pytest.approx(length, rel=1e-9)
    assert found["pad"] + found["sides"] == pytest.approx(14.0, rel=EXACT)


def test_a_geometry_cuts_edges_only_where_its_name_begins_and_ends():
    pad = shapely.box(-1, 0.5, 0, 2)
    plain, cut = (region(shapely.Polygon(ELL), pad=pad) for pad in (pad, pad.segmentize(0.01)))
    assert cut.quality().cells == plain.quality().cells


def test_the_rest_may_have_another_name_or_none():
    shape = shapely.box(0, 0, 1, 1)
    named = area("region", shape, size=0.5, boundaries={}, rest="edge", comm=MPI.COMM_WORLD)
    bare = area("region", shape, size=0.5, boundaries={}, rest=None, comm=MPI.COMM_WORLD)
    assert (named.names, bare.names) == (("edge",), ())


# ---- cell sizes


@pytest.mark.parametrize("place", [(1.0, 1.0), (4.0, 0.25), (4.0, 0.75)], ids=["corner", "end", "other end"])
@pytest.mark.parametrize(("refine", "expected"), [(None, 0.1), (0.04, 0.04)], ids=["a third", "as given"])
def test_cells_are_finer_at_inward_corners_and_ends_of_electrodes(
    place: tuple[float, float], refine: float | None, expected: float
):
    domain = ell(electrodes={"gate": [(4.0, 0.25), (4.0, 0.75)]}, refine=refine)
    assert 0.6 * expected < size_at(domain, place) < 1.6 * expected
    assert size_at(domain, (0.0, 3.0)) > 0.2
    assert domain.quality().worst > 0.5


def test_other_places_can_be_refined_instead():
    domain = ell(refine={(3.0, 0.5): 0.05, (0.5, 2.0): 0.1})
    assert size_at(domain, (3.0, 0.5)) < 0.08
    assert size_at(domain, (0.5, 2.0)) < 0.16
    assert size_at(domain, (1.0, 1.0)) > 0.2


def test_a_circle_cut_into_chords_has_no_corners():
    angles = np.linspace(0, -2 * np.pi, 24, endpoint=False)
    hole = np.stack([2 + np.cos(angles), 2 + np.sin(angles)], axis=1)
    domain = em.mesh.polygon([(0, 0), (4, 0), (4, 4), (0, 4)], holes=[hole], electrodes={}, size=0.3)
    assert size_at(domain, (3.0, 2.0)) > 0.2


# ---- bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outline": [(0, 0), (1, 0)]}, "outline = [[0.0, 0.0], [1.0, 0.0]], must have at least 3 corners"),
        ({"outline": [(0, 0), (1, 1), (1, 0), (0, 1)]}, "outline is no region of the plane: self-intersection at (0.5"),
        ({"outline": [(0, 0), (1, 0), (2, 0)]}, "outline is no region of the plane"),
        ({"outline": [(0, 0), (1, math.nan), (2, 0)]}, "outline of shape (3, 2), must be finite points"),
        ({"outline": [(0, 0, 0), (1, 0, 0), (0, 1, 0)]}, "outline of shape (3, 3), must be finite points"),
        ({"outline": "square"}, "outline = 'square', must be numbers"),
        ({"holes": [[(5, 5), (6, 5), (6, 6)]]}, "must lie inside the outline"),
        ({"holes": [[(0.5, 0.5), (6, 0.5), (6, 0.6)]]}, "must lie inside the outline"),
        ({"holes": [HOLE, [(0.3, 0.2), (0.7, 0.3), (0.6, 0.5)]]}, "holes is no region of the plane"),
        ({"holes": [[(0, 0.2), (0, 0.6), (0.4, 0.4)]]}, "holes is no region of the plane"),
        ({"holes": [HOLE[:2]]}, "holes[0] = [[0.2, 0.2], [0.6, 0.2]], must have at least 3 corners"),
        ({"holes": [[(0.2, 0.2), (0.6, 0.6), (0.6, 0.2), (0.2, 0.6)]]}, "holes[0] is no region of the plane"),
        ({"electrodes": [(0, 3), (1, 3)]}, "must be a mapping of words to"),
        ({"electrodes": {"a": [(0, 3)]}}, "boundary 'a' = [(0, 3)], must be two points (x, y) or more"),
        ({"electrodes": {"a": 7}}, "electrodes['a'] = 7, must be a list of lists of numbers"),
        ({"electrodes": {"a": "top"}}, "electrodes['a'] = 'top', must be a list of lists of numbers"),
        ({"electrodes": {"a": [(0, 3), (0, 3)]}}, "boundary 'a' has no length between (0, 3) and (0, 3)"),
        (
            {"electrodes": {"a": [(0, 3), (0.5, 2.5)]}},
            "boundary 'a' does not lie on the outline: (0.5, 2.5) is 0.5",
        ),
        (
            {"electrodes": {"a": [(0, 2), (1, 2)]}},
            "boundary 'a' does not lie on the outline between (0, 2) and (1, 2): every corner on the way must be given",
        ),
        (
            {"electrodes": {"a": [(0, 1), (0, 2)], "b": [(0, 1.5), (0, 3)]}},
            "boundaries 'a' and 'b' overlap at (0, 1.75)",
        ),
        ({"electrodes": {"a": [(0, 1), (0, 2)], "b": lambda x: x[0] < 1e-9}}, "boundaries 'a' and 'b' overlap at (0, "),
        ({"electrodes": {"a": [(0, 0), (4, 0)], "b": shapely.box(2, -1, 3, 0)}}, "'a' and 'b' overlap at (2.5, 0)"),
        ({"electrodes": {"a": lambda x: x[0] < -1}}, "boundary 'a' is empty"),
        ({"electrodes": {"a": lambda x: True}}, "a(x) = True, must be of shape ("),
        ({"electrodes": {"a": shapely.Point(0, 1)}}, "boundary 'a' is empty: its geometry lies on no part"),
        ({"electrodes": {"a": shapely.box(9, 9, 10, 10)}}, "boundary 'a' is empty: its geometry lies on no part"),
        ({"electrodes": {"sides": [(0, 1), (0, 2)]}}, "a boundary named 'sides', must have a name of its own"),
        ({"electrodes": {"": [(0, 1), (0, 2)]}}, "a boundary named '', must have a name of its own"),
        ({"electrodes": {1: [(0, 1), (0, 2)]}}, "key of electrodes = 1, must be a text"),
        ({"size": 0.0}, "size = 0, must be greater than 0"),
        ({"size": 3.1}, "size = 3.1, must be at most 3"),
        ({"size": math.inf}, "size = inf, must be finite"),
        ({"refine": -1.0}, "refine = -1, must be greater than 0"),
        ({"refine": 0.5}, "refine = 0.5, must be at most 0.3"),
        ({"refine": {(1.0, 1.0, 1.0): 0.1}}, "key of refine = (1.0, 1.0, 1.0), must be two numbers"),
    ],
)
def test_a_polygon_that_cannot_be_is_refused(change: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError) as caught:
        ell(**change)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (shapely.Polygon(), "region is empty: it has no area"),
        (shapely.Point(0, 0), "must be a shapely polygon"),
        ("square", "region = 'square', must be a shapely polygon"),
        (shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 1)]), "region is no region of the plane: self-intersection"),
    ],
    ids=["empty", "point", "word", "crossed"],
)
def test_a_region_that_cannot_be_is_refused(shape: Any, message: str):
    with pytest.raises(em.ParameterError) as caught:
        region(shape)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"size": 1e-9},
            r"size would make about 1e\+18 cells, must be 2.2e\+05 times larger for 2e\+07: another unit\?",
        ),
        ({"size": 0.3, "refine": {(0.0, 0.0): 1e-12}}, ""),
    ],
)
def test_a_size_in_another_unit_is_refused_before_the_memory_is_full(arguments: dict[str, Any], message: str):
    def make() -> em.mesh.Domain:
        return em.mesh.polygon([(0, 0), (1, 0), (1, 1), (0, 1)], electrodes={"a": [(0, 0), (0, 1)]}, **arguments)

    if message:
        with pytest.raises(em.ParameterError, match=message):
            make()
    else:
        assert make().quality().cells < 5000  # cells grow with the distance: a fine point costs little
