"""The reference line and the reference star, of an effective copper at 105 C, and the numbers that follow by hand.

For a line of 50 um at 1e10 A/m2, with D = 1.3e-9 m2/s exp(-0.8 eV/kT):

    kappa = D B Omega/(k T),  v = D Z* e rho j/(k T),  G = Z* e rho j/Omega,  highest stress = |G| L/2

A star at rest is linear along each wire: sigma rises by -Z* e rho j L/Omega, for Z* = -5 by 305.4998 MPa in 20 um at
1e10 A/m2. With the mean over the volume at 0 its nodes A, J, B and C have `STAR_STRESS`.
"""

from __future__ import annotations

from typing import Any

from emfem import mesh, stress
from emfem.materials import Arrhenius, Material
from emfem.model import Model
from emfem.units import MPa, eV, um

CONSTANTS: dict[str, Any] = {
    "temperature": 378.15,
    "diffusivity": Arrhenius(1.3e-9, 0.8 * eV),
    "bulk_modulus": 28e9,
    "atomic_volume": 1.18e-29,
    "resistivity": 2.25e-8,
    "effective_charge": -1.0,
}
METAL = Material("reference", **CONSTANTS)
LENGTH = 50 * um
DENSITY = 1e10  # j, from left to right [A/m2]
CRITICAL = 41 * MPa  # stress at which a void opens
KAPPA = 1.791718e-18  # [m2/s]
DRIFT = -1.954891e-16  # v [m/s]
GRADIENT = 3.054998e12  # |G| [Pa/m]
HIGHEST = 76.37495 * MPa  # steady stress of the right end
NUCLEATION = 7.929436e7  # when that end reaches CRITICAL, by Korhonen's series [s]
VOID_YEARS = (1.0, 3.0, 10.0, 100.0)
VOID_LENGTHS = (6.169165, 18.464977, 55.860853, 135.853092)  # of a void there from the start, by its series [nm]
STAR_CHARGE = -5.0
STAR_DENSITIES = (1.0e10, 1.2e10, 0.8e10)  # [A/m2]
STAR_STRESS = (-339.8685, -34.3687, 515.5309, 87.8312)  # [MPa]


def line(cells: int = 50, **options: Any) -> Model:
    """Return the stress model of the reference line; options as in `em.stress.model`."""
    domain = mesh.interval(LENGTH, cells=cells, names=("left", "right"))
    return stress.model(domain, METAL, **({"current_density": DENSITY} | options))


def star() -> mesh.Domain:
    """Return three wires that meet in J, of 20, 30 and 10 um."""
    return mesh.network(
        nodes=[(0, 0), (20 * um, 0), (50 * um, 0), (20 * um, 10 * um)],
        segments=[(0, 1), (1, 2), (1, 3)],
        width=[0.2 * um, 0.1 * um, 0.1 * um],
        thickness=0.1 * um,
        names={0: "A", 1: "J", 2: "B", 3: "C"},
    )


def stressed_star(**options: Any) -> Model:
    """Return the stress model of the reference star; options as in `em.stress.model`."""
    metal = METAL.having(effective_charge=STAR_CHARGE)
    return stress.model(star(), metal, current_density=STAR_DENSITIES, degree=1, **options)
