"""Coherency stress: domains of a film on an elastic substrate come to rest at a size, those of a free film coarsen.

Both films begin with the same fastest wave. One decomposes by its enthalpy; the other only because its surface stress
follows the composition and the substrate gives way, which favours the wave number q/(2 eps).
"""

import argparse
from dataclasses import replace
from pathlib import Path

import emfem as em

import numpy as np
from matplotlib.figure import Figure

CURVATURE, EPS, Q = 0.025, 0.1, 0.2  # f'' > 0: without substrate the film would stay uniform
FASTEST = em.analytic.film_fastest_wave(curvature=CURVATURE, gradient_energy=EPS, coherency=Q)
SELECTED = em.analytic.film_selected_wave(gradient_energy=EPS, coherency=Q)


def equal_parts(curvature: float, coherency: float) -> em.film.Alloy:
    """An alloy of equal parts with f'' at C = 0.5."""
    free = em.film.Alloy(entropy=0.25, enthalpy=0.5 - curvature / 2, solute_expansion=0.0, gradient_energy=EPS)
    return replace(free, coherency=coherency)


FILMS = {"on a substrate": equal_parts(CURVATURE, Q), "free": equal_parts(-2 * EPS * FASTEST**2, 0.0)}


class Size(em.observe.Observer):
    """Mean wave number of the structure factor."""

    saved = (*em.observe.Observer.saved, "times", "waves")

    def __init__(self, every: float) -> None:
        """Take the time between two values."""
        super().__init__(every)
        self.times: list[float] = []
        self.waves: list[float] = []

    def record(self, t: float) -> None:
        """Take the mean of |k| over the power spectrum."""
        grid = em.fields.sample_grid(self.models[0]["c"], (96, 96))
        power = abs(np.fft.fft2(grid.values - grid.values.mean())) ** 2
        waves = (2 * np.pi * np.fft.fftfreq(96, side / 96) for side in grid.lengths)
        self.times.append(t)
        self.waves.append(float(np.average(np.hypot(*np.meshgrid(*waves, indexing="ij")), weights=power)))


def draw(figure: Figure, sizes: dict[str, Size], grids: dict[str, em.fields.Grid], until: float) -> None:
    """Sizes in time, and both films at the end."""
    curve, *maps = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
    for i, (name, size) in enumerate(sizes.items()):
        curve.plot(size.times[1:], size.waves[1:], color=em.plot.style.named_colour(i), label=name)
    for wave, style, label in ((FASTEST, "dotted", "fastest wave"), (SELECTED, "dashed", "q/(2ε)")):
        curve.axhline(wave, color=em.plot.style.GREY, linestyle=style, label=label)
    curve.set(xlabel="time [t₀]", ylabel="mean wave number [1/h]", ylim=(0, 1.1 * FASTEST), xlim=(0, until))
    curve.legend(loc="lower left")
    for axis, (name, grid) in zip(maps, grids.items(), strict=True):
        extent = (0, grid.lengths[0], 0, grid.lengths[1])
        axis.imshow(grid.values.T, origin="lower", extent=extent, vmin=0.0, vmax=1.0)
        axis.set(title=f"{name}, t = {until:g}", xlabel="x [h]")


def main(
    until: float = 1500.0, side: float = 40.0, size: float = 1.35, out: str = "results/coherency"
) -> dict[str, list[float]]:
    """Mean wave numbers of each film in time [1/h]."""
    cells = round(side / size)
    domain = em.mesh.periodic_rectangle((side, side), cells=(cells, cells))
    grids, sizes = {}, {}
    for name, alloy in FILMS.items():
        film = em.film.model(domain, alloy, mean=0.5, initial=em.film.noise(0.02, seed=3))
        sizes[name] = Size(until / 40)
        em.evolve(film, until, rtol=3e-3, watch=[sizes[name], em.watch.conserved("solute")])
        waves, grids[name] = sizes[name].waves, em.fields.sample_grid(film["c"], (160, 160))
        em.write.print_root(
            f"{name}: wave number {waves[len(waves) // 10]:.2f} after a tenth of the time, {waves[-1]:.2f} at the end"
        )
    em.write.print_root(f"theory: fastest wave {FASTEST:.2f}, wave of least energy q/(2 eps) = {SELECTED:.2f}")
    em.plot.figure(lambda figure: draw(figure, sizes, grids, until), Path(out) / "sizes.png", height=3.0)
    return {name: size.waves for name, size in sizes.items()}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=1500.0, help="time to reach")
    options.add_argument("--side", type=float, default=40.0, help="side of the film")
    options.add_argument("--size", type=float, default=1.35, help="edge of a cell")
    options.add_argument("--out", default="results/coherency", help="folder for the results")
    main(**vars(options.parse_args()))
