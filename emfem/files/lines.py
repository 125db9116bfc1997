"""Files to which lines are added as they come."""

from __future__ import annotations

import errno
import os
import warnings
from contextlib import suppress
from pathlib import Path

from emfem.errors import WriteWarning
from emfem.files.places import read_text, reason

from mpi4py import MPI

__all__ = ["LineFile"]


class LineFile:
    """Text file to which rank 0 adds lines as they come; a half line of a process that was killed is cut off.

    What cannot be written, on a full disk, is a warning and waits for the next line.

    Attributes:
        path: of the file.
        lines: that were in it at the start, the same on all ranks.
    """

    def __init__(self, path: Path, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
        """Read what is there. Collective.

        Raises:
            ParameterError: if it cannot be read.
        """
        self._made = comm.bcast(path.exists(), root=0)
        content = read_text(path, comm=comm) if self._made else ""
        whole = content[: content.rfind("\n") + 1]
        self.path, self.lines = path, whole.splitlines()
        self._comm, self._size, self._waiting = comm, len(whole.encode()), b""
        if comm.rank == 0 and len(whole) < len(content):
            with suppress(OSError):  # the next line is refused then, with the reason
                os.truncate(path, self._size)

    def add(self, line: str) -> None:
        """Add a line; it is on disk then.

        Warns:
            WriteWarning: if it cannot be written, or another run adds lines too.
        """
        if self._comm.rank != 0:
            return
        former, self._waiting = len(self._waiting), self._waiting + f"{line}\n".encode()
        try:
            # A file that was removed is not made again: it would lack the lines before.
            with self.path.open("r+b" if self._made else "xb") as file:
                if self._made and self.path.stat().st_size > self._size + former:
                    raise OSError(errno.EBUSY, "another run writes there")
                self._made = True
                file.seek(self._size)
                file.write(self._waiting)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            msg = f"line not written: path = {str(self.path)!r}, must be a file that can be written: {reason(error)}"
            warnings.warn(msg, WriteWarning, stacklevel=2)
            return
        self._size += len(self._waiting)
        self._waiting = b""
