"""State of the viewer: the open runs, the time and the pictures; nothing here depends on a browser."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from emfem.dimensions import PLAIN, Meaning, printed
from emfem.errors import ParameterError, UnknownName
from emfem.plot import labels
from emfem.plot.camera import Camera
from emfem.studies.units import in_unit
from emfem.view import picture, probing, series
from emfem.view.display_options import BY_FIELD, DisplayOptions, Size
from emfem.view.layout import Layout
from emfem.view.runs import MOST, RunFolder, error_message, opened
from emfem.view.scene import Difference, Scene

import imageio.v3 as iio
import numpy as np
import pandas as pd
from pydantic_core import PydanticCustomError

ACROSS, TALL = 735.0, 755.0  # of all panes together on a usual screen [pixel]
FLAT = 1e-9  # relative differences that are round-off
FRAMES = 10  # of a movie in a second
DECADES = 1e6  # between the ends of a logarithmic scale, at most


def _known(table: pd.DataFrame) -> bool:
    """Return True for values along a line, some of it in the domain."""
    return "s" in table and bool(table[probing.value_columns(table)].notna().any(axis=None))


class Viewer:
    """The open runs, side by side, at one time.

    Attributes:
        panes: the open runs, at most four.
        sweeps: the sweeps whose tables are shown.
        camera: point of view of all of them.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        """Open folders of runs and sweeps; of a sweep alone the first run that exists.

        Raises:
            ParameterError: for no folder, one that does not exist, or more than four runs.
        """
        for folder in folders:
            if not folder.is_dir():
                msg = f"folder = {str(folder)!r}, must be one that exists{' and no file' if folder.exists() else ''}"
                raise ParameterError(msg)
        runs, self.sweeps = opened(folders)
        if not folders or len(runs) > MOST:
            msg = f"{len(runs)} runs, must be 1 to {MOST}: more of them are too small to be looked at"
            raise ParameterError(msg)
        self.panes, self.camera = runs, Camera()
        if not self.panes:
            self._first_of_sweep()

    def _first_of_sweep(self) -> None:
        """Open the first run that exists."""
        for number, sweep in enumerate(self.sweeps):
            for row in [] if error_message(sweep.table) else sweep.rows()[1]:
                if row["hash"] and sweep.place(row["hash"]).is_dir():
                    self.toggle(number, row["hash"])
                    return

    def toggle(self, sweep: int, name: str) -> None:
        """Open a run of a sweep beside the others, or close it; the fifth takes the place of the first."""
        folder = self.sweeps[sweep].place(name)
        runs = [run for run in self.panes if run.folder != folder]
        if len(runs) == len(self.panes):
            titles = [row["name"] for row in self.sweeps[sweep].rows()[1] if row["hash"] == name]
            runs.append(RunFolder(folder, titles[0] if titles else name))
        self.panes = runs[-MOST:] if runs else self.panes

    def close(self, pane: int) -> None:
        """Close a run; the last one stays."""
        if len(self.panes) > 1:
            del self.panes[pane]

    def reload(self) -> None:
        """Read everything again."""
        for run in self.panes:
            run.reload()

    @property
    def shown(self) -> list[RunFolder]:
        """Open runs without an error."""
        return [run for run in self.panes if not run.trouble]

    @property
    def times(self) -> list[float]:
        """Saved times of all open runs, each once."""
        times = np.unique([t for run in self.shown for t in run.times])
        return times[np.diff(times, prepend=-np.inf) > 1e-9 * np.abs(times).max(initial=0.0)].tolist()

    @property
    def fields(self) -> dict[str, Meaning]:
        """Fields of all open runs by name; that of the first run that has one."""
        return {name: meaning for run in reversed(self.shown) for name, meaning in run.scene.fields.items()}

    def components(self, name: str) -> tuple[str, ...]:
        """Return the components of a vector; none of another field."""
        return next((run.scene.components(name) for run in self.shown if name in run.scene.fields), ())

    @property
    def flows(self) -> list[str]:
        """Vectors that may have stream lines: those of runs in a plane or in space, not on wires."""
        scenes = [run.scene for run in self.shown if run.scene.shape.dim > 1]
        return [name for name in self.fields if any(len(s.components(name)) > 1 for s in scenes if name in s.fields)]

    @property
    def first_field(self) -> str:
        """Field that is shown at first."""
        return next((run.scene.models[-1].names[0] for run in self.shown), "")

    @property
    def in_space(self) -> bool:
        """True if some run is of a body, a shell or wires in space."""
        return any(run.scene.kind == "body" for run in self.shown)

    @property
    def columns(self) -> int:
        """Number of columns with the largest panes: wide domains lie one above the other."""
        count, sides = len(self.panes), [np.ptp(run.scene.bounds, axis=0) for run in self.shown]
        aspect = min((float(side[0] / side[1]) for side in sides if side[1] > 0), default=1.5)
        room = {c: min((ACROSS / c - 160) / aspect, TALL / -(-count // c) - 80) for c in (1, 2)}
        return 1 if count == 1 or room[1] > room[2] else 2

    def time(self, t: float) -> str:
        """Return a time as text."""
        shown = self.shown
        if not shown or (len(self.times) < 2 and not t):
            return ""
        units = {run.scene.time_unit for run in shown}
        length, unit = labels.span(max(self.times), units.pop() if len(units) == 1 else PLAIN)
        return f"t = {t / length:.4g} {unit}".strip()

    def limits(self, options: DisplayOptions, t: float) -> tuple[float, float]:
        """Return the ends of the colour scale, the same for all runs.

        Raises:
            ParameterError: for a typed range that is none, or a logarithmic one of values that are not positive.
        """
        low, high = self._limits(options, t)
        if not options.log:
            return low, high
        if high <= 0.0 or (options.range == "typed" and low <= 0.0):
            msg = f"values from {low:.4g} to {high:.4g}, must be positive for a logarithmic scale"
            raise ParameterError(msg)
        return max(low, high / DECADES), high

    def _limits(self, options: DisplayOptions, t: float) -> tuple[float, float]:
        """Return the ends of a linear scale."""
        name = options.field or self.first_field
        if options.range == "typed":
            return self._typed(options, name)
        having = [scene for run in self.shown if name in (scene := self._scene(run, options)).fields]
        at, peaks = options.range == "this time", options.range != "without peaks"
        ends = [
            scene.limits(name, scene.nearest(t) if at else None, options.component, peaks=peaks) for scene in having
        ]
        low = min((end[0] for end in ends), default=0.0)
        high = max((end[1] for end in ends), default=1.0)
        most = max(abs(low), abs(high))
        if high - low <= FLAT * most or not most:  # one value: the middle of the scale
            half = 0.05 * most or 1.0
            return (low + high) / 2 - half, (low + high) / 2 + half
        return (low, high) if options.log else labels.symmetric((low, high), self.colours(options))

    def _scene(self, run: RunFolder, options: DisplayOptions) -> Scene:
        """Return the run, or its difference to the first one.

        Raises:
            ParameterError: for runs on different meshes.
        """
        first = self.panes[0]
        return Difference(run.scene, first.scene) if options.difference and len(self.panes) > 1 else run.scene

    def colours(self, options: DisplayOptions) -> str:
        """Return the colour map: the chosen one, or that of the field."""
        meaning = self.fields.get(options.field or self.first_field, Meaning())
        if options.difference and len(self.panes) > 1:
            meaning = replace(meaning, signed=not meaning.vector or options.component != DisplayOptions.component)
        return str(labels.colours(meaning, None if options.colours == BY_FIELD else options.colours))

    def _typed(self, options: DisplayOptions, name: str) -> tuple[float, float]:
        """Return the range that was typed.

        Raises:
            ParameterError: if it is none.
        """
        unit = printed(self.fields.get(name, Meaning()).unit)
        ends = []
        for words, text in (("lowest", options.low), ("highest", options.high)):
            try:
                ends.append(float(in_unit(str(text).strip(), unit)))
            except PydanticCustomError as error:
                msg = f"{words} value = {text!r}{error.message()}"
                raise ParameterError(msg) from None
        if not ends[0] < ends[1]:
            msg = f"lowest value = {options.low}, must be less than the highest, {options.high}"
            raise ParameterError(msg)
        return ends[0], ends[1]

    def draw(self, pane: int, options: DisplayOptions, t: float, size: Size) -> tuple[bytes | None, str]:
        """Return a pane as a PNG and no message, or None and the reason.

        Args:
            pane: number of the open run.
            options: the choices on the page.
            t: the time; each run shows its last state that is not later.
            size: of the picture.
        """
        run = self.panes[pane]
        images: list[bytes] = []
        message = run.trouble or error_message(lambda: images.append(self._drawn(run, options, t, size)))
        return (None, message) if message else (images[0], "")

    def _drawn(self, run: RunFolder, options: DisplayOptions, t: float, size: Size) -> bytes:
        """Return the picture of a run."""
        name = options.field or self.first_field
        if name not in run.scene.fields:
            raise UnknownName(name, "this run", run.scene.fields)
        chosen = replace(options, field=name, colours=self.colours(options), limits=self.limits(options, t))
        at, scene = run.scene.nearest(t), self._scene(run, options)
        less = f"{run.name} less {self.panes[0].name}" if isinstance(scene, Difference) else run.name
        title = ", ".join(filter(None, (less, self.time(at), scene.stream_note(options.streams, at))))
        return picture.png(scene, at, chosen, self.camera, size, title)

    def movie(self, pane: int, options: DisplayOptions, size: Size) -> bytes:
        """Return a pane at all times as a movie (MP4) with one range of colours; empty if it cannot be drawn."""
        frozen = replace(options, range="all times") if options.range == "this time" else options
        images = [self.draw(pane, frozen, t, size)[0] for t in self.times]
        if not images or None in images:
            return b""
        frames = [iio.imread(io.BytesIO(image))[..., :3] for image in images if image]
        even = [frame[: len(frame) // 2 * 2, : frame.shape[1] // 2 * 2] for frame in frames]  # required by H.264
        with TemporaryDirectory() as folder:
            path = Path(folder, "movie.mp4")
            iio.imwrite(path, even, fps=FRAMES, codec="libx264", macro_block_size=2)
            return path.read_bytes()

    def place(self, pane: int, options: DisplayOptions, x: float, y: float, size: Size) -> list[float] | None:
        """Return the place of the domain under the mouse, shape (3,), None for none; see `Layout.place`.

        Args:
            pane: number of the open run.
            options: the choices on the page.
            x: of the mouse from the left end of the pane [pixel].
            y: from its upper end.
            size: of the pane.
        """
        run, chosen = self.panes[pane], replace(options, field=options.field or self.first_field)
        if run.trouble or chosen.field not in run.scene.fields:
            return None
        place = Layout(run.scene, chosen, self.camera, size).place(x, y)
        return None if place is None else [float(each) for each in place]

    def marked(self, options: DisplayOptions, t: float) -> dict[int, pd.DataFrame]:
        """Return the shown field at the last mark, or along the line between two, by pane; `probing.values`.

        Runs without it are left out, and so are all of them without a mark.
        """
        chosen = replace(options, field=options.field or self.first_field)
        tables: dict[int, pd.DataFrame] = {}
        for i, run in enumerate(self.panes if options.marks else []):
            if not run.trouble:
                error_message(lambda i=i, run=run: tables.update({i: self._marked(run, chosen, t)}))
        return tables

    def _marked(self, run: RunFolder, options: DisplayOptions, t: float) -> pd.DataFrame:
        """Return the field of a run at the marks."""
        return probing.values(self._scene(run, options), run.scene.nearest(t), options)

    def profile(self, tables: Mapping[int, pd.DataFrame], options: DisplayOptions, size: Size) -> bytes | None:
        """Return the chart of the shown field along a line as a PNG; None without one.

        Args:
            tables: of `marked`.
            options: the choices on the page.
            size: of the picture.
        """
        lines = [(i, self.panes[i].name, table) for i, table in tables.items() if _known(table)]
        if not lines:
            return None
        scene = self._scene(self.panes[lines[0][0]], options)
        meaning = scene.meaning(options.field or self.first_field, options.component)
        return probing.png(lines, meaning, options.component, size)

    def chart(self, quantity: str, t: float, size: Size) -> tuple[bytes | None, str]:
        """Return the series of all runs as a PNG and no message, or None and the reason."""
        images: list[bytes] = []
        message = error_message(lambda: images.append(series.png(self.panes, quantity, t, size)))
        return (None, message) if message else (images[0], "")
