"""Stress in confined metals under current: Korhonen's equation, immortality, and voids at nodes.

    dsigma/dt = div kappa (grad sigma + Z* e E/Omega - Q* grad T/(Omega T)),   kappa = D B Omega/(k T)

Tension is positive. Everything is SI.
"""

from emfem.public import dir_of
from emfem.stress.equations import model
from emfem.stress.field import Stress, at_nodes
from emfem.stress.immortal import Immortality, immortal
from emfem.stress.steady import steady
from emfem.stress.voids import open_void, set_opened

__all__ = ["Immortality", "Stress", "at_nodes", "immortal", "model", "open_void", "set_opened", "steady"]
__dir__ = dir_of(__all__)
