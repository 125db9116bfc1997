"""Domains: a mesh with named boundaries; blocks, plain or periodic, and shapes that gmsh meshes."""

from emfem.mesh.block import (
    box,
    interval,
    periodic_box,
    periodic_interval,
    periodic_rectangle,
    rectangle,
)
from emfem.mesh.domain import AXES, Domain, PeriodicMesh, bounds, period
from emfem.mesh.shapes import notched_strip

__all__ = [
    "AXES",
    "Domain",
    "PeriodicMesh",
    "bounds",
    "box",
    "interval",
    "notched_strip",
    "period",
    "periodic_box",
    "periodic_interval",
    "periodic_rectangle",
    "rectangle",
]
