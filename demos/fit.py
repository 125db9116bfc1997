"""Constants from measurements: D0, Ea, Z* and the critical stress of copper lines, from tests that are simulated.

Nine tests, three temperatures and three currents. Five lines in each are watched until a void opens; the tests end when ten
of the 45 still live. One more line in each has its resistance measured: a void grows, and the current goes through
the liner. Both laws are Korhonen's, in closed form, and data scatter by 1 %.

Opening times alone cannot tell Z* from the critical stress: tension grows in proportion to Z*, and only the ratio
counts. The fit says so. Resistance adds the growth of voids, which knows Z* but no critical stress, and all four
constants come out. The last lines say which test would narrow the widest interval most.
"""

import argparse
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import emfem as em
from emfem.units import MPa, boltzmann, eV, hour, um

import numpy as np
from matplotlib.figure import Figure
from scipy.interpolate import CubicSpline

e = em.units.elementary_charge
COPPER = em.materials.copper(temperature=573.0)
LENGTH, RATIO = 60 * um, 50.0  # m; resistance of a length of liner over that of the metal
TEMPERATURES, CURRENTS, LINES, CENSORED = (523.0, 573.0, 623.0), (1e10, 2e10, 3e10), 5, 10
NOISE = 0.01
TRUE = {"D0": 1e-8, "Ea": 0.9 * eV, "Z": -5.0, "sigma_c": 450 * MPa}
UNKNOWNS = [
    em.fit.Unknown("D0", (1e-12, 1e-4), logarithmic=True, unit="m2/s"),
    em.fit.Unknown("Ea", (0.5 * eV, 1.5 * eV), unit="J"),
    em.fit.Unknown("Z", (-20.0, -1.0)),
    em.fit.Unknown("sigma_c", (100 * MPa, 1000 * MPa), unit="Pa"),
]
UNIT = SimpleNamespace(  # a line of length 1 then has G = 1 and kappa = 1
    temperature=1.0, effective_charge=1 / e, resistivity=1.0, atomic_volume=1.0, diffusivity=boltzmann, bulk_modulus=1.0
)


@cache
def opening() -> CubicSpline:
    """ln of the time until a void opens [L^2/kappa] in terms of ln of -ln(1 - 2 r), r = sigma_c/(|G| L)."""
    s = np.geomspace(1e-3, 25.0, 150)
    r = -np.expm1(-s) / 2
    times = [em.analytic.nucleation_time(length=1.0, current_density=1.0, material=UNIT, critical_stress=x) for x in r]
    return CubicSpline(np.log(s), np.log(times))


def law(c: dict[str, float], x: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return |G| L [Pa], L^2/kappa [s] and the time until a void opens [s]."""
    resistivity, modulus = COPPER.law("resistivity")(x["T"]), COPPER.bulk_modulus
    pull = abs(c["Z"]) * e * resistivity * np.abs(x["j"]) / COPPER.atomic_volume * LENGTH
    diffusivity = c["D0"] * np.exp(-c["Ea"] / (boltzmann * x["T"]))
    time = LENGTH**2 * boltzmann * x["T"] / (diffusivity * modulus * COPPER.atomic_volume)
    r = c["sigma_c"] / pull
    s = -np.log1p(-2 * np.minimum(r, 0.49999))
    return pull, time, np.where(r < 0.49999, time * np.exp(opening()(np.log(s))), np.inf)


def opens(c: dict[str, float], x: dict[str, Any]) -> Any:
    """Return the time until a void opens [s]."""
    return law(c, x)[2]


def resistance(c: dict[str, float], x: dict[str, Any]) -> Any:
    """Return R(t)/R(0): the void has grown since it opened."""
    pull, time, start = law(c, x)
    since = np.maximum(x["t"] - start, 0.0) / time
    void = em.analytic.void_growth(since, length=1.0, current_density=1.0, material=UNIT)
    return 1 + (RATIO - 1) * void * pull / COPPER.bulk_modulus


def model(c: dict[str, float], x: dict[str, Any]) -> Any:
    """Return whichever of both a curve is of."""
    return resistance(c, x) if "t" in x else opens(c, x)


def data(seed: int, c: dict[str, float] = TRUE) -> list[em.fit.Curve]:
    """Return simulated opening times, and resistances."""
    random = np.random.default_rng(seed)
    kelvin, j = (each.ravel() for each in np.meshgrid(TEMPERATURES, CURRENTS, indexing="ij"))
    lines = {"T": np.repeat(kelvin, LINES), "j": np.repeat(j, LINES)}
    times = opens(c, lines) * np.exp(NOISE * random.standard_normal(len(lines["j"])))
    end = np.sort(times)[-CENSORED - 1]
    curves = [em.fit.Curve("opens", lines, np.minimum(times, end), NOISE, "log", times > end)]
    nodes = np.linspace(-0.02, 0.6, 20)
    x = {"T": np.repeat(kelvin, len(nodes)), "j": np.repeat(j, len(nodes))}
    _, scale, start = law(c, x)
    x["t"] = np.maximum(start + scale * np.tile(nodes, len(j)), 0.0)
    values = resistance(c, x) * np.exp(NOISE * random.standard_normal(len(x["t"])))
    return [*curves, em.fit.Curve("R(t)/R(0)", x, values, NOISE, "log")]
