"""Steps: linear theory of their bunching, in runs and in closed form, and a published exponent."""

from __future__ import annotations

import math
from typing import Any

from emfem import steps
from emfem.units import boltzmann, nm
from emfem.verify.registry import check

import numpy as np

T, D, WIDTH = 900.0, 1e-10, 5 * nm
KT = boltzmann * T
FLOW = D * 2e16 * 6.6e-20  # D n0 Omega [m2/s]
SLOW: dict[str, Any] = {"attachment_lower": D / (3 * nm), "attachment_upper": D / (8 * nm)}


def _surface(**changes: Any) -> steps.Surface:
    """Return steps, by default with instantaneous attachment and without a force."""
    return steps.Surface(
        **({"temperature": T, "diffusivity": D, "adatom_density": 2e16, "atom_area": 6.6e-20, "force": 0.0} | changes)
    )


@check(
    "steps",
    source="4 [f h l^2/(l + h)^2 - 12 G l^2/(l^4 (l + h))], f = Z*eE/kT, h = D/k_+ + D/k_-, first order in f l",
    target=0.000174734938,
    rtol=1e-3,
)
def pairing_by_slow_attachment(full: bool) -> float:
    """Growth rate of pairs of steps under a force down the stairs, over that of diffusion."""
    on = _surface(force=KT * 1e5, repulsion=2e-31, **SLOW)
    return complex(steps.growth_rate(np.pi, on, width=WIDTH)).real * WIDTH**2 / FLOW


@check(
    "steps",
    source="- 4 f l^3/(6 D tau) for l << sqrt(D tau), to first order, by hand; attachment instantaneous",
    target=-4 * 1e6 * WIDTH / 6 / 1000,
    rtol=4e-3,
)
def pairing_by_evaporation(full: bool) -> float:
    """With evaporation and instantaneous attachment a force down the stairs heals pairs of steps."""
    on = _surface(force=KT * 1e6, evaporation_time=1000 * WIDTH**2 / D)
    return complex(steps.growth_rate(np.pi, on, width=WIDTH)).real * WIDTH**2 / FLOW


@check(
    "steps",
    source="g (q tanh q + 1/cosh q - 1) - Gamma q^3 tanh q, g = F l^2/(D n0), by hand, at q = 1; G. S. Bales,"
    " A. Zangwill, Phys. Rev. B 41, 5500 (1990), for the model",
    target=2.0 * (math.tanh(1.0) + 1 / math.cosh(1.0) - 1) - 0.1 * math.tanh(1.0),
    rtol=1e-9,
)
def meandering_of_growing_steps(full: bool) -> float:
    """Growth rate of steps that meander alike, joined by deposited atoms from below alone, over that of diffusion."""
    stiffness = 0.1 * WIDTH * KT / 6.6e-20
    on = _surface(attachment_upper=0.0, deposition=2.0 * D * 2e16 / WIDTH**2, line_stiffness=stiffness)
    return complex(steps.growth_rate(0.0, on, width=WIDTH, wave_number=1 / WIDTH)).real * WIDTH**2 / FLOW


@check(
    "steps",
    source="em.steps.growth_rate, itself checked by the closed forms above",
    target=(1.0, 1.0),
    rtol=1e-5,
)
def waves_in_a_run(full: bool) -> tuple[float, float]:
    """Growth and frequency of a small wave of steps in a run, over those of linear theory."""
    many, phase = 8, np.pi / 2
    on = _surface(force=KT * 1e6, repulsion=2e-31, **SLOW)
    expected = complex(steps.growth_rate(phase, on, width=WIDTH))
    until = 1.0 / abs(expected)
    start = steps.train(many, WIDTH) + 1e-4 * WIDTH * np.cos(phase * np.arange(many))
    row = steps.model(on, start, length=many * WIDTH)
    wave = row.run(until, times=[0.0, until], rtol=1e-11).wave(phase)
    omega = complex(np.log(wave[1] / wave[0]) / until)
    return omega.real / expected.real, omega.imag / expected.imag


@check(
    "steps",
    source="L_min ~ N^(-2/3) of large bunches, K. Siewierska, V. Tonchev, arXiv:1611.09963; 1 % of it left at 8 steps",
    target=(-2 / 3, 1.0),
    rtol=1e-2,
)
def narrowest_terrace_of_a_bunch(full: bool) -> tuple[float, float]:
    """Exponent by which the narrowest terrace of a bunch shrinks with its steps, and its width over the continuum's."""
    many = (16, 32) if full else (8, 16)
    narrow, theory = zip(*(_narrowest(n, 10 * nm) for n in many), strict=True)
    return float(np.log2(narrow[1] / narrow[0])), narrow[-1] / theory[-1]


def _narrowest(many: int, mean: float) -> tuple[float, float]:
    """Return the narrowest terrace of a bunch of all steps of the period at rest, and that of the continuum [m]."""
    slow = D / (10 * mean)
    on = _surface(force=KT * 2e5, attachment_lower=slow, attachment_upper=slow, repulsion=1e-32)
    narrow = steps.tightest_terrace(on, steps=many, width=mean)
    start = steps.model(on, 1.5 * narrow * np.arange(1, many + 1), length=many * mean)
    until = 1e5 * many * start.scales[1]
    rest = start.having(positions=start.run(until, times=[until]).positions[-1])
    return float(rest.widths().min()), narrow
