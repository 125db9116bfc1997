"""One pane as a picture: the field, its axes, its colour bar, what it is and when. What is seen is what is saved.

Cells are drawn by VTK, off the screen, into just the pixels that Matplotlib keeps for them; the rest is Matplotlib's,
as in all pictures of emfem. Images, not geometry, go to the browser: they look the same without WebGL, through a tunnel
and for a mesh of any size, and cost about a tenth of a second each.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from emfem.plot import labels, style
from emfem.view import stage
from emfem.view.eye import Eye
from emfem.view.look import Look, Size
from emfem.view.scene import Scene

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

DPI = 116  # of the page, so that letters are as large as its own
LEFT, RIGHT, TOP, BOTTOM, ROW = 68, 96, 34, 50, 20  # margins around a field, a row of the legend [pixel]
FLAT = 140  # height of a field below which its colour bar lies under it [pixel]
SMALLEST = (240, 180)
NARROW, FINE = 480, 0.85  # width below which letters and margins are smaller, and by what
EXTENDED = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}


def png(scene: Scene, t: float, look: Look, eye: Eye, size: Size, title: str = "") -> bytes:
    """A field of a run at a saved time as a PNG.

    Args:
        scene: the run.
        t: one of its times.
        look: what is shown, and how.
        eye: from where.
        size: of the picture.
        title: written above it.

    Raises:
        UnknownName: for a field that its models have not.
        OSError: if VTK has nothing to draw on.
    """
    with mpl.rc_context(style.LOOK):  # type: ignore[arg-type]
        width, height = max(size.width, SMALLEST[0]), max(size.height, SMALLEST[1])
        fine = FINE if width < NARROW else 1.0
        width, height, ratio = round(width / fine), round(height / fine), size.ratio * fine
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI * ratio)
        draw = {"curve": _curve, "plane": _plane, "body": _body}[scene.kind]
        draw(_Sheet(figure, width, height, ratio), scene, t, look, eye)
        figure.text(14 / width, 1 - 9 / height, title, va="top", fontsize=8.5)
        canvas, target = FigureCanvasAgg(figure), io.BytesIO()
        canvas.print_png(target, pil_kwargs={"compress_level": 1})
    return target.getvalue()


@dataclass(frozen=True)
class _Sheet:
    """A figure that is measured in pixels of the page, from its lower left corner."""

    figure: Figure
    width: int
    height: int
    ratio: float

    def axes(self, left: float, bottom: float, width: float, height: float) -> Any:
        """Axes at a place."""
        box = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box)


# ---- the three kinds of pictures ---------------------------------------------------------------------------------


def _curve(sheet: _Sheet, scene: Scene, t: float, look: Look, eye: Eye) -> None:
    """A field on a line."""
    x, values = scene.curve(look.field, t)
    by, told = _lengths(scene), scene.fields[look.field].shown(look.limits)
    axes = sheet.axes(LEFT + 14, BOTTOM, sheet.width - LEFT - 40, sheet.height - TOP - BOTTOM - 4)
    axes.plot(x / by.scale, values / told.scale, color=style.named_colour(0), linewidth=1.6)
    axes.set(xlabel=by.label("x"), ylabel=told.label)
    low, high = (end / told.scale for end in look.limits)
    room = 0.04 * (high - low) or 0.5
    window = eye.window(scene.bounds)[:, 0] / by.scale
    axes.set(xlim=window, ylim=(low - room, high + room))
    if look.edges:
        nodes = scene.shape.points[scene.shape.edges()[:, 0], 0] / by.scale
        axes.plot(nodes, np.full(len(nodes), low - room), "|", color=style.GREY, markersize=9, clip_on=False)
    if look.boundaries:
        simplex, opposite = np.nonzero(scene.shape.tags > 0)
        ends = scene.shape.facet(simplex, opposite)[:, 0]
        for end, tag in zip(ends, scene.shape.tags[simplex, opposite], strict=True):
            value = scene.values(look.field, t)[end] / told.scale
            dot = {"color": style.named_colour(tag - 1), "markersize": 7, "clip_on": False, "zorder": 3}
            axes.plot(scene.shape.points[end, 0] / by.scale, value, "o", label=scene.names[tag - 1], **dot)
        axes.legend(loc="upper center", ncols=4)
    axes.grid(color=style.PALE, linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)


def _plane(sheet: _Sheet, scene: Scene, t: float, look: Look, eye: Eye) -> None:
    """A field in a plane: VTK's pixels inside Matplotlib's axes."""
    window = eye.window(scene.bounds)
    extent = window[1] - window[0]
    legend = _legend(sheet, scene, look)
    room = np.array([sheet.width - LEFT - RIGHT, sheet.height - TOP - BOTTOM - legend])
    scale = float((room / extent).min())
    flat = scale * extent[1] < FLAT
    if flat:
        room = np.array([sheet.width - LEFT - 24, sheet.height - TOP - BOTTOM - legend - 64])
        scale = float((room / extent).min())
    across, tall = np.maximum(np.round(scale * extent), 2)
    left, bottom = LEFT + (room[0] - across) / 2, BOTTOM + legend + (64 if flat else 0) + (room[1] - tall) / 2
    axes = sheet.axes(left, bottom, across, tall)
    pixels = stage.plane(scene, t, look, window, (round(across * sheet.ratio), round(tall * sheet.ratio)))
    by = _lengths(scene)
    lower, upper = window / by.scale
    axes.imshow(pixels, extent=(lower[0], upper[0], lower[1], upper[1]), aspect="auto", interpolation="nearest")
    if look.arrows and scene.fields[look.field].vector:
        _quiver(axes, scene, t, look, by.scale)
    if look.boundaries:
        _named(axes, scene, by.scale)
    axes.set(xlim=(lower[0], upper[0]), ylim=(lower[1], upper[1]))
    axes.set(xlabel=by.label("x"), ylabel=by.label("y"))
    axes.locator_params(nbins=6)
    axes.locator_params(axis="y", nbins=int(np.clip(tall // 40, 2, 6)))
    axes.spines[["top", "right"]].set_visible(False)
    if flat:
        bar = sheet.axes(left, bottom - 84, across, 12)
    else:
        bar = sheet.axes(left + across + 14, bottom, 13, tall)
    _bar(sheet, bar, scene, t, look, lying=flat)


def _body(sheet: _Sheet, scene: Scene, t: float, look: Look, eye: Eye) -> None:
    """A body, a shell or wires in space."""
    legend = _legend(sheet, scene, look)
    width, height = sheet.width - 12 - RIGHT - 10, sheet.height - TOP - legend - 26
    pixels = stage.body(scene, t, look, eye, (round(width * sheet.ratio), round(height * sheet.ratio)))
    axes = sheet.axes(12, legend + 22, width, height)
    axes.imshow(pixels, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    by = _lengths(scene)
    sheet.figure.text(0.5, (legend + 8) / sheet.height, by.size(scene.bounds / by.scale), ha="center")
    tall = min(height, 420)
    _bar(
        sheet, sheet.axes(sheet.width - RIGHT, legend + 22 + (height - tall) / 2, 13, tall), scene, t, look, lying=False
    )


# ---- what they are made of ---------------------------------------------------------------------------------------


def _quiver(axes: Any, scene: Scene, t: float, look: Look, length: float) -> None:
    """A vector in a plane as arrows, the longest a little longer than they are apart."""
    places, vectors = scene.arrows(look.field, t)
    vectors = stage.shortened(vectors)
    apart = float(np.ptp(scene.bounds, axis=0).max()) / length / 22
    axes.quiver(
        places[:, 0] / length,
        places[:, 1] / length,
        vectors[:, 0],
        vectors[:, 1],
        angles="xy",
        scale_units="xy",
        scale=1 / (1.2 * apart),
        width=0.003,
        color="white",
        edgecolor=style.INK,
        linewidth=0.5,
        zorder=5,
    )


def _named(axes: Any, scene: Scene, length: float) -> None:
    """The named boundaries of a plane domain, and what they are called."""
    facets, tags = scene.shape.skin
    flat = scene.shape.points[:, :2] / length
    if scene.shape.dim == 1:
        for tag in np.unique(tags[tags > 0]):
            axes.plot(*flat[facets[tags == tag][:, 0]].T, "o", color=style.named_colour(int(tag) - 1), markersize=8)
    else:
        for tag in np.unique(tags[tags > 0]):
            lines = mpl.collections.LineCollection(
                list(flat[facets[tags == tag]]), zorder=4, clip_on=False, **style.boundary(int(tag) - 1, 4.0)
            )
            axes.add_collection(lines)


def _legend(sheet: _Sheet, scene: Scene, look: Look) -> int:
    """Say below everything what named boundaries are called; how high that is [pixel]."""
    if not look.boundaries or not scene.names:
        return 0
    handles = [style.handle(i, name) for i, name in enumerate(scene.names)]
    across = int(np.clip(sheet.width // (7 * max(map(len, scene.names)) + 56), 1, len(handles)))
    rows = -(-len(handles) // across)
    sheet.figure.legend(
        handles=handles, loc="lower center", ncols=-(-len(handles) // rows), handlelength=1.6, borderaxespad=0.2
    )
    return ROW * rows + 6


def _bar(sheet: _Sheet, place: Any, scene: Scene, t: float, look: Look, *, lying: bool) -> None:
    """The colour bar, with the field and its unit; it ends in a point if some values lie beyond."""
    told = scene.fields[look.field].shown(look.limits)
    low, high = (end / told.scale for end in look.limits)
    scale = ScalarMappable(Normalize(low, high), look.colours)
    lowest, highest = (end / told.scale for end in scene.limits(look.field, t))
    room = 1e-6 * (high - low)
    beyond = EXTENDED[lowest < low - room, highest > high + room]
    along = "horizontal" if lying else "vertical"
    bar = sheet.figure.colorbar(scale, cax=place, orientation=along, extend=beyond)
    bar.outline.set_visible(False)
    tall = sheet.figure.get_figheight() * place.get_position().height
    bar.set_label(told.label if lying else told.fitted(tall))
    form = ScalarFormatter()
    form.set_powerlimits((-3, 4))
    (bar.ax.xaxis if lying else bar.ax.yaxis).set_major_formatter(form)


def _lengths(scene: Scene) -> labels.Lengths:
    """How lengths are told: as in em.plot."""
    return labels.lengths(scene.bounds, labels.asked(None, None), scene.models[-1].system.length)
