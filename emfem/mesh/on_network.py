"""Values on the wires of a domain, and at their nodes."""

from __future__ import annotations

from emfem.errors import ParameterError
from emfem.gate import checked
from emfem.mesh.graph import Network
from emfem.mesh.measures import cell_function

import dolfinx
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray


class OnNetwork:
    """Part of a domain that is about its wires.

    Attributes:
        mesh: the DOLFINx mesh.
        shape: description of the shape.
        network: the wires of the mesh, or None.
        segment: index of the wire of each cell of this rank, ghosts included; None without a network.
    """

    mesh: dolfinx.mesh.Mesh
    shape: str
    network: Network | None
    segment: NDArray[np.int64] | None

    def wires(self) -> Network:
        """Return the network of wires of the mesh.

        Raises:
            ParameterError: if it has none.
        """
        if self.network is None:
            msg = f"domain = {self.shape}, must be a network, em.mesh.network(...)"
            raise ParameterError(msg)
        return self.network

    @checked
    def per_segment(self, name: str, values: ArrayLike) -> fem.Function:
        """Return a coefficient with one value in each segment of a network.

        Args:
            name: of the coefficient, for messages.
            values: a number, or one for each segment, shape (m,).

        Raises:
            ParameterError: for a domain that is no network, or values of another shape or not finite.
        """
        return cell_function(self.mesh, name, self.wires().per_segment(name, values)[self.segment])

    @checked
    def along(self, name: str, values: ArrayLike) -> fem.Function:
        """Return a vector field of constant size along each segment of a network, such as a current density.

        Args:
            name: of the field, for messages.
            values: positive along the direction of the segment: a number, or one for each segment, shape (m,).

        Raises:
            ParameterError: for a domain that is no network, or values of another shape or not finite.
        """
        network = self.wires()
        vectors = network.per_segment(name, values)[:, None] * network.directions
        return cell_function(self.mesh, name, vectors[self.segment])

    @checked
    def node_dofs(self, space: fem.FunctionSpace) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the nodes of the network on this rank, ghosts included, and their dofs in a continuous scalar space.

        Raises:
            ParameterError: for a domain that is no network, or a space that has no value at nodes.
        """
        nodes = len(self.wires().nodes)
        element = space.element.basix_element
        if space.mesh is not self.mesh or element.discontinuous or len(space.value_shape):
            msg = f"space of {space.ufl_element()}, must be of continuous scalar functions on the mesh of this network"
            raise ParameterError(msg)
        ends = [element.entity_dofs[0][i][0] for i in range(2)]
        points = self.mesh.geometry.input_global_indices[self.mesh.geometry.dofmaps[0].ravel()]
        dofs = space.dofmap.list[:, ends].ravel()
        at = points < nodes  # the others lie inside segments
        numbers, first = np.unique(points[at], return_index=True)
        return numbers, dofs[at][first]

    @checked(collective=True)
    def at_nodes(self, function: fem.Function) -> NDArray[np.float64]:
        """Return a continuous scalar Function at the nodes of the network, shape (n,), on all ranks. Collective.

        The value is NaN at nodes without metal.

        Raises:
            ParameterError: for a domain that is no network, or a function that has no value at nodes.
        """
        nodes, dofs = self.node_dofs(function.function_space)
        values, known = np.zeros((2, len(self.wires().nodes)))
        values[nodes], known[nodes] = function.x.array[dofs], 1.0
        for array in (values, known):
            self.mesh.comm.Allreduce(MPI.IN_PLACE, array, op=MPI.SUM)
        return np.where(known > 0, values, np.nan) / np.maximum(known, 1.0)
