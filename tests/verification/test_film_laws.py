"""Laws of thermodynamics and of counting, kept step by step."""

import emfem as em

import numpy as np
import pytest


def random_film(field):
    return em.film.model(
        em.mesh.periodic_rectangle((12.0, 12.0), cells=(8, 8)),
        em.film.cupd(),
        mean=0.3,
        initial=em.film.noise(0.1, seed=4),
        anisotropy=em.film.Anisotropy("110", strength=1.0, ratio=2.0),
        field=field,
    )


def seen(field, until, **how):
    """All quantities after each step of a run from noise to coarse domains."""
    film = random_film(field)
    series = em.watch.series(["free_energy", "dissipation", "solute", "c_min", "c_max"])
    em.evolve(film, until, watch=[series], progress=False, **how)
    return series


def test_free_energy_never_rises_without_a_field():
    """Not in one step of a loose run, rounding of the integral apart; and it does fall."""
    energy = seen((0.0, 0.0), 1000.0, rtol=1e-3)["free_energy"]
    assert np.diff(energy).max() < 1e-12 * abs(energy[0])
    assert energy[-1] < energy[0] - 0.03


@pytest.mark.parametrize(("field", "rtol"), [((0.0, 0.0), 1e-3), ((0.3, 0.1), 1e-3), ((0.3, 0.1), 1e-4)])
def test_solute_is_conserved_and_compositions_stay_possible(field, rtol):
    """Each stage of a step conserves solute, whatever its error, to the accuracy of the linear solves: 1e-10 asked for,
    4e-14 measured.
    """
    series = seen(field, 1000.0, rtol=rtol)
    assert abs(series["solute"] / series["solute"][0] - 1).max() < 1e-10
    assert series["c_min"].min() > 0
    assert series["c_max"].max() < 1
    assert series["c_max"][-1] - series["c_min"][-1] > 0.2  # there is a pattern to conserve


@pytest.mark.parametrize("method", em.solve.METHODS)
def test_energy_lost_is_energy_dissipated(method):
    """dF/dt = -dissipation holds exactly in the space of the elements (test with mu and dc/dt).

    What remains is the error in time, of the trapezoidal sum at least: second order.
    """
    steps = (2.0, 1.0, 0.5)
    wrong = []
    for step in steps:
        film = random_film((0.0, 0.0))
        em.evolve(film, 20.0, rtol=1e-4, progress=False)
        series = em.watch.series(["free_energy", "dissipation"])
        em.evolve(film, 100.0, method=method, fixed_step=step, watch=[series], progress=False)
        lost, rate = -np.diff(series["free_energy"]), series["dissipation"]
        wrong.append(abs(lost - step * (rate[1:] + rate[:-1]) / 2).sum() / lost.sum())
    assert wrong[-1] < 2e-5
    assert np.polyfit(np.log(steps), np.log(wrong), 1)[0] == pytest.approx(2.0, abs=0.25)
