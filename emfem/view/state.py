"""What is looked at: the open runs, what is chosen of them, and the pictures that follow. It knows no browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emfem.dimensions import PLAIN, Meaning
from emfem.errors import ParameterError, UnknownName
from emfem.plot import labels
from emfem.studies.units import in_unit
from emfem.view import picture, series
from emfem.view.eye import Eye
from emfem.view.look import COLOURS, Look, Size
from emfem.view.quantities import Field
from emfem.view.runs import MOST, Run, explained, opened

import numpy as np
from pydantic_core import PydanticCustomError

BY_FIELD = "by quantity"  # viridis, and blue to red for what is signed, such as stress
MAPS = (BY_FIELD, *COLOURS)
RANGES = ("all times", "this time", "without peaks", "typed")
ACROSS, TALL = 735.0, 755.0  # of all panes together on a usual screen [pixel]
FLAT = 1e-9  # relative differences that are but round-off


@dataclass(frozen=True)
class Choice:
    """What is chosen on the page.

    Attributes:
        field: the field; the first unknown of the last model when empty.
        colours: one of `MAPS`.
        range: which values the ends of the colour scale are: one of `RANGES`.
        low: the lower end as it was typed, a number or a text with a unit.
        high: the upper end.
        edges: whether cells are drawn.
        boundaries: whether named boundaries are drawn.
        arrows: whether vectors have arrows.
        cut: the axis a body is cut along; empty for none.
        place: where, in parts of its size.
    """

    field: str = ""
    colours: str = BY_FIELD
    range: str = RANGES[0]
    low: str = ""
    high: str = ""
    edges: bool = False
    boundaries: bool = False
    arrows: bool = False
    cut: str = ""
    place: float = 0.5


class Viewer:
    """The open runs, side by side, at one time.

    Attributes:
        panes: the open runs, at most four.
        sweeps: the sweeps whose tables are shown.
        eye: from where all of them are seen.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        """Open folders of runs and sweeps; of a sweep the first run that can be looked at.

        Raises:
            ParameterError: for no folder, one that is not there, or more runs than there is room for.
        """
        for folder in folders:
            if not folder.is_dir():
                msg = f"folder = {str(folder)!r}, must be one that exists"
                raise ParameterError(msg)
        runs, self.sweeps = opened(folders)
        if not folders or len(runs) > MOST:
            msg = f"{len(runs)} runs, must be 1 to {MOST}: more of them are too small to be looked at"
            raise ParameterError(msg)
        self.panes, self.eye = runs, Eye()
        if not self.panes:
            self._first_of_sweep()

    def _first_of_sweep(self) -> None:
        """Open the first run that is there."""
        for number, sweep in enumerate(self.sweeps):
            for row in [] if explained(sweep.table) else sweep.rows()[1]:
                if row["hash"] and (sweep.folder / row["hash"]).is_dir():
                    self.toggle(number, row["hash"])
                    return

    def toggle(self, sweep: int, name: str) -> None:
        """Open a run of a sweep beside the others, or close it; the fifth takes the place of the first."""
        folder = self.sweeps[sweep].folder / name
        left = [run for run in self.panes if run.folder != folder]
        if len(left) == len(self.panes):
            called = [row["name"] for row in self.sweeps[sweep].rows()[1] if row["hash"] == name]
            left.append(Run(folder, called[0] if called else name))
        self.panes = left[-MOST:] if left else self.panes

    def close(self, pane: int) -> None:
        """Close a run; the last one stays."""
        if len(self.panes) > 1:
            del self.panes[pane]

    def reload(self) -> None:
        """Read everything again."""
        for run in self.panes:
            run.reload()

    # ---- what there is -------------------------------------------------------------------------------------------

    @property
    def shown(self) -> list[Run]:
        """The open runs of which something can be shown."""
        return [run for run in self.panes if not run.trouble]

    @property
    def times(self) -> list[float]:
        """The saved times of all open runs, each once."""
        found = np.unique([t for run in self.shown for t in run.times])
        if len(found) < 2:
            return found.tolist()
        keep = np.append(True, np.diff(found) > 1e-9 * np.abs(found).max())
        return found[keep].tolist()

    @property
    def fields(self) -> dict[str, Field]:
        """The fields of all open runs, by name."""
        found: dict[str, Field] = {}
        for run in self.shown:
            found = {**run.scene.fields, **found}
        return found

    @property
    def first_field(self) -> str:
        """What is shown unless something else is asked for."""
        return next((run.scene.models[-1].names[0] for run in self.shown), "")

    @property
    def in_space(self) -> bool:
        """Whether some run is of a body, a shell or wires in space."""
        return any(run.scene.kind == "body" for run in self.shown)

    @property
    def columns(self) -> int:
        """In how many columns the panes are largest: wide domains lie one above the other."""
        count, sides = len(self.panes), [np.ptp(run.scene.bounds, axis=0) for run in self.shown]
        aspect = min((float(side[0] / side[1]) for side in sides if side[1] > 0), default=1.5)
        room = {c: min((ACROSS / c - 160) / aspect, TALL / -(-count // c) - 80) for c in (1, 2)}
        return 1 if count == 1 or room[1] > room[2] else 2

    def time(self, t: float) -> str:
        """A time as it is told."""
        shown = self.shown
        if not shown or (len(self.times) < 2 and not t):
            return ""
        units = {run.scene.time_unit for run in shown}
        length, unit = labels.span(max(self.times), units.pop() if len(units) == 1 else PLAIN)
        return f"t = {t / length:.4g} {unit}".strip()

    # ---- what is drawn -------------------------------------------------------------------------------------------

    def limits(self, choice: Choice, t: float) -> tuple[float, float]:
        """Ends of the colour scale, the same for all runs.

        Raises:
            ParameterError: for what was typed if it is no range.
        """
        name = choice.field or self.first_field
        if choice.range == "typed":
            return self._typed(choice, name)
        having = [run.scene for run in self.shown if name in run.scene.fields]
        at, peaks = choice.range == "this time", choice.range != "without peaks"
        ends = [scene.limits(name, scene.nearest(t) if at else None, peaks=peaks) for scene in having]
        low = min((end[0] for end in ends), default=0.0)
        high = max((end[1] for end in ends), default=1.0)
        most = max(abs(low), abs(high))
        if high - low <= FLAT * most or not most:  # one value: the middle of the scale
            half = 0.05 * most or 1.0
            return (low + high) / 2 - half, (low + high) / 2 + half
        return labels.ends((low, high), self.colours(choice))

    def colours(self, choice: Choice) -> str:
        """The colour map: the one that is chosen, or by the field."""
        field = self.fields.get(choice.field or self.first_field)
        meaning = Meaning() if field is None else field.meaning
        return str(labels.colours(meaning, None if choice.colours == BY_FIELD else choice.colours))

    def _typed(self, choice: Choice, name: str) -> tuple[float, float]:
        """The range that was typed.

        Raises:
            ParameterError: if it is none.
        """
        unit = self.fields[name].unit if name in self.fields else ""
        ends = []
        for words, text in (("lowest", choice.low), ("highest", choice.high)):
            try:
                ends.append(float(in_unit(str(text).strip(), unit)))
            except PydanticCustomError as error:
                msg = f"{words} value = {text!r}{error.message()}"
                raise ParameterError(msg) from None
        if not ends[0] < ends[1]:
            msg = f"lowest value = {choice.low}, must be less than the highest, {choice.high}"
            raise ParameterError(msg)
        return ends[0], ends[1]

    def draw(self, pane: int, choice: Choice, t: float, size: Size) -> tuple[bytes | None, str]:
        """One pane: a PNG, or none and why.

        Args:
            pane: which of the open runs.
            choice: what is chosen.
            t: the time; each run shows its last state that is not later.
            size: of the picture.
        """
        run = self.panes[pane]
        made: list[bytes] = []
        trouble = run.trouble or explained(lambda: made.append(self._drawn(run, choice, t, size)))
        return (None, trouble) if trouble else (made[0], "")

    def _drawn(self, run: Run, choice: Choice, t: float, size: Size) -> bytes:
        """The picture of a run."""
        name = choice.field or self.first_field
        if name not in run.scene.fields:
            raise UnknownName(name, "this run", run.scene.fields)
        look = Look(
            name,
            self.colours(choice),
            self.limits(choice, t),
            choice.edges,
            choice.boundaries,
            choice.arrows,
            choice.cut,
            choice.place,
        )
        at = run.scene.nearest(t)
        when = self.time(at)
        title = ", ".join(part for part in (run.name, when) if part)
        return picture.png(run.scene, at, look, self.eye, size, title)

    def chart(self, quantity: str, t: float, size: Size) -> tuple[bytes | None, str]:
        """The series of all runs: a PNG, or none and why."""
        made: list[bytes] = []
        trouble = explained(lambda: made.append(series.png(self.panes, quantity, t, size)))
        return (None, trouble) if trouble else (made[0], "")
