"""Reference copper: the metal, a line, a star of three segments, and numbers of a separate script to seven digits."""

from __future__ import annotations

from typing import Any

import emfem as em
from emfem.materials import Arrhenius, Material
from emfem.units import eV, um

DIGITS = 3e-7  # of the numbers below and of others from the same script

CONSTANTS: dict[str, Any] = {
    "temperature": 378.15,
    "diffusivity": Arrhenius(1.3e-9, 0.8 * eV),
    "bulk_modulus": 28e9,
    "atomic_volume": 1.18e-29,
    "resistivity": 2.25e-8,
    "effective_charge": -1.0,
}

# A blocked line of 50 um under 1e10 A/m2: the time at which its tension comes to 41 MPa [s].
NUCLEATION_TIME = 7.929436e7

# A star of three segments, for the metal with effective_charge = -5, and the steady stress at its nodes [MPa].
STAR: dict[str, Any] = {
    "nodes": [(0, 0), (20 * um, 0), (50 * um, 0), (20 * um, 10 * um)],
    "segments": [(0, 1), (1, 2), (1, 3)],
    "width": [0.2 * um, 0.1 * um, 0.1 * um],
    "thickness": 0.1 * um,
}
STAR_CURRENTS = [1.0e10, 1.2e10, 0.8e10]  # along each segment [A/m2]
STAR_STRESS = (-339.8685, -34.3687, 515.5309, 87.8312)


def reference_copper(**changed: Any) -> Material:
    """Copper with the constants of the separate script, some of them changed."""
    return em.materials.copper(**(CONSTANTS | changed))
