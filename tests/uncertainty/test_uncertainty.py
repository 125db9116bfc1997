"""Propagation and Sobol' indices against closed forms."""

from pathlib import Path
from typing import Any

import emfem as em
from emfem.fit import Curve, Unknown

import numpy as np
import pytest
from scipy import stats

ANGLE = stats.uniform(-np.pi, 2 * np.pi)
NORMAL = stats.norm(1.0, 0.5)


def ishigami(c: dict[str, float], x: dict[str, Any]) -> Any:
    return np.sin(c["x1"]) + 7 * np.sin(c["x2"]) ** 2 + 0.1 * c["x3"] ** 4 * np.sin(c["x1"])


def test_ishigami_has_its_indices():
    """Homma and Saltelli (1996): variances (1 + b pi^4/5)^2/2, a^2/8 and 8 b^2 pi^8/225 of a = 7, b = 0.1."""
    parts = np.array([0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 0.08 * np.pi**8 / 225])
    variance = parts.sum()
    exact = em.uncertainty.sobol_indices(ishigami, dict.fromkeys(["x1", "x2", "x3"], ANGLE), samples=4096)
    assert [each.value for each in exact.first.values()] == pytest.approx(
        [parts[0] / variance, parts[1] / variance, 0.0], rel=0.02, abs=0.005
    )
    total = [(parts[0] + parts[2]) / variance, parts[1] / variance, parts[2] / variance]
    assert [each.value for each in exact.total.values()] == pytest.approx(total, rel=0.02)
    assert all(value in each for value, each in zip(total, exact.total.values(), strict=True))
    assert exact.variance == pytest.approx(variance, rel=0.01)
    assert "x3" in str(exact)


def test_the_time_until_a_void_opens_has_the_indices_of_a_product():
    """Korhonen's half line: t ~ sigma_c^2/(D Z^2), so ln t is linear with slopes 2, -1, -2 of lognormal constants."""
    spreads, slopes = {"sigma_c": 0.15, "D": 0.3, "Z": 0.2}, np.array([2.0, -1.0, -2.0])
    scales = {"sigma_c": 5e8, "D": 1e-16, "Z": 5.0}
    inputs = {name: stats.lognorm(s, scale=scales[name]) for name, s in spreads.items()}
    copper = em.materials.copper(temperature=573.0)
    fixed = em.fit.LawModel("nucleation", copper, fixed={"Ea": 0.0, "length": 1.0, "T": 573.0, "j": 2e10})

    def log_time(c: dict[str, float], x: dict[str, Any]) -> Any:
        return np.log(fixed({"D0": c["D"], "Z": -c["Z"], "sigma_c": c["sigma_c"]}, {})[0])

    parts = (slopes * list(spreads.values())) ** 2
    found = em.uncertainty.sobol_indices(log_time, inputs, samples=2048)
    expected = parts / parts.sum()
    assert [each.value for each in found.first.values()] == pytest.approx(expected, rel=0.02)
    assert [each.value for each in found.total.values()] == pytest.approx(expected, rel=0.02)
    assert found.variance == pytest.approx(parts.sum(), rel=0.02)


@pytest.mark.parametrize("method", ["sobol", "latin hypercube"])
def test_bands_over_time_are_quantiles(method: str):
    """v t with v normal: quantiles z sigma t apart; 1024 even points have them to a percent of sigma."""
    t = np.array([0.0, 1.0, 2.0])
    found = em.uncertainty.propagate(
        lambda c, x: c["v"] * x["t"], {"v": NORMAL}, samples=1024, method=method, conditions={"t": t}
    )
    bands = found.quantile([0.05, 0.5, 0.95])
    assert bands == pytest.approx(np.outer(NORMAL.ppf([0.05, 0.5, 0.95]), t), abs=0.01)
    assert found.mean == pytest.approx(t, abs=0.005)
    assert found.deviation == pytest.approx(0.5 * t, abs=0.01)


def test_constants_of_a_fit_vary_together():
    """The value of a fitted line at the middle of its data is better known than intercept and slope tell alone."""
    x = np.linspace(0.0, 1.0, 20)
    y = 1 + 2 * x + 0.1 * np.random.default_rng(0).standard_normal(20)

    def line(c: dict[str, float], x: dict[str, Any]) -> Any:
        return c["a"] + c["b"] * x["x"]

    unknowns = [Unknown("a", (-10.0, 10.0)), Unknown("b", (-10.0, 10.0))]
    fit = em.fit.fit(line, [Curve("line", {"x": x}, y, 0.1)], unknowns, starts=1)
    found = em.uncertainty.propagate(line, fit, samples=4000, conditions={"x": [0.5, 0.0]})
    exact = [0.1 / np.sqrt(20), 0.1 * np.sqrt(1 / 20 + 0.25 / np.sum((x - 0.5) ** 2))]
    assert found.deviation == pytest.approx(exact, rel=0.04)


def test_broken_samples_are_left_out_and_counted(tmp_path: Path):
    def model(c: dict[str, float], x: dict[str, Any]) -> float:
        if c["v"] < 1.0:
            msg = "v is too small"
            raise em.ParameterError(msg)
        return c["v"]

    with pytest.warns(em.fit.EvaluationWarning, match="32 of 64 samples broke and were left out: .*too small"):
        found = em.uncertainty.propagate(model, {"v": NORMAL}, samples=64, folder=tmp_path)
    assert (found.broken, len(found.results), len(found.constants["v"])) == (32, 32, 32)
    assert found.results.min() >= 1.0
    with pytest.warns(em.fit.EvaluationWarning, match="broke"):
        indices = em.uncertainty.sobol_indices(model, {"v": NORMAL}, samples=64)
    assert indices.broken + indices.samples == 64
    with pytest.raises(em.ParameterError, match="breaks for all 64 samples"):
        em.uncertainty.propagate(lambda c, x: np.nan, {"v": NORMAL}, samples=64)


def test_lives_without_end_are_counted():
    found = em.uncertainty.propagate(lambda c, x: np.inf if c["v"] > 1 else c["v"], {"v": NORMAL}, samples=64)
    assert found.infinite == pytest.approx(0.5)
    assert np.isinf(found.quantile(0.9))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 100}, "samples = 100, must be a power of 2"),
        ({"inputs": {}}, "inputs = {}, must be at least one distribution"),
        ({"inputs": {"v": 3.0}}, "inputs['v'] = 3.0, must be a distribution"),
        ({"inputs": {"v": stats.norm(0, -1)}}, "must be a distribution of scipy.stats with valid parameters"),
        ({"model": lambda c, x: 1.0}, "does not vary"),
        ({"model": lambda c, x: [c["v"], 1.0]}, "must return one"),
        ({"model": lambda c, x: np.inf}, "must be finite"),
        ({"model": lambda c, x: "much"}, "must return numbers"),
        ({"confidence": 0.0}, "confidence = 0"),
        ({"samples": 2**20}, "must make at most"),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, Any], message: str):
    arguments: dict[str, Any] = {"model": lambda c, x: c["v"], "inputs": {"v": NORMAL}, "samples": 8} | options
    with pytest.raises(em.ParameterError) as refused:
        em.uncertainty.sobol_indices(**arguments)
    assert message in str(refused.value)
