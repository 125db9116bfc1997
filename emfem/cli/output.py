"""Output and exit codes of a command: lines of rank 0, and sentences in place of tracebacks."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from enum import IntEnum
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

import emfem as em

import typer


class Exit(IntEnum):
    """Exit codes; a signal that ends a command adds its number to 128."""

    REFUSED = 1
    MISUSED = 2
    OUT_OF_TIME = 3
    VIOLATED = 4


MEANINGS = {
    0: "success",
    Exit.REFUSED: "an input is refused, a run failed, or a check of verify is missed",
    Exit.MISUSED: "wrong command line",
    Exit.OUT_OF_TIME: "wall time used, the run can go on",
    Exit.VIOLATED: "the grid of signoff does not last",
    128 + signal.SIGINT: "Ctrl-C",
    128 + signal.SIGUSR1: "SIGUSR1",
    128 + signal.SIGTERM: "SIGTERM",
}


@contextmanager
def report_errors(code: Exit = Exit.REFUSED) -> Iterator[None]:
    """End the command with the sentence of an error of emfem, or of a signal, once; print warnings as a line each."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            """Print a warning of emfem without the line of code, which is none of the user's."""
            if issubclass(category, em.ResolutionWarning | em.RecoveryWarning | em.WriteWarning):
                typer.echo(f"warning: {message}", err=True)
            else:
                others(message, category, *where, **more)

        warnings.showwarning = show
        try:
            with _sentences_of_signals():
                yield
        except em.EmfemError as error:
            echo_error(f"{error}{_meant(error)}")
            raise typer.Exit(code) from None
        except ModuleNotFoundError as error:
            if error.name != "dolfinx":
                raise
            echo_error(str(error))
            raise typer.Exit(Exit.REFUSED) from None


def _meant(error: em.EmfemError) -> str:
    """Return a hint at the name that is most like an unknown one; none without one that is near."""
    if not isinstance(error, em.UnknownName) or "did you mean" in str(error):
        return ""
    near = get_close_matches(str(error.name), [str(name) for name in error.known], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


@contextmanager
def _sentences_of_signals() -> Iterator[None]:
    """End the command at a signal that no run notes with one line, and a reader that ends early with nothing.

    PETSc would take over SIGTERM and SIGPIPE and abort with a page of its own: `main` asks it not to, and what it took
    before is taken back.
    """
    if current_thread() is not main_thread():  # where Python has no handlers
        yield
        return
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)}
    ours = {number: _end for number, handler in former.items() if handler != signal.SIG_IGN}
    try:
        _install(ours | {signal.SIGPIPE: signal.SIG_IGN})
        yield
    finally:
        _install({number: handler or signal.SIG_DFL for number, handler in former.items()})


def _install(handlers: Mapping[signal.Signals, Any]) -> None:
    """Set the handlers of signals."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    """Say which signal ends the command, and end it; on several ranks at once: some may wait for others.

    Raises:
        Terminated: on one rank.
    """
    os.write(2, f"ended by {MEANINGS[128 + number]}\n".encode())  # print may be what was interrupted
    if ranks() > 1:
        os._exit(128 + number)
    raise em.Terminated(number)


def rank() -> int:
    """Return the number of this process; 0 where MPI is not installed."""
    return _world()[0]


def ranks() -> int:
    """Return the number of processes; 1 where MPI is not installed."""
    return _world()[1]


def _world() -> tuple[int, int]:
    try:
        from mpi4py import MPI
    except ImportError:
        return 0, 1
    return MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size


def echo(*lines: object) -> None:
    """Print each line once, on rank 0. Collective: the text of a line may need all ranks."""
    texts = [str(line) for line in lines]
    if rank() == 0:
        print(*texts, sep="\n", flush=True)


def echo_error(text: str) -> None:
    """Print a line to the standard error, on rank 0."""
    if rank() == 0:
        typer.echo(text, err=True)
