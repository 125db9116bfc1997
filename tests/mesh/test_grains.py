"""Grains: Voronoi regions on any mesh, and polycrystals whose grain boundaries are meshed exactly."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.mesh.grains import tiling

import dolfinx
import numpy as np
import pytest
from dolfinx import fem

GIVEN: dict[str, Any] = {"size_xy": (2.0, 1.0), "grains": 12, "size": 0.1, "seed": 1}
EXACT = 1e-12  # sums of some hundred cells, rounded


def integral(domain: em.mesh.Domain, measure: Any) -> float:
    return em.fields.integral(fem.form(fem.Constant(domain.mesh, 1.0) * measure), domain.mesh.comm)


def numbers(domain: em.mesh.Domain) -> Any:
    """The number of each cell's grain, from 0."""
    assert domain.cells is not None
    owned = domain.mesh.topology.index_map(domain.mesh.topology.dim).size_local
    assert len(domain.cells.values) >= owned
    return domain.cells.values[:owned] - 1


def midpoints(domain: em.mesh.Domain) -> Any:
    dim = domain.mesh.topology.dim
    owned = domain.mesh.topology.index_map(dim).size_local
    return dolfinx.mesh.compute_midpoints(domain.mesh, dim, np.arange(owned, dtype=np.int32))[:, : domain.dim]


# ---- grains on a mesh


@pytest.mark.parametrize(
    "make",
    [
        lambda: em.mesh.interval(3.0, cells=40),
        lambda: em.mesh.rectangle((2.0, 1.0), cells=(20, 10)),
        lambda: em.mesh.periodic_rectangle((2.0, 1.0), cells=(20, 10), cell="triangle"),
        lambda: em.mesh.box((1.0, 1.0, 1.0), cells=(6, 6, 6), cell="tetrahedron"),
        lambda: em.mesh.annulus(1.0, 2.0, angle=2.0, size=0.2),
        lambda: em.mesh.sphere(1.0, size=0.3),
    ],
    ids=["line", "rectangle", "torus", "box", "sector", "sphere"],
)
def test_grains_fill_the_domain_and_leave_it_as_it_was(make: Callable[[], em.mesh.Domain]):
    domain = make()
    found = em.mesh.grains(domain, 4, seed=2)
    assert found.regions == ("grain 1", "grain 2", "grain 3", "grain 4")
    assert found.mesh is domain.mesh
    assert found.names == domain.names
    assert found.cells is not domain.cells
    sizes = [integral(found, found.dx(region=name)) for name in found.regions]
    assert min(sizes) > 0.0
    assert sum(sizes) == pytest.approx(integral(domain, domain.dx()), rel=EXACT)


def test_a_seed_gives_the_same_grains_again_and_another_one_others():
    domain = em.mesh.rectangle((2.0, 1.0), cells=(20, 10))
    first, again, other = (numbers(em.mesh.grains(domain, 5, seed=seed)) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_grains_go_on_across_the_seam():
    """Cells on both sides of it belong to the same grain, but for those where a grain boundary meets it."""
    domain = em.mesh.grains(em.mesh.periodic_rectangle((2.0, 2.0), cells=(24, 24)), 3, seed=4)
    grain, x = numbers(domain), midpoints(domain)
    order = np.lexsort(np.round(x % 2.0, 6).T[::-1])
    grid = grain[order].reshape(24, 24)
    across = [np.mean(grid[0] == grid[-1]), np.mean(grid[:, 0] == grid[:, -1])]
    assert min(across) > 0.7


def test_finer_cells_have_the_same_grains():
    """The points do not depend on the mesh of a rectangle: only cells that a grain boundary cuts differ."""
    sizes = []
    for n in (20, 40):
        domain = em.mesh.grains(em.mesh.rectangle((2.0, 1.0), cells=(2 * n, n)), 4, seed=5)
        sizes.append(np.bincount(numbers(domain)) / len(numbers(domain)))
    assert sizes[0] == pytest.approx(sizes[1], abs=0.02)


def test_an_existing_region_is_replaced():
    domain = em.mesh.grains(em.mesh.polycrystal(**GIVEN), 2)
    assert domain.regions == ("grain 1", "grain 2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("strip", 3), "domain = 'strip', must be one of em.mesh"),
        ((None, 0), "count = 0, must be at least 1"),
        ((None, 2.5), "count = 2.5, must be a whole number"),
        ((None, 60), "count = 60 grains, of which "),
    ],
)
def test_grains_that_cannot_be_are_refused(arguments: tuple[Any, Any], message: str):
    domain, count = arguments
    with pytest.raises(em.ParameterError) as caught:
        em.mesh.grains(domain or em.mesh.rectangle((2.0, 1.0), cells=(8, 4)), count)
    assert message in str(caught.value)


def test_a_negative_seed_is_refused():
    with pytest.raises(em.ParameterError, match="seed = -1, must be at least 0"):
        em.mesh.grains(em.mesh.interval(1.0, cells=9), 2, seed=-1)


# ---- polycrystals


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("grains", [1, 2, 12])
def test_a_polycrystal_fills_its_rectangle(grains: int, seed: int):
    domain = em.mesh.polycrystal((2.0, 1.0), grains, size=0.1, seed=seed)
    assert domain.names == ("left", "right", "bottom", "top")
    assert [integral(domain, domain.ds(name)) for name in domain.names] == pytest.approx([1, 1, 2, 2], rel=EXACT)
    assert integral(domain, domain.dx()) == pytest.approx(2.0, rel=EXACT)
    assert domain.regions == tuple(f"grain {i + 1}" for i in range(grains))
    sizes = [integral(domain, domain.dx(region=name)) for name in domain.regions]
    assert min(sizes) > 0.0
    assert sum(sizes) == pytest.approx(2.0, rel=EXACT)
    assert domain.quality().worst > 0.2


def test_grains_of_a_polycrystal_are_the_voronoi_cells_of_its_points():
    """Without short edges to shrink, each cell lies nearest to its own grain's point: the boundary is exact."""
    domain = em.mesh.polycrystal((2.0, 1.0), 5, size=0.05, seed=0)
    points = np.array([2.0, 1.0]) * np.random.default_rng(0).random((5, 2))
    apart = np.linalg.norm(midpoints(domain)[:, None] - points, axis=2)
    assert (apart.argmin(axis=1) == numbers(domain)).all()
    corners = domain.mesh.geometry.x[domain.mesh.geometry.dofmaps[0], :2]
    own = np.linalg.norm(corners - points[numbers(domain)][:, None], axis=2)
    least = np.linalg.norm(corners[:, :, None] - points, axis=3).min(axis=2)
    assert own == pytest.approx(least, abs=1e-12)


@pytest.mark.parametrize("grains", [1, 2, 12])
def test_strips_part_the_grains_and_share_their_edges(grains: int):
    """The grains become smaller by half a width along their edges; nothing is lost or doubled."""
    width = 0.02
    whole = em.mesh.polycrystal((2.0, 1.0), grains, size=0.1, seed=1)
    domain = em.mesh.polycrystal((2.0, 1.0), grains, size=0.1, seed=1, boundary=width)
    assert domain.regions[:grains] == whole.regions
    assert [integral(domain, domain.ds(name)) for name in domain.names] == pytest.approx([1, 1, 2, 2], rel=EXACT)
    areas = {name: integral(domain, domain.dx(region=name)) for name in domain.regions}
    assert sum(areas.values()) == pytest.approx(2.0, rel=EXACT)
    tiles = tiling(np.array([2.0, 1.0]) * np.random.default_rng(1).random((grains, 2)), np.array([2.0, 1.0]), 0.065)
    edges = [tiles.vertices[list(ends)] for ends, side in zip(tiles.edges, tiles.sides, strict=True) if not side]
    length = sum(float(np.linalg.norm(start - end)) for start, end in edges)
    assert areas.get("grain boundaries", 0.0) == pytest.approx(width * length, rel=0.05)
    assert domain.quality().worst > 0.2


def test_a_polycrystal_may_be_as_small_as_it_likes():
    domain = em.mesh.polycrystal((2e-9, 1e-9), 12, size=1e-10, seed=1)
    assert integral(domain, domain.dx()) == pytest.approx(2e-18, rel=EXACT, abs=0)
    assert domain.quality().worst > 0.2


@pytest.mark.parametrize("seed", range(5))
def test_short_edges_of_grains_shrink_to_points_and_nothing_is_lost(seed: int):
    """200 grains have edges of 1e-3 of a grain; shrunk ones leave tiles of the same area in all."""
    edges = np.array([2.0, 1.0])
    points = edges * np.random.default_rng(seed).random((200, 2))
    plain, short = (tiling(points, edges, least) for least in (0.0, 0.02))
    lengths = [np.linalg.norm(np.subtract(*(t.vertices[np.array(t.edges).T])), axis=1) for t in (plain, short)]
    assert np.count_nonzero(lengths[1] < 0.02) < 0.2 * np.count_nonzero(lengths[0] < 0.02)
    assert min(len(tile) for tile in short.tiles) >= 3
    for name, expected in zip(("left", "right", "bottom", "top"), (1, 1, 2, 2), strict=True):
        side = [length for length, where in zip(lengths[1], short.sides, strict=True) if where == name]
        assert sum(side) == pytest.approx(expected, rel=EXACT)


def test_an_edge_between_two_sides_does_not_shrink():
    tiles = tiling(np.array([[1.0, 0.5], [3.0, 0.5]]), np.array([4.0, 1.0]), 1.5)
    assert [len(tile) for tile in tiles.tiles] == [4, 4]
    assert tiles.sides.count("") == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grains": 10**7}, "grains = 1e+07, must be at most 100000"),
        ({"size_xy": 2.0}, "size_xy = 2.0, must be a list of numbers"),
        ({"size_xy": (2.0, -1.0)}, "length along y = -1, must be greater than 0"),
        ({"grains": 0}, "grains = 0, must be at least 1"),
        ({"grains": "many"}, "grains = 'many', must be a whole number"),
        ({"size": 0.0}, "size = 0, must be greater than 0"),
        ({"size": 1.5}, "size = 1.5, must be at most 1"),
        ({"size": math.nan}, "size = nan, must be finite"),
        ({"boundary": 0.0}, "boundary = 0, must be greater than 0"),
        ({"boundary": 0.2}, "boundary = 0.2, must be at most 0.1"),
        ({"boundary": 0.9, "size": 1.0}, "boundary = 0.9, must leave something of grain 1"),
        ({"seed": -1}, "seed = -1, must be at least 0"),
        ({"seed": 0.5}, "seed = 0.5, must be a whole number"),
    ],
)
def test_a_polycrystal_that_cannot_be_is_refused(change: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError) as caught:
        em.mesh.polycrystal(**GIVEN | change)
    assert message in str(caught.value)
