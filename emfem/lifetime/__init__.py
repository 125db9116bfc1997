"""Lifetime statistics: lives of lines, their spread, and the constants that accelerated tests determine.

    line = em.lifetime.Line(length=100 * um, current_density=2e10, void_length=20 * nm)
    spread = em.lifetime.Spread(activation_energy=0.02 * eV, critical_stress=0.1)
    sample = em.lifetime.monte_carlo(copper, line, samples=500, seed=1, critical_stress=500 * MPa, spread=spread)
    print(sample.fit())                                  lognormal: t50 and sigma with their intervals
    fit = em.lifetime.fit_black(j, T, lifetimes)         Black's n and Ea, or why they are not identifiable
    fit.extrapolate(5e9, 378.0, quantile=1e-3)           refused beyond the tested conditions of such a one

A life is until a void opens (where tension reaches the critical stress) and until it has grown to a length. Fits are
lognormal, at one condition each; lines that never fail have an infinite life, and are no part of a lognormal.
"""

from emfem.lifetime.black import Black, BlackFit, fit_black
from emfem.lifetime.line import Line, LineLife, line_lifetime
from emfem.lifetime.lognormal import Lognormal, fit_lognormal, plotting_positions
from emfem.lifetime.regression import Estimate
from emfem.lifetime.sample import Grains, Sample, Spread, Tests, accelerated_tests, monte_carlo
from emfem.public import dir_of

__all__ = [
    "Black",
    "BlackFit",
    "Estimate",
    "Grains",
    "Line",
    "LineLife",
    "Lognormal",
    "Sample",
    "Spread",
    "Tests",
    "accelerated_tests",
    "fit_black",
    "fit_lognormal",
    "line_lifetime",
    "monte_carlo",
    "plotting_positions",
]
__dir__ = dir_of(__all__)
