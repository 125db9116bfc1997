"""Iterative solvers of conduction, heat, migration and stress: the direct answer, in as many iterations on any mesh."""

from __future__ import annotations

import runpy
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import emfem as em
from emfem import conduction, migration
from emfem.errors import ConvergenceError, ResolutionWarning, UnknownName
from emfem.solve import Problem, TimeStepper, choice
from emfem.studies import Case

import numpy as np
import pytest
import ufl
from petsc4py import PETSc

CASE = Path(__file__).with_name("multigrid_case.py")
COPPER = em.materials.copper(temperature=600.0)
Make = Callable[[int], em.Model]


def block(rows: int, **names: Any) -> em.mesh.Domain:
    return em.mesh.box((2.0, 1.0, 1.0), cells=(2 * rows, rows, rows), **names)


def jumping(rows: int, contrast: float = 1e4) -> em.Model:
    """A block with a rod of another conductivity, and a current through one face."""
    domain = block(rows)
    x = ufl.SpatialCoordinate(domain.mesh)
    sigma = ufl.conditional(ufl.lt((x[0] - 1) ** 2 + (x[1] - 0.5) ** 2, 0.04), contrast, 1.0)
    on: dict[str, Any] = {"left": conduction.electrode(current=1.0), "right": em.fixed(0.0)}
    return conduction.model(domain, conductivity=sigma, on=on, degree=1)


def periodic(rows: int) -> em.Model:
    """A cell without electrodes: the mean of its potential is one more unknown."""
    domain = em.mesh.periodic_rectangle((2.0, 1.0), cells=(2 * rows, rows))
    sigma = 1 + 0.9 * ufl.sin(np.pi * ufl.SpatialCoordinate(domain.mesh)[0])
    return conduction.model(domain, conductivity=sigma, mean_field=(1.0, 0.5), degree=1)


def swept(rows: int, peclet: float = 2.0, **options: Any) -> em.Model:
    """A concentration that a drift with eddies carries across a square; cells have that Peclet number."""
    domain = em.mesh.rectangle((1.0, 1.0), cells=(rows, rows), cell="triangle")
    x, v = ufl.SpatialCoordinate(domain.mesh), 2 * rows * peclet
    turn = (ufl.sin(np.pi * x[0]) * ufl.cos(np.pi * x[1]), -ufl.cos(np.pi * x[0]) * ufl.sin(np.pi * x[1]))
    drift = ufl.as_vector((v + v / 2 * turn[0], v / 2 * turn[1]))
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    options = {"stabilisation": "fitted"} | options
    return migration.model(domain, diffusivity=1.0, drift=drift, initial=0.0, on=on, **options)


@pytest.mark.parametrize(
    ("make", "sizes"), [(jumping, (4, 10)), (periodic, (12, 36)), (swept, (16, 48))], ids=["jumps", "periodic", "drift"]
)
def test_the_answer_is_the_direct_one_in_as_many_iterations_on_any_mesh(make: Make, sizes: Sequence[int]):
    counts = []
    for rows in sizes:
        direct, iterative = make(rows), make(rows)
        em.solve_steady(direct, solver="direct")
        counts.append(em.solve_steady(iterative, solver="iterative").linear_iterations)
        expected = direct.unknowns[0].function.x.array
        assert iterative.unknowns[0].function.x.array == pytest.approx(expected, abs=1e-8 * np.abs(expected).max())
    assert counts[0] > 2
    assert counts[1] <= counts[0] + 8
    assert counts[1] <= 20


@pytest.fixture(scope="module")
def case() -> dict[str, Any]:
    return runpy.run_path(str(CASE))


def test_current_and_the_heat_it_makes_in_one_system(case: dict[str, Any]):
    counts = {}
    for rows in (8, 24):
        direct, iterative = (case["heated"](solver, rows) for solver in ("direct", "iterative"))
        for one, other in zip(direct[0], iterative[0], strict=True):
            for a, b in zip(one.unknowns, other.unknowns, strict=True):
                assert b.function.x.array == pytest.approx(a.function.x.array, rel=1e-8, abs=1e-9)
        assert iterative[1].iterations <= direct[1].iterations + 1
        counts[rows] = iterative[1].linear_iterations / iterative[1].iterations
    assert 2 < counts[24] < min(1.5 * counts[8], 35)


def test_the_answer_is_the_same_on_two_ranks(case: dict[str, Any], run_json_on_ranks: Callable[..., Any]):
    assert run_json_on_ranks(2, CASE, "iterative") == pytest.approx(case["numbers"]("direct"), rel=1e-8)


@pytest.mark.parametrize("time", [0.05, 200.0])
def test_stress_evolves_as_with_a_direct_solver_and_keeps_its_atoms(time: float):
    """Steps far below and far above the time of stress through a cell; the line is blocked."""
    line = em.mesh.rectangle((2e-6, 1e-6), cells=(16, 8))
    found = []
    for solver in ("direct", "iterative"):
        model = em.stress.model(line, COPPER, current_density=(1e10, 0.0))
        run = em.evolve(
            model,
            time,
            fixed_step=time / 4,
            solver=solver,
            watch=[em.watch.conserved("atoms")],
            progress=False,
        )
        found.append(model["sigma"].x.array.copy())
    assert run.linear_iterations > run.solves
    assert np.abs(found[0]).max() > 0
    assert found[1] == pytest.approx(found[0], abs=1e-8 * np.abs(found[0]).max())


def centred(rows: int, peclet: float) -> em.Model:
    """Without stabilisation."""
    return swept(rows, peclet, stabilisation=None)


@pytest.mark.parametrize(("make", "number"), [(jumping, 1e6), (swept, 100.0), (centred, 100.0)])
@pytest.mark.filterwarnings("ignore::emfem.ResolutionWarning")
def test_a_nasty_system_is_solved_or_refused(make: Callable[[int, float], em.Model], number: float):
    direct, iterative = make(8, number), make(8, number)
    em.solve_steady(direct, solver="direct")
    try:
        em.solve_steady(iterative, solver="iterative")
    except ConvergenceError:
        return
    expected = direct.unknowns[0].function.x.array
    assert iterative.unknowns[0].function.x.array == pytest.approx(expected, abs=1e-6 * np.abs(expected).max())


# ---- the choice and the advice


def warm(domain: em.mesh.Domain, degree: int = 1) -> em.Model:
    return em.heat.model(domain, COPPER, on={"left": em.fixed(300.0)}, degree=degree)


@pytest.mark.parametrize(
    ("make", "solver"),
    [
        (lambda: jumping(4), "direct"),
        (lambda: jumping(20), "iterative"),
        (lambda: warm(block(18)), "direct"),  # many systems with one factorisation
        (lambda: warm(block(32)), "iterative"),
        (lambda: warm(em.mesh.rectangle((1.0, 1.0), cells=(80, 80)), 2), "direct"),
        (lambda: warm(em.mesh.interval(1.0, cells=20_000)), "direct"),
    ],
)
def test_the_choice_is_by_size_dimension_and_kind(make: Callable[[], em.Model], solver: str):
    model = make()
    advice = em.solve.advise(model)
    assert advice.solver == solver
    assert advice.unknowns == sum(u.function.x.index_map.size_global for u in model.unknowns)
    assert str(advice).startswith(f"{solver}: {advice.unknowns} unknowns, about ")


def current(domain: em.mesh.Domain) -> em.Model:
    on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
    return em.conduction.model(domain, conductivity=1.0, on=on, degree=1)


def test_two_unknowns_at_a_node_are_factorised_in_more_time_than_as_many_alone():
    domain = block(14)
    both = em.solve.advise([current(domain), warm(domain)])
    alone = em.solve.advise(warm(block(18)))
    assert (both.solver, alone.solver) == ("iterative", "direct")
    assert both.unknowns < alone.unknowns
    models = [current(domain), warm(domain)]
    one = choice.memory("direct", models, [u for model in models for u in model.unknowns][:1])
    both_fields = em.solve.advise(models, solver="direct").memory
    assert both_fields - choice.PROCESS > 2.5 * (one - choice.PROCESS)  # `one` has half as many unknowns


def test_electrodes_that_are_one_number_add_nothing_to_a_factorisation():
    contact = conduction.electrode(current=1.0, contact_resistivity=0.1)
    model = em.conduction.model(block(4), conductivity=1.0, on={"left": contact, "right": em.fixed(0.0)}, degree=1)
    assert len(model.unknowns) > choice.at_a_node(model.unknowns) == 1


@pytest.mark.parametrize(("most", "solver"), [(10_201, "direct"), (10_200, "iterative")])
def test_a_plane_that_is_ordered_by_fill_is_factorised(most: int, solver: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(choice, "MOST_BY_FILL", most)
    assert em.solve.advise(current(em.mesh.rectangle((1.0, 1.0), cells=(100, 100)))).solver == solver


@pytest.mark.skipif(not PETSc.Sys.hasExternalPackage("mumps"), reason="this PETSc has no MUMPS")
@pytest.mark.parametrize(
    ("make", "options", "order"),
    [
        (lambda: em.mesh.rectangle((1.0, 1.0), cells=(2, 2)), {}, 2),
        (lambda: em.mesh.rectangle((1.0, 1.0), cells=(2, 2)), {"mat_mumps_icntl_7": 5}, 5),
        (lambda: em.mesh.rectangle((1.0, 1.0), cells=(2, 2)), {"pc_factor_mat_ordering_type": "nd"}, None),
        (lambda: em.mesh.rectangle((1.0, 1.0), cells=(2, 2)), {"pc_type": "jacobi"}, None),
        (lambda: block(2), {}, None),
    ],
)
def test_a_factorisation_is_ordered_by_fill_in_the_plane_alone(
    make: Callable[[], em.mesh.Domain], options: dict[str, Any], order: int | None
):
    problem = Problem([current(make())])
    assert problem.prepare(PETSc.SNES().create(), {}, options).get("mat_mumps_icntl_7") == order


def test_the_solver_of_a_run_is_the_one_advised():
    model = jumping(20)
    assert Problem([model], solver="auto").solver == em.solve.advise(model).solver == "iterative"
    assert em.solve.advise(model, solver="direct").memory > em.solve.advise(model).memory
    with pytest.raises(UnknownName, match="solver"):
        em.solve.advise(model, solver="multigrid")


def test_a_model_that_does_not_state_its_structure_is_solved_directly():
    model = jumping(20)
    model.preconditioners = ()
    assert em.solve.advise(model).solver == "direct"


def test_a_solver_that_needs_more_memory_than_there_is_warns_before_it_begins(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(choice, "machine_memory", lambda _: 1e8)
    model = jumping(4)
    with pytest.warns(ResolutionWarning, match=r"201 unknowns with solver = 'direct' take about 0\.1\d+ GB.* 0\.1 GB"):
        Problem([model], solver="direct")
    monkeypatch.setattr(choice, "machine_memory", lambda _: 1e12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Problem([model], solver="direct")


def test_a_case_names_its_solver_and_keeps_its_hash_without():
    written = {
        "domain": {"shape": "interval", "length": "10 um", "cells": 8, "names": ["a", "b"]},
        "material": {"metal": "copper"},
        "stress": {"current_density": "1 MA/cm2"},
        "time": {"until": "1 hour"},
    }
    case = Case.from_dict(written)
    assert "solver" not in case.resolved["time"]
    other = case.with_(**{"time.solver": "iterative"})
    assert other.hash != case.hash
    assert other.tables.time is not None
    assert other.tables.time.make()["solver"] == "iterative"
    assert (case.advice().solver, other.advice().solver) == ("direct", "iterative")
    with pytest.raises(em.errors.ParameterError, match="solver has auto, direct, iterative"):
        case.with_(**{"time.solver": "multigrid"})


def test_short_and_long_steps_take_few_iterations():
    model = em.heat.model(block(6), COPPER, on={"left": em.fixed(300.0)}, initial=400.0, degree=1)
    counts = []
    for step in (1e-4, 1e2):
        stepper = TimeStepper([model], model.t + 1e6, fixed_step=step, solver="iterative")
        stepper.step(model.t + step)
        counts.append(stepper.linear_iterations / stepper.solves)
        stepper.close()
    assert 1 <= min(counts) < max(counts) <= 12
