"""Fields as pictures: one, several side by side, or one after the other as a film."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from emfem import fields
from emfem.errors import ParameterError, count, kind
from emfem.files import writable
from emfem.mesh import Domain
from emfem.plot import cells, style
from emfem.plot.pieces import Floats, pieces
from emfem.plot.style import COLOURS

import imageio.v3 as iio
import numpy as np
import pyvista
from dolfinx import fem
from matplotlib.collections import LineCollection
from numpy.typing import NDArray


class Frames(Protocol):
    """What `em.watch.snapshots` keeps: a field at some times."""

    functions: list[fem.Function]

    @property
    def t(self) -> NDArray[np.float64]:
        """Times, shape (n,)."""


def field(
    function: fem.Function,
    path: str | os.PathLike[str],
    *,
    title: str = "",
    limits: tuple[float, float] | None = None,
    colours: str = COLOURS,
    regions: Domain | None = None,
) -> Path:
    """Draw a scalar field as a PNG; a periodic film is drawn whole.

    Args:
        function: a scalar Function on a mesh of any dimension.
        path: a name ending in .png; its folder is made.
        title: written above the picture.
        limits: values of the ends of the colour scale; those of the field when left out.
        colours: a Matplotlib colour map.
        regions: a plane domain whose regions, such as grains, are outlined.

    Returns:
        The path of the picture.

    Raises:
        ParameterError: if the field has components, or the file cannot be written.
    """
    fields.is_function(function)
    target = writable(path, ".png", comm=function.function_space.mesh.comm)
    borders = None
    if regions is not None:
        kind("regions", regions, Domain, "a domain of em.mesh")
        found = pieces(regions)
        borders = None if found is None else found.points[found.borders]
    _draw([function], [title or function.name], target, limits, colours, borders=borders)
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
    limits = limits or cells.limits(functions)

    def render(found: list[fields.Cells]) -> None:
        images = [
            style.pixels(cells.figure([part], [title], limits, colours, label=functions[0].name))
            for part, title in zip(found, titles, strict=True)
        ]
        even = [image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2] for image in images]  # H.264 wants it
        if target.suffix == ".gif":
            iio.imwrite(target, even, duration=1000 / speed, loop=0)
        else:
            iio.imwrite(target, even, fps=speed, codec="libx264", macro_block_size=2)

    cells.gathered(functions, render)
    return target


def grid(function: fem.Function) -> pyvista.UnstructuredGrid | None:
    """The field as a pyvista grid with point data "value", on rank 0 (None elsewhere), for pictures of your own."""
    found = fields.gather(function)
    return None if found is None else cells.grid_of(found)


def _frames(snapshots: Frames | Sequence[fem.Function]) -> tuple[list[fem.Function], list[str]]:
    """Functions and their titles."""
    functions = list(snapshots if isinstance(snapshots, Sequence) else snapshots.functions)
    if not functions or not all(isinstance(f, fem.Function) for f in functions):
        msg = f"snapshots: {len(functions)} fields, must be at least one Function"
        raise ParameterError(msg)
    times = getattr(snapshots, "t", None)
    return functions, [f.name for f in functions] if times is None else [f"t = {t:.4g}" for t in times]


def _draw(
    functions: list[fem.Function],
    titles: list[str],
    target: Path,
    limits: tuple[float, float] | None,
    colours: str,
    columns: int | None = None,
    borders: Floats | None = None,
) -> None:
    """Write one picture of all fields."""
    ends = limits or cells.limits(functions)

    def render(found: list[fields.Cells]) -> None:
        figure = cells.figure(found, titles, ends, colours, columns, functions[0].name)
        if borders is not None:
            lines = list(borders[:, :, :2])
            figure.axes[0].add_collection(LineCollection(lines, colors="white", linewidths=1.2))
        figure.savefig(target, dpi=style.DPI)

    cells.gathered(functions, render)
