"""Sign-off of grids of more and more wires: processor time of a wire, and memory.

    python benchmarks/signoff.py
    python benchmarks/signoff.py --largest 708        (a million wires)
    python benchmarks/signoff.py --voids --largest 721
    python benchmarks/signoff.py --netlist ibmpg1.spice --unit 1e-6

Power grids of two layers of stripes with a pad every 30 crossings, ten years in copper at 378 K, up to the first void
of each tree. With `--voids` to the end, voids growing and currents turning away: then each pad has its share of the
grid to itself, and three in a hundred of these draw four times the current, so that a small part of the trees gets
voids (at least one part does: below 64 parts, 1e5 wires, more of the metal is under voids). The time for each wire must
not grow. A row that takes longer than `--limit` ends, and its part of the ten years is printed. Times are of this
machine, so look at their ratios; they count the processor's work, not the clock, and are the best of three where that
is short. Memory is the largest so far, with Python and its libraries.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import emfem as em
from emfem.signoff import Layer, Technology, Verdict
from emfem.units import MPa, nm, um, year

import numpy as np

RHO = 2.25e-8
COPPER = em.materials.copper(temperature=378.0, effective_charge=-1.0)
EVERY = 30  # crossings between pads
HOT = 0.03  # of the parts that a pad feeds: they draw HOTTER times the current
HOTTER = 4.0
REPEATS, LONG = 3, 3.0  # runs of which the fastest counts, where one takes less than so many seconds
HEAD = (
    "   wires  trees  immortal  with voids  voids  network s  currents us a wire  sign-off us a wire  part of 10 years"
    "     MB"
)


def technology(*layers: str, thickness: float = 0.3 * um) -> Technology:
    """Copper with a liner in all layers."""
    made = {name: Layer(name, thickness, RHO, liner=em.failure.Liner(2e-6, 5 * nm)) for name in layers}
    return Technology(made, COPPER, 378.0, 500 * MPa)


def grid(stripes: int, load: float, hot: bool) -> em.mesh.Network:
    """2 n (n - 1) wires of 20 um; each stripe is a tree."""
    size: dict[str, Any] = {"width": 1 * um, "thickness": 0.3 * um}
    loads = np.full((stripes, stripes), load)
    if hot:
        parts = -(-stripes // EVERY)
        some = np.random.default_rng(1).permutation(parts**2) < max(HOT * parts**2, 1)
        part = np.arange(stripes) // EVERY
        loads *= np.where(some.reshape(parts, parts), HOTTER, 1.0)[np.ix_(part, part)]
    return em.mesh.grid_network(stripes, stripes, 20 * um, load=loads, pad_every=EVERY, cells=1, **size).wires()


class Watch:
    """Progress of a run, which it ends after a time."""

    def __init__(self, limit: float) -> None:
        self.end, self.part, self.voids = time.process_time() + limit, 0.0, ""

    def __call__(self, part: float, words: str) -> None:
        """Note the part that is done; end the run after the limit."""
        self.part, self.voids = part, words
        if time.process_time() > self.end:
            raise TimeoutError


def row(network: em.mesh.Network, made: Technology, began: float, voids: bool, limit: float) -> tuple[str, str]:
    """The numbers below HEAD: currents alone, and the sign-off with its currents; and the verdict."""
    times, watch = [began, time.process_time()], Watch(limit)
    em.conduction.kirchhoff(network, RHO)
    times.append(time.process_time())
    verdict: Verdict | None = None
    wires, (first, second), third = len(network.segments), np.diff(times), np.inf
    for _ in range(1 if voids else REPEATS):
        start = time.process_time()
        with contextlib.suppress(TimeoutError):
            verdict = em.signoff.run(network, made, until=10 * year, voids=voids, progress=watch)
        third = min(third, time.process_time() - start)
        if third > LONG:
            break
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    trees = [f"{network.components.max() + 1:>5}", f"{'-':>8}", f"{'-':>10}", f"{watch.voids.split()[0]:>5}"]
    if verdict is not None:
        opened, immortal = int(np.isfinite(verdict.nucleation).sum()), int(verdict.immortal.sum())
        trees = [f"{len(verdict.immortal):>5}", f"{immortal:>8}", f"{opened:>10}", f"{len(verdict.voids):>5}"]
    text = (
        f"{wires:>8}  {'  '.join(trees)}  {first:>9.2f}  "
        f"{1e6 * second / wires:>18.1f}  {1e6 * third / wires:>18.1f}  {1.0 if verdict else watch.part:>16.3f}  "
        f"{memory:>5.0f}"
    )
    return text, str(verdict or f"stopped after {limit:g} s of the processor")


def main(
    largest: int = 224,
    load: float = 1e-3,
    voids: bool = False,
    netlist: str | None = None,
    unit: float = um,
    factor: float = 1.0,
    limit: float = 600.0,
) -> None:
    """The table, each grid with about three times the wires of the one before."""
    row(grid(4, load, False), technology("M1", "M2"), 0.0, voids, limit)  # loads what is loaded once
    print(HEAD)
    if netlist is not None:
        began, height = time.process_time(), 0.3 * um
        network = em.mesh.read_netlist(Path(netlist), resistivity=RHO, thickness=height, unit=unit)
        network = replace(network, loads=factor * network.loads)
        text, verdict = row(network, technology(*network.layers, thickness=height), began, voids, limit)
        print(text, verdict, sep="\n")
        return
    rows = [*(round(71 * 10 ** (k / 4)) for k in range(5) if 71 * 10 ** (k / 4) < 0.9 * largest), largest]
    for stripes in rows:
        began = time.process_time()
        count = EVERY * max(round(stripes / EVERY), 1) + 1 if voids else stripes  # pads at all edges
        network = grid(count, 0.5 * load if voids else load, voids)
        print(row(network, technology("M1", "M2"), began, voids, limit)[0], flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument(
        "--largest", type=int, default=224, help="stripes each way of the largest grid (224: 1e5 wires)"
    )
    options.add_argument("--load", type=float, default=1e-3, help="current drawn at each crossing [A]")
    options.add_argument("--voids", action="store_true", help="voids grow, and currents are worked out again")
    options.add_argument("--limit", type=float, default=600.0, help="processor time of a row [s]")
    options.add_argument("--factor", type=float, default=1.0, help="of the loads of the netlist")
    options.add_argument("--netlist", help="a power grid in SPICE instead")
    options.add_argument("--unit", type=float, default=um, help="length of 1 in its coordinates [m]")
    main(**vars(options.parse_args()))
