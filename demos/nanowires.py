"""Bridges of tungsten, molybdenum and gold under one current: the first two fill one end, gold the other.

The current flows to the right, so electrons enter from the right. Atoms of tungsten and molybdenum (Z* > 0) creep
along the current, upwind: the end where electrons enter grows, the other thins. Gold's (Z* < 0) go with the electrons,
to the other end. Nothing but the materials differs. Each is seen in its own time, R^2 over the drift of its surface
atoms: 0.3 ms for gold at 900 K, two minutes for molybdenum, two weeks for tungsten. In it curvature does six times as
much for tungsten as for gold, so tungsten's bridge gets a neck and its resistance rises, while gold's gap moves as a
whole. The bridges are flat: a round wire would pinch by itself. The size of Z* of tungsten and molybdenum is a
placeholder, only its sign is known; the surface diffusivity of gold is scaled from platinum, those of tungsten and
molybdenum are recalled. Resistivities are those of the bulk. Only their product with the current counts, so bridges so
thin, which have 1.2, 1.1 and 1.6 times as much, do the same at currents that much smaller.
"""

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure

KELVIN, DENSITY = 900.0, 3e13  # K, A/m2 in the bridge: no line bears it for long
HALF, LENGTH, FILLET = 5 * nm, 34 * nm, 3 * nm  # m
BOX = (54 * nm, 13 * nm)  # m; half of the symmetric bridge
METALS = {name: em.materials.metal(name, temperature=KELVIN) for name in ("tungsten", "molybdenum", "gold")}
UNTIL, THIN = 1.2, 0.5  # of the own time, if the neck is not down to half before
ENDS = 8 * nm  # of the wire beside each pad, where thickness is compared


class Outlines(em.observe.Observer):
    """Half of the width along the bridge, seen now and then."""

    def begin(self) -> None:
        """Nothing was seen yet."""
        self.t: list[float] = []
        self.half: list[Any] = []

    def record(self, t: float) -> None:
        """Keep the outline."""
        self.x, half = em.surface.profile(self.models[0])
        self.t.append(t)
        self.half.append(half)


@dataclass(frozen=True)
class Bridge:
    """Results of one metal.

    Attributes:
        metal: its name.
        doubts: which of its constants are placeholders.
        unit: its own time, R^2 over the drift of surface atoms [s].
        seen: its outlines.
        trace: resistance and atoms moved.
        ends: mean half-width beside the left pad and beside the right [m].
    """

    metal: str
    doubts: tuple[str, ...]
    unit: float
    seen: Outlines
    trace: Any
    ends: tuple[float, float]


def run(metal: str, width: float, until: float, frames: int) -> Bridge:
    """A bridge under the current, until a time in units of its own."""
    cells = tuple(int(np.ceil(side / (0.75 * width))) for side in BOX)
    shape = em.surface.bridge(LENGTH, HALF, middle=BOX[0] / 2, fillet=FILLET)
    model = em.surface.model(
        em.mesh.rectangle(BOX, cells=cells),
        METALS[metal],
        shape=shape,
        interface_width=width,
        current=DENSITY * HALF,
        on=("left", "right"),
    )
    scales = em.surface.scales(METALS[metal], radius=HALF, current_density=DENSITY)
    unit = HALF**2 / abs(scales.drift)
    seen, trace = Outlines(every=until * unit / frames), em.watch.series(["resistance", "moved"])
    thin = em.watch.stop_when(em.surface.neck_below(THIN * HALF), "the neck is thin")
    watch = [seen, trace, thin, em.watch.conserved("metal", rtol=1e-8)]
    em.write.print_root(metal, em.evolve(model, until * unit, rtol=2e-4, watch=watch, progress=False))
    left = (BOX[0] - LENGTH) / 2 + FILLET
    beside = [(seen.x > start) & (seen.x < start + ENDS) for start in (left, BOX[0] - left - ENDS)]
    ends = [float(seen.half[-1][place].mean()) for place in beside]
    return Bridge(metal, scales.doubts, unit, seen, trace, (ends[0], ends[1]))


def show(axis: Any, bridge: Bridge, frame: int) -> None:
    """One bridge, and how it began; the last frame is held."""
    frame = min(frame, len(bridge.seen.t) - 1)
    style = em.plot.style
    x, now, before = bridge.seen.x / nm, bridge.seen.half[frame] / nm, bridge.seen.half[0] / nm
    axis.fill_between(x, -now, now, color=style.DENSITY(0.55), linewidth=0)
    for sign in (-1, 1):
        axis.plot(x, sign * before, color=style.INK, linestyle="dashed", linewidth=0.8)
    sides = (BOX[0] / nm, BOX[1] / nm)
    axis.set(aspect="equal", xlim=(0, sides[0]), ylim=(-sides[1], sides[1]), ylabel="y [nm]")
    axis.annotate("", (37, 8.6), (17, 8.6), arrowprops={"arrowstyle": "<-", "color": style.WARNING})
    axis.text(27, 9.2, "electrons", color=style.WARNING, ha="center")
    charge = METALS[bridge.metal].effective_charge
    time = bridge.seen.t[frame]
    axis.set_title(f"{bridge.metal}, Z* = {charge:+g}{' (placeholder)' if charge > 0 else ''}\n{time:.3g} s")


def draw(figure: Figure, bridges: Sequence[Bridge]) -> None:
    """The bridges at the end, their widths, resistances and atoms moved."""
    style = em.plot.style
    panels = figure.subplots(3, 2, width_ratios=(1.25, 1.0))
    for axis, bridge in zip(panels[:, 0], bridges, strict=True):
        show(axis, bridge, len(bridge.seen.t) - 1)
    panels[2, 0].set_xlabel("x [nm]; the current flows to the right")
    widths, resistance, moved = panels[:, 1]
    for i, bridge in enumerate(bridges):
        colour, dashes = style.named_colour(i), style.DASHES[1 if i == 1 else 0]  # the first two are close together
        line = {"color": colour, "linestyle": dashes, "label": bridge.metal}
        widths.plot(bridge.seen.x / nm, bridge.seen.half[-1] / nm, **line)
        time = bridge.trace.t / bridge.unit
        resistance.plot(time, bridge.trace["resistance"] / bridge.trace["resistance"][0], **line)
        moved.plot(time, bridge.trace["moved"] * nm / 1e3, **line)
    widths.plot(bridges[0].seen.x / nm, bridges[0].seen.half[0] / nm, color=style.GREY, linestyle="dashed")
    wire = ((BOX[0] - LENGTH) / 2 / nm, (BOX[0] + LENGTH) / 2 / nm)
    widths.set(xlabel="x [nm]", ylabel="half-width\nat the end [nm]", xlim=wire, ylim=(0, BOX[1] / nm))
    widths.legend()
    resistance.set(xlabel="time [R²/|A Z* e E|, of each metal its own]", ylabel="resistance\nover that at first")
    moved.axhline(0.0, color=style.GREY, linewidth=0.7)
    moved.set(xlabel="time [R²/|A Z* e E|, of each metal its own]", ylabel="1000 atoms a nm\nmoved to the right")


def beside(figure: Figure, bridges: Sequence[Bridge], frame: int) -> None:
    """A frame of the film: the three bridges side by side, each in its own time."""
    for axis, bridge in zip(figure.subplots(1, 3), bridges, strict=True):
        show(axis, bridge, frame)
        axis.set_xlabel("x [nm]")


def main(width: float = 1.0 * nm, until: float = UNTIL, frames: int = 16, out: str = "results/nanowires") -> Any:
    """For each metal atoms moved to the right [1/m], half-widths of both ends [m], resistance over that at first."""
    bridges = [run(metal, width, until, frames) for metal in METALS]
    em.plot.figure(lambda figure: draw(figure, bridges), Path(out) / "bridges.png", height=5.6)
    count = max(len(bridge.seen.t) for bridge in bridges)
    film = Path(out) / "bridges.mp4"
    em.plot.movie(lambda figure, i: beside(figure, bridges, i), count, film, height=2.1, frames_per_second=8)
    found = {}
    for bridge in bridges:
        moved, rise = bridge.trace["moved"][-1], bridge.trace["resistance"][-1] / bridge.trace["resistance"][0]
        left, right = bridge.ends
        em.write.print_root(
            f"{bridge.metal:10}: {moved * nm:+.0f} atoms a nm to the right in {bridge.seen.t[-1]:.3g} s; beside pads "
            f"{left / nm:.2f} nm (left) and {right / nm:.2f} nm (right); resistance x {rise:.2f}"
        )
        for doubt in bridge.doubts:
            em.write.print_root(f"  placeholder: {doubt}")
        found[bridge.metal] = {
            "moved": moved,
            "left": left,
            "right": right,
            "resistance": rise,
            "doubts": bridge.doubts,
        }
    return found


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--width", type=float, default=1.0 * nm, help="half-width of interfaces [m]")
    options.add_argument("--until", type=float, default=UNTIL, help="of each metal's own time")
    options.add_argument("--frames", type=int, default=16, help="of the film")
    options.add_argument("--out", default="results/nanowires", help="folder for the results")
    # the docstring has the one; bridges end with necks of 2.5 interface widths, by intent
    warnings.filterwarnings("ignore", "the (resistivity|surface model: neck)", em.ResolutionWarning)
    main(**vars(options.parse_args()))
