"""Films of metal that are lost too early: their thickness, the time, and the word of it."""

from __future__ import annotations

import warnings

import emfem as em
from emfem.units import nm
from emfem.voids.films import Films, LostFilm, lost_early, lost_film
from emfem.voids.tracking import Tracker
from tests.voids.metals import METAL

import numpy as np
import pytest

WIDTH = 5 * nm


def watched(*steps: tuple[float, ...]) -> Films:
    """Films of round voids of 20 nm in a box of 200 nm by 100 nm, 50 nm above its lower side, at x of each step."""
    domain = em.mesh.rectangle((200 * nm, 100 * nm), cells=(80, 40))
    shape = em.surface.void((steps[0][0], 50 * nm), 20 * nm)
    model = em.voids.model(domain, METAL, shape=shape, interface_width=WIDTH)
    tracker = Tracker()
    tracker.open(model, shape, (0.0, np.array([steps[0][0], 50 * nm]), 1.0))
    films = Films(tracker)
    for t, places in enumerate(steps):
        distance = lambda p, places=places: (  # noqa: E731
            np.min([np.hypot(p[0] - x, p[1] - 50 * nm) for x in places], axis=0) - 20 * nm
        )
        model["c"].interpolate(lambda p, d=distance: (1 + np.tanh(d(p) / (2 * WIDTH))) / 2)
        for observer in (tracker, films):
            observer.look(float(t)) if t else observer.start([model], 0.0)
    return films


def test_a_film_is_as_thick_as_the_metal_between_the_void_and_the_wall():
    films = watched((100 * nm,), (131 * nm,))
    gaps = [{name.split()[1]: gap[i] for name, gap in films.gaps.items()} for i in range(2)]
    assert gaps[0] == pytest.approx(
        {"left": 80 * nm, "right": 80 * nm, "bottom": 30 * nm, "top": 30 * nm}, abs=0.3 * nm
    )
    assert (gaps[1]["left"], gaps[1]["right"]) == pytest.approx((111 * nm, 49 * nm), abs=0.3 * nm)


def test_the_film_between_two_voids_is_followed_until_they_merge():
    """40 nm, 36 nm and 32 nm of metal, then none; the reach of two is 25 nm. Walls have the thinner film of both."""
    films = watched((60 * nm,), (60 * nm, 140 * nm), (62 * nm, 138 * nm), (64 * nm, 136 * nm), (80 * nm, 110 * nm))
    gap = films.gaps["0+1"]
    assert np.isnan(gap[0])
    assert gap[1:] == pytest.approx([40 * nm, 36 * nm, 32 * nm, 0.0], abs=0.3 * nm)
    assert films.gaps["0 right"][1:3] == pytest.approx([40 * nm, 42 * nm], abs=0.3 * nm)
    assert not any(name.startswith("1 ") for name in films.gaps)
    early, doubt = films.early()
    lost = lost_film(np.array([1.0, 2.0, 3.0, 4.0]), np.array(gap[1:]), 5 * WIDTH)
    assert lost is not None
    assert early == lost.early > 0.3
    assert doubt == 0.7 * early


def test_a_film_that_was_thin_from_the_start_is_said_to_be_unknown():
    films = watched((172 * nm,), (174 * nm,), (185 * nm,))
    early, doubt = films.early()
    assert early == 0.0
    assert np.isnan(doubt)
    with pytest.warns(em.ResolutionWarning, match=r"2 s, lacks that of a film .* thinner than 3 interface widths"):
        films.warn(early, doubt, 2.0)


@pytest.mark.parametrize("start", [60.0, 9.0])
def test_a_film_lost_at_once_is_lost_by_the_time_that_it_would_have_taken(start: float):
    """It thins by 2 a second, and is lost at a thickness of 3; the reach is 4, so it is followed from 8 or 9 to 4."""
    t = np.arange(0.0, 0.5 + (start - 3.0) / 2, 0.5)
    gap = np.append(start - 2 * t[:-1], -1.0)
    film = lost_film(t, gap, 4.0)
    assert film is not None
    assert (film.thin, film.lost, film.early) == pytest.approx((start / 2 - 2.0, t[-1], start / 2 - t[-1]))
    assert lost_film(t[:-1], gap[:-1], 4.0) is None  # it is there yet
    assert lost_film(t, np.append(-1.0, gap[1:]), 4.0) is None  # it was never there
    assert lost_film(t, gap - start + 4.0, 4.0) is None  # too thin from the start on


def test_a_film_that_stands_still_for_long_is_judged_by_its_speed_at_the_end():
    """At 7 until t = 100, then it thins by 2 a second: from 5.5 to 4 in 0.75 s, so that 4 take 2 s more."""
    t = np.append(0.0, np.arange(100.0, 102.1, 0.25))
    gap = np.append(7.0, 7.0 - 2 * (t[1:] - 100))
    gap[-1] = -1.0
    film = lost_film(t, gap, 4.0)
    assert film is not None
    assert film.early == pytest.approx(103.5 - t[-1])


@pytest.mark.parametrize("start", [12.0, 9.0])
def test_a_neck_thins_the_faster_the_thinner_it_is(start: float):
    """Its w^2 falls by 2 a second, and it is lost at a thickness of 3, that is 4.5 s too early; the reach is 4."""
    t = np.linspace(0.0, (start**2 - 9) / 2, 4001)
    gap = np.append(np.sqrt(start**2 - 2 * t[:-1]), 0.0)
    film = lost_film(t, gap, 4.0, neck=True)
    assert film is not None
    assert film.early == pytest.approx(4.5, rel=1e-3)


def test_a_neck_is_a_film_whose_loss_cuts_the_current():
    """Both thin by 10 nm a second to 10 nm; the one at the top is lost a step before the other one, and is no neck."""
    films = watched((140 * nm,))
    films.t = [0.0, 1.0, 2.0, 3.0, 3.4, 3.5]
    films.gaps = {
        "0 right": [x * nm for x in (40, 30, 20, 10, 9, -1)],
        "0 top": [x * nm for x in (40, 30, 20, 10, -1, -1)],
        "0 left": [x * nm for x in (40, 40, 40, 40, 40, 40)],
    }
    assert films.early()[0] == pytest.approx(0.6)
    films.gaps["0 top"][3:] = [12 * nm, 11 * nm, 10 * nm]
    assert films.early()[0] == pytest.approx(0.5)
    assert films.early(cut=True) == (0.0, 0.0)


def test_films_that_thin_one_after_the_other_add_up_and_those_at_once_do_not():
    both = [LostFilm(1.0, 2.0, 0.5), LostFilm(1.1, 2.0, 0.4)]
    assert lost_early([]) == 0.0
    assert lost_early(both) == 0.5
    assert lost_early([*both, LostFilm(2.1, 2.3, 0.25)]) == 0.75


def test_failures_that_are_notably_early_bring_a_warning_with_the_time():
    """40 nm, 30 nm and on by 10 nm a second to 10 nm, then none: it would take until 4 s, and was lost at 3.5 s."""
    films = watched((140 * nm,))
    films.t, films.gaps = [0.0, 1.0, 2.0, 3.0, 3.5], {"0 right": [x * nm for x in (40, 30, 20, 10, -1)]}
    early, doubt = films.early()
    assert (early, doubt) == pytest.approx((0.5, 0.35))
    with pytest.warns(em.ResolutionWarning, match=r"is 4 s, of which 0\.5 s \(12%\) are not computed but estimated"):
        films.warn(early, doubt, 3.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        films.warn(early, doubt, 35.0)
