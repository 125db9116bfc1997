"""Files that all ranks write together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from emfem.files.places import not_written, reason, sync

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

__all__ = ["SharedFile"]


class SharedFile:
    """A file that all ranks write together, each its own part; it takes its name when all is on disk. Collective.

    An error of one rank, such as a full disk, is kept until `finish`, where all ranks raise it.
    """

    def __init__(self, path: Path, comm: MPI.Comm) -> None:
        """Begin a file beside `path`.

        Raises:
            ParameterError: if it cannot be made.
        """
        self.path, self.comm, self.size = path, comm, 0
        self.partial = path.with_name(f"{path.stem}.part{path.suffix}")
        self._trouble = ""
        try:
            self._file = MPI.File.Open(comm, str(self.partial), MPI.MODE_CREATE | MPI.MODE_WRONLY)
        except MPI.Exception as error:  # MPI agrees on it
            raise not_written(path, reason(error)) from None
        with self.attempt():
            self._file.Set_size(0)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Keep an error of writing until `finish`: other ranks may have none."""
        try:
            yield
        except (OSError, MPI.Exception) as error:
            self._trouble = self._trouble or reason(error)

    def text(self, content: bytes) -> None:
        """Append bytes that are the same on all ranks."""
        if self.comm.rank == 0:
            with self.attempt():
                self._file.Write_at(self.size, content)
        self.size += len(content)

    def rows(self, block: NDArray[Any]) -> None:
        """Append the blocks of all ranks, in the order of ranks."""
        ends = np.cumsum(self.comm.allgather(block.nbytes))
        with self.attempt():
            self._file.Write_at_all(self.size + int(ends[self.comm.rank]) - block.nbytes, np.ascontiguousarray(block))
        self.size += int(ends[-1])

    def close(self) -> None:
        """End the writing; the file still has its name of a part."""
        with self.attempt():
            self._file.Sync()
        with self.attempt():
            self._file.Close()

    def finish(self) -> None:
        """Give it its name, once all of it is on disk.

        Raises:
            ParameterError: if it could not be written; what was at its place is still there.
        """
        troubles = self.comm.allgather(self._trouble)
        trouble = next(filter(None, troubles), "")
        if self.comm.rank == 0:
            try:
                if not trouble:
                    sync(self.partial)
                    self.partial.replace(self.path)
                    sync(self.path.parent)
            except OSError as error:
                trouble = reason(error)
            if trouble:
                with suppress(OSError):
                    self.partial.unlink(missing_ok=True)
        trouble = self.comm.bcast(trouble, root=0)
        if trouble:
            raise not_written(self.path, trouble)
