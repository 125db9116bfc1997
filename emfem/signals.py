"""Requests to stop a run from outside: an interrupt of the user, the time limit of a scheduler.

`stop_requests` notes a signal instead of dying of it, so that a run can end between two steps, on all ranks at once. A
scheduler and `mpiexec` may both pass on the same signal, so one that comes again within a second is the same request;
one that comes later stops the process at once.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any

from emfem.public import dir_of

from mpi4py import MPI

__all__ = ["REASONS", "restored_handlers", "stop_requests"]
__dir__ = dir_of(__all__)

REASONS = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "terminated",
    signal.SIGUSR1: "stopped by SIGUSR1",
}
SAME = 1.0  # seconds within which a signal is passed on twice


class _Requests:
    """The signals that this rank has received, and what the ranks have agreed on."""

    def __init__(self, comm: MPI.Comm) -> None:
        """Begin with no signal."""
        self.alone = comm.size == 1
        self.received, self.agreed = 0, 0
        self.since = 0.0
        self.former: dict[int, Any] = {}

    def install(self) -> None:
        """Note the signals from now on, but for those that the process ignores."""
        for number in REASONS:
            former = signal.getsignal(number)
            if former != signal.SIG_IGN:
                signal.signal(number, self.note)
                self.former[number] = former

    def restore(self) -> None:
        """Put the former handlers back; one of a library in C, such as PETSc's, is not known to Python."""
        for number, former in self.former.items():
            signal.signal(number, signal.SIG_DFL if former is None else former)

    def note(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal; stop the process at a later one."""
        now = time.monotonic()
        if not self.received:
            self.received, self.since = number, now
        elif now - self.since > SAME:
            self.stop(number)

    def stop(self, number: int) -> None:
        """Do as if the signal had not been noted; on several ranks the process ends, and `mpiexec` ends the others."""
        self.restore()
        if not self.alone:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def requested(self, comm: MPI.Comm) -> signal.Signals | None:
        """Return the signal that any rank has received. Collective."""
        self.agreed = comm.allreduce(self.received or self.agreed, op=MPI.MAX)
        return signal.Signals(self.agreed) if self.agreed else None


_ACTIVE: ContextVar[_Requests | None] = ContextVar("stop_requests", default=None)


@contextmanager
def stop_requests(comm: MPI.Comm = MPI.COMM_WORLD) -> Iterator[Callable[[], signal.Signals | None]]:
    """Note SIGINT, SIGTERM and SIGUSR1 while the context lasts, instead of dying of them.

    Contexts may be nested: the outermost one notes the signals for all. Outside the main thread, where Python has no
    handlers, only signals to other ranks are seen. A signal that nobody has asked for takes effect at the end.

    Args:
        comm: the ranks that agree.

    Yields:
        a function without arguments, collective: the signal that any rank has received, or None.
    """
    outer = _ACTIVE.get()
    if outer is not None:
        yield lambda: outer.requested(comm)
        return
    requests = _Requests(comm)
    if threading.current_thread() is not threading.main_thread():
        yield lambda: requests.requested(comm)
        return
    token = _ACTIVE.set(requests)
    requests.install()
    try:
        yield lambda: requests.requested(comm)
    finally:
        _ACTIVE.reset(token)
        requests.restore()
        if requests.received and not requests.agreed:
            requests.stop(requests.received)


@contextmanager
def restored_handlers() -> Iterator[None]:
    """Put the handlers of signals back at the end, for a library that replaces them and forgets to."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.getsignal(number) for number in REASONS}
    try:
        yield
    finally:
        for number, handler in former.items():
            if signal.getsignal(number) != handler:  # one of a library in C is not known to Python
                signal.signal(number, signal.SIG_DFL if handler is None else handler)
