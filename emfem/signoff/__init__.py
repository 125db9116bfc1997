"""From a chip's netlist to a verdict: which trees of metal get voids, and when the grid fails.

technology = em.signoff.read_technology("meshes/technology.toml")
grid = em.mesh.read_netlist("meshes/grid.sp", technology=technology)
verdict = em.signoff.run(grid, technology, until=10 * year)
print(verdict)

`em.signoff.sign_off(grid, technology, "results", until=10 * year)` writes tables, pictures and a report as well, at
corners of current and temperature; so does the command `emfem signoff`.
"""

from emfem.public import dir_of
from emfem.signoff.corners import NOMINAL, Corner
from emfem.signoff.folder import SignOff, sign_off
from emfem.signoff.metal import Temperature
from emfem.signoff.running import run
from emfem.signoff.simulation import Simulation
from emfem.signoff.technology import Layer, Passivation, Technology, read_technology
from emfem.signoff.thermal import map_temperature, read_temperature
from emfem.signoff.verdict import Verdict

__all__ = [
    "NOMINAL",
    "Corner",
    "Layer",
    "Passivation",
    "SignOff",
    "Simulation",
    "Technology",
    "Temperature",
    "Verdict",
    "map_temperature",
    "read_technology",
    "read_temperature",
    "run",
    "sign_off",
]
__dir__ = dir_of(__all__)
