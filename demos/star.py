"""Three wires that meet: the worst node is found by the tree as a whole, not by its wires one by one.

Current comes in at A and goes out at B and C, so copper's atoms drift to A, and the ends B and C are stretched. Atoms
pass the junction: what leaves B goes to the whole tree, and the tension there comes to nearly twice what the wire JB
would have alone. C is stretched more for some years than in the end: its own wire is short and soon done, and later
atoms out of JB reach it through J. In the steady state sigma = (Z* e/Omega) (phi - <phi>), with phi of each node from
Ohm's law: no diffusivity is in it. The march in time comes to the same.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import MPa, eV, um, year

import numpy as np
from matplotlib.figure import Figure

NODES = {"A": (0.0, 0.0), "J": (20 * um, 0.0), "B": (50 * um, 0.0), "C": (20 * um, 10 * um)}
WIRES = ("AJ", "JB", "JC")
WIDTH, THICKNESS = (0.2 * um, 0.1 * um, 0.1 * um), 0.1 * um
CURRENT = (1.0e10, 1.2e10, 0.8e10)  # A/m2, along each wire
CRITICAL = 500 * MPa
UNTIL = 200 * year
DRAWN = np.array([0.3, 1.0, 3.0, 10.0, 200.0]) * year
TIMES = np.union1d(DRAWN, np.geomspace(0.1, 200.0, 50) * year)
COPPER = em.materials.copper(
    temperature=378.15,
    diffusivity=em.materials.Arrhenius(1.3e-9, 0.8 * eV),
    bulk_modulus=28e9,
    atomic_volume=1.18e-29,
    resistivity=2.25e-8,
    effective_charge=-5.0,
)


def tree(cells: int) -> em.mesh.Domain:
    """The network."""
    letters = list(NODES)
    return em.mesh.network(
        list(NODES.values()),
        [(letters.index(wire[0]), letters.index(wire[1])) for wire in WIRES],
        width=WIDTH,
        thickness=THICKNESS,
        cells=cells,
    )


def alone(net: em.mesh.Network) -> dict[str, float]:
    """The greatest steady tension of each wire, were both its ends blocked [Pa]."""
    each = [COPPER.derived(length=length, current_density=j) for length, j in zip(net.lengths, CURRENT, strict=True)]
    return {wire: numbers.greatest_stress for wire, numbers in zip(WIRES, each, strict=True)}


def places(per_wire: int = 25) -> np.ndarray:
    """Places along A, J, B, then along J, C, shape (2 n - 1 + n, 2) [m]."""
    part = np.linspace(0.0, 1.0, per_wire)[:, None]
    a, j, b, c = map(np.array, NODES.values())
    return np.concatenate([a + part * (j - a), (j + part * (b - j))[1:], j + part * (c - j)])


def draw_ways(axis: Any, probe: em.watch.Probe, ends: dict[str, float], blech: dict[str, float]) -> None:
    """Stress along both ways through the tree at some times, and what each wire alone would have."""
    style = em.plot.style
    n = (len(probe.at) + 1) // 3
    trunk, branch = probe.at[: 2 * n - 1, 0] / um, (20 * um + probe.at[2 * n - 1 :, 1]) / um
    for i, t in enumerate(DRAWN):
        row, colour = probe.values[int(np.argmin(np.abs(probe.t - t)))] / MPa, style.named_colour(i)
        axis.plot(trunk, row[: 2 * n - 1], color=colour, label=f"{t / year:g} year{'s' if t > year else ''}")
        axis.plot(branch, row[2 * n - 1 :], color=colour, linestyle="dashed")
    at = dict(zip(NODES, (0.0, 20.0, 50.0, 30.0), strict=True))
    for wire, tension in blech.items():
        text = "steady, each wire alone" if wire == "AJ" else None
        sides = np.array([-tension, tension]) / MPa
        axis.plot([at[node] for node in wire], sides, color=style.GREY, linestyle="dotted", label=text)
    steady = [stress / MPa for stress in ends.values()]
    axis.plot([at[node] for node in ends], steady, "o", color=style.INK, label="steady, the tree")
    for node, shift in (("A", (7, -5)), ("J", (5, -13)), ("B", (-14, -3)), ("C", (7, -4))):
        axis.annotate(node, (at[node], ends[node] / MPa), shift, textcoords="offset points", weight="bold")
    axis.set(xlabel="way from A: to B full, from J to C dashed [µm]", ylabel="stress, tension positive [MPa]")
    axis.legend(loc="upper left", fontsize="small")


def draw_nodes(axis: Any, probe: em.watch.Probe, ends: dict[str, float]) -> None:
    """Stress at the nodes in time."""
    style = em.plot.style
    n, years = (len(probe.at) + 1) // 3, probe.t / year
    for i, (node, column) in enumerate(zip(NODES, (0, n - 1, 2 * n - 2, 3 * n - 2), strict=True)):
        colour = style.named_colour(i)
        axis.semilogx(years, probe.values[:, column] / MPa, color=colour)
        axis.plot(1.08 * years[-1], ends[node] / MPa, "<", color=colour, clip_on=False)
        axis.text(0.7 * years[-1], ends[node] / MPa + (12 if node != "B" else -75), node, color=colour, weight="bold")
    axis.axhline(CRITICAL / MPa, color=style.WARNING, linestyle="dashed")
    axis.text(1.1 * years[0], CRITICAL / MPa + 10, "a void would open", color=style.WARNING)
    axis.set(xlabel="time [years]", ylabel="stress at the node [MPa]", xlim=years[[0, -1]])
    axis.set_title("triangles: steady, from the potential")


def draw(figure: Figure, probe: em.watch.Probe, ends: dict[str, float], blech: dict[str, float]) -> None:
    """Both."""
    along, against = figure.subplots(1, 2)
    draw_ways(along, probe, ends, blech)
    draw_nodes(against, probe, ends)


def main(cells: int = 16, out: str = "results/star") -> dict[str, Any]:
    """Steady stress at each node [Pa], how far the march ends from it, each wire alone [Pa], the verdict."""
    net = tree(cells)
    model = em.stress.model(net, COPPER, current_density=CURRENT)
    ends = dict(zip(NODES, em.stress.at_nodes(em.stress.steady(model)).tolist(), strict=True))
    verdict = em.stress.immortal(model, critical_stress=CRITICAL)
    blech = alone(net.wires())
    worst = max(ends, key=lambda node: ends[node])
    probe = em.watch.probe("sigma", at=places(), times=TIMES)
    conserved = em.watch.conserved("atoms", rtol=1e-12)
    em.evolve(model, until=UNTIL, watch=[probe, conserved], progress=False)
    marched = em.stress.at_nodes(model)
    off = float(np.abs(marched - list(ends.values())).max())
    em.plot.figure(lambda figure: draw(figure, probe, ends, blech), Path(out) / "march.png", height=3.0)
    em.plot.network(
        net,
        Path(out) / "star.png",
        values=model["sigma"],
        scale=MPa,
        label="stress [MPa]",
        marks={"first void": [list(NODES).index(worst)]},
        title=f"stress after {UNTIL / year:g} years: A left, J, B right, C above",
    )
    text = ", ".join(f"{node} {stress / MPa:.4f}" for node, stress in ends.items())
    single = ", ".join(f"{wire} {tension / MPa:.1f}" for wire, tension in blech.items())
    em.write.print_root(
        f"steady stress [MPa]: {text}; the march ends within {off / MPa:.2g}",
        f"greatest tension of each wire alone [MPa]: {single}: none passes {CRITICAL / MPa:g}",
        f"as a tree: {verdict}",
    )
    return {"nodes": ends, "off": off, "alone": blech, "immortal": bool(verdict), "atoms": conserved.worst}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=16, help="of each wire")
    options.add_argument("--out", default="results/star", help="folder for the results")
    main(**vars(options.parse_args()))
