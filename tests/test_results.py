"""Results stand alone: every field of every model comes back, from the folder of a run and from nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import emfem as em
from emfem.cli import app
from emfem.storage import StateReader
from emfem.studies import Case
from emfem.view.runs import RunFolder

import meshio
import numpy as np
import pytest
import pyvista
import vtk
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
    """Unknowns to the last bit; what is derived from them as it was interpolated."""
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
    (tmp_path / "results.parquet").touch()
    with pytest.raises(em.ParameterError, match="must be that of a run: it is a sweep, whose runs are its folders"):
        _ = em.results.open(tmp_path).times


# ---- a folder alone ----------------------------------------------------------------------------------------------

DATA = Path(__file__).with_name("data")
CASE = Path(__file__).with_name("results_case.py")


@pytest.fixture
def copied(outcome: em.studies.Outcome, tmp_path: Path) -> Path:
    """The folder of the run, elsewhere, without its case and its pictures."""
    folder = tmp_path / "elsewhere" / "run"
    shutil.copytree(outcome.folder, folder, ignore=shutil.ignore_patterns("case.toml", "*.png"))
    return folder


def test_a_copy_without_its_case_is_opened(copied: Path, outcome: em.studies.Outcome, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Case, "build", lambda *_: pytest.fail("the case was built"))
    results, film = em.results.open(copied), outcome.models[1]
    assert results.times == pytest.approx([0.0, 1.0, 2.0])
    models = results.models()
    for model, saved in zip(outcome.models, models, strict=True):
        assert saved.names == model.names
        assert str(saved.domain) == str(model.domain)
        for name, field in model.fields.items():
            there = em.fields.discontinuous(field.value, model.mesh, 2)
            here = em.fields.discontinuous(saved[name], saved.mesh, 2)
            assert here.x.array == pytest.approx(there.x.array, rel=1e-12, abs=1e-14), name
            assert saved.fields[name].meaning == field.meaning
        numbers = {name: saved.quantity(name) for name in saved.quantities}
        assert numbers == pytest.approx({name: model.quantity(name) for name in model.quantities}, rel=1e-12)
    assert results.plot(copied / "j.png", field="j", t=1.0).is_file()
    assert results.plot(copied / "jx.png", field="j", component="x").is_file()
    assert results.time_of("2") == 2.0
    assert em.fields.extremes(results.field("c"))[1] == film.quantity("c_max")
    with pytest.raises(em.ParameterError, match=r"must be that of a run: it has no case\.toml"):
        _ = results.case


def test_tables_and_arrays_are_the_same_of_a_live_model_and_of_results(
    found: em.results.Results, outcome: em.studies.Outcome
):
    film, current = outcome.models[1], outcome.models[0]
    cut, live = (
        found.line_cut("c", (0.0, 1.0), (10.0, 1.0), 7),
        em.fields.line_cut(film.fields["c"], (0.0, 1.0), (10.0, 1.0), 7),
    )
    assert list(cut) == ["s", "x", "y", "c"]
    assert cut.to_numpy() == pytest.approx(live.to_numpy(), rel=1e-12)
    assert cut.attrs == live.attrs == {"units": {"s": "h", "x": "h", "y": "h", "c": "-"}}
    assert cut["s"].tolist() == pytest.approx(np.linspace(0.0, 10.0, 7))
    points = [(1.3, 2.2), (9.2, 4.4), (11.0, 0.0)]
    table = found.probe("j", points)
    assert list(table) == ["x", "y", "j_x", "j_y"]
    assert np.isnan(table.iloc[2, 2:].to_numpy(dtype=float)).all()
    degree = current["phi"].function_space.element.basix_element.degree
    values = em.fields.evaluate(em.fields.discontinuous(current["j"], current.mesh, degree), points[:2])
    assert table.iloc[:2, 2:].to_numpy() == pytest.approx(values, rel=1e-12)
    assert found.sample_grid("c", (4, 2)).values == pytest.approx(em.fields.sample_grid(film["c"], (4, 2)).values)
    array = found.to_xarray("j", (4, 2))
    assert array.dims == ("t", "x", "y", "component")
    assert array.sel(t=2.0, component="y").to_numpy() == pytest.approx(found.sample_grid("j", (4, 2)).values[..., 1])
    assert em.fields.to_xarray(film["c"], (4, 2)).attrs == {"units": "-", "long_name": "concentration c"}
    grid, other = found.to_pyvista(["c", "j"]), em.vtk.to_pyvista(outcome.models, ["c", "j"])
    assert grid is not None
    assert other is not None
    assert grid["c"] == pytest.approx(other["c"], rel=1e-12)
    assert grid.field_data["unit of c"].tolist() == ["-"]


def test_the_last_state_of_a_run_that_fails_has_all_fields(
    strip: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def failing(models: list[em.Model], *, watch: list[em.observe.Observer], **_: Any) -> None:
        watch[0].start(models, 0.0)  # the states
        for model in models:
            model.t = 0.25
        msg = "no step possible"
        raise em.EmfemError(msg)

    monkeypatch.setattr("emfem.studies.running.evolve", failing)
    with pytest.raises(em.EmfemError, match="no step possible"):
        strip.run(tmp_path)
    results = em.results.open(tmp_path)
    assert results.times.tolist() == [0.0, 0.25]
    assert results.field("j").ufl_shape == (2,)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("mesh.npz", None, r"mesh\.npz cannot be read: No such file or directory$"),
        ("mesh.npz", b"PK\x03\x04", r"mesh\.npz cannot be read: File is not a zip file$"),
        ("fields.json", b"{", r"fields\.json cannot be read: "),
        ("fields.json", b'{"format": 1}', r"fields\.json cannot be read: it has no domains, models, spaces$"),
        ("fields.json", None, r"must be that of a run: it has no fields\.json$"),
        (
            "fields.json",
            b'{"format": 99, "emfem": "7.0"}',
            r"has format 99, must be at most 2: take emfem 7\.0 or newer$",
        ),
        ("states/0001.npz", b"PK\x03\x04", r"0001\.npz cannot be read: File is not a zip file$"),
    ],
)
def test_what_is_missing_damaged_or_newer_is_one_sentence(copied: Path, name: str, content: bytes | None, said: str):
    (copied / name).unlink() if content is None else (copied / name).write_bytes(content)
    with pytest.raises(em.ParameterError, match=said):
        em.results.open(copied).models()


WRONG: list[Any] = [None, [], {}, "x", -7, 1e400, True]


@pytest.mark.parametrize("name", ["fields.json", "report.json"])
def test_a_table_with_anything_else_in_it_is_one_sentence(copied: Path, name: str):
    """Keys left out, and values replaced by others: what does not raise one sentence is read."""
    path = copied / name
    whole, random = json.loads(path.read_text(encoding="utf-8")), np.random.default_rng(1)
    refused = 0
    for trial in range(40):
        tables = json.loads(json.dumps(whole))
        places = [*each_place(tables)]
        owner, key = places[random.integers(len(places))]
        if trial % 2:
            del owner[key]
        else:
            owner[key] = WRONG[random.integers(len(WRONG))]
        path.write_text(json.dumps(tables), encoding="utf-8")
        refused += is_refused(lambda: (em.results.open(copied).report, em.results.open(copied).models()))
        assert repr(em.results.Results(copied)).startswith("<results ")
    assert refused > 5 or name == "report.json"


def is_refused(read: Callable[[], Any]) -> bool:
    """Return true if reading raises one sentence; no other error passes."""
    try:
        read()
    except em.ParameterError as error:
        return "\n" not in str(error) or pytest.fail(f"not one sentence: {error}")
    return False


def each_place(tables: Any) -> Iterator[tuple[Any, Any]]:
    """Each table or list with each of its keys."""
    for key, value in tables.items() if isinstance(tables, dict) else enumerate(tables):
        yield tables, key
        if isinstance(value, dict | list):
            yield from each_place(value)


@pytest.mark.parametrize("content", ["[" * 100_000, "[1]", "null", "\x00", '"'])
@pytest.mark.parametrize("name", ["fields.json", "report.json"])
def test_a_table_that_is_none_is_one_sentence(copied: Path, name: str, content: str):
    (copied / name).write_text(content, encoding="utf-8")
    results = em.results.open(copied)
    with pytest.raises(em.ParameterError, match=rf"{name} cannot be read: .*"):
        _ = results.report, results.models()
    assert repr(results).startswith("<results ")


@pytest.mark.parametrize("name", ["mesh.npz", "states/0001.npz"])
def test_a_flipped_bit_or_a_short_file_is_one_sentence_or_harmless(
    copied: Path, outcome: em.studies.Outcome, name: str
):
    path, random = copied / name, np.random.default_rng(2)
    whole = path.read_bytes()
    right = em.results.open(outcome.folder).field("c", 1.0).x.array
    compare, refused = np.testing.assert_array_equal, 0
    for trial in range(40):
        content = bytearray(whole)
        if trial % 4:
            content[random.integers(len(content))] ^= 1 << random.integers(8)
        else:
            content = content[: random.integers(len(content))]
        path.write_bytes(content)
        refused += is_refused(lambda: compare(em.results.open(copied).field("c", 1.0).x.array, right))
    assert refused > 15


@pytest.mark.parametrize("name", ["report.json", "series.csv"])
def test_half_a_table_is_one_sentence(copied: Path, name: str):
    (copied / name).write_bytes(b"" if name == "series.csv" else b'{"status": "o')
    with pytest.raises(em.ParameterError, match=rf"{name} cannot be read: "):
        getattr(em.results.open(copied), name.split(".")[0])


def test_damaged_values_are_not_taken(copied: Path):
    path = copied / "states" / "last.npz"
    content = bytearray(path.read_bytes())
    at = content.index(np.load(path)["film/c"].tobytes())
    content[at + 3] ^= 1  # one bit of one number
    path.write_bytes(content)
    for other in (copied / "states").glob("00*.npz"):
        other.unlink()
    with pytest.raises(em.ParameterError, match=r"last\.npz cannot be read: its film/c is damaged$"):
        em.results.open(copied).field("phi")


def test_a_folder_of_the_former_format_is_opened():
    """Written before folders held their mesh; values as they were read then."""
    results = em.results.open(DATA / "former_run")
    assert results.times.tolist() == [0.0, 0.5, 1.0]
    points = [(1.3, 2.2), (5.1, 1.1), (9.2, 4.4)]
    c = [0.29903147807303365, 0.31042468105863114, 0.2798699515457853]
    assert results.probe("c", points, t=0.5)["c"].tolist() == pytest.approx(c, rel=1e-12)
    j = [0.05014320643694735, 0.048374081875094586, 0.051759671893557554]
    assert results.probe("j", points, t=0.5)["j_x"].tolist() == pytest.approx(j, rel=1e-10)
    assert list(results.series["t"]) == [0.0, 0.5, 1.0]


def test_results_state_what_they_are(found: em.results.Results, tmp_path: Path):
    assert repr(found).endswith("3 states to t = 2; phi, E, j, potential, c, mu, flux, field>")
    assert repr(em.results.Results(tmp_path)) == f"<results in {str(tmp_path)!r}>"


# ---- every kind of model -----------------------------------------------------------------------------------------


def same(there: Any, here: Any, what: str = "") -> None:
    """Compare numbers in nested tables, to 1e-12 of the largest of each list."""
    if isinstance(there, dict):
        assert there.keys() == here.keys(), what
        for key in there:
            same(there[key], here[key], f"{what} {key}")
    elif isinstance(there, str):
        assert there == here, what
    else:
        numbers, others = np.array(there, dtype=float), np.array(here, dtype=float)
        size = np.nanmax(np.abs(numbers), initial=0.0)
        assert others == pytest.approx(numbers, rel=1e-12, abs=1e-12 * size, nan_ok=True), what


# Two unknowns and a single number beside them, and cells in space; all others are in `make soak`
KINDS = ["surface", "hexahedra"]


@pytest.fixture(scope="module")
def every_model(tmp_path_factory: pytest.TempPathFactory, run_json_on_ranks: Callable[..., Any]) -> tuple[Path, Any]:
    """Models of every kind, written and read on two ranks, and what they held; `make soak` has more of them."""
    folder, kinds = tmp_path_factory.mktemp("every"), [] if "EMFEM_SOAK" in os.environ else KINDS
    compiled = tmp_path_factory.mktemp("compiled")
    run_json_on_ranks(1, CASE, "write", compiled, *kinds, timeout=500)  # no other rank waits for forms
    return folder, run_json_on_ranks(2, CASE, "write and read", folder, *kinds, timeout=500)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("ranks", [1, 2, pytest.param("2 of a later start", marks=pytest.mark.soak)])
def test_every_field_of_every_model_comes_back(
    every_model: tuple[Path, Any], run_json_on_ranks: Callable[..., Any], ranks: int | str
):
    folder, (there, at_once) = every_model
    later = None if ranks == 2 else 1 if ranks == 1 else 2
    here = run_json_on_ranks(later, CASE, "read", folder, *there, timeout=500) if later else at_once
    assert len(there) >= len(KINDS)
    same(there, here)


@pytest.mark.soak
def test_a_rank_may_be_without_cells(tmp_path: Path, run_json_on_ranks: Callable[..., Any]):
    there = run_json_on_ranks(3, CASE, "write", tmp_path, "two cells")
    same(there, run_json_on_ranks(3, CASE, "read", tmp_path, "two cells"))


@pytest.mark.timeout(1200)
def test_every_field_of_every_model_is_read_by_pyvista_and_meshio(every_model: tuple[Path, Any]):
    """At the points of each cell, and (where VTK is exact: in straight cells) between them."""
    for name, told in every_model[1][0].items():
        path = every_model[0] / name / "fields.vtu"
        grid, mesh, places = pyvista.read(path), meshio.read(path), np.load(path.with_name("points.npy"))
        about = json.loads(mesh.field_data["about"].tobytes())
        assert mesh.field_data["TimeValue"].item() == 1.5
        cells = em.vtk.CellFields(StateReader(path.parent).read(path.with_name("state.npz")))
        arrays = cells.arrays()
        points = arrays.pop("").reshape(grid.n_cells, -1, 3)
        corners = grid.cells.reshape(grid.n_cells, -1)[:, 1:]
        if cells.cell_type == vtk.VTK_LAGRANGE_HEXAHEDRON:
            corners = np.sort(corners, axis=1)  # VTK numbers edges anew
        assert np.array_equal(grid.points, mesh.points)
        orders = [in_order(points), in_order(grid.points[corners])]
        same(points[orders[0]], grid.points[corners][orders[1]], name)
        assert arrays.keys() == set(grid.point_data) == set(mesh.point_data)
        for field, values in arrays.items():
            there = values.reshape(*points.shape[:2], -1)[orders[0]]
            for reader in (grid.point_data, mesh.point_data):
                same(there, np.asarray(reader[field])[corners].reshape(there.shape)[orders[1]], f"{name} {field}")
            assert {about["fields"][field]["unit"]} <= {
                told["units"][key] for key in told["units"] if key.endswith(f" {field}")
            }
        if cells.domain.regions:
            assert np.array_equal(np.sort(grid["region"]), np.sort(mesh.cell_data["region"][0]))
            assert np.array_equal(grid["region"][orders[1]], cells.regions()[orders[0]])
        if name != "curved":
            sampled_alike(grid, cells, places, name)


def in_order(points: np.ndarray) -> np.ndarray:
    """An order of cells that depends on their middles alone."""
    middles = points.mean(axis=1)
    return np.lexsort(np.round((middles - middles.min(axis=0)) / np.ptp(middles), 9).T)


def sampled_alike(grid: pyvista.UnstructuredGrid, cells: em.vtk.CellFields, places: np.ndarray, name: str) -> None:
    """Compare what VTK interpolates at places inside cells; scaled, as it finds cells to absolute tolerances."""
    padded = np.zeros((len(places), 3))
    padded[:, : places.shape[1]] = places
    scale = 1 / np.ptp(places)
    grid.points *= scale
    sampled = pyvista.PolyData(padded * scale).sample(grid, tolerance=1e-6)
    assert sampled["vtkValidPointMask"].all(), name
    for field, function in cells.functions.items():
        there = em.fields.evaluate(function, places).reshape(len(places), -1)
        here = np.asarray(sampled[field]).reshape(len(places), -1)
        if here.shape[1] <= 3:  # tensors are laid out otherwise; their points are compared above
            same(there, here[:, : there.shape[1]], f"{name} {field}")


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


# ---- folders written by a script ----------------------------------------------------------------------------------


def recorded(folder: Path, *watch: Any, cells: int = 8, **options: Any) -> em.Model:
    """Return a solute that leaves through one end of a line, after a run that wrote the folder."""
    line = em.mesh.interval(1.0, cells=cells)
    solute = em.migration.model(line, diffusivity=1.0, initial=1.0, on={"right": em.fixed(0.0)})
    observers = [em.results.Recorder(folder, **(options or {"every": 0.05})), *watch]
    em.evolve(solute, 0.1, watch=observers, progress=False)
    return solute


def test_a_script_writes_a_folder_that_stands_alone(tmp_path: Path):
    solute = recorded(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    results = em.results.open(tmp_path / "moved")
    assert list(results.times) == pytest.approx([0.0, 0.05, 0.1])
    assert list(results.series["t"]) == pytest.approx([0.0, 0.05, 0.1])
    assert results.series["amount"].iloc[-1] == solute.quantity("amount") == results.report["quantities"]["amount"]
    places = [[0.0], [0.3], [1.0]]
    assert (results.probe("c", places)["c"] == em.fields.probe(solute["c"], places)["c"]).all()
    assert results.report["status"] == "ok"
    assert results.report["stopped"] == results.series.attrs["stopped"] == "reached until"


def test_numbers_of_a_recorder_have_the_units_of_the_run(tmp_path: Path):
    line = em.stress.model(em.mesh.interval(1e-5, cells=8), em.materials.copper(573.0), current_density=1e10)
    em.evolve(line, 600.0, watch=[em.results.Recorder(tmp_path, every=300.0)], progress=False)
    results = em.results.open(tmp_path)
    units = {name: quantity.meaning.unit for name, quantity in line.quantities.items()}
    assert units["sigma_max"] == "Pa"
    assert results.series.attrs["units"] == {"t": "s", **units}
    assert {name: field.meaning.unit for name, field in results.models()[0].fields.items()} == {
        name: field.meaning.unit for name, field in line.fields.items()
    }
    told = results.report["units"]
    assert {name: told[f"quantities.{name}"] for name in units} == units


def test_the_viewer_shows_the_folder_of_a_script(tmp_path: Path):
    recorded(tmp_path)
    shown = RunFolder(tmp_path, "run")
    assert not shown.trouble
    assert not shown.notes
    assert "c" in shown.scene.fields


def test_a_run_that_fails_leaves_its_states_and_the_reason(tmp_path: Path):
    """The amount is not conserved: the solute leaves."""
    with pytest.raises(em.ConservationError) as caught:
        recorded(tmp_path, em.watch.conserved("c_max", rtol=1e-12), every=0.01)
    results = em.results.open(tmp_path)
    assert results.report["status"] == "failed"
    assert results.report["error"] == str(caught.value)
    assert len(results.times) >= 1


def test_a_second_run_replaces_the_first(tmp_path: Path):
    recorded(tmp_path, every=0.01)
    recorded(tmp_path, times=[0.1])
    results = em.results.open(tmp_path)
    assert list(results.times) == pytest.approx([0.1])
    assert list(results.series["t"]) == pytest.approx([0.1])


def test_a_run_inside_an_except_clause_is_no_failure(tmp_path: Path):
    try:
        float("missing")
    except ValueError:
        recorded(tmp_path)
    report = em.results.open(tmp_path).report
    assert (report["status"], report["error"]) == ("ok", "")
    assert report["t"] == 0.1


def test_the_case_of_an_earlier_run_is_removed_and_no_other(tmp_path: Path):
    case = tmp_path / "case.toml"
    case.write_text("of the user", encoding="utf-8")
    recorded(tmp_path)
    assert case.is_file()
    (tmp_path / "report.json").write_text('{"hash": "1a"}', encoding="utf-8")  # of `emfem run`
    recorded(tmp_path)
    assert not case.exists()


@pytest.mark.parametrize("name", ["mesh.npz", "states/0001.npz"])
@pytest.mark.parametrize("cells", [4, 8])
def test_files_of_another_run_are_refused(tmp_path: Path, name: str, cells: int):
    """Even where the sizes fit: the numbers of nodes depend on the ranks that wrote them."""
    recorded(tmp_path / "run")
    recorded(tmp_path / "other", cells=cells)
    shutil.copy(tmp_path / "other" / name, tmp_path / "run" / name)
    with pytest.raises(em.ParameterError, match=rf"{name} cannot be read: it is of another run than .*fields\.json$"):
        em.results.open(tmp_path / "run").models(t=0.05)


def test_a_model_of_results_shows_itself_in_a_notebook_and_is_a_start(tmp_path: Path):
    solute = recorded(tmp_path)
    (saved,) = em.results.open(tmp_path).models()
    assert "0 to 0.9" in saved._repr_html_()
    again = em.migration.model(saved.domain, diffusivity=1.0, initial=saved["c"], on={"right": em.fixed(0.0)})
    assert again.quantity("amount") == pytest.approx(solute.quantity("amount"), rel=1e-12)
    with pytest.raises(em.ParameterError, match="must be built again to be solved"):
        em.evolve(saved, 1.0)


def test_a_folder_that_cannot_be_written_is_refused(unwritable_dir: Path):
    with pytest.raises(em.ParameterError, match="must be a file that can be written"):
        em.results.Recorder(unwritable_dir / "run")


def test_an_interrupted_run_is_reported_as_such(tmp_path: Path):
    """Ctrl-C, here from an observer."""

    class Interrupt(em.observe.Observer):
        def record(self, t: float) -> None:
            if t > 0.0:
                os.kill(os.getpid(), signal.SIGINT)

    recorded(tmp_path, Interrupt(), every=0.05)
    report = em.results.open(tmp_path).report
    assert report["status"] == report["stopped"] == "interrupted"


def test_fields_that_two_models_share_are_all_there():
    """Names that one model alone has stay as they are; the others have the name of their model in front."""
    plate = em.mesh.rectangle((2.0, 1.0), cells=(3, 2))
    models = [
        em.conduction.model(plate, conductivity=1.0, on={"left": em.fixed(value), "right": em.fixed(0.0)})
        for value in (1.0, 2.0)
    ]
    models.append(em.migration.model(plate, diffusivity=1.0, initial=0.5, on={"right": em.fixed(0.0)}))
    for i, model in enumerate(models):
        model[model.unknowns[0].name].x.array[:] = float(i)
    grid = em.vtk.to_pyvista(models)
    assert grid is not None
    for i, name in enumerate(("conduction.phi", "conduction 2.phi", "c")):
        assert grid[name] == pytest.approx(float(i))
    assert grid.field_data["unit of conduction 2.phi"].tolist() == [models[1].fields["phi"].unit]
    assert len(em.vtk.CellFields(models).functions) == sum(len(model.names) for model in models)
    second = em.vtk.CellFields(models, ["conduction 2.phi"]).functions["conduction 2.phi"]
    assert second.x.array == pytest.approx(1.0)
    with pytest.raises(em.ParameterError, match="'phi' is a field of the conduction model and the conduction model"):
        em.vtk.CellFields(models, ["phi"])
