"""Constants from measurements: fits with intervals, and what the data cannot tell.

def nucleation(constants, conditions):          values of a curve; conditions are arrays
    return ...

(curve,) = em.fit.read_curves("times.csv", measured="t", inputs=["T", "j"], scale="log", censored="outlived")
fit = em.fit.fit(nucleation, [curve], [
    em.fit.Unknown("D0", (1e-9, 1e-3), logarithmic=True, unit="m2/s"),
    em.fit.Unknown("Ea", (0.5 * eV, 2.0 * eV), unit="J"),
])
print(fit)                                      values, intervals, and what is not determined
fit.arrhenius("D0", "Ea")                       a diffusivity for em.materials, with source and interval
"""

from emfem.fit.cases import CaseModel
from emfem.fit.curves import Curve, curves, read_curves
from emfem.fit.designing import Proposal, Test, design
from emfem.fit.emulation import Emulator, emulate
from emfem.fit.evaluation import EvaluationWarning, Evaluator
from emfem.fit.fitting import FitWarning, fit
from emfem.fit.laws import LawModel
from emfem.fit.pictures import plot_fit, plot_profiles
from emfem.fit.published import published
from emfem.fit.reading import FitCase, read_fit
from emfem.fit.result import Fit
from emfem.fit.sensitivity import sensitivities, taylor_orders
from emfem.fit.unknowns import Unknown
from emfem.public import dir_of

__all__ = [
    "CaseModel",
    "Curve",
    "Emulator",
    "EvaluationWarning",
    "Evaluator",
    "Fit",
    "FitCase",
    "FitWarning",
    "LawModel",
    "Proposal",
    "Test",
    "Unknown",
    "curves",
    "design",
    "emulate",
    "fit",
    "plot_fit",
    "plot_profiles",
    "published",
    "read_curves",
    "read_fit",
    "sensitivities",
    "taylor_orders",
]
__dir__ = dir_of(__all__)
