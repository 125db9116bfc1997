"""The stepped surface: rows of atomic steps that exchange adatoms which a current drags along (Burton, Cabrera, Frank).

    vicinal = em.steps.vicinal(em.materials.gold(temperature=900.0), current_density=-1e10, diffusivity=1e-10, ...)
    row = em.steps.model(vicinal, em.steps.train(32, 5 * nm, noise=0.05), length=32 * 5 * nm)
    history = row.run(until=100.0)
    history.positions, history.widths, history.bunching
    em.steps.growth_rate(np.pi, vicinal, width=5 * nm)      # of pairs of steps, in the linear theory
    em.steps.growth_rate(0.0, vicinal, width=5 * nm, wave_number=2e7)    # of steps that meander alike
    em.steps.continuum(vicinal, width=5 * nm, step_height=0.26 * nm)     # what they are to long waves

Steps lie along y and at x_0 < x_1 < ...; a step that goes `down` along +x has its upper terrace on the left. A step
that atoms join advances over its lower terrace. The force is Z* e E, signed along +x: "step-down" is a force along +x
on steps that go down along +x.

The statements on bunching are derived here and checked against the equations of this package, except where a source
is named. Constants of adatoms and steps are the user's: those of real metals are known for few faces only.
"""

from emfem.public import dir_of
from emfem.steps.continuum import Continuum, continuum
from emfem.steps.row import ENDS, History, Row, model, train
from emfem.steps.surface import Surface, vicinal
from emfem.steps.waves import growth_rate, tightest_terrace

__all__ = [
    "ENDS",
    "Continuum",
    "History",
    "Row",
    "Surface",
    "continuum",
    "growth_rate",
    "model",
    "tightest_terrace",
    "train",
    "vicinal",
]
__dir__ = dir_of(__all__)
