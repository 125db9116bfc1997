"""Surfaces on meshes that follow them: fine near the surface, coarse elsewhere, made again when it has moved.

Where a surface goes next is not known, so the mesh of a run is either fine everywhere, or follows. The fine band
reaches `CORE` interface widths to either side of the surface and a few more that it may move through; then the mesh
is made again from the coarse one. Both meshes have the same nodes near the surface, so c is not changed there; what the
coarse parts lose is added at the surface.

Drifts differ by 0.1 % to 0.3 % from those of a mesh that is fine everywhere, less than the error of either. It saves
the part of the domain that is far from a surface: it pays where that is more than half (benchmarks/surface.py).
"""

from emfem.moving.following import BROKEN, Followed, evolve
from emfem.moving.monitor import AWAY as AWAY
from emfem.moving.monitor import InterfaceMonitor as InterfaceMonitor
from emfem.moving.monitor import surface_points as surface_points
from emfem.public import dir_of

__all__ = ["BROKEN", "Followed", "evolve"]
__dir__ = dir_of(__all__)
