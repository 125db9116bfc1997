"""Limits of the process that reads a file: the system ends it when its time or memory is used up."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import signal
import sys
from pathlib import Path

CORES = 0  # bytes of a core file after a crash
KILLED_WITH_PARENT = 1  # prctl's option PR_SET_PDEATHSIG


def begin(seconds: float, size: float) -> None:
    """Limit this process to a time [s] and a size [bytes], and let it end with the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which ends this process
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    resource.setrlimit(resource.RLIMIT_CORE, (CORES, CORES))
    _set_size(size)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(KILLED_WITH_PARENT, signal.SIGKILL)
        with contextlib.suppress(OSError):  # where memory is short, this process goes first
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def extend(seconds: float, size: float) -> None:
    """Give this process more time [s] and size [bytes]; nothing happens without limits."""
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    if left:
        signal.setitimer(signal.ITIMER_REAL, left + seconds)
        _set_size(resource.getrlimit(resource.RLIMIT_AS)[0] + size)


def _set_size(size: float) -> None:
    """Limit the address space, below what the system allows."""
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    allowed = int(size) if most == resource.RLIM_INFINITY else min(int(size), most)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, most))
