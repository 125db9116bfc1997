"""Grain boundaries that meet a surface: the dihedral angle at rest, and Mullins' groove on its way there."""

from __future__ import annotations

from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
import pytest

GOLD = em.materials.gold(temperature=900.0)
GAMMA, B = GOLD.surface_energy, em.analytic.mullins_coefficient(GOLD)
WIDTH = 1 * nm


def outline(model: em.Model) -> tuple[Any, Any]:
    """Places along a flat surface, and its height at each."""
    return em.surface.profile(model)


def test_a_grain_between_two_boundaries_becomes_an_arc_of_the_dihedral_angle():
    """Walls with half of a boundary's energy each, 0.4 gamma: the arc meets them at 66.4 degrees, as metal sees it."""
    length, level, sine = 12 * nm, 12 * nm, 0.4
    domain = em.mesh.rectangle((length, 24 * nm), cells=(16, 32))
    walls = {"left": sine * GAMMA, "right": sine * GAMMA}
    shape = em.surface.flat(level)
    model = em.surface.model(domain, GOLD, shape=shape, interface_width=WIDTH, wall_energy=walls)
    energy = em.watch.series(["free_energy"])
    kept = em.watch.conserved("metal", rtol=1e-9)
    em.evolve(model, length**4 / B / 20, rtol=1e-3, watch=[energy, kept], progress=False)
    fallen = energy["free_energy"][0] - energy["free_energy"][-1]
    assert fallen > 0.01 * energy["free_energy"][0]
    assert (np.diff(energy["free_energy"]) < 1e-3 * fallen).all()
    x, h = outline(model)
    radius = length / 2 / sine
    arc = np.sqrt(radius**2 - (x - length / 2) ** 2)
    assert h - h.mean() == pytest.approx(arc - arc.mean(), abs=0.02 * (arc.max() - arc.min()) + 0.01 * nm)
    print(h-h.mean()-arc+arc.mean())
    a, b, _ = np.polyfit(x - length / 2, h, 2)
    assert abs(b) < 1e-3
    # of a parabola through an arc: the curvature in the middle, so the angle at the wall; two sides of a boundary
    angle = 180 - 2 * np.degrees(np.arcsin(-2 * a * length / 2 / (1 + 0.75 * sine**2 * 0.4)))
    print(angle,b)
    assert angle == pytest.approx(2 * np.degrees(np.arccos(sine)), abs=1.0)
