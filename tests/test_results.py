"""Results: what was written is found again."""

from __future__ import annotations

from pathlib import Path

import emfem as em
from emfem.cli import app
from emfem.studies import Case

import numpy as np
import pytest
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, strip: Case) -> em.studies.Outcome:
    """A film between electrodes, run for two units of time."""
    return strip.run(tmp_path_factory.mktemp("strip"), progress=False)


@pytest.fixture
def found(outcome: em.studies.Outcome) -> em.results.Results:
    """Results in the folder of the run."""
    return em.results.open(outcome.folder)


def test_a_state_that_is_being_written_is_not_read(outcome: em.studies.Outcome):
    half = outcome.folder / "states" / "0009.part.npz"
    half.write_bytes(b"half")
    try:
        assert em.results.open(outcome.folder).times == pytest.approx([0.0, 1.0, 2.0])
    finally:
        half.unlink()


def test_the_series_is_a_table(found: em.results.Results):
    series = found.series
    assert list(series["t"]) == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0])
    assert {"solute", "power", "voltage left", "current right"} <= set(series)
    assert set(series.attrs["units"].values()) == {"-"}  # a film sets the scales
    assert series["c_max"].iloc[-1] == found.report["quantities"]["c_max"]


def test_times_and_case(found: em.results.Results, outcome: em.studies.Outcome):
    assert list(found.times) == pytest.approx([0.0, 1.0, 2.0])
    assert found.case.hash == outcome.report["hash"]


def test_a_field_is_what_it_was(found: em.results.Results, outcome: em.studies.Outcome):
    """Unknowns to the last bit; what is derived from them is worked out again."""
    film, current = outcome.models[1], outcome.models[0]
    assert np.array_equal(found.field("c").x.array, film["c"].x.array)
    flow = em.fields.discontinuous(current["j"], current.mesh, 2)
    assert found.field("j").x.array == pytest.approx(flow.x.array, rel=1e-12)
    assert found.field("j").ufl_shape == (2,)


def test_fields_of_two_times_are_two(found: em.results.Results):
    first, last = found.field("c", 0.0), found.field("c")
    assert not np.array_equal(first.x.array, last.x.array)
    assert em.fields.extremes(first)[1] == pytest.approx(found.series["c_max"][0], rel=1e-12)
    assert em.fields.extremes(last)[1] == pytest.approx(found.series["c_max"].iloc[-1], rel=1e-12)
    frames = found.frames("E")
    assert len(frames.functions) == len(frames.t) == 3
    assert frames.functions[0].ufl_shape == ()


@pytest.mark.parametrize(
    ("name", "t", "said"),
    [
        ("c", 0.7, "t = 0.7, must be one of the 3 times that were saved, such as 1"),
        ("x", None, "'x'; this run has phi"),
    ],
)
def test_fields_that_are_not_there(found: em.results.Results, name: str, t: float | None, said: str):
    with pytest.raises(em.ParameterError) as caught:
        found.field(name, t)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("name", [None, "j"])
def test_a_field_is_drawn(found: em.results.Results, name: str | None, tmp_path: Path):
    path = found.plot(tmp_path / "a.png", field=name, t=1.0)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_folders_without_results(tmp_path: Path):
    with pytest.raises(em.ParameterError, match=r"must be that of a run: it has no report\.json"):
        em.results.open(tmp_path)
    (tmp_path / "report.json").write_text("{}", encoding="utf-8")
    with pytest.raises(em.ParameterError, match="no state is saved"):
        _ = em.results.open(tmp_path).times
    with pytest.raises(em.ParameterError, match=r"must be that of a sweep: it has no results\.parquet"):
        _ = em.results.open(tmp_path).table


def test_plot_and_movie_on_the_command_line(outcome: em.studies.Outcome, tmp_path: Path):
    def run(*arguments: object) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, [str(a) for a in arguments])
        return done.exit_code, done.stdout.strip(), done.stderr.strip()

    picture, film = tmp_path / "c.png", tmp_path / "c.gif"
    assert run("plot", outcome.folder, "--time", "1", "-o", picture) == (0, str(picture), "")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert run("movie", outcome.folder, "-o", film) == (0, str(film), "")
    assert film.read_bytes().startswith(b"GIF8")
    assert run("plot", outcome.folder, "--time", "1.3")[2].startswith("t = 1.3, must be one of the 3 times")
    assert run("plot", outcome.folder, "--field", "x")[0] == 1
    assert run("plot", tmp_path / "none")[2].endswith("it has no report.json")
