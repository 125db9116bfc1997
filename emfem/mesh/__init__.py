"""Domains: a mesh with named boundaries; blocks, plain or periodic, and shapes that gmsh meshes."""

import inspect
from collections.abc import Callable

from emfem.mesh.block import (
    box,
    interval,
    periodic_box,
    periodic_interval,
    periodic_rectangle,
    rectangle,
)
from emfem.mesh.disks import annulus, disk
from emfem.mesh.domain import Domain
from emfem.mesh.extents import AXES, PeriodicMesh, bounds, period
from emfem.mesh.files import read, write
from emfem.mesh.grains import grains, polycrystal
from emfem.mesh.graph import Network
from emfem.mesh.grid import grid_network
from emfem.mesh.layout import from_gds
from emfem.mesh.lefdef import Geometry, Lef, LefLayer, read_def, read_lef
from emfem.mesh.micrograph import from_image
from emfem.mesh.netlist import from_netlist, read_netlist
from emfem.mesh.network import network
from emfem.mesh.outline import polygon
from emfem.mesh.refined import halved, refined
from emfem.mesh.reports import close_currents, load_table, read_report, reported_currents
from emfem.mesh.revolution import axisymmetric
from emfem.mesh.shapes import bend, dogbone, hall_cross, notched_strip, periodic_cell, strip_with_holes
from emfem.mesh.solids import cylinder, sphere, tube, via
from emfem.mesh.tables import read_network
from emfem.public import dir_of

__all__ = [
    "AXES",
    "Domain",
    "Geometry",
    "Lef",
    "LefLayer",
    "Network",
    "PeriodicMesh",
    "annulus",
    "axisymmetric",
    "bend",
    "bounds",
    "box",
    "close_currents",
    "cylinder",
    "disk",
    "dogbone",
    "from_gds",
    "from_image",
    "from_netlist",
    "grains",
    "grid_network",
    "hall_cross",
    "halved",
    "interval",
    "load_table",
    "makers",
    "network",
    "notched_strip",
    "period",
    "periodic_box",
    "periodic_cell",
    "periodic_interval",
    "periodic_rectangle",
    "polycrystal",
    "polygon",
    "read",
    "read_def",
    "read_lef",
    "read_netlist",
    "read_network",
    "read_report",
    "rectangle",
    "refined",
    "reported_currents",
    "sphere",
    "strip_with_holes",
    "tube",
    "via",
    "write",
]

__dir__ = dir_of(__all__)


def makers() -> dict[str, Callable[..., Domain]]:
    """Return the functions that make a domain from numbers or a file, by name; those that change a domain are none."""
    functions = {name: globals()[name] for name in __all__}
    return {
        name: function
        for name, function in functions.items()
        if inspect.isfunction(function)
        and function.__annotations__["return"] in (Domain, "Domain")
        and "domain" not in function.__annotations__
    }
