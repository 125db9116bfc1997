"""Domains: a mesh with named boundaries; blocks, plain or periodic, and shapes that gmsh meshes."""

from emfem.mesh.block import (
    box,
    interval,
    periodic_box,
    periodic_interval,
    periodic_rectangle,
    rectangle,
)
from emfem.mesh.cell import periodic_cell
from emfem.mesh.disks import annulus, disk
from emfem.mesh.domain import AXES, Domain, PeriodicMesh, axisymmetric, bounds, period
from emfem.mesh.files import read, write
from emfem.mesh.grains import grains, polycrystal
from emfem.mesh.layout import from_gds
from emfem.mesh.micrograph import from_image
from emfem.mesh.outline import polygon
from emfem.mesh.shapes import bend, dogbone, hall_cross, notched_strip, strip_with_holes
from emfem.mesh.shells import sphere, tube
from emfem.mesh.solids import cylinder, via

__all__ = [
    "AXES",
    "Domain",
    "PeriodicMesh",
    "annulus",
    "axisymmetric",
    "bend",
    "bounds",
    "box",
    "cylinder",
    "disk",
    "dogbone",
    "from_gds",
    "from_image",
    "grains",
    "hall_cross",
    "interval",
    "notched_strip",
    "period",
    "periodic_box",
    "periodic_cell",
    "periodic_interval",
    "periodic_rectangle",
    "polycrystal",
    "polygon",
    "read",
    "rectangle",
    "sphere",
    "strip_with_holes",
    "tube",
    "via",
    "write",
]
