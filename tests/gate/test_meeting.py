"""Ranks that meet at the end of a block: an error of one is an error of all, and nobody waits for ever."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from emfem.gate import Meeting

import pytest
from mpi4py import MPI

CASE = Path(__file__).with_name("meeting_case.py")
Launcher = Callable[..., tuple[int, str, str]]


def test_one_rank_raises_its_own_error():
    with pytest.raises(ZeroDivisionError), Meeting(MPI.COMM_WORLD):
        raise ZeroDivisionError


@pytest.mark.parallel
@pytest.mark.parametrize("ranks", [2, 3])
def test_an_error_of_one_rank_is_raised_by_all(mpiexec: Launcher, ranks: int):
    status, out, err = mpiexec(ranks, sys.executable, CASE, "apart")
    assert status == 0, err
    lines = out.strip().split("|")
    assert lines[1] == "ValueError: no number"
    assert [line for line in lines if line != lines[1]] == ["EmfemError: rank 1: ValueError: no number"] * (ranks - 1)


@pytest.mark.parallel
@pytest.mark.slow
def test_ranks_that_wait_for_one_that_failed_are_ended(mpiexec: Launcher):
    status, _, err = mpiexec(2, sys.executable, CASE, "waiting", timeout=60.0)
    assert status != 0
    assert "ValueError: no number" in err
