"""Networks from tables: a TOML file, or CSV files of nodes and segments."""

from __future__ import annotations

import contextlib
import csv
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError, UnknownName, number, require
from emfem.gate import checked
from emfem.mesh.distribute import on_root
from emfem.mesh.domain import Domain
from emfem.mesh.graph import Network
from emfem.mesh.network import mesh_network
from emfem.mesh.paths import check_file, file_path
from emfem.mesh.wires import build

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike

Path_ = str | os.PathLike[str]
Row = Mapping[str, Any]

COLUMNS = {
    "nodes": ("name", "x", "y", "z", "load", "voltage", "boundary"),
    "segments": ("from", "to", "width", "thickness"),
    "vias": ("from", "to", "resistance"),
}
KEYS = ("unit", "width", "thickness", *COLUMNS)


@checked(collective=True, kinds=False)
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
    """Return the network in a .toml file, or in .csv files of nodes, segments and vias. Collective; rank 0 reads.

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
        ParameterError: for a file that is missing or not such a table, with the wrong row; and as `network`.
        UnknownName: for an unknown column, or a node that does not exist.
    """
    file = file_path("path", path)
    scale = None if unit is None else number("unit", unit, above=0.0, unit="m")
    others = {"segments": segments, "vias": vias}
    files = {"nodes": file} | {name: file_path(name, other) for name, other in others.items() if other is not None}

    def make() -> Network:
        ending = file.suffix.lower()
        require(ending in (".toml", ".csv"), f"path = {str(file)!r}, must end in .toml or .csv")
        must = "a .csv file too" if ending == ".csv" else "left out: the .toml file holds them"
        require((ending == ".csv") == (segments is not None), f"segments = {segments!r}, must be {must}")
        tables = _parse(file) if ending == ".toml" else {name: _parse(table) for name, table in files.items()}
        return _network(tables, scale, file.name)

    network = on_root(f"network in {file.name}", make, comm)
    return mesh_network(network, f"network {file.name}", cells=cells, size=size, comm=comm)


def _parse(path: Path) -> Any:
    """Return the content of a TOML file, or the rows of a CSV file without their empty cells.

    Raises:
        ParameterError: if it is not one.
    """
    check_file("path", path)
    form = "TOML" if path.suffix.lower() == ".toml" else "a CSV file"
    try:
        text = path.read_text(encoding="utf-8")
        if form == "TOML":
            return tomllib.loads(text)
        rows = list(csv.DictReader(text.splitlines(), skipinitialspace=True, restkey="more", strict=True))
    except (ValueError, csv.Error, RecursionError) as error:
        msg = f"path = {str(path)!r}, must be {form}: {error}"
        raise ParameterError(msg) from None
    return [{name.strip(): cell for name, cell in row.items() if cell not in ("", None)} for row in rows]


def _network(tables: Mapping[str, Any], unit: float | None, file: str) -> Network:
    """Return the network of the tables."""
    for name in tables:
        if name not in KEYS:
            raise UnknownName(name, f"a network in {file}", KEYS)
    scale = _number(f"unit in {file}", tables.get("unit", 1.0)) if unit is None else unit
    nodes = Rows("nodes", file, _rows(tables, "nodes", ("x", "y", "z"), file))
    common = {name: tables[name] for name in ("width", "thickness") if name in tables}
    wires = Rows("segments", file, [common | row for row in _rows(tables, "segments", COLUMNS["segments"], file)])
    vias = Rows("vias", file, _rows(tables, "vias", COLUMNS["vias"], file))
    names: dict[str, int] = {}
    for i, row in enumerate(nodes.rows):
        name = str(row.get("name", i))
        first = names.setdefault(name, i)
        require(first == i, f"nodes[{i}] in {file} is named {name!r}, as is nodes[{first}], must be one name a node")
    axes = ("x", "y", "z") if any("z" in row for row in nodes.rows) else ("x", "y")
    boundaries = {i: str(row["boundary"]) for i, row in enumerate(nodes.rows) if "boundary" in row}
    return build(
        np.array([nodes.numbers(axis) for axis in axes]).T * scale,
        wires.ends(names),
        width=np.array(wires.numbers("width")) * scale,
        thickness=np.array(wires.numbers("thickness")) * scale,
        vias=[(*ends, ohms) for ends, ohms in zip(vias.ends(names), vias.numbers("resistance"), strict=True)],
        loads={i: nodes.number(i, "load") for i, row in enumerate(nodes.rows) if "load" in row},
        pads={i: nodes.number(i, "voltage") for i, row in enumerate(nodes.rows) if "voltage" in row},
        names=tuple(names) if any("name" in row for row in nodes.rows) else (),
        boundaries=boundaries or None,
    )


@dataclass(frozen=True)
class Rows:
    """Rows of a table, each by its columns."""

    name: str
    file: str
    rows: Sequence[Row]

    def cell(self, i: int, column: str) -> Any:
        """Return the cell of a row.

        Raises:
            ParameterError: if it is missing.
        """
        require(column in self.rows[i], f"{self.name}[{i}] in {self.file} has no {column}, must have one")
        return self.rows[i][column]

    def number(self, i: int, column: str) -> float:
        """Return the number in a row."""
        return _number(f"{column} of {self.name}[{i}] in {self.file}", self.cell(i, column))

    def numbers(self, column: str) -> list[float]:
        """Return the numbers of a column."""
        return [self.number(i, column) for i in range(len(self.rows))]

    def ends(self, names: Mapping[str, int]) -> list[tuple[int, int]]:
        """Return the nodes that each row joins.

        Raises:
            UnknownName: for a node that does not exist.
        """

        def node(i: int, column: str) -> int:
            name = str(self.cell(i, column))
            if name not in names:
                raise UnknownName(name, f"{self.name}[{i}] in {self.file}: among the nodes, it", list(names)[:20])
            return names[name]

        return [(node(i, "from"), node(i, "to")) for i in range(len(self.rows))]


def _rows(tables: Mapping[str, Any], name: str, order: Sequence[str], file: str) -> list[dict[str, Any]]:
    """Return the rows of a table, each by its columns; those of a list are in this order.

    Raises:
        ParameterError: for something that is no table, or an empty one.
        UnknownName: for an unknown column.
    """
    table = tables.get(name, [])
    good = isinstance(table, list) and all(isinstance(row, list | Mapping) for row in table)
    require(good, f"{name} in {file}, must be tables [[{name}]] or a list of lists")
    require(table or name == "vias", f"{file} has no {name}, must have some")
    rows = []
    for i, row in enumerate(table):
        message = f"{name}[{i}] = {row} in {file}, must be at most {len(order)} values: {', '.join(order)}"
        require(not isinstance(row, list) or len(row) <= len(order), message)
        rows.append(dict(zip(order, row, strict=False)) if isinstance(row, list) else dict(row))
        for column in rows[-1]:
            if column not in COLUMNS[name]:
                raise UnknownName(column, f"{name}[{i}] in {file}", COLUMNS[name])
    return rows


def _number(name: str, value: Any) -> float:
    """Return a number, or the number in a text."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):  # a text that is no number is refused below
            value = float(value)
    return number(name, value)
