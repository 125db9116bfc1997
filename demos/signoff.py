"""Sign-off: does a chip's power grid last ten years, as its netlist and its technology have it?

The netlist is written here as a tool of physical design would write it: stripes of metal in two layers, vias where
they cross, a pad at every third crossing of two edges, and a block that draws six times as much as the rest. Then comes
what `emfem signoff grid.sp --tech meshes/technology.toml --years 10 --corner ...` does: currents and IR drop, the
steady stress of every tree of metal, and voids in those that can have any, at each corner. The grid fails where its IR
drop has grown to the limit, not at its first void. The report is one page of HTML, with tables of all trees and wires.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import elementary_charge, mV, um, year

import numpy as np

TECHNOLOGY = Path(__file__).resolve().parents[1] / "meshes" / "technology.toml"
PITCH, WIDTH, THICKNESS, RHO = 15.0, 0.2, 0.2, 20e-9 / 1e-6  # um, um, um, Ohm um
VIA, SUPPLY = 0.5, 1.0  # Ohm, V


def netlist(stripes: int, load: float) -> str:
    """So many stripes each way; nodes are n<layer>_<x>_<y>, in micrometres."""
    ohms, place = RHO * PITCH / (WIDTH * THICKNESS), [f"{i * PITCH:g}" for i in range(stripes)]
    first, last, edge = stripes // 3, 2 * stripes // 3 + 1, (0, stripes - 1)
    lines = [f"* power grid of {stripes} x {stripes} stripes"]
    for i, x in enumerate(place):
        for j, y in enumerate(place):
            here = f"{x}_{y}"
            if i + 1 < stripes:
                lines.append(f"R1_{here} n1_{here} n1_{place[i + 1]}_{y} {ohms:g}")
            if j + 1 < stripes:
                lines.append(f"R2_{here} n2_{here} n2_{x}_{place[j + 1]} {ohms:g}")
            lines.append(f"RV_{here} n1_{here} n2_{here} {VIA:g}")
            block = 6 if first <= i < last and first <= j < last else 1
            lines.append(f"I_{here} n1_{here} 0 {block * load:g}")
            if i in edge and j % 3 == 0:
                lines.append(f"V_{here} n2_{here} 0 {SUPPLY:g}")
    return "\n".join([*lines, ".end", ""])


def steady_tension(net: em.mesh.Network, technology: em.signoff.Technology, potential: np.ndarray) -> np.ndarray:
    """The greatest (Z* e/Omega) (phi - <phi>) of each tree, on top of the residual stress [Pa]."""
    start, end = net.segments.T
    volume, tree = net.lengths * net.cross_sections, net.components
    mean = np.bincount(tree[start], volume * (potential[start] + potential[end]) / 2)
    mean /= np.bincount(tree[start], volume)
    charge = technology.material.effective_charge * elementary_charge / technology.material.atomic_volume
    highest, metal = np.full(len(mean), -np.inf), tree >= 0
    np.maximum.at(highest, tree[metal], charge * (potential[metal] - mean[tree[metal]]))
    return highest + technology.residual_stress


def main(stripes: int = 9, load: float = 4e-4, years: float = 10.0, out: str = "results/signoff") -> dict[str, Any]:
    """By corner: does it last, trees with voids, the first one [years]; errors of drop, stress and length [-]."""
    folder = Path(out)
    em.write.text(folder / "grid.sp", netlist(stripes, load))
    technology = em.signoff.read_technology(TECHNOLOGY)
    grid = em.mesh.read_netlist(folder / "grid.sp", technology=technology)
    limit = 0.15 * SUPPLY
    corners = (em.signoff.Corner("nominal"), em.signoff.Corner("hot", current=1.2, temperature=273.15 + 125))
    outcome = em.signoff.sign_off(
        grid,
        technology,
        folder,
        until=years * year,
        corners=corners,
        fails=em.failure.Drop(limit),
        title=f"{stripes} x {stripes} stripes",
        inputs={"netlist": folder / "grid.sp", "technology": TECHNOLOGY},
        force=True,
    )
    flow = em.conduction.kirchhoff(grid, technology.layers["1"].resistivity)
    exact = steady_tension(grid, technology, flow.potential)
    em.write.print_root(grid, outcome, f"limit of the drop {limit / mV:g} mV, {folder / 'report.html'}")
    nominal = outcome.corners[0]
    return {
        "lasts": {corner["name"]: corner["lasts"] for corner in outcome.corners},
        "mortal": int((exact >= technology.critical_stress).sum()),
        "voids": {corner["name"]: corner["trees with voids"] for corner in outcome.corners},
        "first void": {corner["name"]: (corner["first void [s]"] or np.inf) / year for corner in outcome.corners},
        "drop": nominal["drop [V]"] / np.abs(flow.drop).max() - 1,
        "off": nominal["highest steady stress [Pa]"] / exact.max() - 1,
        "length": stripes * (stripes - 1) * PITCH * um * 2 / grid.lengths.sum() - 1,
    }


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--stripes", type=int, default=9, help="each way")
    options.add_argument("--load", type=float, default=4e-4, help="drawn at a crossing outside of the block [A]")
    options.add_argument("--years", type=float, default=10.0, help="that the grid has to last")
    options.add_argument("--out", default="results/signoff", help="folder for the results")
    main(**vars(options.parse_args()))
