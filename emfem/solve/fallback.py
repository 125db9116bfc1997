"""Second and third attempts at a linear system that an iterative solver failed at."""

from __future__ import annotations

import math

from petsc4py import PETSc

LONGER = {"restart": 200, "max_it": 400}  # of a second attempt
PLANE, SPACE = 2_000_000, 100_000  # most unknowns that a factorisation is tried for


class Fallback:
    """Callback after each linear solve: one that failed goes on longer, and is then solved directly if that fits.

    Attributes:
        iterations: of second attempts, in all.
    """

    def __init__(self, size: int, dim: int) -> None:
        """Take the number of unknowns and the dimension of the mesh."""
        self._fits = size <= (SPACE if dim > 2 else PLANE)
        self.iterations = 0

    def __call__(self, ksp: PETSc.KSP, b: PETSc.Vec, x: PETSc.Vec) -> None:
        """Repeat a solve that failed; its reason is then that of the last attempt."""
        if ksp.getConvergedReason() >= 0 or not math.isfinite(b.norm()):
            return
        if not self._longer(ksp, b, x) and self._fits:
            self._directly(ksp, b, x)

    def _longer(self, ksp: PETSc.KSP, b: PETSc.Vec, x: PETSc.Vec) -> bool:
        """Solve with the same preconditioner and more directions; return whether that converged."""
        again = PETSc.KSP().create(ksp.comm)
        again.setType("fgmres")
        again.setGMRESRestart(LONGER["restart"])
        again.setTolerances(rtol=ksp.getTolerances()[0], max_it=LONGER["max_it"])
        again.setOperators(*ksp.getOperators())
        again.setPC(ksp.getPC())
        return self._finished(ksp, again, b, x)

    def _directly(self, ksp: PETSc.KSP, b: PETSc.Vec, x: PETSc.Vec) -> bool:
        """Factorise; return whether that worked."""
        matrix = ksp.getOperators()[1]
        whole = matrix.convert("aij", PETSc.Mat()) if matrix.getType() == "nest" else matrix
        direct = PETSc.KSP().create(ksp.comm)
        direct.setType("preonly")
        direct.getPC().setType("lu")
        if PETSc.Sys.hasExternalPackage("mumps"):
            direct.getPC().setFactorSolverType("mumps")
        direct.setOperators(whole)
        return self._finished(ksp, direct, b, x)

    def _finished(self, ksp: PETSc.KSP, attempt: PETSc.KSP, b: PETSc.Vec, x: PETSc.Vec) -> bool:
        """Solve by an attempt; if that converged take its answer."""
        answer = x.duplicate()
        attempt.solve(b, answer)
        converged = attempt.getConvergedReason() > 0 and math.isfinite(answer.norm())
        self.iterations += attempt.getIterationNumber()
        if converged:
            answer.copy(x)
            ksp.setConvergedReason(attempt.getConvergedReason())
        attempt.destroy()
        return converged
