"""Potentials and flows on a graph: conservation at its nodes, flows in proportion to differences of potential."""

from __future__ import annotations

from emfem.errors import ParameterError
from emfem.gate import checked
from emfem.mesh.graph import Floats, Numbers, sum_at_nodes

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.linalg import SuperLU, splu

REFINED = 2  # corrections of the flows by the residuals of the nodes; the first removes the rounding of the solve
HALVINGS = 16  # of each axis in nested dissection


@checked
def graph_flows(
    pairs: Numbers, conductance: Floats, brought: Floats, values: Floats, coordinates: Floats | None = None
) -> tuple[Floats, Floats]:
    """Return potentials u and flows g (u_a - u_b) along `pairs` that carry away the currents `brought` to each node.

    Args:
        pairs: nodes that are joined, shape (l, 2).
        conductance: g of each, shape (l,).
        brought: to each node, shape (n,).
        values: Dirichlet values of u, NaN at other nodes, shape (n,).
        coordinates: of the nodes, shape (n, dim), for nested dissection, which is quicker on large grids.

    Raises:
        ParameterError: for arrays of other shapes, nodes that do not exist, numbers that are not finite, or nodes that
            no path joins to one with a Dirichlet value.
    """
    _check(pairs, conductance, brought, values, coordinates)
    free = np.flatnonzero(np.isnan(values))
    potential = np.where(np.isnan(values), 0.0, values)
    flow = conductance * (potential[pairs[:, 0]] - potential[pairs[:, 1]])
    if not len(free):
        return potential, flow
    order = free
    if coordinates is not None:
        order = free[dissection(pairs, coordinates, free)]
    try:
        solve = factorised(laplacian(pairs, conductance, len(values))[order][:, order], coordinates is not None).solve
    except RuntimeError:  # of SuperLU
        msg = "pairs and values make the potentials ambiguous: each node must be joined to one with a Dirichlet value"
        raise ParameterError(msg) from None
    for _ in range(1 + REFINED):
        # The flows themselves are corrected: a difference of potentials would lose their digits.
        change = np.zeros(len(values))
        change[order] = solve((sum_at_nodes(len(values), pairs, flow) + brought)[order])
        potential += change
        flow += conductance * (change[pairs[:, 0]] - change[pairs[:, 1]])
    return potential, flow


def factorised(matrix: csr_array, ordered: bool) -> SuperLU:
    """Return the factors of a symmetric positive definite matrix, in its own order or in that of minimum degree."""
    order = "NATURAL" if ordered else "MMD_AT_PLUS_A"
    return splu(matrix.tocsc(), permc_spec=order, diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def dissection(pairs: Numbers, coordinates: Floats, free: Numbers) -> Numbers:
    """Return an order of elimination of the free nodes by nested dissection: of a plane grid, n log n entries.

    The nodes are halved along one axis after the other. Of a pair that a cut parts, the node below it belongs to the
    separator of the halves, which comes after both. The numbers of the halves that a node is in are the bits of its
    code, so the highest bit in which two nodes differ is the cut that parts them.

    Args:
        pairs: nodes that are joined, shape (l, 2).
        coordinates: of the nodes, shape (n, dim).
        free: numbers of the nodes to be ordered.
    """
    code = np.zeros(len(coordinates), dtype=np.int64)
    for k, along in enumerate(coordinates[free].T):
        part = (np.searchsorted(np.sort(along), along) << HALVINGS) // len(free)
        for bit in range(HALVINGS):
            code[free] |= (part >> bit & 1) << (coordinates.shape[1] * bit + k)
    inside = np.zeros(len(coordinates), dtype=bool)
    inside[free] = True
    a, b = pairs[inside[pairs].all(axis=1)].T
    cut = np.zeros(len(coordinates), dtype=np.int64)  # 0 of no separator, else one more than the bit
    np.maximum.at(cut, np.where(code[a] < code[b], a, b), np.frexp((code[a] ^ code[b]).astype(float))[1])
    return np.lexsort((cut[free], code[free] | (1 << cut[free]) - 1))


def _check(pairs: Numbers, conductance: Floats, brought: Floats, values: Floats, coordinates: Floats | None) -> None:
    """Refuse arrays that do not fit together.

    Raises:
        ParameterError: for the first of them.
    """
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        msg = f"pairs of shape {pairs.shape}, must be of shape (l, 2)"
        raise ParameterError(msg)
    if values.ndim != 1:
        msg = f"values of shape {values.shape}, must be of shape (n,)"
        raise ParameterError(msg)
    sizes = {"conductance": (conductance, len(pairs)), "brought": (brought, len(values))}
    for name, (array, size) in sizes.items():
        if array.shape != (size,) or not np.isfinite(array).all():
            msg = f"{name} of shape {array.shape}, must be {size} finite numbers"
            raise ParameterError(msg)
    if np.isinf(values).any():
        msg = "values are infinite, must be finite, or NaN for a potential to be computed"
        raise ParameterError(msg)
    if coordinates is not None and (coordinates.ndim != 2 or len(coordinates) != len(values)):
        msg = f"coordinates of shape {coordinates.shape}, must be of shape ({len(values)}, dim)"
        raise ParameterError(msg)
    outside = pairs[(pairs < 0) | (pairs >= len(values))]
    if len(outside):
        msg = f"pairs name the node {outside[0]}, must be at least 0 and below the number of nodes, {len(values)}"
        raise ParameterError(msg)


def laplacian(pairs: Numbers, conductance: Floats, nodes: int) -> csr_array:
    """Return the matrix that takes potentials to the flows out of the nodes, rows compressed."""
    a, b = pairs.T
    entries = np.concatenate([conductance, conductance, -conductance, -conductance])
    places = (np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a]))
    return coo_array((entries, places), shape=(nodes, nodes)).tocsr()
