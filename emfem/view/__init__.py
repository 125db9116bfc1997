"""A page in the browser to look at runs: fields at all times, several runs side by side, the table of a sweep.

It needs the extra `view`: pip install "emfem[view]". Nothing of it is imported before the command runs.
"""

from emfem.view.server import serve

__all__ = ["serve"]
