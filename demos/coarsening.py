"""Coarsening of a film without a field: how fast does the spacing of its domains grow, and how sure is that?

Large domains grow at the cost of small ones, by diffusion. The spacing grows as t^(1/3) at last where atoms go through
the phases (Lifshitz, Slyozov and Wagner), as t^(1/4) where they go along interfaces. Several starts are evolved; the
exponent of a window of time is the mean over the starts of a fit of log L against log t, its interval that of the
bootstrap over starts. Two moments of the power spectrum P are taken,

    spacing  2 pi sum P / sum |k| P,    distance of interfaces  ~ sum P / sum k^2 P = <(c - <c>)^2> / <|grad c|^2>.

Neither is free of the width w of interfaces: with P ~ k^-3 at large k the first is L / log(L/w), which grows more
slowly than L, the second is w L times the contrast, which still grows while domains are hardly wider than interfaces.
So they bracket the exponent.
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.plot import style

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

WAVELENGTH = 5.2  # of the fastest wave [h]
LENGTHS = ("spacing", "distance of interfaces")
CONFIDENCE = 0.95

type Array = NDArray[np.float64]


class Lengths(em.observe.Observer):
    """Both lengths of a film at each time."""

    saved = (*em.observe.Observer.saved, "found")

    def __init__(self, times: Array, points: int) -> None:
        """Take the times, and the points of the grid along an edge."""
        super().__init__(times=times)
        self.points = points
        self.found: list[list[float]] = []

    def record(self, t: float) -> None:
        """Take two moments of the power spectrum."""
        grid = em.fields.sample_grid(self.models[0]["c"], (self.points, self.points))
        power = abs(np.fft.fft2(grid.values - grid.values.mean())) ** 2
        step = 2 * np.pi * np.fft.fftfreq(self.points, grid.lengths[0] / self.points)
        k = np.hypot(*np.meshgrid(step, step))
        self.found.append([2 * np.pi * power.sum() / (k * power).sum(), power.sum() / (k**2 * power).sum()])


def lengths_of(seed: int, times: Array, waves: int, cells: int) -> tuple[Array, em.fields.Grid]:
    """Both lengths of one start at the times, shape (2, n), and the film at the last of them."""
    edge = waves * WAVELENGTH
    domain = em.mesh.periodic_rectangle((edge, edge), cells=(cells, cells))
    film = em.film.model(domain, em.film.cupd(), mean=0.3, initial=em.film.noise(0.08, seed=seed, grain=1.3))
    lengths = Lengths(times, 6 * cells)
    run = em.evolve(film, times[-1], rtol=5e-3, watch=[lengths, em.watch.conserved("solute")], progress=False)
    em.write.print_root(f"seed {seed}: spacing {lengths.found[-1][0]:.1f} at t = {times[-1]:g}, {run.steps} steps")
    return np.array(lengths.found).T, em.fields.sample_grid(film["c"], (6 * cells, 6 * cells))


def exponent(times: Array, lengths: Array, since: float, until: float) -> tuple[float, float, float]:
    """Mean over the starts of d log L / d log t in a window, and its limits by the bootstrap over starts."""
    seen = (times >= since * 0.999) & (times <= until * 1.001)
    slopes = np.polyfit(np.log(times[seen]), np.log(lengths[:, seen]).T, 1)[0]
    limits = stats.bootstrap((slopes,), np.mean, confidence_level=CONFIDENCE, method="percentile", rng=0)
    low, high = limits.confidence_interval
    return float(slopes.mean()), float(low), float(high)


def draw(figure: Figure, times: Array, found: dict[str, Array], grid: em.fields.Grid, told: str) -> None:
    """Spacings of all starts in time, and one film at the end."""
    curve, film = figure.subplots(1, 2, width_ratios=(1.3, 1))
    for i, lengths in enumerate(found["spacing"]):
        curve.plot(times, lengths, color=style.named_colour(0), linewidth=0.8, label="" if i else "each start")
    late, level = times[times >= times[-1] / 30], np.mean(found["spacing"][:, -1])
    for power, name, dashes in ((1 / 3, "1/3", "dashed"), (1 / 4, "1/4", "dotted")):
        line = 1.25 * level * (late / times[-1]) ** power
        curve.plot(late, line, color=style.GREY, linestyle=dashes, label=f"t^({name})")
    curve.set(xscale="log", yscale="log", xlabel="time [t₀]", ylabel="spacing [h]", title=told)
    curve.set_yticks([6, 10, 20, 30], ["6", "10", "20", "30"])
    curve.minorticks_off()
    curve.legend(loc="upper left")
    film.imshow(grid.values.T, origin="lower", extent=(0, grid.lengths[0], 0, grid.lengths[1]), vmin=0.0, vmax=1.0)
    film.set(title=f"concentration at t = {times[-1]:g}", xlabel="x [h]")


def main(
    until: float = 1e5,
    since: float = 1e3,
    starts: int = 5,
    waves: int = 16,
    cells: int = 50,
    out: str = "results/coarsening",
) -> dict[str, list[tuple[float, float, float]]]:
    """For each length the exponent with its limits, in the first and the second half of the decades."""
    times = np.geomspace(since, until, round(10 * np.log10(until / since)) + 1)
    films = [lengths_of(seed, times, waves, cells) for seed in range(1, starts + 1)]
    found = {name: np.array([lengths[i] for lengths, _ in films]) for i, name in enumerate(LENGTHS)}
    middle = float(np.sqrt(since * until))
    results = {}
    for name, lengths in found.items():
        results[name] = [exponent(times, lengths, *window) for window in ((since, middle), (middle, until))]
        for (mean, low, high), window in zip(results[name], ((since, middle), (middle, until)), strict=True):
            span = f"t = {window[0]:g} to {window[1]:g}"
            em.write.print_root(f"{name} ~ t^n, {span}: n = {mean:.3f}, {low:.3f} to {high:.3f} ({starts} starts)")
    mean, low, high = results["spacing"][1]
    told = f"n = {mean:.2f} ({low:.2f} to {high:.2f}) from t = {middle:g}"
    em.plot.figure(lambda figure: draw(figure, times, found, films[0][1], told), Path(out) / "coarsening.png")
    return results


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=1e5, help="time to reach")
    options.add_argument("--since", type=float, default=1e3, help="time from which on lengths are taken")
    options.add_argument("--starts", type=int, default=5, help="number of random starts")
    options.add_argument("--waves", type=int, default=16, help="fastest waves along an edge")
    options.add_argument("--cells", type=int, default=50, help="cells along an edge")
    options.add_argument("--out", default="results/coarsening", help="folder for the results")
    main(**vars(options.parse_args()))
