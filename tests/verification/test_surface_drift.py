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


@pytest.fixture(scope="module")
def tenth() -> tuple[float, float]:
    """Drift and conductance at l/R = 0.1."""
    return drift(0.1, fine=0.5)


def test_a_void_drifts_as_the_sharp_surface_predicts(tenth: tuple[float, float]):
    assert tenth[0] == pytest.approx(1.0, rel=0.02)


def test_the_error_of_a_drift_is_of_second_order_in_the_width(tenth: tuple[float, float]):
    """Measured 2.5: the cells, half of l in size, leave about 1 % of it at every width."""
    errors = [drift(0.2, fine=0.5)[0] - 1, tenth[0] - 1]
    assert 1.7 < np.log2(errors[0] / errors[1]) < 3.0


def test_a_cell_with_a_void_conducts_as_rayleigh_predicts(tenth: tuple[float, float]):
    assert tenth[1] == pytest.approx(1.0, rel=0.01)


def test_a_void_that_conducts_drifts_half_as_fast():
    """The field is then the same everywhere, and the velocity that of the force alone."""
    assert drift(0.07, conductivity_ratio=1.0)[0] == pytest.approx(1.0, rel=0.03)


def test_drift_is_inverse_to_the_radius_and_signed_by_the_metal(tenth: tuple[float, float]):
    """The closed form has 1/R and the sign: at half the radius the ratio to it is the same, in tungsten as in gold."""
    metal = em.materials.tungsten(temperature=900.0)
    assert drift(0.1, radius=10 * nm, material=metal, fine=0.5)[0] == pytest.approx(tenth[0], rel=0.01)
    velocities = [em.analytic.void_drift_velocity(m, radius=10 * nm, current_density=1e11) for m in (GOLD, metal)]
    assert velocities[0] > 0 > velocities[1]


def test_a_ball_drifts_at_three_times_the_pull_over_its_radius():
    """About the axis, in a tube of which it takes 4 %: 5 % are left of l/R = 0.14 and of the neighbours."""
    radius = 20 * nm
    width, length, height = 0.14 * radius, 6 * radius, 2.5 * radius
    cells = (int(length / (0.7 * width)), int(height / (0.7 * width)))
    domain = em.mesh.axisymmetric(em.mesh.periodic_rectangle((length, height), cells=cells, axes="x"))
    shape = em.surface.void((length / 2, 0.0), radius)
    model = em.surface.model(domain, GOLD, shape=shape, interface_width=width, current_density=1e11)
    em.evolve(model, until=0.1 * radius**4 / em.analytic.mullins_coefficient(GOLD), progress=False)
    fraction = 4 / 3 * radius**3 / (height**2 * length)
    exact = em.analytic.void_drift_velocity(
        GOLD, radius=radius, current_density=1e11, area_fraction=fraction, dimension=3
    )
    assert em.surface.drift_velocity(model) == pytest.approx([exact, 0.0], rel=0.05, abs=0)
