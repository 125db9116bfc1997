"""Films from layouts: the polygons of a layer of a GDS file, and electrodes where those of other layers touch them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from emfem.errors import kind, number, require
from emfem.gate import checked
from emfem.mesh.distribute import on_root
from emfem.mesh.domain import Domain
from emfem.mesh.outline import area
from emfem.mesh.paths import check_file, file_path
from emfem.mesh.plane import Refine
from emfem.mesh.sandbox import isolated

import numpy as np
import shapely
from mpi4py import MPI

Layer = int | tuple[int, int]
LONG, SHARP = 1000, 1e-3  # cells; rad: cells in a corner between such edges would be needles, and very many


@checked(collective=True, kinds=False)
def from_gds(
    path: str | os.PathLike[str],
    *,
    layer: Layer,
    electrodes: Mapping[str, Layer],
    size: float,
    unit: float | None = None,
    cell: str | None = None,
    refine: Refine = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the film drawn by a layer of a GDS layout, in triangles. Collective; rank 0 reads.

    The film is the union of the layer's polygons without what lies under an electrode. An electrode is the part of the
    film's edge on its polygons, which may overlap the film or abut it; the rest is named sides.

    Args:
        path: the file.
        layer: the film: a number, for all datatypes, or (layer, datatype).
        electrodes: the layer of each.
        size: edge of a cell, in the units of the result.
        unit: length of the layout's user unit [m or -]; the file's own if left out, so that the film is in metres, and
            1.0 keeps the layout's numbers.
        cell: the cell to take, with all that it refers to; may be left out if only one is at the top.
        refine: as in `polygon`.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a file that is missing or no GDS file, several cells at the top, a layer without polygons,
            an electrode that does not touch the film, electrodes that overlap, a corner so sharp that cells would be
            needles, or a size or unit out of bounds.
        UnknownName: for a cell that is not in the file.
    """
    path = file_path("path", path)
    size = number("size", size, above=0.0)
    unit = None if unit is None else number("unit", unit, above=0.0)
    layers = {"layer": _layer("layer", layer)}
    kind("electrodes", electrodes, Mapping, "a mapping of names to layers")
    for name, where in electrodes.items():
        kind("name of an electrode", name, str, "a word")
        layers[f"electrodes[{name!r}]"] = _layer(f"electrodes[{name!r}]", where)
    if cell is not None:
        kind("cell", cell, str, "the name of a cell")
    shapes, length = on_root(f"layout in {path.name}", lambda: _polygons(path, layers, cell, unit), comm)
    film, pads = shapes[0], dict(zip(electrodes, shapes[1:], strict=True))
    film = shapely.difference(film, shapely.union_all(list(pads.values())))
    _check(film, pads)
    _check_corners(film, LONG * size / length)
    boundaries = {name: shapely.transform(pad, lambda x: x * length) for name, pad in pads.items()}
    region = shapely.transform(film, lambda x: x * length)
    domain = area(path.name, region, size=size, boundaries=boundaries, refine=refine, comm=comm)
    return domain.in_metres() if unit is None else domain


def _layer(name: str, layer: Any) -> tuple[int, int | None]:
    """Return number and datatype of a layer; None for all datatypes."""
    pair = (layer, 0) if isinstance(layer, int) else layer
    good = isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(n, int | np.integer) and n >= 0 for n in pair)
    message = f"{name} = {layer!r}, must be a layer's number or (layer, datatype), at least 0"
    require(good and not isinstance(layer, bool), message)
    return int(pair[0]), None if isinstance(layer, int) else int(pair[1])


def _polygons(
    path: Path, layers: Mapping[str, tuple[int, int | None]], cell: str | None, unit: float | None
) -> tuple[list[shapely.Geometry], float]:
    """Return the union of the polygons on each layer, in steps of the layout's grid, and the length of a step."""
    check_file("path", path)
    must = f"path = {str(path)!r}, must be a GDS file"
    arrays, table = isolated("gds_files", path, must, library="gdstk", layers=layers, cell=cell, unit=unit)
    return [shapely.from_wkb(arrays[str(i)].tobytes()) for i in range(len(layers))], table["step"]


def _check_corners(film: shapely.Geometry, long: float) -> None:
    """Refuse a needle, as one wrong bit of a coordinate makes: two edges longer than `long` with hardly an angle."""
    for ring in shapely.get_rings(shapely.get_parts(film)):
        edges = np.diff(shapely.get_coordinates(ring) @ (1.0, 1.0j))
        before = np.roll(edges, 1)
        both = np.minimum(abs(edges), abs(before)) > long
        angle = float(np.abs(np.angle(-before[both] / edges[both])).min(initial=np.pi))
        words = f"the film has a corner of {np.degrees(angle):.1g} degrees between edges of more than {LONG} cells"
        require(angle >= SHARP, f"{words}, must be at least {np.degrees(SHARP):.1g} degrees: is the file damaged?")


def _check(film: shapely.Geometry, pads: Mapping[str, shapely.Geometry]) -> None:
    """Check that metal is left, and that electrodes do not overlap and touch it."""
    for (name, pad), (other, neighbour) in combinations(pads.items(), 2):
        require(shapely.intersection(pad, neighbour).area == 0, f"electrodes {name!r} and {other!r} overlap")
    require(not film.is_empty, "the electrodes cover all of the film, must leave some of it")
    for name, pad in pads.items():
        touches = shapely.intersection(film.boundary, pad).length > 0
        require(touches, f"electrode {name!r} does not touch the film, must overlap or abut it")
