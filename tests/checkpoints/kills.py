"""Kill runs of every kind at random moments, go on until they are done, compare.

`python kills.py FOLDER KILLS SEED [KIND ...]`

Prints a line for each kind: kills, runs that came to their end, and the largest difference to the run that nobody
killed. Part of `make soak`.
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


def start(kind: str, folder: Path) -> subprocess.Popen[str]:
    """Start a run, or one that goes on."""
    command = [sys.executable, "-W", "ignore", str(CASE), kind, str(folder), EVERY, "0", "stop"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until_done(kind: str, folder: Path, whole: float, generator: random.Random) -> tuple[int, dict[str, Any]]:
    """Kill a run at random moments until it comes to its end; return the number of kills, and the state."""
    kills = 0
    while True:
        process, moment = start(kind, folder), generator.uniform(0.3, 1.1) * whole
        try:
            out, err = process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        if process.returncode:
            sys.exit(f"{kind} after {kills} kills: {err}")
        return kills, json.loads(out.splitlines()[-1])


def compare(kind: str, folder: Path, wanted: int, seed: int) -> str:
    """Kill runs of one kind until there are so many kills; return the line."""
    generator = random.Random(f"{kind} {seed}")
    began = time.perf_counter()
    expected = json.loads(start(kind, folder / "whole").communicate()[0].splitlines()[-1])
    whole, table = time.perf_counter() - began, (folder / "whole/series.csv").read_bytes()
    kills = runs = tables = 0
    worst = 0.0
    while kills < wanted:
        parts = folder / f"{runs}"
        more, state = until_done(kind, parts, whole, generator)
        kills, runs = kills + more, runs + 1
        numbers = [name for name in expected if name != "times"]
        worst = max(worst, *(abs(state[n] - expected[n]) / (abs(expected[n]) or 1.0) for n in numbers))
        tables += (parts / "series.csv").read_bytes() == table and state["times"] == expected["times"]
    return f"{kind}: {kills} kills, {runs} runs, largest difference {worst:g}, {tables} tables the same"


if __name__ == "__main__":
    for kind in sys.argv[4:] or KINDS:
        print(compare(kind, Path(sys.argv[1]) / kind, int(sys.argv[2]), int(sys.argv[3])), flush=True)
