"""What a run or a sweep left on disk, opened again: tables, the case, and fields at the times that were saved."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emfem import checkpoint, fields, plot
from emfem.errors import ParameterError, number
from emfem.model import Model
from emfem.observe import model_with_field
from emfem.studies import Case
from emfem.studies.running import REPORT, function, picture, scalar
from emfem.studies.sweep import TABLE, report_of

import numpy as np
import pandas as pd
from dolfinx import fem
from numpy.typing import NDArray

NAMED = re.compile(r"(.*) \[(.*)\]")  # name and unit of a column
NEAR = 1e-9  # part of the longest time within which a saved time is the one that was asked for


@dataclass(frozen=True, eq=False)
class Results:
    """What one run left, or a sweep.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @property
    def sweep(self) -> bool:
        """Whether it is a sweep."""
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
        """How it went: status, versions, wall time, steps, quantities and pattern at the end.

        Raises:
            ParameterError: if there is none.
        """
        return json.loads(self._file(REPORT).read_text(encoding="utf-8"))

    @cached_property
    def series(self) -> pd.DataFrame:
        """Quantities against time, a column each and "t"; in `.attrs` their "units", and why the run "stopped".

        Raises:
            ParameterError: if there are none.
        """
        table = pd.read_csv(self._file("series.csv"))
        split = {column: NAMED.fullmatch(column) for column in table.columns}
        named = {column: found[1] for column, found in split.items() if found}
        table = table.rename(columns=named)
        table.attrs["units"] = {found[1]: found[2] for found in split.values() if found}
        table.attrs["stopped"] = report_of(self.folder).get("stopped")
        return table

    @cached_property
    def table(self) -> pd.DataFrame:
        """The runs of a sweep, one row each.

        Raises:
            ParameterError: if it is none.
        """
        return pd.read_parquet(self._file(f"{TABLE}.parquet"))

    def run(self, name: str) -> Results:
        """One run of a sweep, by its hash.

        Raises:
            ParameterError: if it is not there.
        """
        return open(self.folder / name)

    @property
    def saved(self) -> list[Path]:
        """The files of its states, but for one that is being written."""
        files = sorted((self.folder / "states").glob("*.npz"))
        return [path for path in files if not path.name.endswith(".part.npz")]

    @cached_property
    def _states(self) -> list[tuple[float, Path]]:
        """Time and file of each state, once."""
        found: dict[float, Path] = {}
        for path in self.saved:
            with np.load(path) as stored:
                found.setdefault(float(stored["t"]), path)
        if not found:
            msg = f"{self.folder}: no state is saved, must be a run that came to a time that is"
            raise ParameterError(msg)
        return sorted(found.items())

    @property
    def times(self) -> NDArray[np.float64]:
        """The times of saved states, shape (n,).

        Raises:
            ParameterError: if there is none.
        """
        return np.array([t for t, _ in self._states])

    def time_of(self, told: Any) -> float:
        """A time as a number, of one or of a text with a unit, in that of the run.

        Raises:
            ParameterError: if it is none.
        """
        if isinstance(told, str):  # read as the file would be
            told = self.case.with_(**{"time.until": told}).tables.time.until  # type: ignore[union-attr]
        return number("t", told)

    @cached_property
    def _models(self) -> list[Model]:
        return self.case.build()

    def models(self, t: float | None = None) -> list[Model]:
        """The models of the case at a saved time; at the last one when left out. Collective.

        The same models each time: ask for another time, and what was made of them follows.

        Raises:
            ParameterError: for a time that was not saved; the message tells the nearest.
        """
        times = self.times
        index = len(times) - 1
        if t is not None:
            t = number("t", t)
            index = int(np.argmin(np.abs(times - t)))
            if abs(times[index] - t) > NEAR * np.abs(times).max():
                msg = f"t = {t:g}, must be one of the {len(times)} times that were saved, such as {times[index]:g}"
                raise ParameterError(msg)
        checkpoint.load(self._models, self._states[index][1])
        return self._models

    def field(self, name: str, t: float | None = None) -> fem.Function:
        """A field at a saved time, a Function of its own on the rebuilt domain. Collective.

        Args:
            name: an unknown, or a derived field such as E.
            t: the time; the last one when left out.

        Raises:
            UnknownName: for a field that the models have not.
            ParameterError: for a time that was not saved.
        """
        return self._copied(name, t, plain=False)

    def _copied(self, name: str, t: float | None, *, plain: bool) -> fem.Function:
        """A field at a saved time, or of a vector its length."""
        model = model_with_field(self.models(t), name)
        return fields.copied((scalar if plain else function)(model, name))

    def frames(self, name: str) -> Frames:
        """A scalar field, or the length of a vector, at all saved times: for `em.plot.film_strip` and `animation`."""
        return Frames(self.times, [self._copied(name, t, plain=True) for t in self.times])

    def plot(
        self, path: os.PathLike[str] | str | None = None, *, field: str | None = None, t: float | None = None
    ) -> Path:
        """Draw a field at a saved time. Collective.

        Args:
            path: a name ending in .png, .pdf or .svg; FIELD.png in the folder when left out.
            field: the first unknown of the last model when left out.
            t: the last time when left out.

        Returns:
            The path. For a figure to restyle draw the field yourself: `em.plot.field(results.field("c"))`.
        """
        models = self.models(t)
        name = models[-1].names[0] if field is None else field
        target = plot.style.picture(self.folder / f"{name}.png" if path is None else path)
        assert target is not None
        title = plot.labels.time(models[0]) if self.case.tables.time else ""
        return picture(models, name, target, title)

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
        """The first unknown of the last model: what is drawn unless another is asked for."""
        return self._models[-1].names[0]

    def _file(self, name: str) -> Path:
        """A file in the folder."""
        path = self.folder / name
        if not path.is_file():
            kind = "a sweep" if name.startswith(TABLE) else "a run"
            msg = f"folder = {str(self.folder)!r}, must be that of {kind}: it has no {name}"
            raise ParameterError(msg)
        return path


@dataclass(eq=False)
class Frames:
    """A field at some times: `.t` of shape (n,) and `.functions`, n Functions."""

    t: NDArray[np.float64]
    functions: list[fem.Function]


def open(folder: os.PathLike[str] | str) -> Results:
    """The results in a folder of `emfem run` or `emfem sweep`.

    Raises:
        ParameterError: if there are none.
    """
    found = Results(Path(folder))
    if not found.sweep:
        found._file(REPORT)
    return found
