"""Migration: diffusion and drift of species, vacancies and alloys.

    dc/dt = -div J + g,   J = -D grad c + v c

Units are the user's: SI, or dimensionless.
"""

from emfem.mesh.between import between_regions
from emfem.migration.alloy import alloy, positions
from emfem.migration.boundaries import FastPath, fast_path
from emfem.migration.laws import drift_velocity, sinks, species_flux, transport
from emfem.migration.measures import Peclet, peclet
from emfem.migration.species import ITERATIVE, model
from emfem.migration.vacancies import Vacancies, vacancies
from emfem.public import dir_of

__all__ = [
    "ITERATIVE",
    "FastPath",
    "Peclet",
    "Vacancies",
    "alloy",
    "between_regions",
    "drift_velocity",
    "fast_path",
    "model",
    "peclet",
    "positions",
    "sinks",
    "species_flux",
    "transport",
    "vacancies",
]
__dir__ = dir_of(__all__)
