"""Resistivity of wires as narrow as the mean free path of their electrons, and the wind of the electrons in them.

Surfaces and boundaries between grains scatter electrons beside the lattice. A metal with a short mean free path, such
as nickel, overtakes copper where wires are narrow. What surfaces add does not depend on temperature; it weakens the
wind for a given field, not for a given current, so direct and wind force cancel at a lower temperature.
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure

PRODUCTS = {"cobalt": (6.2e-8, 7.31e-16), "ruthenium": (7.8e-8, 5.14e-16)}  # rho0 and rho0 lambda of Gall (2016)


def metals() -> dict[str, em.materials.Material]:
    """The metals at 293.15 K; of cobalt and ruthenium only the resistivity, in the direction where it grows more."""
    tables = {name: em.materials.metal(name, 293.15) for name in ("copper", "gold", "tungsten", "molybdenum", "nickel")}
    for name, (rho, product) in PRODUCTS.items():
        law = em.materials.Linear(rho, temperature_coefficient=0.0)
        tables[name] = em.materials.Material(name, temperature=293.15, resistivity=law, mean_free_path_product=product)
    return tables


def main(
    specularity: float = 0.0, reflection: float = 0.3, points: int = 40, out: str = "results/thin_wires"
) -> dict[str, float]:
    """Width below which each metal conducts better than copper [nm]; cancellation temperatures of bulk and wire [K]."""
    widths = np.geomspace(3.0, 200.0, points)
    curves = {
        name: np.array([wire(metal, width, specularity, reflection).resistivity for width in widths])
        for name, metal in metals().items()
    }
    results = {}
    for name, curve in curves.items():
        better = widths[curve < curves["copper"]]
        if better.size:
            results[name] = float(better.max())
            em.write.print_root(f"{name} conducts better than copper below {results[name]:.3g} nm")
    charge = em.materials.DirectAndWind(direct=2.0, wind=-6.0)
    bulk = em.materials.copper(600.0, effective_charge=charge)
    both = {"bulk": bulk, "40 nm": wire(bulk, 40.0, specularity, reflection)}
    for name, metal in both.items():
        results[name] = metal.cancellation_temperature()
        em.write.print_root(f"{name}: direct and wind force cancel at {results[name]:.1f} K")
    em.plot.figure(lambda figure: draw(figure, widths, curves, both), Path(out) / "resistivity.png", height=2.9)
    return results


def wire(metal: em.materials.Material, width: float, specularity: float, reflection: float) -> em.materials.Material:
    """A metal as a square wire [nm] with grains as long as it is wide."""
    size = width * nm
    return metal.with_size_effect(
        height=size, width=size, specularity=specularity, grain_size=size, reflection=reflection
    )


def draw(
    figure: Figure, widths: np.ndarray, curves: dict[str, np.ndarray], both: dict[str, em.materials.Material]
) -> None:
    """Resistivity against width; effective charge of copper against temperature."""
    left, right = figure.subplots(1, 2)
    for i, (name, curve) in enumerate(curves.items()):
        left.loglog(widths, 1e8 * curve, color=em.plot.style.named_colour(i), label=name)
    left.set(title="square wires at 293 K", xlabel="width [nm]", ylabel="ρ [10⁻⁸ Ω m]")
    left.set_xticks([3, 10, 30, 100], ["3", "10", "30", "100"], minor=False)
    left.set_yticks([2, 5, 10, 20, 40], ["2", "5", "10", "20", "40"])
    left.minorticks_off()
    left.legend()
    for i, (name, metal) in enumerate(both.items()):
        temperature = np.linspace(200.0, 1300.0, 200)
        right.plot(
            temperature, metal.law("effective_charge")(temperature), color=em.plot.style.named_colour(i), label=name
        )
    right.axhline(0.0, color=em.plot.style.GREY, linewidth=0.8)
    right.set(title="copper, direct +2, wind −6 at 293 K", xlabel="T [K]", ylabel="Z* [charges e]")
    right.legend()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--specularity", type=float, default=0.0, help="part of the electrons mirrored by surfaces")
    options.add_argument("--reflection", type=float, default=0.3, help="part of the electrons reflected by boundaries")
    options.add_argument("--points", type=int, default=40, help="widths")
    options.add_argument("--out", default="results/thin_wires", help="folder for the results")
    main(**vars(options.parse_args()))
