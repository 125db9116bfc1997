"""Films solved directly and iteratively in whole runs with error control: steps, and how far the ends are apart.

    python benchmarks/agreement.py [--until 20]

The distance is the largest difference at a node, of the composition as it is and over its standard deviation.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import emfem as em
from benchmarks.film import SOLVERS, film

import numpy as np

CASES = ((48, 2, 1.0), (48, 2, 10.0), (16, 3, 1.0))  # cells along an edge, dimension, diffusion along y over along x


def line(cells: int, dim: int, ratio: float, until: float) -> str:
    """Return one row of the table."""
    films = [film(cells, dim, ratio) for _ in SOLVERS]
    runs = [em.evolve(f, until, solver=s, progress=False) for f, s in zip(films, SOLVERS, strict=True)]
    direct, iterative = (f["c"].x.array for f in films)
    apart = np.max(np.abs(direct - iterative))
    steps = " | ".join(str(run.steps) for run in runs)
    return f"| {dim}-D, Lambda = {ratio:g} | {2 * direct.size} | {steps} | {apart:.1e} | {apart / direct.std():.1e} |"


def main(until: float) -> None:
    """Print the table."""
    print("| film | unknowns | steps, direct | iterative | distance | over the deviation |\n" + "|---" * 6 + "|")
    for case in CASES:
        print(line(*case, until), flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--until", type=float, default=20.0, help="time of the runs")
    main(options.parse_args().until)
