"""One gate for arguments: annotations of public functions and classes are checked when they are called.

`@checked` refuses an argument of a wrong kind, `@checked(collective=True)` also one that differs between ranks. With
`collective(comm)` an error on one rank is an error on all, with `Meeting` also where the ranks communicate. A value is
never converted, and a right call never changed: bounds, shapes and finiteness are checked by the function.
"""

from emfem import libraries  # first: it says what to install where UFL is missing
from emfem.gate.checks import checked
from emfem.gate.meeting import Meeting
from emfem.gate.ranks import collective
from emfem.public import dir_of

__all__ = ["Meeting", "checked", "collective"]
__dir__ = dir_of(__all__)

libraries.prepare_ufl()  # here, because all that uses UFL is behind this gate
libraries.cache_entry_points()
libraries.lock_compilation()
libraries.keep_meshes()
