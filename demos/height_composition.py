"""Facets that a current makes on an alloy: height and composition of a surface grow together, or heal together.

Atoms of a gold-rich alloy move along its surface with the current, the solvent by a mobility that depends on the
inclination. Under one direction of the current small waves grow as linear theory predicts, become facets, and hills
swallow each other; the solute gathers in the grooves. Under the other direction the same rough surface becomes flat,
and the composition even. The constants are made up, of plausible size; the mobility has four folds, so that facets
stay flat enough for a height above a line.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import deg, nm, um

import numpy as np
from matplotlib.figure import Figure

SOLVENT = em.height.Species(1e-12, 1.5, 10.0, strength=1.0, folds=4, misorientation=-11.25 * deg)
SOLUTE = em.height.Species(3e-12, 1.4, 3.0)
ALLOY = em.height.Alloy(SOLVENT, SOLUTE, temperature=700.0, atomic_volume=1.7e-29, layer=0.5 * nm)
MEAN, FIELD, THICKNESS = 0.3, 3e4, 1 * um  # -, V/m, m
LENGTH, WAVES = 1.5 * um, np.linspace(2, 14, 121)  # m; waves in the line


def rates(field: float) -> Any:
    """Growth rates of waves in the linear theory, the faster of each two [1/s]."""
    k = 2 * np.pi * WAVES[:, None] / LENGTH
    return em.height.growth_rates(k, ALLOY, mean=MEAN, field=[field])[:, 0]


def film(field: float, cells: int) -> em.Model:
    """A rough surface of even composition."""
    line = em.mesh.periodic_interval(LENGTH, cells=cells)
    rough = em.film.noise(1 * nm, seed=1, grain=50 * nm).on(line)
    return em.height.model(line, ALLOY, thickness=THICKNESS, mean=MEAN, field=field, height=rough)


def hills(height: Any) -> int:
    """Number of hills of a periodic line."""
    return int(np.sum((height > np.roll(height, 1)) & (height >= np.roll(height, -1))))


def run(field: float, cells: int, times: list[float]) -> dict[str, Any]:
    """Heights [m] and compositions at some times, and the series of both."""
    model = film(field, cells)
    series = em.watch.series(["roughness", "contrast", "solute"])
    states: dict[str, Any] = {"h": [], "c": [], "x": np.arange(400) / 400 * LENGTH}
    for t in times:
        em.evolve(model, t, rtol=1e-3, watch=[series], progress=False)
        for name in "hc":
            states[name].append(em.fields.sample_grid(model[name], (400,)).values.ravel())
    return states | {"t": series.t, **{name: np.array(series[name]) for name in ("roughness", "contrast", "solute")}}


def draw_growth(axis: Any) -> None:
    """Growth rates in both directions."""
    for i, (sign, words) in enumerate(((1, "current to the right"), (-1, "to the left"))):
        axis.plot(WAVES, rates(sign * FIELD).real, color=em.plot.style.named_colour(i), label=words)
    axis.axhline(0.0, color=em.plot.style.GREY, linewidth=0.7)
    axis.set(xlabel="waves in the line", ylabel="growth rate [1/s]", ylim=(-15, 8), title="linear theory")
    axis.legend(loc="lower left")


def draw_series(axis: Any, runs: list[dict[str, Any]]) -> None:
    """Roughness of both runs."""
    for i, each in enumerate(runs):
        axis.semilogy(each["t"], each["roughness"] / nm, color=em.plot.style.named_colour(i))
    axis.set(xlabel="time [s]", ylabel="roughness [nm]", title="one start, both directions", ylim=(1e-3, 60))


def draw_states(axis: Any, each: dict[str, Any], times: list[float], name: str, scale: float, label: str) -> None:
    """Heights or compositions at some times."""
    for i, (t, values) in enumerate(zip(times, each[name], strict=True)):
        axis.plot(each["x"] / um, values / scale, color=em.plot.style.named_colour(i), label=f"{t:g} s")
    axis.set(xlabel="x [µm]", ylabel=label, xlim=(0, LENGTH / um))
    axis.legend(loc="upper center", ncols=len(times), bbox_to_anchor=(0.5, 1.16), frameon=False)


def draw(figure: Figure, runs: list[dict[str, Any]], times: list[float]) -> None:
    """All four."""
    (growth, series), (height, composition) = figure.subplots(2, 2)
    draw_growth(growth)
    draw_series(series, runs)
    draw_states(height, runs[0], times, "h", nm, "height [nm]")
    draw_states(composition, runs[0], times, "c", 1.0, "composition of the layer")


def main(until: float = 20.0, cells: int = 48, out: str = "results/height_composition") -> dict[str, Any]:
    """Roughness [m] at both ends of each run, hills, correlation of height and composition, and solute lost."""
    times = [until / 20, until / 5, until]
    runs = [run(sign * FIELD, cells, times) for sign in (1, -1)]
    there = runs[0]
    em.plot.figure(lambda figure: draw(figure, runs, times), Path(out) / "height_composition.png", height=5.6)
    result = {
        "roughness": [each["roughness"][[0, -1]].tolist() for each in runs],
        "hills": [hills(height) for height in there["h"]],
        "correlation": float(np.corrcoef(there["h"][-1], there["c"][-1])[0, 1]),
        "lost": float(max(np.ptp(each["solute"]) / each["solute"][0] for each in runs)),
    }
    for (start, end), words in zip(result["roughness"], ("right", "left"), strict=True):
        em.write.print_root(f"current to the {words}: roughness {start / nm:.2g} to {end / nm:.2g} nm")
    em.write.print_root(f"hills {result['hills']}, height and composition correlate by {result['correlation']:.2f}")
    return result


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=20.0, help="time [s]")
    options.add_argument("--cells", type=int, default=48, help="of the line")
    options.add_argument("--out", default="results/height_composition", help="folder for the results")
    main(**vars(options.parse_args()))
