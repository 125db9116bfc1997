"""The state of models on disk, by place: it can be read back on any number of ranks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile, is_zipfile

from emfem.errors import ParameterError
from emfem.files import Arrays, save_arrays, writable
from emfem.mesh import bounds
from emfem.model import Model, Unknown
from emfem.public import dir_of

import dolfinx
import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["arrays", "keys", "load", "owned", "save"]
__dir__ = dir_of(__all__)

NEAR = 1e-8  # part of the longest edge within which nodes are the same
BLOCK = 1_000_000  # stored nodes that are looked at together

Values = NDArray[np.float64]


def save(models: Model | Sequence[Model], path: os.PathLike[str] | str) -> Path:
    """Write time and unknowns of `models`. Collective.

    Args:
        models: one model or several.
        path: a name ending in .npz; its folder is made.

    Raises:
        ParameterError: if the file cannot be written.
    """
    models = (models,) if isinstance(models, Model) else tuple(models)
    target = writable(path, ".npz", comm=models[0].mesh.comm)
    rows, shared = arrays(models)
    save_arrays(target, rows, shared, comm=models[0].mesh.comm)
    return target


def arrays(models: Sequence[Model]) -> tuple[dict[str, Values], dict[str, Values]]:
    """Return the content of a checkpoint: the rows of this rank of each array, and the time, by name."""
    rows = {}
    for key, model, unknown in _each(models):
        rows[key] = owned(unknown.function)
        rows[f"{key}/x"] = _places(model, unknown)[: len(rows[key])]
    return rows, {"t": np.array(models[0].t)}


def owned(function: fem.Function) -> Values:
    """Return the values at the nodes that this rank owns, shape (n,), of a vector (n, components)."""
    dofs = function.function_space.dofmap
    values = function.x.array[: dofs.index_map.size_local * dofs.index_map_bs]
    return values if dofs.index_map_bs == 1 else values.reshape(-1, dofs.index_map_bs)


def keys(models: Sequence[Model]) -> list[str]:
    """Return the name of each model in a file: a second model of the same name is "name 2" there."""
    again = [sum(other.name == model.name for other in models[:i]) for i, model in enumerate(models)]
    return [f"{model.name} {n + 1}" if n else model.name for model, n in zip(models, again, strict=True)]


def load(models: Model | Sequence[Model], path: os.PathLike[str] | str) -> None:
    """Give `models`, on the same mesh and of the same degree, the state in a file of `save`. Collective.

    Raises:
        ParameterError: if the file is missing, holds other models, or other nodes.
    """
    models = (models,) if isinstance(models, Model) else tuple(models)
    if not (Path(path).is_file() and is_zipfile(path)):
        msg = f"path = {str(path)!r}, must be a file written by emfem.checkpoint.save"
        raise ParameterError(msg)
    stored = Arrays(path, models[0].mesh.comm)
    missing = [key for key, _, _ in _each(models) if key not in stored]
    if missing:
        msg = f"{path} has no {', '.join(missing)}; it has {', '.join(k for k in stored if not k.endswith('/x'))}"
        raise ParameterError(msg)
    try:
        t = float(stored["t"])
        values = [_matched(stored, key, model, unknown) for key, model, unknown in _each(models)]
    except BadZipFile as error:
        msg = f"{path} cannot be read: {error}"
        raise ParameterError(msg) from None
    for (_, _, unknown), stored_values in zip(_each(models), values, strict=True):
        unknown.function.x.array[:] = stored_values
        unknown.function.known = True
    for model in models:
        model.t = t
        model.set_time(t)


def _matched(stored: Arrays, key: str, model: Model, unknown: Unknown) -> Values:
    """Return the stored values at the nodes of this rank, ghosts included, by place, block by block. Collective.

    Raises:
        ParameterError: if the stored nodes are not those of the unknown.
    """
    places, values, dim = stored[f"{key}/x"], stored[key], model.domain.dim
    here = _places(model, unknown, labels=places.shape[1] > dim)  # older files have none
    nodes = unknown.function.function_space.dofmap.index_map.size_global
    if nodes == len(values) == 1:  # one number for the whole domain is in no place
        return np.full(len(here), values[0])
    result, missing = np.zeros(len(here)), np.ones(len(here), dtype=bool)
    lower, upper = bounds(model.mesh)
    wide = model.domain.period
    alike = len(places) == nodes and places.shape[1] == here.shape[1]
    if alike and np.all((wide == 0) | (places[:, :dim] < wide)):
        wide = np.append(wide, np.zeros(here.shape[1] - dim))
        tree = cKDTree(here, boxsize=wide if wide.any() else None)
        for first in range(0, nodes if len(here) else 0, BLOCK):
            block = np.array(places[first : first + BLOCK])
            distance, nearest = tree.query(block, distance_upper_bound=NEAR * (upper - lower).max())
            hit = np.flatnonzero(np.isfinite(distance))
            result[nearest[hit]], missing[nearest[hit]] = values[first + hit], False
    if model.mesh.comm.allreduce(int(missing.sum())):
        msg = f"{stored.path} holds {len(places)} nodes of {key} and this mesh {nodes}; must be the same nodes"
        raise ParameterError(msg)
    return result


def _each(models: Sequence[Model]) -> list[tuple[str, Model, Unknown]]:
    """Return every unknown with its name in a file."""
    return [
        (f"{key}/{unknown.name}", model, unknown)
        for key, model in zip(keys(models), models, strict=True)
        for unknown in model.unknowns
    ]


def _places(model: Model, unknown: Unknown, *, labels: bool = True) -> Values:
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
        x[np.isclose(x[:, axis], domain.period[axis], rtol=1e-12), axis] = 0.0
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
