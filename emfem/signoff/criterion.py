"""Criteria of failure of a grid: those of em.failure, for one tree by itself or for the whole grid."""

from __future__ import annotations

from typing import Any

from emfem.errors import ParameterError
from emfem.failure import Drop, FirstVoid, ResistanceRise, VoidLength
from emfem.failure.criteria import BROKEN, Criterion
from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.circuit import GridCircuit

import numpy as np


class GridCriterion:
    """A criterion of failure, of a tree by itself or of the whole grid.

    Attributes:
        local: true if the state of a tree decides on it alone.
    """

    def __init__(self, fails: Criterion, circuit: GridCircuit) -> None:
        """Check the criterion."""
        self.fails, self.circuit = fails, circuit
        self._measure: Any = None
        network = circuit.network
        self.any_wire = isinstance(fails, ResistanceRise) and fails.segment is None and fails.between is None and (
            len(network.pads or np.flatnonzero(network.degree == 1)) != 2
        )  # fmt: skip
        of_segment = isinstance(fails, ResistanceRise) and fails.segment is not None
        self.local = isinstance(fails, FirstVoid | VoidLength) or self.any_wire or of_segment
        if isinstance(fails, type) or not callable(getattr(fails, "damage_measure", None)):
            msg = f"fails = {fails!r}, must be FirstVoid(), VoidLength(...), ResistanceRise(...) or Drop(...)"
            raise ParameterError(msg)
        if isinstance(fails, Drop):
            if not network.pads:
                fails.damage_measure(circuit)  # says so
        elif not self.any_wire:
            self._measure = fails.damage_measure(circuit)

    def damage(self, lengths: Floats, any_open: bool) -> float:
        """Return the damage of the whole grid; 1 is failure."""
        if isinstance(self.fails, Drop):
            extra = self.circuit.extra(lengths)
            if not self.circuit.closed(extra):
                return BROKEN
            return self.circuit.flows(extra)[1] / self.fails.limit
        return float(self._measure(lengths, any_open).part)

    def of_tree(self, touched: Numbers, lengths: Floats, rise: Floats) -> Floats:
        """Return the damage of a tree at some times.

        Args:
            touched: segments that end at its voids.
            lengths: of its voids [m], shape (voids, times).
            rise: of the resistances of the segments over their own [-], shape (touched, times).
        """
        if isinstance(self.fails, VoidLength):
            return lengths.max(axis=0) / self.fails.limit
        if isinstance(self.fails, ResistanceRise):
            wires = slice(None) if self.fails.segment is None else touched == self.fails.segment
            return np.minimum(rise[wires].max(axis=0, initial=0.0) / self.fails.part, BROKEN)
        return np.zeros(lengths.shape[1])
