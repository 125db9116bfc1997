"""Blech's short-length effect: under one current long lines get voids, short ones never do.

A row of copper lines from 5 to 200 um, all under the same current density at 300 degrees C. In each the stress climbs
until it holds the atoms back, and the longer the line, the higher it must climb: the greatest tension is G L/2. Where
that stays below the critical stress the line lives for ever, which the steady stress tells without a march; the march
then shows in which lines voids open at the cathode, when, and how long they are in the end. Short lines among the
mortal wait longest, and voids grow as L^2. At the anode the same lines are pressed as hard; there is no hillock here to
relieve it, so the voids of the longest are the most that there can be.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import MPa, hour, um

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

COPPER = em.materials.copper(temperature=573.0)
CURRENT, CRITICAL = 1e10, 500 * MPa  # A/m2, along each line: electrons enter on the right
WIDTH, THICKNESS = 0.5 * um, 0.2 * um
LENGTHS = np.array([5, 10, 20, 30, 40, 45, 50, 60, 80, 100, 120, 150, 200]) * um
UNTIL = 3000 * hour
EXAGGERATED = 5  # voids in the picture


@dataclass(frozen=True)
class Fate:
    """Result of a line.

    Attributes:
        length: of the line [m].
        tension: the greatest, in the steady state without a void [Pa].
        opens: when a void opens, infinity if none does [s].
        exact: the same in closed form [s].
        void: length of the void at the end [m].
    """

    length: float
    tension: float
    opens: float
    exact: float
    void: float


def row(cells: int) -> em.Model:
    """All lines as one network; each hangs on two pads of its own, whose voltage drives the same current through it."""
    count = len(LENGTHS)
    y = -10 * um * np.arange(count)
    nodes = np.concatenate([np.stack([0 * LENGTHS, y], axis=1), np.stack([LENGTHS, y], axis=1)])
    segments = np.arange(2 * count).reshape(2, count).T
    volts = COPPER.resistivity * CURRENT * LENGTHS
    pads = {i: v for i, v in enumerate(np.concatenate([volts, 0 * volts]).tolist())}
    net = em.mesh.network(nodes, segments, width=WIDTH, thickness=THICKNESS, cells=cells, pads=pads)
    flow = em.conduction.kirchhoff(net, COPPER.resistivity)
    return em.stress.model(net, COPPER, current_density=flow.current_density, voids=True)


def fates(cells: int) -> list[Fate]:
    """Result of each line."""
    model = row(cells)
    count = len(LENGTHS)
    tension = em.stress.at_nodes(em.stress.steady(model)).reshape(2, count).max(axis=0)
    life = em.failure.run(model, critical_stress=CRITICAL, until=UNTIL, fails=em.failure.VoidLength(LENGTHS.max()))
    opened = {int(void.node) - count: void for void in life.voids}
    return [
        Fate(
            length=float(length),
            tension=float(tension[i]),
            opens=opened[i].nucleated if i in opened else np.inf,
            exact=em.analytic.nucleation_time(
                length=float(length), current_density=CURRENT, material=COPPER, critical_stress=CRITICAL
            ),
            void=opened[i].length if i in opened else 0.0,
        )
        for i, length in enumerate(LENGTHS)
    ]


def draw_row(axis: Any, results: list[Fate]) -> None:
    """The lines, mortal ones red, voids white at the cathode."""
    style = em.plot.style
    for i, fate in enumerate(results):
        mortal = np.isfinite(fate.opens)
        colour = style.WARNING if mortal else style.named_colour(0)
        axis.barh(-i, fate.length / um, height=0.62, color=colour)
        if mortal:
            gap = EXAGGERATED * fate.void / um
            axis.barh(-i, gap, left=fate.length / um - gap, height=0.62, color="white", edgecolor=colour, linewidth=0.8)
        text = f"void after {fate.opens / hour:.3g} h, {fate.void / um:.2g} µm" if mortal else "immortal"
        axis.text(fate.length / um + 3, -i, text, va="center", fontsize="small", color=colour)
    axis.set(xlabel="length [µm]", yticks=[], xlim=(0, 310), ylim=(0.4 - len(results), 1.6))
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.annotate("", (45, 1.1), (5, 1.1), arrowprops={"arrowstyle": "<-", "color": style.INK})
    axis.text(50, 1.1, "electrons come from the right (cathode)", va="center", fontsize="small")
    axis.set_title(f"voids after {UNTIL / hour:g} h, drawn {EXAGGERATED} times as long")


def draw(figure: Figure, results: list[Fate], critical: float) -> None:
    """The row, and the tension against the product of current and length."""
    style = em.plot.style
    lines, against = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
    draw_row(lines, results)
    product = np.linspace(0.0, 1.05 * CURRENT * LENGTHS.max(), 2)
    against.plot(product / 1e5, CRITICAL / critical * product / MPa, color=style.INK, label="closed form, G L/2")
    for fate in results:
        colour = style.WARNING if np.isfinite(fate.opens) else style.named_colour(0)
        against.plot(CURRENT * fate.length / 1e5, fate.tension / MPa, "o", color=colour, markersize=5)
    against.axhline(CRITICAL / MPa, color=style.GREY, linestyle="dashed")
    against.axvline(critical / 1e5, color=style.GREY, linestyle="dashed")
    against.text(1.04 * critical / 1e5, 30, f"(j L)c = {critical:.3g} A/m", color=style.INK)
    against.text(0.99 * product[1] / 1e5, 1.07 * CRITICAL / MPa, "a void opens", color=style.GREY, ha="right")
    against.set(xlabel="current density × length [10⁵ A/m]", ylabel="greatest steady tension, no void [MPa]")
    against.set(xlim=(0, product[1] / 1e5), ylim=(0, None))
    handles = [
        Line2D([], [], color=style.named_colour(0), marker="o", linestyle="none", label="no void opened"),
        Line2D([], [], color=style.WARNING, marker="o", linestyle="none", label="a void opened"),
        Line2D([], [], color=style.INK, label="closed form, G L/2"),
    ]
    against.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 0.22))


def main(cells: int = 12, out: str = "results/blech") -> dict[str, Any]:
    """(j L)_c found and in closed form [A/m], the longest line that lives, the shortest that dies [m], all fates."""
    results = fates(cells)
    critical = em.analytic.blech_product(COPPER, critical_stress=CRITICAL)
    simulated = float(np.interp(CRITICAL, [f.tension for f in results], CURRENT * LENGTHS))
    alive = max(f.length for f in results if np.isinf(f.opens))
    dead = min(f.length for f in results if np.isfinite(f.opens))
    em.plot.figure(lambda figure: draw(figure, results, critical), Path(out) / "row.png", height=3.1)
    em.write.print_root(
        *(
            f"{f.length / um:5.0f} um: {f.tension / MPa:7.1f} MPa, void after {f.opens / hour:8.3f} h, in closed form "
            f"{f.exact / hour:8.3f} h, {f.void / um:.3f} um long"
            for f in results
        ),
        f"(j L)_c = {simulated:.6e} A/m, in closed form {critical:.6e} A/m",
        f"the longest line that lives has {alive / um:g} um, the shortest that dies {dead / um:g} um",
    )
    return {"simulated": simulated, "closed form": critical, "alive": alive, "dead": dead, "fates": results}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=12, help="of each line")
    options.add_argument("--out", default="results/blech", help="folder for the results")
    main(**vars(options.parse_args()))
