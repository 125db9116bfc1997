"""Constants from measurements: D0, Ea, Z* and the critical stress of copper lines, from tests that are simulated.

Nine tests, three temperatures and three currents. Five lines in each are watched until a void opens; the tests end
when ten of the 45 still live. One more line in each has its resistance measured: a void grows, and the current goes
through the liner. Both laws are Korhonen's, in closed form, and data scatter by 1 %.

Opening times alone cannot tell Z* from the critical stress: tension grows in proportion to Z*, and only the ratio
counts. The fit says so. Resistance adds the growth of voids, which knows Z* but no critical stress, and all four
constants come out. The last lines say which single test would have helped most instead.
"""

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import emfem as em
from emfem.units import MPa, boltzmann, elementary_charge, eV, hour, um

import numpy as np
from matplotlib.figure import Figure

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
    temperature=1.0,
    effective_charge=1 / elementary_charge,
    resistivity=1.0,
    atomic_volume=1.0,
    diffusivity=boltzmann,
    bulk_modulus=1.0,
)
opens = em.fit.LawModel("nucleation", COPPER, fixed={"length": LENGTH})


def scales(c: dict[str, float], x: dict[str, Any]) -> tuple[Any, Any]:
    """Return |G| L [Pa] and L^2/kappa [s]."""
    pull = abs(c["Z"]) * elementary_charge * COPPER.law("resistivity")(x["T"]) * x["j"] / COPPER.atomic_volume * LENGTH
    kappa = c["D0"] * np.exp(-c["Ea"] / (boltzmann * x["T"])) * COPPER.bulk_modulus * COPPER.atomic_volume
    return pull, LENGTH**2 * boltzmann * x["T"] / kappa


def resistance(c: dict[str, float], x: dict[str, Any]) -> Any:
    """Return R(t)/R(0): the void has grown since it opened."""
    pull, time = scales(c, x)
    start = opens(c, {"T": x["T"], "j": x["j"]})
    since = np.maximum(x["t"] - start, 0.0) / time
    void = em.analytic.void_growth(since, length=1.0, current_density=1.0, material=UNIT)
    return 1 + (RATIO - 1) * void * pull / COPPER.bulk_modulus


def model(c: dict[str, float], x: dict[str, Any]) -> Any:
    """Return R(t)/R(0) for a curve with times, else the times at which voids open."""
    return resistance(c, x) if "t" in x else opens(c, x)


def test_of(temperature: Any, current: Any) -> dict[str, Any]:
    """Return the conditions of resistances: 20 times of each test, from the opening of the void on."""
    nodes = np.linspace(0.01, 0.6, 20)
    x = {"T": np.repeat(temperature, len(nodes)), "j": np.repeat(current, len(nodes))}
    return x | {"t": opens(TRUE, x) + scales(TRUE, x)[1] * np.tile(nodes, np.size(current))}


def data(seed: int) -> list[em.fit.Curve]:
    """Return simulated opening times, and resistances."""
    random = np.random.default_rng(seed)
    kelvin, j = (each.ravel() for each in np.meshgrid(TEMPERATURES, CURRENTS, indexing="ij"))
    lines = {"T": np.repeat(kelvin, LINES), "j": np.repeat(j, LINES)}
    times = opens(TRUE, lines) * np.exp(NOISE * random.standard_normal(len(lines["j"])))
    end = np.sort(times)[-CENSORED - 1]
    x = test_of(kelvin, j)
    rise = resistance(TRUE, x) * np.exp(NOISE * random.standard_normal(len(x["t"])))
    return [
        em.fit.Curve("opening times", lines, np.minimum(times, end), NOISE, "log", times > end),
        em.fit.Curve("R(t)/R(0)", x, rise, NOISE, "log"),
    ]


def draw(figure: Figure, both: em.fit.Fit, profiles: dict[str, tuple[Any, Any]]) -> None:
    """Draw resistances with their model, and the profiles of Z* without and with them."""
    style = em.plot.style
    left, right = figure.subplots(1, 2)
    curve, fitted = both.curves[1], both.modelled[1]
    x = curve.columns
    for i, kelvin in enumerate(TEMPERATURES):
        for k, j in enumerate(CURRENTS):
            rows = (x["T"] == kelvin) & (x["j"] == j)
            label = f"{kelvin:g} K" if k == 0 else None
            left.semilogx(x["t"][rows] / hour, curve.y[rows], "o", color=style.named_colour(i), markersize=2)
            left.semilogx(x["t"][rows] / hour, fitted[rows], color=style.named_colour(i), label=label)
    left.set(xlabel="time [hours]", ylabel="R(t)/R(0)", title="1, 2, 3 MA/cm²; lines: fit, dots: data")
    left.legend()
    for i, (name, (values, rise)) in enumerate(profiles.items()):
        right.plot(values, rise, color=style.named_colour(i), label=name)
    right.axhline(both.threshold, color=style.GREY, linestyle="dashed", linewidth=0.8)
    right.axvline(TRUE["Z"], color=style.GREY, linewidth=0.8)
    right.set(xlabel="Z*", ylabel="rise of the sum of squares", ylim=(-0.3, 12), title="profiles; upright: the truth")
    right.legend(loc="upper left")


def main(seed: int = 1, points: int = 41, out: str = "results/fit") -> dict[str, Any]:
    """Fit opening times alone, then together with resistances; then rank single tests after the first fit."""
    curves = data(seed)
    first = em.fit.fit(model, curves[:1], UNKNOWNS, starts=1)
    both = em.fit.fit(model, curves, UNKNOWNS, starts=1)
    tests = [
        em.fit.Test(f"resistance of one line at {kelvin:g} K, {j / 1e10:g} MA/cm2", test_of(kelvin, j), NOISE, "log")
        for kelvin in TEMPERATURES
        for j in CURRENTS
    ]
    proposals = em.fit.design(model, first, tests)
    profiles = {"opening times": first.profile("Z", points), "and resistances": both.profile("Z", points)}
    em.plot.figure(lambda figure: draw(figure, both, profiles), Path(out) / "fit.png")
    em.write.print_root("opening times:", first, "", "with resistances:", both, "", *proposals[:2], proposals[-1])
    return {"first": first, "both": both, "proposals": proposals}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seed", type=int, default=1, help="of the scatter of the data")
    options.add_argument("--points", type=int, default=41, help="of each profile")
    options.add_argument("--out", default="results/fit", help="folder for the results")
    main(**vars(options.parse_args()))
