"""Curves: tables with units, marks of censored points, and what is refused."""

from pathlib import Path
from typing import Any

import emfem as em
from emfem.fit import Curve

import numpy as np
import pandas as pd
import pytest

TABLE = """# lines of 60 um
T [degC], j [MA/cm2], t [hour], error [percent], mark
250, 1, 20, 5, >
250, 2, 5, 10,
300, 1, 3, 5, <
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "times.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_a_file_is_read_in_si(file: Path):
    (curve,) = em.fit.read_curves(file, measured="t", inputs=["T", "j"], error="error", scale="log", censored="mark")
    assert curve.columns["T"] == pytest.approx([523.15, 523.15, 573.15])
    assert curve.columns["j"] == pytest.approx([1e10, 2e10, 1e10])
    assert curve.y == pytest.approx([72000.0, 18000.0, 10800.0])
    assert curve.sigma == pytest.approx([0.05, 0.1, 0.05])
    assert curve.marks.tolist() == [1, 0, -1]
    assert (curve.unit, curve.units) == ("hour", {"T": "degC", "j": "MA/cm2"})


def test_a_file_has_a_curve_for_each_temperature(file: Path):
    curves = em.fit.read_curves(file, measured="t", inputs=["T", "j"], by=["T"])
    assert [len(curve) for curve in curves] == [2, 1]
    assert [curve.name for curve in curves] == ["T = 523.15", "T = 573.15"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[hour]", "[hours per day per lightning]", "there is no"),
        ("250, 2, 5", "250, 2, five", "column t, row 2: 'five', must be a number"),
        (">", "more", "censored = 'more', must be >, < or empty"),
        ("t [hour]", "T [hour]", "column 'T' is there twice"),
        ("20, 5", "nan, 5", "finite"),
        ("20, 5", "-20, 5", "must be above 0 with scale = 'log'"),
        ("5, >", "0, >", "error = 0, must be above 0"),
    ],
)
def test_wrong_files_are_refused(file: Path, old: str, new: str, message: str):
    file.write_text(TABLE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(em.ParameterError) as refused:
        em.fit.read_curves(file, measured="t", inputs=["T", "j"], error="error", scale="log", censored="mark")
    assert message in str(refused.value)


def test_a_column_that_is_not_there_is_named(file: Path):
    with pytest.raises(em.UnknownName, match="'time'; frame has T, j, t, error, mark"):
        em.fit.read_curves(file, measured="time", inputs=["T"])


def test_frames_of_pandas_become_curves():
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0], "cut": [np.nan, True]})
    (curve,) = em.fit.curves(frame, measured="y", inputs=["x"], error=0.1, censored="cut", name="f")
    assert (curve.name, curve.marks.tolist()) == ("f", [0, 1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measured": []}, "must be at least one value"),
        ({"measured": [np.inf, 1.0]}, "must be a list of finite numbers"),
        ({"inputs": {"x": [1.0, 2.0, 3.0]}}, "x of shape (3,), must be a number or (2,)"),
        ({"error": [0.1]}, "error of shape (1,)"),
        ({"error": -1.0}, "must be above 0"),
        ({"censored": [2, 0]}, "censored = 2, must be -1, 0 or 1"),
        ({"scale": "decibel"}, "decibel"),
        ({"unit": "sparrows"}, "curve 'c': measured: unit 'sparrows'"),
        ({"units": {"x": "sparrows"}}, "curve 'c': x: unit 'sparrows'"),
        ({"units": {"y": "m"}}, "'y'; curve 'c': inputs has x"),
    ],
)
def test_wrong_curves_are_refused(options: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError) as refused:
        Curve(**{"name": "c", "inputs": {"x": 1.0}, "measured": [1.0, 2.0]} | options)
    assert message in str(refused.value)
