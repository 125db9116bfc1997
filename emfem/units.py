"""Plain multipliers: `50 * um` is 5e-05 m, `45 * deg` is 0.785 rad. Everything inside emfem is SI or dimensionless."""

import math

# length [m]
m = 1.0
cm = 1e-2
mm = 1e-3
um = 1e-6
nm = 1e-9
angstrom = 1e-10

# time [s]
s = 1.0
ms = 1e-3
us = 1e-6
ns = 1e-9
ps = 1e-12
minute = 60.0
hour = 3600.0
day = 86400.0
year = 3.15576e7  # Julian year

# stress [Pa]
Pa = 1.0
MPa = 1e6
GPa = 1e9

# energy [J]; exact by the 2019 SI
J = 1.0
eV = 1.602176634e-19

# electricity [V], [A]
V = 1.0
mV = 1e-3
A = 1.0
mA = 1e-3
MA = 1e6  # 2 * MA / cm**2 is 2e10 A/m2

# temperature [K]
K = 1.0

# angle [rad]
rad = 1.0
deg = math.pi / 180.0

# constants; exact by the 2019 SI
elementary_charge = 1.602176634e-19  # [C]
boltzmann = 1.380649e-23  # [J/K]


def __dir__() -> list[str]:
    """Return the names of the units and constants."""
    return sorted(name for name, value in globals().items() if isinstance(value, float))
