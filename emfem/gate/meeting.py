"""Errors on one rank become errors on all, also where the others already wait for it."""

from __future__ import annotations

import time
import traceback
from types import TracebackType
from typing import Any

from emfem.errors import EmfemError, ParameterError
from emfem.gate.ranks import difference, digest_of

import numpy as np
from mpi4py import MPI

PATIENCE = 10.0  # seconds that a rank with an error waits for the others
PAUSE = 0.01  # seconds


class Meeting:
    """Context whose body may communicate: an error of one rank is raised by all, where `collective` would not do.

    The ranks meet at the end of the body. Values that it puts into the dict of the context must be the same on all of
    them then:

        with meeting as same:
            same["reason to stop"] = look()

    A rank that fails while others wait for it inside of the body cannot reach
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
        self._same: dict[str, Any] = {}

    def __enter__(self) -> dict[str, Any]:
        """Begin with no values to compare."""
        self._same = {}
        return self._same

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Meet the other ranks.

        Raises:
            EmfemError: with the message of the first rank that failed, on ranks that did not.
            ParameterError: if values differ; on all ranks.
        """
        if self._comm is None:
            return
        digest = int.from_bytes(digest_of(self._same)[:7]) if error is None else 0
        mine = np.array([self._comm.size if error is None else self._comm.rank, digest, -digest])
        first = np.empty_like(mine)
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
            if first[1] != -first[2]:
                raise ParameterError(difference(self._comm, self._same))
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
