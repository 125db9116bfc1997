"""Places where voids can open: the nodes of a network, or the ends of a line, by number or by name."""

from __future__ import annotations

from emfem.errors import ParameterError
from emfem.model import Model
from emfem.spaces import nodes_on

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

type Array = NDArray[np.float64]


class Nodes:
    """The places of a stress model with voids, in a fixed order.

    Attributes:
        labels: the number of each node with metal, or the name of each end.
        metal: the numbers of the nodes with metal; empty on a line.
        sections: cross-section of all metal that meets there [m2]; 1 on a line, which has none.
        longest: length of the longest wire, or of the line [m].
    """

    def __init__(self, model: Model) -> None:
        """Take the nodes of a model. Collective.

        Raises:
            ParameterError: for a model without voids.
        """
        if "opened" not in model.names or "sigma" not in model.names:
            msg = f"the {model.name} model has no voids, must be em.stress.model(..., voids=True)"
            raise ParameterError(msg)
        self.model, self.domain = model, model.domain
        network = self.domain.network
        self.labels: list[int | str]
        self.metal = np.zeros(0, dtype=np.int64)
        if network is None:
            self.labels, self.sections = list(self.domain.names), np.ones(len(self.domain.names))
            self.longest = self.domain.extent()[0]
        else:
            self.metal = np.flatnonzero(network.degree)
            ends = network.segments.ravel()
            every = np.bincount(ends, np.repeat(network.cross_sections, 2), len(network.nodes))
            self.labels, self.sections = [int(i) for i in self.metal], every[self.metal]
            self.longest = float(network.lengths.max())

    def stress(self) -> Array:
        """Return the stress at each [Pa]. Collective."""
        return self._values(self.model["sigma"])

    def volumes(self) -> Array:
        """Return the volume of the void at each [m3]; on a line over the cross-section [m]. Collective."""
        return self._values(self.model["void"])

    def lengths(self) -> Array:
        """Return the volume of each void over all the cross-section that meets there, the length of wire cut [m]."""
        return self.volumes() / self.sections

    def _values(self, function: fem.Function) -> Array:
        if self.domain.network is not None:
            return self.domain.at_nodes(function)[self.metal]
        space, values = function.function_space, np.full(len(self.labels), -np.inf)
        for i, name in enumerate(self.domain.names):
            dofs = nodes_on(space, self.domain.facets.find(self.domain.tag(name)))
            values[i] = function.x.array[dofs].max(initial=-np.inf)
        self.domain.mesh.comm.Allreduce(MPI.IN_PLACE, values, op=MPI.MAX)
        return values
