"""A polycrystalline film: each grain's crystal is turned its own way, and the bands turn at the grain boundaries.

Diffusion along one axis of the crystal is ten times as fast as along the other. Without a field the film decomposes
into bands along the slow axis, so a grain whose crystal is turned by an angle has bands turned by that angle.
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.units import deg

CRYSTAL = em.film.Anisotropy(surface="100", ratio=0.1)  # slow along y: bands at 90 degrees
TURNS = (0.0, 45.0, 90.0, 135.0)  # of the crystals, one grain after the other


def main(
    until: float = 600.0, size: float = 1.5, grains: int = 6, out: str = "results/polycrystal"
) -> dict[str, tuple[float, float, float]]:
    """For each grain the direction of its slow axis, that of its bands [degrees], and how sharp that is."""
    domain = em.mesh.polycrystal((60.0, 60.0), grains, size=size, seed=2)
    turns = {grain: TURNS[i % len(TURNS)] for i, grain in enumerate(domain.regions)}
    film = em.film.model(
        domain,
        em.film.cupd(),
        mean=0.3,
        anisotropy={grain: CRYSTAL.turned(turn * deg) for grain, turn in turns.items()},
        initial=em.film.noise(amplitude=0.08, seed=1),
    )
    run = em.evolve(film, until, rtol=3e-3, watch=[em.watch.conserved("solute")])
    em.write.print_root(domain, run)
    results = {}
    for grain, turn in turns.items():
        angle, order = em.patterns.direction(film["c"], dx=domain.dx(region=grain))
        results[grain] = ((90.0 + turn) % 180.0, angle, order)
        em.write.print_root(
            f"{grain}: slow axis at {results[grain][0]:5.1f} deg, bands at {angle:5.1f} deg, order {order:.2f}"
        )
    em.plot.mesh(domain, Path(out) / "grains.png", unit="h")
    title = f"composition at t = {until:g}"
    em.plot.field(
        film["c"], Path(out) / "composition.png", title=title, label="concentration c", unit="h", regions=domain
    )
    return results


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=600.0, help="time to reach")
    options.add_argument("--size", type=float, default=1.5, help="edge of a cell")
    options.add_argument("--grains", type=int, default=6, help="number of grains")
    options.add_argument("--out", default="results/polycrystal", help="folder for the results")
    main(**vars(options.parse_args()))
