"""Page in the browser for runs: fields at all times, several runs side by side, the table of a sweep.

It needs the extra `view`: pip install "emfem[view]". It is imported by the command `emfem view` only.
"""

from emfem.view.server import serve

__all__ = ["serve"]
