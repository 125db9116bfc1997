"""Server of the page: on this machine only, for requests with the token."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emfem import write
from emfem.dimensions import printed
from emfem.errors import ParameterError
from emfem.gate import checked
from emfem.plot.camera import Camera
from emfem.signals import restored_handlers
from emfem.view import contents, probing, requests, series
from emfem.view.auth import HOST, require_token
from emfem.view.display_options import DisplayOptions, Size
from emfem.view.page import build
from emfem.view.runs import MOST, error_message
from emfem.view.state import Viewer

from trame.app import get_server

DEFAULTS = {name: value for name, value in asdict(DisplayOptions()).items() if name != "limits"}
ACTIONS = ("reload", "press", "move", "mark", "wheel", "whole", "picture", "movie", "profile", "close", "toggle")
SOON = 0.02  # changes within this time are drawn once [s]
DOUBLE = 0.25  # time within which a click can become a double click [s]
STILL = 4.0  # way of the mouse up to which a drag is a click [pixel]
PACE = 0.12  # between two times that are played [s]
SAVED = 2.0  # pixels of a saved picture for each on the page
TEXTS = ("chart", "quantity", "range_message", "numbers_title", "when", "values_title", "profile", "profile_file")
PANES = tuple(f"size_{i}" for i in range(MOST))
CHARTS = ("size_chart", "size_profile")


@checked
def serve(folders: Sequence[Path], *, port: int = 0, browser: bool | None = None) -> None:
    """Show runs on a page of this machine until Ctrl-C.

    The address that is printed holds a token; without it nothing is served, neither pages nor the socket.

    Args:
        folders: of runs and sweeps.
        port: of this machine; 0 for any free one.
        browser: True opens one; left out, it is opened if there is a display.

    Raises:
        ParameterError: for more than four runs, or a port in use.
    """
    Page(Viewer(folders)).serve(port, has_display() if browser is None else browser)


def has_display() -> bool:
    """Return True if there is a display for a browser."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Page:
    """Page of a viewer: its state in the browser and its actions.

    Attributes:
        viewer: the open runs.
        token: a secret that requests must carry.
        server: of trame.
    """

    def __init__(self, viewer: Viewer) -> None:
        """Build the page; nothing is served yet."""
        self.viewer, self.token = viewer, secrets.token_urlsafe(24)
        # no heart beat: drawing may take long
        self.server = get_server(f"emfem {self.token[:8]}", client_type="vue3", ws_heart_beat=0)
        self.state = self.server.state
        self._due: asyncio.TimerHandle | None = None
        self._playing = False
        self._sizes: dict[str, Size] = {}
        self._charted: Any = None
        self._marked: Any = None
        self._lines = ""
        self._way, self._drawn = 0.0, 0
        self._click: asyncio.TimerHandle | None = None
        self._begin()
        build(self.server)
        for name in ACTIONS:
            self.server.controller.trigger(name)(requests.guarded(getattr(self, name), viewer))
        self.state.change(*DEFAULTS, "step", "quantity")(lambda **_: self.soon())
        self.state.change(*PANES, *CHARTS)(lambda **_: self._resized())
        self.state.change("playing")(lambda **_: self._play())

    def reload(self) -> None:
        """Read all runs again; a page at the last time stays there."""
        at_end = self._step == self._last_step
        self.viewer.reload()
        self._list()
        if at_end:
            self.state.step = self.state.last_step
        self.soon()

    def press(self) -> None:
        """Begin to measure the way of the mouse, a button of which is pressed."""
        self._way = 0.0

    def mark(self, pane: int, x: float, y: float, line: bool) -> None:
        """Mark the place under a click on a pane soon, unless the mouse was dragged or clicks twice.

        Args:
            pane: its number.
            x: of the mouse, from the left end of the pane [pixel].
            y: from its upper end.
            line: True for the end of a line that begins at the first mark.
        """
        if self._way <= STILL:
            self.state.busy = True
            self._click = asyncio.get_running_loop().call_later(DOUBLE, self.mark_now, pane, x, y, line)

    def mark_now(self, pane: int, x: float, y: float, line: bool) -> None:
        """Mark a place; a click beside the domain removes all marks. The arguments are those of `mark`."""
        size = self._sizes.get(f"size_{pane}")
        place = None
        if size is not None and pane < len(self.viewer.panes):  # it may have been closed
            place = self.viewer.place(pane, self.options, x, y, size)
        with self.state as state:
            if place is not None:
                state.marks = [*self.options.marks[:line], place]
            elif not line:
                state.marks = []
        self.soon()

    def move(self, dx: float, dy: float, turning: bool, pane: int) -> None:
        """Turn (left button) or move the scene after the mouse was dragged over a pane by pixels."""
        self._way += abs(dx) + abs(dy)
        size = self._sizes.get(f"size_{pane}", Size(600, 500))
        if self.viewer.in_space and turning:
            self.viewer.camera.turn(dx, dy)
        else:
            self.viewer.camera.pan(dx / size.width, -dy / size.height)
        self.soon()

    def wheel(self, delta: float) -> None:
        """Zoom after the wheel was turned."""
        self.viewer.camera.zoom_in(-max(-3.0, min(3.0, delta / 100)))
        self.soon()

    def whole(self) -> None:
        """Show everything again, after a double click."""
        if self._click is not None:
            self._click.cancel()
        self.viewer.camera = Camera()
        self.soon()

    def picture(self, pane: int) -> bytes:
        """Return a pane as a PNG to be saved."""
        size = self._sizes.get(f"size_{pane}", Size(900, 700))
        return self.viewer.draw(pane, self.options, self.t, requests.bounded(size.width, size.height, SAVED))[0] or b""

    def movie(self, pane: int) -> bytes:
        """Return a pane at all times as a movie to be saved."""
        size = self._sizes.get(f"size_{pane}", Size(900, 700))
        return self.viewer.movie(pane, self.options, size)

    def profile(self) -> str:
        """Return the values along the line as CSV to be saved."""
        return self._lines

    def close(self, pane: int) -> None:
        """Close a run."""
        self.viewer.close(pane)
        self._list()
        self.soon()

    def toggle(self, sweep: int, name: str) -> None:
        """Open or close a run of a sweep."""
        self.viewer.toggle(sweep, name)
        self._list()
        self.soon()

    @property
    def options(self) -> DisplayOptions:
        """Choices on the page; those that are none are left out."""
        return DisplayOptions(**{name: requests.like(value, self.state[name]) for name, value in DEFAULTS.items()})

    @property
    def t(self) -> float:
        """Time of the pictures."""
        times = self.viewer.times
        return times[self._step] if times else 0.0

    @property
    def _last_step(self) -> int:
        """Number of the last time."""
        return max(0, len(self.viewer.times) - 1)

    @property
    def _step(self) -> int:
        """Number of the time of the pictures."""
        return requests.whole(self.state.step, self._last_step)

    def _begin(self) -> None:
        """Set the state before the first browser opens the page."""
        self.state.trame__title = "emfem view"
        self.state.update(DEFAULTS | {f"image_{i}": "" for i in range(MOST)})
        self.state.update(dict.fromkeys(TEXTS, ""))
        self.state.update(
            dict.fromkeys(("busy", "playing", "details"), False) | {"drawn": 0, "step": 0, "numbers": [], "values": []}
        )
        self._list()
        self.state.step = self.state.last_step

    def _list(self) -> None:
        """List the choices; what was chosen and is gone gives way to what is there."""
        viewer, state = self.viewer, self.state
        state.update(contents.lists(viewer))
        state.field = state.field if self.options.field in viewer.fields else viewer.first_field
        state.streams = state.streams if state.streams in viewer.flows else ""
        state.step = self._step
        if state.quantity not in series.quantities(viewer.panes):
            state.quantity = series.most_varying(viewer.panes)
        state.panes = [self._pane(i) for i in range(len(viewer.panes))]

    def _pane(self, i: int, message: str = "") -> dict[str, str]:
        """Return name, message, notes and names of files of a pane."""
        return contents.pane(self.viewer, self.viewer.panes[i], self.options, self.t, message)

    def soon(self) -> None:
        """Draw soon, once for all changes that come together."""
        if self._due is None:
            try:
                self._due = asyncio.get_running_loop().call_later(SOON, self.draw)
                self.state.busy = True
            except RuntimeError:  # nothing is served yet
                self._due = None

    def draw(self) -> None:
        """Draw all panes and the series and send them."""
        if self._due is not None:
            self._due.cancel()
        self._due = None
        with self.state as state:
            self._drawn += 1
            state.busy, state.drawn = False, self._drawn
            state.components = list(self.viewer.components(self.options.field))
            if state.component not in state.components:
                state.component = DisplayOptions.component
            options, t = self.options, self.t
            field = self.viewer.fields.get(options.field)
            state.unit = printed(field.unit) if field else ""
            state.range_message = error_message(lambda: self.viewer.limits(options, t)) if field else ""
            if state.range_message:
                return
            if options.range != "typed":
                low, high = self.viewer.limits(options, t)
                state.low, state.high = f"{low:.6g}", f"{high:.6g}"
            panes = []
            for i in range(MOST):
                image, message = (None, "")
                if i < len(self.viewer.panes):
                    size = self._sizes.get(f"size_{i}")
                    if size is None:
                        panes.append(self._pane(i))
                        continue
                    image, message = self.viewer.draw(i, options, t, size)
                    panes.append(self._pane(i, message))
                state[f"image_{i}"] = contents.address(image)
            state.panes = panes
            state.when = self.viewer.time(t)
            state.update(contents.numbers(self.viewer, t))
            self._chart(t)
            self._values(options, t)

    def _chart(self, t: float) -> None:
        """Draw the series if something in it has changed."""
        shown = (
            self.state.quantity,
            t,
            self._sizes.get("size_chart"),
            tuple((run.folder, run.read) for run in self.viewer.panes),
        )
        if shown != self._charted and all(shown[::2]):
            self._charted = shown
            self.state.chart = contents.address(self.viewer.chart(self.state.quantity, t, self._sizes["size_chart"])[0])

    def _values(self, options: DisplayOptions, t: float) -> None:
        """List the values at the last mark and draw those along the line, if something in it has changed."""
        size = self._sizes.get("size_profile", Size(700, 200))
        runs = [(run.folder, run.read) for run in self.viewer.panes]
        key = (options.marks, options.field, options.component, options.difference, t, size, runs)
        if key == self._marked:
            return
        self._marked = key
        tables = self.viewer.marked(options, t)
        self.state.update(contents.values(self.viewer, tables))
        self.state.profile = contents.address(self.viewer.profile(tables, options, size))
        named = {self.viewer.panes[i].name: table for i, table in tables.items()}
        self._lines = probing.joined(named).to_csv(index=False)
        self.state.profile_file = self._pane(0)["profile"]

    def _resized(self) -> None:
        """Store the sizes of panes and series; draw if they are new."""
        sizes = {}
        for name in (*PANES, *CHARTS):
            size = requests.pane_size(self.state[name])
            if size is not None:
                sizes[name] = size
        if sizes != self._sizes:
            self._sizes = sizes
            self.soon()

    def _play(self) -> None:
        """Begin to play if the button is on."""
        if self.state.playing and not self._playing:
            self._playing = True
            task = asyncio.get_running_loop().create_task(self._play_times())
            task.add_done_callback(lambda _: setattr(self, "_playing", False))

    async def _play_times(self) -> None:
        """Show one time after the other, from the start if the last one is shown."""
        step = -1 if self._step >= self._last_step else self._step
        while self.state.playing and step < self._last_step:
            with self.state:
                self.state.step = step + 1
            self.draw()
            await asyncio.sleep(PACE)
            step = self._step
        with self.state:
            self.state.playing = False

    def serve(self, port: int, browser: bool) -> None:
        """Serve until Ctrl-C.

        Raises:
            ParameterError: for a port in use.
        """
        self.server.controller.on_server_bind.add(self._protect)
        self.server.controller.on_server_ready.add(lambda **_: self._ready(browser))
        options = {"show_connection_info": False, "disable_logging": True, "timeout": 0}
        try:
            with restored_handlers():  # without, Ctrl-C does nothing after a server that could not begin
                self.server.start(port=port, host=HOST, open_browser=False, **options)
        except OSError as error:
            msg = f"port = {port}, must be one that is free: {error.strerror or error}"
            raise ParameterError(msg) from None

    @property
    def address(self) -> str:
        """Address of the page, with the token."""
        return f"http://{HOST}:{self.server.port}/?secret={self.token}"

    def _ready(self, browser: bool) -> None:
        """Print the address of the page."""
        write.print_root(f"{self.address}  (Ctrl-C ends it)")
        if browser:
            webbrowser.open(self.address)

    def _protect(self, bound: Any) -> None:
        """Check the token of every request.

        Raises:
            ParameterError: if the environment would serve it to other machines.
        """
        if bound.host != HOST:
            msg = f"host = {bound.host!r}, must be {HOST!r}: TRAME_ARGS or TRAME_DEFAULT_HOST set another"
            raise ParameterError(msg)
        self.server.protocol.updateSecret(self.token)  # required by the socket, beside the cookie
        bound.app.middlewares.append(require_token(self.token))
