"""Copper against tungsten and molybdenum under one current: the tension changes ends.

Electrons enter at the cathode, on the left. Copper's atoms go with them, Z* < 0, and leave tension at the cathode;
those of tungsten and molybdenum go against them, Z* > 0, and leave it at the anode. There their voids open. Each line
passes the same stages in units of its own L^2/kappa, but at one temperature these times are hours for copper and far
beyond the age of the world for the others: such metals are stiff and slow, and it takes surfaces of a few nm to move
them. With Z* reversed every stress is the opposite, to rounding.

The signs of the charges are known. That of copper has a size which is roughly known too; the +1 of tungsten and
molybdenum is a placeholder, so the heights of their curves mean nothing yet: only their ends do.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import MPa, hour, um, year

import numpy as np
from matplotlib.figure import Figure

LENGTH, CURRENT, KELVIN = 20 * um, -1e10, 573.0  # m, A/m2, K; against x: electrons go along x
METALS = {name: em.materials.metal(name, KELVIN) for name in ("copper", "tungsten", "molybdenum")}
STAGES = (0.01, 0.05, 0.2, 1.0)  # L^2/kappa


def line(metal: em.materials.Material, cells: int) -> em.Model:
    """A line with blocked ends."""
    domain = em.mesh.interval(LENGTH, cells=cells, names=("cathode", "anode"))
    return em.stress.model(domain, metal, current_density=CURRENT)


def unit(metal: em.materials.Material) -> float:
    """The time L^2/kappa in which stress passes the line [s]."""
    return LENGTH**2 / metal.derived(length=LENGTH, current_density=CURRENT).stress_diffusivity


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < year:
        return f"{seconds / hour:.3g} hours"
    return f"10$^{{{np.log10(seconds / year):.0f}}}$ years"


def profiles(metal: em.materials.Material, cells: int, at: Any) -> Any:
    """The stress at places of the line, at each stage [Pa]."""
    probe = em.watch.probe("sigma", at=at[:, None], times=np.array(STAGES) * unit(metal))
    model = line(metal, cells)
    em.evolve(model, until=STAGES[-1] * unit(metal), rtol=1e-5, atol=1e-7, watch=[probe], progress=False)
    return np.array(probe.values)[-len(STAGES) :]


def closed(metal: em.materials.Material, at: Any, t: Any) -> Any:
    """The same in closed form [Pa]."""
    return em.analytic.korhonen_line(at, t, length=LENGTH, current_density=CURRENT, material=metal)


def draw(figure: Figure, at: Any, results: dict[str, Any]) -> None:
    """A panel for each metal."""
    style = em.plot.style
    panels = figure.subplots(1, len(results), sharey=True)
    for axis, (name, stress) in zip(panels, results.items(), strict=True):
        metal = METALS[name]
        for i, (part, row) in enumerate(zip(STAGES, stress, strict=True)):
            axis.plot(at / um, row / MPa, color=style.named_colour(i), label=f"{part:g}")
        rest = closed(metal, at, 10 * unit(metal))
        axis.plot(at / um, rest / MPa, color=style.INK, linestyle="dotted", label="steady")
        axis.axhline(0.0, color=style.GREY, linewidth=0.7)
        placeholder = metal.constants["effective_charge"].confidence == "placeholder"
        axis.set_title(
            f"{name}\nZ* = {metal.effective_charge:+g}{' (placeholder)' if placeholder else ''}\n"
            f"L²/κ = {duration(unit(metal))}"
        )
        axis.set(xlabel="distance from the cathode [µm]", xlim=(0, LENGTH / um))
        end = 0 if metal.effective_charge < 0 else -1
        axis.plot(at[end] / um, rest[end] / MPa, "D", color=style.WARNING, markersize=7, clip_on=False)
        side = "left" if end == 0 else "right"
        shift = 1.0 if end == 0 else -1.0
        axis.text(at[end] / um + shift, rest[end] / MPa, "most tension", color=style.WARNING, ha=side, va="center")
    panels[0].set_ylabel("stress, tension positive [MPa]")
    panels[0].annotate("", (12, -200), (2, -200), arrowprops={"arrowstyle": "->", "color": style.INK})
    panels[0].text(7, -190, "electrons", ha="center")
    panels[-1].legend(loc="lower right", title="time [L²/κ]", ncols=2, columnspacing=1.0)


def main(cells: int = 20, out: str = "results/upwind") -> dict[str, Any]:
    """Steady stress at both ends [Pa], how far profiles are from closed form and mirror images apart [-]."""
    at = np.linspace(0.0, LENGTH, 81)
    results = {name: profiles(metal, cells, at) for name, metal in METALS.items()}
    ends, error, worst = {}, 0.0, 0.0
    for name, metal in METALS.items():
        rest = em.fields.evaluate(em.stress.steady(line(metal, cells)), np.array([[0.0], [LENGTH]]))
        ends[name] = rest.tolist()
        exact = closed(metal, at, np.array(STAGES)[:, None] * unit(metal))
        error = max(error, float(np.abs(results[name] - exact).max() / np.abs(rest).max()))
        other = metal.having(effective_charge=-metal.effective_charge)
        mirrored = profiles(other, cells, at)
        worst = max(worst, float(np.abs(mirrored + results[name]).max() / np.abs(results[name]).max()))
    em.plot.figure(lambda figure: draw(figure, at, results), Path(out) / "ends.png", height=2.9)
    for name, (cathode, anode) in ends.items():
        em.write.print_root(f"{name:11}: cathode {cathode / MPa:+8.2f} MPa, anode {anode / MPa:+8.2f} MPa")
    em.write.print_root(f"profiles within {error:.1e} of closed form; charges reversed: the opposite to {worst:.1e}")
    return {"ends": ends, "error": error, "reversed": worst}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=20, help="along the line")
    options.add_argument("--out", default="results/upwind", help="folder for the results")
    main(**vars(options.parse_args()))
