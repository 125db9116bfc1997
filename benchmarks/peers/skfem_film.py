"""scikit-fem: quadrilaterals of degree 2, C and mu as blocks, midpoint rule, fixed step, Newton, SciPy's SuperLU."""

from __future__ import annotations

import math
from typing import Any

from benchmarks.peers.problem import (
    ENTHALPY,
    ENTROPY,
    EXPANSION,
    GRADIENT,
    SIDE,
    Array,
    Case,
    potential,
    sample_grid,
    start,
)

import numpy as np
import skfem
from scipy import sparse
from scipy.sparse.linalg import splu
from skfem.helpers import dot, grad


@skfem.BilinearForm
def mass(u: Any, v: Any, _: Any) -> Any:
    """C v."""
    return u * v


@skfem.BilinearForm
def stiffness(u: Any, v: Any, _: Any) -> Any:
    """Grad C . grad v."""
    return dot(grad(u), grad(v))


@skfem.BilinearForm
def transport(u: Any, v: Any, w: Any) -> Any:
    """Flux of a change of mu."""
    return w.c * (1 - w.c) * dot(w.d * grad(u), grad(v))


@skfem.BilinearForm
def mobility_slope(u: Any, v: Any, w: Any) -> Any:
    """Flux of a change of C, by its mobility."""
    return (1 - 2 * w.c) * u * dot(w.d * (grad(w.mu) - w.f), grad(v))


@skfem.BilinearForm
def curvature(u: Any, v: Any, w: Any) -> Any:
    """f''(C) C v."""
    return (ENTROPY / (w.c * (1 - w.c)) - 2 * ENTHALPY + EXPANSION * (1 - 2 * w.c)) * u * v


@skfem.LinearForm
def flux(v: Any, w: Any) -> Any:
    """M D (grad mu - F) . grad v."""
    return w.c * (1 - w.c) * dot(w.d * (grad(w.mu) - w.f), grad(v))


@skfem.LinearForm
def slope(v: Any, w: Any) -> Any:
    """f'(C) v."""
    return potential(w.c) * v


class Film:
    """A film on `cells` by `cells` quadrilaterals."""

    def __init__(self, case: Case, cells: int, step: float, residual: float = 1e-3) -> None:
        """Make the mesh, the spaces and the constant matrices."""
        along = np.linspace(0, SIDE, cells + 1)
        mesh = skfem.MeshQuad1DG.init_tensor(along, along, periodic=[0, 1])
        self.basis = skfem.Basis(mesh, skfem.ElementQuad2(), intorder=4)
        self.cells, self.residual, n = cells, residual, self.basis.N
        self.unknowns, self.step = 2 * int(n), case.until / math.ceil(case.until / step)
        self.steps = round(case.until / self.step)
        self.d, self.f = (np.array(a).reshape(2, 1, 1) for a in (case.diffusion, case.drift))
        self.mass, self.stiffness = mass.assemble(self.basis), GRADIENT * stiffness.assemble(self.basis)
        self.solve_mass = splu(self.mass.tocsc()).solve
        self.c = self.solve_mass(self._load(start))
        self.mu = self.solve_mass(slope.assemble(self.basis, c=self.c) + self.stiffness @ self.c)

    def _load(self, function: Any) -> Array:
        return np.asarray(skfem.LinearForm(lambda v, w: function(*w.x) * v).assemble(self.basis))

    def run(self, steps: int | None = None) -> None:
        """Step to the end, or only some steps."""
        for _ in range(steps or self.steps):
            self._advance()

    def _advance(self) -> None:
        """Take one step by Newton's method."""
        basis, h, first = self.basis, self.step, 0.0
        c_old, mu_old = self.c, self.mu
        for iteration in range(20):
            middle = {"c": (self.c + c_old) / 2, "mu": (self.mu + mu_old) / 2, "d": self.d, "f": self.f}
            at = {k: basis.interpolate(u) if k in ("c", "mu") else u for k, u in middle.items()}
            now = basis.interpolate(self.c)
            residual = np.concatenate(
                [
                    self.mass @ (self.c - c_old) + h * flux.assemble(basis, **at),
                    self.mass @ self.mu - slope.assemble(basis, c=now) - self.stiffness @ self.c,
                ]
            )
            size = float(np.linalg.norm(residual))
            first = first or size
            if iteration and size <= self.residual * first:
                return
            jacobian = sparse.bmat(
                [
                    [self.mass + h / 2 * mobility_slope.assemble(basis, **at), h / 2 * transport.assemble(basis, **at)],
                    [-curvature.assemble(basis, c=now) - self.stiffness, self.mass],
                ],
                format="csc",
            )
            change = splu(jacobian).solve(-residual)
            self.c, self.mu = self.c + change[: basis.N], self.mu + change[basis.N :]
        msg = f"residual {size:g} of {first:g} after 20 iterations"
        raise RuntimeError(msg)

    def sample(self) -> Array:
        """Return C at the sample points, from the nodes, as for grids."""
        n = 2 * self.cells
        i, j = np.rint(self.basis.doflocs * n / SIDE).astype(int) % n
        values = np.empty((n, n))
        values[i, j] = self.c
        return sample_grid(values, 0.0)
