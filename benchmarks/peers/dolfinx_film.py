"""DOLFINx alone, after its Cahn-Hilliard demo: mixed P1 on triangles, midpoint rule, fixed step, Newton, MUMPS.

Only the mesh is emfem's: DOLFINx makes none that are periodic.
"""

from __future__ import annotations

import math

import emfem as em
from benchmarks.peers.problem import (
    ENTHALPY,
    ENTROPY,
    EXPANSION,
    GRADIENT,
    SIDE,
    Array,
    Case,
    sample_grid,
    start,
)

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import NonlinearProblem

OPTIONS = {
    "snes_type": "newtonls",
    "snes_linesearch_type": "none",
    "snes_rtol": 1e-3,
    "snes_stol": 0.0,
    "snes_error_if_not_converged": True,
    "ksp_type": "preonly",
    "pc_type": "lu",
    "pc_factor_mat_solver_type": "mumps",
}


class Film:
    """A film on 2 n^2 triangles."""

    def __init__(self, case: Case, n: int, step: float) -> None:
        """Make the mesh, the space and the form."""
        self.mesh = em.mesh.periodic_rectangle((SIDE, SIDE), cells=(n, n), cell="triangle").mesh
        cell = self.mesh.basix_cell()
        linear = basix.ufl.element("Lagrange", cell, 1)
        space = fem.functionspace(self.mesh, basix.ufl.mixed_element([linear, linear]))
        self.u, self.old = fem.Function(space), fem.Function(space)
        v, w = ufl.TestFunctions(space)
        c, mu = ufl.split(self.u)
        c_old, mu_old = ufl.split(self.old)
        self.n, self.unknowns = n, space.dofmap.index_map.size_global * space.dofmap.index_map_bs
        self.step = case.until / math.ceil(case.until / step)
        self.steps = round(case.until / self.step)
        middle, mu_middle = (c + c_old) / 2, (mu + mu_old) / 2
        tensor = ufl.as_matrix(np.diag(case.diffusion).tolist())
        force = ufl.grad(mu_middle) - ufl.as_vector(case.drift)
        slope = ENTROPY * ufl.ln(c / (1 - c)) + ENTHALPY * (1 - 2 * c) + EXPANSION * (c - c**2)
        dx = ufl.dx(metadata={"quadrature_degree": 2})
        form = (c - c_old) * v * dx
        form += self.step * middle * (1 - middle) * ufl.inner(ufl.dot(tensor, force), ufl.grad(v)) * dx
        form += (mu - slope) * w * dx - GRADIENT * ufl.inner(ufl.grad(c), ufl.grad(w)) * dx
        self.u.sub(0).interpolate(lambda x: start(x[0], x[1]))
        self._chemical_potential_at_start(slope, c)
        self.problem = NonlinearProblem(form, self.u, petsc_options_prefix="film_", petsc_options=OPTIONS)

    def _chemical_potential_at_start(self, slope: ufl.core.expr.Expr, c: ufl.core.expr.Expr) -> None:
        """Project mu of the start: the midpoint rule carries it on."""
        space, dofs = self.u.function_space.sub(1).collapse()
        mu, w = fem.Function(space), ufl.TestFunction(space)
        form = (mu - slope) * w * ufl.dx - GRADIENT * ufl.inner(ufl.grad(c), ufl.grad(w)) * ufl.dx
        NonlinearProblem(form, mu, petsc_options_prefix="start_", petsc_options=OPTIONS).solve()
        self.u.x.array[dofs] = mu.x.array

    def run(self, steps: int | None = None) -> None:
        """Step to the end, or only some steps."""
        for _ in range(steps or self.steps):
            self.old.x.array[:] = self.u.x.array
            self.problem.solve()

    def sample(self) -> Array:
        """Return C at the sample points, from the nodes, as for grids."""
        c = self.u.sub(0).collapse()
        places = c.function_space.tabulate_dof_coordinates()
        i, j = np.rint(places[:, :2].T * self.n / SIDE).astype(int) % self.n
        values = np.empty((self.n, self.n))
        values[i, j] = c.x.array[: len(i)]
        return sample_grid(values, 0.0)
