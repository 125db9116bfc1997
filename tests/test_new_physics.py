"""The example of a new physics in the developers' pages: as a model, in cases, on the command line, in `verify`."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem import verify
from emfem.cli import app
from emfem.studies import Case, Study, registry, templates
from emfem.studies.recording import report_of
from emfem.studies.workers import one
from emfem.view.runs import RunFolder

import numpy as np
import pytest
from dolfinx import fem
from typer.testing import CliRunner

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "developers"
FILE = FOLDER / "trapping.py"


def load() -> Any:
    """Return the example as a module that is registered nowhere: other tests look at all physics there are."""
    spec = importlib.util.spec_from_file_location("trapping", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_registered", {})
        spec.loader.exec_module(module)
    return module


@pytest.fixture
def no_physics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is registered, and what a test registers is forgotten."""
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.setattr(registry, "_loaded", set())
    monkeypatch.delenv(registry.VARIABLE, raising=False)


@pytest.fixture
def case(no_physics: None) -> Case:
    """The template of the example, which is loaded."""
    em.studies.load(FILE)
    return Case.from_dict(tomllib.loads(templates.text("trapping")))


trapping = load()
CHECKS = (trapping.wave_between_traps, trapping.traps_at_rest)
RIGHT: dict[str, Any] = {"diffusivity": 1.0, "traps": 2.0, "capture": 3.0, "release": 2.0, "initial": 1.0}


def line(cells: int = 8) -> em.mesh.Domain:
    return em.mesh.interval(1.0, cells=cells)


# ---- the checks


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_of_the_example_passes(check: verify.Check):
    report = verify.run([check])
    assert not report.failed, verify.troubles(report)


def test_a_percent_in_the_code_turns_the_checks_red(monkeypatch: pytest.MonkeyPatch):
    """Traps that capture a percent too fast change the rates, and what they hold in the end."""
    former = trapping.trapping
    monkeypatch.setattr(trapping, "trapping", lambda k, *rest: former(1.01 * k, *rest))
    assert [result.ok for result in verify.run(CHECKS).results] == [False, False]


# ---- closed forms and laws


def test_the_closed_form_begins_as_it_must():
    """With empty traps a' = -(D k^2 + k N) and b' = k N: 9.869604 + 5 and 5, to first order in 1e-6."""
    a, b = trapping.decay(1e-6, wave_number=np.pi, **trapping.CASE)
    assert (1 - a) / 1e-6 == pytest.approx(14.869604, rel=1e-5)
    assert b / 1e-6 == pytest.approx(5.0, rel=1e-5)


def test_full_traps_hold_no_more_than_there_are():
    assert trapping.langmuir([0.0, 2 / 3, 1e12], traps=2.0, capture=3.0, release=2.0) == pytest.approx([0.0, 1.0, 2.0])


def test_free_and_trapped_solute_are_conserved_together():
    """A drift against a blocked end, traps half full: 1e-10 is what the steps' linear solves leave."""
    solute = trapping.model(line(), drift=[4.0], **RIGHT)
    kept = em.watch.conserved("amount", rtol=1e-10)
    em.evolve(solute, 1.0, watch=[kept], progress=False)
    assert 0.5 < solute.quantity("trapped") < 0.9
    assert kept.worst < 1e-10


def test_what_is_let_in_is_there_afterwards():
    solute = trapping.model(line(), on={"left": em.flux(0.5)}, **RIGHT)
    em.evolve(solute, 2.0, progress=False)
    assert solute.quantity("amount") == pytest.approx(1.0 + 0.5 * 2.0, rel=1e-9)


@pytest.mark.parametrize(("degree", "cells"), [(1, (16, 32)), (2, (6, 12))])
def test_error_in_space_falls_as_degree_plus_one(degree: int, cells: tuple[int, int]):
    """Against the closed form at t = 0.05, which holds to the 1e-6 that traps are full."""
    wave, errors = trapping.decay(0.05, wave_number=np.pi, **trapping.CASE)[0], []
    for n in cells:
        domain = line(n)
        on = {"left": em.fixed(0.0), "right": em.fixed(0.0)}
        start = lambda x: np.sin(np.pi * x[0])  # noqa: E731
        solute = trapping.model(domain, **trapping.CASE, initial=start, on=on, degree=degree)
        em.evolve(solute, 0.05, rtol=1e-8, atol=1e-13, progress=False)
        exact = fem.Function(fem.functionspace(domain.mesh, ("DG", 6)))
        exact.interpolate(lambda x: wave * np.sin(np.pi * x[0]))
        form = fem.form((solute["c"] - exact) ** 2 * domain.dx(12))
        errors.append(em.fields.integral(form, domain.mesh.comm) ** 0.5)
    assert np.log2(errors[0] / errors[1]) == pytest.approx(degree + 1, abs=0.15)


# ---- bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"diffusivity": 0.0}, r"diffusivity = 0, must be greater than 0"),
        ({"traps": -1.0}, r"traps = -1, must be greater than 0"),
        ({"capture": np.nan}, r"capture = nan, must be finite"),
        ({"release": "2"}, r"release = '2', must be a number"),
        ({"initial": -0.1}, r"initial = -0.1, must be at least 0"),
        ({"drift": [1.0, 0.0]}, r"drift = \[1.0, 0.0\], must be 1 finite numbers"),
        ({"degree": 0}, r"degree = 0, must be at least 1"),
        ({"on": {"top": em.fixed(1.0)}}, r"'top'; .* has left, right"),
        ({"on": {"left": 1.0}}, r"on\['left'\] = 1.0, must be em.fixed\(...\) or em.flux\(...\)"),
    ],
)
def test_bad_input_is_refused(change: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        trapping.model(line(), **(RIGHT | change))


def test_what_is_no_domain_is_refused():
    with pytest.raises(em.ParameterError, match=r"must be one of em\.mesh"):
        trapping.model("line", **RIGHT)


# ---- cases, command line, pictures, verify


def command(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command `emfem`."""
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def with_option(no_physics: None) -> Callable[..., tuple[int, str, str]]:
    """Run the command with the file named by an option."""
    return lambda *arguments: command("--physics", str(FILE), *arguments)


@pytest.fixture
def with_variable(no_physics: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run the command with the file named by the environment."""
    monkeypatch.setenv(registry.VARIABLE, str(FILE))
    return command


@pytest.mark.parametrize("way", ["with_option", "with_variable"])
def test_one_file_makes_templates_cases_runs_pictures_and_checks(
    way: str, request: pytest.FixtureRequest, tmp_path: Path
):
    emfem, file, folder = request.getfixturevalue(way), tmp_path / "line.toml", tmp_path / "run"
    assert "trapping" in {line.split()[0] for line in emfem("new")[1].splitlines()}
    file.write_text(emfem("new", "trapping")[1], encoding="utf-8")
    code, out, err = emfem("check", str(file), "--set", "trapping.on.left.fixed=5e22 1/m3")
    assert (code, err) == (0, "")
    assert "trapping model: fields c, q, flux; quantities amount, trapped, fullest" in out
    assert emfem("run", str(file), "-q", "-o", str(folder), "--set", "domain.cells=10")[0] == 0
    series = (folder / "series.csv").read_text(encoding="utf-8").splitlines()
    assert series[0].split(",")[1:] == ["amount [1/m2]", "trapped [1/m2]", "fullest [-]"]
    assert float(series[-1].split(",")[1]) == pytest.approx(1e23 * 10e-6, rel=1e-8)
    assert emfem("plot", str(folder), "--field", "q")[0] == 0
    for name in ("final.png", "q.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    shown = RunFolder(folder, "run").scene.fields  # in the viewer
    assert {name: field.unit for name, field in shown.items()} == {"c": "1/m3", "q": "1/m3", "flux": "1/(m2 s)"}
    code, out, _ = emfem("verify", "trapping")
    assert (code, "2 of 2 checks passed" in out) == (0, True)


def test_fields_and_quantities_have_units(case: Case):
    (model,) = case.build()
    assert {name: field.unit for name, field in model.fields.items()} == {"c": "1/m3", "q": "1/m3", "flux": "1/(m2 s)"}
    assert {name: quantity.unit for name, quantity in model.quantities.items()} == {
        "amount": "1/m2",
        "trapped": "1/m2",
        "fullest": "-",
    }
    assert model.fields["q"].label == "trapped solute"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("traps", "3 nm", "trapping.traps = '3 nm' is a length, must be a number in 1/m3"),
        ("trapping.capture", "x", "trapping.capture = 'x', must be a number in m3/s, such as '1 m3/s'"),
        ("on.left", {"flux": "1 1/m2"}, "trapping.on.left.flux = '1 1/m2' is in 1/m**2, must be a number in 1/(m2 s)"),
        ("degree", 1.5, "trapping.degree = 1.5, must be a whole number"),
        ("trap", 1.0, "key 'trap', must begin with a table of the case; did you mean 'traps'?"),
        ("on.top", {"fixed": 1.0}, "[trapping] 'top'; this mesh has left, right"),
        ("release", -1, "[trapping] release = -1, must be greater than 0"),
    ],
)
def test_a_wrong_key_is_refused_by_the_docstring_or_the_model(case: Case, key: str, value: Any, message: str):
    with pytest.raises(em.ParameterError) as caught:
        case.with_(**{key: value}).build()
    assert message in str(caught.value)


def test_a_case_does_not_load_code(case: Case, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(registry, "_registered", {})
    with pytest.raises(em.ParameterError, match=r"no key 'trapping'; .* loaded by emfem --physics FILE, or EMFEM_PH"):
        Case.from_dict(case.written)


def test_a_module_that_can_be_imported_is_loaded_by_its_name(
    no_physics: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "physics_of_mine.py").write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(registry.VARIABLE, "physics_of_mine")
    try:
        assert registry.known()["trapping"].model.__module__ == "physics_of_mine"
    finally:
        sys.modules.pop("physics_of_mine", None)


def test_the_hash_of_a_case_follows_the_file_of_its_physics(no_physics: None, tmp_path: Path):
    """A sweep runs again what an edit of the equations changes."""
    file = tmp_path / "mine.py"
    file.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    em.studies.load(file)
    case = Case.from_dict(tomllib.loads(templates.text("trapping")))
    before = case.hash
    assert case.with_(**{"domain.cells": 40}).hash == before
    file.write_text(FILE.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert case.hash != before


def test_workers_of_a_sweep_load_the_file(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    short = case.with_(**{"domain.cells": 4, "time.until": "10 s", "output.pictures": []})
    files = registry.sources({"trapping"})
    assert files == [str(FILE)]
    monkeypatch.setattr(registry, "_registered", {})  # a worker begins without
    monkeypatch.setattr(registry, "_loaded", set())
    one(short.resolved, str(tmp_path), files)
    assert report_of(tmp_path)["status"] == "ok"


def test_workers_of_a_sweep_import_a_package_by_its_name(
    no_physics: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its file alone cannot be run: it imports its neighbours."""
    package = tmp_path / "package_of_mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "trapping.py").write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    em.studies.load("package_of_mine.trapping")
    assert registry.sources({"trapping"}) == ["package_of_mine.trapping"]
    for name in [name for name in sys.modules if name.startswith("package_of_mine")]:
        del sys.modules[name]


def test_a_physics_that_workers_cannot_load_is_refused(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(registry.own()[0].model, "__module__", "__main__")
    with pytest.raises(em.ParameterError, match="physics 'trapping', must be in a file of its own"):
        Study.of(case, grid={"traps": [1e24]}).run(tmp_path, progress=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a file or module that registers a physics: it registers none"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("studies.Physics('heat', lambda: 0)", "must be a function whose first argument is domain"),
        ("studies.Physics('time', lambda domain: 0)", "name = 'time', must be a word for a table, other than domain"),
        ("studies.Physics('a b', lambda domain: 0)", "name = 'a b', must be a word for a table"),
        ("studies.Physics('models', lambda domain: 0)", "name = 'models', must be a word for a table"),
        ("studies.Physics('x', lambda domain, values: 0)", "argument 'values', must have another name"),
        ("studies.register(studies.Physics('heat', lambda domain: 0))", "a physics of emfem.heat.equations has it"),
        ("studies.register('heat')", "physics = 'heat', must be em.studies.Physics(...)"),
        ("studies.Physics('_x', lambda domain: 0)", "name = '_x', must be a word for a table"),
        ("studies.Physics('x', partial(lambda domain, a: 0, a=1))", "must be a function whose first"),
        ("studies.Physics('x', lambda domain: 0, template=3)", "template = 3, must be a text"),
        ("studies.Physics('x', lambda domain: 0, left_out=['a'])", "'a'; the model function of 'x' has domain"),
        ("studies.Physics('x', lambda domain: 0, in_time=['a'])", "'a'; the model function of 'x' has domain"),
        (
            "studies.Physics('x', lambda domain: 0, couplings={'warm': studies.Coupling('heat', 'a', 'T')})",
            "'a'; the model function of 'x' has domain",
        ),
        ("studies.register(studies.Physics('x', lambda domain, a: 0))", "argument 'a' of x, must have a unit"),
        ("studies.register(studies.Physics('x', lambda domain: 0)); 1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_file_that_registers_nothing_right_is_refused(no_physics: None, text: str, message: str, tmp_path: Path):
    file = tmp_path / "wrong.py"
    file.write_text(f"from functools import partial\nfrom emfem import studies\n{text}\n", encoding="utf-8")
    for _ in range(2):  # it stays wrong
        with pytest.raises(em.ParameterError) as caught:
            em.studies.load(file)
        assert message in str(caught.value)
    assert not registry.own()
    code, out, err = command("--physics", str(file), "new")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_file_that_is_not_there_is_refused(no_physics: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(registry.VARIABLE, "missing.py")
    with pytest.raises(em.ParameterError, match=r"missing.py', must be a file .*: FileNotFoundError"):
        registry.known()


def test_the_same_file_may_be_loaded_again_and_another_with_its_name_not(case: Case, tmp_path: Path):
    em.studies.register(em.studies.Physics("trapping", registry.own()[0].model))
    (tmp_path / "trapping.py").write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(em.ParameterError, match="name = 'trapping', must be another: a physics of emfem_physics_trap"):
        em.studies.load(tmp_path / "trapping.py")


# ---- ranks, and the page


@pytest.mark.soak
@pytest.mark.parallel
def test_two_ranks_find_the_same(run_json_on_ranks: Any):
    """Steps are chosen from norms, which differ by rounding: 1e-8."""
    (result,) = verify.run(CHECKS[:1]).results
    assert run_json_on_ranks(2, FILE)[result.check.name] == pytest.approx(list(result.values), rel=1e-8, abs=0)


def test_the_page_shows_this_file():
    """Every part of the file between two marks is shown, in its order."""
    text = (FOLDER / "new_physics.md").read_text(encoding="utf-8")
    shown = re.findall(r":start-after: \"# \[(\w+)\]\"", text)
    assert shown == re.findall(r"^# \[(\w+)\]$", FILE.read_text(encoding="utf-8"), re.MULTILINE)[:-1]
