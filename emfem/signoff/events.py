"""Times of events on a leg: when the stress at a node reaches a value, or another quantity passes one, none missed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.propagate import Leg

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

PER_DECADE = 12  # times at which a leg is sampled
FINER = 32  # times in an interval where a maximum between two times may pass the value
TIGHT = 1e-12  # of a time: tolerance of a root


def sample_times(shortest: float, span: float) -> Floats:
    """Return times from the shortest to the span, evenly in their logarithm."""
    return np.geomspace(min(shortest, 0.1 * span), span, max(int(np.log10(span / shortest) * PER_DECADE), 12))


def first_crossings(leg: Leg, closed: NDArray[np.bool_], critical: float, times: Floats) -> tuple[Floats, Numbers]:
    """Return when the stress of each tree first reaches the critical one, and at which node.

    Times that never come are infinity, with node -1.

    The stress at each node is smooth in ln t. Between two times it is below both tangents where it has a maximum:
    intervals where they cross above the critical stress are looked at again with more times.

    Args:
        leg: of some trees.
        closed: true for nodes of the leg without a void, shape (k,).
        critical: stress [Pa].
        times: since the beginning of the leg, in increasing order [s].
    """
    forest, u = leg.forest, np.log(times)
    stress, slope = leg.stress(times), leg.slope(times) * times
    stress = np.where(closed[:, None], stress, -np.inf)
    tree = forest.tree_of[forest.unknowns]
    first = np.searchsorted(tree, np.arange(len(forest.which)))
    over = np.maximum.reduceat(stress, first, axis=0) >= critical
    rise, fall, step = slope[:, :-1], slope[:, 1:], np.diff(u)
    with np.errstate(invalid="ignore"):
        peak = np.minimum(stress[:, :-1] + np.maximum(rise, 0) * step, stress[:, 1:] - np.minimum(fall, 0) * step)
        hidden = (rise > 0) & (fall < 0) & (peak >= critical)
    maybe = np.concatenate([np.zeros((len(first), 1), bool), np.logical_or.reduceat(hidden, first, axis=0)], axis=1)
    when, where = np.full(len(first), np.inf), np.full(len(first), -1)
    ends = np.append(first, len(tree))
    for i in np.flatnonzero((over | maybe).any(axis=1)).tolist():
        one, own = leg.of(i), closed[ends[i] : ends[i + 1]]
        for k in np.flatnonzero(over[i] | maybe[i]):
            low = 0.0 if k == 0 else times[k - 1]
            crossing = _in_interval(one, own, critical, low, times[k])
            if crossing is not None:
                when[i], where[i] = crossing[0], forest.nodes[ends[i] + crossing[1]]
                break
    return when, where


def _in_interval(
    leg: Leg, closed: NDArray[np.bool_], critical: float, low: float, high: float
) -> tuple[float, int] | None:
    """Return time and place among the nodes of the first crossing between two times."""
    times = np.linspace(low, high, FINER + 1)[1:]
    stress = np.where(closed[:, None], leg.stress(times), -np.inf)
    over = np.flatnonzero((stress >= critical).any(axis=0))
    if not len(over):
        return None
    k = over[0]
    before = low if k == 0 else times[k - 1]
    best = (np.inf, -1)
    for node in np.flatnonzero(stress[:, k] >= critical):
        t = root(partial(_beyond, leg.node(int(node)), critical), before, times[k])
        best = min(best, (t, int(node)))
    return best


def _beyond(function: Callable[[float], float], value: float, t: float) -> float:
    """Return by how much a function of time is above a value."""
    return function(t) - value


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the time at which a function that is above 0 at `high` passes 0; `low` if it is not below 0 there."""
    if function(low) >= 0.0:
        return low
    return float(brentq(function, low, high, xtol=TIGHT * high, rtol=TIGHT))


def first_passing(function: Callable[[float], float], values: Floats, times: Floats, start: float = 0.0) -> float:
    """Return when a function first passes 0, from its values at some times; infinity if it does not."""
    over = np.flatnonzero(values >= 0.0)
    if not len(over):
        return np.inf
    k = over[0]
    return root(function, start if k == 0 else times[k - 1], times[k])
