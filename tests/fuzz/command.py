"""Command line of the fuzz programs: a number of calls, a seed, a report."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.fuzz import pool
from tests.fuzz.pool import Call


def parser(document: str | None, words: str) -> argparse.ArgumentParser:
    """Return the parser of the options that all programs have."""
    made = argparse.ArgumentParser(description=document)
    made.add_argument(f"--{words}", dest="number", type=int, default=1000)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--json", type=Path, help="file for the report")
    made.add_argument("--call", help="only this call, as the report has it")
    return made


def execute(options: argparse.Namespace, endless: Iterator[Call]) -> int:
    """Execute as many calls as the options say, or the one they name; return 1 if there are findings."""
    if options.call:
        endless, options.number = iter([Call(options.call, options.call.partition("(")[0])]), 1
    tally = pool.executed((next(endless) for _ in range(options.number)), progress=True)
    print(tally.text())
    if options.json:
        options.json.write_text(tally.json(), encoding="utf-8")
    return int(tally.findings > 0)


def run(
    document: str | None, words: str, calls: Callable[[int], Iterator[Call]], arguments: Sequence[str] | None
) -> int:
    """Run a program without options of its own."""
    options = parser(document, words).parse_args(arguments)
    return execute(options, calls(options.seed))
