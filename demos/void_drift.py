"""A void drifts through a line of gold, the current is reversed, and it comes back.

The void moves against the atoms on its surface. Gold's go with the electrons, so the void goes with the current, to
the end where electrons enter. Under a steady current it stays round and its velocity is -2 A Z* e E/R, E being
raised by the other voids of the row; an interface of 0.14 R makes it 4 % faster. As the current is reversed so is the
velocity, and the void comes back to where it began. The resistance does not tell where it is, only that there is one.

The pictures show the metal up to its surface c = 1/2; the interface of the model is wider: from 10 to 90 % metal 0.6 R.
The colours of the film end at 25 and 75 %, within 0.15 R of that surface.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure

GOLD = em.materials.gold(temperature=900.0)
RADIUS, BOX = 20 * nm, (100 * nm, 100 * nm)  # m
DENSITY = 1e12  # A/m2
SHARP = (0.25, 0.75)  # ends of the colours: what lies between them is 2.2 interface widths wide


def drawn(axis: Any, seen: Any, turn: float, expected: float) -> None:
    """Place of the void in time, and in the closed form."""
    t, x = seen.t, np.unwrap(seen["x_centre"], period=BOX[0])
    exact = x[0] + expected * np.where(t < turn, t, 2 * turn - t)
    axis.plot(t * 1e3, exact / nm, color=em.plot.style.GREY, linestyle="dashed", label="−2 A Z* e E/R")
    axis.plot(t * 1e3, x / nm, color=em.plot.style.named_colour(0), label="run")
    axis.axvline(turn * 1e3, color=em.plot.style.WARNING, linewidth=0.7)
    axis.set(xlabel="time [ms]", ylabel="x of the void [nm]")
    axis.legend()


def draw(figure: Figure, seen: Any, turn: float, expected: float) -> None:
    """Place and resistance of the void."""
    place, resistance = figure.subplots(1, 2)
    drawn(place, seen, turn, expected)
    resistance.plot(seen.t * 1e3, seen["resistance"] / seen["resistance"][0], color=em.plot.style.named_colour(0))
    resistance.set(xlabel="time [ms]", ylabel="resistance over that at first", ylim=(0.95, 1.05))


def main(part: float = 0.14, way: float = 0.8, frames: int = 12, out: str = "results/void_drift") -> dict[str, float]:
    """Velocities there and back over the closed form, and how far off it ends over its way.

    Args:
        part: interface width over radius.
        way: that the closed form has the void go, over its radius.
        frames: of the film, each way.
        out: folder for the results.
    """
    width = part * RADIUS
    cells = tuple(int(np.ceil(side / (0.7 * width))) for side in BOX)
    domain = em.mesh.periodic_rectangle(BOX, cells=cells, axes="x")
    expected = em.analytic.void_drift_velocity(
        GOLD, radius=RADIUS, current_density=DENSITY, area_fraction=np.pi * RADIUS**2 / np.prod(BOX)
    )
    turn = way * RADIUS / expected
    model = em.surface.model(
        domain,
        GOLD,
        shape=em.surface.void((BOX[0] / 2 - way * RADIUS / 2, BOX[1] / 2), RADIUS),
        interface_width=width,
        current_density=lambda t: DENSITY if t <= turn else -DENSITY,
    )
    seen = em.watch.series(["x_centre", "resistance"], every=turn / 12)
    film = em.watch.snapshots("c", every=turn / frames)
    laps, states = [], [em.fields.copied(model["c"])]
    for until in (turn, 2 * turn):
        lap, kept = em.watch.series(["x_centre"]), em.watch.conserved("metal", rtol=1e-8)
        told = em.evolve(model, until, rtol=2e-4, watch=[lap, seen, film, kept], progress=False)
        em.write.print_root(told)
        late = lap.t > until - 0.7 * turn
        x = np.unwrap(lap["x_centre"], period=BOX[0])
        laps.append(float(np.polyfit(lap.t[late], x[late], 1)[0]) / expected)
        states.append(em.fields.copied(model["c"]))
    em.plot.figure(lambda figure: draw(figure, seen, turn, expected), Path(out) / "void.png", height=2.7)
    titles = ["before", f"{turn * 1e3:.0f} ms, then the current is reversed", f"{2 * turn * 1e3:.0f} ms"]
    em.plot.surface(states, Path(out) / "strip.png", titles=titles, width="page")
    em.plot.animation(film, Path(out) / "void.mp4", limits=SHARP, label="void below 1/2, metal above")
    x = seen["x_centre"]
    off = float(x[-1] - x[0]) / (way * RADIUS)
    em.write.print_root(
        f"there {laps[0]:.4f}, back {laps[1]:.4f} of {expected:.4g} m/s; ends off by {off:.1e} of its way"
    )
    return {"there": laps[0], "back": laps[1], "off": off, "velocity": expected}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--part", type=float, default=0.14, help="interface width over radius of the void")
    options.add_argument("--way", type=float, default=0.8, help="how far it goes, over its radius")
    options.add_argument("--frames", type=int, default=12, help="of the film, each way")
    options.add_argument("--out", default="results/void_drift", help="folder for the results")
    main(**vars(options.parse_args()))
