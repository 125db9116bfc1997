"""Quadratic elements on a set of trees, assembled for all of them at once: M s' = b - K s, block by block.

M_ij = int A/B phi_i phi_j dx,   K_ij = int A M phi_i' phi_j' dx,   b_i = -int A M f phi_i' dx

with M on the right the mobility. The unknowns are numbered so that the elimination goes from the ends of a tree to its
root: without loops there is no fill, and a chain has a matrix of five diagonals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from emfem.mesh.graph import Floats, Numbers
from emfem.mesh.lines import FINEST, Grading
from emfem.signoff.metal import RESOLVED, Metal
from emfem.signoff.trees import Trees

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded, eigh
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.sparse.linalg import splu

GROWTH = 0.25  # of the size of cells over the distance from a node: the stress at the ends is right to 1e-5
BANDED = 6  # diagonals beside the main one of a matrix that stays in its order
WIDEST = 40  # of a banded factorisation; beyond, a sparse one is smaller, though it reserves ten times what it needs
POINTS, WEIGHTS = (np.polynomial.legendre.leggauss(3)[i] / 2 + (0.5 if i == 0 else 0.0) for i in (0, 1))
SHAPES = np.stack([(1 - POINTS) * (1 - 2 * POINTS), 4 * POINTS * (1 - POINTS), POINTS * (2 * POINTS - 1)])
SLOPES = np.stack([4 * POINTS - 3, 4 - 8 * POINTS, 4 * POINTS - 1])


@dataclass(frozen=True, eq=False)
class Forest:
    """Quadratic elements on some trees.

    Attributes:
        which: numbers of the trees, in increasing order, shape (t,).
        first: first unknown of each tree and the end of the last, shape (t + 1,).
        nodes: nodes of the network in these trees, in the order of their unknowns, shape (k,).
        unknowns: of these nodes, shape (k,).
        cells: the unknowns of each cell, left, middle and right, shape (c, 3).
        segment: of each cell, shape (c,).
        left: place of its left end along its segment, from 0 to 1, shape (c,).
        right: of its right end; left of the left one where the cell is turned round.
        mass: of each pair of unknowns of a cell, shape (c, 3, 3).
        stiffness: as well.
        per_current: b for a current density of 1 A/m2 along the segments, shape (c, 3).
        thermal: b without current, shape (c, 3).
    """

    which: Numbers
    first: Numbers
    nodes: Numbers
    unknowns: Numbers
    cells: Numbers
    segment: Numbers
    left: Floats
    right: Floats
    mass: Floats
    stiffness: Floats
    per_current: Floats
    thermal: Floats

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return int(self.first[-1])

    @cached_property
    def tree_of(self) -> Numbers:
        """Index of the tree of each unknown."""
        return np.repeat(np.arange(len(self.which)), np.diff(self.first))

    @cached_property
    def matrices(self) -> tuple[csr_array, csr_array]:
        """M and K with the same places of their entries."""
        rows, columns = np.repeat(self.cells, 3, axis=1).ravel(), np.tile(self.cells, (1, 3)).ravel()
        shape = (self.size, self.size)
        both = csr_array(((self.mass + 1j * self.stiffness).ravel(), (rows, columns)), shape=shape)
        both.sum_duplicates()
        mass, stiffness = (
            csr_array((part.copy(), both.indices, both.indptr), shape=shape)
            for part in (both.data.real, both.data.imag)
        )
        return mass, stiffness

    @cached_property
    def band(self) -> Numbers | None:
        """Place of each unknown in an order that makes the band of the matrices narrow; None if they have theirs."""
        mass = self.matrices[0]
        rows = np.repeat(np.arange(self.size), np.diff(mass.indptr))
        if np.max(rows - mass.indices, initial=0) <= BANDED:
            return None
        return np.argsort(reverse_cuthill_mckee(mass, symmetric_mode=True))

    @cached_property
    def _modes(self) -> dict[tuple[int, ...], tuple[Floats, Floats]]:
        return {}

    def modes(self, fixed: tuple[int, ...]) -> tuple[Floats, Floats]:
        """Return rates and M-orthonormal modes, K q = lambda M q, 0 at the fixed unknowns, shape (k,) and (k, size)."""
        if fixed not in self._modes:
            self._modes.clear()  # those with other voids are of no use any more
            mass, stiffness = (matrix.toarray() for matrix in self.matrices)
            free = np.setdiff1d(np.arange(self.size), fixed)
            rates, vectors = eigh(stiffness[np.ix_(free, free)], mass[np.ix_(free, free)], check_finite=False)
            modes = np.zeros((len(free), self.size))
            modes[:, free] = vectors.T
            self._modes[fixed] = np.maximum(rates, 0.0), modes
        return self._modes[fixed]

    def load(self, density: Floats) -> Floats:
        """Return b of the current densities of all segments, shape (size,)."""
        values = self.per_current * density[self.segment][:, None] + self.thermal
        return np.bincount(self.cells.ravel(), values.ravel(), self.size)

    def turning(self, slope: Floats) -> Floats:
        """Return b' of the slopes of the current densities of all segments [A/m2/s], shape (size,)."""
        values = self.per_current * slope[self.segment][:, None]
        return np.bincount(self.cells.ravel(), values.ravel(), self.size)

    def project(self, values: Floats) -> Floats:
        """Return the state nearest to one value for each segment, in the norm of M, so that no atom is lost."""
        weights = self.mass.sum(axis=2) * values[self.segment][:, None]
        return Shifted(self, 0.0).solve(np.bincount(self.cells.ravel(), weights.ravel(), self.size))

    def taken(self, other: Forest, state: Floats) -> Floats:
        """Return the state nearest to that of other cells of these trees, in the norm of M, so that no atom is lost."""
        place = self.left[:, None] + (self.right - self.left)[:, None] * POINTS
        values = other.values(state, np.repeat(self.segment, len(POINTS)), place.ravel()).reshape(place.shape)
        weights = self.mass.sum(axis=(1, 2))[:, None] * ((values * WEIGHTS) @ SHAPES.T)
        return Shifted(self, 0.0).solve(np.bincount(self.cells.ravel(), weights.ravel(), self.size))

    def sums(self, values: Floats) -> Floats:
        """Return the sum over the unknowns of each tree of each row, shape (..., t)."""
        if len(self.which) == 1:
            return values.sum(axis=-1, keepdims=True)
        return np.add.reduceat(values, self.first[:-1], axis=-1)

    def only(self, i: int, low: int, high: int) -> Forest:
        """Return one of the trees, with its nodes from `low` to `high` of the list, and without its cells."""
        cells = ("cells", "segment", "left", "right", "mass", "stiffness", "per_current", "thermal")
        without: Any = dict.fromkeys(cells, np.zeros(0, dtype=np.int64))
        return replace(
            self,
            which=self.which[i : i + 1],
            first=self.first[i : i + 2] - self.first[i],
            nodes=self.nodes[low:high],
            unknowns=self.unknowns[low:high] - self.first[i],
            **without,
        )

    def values(self, state: Floats, segment: Numbers, place: Floats) -> Floats:
        """Return the values of a state at places along segments of these trees."""
        low = np.minimum(self.left, self.right)
        order = np.lexsort((low, self.segment))
        key = self.segment[order] + low[order]  # a place is below 1, but that of a segment's end
        nearest = np.searchsorted(key, segment + np.minimum(place, 1 - 1e-9), side="right") - 1
        cell = order[nearest]
        x = (place - self.left[cell]) / (self.right[cell] - self.left[cell])
        shapes = np.stack([(1 - x) * (1 - 2 * x), 4 * x * (1 - x), x * (2 * x - 1)], axis=1)
        return (shapes * state[self.cells[cell]]).sum(axis=1)

    def places(self) -> tuple[Numbers, Floats]:
        """Return segment and place of each unknown."""
        segment, place = np.empty(self.size, dtype=np.int64), np.empty(self.size)
        along = np.stack([self.left, (self.left + self.right) / 2, self.right], axis=1)
        segment[self.cells], place[self.cells] = self.segment[:, None], along
        return segment, place


class Shifted:
    """A factorisation of M + gamma K, gamma one a tree, with the unknowns of open nodes left out."""

    def __init__(self, forest: Forest, gamma: Floats | float, fixed: Numbers | None = None) -> None:
        """Factorise."""
        self.fixed = fixed
        mass, stiffness = forest.matrices
        shifts = np.broadcast_to(gamma, (len(forest.which),))
        rows = np.repeat(np.arange(forest.size), np.diff(mass.indptr))
        data = mass.data + shifts[forest.tree_of[rows]] * stiffness.data
        if fixed is not None and len(fixed):
            out = np.zeros(forest.size, dtype=bool)
            out[fixed] = True
            scale = np.abs(data).max()
            data = np.where(out[rows] | out[mass.indices], np.where(rows == mass.indices, scale, 0.0), data)
        places = forest.band
        i, j = (rows, mass.indices) if places is None else (places[rows], places[mass.indices])
        below = i - j
        width = int(below.max(initial=0))
        if width <= WIDEST:
            bands, lower = np.zeros((width + 1, forest.size)), below >= 0
            bands[below[lower], j[lower]] = data[lower]
            factor = cholesky_banded(bands, lower=True, overwrite_ab=True, check_finite=False)
            self._solve = partial(_solve_banded, factor, places)
        else:
            matrix = csc_array((data, mass.indices, mass.indptr), shape=mass.shape)
            self._solve = splu(
                matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
            ).solve

    def solve(self, right: Floats) -> Floats:
        """Return the solution, 0 at the fixed unknowns."""
        if self.fixed is not None and len(self.fixed):
            right = right.copy()
            right[self.fixed] = 0.0
        return self._solve(right)


def _solve_banded(factor: Floats, places: Numbers | None, right: Floats) -> Floats:
    """Return the solution with a banded factor of the equations in another order."""
    if places is None:
        return cho_solve_banded((factor, True), right, check_finite=False)
    moved = np.empty_like(right)
    moved[places] = right
    return cho_solve_banded((factor, True), moved, overwrite_b=True, check_finite=False)[places]


def forest(
    trees: Trees, which: Numbers, metal: Metal, sizes: Floats, members: tuple[Numbers, Numbers] | None = None
) -> Forest:
    """Return the elements on some trees.

    Args:
        trees: of the network.
        which: their numbers, in increasing order.
        metal: along the segments.
        sizes: of the cells at each node of the network [m], shape (n,); they grow with the distance from it.
        members: nodes and segments of these trees, if they are known already.
    """
    network = trees.network
    nodes, segments = trees.members(which) if members is None else members
    near = trees.child[segments]  # each segment is numbered after the node it is eliminated with
    far = network.segments[segments].sum(axis=1) - near
    turned = near != network.segments[segments, 0]
    size = np.minimum(sizes, RESOLVED * (metal.temperature.healing_length or np.inf))
    grading = Grading(network.lengths[segments], size[near], size[far], GROWTH)
    counts = grading.counts
    # Nodes and insides of segments in the order of elimination: by tree, from the ends to the root.
    kinds = np.concatenate([np.zeros(len(nodes), int), np.ones(len(segments), int)])
    blocks = np.concatenate([np.ones(len(nodes), int), 2 * counts - 1])
    owner = np.concatenate([nodes, near])
    order = np.lexsort((kinds, -trees.rank[owner], trees.of_node[owner]))
    starts = np.empty(len(order), dtype=np.int64)
    starts[order] = np.cumsum(blocks[order]) - blocks[order]
    at_node = np.zeros(len(network.nodes), dtype=np.int64)
    at_node[nodes] = starts[: len(nodes)]
    inside = starts[len(nodes) :]

    cell = np.repeat(np.arange(len(segments)), counts)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    last = step == counts[cell] - 1
    cells = np.stack(
        [
            np.where(step == 0, at_node[near[cell]], inside[cell] + 2 * step - 1),
            inside[cell] + 2 * step,
            np.where(last, at_node[far[cell]], inside[cell] + 2 * step + 1),
        ],
        axis=1,
    )
    left = np.where(step == 0, 0.0, grading.fractions(cell, step))
    right = np.where(last, 1.0, grading.fractions(cell, step + 1))
    left, right = (np.where(turned[cell], 1 - each, each) for each in (left, right))
    along = np.sort(nodes_order := at_node[nodes])
    per_tree = np.bincount(trees.of_node[owner], blocks, trees.count)[which].astype(np.int64)
    return Forest(
        which,
        np.concatenate([[0], np.cumsum(per_tree)]),
        nodes[np.argsort(nodes_order)],
        along,
        cells,
        segments[cell],
        left,
        right,
        *_integrals(metal, segments[cell], left, right),
    )


def graded_sizes(trees: Trees) -> Floats:
    """Return the size of cells at each node that resolves voids there: that of `em.mesh.network` [m], shape (n,)."""
    network = trees.network
    shortest = np.full(len(network.nodes), np.inf)
    np.minimum.at(shortest, network.segments.ravel(), np.repeat(network.lengths, 2))
    return FINEST * shortest


def _integrals(metal: Metal, segment: Numbers, left: Floats, right: Floats) -> tuple[Floats, ...]:
    """Return mass, stiffness and the two parts of b of each cell."""
    network = metal.network
    length = network.lengths[segment] * np.abs(right - left)
    area = network.cross_sections[segment]
    place = left[:, None] + (right - left)[:, None] * POINTS
    column = np.broadcast_to(segment[:, None], place.shape)
    mobility = metal.mobility(column, place) * area[:, None]
    charge, thermal = (each * np.sign(right - left)[:, None] for each in metal.drive(column, place))
    mass = (area * length / metal.modulus[segment])[:, None, None] * np.einsum("iq,jq,q->ij", SHAPES, SHAPES, WEIGHTS)
    stiffness = np.einsum("cq,iq,jq,q->cij", mobility / length[:, None], SLOPES, SLOPES, WEIGHTS, optimize=True)
    loads = (-np.einsum("cq,iq,q->ci", mobility * each, SLOPES, WEIGHTS, optimize=True) for each in (charge, thermal))
    return mass, stiffness, *loads
