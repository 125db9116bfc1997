"""Results of a run or a sweep, from its folder alone: tables, the case, and fields at the times that were saved."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emfem import checkpoints, fields, plot, vtk
from emfem.dimensions import PLAIN
from emfem.errors import EmfemError, ParameterError, number, shown
from emfem.files import Arrays
from emfem.gate import checked
from emfem.model import Model
from emfem.observe import metal_around, model_with_field
from emfem.public import dir_of
from emfem.quantities import quantity
from emfem.storage import CONTENTS, READ_ERRORS, StateReader, contents
from emfem.studies import Case
from emfem.studies.pictures import function, picture, scalar
from emfem.studies.recording import REPORT, STATES, Recorder, read_report, report_of
from emfem.studies.sweep import TABLE, run_folder

import numpy as np
import pandas as pd
import pyvista
import xarray
from dolfinx import fem
from numpy.typing import ArrayLike, NDArray

__all__ = ["Recorder", "Results", "SavedFrames", "open"]
__dir__ = dir_of(__all__)

NAMED = re.compile(r"(.*) \[(.*)\]")  # name and unit of a column
NEAR = 1e-9  # part of the longest time within which two times are the same


@dataclass(frozen=True, eq=False, repr=False)
class Results:
    """Results of one run, or of a sweep.

    Attributes:
        folder: the folder; everything is read from there when it is needed.
    """

    folder: Path

    @property
    def sweep(self) -> bool:
        """True for a sweep."""
        return (self.folder / f"{TABLE}.parquet").is_file()

    @cached_property
    def case(self) -> Case:
        """The case that was run, with every value resolved.

        Raises:
            ParameterError: if there is none.
        """
        return Case.read(self._file("case.toml"))

    @cached_property
    def report(self) -> dict[str, Any]:
        """Report of the run: status, versions, wall time, steps, quantities and pattern at the end.

        The status is "running" while the run goes on, then "ok", "failed", "interrupted", "terminated" or "out of
        time"; "died" if its process is gone before it could report.

        Raises:
            ParameterError: if there is none, or half of one.
        """
        return read_report(self._file(REPORT).parent)

    @cached_property
    def series(self) -> pd.DataFrame:
        """Quantities against time, a column each and "t"; in `.attrs` their "units", and why the run "stopped".

        Raises:
            ParameterError: if there are none, or not even their names.
        """
        path = self._file("series.csv")
        try:
            table = pd.read_csv(path)
        except ValueError as error:
            msg = f"{path} cannot be read: {error}"
            raise ParameterError(msg) from None
        split = {column: NAMED.fullmatch(column) for column in table.columns}
        table = table.rename(columns={column: parts[1] for column, parts in split.items() if parts})
        table.attrs["units"] = {parts[1]: parts[2] for parts in split.values() if parts}
        table.attrs["stopped"] = report_of(self.folder).get("stopped")
        return table

    @cached_property
    def table(self) -> pd.DataFrame:
        """The runs of a sweep, one row each; in `.attrs` the "units" of its columns.

        Raises:
            ParameterError: if it is none.
        """
        return pd.read_parquet(self._file(f"{TABLE}.parquet"))

    @checked
    def run(self, name: str) -> Results:
        """One run of a sweep, by its hash or the name of its folder.

        Raises:
            ParameterError: if it is not there.
        """
        return open(run_folder(self.folder, name))

    @property
    def saved(self) -> list[Path]:
        """The files of its states, but for one that is being written."""
        files = sorted((self.folder / STATES).glob("*.npz"))
        return [path for path in files if not path.name.endswith(".part.npz")]

    @cached_property
    def _states(self) -> list[tuple[float, Path]]:
        """Time and file of each state, once."""
        states: dict[float, Path] = {}
        for path in self.saved:
            try:
                states.setdefault(float(Arrays(path)["t"]), path)
            except READ_ERRORS as error:
                self._unreadable(path, error)
        if not states:
            raise ParameterError(self._no_state())
        return sorted(states.items())

    def _unreadable(self, path: Path, error: Exception) -> None:
        """Refuse a state."""
        msg = f"{path} cannot be read: {error}"
        raise ParameterError(msg) from None

    def _no_state(self) -> str:
        """Return the message for a folder without states."""
        if self.sweep:
            return f"folder = {str(self.folder)!r}, must be that of a run: {self._sweep_hint()}"
        return f"folder = {str(self.folder)!r}, must be that of a run with a saved time: no state is saved"

    @property
    def times(self) -> NDArray[np.float64]:
        """The times of saved states, shape (n,).

        Raises:
            ParameterError: if there is none.
        """
        return np.array([t for t, _ in self._states])

    def time_of(self, time: Any) -> float:
        """Return a time as a number in the unit of the run, of one or of a text with a unit.

        Raises:
            ParameterError: if it is none.
        """
        if isinstance(time, str):
            unit = self._models[0].system.time
            try:
                value = quantity(time)
                time = value.magnitude if value.dimensionless else value.to("" if unit == PLAIN else unit).magnitude
            except Exception:  # Pint raises errors of many kinds
                msg = f"t = {time!r}, must be a number{'' if unit == PLAIN else ' or a time with its unit'}"
                raise ParameterError(msg) from None
        return number("t", time)

    @cached_property
    def _reader(self) -> StateReader | None:
        """Reader of the fields; None for a folder that was written by a version that stored no mesh."""
        former = not (self.folder / CONTENTS).is_file() and (self.folder / "case.toml").is_file()
        return None if former else StateReader(self._file(CONTENTS).parent)

    @cached_property
    def _models(self) -> list[Model]:
        return self.case.build() if self._reader is None else list(self._reader.models)

    @checked
    def models(self, t: float | str | None = None) -> list[Model]:
        """Return the models at a saved time, the last one when left out: fields, numbers and domain. Collective.

        The same models each time: read another time, and all that depends on them follows. They have no equations;
        those of a folder of before emfem stored meshes are built from its case.

        Args:
            t: a saved time, a number or a text with a unit, "1 hour".

        Raises:
            ParameterError: for a time that was not saved, with the nearest one; for a file that is missing, damaged or
                of a newer format.
        """
        times = self.times
        index = len(times) - 1
        if t is not None:
            t = self.time_of(t)
            index = int(np.argmin(np.abs(times - t)))
            if abs(times[index] - t) > NEAR * np.abs(times).max():
                msg = f"t = {t:g}, must be one of the {len(times)} times that were saved, such as {times[index]:g}"
                raise ParameterError(msg)
        if self._reader is None:
            checkpoints.load(self._models, self._states[index][1])
        else:
            self._reader.read(self._states[index][1])
        return self._models

    @checked
    def field(self, name: str, t: float | str | None = None) -> fem.Function:
        """Return a field at a saved time, a Function of its own on the stored mesh. Collective.

        Args:
            name: an unknown, or a derived field such as E.
            t: the time; the last one when left out.

        Raises:
            UnknownName: for a field that the models have not.
            ParameterError: for a time that was not saved.
        """
        return self._copied(name, t, plain=False)

    @checked
    def line_cut(
        self, name: str, a: ArrayLike, b: ArrayLike, n: int = 200, *, t: float | str | None = None
    ) -> pd.DataFrame:
        """Return the values of a field on a line at a saved time; see `em.fields.line_cut`. Collective."""
        return fields.line_cut(self.field(name, t), a, b, n)

    @checked
    def probe(self, name: str, points: ArrayLike, *, t: float | str | None = None) -> pd.DataFrame:
        """Return the values of a field at points at a saved time; see `em.fields.probe`. Collective."""
        return fields.probe(self.field(name, t), points)

    @checked
    def sample_grid(self, name: str, shape: Sequence[int], *, t: float | str | None = None) -> fields.Grid:
        """Return a field on a regular grid at a saved time; see `em.fields.sample_grid`. Collective."""
        return fields.sample_grid(self.field(name, t), shape)

    @checked
    def to_xarray(self, name: str, shape: Sequence[int], *, t: float | str | None = None) -> xarray.DataArray:
        """Return a field on a regular grid as a labelled array; see `em.fields.to_xarray`. Collective.

        All saved times follow each other along an axis "t" when `t` is left out.
        """
        if t is not None:
            return fields.to_xarray(self.field(name, t), shape)
        parts = [fields.to_xarray(self.field(name, float(each)), shape) for each in self.times]
        unit = {"units": self._models[0].system.time}
        return xarray.concat(parts, xarray.DataArray(self.times, dims="t", name="t", attrs=unit))

    @checked
    def to_pyvista(
        self, names: Sequence[str] | None = None, *, t: float | str | None = None
    ) -> pyvista.UnstructuredGrid | None:
        """Return fields, all when left out, at a saved time as a grid; see `em.vtk.to_pyvista`. Collective."""
        return vtk.to_pyvista(self.models(t), names)

    def _copied(self, name: str, t: float | str | None, *, plain: bool) -> fem.Function:
        """Field at a saved time, or of a vector its length."""
        model = model_with_field(self.models(t), name)
        return fields.copied((scalar if plain else function)(model, name))

    @checked
    def frames(self, name: str) -> SavedFrames:
        """Scalar field, or the length of a vector, at all saved times: for `em.plot.film_strip` and `animation`."""
        around = metal_around(self._models, name)
        solids = None if around is None else [self._copied(around, t, plain=True) for t in self.times]
        return SavedFrames(self.times, [self._copied(name, t, plain=True) for t in self.times], solids)

    @checked
    def plot(
        self,
        path: os.PathLike[str] | str | None = None,
        *,
        field: str | None = None,
        component: str | None = None,
        t: float | str | None = None,
    ) -> Path:
        """Draw a field at a saved time. Collective.

        Args:
            path: a name ending in .png, .pdf or .svg; FIELD.png in the folder when left out.
            field: the first unknown of the last model when left out.
            component: of a vector "x", "y", "z" or "magnitude", which it is when left out.
            t: the last time when left out.

        Returns:
            The path. For a figure to restyle draw the field yourself: `em.plot.field(results.field("c"))`.
        """
        models = self.models(t)
        name = models[-1].names[0] if field is None else field
        target = plot.style.picture(self.folder / f"{name}.png" if path is None else path)
        assert target is not None
        title = plot.labels.time(models[0]) if self.report.get("t") is not None else ""
        return picture(models, name, target, title, component)

    @checked
    def animation(
        self,
        path: os.PathLike[str] | str | None = None,
        *,
        field: str | None = None,
        frames_per_second: int = 10,
    ) -> Path:
        """Draw a field at all saved times, one after the other. Collective.

        Args:
            path: a name ending in .mp4 or .gif; FIELD.mp4 in the folder when left out.
            field: the first unknown of the last model when left out.
            frames_per_second: speed.
        """
        name = self.first_field() if field is None else field
        frames = self.frames(name)
        target = self.folder / f"{name}.mp4" if path is None else path
        return plot.animation(frames, target, frames_per_second=frames_per_second)

    def first_field(self) -> str:
        """First unknown of the last model: the first field by default."""
        return self._models[-1].names[0]

    def __repr__(self) -> str:
        """One line, from the files other than the mesh."""
        if self.sweep:
            return f"<results of a sweep in {str(self.folder)!r}: {len(self.table)} runs>"
        try:
            times, known = self.times, contents(self.folder)["models"]
        except (EmfemError, *READ_ERRORS):
            return f"<results in {str(self.folder)!r}>"
        names = ", ".join(name for model in known for name in model["fields"])
        unit = known[0]["system"]["time"]
        last = f"{times[-1]:g}{'' if unit == PLAIN else f' {unit}'}"
        return f"<results of a run in {str(self.folder)!r}: {len(times)} states to t = {last}; {names}>"

    def _file(self, name: str) -> Path:
        """File in the folder."""
        path = self.folder / name
        if not path.is_file():
            kind = "a sweep" if name.startswith(TABLE) else "a run"
            reason = self._sweep_hint() if self.sweep else self._no_file(name)
            msg = f"folder = {str(self.folder)!r}, must be that of {kind}: {reason}"
            raise ParameterError(msg)
        return path

    def _no_file(self, name: str) -> str:
        """Return the reason why a file is not there, as a part of a message."""
        if self.folder.is_file():
            return "it is a file"
        if (self.folder / "report.html").is_file():
            return "it is that of a sign-off, to be read in its report.html"
        return f"it has no {name}"

    def _sweep_hint(self) -> str:
        """Return the folders of the runs of a sweep, as a part of a message."""
        runs = sorted(path.parent.name for path in self.folder.glob(f"*/{REPORT}"))
        return f"it is a sweep, whose runs are its folders {', '.join(runs[:3])}{', ...' if len(runs) > 3 else ''}"


@dataclass(eq=False)
class SavedFrames:
    """A field at some times: `.t` of shape (n,), `.functions`, n Functions, and `.solids`, where there is metal."""

    t: NDArray[np.float64]
    functions: list[fem.Function]
    solids: list[fem.Function] | None = None


@checked
def open(folder: os.PathLike[str] | str) -> Results:
    """Return the results in a folder of `emfem run`, `emfem sweep` or a `Recorder`.

    Raises:
        ParameterError: if there are none.
    """
    results = Results(Path(folder))
    try:
        if not results.sweep:
            results._file(REPORT)
    except OSError as error:  # a name that no disk takes
        msg = f"folder = {shown(str(folder))}, must be one that can be read: {error.strerror}"
        raise ParameterError(msg) from None
    return results
