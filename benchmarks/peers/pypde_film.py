"""py-pde: finite differences of second order, compiled by Numba, classical Runge-Kutta at the limit of its stability.

Written as its documentation writes Cahn-Hilliard equations. div(M grad mu) by the product rule: `divergence` of a
`gradient` takes differences over two cells, and needs twice as many points.
"""

from __future__ import annotations

import math

from benchmarks.peers.problem import GRADIENT, SIDE, Array, Case, potential_text, sample_grid, start

import pde

POTENTIAL = f"({potential_text('c', 'log')} - {GRADIENT}*laplace(c))"


class Film:
    """A film on n by n cells."""

    def __init__(self, case: Case, n: int, step: float) -> None:
        """Make the grid, the start and the equation."""
        if case.diffusion != (1.0, 1.0):
            msg = f"case {case.name!r}, must be isotropic for the one equation written here"
            raise ValueError(msg)
        grid = pde.CartesianGrid([[0, SIDE]] * 2, n, periodic=True)
        x, y = grid.cell_coords[..., 0], grid.cell_coords[..., 1]
        self.first = pde.ScalarField(grid, start(x, y))
        drift = pde.VectorField.from_expression(grid, [str(f) for f in case.drift])
        slope = f"dot(gradient(c), gradient({POTENTIAL}) - drift)"
        equation = pde.PDE(
            {"c": f"c*(1-c)*laplace({POTENTIAL}) + (1-2*c)*{slope}"}, consts={"drift": drift}, bc="periodic"
        )
        self.unknowns, self.steps = n * n, math.ceil(case.until / step)
        self.step = case.until / self.steps
        self.advance = pde.RungeKuttaSolver(equation, backend="numba").make_stepper(self.first, self.step)
        self.restart()

    def restart(self) -> Film:
        """Go back to the start; the compiled stepper stays."""
        self.state, self.time = self.first.copy(), 0.0
        return self

    def run(self, steps: int | None = None) -> None:
        """Step to the end, or only some steps."""
        self.time = self.advance(self.state, self.time, self.time + (steps or self.steps) * self.step)

    def sample(self) -> Array:
        """Return C at the sample points."""
        return sample_grid(self.state.data, 0.5)
