"""Surfaces in space against the sharp ones: a ball becomes round, a wire pinches, a void drifts in a bar.

What the plane and bodies of revolution show in `test_surface_waves.py` and `test_surface_drift.py`, on cells in space:
an eighth or a quarter of each shape between mirrors, nothing of it turned about an axis. Errors are of second order in
the width l of the interface, and large where cells can be paid: several widths give the limit, a polynomial in l^2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
import pytest
import ufl
from numpy.typing import NDArray

GOLD = em.materials.gold(temperature=900.0)
R = 10 * nm
TIME = R**4 / em.analytic.mullins_coefficient(GOLD)
pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(3600),  # minutes of a processor each, which may be a loaded one
    pytest.mark.filterwarnings("ignore:the surface model. neck:emfem.ResolutionWarning"),  # wide ones give the limit
]


def box(sides: tuple[float, ...], cells: tuple[float, ...], **options: Any) -> em.mesh.Domain:
    """A box with cells of at most these widths."""
    return em.mesh.box(sides, cells=tuple(int(np.ceil(s / h)) for s, h in zip(sides, cells, strict=True)), **options)


def rate(model: em.Model, weight: Any, until: float, rtol: float = 1e-4) -> float:
    """Growth of `int c weight dx` over 1/TIME, after 0.4 of the run; energy falls, and metal is kept, on the way."""
    model.quantities["wave"] = em.model.Quantity(model["c"] * weight * model.domain.dx(4), "m3")
    seen = em.watch.series(["wave", "free_energy"], every=until * TIME / 20)
    watch = [seen, em.watch.conserved("metal", rtol=1e-10)]
    em.evolve(model, until * TIME, rtol=rtol, watch=watch, solver="iterative", progress=False)
    assert (np.diff(seen["free_energy"]) <= 2e-6 * seen["free_energy"][0]).all()
    late = seen.t > 0.4 * seen.t[-1]
    return float(np.polyfit(seen.t[late], np.log(np.abs(seen["wave"][late])), 1)[0] * TIME)


def ball_decay(part: float) -> float:
    """Decay of the wave P2 of a ball over B / R^4; l is a part of R. Walls 7 l away change it by 0.3 %."""

    def shape(x: NDArray[np.float64], _: object = None) -> NDArray[np.float64]:
        r = np.linalg.norm(x, axis=0)
        return np.asarray(R * (1 + 0.03 * (1.5 * (x[0] / np.maximum(r, 1e-3 * R)) ** 2 - 0.5)) - r)

    domain = box(((1 + 7 * part) * R,) * 3, (0.6 * part * R,) * 3)
    model = em.surface.model(domain, GOLD, shape=shape, interface_width=part * R)
    x = ufl.SpatialCoordinate(domain.mesh)
    return -rate(model, (x[0] ** 2 - x[1] ** 2 / 2 - x[2] ** 2 / 2) / R**2, 0.015, 1e-3)


def wire_growth(part: float, kr: float = 2**-0.5) -> float:
    """Growth of a wave around a wire over B / R^4: half of a wave, a quarter of the wire."""
    length, across = np.pi * R / kr, (1 + 9 * part) * R
    domain = box((length, across, across), (1.2 * part * R, 0.6 * part * R, 0.6 * part * R))
    shape = em.surface.wire(R, amplitude=0.02 * R, wavelength=2 * length)
    model = em.surface.model(domain, GOLD, shape=shape, interface_width=part * R)
    x = ufl.SpatialCoordinate(domain.mesh)
    return rate(model, ufl.cos(np.pi / length * x[0]), 0.6)


def bar_drift(part: float, side: float = 5.0) -> float:
    """Velocity of a ball of vacuum in a bar over that of the sharp one; a quarter of the bar."""
    domain = box((side * R, side / 2 * R, side / 2 * R), (0.7 * part * R,) * 3)
    model = em.surface.model(
        domain,
        GOLD,
        shape=em.surface.void((side / 2 * R, 0.0, 0.0), R),
        interface_width=part * R,
        current_density=3e11,
        on=("left", "right"),
    )
    watch = [em.watch.conserved("metal", rtol=1e-10)]
    em.evolve(model, 0.05 * TIME, rtol=1e-3, watch=watch, solver="iterative", progress=False)
    exact = em.analytic.void_drift_velocity(
        GOLD, radius=R, current_density=3e11, area_fraction=4 / 3 * np.pi / side**3, dimension=3
    )
    return float(em.surface.drift_velocity(model)[0] / exact)


def sharp(measure: Callable[[float], float], *widths: float) -> float:
    """Limit of a measure for a thin interface: the polynomial in l^2 through its values at widths l over the radius."""
    values = [measure(width) for width in widths]
    return float(np.polyfit(np.square(widths), values, len(widths) - 1)[-1])


def test_a_ball_becomes_round_at_24_b_over_r4() -> None:
    """A wave P_n of a ball decays at (n - 1) n (n + 1) (n + 2) B / R^4; 23, 8.3 and 3.6 % slower with these interfaces.

    The error is 6 (l/R)^2 only for l < 0.07 R; before, l^4 counts as well. The limit of the first two widths is 3.5 %
    off, that of the last two 0.9 %, and that of all three 0.2 %.
    """
    assert sharp(ball_decay, 0.15, 0.1, 0.07) == pytest.approx(24.0, rel=0.03)


def test_a_wire_pinches_as_rayleigh_and_plateau_predict() -> None:
    """The wave that grows fastest, kR = 1 / sqrt 2, at B / 4 R^4: 10 % and 5 % faster with these interfaces."""
    assert sharp(wire_growth, 0.15, 0.1) == pytest.approx(0.25, rel=0.03)


def test_a_void_in_a_bar_drifts_at_three_times_the_pull_over_its_radius() -> None:
    """Of a cube of five radii it takes 3.4 %; 7 % and 3 % slower with these interfaces."""
    assert sharp(bar_drift, 0.2, 0.15) == pytest.approx(1.0, rel=0.03)
