"""Iterative solvers that models state: the same answers as a factorisation, at a cost that the mesh does not change."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.errors import ConvergenceError, ParameterError, UnknownName
from emfem.solve import Problem, choice, fallback
from emfem.units import nm
from tests.solve import preconditioner_case

import numpy as np
import pytest
import ufl
from dolfinx import fem

Films = Callable[..., em.Model]

GOLD = em.materials.gold(temperature=900.0)
CRYSTAL = em.film.Anisotropy("100", ratio=0.1)


def film(domain: em.mesh.Domain, **options: Any) -> em.Model:
    arguments: dict[str, Any] = {"mean": 0.3, "initial": em.film.noise(0.08, seed=3)} | options
    return em.film.model(domain, em.film.cupd(), **arguments)


def polycrystal() -> em.Model:
    domain = em.mesh.polycrystal((8.0, 8.0), 3, size=1.0, seed=2)
    turned = {grain: CRYSTAL.turned(0.7 * i) for i, grain in enumerate(domain.regions)}
    return film(domain, anisotropy=turned, degree=1)


def shell() -> em.Model:
    return film(em.mesh.sphere(1.5, size=0.8), anisotropy=np.diag([1.0, 3.0]), degree=1)


def of_own_laws() -> em.Model:
    """With c of both signs, and a mobility that is none or negative beyond 1."""
    return film(
        em.mesh.rectangle((6.0, 6.0), cells=(12, 12)),
        mean=0.0,
        free_energy=lambda c: (c**2 - 1) ** 2 / 4,
        mobility=lambda c: 0.5 * (1 - c) * (1 + c),
        initial=lambda x: 1.02 * np.cos(np.pi * x[0] / 6),
        degree=1,
    )


def in_space() -> em.Model:
    tensor = np.array([[1.0, 0.2, 0.0], [0.2, 3.0, 0.0], [0.0, 0.0, 1.0]])
    return film(em.mesh.box((3.0, 3.0, 3.0), cells=(5, 5, 5)), field=(0.1, 0.0, 0.0), anisotropy=tensor, degree=1)


def with_tensor_of_place() -> em.Model:
    domain = em.mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6))
    x = ufl.SpatialCoordinate(domain.mesh)
    wave = 1 + 0.5 * ufl.sin(2 * ufl.pi * x[0] / 10)
    return film(domain, anisotropy=ufl.as_matrix([[wave, 0.3], [0.3, 2.0]]), degree=3)


FILMS = (polycrystal, shell, of_own_laws, in_space, with_tensor_of_place)


@pytest.mark.parametrize("make", FILMS)
def test_a_film_solved_iteratively_is_the_one_solved_directly(make: Callable[[], em.Model]):
    direct, iterative = make(), make()
    first = em.evolve(direct, 1.0, solver="direct", progress=False)
    second = em.evolve(iterative, 1.0, solver="iterative", progress=False)
    assert iterative["c"].x.array == pytest.approx(direct["c"].x.array, abs=1e-6)
    assert second.steps == pytest.approx(first.steps, rel=0.05)
    assert first.linear_iterations == first.solves
    assert 2 < second.linear_iterations / second.solves < 25


def test_a_film_with_conditions_is_the_same_on_two_ranks(mpiexec: Callable[..., tuple[int, str, str]]):
    direct, iterative = (preconditioner_case.numbers(solver) for solver in ("direct", "iterative"))
    status, out, err = mpiexec(2, sys.executable, preconditioner_case.__file__, "iterative")
    assert status == 0, err
    on_two = json.loads(out.splitlines()[-1])
    kept = [int(count) for count in re.findall(r"Total entries: (\d+)", out)]
    assert len(kept) == 2
    assert max(kept) < 10  # 22 if PETSc frees nothing: as many more after each new Jacobian
    for freed, kept in on_two.pop("memory"):  # of each rank, without and with the data of products
        assert freed <= 0.75 * kept
    assert direct.pop("iterations") == 1
    for found in (iterative, on_two):
        assert 5 < found.pop("iterations") < 20
        assert found == pytest.approx(direct, rel=1e-6)


def test_iterations_do_not_grow_with_the_film():
    counts = []
    for cells in (8, 24):
        model = film(em.mesh.periodic_rectangle((0.65 * cells, 0.65 * cells), cells=(cells, cells)), degree=1)
        run = em.evolve(model, 1.0, solver="iterative", progress=False)
        counts.append(run.linear_iterations / run.solves)
    assert counts[1] == pytest.approx(counts[0], rel=0.2)


@pytest.mark.parametrize("current", [None, 1e3])
def test_a_surface_solved_iteratively_is_the_one_solved_directly(current: float | None):
    time = (20 * nm) ** 4 / em.analytic.mullins_coefficient(GOLD)
    driven: dict[str, Any] = {} if current is None else {"current": current, "on": ("left", "right")}
    models = [
        em.surface.model(
            em.mesh.rectangle((60 * nm, 30 * nm), cells=(24, 12)),
            GOLD,
            shape=em.surface.strip(30 * nm),
            interface_width=2.5 * nm,
            **driven,
        )
        for _ in range(2)
    ]
    runs = [
        em.evolve(m, 1e-5 * time, solver=s, progress=False)
        for m, s in zip(models, ("direct", "iterative"), strict=True)
    ]
    assert models[1]["c"].x.array == pytest.approx(models[0]["c"].x.array, abs=1e-6)
    assert models[1].quantity("free_energy") == pytest.approx(models[0].quantity("free_energy"), rel=1e-7, abs=0)
    assert runs[1].steps == runs[0].steps
    assert runs[1].linear_iterations < 20 * runs[1].solves


@pytest.fixture
def driven(plate: em.mesh.Domain) -> Callable[[], list[em.Model]]:
    """A film in the field of a current, in one system."""

    def make() -> list[em.Model]:
        on = {"left": em.fixed(1.0), "right": em.fixed(0.0)}
        current = em.conduction.model(plate, conductivity=1.0, on=on, degree=1)
        return [current, film(plate, field=current["E"], degree=1)]

    return make


def test_models_in_one_system_are_blocks_each_with_its_solver(driven: Callable[[], list[em.Model]]):
    direct, iterative = driven(), driven()
    em.evolve(direct, 1.0, solver="direct", progress=False)
    run = em.evolve(iterative, 1.0, solver="iterative", progress=False)
    assert iterative[1]["c"].x.array == pytest.approx(direct[1]["c"].x.array, abs=1e-6)
    assert [(block.name, block.members) for block in Problem(iterative).blocks] == [("phi", (0,)), ("film", (1, 2))]
    assert run.linear_iterations < 20 * run.solves


# ---- options


def iterations(model: em.Model, **options: object) -> float:
    """Iterations a solve of a short run."""
    run = em.evolve(model, 0.5, solver="iterative", petsc_options=options, progress=False)
    return run.linear_iterations / run.solves


def test_options_reach_the_solvers_inside(film: Films):
    usual = iterations(film(degree=1))
    assert iterations(film(degree=1), mass_pc_type="none", mass_ksp_max_it=1) > usual
    assert iterations(film(degree=1), factor_pc_type="lu") <= usual


@pytest.mark.parametrize("key", ["factor_pc_gamg_threshld", "mass_ksp_max_itt", "factr_pc_type"])
def test_options_that_no_inner_solver_reads_are_refused(film: Films, key: str):
    with pytest.raises(ParameterError, match=rf"^petsc_options\['{key}'\] = 1, must be an option that a solver"):
        em.evolve(film(degree=1), 0.5, solver="iterative", petsc_options={key: 1}, progress=False)


def test_options_reach_the_solvers_inside_of_blocks(driven: Callable[[], list[em.Model]]):
    options = {"fieldsplit_film_mass_pc_type": "none", "fieldsplit_film_mass_ksp_max_it": 1}
    counts = [
        em.evolve(driven(), 0.1, solver="iterative", petsc_options=chosen, progress=False).linear_iterations
        for chosen in ({}, options)
    ]
    assert counts[1] > counts[0]


def test_a_preconditioner_of_the_user_replaces_that_of_the_model(film: Films):
    assert iterations(film(degree=1), pc_type="lu", ksp_type="preonly") == 1.0


# ---- the choice


def test_models_that_state_nothing_are_solved_directly(decay: Callable[..., em.Model]):
    assert Problem([decay()], solver="auto").solver == "direct"
    for refused in (lambda m: em.evolve(m, 1.0, solver="iterative"), lambda m: em.solve.advise(m, solver="iterative")):
        with pytest.raises(ParameterError, match=r"^solver = 'iterative' for the decay model, must be 'direct'"):
            refused(decay())
    with pytest.raises(UnknownName, match="'fast'; solver has auto, direct, iterative"):
        em.solve_steady(decay(), solver="fast")


@pytest.mark.parametrize(("factor", "solver"), [(2.01, "direct"), (1.99, "iterative")])
def test_a_plane_film_is_solved_iteratively_where_a_factorisation_takes_half_the_memory(
    film: Films, factor: float, solver: str, monkeypatch: pytest.MonkeyPatch
):
    model = film(degree=1)
    needed = em.solve.advise(model, solver="direct").memory
    monkeypatch.setattr(choice, "SMALL", 0)
    monkeypatch.setattr(choice, "machine_memory", lambda _: factor * needed)
    assert em.solve.advise(model).solver == solver


@pytest.mark.parametrize(("missing", "solver"), [(1, "direct"), (0, "iterative")])
def test_a_large_film_in_space_is_solved_iteratively(missing: int, solver: str, monkeypatch: pytest.MonkeyPatch):
    box = em.mesh.periodic_box((3.0, 3.0, 3.0), cells=(3, 3, 3))
    model = em.film.model(box, em.film.cupd(), mean=0.3, field=(0.1, 0.0, 0.0), degree=1)
    size = em.solve.advise(model).unknowns
    monkeypatch.setattr(choice, "SMALL", 0)
    monkeypatch.setattr(choice, "FILM_IN_SPACE", {1: size + missing, 2: size + 1 - missing})
    assert em.solve.advise(model).solver == solver


def test_a_small_film_is_solved_directly_unless_it_is_not_to_be(film: Films):
    assert Problem([film(degree=1)], solver="auto").solver == "direct"
    assert Problem([film(degree=1)], solver="iterative").solver == "iterative"


# ---- failures


def test_a_solve_that_fails_is_repeated_with_more_directions(film: Films, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fallback, "PLANE", 0)
    direct, iterative = film(degree=1), film(degree=1)
    em.evolve(direct, 1.0, solver="direct", progress=False)
    run = em.evolve(iterative, 1.0, solver="iterative", petsc_options={"ksp_max_it": 2}, progress=False)
    assert run.rejected == 0
    assert run.linear_iterations > 5 * run.solves  # those of second attempts count
    assert iterative["c"].x.array == pytest.approx(direct["c"].x.array, abs=1e-6)


def test_a_solve_that_fails_again_is_direct(film: Films, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fallback, "LONGER", {"restart": 2, "max_it": 1})
    direct, iterative = film(degree=1), film(degree=1)
    first = em.evolve(direct, 1.0, solver="direct", progress=False)
    second = em.evolve(iterative, 1.0, solver="iterative", petsc_options={"ksp_max_it": 2}, progress=False)
    assert (second.steps, second.rejected) == (first.steps, 0)
    assert iterative["c"].x.array == pytest.approx(direct["c"].x.array, abs=1e-9)


@pytest.mark.usefixtures("in_tmp")
def test_a_solve_that_nothing_helps_is_an_error(film: Films, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fallback, "LONGER", {"restart": 2, "max_it": 1})
    monkeypatch.setattr(fallback, "PLANE", 0)
    options = {"ksp_max_it": 1, "algebraic_ksp_max_it": 50}
    with pytest.raises(ConvergenceError, match=r"^no step possible at t = 0: .*DIVERGED"):
        em.evolve(film(degree=1), 1.0, solver="iterative", petsc_options=options, progress=False)


@pytest.mark.parametrize("inflow", [0.0, 0.01])
def test_solute_is_conserved_by_solves_that_are_not_exact(plate: em.mesh.Domain, inflow: float):
    model = film(plate, on={"left": em.flux(inflow)}, degree=1)
    start = model.quantity("solute")
    em.evolve(model, 1.0, solver="iterative", petsc_options={"ksp_rtol": 1e-2}, progress=False)
    assert model.quantity("solute") == pytest.approx(start + 3.0 * inflow, rel=1e-13)


# ---- the structure of a model


@pytest.mark.parametrize("tensor", [[[4.0]], [[2.0, 0.5], [0.5, 1.0]], [[3.0, 1.0], [-1.0, 3.0]], 5.0 * np.eye(3)])
def test_the_root_of_a_tensor_is_one(tensor: Any):
    values = np.array(tensor, dtype=float)
    root = em.model.tensor_root(ufl.as_matrix(values.tolist()))
    dim = len(values)
    found = np.array([[float(root[i, j](())) for j in range(dim)] for i in range(dim)])
    assert found @ found == pytest.approx((values + values.T) / 2, rel=1e-14)


def test_a_structure_follows_the_fields_that_replace_placeholders(plate: em.mesh.Domain):
    tensor = em.model.placeholder("tensor", plate, (2, 2))
    model = film(plate, anisotropy=tensor, degree=1)
    twice = fem.Constant(plate.mesh, 2.0 * np.eye(2))
    structure: Any
    (structure,) = model.substitute(tensor=twice).preconditioners
    assert twice in ufl.algorithms.analysis.extract_constants(structure.root)
    assert not ufl.algorithms.extract_coefficients(structure.root)
