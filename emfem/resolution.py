"""Check of the resolution of a run: repeated with half the tolerance, and on half the mesh, does the answer change?

`check_resolution` measures what the warnings of a run estimate from its mesh alone. With elements of order p the change
on half the mesh is 1 - 2**-p of the error; with half the tolerance it is about half of the error of the time steps.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from signal import SIGINT
from typing import Any

from emfem import fields
from emfem.dimensions import PLAIN
from emfem.errors import EmfemError, ParameterError, ResolutionWarning, Terminated, choice, number, shown
from emfem.evolution import evolve
from emfem.gate import checked
from emfem.integration import REACHED
from emfem.mesh import Domain
from emfem.model import Model, warn_unresolved
from emfem.public import dir_of
from emfem.solve import as_models, solve_steady

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

__all__ = ["Change", "ResolutionReport", "check_resolution"]
__dir__ = dir_of(__all__)

FLOOR = 1e-3  # of the largest number of the same unit: a smaller number is compared with that part of it
POINTS = 2000  # at most, where fields are compared
LEAST = 1.25  # factor between the sizes of cells, of which 2 is meant: below it a small change says nothing
TOLERANCES = ("rtol", "atol", "fixed_step")  # arguments of `evolve` that are halved
NOT_OF_A_CHECK = ("models", "until", "watch", "checkpoint", "wall_time", "progress")

Make = Callable[[int], Model | Sequence[Model]]
Measures = Callable[[Sequence[Model]], Mapping[str, float | tuple[float, str]]]


@dataclass(frozen=True)
class Change:
    """Number at the end of a run, and its changes.

    Attributes:
        name: of a quantity, or of an unknown with "lowest", "highest" or "at points" (its root mean square there).
        unit: of the number.
        value: in the run as it is.
        by_tolerance: change with half the tolerance, relative; NaN for a steady state, which has no time steps.
        by_mesh: change on half the mesh, relative.
    """

    name: str
    unit: str
    value: float
    by_tolerance: float
    by_mesh: float

    @property
    def largest(self) -> float:
        """The larger of the two changes; NaN if the number has no value in any of the runs."""
        return float(np.fmax(self.by_tolerance, self.by_mesh))


@dataclass(frozen=True)
class ResolutionReport:
    """Changes of all numbers of a run, with half the tolerance and on half the mesh.

    Changes are relative to the value itself, of fields at points and of their extremes to the range of the field; or to
    a thousandth of the largest number of the same unit, if that is more.

    Attributes:
        t: time at which the runs are compared.
        cells: of the mesh of the run, and of the finer one.
        bound: largest change of a run that is resolved.
        changes: of each number.
    """

    t: float
    cells: tuple[int, int]
    bound: float
    changes: tuple[Change, ...]

    @property
    def worst(self) -> Change:
        """The number that changes most."""
        return max(self.changes, key=lambda change: -1.0 if math.isnan(change.largest) else change.largest)

    def ok(self, rtol: float | None = None) -> bool:
        """Return True if no number changes by more than `rtol`, by the bound when left out."""
        return not self.worst.largest > (self.bound if rtol is None else number("rtol", rtol, above=0.0))

    def __getitem__(self, name: str) -> Change:
        """Return the change of a number.

        Raises:
            UnknownName: if there is none.
        """
        choice("the report", name, [change.name for change in self.changes])
        return next(change for change in self.changes if change.name == name)

    def warning(self) -> str | None:
        """Return the sentence of the warning, or None if the run is resolved."""
        if self.ok():
            return None
        worst, many = self.worst, sum(change.largest > self.bound for change in self.changes) - 1
        by_mesh = not worst.by_mesh < worst.by_tolerance
        where = "on half the mesh" if by_mesh else "with half the tolerance"
        remedy = "finer cells" if by_mesh else "a smaller rtol"
        more = f", and {many} more change too much" if many else ""
        return (
            f"{worst.name} = {worst.value:.6g} at t = {self.t:.4g} changes by {_percent(worst.largest)} {where}, "
            f"should be at most {_percent(self.bound)}{more}: take {remedy}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values, with `worst` and `ok`."""
        return {**asdict(self), "worst": self.worst.name, "ok": self.ok()}

    def __str__(self) -> str:
        """Table of the numbers, one a row."""
        names = [change.name for change in self.changes]
        width = max(len(name) for name in ("number", *names))
        lines = [
            f"resolution at t = {self.t:g}: {self.cells[0]} cells, half the mesh {self.cells[1]} cells",
            f"{'number':<{width}}  {'value':>12}  {'half tolerance':>14}  {'half mesh':>10}",
        ]
        for change in self.changes:
            by_tolerance, by_mesh = (_percent(each) for each in (change.by_tolerance, change.by_mesh))
            mark = "  !" if change.largest > self.bound else ""
            lines.append(f"{change.name:<{width}}  {change.value:>12.6g}  {by_tolerance:>14}  {by_mesh:>10}{mark}")
        worst = f"largest change: {self.worst.name}, {_percent(self.worst.largest)}"
        return "\n".join([*lines, f"{worst}; {'at most' if self.ok() else 'more than'} {_percent(self.bound)}"])


@checked(collective=True)
def check_resolution(
    make: Make,
    until: float | None,
    *,
    quantities: Sequence[str] | None = None,
    measures: Measures | None = None,
    same_start: bool = False,
    bound: float = 0.01,
    **settings: Any,
) -> ResolutionReport:
    """Repeat a run with half the tolerance, and on half the mesh, and report the change of every number. Collective.

    Compared at the end are all quantities of the models, the extremes of their unknowns, and the unknowns at points. A
    run in `d` dimensions takes about `2**d` times as long on half the mesh; a shorter `until` tells of a stretch of it.

    Args:
        make: function that returns the models at their start, new ones in each call, on cells that are 1 or 2 times
            as fine: `em.mesh.interval(50 * um, cells=100 * finer)`, `size / finer`, or `em.mesh.halved(domain)`.
        until: the time to reach; None for a steady state, which is compared on half the mesh only.
        quantities: names of the numbers to compare; all when left out.
        measures: function of the models that returns more numbers by name, at the end of each run; those with a unit
            as (number, unit).
        same_start: start on half the mesh from the start on the whole one: for random starts, which are the same
            function of place, but finer than the cells.
        bound: largest change of a run that is resolved, relative.
        settings: arguments of `em.evolve` such as `rtol`, `atol`, `method`, `fixed_step`; of `em.solve_steady` without
            `until`.

    Returns:
        the report; `print` shows it as a table.

    Raises:
        ParameterError: for models of the second call of `make` that are those of the first, or other ones, for cells
            that are not finer, or a setting that is refused.
        UnknownName: for a number or setting that does not exist.
        EmfemError: if one of the runs fails.
        Terminated: if a signal ends it.

    Warns:
        ResolutionWarning: if a number changes by more than the bound. Those of the runs themselves are not shown.
    """
    number("bound", bound, above=0.0)
    function = solve_steady if until is None else evolve
    known = [name for name in inspect.signature(function).parameters if name not in NOT_OF_A_CHECK]
    for name in settings:
        choice("settings", name, known)
    base = _run(_start(make, 1), until, settings, measures)
    names = _chosen(quantities, base)
    by_tolerance = dict.fromkeys(names, math.nan)
    if until is not None:
        by_tolerance = _changes(base, _run(_start(make, 1, base), until, _halved(settings), measures, base))
    finer = _start(make, 2, base)
    if same_start:
        _interpolate_start(as_models(make(1)), finer.models)
    by_mesh = _changes(base, _run(finer, until, settings, measures, base))
    report = ResolutionReport(
        base.models[0].t,
        (base.cells, finer.cells),
        bound,
        tuple(Change(name, base.units[name], base.values[name], by_tolerance[name], by_mesh[name]) for name in names),
    )
    message = report.warning()
    if message:
        warn_unresolved(message, base.models[0].mesh.comm)
    return report


@dataclass
class _Numbers:
    """Models of a run and their numbers.

    Attributes:
        models: the models.
        began: time of their start.
        cells: of the mesh.
        values: numbers at the end by name.
        units: of the numbers.
        largest: size of the largest quantity by unit, of integrals with all parts positive.
        ranges: of fields, by the names of the numbers that are compared with them.
        points: of the fields that are compared at points, by the name of the number.
        samples: their values there.
    """

    models: Sequence[Model]
    began: float
    cells: int
    values: dict[str, float] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)
    ranges: dict[str, float] = field(default_factory=dict)
    points: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    samples: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def add(self, name: str, value: float, unit: str) -> None:
        """Take a quantity at the end."""
        self.values[name], self.units[name] = value, unit
        self.enlarge(value, unit)

    def enlarge(self, value: float, unit: str) -> None:
        """Take the size of a quantity for its unit."""
        if math.isfinite(value):
            self.largest[unit] = max(abs(value), self.largest.get(unit, 0.0))

    def scale(self, name: str) -> float:
        """Return the number with which a change is compared."""
        size = self.ranges.get(name, abs(self.values[name]))
        return max(size, FLOOR * self.largest.get(self.units[name], 0.0)) if math.isfinite(size) else math.nan


def _start(make: Make, finer: int, base: _Numbers | None = None) -> _Numbers:
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
    made = _Numbers(models, models[0].t, mesh.topology.index_map(dim).size_global)
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


def _interpolate_start(models: Sequence[Model], finer: Sequence[Model]) -> None:
    """Interpolate the evolving unknowns of models to those on finer cells. Collective."""
    for model, other in zip(models, finer, strict=True):
        for coarse, fine in zip(model.unknowns, other.unknowns, strict=True):
            if coarse.rate is not None and not _is_one_number(coarse.function):
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


def _is_one_number(function: fem.Function) -> bool:
    """Return True for a function that is one number on the whole mesh."""
    space = function.function_space
    return isinstance(space.ufl_element(), type(basix.ufl.real_element(space.mesh.basix_cell(), ())))


def _run(
    numbers: _Numbers,
    until: float | None,
    settings: Mapping[str, Any],
    measures: Measures | None,
    base: _Numbers | None = None,
) -> _Numbers:
    """Run the models, and take their numbers at the end. Collective.

    Raises:
        Terminated: after SIGINT.
    """
    models = numbers.models
    named = [(_name(models, model, each), model, each) for model in models for each in model.quantities]
    for _, model, each in named:
        with suppress(EmfemError, ArithmeticError):  # of a field that is not solved for yet
            numbers.enlarge(model.quantity(each), model.quantities[each].unit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResolutionWarning)  # of the mesh: the check measures what they estimate
        if until is None:
            solve_steady(models, **settings)
        elif evolve(models, until, progress=False, **settings).stopped != REACHED:
            raise Terminated(SIGINT)
    for name, model, each in named:
        quantity = model.quantities[each]
        numbers.add(name, model.quantity(each), quantity.unit)
        if isinstance(quantity.value, ufl.Form):
            numbers.enlarge(_without_cancellation(quantity.value, model), quantity.unit)
    for name, value in ({} if measures is None else measures(models)).items():
        measured, unit = value if isinstance(value, tuple) else (value, PLAIN)
        numbers.add(name, float(measured), unit)
    for model in models:
        for unknown in model.unknowns:
            _take_field(numbers, model, unknown.name, base)
    return numbers


def _without_cancellation(functional: ufl.Form, model: Model) -> float:
    """Return a functional of the size of its integrand: it is not 0 where parts cancel. Collective."""
    integrals = [each.reconstruct(integrand=abs(each.integrand())) for each in functional.integrals()]
    return fields.integral(fem.form(ufl.Form(integrals)), model.mesh.comm)


def _take_field(numbers: _Numbers, model: Model, unknown: str, base: _Numbers | None) -> None:
    """Take the extremes of an unknown, and its values at points, those of the run as it is. Collective."""
    function, name = model[unknown], _name(numbers.models, model, unknown)
    low, high = fields.extremes(function)
    values = {f"{name} lowest": low, f"{name} highest": high}
    size, one_number = max(abs(low), abs(high)), _is_one_number(function)
    if not one_number:
        label = f"{name} at points"
        numbers.points[label] = _midpoints(model.domain) if base is None else base.points[label]
        sample = fields.Sampler(model.mesh, numbers.points[label]).values(function)
        numbers.samples[label] = sample
        values[label] = _mean_square(sample)
    for label, value in values.items():
        numbers.values[label], numbers.units[label] = value, model.fields[unknown].unit
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


def _halved(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with half the tolerances, and half of a fixed step."""
    defaults = {name: inspect.signature(evolve).parameters[name].default for name in TOLERANCES}
    values = {name: settings.get(name, default) for name, default in defaults.items()}
    return {**settings, **{name: value / 2 for name, value in values.items() if value is not None}}


def _chosen(quantities: Sequence[str] | None, base: _Numbers) -> list[str]:
    """Return the names of the numbers to compare."""
    if quantities is None:
        return list(base.values)
    if isinstance(quantities, str) or not len(quantities):
        msg = f"quantities = {quantities!r}, must be at least one name, in a list"
        raise ParameterError(msg)
    return [choice("the run", name, base.values) for name in quantities]


def _changes(base: _Numbers, other: _Numbers) -> dict[str, float]:
    """Return the relative change of every number from one run to another; infinite where only one has a value."""
    changes = {}
    for name, value in base.values.items():
        changed = other.values.get(name, math.nan)
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


def _percent(part: float) -> str:
    """Return a part of 1 as text."""
    return "-" if math.isnan(part) else f"{100 * part:.2g} %"
