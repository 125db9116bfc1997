"""All benchmarks in one run: tables in `bench.md`, numbers in `bench.json`.

    python -m benchmarks [--size small | normal | large] [--only films networks ...]

Other programs on the same film (`benchmarks.peers`), films in the plane and in space, a film for a long time, holes,
conduction, networks and a void in space. Every row is a program of its own; one that fails is a row with the reason,
and the run ends with status 1. One that takes longer than `LIMITS` is stopped, and its row says so; after `--minutes`
the one that runs is stopped, and none begins. All run one after the other, so seconds can be compared in one table; on
a machine that does other things look at ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.__main__ import machine

ROOT = Path(__file__).resolve().parents[1]
LIMITS = {"small": 300.0, "normal": 600.0, "large": 3600.0}  # of one row, by the size of the problems [s]
PEERS = {"small": (1, 1.0), "normal": (5, 10.0), "large": (5, 60.0)}  # runs of a program, seconds of each
MINUTES = {"small": 30.0, "normal": 180.0, "large": 1440.0}  # of all of them; half of these for the other programs
SIZES = tuple(LIMITS)

Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One row: what its first columns say, and the program, whose last line is JSON.

    Attributes:
        labels: texts of the first columns.
        arguments: file in `benchmarks/` and its arguments.
        ranks: of MPI.
    """

    labels: dict[str, str]
    arguments: tuple[object, ...]
    ranks: int = 1

    def run(self, limit: float) -> Row:
        """Return the numbers, `failed` with the last line of the error, or `stopped` if it takes longer than that."""
        launcher = [] if self.ranks == 1 else ["mpiexec", "-n", str(self.ranks)]
        name, *rest = map(str, self.arguments)
        command = [*launcher, sys.executable, str(ROOT / "benchmarks" / name), *rest]
        try:
            status, out, errors = call(command, limit, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        except subprocess.TimeoutExpired:
            return {**self.labels, "stopped": stopped(limit)}
        if status:
            return {**self.labels, "failed": (errors.strip().splitlines() or [f"status {status}"])[-1]}
        try:
            return {**self.labels, **json.loads(out.splitlines()[-1])}
        except (IndexError, ValueError):
            return {**self.labels, "failed": f"no numbers in {out!r}"}


def call(command: Sequence[str], limit: float, **pipes: Any) -> tuple[int, str, str]:
    """Return status, output and errors of a program; all its processes are ended after the limit, or with this one.

    Raises:
        TimeoutExpired: if it takes longer than that [s].
    """
    if limit <= 0:
        raise subprocess.TimeoutExpired(command, limit)
    program = subprocess.Popen(command, cwd=ROOT, env=environment(), start_new_session=True, **pipes)
    try:
        out, errors = program.communicate(timeout=limit)
    except BaseException:
        os.killpg(program.pid, signal.SIGKILL)
        program.communicate()
        raise
    return program.returncode, out, errors


def stopped(limit: float) -> str:
    """Return the reason why a program has no numbers."""
    return f"not done after {limit:.6g} s" if limit > 0 else "not begun: the time of all is over"


def environment() -> dict[str, str]:
    """Return the environment of a program: one thread, and the `mpiexec` and modules of this one."""
    paths = os.pathsep.join(filter(None, (str(Path(sys.executable).parent), os.environ.get("PATH"))))
    modules = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "OMP_NUM_THREADS": "1", "PATH": paths, "PYTHONPATH": modules}


def films(size: str) -> list[Job]:
    """Films by direct and iterative solvers; the largest in space on one rank and on two."""
    plane = {"small": (12,), "normal": (24, 48, 96), "large": (48, 96, 192, 500)}[size]
    space = {"small": (8,), "normal": (16, 24, 36), "large": (24, 40, 56, 80)}[size]
    factorised = {"small": 8, "normal": 24, "large": 32}[size]  # cells along an edge in space
    cases = [
        (2, n, 1.0, solver, 1) for n in plane for solver in ("direct", "iterative") if n < 300 or solver != "direct"
    ]
    cases += [(3, n, 0.2, s, 1) for n in space for s in ("direct", "iterative") if n <= factorised or s != "direct"]
    cases += [(3, space[-2 if size == "large" else -1], 0.2, "iterative", 2)]
    return [
        Job(
            {"film": f"{dim}-D, {n} cells along an edge", "solver": solver, "ranks": str(ranks)},
            ("film.py", "--row", n, dim, 1.0, until, solver),
            ranks,
        )
        for dim, n, until, solver, ranks in cases
    ]


def long(size: str) -> list[Job]:
    """A film for a long time."""
    until, cells = {"small": (300, 12), "normal": (30_000, 24), "large": (30_000, 41)}[size]
    return [Job({"film": f"to t = {until}"}, ("long.py", "--until", until, "--cells", cells))]


def surface(size: str) -> list[Job]:
    """A void in space, whose surface moves in a current."""
    cubes = {"small": (16,), "normal": (16, 24), "large": (16, 24, 48)}[size]
    cases = [(n, solver) for n in cubes for solver in ("direct", "iterative") if n <= 16 or solver != "direct"]
    return [Job({"solver": solver}, ("surface.py", "--cube", n, "--solver", solver)) for n, solver in cases]


def holes(size: str) -> list[Job]:
    """A periodic cell with holes."""
    edges = {"small": (2.0,), "normal": (1.2, 0.8, 0.55), "large": (1.2, 0.8, 0.55, 0.36)}[size]
    until = 2.0 if size == "small" else 60.0
    return [Job({"film": "periodic, with holes"}, ("holes.py", "--row", "--sizes", e, "--until", until)) for e in edges]


def conduction(size: str) -> list[Job]:
    """Current in plates and blocks of degree 1."""
    most = {"small": 2_000, "normal": 300_000, "large": 5_000_000}[size]
    direct = {"small": 2_000, "normal": 60_000, "large": 100_000}[size]
    cases = [(space, n, "iterative", 1) for space in ("", "--space") for n in sorted({direct, most})]
    cases += [("", direct, "direct", 1), ("--space", direct, "direct", 1), ("--space", most, "iterative", 2)]
    return [
        Job(
            {"current": "space" if space else "plane", "solver": solver, "ranks": str(ranks)},
            ("conduction.py", "--one", solver, "--cells", n, *([space] if space else [])),
            ranks,
        )
        for space, n, solver, ranks in cases
    ]


def networks(size: str) -> list[Job]:
    """Kirchhoff's laws in power grids of 2 n^2 segments, and ten years of stress in the smaller ones."""
    stripes = {"small": (10,), "normal": (71, 224, 708), "large": (71, 224, 708, 1000)}[size]
    stressed = {"small": (10,), "normal": (22, 71), "large": (71, 224)}[size]
    jobs = [Job({"network": "currents"}, ("networks.py", "--one", "currents", "--largest", n)) for n in stripes]
    return jobs + [Job({"network": "stress"}, ("networks.py", "--one", "stress", "--largest", n)) for n in stressed]


SECTIONS = {
    "films": films, "long": long, "holes": holes, "conduction": conduction, "networks": networks, "surface": surface,
}  # fmt: skip


def processor() -> float:
    """Return the processor time of all programs so far [s]."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peers(repeat: int, limit: float, folder: Path, left: float) -> tuple[str, Row]:
    """Return table and numbers of all programs on the same film, if they take no longer than `left` [s]."""
    command = [sys.executable, "-m", "benchmarks.peers", "--output", str(folder)]
    command += ["--repeat", str(repeat), "--limit", str(limit), "--seconds", str(left)]
    try:
        status, *_ = call(command, left + 60 if left > 0 else left)  # it keeps to its time itself, with what it has
    except subprocess.TimeoutExpired:
        return stopped(left), {"stopped": stopped(left), "cases": {}}
    if status:
        return "failed", {"failed": f"status {status}"}
    return (folder / "bench.md").read_text(encoding="utf-8"), json.loads(
        (folder / "bench.json").read_text(encoding="utf-8")
    )


def table(rows: Sequence[Row]) -> str:
    """Return rows as Markdown, with all columns that any of them has."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(shown(row.get(key, "")) for key in columns) + " |" for row in rows)])


def shown(value: Any) -> str:
    """Return a text, or a number with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main(
    size: str, only: Sequence[str], repeat: int | None, limit: float | None, minutes: float | None, output: Path
) -> bool:
    """Run the sections, write both files after each; return True if no row failed."""
    repeat, limit = repeat or PEERS[size][0], limit or PEERS[size][1]
    output.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    end = began + 60 * (MINUTES[size] if minutes is None else minutes)
    report: dict[str, Any] = {"machine": machine(), "size": size, "sections": {}}
    pages: list[str] = []
    for name in only:
        started, used = time.monotonic(), processor()
        found: Any
        if name == "peers":
            text, found = peers(repeat, limit, output / "peers", (end - started) / 2)
            failed = "failed" in found or any("failed" in row for rows in found["cases"].values() for row in rows)
        else:
            found = []
            for job in SECTIONS[name](size):
                found.append(job.run(min(LIMITS[size], end - time.monotonic())))
                print(name, *found[-1].values(), flush=True)
            text, failed = table(found), any("failed" in row for row in found)
        seconds, used = time.monotonic() - started, processor() - used
        report["sections"][name] = {"rows": found, "seconds": seconds, "processor": used, "failed": failed}
        report["seconds"] = time.monotonic() - began
        pages.append(f"## {name.capitalize()}\n\n{text}\n\n{seconds:.0f} s in all, {used:.0f} s of the processor.\n")
        (output / "bench.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        (output / "bench.md").write_text("# Benchmarks\n\n" + "\n".join(pages), encoding="utf-8")
    print(f"{output}: bench.json and bench.md, after {time.monotonic() - began:.0f} s")
    return not any(section["failed"] for section in report["sections"].values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="normal", help="of the problems")
    parser.add_argument("--only", nargs="+", choices=("peers", *SECTIONS), default=["peers", *SECTIONS])
    parser.add_argument("--repeat", type=int, help="runs of each program of peers that is done in `limit`")
    parser.add_argument("--limit", type=float, help="seconds after which a run of peers is extrapolated")
    parser.add_argument(
        "--minutes",
        type=float,
        help=f"of the whole run; {', '.join(f'{m:g} ({s})' for s, m in MINUTES.items())} when left out",
    )
    parser.add_argument("--output", type=lambda text: Path(text).resolve(), default=ROOT / "results" / "bench")
    sys.exit(0 if main(**vars(parser.parse_args())) else 1)
