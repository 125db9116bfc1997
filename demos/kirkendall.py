"""A diffusion couple whose markers move: Kirkendall's experiment.

A on the left, B on the right, A the faster by vacancies. Atoms of A leave their side faster than atoms of B come in, so
lattice planes are lost there and the markers at the contact move into it, as the square root of time. Where both
intrinsic diffusivities follow the composition so that interdiffusion is constant, the way is known: 31.59 um after a
hundred hours.
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.plot import style
from emfem.units import hour, um

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import erfc

SPREAD = 1e-14  # interdiffusion coefficient, and the difference of the intrinsic ones [m2/s]
HALF = 400 * um
BEGIN = 1 * hour  # joined an hour ago: no step that the cells would smear
HOURS = (1.0, 4.0, 16.0, 36.0, 64.0, 100.0)
PLANTED = np.array([-120.0, -60.0, -20.0, 0.0, 20.0, 60.0, 120.0]) * um


def main(cells: int = 400, out: str = "results/kirkendall") -> dict[str, float]:
    """Marker of the contact and composition there after 100 hours, and in theory."""
    line = em.mesh.interval(2 * HALF, cells=cells)
    couple = em.migration.alloy(
        line,
        diffusivities=(lambda n: SPREAD * (1 + n), lambda n: SPREAD * n),
        initial=lambda x: erfc((x[0] - HALF) / 2 / np.sqrt(SPREAD * BEGIN)) / 2,
        markers=True,
    )
    xi = em.analytic.kirkendall_marker(1.0)
    planted = PLANTED + HALF
    planted[3] += 2 * xi * np.sqrt(SPREAD * BEGIN)  # the contact's marker has come this far in the first hour
    x = np.linspace(0.0, 2 * HALF, 401)
    ways, profiles = [], []
    for hours in HOURS:
        if hours * hour > BEGIN:
            em.evolve(couple, hours * hour - BEGIN, rtol=1e-6, atol=1e-8, progress=False)
        ways.append(em.migration.positions(couple, planted[:, None])[:, 0])
        profiles.append(em.fields.evaluate(couple["N"], x[:, None]))
    contact = ways[-1][3]
    results = {
        "marker": contact - HALF,
        "theory": 2 * xi * np.sqrt(SPREAD * HOURS[-1] * hour),
        "fraction": float(em.fields.evaluate(couple["N"], [[contact]])[0]),
    }
    em.plot.figure(
        lambda figure: draw(figure, x, np.array(profiles), np.array(ways), xi), Path(out) / "couple.png", height=2.9
    )
    em.write.print_root(
        f"marker at {results['marker'] / um:.4f} um, theory {results['theory'] / um:.4f}; N {results['fraction']:.6f}"
    )
    return results


def draw(
    figure: Figure, x: NDArray[np.float64], profiles: NDArray[np.float64], ways: NDArray[np.float64], xi: float
) -> None:
    """Composition at three times with the contact's marker on it; the way of all markers."""
    left, right = figure.subplots(1, 2)
    for i, k in enumerate((0, 2, 5)):
        colour = style.named_colour(i)
        left.plot((x - HALF) / um, profiles[k], color=colour, label=f"{HOURS[k]:.0f} h")
        place = ways[k, 3]
        left.plot((place - HALF) / um, np.interp(place, x, profiles[k]), "o", color=colour)
    left.set(xlabel="x [µm]", ylabel="fraction of A", xlim=(-300, 300), title="dots: the markers of the contact")
    left.legend()
    times = np.linspace(1.0, HOURS[-1], 200)
    theory = 2 * xi * np.sqrt(SPREAD * times * hour) / um
    for k, way in enumerate(ways.T):
        colour = style.named_colour(0) if k != 3 else style.INK
        right.plot((way - HALF) / um, HOURS, "o-" if k != 3 else "o", color=colour, linewidth=0.8, markersize=4)
    right.plot(theory, times, color=style.WARNING, linewidth=1.2, label="contact, theory", zorder=3)
    right.set(xlabel="marker [µm]", ylabel="time [h]", title="dots: markers follow the lattice", ylim=(-4, 125))
    right.legend(loc="upper center")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=400, help="number of cells")
    options.add_argument("--out", default="results/kirkendall", help="folder for the results")
    main(**vars(options.parse_args()))
