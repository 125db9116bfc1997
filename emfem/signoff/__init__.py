"""From a chip's netlist to a verdict: which trees of metal get voids, and when the grid fails.

technology = em.signoff.read_technology("meshes/technology.toml")
grid = em.mesh.read_netlist("meshes/grid.sp", technology=technology)
"""

from emfem.public import dir_of
from emfem.signoff.gradients import Gradient, Sensitivity
from emfem.signoff.pulses import EffectiveCurrents, effective_currents, effective_density
from emfem.signoff.sizing import Repair, repair
from emfem.signoff.statistics import DropLimit, SystemSample, Variation, system_life
from emfem.signoff.technology import Layer, Passivation, Technology, read_technology

__all__ = [
    "DropLimit",
    "EffectiveCurrents",
    "Gradient",
    "Layer",
    "Passivation",
    "Repair",
    "Sensitivity",
    "SystemSample",
    "Technology",
    "Variation",
    "effective_currents",
    "effective_density",
    "read_technology",
    "repair",
    "system_life",
]
__dir__ = dir_of(__all__)
