"""Preconditioner of elastic solids whose stress is an unknown, and of the atoms that move in it."""

from __future__ import annotations

from collections.abc import Sequence

from emfem.model import ElasticSaddle, Unknown
from emfem.solve.options import inner_solver
from emfem.solve.presets import Options

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc

MASSES: Options = {
    "mass_ksp_type": "cg",
    "mass_ksp_max_it": 4,
    "mass_ksp_norm_type": "none",
    "mass_pc_type": "jacobi",
}
DISPLACEMENT, STRESS = "displacement_", "stress_"  # beginnings of the options of both V-cycles


# Of the displacement's operator, which has hardly an energy for changes of volume: three sweeps, and strong links only.
CYCLES: Options = {
    "displacement_ksp_type": "preonly",
    "displacement_pc_type": "gamg",
    "displacement_pc_gamg_threshold": 0.03,
    "displacement_mg_levels_ksp_type": "chebyshev",
    "displacement_mg_levels_ksp_max_it": 3,
    "displacement_mg_levels_pc_type": "sor",
    "stress_ksp_type": "preonly",
    "stress_pc_type": "gamg",
    "stress_pc_gamg_threshold": 0.01,
    "stress_mg_levels_ksp_type": "richardson",
    "stress_mg_levels_ksp_max_it": 2,
    "stress_mg_levels_pc_type": "sor",
}
INSIDE: Options = {"pc_type": "python", **CYCLES, **MASSES}
KRYLOV: Options = {"ksp_type": "fgmres", "ksp_gmres_restart": 60, "ksp_max_it": 120}
STEADY, STEP = 1e-11, 1e-10  # relative residual of linear systems: residuals of unknowns may differ in size


class SaddleSolver:
    """Block triangular preconditioner, stress and atoms before the displacement, of type "python" in PETSc.

    Of J = [[A, B, ..], [C, -M/K, -M], [0, -L, s M]] for (u, p, theta) the displacement is eliminated about as a long
    wave would: p = -B_e theta, 1/B_e = 1/K + 3/(4 mu). With y = M^-1 r_p then p = S^-1 (s M y - r_theta), S = s M/B_e +
    L, theta = y - p/B_e, and u = A^-1 (r_u - B p - ..); where no atoms move p = -B_e M^-1 r_p. A^-1 and S^-1 are one
    V-cycle each, M^-1 a few iterations.

    Options of the V-cycles begin with `displacement_` and `stress_`, those of the mass matrices with `mass_`.
    """

    alone, stepping, inside = {**KRYLOV, "ksp_rtol": STEADY, **INSIDE}, {**KRYLOV, "ksp_rtol": STEP, **INSIDE}, INSIDE

    def __init__(self, recipe: ElasticSaddle, members: Sequence[Unknown], fixed: NDArray[np.int32]) -> None:
        """Take the structure, the unknowns of it that are solved for in their order, and fixed rows of theta."""
        self._fixed = fixed
        place = {id(unknown): i for i, unknown in enumerate(members)}
        self._displacement = place[id(recipe.displacement.unknowns[0])]
        self._stresses = [(place[id(each.unknown)], each) for each in recipe.stresses]
        self._atoms = None if recipe.atoms is None else place.get(id(recipe.atoms))
        self.evolving = self._atoms or 0
        self._solvers: list[PETSc.KSP] = []
        self._work: dict[int, PETSc.Vec] = {}

    def assemble(self, shift: float) -> None:
        """Assemble nothing: all is made of the blocks of the Jacobian."""

    def setUp(self, pc: PETSc.PC) -> None:  # PETSc's name
        """Set the solvers of the blocks up. PETSc calls it after each new Jacobian."""
        nest = pc.getOperators()[1]
        for old in self._solvers:
            old.destroy()
        self._solvers = []
        self._rows, d = nest.getNestISs()[0], self._displacement
        self._cycle = self._solver(pc, DISPLACEMENT, nest.getNestSubMatrix(d, d))
        parts = {i: nest.getNestSubMatrix(d, i) for i in range(len(self._rows)) if i != d}
        self._couplings = {i: part for i, part in parts.items() if part}
        self._masses = {}
        for i, _ in self._stresses:
            mass = nest.getNestSubMatrix(i, i).copy()
            mass.scale(-1.0)
            self._masses[i] = self._solver(pc, "mass_", mass)
        if self._atoms is not None:
            driving, first = self._stresses[0]
            self._storage = nest.getNestSubMatrix(self._atoms, self._atoms)
            stiffness = self._storage.copy()
            stiffness.scale(1.0 / first.modulus)
            flow = nest.getNestSubMatrix(self._atoms, driving)
            stiffness.axpy(-1.0, flow, PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
            self._stiffness = self._solver(pc, STRESS, stiffness)
        if not self._work:
            self._work = {i: nest.getNestSubMatrix(i, i).createVecLeft() for i in range(len(self._rows))}

    def _solver(self, pc: PETSc.PC, name: str, matrix: PETSc.Mat) -> PETSc.KSP:
        """Return an inner solver that is set up, and freed with the others."""
        ksp = inner_solver(pc, name, matrix)
        ksp.setUp()
        self._solvers.append(ksp)
        return ksp

    def apply(self, _: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Apply the preconditioner."""
        right = [x.getSubVector(rows) for rows in self._rows]
        answer = [y.getSubVector(rows) for rows in self._rows]
        for i, each in self._stresses:
            self._masses[i].solve(right[i], answer[i])
            if self._atoms is None or i != self._stresses[0][0]:
                answer[i].scale(-each.modulus / each.bulk)
        if self._atoms is not None:
            self._solve_atoms(right[self._atoms], answer)
        d = self._displacement
        left, work = right[d].copy(), self._work[d]
        for i, coupling in self._couplings.items():
            coupling.mult(answer[i], work)
            left.axpy(-1.0, work)
        self._cycle.solve(left, answer[d])
        left.destroy()
        for vector, parts in ((x, right), (y, answer)):
            for rows, part in zip(self._rows, parts, strict=True):
                vector.restoreSubVector(rows, part)

    def _solve_atoms(self, right: PETSc.Vec, answer: Sequence[PETSc.Vec]) -> None:
        """Solve for the stress and the volume of the atoms; the stress has -K y of its row at first."""
        assert self._atoms is not None
        (i, first), t = self._stresses[0], self._atoms
        p, theta, work = answer[i], answer[t], self._work[t]
        p.scale(-1.0 / first.bulk)
        p.copy(theta)
        self._storage.mult(theta, work)
        work.axpy(-1.0, right)
        self._stiffness.solve(work, p)
        theta.axpy(-1.0 / first.modulus, p)

    def conserve(self, left: PETSc.Vec, x: PETSc.Vec, part: slice) -> None:
        """Add a constant to theta, so that no atom is lost whatever the tolerance. Collective.

        Args:
            left: the residual of the system.
            x: its solution.
            part: place of theta in the values of this rank.
        """
        if self._atoms is None:
            return
        ones, work = self._work[self._atoms].duplicate(), self._work[self._atoms]
        ones.set(1.0)
        self._storage.mult(ones, work)
        free = np.delete(np.arange(part.stop - part.start), self._fixed)
        sums = [float(values[free].sum()) for values in (left.array_r[part], work.array_r)]
        missing, stored = x.comm.tompi4py().allreduce(np.array(sums))
        if stored:
            x.array[free + part.start] += missing / stored
        ones.destroy()
