"""Elasticity of surface models: loads, energies, symmetries, bad input; waves are in tests/verification."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
import pytest
from dolfinx import fem

E, NU, WIDTH = 80e9, 0.3, 2.5 * nm
GOLD = em.materials.gold(temperature=900.0).having(youngs_modulus=E, poisson_ratio=NU)
SIDE = 40 * nm


def strip(**options: Any) -> em.Model:
    """A strip of 30 nm along x in vacuum, 3 nm long, stretched by 1e-3."""
    domain = em.mesh.rectangle((3 * nm, 60 * nm), cells=(3, 24))
    shape = em.surface.strip(30 * nm, centre=30 * nm)
    given: dict[str, Any] = {"strain": (1e-3, 0.0), "rollers": ("left", "right")}
    return em.surface.model(domain, GOLD, shape=shape, interface_width=WIDTH, **(given | options))


def ball(**options: Any) -> em.Model:
    """A round void on the axis of a cylinder."""
    domain = em.mesh.axisymmetric(em.mesh.rectangle((SIDE, SIDE), cells=(16, 16)))
    shape = em.surface.void((SIDE / 2, 0.0), 12 * nm)
    return em.surface.model(domain, GOLD, shape=shape, interface_width=WIDTH, **options)


def at_once(model: em.Model) -> em.Model:
    """The model with all unknowns at its start."""
    em.evolve(model, until=1e-12 * (15 * nm) ** 4 / em.analytic.mullins_coefficient(GOLD), progress=False)
    return model


def test_a_free_strip_has_the_energy_and_the_stress_of_plane_strain():
    """E / (1 - nu^2) e^2 / 2 of its area; vacuum of as much area adds its stiffness ratio."""
    model = at_once(strip())
    stress = E / (1 - NU**2) * 1e-3
    assert model.quantity("elastic_energy") == pytest.approx(
        stress * 1e-3 / 2 * 3 * nm * 30 * nm * (1 + 1e-4), rel=1e-6, abs=0
    )
    middle = np.array([[1.5 * nm, 30 * nm]])
    assert em.fields.evaluate(model["stress_xx"], middle)[0] == pytest.approx(stress, rel=1e-4)
    assert em.fields.evaluate(model["sigma"], middle)[0] == pytest.approx(stress * (1 + NU) / 3, rel=1e-4)
    assert abs(em.fields.evaluate(model["stress_yy"], middle)[0]) < 1e-3 * stress


def test_a_surface_without_stress_has_no_elastic_quantities():
    assert "elastic_energy" not in strip(strain=None, rollers=None).quantities


def test_an_eigenstrain_in_a_rigid_cylinder_is_a_mean_strain_of_the_other_sign():
    """Rollers on all walls, strain alike in all directions: they differ by a displacement without stress."""
    stretched, shrunk = at_once(ball(strain=(1e-3, 1e-3))), at_once(ball(eigenstrain=-1e-3))
    energies = [model.quantity("elastic_energy") for model in (stretched, shrunk)]
    assert energies[0] == pytest.approx(energies[1], rel=1e-9)
    bulk = E / (3 * (1 - 2 * NU))
    solid = bulk * (3e-3) ** 2 / 2 * np.pi * SIDE**3
    assert 0.5 * solid < energies[0] < solid  # the void relieves some of it
    assert stretched["u"].ufl_shape == (2,)


def test_tension_and_compression_drive_atoms_alike():
    """The energy is quadratic: the flux is the same where the strain has the other sign."""
    fluxes = []
    for sign in (1.0, -1.0):
        model = at_once(ball(strain=(sign * 2e-3, 0.0)))
        form = fem.form(model["flux"][0] ** 2 * model.domain.dx(4))
        fluxes.append(em.fields.integral(form, model.mesh.comm))
    assert fluxes[0] == pytest.approx(fluxes[1], rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strain": (0.0, 0.0)}, "strain and eigenstrain of up to 0, must be above 0 and at most 0.2"),
        ({"strain": (200e6, 0.0)}, "strain and eigenstrain of up to 2e+08, must be above 0 and at most 0.2"),
        ({"strain": (1e-3, 0.0, 0.0)}, "strain of shape (3,), must be 2 finite numbers, along x and y"),
        ({"strain": (np.nan, 0.0)}, "must be 2 finite numbers, along x and y"),
        ({"eigenstrain": np.inf}, "eigenstrain = inf, must be finite"),
        ({"stiffness_ratio": 0.0}, "stiffness_ratio = 0, must be greater than 0"),
        ({"rollers": "left"}, "rollers = 'left', must be a list of"),
        ({"rollers": ()}, "rollers = [], must leave no way to turn: boundaries across 1 axes at least"),
        ({"rollers": ("front",)}, "'front'"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], words: str):
    with pytest.raises(em.ParameterError, match=re.escape(words)):
        strip(**options)


def test_a_round_boundary_cannot_be_on_rollers():
    domain = em.mesh.disk(SIDE, electrodes=1, size=2.4 * nm)
    shape = em.surface.void((0.0, 0.0), 12 * nm)
    make: Callable[[], Any] = lambda: em.surface.model(  # noqa: E731
        domain, GOLD, shape=shape, interface_width=WIDTH, strain=(1e-3, 0.0)
    )
    with pytest.raises(em.ParameterError, match="on rollers, must lie in a plane across an axis"):
        make()
