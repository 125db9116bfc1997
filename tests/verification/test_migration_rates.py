"""Rates of migration: a manufactured species in a drift whose divergence is not 0, in space and in time."""

from __future__ import annotations

import math
from typing import Any

import emfem as em
from emfem import migration

import numpy as np
import pytest
import ufl
from dolfinx import fem

UNTIL = 0.1


def drift(x: Any) -> Any:
    """It has sources, and does not cross the blocked edges y = 0 and y = 1."""
    return ufl.as_vector([3 * ufl.sin(2 * x[0]) + x[1], 2 * ufl.sin(np.pi * x[1]) * (1 + x[0])])


def species(x: Any, t: Any) -> Any:
    """A chosen concentration: 1.5 on the edges x = 0 and x = 1, level across the others."""
    return 1.5 + ufl.cos(3 * t) * ufl.sin(np.pi * x[0]) * ufl.cos(np.pi * x[1])


def driven(cells: int, conservative: bool = True, time: Any = None, **options: Any) -> em.Model:
    """A species with the source that makes the chosen concentration the solution, and its error in L2 squared."""
    domain = em.mesh.rectangle((1.0, 1.0), cells=(cells, cells), cell="triangle")
    x, clock = ufl.SpatialCoordinate(domain.mesh), fem.Constant(domain.mesh, 0.0)
    t = ufl.variable(clock)
    exact, v, spread = species(x, t), drift(x), 1 + x[0] / 2
    carried = ufl.div(v * exact) if conservative else ufl.dot(v, ufl.grad(exact))
    source = ufl.diff(exact, t) - ufl.div(spread * ufl.grad(exact)) + carried
    model = migration.model(
        domain,
        diffusivity=spread,
        drift=v,
        initial=lambda x: 1.5 + np.sin(np.pi * x[0]) * np.cos(np.pi * x[1]),
        on={"left": em.fixed(1.5), "right": em.fixed(1.5)},
        source=lambda c: source,
        **options,
    )
    degree = model["c"].function_space.element.basix_element.degree
    return em.Model(
        "driven species",
        domain,
        model.unknowns,
        model.residual,
        conditions=model.conditions,
        quantities={"error": em.model.Quantity((model["c"] - exact) ** 2 * domain.dx(2 * degree + 4))},
        drivers=[em.model.Driver("t", clock, lambda t: t)],
    )


def error(cells: int, **options: Any) -> float:
    """L2 error of c at the end of a run, its steps too small to be seen."""
    model = driven(cells, **options)
    em.evolve(model, UNTIL, rtol=1e-6, atol=1e-8, progress=False)
    return math.sqrt(model.quantity("error"))


@pytest.mark.parametrize(
    ("options", "order"),
    [({"degree": 1}, 2.0), ({"degree": 2}, 3.0), ({"degree": 3}, 4.0), ({"stabilisation": "fitted"}, 2.0)],
    ids=["linear", "quadratic", "cubic", "fitted"],
)
def test_errors_fall_at_one_order_above_the_degree(options: dict[str, Any], order: float):
    cells = (4, 8, 16)
    found = [error(n, **options) for n in cells]
    assert -np.polyfit(np.log(cells), np.log(found), 1)[0] == pytest.approx(order, abs=0.2)
    assert found[-1] < 10.0**-order


def test_a_drift_without_its_divergence_would_show():
    """A source made for v . grad c in place of div(v c): the error stays where it is."""
    coarse, fine = (error(n, conservative=False, degree=2) for n in (4, 8))
    assert fine == pytest.approx(coarse, rel=0.05)
    assert fine > 20 * error(8, degree=2)


def line(initial: Any) -> em.Model:
    """A species that leaves a line at one end: an autonomous problem."""
    domain = em.mesh.interval(1.0, cells=20)
    return migration.model(domain, diffusivity=0.5, drift=3.0, initial=initial, on={"right": em.flux(3.0)})


@pytest.fixture(scope="module")
def relaxed() -> fem.Function:
    """A start that fits the conditions at the ends: stiff methods lose order on one that does not."""
    model = line(lambda x: 1 + np.cos(np.pi * x[0]))
    em.evolve(model, 0.1, rtol=1e-6, atol=1e-8, progress=False)
    return model["c"]


@pytest.mark.parametrize(("method", "order"), [("rosenbrock", 3.0), ("bdf", 2.0)])
def test_steps_have_the_order_of_their_method(method: str, order: float, relaxed: fem.Function):
    """Against a run of many steps on the same cells, so that only the error in time is seen."""

    def profile(steps: int, how: str = method) -> Any:
        model = line(lambda x: em.fields.evaluate(relaxed, x[:1].T))
        em.evolve(model, 0.4, method=how, fixed_step=0.4 / steps, progress=False)
        return model["c"].x.array.copy()

    exact = profile(640, "rosenbrock")
    found = [np.abs(profile(steps) - exact).max() for steps in (10, 20, 40)]
    assert np.log2(found[1] / found[2]) == pytest.approx(order, abs=0.3)
