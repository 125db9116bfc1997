"""The numbers do not depend on the number of ranks, and what goes wrong goes wrong on all of them alike."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import emfem

import pytest

CASE = Path(__file__).with_name("parallel_case.py")
QUANTITIES = ("solute", "free_energy", "dissipation", "c_min", "c_max", "amplitude")
TIMEOUT = 60  # seconds; a case takes a few
pytestmark = pytest.mark.parallel


def launch(ranks: int, *arguments: str) -> tuple[int, str, str]:
    """Exit status and output of the case on `ranks` ranks. Ranks that wait for ever are killed with all their group."""
    beside = Path(sys.executable).with_name("mpiexec")
    launcher = str(beside) if beside.exists() else shutil.which("mpiexec")
    assert launcher, "no mpiexec beside this Python or on PATH"
    here = str(Path(emfem.__file__).parents[1])
    env = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])]),
        # Open MPI counts cores and users; MPICH does not look at these
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    }
    process = subprocess.Popen(
        [launcher, "-n", str(ranks), sys.executable, str(CASE), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        pytest.fail(f"{' '.join(arguments)} on {ranks} ranks did not end within {TIMEOUT} s")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode, out, err


def mpiexec(ranks: int, *arguments: str) -> Any:
    """What the case prints on `ranks` ranks."""
    status, out, err = launch(ranks, *arguments)
    assert status == 0, err
    return json.loads(out.splitlines()[-1])


class Runs:
    """The numbers of the case on so many ranks, each run once, and where its state was written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers: dict[int, Any] = {}

    def state(self, ranks: int) -> str:
        return str(self.folder / f"{ranks}.npz")

    def __getitem__(self, ranks: int) -> Any:
        if ranks not in self._numbers:
            self._numbers[ranks] = mpiexec(ranks, "run", self.state(ranks))
        return self._numbers[ranks]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("parallel"))


# Solvers sum in another order on another number of ranks: rounding, which the growing pattern amplifies a thousandfold.
SAME = 1e-8


def compare(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, float):
            assert found[name] == pytest.approx(value, rel=SAME), name
        elif name == "probe":
            assert len(value) == 4
            for row, other in zip(found[name], value, strict=True):
                assert row == pytest.approx(other, rel=SAME)
        else:
            assert found[name] == value, name


@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("film", ["stripes", "strip"])
def test_a_run_has_the_same_numbers_on_any_number_of_ranks(runs: Runs, film: str, ranks: int):
    compare(runs[ranks][film], runs[1][film])


def test_the_case_is_worth_comparing(runs: Runs):
    stripes, strip = runs[1]["stripes"], runs[1]["strip"]
    assert stripes["steps"] >= 10
    assert stripes["c_max"] - stripes["c_min"] > 0.02
    assert stripes["solute"] == pytest.approx(0.3 * 15.6**2, rel=1e-10)
    assert stripes["cells"] == 36
    assert stripes["widest"] == pytest.approx(15.6 / 6, rel=1e-12)
    assert strip["steps"] >= 5
    assert strip["c_min"] < 0.29


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_state_written_on_two_ranks_is_read_on_another_number(runs: Runs, ranks: int):
    expected = {name: value for name, value in runs[2]["stripes"].items() if name in QUANTITIES}
    found = mpiexec(ranks, "load", runs.state(2))
    assert found.pop("t") == 30.0
    compare(found, expected)


def test_bad_input_ends_a_script_on_every_rank():
    status, out, err = launch(2, "uncaught")
    assert status != 0
    assert out == ""
    assert err.count("emfem.errors.ParameterError: until = -1, must be after the models' time 0") == 2


def test_bad_input_is_told_to_every_rank():
    first, second = mpiexec(2, "bad")
    assert first == second
    for message, words in zip(
        first,
        (
            "length along y = 0, must be greater than 0",
            "mean = 1.5, must be less than 1",
            "but the initial composition has mean",
            "until = -1, must be after the models' time 0",
            "must be a file that can be written",
            "petsc_options = {'pc_type': 'nonsense'}",
            "'mass'; this run has",
            "at = [9.0, 9.0], must lie inside the mesh",
            "must be a file that can be written",
            "must be a file written by emfem.checkpoint.save",
        ),
        strict=True,
    ):
        assert words in message


def test_a_rank_may_be_without_cells():
    compare(mpiexec(3, "few"), mpiexec(1, "few"))


def test_a_nan_on_one_rank_is_seen_by_all():
    assert mpiexec(3, "nan") == [[False, False, True]] * 3


def test_a_run_that_cannot_go_on_ends_on_all_ranks_with_its_state_on_disk(tmp_path: Path):
    path = str(tmp_path / "rescue.npz")
    first, second = mpiexec(2, "interrupt", path)
    assert first == second
    said, t = first
    assert said.startswith(f"{t} no step possible at t = ")
    assert said.endswith(f"the last good state is in {path}")
    assert 0 < float(t) < 0.5
