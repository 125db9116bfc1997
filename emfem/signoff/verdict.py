"""The verdict on a grid: its trees, their voids, and when it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emfem.conduction import Currents
from emfem.failure import Void
from emfem.gate import checked
from emfem.mesh import Network
from emfem.mesh.graph import Floats, Numbers
from emfem.quantities import duration
from emfem.technology import Technology

import numpy as np

if TYPE_CHECKING:
    import pandas


@checked
@dataclass(frozen=True, eq=False)
class Verdict:
    """Verdict on a grid.

    Attributes:
        network: of the wires.
        technology: of the chip.
        currents: at the start.
        currents_end: at the end, with the resistances of the voids.
        temperature: of each node, the mean of its wires' ends [K], shape (n,).
        tree: number of the tree, or piece of metal, of each segment, shape (m,).
        steady_stress: highest steady stress of each tree at the currents of the start [Pa], shape (trees,).
        steady_node: the node where, shape (trees,).
        steady: steady stress of each node, NaN without metal [Pa], shape (n,).
        immortal: true for trees that are proven to have no void ever at the currents of the start, shape (trees,).
        stress: of each node at the end [Pa], shape (n,); NaN without metal and where the stress was not integrated,
            because the tree is immortal.
        along: amid equal pieces of each segment at the end [Pa], shape (m, pieces): 16 pieces, fewer in large networks;
            the steady stress where it was not integrated.
        nucleation: time of the first void of each tree [s]; infinity if none opened, shape (trees,).
        nucleation_node: its node, -1 without, shape (trees,).
        sensitivity: d ln t/d ln sigma_c of that time, by how many per cent it changes with 1 % of critical stress [-];
            NaN without a void, infinity where the tension rests, shape (trees,).
        tree_failure: when each tree passes the criterion by itself [s], shape (trees,); infinity if it does not, or for
            a criterion of the whole grid.
        voids: all that opened, by time; volumes and lengths are those at the end.
        t: times of the history [s].
        drop: largest distance of a node from the voltage of its pads at these times [V].
        resistance_rise: largest rise of a wire's resistance over its own at these times [-].
        failure: time at which the criterion is passed [s]; infinity if it is not.
        why: of the failure; "survived", or "immortal" if all trees are.
        until: end of the simulation [s].
    """

    network: Network
    technology: Technology
    currents: Currents
    currents_end: Currents
    temperature: Floats
    tree: Numbers
    steady_stress: Floats
    steady_node: Numbers
    steady: Floats
    immortal: np.ndarray
    stress: Floats
    along: Floats
    nucleation: Floats
    nucleation_node: Numbers
    sensitivity: Floats
    tree_failure: Floats
    voids: tuple[Void, ...]
    t: Floats
    drop: Floats
    resistance_rise: Floats
    failure: float
    why: str
    until: float

    @property
    def margin(self) -> Floats:
        """Critical stress less the highest steady stress of each tree [Pa], shape (trees,)."""
        return self.technology.critical_stress - self.steady_stress

    @property
    def _voids(self) -> tuple[Numbers, Floats]:
        """Nodes and lengths of the voids."""
        nodes = np.array([void.node for void in self.voids], dtype=np.int64)
        return nodes, np.array([void.length for void in self.voids])

    def trees(self) -> pandas.DataFrame:
        """Return a table with a row a tree; times that never come are infinity."""
        from pandas import DataFrame

        network, count = self.network, len(self.immortal)
        volume = network.lengths * network.cross_sections
        densest = np.zeros(count)
        np.maximum.at(densest, self.tree, np.abs(self.currents.current_density))
        first = np.unique(self.tree, return_index=True)[1]
        voids = np.zeros(count, dtype=np.int64)
        longest, place = np.zeros(count), network.components
        nodes, lengths = self._voids
        np.add.at(voids, place[nodes], 1)
        np.maximum.at(longest, place[nodes], lengths)
        data: dict[str, Any] = {
            "tree": np.arange(count),
            "layer": _layers(network, first),
            "segments": np.bincount(self.tree, minlength=count),
            "length [m]": np.bincount(self.tree, network.lengths, count),
            "volume [m3]": np.bincount(self.tree, volume, count),
            "current density [A/m2]": densest,
            "steady stress [Pa]": self.steady_stress,
            "steady node": _names(network, self.steady_node),
            "margin [Pa]": self.margin,
            "immortal": self.immortal,
            "nucleation [s]": self.nucleation,
            "nucleation node": _names(network, self.nucleation_node),
            "nucleation over critical stress [%/%]": self.sensitivity,
            "voids": voids,
            "void length [m]": longest,
            "failure [s]": self.tree_failure,
        }
        return DataFrame(data)

    def wires(self) -> pandas.DataFrame:
        """Return a table with a row a segment; "start" and "end" are its nodes, "name" its resistor in the netlist."""
        from pandas import DataFrame

        network = self.network
        lengths = np.zeros(len(network.nodes))
        np.maximum.at(lengths, *self._voids)
        start, end = network.segments.T
        data: dict[str, Any] = {
            "name": network.wire_names or "",
            "start": _names(network, start),
            "end": _names(network, end),
            "layer": _layers(network, np.arange(len(start))),
            "tree": self.tree,
            "length [m]": network.lengths,
            "width [m]": network.width,
            "thickness [m]": network.thickness,
            "current [A]": self.currents.current,
            "current density [A/m2]": self.currents.current_density,
            "current at the end [A]": self.currents_end.current,
            "steady stress at start [Pa]": self.steady[start],
            "steady stress at end [Pa]": self.steady[end],
            "stress at start [Pa]": self.stress[start],
            "stress at end [Pa]": self.stress[end],
            "void length [m]": np.minimum(lengths[start] + lengths[end], network.lengths),
        }
        return DataFrame(data)

    def __str__(self) -> str:
        """Return one line."""
        trees, immortal = len(self.immortal), int(self.immortal.sum())
        opened = int(np.isfinite(self.nucleation).sum())
        end = f"failed at {duration(self.failure, also=True)}: {self.why}" if np.isfinite(self.failure) else self.why
        return (
            f"{trees} trees, {immortal} immortal, {opened} with voids within {duration(self.until, also=True)}; {end}"
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self}>"


def _layers(network: Network, segments: Numbers) -> Any:
    """Return the name of the layer of segments, "" without layers."""
    return np.array(network.layers or ("",), dtype=object)[network.layer[segments]]


def _names(network: Network, nodes: Numbers) -> Any:
    """Return names of nodes, their numbers without names; "" or -1 for none."""
    if not network.names:
        return nodes
    return np.array([*network.names, ""], dtype=object)[nodes]
