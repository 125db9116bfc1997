"""Check of the resolution of a run: repeated with half the tolerance, and on half the mesh, does the answer change?

`check_resolution` measures what the warnings of a run estimate from its mesh alone. With elements of order p the change
on half the mesh is 1 - 2**-p of the error; with half the tolerance it is about half of the error of the time steps.
"""

from emfem.public import dir_of
from emfem.resolution.check import check_resolution
from emfem.resolution.report import Change, ResolutionReport

__all__ = ["Change", "ResolutionReport", "check_resolution"]
__dir__ = dir_of(__all__)
