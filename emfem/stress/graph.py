"""Steady stress on a network as a graph: linear along each segment, so its values at the nodes determine it."""

from __future__ import annotations

from emfem.mesh import Network
from emfem.model import graph_flows

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order

SAME = 1e-9  # of the range of stresses: tolerance of two ways round a loop, for rounding and the user's digits

Values = NDArray[np.float64]


def at_rest(network: Network, force: Values, dirichlet: Values) -> Values:
    """Return the steady stress at the nodes, shape (n,), up to a constant in pieces without a Dirichlet value.

    Along a segment dsigma/ds = -f where atoms rest. Where that does not fit around a loop or between Dirichlet nodes,
    they flow, and sum A (dsigma/ds + f) = 0 at every other node. At nodes without metal it is 0.

    Args:
        network: the wires.
        force: f, along each segment, shape (m,) [Pa/m].
        dirichlet: stress at nodes where it is fixed, NaN elsewhere, shape (n,) [Pa].
    """
    rise = -force * network.lengths
    stress = walked(network, rise)
    start, end = network.segments.T
    missing = rise - (stress[end] - stress[start])
    largest = max(np.ptp(stress), np.abs(rise).max(), np.nanmax(np.abs(dirichlet), initial=0.0))
    off = np.where(np.isnan(dirichlet), 0.0, dirichlet - stress)
    shift = _of_pieces(network, dirichlet, off)
    misfit = max(np.abs(missing).max(), np.abs(np.where(np.isnan(dirichlet), 0.0, off - shift)).max())
    if misfit <= SAME * largest:
        return np.where(network.degree > 0, stress + shift, 0.0)
    return np.where(network.degree > 0, stress + _flowing(network, missing, dirichlet - stress), 0.0)


def walked(network: Network, rise: Values) -> Values:
    """Return values at the nodes that rise by `rise` along segments of a tree from one node of each piece."""
    nodes = len(network.nodes)
    start, end = network.segments.T
    label = network.components
    first = np.flatnonzero(label >= 0)[np.unique(label[label >= 0], return_index=True)[1]]
    # one more node, the root of all pieces
    ends = np.concatenate([start, np.full(len(first), nodes)]), np.concatenate([end, first])
    graph = csr_array((np.ones(len(ends[0])), ends), shape=(nodes + 1, nodes + 1))
    order, before = breadth_first_order(graph, nodes, directed=False)
    steps = coo_array(
        (np.concatenate([rise, -rise]), (np.concatenate([start, end]), np.concatenate([end, start]))),
        shape=(nodes + 1, nodes + 1),
    ).tocsr()
    up = np.asarray(steps[before[order[1:]], order[1:]]).ravel()
    values = [0.0] * (nodes + 1)
    for node, previous, step in zip(order[1:].tolist(), before[order[1:]].tolist(), up.tolist(), strict=True):
        values[node] = values[previous] + step
    return np.array(values[:nodes])


def _of_pieces(network: Network, dirichlet: Values, off: Values) -> Values:
    """Return at each node the mean of `off` over the Dirichlet nodes of its piece; 0 in pieces without any."""
    label, at = network.components, ~np.isnan(dirichlet)
    count = np.bincount(label[at], minlength=int(label.max()) + 1)
    total = np.bincount(label[at], off[at], minlength=int(label.max()) + 1)
    return np.where(label >= 0, (total / np.maximum(count, 1))[label], 0.0)


def _flowing(network: Network, missing: Values, dirichlet: Values) -> Values:
    """Return corrections c at the nodes with sum (A/L) (c_b - c_a - missing) = 0, c = `dirichlet` if not NaN.

    In a piece without a Dirichlet node, c is 0 at one node.
    """
    start, end = network.segments.T
    nodes, weight = len(network.nodes), network.cross_sections / network.lengths
    load = np.bincount(end, weight * missing, nodes) - np.bincount(start, weight * missing, nodes)
    label, values = network.components, np.where(network.degree > 0, dirichlet, 0.0)
    tied = np.isin(label, label[~np.isnan(values)])
    first = np.unique(np.where(tied, -1, label), return_index=True)[1]
    values[first[~tied[first]]] = 0.0
    return graph_flows(network.segments, weight, load, values)[0]
