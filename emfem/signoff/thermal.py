"""Maps of temperature: by node, by wire or by place, from files, arrays and functions, brought to a network."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from emfem.dimensions import parsed, registry
from emfem.errors import ParameterError, UnknownName, floats, number, require, require_all, shown
from emfem.files import READ_ERRORS, reason
from emfem.gate import checked
from emfem.mesh import Network
from emfem.signoff.metal import Temperature, resolve_temperature

import numpy as np
import ufl
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import LinearNDInterpolator, RegularGridInterpolator
from scipy.spatial import QhullError

Floats = NDArray[np.float64]
Source = Temperature | float | ArrayLike | str | os.PathLike[str] | Callable[[Floats], ArrayLike]

LOWEST, HIGHEST = 150.0, 3700.0  # K; outside of it a number has another unit
EDGE = 1e-9  # of a map's extent: places this far outside are on its edge
TEMPERATURE = "temperature"
KINDS = (("node",), ("from", "to"), ("x", "y"))  # columns that say where
COLUMN = re.compile(r"\s*([^\[\](]*?)\s*(?:[\[(]\s*([^\])]*?)\s*[\])])?\s*")


@checked
def read_temperature(path: str | os.PathLike[str], network: Network, *, unit: float = 1.0) -> Floats:
    """Return a map of temperature in a file, brought to a network [K].

    A .csv file has a line of names and then rows with a temperature each: of a `node` by its name (or its number from
    0), of the wires `from` a node `to` another, or of a place `x`, `y`. A name may have a unit: `temperature [degC]`,
    `x [um]`; without one temperatures are in K. Between places, which are a grid or scattered, the map is linear. A
    .npz file has arrays `x`, shape (nx,), `y`, shape (ny,), and `temperature` [K], shape (nx, ny).

    Args:
        path: the file.
        network: of the wires.
        unit: length of 1 in x and y [m], where they name none.

    Returns:
        One temperature a node, shape (n,); of a map of wires at the start and the end of each, shape (m, 2).

    Raises:
        ParameterError: for a file that is no such table, with its wrong line; for a node or wire without a temperature,
            or outside of the places of the map; for a number that is no temperature in K.
        UnknownName: for an unknown column, node or wire.
    """
    file, scale = Path(path), number("unit", unit, above=0.0, unit="m")
    if file.suffix.lower() == ".npz":
        return _grid_file(file, network, scale)
    require(file.suffix.lower() == ".csv", f"path = {str(file)!r}, must end in .csv or .npz")
    table = _Table(file)
    if table.kind == ("node",):
        return _by_node(table, network)
    if table.kind == ("from", "to"):
        return _by_wire(table, network)
    return _by_place(table, network, scale)


@checked
def map_temperature(source: Source, network: Network, *, unit: float = 1.0) -> Temperature:
    """Return the temperature along the wires of a network.

    Args:
        source: a number; one a node, shape (n,), one a wire, shape (m,), or at both its ends, shape (m, 2) [K]; a file
            for `read_temperature`; a function of places, shape (n, dim) [m], that returns shape (n,) [K]; or a
            `Temperature`. Where there are as many nodes as wires, one a node is meant.
        network: of the wires.
        unit: as in `read_temperature`.

    Raises:
        ParameterError: for others, and as `read_temperature`.
    """
    if isinstance(source, str | os.PathLike):
        source = read_temperature(source, network, unit=unit)
    elif callable(source) and not isinstance(source, ufl.core.expr.Expr):  # which is no function of numbers
        words = f"one number a node, shape ({len(network.nodes)},)"
        try:
            values = source(network.nodes)
        except (TypeError, ValueError) as error:
            msg = f"temperature = {shown(source)}, must be a function of places, shape (n, dim): {error}"
            raise ParameterError(msg) from error
        source = floats(TEMPERATURE, values, (len(network.nodes),), words)
    if not isinstance(source, Temperature):
        source = _finite_at_metal(floats(TEMPERATURE, source), network)
    result = resolve_temperature(network, source)
    coldest, hottest = np.minimum(result.start, result.end), np.maximum(result.start, result.end)
    good = (coldest >= LOWEST) & (hottest <= HIGHEST)
    require_all(
        good,
        lambda i: _sentence(
            f"{TEMPERATURE} of {network.wire(i)}", float(coldest[i] if coldest[i] < LOWEST else hottest[i])
        ),
    )
    return result


def _finite_at_metal(values: Floats, network: Network) -> Floats:
    """Return temperatures; of nodes without metal, where they do not matter, that of another stands."""
    if values.shape != (len(network.nodes),):
        return values
    metal = network.degree > 0
    require_all(
        np.isfinite(values) | ~metal, lambda i: f"{TEMPERATURE} of {network.node(i)} = {values[i]} K, must be finite"
    )
    return np.where(metal, values, values[metal][0])


def _kelvin(name: str, value: float) -> float:
    """Return a temperature.

    Raises:
        ParameterError: if it is none in K.
    """
    require(LOWEST <= value <= HIGHEST, _sentence(name, value))
    return value


def _sentence(name: str, value: float) -> str:
    hint = ": degrees Celsius written as kelvin?" if -100.0 <= value < LOWEST else ""
    return f"{name} = {value:g} K, must be between {LOWEST:g} and {HIGHEST:g} K{hint}"


class _Table:
    """Rows of a .csv file.

    Attributes:
        file: its name.
        head: number of the line of names.
        kind: the columns that say where.
        lines: number of the line of each row.
        columns: cells as texts, by column.
        units: that the columns name.
    """

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            ParameterError: if it is no table with such columns.
        """
        self.file = path.name
        self.lines: list[int] = []
        rows: list[list[str]] = []
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                reader = csv.reader(file, skipinitialspace=True, strict=True)
                for row in reader:
                    if any(cell.strip() for cell in row):
                        rows.append([cell.strip() for cell in row])
                        self.lines.append(reader.line_num)
        except (OSError, ValueError, csv.Error) as error:
            msg = f"path = {str(path)!r}, must be a table of temperatures in CSV: {reason(error)}"
            raise ParameterError(msg) from None
        require(len(rows) > 1, f"{self.file} has no rows, must have a line of names and rows")
        self.head = self.lines[0]
        names = self._header(rows[0])
        for row, line in zip(rows[1:], self.lines[1:], strict=True):
            if len(row) != len(names):
                raise self.error(line, f"{len(row)} cells, must be {len(names)}: {', '.join(names)}")
        self.lines = self.lines[1:]
        self.columns = dict(zip(names, zip(*rows[1:], strict=True), strict=True))

    def _header(self, cells: Sequence[str]) -> list[str]:
        """Return the names of the columns."""
        matches = [COLUMN.fullmatch(cell) for cell in cells]
        names = [match[1].lower() if match else cell for match, cell in zip(matches, cells, strict=True)]
        self.units = {name: match[2] for name, match in zip(names, matches, strict=True) if match and match[2]}
        known = (TEMPERATURE, *(name for kind in KINDS for name in kind))
        for name, cell in zip(names, cells, strict=True):
            if name not in known:
                raise UnknownName(cell[:50], f"{self.file}, line {self.head}: a table of temperatures", known)
            require(names.count(name) == 1, f"{self.file}, line {self.head}, has two columns {name}, must be one")
        kinds = [kind for kind in KINDS if set(kind) <= set(names)]
        good = len(kinds) == 1 and len(names) == len(kinds[0]) + 1 and TEMPERATURE in names
        forms = ", or ".join(" ".join((*kind, TEMPERATURE)) for kind in KINDS)
        require(good, f"{self.file}, line {self.head}, has columns {' '.join(names)}, must be {forms}")
        self.kind = kinds[0]
        return names

    def error(self, line: int, words: str) -> ParameterError:
        """Return an error at a line."""
        return ParameterError(f"{self.file}, line {line}: {words}")

    def numbers(self, column: str) -> Floats:
        """Return a column as numbers."""
        cells = self.columns[column]
        try:
            values = np.array(cells, dtype=float)
        except ValueError:
            values = np.array([_number(cell) for cell in cells])
        for i in np.flatnonzero(~np.isfinite(values))[:1]:
            raise self.error(self.lines[i], f"{column} = {cells[i][:50]!r}, must be a finite number")
        return values

    def temperatures(self) -> Floats:
        """Return the temperatures [K]."""
        values = self._converted(TEMPERATURE, "K", self.numbers(TEMPERATURE))
        for i in np.flatnonzero(~((values >= LOWEST) & (values <= HIGHEST)))[:1]:
            raise self.error(self.lines[i], _sentence(TEMPERATURE, float(values[i])))
        return values

    def lengths(self, column: str, unit: float) -> Floats:
        """Return a column of coordinates [m]."""
        values = self.numbers(column)
        return self._converted(column, "m", values) if column in self.units else values * unit

    def _converted(self, column: str, unit: str, values: Floats) -> Floats:
        """Return numbers in the column's own unit in another one; degrees Celsius have another zero."""
        named = self.units.get(column, unit)
        try:
            ends = [registry().Quantity(end, parsed(named)).to(unit).magnitude for end in (0.0, 1.0)]
        except Exception:  # Pint raises errors of many kinds
            wanted = "lengths" if unit == "m" else "K"
            msg = f"{self.file}, line {self.head}: column {column} in {named[:50]!r}, must be in a unit of {wanted}"
            raise ParameterError(msg) from None
        return ends[0] + (ends[1] - ends[0]) * values


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _node_numbers(table: _Table, network: Network, column: str) -> NDArray[np.int64]:
    """Return the number of the node of each row."""
    names: Mapping[str, int] = {name: i for i, name in enumerate(network.names or map(str, range(len(network.nodes))))}
    numbers = np.array([names.get(cell, -1) for cell in table.columns[column]], dtype=np.int64)
    for i in np.flatnonzero(numbers < 0)[:1]:
        cell = table.columns[column][i][:50]
        raise UnknownName(cell, f"{table.file}, line {table.lines[i]}: the network, among its nodes,", [*names][:20])
    return numbers


def _check_single(table: _Table, keys: NDArray[np.int64], words: Callable[[int], str]) -> None:
    """Check that no two rows are of one thing."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    for i in np.flatnonzero(first[inverse] != np.arange(len(keys)))[:1]:
        other = table.lines[int(first[inverse][i])]
        raise table.error(table.lines[i], f"{words(int(i))} as in line {other}, must be there once")


def _by_node(table: _Table, network: Network) -> Floats:
    """Return the temperature of each node, shape (n,); of one without metal, where it does not matter, the mean."""
    values, nodes = table.temperatures(), _node_numbers(table, network, "node")
    _check_single(table, nodes, lambda i: network.node(int(nodes[i])))
    result = np.full(len(network.nodes), np.nan)
    result[nodes] = values
    missing = np.flatnonzero(np.isnan(result) & (network.degree > 0))
    if len(missing):
        msg = (
            f"{table.file} has no temperature of {len(missing)} of {len(result)} nodes, such as "
            f"{network.node(int(missing[0]))}, must have one of each node with metal"
        )
        raise ParameterError(msg)
    return np.where(np.isnan(result), values.mean(), result)


def _by_wire(table: _Table, network: Network) -> Floats:
    """Return the temperature at both ends of each wire, which are the same, shape (m, 2)."""
    values, total = table.temperatures(), len(network.nodes)
    pairs = np.stack([_node_numbers(table, network, column) for column in ("from", "to")], axis=1)

    def keys(ends: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(ends.min(axis=1) * total + ends.max(axis=1))

    rows, wires = keys(pairs), keys(network.segments)
    _check_single(table, rows, lambda i: " to ".join(network.node(int(node)) for node in pairs[i]))
    for i in np.flatnonzero(~np.isin(rows, wires))[:1]:
        ends = " and ".join(network.node(int(node)) for node in pairs[i])
        raise table.error(table.lines[i], f"no wire joins {ends}, must be two that a wire joins")
    order = np.argsort(rows)
    at = order[np.searchsorted(rows, wires, sorter=order).clip(max=len(rows) - 1)]
    missing = np.flatnonzero(rows[at] != wires)
    if len(missing):
        msg = (
            f"{table.file} has no temperature of {len(missing)} of {len(wires)} wires, such as "
            f"{network.wire(int(missing[0]))}, must have one of each"
        )
        raise ParameterError(msg)
    return np.repeat(values[at][:, None], 2, axis=1)


def _by_place(table: _Table, network: Network, unit: float) -> Floats:
    """Return the temperature of each node, shape (n,), between those of places."""
    values = table.temperatures()
    places = np.stack([table.lengths(axis, unit) for axis in ("x", "y")], axis=1)
    _, keys = np.unique(places, axis=0, return_inverse=True)
    _check_single(table, keys.ravel(), lambda i: f"the place ({places[i, 0]:g}, {places[i, 1]:g}) m")
    x, y = np.unique(places[:, 0]), np.unique(places[:, 1])
    require(min(len(x), len(y)) > 1, f"{table.file} has places on one line, must have some beside it")
    if len(x) * len(y) == len(places):
        grid = values[np.lexsort((places[:, 1], places[:, 0]))].reshape(len(x), len(y))
        return _of_grid(table.file, network, x, y, grid)
    try:
        middle, size = places.mean(axis=0), np.ptp(places, axis=0)
        between = LinearNDInterpolator((places - middle) / size, values)
    except QhullError:
        msg = f"{table.file} has places on one line, must have some beside it"
        raise ParameterError(msg) from None
    points = (network.nodes[:, :2] - middle) / size
    result = between(points)
    result = np.where(np.isnan(result), between(points * (1 - EDGE)), result)
    return _inside(table.file, network, result, x, y)


def _grid_file(path: Path, network: Network, unit: float) -> Floats:
    """Return the temperature of each node, shape (n,), of a .npz file with a grid."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: np.asarray(stored[name]) for name in ("x", "y", TEMPERATURE)}
    except READ_ERRORS as error:
        msg = f"path = {str(path)!r}, must be a .npz file with x, y and {TEMPERATURE}: {reason(error)}"
        raise ParameterError(msg) from None
    x, y = (floats(f"{axis} in {path.name}", arrays[axis], (None,), "numbers in a row", finite=True) for axis in "xy")
    for axis, values in (("x", x), ("y", y)):
        rises = len(values) > 1 and bool(np.all(np.diff(values) > 0))
        require(rises, f"{axis} in {path.name}, must be at least two numbers that increase")
    shape = (len(x), len(y))
    grid = floats(f"{TEMPERATURE} in {path.name}", arrays[TEMPERATURE], shape, f"finite, of shape {shape}", finite=True)
    for extreme in (grid.min(), grid.max()):
        _kelvin(f"{TEMPERATURE} in {path.name}", float(extreme))
    return _of_grid(path.name, network, x * unit, y * unit, grid)


def _of_grid(file: str, network: Network, x: Floats, y: Floats, grid: Floats) -> Floats:
    """Return the temperature of each node, shape (n,), bilinear in the cells of a grid."""
    points = network.nodes[:, :2].copy()
    for axis, values in enumerate((x, y)):
        low, high = values[[0, -1]]
        near = np.clip(points[:, axis], low, high)
        on_edge = np.abs(near - points[:, axis]) <= EDGE * (high - low)
        points[on_edge, axis] = near[on_edge]
    result = RegularGridInterpolator((x, y), grid, bounds_error=False, fill_value=np.nan)(points)
    return _inside(file, network, result, x, y)


def _inside(file: str, network: Network, result: Floats, x: Floats, y: Floats) -> Floats:
    """Return temperatures of nodes, all of which with metal have one; others get the mean.

    Raises:
        ParameterError: for a node outside of the map.
    """
    outside = np.flatnonzero(np.isnan(result) & (network.degree > 0))
    if len(outside):
        first = int(outside[0])
        at = ", ".join(f"{value:.4g}" for value in network.nodes[first, :2])
        msg = (
            f"{file}: {len(outside)} of {len(result)} nodes are outside of the map, such as {network.node(first)} at "
            f"({at}) m; it has x from {x[0]:.4g} to {x[-1]:.4g} m and y from {y[0]:.4g} to {y[-1]:.4g} m: check unit"
        )
        raise ParameterError(msg)
    return np.where(np.isnan(result), np.nanmean(result), result)
