"""A surface of finite width acts on the bulk beside it as a sharp one does, to the second order in the width."""

from __future__ import annotations

import re
from typing import Any

import emfem as em
from emfem.units import nm
from emfem.voids.terms import surface_wind
from tests.voids import metals

import numpy as np
import pytest
import ufl
from dolfinx import fem

METAL = metals.METAL.having(surface_diffusivity_thickness=3e-20)
LENGTH, TENSION = 400 * nm, 100e6


def taken_up(time: float) -> float:
    """Part of the tension of a blocked line that a void at its end has taken up; time in L^2 / kappa."""
    odd = 2 * np.arange(200) + 1
    return float(1 - np.sum(8 / (odd * np.pi) ** 2 * np.exp(-((odd * np.pi / 2) ** 2) * time)))


@pytest.mark.parametrize(("width", "error"), [(20 * nm, 1.2e-2), pytest.param(10 * nm, 3e-3, marks=pytest.mark.soak)])
def test_a_flat_void_takes_up_tension_as_a_sharp_one(width: float, error: float):
    """Of V = s L / B; with the exchange at r = 36 it is 26 % and 14 % too fast, the void acts 1.4 l longer."""
    domain = em.mesh.rectangle((500 * nm, width), cells=(round(1000 * nm / width), 1))
    model = em.voids.model(domain, METAL, shape=lambda x: LENGTH - x[0], interface_width=width, residual_stress=TENSION)
    begin, relaxation = model.quantity("void"), model.quantity("relaxation_time") * 0.8**2
    em.evolve(model, until=0.05 * relaxation, first_step=1e-7 * relaxation, rtol=1e-5, progress=False)
    grown = (model.quantity("void") - begin) / width * METAL.bulk_modulus / (TENSION * LENGTH)
    assert grown == pytest.approx(taken_up(0.05), rel=error, abs=0)


def test_the_wind_along_a_surface_is_that_where_the_surface_is():
    """`int f W = int W` and `int n f W = 0`; across the surface it is the wind of the bulk, h E."""
    domain = em.mesh.rectangle((40.0, 1.0), cells=(320, 1))
    x, dx = ufl.SpatialCoordinate(domain.mesh)[0] - 20.0, domain.dx(12)
    c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 2)))
    c.interpolate(lambda x: 1 / (1 + np.exp(20.0 - x[0])))
    share, well = c**2 * (3 - 2 * c), c**2 * (1 - c) ** 2
    along = surface_wind(c, share, ufl.as_vector([0.0, 1.0]), 1.0)
    across = surface_wind(c, share, ufl.as_vector([1.0, 0.0]), 1.0)

    chosen = fem.Constant(domain.mesh, np.zeros(4))
    parts = (well, well * along[1], x * well * along[1], well * (across[0] - share))
    form = fem.form(sum(chosen[i] * part for i, part in enumerate(parts)) * dx)  # one form: compiled once

    def whole(i: int) -> float:
        chosen.value[:] = np.arange(4) == i
        return em.fields.integral(form, domain.mesh.comm)

    assert whole(1) == pytest.approx(whole(0), rel=1e-4)
    assert abs(whole(2)) < 1e-4 * whole(0)
    assert abs(whole(3)) < 1e-4 * whole(0)


WIDTHS = np.array([6.0, 3.0, 1.5])


def test_the_limit_of_thin_interfaces_is_exact_for_errors_of_the_first_order():
    """Of a number, and of an array of them, widths halved or not."""
    slope = np.array([1.0, -2.0])
    limit, error = em.voids.sharp_limit(WIDTHS, 60.0 + WIDTHS[:, None] * slope)
    assert limit == pytest.approx([60.0, 60.0], rel=1e-14)
    assert error == pytest.approx([0.0, 0.0], abs=1e-12)
    limit, error = em.voids.sharp_limit([6.0, 4.0], [48.0, 52.0])
    assert (float(limit), float(error)) == (60.0, 8.0)


@pytest.mark.parametrize("law", [lambda x: x**2, lambda x: x * np.log(900 / x), lambda x: x + 0.1 * x**2])
@pytest.mark.parametrize("first", [0, 1])
def test_the_error_of_that_limit_covers_other_laws(law: Any, first: int):
    limit, error = em.voids.sharp_limit(WIDTHS[first:], 60.0 - law(WIDTHS[first:]))
    assert 0 < abs(limit - 60.0) <= error * (1 + 1e-12)
    assert error < law(WIDTHS[first])


@pytest.mark.parametrize(
    ("widths", "values", "words"),
    [
        ([3.0], [50.0], "widths = [3.0] m, must be two or more above 0 m that decrease"),
        ([3.0, 6.0], [50.0, 60.0], "widths = [3.0, 6.0] m, must be two or more"),
        ([3.0, 0.0], [50.0, 60.0], "widths = [3.0, 0.0] m, must be two or more"),
        ([6.0, np.nan], [50.0, 60.0], "widths"),
        ([6.0, 3.0], [50.0], "values of shape (1,), must be (2, ...)"),
        ([6.0, 3.0], [50.0, np.inf], "values"),
        ([6.0, 3.0], [1e308, -1e308], "sharp_limit"),
    ],
)
def test_widths_without_a_limit_are_refused(widths: Any, values: Any, words: str):
    with pytest.raises(em.ParameterError, match=f"^{re.escape(words)}"):
        em.voids.sharp_limit(widths, values)
