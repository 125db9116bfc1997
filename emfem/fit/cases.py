"""A case as the forward model of a fit: a run for each set of constants and conditions, each once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emfem.errors import EmfemError, UnknownName, require
from emfem.files import writable
from emfem.fit.curves import NAMED, Curve
from emfem.gate import checked
from emfem.integration import REACHED
from emfem.studies import Case, registry
from emfem.studies.recording import report_of
from emfem.studies.workers import one

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

type Array = NDArray[np.float64]
TIME = "t"


class CaseModel:
    """Results of a case with constants and conditions put into its keys; a model for `em.fit.fit`.

    With a condition "t" the values are those of the quantity at these times, between the lines of its series.csv, which
    [output] `every` must make fine enough; without, those at the end of the run. The output "t" is the time at which a
    [[time.stop]] ended the run, infinity if none did. Each run has a folder named by the hash of its case:
    one that is finished is not run again. Numbers are in SI.

    Attributes:
        fingerprint: a name for case, keys and output.
    """

    @checked(collective=MPI.COMM_WORLD)
    def __init__(
        self,
        case: Case,
        output: str,
        *,
        constants: Mapping[str, str | Sequence[str]],
        conditions: Mapping[str, str | Sequence[str]] | None = None,
        folder: os.PathLike[str] | str,
    ) -> None:
        """Take the case and its keys.

        Args:
            case: the case.
            output: name of a quantity, or "t".
            constants: the dotted key, or several, of the case for each constant.
            conditions: the same for each condition but "t".
            folder: of the runs.

        Raises:
            UnknownName: for a key that the case does not have.
            ParameterError: for a folder that cannot be written, or "t" as a condition with a key.
        """
        rows = {**constants, **(conditions or {})}
        self._keys = {name: (keys,) if isinstance(keys, str) else tuple(keys) for name, keys in rows.items()}
        require(
            len(rows) == len(constants) + len(conditions or {}),
            "a name of both constants and conditions, must be of one",
        )
        require(TIME not in self._keys, f"conditions have a key for {TIME!r}, must not: it is the time of the series")
        for keys in self._keys.values():
            for key in keys:
                case.path_of(key)
        self._tables, self._output = case.resolved, output
        self._folder = writable(Path(folder) / "runs").parent.resolve()
        self._physics = registry.sources(set(case.tables.models()))
        self.fingerprint = f"{case.hash} {sorted(self._keys.items())} {output}"

    def __call__(self, constants: Mapping[str, float], conditions: Mapping[str, Array]) -> Array:
        """Return the values of a curve, a run for each combination of conditions other than the time.

        Raises:
            UnknownName: for a constant or condition without a key.
            EmfemError: if a run fails, or ends before the last time.
        """
        self._check((*constants, *(set(conditions) - {TIME})))
        n = max((np.size(x) for x in conditions.values()), default=1)
        conditions = {name: np.broadcast_to(x, (n,)) for name, x in conditions.items()}
        names = [name for name in conditions if name != TIME]
        table = np.array([conditions[name] for name in names]).T.reshape(n, len(names))
        combinations, which = np.unique(table, axis=0, return_inverse=True)
        values = np.empty(n)
        for i, row in enumerate(combinations):
            points = which.ravel() == i
            folder = self._run({**constants, **dict(zip(names, map(float, row), strict=True))})
            times = conditions[TIME][points] if TIME in conditions else None
            values[points] = self._values(folder, times)
        return values

    def check(self, unknowns: Iterable[str], curve: Curve) -> None:
        """Refuse unknowns and a curve with a condition without a key, before a fit.

        Raises:
            UnknownName: as a call.
        """
        self._check((*unknowns, *(set(curve.inputs) - {TIME})))

    def _check(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self._keys:
                raise UnknownName(name, "the keys of the case", tuple(self._keys))

    def _run(self, values: Mapping[str, float]) -> Path:
        """Return the folder of a run that has reached its end.

        Raises:
            EmfemError: if it fails.
        """
        keys = {key: value for name, value in values.items() for key in self._keys[name]}
        case = Case.from_dict(self._tables).with_(**keys)
        folder = self._folder / case.hash
        if report_of(folder).get("status") != "ok":
            one(case.resolved, str(folder), self._physics)
        report = report_of(folder)
        if report.get("status") != "ok":
            msg = f"run {case.hash} failed: {report.get('error') or report.get('status')}"
            raise EmfemError(msg)
        return folder

    def _values(self, folder: Path, times: Array | None) -> Any:
        """Return the output of a run, at times or at its end.

        Raises:
            UnknownName: for a quantity that the run does not have.
            EmfemError: for a time after its end.
        """
        report = report_of(folder)
        if self._output == TIME:
            return np.inf if report["stopped"] == REACHED else float(report["t"])
        if times is None:
            if self._output not in report["quantities"]:
                raise UnknownName(self._output, "the run", report["quantities"])
            value = report["quantities"][self._output]
            return np.nan if value is None else float(value)
        import pandas as pd  # half a second that workers without a series can do without

        series = pd.read_csv(folder / "series.csv")
        series.columns = [match[1] if (match := NAMED.fullmatch(column)) else column for column in series.columns]
        if self._output not in series:
            raise UnknownName(self._output, "the series of the run", list(series.columns))
        t = series[TIME].to_numpy()
        if times.max() > t[-1] * (1 + 1e-9):
            msg = f"the run ends at {t[-1]:g}, before the time {times.max():g} of a point: {report['stopped']}"
            raise EmfemError(msg)
        return np.interp(times, t, series[self._output].to_numpy())
