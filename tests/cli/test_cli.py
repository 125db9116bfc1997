"""The command `emfem`: what it prints, what it writes, how it ends."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import emfem as em
from emfem.cli import app, main, shapes, value
from emfem.cli.completion import VARIABLE, prepare
from emfem.cli.output import MEANINGS, Exit
from emfem.cli.values import settings
from emfem.studies import report_units

import pandas as pd
import pytest
from typer.testing import CliRunner

PLATE = str(Path(__file__).resolve().parents[2] / "meshes" / "plate.msh")
RECTANGLE = ["mesh", "make", "rectangle", "size=(2*um,1*um)", "cells=(4,2)"]


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command."""
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_version_is_printed():
    assert run("--version") == (0, f"emfem {em.__version__}\n", "")


def test_python_m_emfem_is_the_command_and_a_reader_may_end_early():
    """`emfem mesh shapes | head -n 1`: PETSc would abort."""
    command = subprocess.Popen([sys.executable, "-m", "emfem", "mesh", "shapes"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert command.stdout is not None
    assert command.stderr is not None
    command.stdout.close()
    assert "PETSC" not in command.stderr.read()
    assert command.wait(timeout=100) == 1


SIGNALLED = "import os, signal; import emfem as em; em.solve; os.kill(os.getpid(), signal.{})"


@pytest.mark.parametrize(("number", "code", "words"), [("SIGTERM", 143, "SIGTERM"), ("SIGINT", 130, "Ctrl-C")])
def test_a_signal_ends_a_command_with_a_line(
    number: str, code: int, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """Also where there is no run that could note it: PETSc would print a page and end it with its own code."""
    path = tmp_path / "physics.py"
    path.write_text(SIGNALLED.format(number), encoding="utf-8")
    assert run("--physics", str(path), "new", "film") == (code, "", "")
    assert capfd.readouterr().err == f"ended by {words}\n"


@pytest.mark.soak
@pytest.mark.parallel
@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("arguments", [["new", "film"], ["info"], ["verify", "film"]])
def test_a_signal_ends_a_process_and_all_ranks_with_a_line(
    arguments: list[str], ranks: int, tmp_path: Path, mpiexec: Callable[..., tuple[int, str, str]]
):
    path = tmp_path / "physics.py"
    path.write_text(SIGNALLED.format("SIGTERM"), encoding="utf-8")
    status, _, err = mpiexec(ranks, sys.executable, "-m", "emfem", "--physics", str(path), *arguments)
    assert (status, {*err.splitlines()}) == (143, {"ended by SIGTERM"})


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_there(option: str):
    assert "Electromigration in metals" in run(option)[1]


def test_shapes_are_listed_with_their_parameters():
    code, out, _ = run("mesh", "shapes")
    assert code == 0
    assert "notched_strip: length, width, notch_depth, notch_width, size" in out
    assert "rectangle: size, cells, cell='quadrilateral', names=('left','right','bottom','top')" in out
    assert not {"read", "write", "grains", "bounds", "periodic_box"} & set(shapes())


def test_a_shape_is_made_and_can_be_read(tmp_path: Path):
    code, out, err = run(*RECTANGLE, "cell=triangle", "-o", str(tmp_path / "mesh.msh"))
    assert (code, err) == (0, "")
    assert "16 triangle cells" in out
    assert "  whole   area 2e-12\n  left    length 1e-06\n" in out
    assert em.mesh.read(tmp_path / "mesh.msh").names == ("left", "right", "bottom", "top")


def test_a_mesh_is_checked():
    code, out, err = run("mesh", "check", PLATE, "--unit", "mm")
    assert (code, err) == (0, "")
    assert out.startswith("plate.msh 0.02 x 0.01 m: ")
    assert "\n  copper     area 9.37" in out
    assert "\n  source     length 0.01\n" in out


@pytest.mark.skipif(not hasattr(em.plot, "mesh"), reason="no pictures of meshes yet")
@pytest.mark.parametrize("command", [RECTANGLE, ["mesh", "check", PLATE]])
def test_a_mesh_is_drawn(command: list[str], tmp_path: Path):
    output = ["-o", str(tmp_path / "mesh.msh")] if "make" in command else []
    assert run(*command, *output, "--picture", str(tmp_path / "mesh.png"))[0] == 0
    assert (tmp_path / "mesh.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["mesh", "make", "pentagon"], 2, "'pentagon'; emfem mesh make has annulus, bend, box, "),
        ([*RECTANGLE, "depth=1"], 2, "'depth'; rectangle has size, cells, cell, names"),
        ([*RECTANGLE, "cells"], 2, "'cells', must be KEY=VALUE"),
        ([*RECTANGLE, "cells=(1,1)"], 2, "'cells=(1,1)', must be KEY=VALUE, each key once"),
        (["mesh", "make", "rectangle", "size=(1,1)"], 2, "rectangle needs cells=..."),
        (["mesh", "make", "rectangle", "size=(1,0)", "cells=(1,1)"], 1, "length along y = 0, must be greater than 0"),
        (["mesh", "make", "interval", "length=5*ummm", "cells=3"], 1, "length = '5*ummm', must be a number"),
    ],
)
def test_a_shape_that_cannot_be_made_is_reported_in_one_sentence(
    arguments: list[str], code: int, message: str, tmp_path: Path
):
    status, out, err = run(*arguments, "-o", str(tmp_path / "mesh.msh"))
    assert (status, out) == (code, "")
    assert err.startswith(message)
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.msh"], "path = 'missing.msh', must be a file: there is none\n"),
        ([PLATE, "--unit", "feet"], "unit = 'feet', must be a number\n"),
        ([PLATE, "--size", "1*mm"], "size = 0.001, must be left out: a .msh file holds its cells\n"),
        ([__file__], f"path = {__file__!r}, must end in .msh"),
    ],
)
def test_a_file_that_is_refused_is_reported_in_one_sentence(arguments: list[str], message: str):
    code, out, err = run("mesh", "check", *arguments)
    assert (code, out) == (1, "")
    assert err.startswith(message)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50*um", 50 * 1e-6),
        ("50um", 50 * 1e-6),
        ("50 um", 50 * 1e-6),
        ("mm", 1e-3),
        ("2 MA/cm2", pytest.approx(2e10)),
        ("{'pad 1um': (1um, 2)}", {"pad 1um": (1e-6, 2)}),
        ("-25.4*mm/2", -0.0127),
        ("90*deg", pytest.approx(1.5707963267948966)),
        ("(1*um, 2)", (1e-6, 2)),
        ("[(0, 0), (1, 0)]", [(0, 0), (1, 0)]),
        ("{'left': (0*deg, 30*deg)}", {"left": (0.0, pytest.approx(0.5235987755982988))}),
        ("True", True),
        ("None", None),
        ("triangle", "triangle"),
        ("'triangle'", "triangle"),
        ("meshes/a.png", "meshes/a.png"),
        ("1/0", "1/0"),
        ("2*pie", "2*pie"),
        ("", ""),
    ],
)
def test_a_value_is_read(text: str, expected: object):
    assert value(text) == expected
    assert type(value(text)) is type(expected) or isinstance(value(text), float)


@pytest.mark.parametrize("text", ["__import__('os').getcwd()", "units.__dict__", "9**9**9", "[x for x in (1, 2)]"])
def test_nothing_in_a_value_is_run(text: str):
    assert value(text) == text
    ast.parse(text, mode="eval")  # it is an expression, and still only text


# ---- cases --------------------------------------------------------------------------------------------------------

SMALL = {  # what makes a template a matter of a second
    "film": ["domain.cells=[6,6]", "time.until=2"],
    "physical_film": ["domain.cells=[6,6]", 'time.until="2 ms"'],
    "strip": ["domain.size=4", "time.until=1"],
    "conduction": ["domain.size=0.4um"],
    "heat": ["domain.cells=10", "time.until=1us"],
    "height": ["domain.cells=24", "time.until=1s"],
    "joule": ["domain.size=2um"],
    "migration": ["domain.cells=10", "time.until=10days"],
    "stress": ["domain.cells=20", "time.until=1hour"],
    "mechanics": ["domain.cells=[4,2]", 'mechanics.on.top.traction=["1 MPa",0.0]'],
    "surface": ["domain.cells=[32,16]", "surface.interface_width=50nm", "time.until=10s"],
    "voids": ["time.until=1s"],  # before one opens
}


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """The template of a film as a file."""
    path = tmp_path / "film.toml"
    path.write_text(run("new", "film")[1], encoding="utf-8")
    return path


def sets(values: list[str]) -> list[str]:
    """Options that set values."""
    return [part for value in values for part in ("--set", value)]


def test_templates_are_listed_and_printed():
    code, out, _ = run("new")
    assert code == 0
    listed = [line.split()[0] for line in out.splitlines()]
    assert listed == [*em.studies.templates.names(), "grid", "technology"]
    assert run("new", "film")[1] == em.studies.templates.text("film")
    code, out, err = run("new", "flim")
    assert (code, out) == (1, "")
    assert err.startswith("'flim'; emfem new has conduction, film")


def test_every_template_is_made_small():
    assert set(SMALL) == set(em.studies.templates.names())


COARSE = ("film", "physical_film", "strip")


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.slow
def test_every_template_runs(name: str, tmp_path: Path):
    path = tmp_path / f"{name}.toml"
    path.write_text(run("new", name)[1], encoding="utf-8")
    out = tmp_path / "out"
    quick = sets([*SMALL[name], "output.pictures=[]", "output.fields=[]"])
    code, printed, err = run("run", str(path), "-o", str(out), *quick)
    err = "\n".join(line for line in err.splitlines() if not line.startswith("t = "))  # how far a slow machine is
    warned = "warning: the crowding of 3." if name == "conduction" else ""  # a bend with a sharp corner
    if name in COARSE:
        warned = "warning: the film model: nodes in an interface = "  # so few cells do not resolve one
    assert (code, err.splitlines()[:1]) == (0, [err.rstrip()] if warned else []), err
    assert err.startswith(warned)
    assert printed.endswith(f"; {out}\n")
    report = em.results.open(out).report
    assert report["status"] == "ok"
    empty = {f"quantities.{name}" for name, value in report["quantities"].items() if value is None}  # as of no failure
    found = set(report_units.numbers({key: each for key, each in report.items() if key != "units"}))
    assert found | empty == set(report["units"]) | empty
    for unit in set(report["units"].values()):
        assert unit in ("h", "1/h2", "that of its quantity") or em.dimensions.parsed(unit) is not None
    assert set(em.results.open(out).series) <= {"t", *em.results.open(out).series.attrs["units"]}
    assert run("check", str(out / "case.toml"))[0] == 0  # what a run writes down, another one takes


@pytest.mark.slow
def test_a_finished_run_is_not_overwritten_without_force(film: Path):
    """One that failed or was interrupted holds nothing that would be missed, and is run anew."""
    out = film.parent / "out"
    arguments = ["run", str(film), "-o", str(out), "-q", *sets([*SMALL["film"], "output.pictures=[]"])]
    assert run(*arguments)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    code, printed, err = run(*arguments, "--set", "film.mean=0.4")
    assert (code, printed) == (1, "")
    message = f"output = '{out}', must be another folder, for it holds a finished run: --force replaces it\n"
    assert err == message
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()} == before
    assert run(*arguments, "--set", "film.mean=0.4", "--force")[0] == 0
    assert em.results.open(out).case.value("film.mean") == 0.4
    report = json.loads((out / "report.json").read_text("utf-8"))
    (out / "report.json").write_text(json.dumps(report | {"status": "interrupted"}), encoding="utf-8")
    assert run(*arguments)[0] == 0
    assert em.results.open(out).case.value("film.mean") == 0.3


def test_the_default_folder_is_not_overwritten_either(film: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(film.parent)
    (film.parent / "results" / film.stem).mkdir(parents=True)
    (film.parent / "results" / film.stem / "report.json").write_text('{"status": "ok"}', encoding="utf-8")
    assert "must be another folder" in run("run", str(film))[2]


def test_a_case_is_checked_without_being_run(film: Path):
    code, out, err = run("check", str(film), "--set", "field.angle=30deg")
    assert (code, err) == (0, "")
    case = em.studies.Case.read(film).with_(**{"field.angle": "30 deg"})
    assert out.splitlines()[0] == f"{film}: case {case.hash}"
    assert "periodic rectangle 31.2 x 31.2" in out
    assert "film model: fields c, mu" in out
    assert [path.name for path in film.parent.iterdir()] == ["film.toml"]


LINE = """[domain]
shape = "interval"
length = "50 um"
cells = 4
names = ["anode", "cathode"]
[material]
metal = "copper"
temperature = "573 K"
[stress]
current_density = "2 MA/cm2"
[stress.on]
anode = { fixed = "0 Pa" }
[time]
until = "1 hour"
stop = [{ quantity = "sigma_max", above = "500 MPa" }]
[output]
fields = ["sigma"]
"""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (  # a value, a name of the mesh, and names of results: four stages
            {'"573 K"': "27", "anode = {": "anod = {", '"sigma_max"': '"sigma_mx"', '["sigma"]': '["sigmaa"]'},
            {8: "temperature = 27 K, the laws", 12: "'anod'; this", 15: "'sigma_mx'; this", 17: "'sigmaa'; this"},
        ),
        (  # what is missing because it was wrong is not told
            {'"copper"': '"coper"', "cells = 4": "cells = 0", '"1 hour"': "-1", "current_density": "current_densty"},
            {4: "cells along x = 0", 6: "'coper'; em", 10: "there is no key 'current_densty'", 14: "until = -1"},
        ),
        ({'until = "1 hour"\n': "", "cells = 4": "cells = 0"}, {4: "cells along x = 0", 13: "until is missing"}),
        ({'["anode", "cathode"]': '["anode", 2]'}, {5: "names"}),  # no mesh, so no word on names of boundaries
    ],
)
def test_all_mistakes_of_a_case_are_told_at_once(tmp_path: Path, changes: dict[str, str], told: dict[int, str]):
    text = LINE
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    file = tmp_path / "line.toml"
    file.write_text(text, encoding="utf-8")
    code, out, err = run("check", str(file))
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert [int(line.removeprefix(f"{file}:").partition(":")[0]) for line in lines] == list(told)
    for line, words in zip(lines, told.values(), strict=True):
        assert words in line


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["new", "flim"], 1, "; did you mean 'film'?\n"),
        (["verify", "stres"], 2, "; did you mean 'stress'?\n"),
        (["run", "{technology}"], 1, "there is no key 'layers'; it is one of a technology, for emfem signoff --tech"),
        (["sweep", "{film}"], 1, "there is no key 'domain'; it is one of a case, for emfem run"),
        (["fit", "{film}"], 1, "there is no key 'domain'; it is one of a case, for emfem run"),
        (["plot", "{film}"], 1, "must be that of a run: it is a file\n"),
        (["view", "{film}"], 1, "must be one that exists and no file\n"),
        (["view", "{empty}"], 1, " is empty, must be the folder of a run or of a sweep\n"),
        (["plot", "{signed}"], 1, "it is that of a sign-off, to be read in its report.html\n"),
    ],
)
def test_what_was_meant_is_named(film: Path, tmp_path: Path, arguments: list[str], code: int, words: str):
    (tmp_path / "report.html").write_text("", encoding="utf-8")
    files = {
        "film": film,
        "technology": Path(__file__).resolve().parents[2] / "meshes" / "technology.toml",
        "signed": tmp_path,
        "empty": tmp_path / "empty",
    }
    files["empty"].mkdir()
    found, out, err = run(*(each.format(**files) for each in arguments))
    assert (found, out) == (code, "")
    assert words in err


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("field.angle=3nm", "film.field.angle = '3nm' is a length, must be an angle, such as '45 deg'"),
        ("film.mean=1.5", "[film] mean = 1.5, must be less than 1"),
        ("fild.angle=3", "key 'fild.angle', must begin with a table of the case; did you mean 'field'?"),
        ("film.mean", "'film.mean', must be KEY=VALUE"),
    ],
)
def test_a_wrong_setting_is_reported_in_one_line(film: Path, command: str, setting: str, message: str):
    where = ["-o", str(film.parent / "out")] if command == "run" else []
    code, out, err = run(command, str(film), *where, "--set", setting)
    assert (code, out) == (1, "")
    assert err.removeprefix(f"{film}: ") == f"{message}\n"


@pytest.mark.parametrize(
    "wrong",
    [
        "output.pictures=['c', 'nu']",
        "output.fields=['nu']",
        "time.conserved=['nu']",
        "time.stop=[{quantity='nu', above=1.0}]",
    ],
)
def test_a_name_that_no_model_has_is_refused_before_the_run(film: Path, tmp_path: Path, wrong: str):
    code, out, err = run("check", str(film), "--set", wrong)
    assert (code, out) == (1, "")
    assert err.startswith(f"{film}: [{wrong.partition('.')[0]}] 'nu'; this run has ")
    folder = tmp_path / "out"
    assert run("run", str(film), "-o", str(folder), "--set", wrong)[0] == 1
    assert not (folder / "series.csv").exists()


def test_each_error_of_a_case_is_reported_in_a_line(film: Path):
    text = film.read_text(encoding="utf-8")
    film.write_text(text.replace('"45 deg"', '"45 nm"').replace("until = 300.0", "untill = 3"), encoding="utf-8")
    code, out, err = run("run", str(film))
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert len(lines) == 3  # the angle, what is no key, and what is missing
    assert all(line.startswith(f"{film}:") for line in lines)
    assert not (film.parent / "results").exists()


def test_info_prints_versions_and_solvers():
    code, out, _ = run("info")
    result = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert code == 0
    assert result["emfem"] == em.__version__
    assert result["PETSc"].startswith("3.")
    assert "mumps" in result["solvers"]
    assert "MPI" in result
    assert result["ranks"] == "1"


def test_info_prints_the_solver_memory_and_time_of_a_case(film: Path):
    code, out, _ = run("info", "--case", str(film), "--set", "time.solver=iterative")
    assert code == 0
    assert out.splitlines()[-1].startswith("case     iterative: ")
    assert out.splitlines()[-1].endswith(" s a step")
    found = json.loads(run("info", "--json", "--case", str(film))[1])
    assert found["emfem"] == em.__version__
    assert found["case"]["unknowns"] > 100
    code, out, err = run("info", "--set", "time.solver=direct")
    assert (code, out, err) == (1, "", "--set time.solver=direct, must be with --case\n")


def test_a_sweep_without_a_study(tmp_path: Path):
    code, out, err = run("sweep", str(tmp_path / "none.toml"))
    assert (code, out) == (1, "")
    assert err.endswith("must be a file that can be read: No such file or directory\n")


def test_a_sweep_whose_cases_are_refused(film: Path):
    """Nothing can be run, so no worker is started; each failure is a line."""
    study = film.with_name("study.toml")
    study.write_text('case = "film.toml"\n[grid]\nfilm.mean = ["a", "b"]\n', encoding="utf-8")
    code, out, err = run("sweep", str(study), "-o", str(film.parent / "out"), "-q")
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == f"refused: {film}: film.mean = 'a', must be a plain number, such as 0.5"
    assert len(err.splitlines()) == 2
    assert (film.parent / "out" / "results.csv").is_file()


def test_a_sweep_reports_runs_that_ended_early(film: Path, monkeypatch: pytest.MonkeyPatch):
    """The table is written here; tests/studies/test_sweeps.py has one from runs."""
    early = ["reached until", "sigma_max rose to 5e+08", "sigma_max rose to 5e+08"]
    table = pd.DataFrame({"hash": list("abc"), "status": ["ok"] * 3, "stopped": early, "t": [3.0, 2.0, 1.0]})
    monkeypatch.setattr(em.studies.Study, "run", lambda *_, **__: table)
    study = film.with_name("study.toml")
    study.write_text('case = "film.toml"\n[grid]\nfilm.mean = [0.2, 0.3, 0.4]\n', encoding="utf-8")
    code, out, err = run("sweep", str(study), "-o", str(film.parent))
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "2 ended early: sigma_max rose to 5e+08"
    assert out.startswith("3 of 3 runs done")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["a=1", "b.c=[1, 2]"], {"a": 1, "b.c": [1, 2]}),
        (["a=45deg"], {"a": "45deg"}),
        (["a='x'", "b = true"], {"a": "x", "b": True}),
        (["a=x=y"], {"a": "x=y"}),
    ],
)
def test_settings(typed: list[str], expected: dict[str, object]):
    assert settings(typed) == expected


@pytest.mark.parametrize("typed", [["a"], ["=1"], ["a=1", "a=2"]])
def test_wrong_settings(typed: list[str]):
    with pytest.raises(em.ParameterError, match="must be KEY=VALUE"):
        settings(typed)


COMMANDS = """\
import json, sys
from emfem.cli import app
for arguments in json.loads(sys.argv[1]):
    try:
        app(arguments)
    except SystemExit as end:
        print(end.code, flush=True)
"""


@pytest.mark.soak
@pytest.mark.parallel
def test_a_case_on_two_ranks(film: Path, mpiexec: Callable[..., tuple[int, str, str]]):
    """The same numbers as on one, to what the steps leave; an error is printed once, and both ranks end."""
    small = sets([*SMALL["film"], "output.pictures=[]"])
    assert run("run", str(film), "-o", str(film.parent / "one"), "-q", *small)[0] == 0
    wrong = ["check", str(film), "--set", "film.mean=2.0"]
    right = ["run", str(film), "-o", str(film.parent / "two"), "-q", *small]
    _, out, err = mpiexec(2, sys.executable, "-c", COMMANDS, json.dumps([right, wrong]))
    assert sorted("".join(out.split())) == ["0", "0", "1", "1"]  # ranks may write into each other's lines
    lines = [line for line in err.splitlines() if not line.startswith("warning: the film model: nodes in an interface")]
    assert lines == [f"{film}: [film] mean = 2, must be less than 1"]
    one, two = (em.results.open(film.parent / name).report for name in ("one", "two"))
    assert two["ranks"] == 2
    assert two["hash"] == one["hash"]
    assert two["quantities"] == pytest.approx(one["quantities"], rel=1e-8)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("x=" + "9" * 5000, "must be one of TOML: Exceeds the limit"),
        ("x=" + "[" * 5000, "must be one of TOML: its lists or tables are too deep"),
        ("time.until.x=3", "key 'time.until.x', must be that of a value: time.until = 300.0 is no table"),
        ("film.alloy=0", "film.alloy = 0, must be a table"),
        ("film.mean='#=\"x'", "film.mean = '#=\"x', must be a plain number"),
        ("film.mean=[[]]", "film.mean = "),
        ("#=1", "key '#', must begin with a table of the case"),
        ("film.mean=1\nfilm.degree=1", "film.mean = '1\\nfilm.degree=1', must"),
        ("film.mean=inf", "film.mean = inf, must be finite"),
    ],
    ids=range(9),
)
def test_values_that_cannot_be_set_are_one_sentence(tmp_path: Path, typed: str, message: str):
    path = tmp_path / "case.toml"
    path.write_text(run("new", "film")[1], encoding="utf-8")
    code, out, err = run("check", str(path), "--set", typed)
    assert (code, out) == (1, "")
    assert message in err
    assert len(err) < 400


@pytest.mark.parametrize(
    ("typed", "completed"), [("emfem re", ["resume"]), ("emfem run --wa", ["--wall-time"]), ("emfem mesh m", ["make"])]
)
def test_a_shell_completes_commands_and_options(
    typed: str, completed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name, text in (("COMP_WORDS", typed), ("COMP_CWORD", str(typed.count(" "))), (VARIABLE, "complete_bash")):
        monkeypatch.setenv(name, text)
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.split() == completed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_a_shell_is_printed(shell: str):
    code, out, _ = run("completion", shell)
    assert code == 0
    assert f"{VARIABLE}=complete_{shell}" in out
    assert run("completion", "cmd")[0] == Exit.MISUSED


def test_completion_knows_the_templates():
    told = _completed("emfem new he")
    assert told == [name for name in em.studies.templates.names() if name.startswith("he")]
    assert "heat" in told
    assert _completed("emfem new nothing") == []


def _completed(typed: str) -> list[str]:
    """Return what a shell is told after so much was typed."""
    prepare()
    environment = {VARIABLE: "complete_zsh", "_TYPER_COMPLETE_ARGS": typed}
    out = CliRunner().invoke(app, [], prog_name="emfem", env=environment).stdout
    return re.findall(r'"([^"]+)"', out)


def test_help_lists_every_exit_code():
    out = " ".join(run("--help")[1].split())
    assert all(f"{code:d} {meaning}" in out for code, meaning in MEANINGS.items())
    assert {*Exit} < {*MEANINGS}
