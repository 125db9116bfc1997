"""Kill runs of every kind at random moments, go on until they are done, compare.

`python -m tests.checkpoints.kills FOLDER KILLS SEED [KIND ...]`

Prints a line for each kind: kills, those of them after the first checkpoint, runs that came to their end, and the
largest difference to the run that nobody killed; the exit code is 1 if one is above its bound. Part of `make soak`.
Each run is a fork of this process, so that it is killed while it computes, and not while it imports.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from tests.checkpoints import resume_case

KINDS = ("film", "coupled", "staggered", "heat", "species", "stress", "nucleation", "surface", "moving")
EVERY = 0.03  # seconds between checkpoints: many, for the runs are short
BOUND = {kind: 1e-6 if kind == "moving" else 1e-10 for kind in KINDS}  # relative
MOMENTS = 0.02, 1.3  # of the processor time of the whole run, start included: of the next kill
END = "end.json"  # the state of a run that came to its end


def start(kind: str, folder: Path) -> int:
    """Start a run, or one that goes on, in a process of its own; return its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        state = resume_case.run(kind, folder, every=EVERY)
        (folder / END).write_text(json.dumps(state), encoding="utf-8")
        code = 0
    except BaseException:  # the process ends here, whatever it is
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def processor_time(child: int) -> float:
    """Return the processor time of a process so far [s]."""
    return time.clock_gettime((~child << 3) | 2)  # the clock of another process, as clock_getcpuclockid has it


def wait(child: int, seconds: float) -> int | None:
    """Return the exit code of a process, None if it was killed after so many seconds of processor time."""
    while processor_time(child) < seconds:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(1e-3)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)


def ended(folder: Path) -> dict[str, Any]:
    """Return the state at the end of a run."""
    state: dict[str, Any] = json.loads((folder / END).read_text(encoding="utf-8"))
    return state


def until_done(kind: str, folder: Path, whole: float, generator: random.Random) -> tuple[int, int]:
    """Kill a run at random moments until it comes to its end; return kills, and those after a checkpoint."""
    kills = later = 0
    while True:
        code = wait(start(kind, folder), generator.uniform(*MOMENTS) * whole)
        if code is None:
            kills += 1
            later += any(folder.glob("checkpoints/*.npz"))
        elif code:
            sys.exit(f"{kind} after {kills} kills: exit code {code}")
        else:
            return kills, later


def compare(kind: str, folder: Path, wanted: int, seed: int) -> tuple[str, bool]:
    """Kill runs of one kind until there are so many kills; return the line, and True if all are the same run."""
    generator = random.Random(f"{kind} {seed}")
    for name in ("forms", "whole"):  # the first one compiles
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        if wait(start(kind, folder / name), 600.0) != 0:
            sys.exit(f"{kind} fails by itself")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    expected = ended(folder / "whole")
    numbers = [name for name in expected if name != "times"]
    table = (folder / "whole/series.csv").read_bytes()
    kills = later = runs = tables = 0
    worst = 0.0
    while kills < wanted:
        parts = folder / f"{runs}"
        more, with_state = until_done(kind, parts, whole, generator)
        kills, later, runs, state = kills + more, later + with_state, runs + 1, ended(parts)
        worst = max(worst, *(abs(state[n] - expected[n]) / (abs(expected[n]) or 1.0) for n in numbers))
        tables += (parts / "series.csv").read_bytes() == table and state["times"] == expected["times"]
    line = (
        f"{kind}: {kills} kills, {later} after a checkpoint, {runs} runs of {whole:.1f} s, "
        f"largest difference {worst:g}, {tables} tables and times the same"
    )
    return line, worst <= BOUND[kind] and tables == runs


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    failed = False
    for kind in sys.argv[4:] or KINDS:
        line, same = compare(kind, Path(sys.argv[1]) / kind, int(sys.argv[2]), int(sys.argv[3]))
        print(line, flush=True)
        failed |= not same
    sys.exit(failed)
