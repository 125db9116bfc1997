"""Verdict of a simulation at its present time."""

from __future__ import annotations

from collections.abc import Mapping

from emfem.failure import Void
from emfem.mesh.graph import Floats
from emfem.signoff.followed import OpenVoid
from emfem.signoff.metal import Metal
from emfem.signoff.simulation import Simulation
from emfem.signoff.verdict import Verdict

import numpy as np

PIECES, MOST = 16, 20_000  # of a wire, and of all wires together, between which its stress is drawn


def verdict_of(run: Simulation, *, pieces: int = PIECES) -> Verdict:
    """Return the verdict of a simulation, at the present time; `pieces` of a wire, at most, that its stress is for."""
    circuit, bounds = run.circuit, run.bounds
    extra, volumes = circuit.extra(run.lengths(run.t)), dict[int, float]()
    for number in {int(run.trees.of_node[void.node]) for void in run.voids}:
        volumes |= run.legs.volumes(run.followed[number], run.t)
    why = run.why
    if np.isinf(run.failure):
        why = "immortal" if bounds.immortal.all() else "survived"
    elif not why:
        why = run.fails.reason
    t, drop, rise = np.array(run.rows).T
    stress = _stress(run)
    return Verdict(
        network=run.network,
        technology=run.metal.technology,
        currents=circuit.start,
        currents_end=circuit.currents(extra) if extra.any() and circuit.moves and circuit.closed(extra)
        else circuit.start,
        temperature=_at_nodes(run.metal),
        tree=run.trees.of_segment,
        steady_stress=bounds.highest,
        steady_node=bounds.node,
        steady=bounds.steady,
        immortal=bounds.immortal,
        stress=stress,
        along=_along(run, stress, pieces),
        nucleation=run.nucleation,
        nucleation_node=run.nucleation_node,
        sensitivity=run.sensitivity,
        tree_failure=run.tree_failure,
        voids=tuple(_void(void, volumes, bounds.faces) for void in run.voids),
        t=t,
        drop=drop,
        resistance_rise=rise,
        failure=float(run.failure),
        why=why,
        until=run.until,
    )  # fmt: skip


def _void(void: OpenVoid, volumes: Mapping[int, float], faces: Floats) -> Void:
    volume = 0.0 if void.healed else volumes.get(void.node, 0.0)
    return Void(void.node, void.nucleated, volume, volume / float(faces[void.node]))


def _stress(run: Simulation) -> Floats:
    """Return the stress at the nodes of the trees that are followed [Pa], NaN at others."""
    stress = np.full(len(run.network.nodes), np.nan)
    for tree in run.followed.values():
        if tree.leg is None:
            run.legs.make(tree)
        assert tree.leg is not None
        stress[tree.leg.forest.nodes] = tree.leg.stress(np.array([run.t - tree.began]))[:, 0]
    return stress


def _along(run: Simulation, at_nodes: Floats, most: int) -> Floats:
    """Return the stress amid equal pieces of each wire [Pa], shape (m, pieces).

    A steady stress is a straight line between nodes; that of a tree that is followed is its elements'.
    """
    network = run.network
    pieces = int(np.clip(MOST // len(network.segments), 1, most))
    place = (np.arange(pieces) + 0.5) / pieces
    start, end = np.where(np.isnan(at_nodes), run.bounds.steady, at_nodes)[network.segments].T[..., None]
    along = start + (end - start) * place
    for tree in run.followed.values() if pieces > 1 else ():
        state, elements = run.legs.state(tree, run.t)
        wires = tree.segments
        values = elements.values(state, np.repeat(wires, pieces), np.tile(place, len(wires)))
        along[wires] = values.reshape(-1, pieces)
    return along


def _at_nodes(metal: Metal) -> Floats:
    """Return the mean temperature of the ends of the wires at each node [K], that of the technology without."""
    ends = np.stack([metal.temperature.start, metal.temperature.end], axis=1).ravel()
    nodes, count = metal.network.segments.ravel(), len(metal.network.nodes)
    total, wires = np.bincount(nodes, ends, count), np.bincount(nodes, minlength=count)
    return np.where(wires > 0, total / np.maximum(wires, 1), metal.technology.temperature)
