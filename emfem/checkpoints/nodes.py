"""Nodes of unknowns by their places: the same on any number of ranks."""

from __future__ import annotations

from emfem.errors import ParameterError
from emfem.files import Arrays
from emfem.mesh import bounds
from emfem.model import Model, Unknown

import dolfinx
import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from scipy.spatial import cKDTree

NEAR = 1e-8  # part of the longest edge within which nodes are the same
BLOCK = 1_000_000  # stored nodes that are looked at together

Values = NDArray[np.float64]


def stored_rows(stored: Arrays, key: str, model: Model, unknown: Unknown) -> NDArray[np.int64]:
    """Return for each node of this rank, ghosts included, its row in the stored values of `key`, by place. Collective.

    Raises:
        ParameterError: if the stored nodes are not those of the unknown.
    """
    stored_places, dim = stored[f"{key}/x"], model.domain.dim
    here = places(model, unknown, labels=stored_places.shape[1] > dim)  # older files have none
    nodes = unknown.function.function_space.dofmap.index_map.size_global
    rows = np.zeros(len(here), dtype=np.int64)
    if nodes == len(stored_places) == 1:  # one number for the whole domain is in no place
        return rows
    missing = np.ones(len(here), dtype=bool)
    lower, upper = bounds(model.mesh)
    wide = model.domain.period
    alike = len(stored_places) == nodes and stored_places.shape[1] == here.shape[1]
    if alike and np.all((wide == 0) | (stored_places[:, :dim] < wide)):
        wide = np.append(wide, np.zeros(here.shape[1] - dim))
        tree = cKDTree(here, boxsize=wide if wide.any() else None)
        for first in range(0, nodes if len(here) else 0, BLOCK):
            block = np.array(stored_places[first : first + BLOCK])
            distance, nearest = tree.query(block, distance_upper_bound=NEAR * (upper - lower).max())
            hit = np.flatnonzero(np.isfinite(distance))
            rows[nearest[hit]], missing[nearest[hit]] = first + hit, False
    if model.mesh.comm.allreduce(int(missing.sum())):
        msg = f"{stored.path} holds {len(stored_places)} nodes of {key} and this mesh {nodes}; must be the same nodes"
        raise ParameterError(msg)
    return rows


def places(model: Model, unknown: Unknown, *, labels: bool = True) -> Values:
    """Return coordinates of all local nodes from the mesh's lower corner, shape (n, dim), each inside one period.

    With labels, in a network a last column tells nodes apart that are in one place, such as where wires cross: the
    number of the node of the network, or that of the segment. Nodes that are tied have the mean of their places, and
    the variance as a last column. Collective.
    """
    domain, space = model.domain, unknown.function.function_space
    tied = labels and getattr(space, "tied", False)
    single = fem.functionspace(model.mesh, space.ufl_element()) if tied else space
    lower, upper = bounds(model.mesh)
    size = (upper - lower).max()
    x = single.tabulate_dof_coordinates()[:, : domain.dim] - lower
    for axis in np.flatnonzero(domain.period):
        x[:, axis] %= domain.period[axis]
        x[np.isclose(x[:, axis], domain.period[axis], rtol=1e-12, atol=0.0), axis] = 0.0
    if labels and domain.network is not None and domain.segment is not None and space.dofmap.index_map.size_global > 1:
        label = np.zeros(len(x))
        label[single.dofmap.list] = len(domain.network.nodes) + domain.segment[:, None]
        nodes, dofs = domain.node_dofs(single)
        label[dofs] = nodes
        x = np.column_stack([x, label * size])
    if not tied:
        return x
    in_cells = x[single.dofmap.list]
    middle = _mean(space, in_cells)
    variance = _mean(space, ((in_cells - middle[space.dofmap.list]) ** 2).sum(axis=2, keepdims=True))
    return np.column_stack([middle, variance / size])


def _mean(space: fem.FunctionSpace, values: Values) -> Values:
    """Return for each node the mean of `values` of shape (cells, nodes, n) over all cells that have it. Collective."""
    owned = space.mesh.topology.index_map(space.mesh.topology.dim).size_local
    sums = []
    for column in [*np.moveaxis(values, 2, 0), np.ones(values.shape[:2])]:
        total = fem.Function(space)
        np.add.at(total.x.array, space.dofmap.list[:owned], column[:owned])
        total.x.scatter_reverse(dolfinx.la.InsertMode.add)
        total.x.scatter_forward()
        sums.append(total.x.array)
    return np.column_stack(sums[:-1]) / sums[-1][:, None]
