"""From a chip's netlist to a verdict: which trees of metal get voids, and when the grid fails.

technology = em.signoff.read_technology("meshes/technology.toml")
grid = em.mesh.read_netlist("meshes/grid.sp", technology=technology)
verdict = em.signoff.run(grid, technology, until=10 * year)
print(verdict)

`em.signoff.sign_off(grid, technology, "results", until=10 * year)` writes tables, pictures and a report as well, at
corners of current and temperature; so does the command `emfem signoff`.
"""

from emfem.public import dir_of
from emfem.signoff.corners import Corner
from emfem.signoff.draws import Variation
from emfem.signoff.drops import DropLimit
from emfem.signoff.gradients import Gradient, Sensitivity
from emfem.signoff.metal import Temperature
from emfem.signoff.pulses import EffectiveCurrents, effective_currents, effective_density
from emfem.signoff.running import run
from emfem.signoff.signing import SignOff, sign_off
from emfem.signoff.sizing import Repair, repair
from emfem.signoff.statistics import SystemSample, monte_carlo, system_life
from emfem.signoff.thermal import map_temperature, read_temperature
from emfem.signoff.verdict import Verdict
from emfem.technology import Layer, Passivation, Technology, read_technology

__all__ = [
    "Corner",
    "DropLimit",
    "EffectiveCurrents",
    "Gradient",
    "Layer",
    "Passivation",
    "Repair",
    "Sensitivity",
    "SignOff",
    "SystemSample",
    "Technology",
    "Temperature",
    "Variation",
    "Verdict",
    "effective_currents",
    "effective_density",
    "map_temperature",
    "monte_carlo",
    "read_technology",
    "read_temperature",
    "repair",
    "run",
    "sign_off",
    "system_life",
]
__dir__ = dir_of(__all__)
