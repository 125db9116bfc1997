"""Particles in space that become Wulff's shapes: an eighth of each, at equal volume.

The energy of `em.surface.Crystal` is a norm of grad c. At rest c depends on the dual norm of the place alone, as on the
radius in a ball: each of its level sets is a Wulff shape, however wide the interface. Only the amount of metal differs
from the volume within c = 1/2, by the tail of the profile, (pi l / r)^2 of it. So shapes are compared at equal volume.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import emfem as em
from emfem.moving import surface_points
from emfem.units import nm

import numpy as np
import pytest
from scipy.spatial import ConvexHull

R = 20 * nm
GOLD = em.materials.gold(temperature=900.0)
TIME = R**4 / em.analytic.mullins_coefficient(GOLD)
WEAK, CUBE = em.surface.CubicEnergy(0.05), em.surface.FacetEnergy(np.eye(3), 0.1)
NORMALS = em.surface.crystal.directions(3, over=600)


def relaxed(energy: Any, width: float, until: float) -> em.Model:
    """An eighth of a ball that has become a crystal; cells of half the width, walls that are mirrors."""
    side = 1.6 * R
    domain = em.mesh.box((side,) * 3, cells=(int(np.ceil(side / (0.5 * width))),) * 3)
    ball = em.surface.Shape("ball", lambda x, _: R - np.linalg.norm(x, axis=0))
    model = em.surface.model(
        domain, GOLD, shape=ball, interface_width=width, crystal=em.surface.Crystal(energy), degree=1
    )
    em.evolve(model, until * TIME, rtol=1e-3, watch=[em.watch.conserved("metal", rtol=1e-10)], progress=False)
    return model


def whole(model: em.Model) -> ConvexHull:
    """The hull of the surface c = 1/2, all eight parts of it; the shapes are convex."""
    points = surface_points(model["c"])
    return ConvexHull(np.concatenate([points * sign for sign in product((1, -1), repeat=3)]))


def supports(places: np.ndarray) -> np.ndarray:
    """Distances of tangents from the middle, at NORMALS."""
    return np.asarray((places @ NORMALS).max(axis=0))


@pytest.mark.soak
@pytest.mark.parametrize(("energy", "width", "until"), [(WEAK, 0.15 * R, 0.06), (CUBE, 0.2 * R, 0.15)])
def test_a_ball_becomes_the_shape_of_wulff(energy: Any, width: float, until: float):
    """Tangents, facets, edges and corners to 2 %, area to 1 % at equal volume; a ball is off by 8 % and 19 %."""
    model = relaxed(energy, width, until)
    hull = whole(model)
    exact = em.surface.Crystal(energy).wulff(hull.volume, dim=3)
    off = supports(hull.points) / supports(exact) - 1
    assert np.abs(off).max() < 0.02
    assert np.abs(off[:26]).max() < 0.02  # the facets, edges and corners of a cube
    assert hull.area == pytest.approx(ConvexHull(exact).area, rel=0.01)
    mu = model["mu"].x.array[np.abs(model["c"].x.array - 0.5) < 0.3]
    assert np.ptp(mu) < 0.02 * mu.mean()  # it is at rest


@pytest.mark.soak
def test_the_volume_of_a_crystal_is_what_its_metal_tells():
    """int c = V (1 + (pi l / r)^2), the shape r times that of its energies; the rest is of the order l^4: 8 %, 2 %."""
    crystal = em.surface.Crystal(WEAK)
    normals = em.surface.crystal.directions(3, over=5000)
    unit = ConvexHull(em.analytic.wulff(normals, crystal.energies(normals))).volume
    parts = []
    for width in (0.2 * R, 0.15 * R):
        model = relaxed(WEAK, width, 0.06)
        volume = whole(model).volume
        size = (volume / unit) ** (1 / 3)
        parts.append(8 * model.quantity("metal") / (volume * (1 + (np.pi * width / size) ** 2)))
    finer, coarser = 0.15**4, 0.2**4
    assert abs(parts[1] - 1) < 0.4 * abs(parts[0] - 1)
    assert (parts[1] * coarser - parts[0] * finer) / (coarser - finer) == pytest.approx(1.0, abs=0.01)
