"""Locks of folders: one run at a time writes into a folder.

The first rank holds a lock of the operating system on the file `run.lock` in the folder, which is free again when its
process ends, however it ends. The file says who holds it. Where the file system has no such locks, the file itself is
the lock: it is stale if its process is gone, or if it was not touched for ten minutes.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emfem.errors import ParameterError
from emfem.public import dir_of

from mpi4py import MPI

__all__ = ["FolderLock", "holder"]
__dir__ = dir_of(__all__)

NAME = "run.lock"
STALE = 600.0  # seconds without a sign of life
TRIES, PAUSE = 5, 0.05  # a reader that looks at the lock has it for a moment
UNSUPPORTED = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL)
PROCESS = os.urandom(8).hex()  # tells this process from one of the same number on a machine of the same name


class FolderLock:
    """Lock of a folder for the time of a run. A process may take it again while it has it.

    Attributes:
        folder: the folder.
    """

    def __init__(self, folder: os.PathLike[str] | str, *, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
        """Take the folder, which is locked by `acquire`.

        Args:
            folder: the folder; `acquire` makes it.
            comm: the ranks that write there together.
        """
        self.folder, self._comm = Path(folder), comm
        self._file: int | None = None  # on rank 0, while it is the holder

    def acquire(self) -> Self:
        """Lock the folder. Collective.

        Raises:
            ParameterError: on all ranks, if another process writes there, or if the folder cannot be written.
        """
        trouble = ""
        if self._comm.rank == 0 and self._file is None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                trouble = self._acquire()
            except OSError as error:
                trouble = f"must be a folder that can be written: {error.strerror}"
        trouble = self._comm.bcast(trouble, root=0)
        if trouble:
            msg = f"folder = {str(self.folder)!r}, {trouble}"
            raise ParameterError(msg)
        return self

    def release(self) -> None:
        """Free the folder; nothing happens where it is not locked, or where this process locked it before."""
        if self._file is not None:
            with suppress(OSError):  # the folder may be gone
                if _is_at(self._file, self.folder / NAME):
                    (self.folder / NAME).unlink()
            os.close(self._file)
            self._file = None

    def touch(self) -> None:
        """Show that the run is alive, for file systems without locks."""
        if self._file is not None:
            with suppress(OSError):
                os.utime(self._file)

    def __enter__(self) -> Self:
        """Lock the folder."""
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the folder."""
        self.release()

    def __repr__(self) -> str:
        """Return one line."""
        return f"<FolderLock of {str(self.folder)!r}>"

    def _acquire(self) -> str:
        """Lock the folder on this rank; return the reason why it cannot be."""
        path = self.folder / NAME
        for _ in range(TRIES):
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            locked = _lock(file, fcntl.LOCK_EX)
            if (_is_stale(path) if locked is None else locked) and _is_at(file, path):
                about = {
                    "pid": os.getpid(),
                    "host": socket.gethostname(),
                    "started": datetime.now().astimezone().isoformat(timespec="seconds"),
                    "command": sys.argv,
                    "process": PROCESS,
                }
                os.ftruncate(file, 0)
                os.pwrite(file, json.dumps(about).encode(), 0)
                time.sleep(0.0 if locked else PAUSE)  # without locks another process may write now: the last one has it
                if _read(path).get("process") == PROCESS:
                    self._file = file
                    return ""
            os.close(file)
            about = _read(path)
            if about.get("process") == PROCESS and about.get("pid") == os.getpid():
                return ""
            time.sleep(PAUSE)
        return f"must not be in use: {_described(about)}"


def holder(folder: os.PathLike[str] | str) -> dict[str, Any] | None:
    """Return who writes into a folder: pid, host, started and command of the process; None if nobody does."""
    path = Path(folder) / NAME
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        locked = _lock(file, fcntl.LOCK_SH)
        return None if (_is_stale(path) if locked is None else locked) else _read(path)
    finally:
        os.close(file)


def _lock(file: int, kind: int) -> bool | None:
    """Try to lock an open file; return True if it was free, None if the file system has no locks."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            return None
        if isinstance(error, BlockingIOError | PermissionError):
            return False
        raise
    return True


def _is_stale(path: Path) -> bool:
    """Return True if a lock file has no live owner, where the file system has no locks."""
    about = _read(path)
    if not about or time.time() - path.stat().st_mtime > STALE:
        return True
    return about.get("host") == socket.gethostname() and not _is_alive(about.get("pid"))


def _is_alive(pid: Any) -> bool:
    """Return True if there is a process of this number on this machine."""
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (OSError, TypeError, ValueError, OverflowError):
        return False
    return True


def _is_at(file: int, path: Path) -> bool:
    """Return True if an open file is the one of this name: it may have been removed in between."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False


def _read(path: Path) -> dict[str, Any]:
    """Return the content of a lock file; empty if there is none, or half of one."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _described(about: dict[str, Any]) -> str:
    """Return who writes into a folder, in words."""
    if not about:
        return "another process writes there"
    return f"process {about.get('pid')} on host {about.get('host')} writes there since {about.get('started')}"
