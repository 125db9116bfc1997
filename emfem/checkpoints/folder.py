"""Checkpoints of a run as it goes: a folder with the newest states, each complete, from which the run goes on."""

from __future__ import annotations

import json
import math
import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from emfem.checkpoints.nodes import Values
from emfem.checkpoints.states import Packed, StoredState, arrays, load, save, unpack
from emfem.dimensions import registry
from emfem.errors import ParameterError, RecoveryWarning, choice, count, number, require, shown
from emfem.files import ON_WRITE_ERROR, READ_ERRORS, Arrays, reason, save_arrays, writable
from emfem.gate import checked, collective
from emfem.lock import FolderLock
from emfem.model import Model

import numpy as np
from mpi4py import MPI

FORMAT = 1
NAME = "{:06d}.npz"
TIME = re.compile(r"\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z]+)\s*")
FINISHED = "reached until"

Tree = Mapping[str, Any]


@checked
class Checkpoint:
    """Folder in which a run keeps its state as it goes, to go on from after whatever ended it.

    A file is written aside by all ranks, comes to the disk, takes its name and is read back before the oldest one is
    removed. It has all that the run needs to take the very same steps: the unknowns, the integrator with its present
    factorisation, and what observers have recorded and written. Other integrators than "rosenbrock" begin anew from the
    state, as after a jump.

    Attributes:
        folder: the folder.
        resume: go on from what is in the folder.
        used: a run has begun with this object: what is in the folder is its own.
        seconds: that writing the last file took.
        in_parts: the run is one of several that follow each other; their ends are written only when a file is due.
    """

    save, load = staticmethod(save), staticmethod(load)  # of one state: em.checkpoint.save(models, path)

    def __init__(
        self,
        folder: os.PathLike[str] | str,
        *,
        every: float | str = "10 min",
        every_time: float | None = None,
        keep: int = 2,
        on_write_error: str = "warn",
        resume: bool = False,
    ) -> None:
        """Take the folder and the times to write.

        Args:
            folder: the folder; it is made.
            every: wall time between two files, in seconds or with a unit: "10 min", "2 h".
            every_time: time of the models between two files; written after the step that passes it. Both count.
            keep: number of files to keep.
            on_write_error: "warn" goes on where a file cannot be written, "stop" ends the run.
            resume: True goes on from what is in the folder, from the start if nothing is.

        Raises:
            ParameterError: for a value out of its bounds.
        """
        self.folder, self.resume = Path(folder), resume
        self._every = seconds("every", every)
        self._every_time = None if every_time is None else number("every_time", every_time, above=0.0)
        self._keep = count("keep", keep, at_least=1)
        self._on_write_error = choice("on_write_error", on_write_error, ON_WRITE_ERROR)
        self._written, self._next_time, self.seconds = time.monotonic(), math.inf, 0.0
        self.used = self.in_parts = False
        self._ended_at: float | None = None  # time that another run in the folder reached

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Checkpoint in {self.folder}: {len(self.files())} files>"

    def files(self) -> list[Path]:
        """Return the files, the newest first.

        Raises:
            ParameterError: if the folder cannot be read.
        """
        try:
            return sorted(self.folder.glob(f"{6 * '[0-9]'}.npz"), reverse=True)
        except OSError as error:
            msg = f"folder = {shown(str(self.folder))}, must be one that can be read: {error.strerror}"
            raise ParameterError(msg) from None

    @contextmanager
    def locked(self, comm: MPI.Comm) -> Iterator[None]:
        """Keep other runs out of the folder. Collective.

        Raises:
            ParameterError: if one is there, the folder cannot be written to, or ranks have other settings.
        """
        self.check_same(comm)
        writable(self.folder / NAME, comm=comm)
        with FolderLock(self.folder, comm=comm):
            yield

    def check_same(self, comm: MPI.Comm) -> None:
        """Refuse folders or settings that differ between ranks. Collective.

        Raises:
            ParameterError: for the first that does.
        """
        with collective(comm) as same:
            same |= {"folder": self.folder, "resume": self.resume, "every": self._every, "keep": self._keep}
            same |= {"every_time": self._every_time, "on_write_error": self._on_write_error}

    def begin(self, t: float, *, comm: MPI.Comm) -> None:
        """Begin to count the times at model time t; of another run that has ended remove the files."""
        if not (self.used and self.in_parts):  # a part may be shorter than the time between two files
            self._written = time.monotonic()
            self._next_time = math.inf if self._every_time is None else t + self._every_time
        if not self.used and comm.rank == 0:
            other = self._ended_at is not None and self._ended_at != t
            for path in (*(self.files() if other else ()), self._finished):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        self.used = True

    @property
    def _finished(self) -> Path:
        return self.folder / "finished"

    def finish(self) -> None:
        """Note that a run in parts has come to its end. On one rank."""
        with suppress(OSError):
            self._finished.touch()

    def due(self, t: float) -> bool:
        """Return True if a file is to be written at model time t; of rank 0, for its clock."""
        return t >= self._next_time or time.monotonic() - self._written >= self._every

    def write(self, models: Sequence[Model], run: Tree) -> Path | None:
        """Write a file with the state of models and run; return None if that fails. Collective.

        Raises:
            ParameterError: if it fails, and that is to end the run.
        """
        comm, t, began = models[0].mesh.comm, models[0].t, time.monotonic()
        packed, about = self._packed(models, run)
        text = comm.bcast(json.dumps(about), root=0)  # some states, such as sizes of files, are known to rank 0 alone
        rows, shared = arrays(models)
        shared |= packed.shared | {"about": np.frombuffer(text.encode(), dtype=np.uint8)}
        content = comm.allgather([(name, a.shape) for name, a in shared.items()] + [*rows, *packed.rows])
        old = comm.bcast(self.files(), root=0)
        target = self.folder / NAME.format(int(old[0].stem) + 1 if old else 0)
        try:
            require(all(each == content[0] for each in content), "observers have other states on other ranks")
            writable(target, comm=comm)
            save_arrays(target, rows | packed.rows, shared, comm=comm)
            _check(target, comm)
        except (ParameterError, BadZipFile, OSError) as error:
            self._report(error)
            return None
        finally:
            self._written = time.monotonic()
            self.seconds = self._written - began
            if self._every_time is not None:
                self._next_time = t + self._every_time
        if comm.rank == 0:
            for path in old[self._keep - 1 :]:
                with suppress(OSError):  # of this rank alone
                    path.unlink(missing_ok=True)
        return target

    def check(self, models: Sequence[Model], run: Tree) -> None:
        """Refuse a run whose state cannot be kept, before anything is computed.

        Raises:
            ParameterError: for an observer whose state is not made of numbers, texts, lists, tables with texts as keys,
                arrays and Functions of spaces of unknowns.
        """
        for observer, state in zip(run["kinds"], run["observers"], strict=True):
            try:
                json.dumps(Packed(models).pack(state))
            except (TypeError, ValueError, ParameterError) as error:
                msg = f"the state of {observer} cannot be kept in a checkpoint: {error}"
                raise ParameterError(msg) from None

    def _packed(self, models: Sequence[Model], run: Tree) -> tuple[Packed, dict[str, Any]]:
        """Return the state with its arrays put aside, and the rest as JSON takes it."""
        packed = Packed(models)
        about = packed.pack(run)["table"]
        return packed, about | {"format": FORMAT, "emfem": version("emfem"), "ranks": models[0].mesh.comm.size}

    def _report(self, error: Exception) -> None:
        """Warn, or end the run."""
        if self._on_write_error == "stop":
            raise ParameterError(str(error)) from None
        warnings.warn(f"checkpoint not written: {error}", RecoveryWarning, stacklevel=4)

    def read(self, models: Sequence[Model]) -> tuple[StoredState, dict[str, Any]] | None:
        """Return the newest state that is whole, and what was written with it; None if there is none. Collective.

        Raises:
            ParameterError: for a state of other models, or if no file can be read.
        """
        comm = models[0].mesh.comm
        files, reasons = comm.bcast(self.files(), root=0), []
        for path in files:
            try:
                about = read_about(path, comm)
                state = StoredState(Arrays(path, comm), models)
                tree = unpack({"table": about}, state)
            except ParameterError:  # of other models, or of a newer version
                raise
            except READ_ERRORS as error:
                reasons.append(f"{path} cannot be read: {reason(error)}")
                continue
            if about["emfem"] != version("emfem"):
                message = f"{path} is of emfem {about['emfem']}, this is {version('emfem')}: steps may differ"
                warnings.warn(message, RecoveryWarning, stacklevel=3)
            if reasons:
                warnings.warn(f"{'; '.join(reasons)}; going on from {path.name}", RecoveryWarning, stacklevel=3)
            return state, tree
        if reasons:
            raise ParameterError("; ".join(reasons))
        return None

    def newest(self, comm: MPI.Comm) -> SavedRun | None:
        """Return the newest file that is whole; None if there are no files. Collective.

        Raises:
            ParameterError: if there are files, and none can be read.
        """
        reasons = []
        for path in comm.bcast(self.files(), root=0):
            try:
                _check(path, comm)
                return SavedRun(path, comm)
            except READ_ERRORS as error:
                reasons.append(f"{path} cannot be read: {reason(error)}")
        if reasons:
            raise ParameterError("; ".join(reasons))
        return None

    def check_free(self, comm: MPI.Comm) -> None:
        """Refuse a folder with states of a run that did not come to its end. Collective.

        Raises:
            ParameterError: for such a one, or one of a newer version.
        """
        finished, files = comm.bcast((self._finished.exists(), self.files()), root=0)
        for path in files:
            try:
                about = read_about(path, comm)
            except ParameterError:  # of a newer version
                raise
            except READ_ERRORS:
                continue
            self._ended_at = about["t"]
            if not (finished or about["ended"]):
                msg = (
                    f"folder = {str(self.folder)!r}, must be another one: it holds the state at t = {about['t']:g} of "
                    "a run that did not end; resume=True goes on from it"
                )
                raise ParameterError(msg)
            return


class SavedRun:
    """A file of a checkpoint, before there are models for it.

    Attributes:
        about: numbers and texts of the run: "until", "rtol", "stopped" and so on.
    """

    def __init__(self, path: Path, comm: MPI.Comm) -> None:
        """Read the numbers and texts. Collective."""
        self.path, self._comm, self._stored = path, comm, Arrays(path, comm)
        self._about = read_about(path, comm)
        hidden = ("stepper", "observers")
        self.about = {name: unpack(value, None) for name, value in self._about.items() if name not in hidden}

    def observer(self, name: str) -> dict[str, Any]:
        """Return the state of an observer of this class, with its arrays, but not its Functions. Collective.

        Raises:
            ParameterError: if there is none.
        """
        kinds = self.about["kinds"]
        if name not in kinds:
            msg = f"{self.path} has no {name}, must be a checkpoint of another kind of run"
            raise ParameterError(msg)
        table = self._about["observers"][kinds.index(name)]["table"]
        return {key: self._value(value) for key, value in table.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict) and "array" in value:
            return np.array(self._stored[value["array"]])
        return value if isinstance(value, dict) and "function" in value else unpack(value, None)

    def function(self, entry: Mapping[str, str]) -> tuple[Values, Values]:
        """Return places from the mesh's lower corner, shape (n, dim), and values of all nodes of a Function."""
        return np.array(self._stored[f"{entry['of']}/x"]), np.array(self._stored[entry["function"]])

    def load(self, models: Sequence[Model]) -> None:
        """Give the models the state. Collective."""
        StoredState(self._stored, models).load()


def read_about(path: Path, comm: MPI.Comm = MPI.COMM_SELF) -> dict[str, Any]:
    """Return the description of a run in a file of a checkpoint. Collective.

    Raises:
        ParameterError: if it is of a newer format.
    """
    about = json.loads(bytes(Arrays(path, comm)["about"]).decode())
    if int(about["format"]) > FORMAT:
        msg = f"{path} has format {about['format']}, must be at most {FORMAT}: take emfem {about['emfem']} or newer"
        raise ParameterError(msg)
    return about


def _check(path: Path, comm: MPI.Comm) -> None:
    """Read a file back; damage is an error of the file."""
    stored = Arrays(path, comm)
    for name in stored:
        stored[name]


def seconds(name: str, value: float | str) -> float:
    """Return a time in seconds, of a number or a text with a unit such as "10 min".

    Raises:
        ParameterError: if it is none, or not positive.
    """
    if isinstance(value, str):
        match, value = TIME.fullmatch(value), value
        try:
            value = float(registry().Quantity(float(match[1]), match[2]).to("s").magnitude) if match else value
        except Exception:  # Pint raises errors of many kinds
            match = None
        if match is None:
            msg = f"{name} = {value!r}, must be a time in seconds or with its unit, such as '10 min'"
            raise ParameterError(msg)
    return number(name, value, above=0.0, unit="s")
