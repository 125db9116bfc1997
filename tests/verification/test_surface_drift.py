"""Voids that drift in a line under a current, against the sharp surface."""

from __future__ import annotations

from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
import pytest

GOLD = em.materials.gold(temperature=900.0)


def drift(
    part: float,
    *,
    radius: float = 20 * nm,
    fine: float = 0.6,
    sides: float = 5.0,
    until: float = 0.2,
    material: Any = GOLD,
    current_density: float = 1e11,
    **options: Any,
) -> tuple[float, float]:
    """Velocity of a void over that of the sharp surface, conductance over Rayleigh's; half of a square cell."""
    width, length = part * radius, sides * radius
    n = int(np.ceil(length / (fine * width) / 2))
    domain = em.mesh.periodic_rectangle((length, length / 2), cells=(2 * n, n), axes="x")
    model = em.surface.model(
        domain,
        material,
        shape=em.surface.void((length / 2, 0.0), radius),
        interface_width=width,
        current_density=current_density,
        **options,
    )
    seen = em.watch.series(["x_centre"])
    time = until * radius**4 / em.analytic.mullins_coefficient(material)
    em.evolve(model, until=time, watch=[seen, em.watch.conserved("metal", rtol=1e-8)], progress=False)
    late = seen.t > time / 2
    velocity = np.polyfit(seen.t[late], seen["x_centre"][late], 1)[0]
    fraction = np.pi * radius**2 / length**2
    expected = em.analytic.void_drift_velocity(
        material,
        radius=radius,
        current_density=current_density,
        area_fraction=fraction,
        contrast=options.get("conductivity_ratio", 0.0) < 1.0,
    )
    whole = model.quantity("conductance") * GOLD.resistivity * 2  # of a square it is the conductivity
    return float(velocity / expected), whole / em.analytic.rayleigh_conductivity(fraction)
