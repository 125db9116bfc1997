"""Bodies of revolution: every physics on a plane domain turned about the x axis."""

from collections.abc import Callable

import emfem as em

import numpy as np
import pytest
import ufl
from dolfinx import fem
from scipy.special import j0

LENGTH, RADIUS = 3.0, 0.5


def cylinder(cells: tuple[int, int] = (12, 6)) -> em.mesh.Domain:
    """A rod along x."""
    return em.mesh.axisymmetric(em.mesh.rectangle((LENGTH, RADIUS), cells=cells))


def test_volume_and_faces_are_those_of_the_body():
    domain = cylinder()
    one, comm = fem.Constant(domain.mesh, 1.0), domain.mesh.comm
    volume = em.fields.integral(fem.form(one * domain.dx(1)), comm)
    side = em.fields.integral(fem.form(one * domain.ds("top", 1)), comm)
    assert volume == pytest.approx(np.pi * RADIUS**2 * LENGTH, rel=1e-12)
    assert side == pytest.approx(2 * np.pi * RADIUS * LENGTH, rel=1e-12)
    assert np.prod(domain.extent()) == pytest.approx(volume, rel=1e-12)


def test_a_rod_has_the_resistance_of_its_cross_section():
    domain = cylinder()
    current = em.conduction.model(domain, conductivity=4.0, on={"left": em.fixed(0.0), "right": em.fixed(1.0)})
    em.solve_steady(current)
    expected = LENGTH / (4.0 * np.pi * RADIUS**2)
    assert em.conduction.resistance(current) == pytest.approx(expected, rel=1e-10)


def test_a_rod_heated_inside_and_cooled_outside_is_a_parabola_across():
    """T - T0 = s (R^2 - r^2) / (4 k): quadratic elements are exact but for the solver."""
    domain = cylinder()
    heat = em.heat.model(
        domain, conductivity=2.0, heat_capacity=1.0, source=40.0, on={"top": em.fixed(300.0)}, initial=300.0
    )
    em.solve_steady(heat)
    r = np.linspace(0.0, RADIUS, 5)
    places = np.stack([np.full_like(r, LENGTH / 2), r], axis=1)
    expected = 300.0 + 40.0 * (RADIUS**2 - r**2) / (4 * 2.0)
    assert em.fields.evaluate(heat["T"], places) == pytest.approx(expected, rel=1e-9)


def test_a_species_in_a_closed_rod_keeps_its_amount():
    domain = cylinder()
    c = em.migration.model(domain, diffusivity=1.0, drift=(2.0, 0.0), initial=lambda x: 1 + x[1])
    start = c.quantity("amount")
    assert start == pytest.approx(2 * np.pi * LENGTH * (RADIUS**2 / 2 + RADIUS**3 / 3), rel=1e-10)
    em.evolve(c, until=0.5, progress=False)
    assert c.quantity("amount") == pytest.approx(start, rel=1e-10)


def test_a_film_has_a_body_too():
    """Growth of a mode J0(k r) of the linearised film equation: -C0 (1 - C0) k^2 (f'' + eps k^2)."""
    radius = 3.8317059702075125  # first zero of J1, so k = 1 and no flux through the rim
    domain = em.mesh.axisymmetric(em.mesh.rectangle((0.5, radius), cells=(1, 24)))
    alloy = em.film.cupd()
    film = em.film.model(domain, alloy, mean=0.3, initial=lambda x: 0.3 + 1e-5 * j0(x[1]))
    form = fem.form((film["c"] - 0.3) * ufl.bessel_J(0, ufl.SpatialCoordinate(domain.mesh)[1]) * domain.dx(8))
    before = em.fields.integral(form, domain.mesh.comm)
    em.evolve(film, until=40.0, rtol=1e-6, atol=1e-9, progress=False)
    after = em.fields.integral(form, domain.mesh.comm)
    rate = em.film.growth_rate((1.0, 0.0), alloy, mean=0.3, anisotropy=em.film.Anisotropy(surface="110", strength=0.0))
    assert np.log(after / before) / 40.0 == pytest.approx(rate.real, rel=2e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: em.mesh.interval(1.0, cells=3), "must be plane"),
        (lambda: em.mesh.box((1, 1, 1), cells=(1, 1, 1)), "must be plane"),
        (lambda: em.mesh.axisymmetric(em.mesh.rectangle((1, 1), cells=(1, 1))), "must be plane"),
        (lambda: em.mesh.periodic_rectangle((1, 1), cells=(3, 3)), "periodic in y"),
        (lambda: em.mesh.sphere(radius=1.0, size=0.5), "must be plane"),
        (lambda: em.mesh.annulus(inner=0.5, outer=1.0, size=0.3), "must not reach below 0"),
    ],
)
def test_what_cannot_be_turned_is_refused(make: Callable[[], em.mesh.Domain], message: str):
    with pytest.raises(em.ParameterError, match=message):
        em.mesh.axisymmetric(make())
