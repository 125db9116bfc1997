"""The alloy film: composition and chemical potential of a binary surface alloy driven by an electric field.

    dC/dt = div{ M(C) D (grad mu - F) },   mu = f'(C) - eps lap C - q |k| C

with the degenerate mobility M = C (1 - C), the anisotropic diffusion tensor D, the free energy f and the drift force F.
Lengths are in film thicknesses, energies in surface energies. The model is that of M. Khenner, Electromigration-guided
composition patterns in thin alloy films, arXiv:2004.08314, with its equations reconstructed from the text.
"""

from emfem.film.alloy import Alloy, Anisotropy, Scales, cupd, uniform_field
from emfem.film.coherency import coherency_coefficient
from emfem.film.equations import model
from emfem.film.noise import ThermalNoise, thermal_noise
from emfem.film.start import Noise, noise
from emfem.film.tensors import Activated
from emfem.film.terms import degenerate_mobility, mixing_energy
from emfem.film.waves import UniformFilm, growth_rate, structure_factor
from emfem.model.mixing import x_ln_x
from emfem.public import dir_of

__all__ = [
    "Activated",
    "Alloy",
    "Anisotropy",
    "Noise",
    "Scales",
    "ThermalNoise",
    "UniformFilm",
    "coherency_coefficient",
    "cupd",
    "degenerate_mobility",
    "growth_rate",
    "mixing_energy",
    "model",
    "noise",
    "structure_factor",
    "thermal_noise",
    "uniform_field",
    "x_ln_x",
]
__dir__ = dir_of(__all__)
