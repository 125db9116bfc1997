"""Files of a run hold its numbers: rows of a CSV, frames for ParaView; bad places are refused."""

from __future__ import annotations

import csv
import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.errors import ConvergenceError, ParameterError

import meshio
import numpy as np
import pytest
import pyvista

Films = Callable[..., em.Model]
Decay = Callable[..., em.Model]
pytestmark = [
    pytest.mark.usefixtures("in_tmp"),
    pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning"),
]


def march(model: em.Model, until: float, *watch: em.observe.Observer, **other: Any) -> em.Run:
    return em.evolve(model, until, progress=False, watch=watch, **other)


def rows(path: Path | str) -> tuple[list[str], np.ndarray]:
    """Header and numbers of a CSV file."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    return header, np.array(lines, dtype=float)


# ---- quantities


def test_the_header_has_names_and_units_and_each_row_the_quantities(decay: Decay):
    kept = em.watch.series(["amount", "level"], every=0.3)
    march(decay(), 1.0, em.write.series("out/series.csv", every=0.3), kept)
    header, numbers = rows("out/series.csv")
    assert header == ["t", "amount [mol]", "level [mol/m]"]
    # every digit of a double is written
    assert np.array_equal(numbers, np.column_stack([kept.t, kept["amount"], kept["level"]]))
    assert numbers[:, 0].tolist() == [0.0, 0.3, 0.6, 0.3 * 3, 1.0]


def test_without_names_all_quantities_of_all_models_are_written(film: Films):
    model = film(degree=1)
    march(model, 0.5, em.write.series("series.csv", every=0.5))
    header, numbers = rows("series.csv")
    assert header == ["t", *(f"{name} [-]" for name in model.quantities)]
    assert numbers[-1].tolist() == [0.5, *(model.quantity(name) for name in model.quantities)]


def test_names_choose_and_order_the_columns(film: Films):
    march(film(degree=1), 0.5, em.write.series("series.csv", quantities=["c_max", "solute"], every=0.25))
    header, numbers = rows("series.csv")
    assert header == ["t", "c_max [-]", "solute [-]"]
    assert numbers.shape == (3, 3)


def test_without_a_period_each_step_has_a_row(decay: Decay):
    run = march(decay(), 1.0, em.write.series("series.csv"))
    assert len(rows("series.csv")[1]) == run.steps + 1


def test_rows_are_on_disk_when_the_run_fails(decay: Decay):
    with pytest.raises(ConvergenceError):
        march(decay(bounds=(0.5, 2.0)), 1.0, em.write.series("series.csv"), fixed_step=0.25)
    assert rows("series.csv")[1][:, 0] == pytest.approx([0.0, 0.25, 0.5])


def test_an_old_file_is_replaced(decay: Decay):
    Path("series.csv").write_text("old\n" * 100, encoding="utf-8")
    march(decay(), 1.0, em.write.series("series.csv", every=1.0))
    assert len(rows("series.csv")[1]) == 2


# ---- fields


def frames(path: Path | str) -> int:
    """Number of frames in an ADIOS2 (BP5) file; its index has a record for each, after a header and the writers."""
    try:
        adios2 = importlib.import_module("adios2")
    except ImportError:
        header, record = 64, 41
        whole, rest = divmod((Path(path) / "md.idx").stat().st_size - header, record)
        assert rest == 0
        return whole - 1
    with adios2.FileReader(str(path)) as reader:
        return int(reader.num_steps())


@pytest.mark.parametrize(
    ("schedule", "expected"), [({"every": 0.25}, 5), ({"every": 0.4}, 4), ({"times": [0.1, 0.7]}, 2)]
)
def test_a_frame_is_written_at_each_time(film: Films, schedule: dict[str, Any], expected: int):
    march(film(degree=1), 1.0, em.write.vtx("out/fields.bp", ["c", "mu"], **schedule))
    assert frames("out/fields.bp") == expected


def test_without_a_schedule_each_step_has_a_frame(film: Films):
    run = march(film(degree=1), 1.0, em.write.vtx("fields.bp", ["c"]))
    assert frames("fields.bp") == run.steps + 1


def test_old_frames_are_replaced(film: Films):
    model = film(degree=1)
    march(model, 1.0, em.write.vtx("fields.bp", ["c"], every=0.1))
    march(model, 2.0, em.write.vtx("fields.bp", ["c"], every=0.5))
    assert frames("fields.bp") == 3


def size(path: str) -> int:
    return sum(file.stat().st_size for file in Path(path).iterdir())


@pytest.mark.parametrize("field", [None, (0.1, 0.0)])
def test_derived_fields_are_written_with_or_without_a_drift(film: Films, field: Any):
    march(film(degree=1, field=field), 0.1, em.write.vtx("one.bp", ["c"], every=0.1))
    march(film(degree=1, field=field), 0.1, em.write.vtx("all.bp", ["c", "flux", "field"], every=0.1))
    assert frames("all.bp") == 2
    # two frames of 36 cells with 4 nodes and 2 + 2 (or, padded, 3 + 3) components of 8 bytes
    assert size("all.bp") - size("one.bp") > 2 * 36 * 4 * 4 * 8


def test_open_meshes_are_written_too(plate: em.mesh.Domain):
    film = em.film.model(plate, em.film.cupd(), mean=0.3, on={"left": em.fixed(0.2)}, degree=1)
    march(film, 0.1, em.write.vtx("fields.bp", ["c", "flux"], every=0.1))
    assert frames("fields.bp") == 2


def test_frames_are_complete_when_the_run_fails(decay: Decay):
    with pytest.raises(ConvergenceError):
        march(decay(bounds=(0.5, 2.0)), 1.0, em.write.vtx("fields.bp", ["u"]), fixed_step=0.25)
    assert frames("fields.bp") == 3


def test_fields_of_two_meshes_do_not_go_into_one_file(film: Films, decay: Decay):
    watch = em.write.vtx("fields.bp", ["c", "u"])
    with pytest.raises(ParameterError, match=r"^fields c, u, must be on one mesh$"):
        em.evolve([film(degree=1), decay()], 1.0, watch=[watch], progress=False)


def test_frames_are_listed_with_their_times_and_read_by_others(film: Films):
    """As PyVista has a time series; each file alone is what meshio reads."""
    model = film(degree=2)
    march(model, 1.0, em.write.vtu("out/fields.pvd", ["c", "mu"], every=0.25))
    reader = pyvista.get_reader("out/fields.pvd")
    assert reader.time_values == [0.0, 0.25, 0.5, 0.75, 1.0]
    reader.set_active_time_value(1.0)
    grid, mesh = reader.read()[0], meshio.read("out/fields/0004.vtu")
    assert grid["c"].max() == mesh.point_data["c"].max() == pytest.approx(model.quantity("c_max"), rel=1e-12)
    march(film(degree=2), 1.0, em.write.vtu("out/fields.pvd", ["c"], every=1.0))
    assert sorted(path.name for path in Path("out/fields").iterdir()) == ["0000.vtu", "0001.vtu"]


def test_frames_of_vtk_are_complete_when_the_run_fails(decay: Decay):
    with pytest.raises(ConvergenceError):
        march(decay(bounds=(0.5, 2.0)), 1.0, em.write.vtu("fields.pvd", ["u"]), fixed_step=0.25)
    assert pyvista.get_reader("fields.pvd").time_values == pytest.approx([0.0, 0.25, 0.5])


def test_the_time_of_a_model_in_si_has_its_unit():
    line = em.mesh.interval(1e-5, cells=4)
    model = em.stress.model(line, em.materials.copper(temperature=573.0), current_density=1e10)
    march(model, 10.0, em.write.series("series.csv", quantities=["sigma_max"], every=10.0))
    assert rows("series.csv")[0] == ["t [s]", "sigma_max [Pa]"]


# ---- bad places, bad names


@pytest.mark.parametrize(
    "make", [lambda path: em.write.series(path.with_suffix(".csv")), lambda path: em.write.vtx(path, ["c"])]
)
def test_a_place_that_cannot_be_written_is_refused_at_once(unwritable_dir: Path, make: Callable[[Path], Any]):
    with pytest.raises(ParameterError, match=re.escape(f"path = '{unwritable_dir / 'out'}.")) as caught:
        make(unwritable_dir / "out.bp")
    assert ", must be a file that can be written: " in str(caught.value)


def test_text_that_cannot_be_written_is_refused(unwritable_dir: Path):
    with pytest.raises(ParameterError, match="must be a file that can be written"):
        em.write.text(unwritable_dir / "note.txt", "hello")


def test_a_file_in_place_of_frames_is_refused():
    Path("fields.bp").write_text("in the way", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"^path = 'fields.bp', must be a file that can be written: it is a file$"):
        em.write.vtx("fields.bp", ["c"])


def test_frames_need_their_ending():
    with pytest.raises(ParameterError, match=r"\.vtk', must end in \.bp$"):
        em.write.vtx("fields.vtk", ["c"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: em.write.vtx("x.bp", "c"), "names = 'c', must be a list of words"),
        (lambda: em.write.vtu("x.pvd", "c"), "names = 'c', must be a list of words"),
        (lambda: em.write.vtu("x.vtu", ["c"]), "path = 'x.vtu', must end in .pvd"),
        (lambda: em.write.vtx("x.bp", []), "names = [], must be a list of names"),
        (lambda: em.write.series("x.csv", quantities="c"), "quantities = 'c', must be a list of words"),
        (lambda: em.write.series("x.csv", every=0.0), "every = 0, must be greater than 0"),
    ],
)
def test_bad_names_and_periods_are_refused(make: Callable[[], Any], message: str):
    with pytest.raises(ParameterError) as caught:
        make()
    assert str(caught.value) == message


def test_text_is_written_as_it_is():
    em.write.text("deep/er/note.txt", "α = 0.3\n")
    assert Path("deep/er/note.txt").read_text(encoding="utf-8") == "α = 0.3\n"


def test_times_after_a_jump_are_written_as_numbers(tmp_path: Path):
    """The jumps of a bare function are searched with NumPy, whose numbers have a `repr` of their own."""
    line = em.mesh.interval(1.0, cells=4)
    model = em.migration.model(line, diffusivity=0.1, drift=lambda t: (1.0 if t < 0.5 else -1.0,), initial=1.0)
    em.evolve(model, 1.0, watch=[em.write.series(tmp_path / "a.csv")], progress=False)
    rows = np.loadtxt(tmp_path / "a.csv", delimiter=",", skiprows=1)
    assert rows[-1, 0] == 1.0
    assert np.any(np.abs(rows[:, 0] - 0.5) < 1e-12)
