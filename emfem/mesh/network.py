"""Networks of wires as branching meshes of lines, whose integrals are weighted with the cross-section.

Every physics then works on them as on any domain: volumes, amounts, currents and fluxes are those of the wires.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from emfem.dimensions import METRE
from emfem.errors import PACKAGE, ResolutionWarning, choice, count, floats, kind, number, require, require_all
from emfem.gate import checked
from emfem.mesh.domain import Domain
from emfem.mesh.graph import Floats, Network
from emfem.mesh.lines import graded_network, lines
from emfem.mesh.measures import cell_function
from emfem.mesh.wires import build, posts

import dolfinx
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import ArrayLike

MOST = 50_000_000  # cells, which one rank makes: 10 GB of memory


@checked(collective=True, kinds=False)
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
    """Return straight wires that meet at nodes: a branching mesh of lines in the plane or in space. Collective.

    `domain.network` has the nodes and segments; `domain.weight` is the cross-section, so that every `dx` is a volume
    and every `ds` an area: at a junction the sum of the faces of all wires that end there. Wires that cross without a
    common node do not touch: they lie in different layers.

    Args:
        nodes: coordinates [m], shape (n, 2) or (n, 3).
        segments: numbers of the nodes where each starts and ends, shape (m, 2); currents count positive that way.
        width: of each segment [m], a number or shape (m,).
        thickness: of each segment [m], a number or shape (m,).
        cells: number of equal cells of each segment, a number or shape (m,), or "graded": 9 cells, and more between
            short segments, finer towards its ends, down to 1/26 of the shortest segment at the node; the default if
            `size` is left out too. The error of the stress at a node is then 1e-3 of the largest stress from a
            hundredth of the time constant L^2/(pi^2 kappa) of the shortest segment there on; with 8 equal cells it is
            2e-2.
        size: longest cell allowed [m], instead of `cells`.
        names: the boundary of each node that is on one; junctions may be, and nodes may share one. Without names all
            ends of the metal are one boundary, called ends.
        vias: (node, node, resistance [Ohm]) each, shape (v, 3): current passes between the two nodes and atoms do not.
        loads: current drawn from nodes [A]: a mapping of nodes, or one a node, shape (n,).
        pads: nodes at a fixed voltage [V], by node.
        comm: the ranks that share it.

    Raises:
        ParameterError: for coordinates that are not finite, node numbers out of range, segments without length or
            twice between the same nodes, widths that are not positive, far beyond the network's extent or far below
            a segment's length, too many cells, nodes without a segment or a via, and pieces of metal that neither vias
            nor pads connect.

    Warns:
        ResolutionWarning: of segments that stand upright between wires of two layers: most vias have a barrier.
    """
    kind("comm", comm, MPI.Comm, "an MPI communicator")
    checked = build(
        nodes, segments, width=width, thickness=thickness, vias=vias, loads=loads, pads=pads, boundaries=names
    )
    upright = posts(checked)
    if len(upright) and comm.rank == 0:
        more = f", and so do {len(upright) - 1} more" if len(upright) > 1 else ""
        msg = (
            f"{checked.wire(int(upright[0]))} stands between wires of two layers and makes one piece of metal of them"
            f"{more}: atoms pass it; where a barrier stops them it is no segment but one of vias, (node, node, Ohm)"
        )
        warnings.warn(msg, ResolutionWarning, skip_file_prefixes=PACKAGE)
    return mesh_network(checked, "network", cells=cells, size=size, comm=comm)


def mesh_network(
    network: Network,
    shape: str,
    *,
    cells: ArrayLike | None = None,
    size: float | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> Domain:
    """Return the domain of a network; `cells` and `size` as in `network`. Collective."""
    graded = choice("cells", cells, ("graded",)) if isinstance(cells, str) else cells is None
    grading = graded_network(network) if graded and size is None else None
    counts = _counts(network, cells, size) if grading is None else grading.counts
    require(counts.sum() <= MOST, f"cells: {counts.sum():.3g} in all, must be at most {MOST:g}")
    mesh, segment = lines(network, counts.astype(np.int64), comm, grading)
    layers = dolfinx.mesh.meshtags(
        mesh, 1, np.arange(len(segment), dtype=np.int32), (network.layer[segment] + 1).astype(np.int32)
    )
    return Domain(
        mesh,
        shape,
        tuple(network.boundaries),
        _boundary_tags(mesh, network),
        network.layers,
        layers if network.layers else None,
        cell_function(mesh, "cross-section", network.cross_sections[segment]),
        network,
        segment,
        faces(mesh, network),
        weight_lengths=2,
        length_unit=METRE,
    )


def _counts(network: Network, cells: ArrayLike | None, size: float | None) -> Floats:
    """Return the number of cells of each segment, shape (m,).

    Raises:
        ParameterError: for both cells and size, or one of them out of bounds.
    """
    if size is not None:
        require(cells is None, f"cells = {cells!r} and size = {size!r}, must be one or the other")
        longest = number("size", size, above=0.0, unit="m")
        counts = np.ceil(network.lengths / longest * (1 - 1e-12))
        require(
            counts.sum() <= MOST, f"size = {longest:g} m makes {counts.sum():.3g} cells, must make at most {MOST:g}"
        )
        return counts
    if np.isscalar(cells):
        cells = count("cells", cells, at_least=1)
    counts = network.per_segment("cells", floats("cells", cells))
    require_all(
        (counts >= 1) & (counts == np.round(counts)),
        lambda i: f"cells = {counts[i]:g} of {network.wire(i)}, must be a whole number of at least 1",
    )
    return counts


def faces(mesh: dolfinx.mesh.Mesh, network: Network) -> fem.Function:
    """Return the sum of the cross-sections of the wires that end at each node, 0 inside the wires [m2]."""
    faces = fem.Function(fem.functionspace(mesh, ("Lagrange", 1)), name="faces")
    areas = np.bincount(network.segments.ravel(), np.repeat(network.cross_sections, 2), len(network.nodes))
    points = mesh.geometry.input_global_indices[mesh.geometry.dofmaps[0]]
    faces.x.array[faces.function_space.dofmap.list] = np.append(areas, 0.0)[np.minimum(points, len(areas))]
    return faces


def _boundary_tags(mesh: dolfinx.mesh.Mesh, network: Network) -> dolfinx.mesh.MeshTags:
    """Return tag i + 1 for the vertices at the nodes of the i-th boundary."""
    mesh.topology.create_connectivity(0, 1)
    tag = np.zeros(len(network.nodes) + 1, dtype=np.int32)  # the last is that of points inside segments
    for i, nodes in enumerate(network.boundaries.values(), start=1):
        tag[nodes] = i
    values = tag[np.minimum(mesh.geometry.input_global_indices, len(network.nodes))]
    vertices = np.flatnonzero(values).astype(np.int32)  # vertices are numbered as points
    return dolfinx.mesh.meshtags(mesh, 0, vertices, values[vertices])
