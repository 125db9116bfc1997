"""The folder of a run: who writes what into it, and when.

A run writes its report from its first second on, with its process and a sign of life, so that a reader can tell a run
that goes on from one whose process is gone. One run at a time writes into a folder: see `em.lock`.
"""

from __future__ import annotations

import json
import math
import os
import socket
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from signal import SIGINT, SIGTERM, SIGUSR1
from typing import Any

from emfem import write
from emfem.dimensions import Value
from emfem.errors import EmfemError, ParameterError, WriteWarning
from emfem.files import replace_text, writable
from emfem.gate import checked
from emfem.integration import WALL_TIME
from emfem.lock import FolderLock, holder
from emfem.model import Model
from emfem.signals import REASONS
from emfem.storage import CONTENTS, MESH, StateWriter
from emfem.studies import report_units
from emfem.versions import versions

from mpi4py import MPI
from numpy.typing import ArrayLike

REPORT = "report.json"
STATES, LAST = "states", "last.npz"
RUNNING, DIED = "running", "died"  # status of a run that goes on, and of one whose process is gone
STATUS = {  # of runs that ended before their time
    REASONS[SIGINT]: "interrupted",
    REASONS[SIGTERM]: "terminated",
    REASONS[SIGUSR1]: "terminated",
    WALL_TIME: "out of time",
}
BEAT = 10.0  # seconds between signs of life


class Report:
    """Report of a run in its folder, which is locked from `begin` to `end`.

    Attributes:
        folder: the folder.
        content: what all its versions hold.
        units: of the numbers that it may have, by dotted name.
    """

    def __init__(
        self, folder: os.PathLike[str] | str, content: Mapping[str, Any], *, comm: MPI.Comm = MPI.COMM_WORLD
    ) -> None:
        """Take the folder and the content."""
        self.folder, self._comm = Path(folder), comm
        self.content = {**content, "versions": versions(), "ranks": comm.size}
        self.units = dict(report_units.RUN)
        self._lock = FolderLock(self.folder, comm=comm)
        self._warned = False

    def locked(self) -> FolderLock:
        """Return the lock of the folder, a context."""
        return self._lock

    def begin(self) -> None:
        """Lock the folder, and report that the run goes on. Collective.

        Raises:
            ParameterError: if another process writes there, or it cannot be written to.
        """
        self._lock.acquire()
        self._began = self._beaten = time.monotonic()
        self._signs = {"pid": os.getpid(), "host": socket.gethostname(), "started": _now()}
        write_report(self.folder, self.with_units(self._running()), comm=self._comm)

    def beat(self, t: float) -> None:
        """Show that the run is alive and where it is, if the last sign is old; a full disk does not end it."""
        if self._comm.rank == 0 and time.monotonic() - self._beaten > BEAT:
            self._beaten = time.monotonic()
            self._lock.touch()
            try:
                replace_text(self.folder / REPORT, _json(self.with_units(self._running() | {"t": t})))
            except OSError as error:
                self._warn(error)

    def end(self, status: str, error: str = "", **content: Any) -> None:
        """Report the end, and free the folder. Collective.

        Raises:
            ParameterError: if it cannot be written.
        """
        try:
            report = self.with_units(self._ended(status, error) | content)
            write_report(self.folder, report, comm=self._comm)
        finally:
            self._lock.release()

    def fail(self, error: BaseException | None) -> None:
        """Report an error, as far as the disk takes it, and free the folder; for ranks that may not be together."""
        text = str(error) if isinstance(error, EmfemError) else f"{type(error).__name__}: {error}" if error else ""
        if self._comm.rank == 0:
            try:
                replace_text(self.folder / REPORT, _json(self.with_units(self._ended("failed", text))))
            except OSError as trouble:
                self._warn(trouble)
        self._lock.release()

    def with_units(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """Return a report with a table of the units of its numbers."""
        return {**report, "units": report_units.units(report, self.units)}

    def _running(self) -> dict[str, Any]:
        return {"status": RUNNING, "error": "", **self._signs, "heartbeat": _now(), **self.content}

    def _ended(self, status: str, error: str) -> dict[str, Any]:
        return {"status": status, "error": error, "wall": time.monotonic() - self._began, **self.content}

    def _warn(self, error: OSError) -> None:
        """Warn once."""
        if not self._warned:
            self._warned = True
            msg = f"{self.folder / REPORT} cannot be written: {error.strerror}; the run goes on"
            warnings.warn(msg, WriteWarning, stacklevel=2)


class States(write.Writer):
    """Saves all fields of the models at each chosen time as a file of its own.

    Attributes:
        folder: the folder of the run.
        count: number of files.
    """

    saved = (*write.Writer.saved, "count")

    def __init__(
        self,
        folder: os.PathLike[str] | str,
        every: float | None,
        times: ArrayLike | None,
        *,
        on_write_error: str = "stop",
    ) -> None:
        """Take the folder and the times; `times=()` for the last state alone."""
        super().__init__(every, times, on_write_error)
        self.folder, self.count = Path(folder), 0
        self._writer: StateWriter | None = None

    def begin(self) -> None:
        """Write mesh and table of contents; of a run that goes on remove the states of after its checkpoint."""
        if not self.continued:
            self.count = 0
            self._writer = StateWriter(self.folder, self.models)
        elif self._writer is None:
            self._writer = StateWriter(self.folder, self.models, resume=True)
        if self.models[0].mesh.comm.rank == 0:
            for path in (self.folder / STATES).glob("*.npz"):
                if path.stem.isdecimal() and int(path.stem) >= self.count:
                    path.unlink(missing_ok=True)

    def record(self, t: float) -> None:
        """Save a file."""
        if self.save(f"{self.count:04d}.npz"):
            self.count += 1

    def save(self, name: str) -> bool:
        """Save the present state as a file of this name; return False if it cannot be written. Collective.

        Raises:
            ParameterError: if it cannot be written, and that is to end the run.
        """
        writer, path = self._writer, self.folder / STATES / name
        if writer is None:  # the run never began
            return False

        def action() -> None:
            writer.save(path)

        return self.attempt(action)


@checked
class Recorder(States):
    """Writes a folder that `em.results.open` and the viewer read: all fields at chosen times, the series, and a report.

    Attributes:
        folder: the folder; files of an earlier run in it are replaced when the run begins.
    """

    def __init__(
        self,
        folder: os.PathLike[str] | str,
        *,
        every: float | None = None,
        times: ArrayLike | None = None,
        on_write_error: str = "stop",
    ) -> None:
        """Take the folder and the times.

        Args:
            folder: the folder; it is made. One run at a time writes there.
            every: period [time of the models]; after each step when left out with `times`.
            times: increasing [time of the models].
            on_write_error: "stop" ends the run if a state cannot be written; "warn" goes on without it.

        Raises:
            ParameterError: if the folder cannot be written to, or for wrong times; at the start of the run, if another
                one writes there, or if the models live on several meshes.
        """
        super().__init__(folder, every, times, on_write_error=on_write_error)
        writable(self.folder / REPORT)
        self._series = write.series(self.folder / "series.csv")
        self._report: Report | None = None

    def begin(self) -> None:
        """Write mesh, table of contents, and the first report."""
        comm = self.models[0].mesh.comm
        report = Report(self.folder, {}, comm=comm)
        of_case = comm.rank == 0 and bool(report_of(self.folder).get("hash"))
        report.begin()
        report.units |= report_units.of_run(self.models)
        self._report = report
        if not self.continued:
            if of_case:
                (self.folder / "case.toml").unlink(missing_ok=True)  # of another run: of `emfem run`
            clear(self.folder, comm=comm)
        super().begin()
        self._series.models, self._series.continued = self.models, self.continued
        self._series.begin()

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps, that of the series too."""
        return super().state() | {"series": self._series.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take it back."""
        super().restore(state)
        self._series.restore(state["series"])

    def look(self, t: float, *, last: bool = False) -> str | None:
        """Record as every observer; show that the run is alive."""
        if self._report is not None:
            self._report.beat(t)
        return super().look(t, last=last)

    def record(self, t: float) -> None:
        """Save a state and a row of the series."""
        super().record(t)
        self._series.record(t)

    def finish(self) -> None:
        """Write the report; after an error on rank 0 alone, for other ranks may be elsewhere then."""
        if self._report is None:
            return
        report, self._report = self._report, None
        if not self.stopped:
            report.fail(sys.exception())
            return
        values = measured(report, self.models)
        report.end(status_of(self.stopped), stopped=self.stopped, t=self.models[0].t, quantities=values)


def status_of(stopped: str) -> str:
    """Return the status of a run that ended without an error, from the reason why it ended."""
    return STATUS.get(stopped, "ok")


def measured(report: Report, models: Sequence[Model], measures: Mapping[str, Value] | None = None) -> dict[str, float]:
    """Return all quantities of the models and measures; the report gets their units. Collective."""
    values = {name: Value(model.quantity(name), q.unit) for model in models for name, q in model.quantities.items()}
    values |= measures or {}
    report.units |= report_units.of_run(models) | {f"quantities.{name}": value.unit for name, value in values.items()}
    return {name: value.number for name, value in values.items()}


def write_report(folder: Path, report: Mapping[str, Any], *, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
    """Write the report, whole at any moment; a value that JSON has no number for is null. Collective.

    Raises:
        ParameterError: if it cannot be written.
    """
    write.text(folder / REPORT, _json(report), comm=comm)


def report_of(folder: Path) -> dict[str, Any]:
    """Return the report of a run; empty if there is none, or half of one."""
    try:
        return read_report(folder)
    except ParameterError:
        return {}


def read_report(folder: Path) -> dict[str, Any]:
    """Return the report of a run; one that should be running, but whose process is gone, has died.

    Raises:
        ParameterError: if there is none, or half of one.
    """
    path = Path(folder) / REPORT
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(report, dict):
            msg = "it is no table"
            raise ValueError(msg)
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ParameterError(msg) from None
    if report.get("status") == RUNNING and holder(path.parent) is None:
        process = f"its process {report.get('pid')} on host {report.get('host')} is gone"
        report |= {"status": DIED, "error": f"{process}; its last sign of life is of {report.get('heartbeat')}"}
    return report


def clear(folder: Path, *more: str, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
    """Remove mesh and states of an earlier run, and the .npz files in more of its folders. Collective.

    Raises:
        ParameterError: if they cannot be removed.
    """
    trouble = None
    if comm.rank == 0:
        try:
            saved = (path for name in (STATES, *more) for path in sorted((folder / name).glob("*.npz")))
            for path in (folder / CONTENTS, folder / MESH, *saved):
                path.unlink(missing_ok=True)
        except OSError as error:
            trouble = f"{error.filename} cannot be removed: {error.strerror}"
    trouble = comm.bcast(trouble, root=0)
    if trouble:
        msg = f"folder = {str(folder)!r}, must be one that can be written to: {trouble}"
        raise ParameterError(msg)


def _json(report: Mapping[str, Any]) -> str:
    return json.dumps(_finite(report), indent=2, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
