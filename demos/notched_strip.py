"""A film between electrodes: the field is computed in a notched strip, and the composition moves in it.

The current crowds at the tip of the notch, to about 1 + depth / half width = 3.5 times the mean. The edges are blocked:
solute drifts along the field and gathers at the cathode, the anode's end is used up, and between them the film
decomposes as it would in a uniform field.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em


def main(until: float = 200.0, size: float = 1.6, out: str = "results/notched_strip") -> em.conduction.Crowding:
    """The current crowding."""
    domain = em.mesh.notched_strip(length=80.0, width=40.0, notch_depth=10.0, notch_width=8.0, size=size)
    current = em.conduction.model(domain, conductivity=1.0, on={"anode": em.fixed(1.0), "cathode": em.fixed(0.0)})
    film = em.film.model(
        domain, em.film.cupd(), mean=0.3, field=8.0 * current["E"], initial=em.film.noise(amplitude=0.08, seed=1)
    )
    report = em.evolve(
        [current, film],
        until,
        rtol=3e-3,
        watch=[
            em.watch.conserved("solute"),
            em.write.series(Path(out) / "series.csv", every=until / 10),
            em.write.vtu(Path(out) / "fields.pvd", ["c", "phi", "j"], times=[until]),
        ],
    )
    em.plot.current(current, Path(out) / "current.png", title="current in a notched strip", unit="h")
    title = f"composition at t = {until:g}"
    look: dict[str, Any] = {"label": "concentration c", "unit": "h", "lines": 8}
    em.plot.current(current, Path(out) / "composition.png", over=film["c"], title=title, **look)
    factor = em.conduction.crowding(current)
    em.write.print_root(domain, report, factor, f"resistance {em.conduction.resistance(current):.4f}")
    return factor


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=200.0, help="time to reach")
    options.add_argument("--size", type=float, default=1.6, help="edge of a cell")
    options.add_argument("--out", default="results/notched_strip", help="folder for the results")
    main(**vars(options.parse_args()))
