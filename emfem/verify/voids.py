"""Voids in stressed metal: where they saturate in a blocked line."""

from __future__ import annotations

from emfem import materials, mesh, voids, watch
from emfem.evolution import evolve
from emfem.units import boltzmann, nm
from emfem.verify.registry import check

import numpy as np

# J. Appl. Phys. 118, 034504 (2015): a line of 1 um at 373.15 K
KAPPA, LENGTH, WIDTH, EMPTY = 8.5e-18, 1e-6, 10 * nm, 60 * nm  # m2/s, m
LINE = materials.Material(
    "line",
    temperature=373.15,
    diffusivity=KAPPA * boltzmann * 373.15 / (1e11 * 1.66e-29),
    bulk_modulus=1e11,
    atomic_volume=1.66e-29,
    effective_charge=-10.0,
    resistivity=3e-8,
    surface_energy=1.7,
    surface_diffusivity_thickness=3e-23,
)


@check(
    "voids",
    source="V. Sukharev, X. Huang, S. X.-D. Tan, J. Appl. Phys. 118, 034504 (2015): e |Z*| rho j L^2/(2 Omega B), with"
    " e = 1.6e-19 C; and atoms that are lost, 0",
    target=(4.33735e-11, 0.0),
    atol=1e-13,
    unit=("m", "m"),
)
def saturation_in_a_blocked_line(full: bool) -> tuple[float, float]:
    """Void that cuts a blocked line at 3e9 A/m2 saturates at its length over the cross-section, and no atom is lost."""
    model = voids.model(
        mesh.rectangle((LENGTH + EMPTY, WIDTH), cells=(round((LENGTH + EMPTY) / WIDTH), 1)),
        LINE,
        shape=lambda x: LENGTH - x[0],
        interface_width=WIDTH,
        current_density=3e9,
        on=("left", "right"),
        liner=True,
        conductivity_ratio=5.5e-4,
    )
    seen = watch.series(["void", "atoms"])
    evolve(model, 5 * LENGTH**2 / KAPPA, watch=[seen], first_step=1.0, progress=False)
    lost = float(np.ptp(seen["atoms"])) * LINE.atomic_volume / WIDTH
    return float(seen["void"][-1] - seen["void"][0]) / WIDTH, lost
