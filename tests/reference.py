"""Reference copper: the metal, a line, a star of three segments, and numbers of a separate script to seven digits."""

from __future__ import annotations

from typing import Any

import emfem as em
from emfem.materials import Material
from emfem.units import um
from emfem.verify.reference import CONSTANTS

DIGITS = 3e-7  # of the numbers below and of others from the same script

# A star of three segments; emfem.verify.reference has the steady stress at its nodes.
STAR: dict[str, Any] = {
    "nodes": [(0, 0), (20 * um, 0), (50 * um, 0), (20 * um, 10 * um)],
    "segments": [(0, 1), (1, 2), (1, 3)],
    "width": [0.2 * um, 0.1 * um, 0.1 * um],
    "thickness": 0.1 * um,
}
STAR_CURRENTS = [1.0e10, 1.2e10, 0.8e10]  # along each segment [A/m2]


def reference_copper(**changed: Any) -> Material:
    """Copper with the constants of the separate script, some of them changed."""
    return em.materials.copper(**(CONSTANTS | changed))
