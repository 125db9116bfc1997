"""Heat: the temperature of a conductor that its current heats.

    rho_m c_p dT/dt = div(k(T) grad T) + source - g (T - T_sub)

Temperatures are in kelvin, everything else in SI; in a plane without a thickness powers are in W/m, on a line in W/m2.
"""

from emfem.heat.boundaries import Convection, Loss, Radiation, convection, radiation, substrate
from emfem.heat.equations import model
from emfem.heat.laws import LORENZ, area_density, driven, fourier_flux, joule, radiated, runaway, wiedemann_franz
from emfem.public import dir_of

__all__ = [
    "LORENZ",
    "Convection",
    "Loss",
    "Radiation",
    "area_density",
    "convection",
    "driven",
    "fourier_flux",
    "joule",
    "model",
    "radiated",
    "radiation",
    "runaway",
    "substrate",
    "wiedemann_franz",
]
__dir__ = dir_of(__all__)
