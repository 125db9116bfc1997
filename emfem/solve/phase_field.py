"""Preconditioner of a fourth-order equation in two unknowns: blocks, and two factors of the Schur complement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emfem import fields
from emfem.mesh import bounds
from emfem.model import PhaseField
from emfem.solve.options import inner_solver, option_scope
from emfem.solve.presets import Options
from emfem.solve.surface_modes import SurfaceModes

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
    "profile_ksp_type": "cg",  # Chebyshev's bound of the spectrum was too low on meshes that follow a surface
    "profile_ksp_max_it": 12,
    "profile_ksp_norm_type": "none",
    "profile_pc_type": "jacobi",
    "coarse_ksp_type": "preonly",
    "coarse_pc_type": "redundant",
    "coarse_redundant_ksp_type": "preonly",
    "coarse_redundant_pc_type": "lu",
    "coarse_redundant_pc_factor_mat_solver_type": "mumps",
    "mass_ksp_type": "cg",
    "mass_ksp_max_it": 4,
    "mass_ksp_norm_type": "none",
    "mass_pc_type": "jacobi",
}
# On several ranks products of matrices keep twice the memory of all coarse levels, to be computed once more.
PRODUCTS: Options = {"mat_product_clear": True}  # PETSc reads it without a prefix
STILL, TINY = 1e4, 1e-200  # q over w where nothing moves; least mobility to divide by
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
    complement is k (s M + K M_g^-1 (f'' + eps A)), K and A the stiffness with and without the mobility. In its place:

    - where f'' is not stated, k s (M + F)M^-1(M + F), F the stiffness with the tensor sqrt(D) and weight
      sqrt(eps M(c) / (g s)), which is of the same order in every wave: two V-cycles with one matrix;
    - where it is f'' = w in phases at rest, k N M_g^-1 L with N = s M_(g/q) + K, one V-cycle, and L = M_q + eps A, a
      few iterations, since q is no less than about w. The larger root q of q + eps s g / (M q) = w, or its real part's
      size sqrt(eps s g / M), makes the products agree in every wave. In a surface f'' is less than w: its motion,
      which nothing but its tension resists, is solved for before, by `SurfaceModes`.

    Options of V-cycles begin with `factor_`, of L with `profile_`, of mass matrices with `mass_`, of the motion of
    surfaces with `coarse_`; `coarse_pc_type` "none" leaves that out.
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
        mobility = recipe.mobility if recipe.weight is None else recipe.mobility / recipe.weight
        product = ufl.max_value(recipe.gradient_energy * mobility, 0.0)
        self._stiffness, self._modes = product * recipe.dx, None
        if recipe.well is None:
            forms: tuple[ufl.Form, ...] = equal_factors(recipe, product / self._shift)
        else:
            forms = unequal_factors(recipe, recipe.well, self._shift)
            self._modes = SurfaceModes(recipe, fixed)
        self._forms = [fem.form(form) for form in forms]
        self._size = fields.integral(fem.form(fem.Constant(space.mesh, 1.0) * recipe.dx), space.mesh.comm)
        self._matrices: list[PETSc.Mat] = []
        self._work: list[PETSc.Vec] = []
        self._factors, self._inverse = [PETSc.KSP(), PETSc.KSP()], PETSc.KSP()

    def assemble(self, shift: float) -> None:
        """Assemble the factors at the present state, in which the Jacobian is assembled too. Collective."""
        self._steady, self._shift.value = not shift, shift or self._slowest()
        if not self._matrices:
            self._matrices = [fem_petsc.create_matrix(form) for form in self._forms]
        for matrix, form in zip(self._matrices, self._forms, strict=True):
            matrix.zeroEntries()
            fem_petsc.assemble_matrix(matrix, form)
            matrix.assemble()
        for matrix in self._matrices[:-1]:
            rows = self._fixed + matrix.getOwnershipRange()[0]
            matrix.zeroRowsColumns(rows.astype(PETSc.IntType), diag=1.0)

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
        for old in (*self._factors, self._inverse):  # new ones: a run that goes on from a file has no old
            old.destroy()
        first = inner_solver(pc, "factor_", self._matrices[0])
        self._factors = [first, first if self._modes is None else inner_solver(pc, "profile_", self._matrices[1])]
        self._inverse = inner_solver(pc, "mass_", weighted)
        if not self._work:
            self._work = [weighted.createVecLeft() for _ in range(3)]
        with option_scope(PRODUCTS, prefix=""):
            first.setUp()
        self._inverse.setUp()
        if self._modes is not None:
            parts = [[nest.getNestSubMatrix(row, column) for column in self._places] for row in self._places]
            self._modes.set_up(pc, parts)

    def conserve(self, left: PETSc.Vec, x: PETSc.Vec, part: slice) -> None:
        """Add a constant to c, so that its integral is conserved to rounding whatever the tolerance. Collective.

        Args:
            left: the residual of the system.
            x: its solution.
            part: place of c in the values of this rank.
        """
        comm = x.comm.tompi4py()
        if not self._steady and not comm.allreduce(len(self._fixed)):  # else it changes through the fixed values
            mass = self._size * float(self._shift) * self._k
            x.array[part] += comm.allreduce(float(left.array_r[part].sum())) / mass

    @property
    def _k(self) -> float:
        """The factor of the equation of c."""
        return 1.0 if self._scale is None else float(self._scale)

    def apply(self, pc: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Solve for the motion of surfaces, then apply the block factorisation to what that leaves."""
        if self._modes is None or not self._modes.size:
            self._factorised(x, y)
            return
        moved, left = x.duplicate(), x.duplicate()
        with self._parts(x) as residuals, self._parts(moved) as values:
            self._modes.solve(*residuals, *values)
        pc.getOperators()[1].mult(moved, left)
        left.aypx(-1.0, x)
        self._factorised(left, y)
        y.axpy(1.0, moved)
        moved.destroy()
        left.destroy()

    @contextmanager
    def _parts(self, x: PETSc.Vec) -> Iterator[list[PETSc.Vec]]:
        """Lend the part of c and that of mu of a vector."""
        rows = [self._rows[place] for place in self._places]
        parts = [x.getSubVector(each) for each in rows]
        yield parts
        for each, part in zip(rows, parts, strict=True):
            x.restoreSubVector(each, part)

    def _factorised(self, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Apply the block factorisation."""
        with self._parts(x) as (r1, r2), self._parts(y) as (a, b):
            w, left, middle = self._work
            self._inverse.solve(r2, w)
            self._coupling.mult(w, left)
            left.aypx(-1.0, r1)
            left.array[self._fixed] = 0.0
            self._factors[0].solve(left, middle)
            self._matrices[-1].mult(middle, left)
            self._factors[1].solve(left, a)
            a.scale(1.0 / (self._k if self._modes else self._k * float(self._shift)))
            a.array[self._fixed] = r1.array_r[self._fixed]
            self._slope.mult(a, left)
            left.aypx(-1.0, r2)
            self._inverse.solve(left, b)


def equal_factors(recipe: PhaseField, ratio: Any) -> tuple[ufl.Form, ufl.Form]:
    """Return M + F, of the ratio eps M(c) / (g s), and the mass matrix that is between two of them."""
    u, v, slope = _trial(recipe)
    return (u * v + ufl.sqrt(ratio) * slope) * recipe.dx, u * v * recipe.dx


def unequal_factors(recipe: PhaseField, well: float, s: fem.Constant) -> tuple[ufl.Form, ufl.Form, ufl.Form]:
    """Return N, L and M_g; where nothing moves q is large, and L its mass alone."""
    u, v, slope = _trial(recipe)
    g, mobility = 1 if recipe.weight is None else recipe.weight, ufl.max_value(recipe.mobility, 0.0)
    balance = recipe.gradient_energy * s * g / ufl.max_value(mobility, TINY)
    real = (well + ufl.sqrt(ufl.max_value(well**2 - 4 * balance, 0.0))) / 2
    q = ufl.min_value(ufl.max_value(real, ufl.sqrt(balance)), STILL * well)
    first = s * g / q * u * v + mobility * slope
    second = q * u * v + recipe.gradient_energy * ufl.inner(ufl.grad(u), ufl.grad(v))
    return first * recipe.dx, second * recipe.dx, g * u * v * recipe.dx


def _trial(recipe: PhaseField) -> tuple[Any, Any, Any]:
    """Return trial u, test v and root(D) grad u . grad v."""
    space = recipe.evolving.function.function_space
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    return u, v, ufl.inner(ufl.dot(recipe.root, ufl.grad(u)), ufl.grad(v))
