"""Fits that do not deserve trust say so: noise, many minima, models that break, units that do not fit, other models."""

import functools
from pathlib import Path
from typing import Any

import emfem as em
from emfem.fit import Curve, FitWarning, Unknown
from emfem.fit.problem import Problem

import numpy as np
import pytest

X = np.linspace(0.0, 1.0, 20)
Y = 1 + 2 * X + 0.1 * np.random.default_rng(0).standard_normal(20)
A, B = Unknown("a", (-10.0, 10.0)), Unknown("b", (-10.0, 10.0))
DATA = [Curve("line", {"x": X}, Y, 0.1)]


def line(c: dict[str, float], x: dict[str, Any]) -> Any:
    return c["a"] + c["b"] * x["x"]


def rough(c: dict[str, float], x: dict[str, Any]) -> Any:
    """Return a line with noise of 1 % of the errors, which derivatives with a step of 2e-3 feel."""
    return line(c, x) + 1e-3 * np.sin(1e7 * c["a"] + 3e7 * c["b"] + 1e8 * x["x"])


def test_noise_in_derivatives_is_a_warning_with_a_number():
    with pytest.warns(FitWarning, match=r"change by 0\.\d+ of themselves with twice the step.*0.0001 must be larger"):
        noisy = em.fit.fit(rough, DATA, [A, B], starts=1, intervals="normal")
    assert len(noisy.unreliable) == 1
    smooth = em.fit.fit(rough, DATA, [A, B], starts=1, intervals="normal", step=1e-2)
    assert smooth.unreliable == ()
    assert smooth.standard_errors["b"] > 1.2 * noisy.standard_errors["b"]  # what noise would have cost


def test_another_minimum_as_low_is_named():
    def waves(c: dict[str, float], x: dict[str, Any]) -> Any:
        return np.sin(3 * c["a"]) + 0 * x["x"]

    with pytest.warns(FitWarning, match="another minimum is as low, at a = "):
        em.fit.fit(waves, [Curve("y", {"x": X}, np.full(20, 0.7), 0.01)], [A])


def test_a_search_that_was_stopped_is_a_warning(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("emfem.fit.problem.MOST_STEPS", 1)
    with pytest.warns(FitWarning, match="had not converged after 1 evaluations"):
        em.fit.fit(lambda c, x: np.exp(line(c, x)), DATA, [A, B], starts=1, intervals="normal")


def test_better_minima_without_end_are_a_warning(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("emfem.fit.profiles.BETTER", -1.0)
    with pytest.warns(FitWarning, match="30 better minima were met"):
        em.fit.fit(line, DATA, [A, B], starts=1)


def test_an_interval_that_ends_where_the_model_breaks_is_named():
    def model(c: dict[str, float], x: dict[str, Any]) -> Any:
        return line(c, x) if c["b"] < 2.0 else np.full(20, np.nan)

    with pytest.warns(em.fit.EvaluationWarning):
        fit = em.fit.fit(model, DATA, [A, B], starts=1)
    assert "the interval of b is cut where the model breaks, at its upper end" in fit.undetermined
    assert not any("interval of a" in each for each in fit.undetermined)


def test_a_misfit_and_a_single_start_are_in_the_report():
    bent = [Curve("line", {"x": X}, Y + np.sin(9 * X), 0.1)]
    text = str(em.fit.fit(line, bent, [A, B], starts=1, intervals="normal"))
    assert "does not fit the data within their errors" in text
    assert "does not fit" not in str(em.fit.fit(line, DATA, [A, B], starts=1, intervals="normal"))


def test_a_model_that_does_not_vary_ends_at_once():
    fit = em.fit.fit(lambda c, x: np.ones(20), DATA, [A, B], starts=1)
    assert fit.undetermined == ("the data do not determine a", "the data do not determine b")
    assert fit.evaluations < 50


def test_huge_numbers_exclude_constants():
    with pytest.raises(em.ParameterError, match="breaks wherever it was tried"):
        em.fit.fit(lambda c, x: (c["a"] + 1) * 1e300 * (x["x"] + 1), DATA, [A], starts=1)


def test_the_folder_compares_numbers_and_models_that_a_function_takes_from_outside(tmp_path: Path):
    def run(slope: float, law: Any = None) -> None:
        def model(c: dict[str, float], x: dict[str, Any]) -> Any:
            assert law is None or law.fingerprint
            return c["a"] + slope * x["x"]

        em.fit.fit(model, DATA, [A], starts=1, intervals="normal", folder=tmp_path)

    run(2.0)
    run(2.0)
    with pytest.raises(em.ParameterError, match="another model"):
        run(2.5)
    with pytest.raises(em.ParameterError, match="another model"):
        run(2.0, em.fit.LawModel("blech", em.materials.copper()))
    partial = functools.partial(lambda k, c, x: c["a"] + k * x["x"], 2.0)
    em.fit.fit(partial, DATA, [A], starts=1, intervals="normal")
    with pytest.raises(em.ParameterError, match="folder, must be left out"):
        em.fit.fit(partial, DATA, [A], starts=1, folder=tmp_path / "other")


def test_evaluations_of_another_length_are_refused(tmp_path: Path):
    em.fit.fit(line, DATA, [A, B], starts=1, intervals="normal", folder=tmp_path)
    file = tmp_path / "evaluations.jsonl"
    file.write_text(file.read_text() + '[0, [["a", 1.0], ["b", 1.0]], [1.0]]\n', encoding="utf-8")
    with pytest.raises(em.ParameterError, match="must be an evaluation"):
        em.fit.fit(line, DATA, [A, B], starts=1, folder=tmp_path)


@pytest.mark.parametrize(
    ("header", "scale", "message"),
    [
        ("t, T [K], e [s]", "linear", r"column t has no unit, must be like 't \[s\]', or 't \[-\]'"),
        ("t [s], T, e [s]", "linear", "column T has no unit"),
        ("t [s], T [K], e [percent]", "linear", "column e in percent, must be in s or a unit like it"),
        ("t [s], T [K], e [min]", "log", "column e in min, must be in - or a unit like it"),
    ],
)
def test_columns_without_their_unit_are_refused(tmp_path: Path, header: str, scale: str, message: str):
    path = tmp_path / "data.csv"
    path.write_text(f"{header}\n1, 300, 0.1\n", encoding="utf-8")
    with pytest.raises(em.ParameterError, match=message):
        em.fit.read_curves(path, measured="t", inputs=["T"], error="e", scale=scale)
    path.write_text("t [min], T [degC], e [s]\n1, 0, 6\n", encoding="utf-8")
    (curve,) = em.fit.read_curves(path, measured="t", inputs=["T"], error="e")
    assert curve.sigma is not None
    assert (curve.y[0], curve.columns["T"][0], curve.sigma[0]) == pytest.approx((60.0, 273.15, 6.0))


def test_a_metal_gets_no_constant_of_another_unit(tmp_path: Path):
    scale = Unknown("a", (0.5, 2.0), unit="s")
    fit = em.fit.fit(line, DATA, [scale, B], starts=1, intervals="normal")
    with pytest.raises(em.ParameterError, match="a in s, must be in Pa to be a part of bulk_modulus"):
        fit.write_material(tmp_path / "m.toml", {"bulk_modulus": "a"}, name="m")


def test_conditions_may_be_numbers():
    law = em.fit.LawModel("diffusivity", em.materials.copper())
    some = {"D0": 1e-8, "Ea": 1.4e-19}
    slopes = em.fit.sensitivities(law, some, conditions={"T": 573.0})
    assert slopes["D0"] == pytest.approx(law(some, {"T": np.array([573.0])}) / 1e-8, rel=1e-9, abs=0)


def test_roughness_of_a_straight_line_is_rounding():
    fit = em.fit.fit(line, DATA, [A, B], starts=1, intervals="normal")
    problem = fit._problem
    assert isinstance(problem, Problem)
    assert problem.roughness(fit._best.point)[0] < 1e-6


def test_starts_agree_whatever_the_scatter():
    """Sums of squares before and after the scatter is known are not comparable."""
    curve = Curve("line", {"x": X}, Y)
    fit = em.fit.fit(line, [curve], [A, B])
    assert (fit.agreeing, fit.starts, fit.unreliable) == (3, 3, ())


def test_numbers_that_no_memory_has_are_refused():
    fit = em.fit.fit(line, DATA, [A, B], starts=1, intervals="normal")
    with pytest.raises(em.ParameterError, match="n = "):
        fit.sample(2**64, seed=1)
    with pytest.raises(em.ParameterError, match="points = "):
        fit.profile("a", 2**64)
    with pytest.raises(em.ParameterError, match="step = "):
        em.fit.sensitivities(line, {"a": 1.0, "b": 2.0}, conditions={"x": [1.0]}, step=5e-324)
