"""The temperature at which atoms stop: the pull of the field against the wind of the electrons.

The field pulls an ion along the current, the electrons drag it the other way. In a given current the wind pushes alike
at any temperature, while the field, and its pull, grows with the resistivity. Where both are equal the effective charge
Z* is zero and atoms rest. A metal with a weak wind gets there; one with a strong wind, as copper, would melt before.
"""

import argparse
from pathlib import Path

import emfem as em

import numpy as np
from matplotlib.figure import Figure


def main(
    direct: float = 2.0, wind: float = -3.0, slope: float = 4.5e-3, out: str = "results/cancellation"
) -> dict[str, float | None]:
    """The cancellation temperature of each metal [K]; None where it melts before."""
    metals = {
        "weak wind": em.materials.Material(
            "an imagined metal",
            melting_temperature=1600.0,
            resistivity=em.materials.Linear(5e-8, temperature_coefficient=slope),
            effective_charge=em.materials.DirectAndWind(direct, wind),
        ),
        "strong wind": em.materials.copper(effective_charge=em.materials.DirectAndWind(direct=1.0, wind=-6.0)),
    }
    results = {name: cancellation(metal) for name, metal in metals.items()}
    em.plot.figure(lambda figure: draw(figure, metals, results), Path(out) / "charge.png", height=2.9)
    return results


def cancellation(metal: em.materials.Material) -> float | None:
    """Temperature of a metal [K], printed; None if there is none."""
    try:
        result = metal.cancellation_temperature()
    except em.ParameterError as error:
        em.write.print_root(error)
        return None
    em.write.print_root(f"{metal.name}: direct and wind force cancel at {result:.3f} K")
    return result


def draw(figure: Figure, metals: dict[str, em.materials.Material], results: dict[str, float | None]) -> None:
    """Z* against temperature, and what it is made of, per current density."""
    left, right = figure.subplots(1, 2)
    for i, (name, metal) in enumerate(metals.items()):
        temperature = np.linspace(200.0, metal.melting_temperature, 300)
        colour = em.plot.style.named_colour(i)
        left.plot(temperature, metal.law("effective_charge")(temperature), color=colour, label=name)
        if results[name] is None:
            left.axvline(metal.melting_temperature, color=colour, linewidth=0.8, linestyle="dotted")
            left.annotate("melts", (metal.melting_temperature, -6.0), rotation=90, color=colour, ha="right")
        else:
            left.plot(results[name], 0.0, "o", color=colour, label=f"rest at {results[name]:.1f} K")
    left.set(title="effective charge", xlabel="T [K]", ylabel="Z* [charges e]", ylim=(-8.5, 2.5))
    left.legend(loc="lower center")
    metal, temperature = metals["weak wind"], np.linspace(200.0, 800.0, 200)
    rho, charge = metal.law("resistivity")(temperature), metal.law("effective_charge")
    pull = metal.constants["effective_charge"].law.direct * rho
    for i, (values, name) in enumerate(
        ((pull, "pull of the field"), (charge(temperature) * rho - pull, "wind of the electrons"))
    ):
        right.plot(temperature, 1e8 * values, color=em.plot.style.named_colour(2 + i), label=name)
    right.plot(temperature, 1e8 * charge(temperature) * rho, color=em.plot.style.INK, label="sum")
    right.set(title="force on an atom, weak wind", xlabel="T [K]", ylabel="force / (e j) = Z* ρ [10⁻⁸ Ω m]")
    right.legend()
    for axes in (left, right):
        axes.axhline(0.0, color=em.plot.style.GREY, linewidth=0.8)
        axes.set_xlim(200.0, None)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--direct", type=float, default=2.0, help="charge that the field pulls at")
    options.add_argument("--wind", type=float, default=-3.0, help="charge that stands for the wind at 293.15 K")
    options.add_argument("--slope", type=float, default=4.5e-3, help="temperature coefficient of the resistivity [1/K]")
    options.add_argument("--out", default="results/cancellation", help="folder for the results")
    main(**vars(options.parse_args()))
