"""Crystals: energies and what is refused, Wulff's shape, particles that relax to it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.moving import surface_points
from emfem.surface.terms import restriction
from emfem.units import nm

import numpy as np
import pytest
import ufl
from dolfinx import fem
from scipy.spatial import ConvexHull

R = 20 * nm
GOLD = em.materials.gold(temperature=900.0)
TIME = R**4 / em.analytic.mullins_coefficient(GOLD)
WEAK = em.surface.FoldEnergy(0.05)
SQUARE = em.surface.FacetEnergy([[1.0, 0.0], [0.0, 1.0]])


def box(cells: int, side: float = 1.6 * R) -> em.mesh.Domain:
    """A quarter of a box around a particle."""
    return em.mesh.rectangle((side, side), cells=(cells, cells))


def particle(crystal: em.surface.Crystal, cells: int = 14, width: float = 0.15 * R, **options: Any) -> em.Model:
    """A quarter of a round particle."""
    ball = em.surface.Shape("ball", lambda x, _: R - np.linalg.norm(x, axis=0))
    given: dict[str, Any] = {"shape": ball, "interface_width": width, "crystal": crystal}
    return em.surface.model(box(cells), GOLD, **(given | options))


def supports(places: np.ndarray) -> np.ndarray:
    """Distances of tangents from the middle, at normals from 0 to 90 degrees."""
    angle = np.linspace(0, np.pi / 2, 91)
    return np.asarray((places @ np.stack([np.cos(angle), np.sin(angle)])).max(axis=0))


def off(model: em.Model, crystal: em.surface.Crystal) -> np.ndarray:
    """Tangents of a particle that has relaxed, beyond those of Wulff's shape of its area, over R."""
    return (supports(surface_points(model["c"])) - supports(crystal.wulff(np.pi * R**2))) / R


# Wulff's shape


def test_a_weak_energy_has_the_smooth_shape_of_its_tangents():
    """x = (a cos - a' sin, a sin + a' cos), which passes the vertices to the square of their distance."""
    corners = em.surface.Crystal(WEAK).wulff(1.0)
    alpha = np.linspace(0, 2 * np.pi, 20001)
    a, slope = 1 + 0.05 * np.cos(4 * alpha), -0.2 * np.sin(4 * alpha)
    curve = np.stack([a * np.cos(alpha) - slope * np.sin(alpha), a * np.sin(alpha) + slope * np.cos(alpha)])
    area = ConvexHull(curve.T).volume
    assert supports(corners) == pytest.approx(a[:5001:50][:91] * 0 + supports(curve.T / math.sqrt(area)), rel=1e-4)
    assert area == pytest.approx(np.pi * (1 - 15 / 2 * 0.05**2), rel=1e-6)  # int a^2 - a'^2 / 2


def test_a_strong_energy_has_corners_and_what_is_missing_does_not_count():
    """1 + 0.3 cos 4 alpha: the tangents at 45 degrees meet where a cos is stationary, 4 corners on the axes."""
    alpha = 2 * np.pi * np.arange(7200) / 7200
    corners = em.analytic.wulff([np.cos(alpha), np.sin(alpha)], 1 + 0.3 * np.cos(4 * alpha))
    sharp = alpha[:900][np.argmin(((1 + 0.3 * np.cos(4 * alpha)) / np.maximum(np.cos(alpha), 1e-9))[:900])]
    assert corners[:, 0].max() == pytest.approx((1 + 0.3 * np.cos(4 * sharp)) / np.cos(sharp), rel=1e-6)
    assert np.abs(corners[np.argmax(corners[:, 0]), 1]) < 1e-9


@pytest.mark.parametrize(("dim", "number"), [(2, 4), (3, 8)])
def test_a_sum_of_the_components_makes_a_cube(dim: int, number: int):
    """Of side 2 for |n_x| + |n_y| + ..., whatever the unit of the normals; scaled by the volume."""
    normals = np.random.default_rng(1).normal(size=(dim, 400))
    normals = np.hstack([normals, np.eye(dim), -np.eye(dim)])
    energies = np.abs(normals / np.linalg.norm(normals, axis=0)).sum(axis=0)
    corners = em.analytic.wulff(normals, energies)
    assert np.abs(corners) == pytest.approx(np.ones_like(corners), rel=1e-9)
    assert len(np.unique(np.round(corners, 6), axis=0)) == number
    assert np.abs(em.analytic.wulff(normals, energies, size=3.0)).max() == pytest.approx(3 ** (1 / dim) / 2, rel=1e-9)


@pytest.mark.parametrize(
    ("normals", "energies", "options", "message"),
    [
        (np.eye(2), [1.0, 1.0], {}, "normals, must be all around"),
        ([[1.0, -0.5, -0.5], [0.0, 1e-3, 1e-2]], [1.0, 1.0, 1.0], {}, "normals, must be all around"),
        (np.eye(4), np.ones(4), {}, "normals of shape (4, 4) and energies of shape (4,), must be (2 or 3, m) and (m,)"),
        ([[1.0, 0.0], [0.0, 0.0]], [1.0, 1.0], {}, "normals, must be finite, and none be 0"),
        (np.ones((2, 3)), [1.0, 0.0, 1.0], {}, "energies, must be finite and above 0"),
        ([[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, -1.0]], np.ones(4), {"size": 0.0}, "size = 0, must be greater than 0"),
    ],
)
def test_what_encloses_no_shape_is_refused(normals: Any, energies: Any, options: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=re.escape(message)):
        em.analytic.wulff(normals, energies, **options)


# Energies


def test_energies_are_those_of_their_formulas_in_turned_axes():
    alpha = np.linspace(0.1, 3.0, 7)
    normals = np.stack([np.cos(alpha), np.sin(alpha)])
    turned = em.surface.Crystal(WEAK, angle=0.3)
    assert turned.energies(normals) == pytest.approx(1 + 0.05 * np.cos(4 * (alpha - 0.3)), rel=1e-12)
    axes = [[math.cos(0.3), math.sin(0.3), 0.0], [-math.sin(0.3), math.cos(0.3), 0.0], [0.0, 0.0, 1.0]]
    cubic = em.surface.Crystal(em.surface.CubicEnergy(0.05), axes=axes)
    assert cubic.energies(normals) == pytest.approx(turned.energies(normals), rel=1e-12)
    assert cubic.energies(np.vstack([normals, 0 * alpha])) == pytest.approx(turned.energies(normals), rel=1e-12)
    diagonal = np.full((3, 1), 3**-0.5)
    assert em.surface.Crystal(em.surface.CubicEnergy(0.06)).energies(diagonal) == pytest.approx(1 - 0.06 * 5 / 3)


def test_facets_have_the_least_energy_and_make_their_polygon():
    """A hexagon whose edges are rounded by a hundredth; its facets bulge by about as much."""
    turn = np.pi / 3 * np.arange(3)
    crystal = em.surface.Crystal(em.surface.FacetEnergy(np.stack([np.cos(turn), np.sin(turn)], axis=1), 0.01))
    alpha = np.pi / 2 + np.pi / 3 * np.arange(6)
    assert crystal.energies([np.cos(alpha), np.sin(alpha)]) == pytest.approx(np.ones(6), rel=1e-12)
    corners = crystal.wulff(6 * math.tan(np.pi / 6))  # of facets at the distance 1 / 2 sqrt(3) ...
    assert np.linalg.norm(corners, axis=1).max() == pytest.approx(math.sqrt(4 / 3), rel=0.01)
    assert corners[:, 1].max() == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize(("strength", "stable"), [(0.066, True), (0.0675, False), (-0.066, True), (-0.0675, False)])
def test_a_cubic_energy_is_stable_from_its_edges_to_its_corners(strength: float, stable: bool):
    """1 - 15 S > 0 at the faces of the cube, 1 + 15 S > 0 across its edges."""
    crystal = em.surface.Crystal(em.surface.CubicEnergy(strength))
    solid = em.mesh.box((1.0, 1.0, 1.0), cells=(1, 1, 1))
    if stable:
        assert crystal.check(solid)[0] < 1
        return
    with pytest.raises(em.ParameterError, match=r"energy with the stiffness -0\.01\d+ at the normal"):
        crystal.check(solid)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: em.surface.FoldEnergy(0.07),
            "strength = 0.07 of fold 4, must be less than 0.0666667, where",
        ),
        (lambda: em.surface.FoldEnergy(-0.01), "strength = -0.01, must be at least 0"),
        (lambda: em.surface.FoldEnergy(0.01, fold=1), "fold = 1, must be at least 2"),
        (lambda: em.surface.CubicEnergy(1.0), "strength = 1, must be less than 1"),
        (lambda: em.surface.FacetEnergy([[1.0, 0.0]]), "edges = [[1.0, 0.0]], must have 2 that are independent"),
        (lambda: em.surface.FacetEnergy([1.0, 0.0]), "edges of shape (2,), must be (m, 2) or (m, 3)"),
        (lambda: em.surface.FacetEnergy(np.eye(2), 0.0), "rounding = 0, must be at least 0.01"),
        (lambda: em.surface.Crystal(angle=math.nan), "angle = nan rad, must be finite"),
        (lambda: em.surface.Crystal(angle=0.1, axes=np.eye(3)), "angle = 0.1 rad beside axes, must be left out"),
        (lambda: em.surface.Crystal(axes=np.diag([1.0, 1.0, -1.0])), "must be orthonormal and right-handed"),
        (lambda: em.surface.Crystal(WEAK).energies([1.0]), "normals of shape (1,), must be (2, n) or (3, n)"),
        (lambda: em.surface.Crystal(WEAK).wulff(0.0), "size = 0, must be greater than 0"),
        (lambda: em.surface.Crystal(WEAK).wulff(1.0, dim=4), "dim = 4, must be at most 3"),
        (lambda: particle(em.surface.Crystal(lambda n: n)), "energy(normal) of shape (2,), must be a number"),
        (lambda: particle(em.surface.Crystal(lambda n: "a")), "energy(normal) = 'a', must be a number or UFL"),
        (lambda: particle(em.surface.Crystal(lambda n: n[0])), "energy = 0 at the normal (0, 0), must be above 0"),
        (lambda: particle(em.surface.Crystal(mobility=lambda n: 0.5 - n[0])), "mobility = -0.5 at the normal (1, 0)"),
        (
            lambda: particle(em.surface.Crystal(lambda n: 1 + 0.8 * n[0] ** 2 * n[1] ** 2)),
            "energy with the stiffness -0.3998 at the normal (0.707, 0.707), must be at least 0 there",
        ),
        (
            lambda: particle(em.surface.Crystal(em.surface.FacetEnergy(np.eye(3)))),
            "edges of 3 components on a surface in 2 dimensions, must be alike",
        ),
        (
            lambda: particle(em.surface.Crystal(WEAK), anisotropy=em.surface.MobilityAnisotropy(0.1)),
            "anisotropy beside a crystal, must be left out",
        ),
        (lambda: particle(em.surface.Crystal(WEAK), cells=11), "interface_width = 2.85e-09 m, must be at least"),
        (
            lambda: em.surface.Crystal(WEAK, angle=0.1).check(em.mesh.axisymmetric(box(1))),
            "must be symmetric to the axis of revolution",
        ),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], Any], message: str):
    with pytest.raises(em.ParameterError, match=re.escape(message)):
        make()


# Particles


@pytest.fixture(scope="module")
def weak() -> tuple[em.Model, float, float]:
    """A particle that has relaxed, its metal and its free energy before."""
    model = particle(em.surface.Crystal(WEAK))
    before = model.quantity("metal"), model.quantity("free_energy")
    em.evolve(model, until=0.5 * TIME, progress=False)
    return model, *before


def test_a_particle_takes_the_weak_shape_of_wulff_and_keeps_its_metal(weak: tuple[em.Model, float, float]):
    """To 0.7 % with an interface as wide as this, 0.1 % at l = R / 10; a circle is off by 5 %."""
    model, metal, energy = weak
    assert np.abs(off(model, em.surface.Crystal(WEAK))).max() < 0.007
    assert model.quantity("metal") == pytest.approx(metal, rel=1e-12, abs=0)
    assert model.quantity("free_energy") < energy


def test_the_chemical_potential_is_the_variation_of_the_free_energy(weak: tuple[em.Model, float, float]):
    """(l / gamma) dF = int g mu dc for a change dc = 1e-5 c (1 - c) cos(3 x / R), to second order."""
    model = weak[0]
    c, width = model["c"], model.quantity("interface_width")
    change = c.copy()
    x = c.function_space.tabulate_dof_coordinates()[:, 0]
    change.x.array[:] = c.x.array * (1 - c.x.array) * np.cos(3 * x / R)
    expected = em.fields.integral(fem.form(restriction(c) * model["mu"] * change * model.domain.dx(4)), model.mesh.comm)
    rest, energies = c.x.array.copy(), []
    for sign in (1, -1):
        c.x.array[:] = rest + sign * 1e-5 * change.x.array
        energies.append(model.quantity("free_energy"))
    c.x.array[:] = rest
    varied = (energies[0] - energies[1]) / 2e-5 * width / GOLD.surface_energy
    assert varied == pytest.approx(expected, rel=1e-4, abs=0)


@pytest.mark.soak
@pytest.mark.parametrize("angle", [0.0, math.pi / 4])
def test_a_particle_takes_the_square_shape_of_wulff(angle: float):
    """Tangents to 1.3 % at l = R / 10, most of it at the corners; facets to half a percent; a circle is off by 25 %."""
    crystal = em.surface.Crystal(SQUARE, angle=angle)
    model = particle(crystal, cells=27, width=0.1 * R)
    em.evolve(model, until=TIME, progress=False)
    error = off(model, crystal)
    assert np.abs(error).max() < 0.013
    assert abs(error[45 if angle else 0]) < 0.005


def test_a_mobility_of_a_crystal_is_that_of_an_anisotropy_and_a_wide_surface_is_slower():
    """Under mu = y: with an energy of 1 the flux is the same; one of 2 is twice as wide, of half the mobility."""
    fast = em.surface.MobilityAnisotropy(0.5)
    models = [
        particle(em.surface.Crystal(mobility=fast)),
        particle(None, anisotropy=fast),  # type: ignore[arg-type]
        particle(em.surface.Crystal(lambda n: 2.0, fast)),
    ]
    for model in models:
        model["mu"].interpolate(lambda x: x[1] / R)
    flux, same, half = (model.quantity("y_flux") for model in models)
    assert flux == pytest.approx(same, rel=1e-12, abs=0)
    assert half == pytest.approx(same / 2, rel=1e-12, abs=0)


def test_an_energy_of_ones_own_in_ufl_is_that_of_the_class():
    own = em.surface.Crystal(lambda n: 1 + 0.05 * (1 - 8 * n[0] ** 2 * n[1] ** 2))
    alpha = np.linspace(0, 6, 9)
    normals = np.stack([np.cos(alpha), np.sin(alpha)])
    assert own.energies(normals) == pytest.approx(em.surface.Crystal(WEAK).energies(normals), rel=1e-12)
    assert em.surface.Crystal(lambda n: ufl.sqrt(1 + n[0] ** 2)).energies([[1.0], [0.0]]) == pytest.approx(2**0.5)
