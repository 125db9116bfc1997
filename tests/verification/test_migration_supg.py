"""Exponential fitting against SUPG, on the same linear cells, at cell Peclet numbers of 50 to 100.

Streamline-upwind Petrov-Galerkin elements test with w + tau v . grad w. They smear half as much as fitting, but they
overshoot beside layers and become negative, which a concentration cannot be, and fitting does neither.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import emfem as em
from emfem import migration
from emfem import model as models
from emfem.model import Model

import numpy as np
import pytest
import ufl
from dolfinx import fem

H = 1 / 40
WEAK = H / 200  # diffusivity: a cell Peclet number of 100
TILTED, ASKEW = 5e-4, (0.8, 0.6)


def supg(domain: em.mesh.Domain, diffusivity: float, drift: tuple[float, ...], on: dict[str, Any]) -> Model:
    """Linear SUPG elements with tau = h/(2|v|) (coth Pe - 1/Pe), h the length of a cell along the drift."""
    unknown = models.evolving("c", fem.functionspace(domain.mesh, ("Lagrange", 1)))
    c, (w,) = unknown.function, models.tests((unknown,))
    v, dx = ufl.as_vector(drift), domain.dx(2)
    inverse = ufl.transpose(ufl.JacobianInverse(domain.mesh))
    slopes = [[-1.0] * domain.dim, *np.eye(domain.dim).tolist()]
    speed = ufl.sqrt(ufl.inner(v, v))
    length = 2 * speed / sum(abs(ufl.dot(v, ufl.dot(inverse, ufl.as_vector(s)))) for s in slopes)
    peclet = speed * length / (2 * diffusivity)
    along = length / (2 * speed) * (1 / ufl.tanh(peclet) - 1 / peclet) * ufl.dot(v, ufl.grad(w))
    plain = unknown.rate * w + ufl.inner(diffusivity * ufl.grad(c) - v * c, ufl.grad(w))
    residual = (plain + (unknown.rate + ufl.dot(v, ufl.grad(c))) * along) * dx
    return Model(
        "supg",
        domain,
        (unknown,),
        residual,
        conditions=models.dirichlet_conditions(domain, unknown, on)[0],
        steady_by_relaxation=not on,
    )


def test_on_a_line_supg_is_as_exact_as_fitting():
    """In one dimension, at rest, both have the exact values at the nodes: no choice can be made there."""
    line = em.mesh.interval(1.0, cells=40)
    species = supg(line, WEAK, (1.0,), {"left": em.fixed(1.0), "right": em.fixed(0.0)})
    em.solve_steady(species)
    inside = np.linspace(H, 1 - H, 39)
    assert em.fields.evaluate(species["c"], inside[:, None]) == pytest.approx(np.ones(39), abs=1e-12)


def carried(cells: int) -> tuple[em.mesh.Domain, dict[str, Any]]:
    """A square across which a drift askew to the cells carries a step."""
    square = em.mesh.rectangle((1.0, 1.0), cells=(cells, cells), cell="triangle")
    return square, {"left": em.fixed(1.0)} | dict.fromkeys(("bottom", "right", "top"), em.fixed(0.0))


@cache
def inside(kind: str, cells: int = 20) -> tuple[float, float, Any]:
    """Lowest and highest concentration of a step that is carried askew, and its values away from the layers."""
    square, on = carried(cells)
    fitted: dict[str, Any] = {"diffusivity": TILTED, "drift": ASKEW, "initial": 0.0, "stabilisation": "fitted"}
    species = supg(square, TILTED, ASKEW, on) if kind == "supg" else migration.model(square, on=on, **fitted)
    em.solve_steady(species)
    x, y = np.meshgrid(*2 * [np.linspace(0.05, 0.9, 18)])
    return *em.fields.extremes(species["c"]), em.fields.evaluate(species["c"], np.c_[x.ravel(), y.ravel()])


def test_askew_to_the_cells_supg_overshoots_by_a_quarter_and_fitting_does_not():
    low, high, _ = inside("supg")
    assert high == pytest.approx(1.23, abs=0.02)
    assert low == pytest.approx(-0.016, abs=0.005)
    low, high, _ = inside("fitted")
    assert -1e-14 < low < high < 1 + 1e-14


def test_supg_smears_half_as_much():
    """Against fitting on cells a twelfth as large: its price is known."""
    fine = inside("fitted", 240)[2]
    off = {kind: np.sqrt(np.mean((inside(kind)[2] - fine) ** 2)) for kind in ("supg", "fitted")}
    assert off["supg"] / off["fitted"] == pytest.approx(0.5, abs=0.1)


def test_supg_becomes_negative_in_a_blocked_line():
    """Behind a front that runs to the wall; fitting rises all the way (test_migration_profiles)."""
    species = supg(em.mesh.interval(1.0, cells=40), WEAK, (1.0,), {})
    species["c"].x.array[:] = 1.0
    em.evolve(species, 0.5, progress=False)
    assert em.fields.extremes(species["c"])[0] == pytest.approx(-0.027, abs=0.01)
