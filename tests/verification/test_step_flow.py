"""Step flow against an independent solution on a terrace, linear theory, and the published exponent of bunches."""

import math
from typing import Any

import emfem as em
from emfem.steps.terrace import EndConditions, ScaledEquation, fluxes
from emfem.units import boltzmann, nm

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_bvp

T, D, DENSITY, AREA, WIDTH = 900.0, 1e-10, 2e16, 6.6e-20, 5 * nm
KT = boltzmann * T


def surface(**other: Any) -> em.steps.Surface:
    """Steps without a force, with instantaneous attachment."""
    given: dict[str, Any] = {
        "temperature": T,
        "diffusivity": D,
        "adatom_density": DENSITY,
        "atom_area": AREA,
        "force": 0.0,
    }
    return em.steps.Surface(**given | other)


SLOW: dict[str, Any] = {"attachment_lower": D / (3 * nm), "attachment_upper": D / (8 * nm)}
EVERYTHING = {"evaporation_time": 1e-6, "deposition": 1e23, "repulsion": 2e-31, **SLOW}
FLOW = D * DENSITY * AREA  # m2/s


def row(given: em.steps.Surface, positions: NDArray[np.float64]) -> em.steps.Row:
    """A periodic row of mean width WIDTH."""
    return em.steps.model(given, positions, length=len(positions) * WIDTH)


@pytest.mark.parametrize(
    ("p", "d", "g", "width"),
    [
        (0.0, 0.0, 1.0, 0.7),
        (1e-6, 0.0, 1.0, 1.0),
        (0.3, 0.0, 0.0, 1.0),
        (0.3, 0.5, 2.0, 1.0),
        (-0.7, 3.0, 1.0, 0.4),
        (2.0, 0.0, 1.0, 2.5),
        (-2.0, 5.0, 3.0, 2.0),
        (-2.0, 0.0, 3.0, 2.0),
        (0.2, 0.01, 3.0, 12.0),
    ],
)
def test_fluxes_are_those_of_the_boundary_value_problem(p: float, d: float, g: float, width: float) -> None:
    """N' = f n - J, J' = g - n/(D tau), h J(0) = 1 + m - n there and h J(l) = n - 1 - m here; solved to 1e-10."""
    h_left, h_right, left, right = 0.6, 1.7, 0.3, -0.2

    def equations(_: Any, y: Any) -> Any:
        return np.array([2 * p * y[0] - y[1], g - d * y[0]])

    def ends(a: Any, b: Any) -> Any:
        return np.array([-a[1] * h_left - (a[0] - 1 - left), b[1] * h_right - (b[0] - 1 - right)])

    expected = solve_bvp(equations, ends, np.linspace(0, width, 50), np.ones((2, 50)), tol=1e-10, max_nodes=10**5)
    held = EndConditions(1 / (1 + h_left), h_left / (1 + h_left), 1 / (1 + h_right), h_right / (1 + h_right))
    found = fluxes(ScaledEquation(p, d, g), np.array(width), left, right, held)
    assert expected.status == 0
    assert list(map(float, found)) == pytest.approx([expected.y[1, 0], expected.y[1, -1]], rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("p", [2.0, -2.0])
def test_wide_and_narrow_terraces_join(p: float) -> None:
    """Sources are integrated up to q l = 1 and in closed form beyond: the flux has no jump there."""
    law = ScaledEquation(p, 0.5, 3.0)
    ends = EndConditions(0.5, 0.5, 0.2, 0.8)
    below, above = (fluxes(law, np.array(s / law.q), 0.0, 0.0, ends) for s in (1 - 1e-12, 1 + 1e-12))
    assert below == pytest.approx(above, rel=1e-10)


CASES: list[dict[str, Any]] = [
    {"force": KT * 1e6, "repulsion": 2e-31},
    {"force": KT * 1e6, "repulsion": 2e-31, **SLOW},
    {"force": -KT * 3e8, **EVERYTHING},
    {"force": KT * 3e8, **EVERYTHING},
    {"deposition": 1e23, "attachment_upper": 0.0},
    {"force": KT * 3e8, "evaporation_time": 1e-9},
    {"force": KT * 3e8, "deposition": 1e23, **SLOW},
]


@pytest.mark.parametrize("given", CASES)
@pytest.mark.parametrize("steps", [2, 5, 12])
def test_growth_rates_are_eigenvalues(given: dict[str, Any], steps: int) -> None:
    """The derivatives in `growth_rate` are by hand, those of the Jacobian by a complex step; both to rounding."""
    on = surface(**given)
    phases = 2 * np.pi * np.arange(steps) / steps
    waves = np.exp(1j * np.outer(np.arange(steps), phases))
    expected = np.diag(waves.conj().T @ row(on, em.steps.train(steps, WIDTH)).jacobian() @ waves) / steps
    found = em.steps.growth_rate(phases, on, width=WIDTH)
    assert abs(found - expected).max() < 1e-8 * abs(expected).max()
    assert abs(expected).max() > 0


@pytest.mark.parametrize("given", CASES[1:4])
def test_small_waves_grow_as_in_a_run(given: dict[str, Any]) -> None:
    """Rate and frequency over one time of growth within 1 %: a wave of 1e-4 widths, its square 1e-4 of it."""
    steps, phase = 8, np.pi / 2
    on = surface(**given)
    uniform = em.steps.train(steps, WIDTH)
    expected = complex(em.steps.growth_rate(phase, on, width=WIDTH))
    until = 1.0 / abs(expected)
    start = row(on, uniform + 1e-4 * WIDTH * np.cos(phase * np.arange(steps)))
    history = start.run(until, times=[0.0, until], rtol=1e-11)
    wave = history.wave(phase)
    assert np.log(wave[1] / wave[0]) / until == pytest.approx(expected, rel=0.01)


def pairing(**given: Any) -> float:
    """The growth rate of pairs, over that of the diffusion of steps [-]."""
    return complex(em.steps.growth_rate(np.pi, surface(**given), width=WIDTH)).real * WIDTH**2 / FLOW


def test_the_closed_form_of_slow_attachment() -> None:
    """4 [f h l^2/(l + h)^2 - 12 G l^2/(l^4 (l + h))] for small f l; it is 0.005 here, and left out."""
    f, h, g = 1e6, 11 * nm, 2 * 2e-31 * AREA / KT
    expected = 4 * WIDTH**2 * (f * h / (WIDTH + h) ** 2 - 12 * g / (WIDTH**4 * (WIDTH + h)))
    assert pairing(force=KT * f, repulsion=2e-31, **SLOW) == pytest.approx(expected, rel=0.005)


def test_with_slow_attachment_a_force_down_the_stairs_bunches() -> None:
    assert pairing(force=KT * 1e6, **SLOW) > 1e-4
    assert pairing(force=-KT * 1e6, **SLOW) < -1e-4


def test_with_instantaneous_attachment_the_drift_alone_does_nothing() -> None:
    """All terraces then carry f n0, however wide they are."""
    assert abs(pairing(force=KT * 1e6)) < 1e-14


def test_with_instantaneous_attachment_and_evaporation_a_force_up_the_stairs_bunches() -> None:
    """- 4 f l^3/(6 D tau) for l << sqrt(D tau): here 1/40 of its square is left out."""
    f, tau = 1e6, 10 * WIDTH**2 / D
    expected = -4 * f * WIDTH**3 / (6 * D * tau)
    assert pairing(force=KT * f, evaporation_time=tau) == pytest.approx(expected, rel=0.03)
    assert pairing(force=-KT * f, evaporation_time=tau) > 0


def test_attachment_and_evaporation_balance_where_their_closed_forms_do() -> None:
    """H/l^2 = l/(6 D tau) for h << l << sqrt(D tau): the force changes from healing to bunching there."""
    tau = 100 * WIDTH**2 / D
    balance = WIDTH**3 / (6 * D * tau)
    slow, fast = (
        pairing(force=KT * 1e6, evaporation_time=tau, attachment_lower=2 * D / h, attachment_upper=2 * D / h)
        - pairing(evaporation_time=tau, attachment_lower=2 * D / h, attachment_upper=2 * D / h)
        for h in (1.05 * balance, 0.95 * balance)
    )
    assert slow > 0 > fast


@pytest.mark.parametrize(
    ("sources", "barrier", "grows"),
    [
        ({"deposition": 1e23}, "attachment_upper", False),
        ({"deposition": 1e23}, "attachment_lower", True),
        ({"evaporation_time": 1e-6}, "attachment_upper", True),
        ({"evaporation_time": 1e-6}, "attachment_lower", False),
    ],
)
def test_barriers_without_a_force(sources: dict[str, float], barrier: str, grows: bool) -> None:
    """Schwoebel's rule: a barrier to atoms from above heals stairs that grow and bunches stairs that evaporate."""
    rate = pairing(**sources, **{barrier: D / (20 * nm)})
    assert (rate > 1e-3) if grows else (rate < -1e-3)


def resting(steps: int, mean: float) -> em.steps.Row:
    """A bunch at rest, all steps of the period in it; attachment is the slower, by far."""
    slow = D / (10 * mean)
    on = surface(force=KT * 2e5, attachment_lower=slow, attachment_upper=slow, repulsion=1e-32)
    narrow = em.steps.tightest_terrace(on, steps=steps, width=mean)
    start = em.steps.model(on, 1.5 * narrow * np.arange(1, steps + 1), length=steps * mean)
    until = 1e5 * steps * start.scales[1]
    return start.having(positions=start.run(until, times=[until]).positions[-1])


def test_the_narrowest_terrace_of_a_bunch_follows_the_published_exponent() -> None:
    """L_min ~ N^(-2/3) for repulsions 1/l^2 (arXiv:1611.09963); the prefactor is our own, 1 % at 8 steps.

    Both come closer with N, as a bunch becomes a continuum.
    """
    mean, many = 10 * nm, (8, 16, 32)
    rows = [resting(n, mean) for n in many]
    assert all(abs(r.velocities()).max() < 1e-9 * mean / r.scales[1] for r in rows)
    narrow = np.array([r.widths().min() for r in rows])
    theory = [em.steps.tightest_terrace(r.surface, steps=n, width=mean) for n, r in zip(many, rows, strict=True)]
    slopes = np.diff(np.log(narrow)) / math.log(2)
    assert slopes == pytest.approx([-2 / 3] * 2, abs=0.005)
    assert abs(slopes[1] + 2 / 3) < abs(slopes[0] + 2 / 3)
    assert narrow / theory == pytest.approx([1.0] * 3, abs=0.01)
