"""Films from micrographs: the bright part of an image, bounded by the contour at a threshold."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, choice, floats, kind, number, require
from emfem.gate import checked
from emfem.mesh.distribute import on_root
from emfem.mesh.domain import Domain
from emfem.mesh.outline import Boundary, area
from emfem.mesh.paths import check_file
from emfem.mesh.plane import Refine
from emfem.mesh.sandbox import isolated

import numpy as np
import shapely
import skimage
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

SIDES = ("left", "right", "bottom", "top")
SPECK = 4.0  # [pixel^2]: smaller pieces and pores are noise
FRAME = 2  # pixels added around the image, so that contours close outside of it


@checked(collective=True, local=("image",), kinds=False)
def from_image(
    image: str | os.PathLike[str] | ArrayLike,
    *,
    pixel: float,
    size: float,
    threshold: float | None = None,
    electrodes: Mapping[str, Boundary | str] | Sequence[str] = ("left", "right"),
    smooth: float = 1.0,
    simplify: float = 0.5,
    invert: bool = False,
    refine: Refine = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the film in a micrograph, in triangles: its bright part is metal. Collective; rank 0 reads.

    The image lies at 0 <= x <= columns pixel, 0 <= y <= rows pixel, y upwards. Boundaries are the electrodes and sides,
    the rest. Pieces and pores smaller than a few pixels are noise; metal that reaches no electrode carries no current:
    both are left out.

    Args:
        image: a file, or gray values or colours, shape (rows, columns) or (rows, columns, 3 or 4).
        pixel: edge of a pixel [m or -].
        size: edge of a cell, in the units of the result.
        threshold: brightness of the metal's edge, between 0 (darkest pixel) and 1 (brightest); if left out, halfway
            between metal and gaps, separated by Otsu's method.
        electrodes: sides of the image, "left", "right", "bottom" or "top": the metal is cut straight there. Or names
            for them, {"anode": "left"}; or others, as in `polygon`.
        smooth: standard deviation of the Gaussian filter, 0 for none [pixel].
        simplify: largest distance by which the outline may move for fewer corners [pixel].
        invert: True if the dark part is metal.
        refine: as in `polygon`.
        comm: the ranks that share it.

    Raises:
        ParameterError: for an image that is missing, not readable or of one brightness, a number out of its bounds, or
            an electrode that the metal does not reach.
        UnknownName: for a side that images do not have.
    """
    pixel = number("pixel", pixel, above=0.0)
    size = number("size", size, above=0.0)
    level = None if threshold is None else number("threshold", threshold, above=0.0, below=1.0)
    smooth = number("smooth", smooth, at_least=0.0)
    simplify = number("simplify", simplify, at_least=0.0)
    kind("invert", invert, bool, "True or False")
    places = _places(electrodes)

    def make() -> tuple[shapely.Geometry, tuple[int, int]]:
        gray = _gray(image)
        return _metal(1.0 - gray if invert else gray, level, smooth, simplify), gray.shape

    metal, (rows, columns) = on_root("film in the image", make, comm)
    metal = shapely.transform(metal, lambda x: x * pixel)
    boundaries = {name: _side(where, columns * pixel, rows * pixel) for name, where in places.items()}
    for name, line in boundaries.items():
        touches = not isinstance(places[name], str) or shapely.intersection(metal.boundary, line).length > 0
        require(touches, f"electrode {name!r}: no metal touches the {places[name]} edge of the image")
    connected = _connected(metal, boundaries, 1e-6 * pixel)
    return area("micrograph", connected, size=size, boundaries=boundaries, refine=refine, comm=comm)


def _places(electrodes: Any) -> dict[str, Any]:
    """Return the place of each electrode: a side of the image, or one of those that `area` takes.

    Raises:
        ParameterError: if it is neither a mapping nor a list of words.
        UnknownName: for a side that images do not have.
    """
    if isinstance(electrodes, str) or not isinstance(electrodes, Mapping | Sequence):
        msg = f"electrodes = {electrodes!r}, must be a list of sides or a mapping of names to places"
        raise ParameterError(msg)
    for name in electrodes:
        kind("name of an electrode", name, str, "a word")
    places = dict(electrodes) if isinstance(electrodes, Mapping) else {side: side for side in electrodes}
    for name, where in places.items():
        if isinstance(where, str):
            choice(f"sides of an image for electrode {name!r}", where, SIDES)
    return places


def _gray(image: Any) -> NDArray[np.float64]:
    """Return the brightness of each pixel, from 0 (darkest) to 1 (brightest), shape (rows, columns).

    Raises:
        ParameterError: if it is no image, or all of one brightness.
    """
    values = _read(Path(image)) if isinstance(image, str | os.PathLike) else floats("image", image)
    if values.ndim == 3 and values.shape[2] in (3, 4):
        values = skimage.color.rgb2gray(values[:, :, :3])
    message = f"image of shape {values.shape}, must be (rows, columns) or (rows, columns, 3 or 4), at least 3 x 3"
    require(values.ndim == 2 and min(values.shape) >= 3, message)
    require(np.isfinite(values).all(), "a pixel's brightness is not a finite number")
    require(np.ptp(values) > 0, f"image of one brightness, {values.flat[0]:g}, must hold metal and gaps")
    return (values - values.min()) / np.ptp(values)


def _read(path: Path) -> NDArray[np.float64]:
    """Return the values in an image file.

    Raises:
        ParameterError: if there are none.
    """
    check_file("image", path)
    must = f"image = {str(path)!r}, must be an image that can be read, such as .png or .tif"
    return isolated("image_files", path, must, library="imageio.v3")[0]["pixels"]


def _metal(gray: NDArray[np.float64], level: float | None, smooth: float, simplify: float) -> shapely.Geometry:
    """Return the part of the image brighter than `level`, in pixels, y upwards.

    Raises:
        ParameterError: if there is none, or nothing else.
    """
    smoothed = skimage.filters.gaussian(gray, smooth, mode="nearest") if smooth else gray
    level = _halfway(smoothed) if level is None else level
    where = "darker" if smoothed.max() <= level else "brighter"
    message = f"threshold = {level:g}, must be between gaps and metal: all of the smoothed image is {where}"
    require(smoothed.min() < level < smoothed.max(), message)
    wide = np.pad(np.pad(smoothed, FRAME, mode="edge"), 1, constant_values=smoothed.min() - 1.0)
    rows, columns = gray.shape
    # Pixel i covers i to i + 1, and its brightness is that of its middle
    contours = [
        np.column_stack([at[:, 1] + 0.5 - FRAME - 1, rows - (at[:, 0] + 0.5 - FRAME - 1)])
        for at in skimage.measure.find_contours(wide, level)
    ]
    lines = shapely.union_all([shapely.LineString(contour) for contour in contours if len(contour) > 3])
    region = shapely.simplify(_cleaned(shapely.build_area(lines)), simplify)
    metal = shapely.intersection(shapely.make_valid(shapely.union_all(region)), shapely.box(0, 0, columns, rows))
    metal = _cleaned(metal)
    require(not metal.is_empty, f"threshold = {level:g}, must leave metal larger than {SPECK:g} pixels: there is none")
    return metal


def _halfway(gray: NDArray[np.float64]) -> float:
    """Return the brightness halfway between metal and gaps, separated by Otsu's method: that of a blurred edge."""
    bright = gray > skimage.filters.threshold_otsu(gray)
    return float(gray[bright].mean() + gray[~bright].mean()) / 2


def _cleaned(region: shapely.Geometry) -> shapely.Geometry:
    """Return the region without pieces and pores smaller than SPECK."""
    pieces = [p for p in getattr(region, "geoms", [region]) if isinstance(p, shapely.Polygon) and p.area >= SPECK]
    return shapely.MultiPolygon(
        [
            shapely.Polygon(p.exterior, [hole for hole in p.interiors if shapely.Polygon(hole).area >= SPECK])
            for p in pieces
        ]
    )


def _side(where: Any, width: float, height: float) -> Any:
    """Return the side of the image as a line if `where` is its name, else `where`."""
    if not isinstance(where, str):
        return where
    corners = {
        "left": [(0.0, 0.0), (0.0, height)],
        "right": [(width, 0.0), (width, height)],
        "bottom": [(0.0, 0.0), (width, 0.0)],
        "top": [(0.0, height), (width, height)],
    }
    return shapely.LineString(corners[where])


def _connected(metal: shapely.Geometry, boundaries: Mapping[str, Any], near: float) -> shapely.Geometry:
    """Return the pieces of the metal that touch an electrode; all without electrodes or if one is a function of x."""
    if not boundaries or any(callable(where) for where in boundaries.values()):
        return metal
    lines = [w if isinstance(w, shapely.Geometry) else shapely.LineString(w) for w in boundaries.values()]
    places = shapely.union_all(lines)
    pieces = [piece for piece in metal.geoms if shapely.dwithin(piece, places, near)]
    return shapely.MultiPolygon(pieces) if pieces else metal
