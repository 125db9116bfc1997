"""One gate for arguments: annotations of public functions and classes are checked when they are called.

`@checked` refuses an argument of a wrong kind, `@checked(collective=True)` also one that differs between ranks, and
`collective(comm)` turns an error on one rank into an error on all. A value is never converted, and a right call never
changed: bounds, shapes and finiteness are checked by the function.
"""

from emfem.gate.checks import checked
from emfem.gate.ranks import collective
from emfem.public import dir_of

__all__ = ["checked", "collective"]
__dir__ = dir_of(__all__)
