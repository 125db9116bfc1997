"""Crowding at corners that no mesh resolves says so; that of curves which the mesh resolves does not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import emfem as em
from emfem import conduction

import numpy as np
import pytest

FIXED = (em.fixed(1.0), em.fixed(0.0))


def crowding(domain: em.mesh.Domain, *ends: str, on: Any = FIXED) -> tuple[conduction.Crowding, list[Any]]:
    """The crowding between two electrodes, and the warnings that came with it."""
    names = ends or domain.names[:2]
    model = conduction.model(domain, conductivity=1.0, on=dict(zip(names, on, strict=True)))
    em.solve_steady(model)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return conduction.crowding(model), caught


@cache
def bend(size: float) -> tuple[conduction.Crowding, list[Any]]:
    return crowding(em.mesh.bend(width=1.0, arms=(2.0, 2.0), size=size))


@pytest.mark.parametrize("size", [0.5, 0.25, 0.125])
def test_the_inner_corner_of_a_bend_is_reported_at_every_size_of_cells(size: float):
    found, caught = bend(size)
    assert found.corner is not None
    assert found.corner.place == pytest.approx([2.0, 1.0], abs=1e-9)
    assert found.corner.angle == pytest.approx(270.0, abs=1e-6)
    assert found.corner.exponent == pytest.approx(1 / 3, abs=1e-9)
    assert "the peak is at a sharp corner of 270 degrees, where it grows as h^-0.33" in str(found)
    assert [warning.category for warning in caught] == [em.ResolutionWarning]
    assert "is at (2, 1), a sharp corner of 270 degrees" in str(caught[0].message)


def test_the_crowding_grows_as_the_exponent_predicts():
    """Two halvings: to 10 % of the exponent, as the corner's cells are not similar from mesh to mesh."""
    ratios = [bend(size)[0].ratio for size in (0.5, 0.25, 0.125)]
    assert np.log2(ratios[2] / ratios[0]) / 2 == pytest.approx(1 / 3, rel=0.1)


def test_the_warning_points_at_the_line_of_the_user():
    assert Path(bend(0.5)[1][0].filename) == Path(__file__)


@pytest.mark.parametrize("size", [4.0, 2.0, 1.0])
def test_a_round_notch_is_no_corner_at_any_size_of_cells(size: float):
    found, caught = crowding(
        em.mesh.notched_strip(length=40.0, width=20.0, notch_depth=5.0, notch_width=8.0, size=size)
    )
    assert (found.corner, caught) == (None, [])
    assert str(found).count("corner") == 0


@pytest.mark.parametrize("refine", [None, 0.01])
def test_a_slim_notch_is_reported_until_its_tip_is_resolved(refine: float | None):
    """A tip of radius 1/60: in a long strip 34 % are missing as it comes, 0.7 % more are found with cells of 0.01."""
    found, caught = crowding(
        em.mesh.notched_strip(length=20.0, width=40.0, notch_depth=15.0, notch_width=1.0, size=4.0, refine=refine)
    )
    assert (found.corner is None) == (refine is not None) == (not caught)


@pytest.mark.parametrize(
    "make",
    [
        lambda: em.mesh.strip_with_holes(length=4.0, width=2.0, holes=[(2.0, 1.0, 0.4)], size=0.5),
        lambda: em.mesh.rectangle((2.0, 1.0), cells=(4, 2)),
        lambda: em.mesh.box((2.0, 1.0, 1.0), cells=(4, 2, 2)),
        lambda: em.mesh.interval(2.0, cells=4),
    ],
    ids=["hole", "rectangle", "box", "line"],
)
def test_round_holes_and_convex_corners_are_none(make: Callable[[], em.mesh.Domain]):
    found, caught = crowding(make())
    assert (found.corner, caught) == (None, [])


def pad() -> em.mesh.Domain:
    """A plate with an electrode on a part of its lower side."""
    corners = [(0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (0.0, 2.0)]
    pads: Any = {"a": [(1.0, 0.0), (2.0, 0.0)], "b": [(0.0, 2.0), (4.0, 2.0)]}
    return em.mesh.polygon(corners, size=0.5, electrodes=pads)


def test_a_contact_resistance_bounds_the_current_at_an_electrode_s_end():
    """Phi is not held there, and |j| has a bound: at most the voltage over the contact resistance."""
    contact = conduction.electrode(voltage=1.0, contact_resistivity=1.0)
    found, caught = crowding(pad(), "a", "b", on=(contact, em.fixed(0.0)))
    assert (found.corner, caught) == (None, [])


@pytest.mark.parametrize("one", [em.fixed(1.0), conduction.electrode(current=1.0)], ids=["voltage", "current"])
def test_the_end_of_an_electrode_on_a_straight_side_is_reported(one: Any):
    """Held and free meet at 180 degrees: phi goes as r^(1/2)."""
    found, caught = crowding(pad(), "a", "b", on=(one, em.fixed(0.0)))
    assert found.corner is not None
    assert found.corner.electrode
    assert (found.corner.angle, found.corner.exponent) == pytest.approx((180.0, 0.5), abs=1e-6)
    assert "an electrode's edge of 180 degrees" in str(caught[0].message)


def test_the_rim_of_a_via_is_reported_in_space():
    domain = em.mesh.via(
        line_length=4.0, line_width=1.0, line_thickness=0.5, via_radius=0.25, via_height=0.6, size=0.5, refine=0.15
    )
    found, caught = crowding(domain, "anode", "cathode")
    assert found.corner is not None
    assert found.corner.exponent == pytest.approx(1 / 3, abs=0.03)  # flat facets on the rim are off by up to 8 degrees
    assert len(caught) == 1
