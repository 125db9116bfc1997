"""A run that goes on against the run that was saved: the same models, integrator and observers, or an error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from emfem.checkpoints.folder import Checkpoint
from emfem.checkpoints.states import owned
from emfem.errors import ParameterError
from emfem.model import Model
from emfem.observe import Observer

import numpy as np
from dolfinx import fem


def saved_state(
    checkpoint: Checkpoint,
    models: Sequence[Model],
    described: Sequence[Any],
    settings: Mapping[str, Any],
    watch: Sequence[Observer],
) -> Mapping[str, Any] | None:
    """Give the models the newest state in a folder; return what was saved with it, or None if there is none.

    Raises:
        ParameterError: if the run there had other models, another integrator or other observers, or is beyond `until`;
            or if it did not end, and is not to go on.
    """
    if checkpoint.used:
        return None
    if not checkpoint.resume:
        checkpoint.check_free(models[0].mesh.comm)
        return None
    newest = checkpoint.read(models)
    if newest is None:
        return None
    state, saved = newest
    where = f"the run in {checkpoint.folder}"
    for name in ("method", "coupling", "fixed_step"):
        if saved[name] != settings[name]:
            msg = f"{name} = {settings[name]!r}, must be that of {where}, {saved[name]!r}"
            raise ParameterError(msg)
    kinds = [type(observer).__name__ for observer in watch]
    if kinds != saved["kinds"]:
        msg = f"watch has {', '.join(kinds)}, must have the observers of {where}: {', '.join(saved['kinds'])}"
        raise ParameterError(msg)
    for observer, names in zip(watch, saved["names"], strict=True):
        if names_of(observer) and names_of(observer) != names:
            msg = f"{observer} has other names than in {where}, must have the same: {', '.join(names)}"
            raise ParameterError(msg)
    for mine, theirs in zip(described, saved["models"], strict=False):
        different = [name for name in mine if not alike(mine[name], theirs[name])]
        if different or len(described) != len(saved["models"]):
            msg = f"the {mine['name']} model has other {' and '.join(different)} than in {where}, must be the same"
            if any(len(mine[name]) != len(theirs[name]) for name in different):
                msg += f"; their numbers differ: it was made with other options, or by another emfem, {saved['emfem']}"
            raise ParameterError(msg)
    if settings["until"] < state.t:
        msg = f"until = {settings['until']:g}, must be at least the time {state.t:g} that {where} has reached"
        raise ParameterError(msg)
    state.load()
    return saved


def names_of(observer: Observer) -> list[str]:
    """Return the names of what an observer records or writes; none where they are not known yet."""
    names = getattr(observer, "names", None)
    return [str(name) for name in names] if isinstance(names, list | tuple) else []


def describe(models: Sequence[Model], *, start: bool) -> list[dict[str, Any]]:
    """Return what tells models apart from others: constants and sizes of fields, but those that follow time.

    With `start` those of the unknowns too, which are there as the run begins.
    """
    unknowns = {f for model in models for u in model.unknowns for f in (u.function, u.rate)}
    described = []
    for model in models:
        movable = [driver.constant for driver in model.drivers]
        driven = {id(moved) for each in movable for moved in (each, getattr(each, "function", None))}
        constants = [c for c in model.residual.constants() if id(c) not in driven]
        functions = [f for f in model.residual.coefficients() if f not in unknowns and isinstance(f, fem.Function)]
        fixed = [f for f in functions if id(f) not in driven]
        described.append(
            {
                "name": model.name,
                "constants": [np.ravel(c.value).tolist() for c in constants],
                "fields": [_norm(f) for f in fixed],
                "start": [_norm(unknown.function) for unknown in model.unknowns] if start else [],
            }
        )
    return described


def _norm(function: fem.Function) -> float:
    """Return the Euclidean norm of the values of a Function. Collective."""
    squares = float(np.sum(owned(function) ** 2))
    return math.sqrt(function.function_space.mesh.comm.allreduce(squares))


def alike(mine: Any, theirs: Any) -> bool:
    """Return True for equal texts, and lists of numbers that are the same but for rounding."""
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(alike, mine, theirs))
    if isinstance(mine, float) and isinstance(theirs, float | int):
        return math.isclose(mine, theirs, rel_tol=1e-9) or (math.isnan(mine) and math.isnan(theirs))
    return bool(mine == theirs)
