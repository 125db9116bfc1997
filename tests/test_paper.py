"""The paper's figures: what is measured of films, and that every figure comes out of a study file and a command."""

import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import emfem as em
from emfem.units import deg

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "demos" / "paper"
ALL = sorted((FOLDER / "studies").glob("*.toml"))
STUDIES = [path.stem for path in ALL if path.stem.startswith(("fig", "text"))]
SMALL = {"time.until": 3.0, "domain.cells": [8, 8], "domain.size": [20.8, 20.8]}


def paper(name: str) -> ModuleType:
    """A module of demos/paper, which are found beside each other when one of them is run."""
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    return importlib.import_module(name)


films, measures, book, figures = (paper(name) for name in ("films", "measures", "book", "figures"))
beyond, diagrams, places = (paper(name) for name in ("beyond", "diagrams", "places"))
spectral, summary, stiff = (paper(name) for name in ("spectral", "summary", "stiff"))


def one_film(**changes: Any) -> Any:
    """The film that all studies share, changed."""
    return films.Film.of(em.studies.Case.read(FOLDER / "studies" / "film.toml").with_(**changes))


def pattern(
    kind: str = "perfect stripes",
    order: float = 1.0,
    angle: float = 0.0,
    density: float = 1.0,
    wavelength: float = 1.0,
    **counts: Any,
) -> Any:
    made = em.patterns.Pattern(kind, 1, density, angle, wavelength, order, 0.1, 0, 0, 1)
    return replace(made, **counts)


def record(patterns: Sequence[Any], times: Any = None) -> Any:
    """A record of a film that was never run, with these patterns at t = 0, 1, 2..."""
    film = films.study("fig3", seeds=[1], **{"domain.size": [10.0, 10.0]})[0]
    t = np.arange(len(patterns), dtype=float) if times is None else np.asarray(times)
    return films.Record(film, t, tuple(patterns), t[-1:], np.zeros((1, 4, 4), np.float32), 0.0)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_runs_from_three_starts(name: str):
    found = films.study(name)
    assert {film.seed for film in found} == {1, 2, 3}
    assert len({film.name for film in found}) == len(found)
    own = {"fig4": 1200.0, "fig5": 1200.0, "fig6": 2000.0, "fig7": 6000.0, "fig7fast": 1500.0}
    assert {film.until for film in found} == {own.get(name, 3000.0)}


@pytest.mark.parametrize("path", [path for path in ALL if path.stem not in STUDIES], ids=lambda path: path.stem)
def test_every_file_is_a_case_or_a_study_without_errors(path: Path):
    if not path.read_text(encoding="utf-8").count("\ncase = "):
        assert em.studies.Case.read(path).hash
        return
    trials = em.studies.Study.read(path).trials()
    assert [trial.error for trial in trials if trial.error] == []
    assert len({trial.case.hash for trial in trials if trial.case}) == len(trials) > 1


def test_a_case_may_state_when_its_pattern_is_measured():
    """And a larger film is measured on more pixels: 24 wavelengths on 240."""
    large, small = films.study("coarsening", seeds=[1])[0], films.study("fig3", seeds=[1])[0]
    assert large.looks[0] == 50.0
    assert large.looks[-1] == large.until == 20000.0
    assert small.looks == tuple(np.linspace(0.0, 3000.0, films.LOOKS + 1))
    assert [films.Looker(film).pixels for film in (large, small)] == [240, 128]


def test_a_film_is_looked_at_once_at_each_time():
    """1000 is a look and half of the time, and one of them is 1000.0000000000001: kept pictures would be shifted."""
    film = films.study("fig6", seeds=[1])[0]
    assert len(np.unique(np.concatenate([film.until * np.array(films.KEPT), film.looks]))) == 34
    assert np.diff(films.stops(film)).min() > 30.0
    assert len(films.stops(film)) == 33


def test_a_key_that_no_case_has_is_refused():
    with pytest.raises(em.ParameterError, match="cels"):
        films.study("fig3", **{"domain.cels": [4, 4]})


def test_drift_turns_with_the_crystal():
    """atan(1.4 (1 + sin^2) / (1 + cos^2)): along the field at 30 degrees, where both directions are equally fast."""
    drifts = {film.misorientation: film.drift for film in films.study("fig9", seeds=[1])}
    assert drifts[0.0] == pytest.approx(34.992020, abs=1e-6)
    assert drifts[30.0] == pytest.approx(45.0, abs=1e-9)
    assert drifts[90.0] == pytest.approx(70.346176, abs=1e-6)


def test_skew_is_all_that_a_crystal_does_to_direction():
    """[111] at 30 degrees: f_x = 1, f_y = 1 + beta."""
    skews = {film.surface: film.skew for film in films.study("fig4", seeds=[1])}
    assert skews == pytest.approx({"110": 7 / 17, "100": 1.0, "111": 11.0}, rel=1e-12)


def test_stripes_have_formed_when_they_stay_perfect():
    """One perfect moment between two zipped ones does not count, nor two; the number is density times area."""
    zipped, perfect = pattern("zipped stripes"), pattern(density=0.07)
    told = record([zipped, perfect, perfect, zipped, perfect, perfect, perfect, zipped])
    assert measures.formed(told) == 4.0
    assert measures.number_formed(told) == pytest.approx(7.0)
    assert measures.stays_perfect(told) == pytest.approx(3 / 4)


def test_what_never_forms_is_not_reached():
    told = record([pattern("zipped stripes", order=0.5)] * 5)
    assert np.isnan(measures.formed(told))
    assert np.isnan(measures.sharpened(told))
    assert measures.over([told], measures.number_formed).told() == "not reached"


def test_the_time_to_perfection_counts_the_films_that_still_wait():
    """Of three films one is perfect at 1, one at 3, and one never by its end at 5: half of them by 3, not by 2."""
    zipped, perfect = pattern("zipped stripes"), pattern()
    told = [record([zipped] * n + [perfect] * (6 - n)) for n in (1, 3, 6)]
    ends = [replace(each, film=replace(each.film, until=5.0)) for each in told]
    found = measures.waiting(ends)
    assert (found.runs, found.reached, found.median) == (3, 2, 3.0)
    assert measures.half_by(found) == "by t = 3 (2 of 3)"
    assert measures.half_by(measures.waiting(ends[2:])) == "not by the end (0 of 1)"


def test_bands_are_joined_where_domains_are_fewer_than_stripes():
    """Five stripes: with forks 3 domains are joined ones, 5 or 7 are not, nor are 3 that are perfect."""
    start = pattern(contrast=0.01)
    told = [pattern("zipped stripes", stripes=5, forks=2, domains=domains) for domains in (3, 5, 7)]
    assert measures.joined(record([start, *told, pattern(stripes=5, domains=3)])) == pytest.approx(1 / 4)


def test_a_direction_is_sharp_when_it_stays_so():
    told = record([pattern(order=order) for order in (0.2, 0.95, 0.8, 0.93, 0.97)])
    assert measures.sharpened(told) == 3.0


@pytest.mark.parametrize(("angle", "reference", "tilt"), [(50, 45, 5), (179, 1, -2), (1, 179, 2), (0, 90, 90)])
def test_directions_have_no_arrow(angle: float, reference: float, tilt: float):
    assert measures.tilt(angle, reference) == pytest.approx(tilt, abs=1e-12)


def test_the_mean_direction_goes_through_zero():
    """Of 175 and 5 degrees it is 0, not 90."""
    mean = measures.mean_angle([record([pattern(angle=175.0)]), record([pattern(angle=5.0)])])
    assert measures.tilt(mean, 0.0) == pytest.approx(0.0, abs=1e-9)


def test_spread_leaves_out_what_was_not_reached():
    assert measures.spread([8.0, 10.0, np.nan]).told() == "9.0 ± 1.0 (2 of 3)"


def test_coarsening_finds_the_exponent():
    """spacing ~ t^0.3 and t^0.4: mean 0.35, error 0.05; interpolation between 200 times costs some 1e-4."""
    t = np.linspace(1.0, 1000.0, 400)
    told = [record([pattern(wavelength=x) for x in t**p], t) for p in (0.3, 0.4)]
    law = measures.coarsening(told, since=100.0)
    assert law.exponent == pytest.approx(0.35, abs=1e-3)
    assert law.error == pytest.approx(0.05, abs=1e-3)


def test_a_power_law_of_a_window_leaves_out_what_vanishes():
    """t^-2 until 100 and t^-1 from then on; a film without defects has no logarithm."""
    t = np.linspace(1.0, 1000.0, 1000)
    values = np.where(t < 100.0, t**-2.0 * 100, 1 / t)
    told = [record([pattern(density=x) for x in values], t), record([pattern(density=0.0)] * 1000, t)]
    assert measures.power_law(told, "density", 10.0, 90.0).exponent == pytest.approx(-2.0, abs=1e-2)
    assert measures.power_law(told, "density", 110.0).exponent == pytest.approx(-1.0, abs=1e-2)
    assert measures.power_law(told, "density", 110.0).films == 1
    assert np.isnan(measures.power_law(told[1:], "density", 110.0).exponent)


def test_the_film_is_unstable_between_the_spinodals():
    """Long waves begin to grow at the first spinodal and cease to at the second."""
    waves = np.array([[1e-3, 0.0]])

    def grows(mean: float) -> bool:
        rate: Any = em.film.growth_rate(waves, em.film.cupd(), mean=mean)
        return bool(rate.real[0] > 0)

    low, high = diagrams.spinodal()
    assert [grows(c) for c in (low - 1e-4, low + 1e-4, high - 1e-4, high + 1e-4)] == [False, True, True, False]


def test_linear_theory_agrees_and_is_drawn(tmp_path: Path):
    found = {f.says: f.agrees for f in figures.main(only=["2", "theory"], out=str(tmp_path))}
    assert list(found.values()) == ["yes", "yes", "no", "yes", "yes", "yes"]
    assert (tmp_path / "reduced" / "fig2.png").stat().st_size > 0


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
def test_a_figure_comes_from_its_study_and_films_are_run_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(films, "LOOKS", 2)
    monkeypatch.setattr(films, "PIXELS", 48)
    monkeypatch.setattr(em.plot.style, "DPI", 40)
    options: dict[str, Any] = {"only": ["text2"], "seeds": [1], "workers": 0, "changes": SMALL}
    first = figures.main(**options, out=str(tmp_path))
    assert "2 films, 2 to run" in capsys.readouterr().out
    second = figures.main(**options, out=str(tmp_path))
    assert "2 films, 0 to run" in capsys.readouterr().out
    assert first == second
    told = json.loads((tmp_path / "reduced" / "agreement.json").read_text(encoding="utf-8"))
    assert [row["says"] for row in told] == [finding.says for finding in first]


def imagined(film: Any, *, fine: bool) -> Any:
    """A film that behaves (`fine`): perfect stripes along the drift, soon; or one without any direction."""
    t = np.linspace(0.0, film.until, 11)
    angle = film.drift if film.field else 90.0 if film.ratio < 1 else 0.0
    kinds = ["disordered"] * 3 + ["perfect stripes" if fine else "disordered"] * 8
    told = [pattern(kind, order=0.95 if kind != "disordered" else 0.1, angle=angle, density=2e-3) for kind in kinds]
    shown = film.until * np.array(films.KEPT)
    return films.Record(film, t, tuple(told), shown, np.random.default_rng(1).random((5, 8, 8), np.float32), 0.0)


def verdicts(name: str, fine: bool, out: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Statements of a figure about made-up films."""
    monkeypatch.setattr(films, "run", lambda film: imagined(film, fine=fine))
    monkeypatch.setattr(em.plot.style, "DPI", 40)
    found = figures.main(only=[name], seeds=[1, 2], workers=0, out=str(out))
    assert any((out / "reduced").glob("*.png"))
    return {finding.says: finding.agrees for finding in found}


@pytest.mark.parametrize("name", [name for name, (_, studies) in figures.FIGURES.items() if studies])
def test_every_figure_is_drawn_from_films_without_direction(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """And no statement about perfect stripes is confirmed by them."""
    told = verdicts(name, False, tmp_path, monkeypatch)
    assert [says for says, agrees in told.items() if "perfect" in says and agrees == "yes"] == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("4", "[110]: perfect stripes along x"),
        ("6", "[100]: perfect stripes at the field's angle"),
        ("7", "larger Λ: perfect vertical stripes"),
        ("8", "stripes turn towards the vertical as Λ grows"),
        ("9", "only at one φx do the stripes follow the field (constructive)"),
        ("text2", "[111] at 45° follows the field for particular misorientations only"),
    ],
)
def test_films_that_behave_as_in_the_paper_agree(name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert verdicts(name, True, tmp_path, monkeypatch)[says] == "yes"


@pytest.mark.parametrize(("grows", "agrees"), [(2.0, "yes"), (1.0, "no")])
def test_a_case_held_by_its_square_is_run_along_the_drift(
    grows: float, agrees: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The made-up films do not coarsen; in squares along the drift their spacing doubles, or does not either."""

    def along(job: Sequence[Any]) -> list[Any]:
        told = [imagined(film, fine=True) for film in job]
        return [
            replace(each, patterns=(*each.patterns[:-1], replace(each.patterns[-1], wavelength=grows))) for each in told
        ]

    straight = book.Size({}, together=lambda job: [imagined(film, fine=True) for film in job])
    monkeypatch.setitem(book.SIZES, "ensemble", straight)
    monkeypatch.setitem(book.SIZES, "along", book.Size({}, together=along))
    made = book.Book("ensemble", tmp_path, {}, [1])
    made.run(["text2"], 0)
    row = summary.remark5(made, ["text2"])[0]
    assert (row.says, row.agrees) == ("coarsening in all cases", agrees)
    assert f"grow by {grows:.2f} ± 0.00; {grows:.2f}" in row.found


def test_angles_of_a_turned_square_are_those_of_the_crystal(monkeypatch: pytest.MonkeyPatch):
    """Waves across the square's first axis are stripes along its second: here at the drift's angle and 90 degrees."""
    film = replace(one_film(**TILTED), until=0.1, looks=(0.0, 0.1))
    axis = np.arange(16) * film.edge / 16
    waves = 0.3 + 0.05 * np.cos(4 * np.pi * axis / film.edge)[:, None] + 0 * axis
    monkeypatch.setattr(spectral, "start", lambda film, n: waves)
    seen = spectral.run([film], along=True)[0].patterns[0]
    assert seen.angle == pytest.approx(film.drift + 90.0, abs=0.1)
    assert spectral.run([film])[0].patterns[0].angle == pytest.approx(90.0, abs=0.1)


def beyond_paper(name: str, fine: bool, out: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Statements of a topic beyond the paper about made-up films."""
    monkeypatch.setattr(films, "run", lambda film: imagined(film, fine=fine))
    modes = book.Size({}, together=lambda job: [imagined(film, fine=fine) for film in job])
    monkeypatch.setitem(book.SIZES, "modes", modes)
    monkeypatch.setattr(em.plot.style, "DPI", 40)
    found = beyond.main(only=[name], seeds=[1], workers=0, out=str(out))
    assert (out / f"{name}.png").stat().st_size > 0
    assert (out / "beyond.md").read_text(encoding="utf-8").count(f"--only {name}`") == len(found)
    return {finding.says: finding.found for finding in found}


def test_a_diagram_shows_which_field_orients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told = beyond_paper("ratio", True, tmp_path / "fine", monkeypatch)
    assert told["weakest field that orients stripes, Λ = 10"] == "F = 0.05"
    assert told["which kinds of pattern are there"] == "25 perfect stripes, of 25 films"
    told = beyond_paper("ratio", False, tmp_path / "loose", monkeypatch)
    assert told["weakest field that orients stripes, Λ = 10"] == "none of these"
    assert "(0 films)" in told["time of formation against the field"]


def test_stripes_of_a_diagram_lie_along_the_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """atan(2.8 tan 22.5) is the farthest of them from the field, by 26.7 degrees."""
    told = beyond_paper("crystal", True, tmp_path, monkeypatch)["where do the stripes lie"]
    assert told.startswith(
        "off the drift 0.0° (median), 0.0° (most); off the field 26.7° (most); skew Λ fy/fx from 0.70"
    )


@pytest.mark.parametrize("name", ["content", "coarsening"])
def test_what_does_not_change_has_no_law(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told = beyond_paper(name, True, tmp_path, monkeypatch)
    if name == "coarsening":
        assert told["F = 0: spacing ~ t^n"].startswith(("n = 0.00 ± inf", "n = -0.00 ± inf"))
    else:
        assert told["which kinds of pattern are there"] == "35 perfect stripes, of 35 films"


def test_bands_are_compared_with_the_field_where_they_are():
    """Bands along a field that is turned by 30 degrees: 1 with it, cos 60 = 1/2 with the strip; across it -1."""
    x, y = np.meshgrid((np.arange(120) + 0.5) / 2, (np.arange(80) + 0.5) / 2, indexing="ij")
    turn = np.radians(30.0)
    field = np.stack([np.full(x.shape, 2 * np.cos(turn)), np.full(x.shape, 2 * np.sin(turn))])
    along = np.cos(0.4 * (y * np.cos(turn) - x * np.sin(turn)))
    strip = places.Strip(0.1, 5.0, along, field, np.array([60.0, 40.0]))
    assert strip.alignment() == pytest.approx(1.0, abs=1e-2)
    assert strip.alignment(local=False) == pytest.approx(0.5, abs=1e-2)
    assert strip.alignment(strip.tilted) == pytest.approx(1.0, abs=1e-2)
    assert np.isnan(strip.alignment(strip.strength > 3.0))
    across = places.Strip(0.1, 5.0, np.cos(0.4 * (x * np.cos(turn) + y * np.sin(turn))), field, np.array([60.0, 40.0]))
    assert across.alignment() == pytest.approx(-1.0, abs=1e-2)


def test_grains_count_by_their_area():
    """Aligned in 3 of 4 parts of the film, and at right angles in the last: 3/4 - 1/4."""
    grains = [places.Grain(90.0, 90.0, 1.0, 3.0), places.Grain(20.0, 110.0, 1.0, 1.0)]
    assert places.alignment(grains) == pytest.approx(0.5, rel=1e-12)


def test_what_is_used_up_is_beyond_both_phases():
    assert places.used_up(np.array([0.01, 0.1, 0.3, 0.5, 0.9])) == pytest.approx(0.4)


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
@pytest.mark.parametrize(
    ("name", "base", "grid", "changes"),
    [
        (
            "notch",
            "strip",
            "film.field.conduction = [0.1]",
            {"domain.length": 40.0, "domain.notch_width": 6.0, "domain.notch_depth": 10.0, "domain.size": 4.0},
        ),
        (
            "polycrystal",
            "grains",
            'film.anisotropy.scattered.spread = ["90 deg"]',
            {"domain.size": [20.8, 20.8], "domain.cells": [10, 10], "domain.random_grains.count": 3},
        ),
    ],
)
def test_places_are_run_and_drawn(
    name: str, base: str, grid: str, changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Small ones of a few steps, run once."""
    text = (FOLDER / "studies" / f"{base}.toml").read_text(encoding="utf-8")
    (tmp_path / f"{base}.toml").write_text(text, encoding="utf-8")
    (tmp_path / f"{name}.toml").write_text(f'case = "{base}.toml"\n[grid]\n{grid}\n', encoding="utf-8")
    monkeypatch.setattr(places, "STUDIES", tmp_path)
    monkeypatch.setattr(em.plot.style, "DPI", 40)
    changes = {**changes, "time.until": 10.0, "output.every": 10.0, "output.pictures": []}
    found = beyond.main(only=[name], workers=0, out=str(tmp_path), changes=changes)
    assert (tmp_path / f"{name}.png").stat().st_size > 0
    assert not [finding for finding in found if finding.agrees == "not run"]
    monkeypatch.setattr(places, "one", None)  # nothing is run again
    assert len(places.runs(name, book.Book("laptop", tmp_path, changes, ()), 0)) == 1


def test_a_film_that_fails_is_reported_and_the_others_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def sometimes(film: Any) -> Any:
        if film.misorientation == 30.0:
            msg = "too hard"
            raise em.ParameterError(msg)
        return record([pattern()])

    monkeypatch.setattr(films, "run", sometimes)
    monkeypatch.setattr(films, "save", lambda *_: None)
    told = book.Book("reduced", tmp_path, SMALL, [1])
    told.run(["text2"], 0)
    assert list(told.failed.values()) == ["too hard"]
    assert "not run" in book.write([], told).read_text(encoding="utf-8")


@pytest.mark.parametrize(("option", "value"), [("size", "huge"), ("only", ["11"])])
def test_unknown_names_are_refused(option: str, value: Any, tmp_path: Path):
    with pytest.raises(em.UnknownName):
        figures.main(**{option: value}, out=str(tmp_path))


def small_film(crystal: Any, angle: float, until: float, flip: float = 1.0, steps: int = 20, cells: int = 10) -> Any:
    """c of a small film, started from three waves, read at the places `flip` x."""
    edge = 10.4
    wave = 2 * np.pi / edge

    def start(x: Any) -> Any:
        x, y = flip * x[0], flip * x[1]
        return 0.3 + 0.05 * (np.sin(wave * (x + 2 * y)) + np.cos(2 * wave * x) + np.sin(wave * (2 * x - y) + 1))

    model = em.film.model(
        em.mesh.periodic_rectangle((edge, edge), cells=(cells, cells)),
        em.film.cupd(),
        anisotropy=crystal,
        field=em.film.uniform_field(1.0, angle=angle * deg),
        initial=start,
    )
    em.evolve(model, until, fixed_step=until / steps, progress=False)
    places = np.random.default_rng(0).uniform(0.0, edge, (40, 2))
    return em.fields.evaluate(model["c"], (flip * places) % edge)


def test_a_crystal_is_its_skew_and_a_unit_of_time():
    """[110] at 30 degrees and beta = 1 is D = 1.75 diag(1, 5/7): the film of Lambda = 5/7, 1.75 times faster."""
    crystal = em.film.Anisotropy("110", 1.0, 30 * deg)
    same = em.film.Anisotropy(ratio=5 / 7)
    found, expected = small_film(crystal, 40.0, 20.0), small_film(same, 40.0, 35.0)
    assert found == pytest.approx(expected, rel=1e-8)
    assert np.ptp(found) > 0.02


def test_the_opposite_field_makes_the_mirrored_film():
    """F -> -F and r -> -r leave the equations and the mesh as they are, so opposite fields are equivalent."""
    crystal = em.film.Anisotropy("110", 1.0, 30 * deg)
    opposite = small_film(crystal, 220.0, 20.0)
    assert small_film(crystal, 40.0, 20.0, flip=-1.0) == pytest.approx(opposite, rel=1e-8)
    assert np.abs(small_film(crystal, 40.0, 20.0) - opposite).max() > 0.01


def three_waves(x: Any, y: Any, wave: float) -> Any:
    """The start of `small_film`."""
    return 0.3 + 0.05 * (np.sin(wave * (x + 2 * y)) + np.cos(2 * wave * x) + np.sin(wave * (2 * x - y) + 1))


TILTED = {
    "domain.size": [10.4, 10.4],
    "film.anisotropy": {"strength": 1.0, "misorientation": "30 deg"},
    "film.field": {"strength": 1.0, "angle": "40 deg"},
}


def test_the_spectral_film_is_that_of_finite_elements():
    """The same start by both, while the waves travel by a quarter of their length."""
    edge, n = 10.4, 32
    axis = np.arange(n) * edge / n
    law = spectral.Law(one_film(**TILTED), n)
    started = three_waves(axis[:, None], axis[None, :], 2 * np.pi / edge)
    modes = law.advance(np.fft.rfft2(started).astype(np.complex64), 2.0)
    full = np.fft.fft2(np.fft.irfft2(modes, s=(n, n))) / n**2
    k = 2 * np.pi / edge * np.fft.fftfreq(n, 1 / n)
    places = np.random.default_rng(0).uniform(0.0, edge, (40, 2))
    found = np.einsum("px,xy,py->p", np.exp(1j * places[:, :1] * k), full, np.exp(1j * places[:, 1:] * k)).real
    expected = small_film(em.film.Anisotropy("110", 1.0, 30 * deg), 40.0, 2.0, steps=15, cells=16)
    assert np.abs(found - expected).max() < 0.02 * np.ptp(expected)


@pytest.mark.parametrize(
    ("mobility", "damping", "turn"), [(None, 0.0, 0.0), (0.21, 0.0, 0.0), (None, 3.0, 0.0), (None, 0.0, 35.0)]
)
def test_a_spectral_wave_grows_and_travels_at_its_rate(mobility: float | None, damping: float, turn: float):
    """Complex amplitude of exp(i k r + omega t); a constant mobility in front of diffusion has the same omega.

    An implicit Euler step h loses a factor |1 - i w h| of a wave of frequency w. In a turned square the wave is turned.
    """
    film, n, until = one_film(**TILTED), 16, 2.0
    law = spectral.Law(film, n, mobility, damping=damping, turn=turn)
    axis = np.arange(n) * film.edge / n
    wave = 2 * np.pi / film.edge * np.array([2, 1])
    start = 0.3 + 1e-3 * np.cos(wave[0] * axis[:, None] + wave[1] * axis[None, :])
    modes = law.advance(np.fft.rfft2(start), until)
    found = np.log(modes[2, 1] / np.fft.rfft2(start)[2, 1]) / until
    crystal = em.film.Anisotropy("110", 1.0, 30 * deg)
    field = em.film.uniform_field(1.0, angle=40 * deg)
    c, s = np.cos(turn * deg), np.sin(turn * deg)
    wave = np.array([[c, -s], [s, c]]) @ wave
    expected: Any = em.film.growth_rate(wave, em.film.cupd(), mean=0.3, anisotropy=crystal, field=field)
    if damping:
        expected -= np.log(abs(1 - 1j * expected.imag * damping)) / damping
    assert found == pytest.approx(expected, abs=2e-4 * abs(expected))


def test_implicit_steps_of_a_small_error_make_the_same_film():
    """Runge-Kutta steps on Fourier modes beside the formulas of a stiff solver, whose error follows its tolerance."""
    film, n, until = one_film(**TILTED), 16, 5.0
    law = spectral.Law(film, n)
    started = np.fft.rfft2(spectral.start(film, n)) * law.kept
    expected = np.fft.irfft2(law.advance(started, until, 0.5), s=(n, n))
    errors = []
    for rtol in (1e-2, 1e-5):
        solver = stiff.Implicit(stiff.Rate(film, n), np.fft.irfft2(started, s=(n, n)).ravel(), until, rtol)
        while solver.status == "running":
            solver.step()
        errors.append(np.abs(solver.y.reshape(n, n) - expected).max() / np.ptp(expected))
    assert errors[1] < 1e-3 < errors[0]


def test_a_start_is_the_same_on_every_grid():
    film = one_film(**{"domain.size": [20.8, 20.8]})
    coarse, fine = spectral.start(film, 32), spectral.start(film, 64)
    assert fine[::2, ::2] == pytest.approx(coarse, abs=1e-12)
    assert spectral.start(film, 24).mean() == pytest.approx(0.3, abs=1e-12)
    assert 0.07 < np.abs(spectral.start(film, 24) - 0.3).max() < 0.09
    with pytest.raises(em.ParameterError, match="at least 6"):
        spectral.start(film, 16)


def test_starts_of_a_case_are_run_together_and_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """And one of them is the same film alone."""
    monkeypatch.setattr(films, "LOOKS", 2)
    told = book.Book("ensemble", tmp_path, {"time.until": 3.0, "domain.size": [20.8, 20.8]}, [1, 2])
    told.run(["text2"], 0)
    assert "4 films, 4 to run\n1/2 " in capsys.readouterr().out
    told.run(["text2"], 0)
    assert "4 films, 0 to run" in capsys.readouterr().out
    pair = told.groups("text2", "misorientation")[30.0]
    alone = spectral.run([pair[1].film])[0]
    assert alone.pictures[-1] == pytest.approx(pair[1].pictures[-1], abs=1e-5)
    assert np.abs(pair[0].pictures[-1] - pair[1].pictures[-1]).max() > 0.01


def test_what_is_left_of_the_start_is_not_a_pattern():
    """Perfect at a tenth of the contrast is not formed; at half of it it is."""
    patterns = [pattern(contrast=x) for x in (0.1, 0.01, 0.05)]
    told = record([*patterns, *[pattern()] * 3])
    assert list(measures.emerged(told)) == [False, False, True, True, True, True]
    assert measures.formed(told) == measures.sharpened(told) == 2.0
    assert measures.spacing_growth(told) == pytest.approx(1.0)
