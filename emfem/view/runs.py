"""Runs on disk as they are: done, failed, still going or half written. What is wrong with one is said, not raised."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from emfem.dimensions import printed
from emfem.errors import EmfemError, ParameterError
from emfem.results import Results
from emfem.storage import CONTENTS, READ_ERRORS
from emfem.studies.recording import REPORT
from emfem.studies.sweep import run_folder
from emfem.view.scene import Scene

import numpy as np
import pandas as pd

TURNED: dict[str, Callable[[float], float]] = {"rad": np.degrees, "deg": float}  # angles are shown in degrees
HIDDEN = ("hash", "error", "stopped", "wall", "t")  # columns that are shown elsewhere
MOST = 4  # panes that are still large enough to be looked at


@dataclass(frozen=True, eq=False)
class Stored(Results):
    """Results of a run so far; states that cannot be read are left out."""

    torn: list[str] = field(default_factory=list)

    def _unreadable(self, path: Path, error: Exception) -> None:
        """Leave a state out."""
        self.torn.append(path.name)

    def _no_state(self) -> str:
        """Return the message for a run without states."""
        if self.torn:
            return f"no state can be read: {', '.join(self.torn)} is torn"
        if not (self.folder / REPORT).is_file():
            return "no state is saved yet: the run is still going, or was stopped. Reload it later"
        return "no state is saved: the run reached none of the times of its states"


class RunFolder:
    """One run: its scene, its series, its report, and its errors.

    Attributes:
        folder: its folder.
        name: its name on the page.
        results: the reader of its folder.
        scene: its geometry and fields.
        read: number of times that it was read.
    """

    def __init__(self, folder: Path, name: str) -> None:
        """Open a folder; `reload` reads it again."""
        self.folder, self.name, self.read = folder, name, 0
        self.reload()

    def reload(self) -> None:
        """Read the folder again, for a run that has continued."""
        self.read += 1
        self.results = Stored(self.folder)
        self.scene = Scene(self.results)
        self.__dict__.pop("trouble", None)

    @property
    def report(self) -> dict[str, Any]:
        """Its report; empty if there is none yet, or half of one."""
        try:
            report = self.results.report
        except (ParameterError, *READ_ERRORS):
            return {}
        return report if isinstance(report, dict) else {}

    @property
    def status(self) -> str:
        """State of the run in a few words."""
        if self.report:
            return str(self.report.get("status", "unknown"))
        if (self.folder / REPORT).is_file():
            return "its report is torn"
        return "no report: still going, or ended" if self.folder.is_dir() else "no folder"

    @property
    def stopped(self) -> str:
        """Reason why it ended, such as "reached until"; empty without one."""
        return str(self.report.get("stopped") or "")

    @cached_property
    def trouble(self) -> str:
        """Reason why nothing can be shown of it, one sentence; empty if something can."""
        if not self.folder.is_dir():
            return f"there is no folder {self.folder}"
        if not any((self.folder / name).is_file() for name in (CONTENTS, "case.toml")):
            error = self.report.get("error")
            return f"the run failed: {error}" if error else f"it holds no run: there is no {CONTENTS}"
        return error_message(lambda: self.scene.fields and self.scene.shape)

    @property
    def notes(self) -> list[str]:
        """Remarks on the run, one sentence each."""
        lines = []
        if self.status not in ("ok", "unknown"):
            error = self.report.get("error", "")
            lines.append(f"{self.status}: {error}" if error else self.status)
        if self.results.torn:
            torn = self.results.torn
            lines.append(f"{len(torn)} state{'s are' if len(torn) > 1 else ' is'} torn: {', '.join(torn)}")
        return lines

    @property
    def times(self) -> list[float]:
        """The times that can be looked at; none if nothing can."""
        try:
            return [float(t) for t in self.results.times]
        except (EmfemError, *READ_ERRORS):
            return []

    @property
    def series(self) -> pd.DataFrame | None:
        """Its quantities against time; None without any."""
        try:
            table = self.results.series
        except (EmfemError, *READ_ERRORS):
            return None
        return table if len(table) and "t" in table else None

    def about(self) -> list[str]:
        """Return domain, cells, models and state of the run in a few lines."""
        lines = []
        if not self.trouble:
            domain = self.scene.models[-1].domain
            cells = domain.mesh.topology.index_map(domain.mesh.topology.dim).size_global
            spaces = [u.function.function_space for model in self.scene.models for u in model.unknowns]
            nodes = sum(space.dofmap.index_map.size_global * space.dofmap.index_map_bs for space in spaces)
            lines += [domain.shape, f"{cells} {domain.mesh.topology.cell_name()} cells, {nodes} unknowns"]
            lines.append(", ".join(model.name for model in self.scene.models))
        wall = self.report.get("wall")
        lines.append(self.status if wall is None else f"{self.status}, {wall:.3g} s")
        lines += [f"stopped: {self.stopped}"] if self.stopped else []
        return lines

    def lines(self) -> list[tuple[str, str]]:
        """Report in lines of a name and a text."""
        report = self.report
        lines = [("folder", str(self.folder)), ("status", self.status)]
        keys = ("error", "summary", "stopped", "hash", "ranks")
        lines += [(key, str(report[key])) for key in keys if report.get(key)]
        if report.get("wall") is not None:
            lines.append(("wall time", f"{report['wall']:.1f} s"))
        lines += [(name, str(value)) for name, value in (report.get("versions") or {}).items()]
        return lines

    def case_text(self) -> str:
        """Case as it was run."""
        try:
            return (self.folder / "case.toml").read_text(encoding="utf-8")
        except OSError:
            return json.dumps(self.report.get("case", {}), indent=2)


class Sweep:
    """The table of a sweep, whose rows are runs."""

    def __init__(self, folder: Path) -> None:
        """Open a folder."""
        self.folder = folder

    def place(self, name: str) -> Path:
        """Return the folder of the run with a hash."""
        return run_folder(self.folder, name)

    def table(self) -> pd.DataFrame:
        """One row a run.

        Raises:
            ParameterError: if it cannot be read.
        """
        try:
            return Results(self.folder).table
        except READ_ERRORS as error:
            msg = f"{self.folder}: its table cannot be read: {error}"
            raise ParameterError(msg) from None

    def heads(self) -> dict[str, str]:
        """Heads of its columns, with units; angles have theirs in the cells."""
        units = {c: printed(unit) for c, unit in self.table().attrs.get("units", {}).items() if unit not in TURNED}
        return {c: f"{c} [{unit}]" for c, unit in units.items() if unit}

    def rows(self) -> tuple[list[str], list[dict[str, str]]]:
        """Its columns that distinguish runs or their results, and its rows as texts, each with its hash and name."""
        table = self.table()
        units = table.attrs.get("units", {})
        texts = {str(c): [_cell(value, units.get(c, "")) for value in table[c]] for c in table}
        varied = list(texts)[1 : list(texts).index("status")]  # after the hash; results of the run follow
        others = [c for c in texts if c not in HIDDEN and c not in varied and len(set(texts[c])) > 1]
        early = ["stopped"] if any(texts.get("stopped", [])) else []
        shown = [*varied, *(["status"] if "status" not in others else []), *early, *others]
        names = [", ".join(f"{c.rpartition('.')[2]} {texts[c][i]}" for c in varied) for i in range(len(table))]
        return shown, [
            {"hash": str(table["hash"].iloc[i]), "name": names[i], **{c: texts[c][i] for c in shown}}
            for i in range(len(table))
        ]


def opened(folders: Sequence[Path]) -> tuple[list[RunFolder], list[Sweep]]:
    """Run and the sweeps in some folders."""
    sweeps = [Sweep(folder) for folder in folders if Results(folder).sweep]
    names = called([folder for folder in folders if not Results(folder).sweep])
    return [RunFolder(folder, name) for folder, name in names.items()], sweeps


def called(folders: Sequence[Path]) -> dict[Path, str]:
    """Name for each folder: its own, with those above it as far as they tell it from others."""
    names: dict[Path, str] = {}
    for folder in folders:
        parts = folder.resolve().parts
        others = [other.resolve().parts for other in folders if other.resolve() != folder.resolve()]
        deep = next((n for n in range(1, len(parts)) if all(o[-n:] != parts[-n:] for o in others)), len(parts))
        names[folder] = "/".join(parts[-deep:])
    return names


def error_message(look: Any) -> str:
    """Return the reason why something cannot be shown, one sentence; empty if it can."""
    try:
        look()
    except EmfemError as error:
        return str(error)
    except Exception as error:  # a torn file can raise anything; the page and the other runs go on
        return f"it cannot be read: {type(error).__name__}: {error}"
    return ""


def _cell(value: Any, unit: str) -> str:
    """Value of a table, short; angles in degrees."""
    if isinstance(value, float):
        if unit in TURNED:
            return f"{TURNED[unit](value):.4g}°"
        return "" if np.isnan(value) else f"{value:.4g}"
    return "" if value is None else str(value)
