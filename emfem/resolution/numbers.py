"""Numbers of a run at its end, and their changes from one run to another."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from signal import SIGINT
from typing import Any

from emfem import fields
from emfem.dimensions import Value
from emfem.errors import EmfemError, ParameterError, ResolutionWarning, Terminated, shown
from emfem.evolution import evolve
from emfem.integration import REACHED
from emfem.mesh import Domain
from emfem.model import Model
from emfem.solve import as_models, solve_steady

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

__all__ = ["Make", "Measures", "Numbers", "changes_between", "finish_run", "interpolate_start", "start_run"]

FLOOR = 1e-3  # of the largest number of the same unit: a smaller number is compared with that part of it
POINTS = 2000  # at most, where fields are compared
LEAST = 1.25  # factor between the sizes of cells, of which 2 is meant: below it a small change says nothing

Make = Callable[[int], Model | Sequence[Model]]
Measures = Callable[[Sequence[Model]], Mapping[str, float | Value]]


@dataclass
class Numbers:
    """Models of a run and their numbers.

    Attributes:
        models: the models.
        began: time of their start.
        cells: of the mesh.
        values: numbers at the end by name.
        largest: size of the largest quantity by unit, of integrals with all parts positive.
        ranges: of fields, by the names of the numbers that are compared with them.
        points: of the fields that are compared at points, by the name of the number.
        samples: their values there.
    """

    models: Sequence[Model]
    began: float
    cells: int
    values: dict[str, Value] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)
    ranges: dict[str, float] = field(default_factory=dict)
    points: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    samples: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def add(self, name: str, value: Value) -> None:
        """Take a quantity at the end."""
        self.values[name] = value
        self.enlarge(value)

    def enlarge(self, value: Value) -> None:
        """Take the size of a quantity for its unit."""
        if math.isfinite(value.number):
            self.largest[value.unit] = max(abs(value.number), self.largest.get(value.unit, 0.0))

    def scale(self, name: str) -> float:
        """Return the number with which a change is compared."""
        value = self.values[name]
        size = self.ranges.get(name, abs(value.number))
        return max(size, FLOOR * self.largest.get(value.unit, 0.0)) if math.isfinite(size) else math.nan


def start_run(make: Make, finer: int, base: Numbers | None = None) -> Numbers:
    """Make the models of a run, and compare them with those of the run as it is. Collective.

    Raises:
        ParameterError: for models that were made before, others, or cells that are not finer.
    """
    try:
        models = as_models(make(finer))
    except TypeError as error:
        msg = f"make = {shown(make)}, must be a function of 1 or 2 alone that returns models: {error}"
        raise ParameterError(msg) from error
    mesh = models[0].mesh
    dim = mesh.topology.dim
    made = Numbers(models, models[0].t, mesh.topology.index_map(dim).size_global)
    call = f"make({finer})"
    if base is None:
        return made
    if set(models) & set(base.models):
        msg = f"{call} returns models that it returned before, must make new ones in each call"
        raise ParameterError(msg)
    mine, theirs = ([model.name for model in each.models] for each in (made, base))
    if mine != theirs or made.began != base.began:
        msg = f"{call} returns {mine} at t = {made.began:g}, must return {theirs} at t = {base.began:g} as make(1)"
        raise ParameterError(msg)
    least = math.ceil(base.cells * LEAST**dim)
    if finer > 1 and made.cells < least:
        msg = f"{call} has {made.cells} cells, must have at least {least}: make(1) has {base.cells}"
        raise ParameterError(msg)
    return made


def interpolate_start(models: Sequence[Model], finer: Sequence[Model]) -> None:
    """Interpolate the evolving unknowns of models to those on finer cells. Collective."""
    for model, other in zip(models, finer, strict=True):
        for coarse, fine in zip(model.unknowns, other.unknowns, strict=True):
            if coarse.rate is not None and not is_one_number(coarse.function):
                before = fine.function.x.array.copy()
                fine.function.interpolate(partial(_values_anywhere, coarse.function))
                fine.function.x.scatter_forward()
                outside = np.isnan(fine.function.x.array)  # of the coarser cells, at a curved boundary
                fine.function.x.array[outside] = before[outside]


def _values_anywhere(function: fem.Function, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values at points that differ between ranks, shape (3, n). Collective."""
    mesh = function.function_space.mesh
    parts = mesh.comm.allgather(x[: mesh.geometry.dim].T)
    values = fields.Sampler(mesh, np.concatenate(parts)).values(function)
    first = sum(map(len, parts[: mesh.comm.rank]))
    return values[first : first + x.shape[1]].T


def is_one_number(function: fem.Function) -> bool:
    """Return True for a function that is one number on the whole mesh."""
    space = function.function_space
    return isinstance(space.ufl_element(), type(basix.ufl.real_element(space.mesh.basix_cell(), ())))


def finish_run(
    numbers: Numbers,
    until: float | None,
    settings: Mapping[str, Any],
    measures: Measures | None,
    base: Numbers | None = None,
) -> Numbers:
    """Run the models, and take their numbers at the end. Collective.

    Raises:
        Terminated: after SIGINT.
    """
    models = numbers.models
    named = [(_name(models, model, each), model, each) for model in models for each in model.quantities]
    for _, model, each in named:
        with suppress(EmfemError, ArithmeticError):  # of a field that is not solved for yet
            numbers.enlarge(Value(model.quantity(each), model.quantities[each].unit))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResolutionWarning)  # of the mesh: the check measures what they estimate
        if until is None:
            solve_steady(models, **settings)
        elif evolve(models, until, progress=False, **settings).stopped != REACHED:
            raise Terminated(SIGINT)
    for name, model, each in named:
        quantity = model.quantities[each]
        numbers.add(name, Value(model.quantity(each), quantity.unit))
        if isinstance(quantity.value, ufl.Form):
            numbers.enlarge(Value(_without_cancellation(quantity.value, model), quantity.unit))
    for name, value in ({} if measures is None else measures(models)).items():
        numbers.add(name, value if isinstance(value, Value) else Value(value))
    for model in models:
        for unknown in model.unknowns:
            _take_field(numbers, model, unknown.name, base)
    return numbers


def _without_cancellation(functional: ufl.Form, model: Model) -> float:
    """Return a functional of the size of its integrand: it is not 0 where parts cancel. Collective."""
    integrals = [each.reconstruct(integrand=abs(each.integrand())) for each in functional.integrals()]
    return fields.integral(fem.form(ufl.Form(integrals)), model.mesh.comm)


def _take_field(numbers: Numbers, model: Model, unknown: str, base: Numbers | None) -> None:
    """Take the extremes of an unknown, and its values at points, those of the run as it is. Collective."""
    function, name = model[unknown], _name(numbers.models, model, unknown)
    low, high = fields.extremes(function)
    values = {f"{name} lowest": low, f"{name} highest": high}
    size, one_number = max(abs(low), abs(high)), is_one_number(function)
    if not one_number:
        label = f"{name} at points"
        numbers.points[label] = _midpoints(model.domain) if base is None else base.points[label]
        sample = fields.Sampler(model.mesh, numbers.points[label]).values(function)
        numbers.samples[label] = sample
        values[label] = _mean_square(sample)
    for label, value in values.items():
        numbers.values[label] = Value(value, model.fields[unknown].unit)
        numbers.ranges[label] = size if one_number else max(high - low, FLOOR * size)


def _name(models: Sequence[Model], model: Model, name: str) -> str:
    """Return the name of a number, with its model's where several have it."""
    having = [each for each in models if name in each.quantities or name in each.names]
    return name if len(having) == 1 else f"{name} of {model.name} {models.index(model) + 1}"


def _midpoints(domain: Domain) -> NDArray[np.float64]:
    """Return the midpoints of cells, at most `POINTS`, the same on any number of ranks, shape (n, dim). Collective."""
    mesh = domain.mesh
    cells = mesh.topology.index_map(mesh.topology.dim).size_local
    middle = mesh.geometry.x[mesh.geometry.dofmaps[0][:cells]].mean(axis=1)[:, : mesh.geometry.dim]
    parts = mesh.comm.allgather((mesh.topology.original_cell_index[:cells], middle))
    order, points = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return points[np.argsort(order)][:: math.ceil(len(points) / POINTS)]


def _mean_square(values: NDArray[np.float64]) -> float:
    """Return the root of the mean of squares over the points that are in the mesh, NaN without any."""
    return math.sqrt(np.nanmean(values**2)) if np.isfinite(values).any() else math.nan


def changes_between(base: Numbers, other: Numbers) -> dict[str, float]:
    """Return the relative change of every number from one run to another; infinite where only one has a value."""
    changes = {}
    for name, here in base.values.items():
        value, changed = here.number, other.values[name].number if name in other.values else math.nan
        if name in base.samples:
            difference = _mean_square(other.samples[name] - base.samples[name])
        else:
            difference = 0.0 if changed == value else abs(changed - value)
        scale = max(base.scale(name), other.scale(name) if name in other.values else 0.0)
        if math.isnan(value) and math.isnan(changed):
            changes[name] = math.nan
        elif not math.isfinite(difference):
            changes[name] = math.inf
        else:
            changes[name] = difference / scale if difference else 0.0
    return changes
