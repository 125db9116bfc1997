"""Voids in stressed metal in true geometry: a surface that moves, and the bulk whose tension makes the void grow.

Atoms of the void's surface dissolve into the metal around it until no tension is left but that of its own curvature;
meanwhile they creep along the surface, driven by curvature and current, so that the void takes its shape.
"""

from emfem.public import dir_of
from emfem.voids.equations import model
from emfem.voids.extrapolation import sharp_limit
from emfem.voids.simulation import VoidLife, run
from emfem.voids.tracking import OneVoid

__all__ = ["OneVoid", "VoidLife", "model", "run", "sharp_limit"]
__dir__ = dir_of(__all__)
