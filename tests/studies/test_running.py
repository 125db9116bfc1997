"""Runs of cases outlive what ends them: reports, locks, checkpoints, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.cli import app
from emfem.lock import FolderLock
from emfem.studies import Case
from emfem.studies.recording import BEAT, Recorder, States, read_report

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

pytestmark = pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")

FILM = """\
[domain]
shape = "periodic_rectangle"
size = [10.4, 10.4]
cells = [6, 6]
[film]
alloy = "cupd"
mean = 0.3
initial = { amplitude = 0.08, seed = 1 }
[time]
until = 8.0
[output]
every = 1.0
states_every = 2.0
fields = ["c"]
pictures = []
"""
EMFEM = [sys.executable, "-c", "from emfem.cli import main; main()"]
POINTS = [(1.3, 2.2), (5.1, 1.1), (9.2, 4.4)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a film's case."""
    path = tmp_path / "film.toml"
    path.write_text(FILM, encoding="utf-8")
    return path


def emfem(*arguments: object) -> tuple[int, str, str]:
    """Exit code, output and errors of the command."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def same(folder: Path, other: Path, near: float) -> None:
    """Compare two runs: the series, all fields at all saved times, and the list of fields for ParaView."""
    series, whole = (pd.read_csv(place / "series.csv") for place in (folder, other))
    assert list(series["t"]) == list(whole["t"])
    np.testing.assert_allclose(series, whole, rtol=near, atol=near * whole.abs().max().max())
    results, whole_results = em.results.open(folder), em.results.open(other)
    assert list(results.times) == list(whole_results.times)
    for t in results.times:
        for name in ("c", "mu", "flux"):
            here, there = (each.probe(name, POINTS, t=float(t)).to_numpy() for each in (results, whole_results))
            np.testing.assert_allclose(here, there, rtol=near, atol=near * np.abs(there).max())
    assert (folder / "fields.pvd").read_text() == (other / "fields.pvd").read_text()


# ---- checkpoints --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_in_parts_is_the_run_in_one(file: Path, tmp_path: Path):
    """Ended by its wall time, and killed while it wrote: states and rows of after the checkpoint are cut."""
    out, whole = tmp_path / "out", tmp_path / "whole"
    assert emfem("run", file, "-o", whole, "-q")[0] == 0
    code, printed, _ = emfem("run", file, "-o", out, "--wall-time", "0.01")
    assert (code, read_report(out)["status"]) == (3, "out of time")
    assert "(wall time)" in printed
    before = {path: path.read_bytes() for path in out.rglob("*.*") if path.is_file()}
    code, _, err = emfem("run", file, "-o", out)
    assert code == 1
    assert err.startswith(f"folder = '{out}', must be another one, for it holds the state at t = ")
    assert err.endswith("--resume (resume=True) goes on from there, --force (force=True) replaces it\n")
    assert {path: path.read_bytes() for path in out.rglob("*.*") if path.is_file()} == before
    assert emfem("run", file, "-o", out, "--resume", "--wall-time", "1e-6s", "-q")[0] == 3
    (out / "states" / "0001.npz").write_bytes(b"later than the checkpoint")
    with (out / "series.csv").open("a", encoding="utf-8") as series:
        series.write("7.0,half a ro")
    (out / "report.json").write_text('{"status": "running", "pid": 1}', encoding="utf-8")
    assert read_report(out)["status"] == "died"
    code, printed, err = emfem("resume", out)
    assert code == 0, err
    assert "(reached until)" in printed
    same(out, whole, 0.0)
    assert emfem("run", file, "-o", out)[2].startswith("output = ")
    assert emfem("run", file, "-o", out, "--force", "-q")[0] == 0
    same(out, whole, 0.0)


def test_a_run_is_replaced_by_force_and_extended_by_until(file: Path, tmp_path: Path):
    out, short = tmp_path / "out", ["--set", "time.until=0.5", "--set", "output.fields=[]"]
    assert emfem("run", file, "-o", out, "--wall-time", "0.01", "-q", *short)[0] == 3
    assert emfem("run", file, "-o", out, "--force", "-q", *short)[0] == 0
    assert emfem("resume", out, "--until", "1.0", "-q")[0] == 0
    report = read_report(out)
    assert (report["status"], report["t"], report["until"]) == ("ok", 1.0, 1.0)
    before = (out / "report.json").read_bytes()
    code, _, err = emfem("resume", out, "--until", "0.5")
    assert (code, err) == (1, f"until = 0.5, must be at least the time 1 that the run in {out} has reached\n")
    assert (out / "report.json").read_bytes() == before  # a run that has ended well stays so
    code, _, err = emfem("run", file, "-o", out, "--resume", "--set", "film.mean=0.31")
    assert (code, err) == (1, f"film.mean = 0.31, must be 0.3 as in the run in {out} that is to go on\n")
    assert read_report(out) == report


def test_to_resume_without_a_checkpoint_is_to_begin(file: Path, tmp_path: Path):
    out = tmp_path / "out"
    code, printed, _ = emfem("run", file, "-o", out, "--resume", "--set", "time.until=0.1")
    assert code == 0
    assert printed.startswith(f"no checkpoint in {out}: the run starts anew\n")
    code, _, err = emfem("resume", tmp_path / "none")
    assert (code, err.count("\n")) == (1, 1)
    assert "must be that of a run" in err


def test_a_wall_time_that_is_none_is_refused(file: Path, tmp_path: Path):
    code, _, err = emfem("run", file, "-o", tmp_path / "out", "--wall-time", "soon")
    assert (code, err) == (1, "wall_time = 'soon', must be a time in seconds or with its unit, such as '10 min'\n")


PARTS = """
import sys
from emfem.studies import Case
Case.read(sys.argv[1]).run(sys.argv[2], progress=False, resume=True, wall_time=float(sys.argv[3]))
"""


@pytest.mark.soak  # tests/checkpoints/ has a run on other ranks in `make test`
@pytest.mark.parallel
def test_a_run_goes_on_on_other_ranks(file: Path, tmp_path: Path, mpiexec: Callable[..., tuple[int, str, str]]):
    """States of before and after, whose nodes are numbered differently, are read as one run."""
    text = FILM.replace("until = 8.0", "until = 2.0\nfixed_step = 0.5").replace(
        "states_every = 2.0", "states_every = 0.5"
    )
    file.write_text(text, encoding="utf-8")
    out, whole = tmp_path / "out", tmp_path / "whole"
    Case.read(file).run(whole, progress=False)
    for ranks, wall in ((2, 1e-6), (3, 1e-6), (1, 100.0)):
        code, _, err = mpiexec(ranks, sys.executable, "-c", PARTS, file, out, wall, timeout=300)
        assert code == 0, err
    same(out, whole, 1e-8)


# ---- reports and locks --------------------------------------------------------------------------------------------


class Look(em.observe.Observer):
    """Reads the report of a folder at each step."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.reports: list[dict[str, Any]] = []

    def record(self, t: float) -> None:
        self.reports.append(read_report(self.folder))


def line() -> em.Model:
    """A solute that leaves a line."""
    domain = em.mesh.interval(1.0, cells=4)
    return em.migration.model(domain, diffusivity=1.0, initial=1.0, on={"right": em.fixed(0.0)})


def test_a_report_shows_that_the_run_is_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("emfem.studies.recording.BEAT", 0.0)
    assert BEAT >= 1.0
    look = Look(tmp_path)
    em.evolve(line(), 0.1, watch=[Recorder(tmp_path, every=0.05), look], progress=False)
    assert {report["status"] for report in look.reports} == {"running"}
    assert {report["pid"] for report in look.reports} == {os.getpid()}
    assert look.reports[-1]["t"] > look.reports[1]["t"] > 0.0
    assert read_report(tmp_path)["status"] == "ok"
    assert not list(tmp_path.glob("*.lock"))


def test_a_run_whose_process_is_gone_has_died(tmp_path: Path):
    (tmp_path / "report.json").write_text(
        '{"status": "running", "pid": 7, "host": "a", "heartbeat": "then"}', encoding="utf-8"
    )
    report = em.results.open(tmp_path).report
    assert report["status"] == "died"
    assert report["error"] == "its process 7 on host a is gone; its last sign of life is of then"
    with FolderLock(tmp_path):
        assert em.results.Results(tmp_path).report["status"] == "running"


START: dict[str, Callable[[Path], Any]] = {
    "case": lambda folder: Case.from_dict(tomllib.loads(FILM)).run(folder, progress=False),
    "recorder": lambda folder: em.evolve(line(), 0.1, watch=[Recorder(folder)], progress=False),
}


@pytest.mark.parametrize("how", START)
def test_a_folder_in_use_is_refused_and_not_touched(how: str, tmp_path: Path):
    """The first run is another process."""
    hold = (
        "import sys, time; from emfem import lock; a = lock.FolderLock(sys.argv[1]).acquire(); print(); time.sleep(99)"
    )
    (tmp_path / "states").mkdir()
    for name in ("report.json", "series.csv", "states/0000.npz", "case.toml"):
        (tmp_path / name).write_text("of the first", encoding="utf-8")
    first = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert first.stdout is not None
        first.stdout.readline()
        with pytest.raises(em.ParameterError, match=f"must not be in use: process {first.pid} on host "):
            START[how](tmp_path)
    finally:
        first.kill()
        first.wait()
    for name in ("report.json", "series.csv", "states/0000.npz", "case.toml"):
        assert (tmp_path / name).read_text() == "of the first"


@pytest.mark.parametrize("on_write_error", ["warn", "stop"])
def test_a_state_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_write_error: str):
    def full(*_: Any) -> None:
        msg = "path = 'x', must be a file that can be written: No space left on device"
        raise em.ParameterError(msg)

    states = States(tmp_path, 0.05, None, on_write_error=on_write_error)
    monkeypatch.setattr("emfem.storage.StateWriter.save", full)
    if on_write_error == "warn":
        with pytest.warns(em.errors.WriteWarning, match="No space left on device"):
            assert em.evolve(line(), 0.1, watch=[states], progress=False).t == 0.1
    else:
        with pytest.raises(em.ParameterError, match="No space left on device"):
            em.evolve(line(), 0.1, watch=[states], progress=False)


def test_a_full_disk_ends_no_run_by_its_sign_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("emfem.studies.recording.BEAT", 0.0)
    monkeypatch.setattr("emfem.studies.recording.replace_text", full)
    with pytest.warns(em.errors.WriteWarning, match=r"report\.json cannot be written: No space left") as caught:
        em.evolve(line(), 0.1, watch=[Recorder(tmp_path, every=0.05)], progress=False)
    assert len(caught) == 1
    assert read_report(tmp_path)["status"] == "ok"


# ---- signals ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "status", "ranks"),
    [
        (signal.SIGINT, 130, "interrupted", 1),
        pytest.param(signal.SIGUSR1, 138, "terminated", 1, marks=pytest.mark.soak),
        pytest.param(signal.SIGTERM, 143, "terminated", 2, marks=pytest.mark.parallel),
        *(
            pytest.param(*numbers, ranks, marks=[pytest.mark.parallel, pytest.mark.soak])
            for numbers in [(signal.SIGINT, 130, "interrupted"), (signal.SIGUSR1, 138, "terminated")]
            for ranks in (2, 3)
        ),
    ],
)
def test_a_signal_to_one_rank_saves_and_ends_all(
    file: Path, tmp_path: Path, number: signal.Signals, code: int, status: str, ranks: int
):
    out = tmp_path / "out"
    launcher = [] if ranks == 1 else [str(Path(sys.executable).with_name("mpiexec")), "-n", str(ranks)]
    command = [
        *launcher,
        *EMFEM,
        "run",
        str(file),
        "-o",
        str(out),
        "--set",
        "time.until=1e9",
        "--set",
        "output.every=0.1",
    ]
    process = subprocess.Popen(
        [*command, "--set", "time.fixed_step=0.1", "-q"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(Path(em.__file__).parents[1]), "OMP_NUM_THREADS": "1"},
    )
    try:
        end = time.monotonic() + 120
        while time.monotonic() < end and not ((out / "series.csv").is_file() and rows(out) > 5):
            time.sleep(0.05)
        os.kill(json.loads((out / "report.json").read_text())["pid"], number)
        _, err = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == code, err
    report = read_report(out)
    assert report["status"] == status
    assert len(list((out / "checkpoints").glob("*.npz"))) == 1
    assert em.results.open(out).times[-1] == report["t"] > 0.0
    assert "PETSC ERROR" not in err


def rows(folder: Path) -> int:
    """Return the number of lines of the series."""
    return (folder / "series.csv").read_text(encoding="utf-8").count("\n")
