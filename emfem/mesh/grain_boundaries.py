"""Strips between the grains of a polycrystal: grain boundaries with a width, meshed exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from emfem.errors import require_all

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["BETWEEN", "SIDES", "Tiling", "draw_parted", "parted"]

SIDES = ("left", "right", "bottom", "top")
BETWEEN = "grain boundaries"
ROUNDING = 1e-9
GRID = 2.0**-34  # of coordinates in a drawing of size 1, so that corners of neighbours are the same
REACH = 4.0  # widths by which strips are longer than edges

type Corner = tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Tiling:
    """The Voronoi cells of points in a rectangle.

    Attributes:
        vertices: corners of the grains, shape (n, 2).
        edges: vertices of each edge, shape (m, 2).
        sides: name of the side of the rectangle that each edge lies on; empty in the interior.
        tiles: edges around each point.
    """

    vertices: NDArray[np.float64]
    edges: list[tuple[int, int]]
    sides: list[str]
    tiles: list[list[int]]


def parted(
    tiles: Tiling, width: float, lengths: NDArray[np.float64], unit: float
) -> tuple[list[shapely.Polygon], list[shapely.Polygon]]:
    """Return the grains without strips of a width along the edges between them, and the strips.

    Lengths are in units of the drawing, of which `unit` is that of the user.

    Raises:
        ParameterError: if they leave nothing of a grain.
    """
    ends = tiles.vertices[np.array(tiles.edges)]
    edges = shapely.set_precision(shapely.linestrings(ends), GRID)
    along = ends[:, 1] - ends[:, 0]
    beyond = REACH * width * along / np.hypot(*along.T)[:, None]  # in a convex grain a longer strip cuts no more away
    longer = shapely.linestrings(np.stack([ends[:, 0] - beyond, ends[:, 1] + beyond], axis=1))
    strips = shapely.buffer(longer, width / 2, cap_style="flat")
    grains = []
    for tile in tiles.tiles:
        between = [edge for edge in tile if not tiles.sides[edge]]
        whole = shapely.polygonize(edges[tile]).geoms[0]
        grains.append(shapely.difference(whole, shapely.union_all(strips[between]), grid_size=GRID))
    left = np.array([isinstance(one, shapely.Polygon) and one.area > width**2 for one in grains])
    require_all(left, lambda i: f"boundary = {width * unit:.3g}, must leave something of grain {i + 1}")
    rest = shapely.difference(shapely.box(0.0, 0.0, *lengths), shapely.union_all(grains), grid_size=GRID)
    pieces = [piece for piece in shapely.get_parts(rest) if piece.area > ROUNDING * lengths.prod()]
    return grains, pieces


def draw_parted(
    gmsh: Any,
    grains: Sequence[shapely.Polygon],
    strips: Sequence[shapely.Polygon],
    names: Sequence[str],
    lengths: NDArray[np.float64],
) -> list[int]:
    """Draw grains and strips, which share their edges, name them and the sides, and return the edges of the strips."""
    geo = gmsh.model.geo
    points: dict[Corner, int] = {}
    lines: dict[tuple[Corner, Corner], int] = {}

    def surface(polygon: shapely.Polygon) -> int:
        loops = []
        for ring in (polygon.exterior, *polygon.interiors):
            ends = [(min(pair), max(pair)) for pair in pairwise(map(tuple, ring.coords))]
            points.update({x: geo.addPoint(*x, 0.0) for x in {x for pair in ends for x in pair} - points.keys()})
            lines.update({pair: geo.addLine(*map(points.get, pair)) for pair in ends if pair not in lines})
            loops.append(geo.addCurveLoop([lines[pair] for pair in ends], reorient=True))
        return int(geo.addPlaneSurface(loops))

    groups = {name: [surface(grain)] for name, grain in zip(names, grains, strict=True)}
    if strips:
        groups[BETWEEN] = [surface(strip) for strip in strips]
    geo.synchronize()
    for name, members in groups.items():
        gmsh.model.addPhysicalGroup(2, members, name=name)
    for i, name in enumerate(SIDES):
        axis, at = i // 2, (i % 2) * lengths[i // 2]
        on = [curve for ends, curve in lines.items() if np.allclose([x[axis] for x in ends], at, atol=ROUNDING)]
        gmsh.model.addPhysicalGroup(1, on, name=name)
    inner = gmsh.model.getBoundary([(2, strip) for strip in groups.get(BETWEEN, [])], oriented=False)
    return [abs(curve) for _, curve in inner]
