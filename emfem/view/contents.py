"""Lists, tables and texts of the page, as plain values for the browser; nothing here depends on one."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from emfem.plot import labels
from emfem.view import probing, series
from emfem.view.display_options import DisplayOptions
from emfem.view.runs import RunFolder, Sweep, error_message
from emfem.view.state import Viewer

import pandas as pd

__all__ = ["address", "lists", "numbers", "pane", "values"]

Contents = dict[str, Any]


def lists(viewer: Viewer) -> Contents:
    """Return what can be chosen, and what is open."""
    fields, flows = viewer.fields, viewer.flows
    return {
        "fields": [{"title": labels.entry(meaning), "value": name} for name, meaning in fields.items()],
        "flows": [
            {"title": "none", "value": ""},
            *({"title": f"of {labels.entry(fields[name])}", "value": name} for name in flows),
        ],
        "has_vectors": any(meaning.vector for meaning in fields.values()),
        "has_names": any(run.scene.names for run in viewer.shown),
        "in_space": viewer.in_space,
        "last_step": max(0, len(viewer.times) - 1),
        "quantities": series.quantities(viewer.panes),
        "heading": ", ".join(str(run.folder) for run in viewer.panes),
        "about": [{"name": run.name, "lines": run.about()} for run in viewer.panes],
        "columns": viewer.columns,
        "open": [run.folder.name.rpartition("-")[2] for run in viewer.panes],  # hashes
        "sweeps": [_sweep(sweep) for sweep in viewer.sweeps],
        "reports": [{"name": run.name, "lines": run.lines(), "case": run.case_text()} for run in viewer.panes],
    }


def pane(viewer: Viewer, run: RunFolder, options: DisplayOptions, t: float, message: str = "") -> dict[str, str]:
    """Return name, message, notes and names of files of a run."""
    when = viewer.time(t).replace(" = ", "").replace(" ", "_")
    part = "" if options.component == DisplayOptions.component else options.component
    parts = [run.name.replace("/", "_"), options.field, part, when]
    file, movie = ("_".join(part for part in chosen if part) for chosen in (parts, parts[:-1]))
    files = {"file": f"{file}.png", "movie": f"{movie}.mp4", "profile": f"{file}_line.csv"}
    return {"name": run.name, "message": message, "notes": "; ".join(run.notes), **files}


def numbers(viewer: Viewer, t: float) -> Contents:
    """Return the quantities of all runs at a time, and why those that ended did."""
    rows = [series.now(run, t) for run in viewer.panes]
    names = dict.fromkeys(name for _, part in rows for name in part)
    table = [[name, *(part.get(name, "") for _, part in rows)] for name in names]
    reasons = [run.stopped for run in viewer.panes]
    when = " and ".join(dict.fromkeys(filter(None, (viewer.time(at) for at, _ in rows))))
    title = f"Quantities at {when}" if when else "Quantities"
    return {"numbers": table + ([["stopped", *reasons]] if any(reasons) else []), "numbers_title": title}


def values(viewer: Viewer, tables: Mapping[int, pd.DataFrame]) -> Contents:
    """Return the values at the last mark.

    Args:
        viewer: the open runs.
        tables: of `Viewer.marked`.
    """
    columns = [probing.texts(tables[i]) if i in tables else {} for i in range(len(viewer.panes))]
    names = dict.fromkeys(name for column in columns for name in column)
    first = next(iter(tables), None)
    title = "" if first is None else probing.place(tables[first], viewer.panes[first].scene)
    return {
        "values": [[name, *(column.get(name, "") for column in columns)] for name in names],
        "values_title": title,
    }


def address(image: bytes | None) -> str:
    """Return an image as an address; empty for none."""
    return "" if image is None else "data:image/png;base64," + base64.b64encode(image).decode()


def _sweep(sweep: Sweep) -> Contents:
    """Return the table of a sweep."""
    table: list[Any] = []
    message = error_message(lambda: table.extend([*sweep.rows(), sweep.heads()]))
    columns, rows, heads = table if not message else ([], [], {})
    title = f"{sweep.folder.name}: {len(rows)} runs. A click opens one, or closes it."
    return {"title": title, "message": message, "columns": columns, "heads": heads, "rows": rows}
