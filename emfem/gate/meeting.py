"""Errors on one rank become errors on all, also where the others already wait for it."""

from __future__ import annotations

import time
import traceback
from types import TracebackType
from typing import Self

from emfem.errors import EmfemError

import numpy as np
from mpi4py import MPI

PATIENCE = 10.0  # seconds that a rank with an error waits for the others
PAUSE = 0.01  # seconds


class Meeting:
    """Context whose body may communicate: an error of one rank is raised by all, where `collective` would not do.

    The ranks meet at the end of the body. A rank that fails while others wait for it inside of the body cannot reach
    them: after `patience` it prints its error and ends all ranks.

    Attributes:
        patience: seconds that a rank with an error waits for the others.
        failed: the first rank with an error, or None.
    """

    def __init__(self, comm: MPI.Comm) -> None:
        """Take the ranks. Collective."""
        self._comm = comm.Dup() if comm.size > 1 else None  # its messages meet no others
        self.failed: int | None = None
        self.patience = PATIENCE

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Meet the other ranks.

        Raises:
            EmfemError: with the message of the first rank that failed, on ranks that did not.
        """
        if self._comm is None:
            return
        mine, first = np.array([self._comm.size if error is None else self._comm.rank]), np.empty(1, dtype=int)
        request = self._comm.Iallreduce(mine, first, op=MPI.MIN)
        if error is None:
            request.Wait()
        else:
            deadline = time.monotonic() + self.patience
            while not request.Test():
                if time.monotonic() > deadline:
                    traceback.print_exception(error)
                    self._comm.Abort(1)
                time.sleep(PAUSE)
        if first[0] == self._comm.size:
            return
        self.failed = int(first[0])
        message = self._comm.bcast(f"{type(error).__name__}: {error}", root=self.failed)
        if error is None:
            msg = f"rank {self.failed}: {message}"
            raise EmfemError(msg)

    def close(self) -> None:
        """Free the messages."""
        if self._comm is not None:
            self._comm.Free()
