"""Networks from tables: a TOML file, or CSV files of nodes and segments."""

from __future__ import annotations

import contextlib
import csv
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, UnknownName, number
from emfem.mesh.cards import file_path
from emfem.mesh.domain import Domain
from emfem.mesh.graph import Network
from emfem.mesh.network import meshed
from emfem.mesh.share import on_root
from emfem.mesh.wires import build

from mpi4py import MPI
from numpy.typing import ArrayLike

Path_ = str | os.PathLike[str]
Row = Mapping[str, Any]

NODE = ("name", "x", "y", "z", "load", "voltage", "boundary")
SEGMENT = ("from", "to", "width", "thickness")
VIA = ("from", "to", "resistance")
TOP = ("unit", "width", "thickness", "nodes", "segments", "vias")


def read_network(
    path: Path_,
    *,
    segments: Path_ | None = None,
    vias: Path_ | None = None,
    unit: float | None = None,
    cells: ArrayLike | None = None,
    size: float | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """The network in a .toml file, or in .csv files of nodes, segments and vias. Collective; rank 0 reads.

    A node has x and y, and may have z, a name, a load [A], a voltage [V] and the name of a boundary. A segment has from
    and to (the names of nodes, or their numbers from 0), a width and a thickness; a via from, to and a resistance
    [Ohm]. In a .toml file these are tables `[[nodes]]`, `[[segments]]` and `[[vias]]`, or arrays of the same in this
    order, as in `nodes = [[0, 0], [20, 0]]`; `width` and `thickness` at the top are for all segments without their own,
    and `unit` is the length of 1 in the file. In .csv files the first line names the columns.

    Args:
        path: the .toml file, or the .csv file of the nodes.
        segments: the .csv file of the segments.
        vias: the .csv file of the vias, if there are any.
        unit: length of 1 in the file [m]; the file's own, or 1, if left out.
        cells: of each segment, as in `network`.
        size: longest cell [m], as in `network`.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a file that is missing or no such table, telling the row that is wrong; and as `network`.
        UnknownName: for a column that means nothing, or a node that does not exist.
    """
    file = file_path("path", path)
    others = [
        None if each is None else file_path(name, each) for name, each in (("segments", segments), ("vias", vias))
    ]
    given = None if unit is None else number("unit", unit, above=0.0, unit="m")

    def make() -> Network:
        ending = file.suffix.lower()
        if ending not in (".toml", ".csv"):
            msg = f"path = {str(file)!r}, must end in .toml or .csv"
            raise ParameterError(msg)
        if (ending == ".csv") != (segments is not None):
            must = "a .csv file too" if ending == ".csv" else "left out: the .toml file holds them"
            msg = f"segments = {segments!r}, must be {must}"
            raise ParameterError(msg)
        if others[0] is None:
            return _built(_toml(file), given, file.name)
        tables = {"nodes": _csv(file), "segments": _csv(others[0]), "vias": _csv(others[1]) if others[1] else []}
        return _built(tables, given, file.name)

    found = on_root(f"network in {file.name}", make, comm)
    return meshed(found, f"network {file.name}", cells=cells, size=size, comm=comm)


def _toml(path: Path) -> dict[str, Any]:
    """What a TOML file says."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        msg = f"path = {str(path)!r}, must be a file that can be read: {error.strerror}"
        raise ParameterError(msg) from None
    except ValueError as error:
        msg = f"path = {str(path)!r}, must be TOML: {error}"
        raise ParameterError(msg) from None


def _csv(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV file without their empty cells."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True, restkey="more", strict=True))
    except OSError as error:
        msg = f"path = {str(path)!r}, must be a file that can be read: {error.strerror}"
        raise ParameterError(msg) from None
    except (csv.Error, UnicodeError) as error:
        msg = f"path = {str(path)!r}, must be a CSV file: {error}"
        raise ParameterError(msg) from None
    return [{name.strip(): cell for name, cell in row.items() if cell not in ("", None)} for row in rows]


def _built(tables: Mapping[str, Any], unit: float | None, file: str) -> Network:
    """The network of the tables."""
    for name in tables:
        if name not in TOP:
            raise UnknownName(name, f"a network in {file}", TOP)
    scale = _number(tables.get("unit", 1.0), f"unit in {file}") if unit is None else unit
    nodes = _rows(tables, "nodes", ("x", "y", "z"), NODE, file)
    wires = _rows(tables, "segments", SEGMENT, SEGMENT, file)
    vias = _rows(tables, "vias", VIA, VIA, file)
    number_of = _numbered(nodes, file)
    deep = any("z" in row for row in nodes)
    axes = ("x", "y", "z") if deep else ("x", "y")
    places = [[_cell(row, axis, i, "nodes", file) * scale for axis in axes] for i, row in enumerate(nodes)]
    sizes = {}
    for name in ("width", "thickness"):
        rows = [{name: tables[name], **row} if name in tables else row for row in wires]
        sizes[name] = [_cell(row, name, i, "segments", file) * scale for i, row in enumerate(rows)]
    named = {i: str(row["boundary"]) for i, row in enumerate(nodes) if "boundary" in row}
    return build(
        places,
        [_ends(row, i, "segments", number_of, file) for i, row in enumerate(wires)],
        **sizes,
        vias=[
            (*_ends(row, i, "vias", number_of, file), _cell(row, "resistance", i, "vias", file))
            for i, row in enumerate(vias)
        ],
        loads={i: _cell(row, "load", i, "nodes", file) for i, row in enumerate(nodes) if "load" in row},
        pads={i: _cell(row, "voltage", i, "nodes", file) for i, row in enumerate(nodes) if "voltage" in row},
        names=tuple(number_of) if any("name" in row for row in nodes) else (),
        boundaries=named or None,
    )


def _rows(tables: Mapping[str, Any], table: str, order: Sequence[str], known: Sequence[str], file: str) -> list[Row]:
    """The rows of a table, each by its columns."""
    given = tables.get(table, [])
    if not isinstance(given, list) or not all(isinstance(row, list | Mapping) for row in given):
        msg = f"{table} in {file}, must be tables [[{table}]] or a list of lists"
        raise ParameterError(msg)
    if not given and table != "vias":
        msg = f"{file} has no {table}, must have some"
        raise ParameterError(msg)
    rows = []
    for i, row in enumerate(given):
        if isinstance(row, list) and len(row) > len(order):
            msg = f"{table}[{i}] = {row} in {file}, must be at most {len(order)} values: {', '.join(order)}"
            raise ParameterError(msg)
        found = dict(zip(order, row, strict=False)) if isinstance(row, list) else row
        for name in found:
            if name not in known:
                raise UnknownName(name, f"{table}[{i}] in {file}", known)
        rows.append(found)
    return rows


def _numbered(nodes: Sequence[Row], file: str) -> dict[str, int]:
    """Number of each node by its name, and by itself where it has none."""
    found: dict[str, int] = {}
    for i, row in enumerate(nodes):
        name = str(row.get("name", i))
        if found.setdefault(name, i) != i:
            msg = f"nodes[{i}] in {file} is named {name!r}, as is nodes[{found[name]}], must be one name a node"
            raise ParameterError(msg)
    return found


def _ends(row: Row, i: int, table: str, number_of: Mapping[str, int], file: str) -> tuple[int, int]:
    """The nodes that a row joins."""
    found = []
    for column in ("from", "to"):
        if column not in row:
            msg = f"{table}[{i}] in {file} has no {column}, must have one"
            raise ParameterError(msg)
        node = str(row[column])
        if node not in number_of:
            raise UnknownName(node, f"{table}[{i}] in {file}: among the nodes, it", list(number_of)[:20])
        found.append(number_of[node])
    return found[0], found[1]


def _cell(row: Row, column: str, i: int, table: str, file: str) -> float:
    """The number in a column of a row."""
    if column not in row:
        msg = f"{table}[{i}] in {file} has no {column}, must have one"
        raise ParameterError(msg)
    return _number(row[column], f"{column} of {table}[{i}] in {file}")


def _number(value: Any, name: str) -> float:
    """A number, or the text of one."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):  # what is no number is refused below
            value = float(value)
    return number(name, value)
