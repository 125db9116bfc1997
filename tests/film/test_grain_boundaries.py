"""Grain boundaries with a width: flux through one that blocks, along one that conducts, against closed forms."""

from __future__ import annotations

from typing import Any

import emfem as em

import numpy as np
import pytest
from dolfinx import fem

LINEAR: dict[str, Any] = {"free_energy": lambda c: c**2 / 2, "mobility": lambda c: 1.0 + 0 * c}  # J = -D grad mu
STIFF = em.film.Alloy(entropy=0.0, enthalpy=0.0, solute_expansion=0.0, gradient_energy=1e-2)
FLUX, WIDTH, GRAINS, BOUNDARY = 0.02, 0.5, (2.0, 0.5), 1e-3


def bicrystal() -> em.mesh.Domain:
    """A line of 4, whose middle half is the boundary's."""
    line = em.mesh.interval(4.0, cells=16)
    inside = (4.0 - WIDTH) / 2
    return line.with_regions(
        {
            "left grain": lambda x: x[0] < inside,
            "boundary": lambda x: x[0] < 4.0 - inside,
            "right grain": lambda x: x[0] > 0,
        }
    )


def test_mu_jumps_by_the_flux_times_the_resistance_of_a_boundary():
    """[mu] = J w/D_b across it, J L/D in each grain, to rounding: mu is linear in each."""
    line = bicrystal()
    diffusion = dict(zip(line.regions, ([[GRAINS[0]]], [[BOUNDARY]], [[GRAINS[1]]]), strict=True))
    on: Any = {"left": em.flux(FLUX), "right": em.fixed(0.3)}
    film = em.film.model(line, STIFF, initial=lambda x: 0.3 + 0 * x[0], anisotropy=diffusion, on=on, **LINEAR)
    em.solve_steady(film)
    inner = (4.0 - WIDTH) / 2
    mu = em.fields.evaluate(film["mu"], np.array([[0.0], [inner], [4.0 - inner], [4.0]]))
    assert -np.diff(mu) == pytest.approx([FLUX * inner / GRAINS[0], FLUX * WIDTH / BOUNDARY, FLUX * inner / GRAINS[1]])
    c = em.fields.evaluate(film["c"], np.array([[inner / 2], [4.0 - inner / 2]]))  # kinks reach sqrt(eps) = 0.1
    assert c[0] - c[1] == pytest.approx(mu[1] - mu[2] + inner / 2 * FLUX * sum(1 / d for d in GRAINS), rel=1e-4)
    assert film.quantity("flux right") == pytest.approx(FLUX, rel=1e-8)


def test_a_boundary_along_the_flux_conducts_in_parallel_with_its_grains():
    """J = (sum of w_i D_i) [mu]/L, exactly, for mu is linear."""
    wide = 1.0
    plate = em.mesh.rectangle((2.0, wide), cells=(4, 8)).with_regions(
        {"boundary": lambda x: abs(x[1] - 0.5) < 0.125, "grain": lambda x: x[1] > -1.0}
    )
    film = em.film.model(
        plate,
        STIFF,
        initial=lambda x: 0.3 - 0.05 * x[0],
        anisotropy={"boundary": 40.0 * np.eye(2), "grain": [[1.0, 0.0], [0.0, 3.0]]},
        **LINEAR,
    )
    film["mu"].interpolate(lambda x: 0.3 - 0.05 * x[0])
    sections = [fem.form(film["flux"][0] * plate.dx(region=region)) for region in plate.regions]
    through = [em.fields.integral(section, plate.mesh.comm) / 2.0 for section in sections]
    assert through == pytest.approx([0.05 * 40.0 * 0.25, 0.05 * 0.75], rel=1e-12)
