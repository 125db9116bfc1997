"""Solver of thin surfaces: hardly more iterations for long steps than for short ones."""

from __future__ import annotations

import emfem as em
from emfem.solve import Problem
from emfem.solve.options import option_scope
from emfem.units import nm

import numpy as np
import pytest
from petsc4py import PETSc

TUNGSTEN = em.materials.metal("tungsten", temperature=900.0)
MULLINS = em.analytic.mullins_coefficient(TUNGSTEN)


def bridge(width: float) -> em.Model:
    """A quarter of a strip between two pads, whose profile is at rest."""
    sides = (44 * nm, 10 * nm)
    model = em.surface.model(
        em.mesh.rectangle(sides, cells=tuple(int(np.ceil(side / (0.8 * width))) for side in sides)),
        TUNGSTEN,
        shape=em.surface.bridge(26 * nm, 5 * nm, middle=22 * nm, fillet=3 * nm),
        interface_width=width,
    )
    em.evolve(model, 3 * width**4 / MULLINS, rtol=1e-3, solver="direct", progress=False)
    return model


def iterations(model: em.Model, step: float, **options: object) -> int:
    """Return how many iterations the first linear system of a step takes, to 1e-7 of its residual."""
    problem, snes = Problem([model], solver="iterative"), PETSc.SNES().create()
    chosen = problem.prepare(snes, {}, {"ksp_max_it": 400, **options})
    problem.store()
    left, x = problem.x.duplicate(), problem.x.duplicate()
    problem.zero_rates()
    problem.residual(model.t, problem.x, None, left)
    problem.jacobian(model.t, problem.x, 1 / step, problem.matrix)
    ksp = snes.getKSP()
    ksp.setOperators(problem.matrix)
    with option_scope(chosen):
        ksp.solve(left, x)
    assert ksp.getConvergedReason() > 0
    return ksp.getIterationNumber()


def test_iterations_hardly_grow_with_the_step():
    found = {}
    for width in (1 * nm, 0.5 * nm):
        model, rest = bridge(width), width**4 / MULLINS
        found[width] = [iterations(model, ratio * rest) for ratio in (1, 100, 1e3)]
    assert found[0.5 * nm] == pytest.approx(found[1 * nm], rel=0.2)  # on four times as many cells
    longest = iterations(model, 1e4 * rest)
    assert longest < 2.2 * found[0.5 * nm][0]
    assert iterations(model, 1e4 * rest, coarse_pc_type="none") > 2 * longest  # the motion of the surface left out


def wire(solver: str) -> dict[str, float]:
    """Numbers of a wire between pads, in space, after 0.1 l^4 / B."""
    width = 2 * nm
    model = em.surface.model(
        em.mesh.box((22 * nm, 8 * nm, 8 * nm), cells=(14, 5, 5), cell="tetrahedron"),
        TUNGSTEN,
        shape=em.surface.bridge(14 * nm, 5 * nm, middle=11 * nm, fillet=2 * nm),
        interface_width=width,
        voltage=0.01,
        on=("left", "right"),
    )
    options = {"ksp_rtol": 1e-8} if solver == "iterative" else {}
    until = 0.1 * width**4 / MULLINS
    run = em.evolve(model, until, rtol=1e-2, solver=solver, petsc_options=options, progress=False)
    numbers = {name: model.quantity(name) for name in ("resistance", "free_energy", "moved", "metal")}
    return numbers | {"iterations": run.linear_iterations / run.solves}


def test_a_wire_in_space_solved_iteratively_is_the_one_solved_directly():
    direct, iterative = wire("direct"), wire("iterative")
    assert 5 < iterative.pop("iterations") < 20 * direct.pop("iterations")
    assert iterative == pytest.approx(direct, rel=1e-6, abs=0)
