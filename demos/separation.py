"""Three species parted by a field: electrophoresis in a channel.

A narrow plug of a mixture is put into a channel between two electrodes. Each species drifts with its mobility times the
field and spreads by diffusion; after a while they are apart. The distance of two bands grows with time, their widths
with its square root, so waiting parts whatever differs in mobility. All is dimensionless: concentrations are in parts
of that in the middle of the plug.
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.plot import style

import numpy as np
import ufl
from dolfinx import fem
from matplotlib.figure import Figure
from numpy.typing import NDArray

MOBILITIES = {"slow": 1.0, "middle": 1.6, "fast": 2.2}
LENGTH, WIDTH = 60.0, 6.0
PLUG, SIGMA = 8.0, 0.8  # where the plug is, and the standard deviation of its width
DIFFUSIVITY, VOLTAGE = 0.05, 60.0


def band(species: em.Model, name: str) -> tuple[float, float]:
    """Mean place of a species along the channel, and its standard deviation."""
    x, dx = ufl.SpatialCoordinate(species.mesh)[0], species.domain.dx(6)
    parts = [em.fields.integral(fem.form(species[name] * x**k * dx), species.mesh.comm) for k in range(3)]
    mean = parts[1] / parts[0]
    return mean, float(np.sqrt(parts[2] / parts[0] - mean**2))


def main(until: float = 16.0, cells: int = 150, out: str = "results/separation") -> dict[str, dict[str, float]]:
    """Place and width of each band, and what the drift and the diffusion make of the plug's."""
    channel = em.mesh.rectangle((LENGTH, WIDTH), cells=(cells, max(2, cells // 10)), cell="triangle")
    current = em.conduction.model(channel, on={"left": em.fixed(VOLTAGE), "right": em.fixed(0.0)})
    em.solve_steady(current)
    mixture = [
        em.migration.model(
            channel,
            diffusivity=DIFFUSIVITY,
            drift=mobility * current["E"],
            initial=lambda x: np.exp(-((x[0] - PLUG) ** 2) / (2 * SIGMA**2)),
            name=name,
        )
        for name, mobility in MOBILITIES.items()
    ]
    conserved = [em.watch.conserved(f"amount {name}") for name in MOBILITIES]
    along = np.linspace(0.0, LENGTH, 601)
    places = np.column_stack([along, np.full_like(along, WIDTH / 2)])
    profiles = []
    for t in (0.0, until / 4, until):
        if t:
            report = em.evolve(mixture, t, watch=conserved, progress=False)
        profiles.append([em.fields.evaluate(s[name], places) for name, s in zip(MOBILITIES, mixture, strict=True)])
    results = {}
    for (name, mobility), species in zip(MOBILITIES.items(), mixture, strict=True):
        place, width = band(species, name)
        results[name] = {
            "place": place,
            "expected place": PLUG + mobility * VOLTAGE / LENGTH * until,
            "width": width,
            "expected width": float(np.sqrt(SIGMA**2 + 2 * DIFFUSIVITY * until)),
        }
    titles = [f"{name}: at {band['place']:.2f}, width {band['width']:.2f}" for name, band in results.items()]
    em.plot.figure(lambda figure: draw(figure, along, profiles, until), Path(out) / "bands.png", height=3.9)
    em.write.print_root(channel, report, *titles, em.migration.peclet(mixture[-1]))
    return results


def draw(figure: Figure, along: NDArray[np.float64], profiles: list[list[NDArray[np.float64]]], until: float) -> None:
    """The three concentrations along the middle of the channel, at the start, on the way and at the end."""
    for axes, t, bands in zip(figure.subplots(3, 1, sharex=True), (0.0, until / 4, until), profiles, strict=True):
        for i, (name, values) in enumerate(zip(MOBILITIES, bands, strict=True)):
            axes.fill_between(along, values, color=style.named_colour(i), alpha=0.3)
            axes.plot(along, values, color=style.named_colour(i), label=name)
        axes.set(ylabel="c / c₀ [–]", xlim=(0.0, LENGTH), ylim=(0.0, 1.1))
        axes.text(0.99, 0.85, f"t = {t:g} [–]", ha="right", transform=axes.transAxes)
    axes.set(xlabel="x along the channel [–]")
    figure.axes[0].legend(loc="upper center", ncols=3)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=16.0, help="time to reach")
    options.add_argument("--cells", type=int, default=150, help="number of cells along the channel")
    options.add_argument("--out", default="results/separation", help="folder for the results")
    main(**vars(options.parse_args()))
