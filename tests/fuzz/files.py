"""Damaged files of every kind that emfem reads: `python -m tests.fuzz.files --files 2000 --seed 1`."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence

from tests.fuzz import command
from tests.fuzz.pool import Call

KINDS = (
    *(
        "msh",
        "mesh .msh",
        "mesh .vtu",
        "mesh .xdmf",
        "mesh .med",
        "mesh .inp",
        "stl",
        "gds",
        "netlist",
        "network",
        "nodes.csv",
    ),
    *("segments.csv", "image", "checkpoint", "run report.json", "run series.csv", "run fields.json", "run mesh.npz"),
    *("run case.toml", "run states/last.npz", "case", "study", "material", "waveform"),
)


def calls(seed: int) -> Iterator[Call]:
    """Yield calls without end, the kinds in turn."""
    rng = random.Random(f"files {seed}")
    while True:
        for kind in KINDS:
            yield Call(f"open_damaged({kind!r}, {rng.randrange(10**6)})", kind, nan_allowed=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 1 if there are findings."""
    return command.run(__doc__, "files", calls, arguments)


if __name__ == "__main__":
    sys.exit(main())
