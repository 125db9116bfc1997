"""Repair of a power grid: the least extra metal with which no void ever opens, and what it does to the lifetimes.

Two blocks of a grid draw much more than the rest, and a part of the stripes can get voids. One factor for all widths
would help, at the price of more metal than the grid has. Gradients of every stripe's tension with respect to all
widths show where metal helps: a few wires near the blocks. Lives of grids whose stripes differ at random, as those of
real ones do, are computed before and after: until the first void, and until the IR drop of a node is too large.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import MPa, eV, mV, nm, um, year

import numpy as np

WIDTH, THICKNESS = (0.4 * um, 0.8 * um), (0.3 * um, 0.5 * um)  # of the stripes of each layer
COPPER = em.materials.copper(378.15).in_line(width=WIDTH[0], height=THICKNESS[0], grain_size=0.2 * um)
LAYERS = {name: em.signoff.Layer(name, h, COPPER.resistivity) for name, h in zip(("M1", "M2"), THICKNESS, strict=True)}
TECHNOLOGY = em.signoff.Technology(LAYERS, COPPER, 378.15, critical_stress=500 * MPa)
PITCH, VIA, SPACING = 20 * um, 0.5, 0.4 * um  # m, Ohm, m
VARIATION = em.signoff.Variation(activation_energy=0.02 * eV, critical_stress=0.1)


def grid(stripes: int, load: float, block: float) -> em.mesh.Domain:
    """So many stripes each way, with two blocks of a quarter of its width that draw more."""
    loads, size = np.full((stripes, stripes), load), max(stripes // 4, 2)
    for row, column in ((1, 1), (stripes - size - 1, stripes // 2)):
        loads[row : row + size, column : column + size] *= block
    return em.mesh.grid_network(
        stripes, stripes, PITCH, width=WIDTH, thickness=THICKNESS, load=loads, via_resistance=VIA, pad_every=5, cells=1
    )


def tension(domain: em.mesh.Domain, network: em.mesh.Network) -> np.ndarray:
    """The highest steady tension of the stripe of each wire [Pa]."""
    return em.signoff.Sensitivity(network, TECHNOLOGY).steady[domain.wires().components[network.segments[:, 0]]]


def pictures(domain: em.mesh.Domain, result: em.signoff.Repair, out: Path) -> None:
    """Stripes that can fail and those after, and where the metal is."""
    critical = TECHNOLOGY.critical_stress
    limits: dict[str, Any] = {"limits": (0.0, 2.0), "colours": em.plot.style.SIGNED, "scale": critical}
    for name, network in (("before", result.before), ("after", result.network)):
        em.plot.network(
            domain,
            out / f"{name}.png",
            values=np.minimum(tension(domain, network), 2 * critical),
            label="highest steady tension / critical",
            title=f"{name}: stripes that can get a void (red)",
            marks={"pad": list(network.pads)},
            **limits,
        )
    em.plot.network(
        domain,
        out / "widths.png",
        values=result.factor,
        label="new width / old",
        title=f"{result.part:.1%} more metal",
        marks={"pad": list(result.network.pads)},
    )


def lives(network: em.mesh.Network, drop: float, years: float, samples: int) -> dict[str, em.signoff.SystemSample]:
    """Lives of grids until the first void, and until a node has dropped by too much."""
    return {
        name: em.signoff.monte_carlo(
            network, TECHNOLOGY, samples=samples, seed=1, until=years * year, variation=VARIATION, fails=fails
        )
        for name, fails in (("first void", em.failure.FirstVoid()), ("drop", em.failure.Drop(drop)))
    }


def main(
    stripes: int = 16,
    load: float = 1e-4,
    block: float = 30.0,
    years: float = 20.0,
    samples: int = 400,
    out: str = "results/repair",
) -> dict[str, Any]:
    """Metal added, that of uniform widening, parts of grids that fail before and after, by first void and drop."""
    domain = grid(stripes, load, block)
    network = domain.wires()
    drop = float(np.abs(em.signoff.Sensitivity(network, TECHNOLOGY).currents.drop).max())
    result = em.signoff.repair(
        network, TECHNOLOGY, margin=0.2, until=np.inf, largest_drop=drop, widest=4 * um, spacing=SPACING
    )
    pictures(domain, result, Path(out))
    before, after = (lives(each, 1.2 * drop, years, samples) for each in (network, result.network))
    table = result.wires()
    table.to_csv(Path(out) / "widened.csv", index=False)
    widest = int(result.factor.argmax())
    mortal = int((em.signoff.Sensitivity(network, TECHNOLOGY).steady >= TECHNOLOGY.critical_stress).sum())
    em.write.print_root(
        domain,
        f"{mortal} of {len(result.steady)} stripes can get voids, largest drop {drop / mV:.4g} mV",
        str(result),
        f"a wire is {result.factor[widest]:.2f} times as wide, {result.network.width[widest] / nm:.0f} nm",
        *(f"before, {name}: {sample}" for name, sample in before.items()),
        f"before, trees that matter:\n{before['drop'].importance().head(5).to_string(index=False)}",
        *(f"after, {name}: {sample}" for name, sample in after.items()),
    )
    return {
        "mortal": mortal,
        "stripes": len(result.steady),
        "metal": result.part,
        "uniform": result.uniform / result.extra * result.part,
        "highest": float(result.tension.max()),
        "drop": result.drop / drop,
        "before": {name: sample.failed for name, sample in before.items()},
        "after": {name: sample.failed for name, sample in after.items()},
        "median": {name: float(sample.quantile(0.5)) / year for name, sample in before.items()},
    }


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--stripes", type=int, default=16, help="each way")
    options.add_argument("--load", type=float, default=1e-4, help="drawn at a crossing outside of the blocks [A]")
    options.add_argument("--block", type=float, default=30.0, help="times as much is drawn in the blocks")
    options.add_argument("--years", type=float, default=20.0, help="of the lives")
    options.add_argument("--samples", type=int, default=400, help="grids drawn at random")
    options.add_argument("--out", default="results/repair", help="folder for the results")
    main(**vars(options.parse_args()))
