"""Shapes of a void that is not quite round, against current and stress: round, wedge, slit.

Each begins as an ellipse, a third longer across the current than along it, and keeps its area. Curvature makes it
round. A small void under a current drifts and becomes round; a large one is drawn out into a wedge that drifts tip
first, to the left, though a round one would be stable at that size: the ellipse is no small perturbation. Tension along
x makes atoms leave the tips, where elastic energy is high: below some load the void becomes less oval, above it a slit
across the line.
The numbers are

    chi = |Z*| e E R^2 / (gamma Omega),   Lambda = (1 - nu^2) s^2 R / (E gamma)

and the closed forms for round voids em.analytic.void_growth_rates and em.analytic.stressed_void_rate. All shapes are
those of one time, or of the time when a slit leaves half a radius of the line. Half of each is computed, y > 0.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure

RADIUS, OVAL = 20 * nm, 1.33  # m; of the ellipse, axis across the current over that along it
CELL = (8.0, 3.0)  # radii: period along the current, half of the line's width
POISSON, METAL = 0.3, "#f5ae57"
GOLD = em.materials.gold(temperature=900.0).having(youngs_modulus=80e9, poisson_ratio=POISSON)
TIME = RADIUS**4 / em.analytic.mullins_coefficient(GOLD)  # s


def density_of(chi: float) -> float:
    """Current density of a wind number [A/m2]; electrons go along +x, and so do atoms of gold."""
    number = em.surface.scales(GOLD, radius=RADIUS, current_density=1e11).wind_number
    return -1e11 * chi / number


def strain_of(load: float) -> Any:
    """Mean strain of a Lambda, along x alone in stress [-]."""
    modulus = GOLD.youngs_modulus / (1 - POISSON**2)
    stress = np.sqrt(load * modulus * GOLD.surface_energy / RADIUS)
    return (stress / modulus, -POISSON / (1 - POISSON) * stress / modulus) if load else None


def oval(x: Any) -> Any:
    """Distance into the metal around the ellipse, to first order."""
    long, short = RADIUS * np.sqrt(OVAL), RADIUS / np.sqrt(OVAL)
    dx, dy = x[0] - CELL[0] * RADIUS / 2, x[1]
    level = np.hypot(dx / short, dy / long)
    return (level - 1) * level / np.maximum(np.hypot(dx / short**2, dy / long**2), 1e-3 / RADIUS)


def evolved(chi: float, load: float, width: float, until: float) -> em.Model:
    """The void after a time over R^4 / B, or as it has nearly cut the line."""
    sides = [side * RADIUS for side in CELL]
    domain = em.mesh.periodic_rectangle(sides, cells=[round(side / width) for side in sides], axes="x")
    model = em.surface.model(
        domain,
        GOLD,
        shape=oval,
        interface_width=width,
        current_density=density_of(chi) if chi else None,
        strain=strain_of(load),
        stiffness_ratio=1e-3,
    )
    thin = em.watch.stop_when(em.surface.neck_below(0.5 * RADIUS), "slit")
    em.write.print_root(em.evolve(model, until=until * TIME, rtol=1e-3, watch=[thin], progress=False))
    return model


def outline(model: em.Model, width: float) -> tuple[Any, Any, Any]:
    """Places around the void along x and y, in radii, its mirror image too, and c there."""
    grid = em.fields.Pixels(model.mesh, [round(2 * side * RADIUS / width) for side in CELL])
    values = np.nan_to_num(grid.sample(model["c"]).values, nan=1.0)
    x, y = (axis / RADIUS for axis in grid.axes)
    wave = np.exp(2j * np.pi * x / CELL[0]) @ (1 - values).sum(axis=1)
    shift = len(x) // 2 - round(float(np.angle(wave) / (2 * np.pi) % 1) * len(x))
    rolled = np.roll(values, shift, axis=0)
    return x - CELL[0] / 2, np.concatenate([-y[::-1], y]), np.concatenate([rolled[:, ::-1], rolled], axis=1).T


def draw(figure: Figure, voids: dict[str, tuple[Any, Any, Any]]) -> None:
    """One void a panel, three a row; the frame is that of the void."""
    panels = figure.subplots(2, -(-len(voids) // 2), squeeze=False).ravel()
    for panel in panels:
        panel.set_axis_off()
    for panel, (title, (x, y, c)) in zip(panels, voids.items(), strict=False):
        panel.contourf(x, y, c, levels=[-1.0, 0.5, 2.0], colors=["white", METAL])
        panel.contour(x, y, c, levels=[0.5], colors="black", linewidths=1.0)
        panel.set(aspect="equal", title=title, xlim=(-3, 3))


def main(
    cells: float = 8.0,
    until: float = 0.1,
    winds: Sequence[float] = (0.0, 10.0, 30.0),
    loads: Sequence[float] = (0.2, 0.6, 1.0),
    out: str = "results/void_shapes",
) -> dict[str, float]:
    """Length of each void across the current over that along it, by its title.

    Args:
        cells: in a radius; one cell is as wide as the interface.
        until: time to reach, over R^4 / B.
        winds: chi, without stress.
        loads: Lambda, without a current.
        out: folder for the picture.
    """
    width, voids = RADIUS / cells, {}
    for chi in winds:
        voids[rf"$\chi$ = {chi:g}"] = outline(evolved(chi, 0.0, width, until), width)
    for load in loads:
        voids[rf"$\Lambda$ = {load:g}"] = outline(evolved(0.0, load, width, until), width)
    em.plot.figure(lambda figure: draw(figure, voids), Path(out) / "shapes.png", width="page", height=4.2)
    ratios = {}
    for title, (x, y, c) in voids.items():
        hole = c < 0.5
        ratios[title] = float(np.ptp(y[hole.any(axis=1)]) / np.ptp(x[hole.any(axis=0)]))
    em.write.print_root(*(f"{title}: {ratio:.2f} times as long across as along" for title, ratio in ratios.items()))
    return ratios


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=float, default=8.0, help="cells in a radius")
    options.add_argument("--until", type=float, default=0.1, help="time to reach, over R^4 / B")
    options.add_argument("--out", default="results/void_shapes", help="folder for the picture")
    main(**vars(options.parse_args()))
