"""Order of the methods in time: the error of a run against its step, for any field and Jacobian.

All runs share one mesh, so that only the error in time is seen: the distance to an adaptive run whose tolerance makes
it a hundred times more accurate than the finest of them.
"""

import itertools
import math
from dataclasses import replace
from functools import cache

import emfem as em
from emfem.solve import METHODS, Method

import numpy as np
import pytest

WIDTH, UNTIL = 12.0, 16.0
K = 2 * math.pi / WIDTH
STEPS = (1.0, 0.5, 0.25)


def turning(t):
    """A strong field that goes round in 21 time units: the equations are not autonomous."""
    return 0.3 * math.cos(0.3 * t), 0.3 * math.sin(0.3 * t)


pytestmark = pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
FIELDS = {"steady": (0.1, 0.05), "turning": turning}


def film(field):
    return em.film.model(
        em.mesh.periodic_rectangle((WIDTH, WIDTH), cells=(6, 6)),
        em.film.cupd(),
        initial=lambda x: 0.3 + 0.05 * np.cos(2 * K * x[0]) * np.cos(K * x[1]) + 0.04 * np.sin(2 * K * x[1] + K * x[0]),
        field=FIELDS[field],
        anisotropy=em.film.Anisotropy(),
    )


@cache
def exact(field):
    """The final c and mu of the accurate run."""
    run = film(field)
    em.evolve(run, UNTIL, rtol=1e-10, atol=1e-12, progress=False)
    return run["c"].x.array.copy(), run["mu"].x.array.copy()


def errors(field, method, step):
    """Root mean square errors of c and mu at the end of a run of equal steps, shape (2,)."""
    run = film(field)
    report = em.evolve(run, UNTIL, method=method, fixed_step=step, progress=False)
    assert report.steps == round(UNTIL / step)
    return np.array(
        [np.sqrt(np.mean((run[u].x.array - e) ** 2)) for u, e in zip(("c", "mu"), exact(field), strict=True)]
    )


def orders(found):
    """Slopes of log(error) against log(step), lines through all of them, for c and mu."""
    return np.polyfit(np.log(STEPS), np.log(found), 1)[0]


ROSENBROCK = METHODS["rosenbrock"]


@pytest.mark.parametrize("method", [replace(ROSENBROCK, reuse=0), METHODS["bdf"]], ids=METHODS)
@pytest.mark.parametrize("field", FIELDS)
def test_error_falls_at_the_order_of_the_method(method, field):
    """In c and in mu, with a fresh Jacobian in each step; a quarter of an order for the finite size of the steps.

    PETSc's documentation reserves its Rosenbrock methods for autonomous equations, and indeed gives them no derivative
    of the residual in time. Third order survives a field that turns: a W-method keeps its order with any approximate
    Jacobian, and one that lacks the derivative in time is just such an approximation. Measured: 2.98 in c and 2.96 in
    mu, as with the steady field.
    """
    assert orders([errors(field, method, step) for step in STEPS]) == pytest.approx([method.order] * 2, abs=0.25)


DIRK = Method("dirk", order=3, options={"ts_dirk_type": "es324sal", "snes_rtol": 1e-10})
ARKIMEX = Method("arkimex", order=3, options={"ts_arkimex_fully_implicit": True, "snes_rtol": 1e-10})
TRAPEZOIDAL = Method("cn", order=2, options={"snes_rtol": 1e-10})


@pytest.mark.parametrize(
    "method",
    [DIRK, pytest.param(ARKIMEX, marks=pytest.mark.soak), pytest.param(TRAPEZOIDAL, marks=pytest.mark.soak)],
    ids=["dirk", "arkimex", "cn"],
)
@pytest.mark.parametrize("field", FIELDS)
def test_methods_of_the_user_have_their_order(method, field):
    """Implicit Runge-Kutta methods need nothing of emfem's own. Measured: 2.99, 2.98, 2.00 in c; 2.96, 2.93 in mu."""
    assert orders([errors(field, method, step) for step in STEPS]) == pytest.approx([method.order] * 2, abs=0.25)


def test_a_method_of_the_user_takes_steps_as_its_error_allows():
    run = film("steady")
    report = em.evolve(run, UNTIL, method=DIRK, progress=False)
    assert report.steps < 20  # measured: 14
    assert run["c"].x.array == pytest.approx(exact("steady")[0], abs=3e-5)  # measured: 6e-6


@pytest.mark.parametrize("field", FIELDS)
def test_reused_factorisation_leaves_nearly_the_error(field):
    """With the default reuse, c has at most twice the error of a fresh Jacobian, and hardly another at small steps.

    Measured, from the largest step: 1.55, 1.03, 0.95 times in the turning field; 1.01, 0.89, 0.82 in the steady one.
    """
    stale = np.array([errors(field, ROSENBROCK, step)[0] for step in STEPS])
    ratio = stale / [errors(field, replace(ROSENBROCK, reuse=0), step)[0] for step in STEPS]
    assert np.all(ratio < 2.0)
    assert np.all(ratio != 1.0)  # or nothing was reused
    assert ratio[-1] == pytest.approx(1.0, abs=0.3)


def test_one_factorisation_for_a_whole_run_leaves_second_order():
    """The reuse must be limited: the order conditions of a W-method with any Jacobian are those of an equation without
    algebraic unknowns, and the potential is one. Measured 1.82.
    """
    found = [errors("steady", replace(ROSENBROCK, reuse=10**6), step) for step in STEPS]
    assert orders(found)[0] == pytest.approx(2.0, abs=0.25)


@pytest.mark.parametrize("until", [1e6, 1_500_001.0, 3_998_639.0])
def test_steps_grow_wherever_the_target_is(until):
    """A uniform film asks for no accuracy: the step grows from 1 to a million within some twenty steps.

    Also where the way is millions of first steps long, an odd number of them: rounding that number by a few made one
    run take 200 000 steps for 93.
    """
    film = em.film.model(em.mesh.interval(1.0, cells=2), em.film.cupd(), mean=0.3)
    counted = itertools.count()
    enough = em.watch.stop_when(lambda models, t: next(counted) > 60, "too many steps")
    run = em.evolve(film, until, first_step=1.0, watch=[enough], progress=False)
    assert run.stopped == "reached until"
