"""Films on surfaces in space: small waves on a sphere and on a tube against linear theory, a tube against the plane.

On a sphere of radius R a spherical harmonic of degree l is an eigenfunction of the Laplace-Beltrami operator with
k^2 = l (l + 1)/R^2, so it grows as a plane wave of that k; a tube unrolls to a plane, with waves k = n/R around it.
"""

from __future__ import annotations

import math
from typing import Any

import emfem as em

import numpy as np
import pytest
import ufl
from dolfinx import fem

# eps is small so that waves as long as the sphere grow
ALLOY = em.film.Alloy(entropy=0.1, enthalpy=0.15, solute_expansion=-0.55, gradient_energy=0.002)
CRYSTAL = em.film.Anisotropy(surface="110", strength=1.0, ratio=0.5)  # D = 2 along x, 0.5 across
SMALL = 1e-4  # the second order in the amplitude changes the rate by about this much


def growth(domain: em.mesh.Domain, wave: Any, *, until: float = 1.0, **arguments: Any) -> float:
    """The measured rate of a small wave, from its amplitude before and after."""
    film = em.film.model(domain, ALLOY, mean=0.3, initial=lambda x: 0.3 + SMALL * wave(x), **arguments)
    before, solute = film.quantity("amplitude"), film.quantity("solute")
    em.evolve(film, until, rtol=1e-7, atol=1e-11, progress=False)
    assert film.quantity("solute") == pytest.approx(solute, rel=1e-12)
    return math.log(film.quantity("amplitude") / before) / until


def theory(k: tuple[float, float], **arguments: Any) -> float:
    return complex(em.film.growth_rate(k, ALLOY, mean=0.3, **arguments)).real


def harmonic(x: Any) -> Any:
    """The zonal harmonic of degree 2 of the unit sphere."""
    return (3 * x[2] ** 2 - 1) / 2


def test_a_harmonic_on_a_sphere_grows_as_a_wave_of_its_wavenumber():
    """Curved cells: the geometry's error is of order 4, that of Q2 too; measured 3e-4 and 4e-5."""
    exact = theory((math.sqrt(6.0), 0.0))
    errors = [abs(growth(em.mesh.sphere(1.0, size=size, order=2), harmonic) / exact - 1) for size in (0.4, 0.2)]
    assert errors[0] < 6e-4
    assert errors[1] < 2e-4  # the floor of the amplitude


def test_flat_cells_see_a_sphere_with_an_error_of_second_order():
    """The curvature radius of flat cells is wrong by h^2: measured 1.9e-2 and 4.8e-3."""
    exact = theory((math.sqrt(6.0), 0.0))
    errors = [abs(growth(em.mesh.sphere(1.0, size=size), harmonic) / exact - 1) for size in (0.4, 0.2)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.4)


@pytest.mark.parametrize(
    ("wave", "k"),
    [(lambda x: np.cos(math.pi * x[0] / 2.0), (math.pi / 2.0, 0.0)), (lambda x: x[1], (0.0, 1.0))],
    ids=["along", "around"],
)
def test_the_crystal_of_a_tube_has_one_axis_along_it_and_one_around(wave: Any, k: tuple[float, float]):
    tube = em.mesh.tube(1.0, 2.0, size=0.25, order=2)
    found = growth(tube, wave, anisotropy=CRYSTAL)
    assert found == pytest.approx(theory(k, anisotropy=CRYSTAL), rel=2e-3)
    assert theory(k, anisotropy=CRYSTAL) != pytest.approx(theory(k), rel=0.3)  # the tensor is seen


def _start(around: Any) -> Any:
    return lambda x: 0.3 + 0.1 * np.cos(math.pi * x[0] / 2.0) + 0.05 * around(x)


def test_a_film_on_a_tube_is_the_one_it_unrolls_to():
    """In a field along the tube, far from linear: means of c against those on a rectangle, periodic around."""
    around = 2 * math.pi
    plane = em.mesh.periodic_rectangle((2.0, around), cells=(8, 24), axes="y")
    tube = em.mesh.tube(1.0, 2.0, size=0.25, order=2)
    found = []
    starts = (lambda x: np.cos(x[1]), lambda x: x[1])  # the same wave around, with and without the angle
    for domain, around_it, field in zip((plane, tube), starts, ((0.1, 0.0), (0.1, 0.0, 0.0)), strict=True):
        film = em.film.model(
            domain,
            ALLOY,
            anisotropy=CRYSTAL,
            field=field,
            initial=_start(around_it),
        )
        em.evolve(film, 2.0, rtol=1e-5, progress=False)
        x = ufl.SpatialCoordinate(domain.mesh)[0]
        moment = em.fields.integral(fem.form(film["c"] * x * domain.dx(4)), domain.mesh.comm)
        found.append([film.quantity(name) for name in ("solute", "amplitude", "free_energy")] + [moment])
    assert found[1] == pytest.approx(found[0], rel=1e-3)


def test_a_current_along_a_tube_meets_its_unrolled_resistance():
    tube = em.mesh.tube(0.5, 3.0, size=0.2, order=2)
    model = em.conduction.model(tube, conductivity=2.0, on={"left": em.fixed(1.0), "right": em.fixed(0.0)})
    em.solve_steady(model)
    assert em.conduction.resistance(model) == pytest.approx(
        3.0 / (2.0 * math.pi * 0.5 * 2), rel=5e-5
    )  # curved cells follow the circle to h^4


def test_a_tensor_of_the_wrong_size_is_refused_on_a_surface():
    with pytest.raises(em.ParameterError, match=r"anisotropy = .*, must be a finite tensor of shape \(2, 2\)"):
        em.film.model(em.mesh.tube(1.0, 2.0, size=0.5), ALLOY, mean=0.3, anisotropy=np.eye(3))
