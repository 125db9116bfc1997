"""Figures beyond the paper: diagrams of the patterns, the law of coarsening, a notched strip, a polycrystal.

    python demos/paper/beyond.py                  all of it, at the size of its study files
    python demos/paper/beyond.py --only content   one diagram

Films are run once and kept in results/paper/beyond; what was broken off goes on where it was.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import emfem as em

from book import Book, Finding
from decades import law
from diagrams import DIAGRAMS
from places import PLACES

# What is drawn; a study of the same name says what is run
TOPICS: dict[str, Callable[[Book], list[Finding]]] = {**DIAGRAMS, "coarsening": law, **PLACES}
AS_WRITTEN = "laptop"  # the size that changes nothing in the study files, and that on Fourier modes:
ON_MODES = "modes"  # implicit steps would damp waves that travel fast, as where the ratio and the field are large


def main(
    only: Sequence[str] = (),
    workers: int = 2,
    seeds: Sequence[int] = (),
    out: str = "results/paper/beyond",
    changes: dict[str, Any] | None = None,
) -> list[Finding]:
    """Run what is missing and draw; what is found.

    Args:
        only: names of topics; all when left out.
        workers: films at a time; 0 runs them in this process.
        seeds: of the random starts; those of the studies when left out.
        out: folder of the results.
        changes: of the case of all studies, by dotted key, such as {"time.until": 100.0}.
    """
    names = [em.errors.choice("topic", name, TOPICS) for name in only] or list(TOPICS)
    book = Book(AS_WRITTEN, Path(out), changes or {}, seeds)
    modes = replace(book, size=ON_MODES)
    modes.run([name for name in names if name in DIAGRAMS], workers)
    book.run([name for name in names if name not in PLACES and name not in DIAGRAMS], workers)
    findings = [finding for name in names for finding in topic(name, book, workers)]
    em.write.print_root(*(f"{f.figure}: {f.says}\n    {f.found}" for f in findings))
    em.write.print_root(f"table: {table(findings, book)}")
    return findings


def topic(name: str, book: Book, workers: int) -> list[Finding]:
    """Draw a topic; what it finds, or that its films are missing."""
    try:
        found = PLACES[name](book, workers) if name in PLACES else TOPICS[name](book)
    except em.EmfemError as error:
        found = [Finding(name, "all of it", str(error), "not run")]
    return [replace(finding, command=f"beyond.py --only {name}") for finding in found]


def table(findings: Sequence[Finding], book: Book) -> Path:
    """Write what is found as a Markdown table, with the films that could not be run."""
    head = ["| study | what | found | command |", "|---|---|---|---|"]
    rows = [f"| {f.figure} | {f.says} | {f.found} | `{f.command}` |" for f in findings]
    lost = [f"\nnot run: {name}: {why}" for name, why in book.failed.items()]
    em.write.text(book.out / "beyond.md", "\n".join([*head, *rows, *lost]) + "\n")
    return book.out / "beyond.md"


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", nargs="*", default=(), choices=TOPICS, metavar="TOPIC")
    options.add_argument("--workers", type=int, default=2, help="films at a time")
    options.add_argument("--seeds", type=int, nargs="*", default=(), help="of the random starts")
    options.add_argument("--out", default="results/paper/beyond", help="folder for the results")
    main(**vars(options.parse_args()))
