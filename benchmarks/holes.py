"""Films in a periodic cell with holes, where no Fourier code can go: unknowns, time, and the error of the mesh.

    python benchmarks/holes.py [--sizes 1.2 0.8 0.55] [--until 60] [--solver auto]

Four round holes, whose rims solute cannot pass, in a square of twelve film thicknesses. Meshes become finer from row to
row and the start is the same, so the free energy at the end shows the error. Solute must be conserved. Seconds are of
the processor, of a run with error control in a process of its own, without the mesh and the compilation of forms.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from typing import Any

import emfem as em

import numpy as np

SIDE, RADIUS = 12.0, 1.5  # film thicknesses
HOLES = [(x * SIDE, y * SIDE, RADIUS) for x in (0.25, 0.75) for y in (0.25, 0.75)]
COLUMNS = ("size", "unknowns", "steps", "mesh s", "s", "us a step", "free energy", "solute")


def film(size: float) -> em.Model:
    """Return the film at its start: waves that fit the cell."""
    k = 2 * math.pi / SIDE
    return em.film.model(
        em.mesh.periodic_cell((SIDE, SIDE), holes=HOLES, size=size),
        em.film.cupd(),
        field=(0.1 * math.sqrt(0.5),) * 2,
        initial=lambda x: 0.3 + 0.03 * (np.cos(k * (x[0] + 2 * x[1])) + np.sin(k * (2 * x[0] - x[1]) + 1)),
    )


def row(size: float, until: float, solver: str) -> dict[str, Any]:
    """Return the numbers of one mesh."""
    em.evolve(film(2.0), 1e-3, solver=solver, progress=False)  # compiles the forms
    began = time.process_time()
    model = film(size)
    meshed = time.process_time()
    before = model.quantity("solute")
    run = em.evolve(model, until, rtol=1e-3, solver=solver, progress=False)
    seconds = time.process_time() - meshed
    unknowns = em.solve.advise(model).unknowns
    changed = abs(model.quantity("solute") / before - 1)
    assert changed < 1e-9, "solute is not conserved"
    values = (size, unknowns, run.steps, meshed - began, seconds, 1e6 * seconds / unknowns / run.steps)
    return dict(zip(COLUMNS, (*values, model.quantity("free_energy"), changed), strict=True))


def main(sizes: list[float], until: float, solver: str) -> None:
    """Print a table, each row of a process of its own."""
    print(" ".join(f"{name:>11}" for name in COLUMNS))
    for size in sizes:
        command = [sys.executable, __file__, "--row", "--sizes", str(size), "--until", str(until), "--solver", solver]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        print(" ".join(f"{value:>11.6g}" for value in json.loads(done.stdout.splitlines()[-1]).values()), flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sizes", type=float, nargs="+", default=[1.2, 0.8, 0.55], help="edges of cells")
    options.add_argument("--until", type=float, default=60.0, help="time to reach")
    options.add_argument("--solver", default="auto", choices=em.solve.SOLVERS)
    options.add_argument("--row", action="store_true", help="the first size alone, as JSON")
    chosen = vars(options.parse_args())
    if chosen.pop("row"):
        print(json.dumps(row(chosen["sizes"][0], chosen["until"], chosen["solver"])))
    else:
        main(**chosen)
