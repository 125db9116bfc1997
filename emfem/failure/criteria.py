"""Criteria of failure: the first void, a void's length, a rise of resistance, or a drop of voltage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from emfem.errors import ParameterError, UnknownName, number
from emfem.failure.circuit import Circuit
from emfem.failure.nodes import Array
from emfem.gate import checked

import numpy as np

BROKEN = 2.0  # stands for infinity: a jump that is not large is soon located in time


@checked
@dataclass(frozen=True)
class Damage:
    """Damage of a state.

    Attributes:
        part: of the limit; 1 is failure [-].
        resistance: that of the criterion [Ohm]; `nan` for criteria without one.
    """

    part: float
    resistance: float = np.nan


# Damage by the lengths of the voids at all nodes, and whether any is open.
DamageMeasure = Callable[[Array, bool], Damage]


class Criterion(Protocol):
    """Condition that counts as failure."""

    @property
    def reason(self) -> str:
        """Cause of the failure, for the report."""

    def damage_measure(self, circuit: Circuit | None) -> DamageMeasure:
        """Return a function that computes the damage from the voids."""


@checked
@dataclass(frozen=True)
class FirstVoid:
    """Failure when the first void opens."""

    reason = "a void opened"

    def damage_measure(self, circuit: Circuit | None) -> DamageMeasure:
        """Return 1 from the first void on."""
        return lambda lengths, any_open: Damage(float(any_open))


@checked
@dataclass(frozen=True)
class VoidLength:
    """Failure when a void has cut this length of the wires at its node.

    Attributes:
        limit: volume over the cross-section of all metal that meets at the node, above 0 [m].

    Raises:
        ParameterError: for a limit out of its bounds.
    """

    limit: float

    def __post_init__(self) -> None:
        """Check the limit."""
        number("limit of the void's length", self.limit, above=0.0, unit="m")

    @property
    def reason(self) -> str:
        """The length reached."""
        return f"a void reached {self.limit:.4g} m"

    def damage_measure(self, circuit: Circuit | None) -> DamageMeasure:
        """Return the longest void over the limit."""
        return lambda lengths, any_open: Damage(float(lengths.max(initial=0.0)) / self.limit)


@checked
@dataclass(frozen=True)
class ResistanceRise:
    """Failure when a resistance has risen by a part of its first value.

    Attributes:
        part: the rise over the resistance at the start, above 0 [-].
        between: two nodes; when left out the two pads, or the two ends, if there are two.
        segment: the segment whose own resistance counts, instead of `between`.

    Raises:
        ParameterError: for a part out of its bounds, or both nodes and a segment.
    """

    part: float
    between: tuple[int, int] | None = None
    segment: int | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        number("part of the resistance", self.part, above=0.0)
        if self.between is not None and self.segment is not None:
            msg = f"between = {self.between} and segment = {self.segment}, must be one of them"
            raise ParameterError(msg)

    @property
    def reason(self) -> str:
        """The rise reached."""
        return f"resistance rose by {100 * self.part:.4g} %"

    def damage_measure(self, circuit: Circuit | None) -> DamageMeasure:
        """Return the rise over the rise allowed.

        Raises:
            ParameterError: without a circuit, or for nodes that are not joined.
            UnknownName: for a node or segment that does not exist.
        """
        circuit = _needed(circuit, self)
        resistance = self._of_segment(circuit) if self.segment is not None else self._of_pair(circuit)
        start = resistance(np.zeros(len(circuit.resistances)))
        if not np.isfinite(start):
            msg = f"between = {self.between}, must be nodes that are joined"
            raise ParameterError(msg)

        def damage(lengths: Array, any_open: bool) -> Damage:
            now = resistance(circuit.extra(lengths))
            return Damage(min((now / start - 1) / self.part, BROKEN), now)

        return damage

    def _of_segment(self, circuit: Circuit) -> Callable[[Array], float]:
        i = self.segment
        assert i is not None
        if isinstance(i, bool) or i not in range(len(circuit.resistances)):
            raise UnknownName(i, "the network, among its segments,", map(str, range(min(len(circuit.resistances), 20))))
        return lambda extra: float(circuit.resistances[i] + extra[i])

    def _of_pair(self, circuit: Circuit) -> Callable[[Array], float]:
        network = circuit.network
        pair: Any = self.between
        if pair is None:
            pair = tuple(network.pads or np.flatnonzero(network.degree == 1).tolist())
            if len(pair) != 2:
                msg = f"between is left out and there are {len(pair)} pads or ends: give two nodes"
                raise ParameterError(msg)
        if not isinstance(pair, Sequence | np.ndarray) or isinstance(pair, str):
            msg = f"between = {pair!r}, must be two nodes"
            raise ParameterError(msg)
        for node in pair:
            if isinstance(node, bool) or node not in range(len(network.nodes)):
                raise UnknownName(node, "the network, among its nodes,", map(str, range(min(len(network.nodes), 20))))
        if len(pair) != 2 or pair[0] == pair[1]:
            msg = f"between = {pair}, must be two different nodes"
            raise ParameterError(msg)
        first, second = int(pair[0]), int(pair[1])
        return lambda extra: circuit.between(first, second, extra)


@checked
@dataclass(frozen=True)
class Drop:
    """Failure when a node of a network with pads lies this far below them, or above.

    Attributes:
        limit: above 0 [V].

    Raises:
        ParameterError: for a limit out of its bounds.
    """

    limit: float

    def __post_init__(self) -> None:
        """Check the limit."""
        number("limit of the drop", self.limit, above=0.0, unit="V")

    @property
    def reason(self) -> str:
        """The drop reached."""
        return f"a node dropped by {self.limit:.4g} V"

    def damage_measure(self, circuit: Circuit | None) -> DamageMeasure:
        """Return the largest drop over the limit.

        Raises:
            ParameterError: without a circuit or pads, or where a node lies that low at the start.
        """
        circuit = _needed(circuit, self)
        if not circuit.network.pads:
            msg = "Drop needs a network with pads: a voltage counts from them"
            raise ParameterError(msg)

        def damage(lengths: Array, any_open: bool) -> Damage:
            extra = circuit.extra(lengths)
            if not circuit.closed(extra):
                return Damage(BROKEN, np.inf)
            return Damage(float(np.abs(circuit.currents(extra).drop).max()) / self.limit)

        start = damage(np.zeros(len(circuit.network.nodes)), False).part
        if start >= 1:
            msg = (
                f"limit of the drop = {self.limit:g} V, must be above the drop at the start, {start * self.limit:.4g} V"
            )
            raise ParameterError(msg)
        return damage


def _needed(circuit: Circuit | None, criterion: object) -> Circuit:
    if circuit is None:
        msg = f"{type(criterion).__name__} needs a network and its resistivity: give resistivity=..."
        raise ParameterError(msg)
    return circuit
