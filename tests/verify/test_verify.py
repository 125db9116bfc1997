"""`emfem verify`: checks pass, fail on errors, and are reported; a change of 1 % in the code is found and named."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import emfem as em
from emfem import verify
from emfem.cli import app
from emfem.conduction.laws import ohmic_flux
from emfem.film.terms import solute_flux
from emfem.heat.laws import fourier_flux
from emfem.migration.laws import species_flux
from emfem.verify import Check, Measured, check, pfhub, reference

import numpy as np
import pytest
from typer.testing import CliRunner

CHECKS = verify.checks(full=True)


def one(values: Any, target: Any = 2.0, **options: Any) -> Check:
    """A check of film that measures `values`."""

    def some_number(full: bool) -> Any:
        """The number of something."""
        if isinstance(values, Exception):
            raise values
        return values

    return check("film", source="by hand", target=target, **({"rtol": 0.1} | options))(some_number)


def ok(values: Any, target: Any = 2.0, **options: Any) -> bool:
    return verify.run([one(values, target, **options)]).results[0].ok


def command(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of `emfem verify`."""
    result = CliRunner().invoke(app, ["verify", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


# ---- the checks there are


def test_every_physics_is_checked():
    assert {c.physics for c in verify.checks()} == set(verify.PHYSICS)
    assert [c.physics for c in CHECKS] == sorted((c.physics for c in CHECKS), key=verify.PHYSICS.index)
    assert len({(c.physics, c.name) for c in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("chosen", CHECKS, ids=lambda c: f"{c.physics} {c.name}")
def test_a_check_states_what_it_shows_and_where_its_number_is_from(chosen: Check):
    assert chosen.shows.endswith(".")
    assert len(chosen.source) > 10
    assert np.isfinite(chosen.target).all()
    assert 0.0 <= chosen.tolerance <= 0.02


def test_some_take_too_long_for_the_short_form():
    assert set(verify.checks()) < set(CHECKS)


# ---- a percent in the code


@pytest.mark.parametrize(
    ("physics", "name", "changed", "former"),
    [
        ("materials", "numbers of the reference line", "emfem.units.boltzmann", None),
        ("film", "wave on a 110 crystal", "emfem.film.equations.solute_flux", solute_flux),
        ("conduction", "resistance of a ring", "emfem.conduction.equations.ohmic_flux", ohmic_flux),
        ("heat", "rise of a driven line", "emfem.heat.equations.fourier_flux", fourier_flux),
        ("migration", "drift of atoms", "emfem.migration.laws.elementary_charge", None),
        ("migration", "steady state of a blocked line", "emfem.migration.species.species_flux", species_flux),
        ("stress", "steady stress of a star", "emfem.stress.laws.elementary_charge", None),
        ("networks", "currents of a star", "emfem.conduction.equations.ohmic_flux", ohmic_flux),
        ("failure", "first void of a line", "emfem.stress.laws.elementary_charge", None),
        ("lifetime", "life of a published line", "emfem.lifetime.line.elementary_charge", None),
        ("lifetime", "scatter of lives", "emfem.lifetime.sample.boltzmann", None),
        ("surface", "constants of gold", "emfem.analytic.surface.boltzmann", None),
        ("steps", "pairing by slow attachment", "emfem.steps.surface.boltzmann", None),
    ],
)
def test_a_percent_in_the_code_is_found_and_named(
    physics: str, name: str, changed: str, former: Any, monkeypatch: pytest.MonkeyPatch
):
    """A constant, or a flux whose first coefficient is a percent too large."""
    (chosen,) = (c for c in verify.checks([physics]) if c.name == name)
    constant = em.units.boltzmann if changed.endswith("boltzmann") else em.units.elementary_charge
    wrong = 1.01 * constant if former is None else lambda first, *rest: former(1.01 * first, *rest)
    monkeypatch.setattr(changed, wrong)
    report = verify.run([chosen])
    assert len(report.failed) == 1
    assert verify.troubles(report)[0].startswith(f"FAILED {physics}: {name}: ")


# ---- what is near enough


@pytest.mark.parametrize(
    ("values", "options", "near"),
    [
        (2.19, {}, True),
        (2.21, {}, False),
        (1.81, {}, True),
        (math.nan, {}, False),
        (math.inf, {}, False),
        ((), {}, False),
        ((2.0, 2.0), {}, False),
        (0.05, {"target": 0.0, "rtol": None, "atol": 0.06}, True),
        (0.07, {"target": 0.0, "rtol": None, "atol": 0.06}, False),
        ((2.0, 3.3), {"target": (2.0, 3.0)}, True),
        ((2.0, 3.4), {"target": (2.0, 3.0)}, False),
        (-2.0, {}, False),
        (Measured(2.0, order=1.9), {"order": (1.8, 2.2)}, True),
        (Measured(2.0, order=2.3), {"order": (1.8, 2.2)}, False),
        (Measured(2.0, order=math.nan), {"order": (1.8, 2.2)}, False),
        (Measured(2.0), {"order": (1.8, 2.2)}, True),
        (em.ConvergenceError("no", t=0.0, dt=1.0, reason="x"), {}, False),
        (ZeroDivisionError("oh"), {}, False),
    ],
)
def test_values_and_orders_decide(values: Any, options: dict[str, Any], near: bool):
    assert ok(values, **options) == near


def test_after_an_error_the_next_check_runs():
    report = verify.run([one(ZeroDivisionError("oh")), one(2.0)])
    assert [r.ok for r in report.results] == [False, True]
    assert verify.troubles(report) == [
        "FAILED film: some number: ZeroDivisionError: oh. The number of something. (by hand)"
    ]


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (3.0, {"unit": "K"}, "3 K, must be 2 K"),
        ((2.0, 3.0), {}, "2 values, must be 1"),
        (Measured(2.0, order=3.0), {"order": (1.8, 2.2)}, "order 3, must be from 1.8 to 2.2"),
    ],
)
def test_a_failure_is_reported_in_one_line(values: Any, options: dict[str, Any], message: str):
    assert verify.troubles(verify.run([one(values, **options)])) == [
        f"FAILED film: some number: {message}. The number of something. (by hand)"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rtol": None}, "rtol = None and atol = None"),
        ({"atol": 1.0}, "rtol = 0.1 and atol = 1.0"),
        ({"target": (1.0, 0.0)}, "rtol for targets that are not 0"),
        ({"unit": ("K", "m")}, r"unit = \('K', 'm'\), must be one for all of 1 targets"),
    ],
)
def test_a_check_that_cannot_be_is_refused(options: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        one(2.0, **options)


def test_a_check_must_state_what_it_shows():
    with pytest.raises(em.ParameterError, match="check <lambda> without a docstring"):
        check("film", source="by hand", target=1.0, rtol=0.1)(lambda full: 1.0)


def test_unknown_physics_is_refused():
    with pytest.raises(em.UnknownName, match="'films'; physics has materials, film"):
        verify.checks(["films"])
    with pytest.raises(em.UnknownName, match="'films'; physics has"):
        check("films", source="by hand", target=1.0, rtol=0.1)


# ---- the report


def test_the_report_has_a_record_of_each_check():
    chosen = (one((2.0, math.nan), target=(2.0, 3.0), unit=("K", "m")), one(Measured(2.0, order=2.0), order=(1.9, 2.1)))
    record = json.loads(verify.run(chosen, full=True).json())
    assert set(record["versions"]) == {"emfem", "DOLFINx", "PETSc", "MPI", "Python"}
    assert (record["ranks"], record["full"], record["passed"]) == (1, True, 1)
    assert record["failed"] == ["film: some number"]
    wrong, right = record["checks"]
    assert wrong["result"] == [2.0, None]
    assert wrong["units"] == ["K", "m"]
    assert not wrong["ok"]
    assert right | {"wall": 0.0} == {
        "physics": "film",
        "name": "some number",
        "shows": "The number of something.",
        "source": "by hand",
        "units": ["-"],
        "target": [2.0],
        "result": [2.0],
        "error": [0.0],
        "tolerance": 0.1,
        "relative": True,
        "order": 2.0,
        "order_bounds": [1.9, 2.1],
        "ok": True,
        "trouble": "",
        "wall": 0.0,
    }


def test_a_report_in_a_notebook_is_a_table():
    report = verify.run([one(2.0), one(3.0, unit="K")])
    page = report._repr_html_()
    assert "some number" in page
    assert page.count("yes") == page.count("NO") == 1
    assert str(report).splitlines()[0].startswith("1 of 2 checks passed in ")
    assert str(report).splitlines()[1] == verify.troubles(report)[0]


def test_the_numbers_of_the_reference_line_follow_from_its_constants():
    """The others are targets of checks."""
    numbers = reference.METAL.derived(length=reference.LENGTH, current_density=reference.DENSITY)
    assert abs(numbers.stress_gradient) == pytest.approx(reference.GRADIENT, rel=3e-7)
    a, junction, b, c = np.array(reference.STAR_STRESS)
    rises = [junction - a, b - junction, c - junction]
    lengths = np.array([20e-6, 30e-6, 10e-6])
    expected = -reference.STAR_CHARGE * reference.GRADIENT * np.array(reference.STAR_DENSITIES) / 1e10 * lengths / 1e6
    assert rises == pytest.approx(expected, rel=1e-6)
    middles, volumes = [(a + junction) / 2, (junction + b) / 2, (junction + c) / 2], [4.0, 3.0, 1.0]
    assert np.average(middles, weights=volumes) == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("package", [em, em.materials, em.lifetime, em.steps, verify])
def test_packages_list_their_public_names_only(package: Any):
    assert sorted(dir(package)) == sorted(package.__all__)


def test_the_long_form_can_be_chosen():
    seen: list[bool] = []

    @check("film", source="by hand", target=1.0, rtol=0.1)
    def asked(full: bool) -> float:
        """Return 1; the form is recorded."""
        seen.append(full)
        return 1.0

    verify.run([asked])
    verify.run([asked], full=True)
    assert seen == [False, True]


def test_a_curve_is_in_the_upload_format_of_pfhub():
    yaml = pytest.importorskip("yaml")
    files = pfhub.upload(np.array([0.0, 1.5]), np.array([319.1, 318.9]), wall=3.0)
    assert files["pfhub_1a/free_energy_1a.csv"] == "time,free_energy\n0.0,319.1\n1.5,318.9\n"
    meta = yaml.safe_load(files["pfhub_1a/meta.yaml"])
    assert meta["benchmark"] == {"id": "1a", "version": 1}
    assert [data["name"] for data in meta["data"]] == ["run_time", "memory_usage", "free_energy"]
    assert meta["data"][0]["values"] == [{"sim_time": 1.5, "wall_time": 3.0}]
    assert meta["data"][2]["format"]["parse"] == {"time": "number", "free_energy": "number"}
    assert meta["metadata"]["implementation"]["name"] == "emfem"


# ---- the command


@pytest.mark.usefixtures("in_tmp")
def test_the_command_prints_a_table_and_writes_a_report():
    code, out, err = command("materials", "lifetime", "--json", "out/report.json")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].split() == "physics check target result error tolerance order ok".split()
    assert "10 of 10 checks passed" in out
    record = json.loads(Path("out/report.json").read_text(encoding="utf-8"))
    assert (record["passed"], record["failed"]) == (10, [])


def test_quiet_prints_nothing():
    assert command("materials", "-q") == (0, "", "")


@pytest.mark.usefixtures("in_tmp")
def test_a_missed_number_ends_the_command_with_its_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("emfem.lifetime.line.elementary_charge", 1.01 * em.units.elementary_charge)
    code, out, err = command("lifetime", "--json", "report.json")
    assert code == 1
    assert "FAILED lifetime: life of a published line: " in err
    assert "NO" in out
    assert "lifetime: life of a published line" in json.loads(Path("report.json").read_text(encoding="utf-8"))["failed"]


@pytest.mark.usefixtures("in_tmp")
def test_curves_are_written(monkeypatch: pytest.MonkeyPatch):
    with_curve = replace(one(Measured(2.0, files={"some/curve.csv": "t\n"})))
    monkeypatch.setattr(verify, "checks", lambda *_, **__: (with_curve,))
    assert command("film")[0] == 0
    assert Path("results/verify/some/curve.csv").read_text(encoding="utf-8") == "t\n"


def test_checks_are_listed_with_their_sources():
    code, out, _ = command("--list")
    assert code == 0
    assert all(c.name in out for c in CHECKS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("films",), "'films'; physics has materials"),
        (("materials", "--json", "/dev/null/report.json"), "must be a file that can be written"),
    ],
)
def test_misuse_is_reported_in_one_sentence(arguments: tuple[str, ...], message: str):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parallel
def test_it_runs_on_two_ranks(tmp_path: Path, mpiexec: Callable[..., tuple[int, str, str]]):
    emfem = Path(sys.executable).with_name("emfem")
    status, out, err = mpiexec(2, emfem, "verify", "materials", "networks", "steps", "--json", tmp_path / "report.json")
    assert (status, err) == (0, "")
    assert out.count("12 of 12 checks passed") == 1
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["ranks"] == 2
