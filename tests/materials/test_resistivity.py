"""Resistivity of thin films and wires: integrals, limits, Matthiessen's sum, temperature, wind."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem import ParameterError
from emfem.materials import DirectAndWind, Linear, Uniform, fuchs_sondheimer, mayadas_shatzkes
from emfem.materials.resistivity import SizeEffect
from emfem.units import nm

import numpy as np
import pytest
import ufl
from scipy.special import expn

COPPER = em.materials.copper(300.0)
PRODUCT = 6.70e-16  # Gall (2016) [Ohm m2]


def film(k: float, p: float) -> float:
    """Fuchs and Sondheimer's resistivity by exponential integrals: 1 / (1 - p e^-kt) is a sum of e^-nkt."""

    def part(n: int) -> float:  # int_1^inf (t^-3 - t^-5) e^{-n k t} dt
        return float(expn(3, n * k) - expn(5, n * k))

    total = sum(p**n * (part(n) - part(n + 1)) for n in range(200))
    return 1 / (1 - 1.5 * (1 - p) / k * total)


@pytest.mark.parametrize("p", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("k", [0.01, 0.1, 1.0, 10.0])
def test_a_film_has_the_resistivity_of_fuchs_and_sondheimer(k: float, p: float):
    """To the 4e-5 of the rule of 16 points."""
    assert fuchs_sondheimer(k * 1e-7, 1e-7, p) == pytest.approx(film(k, p), rel=4e-5)


@pytest.mark.parametrize("p", [0.0, 0.4])
def test_a_thick_film_adds_three_eighths_of_the_path_over_the_thickness(p: float):
    """The next term is the square of the first."""
    small = 3 * (1 - p) * 40 / (8 * 1e6)
    assert fuchs_sondheimer(1e6 * nm, 40 * nm, p) - 1 == pytest.approx(small, rel=2 * small)


def test_mirrors_scatter_nothing():
    assert fuchs_sondheimer(1 * nm, 40 * nm, 1.0) == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("a", [1e-5, 0.01, 0.3, 1.0, 5.0])
def test_a_polycrystal_has_the_resistivity_of_mayadas_and_shatzkes(a: float):
    """R = 1/2 makes a the path over the grains; the logarithm cancels to 1e-10 for the largest."""
    exact = 1 - 1.5 * a + 3 * a**2 - 3 * a**3 * math.log(1 + 1 / a)
    assert mayadas_shatzkes(100 * nm, a * 100 * nm, 0.5) == pytest.approx(1 / exact, rel=1e-9)


def test_large_grains_add_three_halves_and_small_ones_are_linear():
    """a = 4e-5 R / (1 - R): the next terms are of the order of a, of 1 / a."""
    a = 4e-5 * 0.3 / 0.7
    assert mayadas_shatzkes(1e6 * nm, 40 * nm, 0.3) - 1 == pytest.approx(1.5 * a, rel=2 * a)
    assert mayadas_shatzkes(1 * nm, 1e5 * nm, 0.5) == pytest.approx(4e5 / 3, rel=2e-5)
    assert mayadas_shatzkes(1 * nm, 40 * nm, 0.0) == pytest.approx(1.0, rel=1e-14)


def test_laws_are_the_same_for_numbers_arrays_and_ufl():
    paths = np.array([10 * nm, 40 * nm])
    for law in (lambda path: fuchs_sondheimer(20 * nm, path, 0.2), lambda path: mayadas_shatzkes(20 * nm, path, 0.2)):
        numbers = [law(float(path)) for path in paths]
        assert law(paths) == pytest.approx(numbers, rel=1e-14)
        assert law(ufl.as_ufl(40 * nm))(()) == pytest.approx(numbers[1], rel=1e-14)


def test_the_parts_of_a_wire_are_added_by_matthiessen():
    wire = COPPER.with_size_effect(height=30 * nm, width=20 * nm, specularity=0.2, grain_size=25 * nm, reflection=0.3)
    path = PRODUCT / COPPER.resistivity
    parts = [fuchs_sondheimer(size * nm, path, 0.2) for size in (30, 20)] + [mayadas_shatzkes(25 * nm, path, 0.3)]
    assert wire.resistivity == pytest.approx(COPPER.resistivity * (1 + sum(parts) - 3), rel=1e-12, abs=0)
    assert "size effect of 30 x 20 nm with p = 0.2, grains of 25 nm with R = 0.3" in str(wire)


def test_a_wide_wire_adds_the_same_at_all_temperatures():
    """rho0 lambda does not depend on temperature: what is added is 3/8 (1 - p) (rho0 lambda) (1/h + 1/w)."""
    wire = COPPER.with_size_effect(height=2e4 * nm, width=1e4 * nm, specularity=0.1)
    expected = 3 / 8 * 0.9 * PRODUCT * (1 / (2e4 * nm) + 1 / (1e4 * nm))
    for T in (200.0, 500.0, 900.0):
        assert wire.law("resistivity")(T) - COPPER.law("resistivity")(T) == pytest.approx(expected, rel=0.02, abs=0)
    slope = COPPER.law("resistivity")(301.0) - COPPER.law("resistivity")(300.0)
    assert wire.temperature_coefficient * wire.resistivity == pytest.approx(slope, rel=1e-4, abs=0)


def test_the_wind_of_a_current_is_that_of_the_bulk():
    """Z_wind rho is the wind force of a current density; the direct force is that of the field, which is higher."""
    bulk = COPPER.having(effective_charge=DirectAndWind(1.0, -3.0, 400.0))
    thin = bulk.with_size_effect(height=10 * nm, specularity=0.3)
    for T in (300.0, 700.0):
        winds = [(m.law("effective_charge")(T) - 1.0) * m.law("resistivity")(T) for m in (bulk, thin)]
        assert winds[1] == pytest.approx(winds[0], rel=1e-12, abs=0)
    cancels = thin.cancellation_temperature()
    assert thin.law("resistivity")(cancels) == pytest.approx(3.0 * bulk.law("resistivity")(400.0), rel=1e-9, abs=0)


def test_a_metal_of_ones_own_needs_the_product_and_keeps_the_lower_confidence():
    bare = em.materials.Material("ruthenium", temperature=293.15, resistivity=Uniform(7.8e-8))
    with pytest.raises(ParameterError, match="ruthenium has no mean_free_path_product"):
        bare.with_size_effect(height=10 * nm)
    thin = bare.having(mean_free_path_product=5.14e-16).with_size_effect(height=10 * nm)
    assert thin.resistivity == pytest.approx(7.8e-8 * film(10 / (514 / 78), 0.0), rel=1e-6, abs=0)
    assert isinstance(thin.constants["resistivity"].law, SizeEffect)
    assert em.materials.gold().with_size_effect(height=10 * nm).constants["resistivity"].confidence == "recalled"


def test_narrow_nickel_conducts_better_than_copper_and_molybdenum_about_as_well():
    """The abstract of Gall (2016): nickel 1.6 times; molybdenum approximately as copper."""
    product = {name: em.materials.metal(name).mean_free_path_product for name in ("copper", "nickel", "molybdenum")}
    assert product["copper"] / product["nickel"] == pytest.approx(1.6, abs=0.06)
    assert product["copper"] / product["molybdenum"] == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fuchs_sondheimer(0.0, 1e-8), "thickness = 0 m, must be between"),
        (lambda: fuchs_sondheimer(1e-8, 0.0), "mean_free_path = 0 m, must be greater than 0 m"),
        (lambda: fuchs_sondheimer(1e-9, 1e-6), "mean_free_path = 1e-06 m, must be at most 1e-07 m"),
        (lambda: fuchs_sondheimer(1e-8, [1e-8, math.nan]), "mean_free_path"),
        (lambda: fuchs_sondheimer(1e-8, 1e-8, 1.1), "specularity = 1.1, must be at most 1"),
        (lambda: mayadas_shatzkes(20.0, 1e-8, 0.3), r"grain_size = 20 m, .*: nm or um written as m\?"),
        (lambda: mayadas_shatzkes(1e-8, -1.0, 0.3), "mean_free_path = -1 m, must be greater than 0 m"),
        (lambda: mayadas_shatzkes(1e-8, 1e-8, 1.0), "reflection = 1, must be less than 1"),
        (lambda: COPPER.with_size_effect(height=10.0), r"height = 10 m, .*: nm or um written as m\?"),
        (lambda: COPPER.with_size_effect(height=1e-8, width=0.0), "width = 0 m, must be between"),
        (lambda: COPPER.with_size_effect(height=1e-8, specularity=-0.1), "specularity = -0.1, must be at least 0"),
        (lambda: COPPER.with_size_effect(height=1e-8, grain_size=1e-8), "grain_size and reflection, must be given tog"),
        (lambda: COPPER.with_size_effect(height=1e-8, reflection=0.2), "grain_size and reflection, must be given tog"),
        (
            lambda: COPPER.with_size_effect(height=1e-8).with_size_effect(height=1e-8),
            "has the size effect of 10 nm with p = 0 already",
        ),
        (
            lambda: COPPER.having(mean_free_path_product=lambda T: 1e-16 * T).with_size_effect(height=1e-8),
            "mean_free_path_product",
        ),
        (lambda: COPPER.having(mean_free_path_product=6.7e-12), r"Ohm cm2 written as Ohm m2\?"),
    ],
)
def test_what_cannot_be_is_refused(call: Callable[[], Any], message: str):
    with pytest.raises(ParameterError, match=message):
        call()


def test_a_linear_law_of_ones_own_is_taken_with_its_slope():
    thin = em.materials.copper(300.0, resistivity=Linear(2e-8, 300.0, 4e-3)).with_size_effect(height=50 * nm)
    bulk = 2e-8 * (1 + 4e-3 * 200)
    assert thin.law("resistivity")(500.0) == pytest.approx(bulk * film(50 * nm * bulk / PRODUCT, 0.0), rel=1e-6, abs=0)
