"""Conduction: the potential and the current in a conductor between electrodes.

    -div(sigma grad phi) = 0,   E = -grad phi,   j = sigma E

Units are the user's: volt and metre give A/m2, in two dimensions for a film of unit thickness.
"""

from emfem.conduction.electrodes import Electrode, electrode
from emfem.conduction.equations import model
from emfem.conduction.laws import contact, continuity, nordheim, ohmic_flux
from emfem.conduction.measures import Crowding, crowding, current, electrodes, mean_current, resistance, voltage

__all__ = [
    "Crowding",
    "Electrode",
    "contact",
    "continuity",
    "crowding",
    "current",
    "electrode",
    "electrodes",
    "mean_current",
    "model",
    "nordheim",
    "ohmic_flux",
    "resistance",
    "voltage",
]
