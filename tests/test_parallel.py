"""The numbers do not depend on the number of ranks, and what goes wrong goes wrong on all of them alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CASE = Path(__file__).with_name("parallel_case.py")
QUANTITIES = ("solute", "free_energy", "dissipation", "c_min", "c_max", "amplitude")
TIMEOUT = 120  # seconds; each case takes a few
pytestmark = pytest.mark.parallel


class Runs:
    """Answers of `parallel_case.py` on so many ranks, by case; each number of ranks is started once."""

    def __init__(self, folder: Path, run_json_on_ranks: Callable[..., Any]) -> None:
        self.folder, self.run_json_on_ranks = folder, run_json_on_ranks
        self._answers: dict[int, Any] = {}

    def __getitem__(self, ranks: int) -> Any:
        if ranks not in self._answers:
            run = [f"run={self.folder}/{ranks}.npz"]
            if ranks == 2:
                cases = [*run, "bad", "alone", f"interrupt={self.rescue}"]
            else:
                assert self[2], "the state of two ranks is read on others"
                load = [f"load={self.folder}/2.npz"]
                cases = ["few", *run, *load] if ranks == 1 else ["few", "nan"]
                if ranks == 3 and "EMFEM_SOAK" in os.environ:
                    cases += [*run, *load]
            self._answers[ranks] = self.run_json_on_ranks(ranks, CASE, *cases, timeout=TIMEOUT)
        return self._answers[ranks]

    @property
    def rescue(self) -> str:
        """Path of the state that an interrupted run leaves."""
        return f"{self.folder}/rescue.npz"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, run_json_on_ranks: Callable[..., Any]) -> Runs:
    return Runs(tmp_path_factory.mktemp("parallel"), run_json_on_ranks)


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


@pytest.mark.parametrize("ranks", [2, pytest.param(3, marks=pytest.mark.soak)])
@pytest.mark.parametrize("film", ["stripes", "strip", "thermal"])
def test_a_run_has_the_same_numbers_on_any_number_of_ranks(runs: Runs, film: str, ranks: int):
    compare(runs[ranks]["run"][film], runs[1]["run"][film])


def test_the_case_is_worth_comparing(runs: Runs):
    stripes, strip = runs[1]["run"]["stripes"], runs[1]["run"]["strip"]
    assert stripes["steps"] >= 10
    assert stripes["c_max"] - stripes["c_min"] > 0.02
    assert stripes["solute"] == pytest.approx(0.3 * 15.6**2, rel=1e-10)
    assert stripes["cells"] == 36
    assert stripes["widest"] == pytest.approx(15.6 / 6, rel=1e-12)
    assert strip["steps"] >= 5
    assert runs[1]["run"]["thermal"]["amplitude"] > 1e-3
    assert strip["c_min"] < 0.29


@pytest.mark.parametrize("ranks", [1, pytest.param(3, marks=pytest.mark.soak)])
def test_a_state_written_on_two_ranks_is_read_on_another_number(runs: Runs, ranks: int):
    expected = {name: value for name, value in runs[2]["run"]["stripes"].items() if name in QUANTITIES}
    found = dict(runs[ranks]["load"])
    assert found.pop("t") == 30.0
    compare(found, expected)


def test_bad_input_ends_a_script_on_every_rank(mpiexec: Callable[..., tuple[int, str, str]]):
    status, out, err = mpiexec(2, sys.executable, CASE, "uncaught", timeout=TIMEOUT)
    assert status != 0
    assert out == ""
    assert err.count("emfem.errors.ParameterError: until = -1, must be after the models' time 0") == 2


def test_bad_input_is_reported_on_every_rank(runs: Runs):
    first, second = runs[2]["bad"]
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


def test_a_function_of_place_that_is_wrong_on_one_rank_is_an_error_on_all(runs: Runs):
    others, last = runs[2]["alone"]
    assert others == [
        "where, must be a function of x that returns n truth values (on rank 1)",
        f"IndexError: {last[1]} (on rank 1)",
        "regions['east'], must be a function of x that returns n truth values (on rank 1)",
        f"IndexError: {last[3]} (on rank 1)",
    ]
    assert last[0] in others[0]
    assert last[2] in others[2]


def test_a_rank_may_be_without_cells(runs: Runs):
    compare(runs[3]["few"], runs[1]["few"])


def test_a_nan_on_one_rank_is_seen_by_all(runs: Runs):
    assert runs[3]["nan"] == [[False, False, True]] * 3


def test_a_run_that_cannot_go_on_ends_on_all_ranks_with_its_state_on_disk(runs: Runs):
    first, second = runs[2]["interrupt"]
    assert first == second
    message, t = first
    assert message.startswith(f"{t} no step possible at t = ")
    assert message.endswith(f"the last good state is in {runs.rescue}")
    assert 0 < float(t) < 0.5
