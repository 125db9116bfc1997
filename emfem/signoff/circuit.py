"""The grid as an electric circuit: voids change its resistances, and Kirchhoff's laws its currents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emfem.errors import UnknownName
from emfem.failure.circuit import Circuit
from emfem.mesh import Network
from emfem.mesh.graph import Floats
from emfem.signoff.technology import Technology

import numpy as np
from numpy.typing import ArrayLike


class GridCircuit(Circuit):
    """A network whose segments grow in resistance with the voids at their ends, each layer with its own liner.

    With pads it is fed at their voltages and by its loads. Currents that are given instead stay as they are in a
    network with pads; in one without, what they bring to the nodes stays, and only loops share it anew.
    """

    def __init__(
        self, network: Network, technology: Technology, resistivity: Floats, density: ArrayLike | None = None
    ) -> None:
        """Feed the network as at the start."""
        self.liner, self.cut, self.rho = None, 0.0, resistivity
        self.resistances = resistivity * network.lengths / network.cross_sections
        self.per_length = _rise_per_length(network, technology, resistivity)
        self.network = network
        loops = len(network.segments) > int((network.degree > 0).sum()) - int(network.components.max(initial=-1)) - 1
        given = None if density is None else network.per_segment("currents", density)
        self.moves = loops if given is not None else bool(network.pads) or loops
        if given is not None and network.pads:
            self.moves = False
        elif given is not None:
            self.network = replace(network, vias=np.zeros((0, 2), int), via_resistance=np.zeros(0),
                                   loads=network.inflow(given))  # fmt: skip
        self.start = self.currents(np.zeros(len(self.resistances)))
        if given is not None:
            self.start = replace(
                self.start, network=network, current=given * network.cross_sections, current_density=given
            )
        self.density = self.start.current_density

    def extra(self, lengths: Floats) -> Floats:
        """Return what voids of these lengths at all nodes add to each segment [Ohm], shape (m,); infinity cuts it."""
        return self.extra_of(np.arange(len(self.resistances)), lengths)

    def extra_of(self, segments: Any, lengths: Floats) -> Floats:
        """Return what voids of these lengths at all nodes add to some segments [Ohm]; none is longer than its wire."""
        cut = np.maximum(lengths, 0.0)[self.network.segments[segments]].sum(axis=1)
        cut = np.minimum(cut, self.network.lengths[segments])
        return np.multiply(cut, self.per_length[segments], out=np.zeros_like(cut), where=cut > 0)

    def set_density(self, density: Floats) -> None:
        """Keep these currents."""
        self.density = density


def _rise_per_length(network: Network, technology: Technology, resistivity: Floats) -> Floats:
    """Return the rise of resistance with each metre that a void has cut [Ohm/m], shape (m,); infinity without liner."""
    names = network.layers or tuple(technology.layers)
    result = np.full(len(network.segments), np.inf)
    for index, name in enumerate(names):
        if name not in technology.layers:
            raise UnknownName(name, "the technology, among its layers,", technology.layers)
        liner, own = technology.layers[name].liner, network.layer == index
        if liner is not None and own.any():
            result[own] = liner.resistance_per_length(
                width=network.width[own], thickness=network.thickness[own], resistivity=resistivity[own]
            )
    return result
