"""Voids in stressed metal in true geometry: a surface that moves, and the bulk whose tension makes the void grow."""

from emfem.public import dir_of
from emfem.voids.equations import model

__all__ = ["model"]
__dir__ = dir_of(__all__)
