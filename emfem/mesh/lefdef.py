"""LEF and DEF: layers of metal, and where the wires of the power grid lie.

The few statements that matter here are read by hand: libraries that read these formats give polygons without
thickness and resistance, at a hundred megabytes, or are not kept up.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from emfem.errors import ParameterError
from emfem.gate import checked
from emfem.mesh.distribute import on_root
from emfem.mesh.graph import Floats
from emfem.mesh.paths import check_file, file_path

import numpy as np
from mpi4py import MPI
from shapely import STRtree, box, points

MICROMETRE = 1e-6  # m
NUMBERS = {"WIDTH": "width", "THICKNESS": "thickness", "SPACING": "spacing"}  # in micrometres
BEGINS = ("ROUTED", "FIXED", "COVER", "SHIELD", "NEW")  # a path of a net in DEF
Word = tuple[int, str]  # its line, from 1


@checked
@dataclass(frozen=True)
class LefLayer:
    """A layer of metal in a LEF file; what the file lacks is None.

    Attributes:
        name: of the layer.
        thickness: of the metal [m].
        sheet_resistance: of a square [Ohm]; that of the widest wires where the file has a table.
        width: default width of signal wires [m]; wires of power grids are wider.
        spacing: least distance of wires [m].
    """

    name: str
    thickness: float | None = None
    sheet_resistance: float | None = None
    width: float | None = None
    spacing: float | None = None


@checked
@dataclass(frozen=True, eq=False)
class Lef:
    """Layers of metal in a LEF file.

    Attributes:
        layers: by name, from the lowest.
        unit: length of a database unit [m]; None if the file does not have it.
    """

    layers: Mapping[str, LefLayer]
    unit: float | None = None


@checked
@dataclass(frozen=True, eq=False)
class Geometry:
    """Wires of the special nets of a DEF file, as rectangles.

    Attributes:
        unit: length of a database unit [m].
        rectangles: x, y of the lower left and the upper right corner [m], of each layer by its name, shape (n, 4).
    """

    unit: float
    rectangles: Mapping[str, Floats]

    def widths(self, layer: str, start: Floats, end: Floats) -> Floats:
        """Return the width of the metal across straight wires along x or y, NaN where there is none, shape (m,) [m].

        It is that of the widest rectangle along the wire that the middle of the wire lies in.

        Args:
            layer: name of the layer.
            start: x and y where each wire begins [m], shape (m, 2).
            end: where it ends [m], shape (m, 2).
        """
        width = np.full(len(start), np.nan)
        corners = self.rectangles.get(layer)
        if corners is None:
            return width
        span = np.abs(end - start)
        straight = span.min(axis=1) <= self.unit / 4
        grown = corners + np.array([-1, -1, 1, 1]) * self.unit / 4
        middle, rectangle = STRtree(box(*grown.T)).query(points((start + end) / 2), predicate="within")
        size = corners[rectangle, 2:] - corners[rectangle, :2]
        size = np.where((span[middle, 0] >= span[middle, 1])[:, None], size, size[:, ::-1])  # along, across
        lies_along = size[:, 0] >= size[:, 1]
        np.fmax.at(width, middle[lies_along], size[lies_along, 1])
        return np.where(straight, width, np.nan)


@checked(collective=True, kinds=False)
def read_lef(path: str | os.PathLike[str], *, comm: MPI.Comm = MPI.COMM_WORLD) -> Lef:
    """Return the layers of metal of a LEF file: thickness, sheet resistance, width, spacing. Collective; rank 0 reads.

    Args:
        path: the .lef file.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a file that is missing, or has no layers of metal; with the line, for something that is no
            number.
    """
    file = file_path("path", path)
    return on_root(f"layers in {file.name}", lambda: _lef(file), comm)


@checked(collective=True, kinds=False)
def read_def(path: str | os.PathLike[str], *, comm: MPI.Comm = MPI.COMM_WORLD) -> Geometry:
    """Return the wires of the special nets of a DEF file. Collective; rank 0 reads.

    It has the width of each wire and the unit of a netlist: `em.mesh.read_netlist(path, geometry=...)`.

    Args:
        path: the .def file.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a file that is missing, or has no unit or no special nets; with the line, for something that
            is no number.
    """
    file = file_path("path", path)
    return on_root(f"wires in {file.name}", lambda: _Def(file).geometry(), comm)


def _words(path: Path) -> Iterator[Word]:
    """Yield the words of a file without its comments, each with its line."""
    check_file("path", path)
    for i, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), start=1):
        for word in line.partition("#")[0].split():
            if len(word) > 1 and word[-1] == ";":  # not all writers put a blank before it
                yield i, word[:-1]
                word = ";"
            yield i, word


def _refuse(path: Path, line: int, message: str) -> NoReturn:
    msg = f"{path.name}, line {line}: {message}"
    raise ParameterError(msg)


def _number(path: Path, word: Word, what: str, *, positive: bool = True) -> float:
    """Return the number of a word.

    Raises:
        ParameterError: if it is none, infinite, or not above 0 where it must be.
    """
    line, text = word
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (positive and value <= 0):
        _refuse(path, line, f"{what} {text[:50]!r}, must be a {'positive ' if positive else ''}number")
    return value


def _lef(path: Path) -> Lef:
    """Return the layers of a LEF file."""
    layers: dict[str, LefLayer] = {}
    unit: float | None = None
    words = list(_words(path))
    texts = [text.upper() for _, text in words]
    for i, text in enumerate(texts):
        if text == "DATABASE" and texts[i + 1 : i + 2] == ["MICRONS"] and i + 2 < len(words):
            unit = MICROMETRE / _number(path, words[i + 2], "DATABASE MICRONS")
        elif text == "LAYER" and texts[i + 2 : i + 4] == ["TYPE", "ROUTING"]:
            name = words[i + 1][1]
            layers[name] = _layer(path, name, words, i + 4)
    if not layers:
        msg = f"{path.name} has no layer of metal, must have LAYER ... TYPE ROUTING"
        raise ParameterError(msg)
    return Lef(layers, unit)


def _layer(path: Path, name: str, words: list[Word], begin: int) -> LefLayer:
    """Return a layer from the words after its type."""
    numbers: dict[str, float] = {}
    first = True  # of a statement
    for i in range(begin, len(words)):
        key, following = words[i][1].upper(), words[i + 1 : i + 3]
        if key == "END" and first:
            return LefLayer(name, **numbers)
        if key == "LAYER" and first:
            break
        if first and key in NUMBERS and following:
            numbers.setdefault(NUMBERS[key], _number(path, following[0], key) * MICROMETRE)
        elif first and key == "RESISTANCE" and len(following) == 2 and following[0][1].upper() == "RPERSQ":
            value = following[1] if following[1][1].upper() != "PWL" else _widest(path, words, i + 3)
            numbers["sheet_resistance"] = _number(path, value, "RESISTANCE RPERSQ")
        first = key == ";"
    _refuse(path, words[begin - 1][0], f"LAYER {name[:50]}, must have an END")


def _widest(path: Path, words: list[Word], begin: int) -> Word:
    """Return the resistance of the widest wires of a table ((width value) (width value) ...) from a word on.

    Raises:
        ParameterError: unless it has pairs.
    """
    table = list[Word]()
    for line, text in words[begin:]:
        if text == ";":
            break
        table += [(line, part) for part in text.replace("(", " ").replace(")", " ").split()]
    pairs = list(zip(table[::2], table[1::2], strict=False))
    if not pairs or len(table) % 2:
        _refuse(path, words[begin - 1][0], "RESISTANCE RPERSQ PWL, must have a table of pairs, (width resistance)")
    return max(pairs, key=lambda pair: _number(path, pair[0], "width of RPERSQ PWL"))[1]


class _Def:
    """Reader of the special nets of a DEF file."""

    def __init__(self, path: Path) -> None:
        """Begin without wires."""
        self.path = path
        self.rectangles: dict[str, list[tuple[float, float, float, float]]] = {}

    def geometry(self) -> Geometry:
        """Return the wires.

        Raises:
            ParameterError: for a file without unit or wires, or something that is no number.
        """
        unit: float | None = None
        last: list[str] = []
        words = _words(self.path)
        for line, text in words:
            if last[-2:] == ["DISTANCE", "MICRONS"]:
                unit = MICROMETRE / _number(self.path, (line, text), "UNITS DISTANCE MICRONS")
            if text == "SPECIALNETS" and last[-1:] != ["END"]:
                self._nets(words)
                break
            last = [*last[-1:], text]
        if unit is None:
            msg = f"{self.path.name} has no unit, must have UNITS DISTANCE MICRONS before its nets"
            raise ParameterError(msg)
        if not self.rectangles:
            msg = f"{self.path.name} has no wires of special nets, must have SPECIALNETS ... + ROUTED"
            raise ParameterError(msg)
        return Geometry(unit, {name: np.array(corners) * unit for name, corners in self.rectangles.items()})

    def _nets(self, words: Iterator[Word]) -> None:
        """Take the wires of all nets."""
        width: float | None = None  # of a path; 0 for a rectangle, whose corners follow, and for a via
        layer, before = "", list[float]()
        for word in words:
            text = word[1]
            if text == "END":
                return
            if text == "-":
                self._next(words, word)  # the name of the net, which may be any word
            elif text in BEGINS:
                if text == "SHIELD":
                    self._next(words, word)  # the name of the net behind it
                layer, before, width = self._next(words, word), [], None
                if layer in ("+", ";"):  # rectangles follow, or nothing
                    continue
                width = _number(self.path, (word[0], self._next(words, word)), "width of a wire", positive=False)
                if width < 0:  # that of a via alone is 0
                    _refuse(self.path, word[0], f"width of a wire = {width:g}, must not be negative")
            elif text == "RECT":
                layer, width, before = self._next(words, word), 0.0, []
            elif text in ("POLYGON", "VIA", ";"):
                width = None
            elif text == "(" and width is not None:
                point = self._point(words, word, before)
                if before:
                    self._add(layer, width, before, point)
                before = point

    def _next(self, words: Iterator[Word], word: Word) -> str:
        """Return the next word.

        Raises:
            ParameterError: at the end of the file.
        """
        following = next(words, None)
        if following is None:
            _refuse(self.path, word[0], f"{word[1][:50]!r}, must not be the end of the file")
        return following[1]

    def _point(self, words: Iterator[Word], word: Word, before: list[float]) -> list[float]:
        """Return x and y of a point, whose stars are those of the point before."""
        values: list[float] = []
        while (text := self._next(words, word)) != ")":
            if text == "*" and len(before) > len(values):
                values.append(before[len(values)])
            else:
                values.append(_number(self.path, (word[0], text), "coordinate", positive=False))
        if len(values) not in (2, 3):  # the third is what a wire goes beyond its end
            _refuse(self.path, word[0], f"a point of {len(values)} numbers, must have x and y")
        return values[:2]

    def _add(self, layer: str, width: float, start: list[float], end: list[float]) -> None:
        """Add the rectangle of a wire, or one with two corners; a path that is not along x or y is none."""
        low, high = map(min, start, end), map(max, start, end)
        x, y, u, v = *low, *high
        if width > 0:
            if x != u and y != v:
                return
            along_x = y == v
            x, u = (x, u) if along_x else (x - width / 2, u + width / 2)
            y, v = (y - width / 2, v + width / 2) if along_x else (y, v)
        if u > x and v > y:
            self.rectangles.setdefault(layer, []).append((x, y, u, v))
