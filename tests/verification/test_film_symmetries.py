"""Independence of the axes and of the cells, and the Jacobian as the derivative of the residual."""

import math
from functools import cache
from typing import Any

import emfem as em

import numpy as np
import pytest

W = 10.0
K = 2 * math.pi / W
POINTS = np.random.default_rng(7).uniform(0, W, (500, 2))
FORCE = np.array([0.3, 0.1])
TENSOR = np.array([[2.0, 0.3], [0.3, 0.7]])


def waves(x, y):
    """A start without any symmetry of its own, of period W along both axes."""
    return 0.3 + 0.1 * np.cos(2 * K * x + 0.3) + 0.08 * np.sin(K * (x - 2 * y)) + 0.06 * np.cos(K * (x + y) + 1)


@cache
def unmoved():
    return moved(np.eye(2))


def moved(map_, cells=(12, 12), cell="quadrilateral", force=FORCE):
    """c at the points map_(r), after a run of the film that was carried there by the linear map."""
    back = map_.T  # the maps are orthogonal
    film = em.film.model(
        em.mesh.periodic_rectangle((W, W), cells=cells, cell=cell),
        em.film.cupd(),
        initial=lambda x: waves(*(back @ x[:2])),
        anisotropy=map_ @ TENSOR @ back,
        field=map_ @ force,
    )
    em.evolve(film, 60.0, rtol=1e-5, progress=False)
    return em.fields.evaluate(film["c"], (POINTS @ back) % W)


@pytest.mark.parametrize(
    "map_",
    [
        pytest.param(-np.eye(2), id="half turn"),
        pytest.param(np.array([[0.0, -1.0], [1.0, 0.0]]), id="quarter turn"),
        pytest.param(np.array([[0.0, 1.0], [1.0, 0.0]]), id="exchange of axes"),
    ],
)
def test_film_moves_with_its_axes(map_):
    """F, D and the start turned: the same film, turned, on cells that the map keeps. Only rounding differs.

    The half turn is F -> -F, r -> -r: angles 0 and 180 degrees of the field are equivalent.
    """
    here = unmoved()
    assert moved(map_) == pytest.approx(here, abs=1e-7)
    assert abs(moved(map_, force=-FORCE) - here).max() > 1e-2  # and it does depend on the field


def test_triangles_and_quadrilaterals_agree():
    """Their distance falls as h^3, as either's error does: 1.9e-3, 6.1e-4, 1.6e-4 measured, order 3.08."""
    cells = (8, 12, 18)
    here = np.eye(2)
    apart = [math.sqrt(np.mean((moved(here, (n, n)) - moved(here, (n, n), "triangle")) ** 2)) for n in cells]
    assert -np.polyfit(np.log(cells), np.log(apart), 1)[0] == pytest.approx(3.0, abs=0.25)


FILM: dict[str, Any] = {
    "entropy": 0.1,
    "enthalpy": 0.15,
    "solute_expansion": -0.55,
    "gradient_energy": 0.015,
    "energy_ratio": 1.3,
    "field": (0.3, 0.1),
    "surface": "110",
    "strength": 1.0,
    "misorientation": 0.4,
    "ratio": 2.0,
}
ALLOY = ("entropy", "enthalpy", "solute_expansion", "gradient_energy", "energy_ratio")
CRYSTAL = ("surface", "strength", "misorientation", "ratio")
SHIFT = 0.7


def problem(**changed: Any) -> em.solve.Problem:
    """A film as PETSc sees it, one edge held, one with a flux; in its vector, a random state."""
    constants = FILM | changed
    film = em.film.model(
        em.mesh.rectangle((W, W), cells=(4, 4)),
        em.film.Alloy(**{name: constants[name] for name in ALLOY}),
        mean=0.3,
        anisotropy=em.film.Anisotropy(**{name: constants[name] for name in CRYSTAL}),
        field=constants["field"],
        on={"left": em.fixed(0.25), "right": em.flux(0.01)},
    )
    found = em.solve.Problem([film])
    random = np.random.default_rng(3)
    for i, (low, high) in enumerate([(0.1, 0.9), (-1.0, 1.0)]):
        values = found.x.array[found.part(i)]
        values[:] = random.uniform(low, high, values.shape)
    return found


def residual(found, x, rates):
    f = x.duplicate()
    found.residual(0.0, x, rates, f)
    return f.array.copy()


def jacobian(found):
    found.jacobian(0.0, found.x, SHIFT, found.matrix)
    return found.matrix.copy()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_jacobian_is_the_derivative_of_the_residual(seed):
    """Central differences of step h along a random direction d, of the state and, times the shift, of the rates.

    They err by h^2 times third derivatives, up to 2e-5 of the whole at h = 1e-3 and a hundredth at 1e-4.
    """
    found = problem()
    random = np.random.default_rng(seed)
    direction, rates, expected = (found.x.duplicate() for _ in range(3))
    direction.array[:] = random.normal(size=direction.array.shape)
    rates.array[:] = random.normal(size=rates.array.shape)
    jacobian(found).mult(direction, expected)
    for h, near in ((1e-3, 1e-4), (1e-4, 1e-6)):
        ends = []
        for sign in (1, -1):
            x, moving = found.x.copy(), rates.copy()
            x.axpy(sign * h, direction)
            moving.axpy(sign * h * SHIFT, direction)
            ends.append(residual(found, x, moving))
        wrong = (ends[0] - ends[1]) / (2 * h) - expected.array
        assert np.linalg.norm(wrong) < near * expected.norm()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("entropy", 0.2),
        ("enthalpy", 0.3),
        ("solute_expansion", 0.5),
        ("gradient_energy", 0.03),
        ("energy_ratio", 2.0),
        ("field", (0.1, 0.3)),
        ("surface", "111"),
        ("strength", 2.0),
        ("misorientation", 0.9),
        ("ratio", 0.5),
    ],
)
def test_residual_and_jacobian_depend_on_each_parameter(name, value):
    """By more than 1 % of their norm for changes of the order of the parameter. Gamma adds a constant to mu, nothing to
    the Jacobian.
    """
    one, other = problem(), problem(**{name: value})
    here = residual(one, one.x, None)
    assert np.linalg.norm(residual(other, one.x, None) - here) > 0.01 * np.linalg.norm(here)
    change = jacobian(one)
    size = change.norm()
    change.axpy(-1.0, jacobian(other))
    if name == "energy_ratio":
        assert change.norm() == 0
    else:
        assert change.norm() > 0.01 * size
