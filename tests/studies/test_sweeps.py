"""Sweeps: every case once, whatever fails or is interrupted; one tidy table."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emfem as em
from emfem.studies import Case, Study
from emfem.studies.recording import report_of
from emfem.studies.sweep import _label, ended_early, gather, run_folder
from emfem.studies.workers import finished, one
from emfem.view.runs import Sweep

import pandas as pd
import pytest
from dask.distributed import LocalCluster

CASE: dict[str, Any] = {
    "domain": {"shape": "periodic_rectangle", "size": [10.4, 10.4], "cells": [6, 6]},
    "film": {
        "alloy": "cupd",
        "mean": 0.3,
        "field": {"strength": 0.1, "angle": "0 deg"},
        "initial": {"amplitude": 0.08, "seed": 1},
    },
    "time": {"until": 1.0, "rtol": 1e-2},
    "output": {"pictures": []},
}
CASE_FILE = """\
[domain]
shape = "periodic_rectangle"
size = [10.4, 10.4]
cells = [6, 6]
[film]
alloy = "cupd"
mean = 0.3
initial = { amplitude = 0.08, seed = 1 }
[time]
until = 1.0
[output]
pictures = []
"""


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler whose one worker is a thread of this process: nothing is started."""
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def study(tmp_path: Path) -> Any:
    """Writes a study, and the case beside it."""

    def to_file(text: str) -> Path:
        (tmp_path / "case.toml").write_text(CASE_FILE, encoding="utf-8")
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def errors_of(path: Path) -> str:
    """Return the message of a refused study, without the folder."""
    with pytest.raises(em.ParameterError) as caught:
        Study.read(path)
    return str(caught.value).replace(f"{path.parent}/", "")


# ---- what is tried ------------------------------------------------------------------------------------------------


def test_a_grid_is_all_combinations(study: Any):
    of_case = Study.read(study('case = "case.toml"\n[grid]\ninitial.seed = [1, 2]\n"film.mean" = [0.2, 0.3, 0.4]\n'))
    assert [tuple(values.values()) for values in of_case.values] == [(s, m) for s in (1, 2) for m in (0.2, 0.3, 0.4)]
    assert len({trial.case.hash for trial in of_case.trials() if trial.case}) == 6


def test_a_list_of_runs(study: Any):
    both = Study.read(study('case = "case.toml"\n[[runs]]\nfilm.mean = 0.2\n[[runs]]\nmean = 0.3\ninitial.seed = 5\n'))
    assert both.values == ({"film.mean": 0.2}, {"mean": 0.3, "initial.seed": 5})


def test_a_case_may_stand_in_the_study(study: Any):
    inside = "".join(
        line.replace("[", "[case.") if line.startswith("[") else line for line in CASE_FILE.splitlines(keepends=True)
    )
    path = study(inside + "[grid]\nmean = [0.2]\n")
    assert Study.read(path).case.value("film.mean") == 0.3
    path.write_text(inside.replace("mean = 0.3", "maen = 0.3") + "[grid]\nmean = [0.2]\n", encoding="utf-8")
    assert errors_of(path) == "study.toml:7: [film] there is no key 'maen'; did you mean 'mean'?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[grid]\nmean = [0.1]\n", "study.toml:1: case is missing"),
        ('case = "none.toml"\n[grid]\nmean = [0.1]\n', "path = 'none.toml', must be a file that can be read"),
        ('case = "case.toml"\n', "study.toml:1: must have a table [grid] or tables [[runs]], one of the two"),
        ('case = "case.toml"\n[gird]\nmean = [0.1]\n', "study.toml:2: there is no key 'gird'; did you mean 'grid'?"),
        ('case = "case.toml"\n[grid]\nmaen = [0.1]\n', "study.toml:2: [grid] key 'maen', must begin with a table of"),
        ('case = "case.toml"\n[grid]\nmean = 0.1\n', "study.toml:2: [grid] mean = 0.1, must be a list of values"),
        ('case = "case.toml"\n[grid]\nmean = []\n', "study.toml:2: [grid] mean = [], must be a list of values"),
        ('case = "case.toml"\n[[runs]]\n', "study.toml:2: [runs] holds a run without values"),
    ],
)
def test_wrong_studies(study: Any, text: str, message: str):
    assert errors_of(study(text)).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": 0}, "workers = 0, must be at least 1"),
        ({"scheduler": "nonsense://x"}, "scheduler = 'nonsense://x', must be the address of a Dask scheduler"),
    ],
)
def test_wrong_ways_to_run(tmp_path: Path, arguments: dict[str, Any], message: str):
    of_case = Study.of(Case.from_dict(CASE), grid={"mean": [0.3]})
    with pytest.raises(em.ParameterError) as caught:
        of_case.run(tmp_path, progress=False, **arguments)
    assert message in str(caught.value)


def test_folders_of_runs_are_named_by_their_values_and_found_by_their_hash(tmp_path: Path):
    """Values as they were written; a folder that is there, of another spelling or of the hash alone, is used."""
    values: list[dict[str, Any]] = [
        {"field.angle": "30 deg", "initial.seed": 1},
        {"domain.size": [1e1, 2e1], "field.angle": "45 * deg"},
    ]
    first, second = Study.of(Case.from_dict(CASE), runs=values).trials()
    assert first.case is not None
    assert first.folder(tmp_path) == tmp_path / f"angle=30deg_seed=1-{first.case.hash}"
    assert first.folder(tmp_path).parent == tmp_path
    again = Study.of(Case.from_dict(CASE), runs=[{"initial.seed": 1, "field.angle": math.pi / 6}]).trials()[0]
    assert again.case is not None
    assert again.case.hash == first.case.hash
    assert again.folder(tmp_path) != first.folder(tmp_path)
    first.folder(tmp_path).mkdir()
    assert again.folder(tmp_path) == first.folder(tmp_path) == run_folder(tmp_path, first.case.hash)
    assert second.label == "size=_10.0_20.0_angle=45_deg"
    (tmp_path / "ab").mkdir()
    assert run_folder(tmp_path, "ab") == tmp_path / "ab"
    assert run_folder(tmp_path, "missing") == tmp_path / "missing"


def test_keys_that_end_alike_are_whole_in_the_name_of_a_folder():
    values = {"heat.on.left.fixed": 300, "conduction.on.left.fixed": 1, "time.until": 2}
    assert _label(values) == "heat.on.left.fixed=300_conduction.on.left.fixed=1_until=2"


# ---- what comes of it ---------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
def test_a_sweep_runs_all_cases_and_reports_those_that_failed(tmp_path: Path, scheduler: str):
    """Of four the second is refused before it runs; the last one fails in its worker."""
    runs: list[dict[str, Any]] = [
        {"mean": 0.3},
        {"mean": "three"},
        {"mean": 0.35, "field.angle": "90 deg"},
        {"mean": 1.5},
    ]
    table = Study.of(Case.from_dict(CASE), runs=runs).run(tmp_path, scheduler=scheduler, progress=False)
    assert list(table["status"]) == ["ok", "failed", "ok", "failed"]
    assert "film.mean = 'three', must be a plain number" in table["error"][1]
    assert table["error"][3] == "[film] mean = 1.5, must be less than 1"
    assert table["solute"][2] == pytest.approx(0.35 * 10.4**2, rel=1e-10)
    assert table["field.angle"][2] == pytest.approx(1.5707963267948966)
    assert set(table) >= {"hash", "mean", "wall", "t", "free_energy", "pattern.kind", "pattern.stripes"}
    assert (tmp_path / f"mean=0.3-{table['hash'][0]}" / "series.csv").is_file()
    units = pd.read_parquet(tmp_path / "results.parquet").attrs["units"]
    assert (units["field.angle"], units["wall"], units["pattern.angle"], units["solute"]) == ("rad", "s", "deg", "-")
    again = pd.read_csv(tmp_path / "results.csv", keep_default_na=False)
    assert {"hash", "field.angle [rad]", "wall [s]", "solute [-]", "pattern.kind"} <= set(again)
    assert list(again["status"]) == list(table["status"])
    assert pd.read_parquet(tmp_path / "results.parquet").shape == table.shape


@pytest.mark.filterwarnings("ignore:the stress model. diffusion length:emfem.ResolutionWarning")
@pytest.mark.slow
def test_runs_that_end_at_a_limit_are_marked_in_the_table(tmp_path: Path):
    """Three currents, two of which reach 500 MPa: their sigma_max are alike, and why stands in the table."""
    case = Case.from_dict(tomllib.loads(em.studies.templates.text("stress")))
    study = Study.of(
        case.with_(**{"domain.cells": 10, "output.pictures": []}), grid={"current_density": [1e9, 2e10, 4e10]}
    )
    trials = study.trials()
    for trial in trials:
        assert trial.case is not None
        trial.case.run(tmp_path / trial.case.hash, progress=False)
    table = gather(trials, tmp_path, {})
    assert list(table["status"]) == ["ok"] * 3
    assert list(table["stopped"]) == ["reached until", *["sigma_max rose to 5e+08"] * 2]
    assert list(table.columns).index("stopped") == list(table.columns).index("status") + 1
    assert ended_early(table) == {"sigma_max rose to 5e+08": 2}
    columns, rows = Sweep(tmp_path).rows()
    assert columns[1:3] == ["status", "stopped"]
    assert rows[2]["stopped"] == "sigma_max rose to 5e+08"
    assert em.results.open(tmp_path).run(table["hash"][2]).series.attrs["stopped"] == "sigma_max rose to 5e+08"


def test_a_sweep_of_refused_runs_has_none_that_ended_early(tmp_path: Path):
    study = Study.of(Case.from_dict(CASE), runs=[{"mean": "three"}])
    assert ended_early(gather(study.trials(), tmp_path, {})) == {}


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
@pytest.mark.slow
def test_what_is_done_is_not_done_again(tmp_path: Path, scheduler: str):
    of_case = Study.of(Case.from_dict(CASE), grid={"initial.seed": [1, 2]})
    first = of_case.run(tmp_path, scheduler=scheduler, progress=False)
    times = {name: (run_folder(tmp_path, name) / "report.json").stat().st_mtime_ns for name in first["hash"]}
    (run_folder(tmp_path, first["hash"][1]) / "report.json").write_text('{"status": "interrupted"}', encoding="utf-8")
    more = Study.of(Case.from_dict(CASE), grid={"initial.seed": [1, 2, 3]})
    second = more.run(tmp_path, scheduler=scheduler, progress=False)
    assert list(second["status"]) == ["ok"] * 3
    assert (run_folder(tmp_path, first["hash"][0]) / "report.json").stat().st_mtime_ns == times[first["hash"][0]]
    assert (run_folder(tmp_path, first["hash"][1]) / "report.json").stat().st_mtime_ns > times[first["hash"][1]]
    assert list(second["amplitude"][:2]) == pytest.approx(list(first["amplitude"]), rel=1e-12)


def test_whatever_goes_wrong_in_a_worker_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: Any, **__: Any) -> None:
        msg = "something that emfem knows nothing of"
        raise RuntimeError(msg)

    monkeypatch.setattr(Case, "run", broken)
    one(Case.from_dict(CASE).resolved, str(tmp_path / "run"))
    assert report_of(tmp_path / "run")["error"] == "RuntimeError: something that emfem knows nothing of"
    assert not finished(tmp_path / "run")


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
@pytest.mark.slow
def test_a_sweep_that_is_killed_goes_on_where_it_was(tmp_path: Path, study: Any, scheduler: str):
    """Two workers of its own, killed with no warning once a case is done: they end too, and nothing is done twice."""
    path = study('case = "case.toml"\n[grid]\ninitial.seed = [1, 2, 3, 4]\ntime.until = [40.0]\n')
    out = tmp_path / "out"
    command = [sys.executable, "-c", "from emfem.cli import main; main()", "sweep", str(path), "-o", str(out), "-q"]
    here = {"PYTHONPATH": str(Path(em.__file__).parents[1])}
    process = subprocess.Popen(command, env=os.environ | here, start_new_session=True)
    try:
        reports: list[Path] = []
        end = time.monotonic() + 90
        while not reports and time.monotonic() < end:
            time.sleep(0.02)
            reports = [p for p in out.glob("*/report.json") if finished(p.parent)]
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert reports, "no case was done in time"
        seen = {p: p.stat().st_mtime_ns for p in reports}
        assert len(list(out.glob("*/report.json"))) < 4
        assert not (out / "results.csv").exists()
        end = time.monotonic() + 60
        while alive(process.pid) and time.monotonic() < end:
            time.sleep(0.1)
        assert not alive(process.pid), "workers outlive the sweep"
        table = Study.read(path).run(out, scheduler=scheduler, progress=False)
        assert list(table["status"]) == ["ok"] * 4
        assert {p: p.stat().st_mtime_ns for p in reports} == seen
    finally:
        if alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
@pytest.mark.soak  # a sweep that is killed is in `make test`
def test_workers_that_are_killed_are_replaced(tmp_path: Path):
    """Two workers are killed while they work, one of them again with the same case: only that one fails."""
    base = Case.from_dict(CASE).with_(**{"time.until": 400.0, "time.fixed_step": 1.0})
    of_case = Study.of(base, grid={"initial.seed": [1, 2, 3, 4, 5]})
    killer = next(trial.case.hash for trial in of_case.trials() if trial.case)
    killed: set[int] = set()

    def kill() -> None:
        end, again = time.monotonic() + 300, 0
        while time.monotonic() < end and again < 2:
            for path in tmp_path.glob("*/report.json"):
                report = report_of(path.parent)
                if report.get("status") != "running" or report["pid"] in killed:
                    continue
                if path.parent.name.endswith(killer) or len(killed) < 2:
                    again += path.parent.name.endswith(killer)
                    killed.add(report["pid"])
                    os.kill(report["pid"], signal.SIGKILL)
            time.sleep(0.05)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    table = of_case.run(tmp_path, workers=2, progress=False)
    thread.join(1.0)
    assert list(table["status"]) == ["failed", *["ok"] * 4]
    assert table["error"][0] == "the process of its worker died twice: out of memory, or killed from outside"
    assert len(killed) >= 2


def alive(group: int) -> bool:
    """Return true if any process of a group is alive."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
