"""A domain as straight simplices on rank 0, for pictures of meshes, stream lines and the viewer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from emfem.mesh import Domain

import basix
import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SimplexMesh:
    """A domain cut into straight simplices; each of its cells has points of its own.

    Attributes:
        points: shape (n, 3); missing coordinates are 0.
        corner: True for the corners of cells, shape (n,).
        simplices: their points, shape (m, k).
        cells: the cell that each simplex is a part of, shape (m,).
        regions: the cell tag of each cell, 0 for none.
        tags: for the facet opposite each point of each simplex the tag of its boundary, 0 for a facet of the cell that
            has no name, -1 for one inside the cell; shape (m, k).
        values: of each field at the points, shape (n,) or (n, 3).
        period: period along each axis, shape (3,); 0 where there is none.
        at: the points in the reference cell, the same for each cell, shape (n / cells, dim).
    """

    points: Floats
    corner: NDArray[np.bool_]
    simplices: Whole
    cells: Whole
    regions: Whole
    tags: Whole
    values: Mapping[str, Floats]
    period: Floats
    at: Floats

    @property
    def dim(self) -> int:
        """Dimension of the simplices."""
        return self.simplices.shape[1] - 1

    @property
    def bounds(self) -> Floats:
        """Lowest and highest coordinates, shape (2, 3)."""
        return np.array([self.points.min(axis=0), self.points.max(axis=0)])

    @cached_property
    def measures(self) -> Floats:
        """Length, area or volume of each simplex up to a common factor, shape (m,)."""
        corners = self.points[self.simplices]
        edges = corners[:, 1:] - corners[:, :1]
        return np.sqrt(np.linalg.det(np.einsum("nik,njk->nij", edges, edges)))

    @cached_property
    def joined(self) -> tuple[Whole, Whole]:
        """One point for each place, shape (l,), and the number of the place of each point, shape (n,)."""
        _, first, place = np.unique(self.places, return_index=True, return_inverse=True)
        return first, place

    @cached_property
    def places(self) -> Whole:
        """A number for each point, equal for all points at one place, shape (n,)."""
        return _place_numbers(self.points, np.zeros(3))

    @cached_property
    def places_round(self) -> Whole:
        """The same, equal for a point and its periodic images."""
        return _place_numbers(self.points, self.period) if self.period.any() else self.places

    def neighbours(self, places: Whole) -> Whole:
        """Return the simplex across the facet opposite each point of each simplex, -1 for none, shape (m, k)."""
        return _across(places[self.simplices])

    @cached_property
    def skin(self) -> tuple[Whole, Whole]:
        """The outer facets, seam of a periodic domain included: their points, shape (l, k - 1), and their tags."""
        simplex, opposite = np.nonzero(self.neighbours(self.places) < 0)
        return self.facet(simplex, opposite), self.tags[simplex, opposite]

    @cached_property
    def edge(self) -> NDArray[np.bool_]:
        """True for the facets of the skin where the domain ends; False at a seam."""
        return (self.neighbours(self.places_round) < 0)[self.neighbours(self.places) < 0]

    @cached_property
    def borders(self) -> Whole:
        """The facets between regions, each once: their points, shape (l, k - 1)."""
        across, regions = self.neighbours(self.places), self.regions[self.cells]
        other = np.where(across < 0, regions[:, None], regions[across])
        return self.facet(*np.nonzero(other > regions[:, None]))

    def facet(self, simplex: Whole, opposite: Whole) -> Whole:
        """Return the points of facets, each opposite a point of a simplex, shape (l, k - 1)."""
        others = np.array([[j for j in range(self.dim + 1) if j != i] for i in range(self.dim + 1)])
        return self.simplices[simplex[:, None], others[opposite]]

    def named_ends(self) -> list[tuple[int, int]]:
        """Return point and tag of each named end of lines."""
        facets, tags = self.skin
        return [(int(point), int(tag)) for (point,), tag in zip(facets[tags > 0], tags[tags > 0], strict=True)]

    def opened(self, tag: int) -> SimplexMesh:
        """Return the mesh cut open along the seam of a periodic domain; its two sides are a boundary with a tag."""
        seam = (self.neighbours(self.places) < 0) & (self.neighbours(self.places_round) >= 0)
        return replace(self, tags=np.where(seam, tag, self.tags), period=np.zeros(3))

    def divided(self, length: float, **values: float) -> SimplexMesh:
        """Return the mesh with points and some values divided."""
        fields = {name: field / values.get(name, 1.0) for name, field in self.values.items()}
        return replace(self, points=self.points / length, values=fields, period=self.period / length)

    def edges(self) -> Whole:
        """Return the visible edges of the cells, shape (l, 2): of a body those on its skin, else all."""
        if self.dim < 3:
            seen = (self.tags >= 0) & (self.neighbours(self.places) < np.arange(len(self.tags))[:, None])
            return self.facet(*np.nonzero(seen))
        facets, _ = self.skin
        pairs = facets[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        pairs = pairs[self.corner[pairs].all(axis=1)]
        return pairs[np.unique(np.sort(self.places[pairs], axis=1), axis=0, return_index=True)[1]]


def simplex_mesh(domain: Domain, fine: int = 1, **expressions: Any) -> SimplexMesh | None:
    """Return the simplices of a domain on rank 0, None elsewhere. Collective.

    Args:
        domain: of any dimension; a periodic one is unfolded.
        fine: number of parts that edges of plane cells are cut into; those of a body are not.
        expressions: UFL scalars or vectors, by the names of their values.
    """
    mesh, cell = domain.mesh, domain.mesh.basix_cell()
    at, cut = _cut(cell, fine)
    count = mesh.topology.index_map(mesh.topology.dim).size_local
    owned = np.arange(count, dtype=np.int32)
    values = {
        name: np.asarray(fem.Expression(expression, at).eval(mesh, owned)).reshape(count * len(at), -1)
        for name, expression in expressions.items()
    }
    parts = mesh.comm.gather((_mapped(domain, at).reshape(-1, 3), _regions(domain), _tags(domain), values), root=0)
    if parts is None:
        return None
    points, regions, tags = (np.concatenate([part[i] for part in parts]) for i in range(3))
    total, facets = len(regions), _parents(cell, at, cut)
    inside = np.where(facets < 0, 0, facets)
    return SimplexMesh(
        points,
        np.tile(np.arange(len(at)) < len(basix.geometry(cell)) if fine == 1 else np.zeros(len(at), bool), total),
        (cut[None] + len(at) * np.arange(total)[:, None, None]).reshape(-1, cut.shape[1]),
        np.repeat(np.arange(total), len(cut)),
        regions,
        np.where(facets < 0, -1, tags[:, inside]).reshape(-1, cut.shape[1]),
        {name: _padded(np.concatenate([part[3][name] for part in parts])) for name in expressions},
        np.concatenate([domain.period, np.zeros(3)])[:3],
        at,
    )


def _padded(values: Floats) -> Floats:
    """Return scalars as a flat array, vectors with three components."""
    flat = values[:, 0]
    return flat if values.shape[1] == 1 else np.pad(values, ((0, 0), (0, 3 - values.shape[1])))


def _mapped(domain: Domain, at: Floats) -> Floats:
    """Return the places of the reference points `at` in each owned cell, shape (cells, len(at), 3)."""
    geometry, topology = domain.mesh.geometry, domain.mesh.topology
    shape = geometry.cmaps[0]
    element = basix.create_element(
        basix.ElementFamily.P, domain.mesh.basix_cell(), shape.degree, basix.LagrangeVariant(shape.variant)
    )
    nodes = geometry.dofmaps[0][: topology.index_map(topology.dim).size_local]
    return np.einsum("pd,cdk->cpk", element.tabulate(0, at)[0, :, :, 0], geometry.x[nodes])


def _regions(domain: Domain) -> Whole:
    """Return the cell tag of each owned cell, 0 for none."""
    topology = domain.mesh.topology
    tags = np.zeros(topology.index_map(topology.dim).size_local, dtype=np.int64)
    if domain.cells is not None:
        mine = domain.cells.indices < len(tags)
        tags[domain.cells.indices[mine]] = domain.cells.values[mine]
    return tags


def _tags(domain: Domain) -> Whole:
    """Return the tag of each facet of each owned cell, 0 for none, shape (cells, facets)."""
    topology = domain.mesh.topology
    dim = topology.dim
    topology.create_entities(dim - 1)
    topology.create_connectivity(dim, dim - 1)
    count, index = topology.index_map(dim).size_local, topology.index_map(dim - 1)
    tags = np.zeros(index.size_local + index.num_ghosts, dtype=np.int64)
    tags[domain.facets.indices] = domain.facets.values
    facets = topology.connectivity(dim, dim - 1).array
    return tags[facets].reshape(-1, len(basix.topology(domain.mesh.basix_cell())[dim - 1]))[:count]


def _cut(cell: basix.CellType, fine: int) -> tuple[Floats, Whole]:
    """Return points of the reference cell, corners first where it is not cut finer, and the simplices they span."""
    corners = basix.geometry(cell)
    if cell == basix.CellType.hexahedron:  # its centre and those of its faces, to fit all neighbours
        faces = np.array(basix.topology(cell)[2])
        points = np.concatenate([corners, corners[faces].mean(axis=1), corners.mean(axis=0)[None]])
        around = faces[:, [[0, 1], [1, 3], [3, 2], [2, 0]]]
        cut = [(*pair, 8 + i, 14) for i, pairs in enumerate(around) for pair in pairs]
        return points, np.array(cut, dtype=np.int64)
    if cell == basix.CellType.tetrahedron or (fine == 1 and cell != basix.CellType.quadrilateral):
        return corners, np.arange(len(corners))[None]
    steps = range(fine + 1)
    if cell == basix.CellType.interval:
        return np.linspace(0, 1, fine + 1)[:, None], np.array([(i, i + 1) for i in range(fine)])
    whole = cell == basix.CellType.quadrilateral
    lattice = [(i, j) for j, i in product(steps, steps) if whole or i + j <= fine]
    number = {place: n for n, place in enumerate(lattice)}
    lower = [((i, j), (i + 1, j), (i, j + 1)) for i, j in lattice]
    upper = [((i + 1, j), (i + 1, j + 1), (i, j + 1)) for i, j in lattice]
    cut = [tuple(number[p] for p in corner) for corner in lower + upper if all(p in number for p in corner)]
    return np.array(lattice) / fine, np.array(cut, dtype=np.int64)


def _parents(cell: basix.CellType, at: Floats, cut: Whole) -> Whole:
    """Return the facet of the cell on which the facet opposite each point lies, -1 inside; shape of `cut`."""
    dim = at.shape[1]
    facets = basix.topology(cell)[dim - 1]
    middles = np.stack([at[np.delete(cut, i, axis=1)].mean(axis=1) for i in range(dim + 1)], axis=1)
    parents = np.full(cut.shape, -1, dtype=np.int64)
    for i, (corners, normal) in enumerate(zip(facets, basix.cell.facet_outward_normals(cell), strict=True)):
        parents[np.abs((middles - basix.geometry(cell)[corners[0]]) @ normal) < 1e-9] = i
    return parents


def _place_numbers(points: Floats, period: Floats) -> Whole:
    """Return a number for each point, equal for all points at one place, modulo the period."""
    lowest, extent = points.min(axis=0), np.ptp(points, axis=0).max()
    wrapped = points - lowest
    for axis in np.flatnonzero(period):
        wrapped[:, axis] %= period[axis]
    pairs = cKDTree(wrapped, boxsize=period if period.any() else None).query_pairs(1e-9 * extent, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points),) * 2)
    return connected_components(links, directed=False)[1].astype(np.int64)


def _across(simplices: Whole) -> Whole:
    """Return the simplex across each facet, -1 for none; neighbours share all numbers but one."""
    count, width = simplices.shape
    facets = np.stack([np.delete(simplices, i, axis=1) for i in range(width)], axis=1).reshape(count * width, -1)
    facets.sort(axis=1)
    order = np.lexsort(facets.T)
    same = np.flatnonzero((facets[order[1:]] == facets[order[:-1]]).all(axis=1))
    first, second = order[same], order[same + 1]
    neighbours = np.full(count * width, -1, dtype=np.int64)
    neighbours[first], neighbours[second] = second // width, first // width
    return neighbours.reshape(count, width)
