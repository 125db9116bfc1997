"""Steady stress of trees without voids, at temperatures that may vary along them, with its gradients by adjoints.

With the force f = c j + t on the atoms, u their flow for each unit of area, and integrals along a segment,
C = int c dx, T = int t dx, R = int dx/M, and C', T', R' those times (L - x),

    sigma_b - sigma_a = R u - C j - T,        r = sum A u = 0 at nodes,
    v = sum (A/B) [L sigma_a - C' j - T' + R' u - L sigma_0] = 0 in each tree.

The stress of a node has the adjoint K p = e - m dv/dsigma, K of the conductances A/R, m = 1/sum (A L/B), and

    d sigma = -p . dr - m dv .
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emfem.mesh.graph import Floats, Numbers
from emfem.model.graphs import factorised, laplacian
from emfem.signoff.metal import Metal
from emfem.signoff.trees import Trees, steady_stress

import numpy as np


@dataclass(frozen=True, eq=False)
class SteadySlopes:
    """Derivatives of the steady stress at some nodes, each of shape (k, m), one a segment.

    Attributes:
        density: by the current density [Pa m2/A].
        width: by the logarithm of the width at a fixed current density [Pa].
        length: as well, of the length; temperatures stay at the same parts of it.
    """

    density: Floats
    width: Floats
    length: Floats


@dataclass(frozen=True, eq=False)
class SteadyState:
    """Trees at rest under currents.

    Attributes:
        metal: along the segments.
        trees: of its network.
    """

    metal: Metal
    trees: Trees

    @cached_property
    def _moments(self) -> tuple[Floats, ...]:
        return self.metal.moments()

    @cached_property
    def _capacity(self) -> Floats:
        """A/B of each segment."""
        return self.metal.network.cross_sections / self.metal.modulus

    def stress(self, density: Floats, initial: Floats) -> Floats:
        """Return the stress at each node for a current density and a stress at the start of each segment [Pa].

        NaN at nodes without metal.
        """
        charge, thermal, resistance = self._moments
        force, area = charge * density[:, None] + thermal, self.metal.network.cross_sections[:, None]
        per_area = resistance / area
        return steady_stress(
            self.trees, (force[:, 0], force[:, 1]), (per_area[:, 0], per_area[:, 1]), self._capacity, initial
        )

    def peak(self, density: Floats, initial: Floats, stress: Floats) -> Floats:
        """Return what no node of a tree can pass on the way: sigma <= sigma_s + max (sigma_0 - sigma_s), (trees,)."""
        bend: Floats | float = 0.0  # by how much the steady stress inside a segment may lie below that of its ends
        if not self.metal.temperature.uniform:
            charge, thermal, _ = self._moments
            bend = np.abs(charge[:, 0] * density + thermal[:, 0]) + np.abs(thermal[:, 0])
        above = np.full(self.trees.count, -np.inf)
        least = np.minimum(*stress[self.metal.network.segments].T) - bend
        np.maximum.at(above, self.trees.of_segment, initial - least)
        return self.trees.highest(np.where(self.trees.of_node >= 0, stress, -np.inf)) + np.maximum(above, 0.0)

    def slopes(self, density: Floats, initial: Floats, stress: Floats, nodes: Numbers) -> SteadySlopes:
        """Return the derivatives of the stress at some nodes, of `stress(density, initial)`."""
        (c, c1), (t, t1), (r, r1) = (each.T for each in self._moments)
        network, trees = self.metal.network, self.trees
        (a, b), lengths, area = network.segments.T, network.lengths, network.cross_sections
        tree, total = trees.of_node[nodes], trees.sums(self._capacity * lengths)
        ratio = r1 / r
        by_stress = np.bincount(a, self._capacity * (lengths - ratio), len(stress))
        by_stress += np.bincount(b, self._capacity * ratio, len(stress))
        right = np.where(trees.of_node[:, None] == tree, -by_stress[:, None] / total[tree], 0.0)
        right[nodes, range(len(nodes))] += 1.0
        p = self._solve(right)
        across = (p[b] - p[a]).T * area
        weight = np.where(trees.of_segment == tree[:, None], self._capacity / total[trees.of_segment], 0.0)

        flow = (stress[b] - stress[a] + c * density + t) / r
        beyond_start = lengths * (stress[a] - initial)
        longer = c * density / r - flow  # d flow/d log L
        return SteadySlopes(
            -across * (c / r) - weight * (ratio * c - c1),
            -across * flow - weight * (beyond_start - c1 * density - t1 + r1 * flow),
            -across * longer - weight * (beyond_start - 2 * c1 * density - t1 + r1 * (longer + 2 * flow)),
        )

    def _solve(self, right: Floats) -> Floats:
        """Return the solution of K p = right with 0 at the roots, shape (n, k)."""
        result = np.zeros_like(right)
        free, solve = self._factor
        if len(free):
            result[free] = solve(right[free])
        return result

    @cached_property
    def _factor(self) -> tuple[Numbers, Any]:
        """Nodes with metal that are no roots, and the solver for these."""
        network, among = self.metal.network, self.trees.of_node >= 0
        among[self.trees.roots] = False
        free = np.flatnonzero(among)
        conductance = network.cross_sections / self._moments[2][:, 0]
        matrix = laplacian(network.segments, conductance, len(among))[free][:, free]
        return free, factorised(matrix, False).solve if len(free) else None
