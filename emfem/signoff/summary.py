"""Summary of a verdict as numbers, texts, lists and tables: what `verdict.json` and the report have of a corner."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emfem.materials.validity import VALIDITY
from emfem.mesh import Network
from emfem.quantities import duration
from emfem.signoff.corners import Corner

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from emfem.signoff.verdict import Verdict
    from emfem.technology import Technology

Floats = NDArray[np.float64]

MOST = 100  # rows of a list in the summary; the tables have all
DENSEST = 10  # wires
BINS = 30  # of the histogram of times


def summarize(verdict: Verdict, corner: Corner, *, until: float, drop_limit: float | None = None) -> dict[str, Any]:
    """Return the summary of a corner; None stands for a time that never comes.

    Args:
        verdict: of the corner.
        corner: its conditions.
        until: the time that the grid has to last [s].
        drop_limit: largest IR drop allowed at the start [V]; None for any.
    """
    network, currents = verdict.network, verdict.currents
    drop = np.abs(currents.drop)
    lowest = _worst(drop)
    opened = np.isfinite(verdict.nucleation) & (verdict.nucleation <= until)
    first = int(np.argmin(np.where(opened, verdict.nucleation, np.inf))) if opened.any() else None
    over = np.zeros(0, dtype=np.int64) if drop_limit is None else np.flatnonzero(drop > drop_limit)
    reasons = _reasons(verdict, until, drop_limit, drop, over)
    return plain(
        {
            "name": corner.name,
            "current": corner.current,
            "temperature [K]": _range(verdict.temperature),
            "lasts": not reasons,
            "reasons": reasons,
            "failure [s]": verdict.failure,
            "why": verdict.why,
            "until [s]": until,
            "network": str(network),
            "nodes": len(network.nodes),
            "wires": len(network.segments),
            "vias": len(network.vias),
            "widths [m]": [network.width.min(), network.width.max()],
            "trees": len(verdict.immortal),
            "immortal trees": int(verdict.immortal.sum()),
            "immortal trees with voids": int((verdict.immortal & opened).sum()),
            "surviving trees": int((~verdict.immortal & ~opened).sum()),
            "trees with voids": int(opened.sum()),
            "voids": len(verdict.voids),
            "first void [s]": None if first is None else verdict.nucleation[first],
            "first void at": None if first is None else node_name(network, int(verdict.nucleation_node[first])),
            "highest steady stress [Pa]": np.nanmax(verdict.steady_stress, initial=-np.inf),
            "critical stress [Pa]": verdict.technology.critical_stress,
            "residual stress [Pa]": verdict.technology.residual_stress,
            "drop [V]": drop[lowest],
            "drop at": node_name(network, lowest),
            "drop at the end [V]": verdict.drop[-1] if len(verdict.drop) else None,
            "drop limit [V]": drop_limit,
            "nodes over the limit": len(over),
            "resistance rise at the end": verdict.resistance_rise[-1] if len(verdict.resistance_rise) else None,
            "densest current [A/m2]": np.abs(currents.current_density).max(),
            "power [W]": currents.power,
            "mortal": _mortal(verdict, opened),
            "low": _low(network, drop, over),
            "densest": _densest(verdict),
            "times": _histogram(verdict.nucleation[opened], until),
        }
    )


def _reasons(verdict: Verdict, until: float, drop_limit: float | None, drop: Floats, over: Any) -> list[str]:
    """Return why the grid does not last, a sentence each; none if it does."""
    reasons = []
    if verdict.failure <= until:
        when = f"after {duration(verdict.failure)}" if verdict.failure > 0 else "at the start"
        reasons.append(f"it fails {when}: {verdict.why}{_blamed(verdict)}")
    if len(over):
        assert drop_limit is not None
        nodes = f"{len(over)} node{'s' if len(over) > 1 else ''}"
        reasons.append(
            f"{nodes} lie further from the pads than {drop_limit:.4g} V at the start, up to {drop.max():.4g} V"
        )
    return reasons


def _blamed(verdict: Verdict) -> str:
    """Return which tree and which wires a failure lies in; of a criterion of the whole grid, where the first void is.

    Nothing without a void.
    """
    own = np.flatnonzero(verdict.tree_failure <= verdict.failure)
    tree = int(own[0] if len(own) else np.argmin(verdict.nucleation))
    if not verdict.nucleation[tree] <= verdict.failure:
        return ""
    start = ", in" if len(own) else f"; the first void opened after {duration(verdict.nucleation[tree])}, in"
    return f"{start} {_place_of_void(verdict, tree)}"


def _place_of_void(verdict: Verdict, tree: int) -> str:
    """Return the tree, its layer, and the node of its first void with the wires that meet there."""
    network, node = verdict.network, int(verdict.nucleation_node[tree])
    wires = np.flatnonzero((network.segments == node).any(axis=1))
    layer = f" of layer {network.layers[network.layer[wires[0]]]}" if network.layers and len(wires) else ""
    names = [network.wire_names[i] if network.wire_names else str(i) for i in wires.tolist()]
    return f"tree {tree}{layer} at node {node_name(network, node)} (wire{'s' * (len(names) > 1)} {', '.join(names)})"


def _mortal(verdict: Verdict, opened: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return the trees that get a void, the first one first."""
    network, trees = verdict.network, len(verdict.immortal)
    wires = np.bincount(verdict.tree, minlength=trees)
    length = np.bincount(verdict.tree, network.lengths, trees)
    layer = np.zeros(trees, dtype=np.int64)
    layer[verdict.tree] = network.layer
    order = np.flatnonzero(opened)
    order = order[np.argsort(verdict.nucleation[order], kind="stable")][:MOST]
    return [
        {
            "tree": tree,
            "node": node_name(network, int(verdict.nucleation_node[tree])),
            "place [m]": network.nodes[verdict.nucleation_node[tree]],
            "layer": network.layers[layer[tree]] if network.layers else "",
            "wires": wires[tree],
            "length [m]": length[tree],
            "steady stress [Pa]": verdict.steady_stress[tree],
            "first void [s]": verdict.nucleation[tree],
            "first void over critical stress [%/%]": verdict.sensitivity[tree],
        }
        for tree in order.tolist()
    ]


def _low(network: Network, drop: Floats, over: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return the nodes beyond the limit of the drop, the worst first."""
    order = over[np.argsort(-drop[over], kind="stable")][:MOST]
    return [{"node": node_name(network, i), "place [m]": network.nodes[i], "drop [V]": drop[i]} for i in order.tolist()]


def _densest(verdict: Verdict) -> list[dict[str, Any]]:
    """Return the wires of the densest currents."""
    network, density = verdict.network, np.abs(verdict.currents.current_density)
    return [
        {
            "wire": i,
            "from": node_name(network, int(network.segments[i, 0])),
            "to": node_name(network, int(network.segments[i, 1])),
            "layer": network.layers[network.layer[i]] if network.layers else "",
            "width [m]": network.width[i],
            "length [m]": network.lengths[i],
            "current [A]": abs(verdict.currents.current[i]),
            "current density [A/m2]": density[i],
            "tree": verdict.tree[i],
        }
        for i in np.argsort(-density, kind="stable")[:DENSEST].tolist()
    ]


def _histogram(times: Floats, until: float) -> dict[str, Any]:
    """Return edges [s] and numbers of trees whose first void opens between them."""
    numbers, edges = np.histogram(times, bins=BINS, range=(0.0, until))
    return {"edges [s]": edges, "trees": numbers}


def _range(temperature: Floats) -> list[float]:
    """Return the lowest and the highest temperature of the nodes with metal [K]."""
    return [float(np.nanmin(temperature)), float(np.nanmax(temperature))]


def _worst(values: Floats) -> int:
    """Return the index of the largest value; numbers that are none count as smallest."""
    return int(np.argmax(np.where(np.isnan(values), -np.inf, values)))


def constants(technology: Technology) -> list[dict[str, Any]]:
    """Return the constants of the metal at the temperature, each with unit, confidence, law and source."""
    material = technology.material
    return [
        plain(
            {
                "name": name,
                "value": getattr(material, name),
                "unit": VALIDITY[name].unit,
                "confidence": constant.confidence,
                "law": constant.law.description,
                "source": constant.source,
            }
        )
        for name, constant in material.constants.items()
    ]


def layers(technology: Technology) -> list[dict[str, Any]]:
    """Return the layers of a technology."""
    return [
        plain(
            {
                "name": layer.name,
                "thickness [m]": layer.thickness,
                "resistivity [Ohm m]": layer.resistivity,
                "width [m]": layer.width,
                "liner resistivity [Ohm m]": layer.liner and layer.liner.resistivity,
                "liner thickness [m]": layer.liner and layer.liner.thickness,
            }
        )
        for layer in technology.layers.values()
    ]


def node_name(network: Network, i: int) -> str:
    """Return the name of a node, its number if it has none."""
    return network.names[i] if network.names else str(i)


def plain(value: Any) -> Any:
    """Return a value as JSON takes it: without arrays, and None for numbers that are not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
