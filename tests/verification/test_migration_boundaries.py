"""Grain boundaries as fast paths: against sums of parallel paths, a resolved layer, and Boltzmann's law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import emfem as em
from emfem import migration
from emfem.errors import ParameterError

import dolfinx
import numpy as np
import pytest
import ufl

PATH = migration.fast_path(width=0.01, diffusivity=500.0)
KINDS = [{}, {"degree": 1}, {"stabilisation": "fitted"}]


def in_regions(domain: em.mesh.Domain, names: tuple[str, ...], region: Callable[[Any], Any]) -> em.mesh.Domain:
    """The same mesh with regions, told by their number at the midpoint of a cell."""
    mesh = domain.mesh
    cells = np.arange(mesh.topology.index_map(2).size_local + mesh.topology.index_map(2).num_ghosts, dtype=np.int32)
    places = dolfinx.mesh.compute_midpoints(mesh, 2, cells)
    tags = dolfinx.mesh.meshtags(mesh, 2, cells, (1 + region(places)).astype(np.int32))
    return replace(domain, regions=names, cells=tags)


def inside(half: float, places: Any) -> Any:
    """Mask of the places in the layer about y = 0.4."""
    return abs(places[:, 1] - 0.4) < half


def two_grains(axis: int) -> em.mesh.Domain:
    """A strip 2 x 1 of two grains, one after the other or side by side."""
    strip = em.mesh.rectangle((2.0, 1.0), cells=(16, 8), cell="triangle")
    return in_regions(strip, ("one", "two"), lambda x: x[:, axis] > (1.0, 0.5)[axis])


def species(domain: em.mesh.Domain, **arguments: Any) -> em.Model:
    given: dict[str, Any] = {"diffusivity": 1.0, "initial": 0.0, "grain_boundaries": PATH} | arguments
    return migration.model(domain, **given)


@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize(("axis", "through"), [(0, 0.5), (1, 0.5 + 0.01 * 500 / 2)], ids=["bamboo", "along"])
def test_a_boundary_carries_what_runs_along_it_and_nothing_across(axis: int, through: float, options: dict[str, Any]):
    """D W dc/L, and delta D_b dc/L more where the boundary joins both ends: exact, as c is linear."""
    model = species(two_grains(axis), on={"left": em.fixed(1.0), "right": em.fixed(0.0)}, **options)
    em.solve_steady(model)
    assert model.quantity("flux right") == pytest.approx(through, rel=1e-11)
    assert model.quantity("flux left") == pytest.approx(-through, rel=1e-11)


def test_fluxes_are_let_in_beside_boundaries():
    """A condition on a named boundary and the fast paths share one measure."""
    model = species(two_grains(1), on={"left": em.fixed(1.0), "right": em.flux(0.25), "top": em.flux(-0.5)})
    em.solve_steady(model)
    assert model.quantity("flux left") == pytest.approx(0.25 - 1.0, rel=1e-11)
    assert model.quantity("flux top") == pytest.approx(1.0, rel=1e-12)


def test_a_line_without_thickness_is_the_limit_of_thin_layers():
    """Atoms enter at the left, run along the boundary, and leave at the top: resolved layers of constant delta D_b."""
    on = {"left": em.fixed(1.0), "top": em.fixed(0.0)}
    square = em.mesh.rectangle((1.0, 1.0), cells=(40, 40), cell="triangle")
    halves = in_regions(square, ("lower", "upper"), lambda x: x[:, 1] > 0.4)
    place = [[0.5, 0.2], [0.9, 0.4], [0.7, 0.7]]
    line = species(halves, grain_boundaries=migration.fast_path(width=0.01, diffusivity=200.0), on=on)
    em.solve_steady(line)
    expected = em.fields.evaluate(line["c"], place)
    off = []
    for cells in (4, 2):
        half = cells / 80
        layered = in_regions(square, ("grains", "layer"), partial(inside, half))
        values = {"grains": 1.0, "layer": 2.0 / (2 * half)}
        resolved = species(layered, diffusivity=values, grain_boundaries=None, on=on)
        em.solve_steady(resolved)
        off.append(abs(em.fields.evaluate(resolved["c"], place) - expected).max())
    assert off[1] < 0.03
    assert off[0] / off[1] == pytest.approx(2.0, abs=0.4)  # first order in the width
    without = species(square, grain_boundaries=None, on=on)
    em.solve_steady(without)
    assert abs(em.fields.evaluate(without["c"], place) - expected).max() > 0.1


def test_boundaries_of_the_same_charge_leave_boltzmann_s_law_as_it_is():
    """v_b/D_b = v/D: in a blocked polycrystal, fitted, the profile is that of the grains alone, at every node."""
    domain = em.mesh.polycrystal((2.0, 1.0), 12, size=0.12, seed=2)
    path = migration.fast_path(width=0.01, diffusivity=500.0, drift=(1500.0, 500.0))
    model = species(domain, drift=(3.0, 1.0), initial=1.0, grain_boundaries=path, stabilisation="fitted")
    em.solve_steady(model)
    x = model["c"].function_space.tabulate_dof_coordinates()
    shape = model["c"].x.array * np.exp(-3 * x[:, 0] - x[:, 1])
    assert shape.max() / shape.min() - 1 < 1e-5  # e^7 times the tolerance of the steady state
    assert model.quantity("amount") == pytest.approx(2.0, rel=1e-10)


def test_another_charge_in_the_boundary_makes_a_species_circulate():
    """Along the boundary the other way: it is no longer Boltzmann's."""
    path = migration.fast_path(width=0.01, diffusivity=500.0, drift=(-1500.0, 0.0))
    model = species(two_grains(1), drift=(3.0, 0.0), initial=1.0, grain_boundaries=path, stabilisation="fitted")
    em.solve_steady(model)
    ends = em.fields.evaluate(model["c"], [[0.0, 0.5], [2.0, 0.5], [0.0, 0.0], [2.0, 0.0]])
    assert ends[0] > 2 * ends[1]  # in the boundary atoms are driven to the left
    assert model.quantity("amount") == pytest.approx(2.0, rel=1e-10)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"width": 0.0, "diffusivity": 1.0}, "width = 0, must be greater than 0"),
        ({"width": 1.0, "diffusivity": -1.0}, "diffusivity of a boundary = -1"),
        ({"width": 1.0, "diffusivity": ufl.as_vector((1.0, 1.0))}, "diffusivity of a boundary of shape"),
    ],
)
def test_bad_paths_are_refused(arguments: dict[str, Any], told: str):
    with pytest.raises(ParameterError, match=told):
        migration.fast_path(**arguments)


def test_boundaries_need_regions_that_touch(plate: em.mesh.Domain):
    with pytest.raises(ParameterError, match="must have two regions that touch"):
        species(plate)
    with pytest.raises(ParameterError, match=r"must be em\.migration\.fast_path"):
        species(plate, grain_boundaries=0.01)
    with pytest.raises(ParameterError, match=r"drift of a boundary = 1\.0, must be a vector of 2"):
        species(two_grains(0), grain_boundaries=migration.fast_path(width=0.1, diffusivity=1.0, drift=1.0))


def test_fitted_boundaries_are_those_of_a_plane():
    box = em.mesh.grains(em.mesh.box((1.0, 1.0, 1.0), cells=(2, 2, 2), cell="tetrahedron"), count=2)
    with pytest.raises(ParameterError, match="in 3 dimensions, must be in 2"):
        species(box, stabilisation="fitted")
    em.solve_steady(species(box, on={"left": em.fixed(1.0), "right": em.flux(1.0)}))
