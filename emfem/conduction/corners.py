"""Corners of a domain at which the exact current density is infinite, so that no mesh resolves it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations

from emfem.gate import checked
from emfem.mesh import Domain

import dolfinx
import numpy as np
from numpy.typing import NDArray

type Values = NDArray[np.float64]

NEAR = 4.0  # radius around the peak in which the boundary is examined, in diameters of a cell
SHARP = np.radians(60.0)  # a turn that no curve makes which its facets resolve: six of them a circle
LEAST = np.radians(10.0)  # a smaller turn may be a curve; the density would grow as h^-0.05


@checked
@dataclass(frozen=True)
class Corner:
    """A corner or edge at which |j| grows as `h^-exponent` when cells of size h become smaller.

    Attributes:
        place: a point of it, shape (dim,).
        angle: inside the domain [degrees].
        exponent: 1 - pi / angle; where an electrode ends 1 - pi / (2 angle).
        electrode: an electrode ends there.
    """

    place: NDArray[np.float64]
    angle: float
    exponent: float
    electrode: bool

    def __str__(self) -> str:
        """One line: its kind, its angle and the growth of |j|."""
        kind = "an electrode's edge" if self.electrode else "a sharp corner"
        grows = f"grows as h^-{self.exponent:.2f} unless smaller cells round it"
        return f"{kind} of {self.angle:.0f} degrees, where it {grows}"


@dataclass(frozen=True)
class _Facets:
    """Flat facets of the boundary: vertices, shape (n, v, dim), outward normals, a mask of those of electrodes."""

    vertices: Values
    normals: Values
    electrode: NDArray[np.bool_]


def corner_at(domain: Domain, place: Values, size: float, electrodes: Collection[str]) -> Corner | None:
    """Return the strongest corner that a cell of diameter `size` at `place` touches; None without any. Collective.

    Neighbours of a true corner are straighter than it is; on a curve all turn alike, however many facets it has.

    Args:
        domain: plane or solid; others have no corners.
        place: on every rank the same, shape (dim,).
        size: diameter of the cell there, on every rank the same.
        electrodes: boundaries with one potential.
    """
    if domain.dim not in (2, 3) or domain.shell:
        return None
    facets = _facets_near(domain, place, NEAR * size, electrodes)
    turns = _turns(facets, size)
    corners = []
    for (first, second), (angle, shared) in turns.items():
        if np.linalg.norm(shared - place, axis=1).min() > 1.001 * size:
            continue
        ends = bool(facets.electrode[first] != facets.electrode[second])
        turn = angle - np.pi
        beside = [abs(a - np.pi) for pair, (a, _) in turns.items() if len({first, second} & set(pair)) == 1]
        if not ends and (turn < LEAST or (turn < SHARP and max(beside, default=0.0) > turn / 2)):
            continue
        exponent = 1.0 - np.pi / (2 * angle if ends else angle)
        if exponent > 1.0 - np.pi / (np.pi + LEAST):
            nearest = shared[np.linalg.norm(shared - place, axis=1).argmin()]
            corners.append(Corner(nearest, float(np.degrees(angle)), float(exponent), ends))
    return max(corners, key=lambda corner: corner.exponent, default=None)


def _facets_near(domain: Domain, place: Values, reach: float, electrodes: Collection[str]) -> _Facets:
    """Return the facets of the boundary with a vertex within `reach`, from all ranks. Collective."""
    mesh, dim = domain.mesh, domain.dim
    mesh.topology.create_connectivity(dim - 1, dim)
    mesh.topology.create_connectivity(dim, dim - 1)
    mesh.topology.create_connectivity(dim - 1, 0)
    outer = dolfinx.mesh.exterior_facet_indices(mesh.topology)
    x = mesh.geometry.x[:, :dim]
    vertices = x[dolfinx.mesh.entities_to_geometry(mesh, dim - 1, outer)] if len(outer) else np.zeros((0, dim, dim))
    close = (np.linalg.norm(vertices - place, axis=2) <= reach).any(axis=1)
    outer, vertices = outer[close], vertices[close]
    cells = [int(mesh.topology.connectivity(dim - 1, dim).links(facet)[0]) for facet in outer]
    inside = x[mesh.geometry.dofmaps[0][cells]].mean(axis=1) if cells else np.zeros((0, dim))
    normals = _normals(vertices, inside)
    tags = [domain.facets.find(domain.tag(name)) for name in electrodes]
    on = np.isin(outer, np.concatenate(tags) if tags else [])
    parts = mesh.comm.allgather((vertices, normals, on))
    full = [part for part in parts if len(part[0])] or parts[:1]
    return _Facets(*(np.concatenate(arrays) for arrays in zip(*full, strict=True)))


def _normals(vertices: Values, inside: Values) -> Values:
    """Return unit normals of facets that point away from the places inside, shape (n, dim)."""
    along = vertices[:, 1] - vertices[:, 0]
    if vertices.shape[2] == 2:
        normals = np.stack([along[:, 1], -along[:, 0]], axis=1)
    else:
        normals = np.cross(along, vertices[:, 2] - vertices[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    outward = np.einsum("ij,ij->i", normals, vertices.mean(axis=1) - inside)
    return normals * np.sign(outward)[:, None]


def _turns(facets: _Facets, size: float) -> dict[tuple[int, int], tuple[float, Values]]:
    """Return for facets that share a corner or an edge the angle inside [rad] and the points shared, shape (n, dim)."""
    turns = {}
    share = facets.vertices.shape[2] - 1
    for i, j in combinations(range(len(facets.vertices)), 2):
        apart = np.linalg.norm(facets.vertices[i][:, None] - facets.vertices[j], axis=2)
        common = facets.vertices[i][(apart < 1e-6 * size).any(axis=1)]
        if len(common) != share:
            continue
        turn = float(np.arccos(np.clip(facets.normals[i] @ facets.normals[j], -1.0, 1.0)))
        beyond = (facets.vertices[j].mean(axis=0) - facets.vertices[i].mean(axis=0)) @ facets.normals[i]
        turns[i, j] = (np.pi + turn if beyond > 0 else np.pi - turn, common)
    return turns
