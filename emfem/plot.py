"""Pictures, laid out by Matplotlib; cells and everything in three dimensions by pyvista.

Every picture is drawn on rank 0, and all ranks must call.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emfem import fields, film
from emfem.errors import EmfemError, ParameterError, count, number
from emfem.files import writable

import imageio.v3 as iio
import numpy as np
import pyvista
from dolfinx import fem
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.tri import Triangulation
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["animation", "dispersion", "field", "film_strip", "grid"]

COLOURS = "viridis"
DPI = 120


class Frames(Protocol):
    """What `em.watch.snapshots` keeps: a field at some times."""

    t: NDArray[np.float64]
    functions: list[fem.Function]


def field(
    function: fem.Function,
    path: str | os.PathLike[str],
    *,
    title: str = "",
    limits: tuple[float, float] | None = None,
    colours: str = COLOURS,
) -> Path:
    """Draw a scalar field as a PNG; a periodic film is drawn whole.

    Args:
        function: a scalar Function on a mesh of any dimension.
        path: a name ending in .png; its folder is made.
        title: written above the picture.
        limits: values of the ends of the colour scale; those of the field when left out.
        colours: a Matplotlib colour map.

    Returns:
        The path of the picture.

    Raises:
        ParameterError: if the field has components, or the file cannot be written.
    """
    fields.is_function(function)
    target = writable(path, ".png", comm=function.function_space.mesh.comm)
    _draw([function], [title or function.name], target, limits, colours)
    return target


def film_strip(
    snapshots: Frames | Sequence[fem.Function],
    path: str | os.PathLike[str],
    *,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    limits: tuple[float, float] | None = None,
    colours: str = COLOURS,
) -> Path:
    """Draw several fields side by side on one colour scale as a PNG.

    Args:
        snapshots: `em.watch.snapshots(...)` after a run, or Functions.
        path: a name ending in .png; its folder is made.
        titles: one a field; the times of the snapshots when left out.
        columns: fields a row; all in one row when left out.
        limits: values of the ends of the colour scale; those of all fields together when left out.
        colours: a Matplotlib colour map.

    Returns:
        The path of the picture.

    Raises:
        ParameterError: if there is nothing to draw, titles do not match, or the file cannot be written.
    """
    functions, named = _frames(snapshots)
    if titles is not None and len(titles) != len(functions):
        msg = f"titles: {len(titles)}, must be as many as the {len(functions)} fields"
        raise ParameterError(msg)
    columns = None if columns is None else count("columns", columns, at_least=1)
    target = writable(path, ".png", comm=functions[0].function_space.mesh.comm)
    _draw(functions, list(titles or named), target, limits, colours, columns)
    return target


def animation(
    snapshots: Frames | Sequence[fem.Function],
    path: str | os.PathLike[str],
    *,
    frames_per_second: int = 10,
    limits: tuple[float, float] | None = None,
    colours: str = COLOURS,
) -> Path:
    """Draw fields one after the other as a film.

    Args:
        snapshots: `em.watch.snapshots(...)` after a run, or Functions.
        path: a name ending in .mp4 or .gif; its folder is made.
        frames_per_second: speed.
        limits: values of the ends of the colour scale; those of all fields together when left out.
        colours: a Matplotlib colour map.

    Returns:
        The path of the film.

    Raises:
        ParameterError: if there is nothing to draw, or the file cannot be written.
    """
    functions, titles = _frames(snapshots)
    speed = count("frames_per_second", frames_per_second, at_least=1)
    comm = functions[0].function_space.mesh.comm
    target = writable(path, ".mp4", ".gif", comm=comm)
    limits = limits or _limits(functions)

    def render(cells: list[fields.Cells]) -> None:
        images = [
            _pixels(_figure([part], [title], limits, colours, label=functions[0].name))
            for part, title in zip(cells, titles, strict=True)
        ]
        even = [image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2] for image in images]  # H.264 wants it
        if target.suffix == ".gif":
            iio.imwrite(target, even, duration=1000 / speed, loop=0)
        else:
            iio.imwrite(target, even, fps=speed, codec="libx264", macro_block_size=2)

    _on_root(functions, render)
    return target


def dispersion(
    alloy: film.Alloy,
    path: str | os.PathLike[str],
    *,
    mean: float,
    anisotropy: film.Anisotropy | ArrayLike | None = None,
    field: Sequence[float] | None = None,
    directions: Sequence[float] = (0.0, np.pi / 2),
    largest: float | None = None,
    measured: Sequence[tuple[float, float, complex]] = (),
) -> Path:
    """Draw growth rate and frequency of small waves against the wavenumber, one curve a direction, as PNG, PDF or SVG.

    Args:
        alloy: the constants.
        path: the picture; its folder is made.
        mean: C0 [-].
        anisotropy: as in `em.film.growth_rate`.
        field: F, shape (2,).
        directions: angles of the wavevectors to the x axis [rad].
        largest: the largest wavenumber drawn; a little beyond the cutoff when left out.
        measured: points (k, direction, omega) to draw on top.

    Returns:
        The path of the picture.

    Raises:
        ParameterError: for constants out of their bounds, or a file that cannot be written.
    """
    target = writable(path, ".png", ".pdf", ".svg")
    options: dict[str, Any] = {"mean": mean, "anisotropy": anisotropy, "field": field}
    slow = complex(np.asarray(film.growth_rate((1e-4, 0.0), alloy, mean=mean)))
    curvature = -slow.real / 1e-8 / (mean * (1 - mean))
    cutoff = np.sqrt(max(-curvature, 0.1 * abs(curvature), 1e-12) / alloy.gradient_energy)
    k = np.linspace(0.0, number("largest", largest, above=0.0) if largest else 1.15 * cutoff, 200)
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    growth, frequency = figure.subplots(1, 2)
    for i, angle in enumerate(directions):
        omega = np.asarray(film.growth_rate(np.outer(k, (np.cos(angle), np.sin(angle))), alloy, **options))
        label = f"k at {np.degrees(angle):.0f}°"
        growth.plot(k, omega.real, color=f"C{i}", label=label)
        frequency.plot(k, omega.imag, color=f"C{i}", label=label)
        points = np.array([(p[0], p[2].real, p[2].imag) for p in measured if np.isclose(p[1], angle)]).reshape(-1, 3)
        growth.plot(points[:, 0], points[:, 1], "o", color=f"C{i}")
        frequency.plot(points[:, 0], points[:, 2], "o", color=f"C{i}")
    for axes, name in ((growth, "growth rate Re ω"), (frequency, "frequency Im ω")):
        axes.axhline(0.0, color="0.7", linewidth=0.8)
        axes.set(xlabel="wavenumber k", ylabel=name, xlim=(0, k[-1]))
    growth.legend(frameon=False)
    if len(measured):
        growth.set_title("lines: linear theory, dots: measured", fontsize=10)
    if MPI.COMM_WORLD.rank == 0:
        figure.savefig(target, dpi=DPI)
    return target


def grid(function: fem.Function) -> pyvista.UnstructuredGrid | None:
    """The field as a pyvista grid with point data "value", on rank 0 (None elsewhere), for pictures of your own."""
    cells = fields.gather(function)
    return None if cells is None else _grid(cells)


# ---- how --------------------------------------------------------------------------------------------------------


def _frames(snapshots: Frames | Sequence[fem.Function]) -> tuple[list[fem.Function], list[str]]:
    """Functions and their titles."""
    functions = list(snapshots if isinstance(snapshots, Sequence) else snapshots.functions)
    if not functions or not all(isinstance(f, fem.Function) for f in functions):
        msg = f"snapshots: {len(functions)} fields, must be at least one Function"
        raise ParameterError(msg)
    times = getattr(snapshots, "t", None)
    return functions, [f.name for f in functions] if times is None else [f"t = {t:.4g}" for t in times]


def _limits(functions: Sequence[fem.Function]) -> tuple[float, float]:
    """Lowest and highest value of all fields."""
    ends = [fields.extremes(function) for function in functions]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _on_root(functions: Sequence[fem.Function], render: Callable[[list[fields.Cells]], None]) -> None:
    """Gather the fields and render on rank 0; its trouble is everybody's.

    Raises:
        ParameterError: if a field has components.
        EmfemError: if the picture could not be drawn.
    """
    for function in functions:
        if function.ufl_shape != ():
            msg = f"field {function.name!r} of shape {function.ufl_shape}, must be a scalar: draw one component"
            raise ParameterError(msg)
    cells = [fields.gather(function) for function in functions]
    comm = functions[0].function_space.mesh.comm
    trouble = None
    if comm.rank == 0:
        try:
            render([part for part in cells if part is not None])
        except (OSError, RuntimeError, ValueError) as error:
            trouble = str(error)
    trouble = comm.bcast(trouble, root=0)
    if trouble:
        msg = f"no picture: {trouble}"
        raise EmfemError(msg)


def _draw(
    functions: list[fem.Function],
    titles: list[str],
    target: Path,
    limits: tuple[float, float] | None,
    colours: str,
    columns: int | None = None,
) -> None:
    """Write one picture of all fields."""
    ends = limits or _limits(functions)

    def render(cells: list[fields.Cells]) -> None:
        _figure(cells, titles, ends, colours, columns, functions[0].name).savefig(target, dpi=DPI)

    _on_root(functions, render)


def _figure(
    cells: list[fields.Cells],
    titles: list[str],
    limits: tuple[float, float],
    colours: str,
    columns: int | None = None,
    label: str = "",
) -> Figure:
    """Panels row by row, with one colour bar for all."""
    across = min(columns or len(cells), len(cells))
    down = -(-len(cells) // across)
    height = 5.0 if len(cells) == 1 else 3.0
    width, tall, _ = np.ptp(cells[0].points, axis=0)
    aspect = float(np.clip(width / tall, 0.4, 3.0)) if tall else 1.6
    figure = Figure(figsize=(height * aspect * across + 1.2, (height + 0.6) * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for i, axes in enumerate(panels):
        if i < len(cells):
            _panel(axes, cells[i], limits, colours)
            axes.set_title(titles[i], fontsize=10)
        else:
            axes.set_axis_off()
    if tall:
        scale = ScalarMappable(Normalize(*limits), colours)
        figure.colorbar(scale, ax=panels.tolist(), shrink=0.8, pad=0.02, aspect=25, label=label)
    return figure


def _panel(axes: Axes, cells: fields.Cells, limits: tuple[float, float], colours: str) -> None:
    """One field: a curve in one dimension, colours in two, a view of the body in three."""
    dim = int(np.count_nonzero(np.ptp(cells.points, axis=0)))
    if dim == 1:
        order = np.argsort(cells.points[:, 0], kind="stable")
        axes.plot(cells.points[order, 0], cells.values[order])
        axes.set(xlabel="x", ylim=limits)
    elif dim == 2:
        surface = _grid(cells).extract_surface(nonlinear_subdivision=2, algorithm="dataset_surface").triangulate()
        corners = surface.faces.reshape(-1, 4)[:, 1:]
        triangles = Triangulation(surface.points[:, 0], surface.points[:, 1], corners)
        low, high = limits
        axes.tripcolor(triangles, surface.point_data["value"], shading="gouraud", cmap=colours, vmin=low, vmax=high)
        axes.set(aspect="equal", xlabel="x", ylabel="y")
        axes.label_outer()
        axes.margins(0)
    else:
        axes.imshow(_view(cells, limits, colours))
        axes.set_axis_off()


def _grid(cells: fields.Cells) -> pyvista.UnstructuredGrid:
    """The cells as pyvista has them, with point data "value"."""
    grid = pyvista.UnstructuredGrid(cells.cells, cells.types, cells.points)
    grid.point_data["value"] = cells.values
    return grid


def _view(cells: fields.Cells, limits: tuple[float, float], colours: str) -> NDArray[np.uint8]:
    """A body seen from a corner, as pixels.

    Raises:
        OSError: if VTK has nothing to draw on.
    """
    _screen()
    plotter = pyvista.Plotter(off_screen=True, window_size=(900, 700))
    plotter.set_background("white")
    plotter.add_mesh(_grid(cells), scalars="value", clim=limits, cmap=colours, show_scalar_bar=False)
    plotter.add_axes(color="black")
    plotter.view_isometric()
    image = np.asarray(plotter.screenshot(return_img=True))
    plotter.close()
    return image


def _pixels(figure: Figure) -> NDArray[np.uint8]:
    """A figure as pixels, shape (height, width, 3)."""
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3]


def _screen() -> None:
    """Make sure that VTK can draw: without a display and without EGL it would end the program.

    Raises:
        OSError: if it cannot.
    """
    if os.environ.get("DISPLAY"):
        return
    for library in ("libEGL.so.1", "libOSMesa.so.8"):
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        return
    msg = "there is no display and no libEGL: install the system package libegl1"
    raise OSError(msg)
