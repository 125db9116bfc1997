"""Stress at one node of a tree at one time, with its derivatives by the sizes and the currents of all its segments.

With M s' = b - K s from M s0 = m, u = s - s0, and the adjoint q, M q' = -K q, q(0) = M^-1 e of the node,

    d s_node(t) = int_0^t q(t - s) . (db - dK (s0 + u(s)) - dM u'(s)) ds + q(t) . (dm - dM s0),

where M, K, b and m of a segment are linear in its width. Both are sums of exponentials, so the integrals are closed
forms. Where one stress is there at the start the terms with s0 are 0.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from emfem.errors import ResolutionWarning
from emfem.mesh.graph import Floats, Numbers
from emfem.signoff.elements import Forest
from emfem.signoff.events import first_crossings, sample_times
from emfem.signoff.propagate import Leg, propagate
from emfem.signoff.rises import Blocked

import numpy as np

TIGHT = 1e-7  # of the rise: error allowed at the nodes
EARLY = 0.25  # of the time of interest: from there on the stress is right
PEAKS = 100  # times a decade at which a peak is looked for: it is missed by 2e-5
CLOSE = 1e-3  # of the critical stress: the least rise to it that is resolved
SAME = 1e-5  # product of a rate and the time below which a mode is constant
FINEST = 1e-9  # of the longest segment of a tree: cells for one time are not smaller
SCALE = 1e8  # Pa: size that states of `propagate` should have


@dataclass(frozen=True, eq=False)
class TransientSlopes:
    """Stress of a node at a time, and its derivatives.

    Attributes:
        stress: of the node [Pa].
        rate: of the stress [Pa/s].
        segments: of the tree.
        width: derivative by the logarithm of the width of each at a fixed current density [Pa].
        length: as well, of the length.
        density: derivative by the current density of each [Pa m2/A].
    """

    stress: float
    rate: float
    segments: Numbers
    width: Floats
    length: Floats
    density: Floats


def first_void(trees: Blocked, tree: int, critical: float, until: float, node: int | None) -> tuple[float, int]:
    """Return the time at which a tree, or one node of it, first has the critical stress, and the node; else -1."""
    elements, leg, shortest = _leg(trees, tree, critical, until)
    closed = np.ones(len(elements.nodes), dtype=bool) if node is None else elements.nodes == node
    when, where = first_crossings(leg, closed, critical, sample_times(EARLY * shortest, until))
    return float(when[0]), int(where[0])


def highest_until(trees: Blocked, tree: int, critical: float, until: float) -> tuple[Numbers, Floats, Floats]:
    """Return the nodes of a tree, the highest tension of each until a time [Pa], and when [s]."""
    elements, leg, shortest = _leg(trees, tree, critical, until)
    t = np.geomspace(EARLY * shortest, until, int(PEAKS * np.log10(until / (EARLY * shortest))) + 2)
    stress = leg.stress(t)
    at = stress.argmax(axis=1)
    return elements.nodes, stress[np.arange(len(at)), at], t[at]


def _leg(trees: Blocked, tree: int, critical: float, until: float) -> tuple[Forest, Leg, float]:
    """Return the stress of a tree until a time, and a time before which it does not have the critical one."""
    margin = max(critical - float(trees.largest(trees.initial)[tree]), CLOSE * critical)
    shortest = float(np.clip(trees.earliest(margin)[tree], 1e-7 * until, 0.1 * until))
    elements = trees.elements(np.array([tree]), shortest)
    return elements, trees.leg(elements, until, shortest, TIGHT * margin), shortest


def slopes(trees: Blocked, tree: int, node: int, t: float) -> TransientSlopes:
    """Return the stress of a node of a tree at a time, and its derivatives."""
    elements = trees.elements(np.array([tree]), t, FINEST)
    reach = float(np.sqrt(trees.fastest[tree] * t))
    least = FINEST * float(trees.metal.network.lengths[elements.segment].max())
    if reach < least:
        message = f"at {t:g} s stress has diffused {reach:.3g} m, less than a cell, {least:.3g} m: tension is too small"
        warnings.warn(message, ResolutionWarning, stacklevel=5)
    forward = trees.leg(elements, t, t, TIGHT * SCALE * 1e-2, store=True)
    at = int(elements.unknowns[np.flatnonzero(elements.nodes == node)[0]])
    adjoint, scale = _adjoint(elements, at, t)
    now = np.array([t])
    where = int(np.flatnonzero(elements.nodes == node)[0])
    through, decays = _integrals(forward.rates[0], adjoint.rates[0], t)
    weights = adjoint.amplitudes[0][:, None] * forward.amplitudes[0]
    through, decays = through * weights, decays * weights
    left = adjoint.basis[:, elements.cells]  # type: ignore[index]
    right = forward.basis[:, elements.cells]  # type: ignore[index]
    stiff = _products(left, elements.stiffness, right, through)
    mass = _products(left, elements.mass, right, decays)
    pulled = adjoint.at(t)[elements.cells]  # int q over the time
    start, first = forward.state[elements.cells], trees.initial[elements.segment]
    left_now = _state_rate(adjoint, t)[elements.cells]  # q(t)
    driven = (pulled * elements.per_current).sum(axis=1)
    heated = (pulled * elements.thermal).sum(axis=1)
    stiff += np.einsum("ci,cij,cj->c", pulled, elements.stiffness, start)
    mass -= np.einsum("ci,cij,cj->c", left_now, elements.mass, first[:, None] - start)
    own, at_segment = np.unique(elements.segment, return_inverse=True)
    driven, heated, stiff, mass = (
        np.bincount(at_segment, each, len(own)) / scale for each in (driven, heated, stiff, mass)
    )
    return TransientSlopes(
        float(forward.stress(now)[where, 0]),
        float(forward.slope(now)[where, 0]),
        own,
        driven * trees.density[own] + heated - stiff - mass,
        stiff - mass - heated,
        driven,
    )


def _adjoint(elements: Forest, at: int, t: float) -> tuple[Leg, float]:
    """Return the integral of q times a factor, and that factor: the answer to a steady source at the node."""
    mass, _ = elements.matrices
    scale = SCALE * float(np.abs(mass[[at], :]).sum()) / t
    source = np.zeros(elements.size)
    source[at] = scale
    leg = propagate(
        elements, np.zeros(elements.size), source, span=t, shortest=EARLY * t * 1e-3, tolerance=TIGHT * SCALE
    )
    return leg, scale


def _state_rate(leg: Leg, t: float) -> Floats:
    """Return the rate of the state of a single tree at a time since the beginning, shape (size,)."""
    assert leg.basis is not None
    return (leg.amplitudes[0] * np.exp(-leg.rates[0] * t)) @ leg.basis


def _integrals(forward: Floats, adjoint: Floats, t: float) -> tuple[Floats, Floats]:
    """Return int_0^t e^(-m (t - s)) phi_l(s) ds and int_0^t e^(-m (t - s)) e^(-l s) ds, shapes (adjoint, forward).

    phi_l(s) = (1 - e^(-l s))/l. By parts the first is symmetric in m and l: (phi of the lesser - second) / the greater.
    """
    m, n = np.broadcast_arrays(adjoint[:, None], forward[None, :])
    low, high = np.minimum(m, n), np.maximum(m, n)

    def part(x: Floats) -> Floats:  # (1 - e^-x)/x
        small = x < SAME
        safe = np.where(small, 1.0, x)
        return np.where(small, 1 - x / 2, -np.expm1(-safe) / safe)

    decays = np.exp(-low * t) * t * part((high - low) * t)
    flat = high * t < SAME
    through = (t * part(low * t) - decays) / np.where(flat, 1.0, high)
    return np.where(flat, t**2 / 2, through), decays


def _products(left: Floats, matrices: Floats, right: Floats, weights: Floats) -> Floats:
    """Return the sum over modes of weights times left . matrix . right of each cell, shape (c,).

    Args:
        left: of each mode and cell, shape (m, c, 3).
        matrices: of each cell, shape (c, 3, 3).
        right: of each mode and cell, shape (n, c, 3).
        weights: of pairs of modes, shape (m, n).
    """
    combined = np.tensordot(weights, right, axes=1)  # (m, c, 3)
    return np.einsum("mci,cij,mcj->c", left, matrices, combined, optimize=True)
