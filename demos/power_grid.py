"""A power grid: which wires can fail at all, and where the first voids open.

Stripes along x in one layer and along y in the other, vias at their crossings, pads here and there, and a block that
draws six times as much as the rest. Kirchhoff's laws give every current. Each stripe is one piece of metal that no atom
leaves, and its steady stress, computed without time steps, decides if it is immortal. In others voids open, one after
the other, where electrons come in from the loads: a void holds the stress at 0, grows, and sends the current through
the liner or another way. The grid fails when a node has dropped by a tenth more than in the beginning.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import MPa, elementary_charge, mV, nm, um, year

import numpy as np

WIDTH, THICKNESS = (0.4 * um, 0.8 * um), (0.3 * um, 0.5 * um)  # of the stripes of each layer
COPPER = em.materials.copper(378.15).in_line(width=WIDTH[0], height=THICKNESS[0], grain_size=0.2 * um)
CRITICAL, PITCH, VIA = 500 * MPa, 20 * um, 0.5  # Pa, m, Ohm
LINER = em.failure.Liner(resistivity=2e-6, thickness=5 * nm)
NETLIST = Path(__file__).resolve().parents[1] / "meshes" / "grid.sp"


def grid(stripes: int, load: float) -> em.mesh.Domain:
    """So many stripes each way; the block is a third of the grid long and wide."""
    loads = np.full((stripes, stripes), load)
    first, last = stripes // 3, 2 * (stripes // 3)
    loads[first:last, first - 1 : last - 1] *= 6
    return em.mesh.grid_network(
        stripes,
        stripes,
        PITCH,
        width=WIDTH,
        thickness=THICKNESS,
        load=loads,
        via_resistance=VIA,
        pad_every=5,
        cells=2,
    )


def judged(domain: em.mesh.Domain) -> tuple[em.Model, em.conduction.Currents, np.ndarray]:
    """The model of a grid's stress, its currents, and the highest steady tension of each piece of metal [Pa]."""
    flow = em.conduction.kirchhoff(domain, COPPER.resistivity)
    model = em.stress.model(domain, COPPER, current_density=flow.current_density, voids=True)
    stress, piece = em.stress.at_nodes(em.stress.steady(model)), domain.wires().components
    highest = np.full(piece.max() + 1, -np.inf)
    metal = piece >= 0
    np.maximum.at(highest, piece[metal], stress[metal])
    return model, flow, highest


def of_potential(net: em.mesh.Network, potential: np.ndarray) -> np.ndarray:
    """The same in numbers alone: the greatest (Z* e/Omega) (phi - <phi>) of each piece of metal [Pa]."""
    start, end = net.segments.T
    volume, piece = net.lengths * net.cross_sections, net.components
    mean = np.bincount(piece[start], volume * (potential[start] + potential[end]) / 2) / np.bincount(
        piece[start], volume
    )
    charge = COPPER.effective_charge * elementary_charge / COPPER.atomic_volume
    highest, metal = np.full(len(mean), -np.inf), piece >= 0
    np.maximum.at(highest, piece[metal], charge * (potential[metal] - mean[piece[metal]]))
    return highest


def verdict(highest: np.ndarray) -> str:
    """Number of pieces that can fail."""
    mortal = highest >= CRITICAL
    most = highest.max() / MPa
    return f"{mortal.sum()} of {len(highest)} pieces of metal can get voids, the highest tension is {most:.1f} MPa"


def pictures(
    domain: em.mesh.Domain, highest: np.ndarray, stress: Any, life: em.failure.FailureHistory, out: Path
) -> None:
    """Stripes that can fail, and the stress with the voids at the end."""
    net = domain.wires()
    of_wires = highest[net.components[net.segments[:, 0]]]
    em.plot.network(
        domain,
        out / "filter.png",
        values=np.minimum(of_wires, 2 * CRITICAL),
        scale=CRITICAL,
        limits=(0.0, 2.0),
        colours=em.plot.style.SIGNED,
        label="highest steady tension / critical",
        marks={"pad": list(net.pads)},
        title="which stripes can get a void (red), which never (blue)",
    )
    em.plot.network(
        domain,
        out / "voids.png",
        values=stress,
        scale=MPa,
        label="stress, tension positive [MPa]",
        marks={"void": [int(void.node) for void in life.voids], "pad": list(net.pads)},
        title=f"stress and voids after {life.t[-1] / year:.3g} years",
    )


def main(stripes: int = 16, load: float = 6e-4, years: float = 20.0, out: str = "results/power_grid") -> dict[str, Any]:
    """Pieces of metal, that can fail, that did; current lost and stress off [-]; first void and failure [years]."""
    domain = grid(stripes, load)
    model, flow, highest = judged(domain)
    dropped = float(flow.drop.max())
    life = em.failure.run(
        model,
        critical_stress=CRITICAL,
        until=years * year,
        fails=em.failure.Drop(1.1 * dropped),
        resistivity=COPPER.resistivity,
        liner=LINER,
        update=0.05,
        rtol=1e-3,
    )
    pictures(domain, highest, model["sigma"], life, Path(out))
    small = em.mesh.from_netlist(NETLIST, resistivity=2e-8, thickness=0.2 * um, unit=um, cells=2)
    net, piece = domain.wires(), domain.wires().components
    failed = {int(piece[int(void.node)]) for void in life.voids}
    em.write.print_root(
        domain,
        f"largest drop {dropped / mV:.4g} mV, densest current {np.abs(flow.current_density).max():.3g} A/m2",
        verdict(highest),
        *(f"void at node {v.node} after {v.nucleated / year:.3f} years, {v.length / nm:.1f} nm" for v in life.voids),
        f"after {life.t[-1] / year:.3f} years: {life.why}",
        f"{NETLIST.name}: {verdict(judged(small)[2])}",
    )
    return {
        "pieces": len(highest),
        "mortal": set(np.flatnonzero(highest >= CRITICAL).tolist()),
        "failed": failed,
        "lost": float(np.abs(flow.residual).max() / net.loads.sum()),
        "off": float(np.abs(highest / of_potential(net, flow.potential) - 1).max()),
        "first void": life.voids[0].nucleated / year if life.voids else np.inf,
        "failure": life.time_to_failure / year,
        "why": life.why,
    }


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--stripes", type=int, default=16, help="each way")
    options.add_argument("--load", type=float, default=6e-4, help="drawn at a crossing outside of the block [A]")
    options.add_argument("--years", type=float, default=20.0, help="to give up after")
    options.add_argument("--out", default="results/power_grid", help="folder for the results")
    main(**vars(options.parse_args()))
