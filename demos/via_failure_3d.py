"""From stress to a void under a via, in space: a line of copper that electrons enter by a small via from above.

Tension rises at that end, and is highest under the via, where the potential is lowest. A void opens there and takes up
the tension of the whole line, until its metal no longer reaches the via and a liner alone carries the current. One half
of the line is computed, y > 0. A program that was ended goes on where it was when it is started again.

The current is eight times that of a real test, so that a short line shows all of it.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure

LINE, FINE = (1800 * nm, 30 * nm, 60 * nm), 105 * nm  # length, half of the width, height; of small cells [m]
VIA, DENSITY, THERMAL, CRITICAL = 30 * nm, 3e11, 100e6, 200e6  # m, A/m2, Pa, Pa
COPPER = em.materials.copper(573.15).having(diffusivity=1e-16, bulk_modulus=28e9, surface_diffusivity_thickness=1e-23)
LINER, METAL = 5e-3, "#f5ae57"  # conductance over that of the metal; its colour


def line(width: float) -> em.mesh.Domain:
    """The line, with cells of one size near its right end, and longer and longer ones away from it."""
    length, *section = LINE
    fine, coarse = round(FINE / width), round(FINE / width)
    cells = (fine + coarse, *(round(side / width) for side in section))
    domain = em.mesh.box((float(fine + coarse), *section), cells=cells, cell="hexahedron")
    away = fine + coarse - domain.mesh.geometry.x[:, 0]
    rest = length - (fine + coarse) * width
    domain.mesh.geometry.x[:, 0] = length - away * width - rest * (np.maximum(away - fine, 0) / coarse) ** 3
    place = length - VIA, VIA / 2, section[1]
    slack = width / 9
    return domain.with_boundary(
        "via", lambda x: (x[0] > place[0] - slack) & (x[1] < place[1] + slack) & (x[2] > place[2] - slack)
    )


def plane(c: Any) -> tuple[Any, Any, Any]:
    """Metal of the plane y = 0 near the end of the line: x before the end and z [nm], c. Collective."""
    length, _, height = LINE
    grid = em.fields.Pixels(c.function_space.mesh, [720, 2, 24])
    x, _, z = grid.axes
    near = x > length - 2 * height
    return (x[near] - length) / nm, z / nm, grid.sample(c).values[near, 0].T


def draw(figure: Figure, life: em.voids.VoidLife, shapes: dict[str, tuple[Any, Any, Any]]) -> None:
    """Metal around the via in time, the volume of the void and the resistance since it opened."""
    parts: Any = figure.subfigures(2, 1, height_ratios=[2, 3])
    above, below = parts
    for panel, (title, (x, z, c)) in zip(above.subplots(1, len(shapes), squeeze=False)[0], shapes.items(), strict=True):
        panel.contourf(x, z, c, levels=[-1.0, 0.5, 2.0], colors=["white", METAL])
        panel.plot([-VIA / nm, 0.0], [z[-1], z[-1]], color="black", linewidth=4.0, solid_capstyle="butt")
        panel.set(aspect="equal", title=title, xlabel="x before the end [nm]", ylabel="z [nm]")
    volume, rise = below.subplots(1, 2)
    since, blue = life.t - life.nucleated, em.plot.style.named_colour(0)
    volume.plot(since, 2 * life.void / nm**3, color=blue)
    volume.set(xlabel="time since it opened [s]", ylabel="void [nm³]", ylim=(0, None))
    assert life.resistance is not None
    rise.plot(since, life.resistance / life.resistance[0], color=blue)
    if np.isfinite(life.time_to_failure):
        failed = life.time_to_failure - life.nucleated
        rise.axvline(failed, color=em.plot.style.GREY, linestyle="dashed", label="failure, with films lost at once")
        rise.legend()
    rise.set(xlabel="time since it opened [s]", ylabel="resistance over that at first")


def main(
    width: float = 7.5 * nm, until: float = 2e3, solver: str = "direct", out: str = "results/via_failure_3d"
) -> dict[str, float]:
    """Time and place of the void, time of the failure with and without films lost at once, volume at the end.

    Args:
        width: of interfaces, and of cells [m].
        until: time to give up at [s].
        solver: of the linear systems.
        out: folder for the results.
    """
    folder, domain, face = Path(out), line(width), LINE[1] * LINE[2]
    ends: dict[str, Any] = {"left": em.conduction.electrode(current=DENSITY * face), "via": em.fixed(0.0)}
    current = em.conduction.model(domain, conductivity=1 / COPPER.resistivity, on=ends)
    em.solve_steady(current, solver=solver)
    stress = em.stress.model(domain, COPPER, current=current, residual_stress=THERMAL, degree=1)

    def make(shape: Any, sigma: Any) -> em.Model:
        return em.voids.model(
            domain,
            COPPER,
            shape=shape,
            interface_width=width,
            current=DENSITY * face,
            on=("left", "via"),
            residual_stress=sigma,
            liner=True,
            conductivity_ratio=LINER,
        )

    names = ["void", "resistance", "x_centre", "z_centre", "sigma_max", "neck"]
    film = em.watch.snapshots("c", times=[5.0, 40.0])
    life = em.voids.run(
        stress,
        make,
        critical_stress=CRITICAL,
        seed_radius=2.5 * width,
        until=until,
        rise=2.0,
        solver=solver,
        watch=[
            em.write.series(folder / "series.csv", quantities=names),
            em.write.vtu(folder / "void.pvd", ["c"], every=10.0),
            film,
        ],
        checkpoint=em.checkpoint(folder / "checkpoints", every=20, resume=True),
    )
    em.write.print_root(life)
    assert life.model is not None
    states = [*((f"{t:g} s", c) for t, c in zip(film.t, film.functions, strict=True)), ("end", life.model["c"])]
    shapes = {title: plane(c) for title, c in states}
    em.plot.figure(lambda figure: draw(figure, life, shapes), folder / "life.png", width="page", height=4.2)
    return {
        "nucleated": life.nucleated,
        "x": float(life.place[0]),
        "z": float(life.place[2]),
        "void": 2 * float(life.void[-1]),
        "failed": life.time_to_failure,
        "bare": life.bare_time_to_failure,
    }


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--width", type=float, default=7.5 * nm, help="interface width and size of cells [m]")
    options.add_argument("--until", type=float, default=2e3, help="time to give up at [s]")
    options.add_argument("--solver", default="direct", choices=em.solve.SOLVERS, help="of the linear systems")
    options.add_argument("--out", default="results/via_failure_3d", help="folder for the results")
    main(**vars(options.parse_args()))
