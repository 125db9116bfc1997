"""emfem against other programs on the same film: time, memory and error of each.

    python -m benchmarks.peers

The problem is in `problem.py`, the settings in `programs.py`, every program in a file of its own, written as its users
would write it. All run on one thread, each in a new process, in turn within a repetition. The main number is processor
time from the mesh to the end, without imports and compilation (column `prepare`, the first of the repetitions, with
empty caches of compiled forms); a median. The error is the root mean square distance to a fine pseudospectral run at
101 x 101 points that are no nodes, over its standard deviation.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.peers import pseudospectral
from benchmarks.peers.child import MOST
from benchmarks.peers.problem import CASES, Case
from benchmarks.peers.programs import PROGRAMS

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parents[2]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
FOREVER = 1e6  # time on the clock that no program takes; subprocess takes no infinity [s]
Row = dict[str, Any]


def reference(case: Case, folder: Path) -> Path:
    """Return the file of the reference, computed if it is not there."""
    path = folder / f"reference-{case.name}-{case.until:g}.npy"
    if not path.exists():
        np.save(path, pseudospectral.reference(case))
    return path


def run(name: str, case: Case, folder: Path, limit: float, left: float) -> Row:
    """Return the result of one run in a process of its own, with its load.

    Instead of numbers it has `failed`, the last line of the error, or `stopped`, if it takes longer than `MOST` seconds
    of the processor or `left` on the clock.
    """
    over = {"program": name, "stopped": "the time of all is over"}
    if left <= 0:
        return over
    settings = json.dumps(PROGRAMS[name].settings[case.name])
    threads = {**dict.fromkeys(THREADS, "1"), "XDG_CACHE_HOME": str(folder / "cache"), "FIPY_SOLVERS": "scipy"}
    command = [sys.executable, "-m", "benchmarks.peers.child", name, case.name, settings]
    command += [str(reference(case, folder)), str(limit)]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **threads},
            capture_output=True,
            text=True,
            timeout=min(left, FOREVER),
        )
    except subprocess.TimeoutExpired:
        return over
    if done.returncode == -signal.SIGXCPU:
        return {"program": name, "stopped": f"not done after {MOST} s of the processor"}
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"program": name, "failed": lines[-1] if lines else f"exit code {done.returncode}"}
    return {**json.loads(done.stdout.splitlines()[-1]), "load": os.getloadavg()[0]}


def reason(row: Row) -> str | None:
    """Return why a row has no numbers."""
    return next((f"{word}: {row[word]}" for word in ("failed", "stopped") if word in row), None)


def median(rows: list[Row]) -> Row:
    """Return one row of several repetitions: medians of the times, the largest memory, `prepare` of the first."""
    middle = {key: statistics.median(row[key] for row in rows) for key in ("cpu", "wall", "load")}
    spread = [min(row["cpu"] for row in rows), max(row["cpu"] for row in rows)]
    return {**rows[0], **middle, "spread": spread, "repeat": len(rows), "memory": max(row["memory"] for row in rows)}


def measure(case: Case, names: list[str], repeat: int, limit: float, end: float, folder: Path) -> list[Row]:
    """Return a row for each program, all of them in turn in every repetition until the end; slow ones run once."""
    rows: dict[str, list[Row]] = {name: [] for name in names}
    for repetition in range(repeat):
        for name in [name for name in names if all(row.get("cpu", limit) < limit for row in rows[name])]:
            row = run(name, case, folder, limit, end - time.monotonic())
            rows[name].append(row)
            took = reason(row) or f"{row['cpu']:.3g} s, prepared in {row['prepare']:.3g} s"
            print(f"{case.name} {repetition + 1}/{repeat}  {PROGRAMS[name].title}: {took}", flush=True)
    whole = {name: [row for row in of if not reason(row)] for name, of in rows.items()}
    return [
        median(whole[name]) if whole[name] and not any("failed" in row for row in of) else of[-1]
        for name, of in rows.items()
    ]


def table(case: Case, rows: list[Row]) -> str:
    """Return the rows as Markdown."""
    base = next((row["cpu"] for row in rows if row["program"] == "emfem" and "cpu" in row), None)
    lines = [
        f"| {case.name}, to t = {case.until:g} | unknowns | steps | processor time [s] | emfem is | error "
        "| memory [MB] | prepare [s] |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        title = PROGRAMS[row["program"]].title
        if missing := reason(row):
            lines.append(f"| {title} | {missing} | | | | | | |")
            continue
        ratio = "" if base is None or row["program"] == "emfem" else ratio_text(row["cpu"] / base)
        part = "" if row["share"] == 1 else f", from the first {100 * row['share']:.2g} %"
        wrong = "not run to the end" if row["error"] is None else f"{100 * row['error']:.2f} %"
        memory = f"{row['memory'] / 1e6:.0f}"
        lines.append(
            f"| {title} | {row['unknowns']} | {row['steps']} | {row['cpu']:.3g}{part} | {ratio} | {wrong} | {memory} "
            f"| {row['prepare']:.1f} |"
        )
    return "\n".join(lines)


def ratio_text(ratio: float) -> str:
    """Return a ratio in words."""
    return f"{ratio:.3g} times faster" if ratio >= 1 else f"{1 / ratio:.3g} times slower"


def picture(case: Case, rows: list[Row], path: Path) -> None:
    """Draw the times as bars, with the errors beside."""
    rows = sorted((row for row in rows if "cpu" in row), key=lambda row: -row["cpu"])
    figure, axes = plt.subplots(figsize=(7, 0.5 + 0.45 * len(rows)), layout="constrained")
    colors = ["tab:orange" if row["program"] == "emfem" else "tab:blue" for row in rows]
    bars = axes.barh([PROGRAMS[row["program"]].title for row in rows], [row["cpu"] for row in rows], color=colors)
    texts = [f"{row['cpu']:.2g} s" + (f", {100 * row['error']:.1f} %" if row["error"] else ", in part") for row in rows]
    axes.bar_label(bars, texts, padding=3)
    axes.set(xscale="log", xlabel="processor time [s], and error", title=f"{case.name}, to t = {case.until:g}")
    axes.set_xlim(right=axes.get_xlim()[1] * 8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def machine() -> Row:
    """Return a general description of the machine and the versions."""
    versions = {program.distribution: program.version() for program in PROGRAMS.values() if not program.missing()}
    try:
        cpu = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.machine()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "cpu": cpu.partition(":")[2].strip() or cpu,
        "cores": os.cpu_count(),
        "versions": versions,
    }


def main() -> None:
    """Run the cases and write table, picture and JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", nargs="*", choices=CASES, default=list(CASES), help="cases to run")
    parser.add_argument("--program", nargs="*", choices=PROGRAMS, default=list(PROGRAMS), help="programs to run")
    parser.add_argument("--repeat", type=int, default=5, help="runs of those done in `limit`, whose median is taken")
    parser.add_argument("--limit", type=float, default=15.0, help="seconds after which a run is extrapolated")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of the whole run, after which none begins")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "bench", help="folder of the results")
    options = parser.parse_args()
    folder = options.output.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "cache", ignore_errors=True)
    began = time.monotonic()
    for name in [name for name in options.program if PROGRAMS[name].missing()]:
        print(f"{PROGRAMS[name].title} is not installed: left out (make bench installs it)")
        options.program.remove(name)
    results, tables = {}, []
    for case in (CASES[name] for name in options.case):
        names = [name for name in options.program if case.name in PROGRAMS[name].settings]
        results[case.name] = measure(case, names, options.repeat, options.limit, began + options.seconds, folder)
        tables.append(table(case, results[case.name]))
        if any("cpu" in row for row in results[case.name]):
            picture(case, results[case.name], folder / f"{case.name}.png")
    report = {"machine": machine(), "seconds": time.monotonic() - began, "cases": results}
    (folder / "bench.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (folder / "bench.md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    print("\n" + "\n\n".join(tables) + f"\n\n{folder}: bench.json, bench.md and a picture of each case")


if __name__ == "__main__":
    main()
