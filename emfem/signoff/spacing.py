"""Widths that wires may have: limits of layers, and the spacing to their neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emfem.errors import ParameterError, UnknownName, number, require_all
from emfem.mesh import Network
from emfem.mesh.graph import Floats, Numbers

import numpy as np
from numpy.typing import NDArray

STRAIGHT = 1e-9  # of its length: a segment that goes further aside runs neither along x nor along y
PAIRS = 2**22  # pairs of segments compared at once


def widest_allowed(network: Network, widest: Any, spacing: Any) -> Floats:
    """Return the largest width of each segment [m], shape (m,); infinite where nothing limits it.

    Two neighbours share the gap between them: each may grow by what the gap has beyond the spacing, half of it to
    either side. A segment without gap keeps its width.

    Args:
        network: the wires.
        widest: limit, a number, one a segment, or one for each named layer [m]; None for none.
        spacing: least distance of the edges of wires in one layer, a number or one for each named layer [m]; None
            where neighbours do not matter.

    Raises:
        ParameterError: for a limit below a width, a spacing that is not above 0, or, with a spacing, a segment that
            runs neither along x nor along y.
        UnknownName: for a layer that the network lacks.
    """
    limit = np.full(len(network.segments), np.inf) if widest is None else _per_segment(network, "widest", widest)
    require_all(
        limit >= network.width,
        lambda i: f"widest = {limit[i]:g} m of {network.wire(i)}, must be at least its width of {network.width[i]:g} m",
    )
    if spacing is None:
        return limit
    apart = _per_segment(network, "spacing", spacing)
    return np.minimum(limit, network.width + _growth(network, apart, limit - network.width))


def _per_segment(network: Network, name: str, value: Any) -> Floats:
    """Return a limit for each segment, infinite in layers without one."""
    if isinstance(value, Mapping):
        result = np.full(len(network.segments), np.inf if name == "widest" else 0.0)
        for layer, one in value.items():
            if layer not in network.layers:
                raise UnknownName(layer, "the network, among its layers,", network.layers)
            index = network.layers.index(layer)
            result[network.layer == index] = number(f"{name}[{layer!r}]", one, above=0.0, unit="m")
        return result
    result = network.per_segment(name, value)
    require_all(result > 0, lambda i: f"{name} = {result[i]:g} m of {network.wire(i)}, must be greater than 0")
    return result


def _growth(network: Network, spacing: Floats, most: Floats) -> Floats:
    """Return by how much each segment may be widened beside its neighbours, up to `most` [m], shape (m,)."""
    start, end = network.nodes[network.segments[:, 0], :2], network.nodes[network.segments[:, 1], :2]
    aside = np.abs(end - start).min(axis=1) / network.lengths
    upright = network.nodes.shape[1] == 3 and np.ptp(network.nodes[network.segments, 2], axis=1).any()
    if upright or (aside > STRAIGHT).any():
        i = int(aside.argmax())
        msg = f"{network.wire(i)} with a spacing, must run along x or along y"
        raise ParameterError(msg)
    along_x = np.abs(end - start).argmax(axis=1) == 0
    low, high = np.minimum(start, end), np.maximum(start, end)
    across = np.column_stack([~along_x, along_x])  # the axis along which a segment widens
    half = np.where(across, network.width[:, None] / 2, 0.0)
    box = low - half, high + half
    growth = most.copy()
    for layer in np.unique(network.layer):
        for axis in (0, 1):
            mine = np.flatnonzero((network.layer == layer) & across[:, axis])
            others = np.flatnonzero(network.layer == layer)
            if len(mine) and len(others) > 1:
                growth[mine] = np.minimum(growth[mine], _beside(network, mine, others, axis, box, spacing, across))
    return growth


def _beside(
    network: Network,
    mine: Numbers,
    others: Numbers,
    axis: int,
    box: tuple[Floats, Floats],
    spacing: Floats,
    across: NDArray[np.bool_],
) -> Floats:
    """Return the growth that the neighbours along one axis leave to some segments, shape (len(mine),)."""
    low, high = box
    result = np.full(len(mine), np.inf)
    chunk = max(PAIRS // len(others), 1)
    for first in range(0, len(mine), chunk):
        i, j = mine[first : first + chunk, None], others[None, :]
        other = 1 - axis
        reach = spacing[i]
        overlap = (low[i, other] < high[j, other] + reach) & (low[j, other] < high[i, other] + reach)
        gap = np.maximum(low[j, axis] - high[i, axis], low[i, axis] - high[j, axis])
        a, b = network.segments[i], network.segments[j]
        joined = (a[..., None] == b[..., None, :]).any(axis=(-1, -2))
        neighbour = overlap & (gap >= 0) & ~joined
        # a wire across does not come nearer when it is widened: the gap is for one side of this one alone
        free = np.where(across[j, axis], 1.0, 2.0) * (gap - reach)
        result[first : first + chunk] = np.where(neighbour, np.maximum(free, 0.0), np.inf).min(axis=1)
    return result
