"""Preconditioner of a fourth-order equation in two unknowns: blocks, and two V-cycles for the Schur complement."""

from __future__ import annotations

from emfem import fields
from emfem.mesh import bounds
from emfem.model import PhaseField
from emfem.solve.options import inner_solver, option_scope
from emfem.solve.presets import Options

import dolfinx.fem.petsc as fem_petsc
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc

INSIDE: Options = {
    "pc_type": "python",
    "factor_ksp_type": "preonly",
    "factor_pc_type": "gamg",
    "factor_pc_gamg_threshold": 0.01,
    "factor_pc_gamg_aggressive_coarsening": 0,
    "factor_mg_levels_ksp_type": "chebyshev",
    "factor_mg_levels_ksp_max_it": 2,
    "factor_mg_levels_pc_type": "jacobi",
    "mass_ksp_type": "cg",
    "mass_ksp_max_it": 4,
    "mass_ksp_norm_type": "none",
    "mass_pc_type": "jacobi",
}
# On several ranks products of matrices keep twice the memory of all coarse levels, to be computed once more.
PRODUCTS: Options = {"mat_product_clear": True}  # PETSc reads it without a prefix
ALONE: Options = {
    "ksp_type": "fgmres",
    "ksp_rtol": 1e-7,
    "ksp_gmres_restart": 60,
    "ksp_max_it": 120,
    **INSIDE,
}


class PhaseFieldSolver:
    """Block factorisation of J = [[s k M + .., B], [C, M_g]], for PETSc's preconditioner of type "python".

    With w = M_g^-1 r2, a = S^-1 (r1 - B w) and b = M_g^-1 (r2 - C a) the answer to (r1, r2) is (a, b). The Schur
    complement S = k s (M + F)M^-1(M + F), F the stiffness with the tensor sqrt(D) and weight sqrt(eps M(c) / (g s)),
    is of the same order in every wave as the true one, k s M - B M_g^-1 C. Each factor is one V-cycle.

    Options of the factors begin with `factor_`, those of the mass matrices with `mass_`.
    """

    alone, stepping, inside = ALONE, ALONE, INSIDE

    def __init__(self, recipe: PhaseField, evolving: int, fixed: NDArray[np.int32]) -> None:
        """Compile the forms.

        Args:
            recipe: the structure of the equation.
            evolving: place of c in the block, 0 or 1.
            fixed: rows of c with Dirichlet values, of this rank.
        """
        space = recipe.evolving.function.function_space
        self.evolving, self._places, self._fixed = evolving, (evolving, 1 - evolving), fixed
        self._shift = fem.Constant(space.mesh, 1.0)
        self._scale, self._mesh, self._steady = recipe.factor, space.mesh, False
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        mobility = recipe.mobility if recipe.weight is None else recipe.mobility / recipe.weight
        weight = ufl.sqrt(ufl.max_value(recipe.gradient_energy * mobility, 0.0) / self._shift)
        self._form = fem.form(
            u * v * recipe.dx + weight * ufl.inner(ufl.dot(recipe.root, ufl.grad(u)), ufl.grad(v)) * recipe.dx
        )
        self._stiffness = ufl.max_value(recipe.gradient_energy * mobility, 0.0) * recipe.dx
        self._mass_form = None if recipe.weight is None else fem.form(u * v * recipe.dx)
        self._size = fields.integral(fem.form(fem.Constant(space.mesh, 1.0) * recipe.dx), space.mesh.comm)
        self._matrix: PETSc.Mat | None = None
        self._mass: PETSc.Mat | None = None
        self._work: list[PETSc.Vec] = []
        self._factor, self._inverse = PETSc.KSP(), PETSc.KSP()

    def assemble(self, shift: float) -> None:
        """Assemble the factor at the present state, in which the Jacobian is assembled too. Collective."""
        self._steady, self._shift.value = not shift, shift or self._slowest()
        if self._matrix is None:
            self._matrix = fem_petsc.create_matrix(self._form)
            if self._mass_form is not None:
                self._mass = fem_petsc.assemble_matrix(self._mass_form)
                self._mass.assemble()
        self._matrix.zeroEntries()
        fem_petsc.assemble_matrix(self._matrix, self._form)
        self._matrix.assemble()
        first = self._matrix.getOwnershipRange()[0]
        self._matrix.zeroRowsColumns((self._fixed + first).astype(PETSc.IntType), diag=1.0)

    def _slowest(self) -> float:
        """Return about the rate of the longest wave, in place of s in a steady system. Collective."""
        low, high = bounds(self._mesh)
        mean = fields.integral(fem.form(self._stiffness), self._mesh.comm) / self._size
        return mean * (np.pi / np.max(high - low)) ** 4

    def setUp(self, pc: PETSc.PC) -> None:  # PETSc's name
        """Set the solvers of the factors and of the mass matrix up. PETSc calls it after each new Jacobian."""
        nest = pc.getOperators()[1]
        i, j = self._places
        self._coupling, self._slope = nest.getNestSubMatrix(i, j), nest.getNestSubMatrix(j, i)
        weighted = nest.getNestSubMatrix(j, j)
        self._rows = nest.getNestISs()[0]
        for old in (self._factor, self._inverse):
            old.destroy()
        self._factor = inner_solver(pc, "factor_", self._matrix)  # new ones: a run that goes on from a file has no old
        self._inverse = inner_solver(pc, "mass_", weighted)
        if not self._work:
            self._work = [weighted.createVecLeft() for _ in range(3)]
        self._plain = weighted if self._mass is None else self._mass
        with option_scope(PRODUCTS, prefix=""):
            self._factor.setUp()
        self._inverse.setUp()

    def conserve(self, left: PETSc.Vec, x: PETSc.Vec, part: slice) -> None:
        """Add a constant to c, so that its integral is conserved to rounding whatever the tolerance. Collective.

        Args:
            left: the residual of the system.
            x: its solution.
            part: place of c in the values of this rank.
        """
        comm = x.comm.tompi4py()
        if not self._steady and not comm.allreduce(len(self._fixed)):  # else it changes through the fixed values
            x.array[part] += comm.allreduce(float(left.array_r[part].sum())) / (self._scale_of_mass() * self._size)

    def _scale_of_mass(self) -> float:
        """Return k s, the factor of the mass matrix in the equation of c."""
        return float(self._shift) * (1.0 if self._scale is None else float(self._scale))

    def apply(self, _: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Apply the block factorisation."""
        first, second = (self._rows[place] for place in self._places)
        r1, r2, a, b = x.getSubVector(first), x.getSubVector(second), y.getSubVector(first), y.getSubVector(second)
        w, left, middle = self._work
        self._inverse.solve(r2, w)
        self._coupling.mult(w, left)
        left.aypx(-1.0, r1)
        self._factor.solve(left, middle)
        self._plain.mult(middle, left)
        self._factor.solve(left, a)
        a.scale(1.0 / self._scale_of_mass())
        a.array[self._fixed] = r1.array_r[self._fixed]
        self._slope.mult(a, left)
        left.aypx(-1.0, r2)
        self._inverse.solve(left, b)
        for vector, rows, part in ((x, first, r1), (x, second, r2), (y, first, a), (y, second, b)):
            vector.restoreSubVector(rows, part)
