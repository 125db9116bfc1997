"""From stress to a void: a blocked line of copper whose right end is the one that electrons enter by.

Tension rises there, and first reaches the critical stress at a flaw of the upper interface, 60 nm before the end. A
small void opens. Its atoms go with the electrons, so it creeps to the end of the line, and into the corner; meanwhile
the tension of the whole line goes into the void, until only that of its own curvature is left. The current passes it
through what is left of the metal, and through a liner.

The current is ten times that of a real test, so that a short line shows all of it. The atoms of the seed are pressed
into the metal, and in so short a line they take away 330 MPa: it shrinks at first. Where it ends does not depend on it.

Cells are small only where the void goes, so the interface is thin, an eleventh of the void's radius at the end. With
one twice as wide the void joins the end of the line 14.5 s after it opened, not 19.5 s, and is 1.0 % smaller at rest.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure

LINE, DENSITY, THERMAL = (900 * nm, 60 * nm), 4e11, 100e6  # m, A/m2, Pa
COPPER = em.materials.copper(573.15).having(diffusivity=1e-16, bulk_modulus=28e9, surface_diffusivity_thickness=1e-23)
FLAW, STRENGTH, WEAK = (840 * nm, 60 * nm), 500e6, 250e6  # m, Pa
FINE, CELLS = 120 * nm, (75, 5)  # part of the line that the void reaches [m]; cells before they are halved there
SEED = 20 * nm  # half a disk of this radius is as large as the seed, the tail of its interface with it
LINER, METAL = 2e-3, "#f5ae57"  # conductance over that of the metal; its colour


def critical(x: Any) -> Any:
    """Critical stress: lower near a flaw; smooth, or the place of the void would be one of nodes near a jump."""
    distance = np.hypot(x[0] - FLAW[0], x[1] - FLAW[1])
    return np.minimum(WEAK + 100e6 * (distance / (10 * nm)) ** 2, STRENGTH)


def near_the_end(c: Any) -> tuple[Any, Any, Any]:
    """Metal where the void goes: x and y [nm], c. Collective."""
    grid = em.fields.Pixels(c.function_space.mesh, [900, 60])
    x, y = (axis / nm for axis in grid.axes)
    near = x > (LINE[0] - 1.25 * FINE) / nm
    return x[near], y, grid.sample(c).values[near].T


def draw(figure: Figure, life: em.voids.VoidLife, shapes: dict[str, tuple[Any, Any, Any]], saturated: float) -> None:
    """Metal near the end, volume and resistance since the void opened."""
    parts: Any = figure.subfigures(2, 1, height_ratios=[1, 2])
    for panel, (title, (x, y, c)) in zip(parts[0].subplots(1, len(shapes)), shapes.items(), strict=True):
        panel.contourf(x, y, c, levels=[-1.0, 0.5, 2.0], colors=["white", METAL])
        panel.set(aspect="equal", title=title, xlabel="x [nm]", ylabel="y [nm]")
    area, rise = parts[1].subplots(1, 2)
    since, blue = life.t - life.nucleated, em.plot.style.named_colour(0)
    area.semilogx(since[1:], life.void[1:] / nm**2, color=blue)
    area.axhline(saturated / nm**2, color=em.plot.style.GREY, linestyle="dashed", label="tension of the line, taken up")
    area.set(xlabel="time since it opened [s]", ylabel="void [nm²]", ylim=(0, None))
    area.legend()
    assert life.resistance is not None
    rise.semilogx(since[1:], life.resistance[1:] / life.resistance[0], color=blue)
    rise.set(xlabel="time since it opened [s]", ylabel="resistance over that at first")


def main(width: float = 3 * nm, until: float = 1e3, out: str = "results/via_failure") -> dict[str, float]:
    """Time and place of the void, its volume at the end, and the same from the line's closed form.

    Args:
        width: of interfaces, and of cells where the void goes [m].
        until: time to give up at [s].
        out: folder for the results.
    """
    line = em.mesh.rectangle(LINE, cells=CELLS, cell="triangle")
    domain = em.mesh.refined(line, lambda x: LINE[0] - x[0], within=FINE, size=width)
    stress = em.stress.model(domain, COPPER, current_density=(DENSITY, 0.0), residual_stress=THERMAL)
    film = em.watch.snapshots("c", times=[10.0, 30.0, 100.0])

    def make(shape: Any, sigma: Any) -> em.Model:
        return em.voids.model(
            domain,
            COPPER,
            shape=shape,
            interface_width=width,
            current_density=DENSITY,
            on=("left", "right"),
            residual_stress=sigma,
            liner=True,
            conductivity_ratio=LINER,
        )

    seed = np.sqrt(SEED**2 - (np.pi * width) ** 2 / 3)
    life = em.voids.run(stress, make, critical_stress=critical, seed_radius=seed, until=until, rise=1.0, watch=[film])
    em.write.print_root(life)
    assert life.model is not None
    # the tension of a line with a void of radius R at its end: (s_T + G L / 2 - gamma / R) L / B of its width
    wind = (
        abs(em.units.elementary_charge * COPPER.effective_charge) * COPPER.resistivity * DENSITY / COPPER.atomic_volume
    )
    length, width_of_line = LINE
    radius = np.sqrt(4 * life.void[-1] / np.pi)
    tension = THERMAL + wind * length / 2 - COPPER.surface_energy / radius
    saturated = tension * length * width_of_line / COPPER.bulk_modulus
    states = [
        *((f"{t - life.nucleated:.2g} s", c) for t, c in zip(film.t, film.functions, strict=True)),
        ("end", life.model["c"]),
    ]
    shapes = {title: near_the_end(c) for title, c in states}
    em.plot.figure(lambda figure: draw(figure, life, shapes, saturated), Path(out) / "life.png", width="page", height=4)
    em.write.print_root(f"void of {life.void[-1] / nm**2:.4g} nm2, {saturated / nm**2:.4g} nm2 by the line")
    return {
        "nucleated": life.nucleated,
        "x": float(life.place[0]),
        "y": float(life.place[1]),
        "void": float(life.void[-1]),
        "line": saturated,
    }


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--width", type=float, default=3 * nm, help="interface width and size of fine cells [m]")
    options.add_argument("--until", type=float, default=1e3, help="time to give up at [s]")
    options.add_argument("--out", default="results/via_failure", help="folder for the results")
    main(**vars(options.parse_args()))
