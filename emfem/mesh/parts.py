"""A mesh as plain arrays, before DOLFINx distributes it: where names are given and mistakes are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from emfem.errors import ParameterError, floats
from emfem.mesh.quality import scaled_jacobian

import numpy as np
from numpy.typing import NDArray

Predicate = Callable[[NDArray[np.float64]], Any]
Source = str | int | Predicate  # where a boundary's facets are: a name or number in a file, or a function of x

CORNERS = {"interval": 2, "triangle": 3, "quadrilateral": 4, "tetrahedron": 4, "hexahedron": 8}
DIMENSION = {"interval": 1, "triangle": 2, "quadrilateral": 2, "tetrahedron": 3, "hexahedron": 3}
# Corners of each facet, in DOLFINx's numbering, which counts x first on quadrilaterals and hexahedra.
FACETS = {
    "interval": ((0,), (1,)),
    "triangle": tuple(combinations(range(3), 2)),
    "quadrilateral": ((0, 1), (0, 2), (1, 3), (2, 3)),
    "tetrahedron": tuple(combinations(range(4), 3)),
    "hexahedron": ((0, 1, 2, 3), (0, 1, 4, 5), (0, 2, 4, 6), (1, 3, 5, 7), (2, 3, 6, 7), (4, 5, 6, 7)),
}
DEGENERATE = 1e-6  # scaled Jacobian of a cell that has no volume to speak of; good cells have 0.5 to 1


@dataclass(frozen=True, eq=False)
class Parts:
    """A mesh as plain arrays.

    Attributes:
        nodes: coordinates [length], shape (n, gdim).
        cells: nodes of each cell in DOLFINx's order, corners first, shape (m, nodes per cell).
        cell: its kind, "triangle" and so on.
        boundaries: facets of each named boundary, by their corners, shape (l, corners of a facet).
        regions: cells of each named region, shape (l,).
        degree: polynomial degree of the cells' geometry.
        period: period along each axis, 0 where there is none.
    """

    nodes: NDArray[np.float64]
    cells: NDArray[np.int64]
    cell: str
    boundaries: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    regions: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    degree: int = 1
    period: tuple[float, ...] = ()

    @property
    def corners(self) -> NDArray[np.int64]:
        """Corners of each cell, shape (m, corners)."""
        return self.cells[:, : CORNERS[self.cell]]

    def facets(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """All facets: corners in increasing order, shape (l, corners); first cell; second cell, or -1 on the boundary.

        Raises:
            ParameterError: if three cells share a facet.
        """
        local = np.array(FACETS[self.cell])
        every = np.sort(self.corners[:, local].reshape(-1, local.shape[1]), axis=1)
        order = np.lexsort(every.T[::-1])
        every, owner = every[order], order // len(local)
        starts = np.flatnonzero(np.r_[True, np.any(every[1:] != every[:-1], axis=1)])
        counts = np.diff(np.r_[starts, len(every)])
        if counts.max(initial=0) > 2:
            place = self.nodes[every[starts[counts.argmax()]]].mean(axis=0)
            msg = f"{counts.max()} cells share a facet at {_place(place)}, must be at most two"
            raise ParameterError(msg)
        second = np.where(counts == 2, owner[np.minimum(starts + 1, len(owner) - 1)], -1)
        return every[starts], owner[starts], second

    def outer(self) -> NDArray[np.int64]:
        """The facets of the boundary, corners in increasing order, shape (l, corners); none of a periodic seam."""
        facets, _, second = self.facets()
        outer = facets[second < 0]
        lowest = self.nodes.min(axis=0, initial=np.inf)
        for axis, length in enumerate(self.period):
            if length:
                along = (self.nodes[outer, axis] - lowest[axis]) / length
                seam = (np.abs(along) < 1e-9).all(axis=1) | (np.abs(along - 1) < 1e-9).all(axis=1)
                outer = outer[~seam]
        return outer

    def where(self, predicate: Predicate, name: str = "names") -> NDArray[np.int64]:
        """The facets of the boundary whose corners and midpoint all satisfy `predicate`, a function of x (gdim, n).

        Raises:
            ParameterError: if it does not give one truth value a point.
        """
        outer = self.outer()
        corners = self.nodes[outer]
        places = np.concatenate([corners, corners.mean(axis=1, keepdims=True)], axis=1)
        flat = places.reshape(-1, places.shape[2]).T
        try:
            told = predicate(flat)
        except Exception as error:
            msg = f"{name}(x) must give one truth value for each column of x, of shape (gdim, n): {error}"
            raise ParameterError(msg) from error
        found = floats(f"{name}(x)", told)
        if found.shape != (flat.shape[1],):
            msg = f"{name}(x) of shape {found.shape} for x of shape {flat.shape}, must have shape ({flat.shape[1]},)"
            raise ParameterError(msg)
        return outer[found.reshape(places.shape[:2]).astype(bool).all(axis=1)]

    def named(self, boundaries: Mapping[str, NDArray[np.int64]]) -> Parts:
        """The same mesh with other boundaries."""
        return replace(self, boundaries=boundaries)


def check(parts: Parts) -> None:
    """Refuse a mesh that cannot be computed on.

    Raises:
        ParameterError: for no cells, coordinates that are not finite, degenerate, inverted or overlapping cells, an
            empty boundary, boundaries that overlap or do not lie on the mesh's boundary.
    """
    if not len(parts.cells):
        msg = "no cells, must be at least one"
        raise ParameterError(msg)
    if not np.isfinite(parts.nodes).all():
        msg = "a node's coordinates are not finite numbers"
        raise ParameterError(msg)
    quality = scaled_jacobian(parts.nodes, parts.corners, parts.cell)
    worst = int(quality.argmin())
    if quality[worst] <= DEGENERATE:
        place = _place(parts.nodes[parts.corners[worst]].mean(axis=0))
        bad = np.count_nonzero(quality <= DEGENERATE)
        msg = (
            f"{bad} of {len(quality)} cells degenerate or inverted, the worst at {place}: "
            f"scaled Jacobian {quality[worst]:.3g}, must be above {DEGENERATE:g}"
        )
        raise ParameterError(msg)
    _check_folds(parts)
    _check_boundaries(parts)


def _check_folds(parts: Parts) -> None:
    """Refuse neighbours that lie on one side of the facet they share: they overlap, one is turned inside out."""
    dim = DIMENSION[parts.cell]
    facets, first, second = parts.facets()
    if parts.nodes.shape[1] != dim:
        return  # a shell may fold
    inside = second >= 0
    ends = parts.nodes[facets[inside]]
    if dim == 1:
        normal = np.ones((len(ends), 1))
    elif dim == 2:
        edge = ends[:, 1] - ends[:, 0]
        normal = np.stack([-edge[:, 1], edge[:, 0]], axis=1)
    else:
        normal = np.cross(ends[:, 1] - ends[:, 0], ends[:, 2] - ends[:, 0])
    centres = parts.nodes[parts.corners].mean(axis=1)
    sides = [np.einsum("ij,ij->i", centres[cells[inside]] - ends[:, 0], normal) for cells in (first, second)]
    folded = sides[0] * sides[1] > 0
    if folded.any():
        place = _place(ends[folded.argmax()].mean(axis=0))
        msg = f"{folded.sum()} pairs of cells overlap, one at {place}: inverted cells"
        raise ParameterError(msg)


def _check_boundaries(parts: Parts) -> None:
    """Refuse boundaries that are empty, overlap, or do not lie on the boundary of the mesh."""
    known = _keys(parts.outer())
    owner: dict[bytes, str] = {}
    for name, facets in parts.boundaries.items():
        if not len(facets):
            msg = f"boundary {name!r} is empty: no facet of the mesh lies there, its size is zero"
            raise ParameterError(msg)
        keys = _keys(np.sort(facets, axis=1))
        missing = [i for i, key in enumerate(keys) if key not in known]
        if missing:
            place = _place(parts.nodes[facets[missing[0]]].mean(axis=0))
            msg = f"boundary {name!r} has {len(missing)} facets that are not on the mesh's boundary, one at {place}"
            raise ParameterError(msg)
        for key, facet in zip(keys, facets, strict=True):
            other = owner.setdefault(key, name)
            if other != name:
                msg = f"boundaries {other!r} and {name!r} overlap at {_place(parts.nodes[facet].mean(axis=0))}"
                raise ParameterError(msg)


def _keys(facets: NDArray[np.int64]) -> dict[bytes, None]:
    """Each facet's corners as bytes, in order, without repeats."""
    return dict.fromkeys(row.tobytes() for row in np.ascontiguousarray(facets, dtype=np.int64))


def _place(x: NDArray[np.float64]) -> str:
    return f"({', '.join(f'{value:.4g}' for value in x)})"
