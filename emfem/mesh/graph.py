"""A network of wires as plain arrays: nodes, segments, what they are joined and loaded by. No mesh yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from emfem.errors import ParameterError, floats, number

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
TOLD = 6  # nodes that a message lists


def no_numbers() -> Numbers:
    """No pairs of nodes."""
    return np.zeros((0, 2), dtype=np.int64)


def no_floats() -> Floats:
    """No numbers."""
    return np.zeros(0)


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """Straight wires between nodes, and vias that join them electrically. Known on all ranks, read-only.

    Attributes:
        nodes: places [m], shape (n, 2) or (n, 3).
        segments: nodes where each wire starts and ends, shape (m, 2); its direction is from the first to the second.
        width: of each segment [m], shape (m,).
        thickness: of each segment [m], shape (m,).
        vias: pairs of nodes that current passes between and atoms do not, shape (v, 2).
        via_resistance: of each via [Ohm], 0 for a short, shape (v,).
        loads: current drawn from each node [A], shape (n,).
        pads: nodes that are held at a voltage [V].
        names: name of each node, or nothing.
        layers: names of the layers, or nothing.
        layer: number of the layer of each segment, shape (m,).
        boundaries: nodes of each named boundary.
    """

    nodes: Floats
    segments: Numbers
    width: Floats
    thickness: Floats
    vias: Numbers = field(default_factory=no_numbers)
    via_resistance: Floats = field(default_factory=no_floats)
    loads: Floats = field(default_factory=no_floats)
    pads: Mapping[int, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    layer: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    boundaries: Mapping[str, Numbers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill in what was left out; nothing may be written from here on."""
        if not len(self.loads):
            object.__setattr__(self, "loads", np.zeros(len(self.nodes)))
        if not len(self.layer):
            object.__setattr__(self, "layer", np.zeros(len(self.segments), dtype=np.int64))
        for name in ("nodes", "segments", "width", "thickness", "vias", "via_resistance", "loads", "layer"):
            kept = getattr(self, name).copy()  # what the user passed in stays the user's
            kept.setflags(write=False)
            object.__setattr__(self, name, kept)

    @cached_property
    def lengths(self) -> Floats:
        """Length of each segment [m], shape (m,)."""
        return _kept(np.linalg.norm(self._spans, axis=1))

    @cached_property
    def directions(self) -> Floats:
        """Unit vector from the start to the end of each segment, shape (m, dim)."""
        return _kept(self._spans / self.lengths[:, None])

    @cached_property
    def cross_sections(self) -> Floats:
        """Width times thickness of each segment [m2], shape (m,)."""
        return _kept(self.width * self.thickness)

    @cached_property
    def degree(self) -> Numbers:
        """Number of segments that meet at each node, shape (n,); vias do not count."""
        return _kept(np.bincount(self.segments.ravel(), minlength=len(self.nodes)))

    @cached_property
    def components(self) -> Numbers:
        """Number of the piece of metal that each node belongs to, from 0, shape (n,); -1 for a node without metal."""
        label = connected(len(self.nodes), self.segments)
        found = np.full(len(self.nodes), -1)
        metal = self.degree > 0
        found[metal] = np.unique(label[metal], return_inverse=True)[1]
        return _kept(found)

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """Nodes where any current may come and go: ends of the metal, vias and pads, shape (n,)."""
        free = self.degree < 2
        free[self.vias.ravel()] = True
        free[list(self.pads)] = True
        return _kept(free)

    @property
    def _spans(self) -> Floats:
        """Vector along each segment [m], shape (m, dim)."""
        return self.nodes[self.segments[:, 1]] - self.nodes[self.segments[:, 0]]

    def per_segment(self, name: str, values: ArrayLike) -> Floats:
        """One finite number a segment, shape (m,), from one or from m.

        Raises:
            ParameterError: if they are none.
        """
        found = floats(name, values)
        if found.shape not in ((), (len(self.segments),)):
            msg = f"{name} of shape {found.shape}, must be a number or one a segment, shape ({len(self.segments)},)"
            raise ParameterError(msg)
        wrong = np.flatnonzero(~np.isfinite(np.atleast_1d(found)))
        if len(wrong):
            msg = f"{name} = {np.atleast_1d(found)[wrong[0]]} at {self.wire(int(wrong[0]))}, must be finite"
            raise ParameterError(msg)
        return np.broadcast_to(found, (len(self.segments),)).copy()

    def inflow(self, current_density: ArrayLike) -> Floats:
        """Sum of the currents that segments bring to each node less what they take away [A], shape (n,).

        Args:
            current_density: along the direction of each segment [A/m2], a number or shape (m,).
        """
        current = self.per_segment("current_density", current_density) * self.cross_sections
        return gathered(len(self.nodes), self.segments, current)

    def imbalance(self, current_density: ArrayLike, *, injected: ArrayLike | None = None) -> Floats:
        """By how much each node violates the conservation of charge: current in minus out [A], shape (n,).

        0 by definition at ends, vias and pads, where any current may come and go.

        Args:
            current_density: along the direction of each segment [A/m2], a number or shape (m,).
            injected: current brought to each node from outside [A], shape (n,); less the loads of the network if left
                out.

        Raises:
            ParameterError: for values of another shape, or not finite.
        """
        brought = -self.loads if injected is None else floats("injected", injected)
        if brought.shape != (len(self.nodes),) or not np.isfinite(brought).all():
            msg = f"injected of shape {brought.shape}, must be {len(self.nodes)} finite numbers, one a node"
            raise ParameterError(msg)
        return np.where(self.free, 0.0, self.inflow(current_density) + brought)

    def check_balance(
        self, current_density: ArrayLike, *, injected: ArrayLike | None = None, rtol: float = 1e-6
    ) -> None:
        """Refuse currents that no conductor could carry: what flows into an inner node must flow out of it.

        Args:
            current_density: along the direction of each segment [A/m2], a number or shape (m,).
            injected: as in `imbalance`.
            rtol: the imbalance allowed, as a part of the current through the node [-].

        Raises:
            ParameterError: naming the worst nodes, and by how much; for a tolerance below 0.
        """
        number("rtol", rtol, at_least=0.0)
        wrong = self.imbalance(current_density, injected=injected)
        brought = self.loads if injected is None else floats("injected", injected)
        current = np.abs(self.per_segment("current_density", current_density)) * self.cross_sections
        ends = np.concatenate([self.segments[:, 0], self.segments[:, 1]])
        # Half of all that touches the node: what passes through it.
        through = (np.bincount(ends, np.tile(current, 2), len(self.nodes)) + np.abs(brought)) / 2
        bad = np.abs(wrong) > rtol * through
        if bad.any():
            order = np.flatnonzero(bad)[np.argsort(-np.abs(wrong[bad]), kind="stable")]
            worst, told = int(order[0]), ", ".join(f"{i}: {wrong[i]:.4g}" for i in order[:TOLD])
            flows = "in than out" if wrong[worst] > 0 else "out than in"
            more = f", and at {len(order) - 1} other node{'s' if len(order) > 2 else ''}" if len(order) > 1 else ""
            rest = f", ... ({len(order)} nodes)" if len(order) > TOLD else ""
            remedy = (
                ""
                if injected is not None
                else (
                    ", or what leaves the metal there, as through a via, must be given to the network: "
                    f"em.mesh.network(..., loads={{{told}{rest}}}) [A]"
                )
            )
            msg = (
                f"current_density: {abs(wrong[worst]):.4g} A more flow {flows} at {self.node(worst)}, "
                f"{abs(wrong[worst]) / through[worst]:.3g} of what passes it{more}: must obey Kirchhoff's law"
                f"{remedy}"
            )
            raise ParameterError(msg)

    def node(self, i: int) -> str:
        """What messages call node `i`."""
        return f"node {self.names[i]!r}" if self.names else f"node {i}"

    def wire(self, i: int) -> str:
        """What messages call segment `i`."""
        start, end = (self.node(int(node)).removeprefix("node ") for node in self.segments[i])
        return f"segment {i} ({start} to {end})"

    def __repr__(self) -> str:
        """Its size: arrays of a whole power grid fit into no message."""
        return f"<{self}>"

    def __str__(self) -> str:
        """Its size, one line."""
        pieces = int(self.components.max(initial=-1)) + 1
        told = [f"{len(self.nodes)} nodes", f"{len(self.segments)} segments", f"{len(self.vias)} vias"]
        told += [f"{pieces} piece{'s' if pieces != 1 else ''} of metal", f"{self.lengths.sum():.4g} m of wire"]
        return f"network of {', '.join(told)}"


def connected(nodes: int, *pairs: Numbers) -> Numbers:
    """The number of the connected part of a graph that each node is in, shape (nodes,)."""
    links = np.concatenate(pairs)
    graph = coo_array((np.ones(len(links), dtype=bool), (links[:, 0], links[:, 1])), shape=(nodes, nodes))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def gathered(nodes: int, pairs: Numbers, flow: Floats) -> Floats:
    """What flows along directed pairs of nodes, summed at the nodes: in minus out, shape (nodes,)."""
    return np.bincount(pairs[:, 1], flow, nodes) - np.bincount(pairs[:, 0], flow, nodes)


def _kept[T: np.generic](values: NDArray[T]) -> NDArray[T]:
    """The same array, read-only."""
    values.setflags(write=False)
    return values


def extent(nodes: Floats) -> float:
    """The longest edge of the box around the nodes [m]."""
    return float(np.ptp(nodes, axis=0).max(initial=0.0))


def told_nodes(network: Network, nodes: Sequence[int] | Numbers) -> str:
    """A list of nodes for a message, not too long."""
    shown = ", ".join(network.node(int(i)).removeprefix("node ") for i in nodes[:TOLD])
    word = "nodes" if len(nodes) > 1 else "node"
    return f"{word} {shown}{f' and {len(nodes) - TOLD} more' if len(nodes) > TOLD else ''}"
