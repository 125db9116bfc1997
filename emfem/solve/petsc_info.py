"""Version and packages of the PETSc in use."""

from __future__ import annotations

from petsc4py import PETSc

PACKAGES = ("mumps", "superlu_dist", "superlu", "umfpack", "cholmod", "hypre", "ml", "parmetis", "ptscotch")


def version() -> str:
    """Return the version of PETSc."""
    return ".".join(map(str, PETSc.Sys.getVersion()))


def packages() -> tuple[str, ...]:
    """Return the solvers and partitioners that PETSc was built with, beside its own."""
    return tuple(name for name in PACKAGES if PETSc.Sys.hasExternalPackage(name))
