"""Stress in confined metals under current: Korhonen's equation, immortality, and voids at nodes.

    dsigma/dt = div kappa (grad sigma + Z* e E/Omega - Q* grad T/(Omega T)),   kappa = D B Omega/(k T)

Tension is positive. Everything is SI.
"""

import importlib
from typing import Any

from emfem.public import dir_of
from emfem.stress.equations import model
from emfem.stress.field import Stress, at_nodes
from emfem.stress.immortal import Immortality, immortal
from emfem.stress.steady import steady
from emfem.stress.voids import open_void, set_opened

__all__ = [
    "Immortality",
    "Stress",
    "at_nodes",
    "effective_modulus",
    "immortal",
    "model",
    "open_void",
    "set_opened",
    "steady",
]
__dir__ = dir_of(__all__)


def __getattr__(name: str) -> Any:
    """Load `effective_modulus` on its first use: it is computed by mechanics, of a higher layer."""
    if name == "effective_modulus":
        return importlib.import_module("emfem.confinement").effective_modulus
    msg = f"module 'emfem.stress' has no attribute {name!r}"
    raise AttributeError(msg)
