"""Solids and shells that gmsh meshes: volumes, faces, names and regions, and what cannot be drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import emfem as em

import numpy as np
import pytest
from dolfinx import fem

VIA: dict[str, Any] = {
    "line_length": 3.0,
    "line_width": 1.0,
    "line_thickness": 0.5,
    "via_radius": 0.3,
    "via_height": 0.5,
    "size": 0.4,
}
WIRE: dict[str, Any] = {"radius": 1.0, "length": 3.0, "size": 0.4}
BALL: dict[str, Any] = {"radius": 1.0, "size": 0.4}
MAKERS: dict[str, Callable[..., em.mesh.Domain]] = {
    "via": lambda **a: em.mesh.via(**VIA | a),
    "cylinder": lambda **a: em.mesh.cylinder(**WIRE | a),
    "tube": lambda **a: em.mesh.tube(**WIRE | a),
    "sphere": lambda **a: em.mesh.sphere(**BALL | a),
}
EXACT = 1e-12  # sums of some thousand cells, rounded
# Chords of h = 0.4 miss h^2 / 6 of a disk, h^2 / 24 of a circle and about h^2 / 4 of a sphere; parabolas the square.
CURVED = {1: 0.045, 2: 1e-3}


def measures(domain: em.mesh.Domain) -> dict[str, float]:
    """The volume (of a shell, the area) under "", the size of each boundary, and of each region."""
    one = fem.Constant(domain.mesh, 1.0)
    found = {"": domain.dx()} | {name: domain.ds(name) for name in domain.names}
    found |= {name: domain.dx(region=name) for name in domain.regions}
    return {name: em.fields.integral(fem.form(one * m), domain.mesh.comm) for name, m in found.items()}


@cache
def measured(shape: str, order: int) -> dict[str, float]:
    return measures(MAKERS[shape](order=order))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("cylinder", {"": 3 * math.pi, "left": math.pi, "right": math.pi, "side": 6 * math.pi}),
        ("tube", {"": 6 * math.pi, "left": 2 * math.pi, "right": 2 * math.pi, "tube": 6 * math.pi}),
        ("sphere", {"": 4 * math.pi, "sphere": 4 * math.pi}),
        (
            "via",
            {
                "": 3.0 + 0.045 * math.pi,
                "anode": 0.5,
                "cathode": 0.5,
                # two boxes without the ends and the two disks, and the side of the via
                "sides": 2 * (2 * (3.0 + 1.5 + 0.5)) - 1.0 - 0.18 * math.pi + 0.3 * math.pi,
                "lower": 1.5,
                "via": 0.045 * math.pi,
                "upper": 1.5,
            },
        ),
    ],
    ids=["cylinder", "tube", "sphere", "via"],
)
def test_a_solid_has_its_volume_faces_and_names(shape: str, expected: dict[str, float], order: int):
    found = measured(shape, order)
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, rel=CURVED[order])


@pytest.mark.parametrize("shape", ["cylinder", "tube", "sphere", "via"])
def test_curved_cells_fit_better_than_straight_ones(shape: str):
    exact = {"cylinder": 3 * math.pi, "tube": 6 * math.pi, "sphere": 4 * math.pi, "via": 3.0 + 0.045 * math.pi}[shape]
    straight, curved = (abs(measured(shape, order)[""] - exact) for order in (1, 2))
    assert curved < straight / 20


def test_the_flat_faces_of_a_via_and_its_lines_are_exact():
    found = measured("via", 1)
    assert [found[n] for n in ("anode", "cathode", "lower", "upper")] == pytest.approx([0.5, 0.5, 1.5, 1.5], rel=EXACT)


def test_the_area_of_a_sphere_converges_with_the_cells():
    """By the square of the cell's size, straight, and by its fourth power, curved; gmsh's sizes scatter a little."""
    for order, rate in ((1, 2.0), (2, 4.0)):
        errors = [
            abs(measures(em.mesh.sphere(1.0, size=size, order=order))[""] / (4 * math.pi) - 1)
            for size in (0.4, 0.2, 0.1)
        ]
        found = np.log2(np.divide(errors[:-1], errors[1:]))
        assert found == pytest.approx([rate, rate], abs=0.35)


def test_the_ends_of_a_via_lie_where_they_should():
    """The lower line goes to the left, the upper one to the right; the via stands on the origin."""
    domain = MAKERS["via"]()
    lower, upper = em.mesh.bounds(domain.mesh)
    assert [*lower, *upper] == pytest.approx([-2.5, -0.5, 0.0, 2.5, 0.5, 1.5], abs=1e-12)
    x = domain.mesh.geometry.x
    assert x[x[:, 0] < -0.6, 2].max() == pytest.approx(0.5, abs=1e-12)
    assert x[x[:, 0] > 0.6, 2].min() == pytest.approx(1.0, abs=1e-12)


def test_current_passes_the_via_and_its_regions_conduct_each_in_their_way():
    domain = MAKERS["via"]()
    sigma = domain.piecewise("conductivity", {"lower": 1.0, "via": 0.1, "upper": 1.0})
    on = {"anode": em.fixed(1.0), "cathode": em.fixed(0.0)}
    plain, plugged = (em.conduction.model(domain, conductivity=s, on=on, degree=1) for s in (1.0, sigma))
    for model in (plain, plugged):
        em.solve_steady(model)
    more = em.conduction.resistance(plugged) - em.conduction.resistance(plain)
    # nine more squares of the via's own h / (pi r^2) = 1.77, but current spreads over its faces more evenly
    assert more == pytest.approx(9 * 0.5 / (0.09 * math.pi), rel=0.1)


@pytest.mark.parametrize("shape", MAKERS)
def test_cells_have_good_shape_and_the_size_required(shape: str):
    quality = MAKERS[shape]().quality()
    assert quality.worst > (0.1 if shape in ("via", "cylinder") else 0.5)
    assert quality.largest < 2.2 * 0.4  # the longest edge of a tetrahedron


@pytest.mark.parametrize("shape", ["tube", "sphere"])
@pytest.mark.parametrize("order", [1, 2])
def test_a_shell_knows_that_it_is_one(shape: str, order: int):
    domain = MAKERS[shape](order=order)
    assert domain.shell
    assert domain.dim == 3
    assert domain.mesh.topology.dim == 2
    radii = np.linalg.norm(domain.mesh.geometry.x[:, 1:] if shape == "tube" else domain.mesh.geometry.x, axis=1)
    assert radii == pytest.approx(1.0, abs=1e-9)
    assert str(domain).startswith(f"{shape} ")
    assert ("no boundary" in str(domain)) is (shape == "sphere")


@pytest.mark.parametrize("shape", ["via", "cylinder", "tube", "sphere"])
def test_a_solid_may_be_as_small_as_it_likes(shape: str):
    given = {"via": VIA, "cylinder": WIRE, "tube": WIRE, "sphere": BALL}[shape]
    dim = 2 if shape in ("tube", "sphere") else 3
    small = measures(MAKERS[shape](**{k: v * 2.0**-30 for k, v in given.items()}))
    # scaled by a power of two the drawing is the same, bit by bit
    assert small[""] * 2.0 ** (30 * dim) == pytest.approx(measured(shape, 1)[""], rel=EXACT)


def test_the_rims_of_a_via_are_finer_on_demand():
    coarse, fine = (MAKERS["via"](refine=refine).quality().cells for refine in (0.15, 0.05))
    assert fine > 2 * coarse


@pytest.mark.parametrize(
    ("shape", "change", "message"),
    [
        ("cylinder", {"radius": 0.0}, "radius = 0, must be greater than 0"),
        ("cylinder", {"length": -1.0}, "length = -1, must be greater than 0"),
        ("cylinder", {"size": 1.1}, "size = 1.1, must be at most 1"),
        ("cylinder", {"order": 3}, "order = 3, must be at most 2"),
        ("tube", {"radius": 0.0}, "radius = 0, must be greater than 0"),
        ("tube", {"length": 0.0}, "length = 0, must be greater than 0"),
        ("tube", {"size": 1.1}, "size = 1.1, must be at most 1"),
        ("tube", {"order": 0}, "order = 0, must be at least 1"),
        ("sphere", {"radius": math.nan}, "radius = nan, must be finite"),
        ("sphere", {"size": 1.1}, "size = 1.1, must be at most 1"),
        ("sphere", {"order": 3}, "order = 3, must be at most 2"),
        ("via", {"line_length": 1.0}, "line_length = 1, must be greater than 1"),
        ("via", {"line_width": 0.0}, "line_width = 0, must be greater than 0"),
        ("via", {"line_thickness": 0.0}, "line_thickness = 0, must be greater than 0"),
        ("via", {"via_radius": 0.5}, "via_radius = 0.5, must be less than 0.5"),
        ("via", {"via_height": 0.0}, "via_height = 0, must be greater than 0"),
        ("via", {"size": 0.6}, "size = 0.6, must be at most 0.5"),
        ("via", {"refine": 0.5}, "refine = 0.5, must be at most 0.4"),
        ("via", {"refine": 0.0}, "refine = 0, must be greater than 0"),
        ("via", {"order": "two"}, "order = 'two', must be a number"),
    ],
)
def test_a_solid_that_cannot_be_is_refused(shape: str, change: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError) as caught:
        MAKERS[shape](**change)
    assert message in str(caught.value)
