"""Resolution of the fastest wave of height and composition."""

from __future__ import annotations

import math
from typing import Any

from emfem import fields
from emfem.height.alloy import Alloy
from emfem.height.waves import growth_rates
from emfem.mesh import Domain
from emfem.model import Model, Resolution, largest_diameter, measure_size

import numpy as np
from dolfinx import fem

NODES = 8.0
LENGTHS = 200  # waves that are looked at, from twice the domain to two nodes
DIRECTIONS = 12


def resolutions(domain: Domain, alloy: Alloy, c: Any, field: Any, degree: int) -> list[Resolution]:
    """Return the number of nodes in the fastest wave on a flat surface, if one grows."""
    tdim = domain.mesh.topology.dim

    def nodes(model: Model, t: float) -> float:
        """`wavelength degree/h`, h the longest edge of a cell; NaN if no wave grows."""
        del model, t
        dx = domain.dx(c.function_space.element.basix_element.degree)
        mean = fields.integral(fem.form(c * dx), domain.mesh.comm) / measure_size(domain, dx)
        vector = np.array([_signed_mean(domain, field[i]) for i in range(domain.dim)])
        cells = np.arange(domain.mesh.topology.index_map(tdim).size_local, dtype=np.int32)
        distance = largest_diameter(domain.mesh, cells) / math.sqrt(tdim) / degree
        wave = fastest_wave(alloy, min(max(mean, 1e-6), 1 - 1e-6), vector, domain.extent()[0], distance)
        return wave / distance

    def remedy(number: float) -> str:
        return f"its growth is off by 1 % and more; take cells {NODES / number:.2g} times smaller"

    return [Resolution("nodes in the fastest wave", nodes, NODES, remedy)]


def fastest_wave(alloy: Alloy, mean: float, field: Any, longest: float, shortest: float) -> float:
    """Return the wavelength that grows fastest between two lengths; NaN if none grows."""
    sizes = 2 * math.pi / np.geomspace(2 * longest, 2 * shortest, LENGTHS)
    angles = np.linspace(0.0, math.pi, DIRECTIONS, endpoint=False) if len(field) > 1 else np.zeros(1)
    around = np.stack([np.cos(angles), np.sin(angles)], axis=-1)[:, : len(field)]
    k = np.multiply.outer(sizes, around).reshape(-1, len(field))
    growth = growth_rates(k, alloy, mean=mean, field=field)[:, 0].real
    best = int(np.argmax(growth))
    return 2 * math.pi / float(np.linalg.norm(k[best])) if growth[best] > 0 else math.nan


def _signed_mean(domain: Domain, value: Any) -> float:
    """Return the mean of a coefficient, 0 while it is not known. Collective."""
    one = fem.Constant(domain.mesh, 1.0)
    dx = domain.dx(2)
    mean = fields.integral(fem.form(value * one * dx), domain.mesh.comm) / measure_size(domain, dx)
    return mean if math.isfinite(mean) else 0.0
