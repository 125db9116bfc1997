"""Steps under a current: gold's bunch and tungsten's spread, and on a bridge they fill opposite pads.

Adatoms of gold go with the electrons, those of tungsten with the current. Electrons that flow down the stairs
therefore pull gold's adatoms down and push tungsten's up. Where attachment is slow, the one bunches steps; the other
takes such bunches apart, and the steps' repulsion helps it. Both follow the linear theory. On a bridge between two pads
gold's atoms pile up where electrons leave, tungsten's where they enter.

The charges are the materials'; that of tungsten is a placeholder of +1. Diffusivity, adatom density, attachment and
repulsion are made up, of plausible size and the same for both metals: only the charge and the resistivity differ.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure

KELVIN, CURRENT = 900.0, -5e9  # K, A/m2; electrons go along +x, down the stairs
WIDTH, UNTIL = 5 * nm, 300.0  # m, s
CONSTANTS: dict[str, float] = {
    "diffusivity": 1e-10,  # m2/s
    "adatom_density": 2e16,  # 1/m2, 1 to 750 atoms of a layer
    "attachment_lower": 1e-10 / (20 * nm),  # m/s
    "attachment_upper": 1e-10 / (20 * nm),
    "repulsion": 2e-31,  # J m
}
METALS = {"gold": em.materials.gold(temperature=KELVIN), "tungsten": em.materials.tungsten(temperature=KELVIN)}
LAYERS, STAIR, BRIDGE = 6, 4 * nm, 120 * nm
STRONGER = 20  # times the current, on the bridge
UNDER = {"gold": 1.0, "tungsten": 3.0}  # how long the bridges are under it [s]


def surface(metal: str, current_density: float = CURRENT) -> em.steps.Surface:
    """A metal under the current."""
    return em.steps.vicinal(METALS[metal], current_density=current_density, **CONSTANTS)


def stairs(steps: int) -> dict[str, em.steps.History]:
    """Gold's stairs from some noise on, and tungsten's from where gold's ended."""
    row = em.steps.model(surface("gold"), em.steps.train(steps, WIDTH, noise=0.2, seed=2), length=steps * WIDTH)
    bunched = row.run(UNTIL)
    return {
        "gold": bunched,
        "tungsten": row.having(surface=surface("tungsten"), positions=bunched.positions[-1]).run(UNTIL),
    }


def bridge(metal: str) -> em.steps.History:
    """A bridge between two pads."""
    left = STAIR * np.arange(1, LAYERS + 1)
    both = np.concatenate([left, BRIDGE - left[::-1]])
    down = [1] * LAYERS + [-1] * LAYERS
    row = em.steps.model(surface(metal, STRONGER * CURRENT), both, length=BRIDGE, ends="blocked", down=down)
    return row.run(UNDER[metal])


def carried(history: em.steps.History) -> float:
    """Shift of the middle of the layers of both pads to the right [m]."""
    x, down = history.positions, history.row.down
    moment = (x[-1] ** 2 - x[0] ** 2) @ down / 2
    return float(moment / (2 * LAYERS * STAIR * (LAYERS + 1) / 2))


def measured(metal: str, steps: int, waves: int) -> complex:
    """The rate at which a wave of 1e-4 widths grows in a run [1/s]."""
    on, phase = surface(metal), 2 * np.pi * waves / steps
    shifted = em.steps.train(steps, WIDTH) + 1e-4 * WIDTH * np.cos(phase * np.arange(steps))
    until = 1 / np.abs(em.steps.growth_rate(phase, on, width=WIDTH))
    history = em.steps.model(on, shifted, length=steps * WIDTH).run(until, times=[0.0, until], rtol=1e-11)
    start, end = history.wave(phase)
    return complex(np.log(end / start) / until)


def draw_stairs(axis: Any, metal: str, history: em.steps.History) -> None:
    """The paths of the steps."""
    axis.plot(history.t, history.positions / nm, color=em.plot.style.INK, linewidth=0.7)
    axis.set(xlabel="time [s]", ylabel="x of the steps, down the stairs [nm]", xlim=(0, history.t[-1]))
    axis.set_ylim(0, history.row.length / nm)
    verb = "bunch" if history.bunching[-1] > history.bunching[0] else "spread"
    axis.set_title(f"{metal}, Z* = {METALS[metal].effective_charge:+g}: steps {verb}")


def draw_rates(axis: Any, rates: dict[str, dict[float, complex]]) -> None:
    """Growth rates against theory."""
    style = em.plot.style
    fine = np.linspace(0, np.pi, 101)
    for i, (metal, computed) in enumerate(rates.items()):
        theory = np.real(em.steps.growth_rate(fine, surface(metal), width=WIDTH))
        phases, dots = np.array(list(computed)), np.real(list(computed.values()))
        colour = style.named_colour(i)
        axis.plot(fine / np.pi, theory, color=colour)
        axis.plot(phases / np.pi, dots, "o", color=colour, markersize=4, label=metal)
    axis.axhline(0.0, color=style.GREY, linewidth=0.7)
    axis.set(xlabel="phase from step to step [π]", ylabel="growth rate [1/s]", xlim=(0, 1.02))
    axis.set_title("lines: linear theory, dots: runs")
    axis.legend(loc="lower left")


def draw_bridges(axis: Any, bridges: dict[str, em.steps.History]) -> None:
    """Heights of the bridges at the start and at the end."""
    style = em.plot.style
    x = np.linspace(0, BRIDGE, 2401)[1:]
    for i, (metal, history) in enumerate(bridges.items()):
        height = LAYERS + history.row.height(x, history.positions[-1])
        axis.plot(x / nm, height, color=style.named_colour(i), label=f"{metal}, {history.t[-1]:g} s")
    before = LAYERS + next(iter(bridges.values())).row.height(x)
    axis.plot(x / nm, before, color=style.GREY, linestyle="dashed", label="before")
    axis.annotate("", (78, 6.6), (42, 6.6), arrowprops={"arrowstyle": "->", "color": style.WARNING})
    axis.text(60, 6.7, "electrons", color=style.WARNING, ha="center")
    axis.set(xlabel="x [nm]", ylabel="height [layers]", xlim=(0, BRIDGE / nm), ylim=(-0.2, 8.2))
    axis.set_title(f"a bridge between pads, {STRONGER} times the current")
    axis.legend(loc="upper center", ncols=3, columnspacing=1.0, handlelength=1.4)


def draw(figure: Figure, rows: dict[str, Any], rates: dict[str, Any], bridges: dict[str, Any]) -> None:
    """All four."""
    (gold, tungsten), (theory, pads) = figure.subplots(2, 2)
    for axis, (metal, history) in zip((gold, tungsten), rows.items(), strict=True):
        draw_stairs(axis, metal, history)
    draw_rates(theory, rates)
    draw_bridges(pads, bridges)


def main(steps: int = 32, out: str = "results/steps") -> dict[str, Any]:
    """Bunching of each metal's stairs, way of its atoms [m], and the difference of rates from theory."""
    rows = stairs(steps)
    bridges = {metal: bridge(metal) for metal in METALS}
    phases = {waves: 2 * np.pi * waves / 16 for waves in range(1, 9)}
    rates = {metal: {phase: measured(metal, 16, n) for n, phase in phases.items()} for metal in METALS}
    theory = {metal: em.steps.growth_rate(list(phases.values()), surface(metal), width=WIDTH) for metal in METALS}
    error = max(abs(np.array(list(rates[m].values())) - theory[m]).max() / abs(theory[m]).max() for m in METALS)
    em.plot.figure(lambda figure: draw(figure, rows, rates, bridges), Path(out) / "steps.png", height=5.6)
    bunching = {metal: history.bunching[[0, -1]].tolist() for metal, history in rows.items()}
    moved = {metal: carried(history) for metal, history in bridges.items()}
    for metal, (start, end) in bunching.items():
        em.write.print_root(f"{metal:8}: bunching {start:.3f} to {end:.3f}, pads carried {moved[metal] / nm:+.1f} nm")
    em.write.print_root(f"growth rates within {error:.1e} of the linear theory")
    return {"bunching": bunching, "carried": moved, "error": error}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--steps", type=int, default=32, help="of the stairs")
    options.add_argument("--out", default="results/steps", help="folder for the results")
    main(**vars(options.parse_args()))
