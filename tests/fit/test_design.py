"""Design of experiments: Fisher's information against closed forms, and the interval that a proposal leaves."""

from typing import Any

import emfem as em
from emfem.fit import Curve, Test, Unknown
from emfem.fit.designing import _information
from tests.test_demos import load

import numpy as np
import pytest
from scipy import integrate, stats

A, B = Unknown("a", (-1000.0, 1000.0)), Unknown("b", (-1000.0, 1000.0))


def line(c: dict[str, float], x: dict[str, Any]) -> Any:
    return c["a"] + c["b"] * x["x"]


def test_a_line_gets_the_variances_of_regression():
    """(X^T X)^-1 sigma^2 of points 0, 1 and of a third at 3 tested twice; bounds are wide enough to count nothing."""
    fit = em.fit.fit(line, [Curve("line", {"x": [0.0, 1.0]}, [1.0, 2.0], 0.1)], [A, B], starts=1, intervals="normal")
    (proposal,) = em.fit.design(line, fit, [Test("third", {"x": 3.0}, 0.2, samples=2)])
    rows = np.array([[1, 0], [1, 1], [1, 3]]) / np.array([[0.1], [0.1], [0.2 / np.sqrt(2)]])
    expected = np.linalg.inv(rows.T @ rows)
    assert list(proposal.standard_errors.values()) == pytest.approx(np.sqrt(np.diagonal(expected)), rel=1e-6)
    before = np.linalg.inv(rows[:2].T @ rows[:2])
    assert proposal.volume == pytest.approx(np.sqrt(np.linalg.det(expected) / np.linalg.det(before)), rel=1e-6)
    widest = np.diagonal(expected).max() / np.diagonal(before).max()  # both values are 1
    assert proposal.widest == pytest.approx(np.sqrt(widest), rel=1e-6)
    assert proposal.mean == pytest.approx(np.sqrt(np.trace(expected) / np.trace(before)), rel=1e-6)


@pytest.mark.parametrize("limit", [-2.0, 0.0, 1.3])
def test_information_of_a_censored_value_is_the_mean_square_of_the_score(limit: float):
    seen = integrate.quad(lambda z: z**2 * stats.norm.pdf(z), -np.inf, limit)[0]
    beyond = stats.norm.pdf(limit) ** 2 / stats.norm.sf(limit)
    assert _information(np.array([limit]))[0] == pytest.approx(seen + beyond, rel=1e-7)


def test_a_test_that_ends_early_tells_less():
    fit = em.fit.fit(line, [Curve("line", {"x": [0.0, 1.0]}, [1.0, 2.0], 0.1)], [A, B], starts=1, intervals="normal")
    ends = [None, 4.0, 2.0]  # of a value of 4
    tests = [Test(f"until {end}", {"x": 3.0}, 0.1, until=end) for end in ends]
    names = [each.test.name for each in em.fit.design(line, fit, tests)]
    assert names == ["until None", "until 4.0", "until 2.0"]


@pytest.mark.parametrize("criterion", ["widest", "A", "D"])
def test_criteria_rank_by_their_number(criterion: str):
    fit = em.fit.fit(line, [Curve("line", {"x": [0.0, 1.0]}, [1.0, 2.0], 0.1)], [A, B], starts=1, intervals="normal")
    tests = [Test(str(x), {"x": x}, 0.1) for x in (0.5, 1.0, 5.0, -5.0)]
    key = {"widest": "widest", "A": "mean", "D": "volume"}[criterion]
    values = [getattr(each, key) for each in em.fit.design(line, fit, tests, criterion=criterion)]
    assert values == sorted(values)
    assert values[0] < 0.5 * values[-1]


def test_the_proposed_test_more_than_halves_the_widest_interval():
    """Z* is not determined by times at which voids open; data of the resistance that is proposed are simulated."""
    demo = load("fit")
    first = em.fit.fit(demo.model, demo.data(1)[:1], demo.UNKNOWNS, starts=1)
    tests = [Test(f"{j:g}", demo.test_of(573.0, j), demo.NOISE, "log") for j in demo.CURRENTS]
    best = em.fit.design(demo.model, first, tests)[0]
    assert best.name == "Z"
    assert best.widest < 0.5
    x = best.test.columns
    measured = demo.resistance(demo.TRUE, x) * np.exp(
        demo.NOISE * np.random.default_rng(3).standard_normal(len(x["t"]))
    )
    curves = [*demo.data(1)[:1], Curve("new", x, measured, demo.NOISE, "log")]
    second = em.fit.fit(demo.model, curves, demo.UNKNOWNS, starts=1)
    width = {name: [each.estimates[name].high - each.estimates[name].low for each in (first, second)] for name in "Z"}
    assert width["Z"][1] < 0.5 * width["Z"][0]
    assert -5.0 in second.estimates["Z"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"error": 0.0}, "error = 0, must be greater than 0"),
        ({"samples": 0}, "samples = 0"),
        ({"inputs": {}}, "has no inputs"),
        ({"inputs": {"x": [1.0, 2.0], "y": [1.0, 2.0, 3.0]}}, "several lengths"),
        ({"scale": "log", "until": -1.0}, "until = -1"),
    ],
)
def test_wrong_tests_are_refused(options: dict[str, Any], message: str):
    arguments: dict[str, Any] = {"name": "t", "inputs": {"x": 1.0}, "error": 0.1} | options
    with pytest.raises(em.ParameterError) as refused:
        Test(**arguments)
    assert message in str(refused.value)
