"""From stress to a void that cuts a line: a copper line is blocked at both ends, and electrons enter at the right one.

Tension rises there until it reaches the critical stress; at a flaw of the upper interface it does so first. A small
void opens, and takes up the tension of the metal around it. It grows on, and creeps along its surface, until it saturates
or spans the line; then the liner alone carries the current.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure

LINE, DENSITY, THERMAL = (900 * nm, 60 * nm), 4e11, 100e6  # m, A/m2, Pa
COPPER = em.materials.Material(
    "line of copper",
    temperature=573.15,
    diffusivity=1e-16,
    bulk_modulus=28e9,
    atomic_volume=1.18e-29,
    effective_charge=-5.0,
    resistivity=3.5e-8,
    surface_energy=1.7,
    surface_diffusivity_thickness=1e-23,
)
FLAW, STRENGTH, WEAK = (840 * nm, 60 * nm), 500e6, 250e6  # m, Pa


def critical(x: Any) -> Any:
    """Critical stress: lower within 20 nm of a flaw of the upper interface."""
    return np.where(np.hypot(x[0] - FLAW[0], x[1] - FLAW[1]) < 20 * nm, WEAK, STRENGTH)


def main(width: float = 6 * nm, until: float = 3e3, out: str = "results/via_failure") -> dict[str, float]:
    """Time and place of the void, its volume at the end and what it does to the resistance.

    Args:
        width: of interfaces, and of cells [m].
        until: time to give up at [s].
        out: folder for the results.
    """
    cells = [round(side / width) for side in LINE]
    domain = em.mesh.rectangle(LINE, cells=cells)
    stress = em.stress.model(domain, COPPER, current_density=(DENSITY, 0.0), residual_stress=THERMAL)
    pictures: Any = em.watch.snapshots("c", every=until / 200)

    def make(shape: Any, sigma: Any) -> em.Model:
        return em.voids.model(
            domain,
            COPPER,
            shape=shape,
            interface_width=width,
            current_density=DENSITY,
            on=("left", "right"),
            residual_stress=sigma,
            liner=True,
            conductivity_ratio=2e-3,
        )

    life = em.voids.run(
        stress, make, critical_stress=critical, seed_radius=16 * nm, until=until, rise=1.0, watch=[pictures]
    )
    em.write.print_root(life)
    return life, pictures
