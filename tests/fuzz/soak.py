"""Long fuzz and a long run, with a report: `python -m tests.fuzz.soak --minutes 60 --output results/soak`.

First a film makes many steps, and its memory must be the same early and late; the rest of the time is for calls of the
public functions (half), cases and files.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import emfem as em
from tests.fuzz import api, cases, files, pool

EARLY, LATE = 2_000, 20_000  # steps after which memory is measured
GROWTH = 0.02  # of the memory in between
SHARES = {"api": 0.5, "cases": 0.25, "files": 0.25}  # of the time for fuzz


class Memory(em.observe.Observer):
    """Memory of the process after some numbers of steps.

    Attributes:
        measured: resident memory [bytes] by number of steps.
    """

    def __init__(self, counts: Sequence[int]) -> None:
        """Measure after so many steps, and stop after the last."""
        super().__init__()
        self.counts, self.steps = tuple(counts), -1  # the start is recorded too
        self.measured: dict[int, int] = {}

    def record(self, t: float) -> str | None:
        """Count a step."""
        self.steps += 1
        if self.steps in self.counts:
            self.measured[self.steps] = resident()
        return "all steps are made" if self.steps >= self.counts[-1] else None


@dataclass(frozen=True)
class Soak:
    """Memory of a long run.

    Attributes:
        early: steps before the first measurement.
        late: steps before the last.
        memory: resident memory [bytes] at both.
        seconds: wall time.
    """

    early: int
    late: int
    memory: tuple[int, int]
    seconds: float

    @property
    def growth(self) -> float:
        """Part by which memory grew."""
        return self.memory[1] / self.memory[0] - 1.0

    def __str__(self) -> str:
        """Return it in one line."""
        sizes = " and ".join(f"{size / 2**20:.1f} MiB" for size in self.memory)
        return f"{self.late} steps in {self.seconds:.0f} s: {sizes} after {self.early} and all, {self.growth:+.2%}"


def resident() -> int:
    """Return the resident memory of this process [bytes]."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * resource.getpagesize()


def soak(early: int = EARLY, late: int = LATE) -> Soak:
    """Return the memory of a small film over many steps."""
    domain = em.mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6))
    model = em.film.model(domain, em.film.cupd(), mean=0.3, initial=em.film.noise(0.05, seed=1), degree=1)
    memory, step = Memory((early, late)), 1e-3
    began = time.monotonic()
    em.evolve(model, 2 * late * step, fixed_step=step, watch=[memory], progress=False)
    return Soak(early, late, (memory.measured[early], memory.measured[late]), time.monotonic() - began)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything, and write report.json and report.txt; the exit code is 1 if anything is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--output", type=Path, default=Path("results", "soak"))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="random by default")
    parser.add_argument("--steps", type=int, default=LATE)
    parser.add_argument("--memory", action="store_true", help="only the long run, whose numbers are printed as JSON")
    options = parser.parse_args(arguments)
    if options.memory:
        print(json.dumps(asdict(soak(options.steps // 10, options.steps))))
        return 0
    options.output.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * options.minutes
    memory = _in_process_of_its_own(options.steps)
    lines, report = [f"seed {options.seed}", str(memory)], {"seed": options.seed, "memory": asdict(memory)}
    endless = {
        "api": api.calls((), options.seed),
        "cases": cases.calls(options.seed),
        "files": files.calls(options.seed),
    }
    left, failed = max(0.0, end - time.monotonic()), abs(memory.growth) > GROWTH
    for name, share in SHARES.items():
        tally = pool.executed(endless[name], until=time.monotonic() + share * left, progress=True)
        failed |= tally.findings > 0
        lines += ["", name, tally.text()]
        report[name] = json.loads(tally.json())
        (options.output / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
        (options.output / "report.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return int(failed)


def _in_process_of_its_own(steps: int) -> Soak:
    """Return the memory of the long run, in a process that has done nothing else."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz.soak", "--memory", "--steps", str(steps)]
    done = subprocess.run(command, cwd=pool.ROOT, capture_output=True, text=True, check=True)
    values: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return Soak(**values | {"memory": tuple(values["memory"])})


if __name__ == "__main__":
    sys.exit(main())
