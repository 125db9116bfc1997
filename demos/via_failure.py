"""From stress to a void: a blocked line of copper whose right end is the one that electrons enter by.

Tension rises there, and first reaches the critical stress at a flaw of the upper interface, 60 nm before the end. A
small void opens. Its atoms go with the electrons, so it creeps to the end of the line, and into the corner; meanwhile
the tension of the whole line goes into the void, until only that of its own curvature is left. The current passes it
through what is left of the metal, and through a liner.

The current is ten times that of a real test, so that a short line shows all of it. The atoms of the seed are pressed
into the metal, and in so short a line they take away 400 MPa: it shrinks at first. Where it ends does not depend on it.
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
LINER = 2e-3  # conductance over that of the metal


def critical(x: Any) -> Any:
    """Critical stress: lower within 20 nm of a flaw of the upper interface."""
    return np.where(np.hypot(x[0] - FLAW[0], x[1] - FLAW[1]) < 20 * nm, WEAK, STRENGTH)


def draw(figure: Figure, life: em.voids.VoidLife, saturated: float) -> None:
    """Volume and resistance since the void opened."""
    area, rise = figure.subplots(1, 2)
    since, blue = life.t - life.nucleated, em.plot.style.named_colour(0)
    area.semilogx(since[1:], life.void[1:] / nm**2, color=blue)
    area.axhline(saturated / nm**2, color=em.plot.style.GREY, linestyle="dashed", label="tension of the line, taken up")
    area.set(xlabel="time since it opened [s]", ylabel="void [nm²]", ylim=(0, None))
    area.legend()
    assert life.resistance is not None
    rise.semilogx(since[1:], life.resistance[1:] / life.resistance[0], color=blue)
    rise.set(xlabel="time since it opened [s]", ylabel="resistance over that at first")


def main(width: float = 6 * nm, until: float = 1e3, out: str = "results/via_failure") -> dict[str, float]:
    """Time and place of the void, its volume at the end, and the same from the line's closed form.

    Args:
        width: of interfaces, and of cells [m].
        until: time to give up at [s].
        out: folder for the results.
    """
    domain = em.mesh.rectangle(LINE, cells=[round(side / width) for side in LINE])
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

    life = em.voids.run(
        stress, make, critical_stress=critical, seed_radius=16 * nm, until=until, rise=1.0, watch=[film]
    )
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
    em.plot.figure(lambda figure: draw(figure, life, saturated), Path(out) / "life.png", height=2.7)
    em.plot.surface([*film.functions, life.model["c"]], Path(out) / "shapes.png", width="page")
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
    options.add_argument("--width", type=float, default=6 * nm, help="interface width and size of cells [m]")
    options.add_argument("--until", type=float, default=1e3, help="time to give up at [s]")
    options.add_argument("--out", default="results/via_failure", help="folder for the results")
    main(**vars(options.parse_args()))
