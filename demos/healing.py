"""A bridge that a current thinned at one end is healed by the reversed current.

A flat bridge of gold between two walls that no atoms pass: the current flows to the right, atoms go to the left, and
the right end thins. The run stops as the neck is down to 0.6 of what it was, and the current is reversed until two
thirds of the atoms that had left are back: neck and resistance are then nearly those of before. All of them would be
too many, and thin the other end, for it is not the film run backwards: curvature levels the bridge all the time.
The resistivity is that of the bulk. A film so thin has 1.6 times as much; as only its product with the current counts,
all this happens to it at a current that much smaller.
"""

import argparse
import warnings
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure

GOLD = em.materials.gold(temperature=900.0)
HALF = 5 * nm  # m
BOX = (40 * nm, 15 * nm)  # m; half of the symmetric bridge
DENSITY, THIN = 1e13, 0.6  # A/m2 in the bridge, part of its half-width
UNIT = HALF**4 / em.analytic.mullins_coefficient(GOLD)  # s
LONGEST = 4.0  # of these, each way
BACK = 2 / 3  # of the atoms that left
SEEN = ("neck", "moved", "resistance")


def outlines(axes: Any, edges: dict[str, tuple[Any, Any]]) -> None:
    """The bridge before, thinned and healed, each with its first outline."""
    style = em.plot.style
    for axis, (name, (x, half)) in zip(axes, edges.items(), strict=True):
        axis.fill_between(x / nm, -half / nm, half / nm, color=style.DENSITY(0.55), linewidth=0)
        for sign in (-1, 1):
            axis.plot(x / nm, sign * edges["before"][1] / nm, color=style.INK, linestyle="dashed", linewidth=0.8)
        axis.set(aspect="equal", title=name, xlabel="x [nm]", xlim=(0, BOX[0] / nm), ylim=(-BOX[1] / nm, BOX[1] / nm))
    axes[0].set_ylabel("y [nm]")
    for axis, arrow in ((axes[1], "<-"), (axes[2], "->")):
        axis.annotate("", (28, 11.0), (12, 11.0), arrowprops={"arrowstyle": arrow, "color": style.WARNING})
        axis.text(20, 12.0, "electrons", color=style.WARNING, ha="center")


def draw(figure: Figure, edges: dict[str, tuple[Any, Any]], traces: dict[str, Any]) -> None:
    """The bridge, and its neck, its atoms and its resistance in time."""
    style = em.plot.style
    panels = figure.subplots(2, 3)
    outlines(panels[0], edges)
    first = next(iter(traces.values()))
    units = {"neck": nm, "moved": 1e12, "resistance": first["resistance"][0]}
    labels = ("half-width of the neck [nm]", "atoms moved right [1000 a nm]", "resistance over that at first")
    for axis, (name, unit), label in zip(panels[1], units.items(), labels, strict=True):
        for i, (way, trace) in enumerate(traces.items()):
            axis.plot(trace.t * 1e6, trace[name] / unit, color=style.named_colour(i), label=way)
        axis.set(xlabel="time [µs]", ylabel=label)
    panels[1, 0].legend()


def main(width: float = 1.0 * nm, out: str = "results/healing") -> dict[str, float]:
    """Neck and resistance of the thinned and of the healed bridge, over those at first."""
    flows = [1.0]  # the way the current goes
    cells = tuple(int(np.ceil(side / (0.7 * width))) for side in BOX)
    model = em.surface.model(
        em.mesh.rectangle(BOX, cells=cells),
        GOLD,
        shape=em.surface.strip(2 * HALF),
        interface_width=width,
        current=lambda _: flows[-1] * DENSITY * HALF,
        on=("left", "right"),
    )
    thin = em.watch.stop_when(em.surface.neck_below(THIN * HALF), "the neck is thin")
    edges, traces = {"before": em.surface.profile(model)}, {}
    for way, state, sign in (("thinning", "thinned", 1.0), ("healing", "healed", -1.0)):
        flows.append(sign)
        left = (1 - BACK) * model.quantity("moved")
        back = em.watch.event("moved", above=left, reason="enough atoms are back", rtol=1e-3)
        traces[way] = em.watch.series(SEEN)
        watch = [traces[way], thin if sign > 0 else back, em.watch.conserved("metal", rtol=1e-8)]
        until = model.t + LONGEST * UNIT
        em.write.print_root(em.evolve(model, until, rtol=2e-4, watch=watch, progress=False))
        edges[state] = em.surface.profile(model)
    em.plot.figure(lambda figure: draw(figure, edges, traces), Path(out) / "bridge.png", height=3.8)
    first = {name: float(traces["thinning"][name][0]) for name in SEEN}
    found: dict[str, float] = {}
    for state, trace in zip(("thinned", "healed"), traces.values(), strict=True):
        found |= {f"{state} {name}": float(trace[name][-1]) / first[name] for name in ("neck", "resistance")}
    em.write.print_root(*(f"{name} {value:.3f}" for name, value in found.items()))
    return found


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--width", type=float, default=1.0 * nm, help="half-width of interfaces [m]")
    options.add_argument("--out", default="results/healing", help="folder for the results")
    # the docstring has the one; the neck is below 3 interface widths where the current turns, by intent
    warnings.filterwarnings("ignore", "the (resistivity|surface model: neck)", em.ResolutionWarning)
    main(**vars(options.parse_args()))
