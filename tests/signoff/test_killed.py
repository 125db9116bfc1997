"""A sign-off that is killed at any moment, without a chance to save anything, goes on to the same report."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLS, LONGEST = 3, 600.0  # s, of all runs
SIGN_OFF = """
import sys
from emfem.failure import Drop
from emfem.signoff import sign_off
from emfem.signoff.state import SavedState
from tests.signoff.test_simulation import technology
from tests.signoff.test_whole_grids import random_grid

SavedState.__init__.__kwdefaults__["every"] = 0.0  # a state at each event
made = technology("M1", "M2")
print(sign_off(random_grid(1), made, sys.argv[1], until=2e4, fails=Drop(50.0), resume=True).corners[0]["voids"])
"""


def begun(folder: Path) -> "subprocess.Popen[str]":
    """The sign-off in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SIGN_OFF, str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def files(folder: Path) -> dict[str, bytes]:
    """Contents of a sign-off, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.soak
@pytest.mark.timeout(2 * LONGEST)
def test_a_sign_off_killed_at_random_moments_leaves_the_same_files(tmp_path: Path):
    """Between events, in a leg, or with half a state on disk."""
    end, moments, kills = time.monotonic() + LONGEST, np.random.default_rng(18), 0
    state = tmp_path / "killed" / "corners" / "nominal" / "state.npz"
    while kills < KILLS:
        process, before = begun(tmp_path / "killed"), state.stat().st_mtime_ns if state.exists() else 0
        while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
            assert time.monotonic() < end
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.2))
        process.kill()
        words, _ = process.communicate()
        assert process.returncode == -signal.SIGKILL, words
        assert state.exists()
        kills += 1
    for name in ("killed", "whole"):
        words, _ = begun(tmp_path / name).communicate(timeout=LONGEST)
        assert words.splitlines()[-1] == "6", words
    killed, whole = files(tmp_path / "killed"), files(tmp_path / "whole")
    assert {"report.html", "verdict.json", "corners/nominal/trees.parquet"} <= set(whole)
    assert set(killed) == set(whole)
    assert [name for name in whole if killed[name] != whole[name]] == []
