"""A mesh that does not resolve a solution is reported once, with the number and the remedy; and finer meshes."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.units import MPa, um

import numpy as np
import pytest
from mpi4py import MPI

COPPER = em.materials.copper(temperature=573.0)
LENGTH, CURRENT = 50 * um, 2e10
KAPPA = COPPER.diffusivity * COPPER.bulk_modulus * COPPER.atomic_volume / (em.units.boltzmann * 573.0)


def time_constant(length: float) -> float:
    """Of the slowest part of the stress in a blocked line."""
    return length**2 / (np.pi**2 * KAPPA)


def line(cells: int | str = 8, **given: Any) -> em.Model:
    domain = em.mesh.interval(LENGTH, cells=cells)
    return em.stress.model(domain, COPPER, **({"current_density": CURRENT} | given))


def marched(model: em.Model, until: float, **given: Any) -> list[str]:
    """The warnings of a run."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        em.evolve(model, until, progress=False, **given)
    return [str(each.message) for each in caught if issubclass(each.category, em.ResolutionWarning)]


def reaching(part: float, cells: int = 8) -> float:
    """The time at which the diffusion length is so many cells."""
    return (part * LENGTH / cells) ** 2 / KAPPA


@pytest.mark.parametrize(("degree", "limit"), [(1, 4.5), (2, 0.75), (3, 0.75)])
def test_a_diffusion_length_below_the_limit_is_reported_and_one_above_is_not(degree: int, limit: float):
    (told,) = marched(line(degree=degree), reaching(0.9 * limit))
    assert f"the stress model: diffusion length over cell size = {0.9 * limit:.3g} at t = " in told
    assert (
        f"should be at least {limit:g}: stress at ends and junctions is off by more than 1e-3; take cells there of "
        in told
    )
    assert marched(line(degree=degree), reaching(1.1 * limit)) == []


@pytest.mark.filterwarnings("ignore:the stress model. diffusion length:emfem.ResolutionWarning")
@pytest.mark.parametrize(("degree", "limit"), [(1, 4.5), (2, 0.75)])
def test_the_limit_is_where_the_error_is_a_thousandth(degree: int, limit: float):
    """Of the stress at the blocked end, on 64 cells; within a factor of two on either side."""
    model = line(64, degree=degree)
    t = reaching(limit, 64)
    em.evolve(model, t, rtol=1e-6, atol=1e-8, progress=False)
    found = em.fields.evaluate(model["sigma"], [[0.0]])[0]
    exact = em.analytic.korhonen_line(0.0, t, length=LENGTH, current_density=CURRENT, material=COPPER)
    assert 5e-4 < abs(found / float(exact) - 1) < 2e-3


def test_it_is_reported_once_and_points_at_the_line_of_the_user():
    model = line()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for part in (0.3, 0.4):
            em.evolve(model, reaching(part), progress=False)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_the_first_time_that_is_looked_at_counts():
    late = reaching(5.0)
    assert marched(line(), late, watch=[em.watch.series(["mean"])]) == []  # each step is nobody's choice
    (told,) = marched(line(), late, watch=[em.watch.series(["mean"], times=[reaching(0.3), late])])
    assert "= 0.3 at t = " in told
    assert len(marched(line(), late, watch=[em.watch.probe("sigma", at=0.0, every=reaching(0.3))])) == 1


def test_an_event_that_ends_the_run_is_looked_at():
    event = em.watch.event("sigma_max", above=1 * MPa)
    (told,) = marched(line(), reaching(5.0), watch=[event])
    assert "diffusion length over cell size" in told


def test_an_early_void_is_reported_and_an_immortal_conductor_is_not():
    with pytest.warns(em.ResolutionWarning, match="diffusion length over cell size"):
        em.failure.nucleation(line(), critical_stress=2 * MPa, until=1e9)
    with pytest.warns(em.ResolutionWarning, match="diffusion length over cell size"):
        em.failure.run(line(voids=True), critical_stress=2 * MPa, until=1e9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        em.failure.nucleation(line(current_density=1e6), critical_stress=500 * MPa, until=1e9)


def test_without_a_change_nothing_is_reported():
    assert marched(line(current_density=0.0), reaching(0.1)) == []
    assert len(marched(line(current_density=0.0, on={"left": em.fixed(1e7)}), reaching(0.1))) == 1


@pytest.mark.parametrize(("degree", "limit"), [(1, 1.0), (2, 1.5), (3, 2.0)])
def test_a_cell_peclet_number_above_the_limit_is_reported(degree: int, limit: float):
    """v h/(2 D) on ten cells of a line of length 1."""

    def run(number: float, **more: Any) -> list[str]:
        domain = em.mesh.interval(1.0, cells=10)
        given: dict[str, Any] = {"degree": degree} | more
        return marched(em.migration.model(domain, diffusivity=1.0, drift=20 * number, initial=1.0, **given), 1e-3)

    (told,) = run(1.2 * limit)
    assert (
        f"cell Peclet number = {1.2 * limit:.3g}, should be at most {limit:g}: layers there oscillate; take cells 2"
        in told
    )
    assert run(limit) == []
    assert run(1.2 * limit, degree=1, stabilisation="fitted") == []


def test_a_steady_solve_reports_its_peclet_number():
    domain = em.mesh.interval(1.0, cells=10)
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    model = em.migration.model(domain, diffusivity=1.0, drift=50.0, initial=1.0, on=on)
    with pytest.warns(em.ResolutionWarning, match="cell Peclet number = 2.5, should be at most 1.5"):
        em.solve_steady(model)


def test_an_interface_of_fewer_than_four_nodes_is_reported():
    """f = c^2 (1 - c)^2 has f'' = -1 at 1/2, so with eps = 0.02 an interface is 0.2 pi = 0.628 wide."""
    alloy = em.film.Alloy(entropy=0.1, enthalpy=0.15, solute_expansion=0.0, gradient_energy=0.02)

    def run(cells: int, degree: int) -> list[str]:
        domain = em.mesh.interval(4.0, cells=cells)
        given: dict[str, Any] = {"free_energy": lambda c: c**2 * (1 - c) ** 2, "mean": 0.5, "degree": degree}
        return marched(
            em.film.model(domain, alloy, initial=lambda x: 0.5 + 0.01 * np.cos(np.pi * x[0] / 4), **given), 1e-3
        )

    (told,) = run(9, 2)  # 0.628 * 2 * 9/4 + 1 = 3.83
    assert "the film model: nodes in an interface = 3.83, should be at least 4:" in told
    assert "take cells 1.1 times smaller" in told
    assert run(10, 2) == []
    assert len(run(19, 1)) == 1
    assert run(20, 1) == []


def test_a_film_that_does_not_separate_has_no_interface():
    alloy = em.film.Alloy(entropy=1.0, enthalpy=0.0, solute_expansion=0.0, gradient_energy=1e-6)
    domain = em.mesh.interval(4.0, cells=2)
    assert (
        marched(em.film.model(domain, alloy, mean=0.5, initial=lambda x: 0.5 + 0.01 * np.cos(np.pi * x[0] / 4)), 1e-3)
        == []
    )


def told_on_ranks() -> dict[str, Any]:
    """Number of warnings on each rank, and the error on each if warnings are errors."""
    shown: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_, **__: shown.append(str(message))
        em.evolve(line(), reaching(0.3), progress=False)
    raised = ""
    with warnings.catch_warnings():
        warnings.simplefilter("error", em.ResolutionWarning)
        try:
            em.evolve(line(), reaching(0.3), progress=False)
        except em.ResolutionWarning as warning:
            raised = str(warning)
    comm = MPI.COMM_WORLD
    return {"shown": comm.gather(len(shown)), "raised": comm.gather(raised)}


@pytest.mark.parallel
def test_one_rank_prints_and_all_raise(run_json_on_ranks: Callable[..., Any]):
    found = run_json_on_ranks(2, __file__)
    assert found["shown"] == [1, 0]
    assert found["raised"][0] == found["raised"][1] != ""


# ---- graded cells


def test_graded_cells_of_a_line_grow_from_both_ends_alike():
    """9 cells: 2 ln(1 + 0.5/(2 * 0.03))/0.5 = 8.9; each is at most 1.65 = e^0.5 times as long as its neighbour."""
    domain = em.mesh.interval(LENGTH, cells="graded")
    x = np.sort(domain.mesh.geometry.x[:, 0])
    h = np.diff(x)
    assert len(h) == 9
    assert (x[0], x[-1]) == (0.0, pytest.approx(LENGTH, rel=1e-14, abs=0))
    assert h == pytest.approx(h[::-1], rel=1e-9, abs=0)
    assert 0.03 < h[0] / LENGTH < 0.04
    assert 1.4 < h[1:5].max() / h[:4].max() < 1.65
    assert (h[1:] / h[:-1])[:4].max() < np.exp(0.5)


def test_graded_cells_are_those_of_the_shortest_wire_at_a_node():
    net = em.mesh.network([(0, 0), (1 * um, 0), (51 * um, 0)], [(0, 1), (1, 2)], width=0.1 * um, thickness=0.1 * um)
    x = np.sort(net.mesh.geometry.x[:, 0])
    h, at = np.diff(x), int(np.argmin(np.abs(x - 1 * um)))
    assert 0.028 * um < h[at - 1] < 0.04 * um
    assert 0.028 * um < h[at] < 0.04 * um  # of the long wire, where the short one ends
    assert 1.5 * um < h[-1] < 2.0 * um  # 1.3 * 0.03 of the long one: cells grow inside a cell too


@pytest.mark.parametrize("part", [0.01, 0.02, 0.05, 0.2, 1.0])
def test_a_graded_line_is_good_to_a_thousandth_from_a_hundredth_of_its_time_constant(part: float):
    t = part * time_constant(LENGTH)
    model = line("graded")
    em.evolve(model, t, rtol=1e-5, atol=1e-7, progress=False)
    found = em.fields.evaluate(model["sigma"], [[0.0], [LENGTH]])
    exact = em.analytic.korhonen_line(
        np.array([0.0, LENGTH]), t, length=LENGTH, current_density=CURRENT, material=COPPER
    )
    assert found == pytest.approx(np.ravel(exact), rel=1e-3)


def junction(**cells: Any) -> em.mesh.Domain:
    """A short wire, a long one and one between that meet."""
    nodes = [(0, 0), (5 * um, 0), (65 * um, 0), (5 * um, 20 * um)]
    wide = [0.2 * um, 0.1 * um, 0.1 * um]
    return em.mesh.network(nodes, [(0, 1), (1, 2), (1, 3)], width=wide, thickness=0.1 * um, **cells)


def at_nodes(domain: em.mesh.Domain, t: float) -> np.ndarray:
    model = em.stress.model(domain, COPPER, current_density=[2e10, 2.5e10, 1.5e10])
    em.evolve(model, t, rtol=1e-5, atol=1e-7, progress=False)
    return em.stress.at_nodes(model)


@pytest.mark.parametrize("longest", [False, True])
@pytest.mark.filterwarnings("ignore:the stress model. diffusion length:emfem.ResolutionWarning")
def test_the_default_of_networks_is_good_to_a_thousandth_where_the_wires_need_it(longest: bool):
    """In parts of the largest stress: at 0.01 of the short wire's time constant at its nodes, of the long one's at all.

    Far from the short wire the long one is not resolved at the first time, which is told.
    """
    t = 0.01 * time_constant(60 * um if longest else 5 * um)
    default, fine = at_nodes(junction(), t), at_nodes(junction(size=0.05 * um), t)
    off = np.abs(default - fine)[[0, 1, 2, 3] if longest else [0, 1]]
    assert off.max() < 1e-3 * np.abs(fine).max()
    assert np.abs(at_nodes(junction(cells=8), t) - fine)[0] > 5e-3 * np.abs(fine).max() or longest


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: em.mesh.interval(1.0, cells="fine"), "'fine'; cells has graded"),
        (lambda: em.mesh.interval(-1.0, cells="graded"), "length along x = -1, must be greater than 0"),
        (lambda: junction(cells="fine"), "'fine'; cells has graded"),
        (lambda: junction(cells="graded", size=1 * um), "cells = 'graded' and size = 1e-06, must be one or the other"),
    ],
)
def test_bad_input(call: Callable[[], Any], words: str):
    with pytest.raises(em.ParameterError, match=words):
        call()


if __name__ == "__main__":
    found = told_on_ranks()
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(found))
