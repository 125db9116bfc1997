"""FiPy: finite volumes, C and mu coupled, the trapezoidal rule as half an implicit and half an explicit term."""

from __future__ import annotations

import math
import os

os.environ.setdefault("FIPY_SOLVERS", "scipy")

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

import fipy


class Film:
    """A film on n by n cells.

    Args:
        case: the problem.
        n: cells along a side.
        step: of time.
        sweeps: solves a step, each about the one before.
    """

    def __init__(self, case: Case, n: int, step: float, sweeps: int) -> None:
        """Make the mesh, the variables and the equations."""
        if case.diffusion != (1.0, 1.0):
            msg = f"case {case.name!r}, must be isotropic for the equations written here"
            raise ValueError(msg)
        mesh = fipy.PeriodicGrid2D(nx=n, ny=n, dx=SIDE / n, dy=SIDE / n)
        c = fipy.CellVariable(mesh=mesh, hasOld=True, value=start(*mesh.cellCenters.value))
        mu = fipy.CellVariable(mesh=mesh, hasOld=True, value=potential(c.value))
        mu.setValue(mu - GRADIENT * c.faceGrad.divergence.value)
        self.c, self.mu = c, mu
        face, old = c.arithmeticFaceValue, c.old.arithmeticFaceValue
        now, before = face * (1 - face), old * (1 - old)
        drift = fipy.FaceVariable(mesh=mesh, rank=1, value=[[f] for f in case.drift])
        explicit = (before * (mu.old.faceGrad - drift)).divergence - (now * drift).divergence
        transport = fipy.TransientTerm(var=c) == fipy.DiffusionTerm(coeff=now / 2, var=mu) + explicit / 2
        slope = ENTROPY / (c * (1 - c)) - 2 * ENTHALPY + EXPANSION * (1 - 2 * c)
        bulk = ENTROPY * fipy.numerix.log(c / (1 - c)) + ENTHALPY * (1 - 2 * c) + EXPANSION * c * (1 - c)
        chemical = fipy.ImplicitSourceTerm(coeff=1.0, var=mu) == (
            bulk - slope * c + fipy.ImplicitSourceTerm(coeff=slope, var=c) - fipy.DiffusionTerm(coeff=GRADIENT, var=c)
        )
        self.equations, self.solver = transport & chemical, fipy.LinearLUSolver()
        self.n, self.sweeps, self.unknowns = n, sweeps, 2 * n * n
        self.step = case.until / math.ceil(case.until / step)
        self.steps = round(case.until / self.step)

    def run(self, steps: int | None = None) -> None:
        """Step to the end, or only some steps."""
        for _ in range(steps or self.steps):
            self.c.updateOld()
            self.mu.updateOld()
            for _ in range(self.sweeps):
                self.equations.sweep(dt=self.step, solver=self.solver)

    def sample(self) -> Array:
        """Return C at the sample points."""
        return sample_grid(self.c.value.reshape(self.n, self.n, order="F"), 0.5)
