"""Surfaces that move: voids that drift, wires that pinch, bridges whose one end thickens.

Atoms creep along the surface of a metal, driven by its curvature and by the field,

    J_s = -(D_s delta_s / (Omega k T)) d/ds (gamma Omega kappa) + (D_s delta_s / (Omega k T)) Z* e E_s

and the surface follows. It is a conserved phase field: c is 1 in metal and 0 in vacuum, with an interface of half-width
l between them. The field is computed at the same time. A void drifts against its surface atoms: along the current where
Z* is below 0, against it where it is above.
"""

from emfem.public import dir_of
from emfem.surface.anisotropy import MobilityAnisotropy
from emfem.surface.crystal import Crystal, CubicEnergy, FacetEnergy, FoldEnergy
from emfem.surface.equations import model
from emfem.surface.measures import drift_velocity, neck, neck_below, profile
from emfem.surface.pulses import Pulses
from emfem.surface.scales import SurfaceScales, scales
from emfem.surface.shapes import Shape, bridge, ellipse, flat, strip, void, wire

__all__ = [
    "Crystal",
    "CubicEnergy",
    "FacetEnergy",
    "FoldEnergy",
    "MobilityAnisotropy",
    "Pulses",
    "Shape",
    "SurfaceScales",
    "bridge",
    "drift_velocity",
    "ellipse",
    "flat",
    "model",
    "neck",
    "neck_below",
    "profile",
    "scales",
    "strip",
    "void",
    "wire",
]
__dir__ = dir_of(__all__)
