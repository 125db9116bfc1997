"""The series beside the field: a quantity of all runs against time, with a mark at the time that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from emfem.dimensions import PLAIN
from emfem.plot import labels, style
from emfem.plot.simplices import Floats
from emfem.view.charts import chart, finished
from emfem.view.display_options import Size
from emfem.view.runs import RunFolder

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEAR = 1e-9  # relative, of times that are one
FLAT = 1e-6  # relative differences that are not worth a scale
NEIGHBOUR = 1e-2  # relative differences that four digits show


def quantities(runs: Sequence[RunFolder]) -> list[str]:
    """Quantities of all runs that have a course in time."""
    names: dict[str, None] = {}
    for run in runs:
        if run.series is not None and len(run.series) > 1:
            names |= dict.fromkeys(str(column) for column in run.series if column != "t")
    return list(names)


def most_varying(runs: Sequence[RunFolder]) -> str:
    """Quantity that changes by the largest part of itself, and steadily, as noise does not; empty without any."""
    changes: dict[str, float] = dict.fromkeys(quantities(runs), 0.0)
    for run in runs:
        for name in changes:
            if run.series is not None and name in run.series:
                changes[name] = max(changes[name], _change(run.series[name].to_numpy(dtype=float)))
    return max(changes, key=lambda name: changes[name], default="")


def _change(values: Floats) -> float:
    """Range over the largest value, times the range over the way up and down."""
    most, way = float(np.abs(values).max()), float(np.abs(np.diff(values)).sum())
    return float(np.ptp(values)) ** 2 / (most * way) if most > 0 and way > 0 else 0.0


def unit_of(runs: Sequence[RunFolder], quantity: str) -> str:
    """Return the unit of a quantity, from the first run that has it."""
    for run in runs:
        if run.series is not None and quantity in run.series.attrs.get("units", {}):
            return str(run.series.attrs["units"][quantity])
    return ""


def now(run: RunFolder, t: float) -> tuple[float, dict[str, str]]:
    """All quantities of a run as texts with units, and when: at the end of the run, or in the last row before t."""
    table = run.series
    reported = {name.removeprefix("quantities."): unit for name, unit in (run.report.get("units") or {}).items()}
    units = reported | ({} if table is None else table.attrs.get("units", {}))
    row = {name: value for name, value in (run.report.get("quantities") or {}).items() if value is not None}
    ended = run.report.get("t")
    if table is not None and not (row and (ended is None or abs(t - ended) <= NEAR * abs(ended))):
        at = max(0, int(np.searchsorted(table["t"], t + NEAR * abs(t), side="right")) - 1)
        t = float(table["t"].iloc[at])
        row = {str(name): float(table[name].iloc[at]) for name in table if name != "t"}
    alike: dict[Any, list[float]] = {}
    for name, value in row.items():
        alike.setdefault(units.get(name), []).append(value)
    shown = {name: labels.series(name, abs(value), units.get(name, ""), powers=False) for name, value in row.items()}
    return t, {name: shown[name].text(value, _digits(value, alike[units.get(name)])) for name, value in row.items()}


def _digits(value: float, others: Iterable[float]) -> int:
    """Return the digits that tell a value from those near it: a rise of 0.02 K at 373 K is seen, round-off is not."""
    gaps = [abs(value - other) / abs(value) for other in others if value and np.isfinite(value)]
    near = min((gap for gap in gaps if FLAT < gap < NEIGHBOUR), default=NEIGHBOUR)
    return 4 + int(np.ceil(np.log10(NEIGHBOUR / near)))


def png(runs: Sequence[RunFolder], quantity: str, t: float, size: Size) -> bytes:
    """Chart as a PNG.

    Args:
        runs: whose series.
        quantity: a column of them; a run without it is left out.
        t: where the mark is.
        size: of the picture.
    """
    having = [(i, run.series) for i, run in enumerate(runs) if run.series is not None and quantity in run.series]
    units = {run.scene.time_unit for run in runs if not run.trouble}
    ends = [float(table["t"].iloc[-1]) for _, table in having]
    length, unit = labels.span(max(ends, default=0.0), units.pop() if len(units) == 1 else PLAIN)
    tops = [float(np.nanmax(np.abs(table[quantity]))) for _, table in having]
    label = labels.series(quantity, max(tops, default=0.0), unit_of(runs, quantity))
    with chart(size) as (figure, axes):
        for i, table in having:
            times, values, colour = table["t"] / length, table[quantity] / label.scale, style.named_colour(i)
            axes.plot(times, values, color=colour, label=runs[i].name)
            axes.plot(t / length, np.interp(t / length, times, values), "o", color=colour)
        axes.axvline(t / length, color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        axes.set(xlabel=f"t [{unit}]" if unit else "t", ylabel=str(label))
        _settle(axes)
        if len(having) > 1:
            figure.legend(loc="outside lower center", ncols=2)
        return finished(figure)


def _settle(axes: Axes) -> None:
    """Show a constant quantity as a straight line, not its round-off."""
    low, high = axes.get_ylim()
    most = max(abs(low), abs(high))
    if high - low < FLAT * most:
        axes.set_ylim((low + high) / 2 - 0.05 * most, (low + high) / 2 + 0.05 * most)
