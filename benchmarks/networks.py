"""Power grids of more and more segments: time and memory of the mesh, and of Kirchhoff's laws.

    python benchmarks/networks.py

Two layers of stripes, eight cells a segment. The time for each cell must not grow; times are of this machine, so look
at their ratios. Memory is the largest so far, with Python and its libraries (the first row shows how much that is).
"""

from __future__ import annotations

import argparse
import resource
import time

import emfem as em
from emfem.units import um

import numpy as np


def run(stripes: int, cells: int) -> tuple[int, float, float, float, float]:
    """Segments, seconds to make the mesh and to solve for the currents, worst imbalance, memory so far in MB."""
    began = time.perf_counter()
    size = {"width": 1 * um, "thickness": 0.3 * um}
    domain = em.mesh.grid_network(stripes, stripes, 20 * um, **size, load=1e-5, pad_every=10, cells=cells)
    meshed = time.perf_counter()
    found = em.conduction.kirchhoff(domain, 2e-8)
    solved = time.perf_counter()
    left = float(np.abs(found.residual).max() / np.abs(found.current).max())
    assert left < 1e-12, "current is not conserved"
    memory = domain.mesh.comm.allreduce(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
    return len(found.current), meshed - began, solved - meshed, left, memory


def main(largest: int = 224, cells: int = 8) -> None:
    """The table, each grid with about ten times the segments of the one before."""
    run(4, cells)  # loads what is loaded once
    em.write.say(f"{'segments':>9} {'mesh s':>7} {'us a cell':>9} {'Kirchhoff s':>11} {'imbalance':>9} {'MB':>6}")
    for stripes in (largest // 10, round(largest / 10**0.5), largest):
        segments, mesh, solve, left, memory = run(stripes, cells)
        each = 1e6 * mesh / (segments * cells)
        em.write.say(f"{segments:>9} {mesh:>7.2f} {each:>9.2f} {solve:>11.2f} {left:>9.1e} {memory:>6.0f}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--largest", type=int, default=224, help="stripes each way of the largest grid (224: 1e5)")
    options.add_argument("--cells", type=int, default=8, help="cells of each segment")
    main(**vars(options.parse_args()))
