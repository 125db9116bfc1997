"""Pictures, laid out by Matplotlib; everything in three dimensions by pyvista.

Every picture is drawn on rank 0, and all ranks must call.
"""

from emfem.plot.currents import current
from emfem.plot.curves import dispersion
from emfem.plot.fields import Frames, animation, field, film_strip, grid
from emfem.plot.meshes import mesh
from emfem.plot.networks import network

__all__ = ["Frames", "animation", "current", "dispersion", "field", "film_strip", "grid", "mesh", "network"]
