"""Voids at the nodes of lines and networks: they can open anywhere without a new model, and no atom is lost."""

from __future__ import annotations

from typing import Any

from emfem import fields
from emfem.errors import ParameterError, UnknownName
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model import Model, Unknown, boundary_nodes, evolving, mean_value
from emfem.stress.laws import ConfinedMetal, opening

import numpy as np
import ufl
from dolfinx import fem, la
from mpi4py import MPI
from numpy.typing import NDArray

ROUNDING = 1e-9  # of a typical stress: so much below 0 is none
THIN = 1e-6  # of a cell: delta, the distance over which the stress falls to 0 in the surface of a void


class Voids:
    """The surfaces of voids at vertices, their volumes, and the flow between them and the metal.

    An open node lets through M A sigma/delta of volume, A/delta summed over the cells that meet there. That holds its
    stress at |f| delta, a millionth of that of a cell, and adds to the void the volume that it takes from the metal, so
    int sigma/B dx + sum V is conserved by the discrete equations.

    Attributes:
        opened: at each node 1 for a void, 0 for none.
        unknown: V, the volume at each node [m3].
        points: the measure of all vertices.
    """

    def __init__(self, domain: Domain, metal: ConfinedMetal, level: float) -> None:
        """Begin without a void."""
        self.metal = metal
        space = fem.functionspace(domain.mesh, ("Lagrange", 1))
        self.opened = fem.Function(space, name="opened")
        self.points = ufl.Measure("dP", domain=domain.mesh)
        length, face = domain.extent()
        pieces = 1 if domain.network is None else len(domain.network.segments)
        squeezed = level / mean_value(domain, metal["bulk_modulus"]) * length * face
        self.unknown: Unknown = evolving("void", space, scale=squeezed / pieces)
        self._conductance = fem.Function(space, name="A/delta")
        h = ufl.CellVolume(domain.mesh)
        form = fem.form(2 / (THIN * h**2) * ufl.TestFunction(space) * domain.dx(1))  # int 2 v/h dx = 1 at each end
        vector = fem.assemble_vector(form)
        vector.scatter_reverse(la.InsertMode.add)
        vector.scatter_forward()
        self._conductance.x.array[:] = vector.array

    def residual(self, sigma: Any, v: Any, w: Any) -> ufl.Form:
        """Return the flow out of the metal at open nodes, and `sum dV/dt w` less the flow into the voids."""
        through = opening(self._conductance, self.metal, self.opened, sigma, v, self.points)
        filled = opening(self._conductance, self.metal, self.opened, sigma, w, self.points)
        return through + self.unknown.rate * w * self.points - filled


@checked(collective=True)
def open_void(model: Model, node: int | str, *, open: bool = True) -> None:
    """Open a void at a node of a model with `voids=True`, or close it; it keeps its volume. Collective.

    A void opens only in tension: into a metal under compression it would grow backwards, with a negative volume.

    Args:
        model: of stress, on a line or network.
        node: number of a node of the network, or the name of a boundary.
        open: False to close it.

    Raises:
        UnknownName: for a boundary that does not exist, or a model without voids.
        ParameterError: for a node that does not exist or has no metal, a node under compression that is to open, or
            something else than a model.
    """
    if open:
        _check_tension(model, node, _dofs_of(model.domain, model["opened"].function_space, node))
    set_opened(model, node, open)


@checked
def set_opened(model: Model, node: int | str, open: bool) -> None:
    """Open or close a void, whatever the stress. Collective."""
    opened = model["opened"]
    opened.x.array[_dofs_of(model.domain, opened.function_space, node)] = float(open)
    opened.x.scatter_forward()


def _check_tension(model: Model, node: int | str, dofs: NDArray[np.int32]) -> None:
    """Refuse a void at nodes under compression, beyond rounding; where one is open already its surface holds 0.

    Raises:
        ParameterError: with the node and its stress.
    """
    sigma, opened = model["sigma"], model["opened"]
    at_nodes = fem.Function(opened.function_space)
    fields.refresh(at_nodes, sigma)
    closed = dofs[opened.x.array[dofs] == 0.0]
    lowest = model.mesh.comm.allreduce(float(at_nodes.x.array[closed].min(initial=0.0)), op=MPI.MIN)
    if lowest < -ROUNDING * model.unknowns[0].scale:
        where = repr(node) if isinstance(node, str) else node
        msg = f"stress of {lowest:.4g} Pa at node {where}, must be at least 0: a void opens only in tension"
        raise ParameterError(msg)


def _dofs_of(domain: Domain, space: fem.FunctionSpace, node: int | str) -> NDArray[np.int32]:
    """Return the dofs of a node, or of all nodes of a boundary, on this rank."""
    if isinstance(node, str):
        return boundary_nodes(domain, space, node)
    if domain.network is None:
        raise UnknownName(node, "this line, among its ends,", domain.names)
    known, count = np.flatnonzero(domain.network.degree), len(domain.network.nodes)
    if isinstance(node, bool) or not isinstance(node, int | np.integer) or node not in known:
        msg = f"node = {node!r}, must be the number of a node with metal, from 0 to {count - 1}"
        raise ParameterError(msg)
    nodes, dofs = domain.node_dofs(space)
    return dofs[nodes == node]


def open_nodes(model: Model, space: fem.FunctionSpace) -> NDArray[np.bool_]:
    """Return a mask of the nodes of a space where a void is open, of this rank."""
    opened = fem.Function(space)
    if "opened" in model.names:
        fields.refresh(opened, model["opened"])
    return opened.x.array > 0.75  # a value in a cell, half way to an open node, has 0.5
