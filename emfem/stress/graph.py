"""Steady stress on a network as a graph: linear along each segment, so its values at the nodes are all there is."""

from __future__ import annotations

from emfem.mesh import Network

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.csgraph import breadth_first_order
from scipy.sparse.linalg import splu

SAME = 1e-9  # of the range of stresses: what two ways round a loop may differ by, from rounding and the user's digits

Values = NDArray[np.float64]


def at_rest(network: Network, force: Values, held: Values) -> Values:
    """Steady stress at the nodes, up to a constant in each piece where none is held, shape (n,); 0 without metal.

    Along a segment dsigma/ds = -f where atoms rest. Where that does not fit around a loop or between held nodes, they
    flow, and sum A (dsigma/ds + f) = 0 at every other node.

    Args:
        network: the wires.
        force: f, along each segment, shape (m,) [Pa/m].
        held: stress that is held at nodes, NaN elsewhere, shape (n,) [Pa].
    """
    rise = -force * network.lengths
    stress = walked(network, rise)
    start, end = network.segments.T
    missing = rise - (stress[end] - stress[start])
    largest = max(np.ptp(stress), np.abs(rise).max(), np.nanmax(np.abs(held), initial=0.0))
    off = np.where(np.isnan(held), 0.0, held - stress)
    shift = _of_pieces(network, held, off)
    misfit = max(np.abs(missing).max(), np.abs(np.where(np.isnan(held), 0.0, off - shift)).max())
    if misfit <= SAME * largest:
        return np.where(network.degree > 0, stress + shift, 0.0)
    return np.where(network.degree > 0, stress + _flowing(network, missing, held - stress), 0.0)


def walked(network: Network, rise: Values) -> Values:
    """Values at the nodes that rise along segments as told, by walking a tree of them from one node of each piece."""
    nodes = len(network.nodes)
    start, end = network.segments.T
    label = network.components
    first = np.flatnonzero(label >= 0)[np.unique(label[label >= 0], return_index=True)[1]]
    # one more node, from which all pieces hang
    ends = np.concatenate([start, np.full(len(first), nodes)]), np.concatenate([end, first])
    graph = csr_array((np.ones(len(ends[0])), ends), shape=(nodes + 1, nodes + 1))
    order, before = breadth_first_order(graph, nodes, directed=False)
    steps = coo_array(
        (np.concatenate([rise, -rise]), (np.concatenate([start, end]), np.concatenate([end, start]))),
        shape=(nodes + 1, nodes + 1),
    ).tocsr()
    up = np.asarray(steps[before[order[1:]], order[1:]]).ravel()
    found = [0.0] * (nodes + 1)
    for node, previous, step in zip(order[1:].tolist(), before[order[1:]].tolist(), up.tolist(), strict=True):
        found[node] = found[previous] + step
    return np.array(found[:nodes])


def _of_pieces(network: Network, held: Values, off: Values) -> Values:
    """At each node, the mean of `off` over the held nodes of its piece; 0 in pieces without any."""
    label, at = network.components, ~np.isnan(held)
    count = np.bincount(label[at], minlength=int(label.max()) + 1)
    total = np.bincount(label[at], off[at], minlength=int(label.max()) + 1)
    return np.where(label >= 0, (total / np.maximum(count, 1))[label], 0.0)


def _flowing(network: Network, missing: Values, held: Values) -> Values:
    """Corrections c at the nodes with sum (A/L) (c_b - c_a - missing) = 0, c given where `held` is a number.

    In a piece where none is held, c is 0 at one node.
    """
    start, end = network.segments.T
    nodes = len(network.nodes)
    weight = network.cross_sections / network.lengths
    links = coo_array((weight, (start, end)), shape=(nodes, nodes))
    links = (links + links.T).tocsr()
    load = np.bincount(end, weight * missing, nodes) - np.bincount(start, weight * missing, nodes)
    label = network.components
    known, given = ~np.isnan(held), np.nan_to_num(held)
    tied = np.isin(label, label[known])
    first = np.unique(np.where(tied, -1, label), return_index=True)[1]
    known[first[~tied[first]]] = True
    known |= network.degree == 0
    free = np.flatnonzero(~known)
    found = given.copy()
    if len(free):
        laplacian = (diags_array(links.sum(axis=1)) - links).tocsr()[free]
        right = load[free] - laplacian @ np.where(known, given, 0.0)
        found[free] = splu(laplacian[:, free].tocsc(), permc_spec="MMD_AT_PLUS_A").solve(right)
    return found
