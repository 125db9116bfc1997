"""The page is served: on this machine only, to whoever shows the token."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emfem import write
from emfem.errors import ParameterError
from emfem.view import series
from emfem.view.guard import HOST, guard
from emfem.view.look import Size
from emfem.view.page import build
from emfem.view.runs import MOST, explained
from emfem.view.state import Choice, Viewer

from trame.app import get_server

SHOWN = ("field", "colours", "range", "low", "high", "edges", "boundaries", "arrows", "cut", "place")
SOON = 0.02  # changes within so many seconds are drawn once [s]
PACE = 0.12  # between two times of a film [s]
SAVED = 2.0  # pixels of a saved picture for each on the page


def serve(folders: Sequence[Path], *, port: int = 0, browser: bool | None = None) -> None:
    """Show runs on a page of this machine until Ctrl-C.

    The address that is printed holds a token; without it nothing is served, neither pages nor the socket.

    Args:
        folders: of runs and sweeps.
        port: where; any that is free for 0.
        browser: whether one is opened; if there is a display when left out.

    Raises:
        ParameterError: for more runs than there is room for, or a port that is taken.
    """
    Page(Viewer(folders)).serve(port, has_display() if browser is None else browser)


def has_display() -> bool:
    """Whether a browser could be seen."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Page:
    """What a browser shows of a viewer, and what it asks of it.

    Attributes:
        viewer: the open runs.
        token: what a client must show.
        server: trame's.
    """

    def __init__(self, viewer: Viewer) -> None:
        """Make the page; nothing is served yet."""
        self.viewer, self.token = viewer, secrets.token_urlsafe(24)
        self.server = get_server(
            f"emfem {self.token[:8]}", client_type="vue3", ws_heart_beat=0
        )  # drawing may take long
        self.state = self.server.state
        self._due: asyncio.TimerHandle | None = None
        self._playing = False
        self._sizes: dict[str, Size] = {}
        self._charted: Any = None
        self._begin()
        build(self.server)
        for name in ("reload", "move", "wheel", "whole", "picture", "close", "toggle"):
            self.server.controller.trigger(name)(getattr(self, name))
        self.state.change(*SHOWN, "step", "quantity")(lambda **_: self.soon())
        self.state.change(*(f"size_{i}" for i in range(MOST)), "size_chart")(lambda **_: self._resized())
        self.state.change("playing")(lambda **_: self._play())

    # ---- what the browser asks -----------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read all runs again; who was at the last time stays there."""
        at_end = self.state.step == self.state.last_step
        self.viewer.reload()
        self._list()
        if at_end:
            self.state.step = self.state.last_step
        self.soon()

    def move(self, dx: float, dy: float, turning: bool, pane: int) -> None:
        """The mouse was dragged over a pane: by pixels, with the left button alone or otherwise."""
        size = self._sizes.get(f"size_{pane}", Size(600, 500))
        if self.viewer.in_space and turning:
            self.viewer.eye.turn(dx, dy)
        else:
            self.viewer.eye.pan(dx / size.width, -dy / size.height)
        self.soon()

    def wheel(self, delta: float) -> None:
        """The wheel was turned."""
        self.viewer.eye.nearer(-max(-3.0, min(3.0, delta / 100)))
        self.soon()

    def whole(self) -> None:
        """Show everything again."""
        self.viewer.eye = type(self.viewer.eye)()
        self.soon()

    def picture(self, pane: int) -> bytes:
        """A pane as a PNG to be saved."""
        size = self._sizes.get(f"size_{pane}", Size(900, 700))
        return self.viewer.draw(pane, self.choice, self.t, Size(size.width, size.height, SAVED))[0] or b""

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

    # ---- what the browser sees -----------------------------------------------------------------------------------

    @property
    def choice(self) -> Choice:
        """What is chosen."""
        return Choice(**{name: self.state[name] for name in SHOWN})

    @property
    def t(self) -> float:
        """The time that is shown."""
        times = self.viewer.times
        return times[min(int(self.state.step), len(times) - 1)] if times else 0.0

    def _begin(self) -> None:
        """What is there before a browser is."""
        self.state.trame__title = "emfem view"
        for name, value in zip(SHOWN, Choice().__dict__.values(), strict=True):
            self.state[name] = value
        for i in range(MOST):
            self.state[f"image_{i}"] = ""
        self.state.update(
            {"busy": False, "drawn": 0, "playing": False, "step": 0, "chart": "", "quantity": "", "details": False}
        )
        self.state.update({"range_trouble": "", "numbers": [], "numbers_told": "", "when": ""})
        self._list()
        self.state.step = self.state.last_step

    def _list(self) -> None:
        """What there is to choose from."""
        viewer, state = self.viewer, self.state
        fields = viewer.fields
        state.fields = [{"title": field.title, "value": name} for name, field in fields.items()]
        if state.field not in fields:
            state.field = viewer.first_field
        state.has_vectors = any(field.vector for field in fields.values())
        state.has_names = any(run.scene.names for run in viewer.shown)
        state.in_space = viewer.in_space
        state.last_step = max(0, len(viewer.times) - 1)
        state.step = min(int(state.step), state.last_step)
        state.quantities = series.quantities(viewer.panes)
        if state.quantity not in state.quantities:
            state.quantity = series.liveliest(viewer.panes)
        state.heading = ", ".join(str(run.folder) for run in viewer.panes)
        state.about = [{"name": run.name, "lines": run.about()} for run in viewer.panes]
        state.columns = viewer.columns
        state.open = [run.folder.name for run in viewer.panes]
        state.sweeps = [_listed(sweep) for sweep in viewer.sweeps]
        state.reports = [{"name": r.name, "lines": r.lines(), "case": r.case_text()} for r in viewer.panes]
        state.panes = [self._pane(i, "") for i in range(len(viewer.panes))]

    def _pane(self, i: int, message: str) -> dict[str, str]:
        """What is said about a pane."""
        run = self.viewer.panes[i]
        when = self.viewer.time(self.t).replace(" = ", "").replace(" ", "_")
        parts = [run.name.replace("/", "_"), str(self.state.field), when]
        file = "_".join(part for part in parts if part) + ".png"
        return {"name": run.name, "message": message, "notes": "; ".join(run.notes), "file": file}

    def soon(self) -> None:
        """Draw, once for all changes that come together."""
        if self._due is None:
            try:
                self._due = asyncio.get_running_loop().call_later(SOON, self.draw)
                self.state.busy = True
            except RuntimeError:  # nothing is served yet
                self._due = None

    def draw(self) -> None:
        """Draw all panes and the series, and send them."""
        if self._due is not None:
            self._due.cancel()
        self._due = None
        with self.state as state:
            state.busy, state.drawn = False, int(state.drawn) + 1
            choice, t = self.choice, self.t
            field = self.viewer.fields.get(choice.field)
            state.unit = field.unit if field else ""
            state.range_trouble = explained(lambda: self.viewer.limits(choice, t)) if field else ""
            if state.range_trouble:
                return
            if choice.range != "typed":
                low, high = self.viewer.limits(choice, t)
                state.low, state.high = f"{low:.6g}", f"{high:.6g}"
            panes = []
            for i in range(MOST):
                image, message = (None, "")
                if i < len(self.viewer.panes):
                    size = self._sizes.get(f"size_{i}")
                    if size is None:
                        panes.append(self._pane(i, ""))
                        continue
                    image, message = self.viewer.draw(i, choice, t, size)
                    panes.append(self._pane(i, message))
                state[f"image_{i}"] = _url(image)
            state.panes = panes
            state.when = self.viewer.time(t)
            self._numbers(t)
            self._chart(t)

    def _chart(self, t: float) -> None:
        """The series; drawn again only if something in it changed."""
        shown = (
            self.state.quantity,
            t,
            self._sizes.get("size_chart"),
            tuple((run.folder, run.read) for run in self.viewer.panes),
        )
        if shown != self._charted and all(shown[::2]):
            self._charted = shown
            self.state.chart = _url(self.viewer.chart(self.state.quantity, t, self._sizes["size_chart"])[0])

    def _numbers(self, t: float) -> None:
        """The quantities of all runs at the time that is shown."""
        told = [series.now(run, t) for run in self.viewer.panes]
        names = dict.fromkeys(name for _, part in told for name in part)
        self.state.numbers = [[name, *(part.get(name, "") for _, part in told)] for name in names]
        when = " and ".join(dict.fromkeys(filter(None, (self.viewer.time(at) for at, _ in told))))
        self.state.numbers_told = f"Quantities at {when}" if when else "Quantities"

    def _resized(self) -> None:
        """Note how large things are; draw if that is new."""
        found = {}
        for name in (*(f"size_{i}" for i in range(MOST)), "size_chart"):
            told = self.state[name]
            if told and told.get("size"):
                size = told["size"]
                found[name] = Size(round(size["width"]), round(size["height"]), float(told.get("pixelRatio") or 1))
        found = {name: size for name, size in found.items() if size.width > 40 and size.height > 40}
        if found != self._sizes:
            self._sizes = found
            self.soon()

    def _play(self) -> None:
        """Begin to play, if asked to."""
        if self.state.playing and not self._playing:
            self._playing = True
            task = asyncio.get_running_loop().create_task(self._film())
            task.add_done_callback(lambda _: setattr(self, "_playing", False))

    async def _film(self) -> None:
        """One time after the other, from the start if the end is shown."""
        if self.state.step >= self.state.last_step:
            self.state.step = -1
        while self.state.playing and self.state.step < self.state.last_step:
            with self.state:
                self.state.step = int(self.state.step) + 1
            self.draw()
            await asyncio.sleep(PACE)
        with self.state:
            self.state.playing = False

    # ---- serving -------------------------------------------------------------------------------------------------

    def serve(self, port: int, browser: bool) -> None:
        """Serve until Ctrl-C.

        Raises:
            ParameterError: for a port that is taken.
        """
        self.server.controller.on_server_bind.add(self._guarded)
        self.server.controller.on_server_ready.add(lambda **_: self._ready(browser))
        options = {"show_connection_info": False, "disable_logging": True, "timeout": 0}
        try:
            self.server.start(port=port, host=HOST, open_browser=False, **options)
        except OSError as error:
            msg = f"port = {port}, must be one that is free: {error.strerror or error}"
            raise ParameterError(msg) from None

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server.port}/?secret={self.token}"

    def _ready(self, browser: bool) -> None:
        """Say where the page is."""
        write.print_root(f"{self.address}  (Ctrl-C ends it)")
        if browser:
            webbrowser.open(self.address)

    def _guarded(self, bound: Any) -> None:
        """Put the guard before everything that is served.

        Raises:
            ParameterError: if the environment has it served to other machines.
        """
        if bound.host != HOST:
            msg = f"host = {bound.host!r}, must be {HOST!r}: TRAME_ARGS or TRAME_DEFAULT_HOST say otherwise"
            raise ParameterError(msg)
        self.server.protocol.updateSecret(self.token)  # what the socket asks for, beside the cookie
        bound.app.middlewares.append(guard(self.token))


def _url(image: bytes | None) -> str:
    """An image as an address; empty for none."""
    return "" if image is None else "data:image/png;base64," + base64.b64encode(image).decode()


def _listed(sweep: Any) -> dict[str, Any]:
    """The table of a sweep for the page."""
    made: list[Any] = []
    trouble = explained(lambda: made.extend(sweep.rows()))
    columns, rows = made if not trouble else ([], [])
    told = f"{sweep.folder.name}: {len(rows)} runs. A click opens one, or closes it."
    return {"told": told, "trouble": trouble, "columns": columns, "rows": rows}
