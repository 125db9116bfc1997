"""Reports of OpenROAD: voltages of cells and currents of wires as tables, and loads that make currents close."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emfem.errors import ParameterError, ResolutionWarning, floats, kind, number, require, shown
from emfem.gate import checked
from emfem.mesh.distribute import on_root
from emfem.mesh.graph import Floats, Network, sum_at_nodes
from emfem.mesh.paths import check_file, file_path

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import pandas as pd

MICROMETRE = 1e-6  # m; the unit of coordinates in reports
SAME = 1e-10  # m; the last of the 4 digits after the point of a micrometre
VOLTAGES = {
    **{"Instance": "instance", "Terminal": "terminal", "Layer": "layer"},
    **{"X location": "x [m]", "Y location": "y [m]", "Voltage": "voltage [V]"},
}
CURRENTS = {
    **{"Node0 Layer": "from layer", "Node0 X location": "from x [m]", "Node0 Y location": "from y [m]"},
    **{"Node1 Layer": "to layer", "Node1 X location": "to x [m]", "Node1 Y location": "to y [m]"},
    "Current": "current [A]",
}


@checked(collective=True, kinds=False)
def read_report(path: str | os.PathLike[str], *, comm: MPI.Comm = MPI.COMM_WORLD) -> pd.DataFrame:
    """Return a report of OpenROAD's analyze_power_grid as a table in SI. Collective; rank 0 reads.

    That of `-voltage_file` has instance, terminal, layer, x [m], y [m] and voltage [V]; that of `-em_outfile` has
    layer, x and y of both ends (from ..., to ...) and current [A], which is the size of it: OpenROAD does not write
    which way it flows.

    Args:
        path: the .csv file.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a file that is missing or no such table; with the line, for something that is no number.
    """
    file = file_path("path", path)
    return on_root(f"report in {file.name}", lambda: _table(file), comm)


def _table(path: Path) -> pd.DataFrame:
    """Return the table of a report."""
    import pandas as pd  # half a second that others can do without

    check_file("path", path)
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    header = [word.strip() for word in lines[0].split(",")]
    columns = next((known for known in (VOLTAGES, CURRENTS) if header == list(known)), None)
    message = f"{path.name}, line 1, must be the head of a report: {','.join(VOLTAGES)} or {','.join(CURRENTS)}"
    if columns is None:
        raise ParameterError(message)
    rows = [(i, line.split(",")) for i, line in enumerate(lines[1:], start=2) if line.strip()]
    for i, words in rows:
        require(len(words) == len(columns), f"{path.name}, line {i}, must have {len(columns)} values, has {len(words)}")
    table = pd.DataFrame([words for _, words in rows], columns=list(columns.values()), dtype=object)
    for name, column in table.items():
        if "[" not in str(name):
            table[name] = column.str.strip()
            continue
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
        for k in np.flatnonzero(~np.isfinite(values))[:1]:
            msg = f"{path.name}, line {rows[k][0]}: {column.iloc[k].strip()[:50]!r}, must be a finite number"
            raise ParameterError(msg)
        table[name] = values * (MICROMETRE if str(name).endswith("[m]") else 1.0)
    return table


def reported_currents(network: Network, report: Any, *, missing: float | None = None) -> Floats:
    """Return the size of the current of each segment in a report [A], shape (m,).

    Segments are found by the layer and the coordinates of their ends.

    Args:
        network: with the layers of the report.
        report: of `read_report`.
        missing: current of segments that the report lacks [A]; if left out it must have all of them.

    Raises:
        ParameterError: for another table, or one without a segment.
    """
    kind("network", network, Network, "a network")
    require(hasattr(report, "columns"), f"report = {shown(report)}, must be a table of em.mesh.read_report")
    own = list(report.columns)
    require(own == list(CURRENTS.values()), f"report with columns {shown(own)}, must be one of currents")
    numeric = all(column.dtype.kind == "f" for name, column in report.items() if "[" in str(name))
    require(numeric, "report with other kinds of columns, must be that of em.mesh.read_report")
    rows = report[report["from layer"] == report["to layer"]]
    ends = np.round(rows[[f"{end} {axis} [m]" for end in ("from", "to") for axis in "xy"]].to_numpy(float) / SAME)
    amperes = rows["current [A]"].to_numpy(float)
    table: dict[tuple[str, frozenset[tuple[float, ...]]], float] = {}
    for layer, (x, y, u, v), size in zip(rows["from layer"], ends.tolist(), amperes.tolist(), strict=True):
        key = layer, frozenset([(x, y), (u, v)])
        table[key] = table.get(key, 0.0) + size  # wires side by side
    points = list(map(tuple, np.round(network.nodes[:, :2] / SAME).tolist()))
    result = np.array(
        [
            table.get((network.layers[layer] if network.layers else "", frozenset([points[a], points[b]])), np.nan)
            for layer, (a, b) in zip(network.layer.tolist(), network.segments.tolist(), strict=True)
        ]
    )
    lacking = np.isnan(result)
    hint = ": check its unit and its layers" if lacking.all() else ""
    if lacking.any() and (missing is None or hint):
        wire = network.wire(int(np.flatnonzero(lacking)[0]))
        msg = f"report without {lacking.sum()} of {len(result)} segments, such as {wire}, must have all{hint}"
        raise ParameterError(msg)
    if missing is not None:
        result[lacking] = number("missing", missing, unit="A")
    return result


@checked
def close_currents(
    network: Network,
    current: ArrayLike,
    *,
    via_current: ArrayLike | None = None,
    rtol: float = 1e-3,
) -> Network:
    """Return the network with the loads that make currents obey Kirchhoff's law; a warning names the largest.

    The load of a node is what flows in through segments and vias and does not flow out. Where the currents close to
    `rtol` of what passes, as with rounded numbers, it is that of the network. Pads take any current.

    Args:
        network: of the wires.
        current: of each segment, along its direction [A], shape (m,).
        via_current: of each via, from its first to its second node [A], shape (v,); without it what passes a via is
            loads at its two ends.
        rtol: imbalance that is rounding, as a part of the current through the node [-].

    Raises:
        ParameterError: for currents of another shape or not finite, or a tolerance below 0.
    """
    number("rtol", rtol, at_least=0.0)
    nodes, m, v = len(network.nodes), len(network.segments), len(network.vias)
    flow = floats("current", current, (m,), f"{m} finite numbers, one a segment", finite=True)
    through = np.zeros(v)
    if via_current is not None:
        through = floats("via_current", via_current, (v,), f"{v} finite numbers, one a via", finite=True)
    flow, links = np.concatenate([flow, through]), np.concatenate([network.segments, network.vias])
    load = sum_at_nodes(nodes, links, flow)
    passing = np.bincount(links.ravel(), np.repeat(np.abs(flow), 2), nodes) / 2
    off = np.abs(load - network.loads) > rtol * np.maximum(passing, np.abs(network.loads))
    off[list(network.pads)] = False
    if not off.any():
        return network
    changed = np.where(off, load - network.loads, 0.0)
    worst = np.argsort(-np.abs(changed), kind="stable")[: min(5, int(off.sum()))]
    listed = ", ".join(f"{changed[i]:.4g} A at {network.node(int(i))}" for i in worst)
    warnings.warn(
        f"currents do not close at {off.sum()} of {nodes} nodes, which become loads: {listed}; they sum to "
        f"{changed.sum():.4g} A",
        ResolutionWarning,
        stacklevel=3,
    )
    return replace(network, loads=network.loads + changed)


def load_table(network: Network) -> pd.DataFrame:
    """Return the loads of a network as a table, the largest first: node, x [m], y [m] and load [A]."""
    import pandas as pd  # half a second that others can do without

    kind("network", network, Network, "a network")
    drawn = np.flatnonzero(network.loads)
    order = drawn[np.argsort(-np.abs(network.loads[drawn]), kind="stable")]
    columns: Mapping[str, object] = {
        "node": [network.names[i] if network.names else str(i) for i in order],
        "x [m]": network.nodes[order, 0],
        "y [m]": network.nodes[order, 1],
        "load [A]": network.loads[order],
    }
    return pd.DataFrame(columns)
