"""Regular power grids of any size."""

from __future__ import annotations

from emfem.errors import count, floats, number, require
from emfem.gate import checked
from emfem.mesh.domain import Domain
from emfem.mesh.extents import check_cells
from emfem.mesh.graph import Numbers
from emfem.mesh.network import mesh_network
from emfem.mesh.wires import build

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike


@checked(collective=True)
def grid_network(
    rows: int,
    columns: int,
    pitch: float,
    *,
    width: ArrayLike,
    thickness: ArrayLike,
    load: ArrayLike,
    supply: float = 1.0,
    via_resistance: float = 1.0,
    pad_every: int | None = None,
    cells: ArrayLike | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return a power grid: stripes along x in layer M1, along y in layer M2, a via at each crossing. Collective.

    Each stripe is one piece of metal, blocked at its vias. The loads draw from M1, the pads feed M2. Node
    `row * columns + column` is a crossing in M1, that plus `rows * columns` the one above it in M2; the layers are
    regions.

    Args:
        rows: number of stripes along x, at least 2.
        columns: number of stripes along y, at least 2.
        pitch: distance of the stripes [m].
        width: of the stripes, less than the pitch [m], a number or one for each layer.
        thickness: of the stripes [m], a number or one for each layer.
        load: current drawn at each crossing [A], a number or shape (rows, columns).
        supply: voltage of the pads [V].
        via_resistance: of each via, at least 0 [Ohm].
        pad_every: distance of the pads in crossings, both ways, the first at the corner; if left out, pads are at the
            four corners.
        cells: of each segment, as in `network`.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a number out of bounds, or loads of another shape.
    """
    rows, columns = count("rows", rows, at_least=2), count("columns", columns, at_least=2)
    check_cells(4 * rows * columns)  # of one rank: each has the whole network
    pitch = number("pitch", pitch, above=0.0, unit="m")
    sizes = {}
    for name, value in (("width", width), ("thickness", thickness)):
        sizes[name] = floats(name, value)
        if sizes[name].ndim:
            sizes[name] = floats(name, value, (2,), "a number or one for each of the two layers")
        sizes[name] = np.broadcast_to(sizes[name], (2,))
    widest = sizes["width"].max()
    message = f"width = {widest:g} m, must be less than the pitch of {pitch:g} m: stripes lie side by side"
    require(not widest >= pitch, message)
    supply = number("supply", supply, unit="V")
    resistance = number("via_resistance", via_resistance, at_least=0.0, unit="Ohm")
    loads = floats("load", load)
    good = loads.shape in ((), (rows, columns)) and np.isfinite(loads).all()
    message = f"load of shape {loads.shape}, must be a finite number or numbers of shape ({rows}, {columns})"
    require(good, message)
    below = np.arange(rows * columns).reshape(rows, columns)
    above = below + below.size
    y, x = np.divmod(below.ravel(), columns)
    along_x, along_y = _pairs(below[:, :-1], below[:, 1:]), _pairs(above[:-1], above[1:])
    layer = np.repeat([0, 1], [len(along_x), len(along_y)])
    every = (rows - 1, columns - 1) if pad_every is None else (count("pad_every", pad_every, at_least=1),) * 2
    network = build(
        np.tile(np.stack([x, y], axis=1) * pitch, (2, 1)),
        np.concatenate([along_x, along_y]),
        width=sizes["width"][layer],
        thickness=sizes["thickness"][layer],
        vias=np.stack([below.ravel(), above.ravel(), np.full(below.size, resistance)], axis=1),
        loads=np.concatenate([np.broadcast_to(loads, (rows, columns)).ravel(), np.zeros(below.size)]),
        pads=dict.fromkeys(above[:: every[0], :: every[1]].ravel().tolist(), supply),
        layers=("M1", "M2"),
        layer=layer,
    )
    return mesh_network(network, f"power grid {rows} x {columns}", cells=cells, comm=comm)


def _pairs(start: Numbers, end: Numbers) -> Numbers:
    return np.stack([start.ravel(), end.ravel()], axis=1)
