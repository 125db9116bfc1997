"""A network of wires as plain arrays: nodes, segments, vias, loads and pads, without a mesh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from emfem.errors import ParameterError, floats, number, require_all
from emfem.gate import checked

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
LISTED = 6  # nodes that a message lists
ROUNDING = 1e-9  # of the largest current: a branch with less has none


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """Straight wires between nodes, and vias that connect nodes electrically. Read-only, the same on all ranks.

    Attributes:
        nodes: coordinates [m], shape (n, 2) or (n, 3).
        segments: start and end node of each wire, shape (m, 2); its direction is from the first to the second.
        width: of each segment [m], shape (m,).
        thickness: of each segment [m], shape (m,).
        vias: pairs of nodes that current passes between and atoms do not, shape (v, 2).
        via_resistance: of each via [Ohm], 0 for a short, shape (v,).
        loads: current drawn from each node [A], shape (n,).
        pads: voltage of each node that has a fixed one [V].
        names: name of each node; empty if they have none.
        wire_names: name of each segment, in a netlist that of its resistor (of several side by side the first); empty
            if they have none.
        layers: names of the layers; empty if there are none.
        layer: index of the layer of each segment, shape (m,).
        boundaries: nodes of each named boundary.
    """

    nodes: Floats
    segments: Numbers
    width: Floats
    thickness: Floats
    vias: Numbers = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    via_resistance: Floats = field(default_factory=lambda: np.zeros(0))
    loads: Floats = field(default_factory=lambda: np.zeros(0))
    pads: Mapping[int, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    layer: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    boundaries: Mapping[str, Numbers] = field(default_factory=dict)
    wire_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Fill in missing loads and layers, and make the arrays read-only copies."""
        if not len(self.loads):
            object.__setattr__(self, "loads", np.zeros(len(self.nodes)))
        if not len(self.layer):
            object.__setattr__(self, "layer", np.zeros(len(self.segments), dtype=np.int64))
        for name in ("nodes", "segments", "width", "thickness", "vias", "via_resistance", "loads", "layer"):
            object.__setattr__(self, name, _read_only(getattr(self, name).copy()))

    @cached_property
    def lengths(self) -> Floats:
        """Length of each segment [m], shape (m,)."""
        return _read_only(np.linalg.norm(self._spans, axis=1))

    @cached_property
    def directions(self) -> Floats:
        """Unit vector from the start to the end of each segment, shape (m, dim)."""
        return _read_only(self._spans / self.lengths[:, None])

    @cached_property
    def cross_sections(self) -> Floats:
        """Width times thickness of each segment [m2], shape (m,)."""
        return _read_only(self.width * self.thickness)

    @cached_property
    def degree(self) -> Numbers:
        """Number of segments that meet at each node, shape (n,); vias do not count."""
        return _read_only(np.bincount(self.segments.ravel(), minlength=len(self.nodes)))

    @cached_property
    def components(self) -> Numbers:
        """Connected piece of metal that each node belongs to, from 0, shape (n,); -1 for a node without metal."""
        label = component_labels(len(self.nodes), self.segments)
        result = np.full(len(self.nodes), -1)
        metal = self.degree > 0
        result[metal] = np.unique(label[metal], return_inverse=True)[1]
        return _read_only(result)

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """True for nodes where any current may enter or leave: ends of the metal, vias and pads, shape (n,)."""
        free = self.degree < 2
        free[self.vias.ravel()] = True
        free[list(self.pads)] = True
        return _read_only(free)

    @property
    def _spans(self) -> Floats:
        """Vector along each segment [m], shape (m, dim)."""
        return self.nodes[self.segments[:, 1]] - self.nodes[self.segments[:, 0]]

    @checked
    def per_segment(self, name: str, values: ArrayLike) -> Floats:
        """Return one finite number for each segment, shape (m,), from one or from m.

        Raises:
            ParameterError: for another shape, or a number that is not finite.
        """
        total = len(self.segments)
        result = floats(name, values)
        if result.ndim:
            result = floats(name, values, (total,), f"a number or one a segment, shape ({total},)")
        result = np.broadcast_to(result, (total,)).copy()
        require_all(np.isfinite(result), lambda i: f"{name} = {result[i]} at {self.wire(i)}, must be finite")
        return result

    @checked
    def inflow(self, current_density: ArrayLike) -> Floats:
        """Return the net current from the segments into each node [A], shape (n,).

        Args:
            current_density: along the direction of each segment [A/m2], a number or shape (m,).
        """
        current = self.per_segment("current_density", current_density) * self.cross_sections
        return sum_at_nodes(len(self.nodes), self.segments, current)

    @checked
    def imbalance(self, current_density: ArrayLike, *, injected: ArrayLike | None = None) -> Floats:
        """Return the current into each node minus that out of it [A], shape (n,): 0 where charge is conserved.

        It is 0 by definition at ends, vias and pads, where any current may enter or leave.

        Args:
            current_density: along the direction of each segment [A/m2], a number or shape (m,).
            injected: current into each node from outside [A], shape (n,); minus the loads of the network if left out.

        Raises:
            ParameterError: for values of another shape, or not finite.
        """
        words = f"{len(self.nodes)} finite numbers, one a node"
        source = -self.loads if injected is None else injected
        source = floats("injected", source, (len(self.nodes),), words, finite=True)
        return np.where(self.free, 0.0, self.inflow(current_density) + source)

    @checked
    def check_balance(
        self, current_density: ArrayLike, *, injected: ArrayLike | None = None, rtol: float = 1e-6
    ) -> None:
        """Check that the current into each inner node flows out of it.

        Args:
            current_density: along the direction of each segment [A/m2], a number or shape (m,).
            injected: as in `imbalance`.
            rtol: largest imbalance, relative to the current through the node [-].

        Raises:
            ParameterError: with the worst nodes and their imbalance; for a tolerance below 0.
        """
        number("rtol", rtol, at_least=0.0)
        wrong = self.imbalance(current_density, injected=injected)
        source = self.loads if injected is None else floats("injected", injected)
        current = np.abs(self.per_segment("current_density", current_density)) * self.cross_sections
        ends = np.concatenate([self.segments[:, 0], self.segments[:, 1]])
        through = (np.bincount(ends, np.tile(current, 2), len(self.nodes)) + np.abs(source)) / 2
        bad = np.abs(wrong) > rtol * np.maximum(through, ROUNDING * through.max(initial=0.0))
        if bad.any():
            order = np.flatnonzero(bad)[np.argsort(-np.abs(wrong[bad]), kind="stable")]
            worst, listed = int(order[0]), ", ".join(f"{i}: {wrong[i]:.4g}" for i in order[:LISTED])
            flows = "in than out" if wrong[worst] > 0 else "out than in"
            more = f", and at {len(order) - 1} other node{'s' if len(order) > 2 else ''}" if len(order) > 1 else ""
            rest = f", ... ({len(order)} nodes)" if len(order) > LISTED else ""
            remedy = (
                ", or what leaves the metal there, as through a via, must be given to the network: "
                f"em.mesh.network(..., loads={{{listed}{rest}}}) [A]"
            )
            msg = (
                f"current_density: {abs(wrong[worst]):.4g} A more flow {flows} at {self.node(worst)}, "
                f"{abs(wrong[worst]) / through[worst]:.3g} of what passes it{more}: must obey Kirchhoff's law"
                f"{remedy if injected is None else ''}"
            )
            raise ParameterError(msg)

    @checked
    def node(self, i: int) -> str:
        """Return the name of node `i`, for messages.

        Raises:
            ParameterError: if there is no such node.
        """
        i = int(number("i", i, at_least=0, at_most=len(self.nodes) - 1))
        return f"node {self.names[i]!r}" if self.names else f"node {i}"

    @checked
    def wire(self, i: int) -> str:
        """Return the name of segment `i`, for messages.

        Raises:
            ParameterError: if there is no such segment.
        """
        i = int(number("i", i, at_least=0, at_most=len(self.segments) - 1))
        start, end = (self.node(int(node)).removeprefix("node ") for node in self.segments[i])
        return f"segment {i} ({start} to {end})"

    def __repr__(self) -> str:
        """Return numbers of nodes and segments, one line: arrays of a power grid are too long."""
        return f"<{self}>"

    def __str__(self) -> str:
        """Return numbers of nodes, segments, vias and pieces of metal, one line."""
        pieces = int(self.components.max(initial=-1)) + 1
        return (
            f"network of {len(self.nodes)} nodes, {len(self.segments)} segments, {len(self.vias)} vias, "
            f"{pieces} piece{'s' if pieces != 1 else ''} of metal, {self.lengths.sum():.4g} m of wire"
        )


def component_labels(nodes: int, *pairs: Numbers) -> Numbers:
    """Return the connected component, from 0, of each node of a graph with these edges, shape (nodes,)."""
    links = np.concatenate(pairs)
    graph = coo_array((np.ones(len(links), dtype=bool), (links[:, 0], links[:, 1])), shape=(nodes, nodes))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def sum_at_nodes(nodes: int, pairs: Numbers, flow: Floats) -> Floats:
    """Return the net flow into each node along directed pairs of nodes, shape (nodes,)."""
    return np.bincount(pairs[:, 1], flow, nodes) - np.bincount(pairs[:, 0], flow, nodes)


def _read_only[T: np.generic](values: NDArray[T]) -> NDArray[T]:
    """Make an array read-only and return it."""
    values.setflags(write=False)
    return values


def extent(nodes: Floats) -> float:
    """Return the longest edge of the box around the nodes [m]."""
    return float(np.ptp(nodes, axis=0).max(initial=0.0))


def list_nodes(network: Network, nodes: Sequence[int] | Numbers) -> str:
    """Return the first of some nodes for a message."""
    shown = ", ".join(network.node(int(i)).removeprefix("node ") for i in nodes[:LISTED])
    more = f" and {len(nodes) - LISTED} more" if len(nodes) > LISTED else ""
    return f"node{'s' if len(nodes) > 1 else ''} {shown}{more}"
