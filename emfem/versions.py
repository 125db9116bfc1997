"""Versions of emfem and of the libraries below it, read without loading DOLFINx."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from emfem.public import dir_of

__all__ = ["solvers", "versions"]
__dir__ = dir_of(__all__)

MISSING = "not installed"
PACKAGES = ("mumps", "superlu_dist", "superlu", "umfpack", "cholmod", "hypre", "ml", "parmetis", "ptscotch")


def versions() -> dict[str, str]:
    """Return the versions of everything that a run is made with."""
    return {
        "emfem": version("emfem"),
        "DOLFINx": _dolfinx(),
        "PETSc": _petsc(),
        "MPI": _mpi(),
        "Python": platform.python_version(),
    }


def solvers() -> tuple[str, ...]:
    """Return the solvers and partitioners that PETSc was built with, beside its own."""
    try:
        from petsc4py import PETSc
    except ImportError:
        return ()
    return tuple(name for name in PACKAGES if PETSc.Sys.hasExternalPackage(name))


def _dolfinx() -> str:
    """Return the version of DOLFINx: in the wheel of PyPI it is a constant, elsewhere that of its distribution."""
    try:
        from dolfinx_solver import DOLFINX_VERSION
    except ImportError:
        try:
            return version("fenics-dolfinx")
        except PackageNotFoundError:
            return MISSING
    return str(DOLFINX_VERSION)


def _petsc() -> str:
    try:
        from petsc4py import PETSc
    except ImportError:
        return MISSING
    return ".".join(map(str, PETSc.Sys.getVersion()))


def _mpi() -> str:
    try:
        from mpi4py import MPI
    except ImportError:
        return MISSING
    return MPI.Get_library_version().splitlines()[0].split(",")[0].replace("\t", " ").strip(" \x00")
