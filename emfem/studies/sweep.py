"""Many runs of one case: over a grid or a list of values, each once, whatever happens in between.

A run has a folder named by its values and the hash of its case. It is done when its report says so, so a sweep that is
started again runs only what is missing, and what failed; a run that has checkpoints goes on from the newest.
"""

from __future__ import annotations

import glob
import itertools
import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emfem.errors import ParameterError, count
from emfem.files import read_text, writable
from emfem.gate import checked
from emfem.integration import REACHED
from emfem.studies import registry
from emfem.studies.case import Case
from emfem.studies.recording import report_of
from emfem.studies.toml_tables import flat, parsed, plain
from emfem.studies.validation import Source, nearest
from emfem.studies.workers import bar, cluster_client, compute, finished

from mpi4py import MPI

if TYPE_CHECKING:
    import pandas as pd

TABLE = "results"
LABEL = 80  # characters of the values in the name of a folder
KEYS = ("case", "grid", "runs")

Row = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """One run of a study.

    Attributes:
        values: by dotted key, as they were resolved.
        case: the case with these values; None if they are refused.
        error: the reason, if they are.
        label: the values as they were written, as part of the name of a file: "angle=30deg_seed=1".
    """

    values: Mapping[str, Any]
    case: Case | None
    error: str = ""
    label: str = ""

    def folder(self, target: Path) -> Path:
        """Return the folder of its run: the one that is there already, or that of its values and hash."""
        name = "" if self.case is None else self.case.hash
        there = run_folder(target, name)
        return there if there.is_dir() or not self.label else target / f"{self.label}-{name}"


@dataclass(frozen=True)
class Study:
    """A case, and the values to run it with.

    Attributes:
        case: the case they are put into.
        values: for each run its values by dotted key.
    """

    case: Case
    values: tuple[Mapping[str, Any], ...]

    @classmethod
    @checked(collective=MPI.COMM_WORLD)
    def read(cls, path: os.PathLike[str] | str) -> Study:
        """Return the study of a TOML file.

        `case` is the name of a case's file beside it, or a table with the case itself; [grid] gives lists of values by
        dotted key, all combinations of which are tried, the last key fastest; or each table [[runs]] gives the values
        of one run.

        Raises:
            ParameterError: if it cannot be read, or for its errors, one line each.
        """
        text = read_text(path)
        tables, folder, here = parsed(text, path), Path(path).parent, Source(str(path), text)
        for key in tables:
            if key not in KEYS:
                raise ParameterError(here.located((key,), f"there is no key {key!r}{nearest(key, KEYS)}"))
        if isinstance(tables.get("case"), str):
            case = Case.read(folder / tables["case"])
        elif isinstance(tables.get("case"), Mapping):
            case = Case.of(tables["case"], folder, Source(str(path), text, ("case",)))
        else:
            raise ParameterError(here.located((), "case is missing, must be the name of a case's file or a table"))
        if ("grid" in tables) == ("runs" in tables):
            raise ParameterError(here.located((), "must have a table [grid] or tables [[runs]], one of the two"))
        kind = "grid" if "grid" in tables else "runs"
        try:
            return cls.of(case, grid=tables.get("grid"), runs=tables.get("runs"))
        except ParameterError as error:
            raise ParameterError(here.located((kind,) if kind == "grid" else (kind, 0), f"[{kind}] {error}")) from None

    @classmethod
    @checked
    def of(
        cls,
        case: Case,
        *,
        grid: Mapping[str, Any] | None = None,
        runs: Sequence[Mapping[str, Any]] | None = None,
    ) -> Study:
        """Return the study of all combinations of a grid, or of a list of runs.

        Args:
            case: the case.
            grid: lists of values by dotted key.
            runs: for each run its values by dotted key.

        Raises:
            ParameterError: for a key that is none of the case, a value that is no list, or nothing to run.
        """
        if grid is not None:
            lists = flat(grid)
            for key, values in lists.items():
                if not isinstance(values, list | tuple) or not values:
                    msg = f"{key} = {values!r}, must be a list of values"
                    raise ParameterError(msg)
            rows = [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]
        else:
            rows = [flat(run) for run in runs or ()]
        for key in dict.fromkeys(key for values in rows for key in values):
            case.path_of(key)
        if not rows or not all(rows):
            msg = "holds a run without values, must have at least one"
            raise ParameterError(msg)
        return cls(case, tuple(rows))

    def trials(self) -> list[Trial]:
        """Return a trial for each run; one whose values are refused has no case."""
        return [self._trial(values) for values in self.values]

    def _trial(self, values: Mapping[str, Any]) -> Trial:
        try:
            case = self.case.with_(**values)
            return Trial({key: case.value(key) for key in values}, case, label=_label(values))
        except ParameterError as error:
            return Trial({key: self._alone(key, value) for key, value in values.items()}, None, str(error))

    def _alone(self, key: str, value: Any) -> Any:
        """Return a value resolved without the other values of its run, which may be wrong; as written if it is."""
        try:
            return self.case.with_(**{key: value}).value(key)
        except ParameterError:
            return value

    @checked
    def run(
        self,
        folder: os.PathLike[str] | str,
        *,
        workers: int = 2,
        scheduler: str | None = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """Run all cases that are not done yet, and gather everything in one table, results.csv and results.parquet.

        Args:
            folder: where to; each run has a folder of its own in it.
            workers: processes of one thread each on this machine.
            scheduler: address of a Dask scheduler, "tcp://...", whose workers see the same folder, instead.
            progress: show a bar.

        Returns:
            one row a run: hash, the values tried as they were resolved, quantities and pattern at the end, status
            (that of its report, or "missing", of a sweep that was interrupted), why it stopped, error, wall time [s];
            in `.attrs` the "units" of its columns, which the heads of the CSV file have too.

        Raises:
            ParameterError: on more than one rank, for fewer workers than one, or a folder that cannot be written.
        """
        workers = count("workers", workers, at_least=1)
        if MPI.COMM_WORLD.size > 1:
            msg = f"a sweep on {MPI.COMM_WORLD.size} ranks, must be on 1: it starts workers of its own"
            raise ParameterError(msg)
        target = Path(folder)
        writable(target / f"{TABLE}.csv")
        trials = self.trials()
        todo: dict[str, tuple[Case, Path]] = {}
        for trial in trials:
            if trial.case is not None and not finished(place := trial.folder(target)):
                todo.setdefault(trial.case.hash, (trial.case, place))
        physics = registry.sources({name for case, _ in todo.values() for name in case.tables.models()})
        failures: dict[str, str] = {}
        try:
            if todo:
                with cluster_client(workers, scheduler) as client, bar(progress, len(trials), len(todo)) as step:
                    compute(client, todo, physics, failures, step)
        finally:  # interrupted sweeps have a table too
            table = gather(trials, target, failures)
        return table


def run_folder(target: Path, name: str) -> Path:
    """Return the folder of a run in that of its sweep, by its name, or by the hash at the end of it."""
    if not name or os.path.isdir(target / name):
        return target / name
    return min(target.glob(f"*-{glob.escape(name)}"), default=target / name)


def _label(values: Mapping[str, Any]) -> str:
    """Return values as part of the name of a file, cut where they are many; keys that end alike are there whole."""
    ends = {key: key.rpartition(".")[2] for key in values}
    alike = Counter(ends.values())
    text = "_".join(f"{key if alike[ends[key]] > 1 else ends[key]}={value}" for key, value in values.items())
    return re.sub(r"[^A-Za-z0-9.+=-]+", "_", re.sub(r"\s+", "", text))[:LABEL].rstrip("_-.")


def ended_early(table: pd.DataFrame) -> dict[str, int]:
    """Return the reasons for which runs ended before their time, and how many: their numbers are of that moment."""
    early = table.loc[~table["stopped"].isin([REACHED]) & table["t"].notna(), "stopped"] if "t" in table else table[:0]
    return {str(reason): int(number) for reason, number in early.value_counts().items()}


def gather(trials: Sequence[Trial], folder: Path, failures: Mapping[str, str]) -> pd.DataFrame:
    """Return one row for each trial, written as results.csv and results.parquet."""
    import pandas as pd  # half a second that the workers can do without

    table = pd.DataFrame([row(trial, folder, failures) for trial in trials])
    for column in table:
        if pd.api.types.infer_dtype(table[column]).startswith("mixed"):  # a wrong value beside right ones
            table[column] = table[column].map(str)
    units: dict[str, str] = {}
    for trial in trials:
        units |= _units(trial, folder)
    heads = {name: f"{name} [{units[name]}]" for name in table if name in units}
    table.rename(columns=heads).to_csv(folder / f"{TABLE}.csv", index=False)
    table.attrs["units"] = units
    table.to_parquet(folder / f"{TABLE}.parquet", index=False)
    return table


def row(trial: Trial, folder: Path, failures: Mapping[str, str]) -> Row:
    """Return the values and the result of one trial."""
    values = {key: _cell(value) for key, value in trial.values.items()}
    if trial.case is None:
        return {"hash": "", **values, "status": "failed", "error": trial.error, "wall": 0.0}
    name = trial.case.hash
    report = report_of(trial.folder(folder))
    return {
        "hash": name,
        **values,
        "status": "failed" if name in failures else report.get("status", "missing"),
        "stopped": report.get("stopped"),
        "error": failures.get(name, "") or report.get("error", ""),
        "wall": report.get("wall"),
        "t": report.get("t"),
        **(report.get("quantities") or {}),
        **{f"pattern.{key}": value for key, value in (report.get("pattern") or {}).items()},
    }


def _units(trial: Trial, folder: Path) -> dict[str, str]:
    """Return the units of the numbers in the row of a trial."""
    if trial.case is None:
        return {}
    written, keys = report_of(trial.folder(folder)).get("units") or {}, trial.case.units
    values = {key: keys.get(".".join(trial.case.path_of(key))) for key in trial.values}
    results = {name.removeprefix("quantities."): unit for name, unit in written.items() if not name.startswith("case.")}
    return {name: unit for name, unit in (values | results).items() if unit is not None}


def _cell(value: Any) -> Any:
    """Return a value as one cell of a table: lists and tables as JSON."""
    return json.dumps(plain(value)) if isinstance(value, list | tuple | Mapping) else value
