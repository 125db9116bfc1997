"""Kill runs of every kind at random moments, go on until they are done, compare.

`python kills.py FOLDER KILLS SEED [KIND ...]`

Prints a line for each kind: kills, those of them after the first checkpoint, runs that came to their end, and the
largest difference to the run that nobody killed; the exit code is 1 if one is above its bound. Part of `make soak`.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CASE = Path(__file__).with_name("resume_case.py")
KINDS = ("film", "coupled", "staggered", "heat", "species", "stress", "surface", "moving")
EVERY = "0.03"  # seconds between checkpoints: many, for the runs are short
BOUND = {kind: 1e-6 if kind == "moving" else 1e-10 for kind in KINDS}  # relative


def start(kind: str, folder: Path) -> subprocess.Popen[str]:
    """Start a run, or one that goes on."""
    command = [sys.executable, "-W", "ignore", str(CASE), kind, str(folder), EVERY, "0", "stop"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until_done(kind: str, folder: Path, whole: float, generator: random.Random) -> tuple[int, int, dict[str, Any]]:
    """Kill a run at random moments until it comes to its end; return kills, those after a checkpoint, the state."""
    kills = later = 0
    while True:
        process, moment = start(kind, folder), generator.uniform(0.3, 1.1) * whole
        try:
            out, err = process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            later += any(folder.glob("checkpoints/*.npz"))
            continue
        if process.returncode:
            sys.exit(f"{kind} after {kills} kills: {err}")
        return kills, later, json.loads(out.splitlines()[-1])


def compare(kind: str, folder: Path, wanted: int, seed: int) -> tuple[str, bool]:
    """Kill runs of one kind until there are so many kills; return the line, and True if all are the same run."""
    generator = random.Random(f"{kind} {seed}")
    began = time.perf_counter()
    expected = json.loads(start(kind, folder / "whole").communicate()[0].splitlines()[-1])
    whole, table = time.perf_counter() - began, (folder / "whole/series.csv").read_bytes()
    kills = later = runs = tables = 0
    worst = 0.0
    while kills < wanted:
        parts = folder / f"{runs}"
        more, with_state, state = until_done(kind, parts, whole, generator)
        kills, later, runs = kills + more, later + with_state, runs + 1
        numbers = [name for name in expected if name != "times"]
        worst = max(worst, *(abs(state[n] - expected[n]) / (abs(expected[n]) or 1.0) for n in numbers))
        tables += (parts / "series.csv").read_bytes() == table and state["times"] == expected["times"]
    line = (
        f"{kind}: {kills} kills, {later} after a checkpoint, {runs} runs, largest difference {worst:g}, "
        f"{tables} tables and times the same, {time.perf_counter() - began:.0f} s"
    )
    return line, worst <= BOUND[kind] and tables == runs


if __name__ == "__main__":
    failed = False
    for kind in sys.argv[4:] or KINDS:
        line, same = compare(kind, Path(sys.argv[1]) / kind, int(sys.argv[2]), int(sys.argv[3]))
        print(line, flush=True)
        failed |= not same
    sys.exit(failed)
