"""A mesh as plain arrays, before DOLFINx distributes it: boundaries are named and errors detected here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from emfem.errors import ParameterError, floats, require, require_all

import basix.ufl
import dolfinx
import numpy as np
from numpy.typing import NDArray

Predicate = Callable[[NDArray[np.float64]], Any]  # of points x, shape (gdim, n): one truth value each
Source = str | int | Predicate  # of a boundary: its name or number in a file, or a predicate
Integers = NDArray[np.int64]

TOPOLOGY = {
    cell: basix.topology(basix.CellType[cell])
    for cell in ("interval", "triangle", "quadrilateral", "tetrahedron", "hexahedron")
}
DIMENSION = {cell: len(entities) - 1 for cell, entities in TOPOLOGY.items()}
CORNERS = {cell: len(entities[0]) for cell, entities in TOPOLOGY.items()}
FACETS = {cell: np.array(entities[-2]) for cell, entities in TOPOLOGY.items()}  # corners of each facet
VTK = {"triangle": 5, "quadrilateral": 9, "tetrahedron": 10, "hexahedron": 12}
DEGENERATE = 1e-6  # scaled Jacobian of a cell without volume, but for rounding; good cells have 0.5 to 1


@dataclass(frozen=True, eq=False)
class RawMesh:
    """A mesh as plain arrays.

    Attributes:
        nodes: coordinates [length], shape (n, gdim).
        cells: nodes of each cell in DOLFINx's order, corners first, shape (m, nodes per cell).
        cell: their type, "triangle" and so on.
        boundaries: facets of each named boundary, by their corners, shape (l, corners of a facet).
        regions: cells of each named region, shape (l,).
        degree: polynomial degree of the cells' geometry.
        period: period along each axis, 0 where there is none.
    """

    nodes: NDArray[np.float64]
    cells: Integers
    cell: str
    boundaries: Mapping[str, Integers] = field(default_factory=dict)
    regions: Mapping[str, Integers] = field(default_factory=dict)
    degree: int = 1
    period: tuple[float, ...] = ()

    @property
    def corners(self) -> Integers:
        """Corners of each cell, shape (m, corners)."""
        return self.cells[:, : CORNERS[self.cell]]

    @property
    def facet(self) -> str:
        """Type of the facets: "point", "interval" and so on."""
        return dolfinx.cpp.mesh.cell_entity_type(dolfinx.mesh.CellType[self.cell], DIMENSION[self.cell] - 1, 0).name

    @property
    def points(self) -> NDArray[np.float64]:
        """The nodes in space, shape (n, 3)."""
        return np.pad(self.nodes, ((0, 0), (0, 3 - self.nodes.shape[1])))

    def facets(self) -> tuple[Integers, Integers, Integers]:
        """Return all facets: corners in increasing order, shape (l, corners); first cell; second cell, -1 if none.

        Raises:
            ParameterError: if three cells share a facet.
        """
        local = FACETS[self.cell]
        every = np.sort(self.corners[:, local].reshape(-1, local.shape[1]), axis=1)
        label = _number_rows(every)
        owner = np.argsort(label, kind="stable") // len(local)
        _, index, counts = np.unique(label, return_index=True, return_counts=True)
        facets, starts = every[index], np.cumsum(counts) - counts
        require_all(
            counts <= 2,
            lambda i: f"{counts[i]} cells share a facet at {self._centre(facets[i])}, must be at most two",
        )
        second = np.where(counts == 2, owner[np.minimum(starts + 1, len(owner) - 1)], -1)
        return facets, owner[starts], second

    def exterior(self) -> Integers:
        """Return the exterior facets, corners in increasing order, shape (l, corners); none on a periodic seam."""
        facets, _, second = self.facets()
        exterior = facets[second < 0]
        lowest = self.nodes.min(axis=0, initial=np.inf)
        for axis, length in enumerate(self.period):
            if length:
                along = (self.nodes[exterior, axis] - lowest[axis]) / length
                seam = (np.abs(along) < 1e-9).all(axis=1) | (np.abs(along - 1) < 1e-9).all(axis=1)
                exterior = exterior[~seam]
        return exterior

    def locate(self, predicate: Predicate, name: str = "names") -> Integers:
        """Return the exterior facets whose corners and midpoint all satisfy `predicate`, shape (l, corners).

        Raises:
            ParameterError: if it does not return one truth value for each point.
        """
        exterior = self.exterior()
        corners = self.nodes[exterior]
        points = np.concatenate([corners, corners.mean(axis=1, keepdims=True)], axis=1)
        x = points.reshape(-1, points.shape[2]).T
        try:
            values = predicate(x)
        except Exception as error:
            msg = f"{name}(x) must give one truth value for each column of x, of shape (gdim, n): {error}"
            raise ParameterError(msg) from error
        words = f"of shape ({x.shape[1]},) for x of shape {x.shape}"
        inside = floats(f"{name}(x)", values, (x.shape[1],), words)
        return exterior[inside.reshape(points.shape[:2]).astype(bool).all(axis=1)]

    def unnamed(self) -> Integers:
        """Return the exterior facets that lie on no named boundary, shape (l, corners)."""
        exterior = self.exterior()
        named = np.concatenate([exterior[:0], *self.boundaries.values()])
        return exterior[find_rows(exterior, named) < 0]

    def facet_nodes(self, facets: Integers) -> Integers:
        """Return all nodes, in DOLFINx's order, of facets defined by their corners, shape (l, nodes of a facet)."""
        element = basix.ufl.element("Lagrange", self.cell, self.degree).basix_element
        closure = np.array(element.entity_closure_dofs[-2])
        every = self.cells[:, closure].reshape(-1, closure.shape[1])
        return every[find_rows(facets, every[:, : facets.shape[1]])]

    def with_boundaries(self, boundaries: Mapping[str, Integers]) -> RawMesh:
        """Return the same mesh with other boundaries."""
        return replace(self, boundaries=boundaries)

    def cleaned(self) -> RawMesh:
        """Return the mesh without unused nodes, constant trailing coordinates, and named facets in its interior.

        Raises:
            ParameterError: if a boundary has corners that no cell has.
        """
        used, cells = np.unique(self.cells, return_inverse=True)
        number = np.full(len(self.nodes), -1, dtype=np.int64)
        number[used] = np.arange(len(used))
        nodes = self.nodes[used]
        extent = np.ptp(nodes, axis=0) if len(nodes) else np.zeros(3)
        dim = 1 + max(np.flatnonzero(extent > 1e-9 * extent.max(initial=0.0)), default=0)
        boundaries = {name: number[facets] for name, facets in self.boundaries.items()}
        for name, facets in boundaries.items():
            message = f"boundary {name!r} has facets that belong to no {self.cell}: a mesh of mixed dimensions"
            require((facets >= 0).all(), message)
        mesh = replace(self, nodes=np.ascontiguousarray(nodes[:, :dim]), cells=cells.reshape(self.cells.shape))
        exterior = mesh.exterior()
        outside = {name: facets[find_rows(facets, exterior) >= 0] for name, facets in boundaries.items()}
        return mesh.with_boundaries(
            {n: facets for n, facets in outside.items() if len(facets) or not len(boundaries[n])}
        )

    def check(self) -> None:
        """Check that the mesh can be computed on.

        Raises:
            ParameterError: for no cells, coordinates that are not finite, degenerate, inverted or overlapping cells, an
                empty boundary, boundaries that overlap or do not lie on the mesh's boundary.
        """
        require(len(self.cells), "no cells, must be at least one")
        require(np.isfinite(self.nodes).all(), "a node's coordinates are not finite numbers")
        dim, gdim = DIMENSION[self.cell], self.nodes.shape[1]
        require(dim <= gdim, f"{self.cell} cells whose nodes have {gdim} coordinates, must have at least {dim}")
        quality = scaled_jacobian(self.nodes, self.corners, self.cell)
        worst, bad = int(quality.argmin()), np.count_nonzero(quality <= DEGENERATE)
        require(
            not bad,
            f"{bad} of {len(quality)} cells degenerate or inverted, the worst at {self._centre(self.corners[worst])}: "
            f"scaled Jacobian {quality[worst]:.3g}, must be above {DEGENERATE:g}",
        )
        self._check_overlap()
        self._check_boundaries()

    def _check_overlap(self) -> None:
        """Check that neighbours lie on both sides of the facet they share: else they overlap, and one is inverted."""
        dim = DIMENSION[self.cell]
        facets, first, second = self.facets()
        if self.nodes.shape[1] != dim:
            return  # a shell may fold
        interior = second >= 0
        ends = self.nodes[facets[interior]]
        if dim == 1:
            normal = np.ones((len(ends), 1))
        elif dim == 2:
            edge = ends[:, 1] - ends[:, 0]
            normal = np.stack([-edge[:, 1], edge[:, 0]], axis=1)
        else:
            normal = np.cross(ends[:, 1] - ends[:, 0], ends[:, 2] - ends[:, 0])
        centres = self.nodes[self.corners].mean(axis=1)
        sides = [np.einsum("ij,ij->i", centres[cells[interior]] - ends[:, 0], normal) for cells in (first, second)]
        overlap = sides[0] * sides[1] > 0
        require_all(
            ~overlap,
            lambda i: (
                f"{overlap.sum()} pairs of cells overlap, one at {self._centre(facets[interior][i])}: inverted cells"
            ),
        )

    def _check_boundaries(self) -> None:
        """Check that no boundary is empty, overlaps with another, or has facets in the interior."""
        exterior = self.exterior()
        owner = np.full(len(exterior), -1)
        for i, (name, facets) in enumerate(self.boundaries.items()):
            require(len(facets), f"boundary {name!r} is empty: no facet of the mesh lies there, its size is zero")
            rows = find_rows(facets, exterior)
            if (rows < 0).any():
                inside, centre = np.count_nonzero(rows < 0), self._centre(facets[rows.argmin()])
                msg = f"boundary {name!r} has {inside} facets that are not on the mesh's boundary, one at {centre}"
                raise ParameterError(msg)
            other = owner[rows].max()
            if other >= 0:
                centre = self._centre(facets[owner[rows].argmax()])
                msg = f"boundaries {list(self.boundaries)[other]!r} and {name!r} overlap at {centre}"
                raise ParameterError(msg)
            owner[rows] = i

    def _centre(self, nodes: Integers) -> str:
        """Return the mean of some nodes, for messages."""
        return f"({', '.join(f'{x:.4g}' for x in self.nodes[nodes].mean(axis=0))})"


def scaled_jacobian(nodes: NDArray[np.float64], corners: Integers, cell: str) -> NDArray[np.float64]:
    """Return the scaled Jacobian of each cell: 1 for a regular cell, 0 for one without volume, negative if inverted.

    It is VTK's: the smallest corner's edge determinant over the product of the edges, relative to the regular cell.
    That of triangles and tetrahedra is never negative.

    Args:
        nodes: coordinates, shape (n, gdim).
        corners: of each cell in DOLFINx's order, shape (m, corners).
        cell: type of the cells.

    Returns:
        shape (m,).
    """
    if cell == "interval":
        return np.where(np.any(nodes[corners[:, 0]] != nodes[corners[:, 1]], axis=1), 1.0, 0.0)
    if not len(corners):
        return np.zeros(0)
    import pyvista  # slow to import

    points = np.pad(nodes, ((0, 0), (0, 3 - nodes.shape[1])))
    points /= max(np.abs(points).max(), 1e-300)  # VTK treats cells of a nanometre as degenerate
    grid = pyvista.UnstructuredGrid({VTK[cell]: corners[:, np.argsort(vtk_order(cell, corners.shape[1]))]}, points)
    quality = np.asarray(grid.cell_quality("scaled_jacobian")["scaled_jacobian"])
    return np.abs(quality) if cell == "tetrahedron" else quality


def vtk_order(cell: str, nodes: int) -> NDArray[np.intp]:
    """Return the permutation from VTK's order of the nodes of a cell to DOLFINx's; its argsort is the inverse."""
    return np.array(dolfinx.cpp.io.perm_vtk(dolfinx.mesh.CellType[cell], nodes), dtype=np.intp)


def find_rows(rows: Integers, table: Integers) -> Integers:
    """Return the last row of `table` with the same entries, in any order, as each of `rows`; -1 if there is none."""
    label = _number_rows(np.sort(np.concatenate([table, rows]), axis=1))
    index = np.full(len(label), -1)
    index[label[: len(table)]] = np.arange(len(table))
    return index[label[len(table) :]]


def _number_rows(rows: Integers) -> Integers:
    """Return the rank of each row in lexicographic order, shape (n,); equal rows have the same."""
    order = np.lexsort(rows.T[::-1])
    number = np.empty(len(rows), dtype=np.int64)
    number[order] = np.cumsum(np.append(False, np.any(np.diff(rows[order], axis=0), axis=1)))[: len(rows)]
    return number
