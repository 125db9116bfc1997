"""Voids of a run: where they are open and how long they are; they open, and close again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from emfem.failure.history import Void
from emfem.failure.nodes import Array, Nodes
from emfem.stress import open_void, set_opened

import numpy as np

TOGETHER = 1e-6  # of the critical stress: nodes that come as near to it as that open with the first
EMPTY = 1e-5  # of the scale of void volumes, ten times the error of a step: a void so far below 0 has healed


@dataclass
class OpenVoid:
    """A void that grows, or has healed."""

    place: int
    nucleated: float
    healed: bool = False


class Voids:
    """Voids at the nodes of a model.

    Attributes:
        nodes: where voids can open.
        all: the voids in the order in which they opened.
    """

    def __init__(self, nodes: Nodes) -> None:
        """Begin without a void."""
        self.nodes, self.model = nodes, nodes.model
        self.all: list[OpenVoid] = []

    def state(self) -> list[tuple[Any, ...]]:
        """Return what a checkpoint keeps."""
        return [astuple(void) for void in self.all]

    def restore(self, state: Sequence[Sequence[Any]]) -> None:
        """Take it back, and give it to the model."""
        self.all = [OpenVoid(*void) for void in state]
        for void in self.all:
            set_opened(self.model, self.nodes.labels[void.place], not void.healed)

    @property
    def places(self) -> list[int]:
        """Places of the voids that are open."""
        return [void.place for void in self.all if not void.healed]

    def tension(self) -> Array:
        """Return the stress at each node [Pa], minus infinity where a void is open. Collective."""
        stress = self.nodes.stress()
        stress[self.places] = -np.inf
        return stress

    def lengths(self) -> Array:
        """Return the length of the void at every node of the network, or every end of the line. Collective."""
        lengths = np.maximum(self.nodes.lengths(), 0.0)
        network = self.model.domain.network
        if network is None:
            return lengths
        every = np.zeros(len(network.nodes))
        every[self.nodes.metal] = lengths
        return every

    def filling(self) -> float:
        """Return the largest part of a wire that the voids at its ends have cut. Collective."""
        network = self.model.domain.wires()
        return float((self.lengths()[network.segments].sum(axis=1) / network.lengths).max())

    def deficit(self) -> float:
        """Return how far the smallest open void is below 0, over the scale of volumes. Collective."""
        return -float(self.nodes.volumes()[self.places].min()) / self.model.unknowns[1].scale

    def nucleate(self, critical: float, most: float) -> None:
        """Open a void at each node that has reached the critical stress, until `most` are open. Collective."""
        stress = self.tension()
        for place in np.argsort(-stress, kind="stable"):
            if stress[place] >= (1 - TOGETHER) * critical and len(self.places) < most:
                self.all.append(OpenVoid(int(place), self.model.t))
                open_void(self.model, self.nodes.labels[place])

    def heal(self) -> None:
        """Close the voids that have no volume left. Collective."""
        volumes = self.nodes.volumes()
        for void in self.all:
            if not void.healed and volumes[void.place] <= -0.5 * EMPTY * self.model.unknowns[1].scale:
                void.healed = True
                open_void(self.model, self.nodes.labels[void.place], open=False)

    def reports(self) -> tuple[Void, ...]:
        """Return the report of each void. Collective."""
        volumes, lengths = self.nodes.volumes(), self.nodes.lengths()
        return tuple(
            Void(self.nodes.labels[v.place], v.nucleated, float(volumes[v.place]), float(lengths[v.place]))
            for v in self.all
        )
