"""Without a field: the pattern is disordered, or follows the fast direction of diffusion.

At equal diffusion (Lambda = 1) the film decomposes alike in all directions. With diffusion along y ten times slower
(Lambda = 0.1) or faster (Lambda = 10) than along x, waves along the fast direction grow ten times faster, and the bands
they leave run along the slow one.
"""

import argparse
from pathlib import Path

import emfem as em


def main(until: float = 1000.0, cells: int = 48, out: str = "results/zero_field") -> dict[float, em.patterns.Pattern]:
    """The pattern at each Lambda."""
    domain = em.mesh.periodic_rectangle((62.4, 62.4), cells=(cells, cells))
    films, patterns = [], {}
    for ratio in (0.1, 1.0, 10.0):
        film = em.film.model(
            domain,
            em.film.cupd(),
            mean=0.3,
            anisotropy=em.film.Anisotropy(ratio=ratio),
            initial=em.film.noise(amplitude=0.08, seed=1),
        )
        energy = em.watch.series(["free_energy"])
        em.evolve(film, until, rtol=3e-3, watch=[energy, em.watch.conserved("solute")])
        patterns[ratio] = em.patterns.measure(film["c"])
        films.append(film["c"])
        fall = energy["free_energy"][0] - energy["free_energy"][-1]
        em.write.print_root(f"Lambda = {ratio:g}: {patterns[ratio]}; free energy fell by {fall:.3g}")
    titles = [f"Λ = {ratio:g}" for ratio in patterns]
    em.plot.film_strip(films, Path(out) / "strip.png", titles=titles, label="concentration c", unit="h")
    return patterns


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=1000.0, help="time to reach")
    options.add_argument("--cells", type=int, default=48, help="cells along each edge")
    options.add_argument("--out", default="results/zero_field", help="folder for the results")
    main(**vars(options.parse_args()))
