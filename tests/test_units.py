"""Units are plain multipliers to SI."""

from __future__ import annotations

import math

from emfem import units

import pytest


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cm", 1e-2),
        ("mm", 1e-3),
        ("um", 1e-6),
        ("nm", 1e-9),
        ("angstrom", 1e-10),
        ("ms", 1e-3),
        ("us", 1e-6),
        ("ns", 1e-9),
        ("ps", 1e-12),
        ("minute", 60.0),
        ("hour", 3600.0),
        ("day", 86400.0),
        ("year", 365.25 * 86400.0),
        ("MPa", 1e6),
        ("GPa", 1e9),
        ("mV", 1e-3),
        ("mA", 1e-3),
        ("MA", 1e6),
        ("eV", 1.602176634e-19),
        ("elementary_charge", 1.602176634e-19),
        ("boltzmann", 1.380649e-23),
    ],
)
def test_a_unit_is_its_value_in_si(name: str, value: float):
    assert getattr(units, name) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("name", ["m", "s", "Pa", "J", "V", "A", "K", "rad"])
def test_an_si_unit_is_one(name: str):
    assert getattr(units, name) == 1.0


def test_half_a_turn_is_pi():
    assert 180 * units.deg == math.pi
