"""Pictures, laid out by Matplotlib; everything in three dimensions by pyvista.

Every picture is drawn on rank 0, and all ranks must call. Functions return the Matplotlib figure there, None on the
others, to be restyled and saved again; with a path they write it as well. `figure` and `movie` give the same style to
pictures of your own, `matplotlib.rc_context(em.plot.style.LOOK)` to what you add later.
"""

from emfem.plot import labels, style
from emfem.plot.currents import current
from emfem.plot.curves import dispersion
from emfem.plot.custom import figure, movie
from emfem.plot.fields import Frames, animation, field, film_strip, grid
from emfem.plot.meshes import mesh
from emfem.plot.networks import network
from emfem.plot.surfaces import surface
from emfem.plot.turning import interactive
from emfem.public import dir_of

__all__ = [
    "Frames",
    "animation",
    "current",
    "dispersion",
    "field",
    "figure",
    "film_strip",
    "grid",
    "interactive",
    "labels",
    "mesh",
    "movie",
    "network",
    "style",
    "surface",
]
__dir__ = dir_of(__all__)
