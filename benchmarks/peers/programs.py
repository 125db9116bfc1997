"""The programs that are compared, and the cheapest settings with which each reaches an error of 5 %."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Program:
    """A program.

    Attributes:
        title: as in the table.
        module: of this folder, with a class Film.
        requires: the module that must be installed.
        distribution: the package whose version is reported.
        settings: arguments of Film, by case; a case that is missing is not run.
    """

    title: str
    module: str
    requires: str
    distribution: str
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def missing(self) -> bool:
        """Return True if the program is not installed."""
        return importlib.util.find_spec(self.requires) is None

    def version(self) -> str:
        """Return its version."""
        return importlib.metadata.version(self.distribution)


PROGRAMS = {
    # Cells 40 to 48 of degree 2, degrees 1 to 6; rtol 1e-3 to 5e-3; the first step 0.5 to 6 (0.01 to 0.02).
    "emfem": Program(
        "emfem",
        "emfem_film",
        "emfem",
        "emfem",
        {
            "film": {"cells": 42, "rtol": 2.25e-3, "first_step": 5.0},
            "anisotropic": {"cells": 42, "rtol": 3e-3, "first_step": 0.02},
        },
    ),
    # 36 to 54 points; the step from 3 to the limit of stability, which costs no accuracy.
    "rk4": Program(
        "Fourier, RK4",
        "pseudospectral",
        "scipy",
        "scipy",
        {
            "film": {"n": 52, "step": 6.0, "method": "rk4"},
            "anisotropic": {"n": 52, "step": 0.03, "method": "rk4"},
        },
    ),
    # The same, untuned: eight points a wavelength, and steps at the limit of stability of the linear equation.
    "rk4-plain": Program(
        "Fourier, RK4, not tuned",
        "pseudospectral",
        "scipy",
        "scipy",
        {"film": {"n": 96, "step": None, "method": "rk4"}},
    ),
    # 48 to 128 points at that limit: the error is that of the steps, and a finer grid makes them smaller.
    "euler": Program(
        "Fourier, Euler",
        "pseudospectral",
        "scipy",
        "scipy",
        {"film": {"n": 84, "step": None, "method": "euler"}},
    ),
    # 36 to 54 points, steps 10, 15, 20.
    "etdrk4": Program(
        "Fourier, ETDRK4",
        "pseudospectral",
        "scipy",
        "scipy",
        {
            "film": {"n": 52, "step": 15.0, "method": "etdrk4"},
            "anisotropic": {"n": 52, "step": 0.1, "method": "etdrk4"},
        },
    ),
    # Steps 2, 4, 6 on 20 cells, which differ by 2 %. 42 cells have 3.7 %: some fewer will do, but were not tried.
    "scikit-fem": Program(
        "scikit-fem, Q2",
        "skfem_film",
        "skfem",
        "scikit-fem",
        {"film": {"cells": 42, "step": 4.0}},
    ),
    # 48 cells for the step (0.75 to 6); 160 (5.2 % with a step of 2.5), 168 (5.6 % with 5); 172 to the end: 4.60 %.
    "dolfinx": Program(
        "DOLFINx, mixed P1",
        "dolfinx_film",
        "dolfinx",
        "dolfinx-solver-real",
        {"film": {"n": 172, "step": 3.0}},
    ),
    # 192 to 288 cells, the step at the limit of stability, h^4 / (8 eps C (1 - C)).
    "py-pde": Program("py-pde", "pypde_film", "pde", "py-pde", {"film": {"n": 264, "step": 0.0365}}),
    # The same cells have the same error as with py-pde; two sweeps, one leaves first order in the step.
    "fipy": Program("FiPy", "fipy_film", "fipy", "FiPy", {"film": {"n": 268, "step": 3.0, "sweeps": 2}}),
}
