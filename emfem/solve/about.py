"""What this PETSc can do."""

from __future__ import annotations

from petsc4py import PETSc

PACKAGES = ("mumps", "superlu_dist", "superlu", "umfpack", "cholmod", "hypre", "ml", "parmetis", "ptscotch")


def version() -> str:
    """The version of PETSc."""
    return ".".join(map(str, PETSc.Sys.getVersion()))


def packages() -> tuple[str, ...]:
    """The solvers and partitioners that PETSc was built with, beside its own."""
    return tuple(name for name in PACKAGES if PETSc.Sys.hasExternalPackage(name))
