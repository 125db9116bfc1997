"""Coherency stress: the operator |k|, its closed forms, the film that it drives, and its bad input."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import emfem as em
from emfem.errors import ParameterError
from emfem.film import coherency

import numpy as np
import pytest

CUPD = em.film.cupd()
STRAINED = replace(CUPD, coherency=0.03)
BY_HAND: dict[str, float] = {"curvature": 0.1 / 0.21 - 0.3 - 0.55 * 0.4, "gradient_energy": 0.015}


# ---- the operator |k|


@pytest.mark.parametrize("wide", [2.0, 40.0, 1e4])
def test_averages_make_the_wave_number(wide: float):
    """To the error that is promised, at its ends too, and with no more averages than needed: the error is used."""
    k = np.geomspace(0.3, 0.3 * wide, 2001)[:, None]
    lengths, weights = coherency.averages(0.3, 0.3 * wide)
    wrong = abs(np.sum(weights * (1 - 1 / (1 + (lengths * k) ** 2)), axis=1) / k[:, 0] - 1)
    assert 0.02 * coherency.ERROR < wrong.max() <= 1.001 * coherency.ERROR
    assert (lengths > 0).all()
    assert (weights > 0).all()  # so that what is left out of the energy has one sign


def test_a_film_of_too_many_waves_is_refused():
    with pytest.raises(ParameterError, match=r"domain of 1e\+12 wavelengths, must be smaller"):
        coherency.averages(1.0, 1e12)


# ---- closed forms


@pytest.mark.parametrize(("curvature", "q"), [(BY_HAND["curvature"], 0.03), (0.03, 0.05), (-0.12, 0.0)])
def test_fastest_and_neutral_waves_are_those_of_the_growth_rate(curvature: float, q: float):
    alloy = em.film.Alloy(entropy=0.1, enthalpy=0.2 - curvature / 2, solute_expansion=0.0, gradient_energy=0.015)
    alloy = replace(alloy, coherency=q)
    constants = {"curvature": curvature, "gradient_energy": 0.015, "coherency": q}

    def rate(k: Any) -> Any:
        return em.film.growth_rate(np.stack([0.6 * k, 0.8 * k], axis=-1), alloy, mean=0.5).real

    k = np.linspace(0.01, 5.0, 200_001)
    fastest = em.analytic.film_fastest_wave(**constants)
    assert fastest == pytest.approx(k[np.argmax(rate(k))], abs=5e-5)
    low, high = em.analytic.film_neutral_waves(**constants)
    assert rate(np.array([high])) == pytest.approx(0.0, abs=1e-14)
    if curvature > 0:
        assert rate(np.array([low])) == pytest.approx(0.0, abs=1e-14)
    else:
        assert low == 0.0
    assert low < fastest < high


def test_closed_forms_by_hand():
    assert em.analytic.film_fastest_wave(**BY_HAND, coherency=0.03) == pytest.approx(2.1722579, rel=1e-7)
    assert em.analytic.film_neutral_waves(**BY_HAND, coherency=0.03)[1] == pytest.approx(2.9800593, rel=1e-7)
    assert 2 * math.pi / em.analytic.film_fastest_wave(**BY_HAND) == pytest.approx(5.19944, rel=1e-5)
    assert em.analytic.film_selected_wave(gradient_energy=0.015, coherency=0.03) == pytest.approx(1.0)


def test_a_film_in_which_no_wave_grows_has_none():
    for form in (em.analytic.film_fastest_wave, em.analytic.film_neutral_waves):
        with pytest.raises(ParameterError, match=r"^curvature = 0.05, must be less than q\^2/\(4 eps\) = 0.04166"):
            form(curvature=0.05, gradient_energy=0.015, coherency=0.05)


def test_the_coefficient_of_a_substrate():
    """2 (1 - 0.25^2) (3 N/m)^2 / 100 GPa by hand; it scales as the gradient coefficient does, and comes back."""
    found = em.film.coherency_coefficient(surface_stress=-3.0, young_modulus=1e11, poisson_ratio=0.25)
    assert found == pytest.approx(1.6875e-10, rel=1e-12, abs=0)
    physical: dict[str, float] = {
        "temperature": 923.0, "film_thickness": 0.5e-9, "site_density": 1.5e19, "surface_energy": 2.0,
        "interaction_energy": 1.9e-20, "stress_coefficient": 0.0, "gradient_coefficient": 3e-11, "diffusivity": 1e-14,
        "energy_ratio": 1.0, "coherency_coefficient": found,
    }  # fmt: skip
    alloy = em.film.Alloy.from_physical(**physical)
    assert alloy.coherency == pytest.approx(0.16875, rel=1e-12)
    assert alloy.to_physical() == pytest.approx(physical, rel=1e-13)


# ---- the film


def strained(until: float = 0.0, *, pull: float = 0.03, step: float = 0.01) -> em.Model:
    """A line of a film with some waves in it, after a while."""
    film = em.film.model(
        em.mesh.interval(20.0, cells=90),
        replace(CUPD, coherency=pull),
        initial=lambda x: 0.3 + 0.05 * np.cos(0.4 * np.pi * x[0]) + 0.02 * np.cos(0.65 * np.pi * x[0]),
    )
    if until:
        em.evolve(film, until, fixed_step=step, progress=False)
    return film


def test_the_energy_falls_by_what_is_dissipated():
    """The potential is the derivative of the free energy: the energy falls at the rate of dissipation, to O(dt^2)."""
    film = strained(0.01)
    energy, loss = film.quantity("free_energy"), film.quantity("dissipation")
    em.evolve(film, 0.03, fixed_step=0.01, progress=False)
    mean = (loss + film.quantity("dissipation")) / 2
    assert loss > 1e-5
    assert (energy - film.quantity("free_energy")) / 0.02 == pytest.approx(mean, rel=1e-3)


@pytest.mark.soak
def test_the_energy_is_that_of_its_waves():
    """`-(q/4) sum |k| a^2` per length of waves that a blocked line has, by hand; 1e-3 is the error of |k|."""
    free, strain = (strained(1e-6, pull=pull, step=1e-6).quantity("free_energy") for pull in (0.0, 0.03))
    assert strain - free == pytest.approx(-20.0 * 0.03 / 4 * np.pi * (0.4 * 0.05**2 + 0.65 * 0.02**2), rel=2e-3)


def test_the_energy_is_refused_before_the_averages_are_known():
    with pytest.raises(ParameterError, match=r"^free_energy of a film with coherency stress, must be taken after"):
        strained().quantity("free_energy")


def test_averages_reach_the_waves_of_an_energy_elsewhere():
    """A free energy of one's own about c = 5 has the averages of the same one about c = 0.5."""

    def names(middle: float) -> tuple[str, ...]:
        return em.film.model(
            em.mesh.interval(20.0, cells=4),
            replace(CUPD, coherency=0.03),
            mean=middle,
            free_energy=lambda c: (c - middle) ** 4 / 4 - (c - middle) ** 2 / 2,
            mobility=lambda c: 1.0 + 0.0 * c,
            degree=1,
        ).names

    assert names(5.0) == names(0.5)


def test_a_film_without_substrate_has_no_averages():
    assert [unknown.name for unknown in strained(pull=0.0).unknowns] == ["c", "mu"]
    assert strained().names[:3] == ("c", "mu", "average 1")


def test_a_case_has_coherency_stress():
    case = em.studies.Case.from_dict(
        {
            "domain": {"shape": "interval", "length": 20.0, "cells": 90},
            "film": {"alloy": {"name": "cupd", "coherency": 0.03}, "mean": 0.3},
            "time": {"until": 1.0},
        }
    )
    (film,) = case.build()
    assert len(film.unknowns) == len(strained().unknowns) > 4


# ---- bad input


@pytest.mark.parametrize(
    "domain",
    [
        pytest.param(lambda: em.mesh.box((1.0, 1.0, 1.0), cells=(2, 2, 2)), id="box"),
        pytest.param(lambda: em.mesh.axisymmetric(em.mesh.rectangle((2.0, 1.0), cells=(2, 2))), id="revolved"),
    ],
)
def test_a_film_that_is_not_flat_is_refused(domain: Any):
    with pytest.raises(ParameterError, match=r"must be a plane or a line for a film with coherency stress$"):
        em.film.model(domain(), STRAINED, mean=0.3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: replace(CUPD, coherency=-0.1), "coherency = -0.1, must be at least 0"),
        (lambda: replace(CUPD, coherency=1e200), "coherency = 1e+200, must be at most 1e+100"),
        (lambda: replace(CUPD, coherency=math.nan), "coherency = nan, must be finite"),
        (
            lambda: em.film.coherency_coefficient(surface_stress=1.0, young_modulus=0.0, poisson_ratio=0.3),
            "young_modulus = 0 Pa, must be greater than 0",
        ),
        (
            lambda: em.film.coherency_coefficient(surface_stress=1.0, young_modulus=1e11, poisson_ratio=0.6),
            "poisson_ratio = 0.6, must be at most 0.5",
        ),
        (
            lambda: em.film.coherency_coefficient(surface_stress=math.inf, young_modulus=1e11, poisson_ratio=0.3),
            "surface_stress = inf N/m, must be finite",
        ),
        (
            lambda: em.analytic.film_selected_wave(gradient_energy=0.1, coherency=0.0),
            "coherency = 0, must be greater than 0",
        ),
    ],
)
def test_bad_constants_are_refused(call: Any, message: str):
    with pytest.raises(ParameterError) as caught:
        call()
    assert str(caught.value).startswith(message)
