"""Observers that write: quantities as CSV, fields for ParaView, PyVista and meshio."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence

from emfem import vtk
from emfem.dimensions import PLAIN
from emfem.errors import ParameterError
from emfem.files import writable
from emfem.observe import Observer, model_with_quantity
from emfem.public import dir_of

import dolfinx.io
from mpi4py import MPI
from numpy.typing import ArrayLike

__all__ = ["AdiosFile", "FieldFile", "SeriesFile", "VtuFiles", "print_root", "series", "text", "vtu", "vtx"]
__dir__ = dir_of(__all__)


class SeriesFile(Observer):
    """One CSV row at each chosen time; complete lines are on disk at any moment."""

    def __init__(
        self, path: os.PathLike[str] | str, names: Sequence[str] | None, every: float | None, times: ArrayLike | None
    ) -> None:
        """Take the file and its columns."""
        super().__init__(every, times)
        self.path = writable(path)
        self.names = None if names is None else tuple(names)

    def begin(self) -> None:
        """Write the header, each name with its unit."""
        if self.names is None:
            self.names = tuple(name for model in self.models for name in model.quantities)
        units = [model_with_quantity(self.models, name).quantities[name].unit for name in self.names]
        time = self.models[0].system.time
        heading = "t" if time == PLAIN else f"t [{time}]"
        self._row([heading, *(f"{name} [{unit}]" for name, unit in zip(self.names, units, strict=True))], "w")

    def record(self, t: float) -> None:
        """Add a row."""
        self._row([t, *(model_with_quantity(self.models, name).quantity(name) for name in self.names or ())], "a")

    def _row(self, row: Sequence[object], mode: str) -> None:
        if self.models[0].mesh.comm.rank == 0:
            with self.path.open(mode, newline="") as file:
                csv.writer(file).writerow([repr(v) if isinstance(v, float) else v for v in row])


class FieldFile(Observer):
    """Fields at each chosen time, cell by cell."""

    def __init__(
        self,
        path: os.PathLike[str] | str,
        names: Sequence[str],
        every: float | None,
        times: ArrayLike | None,
        suffix: str,
    ) -> None:
        """Take the file and the fields."""
        if isinstance(names, str) or not names:
            msg = f"names = {names!r}, must be a list of names"
            raise ParameterError(msg)
        super().__init__(every, times)
        self.path = writable(path, suffix)
        self.names = tuple(names)

    def begin(self) -> None:
        """Interpolate the fields for the first time."""
        self.cells = vtk.CellFields(self.models, self.names, curved=self.path.suffix == ".pvd")


class AdiosFile(FieldFile):
    """Fields at each chosen time as an ADIOS2 file that ParaView reads (VTX)."""

    def begin(self) -> None:
        """Open the file."""
        super().begin()
        self._writer = dolfinx.io.VTXWriter(self.models[0].mesh.comm, self.path, list(self.cells.functions.values()))

    def record(self, t: float) -> None:
        """Add a frame."""
        self.cells.refresh()
        self._writer.write(t)

    def finish(self) -> None:
        """Close the file."""
        if hasattr(self, "_writer"):
            self._writer.close()


class VtuFiles(FieldFile):
    """Fields at each chosen time as a .vtu file of its own, and a .pvd file that lists them with their times."""

    def begin(self) -> None:
        """Remove frames of an earlier run."""
        super().begin()
        self.frames: dict[str, float] = {}
        self.folder = self.path.with_suffix("")
        writable(self.folder / "0000.vtu")
        if self.models[0].mesh.comm.rank == 0:
            for old in self.folder.glob("[0-9]*.vtu"):
                old.unlink()

    def record(self, t: float) -> None:
        """Add a frame."""
        self.cells.refresh()
        name = f"{len(self.frames):04d}.vtu"
        vtk.write_vtu(self.folder / name, self.cells, t)
        self.frames[f"{self.folder.name}/{name}"] = t
        text(self.path, vtk.collection(self.frames), comm=self.models[0].mesh.comm)


def series(
    path: os.PathLike[str] | str,
    *,
    quantities: Sequence[str] | None = None,
    every: float | None = None,
    times: ArrayLike | None = None,
) -> SeriesFile:
    """Write quantities against time as CSV, the header with units.

    Args:
        path: the file; its folder is made.
        quantities: names; all that the models can tell when left out.
        every: period; after each step when left out with `times`.
        times: the times to write a row.

    Raises:
        ParameterError: if the file cannot be written, or quantities is one string.
    """
    if isinstance(quantities, str):
        msg = f"quantities = {quantities!r}, must be a list of names"
        raise ParameterError(msg)
    return SeriesFile(path, quantities, every, times)


def vtu(
    path: os.PathLike[str] | str,
    names: Sequence[str],
    *,
    every: float | None = None,
    times: ArrayLike | None = None,
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

    Raises:
        ParameterError: if the file cannot be written, or names is one string or empty.
    """
    return VtuFiles(path, names, every, times, ".pvd")


def vtx(
    path: os.PathLike[str] | str,
    names: Sequence[str],
    *,
    every: float | None = None,
    times: ArrayLike | None = None,
) -> AdiosFile:
    """Write fields as one ADIOS2 file for a ParaView that reads it; `vtu` is read by more programs.

    Args:
        path: a name ending in .bp; its folder is made.
        names: as in `vtu`.
        every: as in `vtu`.
        times: as in `vtu`.

    Raises:
        ParameterError: if the file cannot be written, or names is one string or empty.
    """
    return AdiosFile(path, names, every, times, ".bp")


def text(path: os.PathLike[str] | str, content: str, *, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
    """Write `content` once, on rank 0."""
    target = writable(path, comm=comm)
    if comm.rank == 0:
        target.write_text(content, encoding="utf-8")


def print_root(*lines: object, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
    """Print each line once, on rank 0. Collective: the text of a line may need all ranks."""
    texts = [str(line) for line in lines]
    if comm.rank == 0:
        print(*texts, sep="\n", flush=True)
