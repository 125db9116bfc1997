"""Uncertain constants: the spread of a result, and the constants that cause it.

copper = {"Ea": scipy.stats.norm(0.9 * eV, 0.02 * eV), "sigma_c": scipy.stats.lognorm(0.15, scale=450 * MPa)}
lives = em.uncertainty.propagate(model, copper, samples=256)
lives.quantile([0.05, 0.5, 0.95])               of a time, or bands of a curve over time
em.uncertainty.propagate(model, fit)            constants vary as the data of a fit determine them
print(em.uncertainty.sobol_indices(model, copper))
em.uncertainty.read_sensitivity("study.toml", folder="results").run("results")     both, from a file
"""

from emfem.public import dir_of
from emfem.uncertainty.indices import SobolIndices, sobol_indices
from emfem.uncertainty.pictures import plot_indices
from emfem.uncertainty.reading import Sensitivity, SensitivityCase, read_sensitivity
from emfem.uncertainty.sampling import Propagated, propagate

__all__ = [
    "Propagated",
    "Sensitivity",
    "SensitivityCase",
    "SobolIndices",
    "plot_indices",
    "propagate",
    "read_sensitivity",
    "sobol_indices",
]
__dir__ = dir_of(__all__)
