"""emfem: finite elements for electromigration in metals.

Materials and domains are values, physics is functions that return UFL, a model is those forms with their unknowns,
`evolve` integrates models in time, observers record them. Names are those of `__init__.pyi`, loaded on their first use.
"""

import importlib.util
from typing import Any

import lazy_loader

if importlib.util.find_spec("dolfinx_solver"):
    import dolfinx_solver  # noqa: F401  the PyPI build: MPI must be loaded before petsc4py and dolfinx

if importlib.util.find_spec("mpi4py") and importlib.util.find_spec("dolfinx"):
    from mpi4py import MPI

    if MPI.COMM_WORLD.size > 1:
        import dolfinx  # noqa: F401  PETSc starts on all ranks together: a name that one rank uses first would hang

__version__ = "0.1.0"

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Load a name of the stub on its first use."""
    if name in __all__:
        return _load(name)
    msg = f"module 'emfem' has no attribute {name!r}"
    raise AttributeError(msg)
