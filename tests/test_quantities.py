"""Quantities written as texts."""

from __future__ import annotations

from typing import Any

import emfem as em
from emfem import quantities

import pytest


@pytest.mark.parametrize(
    ("value", "unit", "number"),
    [
        ("0.14 um", "m", 0.14e-6),
        ("25.4*mm/2", "m", 0.0127),
        ("105 degC", "K", 378.15),
        ("20 nohm m", "Ohm m", 2e-8),
        ("0.38 ohm", "Ohm", 0.38),
        ("2.6e-6 / K", "1/K", 2.6e-6),
        ("84.75 kJ/mol", "J", 84750 / 6.02214076e23),
        ("7", "m", 7.0),
        (7, "m", 7.0),
        (0.3, "-", 0.3),
    ],
)
def test_numbers_and_texts_are_in_si(value: Any, unit: str, number: float):
    assert quantities.in_si("x", value, unit) == pytest.approx(number, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("value", "unit", "message"),
    [
        ("5 Pa", "m", r"x = '5 Pa' is a stress, must be a length, such as '500 nm'"),
        ("5 lm2", "m", r"x = '5 lm2'"),
        ("5 micron_s", "m", r"x = '5 micron_s', must have a unit that exists: there is no 'micron_s'"),
        ("wide", "m", r"x = 'wide', must be a length, such as '500 nm'"),
        ("1/0", "m", r"x = '1/0', must not be divided by 0"),
        ("1e400 m", "m", r"x = '1e400 m', must be finite"),
        ("9" * 500, "m", r"x = '9+\.\.\.9+', must be a length"),
        (True, "m", r"x = True, must be a number"),
        ([1.0], "m", r"x = \[1.0\], must be a number"),
        (float("nan"), "m", r"x = nan m, must be finite"),
    ],
)
def test_other_values_are_refused(value: Any, unit: str, message: str):
    with pytest.raises(em.ParameterError, match=message):
        quantities.in_si("x", value, unit)
