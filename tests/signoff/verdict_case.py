"""Small grids, and verdicts made by hand: what a report says of them is known."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import emfem as em
from emfem.conduction import kirchhoff
from emfem.failure import Void
from emfem.mesh import Network
from emfem.signoff.verdict import Verdict
from emfem.units import MPa, um, year

import numpy as np

MESHES = Path(__file__).resolve().parents[2] / "meshes"
TECHNOLOGY = MESHES / "technology.toml"
HOSTILE = "<script>alert('x')</script>&\"\N{RIGHT-TO-LEFT OVERRIDE}"


def technology(**values: Any) -> em.signoff.Technology:
    """The technology of the example."""
    return replace(em.signoff.read_technology(TECHNOLOGY), **values)


def ladder(rungs: int = 4, names: tuple[str, ...] = (), load: float = 1e-3) -> Network:
    """Two lines along x, in one layer each, with a via at every node and a pad at the start of the second."""
    x = np.arange(rungs) * 20 * um
    nodes = np.concatenate([np.stack([x, 0 * x], 1), np.stack([x, 0 * x], 1)])
    line = np.stack([np.arange(rungs - 1), np.arange(1, rungs)], 1)
    return Network(
        nodes,
        np.concatenate([line, line + rungs]),
        np.full(2 * (rungs - 1), 0.2 * um),
        np.full(2 * (rungs - 1), 0.2 * um),
        np.stack([np.arange(rungs), np.arange(rungs) + rungs], 1),
        np.full(rungs, 0.5),
        np.concatenate([np.full(rungs, load / rungs), np.zeros(rungs)]),
        {rungs: 1.0},
        names or tuple(f"{'ab'[i // rungs]}{i % rungs}" for i in range(2 * rungs)),
        ("1", "2"),
        np.repeat([0, 1], rungs - 1),
    )


def wire(load: float = 1e-3) -> Network:
    """One wire alone, without vias, names or layers."""
    nodes = np.array([[0.0, 0.0], [20 * um, 0.0]])
    sizes = np.array([0.2 * um])
    return Network(nodes, np.array([[0, 1]]), sizes, sizes, loads=np.array([0.0, load]), pads={0: 1.0})


def verdict(network: Network, nucleation: Any = None, **values: Any) -> Verdict:
    """A verdict in which trees get their first void at these times [s]; none if left out."""
    trees = int(network.components.max()) + 1
    times = np.full(trees, np.inf) if nucleation is None else np.asarray(nucleation, dtype=float)
    opened = np.isfinite(times)
    currents = kirchhoff(network, 2e-8, loads=values.pop("loads", None))
    tree = network.components[network.segments[:, 0]]
    first = np.array([int(np.flatnonzero(network.components == i)[-1]) for i in range(trees)])
    t = np.linspace(0.0, 10 * year, 5)
    content = {
        "network": network,
        "technology": technology(),
        "currents": currents,
        "currents_end": currents,
        "temperature": np.where(network.degree > 0, 378.15, np.nan),
        "tree": tree,
        "steady_stress": np.where(opened, 700 * MPa, 200 * MPa),
        "steady_node": first,
        "steady": np.where(network.degree > 0, 1e8, np.nan),
        "immortal": ~opened,
        "stress": np.where(network.degree > 0, 5e7, np.nan),
        "along": np.full((len(tree), 4), 5e7),
        "nucleation": times,
        "nucleation_node": np.where(opened, first, -1),
        "sensitivity": np.where(opened, 2.0, np.nan),
        "tree_failure": times,
        "voids": tuple(Void(int(first[i]), float(times[i]), 1e-22, 1e-8) for i in np.argsort(times) if opened[i]),
        "t": t,
        "drop": np.abs(currents.drop).max() * (1 + 0.1 * opened.any() * t / t[-1]),
        "resistance_rise": 0.2 * opened.any() * t / t[-1],
        "failure": float(times.min()),
        "why": "a void opened" if opened.any() else "survived",
        "until": 10 * year,
    }
    return Verdict(**content | values)


class MadeRun:
    """Stands for `em.signoff.run`: returns verdicts made by hand, and notes how it was called."""

    def __init__(self, nucleation: Any = None, **values: Any) -> None:
        """Take the times of the first voids of the trees [s]."""
        self.nucleation, self.values = nucleation, values
        self.calls: list[dict[str, Any]] = []
        self.states: list[Any] = []

    def __call__(self, network: Network, technology: em.signoff.Technology, **options: Any) -> Verdict:
        """Return the verdict, after asking for a state and leaving one."""
        self.calls.append({"network": network, "technology": technology, **options})
        checkpoint = options["checkpoint"]
        self.states.append(checkpoint.read())
        if checkpoint.due():
            checkpoint.write({"step": len(self.calls), "stress": np.arange(3.0)})
        if options["progress"] is not None:
            options["progress"](0.5, "trees")
        made = verdict(network, self.nucleation, loads=options["loads"], **self.values)
        return replace(made, technology=technology)
