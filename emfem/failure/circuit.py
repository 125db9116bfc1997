"""The network as an electric circuit: voids change its resistances and currents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emfem.conduction import Currents, kirchhoff
from emfem.errors import ParameterError, number
from emfem.failure.liner import Liner
from emfem.failure.nodes import Array
from emfem.mesh import Domain
from emfem.mesh.graph import component_labels
from emfem.model import Model

import numpy as np
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray

BALANCED = 1e-6  # of the largest load: sum that may be left where there is no path, from the digits of the currents
SAME = 1e-6  # of the largest current: difference allowed to those of the pads


class Circuit:
    """A network whose segments grow in resistance with the voids at their ends.

    With pads it is fed at their voltages and by its loads. Without, what comes and goes at nodes is what the currents
    at the start bring there, and stays so: only loops share it anew.

    Attributes:
        density: j along each segment now, shape (m,) [A/m2].
        moves: true if currents can change at all.
    """

    def __init__(self, model: Model, resistivity: ArrayLike, liner: Liner | None, cut: float) -> None:
        """Feed the network as at the start. Collective.

        Raises:
            ParameterError: for a resistivity out of its bounds, currents that follow time where they would have to
                change, or that are not those of the pads.
        """
        self.domain, self.liner = model.domain, liner
        self.network = network = model.domain.wires()
        self.rho = network.per_segment("resistivity", resistivity)
        self.cut = number("cut", cut, at_least=0.0, unit="m")
        self._function = _current_function(model)
        start = _along(model.domain, self._function)
        loops = len(network.segments) > int((network.degree > 0).sum()) - int(network.components.max(initial=-1)) - 1
        self.moves = bool(network.pads) or loops
        if self.moves and any(driver.name == "current_density" for driver in model.drivers):
            msg = "current_density follows time, must be numbers in a network whose voids change its currents"
            raise ParameterError(msg)
        if not network.pads:  # feeds stay; vias carry the currents of the start, as loads
            self.network = replace(network, vias=np.zeros((0, 2), int), via_resistance=np.zeros(0),
                                   loads=network.inflow(start))  # fmt: skip
        self.per_length = None
        if liner is not None:
            self.per_length = liner.resistance_per_length(
                width=network.width, thickness=network.thickness, resistivity=self.rho
            )
        self.resistances = self.rho * network.lengths / network.cross_sections
        self.density = self.currents(np.zeros(len(self.resistances))).current_density
        worst = float(np.abs(self.density - start).max())
        if network.pads and worst > SAME * np.abs(start).max(initial=0.0):
            msg = (
                f"current_density differs by up to {worst:.4g} A/m2 from what pads and loads make, must be "
                "em.conduction.kirchhoff(network, resistivity).current_density"
            )
            raise ParameterError(msg)

    def extra(self, lengths: Array) -> Array:
        """Return what voids of these lengths at all nodes add to each segment [Ohm], shape (m,); infinity cuts it."""
        reached = np.where((lengths > 0) & (lengths >= self.cut), lengths, 0.0)
        of_segments = reached[self.network.segments].sum(axis=1)
        if self.per_length is None:
            return np.where(of_segments > 0, np.inf, 0.0)
        return of_segments * self.per_length

    def currents(self, extra: Array) -> Currents:
        """Return Kirchhoff's currents with resistances added. Collective.

        Raises:
            ParameterError: if the current fed in has no path: see `closed`.
        """
        pads = dict(self.network.pads)
        if pads:  # parts that cuts have left without pad or load carry nothing, at any voltage
            label = self._parts(extra)
            dead = np.setdiff1d(label, label[list(pads)])
            pads |= {int(np.flatnonzero(label == part)[0]): 0.0 for part in dead}
        return kirchhoff(self.network, self.rho, pads=pads, extra_resistance=extra)

    def closed(self, extra: Array) -> bool:
        """Return true if all current fed in still has a path."""
        network, label = self.network, self._parts(extra)
        if network.pads:
            return not np.setdiff1d(label[network.loads != 0], label[list(network.pads)]).size
        total, size = np.bincount(label, network.loads), np.bincount(label, np.abs(network.loads))
        return bool(np.all(np.abs(total) <= BALANCED * size.max(initial=0.0)))

    def between(self, first: int, second: int, extra: Array) -> float:
        """Return the resistance between two nodes without pads and loads [Ohm]; infinity if nothing joins them."""
        load = np.zeros(len(self.network.nodes))
        load[[first, second]] = -1.0, 1.0
        label = self._parts(extra)
        if label[first] != label[second]:
            return np.inf
        potential = kirchhoff(self.network, self.rho, loads=load, pads={}, extra_resistance=extra).potential
        return float(potential[first] - potential[second])

    def _parts(self, extra: Array) -> NDArray[np.int64]:
        """Return the number of the part that each node is in, cut segments left out, shape (n,)."""
        network = self.network
        return component_labels(len(network.nodes), network.segments[np.isfinite(extra)], network.vias)

    def redistribute(self, extra: Array) -> float:
        """Give the stress model the present currents; return their change over the largest. Collective."""
        density = self.currents(extra).current_density
        change = float(np.abs(density - self.density).max() / np.abs(self.density).max(initial=1e-300))
        self.set_density(density)
        return change

    def set_density(self, density: Array) -> None:
        """Give the stress model these currents. Collective."""
        self.density = density
        self._function.x.array[:] = self.domain.along("current_density", density).x.array


def _current_function(model: Model) -> fem.Function:
    """Return the coefficient of the current density of a stress model on a network."""
    for coefficient in model.residual.coefficients():
        if coefficient.name == "current_density":
            return coefficient
    msg = "the model has no current_density, must have one number a segment for its voids to change it"
    raise ParameterError(msg)


def _along(domain: Domain, function: fem.Function) -> Array:
    """Return the value along each segment of a vector field that is constant in each, shape (m,). Collective."""
    network: Any = domain.wires()
    assert domain.segment is not None
    owned = domain.mesh.topology.index_map(1).size_local
    cells = function.x.array.reshape(-1, domain.dim)[function.function_space.dofmap.list[:owned, 0]]
    segment = domain.segment[:owned]
    total = np.bincount(segment, (cells * network.directions[segment]).sum(axis=1), len(network.segments))
    count = np.bincount(segment, minlength=len(network.segments)).astype(float)
    return domain.mesh.comm.allreduce(total) / domain.mesh.comm.allreduce(count)
