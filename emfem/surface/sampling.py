"""A field on a regular grid, again and again: the cells of its points are found once."""

from __future__ import annotations

from emfem import fields
from emfem.mesh import Domain, bounds
from emfem.spaces import nodes_on

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.ndimage import label

MOST = {1: 4096, 2: 512, 3: 96}  # pixels along an axis

Values = NDArray[np.float64]


class Grid:
    """A regular grid of pixel centres over the box around a domain, the same on all ranks.

    Attributes:
        axes: coordinates of the pixels along each axis.
        spacing: their distance along each axis, shape (dim,).
    """

    def __init__(self, domain: Domain, counts: list[int]) -> None:
        """Lay it over the domain. Collective."""
        lower, upper = bounds(domain.mesh)
        self.spacing = (upper - lower) / counts
        self.axes = [low + (np.arange(n) + 0.5) * h for low, n, h in zip(lower, counts, self.spacing, strict=True)]
        self.points = np.stack(np.meshgrid(*self.axes, indexing="ij"), axis=-1).reshape(-1, len(counts))
        cells = domain.mesh.topology.index_map(domain.dim)
        numbers = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
        first, last = cells.local_range
        numbers.x.array[: cells.size_local] = np.arange(first, last)
        numbers.x.scatter_forward()
        found = fields.evaluate(numbers, self.points)
        self._here = np.flatnonzero((found > first - 0.5) & (found < last - 0.5))
        self._cells = np.rint(found[self._here]).astype(np.int32) - np.int32(first)

    def sample(self, function: fem.Function) -> Values:
        """The function at the pixels, indexed [ix, iy, ...]; NaN outside the mesh. Collective."""
        values = np.full(len(self.points), -np.inf)
        places = np.zeros((len(self._here), 3))
        places[:, : self.points.shape[1]] = self.points[self._here]
        if len(places):
            values[self._here] = function.eval(places, self._cells).reshape(-1)
        function.function_space.mesh.comm.Allreduce(MPI.IN_PLACE, values, op=MPI.MAX)
        return np.where(np.isneginf(values), np.nan, values).reshape([len(axis) for axis in self.axes])


def pixels(domain: Domain, size: float) -> list[int]:
    """How many pixels of about `size` along each axis, not more than can be handled. Collective."""
    lower, upper = bounds(domain.mesh)
    return [int(np.clip(np.ceil(length / size), 2, MOST[domain.dim])) for length in upper - lower]


def joined(c: fem.Function, domain: Domain, ends: tuple[str, str] | None, size: float) -> bool:
    """Whether metal, c above 1/2, leads from one boundary to another, or along x all through the domain. Collective.

    Args:
        c: fraction of metal.
        domain: where.
        ends: the boundaries; the ends of the box along x when left out.
        size: a gap as wide as this is seen.
    """
    grid = Grid(domain, pixels(domain, size))
    pieces, _ = label(np.nan_to_num(grid.sample(c)) > 0.5)
    if ends is None:
        touching = [set(pieces[0].ravel().tolist()), set(pieces[-1].ravel().tolist())]
    else:
        touching = [set(_at(c, domain, name, grid, pieces)) for name in ends]
    return bool(touching[0] & touching[1] - {0})


def _at(c: fem.Function, domain: Domain, name: str, grid: Grid, pieces: NDArray[np.int32]) -> list[int]:
    """The pieces that the metal on a boundary belongs to; 0 where there is none."""
    space = c.function_space
    nodes = nodes_on(space, domain.facets.find(domain.tag(name)))
    nodes = nodes[c.x.array[nodes] > 0.5]
    places = np.concatenate(domain.mesh.comm.allgather(space.tabulate_dof_coordinates()[nodes, : domain.dim]))
    lower = np.array([axis[0] for axis in grid.axes])
    last = np.array(pieces.shape) - 1
    pixel = np.clip(np.rint((places - lower) / grid.spacing).astype(int), 0, last)
    return pieces[tuple(pixel.T)].tolist()
