"""Networks of wires as branching meshes of lines, whose integrals are weighted with the cross-section.

Every physics then works on them as on any domain: volumes, amounts, currents and fluxes are those of the wires.
"""

from __future__ import annotations

from collections.abc import Mapping

from emfem.dimensions import METRE
from emfem.errors import ParameterError, choice, count, floats, number
from emfem.mesh.domain import Domain
from emfem.mesh.graded import graded_network
from emfem.mesh.graph import Network, Numbers
from emfem.mesh.lines import lines
from emfem.mesh.wires import build

import dolfinx
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import ArrayLike

MOST = 2**31 - 1  # cells that DOLFINx can number on a rank


def network(
    nodes: ArrayLike,
    segments: ArrayLike,
    *,
    width: ArrayLike,
    thickness: ArrayLike,
    cells: ArrayLike | None = None,
    size: float | None = None,
    names: Mapping[int, str] | None = None,
    vias: ArrayLike | None = None,
    loads: Mapping[int, float] | ArrayLike | None = None,
    pads: Mapping[int, float] | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Straight wires that meet at nodes: a branching mesh of lines in the plane or in space. Collective.

    `domain.network` holds the nodes and segments; `domain.weight` is the cross-section, so that every `dx` is a volume
    and every `ds` an area: at a junction the sum of the faces of all wires that end there. Wires that cross without a
    common node do not touch: they lie in different layers.

    Args:
        nodes: places [m], shape (n, 2) or (n, 3).
        segments: numbers of the nodes where each starts and ends, shape (m, 2); currents count positive that way.
        width: of each segment [m], a number or shape (m,).
        thickness: of each segment [m], a number or shape (m,).
        cells: number of equal cells of each segment, a number or shape (m,), or "graded": 9 cells, and more between
            short segments, which get smaller towards its ends, at a node to 1/26 of the shortest segment there. That is
            so if `size` is left out too. Stress at a node is then good to 1e-3 of the largest from a
            hundredth of the time constant L^2/(pi^2 kappa) of the shortest segment there on, where 8 equal cells leave
            2e-2.
        size: longest cell allowed [m], instead of `cells`.
        names: a word for each node that is to be a boundary; junctions may be one, and nodes may share one. Without
            names all ends of the metal are one boundary, called ends.
        vias: (node, node, resistance [Ohm]) each, shape (v, 3): current passes between the two nodes and atoms do not.
        loads: current drawn from nodes [A]: a mapping of nodes, or one a node, shape (n,).
        pads: nodes held at a voltage [V], by node.
        comm: the ranks that share it.

    Raises:
        ParameterError: for coordinates that are not finite, node numbers out of range, segments without length or
            twice between the same nodes, widths that are not positive, far beyond the network's extent or next to
            nothing of a segment's length, more cells than can be, nodes that hang on nothing, and metal in pieces that
            neither vias join nor pads hold.
    """
    found = build(
        nodes,
        segments,
        width=width,
        thickness=thickness,
        vias=vias,
        loads=loads,
        pads=pads,
        boundaries=names,
    )
    return meshed(found, "network", cells=cells, size=size, comm=comm)


def meshed(
    found: Network,
    shape: str,
    *,
    cells: ArrayLike | None = None,
    size: float | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """The domain of a network; `cells` and `size` as in `network`. Collective."""
    grading = graded_network(found) if _is_graded(cells, size) else None
    counts = _counts(found, cells, size) if grading is None else _bounded(grading.counts)
    mesh, segment = lines(found, counts, comm, grading)
    weight = fem.Function(fem.functionspace(mesh, ("DG", 0)), name="cross-section")
    weight.x.array[weight.function_space.dofmap.list[:, 0]] = found.cross_sections[segment]
    return Domain(
        mesh,
        shape,
        tuple(found.boundaries),
        _boundary_tags(mesh, found),
        found.layers,
        _layer_tags(mesh, found, segment) if found.layers else None,
        weight,
        found,
        segment,
        faces(mesh, found),
        weight_lengths=2,
        length_unit=METRE,
    )


def _is_graded(cells: ArrayLike | None, size: float | None) -> bool:
    """Whether cells get smaller towards the ends."""
    if isinstance(cells, str):
        return choice("cells", cells, ("graded",)) == "graded" and size is None
    return cells is None and size is None


def _bounded(counts: Numbers) -> Numbers:
    """Numbers of cells that can be.

    Raises:
        ParameterError: if they are too many.
    """
    if counts.sum() > MOST:
        msg = f"cells: {counts.sum():.3g} in all, must be at most {MOST:g}"
        raise ParameterError(msg)
    return counts


def _counts(found: Network, cells: ArrayLike | None, size: float | None) -> Numbers:
    """Number of cells of each segment.

    Raises:
        ParameterError: for both cells and size, or either out of bounds.
    """
    if size is not None:
        if cells is not None:
            msg = f"cells = {cells!r} and size = {size!r}, must be one or the other"
            raise ParameterError(msg)
        longest = number("size", size, above=0.0, unit="m")
        told = np.ceil(found.lengths / longest * (1 - 1e-12))
        if told.sum() > MOST:
            msg = f"size = {longest:g} m makes {told.sum():.3g} cells, must make at most {MOST:g}"
            raise ParameterError(msg)
        return told.astype(np.int64)
    if np.isscalar(cells):
        cells = count("cells", cells, at_least=1)
    told = found.per_segment("cells", floats("cells", cells))
    wrong = np.flatnonzero((told < 1) | (told != np.round(told)))
    if len(wrong):
        msg = f"cells = {told[wrong[0]]:g} of {found.wire(int(wrong[0]))}, must be a whole number of at least 1"
        raise ParameterError(msg)
    return _bounded(told.astype(np.int64))


def faces(mesh: dolfinx.mesh.Mesh, found: Network) -> fem.Function:
    """The sum of the cross-sections of the wires that end at each node, 0 inside the wires."""
    faces = fem.Function(fem.functionspace(mesh, ("Lagrange", 1)), name="faces")
    areas = np.bincount(found.segments.ravel(), np.repeat(found.cross_sections, 2), len(found.nodes))
    points = mesh.geometry.input_global_indices[mesh.geometry.dofmaps[0]]
    faces.x.array[faces.function_space.dofmap.list] = np.append(areas, 0.0)[np.minimum(points, len(areas))]
    return faces


def _layer_tags(mesh: dolfinx.mesh.Mesh, found: Network, segment: Numbers) -> dolfinx.mesh.MeshTags:
    """The layer of each cell's segment, from 1."""
    cells = np.arange(len(segment), dtype=np.int32)
    return dolfinx.mesh.meshtags(mesh, 1, cells, (found.layer[segment] + 1).astype(np.int32))


def _boundary_tags(mesh: dolfinx.mesh.Mesh, found: Network) -> dolfinx.mesh.MeshTags:
    """Tag i + 1 for the vertices at the nodes of the i-th boundary."""
    mesh.topology.create_connectivity(0, 1)
    tag = np.zeros(len(found.nodes) + 1, dtype=np.int32)  # the last is that of points inside segments
    for i, nodes in enumerate(found.boundaries.values(), start=1):
        tag[nodes] = i
    values = tag[np.minimum(mesh.geometry.input_global_indices, len(found.nodes))]
    at = np.flatnonzero(values).astype(np.int32)  # vertices are numbered as points
    return dolfinx.mesh.meshtags(mesh, 0, at, values[at])
