"""Coarse space of a preconditioner: the motions of thin surfaces, which a phase field hardly resists."""

from __future__ import annotations

from itertools import product

from emfem.mesh import bounds
from emfem.model import PhaseField
from emfem.solve.options import inner_solver

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc

__all__ = ["SurfaceModes"]

SPACING = 2.0  # edge of the boxes of hats over the width of a surface
FAINT = 0.005  # part of the largest hat from which one counts, by the slope that it covers


class SurfaceModes:
    """Galerkin correction by the motion of surfaces: hats phi_i of boxes some widths wide, near surfaces only.

    With g the slope of c in a surface at rest, c is changed by sum a_i phi_i g, which moves the surface, and mu by
    sum b_i phi_i, the same all across it. The equation of c is tested with phi_j, that of mu with phi_j g: this is
    surface diffusion of the sharp surface, rate of a = div(M grad b), b = -lap a, which has no other stiffness.

    Options of the coarse factorisation begin with `coarse_`.
    """

    def __init__(self, recipe: PhaseField, fixed: NDArray[np.int32]) -> None:
        """Compile the slope, and choose the boxes.

        Args:
            recipe: the structure of the equation, with `well`.
            fixed: rows of c with Dirichlet values, of this rank.
        """
        space = recipe.evolving.function.function_space
        width = float(ufl.sqrt(recipe.gradient_energy / recipe.well))
        self._slope, self.size = fem.Function(space), 0
        self._expression = fem.Expression(recipe.weight, space.element.interpolation_points)
        owned = space.dofmap.index_map.size_local
        places = space.tabulate_dof_coordinates()[:owned, : space.mesh.geometry.dim]
        self._places = (places - bounds(space.mesh)[0]) / (SPACING * width)
        self._fixed, self._comm = fixed, space.mesh.comm
        self._solver, self._parts = PETSc.KSP(), list[PETSc.Mat]()

    def set_up(self, pc: PETSc.PC, blocks: list[list[PETSc.Mat]]) -> None:
        """Make the coarse system of [[J_cc, J_cm], [J_mc, J_mm]], and factorise it. Collective."""
        self._slope.interpolate(self._expression)
        for old in (*self._parts, self._solver):
            old.destroy()
        rows, columns, weights, self.size = self._hats()
        if not self.size:
            return
        ends = np.searchsorted(rows, np.arange(len(self._places) + 1)).astype(PETSc.IntType)
        sparse = (ends, columns.astype(PETSc.IntType), weights)
        sizes = (blocks[0][0].getSizes()[0], (None, self.size))
        hats = PETSc.Mat().createAIJ(sizes, csr=sparse, comm=self._comm)
        moved, profile = hats.copy(), blocks[0][0].createVecLeft()
        profile.array[:] = self._slope.x.array[: len(self._places)]
        moved.diagonalScale(L=profile)
        trial, test = (moved, hats), (hats, moved)
        parts = [[test[i].transposeMatMult(blocks[i][j].matMult(trial[j])) for j in range(2)] for i in range(2)]
        matrix = PETSc.Mat().createNest(parts, comm=self._comm).convert("aij", PETSc.Mat())
        self._parts = [hats, moved]
        self._solver = inner_solver(pc, "coarse_", matrix)
        if self._solver.getPC().getType() == PETSc.PC.Type.NONE:
            self.size = 0
            return
        self._right, self._left = matrix.createVecs()
        self._half = [hats.createVecRight() for _ in range(2)]
        self._solver.setUp()

    def _hats(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int]:
        """Return rows, columns and values of hats on this rank, 1 in all at each node, and their number. Collective."""
        slope = self._slope.x.array[: len(self._places)]
        nodes = np.setdiff1d(np.arange(len(slope)), self._fixed)
        box = np.floor(self._places[nodes]).astype(np.int64)
        beyond = self._places[nodes] - box
        corners = np.array(list(product((0, 1), repeat=box.shape[1])))
        values = np.prod(np.where(corners[:, None], beyond, 1 - beyond), axis=2)  # (corners, nodes)
        keys = (box + corners[:, None]) @ (1 << 20) ** np.arange(box.shape[1])
        boxes = np.unique(np.concatenate(self._comm.allgather(np.unique(keys))))
        columns = np.searchsorted(boxes, keys)
        sizes = np.bincount(columns.ravel(), (values * slope[nodes]).ravel(), minlength=len(boxes))
        sizes = self._comm.allreduce(sizes)
        counted = sizes > FAINT * sizes.max(initial=0.0)
        values = np.where(counted[columns], values, 0.0)
        whole = values.sum(axis=0)
        values /= np.where(whole > 0, whole, 1.0)
        used = values > 0
        rows = np.broadcast_to(nodes, values.shape)
        order = np.lexsort((columns[used], rows[used]))
        numbers = np.cumsum(counted) - 1
        return rows[used][order], numbers[columns[used][order]], values[used][order], int(counted.sum())

    def solve(self, r1: PETSc.Vec, r2: PETSc.Vec, a: PETSc.Vec, b: PETSc.Vec) -> None:
        """Give c and mu, a and b, the motion that takes away the coarse part of the residuals r1 and r2. Collective."""
        hats, moved = self._parts
        first, second = self._half
        hats.multTranspose(r1, first)
        moved.multTranspose(r2, second)
        self._right.array[:] = np.concatenate([first.array_r, second.array_r])
        self._solver.solve(self._right, self._left)
        count = first.getLocalSize()
        first.array[:], second.array[:] = self._left.array_r[:count], self._left.array_r[count:]
        moved.mult(first, a)
        hats.mult(second, b)
