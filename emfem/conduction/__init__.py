"""Conduction: the potential and the current in a conductor between electrodes.

    -div(sigma grad phi) = 0,   E = -grad phi,   j = sigma E

Units are the user's. In a plane two choices are consistent, by what the conductivity is:

    sigma [S/m]        currents per thickness [A/m], resistance times thickness [Ohm m], contact resistivity [Ohm m2]
    sigma t [S]        currents [A], resistance [Ohm], contact resistivity over thickness [Ohm m]
"""

from emfem.conduction.corners import Corner
from emfem.conduction.electrodes import Electrode, electrode
from emfem.conduction.equations import model
from emfem.conduction.kirchhoff import Currents, check_kirchhoff, kirchhoff
from emfem.conduction.laws import contact, continuity, nordheim, ohmic_flux
from emfem.conduction.measures import Crowding, crowding, current, electrodes, mean_current, resistance, voltage

__all__ = [
    "Corner",
    "Crowding",
    "Currents",
    "Electrode",
    "check_kirchhoff",
    "contact",
    "continuity",
    "crowding",
    "current",
    "electrode",
    "electrodes",
    "kirchhoff",
    "mean_current",
    "model",
    "nordheim",
    "ohmic_flux",
    "resistance",
    "voltage",
]
