"""The state of models on disk, by place: it can be read back on any number of ranks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from zipfile import is_zipfile

from emfem.errors import ParameterError
from emfem.files import writable
from emfem.mesh import bounds
from emfem.model import Model, Unknown

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import cKDTree


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
    arrays: dict[str, NDArray[np.float64]] = {"t": np.array(models[0].t)}
    for key, model, unknown in _each(models):
        owned = unknown.function.function_space.dofmap.index_map.size_local
        parts = model.mesh.comm.gather((_places(model, unknown)[:owned], unknown.function.x.array[:owned]), root=0)
        if parts is not None:
            arrays[f"{key}/x"] = np.concatenate([p[0] for p in parts])
            arrays[key] = np.concatenate([p[1] for p in parts])
    if models[0].mesh.comm.rank == 0:
        partial = target.with_name(target.stem + ".part.npz")
        np.savez(partial, **arrays)  # type: ignore[arg-type]
        partial.replace(target)
    models[0].mesh.comm.barrier()
    return target


def load(models: Model | Sequence[Model], path: os.PathLike[str] | str) -> None:
    """Give `models`, on the same mesh and of the same degree, the state in a file of `save`. Collective.

    Raises:
        ParameterError: if the file is missing, holds other models, or other nodes.
    """
    models = (models,) if isinstance(models, Model) else tuple(models)
    if not (Path(path).is_file() and is_zipfile(path)):
        msg = f"path = {str(path)!r}, must be a file written by emfem.checkpoint.save"
        raise ParameterError(msg)
    with np.load(path) as stored:
        missing = [key for key, _, _ in _each(models) if key not in stored]
        if missing:
            msg = f"{path} has no {', '.join(missing)}; it has {', '.join(k for k in stored if not k.endswith('/x'))}"
            raise ParameterError(msg)
        values = []
        for key, model, unknown in _each(models):
            lower, upper = bounds(model.mesh)
            there, here = stored[key + "/x"], _places(model, unknown)
            nodes = unknown.function.function_space.dofmap.index_map.size_global
            farthest, nearest = np.inf, np.zeros(0, dtype=np.int64)
            wide = model.domain.period
            if there.shape == (nodes, model.domain.dim) and np.all((wide == 0) | (there < wide)):
                distance, nearest = cKDTree(there, boxsize=wide if wide.any() else None).query(here)
                farthest = model.mesh.comm.allreduce(distance.max(initial=0.0), op=MPI.MAX)
            if farthest > 1e-8 * (upper - lower).max():
                msg = f"{path} holds {len(there)} nodes of {key} and this mesh {nodes}; must be the same nodes"
                raise ParameterError(msg)
            values.append(stored[key][nearest])
        for (_, _, unknown), found in zip(_each(models), values, strict=True):
            unknown.function.x.array[:] = found
            unknown.function.known = True
        for model in models:
            model.t = float(stored["t"])
            model.set_time(model.t)


def _each(models: Sequence[Model]) -> list[tuple[str, Model, Unknown]]:
    """Every unknown and what it is called in the file; a second model of the same name is "name 2" there."""
    each = []
    for i, model in enumerate(models):
        again = sum(other.name == model.name for other in models[:i])
        called = f"{model.name} {again + 1}" if again else model.name
        each += [(f"{called}/{unknown.name}", model, unknown) for unknown in model.unknowns]
    return each


def _places(model: Model, unknown: Unknown) -> NDArray[np.float64]:
    """Coordinates of all local nodes from the mesh's lower corner, shape (n, dim), each inside one period."""
    lower = bounds(model.mesh)[0]
    x = unknown.function.function_space.tabulate_dof_coordinates()[:, : model.domain.dim] - lower
    for axis in np.flatnonzero(model.domain.period):
        x[:, axis] %= model.domain.period[axis]
        x[np.isclose(x[:, axis], model.domain.period[axis], rtol=1e-12), axis] = 0.0
    return x
