"""A film that decomposes by itself: thermal noise alone starts the pattern.

A uniform film is unstable, but stays uniform for ever unless something disturbs it. Here that is the thermal motion of
the atoms, a random flux with the strength that the fluctuation-dissipation theorem demands (Cahn, Hilliard and Cook).
Before the pattern is seen its structure factor follows Cook's linear theory, without a free parameter; after that the
waves that grow fastest have won, and no start was chosen.
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.plot import style

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

STRENGTH = 1e-7  # k T/(gamma h^2): 1e6 atoms in a square of the film's thickness, for S = 0.1
MEAN = 0.3


def theory(spectrum: em.patterns.Spectrum, t: float, noise: em.film.ThermalNoise) -> NDArray[np.float64]:
    """S(k, t) of the linear theory; in all directions the same, for diffusion is isotropic."""
    k = np.column_stack([spectrum.wavenumber, np.zeros_like(spectrum.wavenumber)])
    return em.film.structure_factor(k, t, em.film.UniformFilm(em.film.cupd(), MEAN), noise)


def main(
    until: float = 1000.0, size: float = 60.0, cell: float = 1.0, out: str = "results/thermal_noise"
) -> dict[str, float]:
    """Ratio of the structure factor to the theory's before the instability, its error, and amplitudes."""
    cells = round(size / cell)
    domain = em.mesh.periodic_rectangle((size, size), cells=(cells, cells))
    noise = em.film.thermal_noise(5.0, seed=1, strength=STRENGTH)
    film = em.film.model(domain, em.film.cupd(), mean=MEAN, noise=noise)
    early = (until / 20, until / 5)
    curves, results = [], {}
    for t in (*early, until):
        run = em.evolve(film, t, fixed_step=2.5, watch=[em.watch.conserved("solute")], progress=False)
        spectrum = em.patterns.structure_factor(film["c"], resolution=8 * cells)
        curves.append((t, spectrum, theory(spectrum, t, noise)))
        results[f"amplitude at {t:g}"] = film.quantity("amplitude")
    ratios, modes = [], []
    for _, spectrum, expected in curves[:2]:
        seen = (spectrum.wavenumber > 0.2) & (spectrum.wavenumber < 1.7)
        ratios.append(np.average(spectrum.power[seen] / expected[seen], weights=spectrum.modes[seen]))
        modes.append(spectrum.modes[seen].sum())
    results |= {"ratio": float(np.mean(ratios)), "error of ratio": float(modes[0] ** -0.5)}
    pattern = em.patterns.measure(film["c"])
    em.write.print_root(domain, run, pattern, em.patterns.errors(film["c"]), results)
    values = em.fields.sample_grid(film["c"], (3 * cells, 3 * cells)).values
    em.plot.figure(lambda figure: draw(figure, curves, values, size), Path(out) / "noise.png", height=3.6)
    return results


def draw(
    figure: Figure,
    curves: list[tuple[float, em.patterns.Spectrum, NDArray[np.float64]]],
    values: NDArray[np.float64],
    size: float,
) -> None:
    """The structure factor at three times with the theory, and the film at the last of them."""
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
    for i, (t, spectrum, expected) in enumerate(curves):
        shown = spectrum.wavenumber < 4.0
        k, colour = spectrum.wavenumber[shown], style.named_colour(i)
        left.errorbar(
            k, spectrum.power[shown], spectrum.error[shown], fmt=".", color=colour, markersize=3, label=f"t = {t:g}"
        )
        left.plot(k, expected[shown], color=colour)
    left.set(yscale="log", xlabel="wave number k [1/h]", ylabel="structure factor S [h²]", title="lines: linear theory")
    left.legend()
    image = right.imshow(values.T, origin="lower", extent=(0.0, size, 0.0, size), cmap="viridis")
    right.set(xlabel="x [h]", ylabel="y [h]", title=f"concentration at t = {curves[-1][0]:g}")
    figure.colorbar(image, ax=right, shrink=0.75)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=1000.0, help="time to reach")
    options.add_argument("--size", type=float, default=60.0, help="edge of the film")
    options.add_argument("--cell", type=float, default=1.0, help="edge of a cell")
    options.add_argument("--out", default="results/thermal_noise", help="folder for the results")
    main(**vars(options.parse_args()))
