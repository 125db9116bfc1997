"""Layers and coordinates of nodes, from their names in netlists of OpenROAD and of benchmarks of power grids."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emfem.errors import ParameterError, kind, number, shown
from emfem.mesh.graph import Floats, Numbers

import numpy as np

Point = tuple[str | int | None, float, float]  # layer, x, y
Coordinates = Mapping[str, Point] | Callable[[str], Point | None]

NUMBER = r"(-?(?:\d+\.?\d*|\.\d+))"
IBM = re.compile(rf"n(?:(\d+)|\d+_([a-z][a-z0-9]*))_{NUMBER}_{NUMBER}", re.IGNORECASE | re.ASCII)
OPENROAD = re.compile(r"(Source|ITerm|BPin)?Node_(.+)_(-?\d+)_(-?\d+)", re.ASCII)


@dataclass(frozen=True, eq=False)
class Places:
    """Places of the nodes of a netlist.

    Attributes:
        points: x and y, in the unit of the netlist, NaN for a node without coordinates, shape (n, 2).
        layer: index of the layer of each node, -1 for a node without metal, shape (n,).
        layers: names of the layers.
        openroad: whether the names are those of OpenROAD, whose coordinates are in database units.
    """

    points: Floats
    layer: Numbers
    layers: tuple[str, ...]
    openroad: bool = False


def places(names: Iterable[str], coordinates: Coordinates | None) -> Places:
    """Return the places of nodes.

    Args:
        names: of the nodes.
        coordinates: layer, x and y of each by name, None as the layer of a terminal without metal; from the names
            n<layer>_<x>_<y>, n<net>_<layer>_<x>_<y> or Node_<layer>_<x>_<y> if left out.

    Raises:
        ParameterError: for coordinates of another form.
    """
    if coordinates is None:
        return _from_names(names)
    if isinstance(coordinates, Mapping):
        locate: Callable[[str], Any] = coordinates.get
    else:
        kind("coordinates", coordinates, Callable, "a mapping of nodes' names to (layer, x, y), or a function")  # type: ignore[arg-type]
        locate = coordinates
    return _table(map(_checked, names, map(locate, names)))


def _checked(name: str, point: Any) -> Point | None:
    """Return a point of the user.

    Raises:
        ParameterError: if it is none.
    """
    if point is None:
        return None
    if not isinstance(point, Sequence) or isinstance(point, str) or len(point) != 3:
        msg = f"coordinates of {name!r} = {shown(point)}, must be (layer, x, y)"
        raise ParameterError(msg)
    layer = None if point[0] is None else str(point[0])
    return layer, number(f"x of {name!r}", point[1]), number(f"y of {name!r}", point[2])


def _from_names(names: Iterable[str]) -> Places:
    """Return the places that are in the names; a terminal of a cell has no metal of the grid, a pin has."""
    openroad = False

    def point(name: str) -> Point | None:
        nonlocal openroad
        if match := IBM.fullmatch(name):
            return match[1] or match[2], float(match[3]), float(match[4])
        if "Node_" not in name or not (match := OPENROAD.fullmatch(name)):
            return None
        openroad = True
        return None if match[1] else match[2], float(match[3]), float(match[4])

    table = _table(map(point, names))
    return Places(table.points, table.layer, table.layers, openroad)


def _table(points: Iterable[Point | None]) -> Places:
    """Return points as arrays."""
    layers: dict[str | int, int] = {}
    layer: list[int] = []
    table: list[tuple[float, float]] = []
    missing = (float("nan"), float("nan"))
    for point in points:
        metal = point is not None and point[0] is not None
        layer.append(layers.setdefault(point[0], len(layers)) if metal else -1)  # type: ignore[index, arg-type]
        table.append(missing if point is None else point[1:])
    xy = np.array(table, dtype=float).reshape(-1, 2)
    return Places(xy, np.array(layer, dtype=np.int64), tuple(map(str, layers)))
