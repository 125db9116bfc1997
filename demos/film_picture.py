"""Constants of a film from one picture of its stripes: its anisotropy, the crystal's angle, the field.

A film of 8 by 8 wavelengths started from noise that nobody knows, and one picture shows it at a known time. No run
makes the same stripes, so pixels cannot be compared. Measures of the pattern can: contrast, spacing, second moments of
the slopes (directions), and third ones, as the drift makes one flank of a band steeper than the other. Runs with other
constants and other starts tell how the measures follow the constants and what chance adds (`em.fit.emulate`). Then
pictures of films that the emulator has not seen are fitted: are their constants within the intervals?
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.units import deg

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from scipy import stats

SIDE, MEAN, ANGLE = 48.0, 0.3, 45.0  # thicknesses; concentration; direction of the field [degrees]
UNKNOWNS = [
    em.fit.Unknown("Lambda", (0.4, 2.0), logarithmic=True),
    em.fit.Unknown("phi", (5.0, 85.0), unit="degrees"),
    em.fit.Unknown("F", (0.1, 0.6), logarithmic=True),
]
TICKS = {"Lambda": (0.5, 1.0, 2.0), "F": (0.1, 0.2, 0.4)}
LABELS = {"Lambda": "Λ", "phi": "φₓ [degrees]", "F": "F"}


def film(constants: dict[str, float], seed: int, cells: int, until: float) -> em.Model:
    """Return a film of the surface [110] at the time of its picture."""
    crystal = em.film.Anisotropy(
        surface="110", strength=1.0, misorientation=constants["phi"] * deg, ratio=constants["Lambda"]
    )
    grown = em.film.model(
        em.mesh.periodic_rectangle((SIDE, SIDE), cells=(cells, cells)),
        em.film.cupd(),
        mean=MEAN,
        anisotropy=crystal,
        field=em.film.uniform_field(constants["F"], angle=ANGLE * deg),
        initial=em.film.noise(amplitude=0.08, seed=seed),
    )
    em.evolve(grown, until, rtol=1e-2)
    return grown


def measures(picture: np.ndarray) -> np.ndarray:
    """Return 11 measures of a picture of a periodic film: they do not change when the film is moved."""
    n = len(picture)
    c = picture - picture.mean()
    k = 2 * np.pi * np.fft.fftfreq(n, SIDE / n)
    kx, ky = np.meshgrid(k, k, indexing="ij")
    modes = np.fft.fft2(c)
    power = np.abs(modes) ** 2 / np.sum(np.abs(modes) ** 2)
    size, direction = np.hypot(kx, ky), np.arctan2(ky, kx)
    mean = np.sum(power * size)
    slopes = np.array([np.fft.ifft2(1j * each * modes).real for each in (kx, ky)])
    gx, gy = slopes / np.sqrt(np.mean(slopes**2) * 2)
    return np.array(
        [
            np.log(c.std()),
            np.mean(c**3) / c.std() ** 3,
            np.log(mean),
            np.log(np.sum(power * size**2) - mean**2),
            *(np.sum(power * part(m * direction)) for m in (2, 4) for part in (np.cos, np.sin)),
            np.mean(gx**3),
            np.mean(gx**2 * gy),
            np.mean(gy**3),
        ]
    )


class Film:
    """A run and the measures of its picture, a function of the constants and the start."""

    def __init__(self, cells: int, until: float) -> None:
        """Take the cells along an edge and the time of the picture."""
        self.cells, self.until = cells, until
        self.fingerprint = f"film_picture {SIDE} {MEAN} {ANGLE} {cells} {until}"

    def picture(self, constants: dict[str, float], seed: int) -> np.ndarray:
        """Return the composition at two points for each cell and direction, shape (2 cells, 2 cells)."""
        n = 2 * self.cells
        line = (np.arange(n) + 0.5) * SIDE / n
        points = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
        values = em.fields.evaluate(film(constants, seed, self.cells, self.until)["c"], points)
        return np.asarray(values).reshape(n, n)

    def __call__(self, constants: dict[str, float], seed: int) -> np.ndarray:
        """Return the measures."""
        return measures(self.picture(constants, seed))


def main(
    samples: int = 128,
    pictures: int = 4,
    cells: int = 30,
    until: float = 200.0,
    workers: int = 1,
    out: str = "results/film_picture",
) -> dict[str, float]:
    """Return the part of true constants within their 95 % intervals, and the median widths of these, by name."""
    film_of = Film(cells, until)
    emulator = em.fit.emulate(film_of, UNKNOWNS, samples=samples, folder=out, workers=workers)
    random = np.random.default_rng(7)
    fits, truths, seen = [], [], []
    for seed in range(10_000, 10_000 + pictures):
        truths.append({each.name: float(each.value(random.uniform(0.1, 0.9))) for each in UNKNOWNS})
        seen.append(film_of.picture(truths[-1], seed))
        fits.append(em.fit.fit(emulator, [emulator.curve(measures(seen[-1]))], UNKNOWNS))
    within = [
        true in fit.estimates[name] for fit, truth in zip(fits, truths, strict=True) for name, true in truth.items()
    ]
    em.plot.figure(lambda figure: draw(figure, seen[0], fits, truths), Path(out) / "constants.png", height=2.7)
    widths = {
        name: float(np.median([fit.estimates[name].high - fit.estimates[name].low for fit in fits])) for name in LABELS
    }
    least, most = stats.binomtest(sum(within), len(within)).proportion_ci(0.95)
    em.write.print_root(
        f"{emulator.samples} films, polynomials of degree {emulator.degree}, variances times {emulator.inflation:.2f}",
        f"first picture, made with {', '.join(f'{name} = {x:.3g}' for name, x in truths[0].items())}:",
        str(fits[0]),
        f"{sum(within)} of {len(within)} constants are within their 95 % intervals ({least:.0%} to {most:.0%} of all)",
        f"median widths: {', '.join(f'{name} {x:.3g}' for name, x in widths.items())}",
    )
    return {"within": float(np.mean(within))} | widths


def draw(figure: Figure, picture: np.ndarray, fits: list[em.fit.Fit], truths: list[dict[str, float]]) -> None:
    """Draw the first picture, and the interval of each constant of each picture over its true value."""
    style = em.plot.style
    image, *panels = figure.subplots(1, 1 + len(LABELS), width_ratios=(1.35, 1, 1, 1))
    drawn = image.imshow(picture.T, origin="lower", extent=(0, SIDE, 0, SIDE), cmap="viridis")
    figure.colorbar(drawn, ax=image, label="concentration c", shrink=0.8)
    image.set(xticks=[], yticks=[])
    panels[0].set_ylabel("from one picture, with 95 % interval")
    for panel, unknown in zip(panels, UNKNOWNS, strict=True):
        true = np.array([truth[unknown.name] for truth in truths])
        estimates = [fit.estimates[unknown.name] for fit in fits]
        low, best, high = np.array([(each.low, each.value, each.high) for each in estimates]).T
        panel.plot(unknown.bounds, unknown.bounds, color=style.GREY, linewidth=1, zorder=0)
        panel.errorbar(true, best, yerr=(best - low, high - best), fmt="o", markersize=3, capsize=2)
        label = LABELS[unknown.name]
        panel.set(xlabel=f"true {label}", title=label, xlim=unknown.bounds, ylim=unknown.bounds)
        if unknown.logarithmic:
            panel.set(xscale="log", yscale="log")
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_locator(FixedLocator(TICKS[unknown.name]))
                axis.set_minor_locator(NullLocator())
                axis.set_major_formatter("{x:g}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--samples", type=int, default=128, help="films for the emulator")
    options.add_argument("--pictures", type=int, default=4, help="films to fit")
    options.add_argument("--cells", type=int, default=30, help="cells along each edge")
    options.add_argument("--until", type=float, default=200.0, help="time of the pictures")
    options.add_argument("--workers", type=int, default=1, help="films side by side")
    options.add_argument("--out", default="results/film_picture", help="folder for the results")
    main(**vars(options.parse_args()))
