"""Grain boundaries that exchange with grains: parallel paths, both limits of the rate, a closed form, balances."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import emfem as em
from emfem import migration
from emfem.errors import ParameterError

import dolfinx
import numpy as np
import pytest

KINDS = [{}, {"degree": 1}, {"stabilisation": "fitted"}]


def two_grains(axis: int = 1, cells: tuple[int, int] = (16, 8)) -> em.mesh.Domain:
    """A strip 2 x 1 of two grains, one after the other or side by side."""
    strip = em.mesh.rectangle((2.0, 1.0), cells=cells, cell="triangle")
    mesh = strip.mesh
    owned = mesh.topology.index_map(2)
    numbers = np.arange(owned.size_local + owned.num_ghosts, dtype=np.int32)
    upper = dolfinx.mesh.compute_midpoints(mesh, 2, numbers)[:, axis] > (1.0, 0.5)[axis]
    tags = dolfinx.mesh.meshtags(mesh, 2, numbers, (1 + upper).astype(np.int32))
    return replace(strip, regions=("one", "two"), cells=tags)


def species(domain: em.mesh.Domain, path: dict[str, Any], **arguments: Any) -> em.Model:
    fast = migration.fast_path(**({"width": 0.01, "diffusivity": 500.0} | path))
    given: dict[str, Any] = {"diffusivity": 1.0, "initial": 0.0} | arguments
    return migration.model(domain, grain_boundaries=fast, **given)


@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize("exchange", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("segregation", [1.0, 3.0])
def test_paths_in_parallel_add_up(options: dict[str, Any], exchange: float, segregation: float):
    """D W dc/L and s delta D_b dc/L: both are linear in x, so nothing is exchanged, whatever the rate."""
    path = {"exchange": exchange, "segregation": segregation}
    model = species(two_grains(), path, on={"left": em.fixed(1.0), "right": em.fixed(0.0)}, **options)
    em.solve_steady(model)
    through = 0.5 + segregation * 0.01 * 500 / 2
    assert model.quantity("flux right") == pytest.approx(through, rel=1e-9)
    assert model.quantity("flux left") == pytest.approx(-through, rel=1e-9)
    assert model.quantity("c_boundary_max") == pytest.approx(segregation)


def test_a_bamboo_is_as_slow_as_its_grains():
    model = species(two_grains(0), {"exchange": 10.0}, on={"left": em.fixed(1.0), "right": em.fixed(0.0)})
    em.solve_steady(model)
    assert model.quantity("flux right") == pytest.approx(0.5, rel=1e-9)


def test_fast_exchange_is_one_concentration_and_none_is_none():
    """Atoms enter at the left and leave at the top, so the boundary lives of what it exchanges: first order in 1/k."""
    on = {"left": em.fixed(1.0), "top": em.fixed(0.0)}
    one = species(two_grains(), {}, on=on)
    em.solve_steady(one)
    alone = migration.model(two_grains(), diffusivity=1.0, initial=0.0, on=on)
    em.solve_steady(alone)
    found = []
    for exchange in (1e-6, 1e4, 1e5):
        model = species(two_grains(), {"exchange": exchange}, on=on)
        em.solve_steady(model)
        found.append(model.quantity("flux top"))
    assert found[0] == pytest.approx(alone.quantity("flux top"), rel=1e-4)
    off = [abs(flux - one.quantity("flux top")) for flux in found[1:]]
    assert off[1] < 1e-3 * one.quantity("flux top")
    assert off[0] / off[1] == pytest.approx(10.0, rel=0.1)


def test_drift_along_a_boundary_is_fed_by_the_grains():
    """D_b c_b'' - v c_b' = k/delta (c_b - s c) with blocked ends, c uniform as the grains are quick."""
    width, spread, speed, rate, segregation = 0.01, 500.0, 1000.0, 20.0, 2.0
    model = species(
        two_grains(cells=(64, 8)),
        {"diffusivity": spread, "drift": (speed, 0.0), "exchange": rate, "segregation": segregation},
        diffusivity=1e7,
        initial=1.0,
    )
    before = model.quantity("amount")
    em.solve_steady(model)
    level = float(em.fields.evaluate(model["c"], [[1.0, 0.25]])[0])
    roots = np.array([speed + sign * np.sqrt(speed**2 + 4 * spread * rate / width) for sign in (1, -1)]) / (2 * spread)
    rows = [[(speed - spread * m) * np.exp(m * x) for m in roots] for x in (0.0, 2.0)]
    parts = np.linalg.solve(rows, [-speed * segregation * level] * 2)
    x = np.linspace(0.0, 2.0, 9)
    exact = segregation * level + np.exp(np.outer(x, roots)) @ parts
    found = em.fields.evaluate(model["c_boundary"], np.column_stack([x, np.full_like(x, 0.5)]))
    assert found == pytest.approx(exact, rel=2e-3)  # c is uniform to 1e-5; 64 quadratics
    assert exact.max() / exact.min() > 3
    assert model.quantity("amount") == pytest.approx(before, rel=1e-10)


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_atoms_of_boundaries_and_grains_are_kept_together(options: dict[str, Any]):
    domain = em.mesh.polycrystal((2.0, 1.0), 8, size=0.2, seed=2)
    path = {"drift": (-100.0, 30.0), "exchange": 5.0, "segregation": 4.0}
    model = species(domain, path, drift=(3.0, 1.0), initial=lambda x: 1 + x[0], **options)
    assert model.quantity("amount") > 4.0  # the grains alone hold 4
    em.evolve(model, 0.1, watch=[em.watch.conserved("amount", rtol=1e-10)], progress=False)
    assert model.quantity("c_boundary_max") > 4.0


def test_what_flows_out_is_what_is_lost_from_both():
    model = species(
        two_grains(), {"exchange": 2.0, "drift": (200.0, 0.0)}, initial=1.0, on={"left": em.fixed(lambda t: 1 + 3 * t)}
    )
    em.evolve(model, 0.01, fixed_step=1e-4, progress=False)
    before, step = model.quantity("amount"), 1e-5
    out = [model.quantity("flux left")]
    em.evolve(model, 0.01 + step, fixed_step=step, progress=False)
    out.append(model.quantity("flux left"))
    assert (before - model.quantity("amount")) / step == pytest.approx(np.mean(out), rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"exchange": 0.0}, "exchange = 0, must be greater than 0"),
        ({"exchange": np.inf}, "exchange = inf, must be finite"),
        ({"exchange": 1.0, "segregation": 0.0}, "segregation = 0, must be greater than 0"),
        ({"segregation": 2.0}, "segregation = 2 without an exchange, must be 1"),
    ],
)
def test_bad_exchange_is_refused(arguments: dict[str, Any], told: str):
    with pytest.raises(ParameterError, match=told):
        migration.fast_path(width=0.01, diffusivity=1.0, **arguments)
