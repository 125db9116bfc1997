"""Check of the resolution of a run: the run again, with half the tolerance and on half the mesh."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

from emfem.dimensions import Value
from emfem.errors import ParameterError, choice, number
from emfem.evolution import evolve
from emfem.gate import checked
from emfem.model import warn_unresolved
from emfem.resolution.numbers import Make, Measures, Numbers, changes_between, finish_run, interpolate_start, start_run
from emfem.resolution.report import Change, ResolutionReport
from emfem.solve import as_models, solve_steady

__all__ = ["check_resolution"]

TOLERANCES = ("rtol", "atol", "fixed_step")  # arguments of `evolve` that are halved
NOT_OF_A_CHECK = ("models", "until", "watch", "checkpoint", "wall_time", "progress")


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
            as `em.dimensions.Value(number, unit)`.
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
    base = finish_run(start_run(make, 1), until, settings, measures)
    values = _chosen(quantities, base)
    by_tolerance = dict.fromkeys(values, math.nan)
    if until is not None:
        by_tolerance = changes_between(
            base, finish_run(start_run(make, 1, base), until, _halved(settings), measures, base)
        )
    finer = start_run(make, 2, base)
    if same_start:
        interpolate_start(as_models(make(1)), finer.models)
    by_mesh = changes_between(base, finish_run(finer, until, settings, measures, base))
    report = ResolutionReport(
        base.models[0].t,
        (base.cells, finer.cells),
        bound,
        tuple(Change(name, v.unit, v.number, by_tolerance[name], by_mesh[name]) for name, v in values.items()),
    )
    message = report.warning()
    if message:
        warn_unresolved(message, base.models[0].mesh.comm)
    return report


def _halved(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with half the tolerances, and half of a fixed step."""
    defaults = {name: inspect.signature(evolve).parameters[name].default for name in TOLERANCES}
    values = {name: settings.get(name, default) for name, default in defaults.items()}
    return {**settings, **{name: value / 2 for name, value in values.items() if value is not None}}


def _chosen(quantities: Sequence[str] | None, base: Numbers) -> dict[str, Value]:
    """Return the numbers to compare, by name."""
    if quantities is None:
        return base.values
    if isinstance(quantities, str) or not len(quantities):
        msg = f"quantities = {quantities!r}, must be at least one name, in a list"
        raise ParameterError(msg)
    return {name: base.values[choice("the run", name, base.values)] for name in quantities}
