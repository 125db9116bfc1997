"""Shapes of a void that is not quite round, against current and stress: round, wedge, slit.

Each void begins as an ellipse a third longer across the current than along it, and keeps its area. Curvature rounds it.
The wind of the electrons makes it drift, and from some size on flattens or sharpens it. Tension along x makes atoms
leave the tips, where elastic energy is high, until the void is a slit across the line. The numbers are

    chi = |Z*| e E R^2 / (gamma Omega),   Lambda = (1 - nu^2) s^2 R / (E gamma):

a round void is stable against small waves at any chi, and, under tension alike in both directions, below Lambda = 3/8
(em.analytic.void_growth_rates, em.analytic.stressed_void_rate). All are shown at the same time, or when they cut the
line. Half of each is computed, above the axis.
"""

import argparse
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
from matplotlib.figure import Figure

RADIUS, OVAL = 20 * nm, 1.33  # m; of the ellipse, axis across the current over that along it
CELL = (8.0, 3.0)  # radii: period along the current, half of the line's width
POISSON = 0.3
GOLD = em.materials.gold(temperature=900.0).having(youngs_modulus=80e9, poisson_ratio=POISSON)
TIME = RADIUS**4 / em.analytic.mullins_coefficient(GOLD)  # s


def field_of(chi: float) -> float:
    """Current density of a wind number [A/m2]; electrons go along +x, and so do atoms of gold."""
    number = em.surface.scales(GOLD, radius=RADIUS, current_density=1e11).wind_number
    return -1e11 * chi / number


def strain_of(load: float) -> Any:
    """Mean strain of a Lambda, along x alone in stress [-]."""
    modulus = GOLD.youngs_modulus / (1 - POISSON**2)
    stress = np.sqrt(load * modulus * GOLD.surface_energy / RADIUS)
    return (stress / modulus, -POISSON / (1 - POISSON) * stress / modulus) if load else None


def oval(x: Any) -> Any:
    """Distance into the metal around the ellipse, to first order."""
    long, short = RADIUS * np.sqrt(OVAL), RADIUS / np.sqrt(OVAL)
    dx, dy = x[0] - CELL[0] * RADIUS / 2, x[1]
    level = np.hypot(dx / short, dy / long)
    return (level - 1) * level / np.maximum(np.hypot(dx / short**2, dy / long**2), 1e-3 / RADIUS)


def shape(chi: float, load: float, width: float, until: float) -> tuple[em.Model, float]:
    """The void at the end, and the time of that over R^4 / B."""
    sides = [side * RADIUS for side in CELL]
    domain = em.mesh.periodic_rectangle(sides, cells=[round(side / width) for side in sides], axes="x")
    model = em.surface.model(
        domain,
        GOLD,
        shape=oval,
        interface_width=width,
        current_density=field_of(chi) if chi else None,
        strain=strain_of(load),
        stiffness_ratio=1e-3,
    )
    thin = em.watch.stop_when(em.surface.neck_below(0.5 * RADIUS), "slit")
    run = em.evolve(model, until=until * TIME, rtol=1e-3, watch=[thin], progress=False)
    return model, run.t / TIME
