"""Pictures of the viewer: field, axes, colour bar, name and time; the page shows what it saves.

VTK draws cells off the screen into the pixels that Matplotlib leaves for them; the rest is Matplotlib's.
Images, not geometry, go to the browser: they look the same without WebGL, through a tunnel and for a mesh of any size,
and cost about a tenth of a second each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emfem.plot import labels, style
from emfem.plot.camera import Camera
from emfem.plot.labels import AxisLabel
from emfem.plot.meshes import outline
from emfem.view import rendering
from emfem.view.charts import DPI, finished
from emfem.view.display_options import DisplayOptions, Size
from emfem.view.layout import RIGHT, Layout
from emfem.view.scene import Scene

import matplotlib as mpl
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import ScalarFormatter

EXTENDED = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}


def png(scene: Scene, t: float, options: DisplayOptions, camera: Camera, size: Size, title: str = "") -> bytes:
    """Return a field of a run at a saved time as a PNG.

    Args:
        scene: the run.
        t: one of its times.
        options: with the name of the field, a Matplotlib colour map and the ends of the colour scale.
        camera: point of view.
        size: of the picture.
        title: written above it.

    Raises:
        UnknownName: for a field that its models do not have.
        OSError: if VTK cannot draw.
    """
    with mpl.rc_context(style.LOOK):  # type: ignore[arg-type]
        layout = Layout(scene, options, camera, size)
        width, height = layout.width, layout.height
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI * layout.ratio)
        by = labels.lengths(scene.bounds, scene.models[-1].system.length)
        shown = labels.quantity(scene.meaning(options.field, options.component), options.limits)
        _Pane(scene, options, camera, size, figure, t, by, shown).draw()
        figure.text(14 / width, 1 - 9 / height, title, va="top", fontsize=8.5)
        return finished(figure)


@dataclass(frozen=True)
class _Pane(Layout):
    """Figure of one run."""

    figure: Figure
    t: float
    by: AxisLabel
    shown: AxisLabel

    def draw(self) -> None:
        """Draw a curve, a plane or a body."""
        {"curve": self._curve, "plane": self._flat, "body": self._body}[self.scene.kind]()

    def _axes(self, left: float, bottom: float, width: float, height: float) -> Any:
        """Return axes at a place."""
        box = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box)

    def _pixels(self, width: float, height: float) -> Any:
        """Return VTK's picture of a size on the page."""
        size = (round(width * self.ratio), round(height * self.ratio))
        return rendering.draw(self.scene, self.t, self.options, self.camera, size)

    def _curve(self) -> None:
        """Draw a field on a line."""
        mesh, options = self.scene.shape, self.options
        x = mesh.points[:, 0] / self.by.scale
        values = self.scene.values(options.field, self.t, options.component) / self.shown.scale
        order = np.argsort(x, kind="stable")
        axes = self._axes(*self.axes[0])
        axes.plot(x[order], values[order], color=style.named_colour(0), linewidth=1.6)
        low, high = (end / self.shown.scale for end in options.limits)
        room = 0.04 * (high - low) or 0.5
        axes.set(xlim=self.camera.window(self.scene.bounds)[:, 0] / self.by.scale, ylim=(low - room, high + room))
        if options.log:
            axes.set(yscale="log", ylim=(low / 1.2, high * 1.2))
        axes.set(xlabel=self.by.axis("x"), ylabel=str(self.shown))
        if options.edges:
            nodes = x[mesh.edges()[:, 0]]
            axes.plot(
                nodes, np.full(len(nodes), axes.get_ylim()[0]), "|", color=style.GREY, markersize=9, clip_on=False
            )
        if options.boundaries:
            for end, tag in mesh.named_ends():
                dot = {"color": style.named_colour(tag - 1), "markersize": 7, "clip_on": False, "zorder": 3}
                axes.plot(x[end], values[end], "o", label=self.scene.names[tag - 1], **dot)
            axes.legend(loc="upper center", ncols=4)
        for place in self.options.marks:
            axes.axvline(place[0] / self.by.scale, color=style.INK, linewidth=1.0)
        axes.grid(color=style.PALE, linewidth=0.7)

    def _flat(self) -> None:
        """Draw a field in a plane: VTK's pixels inside Matplotlib's axes."""
        window = self.camera.window(self.scene.bounds)
        (left, bottom, across, tall), flat = self.axes
        self._legend()
        axes = self._axes(left, bottom, across, tall)
        lower, upper = window / self.by.scale
        box = (lower[0], upper[0], lower[1], upper[1])
        axes.imshow(self._pixels(across, tall), extent=box, aspect="auto", interpolation="nearest")
        if self.options.arrows and self.scene.fields[self.options.field].vector:
            self._arrows(axes)
        if self.options.boundaries:
            outline(axes, self.scene.shape.divided(self.by.scale), 4.0, clipped=self.camera != Camera())
        self._marks(axes)
        axes.set(xlim=box[:2], ylim=box[2:], xlabel=self.by.axis("x"), ylabel=self.by.axis("y"))
        axes.locator_params(nbins=6)
        axes.locator_params(axis="y", nbins=int(np.clip(tall // 40, 2, 6)))
        self._bar(*((left, bottom - 84, across, 12) if flat else (left + across + 14, bottom, 13, tall)))

    def _body(self) -> None:
        """Draw a body, a shell or wires in space."""
        (left, below, width, height), _ = self.axes
        self._legend()
        axes = self._axes(left, below, width, height)
        axes.imshow(self._pixels(width, height), interpolation="nearest", aspect="auto")
        self._marks(axes)
        axes.set_axis_off()
        size = self.by.size(self.scene.bounds / self.by.scale)
        self.figure.text(0.5, (below - 14) / self.height, size, ha="center")
        tall = min(height, 420)
        self._bar(self.width - RIGHT, below + (height - tall) / 2, 13, tall)

    def _arrows(self, axes: Any) -> None:
        """Draw a vector in a plane as arrows, the longest a little longer than they are apart."""
        places, vectors = self.scene.arrows(self.options.field, self.t)
        x, y = places[:, :2].T / self.by.scale
        apart = float(np.ptp(self.scene.bounds, axis=0).max()) / self.by.scale / 22
        length = {"angles": "xy", "scale_units": "xy", "scale": 1 / (1.2 * apart), "width": 0.003}
        ink = {"color": "white", "edgecolor": style.INK, "linewidth": 0.5, "zorder": 5}
        axes.quiver(x, y, *rendering.shortened(vectors)[:, :2].T, **length, **ink)

    def _marks(self, axes: Any) -> None:
        """Mark the places that the mouse chose, and the line between two of them."""
        if self.options.marks:
            x, y = self.projected(np.array(self.options.marks)).T
            rim = [withStroke(linewidth=3, foreground="white")]
            axes.plot(x, y, "+-", color=style.INK, markersize=9, transform=axes.transAxes, path_effects=rim, zorder=6)

    def _legend(self) -> None:
        """Add the names of the boundaries below everything."""
        if self.rows:
            handles = [style.handle(i, name) for i, name in enumerate(self.names)]
            place: dict[str, Any] = {"loc": "lower center", "handlelength": 1.6, "borderaxespad": 0.2}
            self.figure.legend(handles=handles, ncols=-(-len(handles) // self.rows), **place)

    def _bar(self, left: float, bottom: float, width: float, height: float) -> None:
        """Add the colour bar, upright or lying; it ends in a point if some values lie beyond."""
        options, lying = self.options, width > height
        low, high = (end / self.shown.scale for end in options.limits)
        ends = self.scene.limits(options.field, self.t, options.component)
        lowest, highest = (end / self.shown.scale for end in ends)
        room = 1e-6 * (high - low)
        bar = self.figure.colorbar(
            ScalarMappable((LogNorm if options.log else Normalize)(low, high), options.colours),
            cax=self._axes(left, bottom, width, height),
            orientation="horizontal" if lying else "vertical",
            extend=EXTENDED[lowest < low - room, highest > high + room],
        )
        bar.outline.set_visible(False)
        bar.set_label(str(self.shown) if lying else self.shown.fitted(height / DPI))
        if options.log:
            return
        form = ScalarFormatter()
        form.set_powerlimits((-3, 4))
        (bar.ax.xaxis if lying else bar.ax.yaxis).set_major_formatter(form)
