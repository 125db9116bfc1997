"""A film for a long time, in which its pattern coarsens: steps, time, and what must not change.

    python benchmarks/long.py [--until 30000] [--cells 24]

A periodic square, cells of degree 2, six to a wavelength of the fastest growth, from noise. Solute must be conserved.
Seconds are of the processor, without the compilation of forms.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from typing import Any

import emfem as em


def film(cells: int) -> em.Model:
    """Return the film at its start."""
    return em.film.model(
        em.mesh.periodic_rectangle((1.3 * cells,) * 2, cells=(cells, cells)),
        em.film.cupd(),
        mean=0.3,
        field=em.film.uniform_field(0.1, math.pi / 4),
        initial=em.film.noise(amplitude=0.08, seed=1),
    )


def run(cells: int, until: float) -> dict[str, Any]:
    """Return the numbers of a run."""
    em.evolve(film(4), 1e-3, progress=False)  # compiles the forms
    began = time.process_time()
    model = film(cells)
    solute = model.quantity("solute")
    march = em.evolve(model, until, progress=False)
    seconds = time.process_time() - began
    changed = abs(model.quantity("solute") / solute - 1)
    assert changed < 1e-9, "solute is not conserved"
    return {
        "until": until,
        "unknowns": em.solve.advise(model).unknowns,
        "steps": march.steps,
        "rejected": march.rejected,
        "factorisations": march.factorisations,
        "s": seconds,
        "amplitude": model.quantity("amplitude"),
        "solute": changed,
    }


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=30_000.0, help="time to reach")
    options.add_argument("--cells", type=int, default=24, help="cells along an edge")
    chosen = options.parse_args()
    print(json.dumps(run(chosen.cells, chosen.until)))
