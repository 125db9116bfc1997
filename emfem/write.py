"""Observers that write: quantities as CSV, fields for ParaView, PyVista and meshio."""

from __future__ import annotations

import csv
import io
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from emfem import vtk
from emfem.dimensions import PLAIN
from emfem.errors import ParameterError, WriteWarning, choice
from emfem.files import ON_WRITE_ERROR, reason, replace_text, sync, writable
from emfem.gate import checked, collective
from emfem.observe import Observer, model_with_quantity
from emfem.public import dir_of

import dolfinx.io
from mpi4py import MPI
from numpy.typing import ArrayLike

__all__ = ["AdiosFile", "FieldFile", "SeriesFile", "VtuFiles", "print_root", "series", "text", "vtu", "vtx"]
__dir__ = dir_of(__all__)


class Writer(Observer):
    """Observer that writes files; an error of writing is a warning, or ends the run."""

    def __init__(self, every: float | None, times: ArrayLike | None, on_write_error: str) -> None:
        """Choose the times, and what an error of writing does."""
        super().__init__(every, times)
        self.on_write_error = choice("on_write_error", on_write_error, ON_WRITE_ERROR)

    def attempt(self, action: Callable[[], None]) -> bool:
        """Write, on all ranks or on some; return True if all could. Collective.

        Raises:
            ParameterError: if one could not, and that is to end the run.
        """
        trouble = ""
        try:
            action()
        except (OSError, RuntimeError, ParameterError) as error:
            trouble = reason(error)
        comm = self.models[0].mesh.comm
        trouble = next(filter(None, comm.allgather(trouble)), "")
        if trouble:
            report_write_error(f"{type(self).__name__} at t = {self.models[0].t:g}: {trouble}", self.on_write_error)
        return not trouble


class SeriesFile(Writer):
    """One CSV row at each chosen time; complete lines are on disk at any moment.

    Rows that cannot be written wait for the next time.
    """

    saved = (*Writer.saved, "_size", "_waiting")

    def __init__(
        self,
        path: os.PathLike[str] | str,
        names: Sequence[str] | None,
        every: float | None,
        times: ArrayLike | None,
        on_write_error: str = "warn",
    ) -> None:
        """Take the file and its columns."""
        super().__init__(every, times, on_write_error)
        self.path = writable(path)
        self.names = None if names is None else tuple(names)
        self._size = 0  # of the file in bytes, known to rank 0
        self._waiting = ""  # rows that could not be written

    def begin(self) -> None:
        """Write the header, each name with its unit; of a run that goes on cut off what came after its checkpoint.

        Raises:
            ParameterError: if the file of a run that goes on is not there, or ranks have different files.
        """
        with collective(self.models[0].mesh.comm) as same:
            same["path"] = self.path
        if self.names is None:
            self.names = tuple(name for model in self.models for name in model.quantities)
        units = [model_with_quantity(self.models, name).quantities[name].unit for name in self.names]
        if self.continued:
            self._cut()
            return
        self._waiting = ""
        self._size = 0
        time = self.models[0].system.time
        heading = "t" if time == PLAIN else f"t [{time}]"
        self._row([heading, *(f"{name} [{unit}]" for name, unit in zip(self.names, units, strict=True))])

    def _cut(self) -> None:
        """Cut off rows of after the checkpoint. Collective."""
        size = self.path.stat().st_size if self.models[0].mesh.comm.rank == 0 and self.path.is_file() else 0
        missing = self.models[0].mesh.comm.bcast(size < self._size, root=0)
        if missing:
            msg = f"path = {str(self.path)!r}, must have the rows of the run that goes on: it is missing or shorter"
            raise ParameterError(msg)
        if self.models[0].mesh.comm.rank == 0 and self._size:
            os.truncate(self.path, self._size)

    def record(self, t: float) -> None:
        """Add a row."""
        self._row([t, *(model_with_quantity(self.models, name).quantity(name) for name in self.names or ())])

    def _row(self, row: Sequence[object]) -> None:
        line = io.StringIO()
        csv.writer(line).writerow([repr(float(v)) if isinstance(v, float) else v for v in row])
        before = self._waiting
        self._waiting += line.getvalue()
        try:
            self.attempt(self._append)
        except ParameterError:  # the run ends; when it goes on the row comes again
            self._waiting = before
            raise

    def _append(self) -> None:
        """Write the rows that wait behind the last complete one, on rank 0; all of them or none."""
        if self.models[0].mesh.comm.rank == 0:
            with self.path.open("r+b" if self._size else "wb") as file:
                file.truncate(self._size)
                file.seek(self._size)
                content = self._waiting.encode()
                file.write(content)
            self._size += len(content)
        self._waiting = ""

    def state(self) -> dict[str, Any]:
        """Return the size of the file, which is on disk then."""
        with suppress(OSError):  # of rank 0 alone
            if self.models[0].mesh.comm.rank == 0 and self.path.is_file():
                sync(self.path)
        return super().state()


class FieldFile(Writer):
    """Fields at each chosen time, cell by cell."""

    def __init__(
        self,
        path: os.PathLike[str] | str,
        names: Sequence[str],
        every: float | None,
        times: ArrayLike | None,
        suffix: str,
        on_write_error: str = "warn",
    ) -> None:
        """Take the file and the fields."""
        if isinstance(names, str) or not len(names):
            msg = f"names = {names!r}, must be a list of names"
            raise ParameterError(msg)
        super().__init__(every, times, on_write_error)
        self.path = writable(path, suffix)
        self.names = tuple(names)

    def begin(self) -> None:
        """Interpolate the fields for the first time."""
        with collective(self.models[0].mesh.comm) as same:
            same["path"] = self.path
        self.cells = vtk.CellFields(self.models, self.names, curved=self.path.suffix == ".pvd")


class AdiosFile(FieldFile):
    """Fields at each chosen time as an ADIOS2 file that ParaView reads (VTX).

    Such a file cannot be opened again: a run that goes on writes the next one, NAME-1.bp.
    """

    saved = (*FieldFile.saved, "part")
    part = 0

    def begin(self) -> None:
        """Open the file."""
        super().begin()
        self.part = self.part + 1 if self.continued else 0
        path = self.path.with_stem(f"{self.path.stem}-{self.part}") if self.part else self.path
        self._writer = dolfinx.io.VTXWriter(self.models[0].mesh.comm, path, list(self.cells.functions.values()))

    def record(self, t: float) -> None:
        """Add a frame."""
        self.cells.refresh()
        self.attempt(lambda: self._writer.write(t))

    def finish(self) -> None:
        """Close the file."""
        if hasattr(self, "_writer"):
            self.attempt(self._writer.close)


class VtuFiles(FieldFile):
    """Fields at each chosen time as a .vtu file of its own, and a .pvd file that lists them with their times."""

    saved = (*FieldFile.saved, "frames")

    def begin(self) -> None:
        """Remove frames of an earlier run, or of after the checkpoint."""
        super().begin()
        if not self.continued:
            self.frames: dict[str, float] = {}
        self.folder = self.path.with_suffix("")
        writable(self.folder / "0000.vtu")
        if self.models[0].mesh.comm.rank == 0:
            for old in self.folder.glob("[0-9]*.vtu"):
                if f"{self.folder.name}/{old.name}" not in self.frames:
                    old.unlink()

    def record(self, t: float) -> None:
        """Add a frame."""
        self.cells.refresh()
        name = f"{len(self.frames):04d}.vtu"
        self.attempt(lambda: self._write(name, t))

    def _write(self, name: str, t: float) -> None:
        """Write a frame, and the list with it."""
        comm = self.models[0].mesh.comm
        vtk.write_vtu(writable(self.folder / name, comm=comm), self.cells, t)
        frames = self.frames | {f"{self.folder.name}/{name}": t}
        text(self.path, vtk.collection(frames), comm=comm)
        self.frames = frames


@checked(collective=MPI.COMM_WORLD, local=("path", "quantities", "every", "times", "on_write_error"))
def series(
    path: os.PathLike[str] | str,
    *,
    quantities: Sequence[str] | None = None,
    every: float | None = None,
    times: ArrayLike | None = None,
    on_write_error: str = "warn",
) -> SeriesFile:
    """Write quantities against time as CSV, the header with units.

    Args:
        path: the file; its folder is made.
        quantities: names; all that the models can tell when left out.
        every: period; after each step when left out with `times`.
        times: the times to write a row.
        on_write_error: "warn" goes on, and writes the row later; "stop" ends the run.

    Raises:
        ParameterError: if the file cannot be written, or quantities is one string.
    """
    if isinstance(quantities, str):
        msg = f"quantities = {quantities!r}, must be a list of names"
        raise ParameterError(msg)
    return SeriesFile(path, quantities, every, times, on_write_error)


@checked(collective=MPI.COMM_WORLD, local=("path", "names", "every", "times", "on_write_error"))
def vtu(
    path: os.PathLike[str] | str,
    names: Sequence[str],
    *,
    every: float | None = None,
    times: ArrayLike | None = None,
    on_write_error: str = "warn",
) -> VtuFiles:
    """Write fields for ParaView, PyVista and meshio.

    A .pvd file lists the times; a folder of its name holds a .vtu file for each, written by all ranks together. Cells
    of a degree above 1 are Lagrange cells. The field data hold the time, "TimeValue", and units and names of regions,
    "about", as bytes of JSON.

    Args:
        path: a name ending in .pvd; its folder is made.
        names: unknowns or derived fields of the models.
        every: period; after each step when left out with `times`.
        times: the times to write.
        on_write_error: "warn" goes on without the frame; "stop" ends the run.

    Raises:
        ParameterError: if the file cannot be written, or names is one string or empty.
    """
    return VtuFiles(path, names, every, times, ".pvd", on_write_error)


@checked(collective=MPI.COMM_WORLD, local=("path", "names", "every", "times", "on_write_error"))
def vtx(
    path: os.PathLike[str] | str,
    names: Sequence[str],
    *,
    every: float | None = None,
    times: ArrayLike | None = None,
    on_write_error: str = "warn",
) -> AdiosFile:
    """Write fields as one ADIOS2 file for a ParaView that reads it; `vtu` is read by more programs.

    Args:
        path: a name ending in .bp; its folder is made.
        names: as in `vtu`.
        every: as in `vtu`.
        times: as in `vtu`.
        on_write_error: as in `vtu`.

    Raises:
        ParameterError: if the file cannot be written, or names is one string or empty.
    """
    return AdiosFile(path, names, every, times, ".bp", on_write_error)


@checked(collective=True, local=("content",))
def text(path: os.PathLike[str] | str, content: str, *, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
    """Write `content` once, on rank 0; at any moment the file has all of it, or all that it had before. Collective.

    Raises:
        ParameterError: if it cannot be written; on all ranks.
    """
    target, trouble = writable(path, comm=comm), ""
    if comm.rank == 0:
        try:
            replace_text(target, content)
        except OSError as error:
            trouble = reason(error)
    trouble = comm.bcast(trouble, root=0)
    if trouble:
        msg = f"path = {str(path)!r}, must be a file that can be written: {trouble}"
        raise ParameterError(msg)


def report_write_error(message: str, on_write_error: str) -> None:
    """Warn of an error of writing, or end the run with it.

    Raises:
        ParameterError: if it is to end the run.
    """
    if on_write_error == "stop":
        raise ParameterError(message)
    warnings.warn(message, WriteWarning, stacklevel=2)


@checked
def print_root(*lines: object, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
    """Print each line once, on rank 0. Collective: the text of a line may need all ranks."""
    texts = [str(line) for line in lines]
    if comm.rank == 0:
        print(*texts, sep="\n", flush=True)
