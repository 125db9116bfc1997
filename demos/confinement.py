"""Modulus by which atoms make stress in a line, against its aspect ratio and the dielectric around it.

Korhonen's equation has one modulus B for metal and surroundings together. Here it is computed: atoms are added to a
copper line with a thin liner in oxide and in two softer dielectrics, their stress and that of what confines them is
solved for in the cross-section, and B is what remains of the bulk modulus of copper. Ellipses without a liner have a
closed form, Eshelby's inclusion.

The elastic constants of the dielectrics are typical ones.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.mechanics import Elastic
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

COPPER, LINER = em.mechanics.elastic(em.materials.copper()), Elastic(186e9, 0.34)  # tantalum
DIELECTRICS = {
    "oxide": Elastic(71e9, 0.16),
    "low-k": Elastic(10e9, 0.25),
    "porous": Elastic(3e9, 0.25),
}
WIDTH, THICKNESS = 100 * nm, 5 * nm  # of the line and its liner
ASPECTS = (0.5, 1.0, 2.0, 4.0)  # height over width

Moduli = NDArray[np.float64]


def moduli(aspects: Any = ASPECTS, cells: float = 8.0) -> dict[str, Moduli]:
    """B by dielectric [Pa], shape (aspects, 3): a line with its liner, an ellipse without one, and its closed form."""
    results: dict[str, list[list[float]]] = {name: [] for name in DIELECTRICS}
    for aspect in aspects:
        size = {"size": min(WIDTH, aspect * WIDTH) / cells}
        line = em.mechanics.line_section(WIDTH, aspect * WIDTH, liner=THICKNESS, **size)
        ellipse = em.mechanics.line_section(WIDTH, aspect * WIDTH, shape="ellipse", **size)
        for name, around in DIELECTRICS.items():
            solids = {"metal": COPPER, "dielectric": around}
            results[name].append(
                [
                    em.stress.effective_modulus(line, {**solids, "liner": LINER}),
                    em.stress.effective_modulus(ellipse, solids),
                    em.analytic.embedded_line_modulus(COPPER, around, aspect=aspect),
                ]
            )
    return {name: np.array(values) for name, values in results.items()}


def draw(figure: Figure, results: dict[str, Moduli], aspects: Any = ASPECTS) -> None:
    """Moduli against the aspect ratio."""
    style, axis = em.plot.style, figure.subplots()
    fine = np.geomspace(min(aspects), max(aspects), 60)
    for i, (name, values) in enumerate(results.items()):
        colour, around = style.named_colour(i), DIELECTRICS[name]
        exact = [em.analytic.embedded_line_modulus(COPPER, around, aspect=a) / 1e9 for a in fine]
        axis.plot(fine, exact, color=colour, linewidth=1.0)
        axis.plot(aspects, values[:, 1] / 1e9, "o", color=colour, fillstyle="none", markersize=5)
        axis.plot(aspects, values[:, 0] / 1e9, "s", color=colour, markersize=5)
        text = f"{name}, E = {around.young_modulus / 1e9:g} GPa"
        axis.text(1.08 * fine[-1], exact[-1], text, va="center", color=colour, fontsize="small")
    handles = [
        Line2D([], [], color=style.INK, marker="s", linestyle="none", label="line with a liner of 5 nm"),
        Line2D([], [], color=style.INK, marker="o", fillstyle="none", linestyle="none", label="ellipse"),
        Line2D([], [], color=style.INK, label="ellipse, closed form"),
    ]
    axis.legend(handles=handles, loc="upper right")
    axis.set(xscale="log", xlabel="height over width", ylabel="B [GPa]", xlim=(0.9 * fine[0], 2.6 * fine[-1]))
    axis.set(xticks=aspects, xticklabels=[f"{a:g}" for a in aspects], ylim=(0, 60))
    axis.minorticks_off()
    axis.set_title(f"copper, of which the bulk modulus is {COPPER.bulk_modulus / 1e9:.0f} GPa")


def main(out: str = "results/confinement", cells: float = 8.0, aspects: Any = ASPECTS) -> dict[str, Moduli]:
    """Compute, print and draw."""
    results = moduli(aspects, cells)
    for name, values in results.items():
        for aspect, (line, ellipse, exact) in zip(aspects, values, strict=True):
            em.write.print_root(
                f"{name:8s} height/width {aspect:4g}: B = {line / 1e9:6.2f} GPa; ellipse {ellipse / 1e9:6.2f}, "
                f"closed form {exact / 1e9:6.2f}"
            )
    em.plot.figure(lambda figure: draw(figure, results, aspects), Path(out) / "modulus.png", height=3.6)
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="results/confinement")
    main(**vars(parser.parse_args()))
