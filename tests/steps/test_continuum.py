"""Steps handed to the continuum: long waves and one bunch are the same in both."""

import re
from typing import Any

import emfem as em
from emfem.units import boltzmann, nm

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

WIDTH = 5 * nm
GOLD = em.materials.gold(temperature=900.0)
STEP = GOLD.atomic_volume ** (1 / 3)


def vicinal(current_density: float = -5e9, **other: Any) -> em.steps.Surface:
    """Gold, slow attachment, electrons down the stairs: steps bunch."""
    given: dict[str, Any] = {
        "diffusivity": 1e-10,
        "adatom_density": 2e16,
        "attachment_lower": 1e-10 / (20 * nm),
        "attachment_upper": 1e-10 / (8 * nm),
        "repulsion": 4e-30,
    }
    return em.steps.vicinal(GOLD, current_density=current_density, **given | other)


@pytest.mark.parametrize("current", [-5e9, 5e9])
@pytest.mark.parametrize("repulsion", [1e-30, 4e-30])
def test_long_waves_of_steps_grow_as_those_of_the_surface_that_they_make(current: float, repulsion: float):
    """The closed form of a surface with the mobility, its slope and the stiffness of the steps: of order k^2."""
    surface = vicinal(current, repulsion=repulsion)
    smooth = em.steps.continuum(surface, width=WIDTH, step_height=STEP)
    metal = smooth.material(GOLD)
    errors = []
    for phase in (0.2, 0.1, 0.05):
        steps = em.steps.growth_rate(phase, surface, width=WIDTH).real
        wave = em.analytic.flat_growth_rate(
            phase / WIDTH, metal, current_density=current, mobility_slope=smooth.mobility_slope
        )
        errors.append(abs(wave.real / steps - 1))
    assert errors[-1] < 4e-4
    assert errors[0] / errors[1] > 2.5


def tightest(surface: em.steps.Surface, n: int) -> float:
    """Density of steps in the middle of a bunch of n at rest in the continuum, over the mean one.

    Of equal flux everywhere, that of f over all terraces: (f - 3 G (s s')') / (1 + h s) = f / (1 + h), with the
    mobility and the stiffness of each slope s, from the middle to where s is 0; lengths in mean widths.
    """
    loose, tight = (em.steps.continuum(surface, width=w, step_height=STEP) for w in (WIDTH, WIDTH / 4))
    thin = loose.surface_diffusivity_thickness / tight.surface_diffusivity_thickness  # (1 + 4 h) / (1 + h)
    h, force = (thin - 1) / (4 - thin), surface.drift * WIDTH
    hard = loose.stiffness * STEP**2 * surface.atom_area / (boltzmann * surface.temperature * WIDTH**2)  # 3 G
    assert tight.stiffness == pytest.approx(4 * loose.stiffness, rel=1e-12)

    def steps_within(middle: float) -> float:
        def across(_: float, y: Any) -> Any:
            s = np.sqrt(max(y[0], 0.0))
            return [y[1], 2 * (force - force / (1 + h) * (1 + h * s)) / hard, s]

        def edge(_: float, y: Any) -> float:
            return y[0] - 1e-3

        edge.terminal = True  # type: ignore[attr-defined]
        return 2 * solve_ivp(across, (0, n), [middle**2, 0, 0], events=edge, rtol=1e-8, atol=1e-9).y[2, -1]

    return float(brentq(lambda middle: steps_within(middle) - (n - 1), n / 12, n / 6))


@pytest.mark.parametrize(("n", "error"), [(24, 0.045), pytest.param(48, 0.02, marks=pytest.mark.soak)])
def test_a_bunch_of_the_continuum_is_that_of_the_steps(n: int, error: float):
    """The narrowest terrace of a bunch at rest: measured 3.7 % off for 24 steps, 1.6 % for 48."""
    surface, places = vicinal(), np.arange(n)
    start = WIDTH * (places + 0.5 * np.sin(2 * np.pi * places / n))
    row = em.steps.model(surface, start, length=n * WIDTH).run(4000.0, times=[0.0, 2000.0, 4000.0])
    narrow = row.widths.min(axis=1)
    assert narrow[1:] == pytest.approx(narrow[2], rel=1e-3, abs=0)  # at rest
    assert narrow[2] < 0.5 * narrow[0]
    assert tightest(surface, n) == pytest.approx(WIDTH / narrow[2], rel=error)


@pytest.mark.parametrize(
    ("other", "width", "height", "message"),
    [
        ({"evaporation_time": 1.0}, WIDTH, STEP, "evaporation_time and deposition, must be inf and 0"),
        ({"deposition": 1e20}, WIDTH, STEP, "evaporation_time and deposition, must be inf and 0"),
        ({"attachment_upper": 0.0}, WIDTH, STEP, "attachment_lower and attachment_upper, must be above 0"),
        ({}, 0.0, STEP, "width = 0 m, must be greater than 0"),
        ({}, WIDTH, 2 * WIDTH, "step_height = 1e-08 m, must be at most 5e-09"),
        ({}, WIDTH, np.nan, "step_height = nan m, must be finite"),
    ],
)
def test_what_is_no_such_surface_is_refused(other: dict[str, Any], width: float, height: float, message: str):
    with pytest.raises(em.ParameterError, match=re.escape(message)):
        em.steps.continuum(vicinal(**other), width=width, step_height=height)


def test_a_metal_of_other_atoms_or_steps_without_repulsion_make_no_material():
    smooth = em.steps.continuum(vicinal(), width=WIDTH, step_height=STEP)
    with pytest.raises(em.ParameterError, match="must be that of the steps' atoms"):
        smooth.material(em.materials.copper(900.0))
    free = em.steps.continuum(vicinal(repulsion=0.0), width=WIDTH, step_height=STEP)
    with pytest.raises(em.ParameterError, match="stiffness = 0 J/m2, must be greater than 0"):
        free.material(GOLD)
