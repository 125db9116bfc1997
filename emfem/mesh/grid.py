"""Power grids of any size, to try things on."""

from __future__ import annotations

from dataclasses import replace

from emfem.errors import ParameterError, count, floats, number
from emfem.mesh.domain import Domain
from emfem.mesh.graph import Floats, Network, Numbers
from emfem.mesh.network import meshed
from emfem.mesh.wires import build

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike


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
    """A power grid of two layers: stripes along x in M1, stripes along y in M2, a via at each crossing. Collective.

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
        pad_every: a pad on every so many crossings each way, the first at the corner; the four corners if left out.
        cells: of each segment, as in `network`.
        comm: the ranks that share it.

    Raises:
        ParameterError: for a number out of bounds, or loads of another shape.
    """
    rows, columns = count("rows", rows, at_least=2), count("columns", columns, at_least=2)
    pitch = number("pitch", pitch, above=0.0, unit="m")
    wide = _per_layer("width", width)
    if (wide >= pitch).any():
        msg = f"width = {wide.max():g} m, must be less than the pitch of {pitch:g} m: stripes lie side by side"
        raise ParameterError(msg)
    supply = number("supply", supply, unit="V")
    resistance = number("via_resistance", via_resistance, at_least=0.0, unit="Ohm")
    drawn = floats("load", load)
    if drawn.shape not in ((), (rows, columns)) or not np.isfinite(drawn).all():
        msg = f"load of shape {drawn.shape}, must be a finite number or numbers of shape ({rows}, {columns})"
        raise ParameterError(msg)
    below = np.arange(rows * columns).reshape(rows, columns)
    above = below + below.size
    y, x = np.divmod(below.ravel(), columns)
    places = np.tile(np.stack([x, y], axis=1) * pitch, (2, 1))
    along_x, along_y = _pairs(below[:, :-1], below[:, 1:]), _pairs(above[:-1], above[1:])
    layer = np.repeat([0, 1], [len(along_x), len(along_y)])
    vias = np.stack([below.ravel(), above.ravel(), np.full(below.size, resistance)], axis=1)
    found = build(
        places,
        np.concatenate([along_x, along_y]),
        width=wide[layer],
        thickness=_per_layer("thickness", thickness)[layer],
        vias=vias,
        loads=np.concatenate([np.broadcast_to(drawn, (rows, columns)).ravel(), np.zeros(below.size)]),
        pads=dict.fromkeys(_pads(above, pad_every), supply),
    )
    return meshed(layered(found, ("M1", "M2"), layer), f"power grid {rows} x {columns}", cells=cells, comm=comm)


def layered(found: Network, names: tuple[str, ...], layer: Numbers) -> Network:
    """The network with the layer of each of its segments."""
    return replace(found, layers=names, layer=layer)


def _pairs(start: Numbers, end: Numbers) -> Numbers:
    return np.stack([start.ravel(), end.ravel()], axis=1)


def _pads(above: Numbers, every: int | None) -> list[int]:
    """Nodes of the pads."""
    if every is None:
        return above[:: len(above) - 1, :: above.shape[1] - 1].ravel().tolist()
    step = count("pad_every", every, at_least=1)
    return above[::step, ::step].ravel().tolist()


def _per_layer(name: str, value: ArrayLike) -> Floats:
    """One number for each of the two layers."""
    found = floats(name, value)
    if found.shape not in ((), (2,)):
        msg = f"{name} of shape {found.shape}, must be a number or one for each of the two layers"
        raise ParameterError(msg)
    return np.broadcast_to(found, (2,))
