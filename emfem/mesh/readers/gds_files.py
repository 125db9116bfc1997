"""Layouts in GDS files, by gdstk."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, UnknownName, require

import numpy as np
import shapely
from numpy.typing import NDArray

HEADER, ENDLIB = 0x00, 0x04
LIBRARY, STRUCTURE, ELEMENT = "library", "structure", "element"
BEGIN = {0x01: LIBRARY, 0x05: STRUCTURE} | dict.fromkeys((0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x15, 0x2D), ELEMENT)
END = {0x04: LIBRARY, 0x07: STRUCTURE, 0x11: ELEMENT}
INSIDE = {LIBRARY: [], STRUCTURE: [LIBRARY], ELEMENT: [LIBRARY, STRUCTURE]}
LAST = 0x3B  # the last kind of record
WIDTHS = {0: 0, 1: 2, 2: 2, 3: 4, 4: 4, 5: 8, 6: 1}  # bytes of one item, by the record's kind of data
DATA = {  # kind of data and number of bytes, -1 for any, of records that gdstk reads without a look
    **dict.fromkeys((0x00, 0x0D, 0x0E, 0x16, 0x21, 0x2A, 0x2B, 0x2E), (2, 2)),
    **dict.fromkeys((0x04, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x11, 0x15, 0x2D), (0, 0)),
    **dict.fromkeys((0x01, 0x05), (2, 24)),
    **dict.fromkeys((0x02, 0x06, 0x12, 0x19, 0x2C), (6, -1)),
    **dict.fromkeys((0x0F, 0x30, 0x31), (3, 4)),
    **dict.fromkeys((0x1B, 0x1C), (5, 8)),
    0x03: (5, 16),
    0x10: (3, -1),
    0x13: (2, 4),
    0x17: (1, 2),
    0x1A: (1, 2),
}


def load(
    path: Path, layers: Mapping[str, tuple[int, int | None]], cell: str | None, unit: float | None
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the union of the polygons on each layer, in steps of the layout's grid.

    Args:
        path: the file.
        layers: number and datatype, None for all, by the name for messages.
        cell: the cell to take, or None for the only one at the top.
        unit: length of the layout's user unit, or None for the file's own.

    Returns:
        the unions in the order of the layers, as bytes of WKB, in arrays "0", "1", ...; and "step", the length of a
        step, in a table.

    Raises:
        ParameterError: for a file that is no layout, has no cells, or no polygons on a layer.
        UnknownName: for a cell that is not there.
    """
    check_records(path)
    library = importlib.import_module("gdstk").read_gds(path)
    require(library.cells, f"path = {str(path)!r}, must be a GDS file: it has no cells")
    for name, length in (("unit", library.unit), ("grid", library.precision)):
        require(0 < length < 1, f"path = {str(path)!r}, must be a GDS file: its {name} is {length:g} m")
    chosen = _cell(library, cell, path)
    polygons = chosen.get_polygons(apply_repetitions=True, include_paths=True, depth=None)
    step = library.precision if unit is None else library.precision / library.unit * unit
    arrays: dict[str, NDArray[Any]] = {}
    for name, (layer, datatype) in layers.items():
        on = [p for p in polygons if p.layer == layer and datatype in (None, p.datatype)]
        if not on:
            there = ", ".join(f"{n}/{d}" for n, d in sorted({(p.layer, p.datatype) for p in polygons}))
            number = str(layer) if datatype is None else f"{layer}/{datatype}"
            msg = (
                f"{name} = {number}, must hold polygons: cell {chosen.name!r} of {path.name} has {there or 'no layers'}"
            )
            raise ParameterError(msg)
        # On the grid, edges that abut coincide; floats of the user's unit do not
        grid = [np.round(np.asarray(p.points) * (library.unit / library.precision)) for p in on]
        union = shapely.union_all([shapely.make_valid(shapely.Polygon(points)) for points in grid])
        arrays[str(len(arrays))] = np.frombuffer(shapely.to_wkb(union), dtype=np.uint8)
    return arrays, {"step": step}


def check_records(path: Path) -> None:
    """Check lengths, kinds and nesting of all records before gdstk sees them: it trusts them.

    Raises:
        ParameterError: for the first record that is wrong.
    """
    content = memoryview(path.read_bytes())
    start = f"path = {str(path)!r}, must be a GDS file:"
    at, opened = 0, list[str]()
    while True:
        where = f"{start} at byte {at}"
        require(at + 4 <= len(content), f"{start} it has no end")
        length, kind, data = int.from_bytes(content[at : at + 2]), content[at + 2], content[at + 3]
        require((at == 0) == (kind == HEADER), f"{where} it has record {kind}, must begin with 0")
        good = length >= 4 and at + length <= len(content) and kind <= LAST and data in WIDTHS
        require(good, f"{where} is no record: length {length}, kind {kind}, data {data}")
        expected, size = DATA.get(kind, (data, -1))
        size = length - 4 if size < 0 else size
        whole = length - 4 == size and (WIDTHS[data] == 0) == (size == 0) and size % (WIDTHS[data] or 1) == 0
        pairs = kind != 0x10 or size % 8 == 0  # coordinates
        require(data == expected and whole and pairs, f"{where} record {kind} has {length - 4} bytes of kind {data}")
        if kind in BEGIN:
            require(opened == INSIDE[BEGIN[kind]], f"{where} record {kind} is inside of {opened[-1:]}")
            opened.append(BEGIN[kind])
        elif kind in END:
            require(opened[-1:] == [END[kind]], f"{where} record {kind} ends what is not open")
            opened.pop()
        at += length
        if kind == ENDLIB:
            return


def _cell(library: Any, cell: str | None, path: Path) -> Any:
    """Return the cell of that name, or the only one at the top."""
    whole = importlib.import_module("gdstk").Cell  # a raw cell has no polygons
    named = {c.name: c for c in library.cells if isinstance(c, whole)}
    if cell is not None:
        if cell not in named:
            raise UnknownName(cell, path.name, named)
        return named[cell]
    top = [c for c in library.top_level() if isinstance(c, whole)]
    names = ", ".join(c.name for c in top)
    require(len(top) == 1, f"cell = None, must be one of the {len(top)} at the top of {path.name}: {names}")
    return top[0]
