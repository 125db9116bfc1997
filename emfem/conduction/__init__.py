"""Conduction: the potential and the current in a conductor between electrodes.

    -div(sigma grad phi) = 0,   E = -grad phi,   j = sigma E

In SI, on a domain in metres (`domain.in_metres()`), sigma is in S/m. Then by the domain:

    a body, a network, a plane with a thickness        currents [A], resistance [Ohm], power [W]
    a plane without one                                currents [A/m], resistance times thickness [Ohm m], power [W/m]
    a line                                             current densities [A/m2], resistance times area [Ohm m2]

On a domain without a unit any consistent choice will do, such as sheet conductances in a plane, and no
unit is printed.
"""

from emfem.conduction.corners import Corner
from emfem.conduction.electrodes import Electrode, electrode
from emfem.conduction.equations import model
from emfem.conduction.kirchhoff import Currents, check_kirchhoff, kirchhoff
from emfem.conduction.laws import contact, continuity, nordheim, ohmic_flux
from emfem.conduction.measures import Crowding, crowding, current, electrodes, mean_current, resistance, voltage
from emfem.public import dir_of

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
__dir__ = dir_of(__all__)
