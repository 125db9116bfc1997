"""Signals to one or all ranks of every kind of run: saved, the exit code of shells, and the run goes on from there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import emfem as em
from tests.checkpoints import resume_case
from tests.checkpoints.resume_case import KINDS
from tests.checkpoints.test_resume import difference, uninterrupted
from tests.conftest import on_ranks_settings

import pytest

pytestmark = [pytest.mark.usefixtures("in_tmp"), pytest.mark.filterwarnings("ignore::emfem.ResolutionWarning")]

SLOW = """
import os, sys, time
from pathlib import Path
from mpi4py import MPI
from tests.checkpoints import resume_case

def slow(self, t, record=resume_case.Step.record):
    record(self, t)
    time.sleep(0.03)
    if self.count == 3:
        Path(f"pid{MPI.COMM_WORLD.rank}.new").write_text(str(os.getpid()))
        Path(f"pid{MPI.COMM_WORLD.rank}.new").rename(f"pid{MPI.COMM_WORLD.rank}")

resume_case.Step.record = slow
resume_case.run(sys.argv[1], Path.cwd(), every=1e9)
"""
CODES = {signal.SIGTERM: 143, signal.SIGINT: 0, signal.SIGUSR1: 138}  # after SIGINT the script goes on
RANKS = [(1, "one"), (2, "one"), (3, "all"), (2, "all"), (3, "one")]  # one: the last
TURNS = [
    (kind, list(CODES)[i % 3], *RANKS[(i + shift) % 5]) for shift in (0, 2) for i, kind in enumerate(KINDS)
]  # all 15 combinations, each with two or three kinds


@pytest.mark.soak
@pytest.mark.parallel
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("kind", "number", "ranks", "receivers"), TURNS)
def test_a_signal_saves_and_ends_a_run_on_all_ranks(
    kind: str, number: signal.Signals, ranks: int, receivers: str, tmp_path: Path
):
    whole = uninterrupted(kind)
    launcher = [] if ranks == 1 else [str(Path(sys.executable).with_name("mpiexec")), "-n", str(ranks)]
    process = subprocess.Popen(
        [*launcher, sys.executable, "-c", SLOW, kind],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=tmp_path,
        env=os.environ | on_ranks_settings(),
    )
    try:
        end = time.monotonic() + 600
        while process.poll() is None and len(pids := sorted(tmp_path.glob("pid?"))) < ranks:
            assert time.monotonic() < end, "no run"
            time.sleep(0.01)
        time.sleep(random.Random(f"{kind} {ranks}").random() * 0.2)
        for path in pids if receivers == "all" else pids[-1:]:
            os.kill(int(path.read_text()), number)
        _, err = process.communicate(timeout=300)  # a hang, however busy the machine
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    code = process.returncode if process.returncode >= 0 else 128 - process.returncode
    assert code == CODES[number], err
    assert "PETSC ERROR" not in err
    assert len(em.checkpoint(tmp_path / "checkpoints").files()) == 1
    assert (tmp_path / "series.csv").read_text().count("\n") - 1 < len(whole["times"])
    state = resume_case.run(kind, tmp_path)
    assert len(state["times"]) == len(whole["times"])
    assert difference(state, whole) < 1e-8
