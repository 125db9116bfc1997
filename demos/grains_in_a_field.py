"""A polycrystalline film in a field: the contrast of its grains against the strength of the field.

Without a field the bands of each grain run along the slow axis of its crystal. A field pulls waves along with the
drift D F of their grain, which lies near its fast axis where the contrast is high, and bands turn to it: the field
unmakes the polycrystal of slow axes, and makes one of drifts. The film is periodic: in one with edges a field of 0.1
has swept most of the solute to them by t = 400. Each film has three numbers: the agreement of bands with slow axes and
with drifts, which is the mean of cos 2 delta over the grains weighted by their order, and the order of the whole film.
Each start has a random composition and grains of its own; the mean over starts has Student's interval of 95 %.
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.units import deg

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

TURNS = (0.0, 45.0, 90.0, 135.0)  # of the crystals, one grain after the other
CONTRASTS = (1.5, 3.0, 10.0)
FIELDS = (0.0, 0.01, 0.03, 0.1)
ANGLE = 20 * deg  # of the field
CONFIDENCE = 0.95
MEASURES = (
    "bands along the slow axis of their grain",
    "bands along the drift of their grain",
    "order of the whole film",
)

type Array = NDArray[np.float64]
type Numbers = tuple[float, float, float]


def agreement(film: em.Model, directions: dict[str, float]) -> float:
    """Agreement of the bands in each grain with a direction [rad]: 1 along it, 0 without one, -1 across it."""
    found = []
    for grain, direction in directions.items():
        angle, order = em.patterns.direction(film["c"], dx=film.domain.dx(region=grain))
        found.append(order * np.cos(2 * (angle * deg - direction)))
    return float(np.mean(found))


def film_in_field(contrast: float, strength: float, until: float, seed: int, side: float, size: float) -> Numbers:
    """The three numbers of one film."""
    cells = round(side / size)
    domain = em.mesh.grains(em.mesh.periodic_rectangle((side, side), cells=(cells, cells)), len(TURNS), seed=seed)
    crystal = em.film.Anisotropy(surface="100", ratio=1 / contrast)
    tensors = {grain: crystal.turned(turn * deg) for grain, turn in zip(domain.regions, TURNS, strict=True)}
    slow = {grain: (90.0 + turn) * deg for grain, turn in zip(domain.regions, TURNS, strict=True)}
    along = em.film.uniform_field(1.0, ANGLE)
    drift = {grain: float(np.arctan2(*(tensor @ along)[::-1])) for grain, tensor in tensors.items()}
    film = em.film.model(
        domain,
        em.film.cupd(),
        mean=0.3,
        anisotropy=tensors,
        field=em.film.uniform_field(strength, ANGLE),
        initial=em.film.noise(0.08, seed=seed),
    )
    em.evolve(film, until, rtol=3e-3, watch=[em.watch.conserved("solute")], progress=False)
    return agreement(film, slow), agreement(film, drift), em.patterns.direction(film["c"])[1]


def interval(values: Array) -> Array:
    """Mean over the starts, and the half width of its interval; NaN of one start."""
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1) * stats.sem(values) if len(values) > 1 else np.nan
    return np.array([values.mean(axis=0), half * np.ones(values.shape[1])])


def draw(figure: Figure, found: dict[tuple[float, float], Array]) -> None:
    """The numbers against the field, a line for each contrast."""
    axes = figure.subplots(1, 3, sharex=True)
    for i, contrast in enumerate(sorted({contrast for contrast, _ in found})):
        fields = sorted(strength for other, strength in found if other == contrast)
        for which, axis in enumerate(axes):
            means, halves = np.array([interval(found[contrast, strength])[:, which] for strength in fields]).T
            places = np.arange(len(fields)) + 0.06 * (i - 1)
            colour = em.plot.style.named_colour(i)
            axis.errorbar(places, means, halves, fmt="o-", capsize=2, color=colour, label=f"contrast {contrast:g}")
            axis.set_xticks(range(len(fields)), [f"{strength:g}" for strength in fields])
    for axis, title in zip(axes, MEASURES, strict=True):
        axis.axhline(0.0, color=em.plot.style.GREY, linewidth=0.7)
        axis.set(title=title, xlabel="field F")
    axes[0].legend(loc="best")


def main(
    until: float = 400.0,
    side: float = 42.0,
    size: float = 1.7,
    contrasts: tuple[float, ...] = CONTRASTS,
    fields: tuple[float, ...] = FIELDS,
    starts: int = 5,
    out: str = "results/grains_in_a_field",
) -> dict[tuple[float, float], Array]:
    """For each contrast and field the agreements with slow axes and with drifts, and the order, shape (starts, 3)."""
    found = {}
    for contrast in contrasts:
        for strength in fields:
            films = [film_in_field(contrast, strength, until, seed, side, size) for seed in range(1, starts + 1)]
            found[contrast, strength] = np.array(films)
            numbers = zip(("axes", "drift", "order"), *interval(found[contrast, strength]), strict=True)
            told = ", ".join(f"{name} {mean:+.2f} ± {half:.2f}" for name, mean, half in numbers)
            em.write.print_root(f"contrast {contrast:g}, F = {strength:g}: {told}")
    em.plot.figure(lambda figure: draw(figure, found), Path(out) / "diagram.png", height=3.0)
    return found


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=400.0, help="time to reach")
    options.add_argument("--side", type=float, default=42.0, help="side of the film")
    options.add_argument("--size", type=float, default=1.7, help="edge of a cell")
    options.add_argument("--starts", type=int, default=5, help="films of each contrast and field")
    options.add_argument("--out", default="results/grains_in_a_field", help="folder for the results")
    main(**vars(options.parse_args()))
