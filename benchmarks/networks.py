"""Networks of more and more segments: processor time and memory of the mesh, of Kirchhoff's laws and of stress.

    python benchmarks/networks.py

Power grids of two layers of stripes, and trees that are one piece of metal; then ten years of stress in copper at
378 K. The time for each segment must not grow; times are of this machine, so look at their ratios. They count the
processor's work, not the clock, and the run of stress also for each step: larger networks may take fewer. Memory is
the largest so far, with Python and its libraries (the first row shows how much that is).
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import emfem as em
from emfem.units import um, year

import numpy as np
from mpi4py import MPI
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

RHO = 2.25e-8
COPPER = em.materials.copper(temperature=378.0, effective_charge=-1.0)
PITCH = 20 * um
SIZE: dict[str, Any] = {"width": 1 * um, "thickness": 0.3 * um}
HEAD = "network  segments  mesh s  us a cell  Kirchhoff s  imbalance  stress s  steps  us a segment  and step      MB"


@dataclass(frozen=True)
class Row:
    """Cost of one network: seconds of all ranks' processors."""

    segments: int
    cells: int
    mesh: float
    kirchhoff: float
    imbalance: float
    stress: float
    steps: int
    memory: float

    def __str__(self) -> str:
        """The numbers below HEAD."""
        each = 1e6 * self.stress / self.segments
        return (
            f"{self.segments:>8}  {self.mesh:>6.2f}  {1e6 * self.mesh / self.cells:>9.2f}  {self.kirchhoff:>11.2f}  "
            f"{self.imbalance:>9.1e}  {self.stress:>8.2f}  {self.steps:>5}  {each:>12.1f}  {each / self.steps:>8.2f}  "
            f"{self.memory:>6.0f}"
        )


def grid(stripes: int, cells: int) -> em.mesh.Domain:
    """A power grid: 2 n^2 segments, each stripe a piece of metal."""
    return em.mesh.grid_network(stripes, stripes, PITCH, **SIZE, load=5e-5, pad_every=10, cells=cells)


def tree(rows: int, cells: int) -> em.mesh.Domain:
    """A tree through all places of a square, drawn at random: 2 n^2 segments in one piece, fed at a corner."""
    n = round(rows * 2**0.5)
    at = np.arange(n * n).reshape(n, n)
    along = np.concatenate(
        [np.stack([a.ravel(), b.ravel()]) for a, b in ((at[:, :-1], at[:, 1:]), (at[:-1], at[1:]))], 1
    )
    weight = np.random.default_rng(1).random(along.shape[1])
    state = minimum_spanning_tree(coo_array((weight, tuple(along)), shape=(n * n, n * n)))
    y, x = np.divmod(at.ravel(), n)
    load = np.full(n * n, 3e-3 / n**2)  # 1e10 A/m2 at the root
    places = np.stack([x, y], 1) * PITCH
    return em.mesh.network(places, np.stack(state.nonzero(), 1), **SIZE, loads=load, pads={0: 0.0}, cells=cells)


def run(make: Callable[[int, int], em.mesh.Domain], stripes: int, cells: int, repeats: int = 1) -> Row:
    """Make a network, solve for its currents and let stress evolve for ten years; the best of several runs of that."""
    times = [_clock()]
    domain = make(stripes, cells)
    times.append(_clock())
    state = em.conduction.kirchhoff(domain, RHO)
    times.append(_clock())
    stress = np.inf
    for _ in range(repeats):
        model = em.stress.model(domain, COPPER, current_density=state.current_density)
        began = _clock()
        went = em.evolve(model, until=10 * year, progress=False)
        stress = min(stress, _clock() - began)
    left = float(np.abs(state.residual).max() / np.abs(state.current).max())
    assert left < 1e-12, "current is not conserved"
    memory = domain.mesh.comm.allreduce(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
    segments = len(state.current)
    mesh, kirchhoff = np.diff(times)
    return Row(segments, segments * cells, mesh, kirchhoff, left, stress, went.steps, memory)


def currents(stripes: int) -> dict[str, float]:
    """Return the cost of Kirchhoff's laws alone in a power grid, without a mesh: seconds and microseconds a segment."""
    began = _clock()
    network = em.mesh.grid_network(stripes, stripes, PITCH, **SIZE, load=5e-5, pad_every=10, cells=1).wires()
    made = _clock()
    state = em.conduction.kirchhoff(network, RHO)
    seconds, segments = _clock() - made, len(state.current)
    left = float(np.abs(state.residual).max() / np.abs(state.current).max())
    assert left < 1e-11, "current is not conserved"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "segments": segments,
        "network s": made - began,
        "s": seconds,
        "us a segment": 1e6 * seconds / segments,
        "imbalance": left,
        "MB": memory,
    }


def stress(stripes: int) -> dict[str, float]:
    """Return the cost of ten years of stress in a power grid."""
    run(grid, 4, 2)  # loads what is loaded once
    found = run(grid, stripes, 2)
    each = {"segments": found.segments, "s": found.stress, "us a segment": 1e6 * found.stress / found.segments}
    return {**each, "steps": found.steps, "MB": found.memory}


def _clock() -> float:
    """Processor time of all ranks so far [s]."""
    return MPI.COMM_WORLD.allreduce(time.process_time())


def main(largest: int = 224, cells: int = 2, repeats: int = 2) -> None:
    """The table, each network with about ten times the segments of the one before."""
    run(grid, 4, cells)  # loads what is loaded once
    em.write.print_root(HEAD)
    for make in (grid, tree):
        for stripes in (largest // 10, round(largest / 10**0.5), largest):
            em.write.print_root(f"{make.__name__:<8}{run(make, stripes, cells, repeats)}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--largest", type=int, default=224, help="stripes each way of the largest grid (224: 1e5)")
    options.add_argument("--cells", type=int, default=2, help="cells of each segment, of degree 2")
    options.add_argument("--repeats", type=int, default=2, help="runs of stress, of which the fastest counts")
    options.add_argument("--one", choices=("currents", "stress"), help="of the largest grid alone, numbers as JSON")
    chosen = vars(options.parse_args())
    one = chosen.pop("one")
    if one:
        print(json.dumps({"currents": currents, "stress": stress}[one](chosen["largest"])))
    else:
        main(**chosen)
