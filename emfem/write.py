"""Observers that write: quantities as CSV, fields for ParaView."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence

from emfem import fields
from emfem.errors import ParameterError
from emfem.files import writable
from emfem.observe import Observer, model_with_field, model_with_quantity

import dolfinx.io
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import ArrayLike


class SeriesFile(Observer):
    """One CSV row at each chosen time; complete lines are on disk at any moment."""

    def __init__(
        self, path: os.PathLike[str] | str, names: Sequence[str] | None, every: float | None, times: ArrayLike | None
    ) -> None:
        """Take the file and what goes into it."""
        super().__init__(every, times)
        self.path = writable(path)
        self.names = None if names is None else tuple(names)

    def begin(self) -> None:
        """Write the header, each name with its unit."""
        if self.names is None:
            self.names = tuple(name for model in self.models for name in model.quantities)
        units = [model_with_quantity(self.models, name).quantities[name].unit for name in self.names]
        self._row(["t", *(f"{name} [{unit}]" for name, unit in zip(self.names, units, strict=True))], "w")

    def record(self, t: float) -> None:
        """Add a row."""
        self._row([t, *(model_with_quantity(self.models, name).quantity(name) for name in self.names or ())], "a")

    def _row(self, row: Sequence[object], mode: str) -> None:
        if self.models[0].mesh.comm.rank == 0:
            with self.path.open(mode, newline="") as file:
                csv.writer(file).writerow([repr(v) if isinstance(v, float) else v for v in row])


class FieldFile(Observer):
    """Fields at each chosen time as an ADIOS2 file that ParaView reads (VTX)."""

    def __init__(
        self, path: os.PathLike[str] | str, names: Sequence[str], every: float | None, times: ArrayLike | None
    ) -> None:
        """Take the file and the fields."""
        super().__init__(every, times)
        self.path = writable(path, ".bp")
        self.names = tuple(names)

    def begin(self) -> None:
        """Open the file; fields of a periodic mesh and derived fields go in cell by cell, all of one degree."""
        models = [model_with_field(self.models, name) for name in self.names]
        if len({id(model.mesh) for model in models}) != 1:
            msg = f"fields {', '.join(self.names)}, must live on one mesh"
            raise ParameterError(msg)
        model = models[0]
        degree = max(u.function.function_space.element.basix_element.degree for m in models for u in m.unknowns)
        self._sources = [model_with_field(self.models, name)[name] for name in self.names]
        self._copies: list[fem.Function] = []
        for name, source in zip(self.names, self._sources, strict=True):
            copy = fields.discontinuous(source, model.mesh, degree)
            copy.name = name
            self._copies.append(copy)
        self._writer = dolfinx.io.VTXWriter(model.mesh.comm, self.path, self._copies)

    def record(self, t: float) -> None:
        """Add a frame."""
        for copy, source in zip(self._copies, self._sources, strict=True):
            fields.refresh(copy, source)
        self._writer.write(t)

    def finish(self) -> None:
        """Close the file."""
        if hasattr(self, "_writer"):
            self._writer.close()


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


def vtx(
    path: os.PathLike[str] | str,
    names: Sequence[str],
    *,
    every: float | None = None,
    times: ArrayLike | None = None,
) -> FieldFile:
    """Write fields for ParaView.

    Args:
        path: a name ending in .bp; its folder is made.
        names: unknowns or derived fields of the models.
        every: period; after each step when left out with `times`.
        times: the times to write.

    Raises:
        ParameterError: if the file cannot be written, or names is one string or empty.
    """
    if isinstance(names, str) or not names:
        msg = f"names = {names!r}, must be a list of names"
        raise ParameterError(msg)
    return FieldFile(path, names, every, times)


def text(path: os.PathLike[str] | str, content: str, *, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
    """Write `content` once, on rank 0."""
    target = writable(path, comm=comm)
    if comm.rank == 0:
        target.write_text(content, encoding="utf-8")


def print_root(*lines: object, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
    """Print each line once, on rank 0. Collective: a line may need all ranks to be told."""
    told = [str(line) for line in lines]
    if comm.rank == 0:
        print(*told, sep="\n", flush=True)
