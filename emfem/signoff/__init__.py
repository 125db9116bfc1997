"""From a chip's netlist to a verdict: which trees of metal get voids, and when the grid fails.

technology = em.signoff.read_technology("meshes/technology.toml")
grid = em.mesh.read_netlist("meshes/grid.sp", technology=technology)
"""

from emfem.public import dir_of
from emfem.signoff.corners import NOMINAL, Corner
from emfem.signoff.folder import SignOff, sign_off
from emfem.signoff.technology import Layer, Passivation, Technology, read_technology
from emfem.signoff.thermal import read_temperature, resolve_temperature

__all__ = [
    "NOMINAL",
    "Corner",
    "Layer",
    "Passivation",
    "SignOff",
    "Technology",
    "read_technology",
    "read_temperature",
    "resolve_temperature",
    "sign_off",
]
__dir__ = dir_of(__all__)
