"""One run at a time writes into a folder."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem import lock
from emfem.lock import FolderLock, holder

import pytest

HOLD = """
import sys, time
from emfem.lock import FolderLock
with FolderLock(sys.argv[1]):
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path) -> Any:
    """Another process that has the lock of a folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path, other: subprocess.Popen[str]):
    content = (tmp_path / "run.lock").read_bytes()
    with pytest.raises(em.ParameterError) as caught:
        FolderLock(tmp_path).acquire()
    assert f"must not be in use: process {other.pid} on host " in str(caught.value)
    assert " writes there since 2" in str(caught.value)
    assert (tmp_path / "run.lock").read_bytes() == content
    assert (holder(tmp_path) or {})["pid"] == other.pid
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert holder(tmp_path) is None
    with FolderLock(tmp_path):
        assert (holder(tmp_path) or {})["pid"] == os.getpid()
    assert holder(tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_a_process_may_lock_a_folder_again(tmp_path: Path):
    with FolderLock(tmp_path):
        with FolderLock(tmp_path):
            pass
        assert holder(tmp_path)
    assert holder(tmp_path) is None


def test_a_removed_folder_is_left_in_peace(tmp_path: Path):
    with FolderLock(tmp_path / "gone"):
        (tmp_path / "gone" / "run.lock").unlink()
        (tmp_path / "gone").rmdir()
    assert not (tmp_path / "gone").exists()


def test_a_folder_that_cannot_be_written(unwritable_dir: Path):
    with pytest.raises(em.ParameterError, match=r"folder = .*, must be a folder that can be written: "):
        FolderLock(unwritable_dir).acquire()


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"pid": "x"}'])
def test_a_damaged_lock_file_of_no_process_is_free(tmp_path: Path, content: str):
    (tmp_path / "run.lock").write_text(content, encoding="utf-8")
    assert holder(tmp_path) is None
    FolderLock(tmp_path).acquire().release()


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that knows no locks."""

    def flock(*_: Any) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("emfem.lock.fcntl.flock", flock)


@pytest.mark.usefixtures("without_locks")
def test_without_locks_a_live_process_is_respected(tmp_path: Path, other: subprocess.Popen[str]):
    with pytest.raises(em.ParameterError, match=f"must not be in use: process {other.pid} on host "):
        FolderLock(tmp_path).acquire()
    other.kill()
    other.wait()
    with FolderLock(tmp_path), FolderLock(tmp_path):
        assert (holder(tmp_path) or {})["pid"] == os.getpid()


@pytest.mark.usefixtures("without_locks")
@pytest.mark.parametrize(("age", "free"), [(0.0, False), (2 * lock.STALE, True)])
def test_without_locks_another_host_must_show_that_it_is_alive(tmp_path: Path, age: float, free: bool):
    path = tmp_path / "run.lock"
    path.write_text(json.dumps({"pid": 1, "host": "elsewhere", "started": "today"}), encoding="utf-8")
    os.utime(path, (time.time() - age,) * 2)
    assert (holder(tmp_path) is None) == free
    if free:
        FolderLock(tmp_path).acquire().release()
    else:
        with pytest.raises(em.ParameterError, match="process 1 on host elsewhere writes there since today"):
            FolderLock(tmp_path).acquire()


RANKS = """
import sys
import emfem as em
from emfem.lock import FolderLock
from mpi4py import MPI
try:
    FolderLock(sys.argv[1]).acquire().release()
except em.ParameterError as error:
    print(str(error).split(":")[0][-13:], flush=True)
"""


@pytest.mark.parallel
def test_all_ranks_are_refused(
    tmp_path: Path, other: subprocess.Popen[str], mpiexec: Callable[..., tuple[int, str, str]]
):
    status, out, _ = mpiexec(2, sys.executable, "-c", RANKS, tmp_path)
    assert (status, out.count("not be in use")) == (0, 2)
