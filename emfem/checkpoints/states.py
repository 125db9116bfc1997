"""The state of models on disk, by place: it can be read back on any number of ranks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from emfem import fields
from emfem.checkpoints.nodes import Values, places, stored_rows
from emfem.errors import ParameterError, require
from emfem.files import READ_ERRORS, Arrays, reason, save_arrays, writable
from emfem.gate import checked
from emfem.model import Model, Unknown

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray


@checked(collective=True)
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


def arrays(models: Sequence[Model]) -> tuple[dict[str, Values], dict[str, NDArray[Any]]]:
    """Return the content of a checkpoint: the rows of this rank of each array, and the time, by name."""
    rows = {}
    for key, model, unknown in each_unknown(models):
        rows[key] = owned(unknown.function)
        rows[f"{key}/x"] = places(model, unknown)[: len(rows[key])]
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


def each_unknown(models: Sequence[Model]) -> list[tuple[str, Model, Unknown]]:
    """Return every unknown with its name in a file."""
    return [
        (f"{key}/{unknown.name}", model, unknown)
        for key, model in zip(keys(models), models, strict=True)
        for unknown in model.unknowns
    ]


@checked(collective=True)
def load(models: Model | Sequence[Model], path: os.PathLike[str] | str) -> None:
    """Give `models`, on the same mesh and of the same degree, the state in a file of `save`. Collective.

    Raises:
        ParameterError: if the file is missing, holds other models, or other nodes.
    """
    models = (models,) if isinstance(models, Model) else tuple(models)
    if not (Path(path).is_file() and is_zipfile(path)):
        msg = f"path = {str(path)!r}, must be a file written by emfem.checkpoint.save"
        raise ParameterError(msg)
    try:
        StoredState(Arrays(path, models[0].mesh.comm), models).load()
    except ParameterError:
        raise
    except READ_ERRORS as error:
        msg = f"{path} cannot be read: {reason(error)}"
        raise ParameterError(msg) from None


class StoredState:
    """The unknowns of models in a file, and other functions of their spaces."""

    def __init__(self, stored: Arrays, models: Sequence[Model]) -> None:
        """Find the rows of the nodes of this rank. Collective.

        Raises:
            ParameterError: if the file holds other models, or other nodes.
            BadZipFile: if it is damaged.
        """
        self.stored, self.models = stored, models
        self._unknowns = each_unknown(models)
        missing = [key for key, _, _ in self._unknowns if key not in stored]
        if missing:
            known = ", ".join(name for name in stored if not name.endswith("/x"))
            msg = f"{stored.path} has no {', '.join(missing)}; it has {known}"
            raise ParameterError(msg)
        self.t = float(stored["t"])
        self._rows = {key: stored_rows(stored, key, model, unknown) for key, model, unknown in self._unknowns}
        self._values = {key: self._local(key, key) for key, _, _ in self._unknowns}

    def _local(self, name: str, key: str) -> Values:
        """Return the values of this rank, ghosts included, of array `name` at the nodes of unknown `key`."""
        return self.stored[name][self._rows[key]].ravel()

    def function(self, name: str, key: str) -> fem.Function:
        """Return a Function of the space of unknown `key` with the stored values `name`. Collective."""
        unknown = next(unknown for other, _, unknown in self._unknowns if other == key)
        function = fields.copied(unknown.function)
        function.x.array[:] = self._local(name, key)
        return function

    def load(self) -> None:
        """Give the models their time and unknowns."""
        for key, _, unknown in self._unknowns:
            unknown.function.x.array[:] = self._values[key]
            unknown.function.known = True
        for model in self.models:
            model.t = self.t
            model.set_time(self.t)


@dataclass
class Packed:
    """A tree of numbers, texts, arrays and Functions as JSON and arrays by name.

    Attributes:
        rows: of each Function the values that this rank owns.
        shared: arrays that are the same on all ranks.
    """

    models: Sequence[Model]
    rows: dict[str, Values] = field(default_factory=dict)
    shared: dict[str, NDArray[Any]] = field(default_factory=dict)

    def pack(self, tree: Any) -> Any:
        """Return `tree` as JSON takes it; arrays and Functions, of spaces of unknowns, are put aside."""
        if isinstance(tree, fem.Function):
            name = f"functions/{len(self.rows)}"
            self.rows[name] = owned(tree).copy()
            return {"function": name, "of": self._key(tree)}
        if isinstance(tree, np.ndarray):
            name = f"arrays/{len(self.shared)}"
            self.shared[name] = tree
            return {"array": name}
        if isinstance(tree, np.generic):
            return tree.item()
        if isinstance(tree, Mapping):
            wrong = next((key for key in tree if not isinstance(key, str)), "")
            require(wrong == "", f"key {wrong!r} of a table, must be a text")
            return {"table": {key: self.pack(value) for key, value in tree.items()}}
        if isinstance(tree, list | tuple):
            return [self.pack(value) for value in tree]
        return tree

    def _key(self, function: fem.Function) -> str:
        """Return the name of an unknown of the same space.

        Raises:
            ParameterError: if there is none.
        """
        for key, _, unknown in each_unknown(self.models):
            if unknown.function.function_space == function.function_space:
                return key
        msg = f"the Function {function.name} is of a space that no unknown has"
        raise ParameterError(msg)


def unpack(tree: Any, state: StoredState | None) -> Any:
    """Return the tree that was packed, with lists for tuples; without a state it has no arrays. Collective."""
    if isinstance(tree, list):
        return [unpack(value, state) for value in tree]
    if not isinstance(tree, dict):
        return tree
    if state is not None and "function" in tree:
        return state.function(tree["function"], tree["of"])
    if state is not None and "array" in tree:
        return np.array(state.stored[tree["array"]])
    return {key: unpack(value, state) for key, value in tree["table"].items()}
