"""Metal seen on a regular grid of pixels: whether it joins two boundaries."""

from __future__ import annotations

from emfem.fields import Pixels
from emfem.mesh import Domain, bounds
from emfem.spaces import nodes_on

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from scipy.ndimage import label

MOST = {1: 4096, 2: 512, 3: 96}  # pixels along an axis


def pixels(domain: Domain, size: float) -> list[int]:
    """Return the number of pixels of about `size` along each axis, bounded. Collective."""
    lower, upper = bounds(domain.mesh)
    return [int(np.clip(np.ceil(length / size), 2, MOST[domain.dim])) for length in upper - lower]


def joined(c: fem.Function, domain: Domain, ends: tuple[str, str] | None, size: float) -> bool:
    """Return true if metal, c > 1/2, connects two boundaries, or both ends of the domain along x. Collective.

    Args:
        c: fraction of metal.
        domain: where.
        ends: the boundaries; the ends of the box along x when left out.
        size: a gap as wide as this is seen.
    """
    return joins(c, domain, ends, Pixels(domain.mesh, pixels(domain, size)))


def joins(c: fem.Function, domain: Domain, ends: tuple[str, str] | None, grid: Pixels) -> bool:
    """Return what `joined` does, of metal seen on this grid. Collective."""
    pieces, _ = label(np.nan_to_num(grid.sample(c).values) > 0.5)
    if ends is None:
        touching = [set(pieces[0].ravel().tolist()), set(pieces[-1].ravel().tolist())]
    else:
        touching = [set(_at(c, domain, name, grid, pieces)) for name in ends]
    return bool(touching[0] & touching[1] - {0})


def _at(c: fem.Function, domain: Domain, name: str, grid: Pixels, pieces: NDArray[np.int32]) -> list[int]:
    """Pieces that the metal on a boundary belongs to; 0 where there is none."""
    space = c.function_space
    nodes = nodes_on(space, domain.facets.find(domain.tag(name)))
    nodes = nodes[c.x.array[nodes] > 0.5]
    places = np.concatenate(domain.mesh.comm.allgather(space.tabulate_dof_coordinates()[nodes, : domain.dim]))
    lower = np.array([axis[0] for axis in grid.axes])
    last = np.array(pieces.shape) - 1
    pixel = np.clip(np.rint((places - lower) / grid.spacing).astype(int), 0, last)
    return pieces[tuple(pixel.T)].tolist()
