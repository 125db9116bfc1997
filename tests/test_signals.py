"""Signals are noted for a run to end between two steps, on all ranks, and never lost."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from emfem.errors import Terminated
from emfem.signals import REASONS, restored_handlers, stop_requests

import pytest
from mpi4py import MPI


def send(number: int) -> None:
    """Send a signal to this process, and wait until Python has seen it."""
    os.kill(os.getpid(), number)
    time.sleep(0.01)


@pytest.mark.parametrize("number", REASONS)
def test_a_signal_is_noted(number: signal.Signals):
    with stop_requests(MPI.COMM_SELF) as requested:
        assert requested() is None
        send(number)
        assert requested() is number
        assert requested() is number


def test_a_signal_that_is_passed_on_twice_is_one():
    with stop_requests(MPI.COMM_SELF) as requested:
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        assert requested() is signal.SIGTERM


def test_the_outermost_context_notes_for_all():
    with stop_requests(MPI.COMM_SELF) as outer:
        with stop_requests(MPI.COMM_SELF) as inner:
            send(signal.SIGUSR1)
            assert inner() is signal.SIGUSR1
        with stop_requests(MPI.COMM_SELF) as later:
            assert later() is signal.SIGUSR1
        assert outer() is signal.SIGUSR1


def interrupted(times: int) -> None:
    """Interrupt a context that never asks."""
    with stop_requests(MPI.COMM_SELF):
        for _ in range(times):
            send(signal.SIGINT)
        assert times == 1, "not stopped"
    time.sleep(0.01)


def test_a_later_interrupt_stops_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("emfem.signals.SAME", 0.0)
    with pytest.raises(KeyboardInterrupt):
        interrupted(2)


def test_a_signal_that_nobody_asked_for_takes_effect_at_the_end():
    with pytest.raises(KeyboardInterrupt):
        interrupted(1)


def test_a_signal_that_is_ignored_stays_ignored():
    former = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        with stop_requests(MPI.COMM_SELF) as requested:
            send(signal.SIGUSR1)
            assert requested() is None
    finally:
        signal.signal(signal.SIGUSR1, former)


def test_a_handler_that_a_library_leaves_behind_is_replaced_by_the_former_one():
    former = signal.getsignal(signal.SIGINT)
    with restored_handlers():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGINT) == former


def test_other_threads_note_nothing():
    answers: list[Any] = []

    def work() -> None:
        with stop_requests(MPI.COMM_SELF) as requested:
            answers.append((requested(), signal.getsignal(signal.SIGTERM)))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert answers == [(None, before)]


def test_an_exit_of_a_signal_has_the_code_of_shells():
    error = pickle.loads(pickle.dumps(Terminated(signal.SIGTERM)))
    assert (error.code, error.signal) == (143, signal.SIGTERM)


LATER = """
import os, signal, sys, time
import emfem
from emfem.signals import stop_requests
from mpi4py import MPI
with stop_requests() as requested:
    if sys.argv[1] == "twice":
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1.1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    while requested() is None:
        if MPI.COMM_WORLD.rank == MPI.COMM_WORLD.size - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
    print(requested().name, flush=True)
if sys.argv[1] == "after":
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)
"""


@pytest.mark.parametrize(("when", "printed"), [("twice", ""), ("after", "SIGTERM\n")])
def test_a_second_signal_ends_the_process_without_words(when: str, printed: str):
    """Also after the context: PETSc's own handler would end it with several lines."""
    done = subprocess.run([sys.executable, "-c", LATER, when], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, printed, "")


@pytest.mark.parallel
@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_agree(mpiexec: Callable[..., tuple[int, str, str]], ranks: int):
    status, out, _ = mpiexec(ranks, sys.executable, "-c", LATER, "once")
    assert (status, out.count("SIGTERM")) == (0, ranks)
