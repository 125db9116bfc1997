"""Values at the place of a click, and along the line between two: of all runs, as texts, as a chart and as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from emfem.dimensions import PLAIN, Meaning
from emfem.plot import labels, style
from emfem.view.charts import DPI, chart, finished
from emfem.view.display_options import DisplayOptions, Size
from emfem.view.scene import PLACES, Scene

import numpy as np
import pandas as pd

DIGITS = 6  # of values and places


def values(scene: Scene, t: float, options: DisplayOptions) -> pd.DataFrame:
    """Return the shown field at the last mark, or along the line between two, as `Scene.marked`.

    Of a vector the length has the last column, such as "|j|".
    """
    table = scene.marked(options.field, scene.nearest(t), options.marks)
    meaning = scene.meaning(options.field)
    columns = value_columns(table)
    if meaning.vector and len(columns) > 1:
        length = f"|{options.field}|"
        units = {**table.attrs["units"], length: table.attrs["units"][columns[0]]}
        table[length] = np.linalg.norm(table[columns], axis=1)
        table.attrs["units"] = units
    return table


def value_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns that are values of the field, not places."""
    return [str(column) for column in table if column not in PLACES]


def shown_column(table: pd.DataFrame, component: str) -> str:
    """Return the column of the shown component: that of a vector's length unless one is chosen."""
    columns = value_columns(table)
    return next((column for column in columns if column.endswith(f"_{component}")), columns[-1])


def place(table: pd.DataFrame, scene: Scene) -> str:
    """Return the place in the last row of a table as text, such as "x = 1.2 µm, y = 3 µm"."""
    by = labels.lengths(scene.bounds, table.attrs["units"]["x"])
    parts = [(axis, float(table[axis].iloc[-1])) for axis in "xyz" if axis in table]
    return ", ".join(f"{axis} = {by.text(value)}" for axis, value in parts)


def texts(table: pd.DataFrame) -> dict[str, str]:
    """Return the values in the last row as texts with units, by column; "outside" beyond the domain."""
    units, shown = table.attrs["units"], {}
    for column in value_columns(table):
        value = float(table[column].iloc[-1])
        label = labels.series(str(column), abs(value), units[column])
        shown[str(column)] = "outside" if np.isnan(value) else label.text(value, DIGITS)
    return shown


def joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return profiles of several runs side by side, each column with its unit, such as "run: j_x [A/m2]"."""
    columns: dict[str, pd.Series] = {}
    for name, table in tables.items():
        for column in table:
            unit = table.attrs["units"][column]
            words = column if column in PLACES else f"{name}: {column}"
            columns.setdefault(words if unit == PLAIN else f"{words} [{unit}]", table[column])
    return pd.DataFrame(columns)


def png(tables: Sequence[tuple[int, str, pd.DataFrame]], meaning: Meaning, component: str, size: Size) -> bytes:
    """Return the shown field of all runs along a line as a PNG.

    Args:
        tables: number of the pane, name and profile of each run.
        meaning: of the field.
        component: of a vector.
        size: of the picture.
    """
    columns = [table[shown_column(table, component)] for _, _, table in tables]
    largest = max((float(np.abs(column).max()) for column in columns if column.notna().any()), default=0.0)
    distances = np.array([[0.0], [max(float(table["s"].iloc[-1]) for _, _, table in tables)]])
    by = labels.lengths(distances, tables[0][2].attrs["units"]["s"])
    label = labels.quantity(replace(meaning, label=meaning.label or meaning.symbol), (-largest, largest))
    with chart(size) as (figure, axes):
        for (pane, name, table), column in zip(tables, columns, strict=True):
            axes.plot(table["s"] / by.scale, column / label.scale, color=style.named_colour(pane), label=name)
        axes.set(xlabel=by.axis("s"), ylabel=label.fitted(size.height / DPI), xlim=(0, distances[1, 0] / by.scale))
        if len(tables) > 1:
            axes.legend(loc="best", ncols=2)
        return finished(figure)
