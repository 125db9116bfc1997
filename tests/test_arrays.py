"""Closed forms refuse what leads beyond floating-point numbers, and sizes that no memory holds."""

import math
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.arrays import MOST, broadcast, finite
from emfem.units import um

import numpy as np
import pytest

COPPER = em.materials.copper(400.0)
LINE: dict[str, Any] = {"length": 50 * um, "current_density": 1e10, "material": COPPER}
HEATED: dict[str, Any] = {"resistivity": 2e-8, "conductivity": 400.0, "temperature": 300.0}
SURFACE: dict[str, Any] = {"temperature": 900.0, "diffusivity": 1e-10, "adatom_density": 1e17, "atom_area": 1e-19}
PULSES = em.waveforms.pulses(period=1e-9, duty=0.5, level=1.0)
WAVE = np.sin(np.arange(256.0).reshape(16, 16))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: broadcast(a=[1, 2], b=[1, 2, 3]), r"shapes a of \(2,\), b of \(3,\), must broadcast"),
        (lambda: broadcast(a=np.zeros((10**4, 1)), b=np.zeros(10**4)), "must be at most 10000000"),
        (lambda: em.analytic.blech_product("copper", critical_stress=5e7), "material = 'copper', must be a metal"),
        (lambda: em.analytic.blocked_drift(0.5, length=1.0, peclet=1.0, time=1e-20), "time = 1e-20, must be at least"),
        (lambda: em.analytic.blocked_drift(1.5, length=1.0, peclet=1.0), r"x from 1.5 to 1.5, must be in \[0, 1\]"),
        (lambda: em.analytic.logistic_profile(-0.1, length=1.0, drive=1.0, mean=0.3), "must be in"),
        (lambda: em.analytic.logistic_profile(0.1, length=1e300, drive=1e300, mean=0.3), "beyond the range"),
        (lambda: em.analytic.heated_line(2.0, length=1.0, current_density=0.0, **HEATED), "must be in"),
        (lambda: em.analytic.wall_accumulation(-1.0), "time from -1 -, must be at least 0"),
        (lambda: em.analytic.wall_accumulation([math.inf]), "wall_accumulation = inf|nan, must be finite"),
        (lambda: em.analytic.kink(math.nan, gradient_energy=1.0), "kink = nan, must be finite"),
        (lambda: em.analytic.isothermal_electrodes(99.0, voltage=1.0, temperature=300.0, lorenz=2.4e-8), "potential"),
        (lambda: em.analytic.korhonen_line([0.0] * 3, [1.0] * 2, **LINE), "must broadcast"),
        (
            lambda: em.analytic.pulse_ripple(math.inf, period=1.0, duty=0.5, current_density=1.0, material=COPPER),
            "t = ",
        ),
        (
            lambda: em.analytic.circle_decay_rate(10**300, COPPER, radius=1e-8),
            "circle_decay_rate = inf, must be finite",
        ),
        (lambda: em.analytic.cancellation_temperature(1e-308, -1e308, temperature_coefficient=1.0), "beyond the range"),
        (lambda: em.film.Scales(600.0, 1e-300, 1e-300, 1.0, 1e-12), "beyond the range|must be greater than 0"),
        (
            lambda: em.film.Anisotropy(strength=1e308, ratio=1e3, misorientation=1.0),
            "diffusion along an axis = inf, must be finite",
        ),
        (lambda: em.film.Noise(1.0, -1), "seed = -1, must be at least 0"),
        (lambda: em.film.noise(1e308), "amplitude = 1e[+]308, must be at most"),
        (lambda: em.film.growth_rate((1e200, 0.0), em.film.cupd(), mean=0.3), "growth_rate|diffusion = inf"),
        (lambda: em.film.growth_rate((), em.film.cupd(), mean=0.3), "wavevector"),
        (lambda: em.film.growth_rate((1.0, 0.0), em.film.cupd(), mean=0.3, mobility=lambda c: "x"), "mobility"),
        (lambda: em.film.mixing_energy("c", entropy=1, enthalpy=1, solute_expansion=1, energy_ratio=1), "c = 'c'"),
        (lambda: em.steps.train(10**10, 1e-9), "steps = 1e[+]10, must be at most"),
        (lambda: em.steps.Surface(force=0.0, **SURFACE, repulsion=math.nan), "repulsion = nan J m, must be finite"),
        (
            lambda: em.steps.vicinal("gold", current_density=1.0, diffusivity=1.0, adatom_density=1.0),
            "material = 'gold'",
        ),
        (lambda: PULSES(1e10), "t = 1e[+]10, must be less than 4.5036e[+]15 periods"),
        (lambda: em.waveforms.constant(1e308).scaled(10.0), "factor = 10, must be less"),
        (lambda: em.waveforms.constant(1e200).mean_square(), "mean_square = inf, must be finite"),
        (lambda: em.waveforms.pulses(period=1.0, duty=0.5, level=[1, 2], base=[1, 2, 3]), "must broadcast"),
        (lambda: em.lifetime.Black(1e308, -9.0, 0.0).lifetime(1e10, 300.0), "lifetime = inf, must be finite"),
        (
            lambda: em.lifetime.line_lifetime(COPPER, length=1.0, current_density=1e308, critical_stress=1e8),
            "lead beyond",
        ),
        (lambda: em.lifetime.Line(np.full((10**4, 1), 1.0), np.full(10**4, 1e10)), "must be at most"),
        (lambda: em.patterns.measure_grid(WAVE * 1e300, (1.0, 1.0)), "size of the values"),
        (lambda: em.patterns.measure_grid(WAVE, (1.0, 1e-9)), "make pixels so unequal"),
        (lambda: em.patterns.measure_grid("here", (1.0, 1.0)), "values = 'here', must be numbers"),
        (lambda: em.materials.Constant("law"), "law = 'law', must be"),  # type: ignore[arg-type]
        (lambda: em.verify.check("film", source="x", target=1.0, rtol=-1.0), "rtol = -1, must be at least 0"),
    ],
)
def test_what_leads_beyond_numbers_or_memory_is_refused(call: Callable[[], Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        call()


@pytest.mark.parametrize("wrong", [math.nan, math.inf, complex(0, math.inf), np.array([1.0, np.nan]), (1.0, math.nan)])
def test_a_result_that_is_not_finite_is_refused(wrong: Any):
    with pytest.raises(em.ParameterError, match="must be finite"):
        finite(lambda: wrong)()


def test_limits_are_right_where_terms_overflow():
    long = em.analytic.heated_line([0.0, 0.5, 1.0], length=1.0, current_density=1e6, loss=1e12, **HEATED)
    assert long == pytest.approx([300.0, 300.0 + 2e-8 * 1e12 / 1e12, 300.0])  # rho j^2/g: cosh overflows there
    late = em.analytic.korhonen_line(0.0, math.inf, **LINE)
    assert late == pytest.approx(em.analytic.korhonen_line(0.0, 1e30, **LINE))
    soon = em.analytic.nucleation_time(**LINE | {"length": 1e5}, critical_stress=1e6)
    assert soon == pytest.approx(em.analytic.nucleation_time(**LINE | {"length": math.inf}, critical_stress=1e6))
    assert em.analytic.logistic_profile([0.0, 1.0], length=1.0, drive=1e-310, mean=0.3) == pytest.approx([0.3, 0.3])


def test_many_lines_are_computed_in_blocks():
    length = np.linspace(1e-5, 1e-4, 9000)
    many = em.lifetime.line_lifetime(COPPER, length=length, current_density=1e10, critical_stress=5e7)
    assert len(length) < MOST
    for i in (0, 4095, 4096, 8999):
        one = em.lifetime.line_lifetime(COPPER, length=length[i], current_density=1e10, critical_stress=5e7)
        assert many.nucleation[i] == pytest.approx(one.nucleation)
