"""Sign-off of grids of more and more wires: processor time of a wire, and memory.

    python benchmarks/signoff.py
    python benchmarks/signoff.py --largest 708        (a million wires)
    python benchmarks/signoff.py --netlist ibmpg1.spice --unit 1e-6

Power grids of two layers of stripes with a pad every 30 crossings, ten years in copper at 378 K, up to the first void
of each tree; and with `--voids` to the end, voids growing and currents turning away. The time for each wire must not
grow. Times are of this machine, so look at their ratios; they count the processor's work, not the clock. Memory is the
largest so far, with Python and its libraries.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import Any

import emfem as em
from emfem.signoff import Layer, Technology, Verdict
from emfem.units import MPa, nm, um, year

import numpy as np

RHO = 2.25e-8
COPPER = em.materials.copper(temperature=378.0, effective_charge=-1.0)
HEAD = "   wires  trees  immortal  with voids  network s  currents us a wire  sign-off us a wire     MB"


def technology(*layers: str, thickness: float = 0.3 * um) -> Technology:
    """Copper with a liner in all layers."""
    made = {name: Layer(name, thickness, RHO, liner=em.failure.Liner(2e-6, 5 * nm)) for name in layers}
    return Technology(made, COPPER, 378.0, 500 * MPa)


def grid(stripes: int, load: float) -> em.mesh.Network:
    """2 n (n - 1) wires of 20 um; each stripe is a tree."""
    size: dict[str, Any] = {"width": 1 * um, "thickness": 0.3 * um}
    return em.mesh.grid_network(stripes, stripes, 20 * um, load=load, pad_every=30, cells=1, **size).wires()


def row(network: em.mesh.Network, made: Technology, began: float, voids: bool) -> tuple[str, Verdict]:
    """The numbers below HEAD: currents alone, and the sign-off with its currents."""
    times = [began, time.process_time()]
    em.conduction.kirchhoff(network, RHO)
    times.append(time.process_time())
    verdict = em.signoff.run(network, made, until=10 * year, voids=voids)
    times.append(time.process_time())
    wires, (first, second, third) = len(network.segments), np.diff(times)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    opened, immortal = int(np.isfinite(verdict.nucleation).sum()), int(verdict.immortal.sum())
    text = (
        f"{wires:>8}  {len(verdict.immortal):>5}  {immortal:>8}  {opened:>10}  {first:>9.2f}  "
        f"{1e6 * second / wires:>18.1f}  {1e6 * third / wires:>18.1f}  {memory:>5.0f}"
    )
    return text, verdict


def main(
    largest: int = 224, load: float = 1e-3, voids: bool = False, netlist: str | None = None, unit: float = um
) -> None:
    """The table, each grid with about three times the wires of the one before."""
    row(grid(4, load), technology("M1", "M2"), 0.0, voids)  # loads what is loaded once
    print(HEAD)
    if netlist is not None:
        began, height = time.process_time(), 0.3 * um
        network = em.mesh.read_netlist(Path(netlist), resistivity=RHO, thickness=height, unit=unit)
        text, verdict = row(network, technology(*network.layers, thickness=height), began, voids)
        print(text, verdict, sep="\n")
        return
    for stripes in (
        71,
        *(round(71 * 10 ** (k / 4)) for k in range(1, 5) if 71 * 10 ** (k / 4) < 0.9 * largest),
        largest,
    ):
        began = time.process_time()
        print(row(grid(stripes, load), technology("M1", "M2"), began, voids)[0], flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument(
        "--largest", type=int, default=224, help="stripes each way of the largest grid (224: 1e5 wires)"
    )
    options.add_argument("--load", type=float, default=1e-3, help="current drawn at each crossing [A]")
    options.add_argument("--voids", action="store_true", help="voids grow, and currents are worked out again")
    options.add_argument("--netlist", help="a power grid in SPICE instead")
    options.add_argument("--unit", type=float, default=um, help="length of 1 in its coordinates [m]")
    main(**vars(options.parse_args()))
