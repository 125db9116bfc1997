"""Mechanics of solids: elastic equilibrium, eigenstrain, thermal stress, and atoms that move in the stress they make.

    div s = 0,   s = lambda tr(e) I + 2 mu e,   e = (grad u + grad u^T)/2 - eigenstrain

Tension is positive. Everything is SI.
"""

import importlib
from typing import Any

from emfem.mechanics.atoms import Vacancies
from emfem.mechanics.boundaries import Support, clamped, pressure, roller, support, traction
from emfem.mechanics.elasticity import (
    Elastic,
    energy_density,
    hydrostatic,
    is_axisymmetric,
    isotropic,
    mixed_stress,
    out_of_plane,
    strain,
    stress,
    von_mises,
)
from emfem.mechanics.equations import model
from emfem.mechanics.section import line_section
from emfem.mechanics.solids import elastic
from emfem.public import dir_of

__all__ = [
    "Elastic",
    "Support",
    "Vacancies",
    "clamped",
    "effective_modulus",
    "elastic",
    "energy_density",
    "hydrostatic",
    "is_axisymmetric",
    "isotropic",
    "line_section",
    "mixed_stress",
    "model",
    "out_of_plane",
    "pressure",
    "roller",
    "strain",
    "stress",
    "support",
    "traction",
    "von_mises",
]
__dir__ = dir_of(__all__)


def __getattr__(name: str) -> Any:
    """Load `effective_modulus` on its first use: it solves, and solvers are of a higher layer."""
    if name == "effective_modulus":
        return importlib.import_module("emfem.confinement").effective_modulus
    msg = f"module 'emfem.mechanics' has no attribute {name!r}"
    raise AttributeError(msg)
