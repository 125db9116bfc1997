"""Failure: voids open where tension reaches the critical stress, grow, and turn the current away.

    net = em.mesh.network(...)
    model = em.stress.model(net, copper, current_density=[...], voids=True)
    life = em.failure.run(model, critical_stress=500 * MPa, until=20 * year, resistivity=copper.resistivity,
                          liner=em.failure.Liner(2e-6, 5 * nm), fails=em.failure.ResistanceRise(0.1))
    print(life, life.nucleation, life.voids)

`em.failure.nucleation(models, ...)` computes when and where the first void opens in a conductor of any shape.
"""

from emfem.failure.criteria import Criterion, Damage, Drop, FirstVoid, ResistanceRise, VoidLength
from emfem.failure.history import FailureHistory, Nucleation, Void
from emfem.failure.liner import Liner
from emfem.failure.nucleation import nucleation
from emfem.failure.simulation import run
from emfem.public import dir_of

__all__ = [
    "Criterion",
    "Damage",
    "Drop",
    "FailureHistory",
    "FirstVoid",
    "Liner",
    "Nucleation",
    "ResistanceRise",
    "Void",
    "VoidLength",
    "nucleation",
    "run",
]
__dir__ = dir_of(__all__)
